"""`mqtttui PROFILE`, options beyond it, `mqtttui profiles`."""

from __future__ import annotations

from pathlib import Path

import pytest

from mqtttui.cli import main
from mqtttui.cli.start import settings_from
from mqtttui.config.errors import ConfigError
from mqtttui.config.options import ConnectOptions
from mqtttui.config.settings import Settings
from mqtttui.protocol.enums import PropertyId, Version
from mqtttui.protocol.packets import Property, TopicRequest

FILE = """\
default = "home"
[profiles.home]
group = "House"
label = "LIVE"
guard = "ask"
url = "mqtts://broker.lan:8884"
version = 5
client-id = "dev-7"
username = "me"
password = { ask = true }
clean = false
dial-timeout = 3
properties = [["session-expiry-interval", 60], ["receive-maximum", 5]]
subscriptions = [{ filter = "a", qos = 2 }, "b"]
will = { topic = "gone" }
[profiles.bad]
hots = "x"
"""


@pytest.fixture(autouse=True)
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    path = tmp_path / "mqtttui" / "profiles.toml"
    path.parent.mkdir()
    path.write_text(FILE)
    return path


def settings(*words: str, **environ: str) -> Settings:
    return settings_from(words, environ)[0]


def options(*words: str, **environ: str) -> ConnectOptions:
    found = settings(*words, **environ).options
    assert found is not None
    return found


@pytest.mark.parametrize("words", [("home",), ("--profile", "home")])
def test_a_profile_by_its_name(words: tuple[str, ...]) -> None:
    found = settings(*words, MQTTTUI_HOST="elsewhere", MQTTTUI_KEEPALIVE="5")
    assert found.profile is not None
    assert found.connect_now
    assert found.options == found.profile.contents.options
    assert found.subscriptions == (TopicRequest("a", qos=2), TopicRequest("b"))


def test_a_host_of_the_same_name_has_a_url() -> None:
    found = settings("mqtt://home")
    assert found.profile is None
    assert options("mqtt://home").host == "home"


def test_nothing_given_loads_the_default_and_connects_to_nothing(path: Path) -> None:
    found = settings()
    assert found.profile is not None
    assert not found.connect_now
    assert settings("--ascii").profile is not None
    assert settings(MQTTTUI_HOST="h").profile is None
    assert settings("-h", "h").profile is None
    path.unlink()
    assert settings() == Settings()


@pytest.mark.parametrize(
    ("words", "attribute", "wanted"),
    [
        (("-h", "localhost"), "url", "mqtts://localhost:8884"),
        (("-p", "1"), "url", "mqtts://broker.lan:1"),
        (("mqtt://h",), "url", "mqtt://h:1883"),
        (("-i", "x"), "connect.client_id", "x"),
        (("-u", "you"), "connect.username", "you"),
        (("-k", "5"), "connect.keep_alive", 5),
        (("-P", "pw"), "connect.password", b"pw"),
        (("--insecure",), "tls.verify", False),
        (("-x", "7"), "connect.properties", (Property(PropertyId.RECEIVE_MAXIMUM, 5), Property(PropertyId.SESSION_EXPIRY_INTERVAL, 7))),
        (("-V", "3.1.1"), "connect.properties", ()),
        (("--will-topic", "w"), "connect.will.topic", "w"),
    ],
)
def test_options_go_beyond_it(words: tuple[str, ...], attribute: str, wanted: object) -> None:
    found: object = options("--profile", "home", *words)
    base: object = options("home")
    for name in attribute.split("."):
        found = getattr(found, name)
    assert found == wanted
    assert isinstance(base, ConnectOptions)
    assert base.dial_timeout == options("--profile", "home", *words).dial_timeout == 3


def test_topics_replace_those_of_the_profile() -> None:
    assert settings("home", "-t", "c").subscriptions == (TopicRequest("c"),)
    message = settings("home", "-t", "c", "-m", "x")
    assert message.publish is not None
    assert message.subscriptions == ()
    assert options("home", "-t", "c").connect == options("home").connect


def test_what_is_not_given_is_as_the_profile_has_it() -> None:
    for words in (("-k", "5"), ("-h", "h"), ("-i", "x"), ("-u", "y")):
        changed = options("home", *words).connect
        assert changed.properties == options("home").connect.properties
        assert changed.will == options("home").connect.will
        assert (changed.version, changed.clean) == (Version.V5, False)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("hom",), r"there is no profile 'hom'; did you mean home\? for a host of that name write mqtt://hom"),
        (("--profile", "hme"), r"there is no profile 'hme'; did you mean home\?"),
        (("bad",), r"the profile bad cannot be used.*profiles.toml:17: \[bad\] there is no key 'hots'; did you mean host\?"),
    ],
)
def test_a_typo_is_met_with_the_nearest_name(words: tuple[str, ...], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        settings(*words)


def test_the_list_and_the_check(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profiles"]) == 1
    out, err = capsys.readouterr()
    assert "House:\n  home  mqtts://broker.lan:8884  (LIVE, ask, default)\n" in out
    assert "bad   cannot be used" in out
    assert "profiles.toml:17: [bad] there is no key 'hots'; did you mean host?" in err
    path.write_text(FILE.partition("[profiles.bad]")[0])
    assert main(["profiles"]) == 0
    assert main(["profiles", "--path"]) == 0
    assert str(path) in capsys.readouterr().out
    assert main(["profiles", "--export", "home"]) == 0
    assert "password = {ask = true}" in capsys.readouterr().out.replace("{ ask = true }", "{ask = true}")
    assert main(["profiles", "--export", "nope"]) == 2
    assert main(["profiles", "nope"]) == 2


def test_commands_that_take_no_profile_say_so(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["check", "home"]) == 3
    out, err = capsys.readouterr()
    assert out == "MQTT UNKNOWN - 'home' is a profile, and check takes a URL\n"
    assert "a host of that name is mqtt://home" in err
    assert main(["record", "bad", "-t", "#", "-o", str(tmp_path / "x.pcapng")]) == 2
    assert "'bad' is a profile, and record takes a URL" in capsys.readouterr().err
    assert not (tmp_path / "x.pcapng").exists()
