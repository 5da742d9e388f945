"""Profiles by keyboard: save, load, connect with a password from each of its ways, guards, import and export, what is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend

from mqtttui.cli.start import settings_from
from mqtttui.client.commands import Connect as ConnectCommand
from mqtttui.client.commands import SendPublish
from mqtttui.client.events import Phase, SubscriptionState
from mqtttui.config.profiles import Profiles, load
from mqtttui.config.secrets import SERVICE
from mqtttui.config.settings import Settings
from mqtttui.protocol.packets import TopicRequest
from mqtttui.ui import profile_dialogs
from mqtttui.ui.screens.menu import Menu
from mqtttui.ui.screens.profiles import ProfilesScreen
from mqtttui.ui.screens.save_profile import SaveProfile
from mqtttui.ui.screens.secret_prompt import SecretPrompt
from tests.support.brokers import HOST, Broker
from tests.support.screen import Running, running


class Drawer(KeyringBackend):
    """A keyring in memory."""

    priority = 1.0

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.entries[service, username]


@pytest.fixture
def drawer() -> Iterator[Drawer]:
    before, ours = keyring.get_keyring(), Drawer()
    keyring.set_keyring(ours)
    yield ours
    keyring.set_keyring(before)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("CONFIG", "STATE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    return tmp_path


def write(folder: Path, text: str) -> Path:
    path = folder / "config" / "mqtttui" / "profiles.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o600)
    return path


def file(folder: Path) -> Profiles:
    return load(folder / "config" / "mqtttui" / "profiles.toml", {})


def started(*words: str) -> Settings:
    return settings_from(words, {})[0]


async def screen(run: Running, kind: type) -> None:
    await run.until(lambda: isinstance(run.app.screen, kind) and run.app.screen.is_mounted, f"a {kind.__name__}", 30)
    await run.pilot.pause()


async def main(run: Running) -> None:
    await run.until(lambda: run.app.screen is run.main, "the main screen", 30)


async def connected(run: Running) -> None:
    await run.until(lambda: run.app.state.phase is Phase.CONNECTED, "connected", 30)


PROFILE = 'url = "mqtt://{host}:{port}"\nusername = "alice"\nclient-id = "profiles"\nsubscriptions = ["t/#"]\n'


def profile(broker: Broker, more: str) -> str:
    return "[profiles.house]\n" + PROFILE.format(host=HOST, port=broker.port) + more


async def test_a_form_is_saved_and_connects_in_another_start(password_mosquitto: Broker, folder: Path, drawer: Drawer) -> None:
    async with running(started("-h", HOST, "-p", str(password_mosquitto.port), "-u", "alice", "-P", "secret", "-t", "t/#")) as run:
        await connected(run)
        await run.until(lambda: any(row.active for row in run.app.state.subscriptions), "subscribed", 30)
        await run.press("P")
        await screen(run, ProfilesScreen)
        await run.shows("none yet")
        await run.press("ctrl+n")
        await screen(run, SaveProfile)
        await run.type("my house")
        await run.press("ctrl+s")
        await main(run)
        await run.shows("saved as my house")
    assert drawer.entries == {(SERVICE, "my house/password"): "secret"}
    text = (folder / "config" / "mqtttui" / "profiles.toml").read_text()
    assert "secret" not in text
    assert "keyring = true" in text
    assert [row.filter for row in file(folder).profiles["my house"].contents.subscriptions] == ["t/#"]
    async with running(started("my house")) as run:
        await connected(run)
        await run.until(lambda: any(row.active for row in run.app.state.subscriptions), "subscribed", 30)
        assert run.app.state.options is not None
        assert run.app.state.options.connect.password == b"secret"
        assert "secret" not in run.text


async def test_loading_fills_the_form_and_a_second_key_connects(
    password_mosquitto: Broker, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, profile(password_mosquitto, 'password = { env = "HOUSE" }\n[profiles.other]\nhost = "127.0.0.1"\n'))
    monkeypatch.setenv("HOUSE", "secret")
    async with running() as run:
        await run.press("P")
        await screen(run, ProfilesScreen)
        await run.type("hou")
        await run.press("enter")
        await main(run)
        await run.shows("Profile house", "from $HOUSE")
        assert run.app.state.phase is Phase.IDLE
        await run.press("P")
        await screen(run, ProfilesScreen)
        await run.press("ctrl+s")
        await connected(run)
    assert (folder / "state" / "mqtttui" / "last-profile").read_text() == "house\n"


async def test_a_password_is_asked_for_once(password_mosquitto: Broker, folder: Path) -> None:
    write(folder, profile(password_mosquitto, "password = { ask = true }\n"))
    async with running(started("house")) as run:
        await screen(run, SecretPrompt)
        await run.type("secret")
        assert "secret" not in run.text
        await run.press("enter")
        await connected(run)
        await run.press("c", "r")
        await run.until(lambda: run.log.connection_count == 2, "connected again", 30)
        await connected(run)
    async with running(started("house")) as run:
        await screen(run, SecretPrompt)
        await run.press("escape")
        await main(run)
        await run.shows("not connected: no password was given")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ('{ env = "NOT_THERE" }', "$NOT_THERE is not set"),
        ('{ command = ["false"] }', "the command false ended with status 1"),
        ('{ command = ["/not/there"] }', "cannot be started"),
        ("{ keyring = true }", "the keyring has no entry 'house/password'"),
    ],
)
async def test_a_secret_that_cannot_be_had_is_said(folder: Path, drawer: Drawer, source: str, words: str) -> None:
    write(folder, f'[profiles.house]\nhost = "127.0.0.1"\npassword = {source}\n')
    async with running(started("house")) as run:
        await run.shows("not connected", words)
        assert run.log.connection_count == 0


async def test_a_host_without_a_keyring_says_so_and_offers_the_others(folder: Path) -> None:
    from keyring.backends.fail import Keyring

    write(folder, '[profiles.house]\nhost = "127.0.0.1"\npassword = { keyring = true }\n')
    before = keyring.get_keyring()
    keyring.set_keyring(Keyring())  # type: ignore[no-untyped-call]
    try:
        async with running(started("house"), size=(160, 40)) as run:
            await run.shows("this host has no keyring", "ask = true", 'env = "NAME"')
    finally:
        keyring.set_keyring(before)


async def test_what_was_typed_stays_where_the_keyring_takes_nothing(folder: Path) -> None:
    from keyring.backends.fail import Keyring

    before = keyring.get_keyring()
    keyring.set_keyring(Keyring())  # type: ignore[no-untyped-call]
    try:
        async with running(replace(started("-u", "me", "-P", "hidden"), connect_now=False), size=(100, 30)) as run:
            await run.press("escape", "escape", "P")
            await screen(run, ProfilesScreen)
            await run.press("ctrl+n")
            await screen(run, SaveProfile)
            await run.type("lab")
            await run.press("ctrl+s")
            await run.shows("not saved: this host has no keyring", "lab", "[ask]")
            await run.press("ctrl+s")
            await main(run)
            await run.until(lambda: file(folder).profiles, "the file")
    finally:
        keyring.set_keyring(before)
    written = (folder / "config" / "mqtttui" / "profiles.toml").read_text()
    assert "[profiles.lab]" in written and "{ask = true}" in written and "hidden" not in written


async def test_guards_ask_and_refuse(folder: Path) -> None:
    write(folder, '[profiles.live]\nlabel = "LIVE"\nguard = "ask"\n[profiles.look]\nguard = "read-only"\n')
    async with running(started("live")) as run:
        session = run.fake_session()
        await run.until(lambda: run.app.peers.current.label == "LIVE", "the guard is in force")
        run.tell_connected()
        await run.shows("LIVE asks")
        await run.press("s")
        await run.type("#")
        await run.press("enter")
        await run.shows("asks for every message")
        await run.press("enter")  # the first answer is no
        await main(run)
        await run.press("s")
        await run.type("#")
        await run.press("enter")
        await screen(run, Menu)
        await run.press("y")
        await main(run)
        assert [type(command).__name__ for command in session.commands if not isinstance(command, ConnectCommand)] == ["Subscribe"]
    async with running(started("look")) as run:
        session = run.fake_session()
        run.tell_connected()
        await run.shows("look read-only")
        await run.press("3", "enter")
        await run.type("t/x")
        await run.press("enter", "ctrl+s")
        await run.shows("look is read-only: no publishing")
        assert not [command for command in session.commands if isinstance(command, SendPublish)]


@pytest.mark.parametrize(("answer", "sent"), [("n", []), ("y", ["Subscribe", "Unsubscribe"])])
async def test_a_filter_that_is_not_replaced_stays(folder: Path, answer: str, sent: list[str]) -> None:
    write(folder, '[profiles.live]\nguard = "ask"\n')
    async with running(started("live")) as run:
        session = run.fake_session()
        await run.until(lambda: run.app.peers.current.label == "live", "the guard is in force")
        row = SubscriptionState(TopicRequest("a/#"), granted=0, answer="granted QoS 0", active=True, key=b"a/#")
        run.tell_connected(subscriptions=(row,))
        await run.press("2")
        await run.until(lambda: run.main.subscriptions.table.has_focus, "the table")
        before = len(session.commands)
        await run.press("e", "ctrl+u")
        await run.type("#")
        await run.press("escape", "ctrl+s")
        await screen(run, Menu)
        await run.press(answer)
        await main(run)
        await run.until(lambda: len(session.commands) >= before + len(sent), "answered")
        assert [type(command).__name__ for command in session.commands[before:]] == sent


async def test_a_connection_keeps_its_guard_until_another_one_is_really_asked_for(folder: Path) -> None:
    write(folder, '[profiles.look]\nguard = "read-only"\n[profiles.open]\nusername = "a"\npassword = { ask = true }\n')
    async with running(started("look")) as run:
        session = run.fake_session()
        run.tell_connected()
        await run.shows("look read-only")
        await run.press("4", "P")
        await screen(run, ProfilesScreen)
        await run.type("open")
        await run.press("enter")
        await run.shows("profile open fills the form")
        before = len(session.commands)
        await run.press("ctrl+s")
        await screen(run, SecretPrompt)
        await run.press("escape")
        await main(run)
        await run.shows("no password was given", "look read-only")
        await run.press("ctrl+s")
        await screen(run, SecretPrompt)
        await run.type("secret")
        await run.press("enter")
        await run.until(lambda: len(session.commands) > before, "CONNECT is asked for", 30)
        await run.until(lambda: "look read-only" not in run.text, "the guard of the other profile", 30)


async def test_the_list_shows_what_is_wrong_and_changes_the_file(folder: Path) -> None:
    path = write(folder, '# mine\n[profiles.a]  # first\nhost = "${NOPE}"\n[profiles.b]\ngroup = "G"\nhost = "b.lan"\n')
    async with running(size=(80, 24)) as run:
        await run.press("P")
        await screen(run, ProfilesScreen)
        await run.shows("b.lan", "! ${NOPE} is not set")
        await run.press("down")
        await run.shows("profiles.toml:3:")
        await run.press("up", "ctrl+o")
        await screen(run, Menu)
        await run.press("f")
        await screen(run, ProfilesScreen)
        await run.shows("default")
        await run.press("ctrl+o")
        await screen(run, Menu)
        await run.press("r")
        await run.shows("Another name for b")
        await run.press("end", "ctrl+u")
        await run.type("c")
        await run.press("enter")
        await screen(run, ProfilesScreen)
        await run.press("ctrl+o")
        await screen(run, Menu)
        await run.press("d")
        await run.shows("Duplicate c as")
        await run.type("c2")
        await run.press("enter")
        await screen(run, ProfilesScreen)
        await run.shows("c2")
        await run.press("ctrl+o")
        await screen(run, Menu)
        await run.press("x")
        await run.shows("Delete the profile")
        await run.press("y")
        await screen(run, ProfilesScreen)
        await run.until(lambda: len(file(folder).profiles) == 1, "one is left")
    text = path.read_text()
    assert text.startswith('# mine\ndefault = "c"\n[profiles.a]  # first\nhost = "${NOPE}"\n')
    assert 'group = "G"\nhost = "b.lan"' in text


async def test_the_editor_comes_back_with_mistakes_by_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def spoil(path: Path) -> None:
        assert path.read_text().startswith("# Profiles of mqtttui")
        path.write_text('[profiles.a]\nhost = "a.lan"\nprot = 1\n[profiles.b]\nhost = "b.lan"\n')

    async def edit_file(app: object, path: Path) -> None:
        spoil(path)

    monkeypatch.setattr(profile_dialogs, "edit_file", edit_file)
    async with running() as run:
        await run.press("P")
        await screen(run, ProfilesScreen)
        await run.press("ctrl+e")
        await run.shows("b.lan", ":3:", "there is no key 'prot'; did you mean port?")


async def test_mqttx_connections_are_imported_with_their_passwords_in_the_keyring(folder: Path, drawer: Drawer) -> None:
    exported = folder / "data.json"
    record = {"name": "lamp", "clientId": "x1", "protocol": "mqtt", "host": "lamp.lan", "port": 1883, "mqttVersion": "5.0"}
    exported.write_text(json.dumps([{**record, "username": "u", "password": "hunter22"}, {**record, "clientIdWithTime": True}]))
    async with running() as run:
        await run.press("P")
        await screen(run, ProfilesScreen)
        await run.press("ctrl+o")
        await screen(run, Menu)
        await run.press("i")
        await run.shows("Import")
        await run.type(str(exported))
        await run.press("enter")
        await screen(run, ProfilesScreen)
        await run.shows("lamp 2")
        await run.press("escape")
        await run.shows("imported: 2 profiles", "the time behind the client id")
    assert drawer.entries == {(SERVICE, "lamp/password"): "hunter22"}
    assert "hunter22" not in (folder / "config" / "mqtttui" / "profiles.toml").read_text()


async def test_a_default_profile_fills_the_form_and_connects_to_nothing(folder: Path) -> None:
    write(folder, 'default = "a"\n[profiles.a]\nhost = "a.lan"\nguard = "ask"\n')
    async with running(started()) as run:
        await run.shows("Profile a", "a.lan", "a asks")
        assert run.app.state.phase is Phase.IDLE


async def test_a_client_id_of_another_profile_is_warned_of_in_the_form(folder: Path) -> None:
    write(folder, '[profiles.a]\nhost = "h"\nclient-id = "dev-7"\n[profiles.b]\nhost = "h"\nclient-id = "dev-7"\n')
    async with running() as run:
        await run.press("P")
        await screen(run, ProfilesScreen)
        await run.press("enter")
        await main(run)
        await run.shows("kicks dev-7 off: profile b uses this client id")
