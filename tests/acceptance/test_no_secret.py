"""A profile with password, certificate and properties, used, recorded, saved and exported: its secrets are in no file and no `ps`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from tests.support.brokers import Broker
from tests.support.certs import Certificates
from tests.support.terminal import Terminal

PASSWORD, PASSPHRASE = "s3cr3t-of-the-house", "s3cr3t-of-the-key"

pytestmark = pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs /proc")


@pytest.fixture
def terminal(tmp_path: Path, mutual_tls_mosquitto: Broker, certificates: Certificates) -> Iterator[Terminal]:
    home, vault = tmp_path / "home", tmp_path / "vault"
    vault.mkdir()
    (vault / "password").write_text(f"{PASSWORD}\n")
    key = vault / "client.key"
    loaded = serialization.load_pem_private_key(certificates.client.key.read_bytes(), None)
    locked = serialization.BestAvailableEncryption(PASSPHRASE.encode())
    key.write_bytes(loaded.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked))
    folder = home / "config" / "mqtttui"
    folder.mkdir(parents=True)
    (folder / "profiles.toml").write_text(
        f"""\
default = "house"
[profiles.house]
label = "LIVE"
url = "mqtts://localhost:{mutual_tls_mosquitto.port}"
version = 5
client-id = "{os.getpid()}-house"
username = "alice"
password = {{ command = ["cat", "{vault}/password"] }}
properties = [["session-expiry-interval", 60], ["receive-maximum", 10], ["user-property", "place", "cellar"]]
subscriptions = ["t/#"]
[profiles.house.tls]
ca-file = "{certificates.ca}"
certificate = "{certificates.client.certificate}"
key = "{key}"
key-passphrase = {{ env = "KEY_PASSPHRASE" }}
"""
    )
    terminal = Terminal(home, "house", "--record", str(home / "record.pcapng"), KEY_PASSPHRASE=PASSPHRASE)
    yield terminal
    terminal.close()


def command_lines() -> bytes:
    """Of every process that runs now."""
    out = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                out.append((entry / "cmdline").read_bytes())
            except OSError:  # it has ended meanwhile
                continue
    return b"\n".join(out)


def test_secrets_stay_where_they_are(terminal: Terminal, tmp_path: Path) -> None:
    home = tmp_path / "home"
    seen = command_lines()
    terminal.wait_for(b"SUBACK")
    seen += command_lines()
    terminal.press(b"P")
    terminal.wait_for(b"fills the form")
    terminal.press(b"\x0f")  # ctrl+o: what else can be done
    terminal.wait_for(b"without secrets")
    terminal.press(b"w")
    terminal.wait_for(b"Write profile house")
    terminal.press(b"\x01\x0b" + os.fsencode(home / "shared.toml") + b"\r")
    terminal.wait_for(b"written to")
    terminal.press(b"P")
    terminal.wait_for(b"fills the form")
    terminal.press(b"\x0f")
    terminal.wait_for(b"save the form here")
    terminal.press(b"s")
    terminal.wait_for(b"nothing secret goes into the file")
    terminal.press(b"\x13")  # ctrl+s
    terminal.wait_for(b"saved as house")
    seen += command_lines()
    terminal.press(b"\x11")
    terminal.wait_for(b"Quit?")
    terminal.press(b"y")
    assert terminal.wait_for_exit() == 0
    written = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    assert {"profiles.toml", "shared.toml", "last-profile", "record.pcapng"} <= {path.name for path in written}
    assert b"receive-maximum" in written[home / "shared.toml"]
    assert b"key-passphrase = {env" in written[home / "shared.toml"].replace(b"{ env", b"{env")
    for secret in (PASSWORD.encode(), PASSPHRASE.encode()):
        assert [path for path, content in written.items() if secret in content] == []
        assert secret not in terminal.seen
        assert secret not in seen
