"""Where secrets come from, and what is said when they do not."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from typing import ClassVar

import keyring
import pytest
from keyring.backend import KeyringBackend

from mqtttui.config import secrets
from mqtttui.config.errors import ConfigError
from mqtttui.config.options import ConnectOptions, ProxyOptions, WebSocketOptions
from mqtttui.config.profile_secrets import secrets_of, with_secret
from mqtttui.config.secrets import FromCommand, FromEnvironment, FromKeyring, fetch, forget, store


class Drawer(KeyringBackend):
    """A keyring in memory that can be stuck or broken."""

    priority = 1.0
    entries: ClassVar[dict[str, str]] = {}
    gate: ClassVar[threading.Event] = threading.Event()
    fails: ClassVar[bool] = False

    def get_password(self, service: str, username: str) -> str | None:
        self.gate.wait()
        if self.fails:
            raise RuntimeError("s3cr3t")
        return self.entries.get(username)

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.entries[username]


@pytest.fixture(autouse=True)
def drawer() -> Iterator[type[Drawer]]:
    before = keyring.get_keyring()
    keyring.set_keyring(Drawer())  # type: ignore[no-untyped-call]
    Drawer.entries, Drawer.fails = {}, False
    Drawer.gate.set()
    yield Drawer
    Drawer.gate.set()
    keyring.set_keyring(before)


@pytest.mark.parametrize("secret", [b"plain", b"", "pässword".encode(), b"\x00\xff", b"hex:00"])
def test_the_keyring_gives_back_what_was_put_into_it(secret: bytes) -> None:
    store("a/password", secret)
    assert fetch(FromKeyring("a/password"), {}) == secret
    forget("a/password")
    forget("a/password")
    with pytest.raises(ConfigError, match="the keyring has no entry 'a/password'"):
        fetch(FromKeyring("a/password"), {})


def test_a_keyring_that_does_not_answer_holds_nobody_up(drawer: type[Drawer], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "KEYRING_LIMIT", 0.2)
    drawer.gate.clear()
    with pytest.raises(ConfigError, match=r"the keyring gave no answer within 0.2 s"):
        fetch(FromKeyring("a"), {})
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "keyring")


def test_a_broken_keyring_tells_no_secret(drawer: type[Drawer]) -> None:
    drawer.fails = True
    with pytest.raises(ConfigError) as caught:
        fetch(FromKeyring("a"), {})
    assert "RuntimeError" in str(caught.value)
    assert "s3cr3t" not in str(caught.value)


def test_without_the_package_the_other_ways_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(ConfigError, match=r"the package is not installed.*pip install 'mqtttui\[keyring\]'.*ask = true"):
        fetch(FromKeyring("a"), {})


def test_the_environment() -> None:
    assert fetch(FromEnvironment("X"), {"X": "pässword\udcff"}) == "pässword".encode() + b"\xff"
    with pytest.raises(ConfigError, match=r"\$X is not set"):
        fetch(FromEnvironment("X"), {})


def test_a_command_gives_its_first_line() -> None:
    assert fetch(FromCommand(("printf", "one two\\r\\nmore\\n")), {"PATH": "/usr/bin:/bin"}) == b"one two"


def test_what_a_command_leaves_behind_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "COMMAND_LIMIT", 25)
    assert fetch(FromCommand(("sh", "-c", "echo one; sleep 30 &")), {"PATH": "/usr/bin:/bin"}) == b"one"


@pytest.mark.parametrize("size", [65_536, 400_000])
def test_a_command_that_prints_too_much(size: int) -> None:
    with pytest.raises(ConfigError, match="more than 65,535 bytes"):
        fetch(FromCommand(("head", "-c", str(size), "/dev/zero")), {"PATH": "/usr/bin:/bin"})


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("false",), "the command false ended with status 1"),
        (("true",), "the command true printed nothing"),
        (("/not/there", "s3cr3t"), "the command /not/there cannot be started"),
        (("sleep", "60"), "took longer than 0.3 s"),
    ],
)
def test_a_command_that_fails(words: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "COMMAND_LIMIT", 0.3)
    with pytest.raises(ConfigError) as caught:
        fetch(FromCommand(words), {"PATH": "/usr/bin:/bin"})
    assert said in str(caught.value)
    assert "s3cr3t" not in str(caught.value)
    assert "s3cr3t" not in repr(FromCommand(words))


def test_keyring_is_not_loaded_before_it_is_used() -> None:
    import subprocess

    code = "import sys; from mqtttui.config import profiles, secrets, profile_edit; print({'keyring', 'tomlkit'} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"


@pytest.mark.parametrize(
    ("place", "secret"),
    [("header:authorization", "s3cr\u00e9t"), ("header:authorization", "s3cr3t\nX: y"), ("proxy.password", "s3cr3t" * 43)],
)
def test_a_fetched_secret_that_cannot_stand_in_its_place(place: str, secret: str) -> None:
    web = WebSocketOptions(headers=(("Authorization", ""),))
    options = ConnectOptions("h", websocket=web, proxy=ProxyOptions("socks5", "p", 1080, "u"))
    with pytest.raises(ConfigError) as caught:
        with_secret(options, place, secret.encode())
    assert "s3cr" not in str(caught.value)
    assert "right" in repr(secrets_of(with_secret(options, place, b"right")).get(place))
