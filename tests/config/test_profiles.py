"""The profiles file as a person writes it: what it means, what is wrong in it and where, and changes to it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from mqtttui.config.errors import ConfigError
from mqtttui.config.guard import Guard
from mqtttui.config.options import ConnectOptions, TlsOptions
from mqtttui.config.profile_edit import change, delete, duplicate, rename, save, set_default
from mqtttui.config.profile_fields import Contents
from mqtttui.config.profiles import Profiles, load, read
from mqtttui.config.secrets import Asked, FromCommand, FromEnvironment, FromKeyring
from mqtttui.protocol.enums import PropertyId, Version
from mqtttui.protocol.packets import Connect, Property, TopicRequest

FILE = """\
# mine
default = "home"   # at the start

[profiles.base]    # never by itself
version = 5
keep-alive = 30
guard = "ask"
username = "me"
password = { keyring = true }

# the house
[profiles.home]
extends = "base"   # most of it
group = "House"
label = "LIVE"
url = "mqtts://${HOST:-broker.lan}:8884"
client-id = "dev-${N}"
properties = [
    ["session-expiry-interval", 3600],  # an hour
    ["user-property", "cost", "5$$ or $SYS"],
]
subscriptions = ["sensors/#", { filter = "$share/g/jobs", qos = 1 }]

[profiles.home.tls]
ca-file = "~/ca.pem"
key-passphrase = { command = ["pass", "show", "key"] }

["profiles"."other one"]
extends = "home"
username = false
password = { env = "OTHER" }
guard = "none"
tls.verify = false
"""


def parsed(text: str, **environ: str) -> Profiles:
    return read(text, Path("profiles.toml"), environ)


def said(text: str, **environ: str) -> list[str]:
    found = parsed(text, **environ)
    return [found.said(problem) for problem in found.problems]


def test_a_profile_says_everything_that_it_extends() -> None:
    found = parsed(FILE, N="7")
    assert found.problems == ()
    assert found.default == "home"
    home, other = found.profiles["home"], found.profiles["other one"]
    options = home.contents.options
    assert (options.url, options.connect.client_id, options.connect.keep_alive) == ("mqtts://broker.lan:8884", "dev-7", 30)
    assert options.connect.version is Version.V5
    assert options.tls == TlsOptions(ca_file=os.path.expanduser("~/ca.pem"))
    assert options.connect.properties == (
        Property(PropertyId.SESSION_EXPIRY_INTERVAL, 3600),
        Property(PropertyId.USER_PROPERTY, ("cost", "5$ or $SYS")),
    )
    assert home.contents.subscriptions == (TopicRequest("sensors/#"), TopicRequest("$share/g/jobs", qos=1))
    assert (home.group, home.label, home.guard) == ("House", "LIVE", Guard.ASK)
    assert home.contents.pending == {
        "password": FromKeyring("base/password"),
        "tls.key-passphrase": FromCommand(("pass", "show", "key")),
    }
    assert other.guard is Guard.NONE
    assert other.contents.options.connect.username is None
    assert other.contents.pending["password"] == FromEnvironment("OTHER")
    assert other.contents.options.tls == TlsOptions(ca_file=os.path.expanduser("~/ca.pem"), verify=False)


def test_the_environment_fills_in() -> None:
    assert parsed(FILE, N="7", HOST="10.0.0.1").profiles["home"].contents.options.host == "10.0.0.1"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('[profiles.a]\nhsot = "x"', 2, "there is no key 'hsot'; did you mean host?"),
        ('[profiles.a.tls]\nca_file = "x"', 2, "tls has no key 'ca_file'; did you mean ca-file?"),
        ('[profiles.a]\ntls = { verfy = false }', 2, "tls has no key 'verfy'; did you mean verify?"),
        ('defalut = "a"', 1, "'defalut' is no key of this file; did you mean default?"),
        ('[profiles.a]\nguard = "readonly"', 2, "guard: 'readonly' is none of none, ask, read-only"),
        ("[profiles.a]\nport = 70000", 2, "port: '70000' is no number from 1 to 65535"),
        ('[profiles.a]\nclean = "yes"', 2, "clean: 'yes' is neither true nor false"),
        ('[profiles.a]\nversion = "6"', 2, "version: '6' is no MQTT version; write 3.1, 3.1.1 or 5"),
        ('[profiles.a]\nhost = "${NOT_THERE}"', 2, "${NOT_THERE} is not set in the environment"),
        ('[profiles.a]\nhost = "${1x}"', 2, "a ${ begins no variable here"),
        ('[profiles.a]\nextends = "bse"\n[profiles.base]', 2, "extends: there is no profile 'bse'; did you mean base?"),
        ('[profiles.a]\nextends = "b"\n[profiles.b]\nextends = "a"', 2, "extends goes in a circle: a -> b -> a"),
        ('[profiles.a]\n\n[[profiles.a.subscriptions]]\nfilter = "x"\n[[profiles.a.subscriptions]]\nqso = 1', 6, "did you mean qos?"),
        ('[profiles.a]\nproperties = [["recieve-maximum", 1]]', 2, "'recieve-maximum' is no property; did you mean receive-maximum?"),
        ('[profiles.a.will]\nqos = 1', 1, "will has no topic"),
        ('[profiles.a]\nurl = "http://x"', 2, "http:// is no MQTT over WebSocket"),
        ('[profiles.a]\ntransport = "unix"', 2, "a Unix socket needs its path"),
        ('[profiles.a]\npassword = { kyring = true }', 2, "a secret is a text, or"),
        ('[profiles.a]\nhost = "x"\n[profiles.b]\nport = = 1', 4, "not TOML: invalid value"),
        ('default = "hom"\n[profiles.home]', 1, "there is no profile 'hom'; did you mean home?"),
        ('[profiles.a]\nhost = "${A:-b c}"', 2, "host: ' ' cannot stand in a host name"),
        ('[profiles.a]\n"tls.verify" = false', 2, "names with a dot stand without quotes"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_line(text: str, line: int, words: str) -> None:
    (only, *_) = said(text + '\n[profiles.good]\nhost = "127.0.0.1"\n')
    assert only.startswith(f"profiles.toml:{line}: ")
    assert words in only


def test_a_broken_profile_hides_no_other() -> None:
    text = '[profiles.bad]\nport = = 1\n[profiles.bad.tls]\nverify = true\n[profiles.worse]\nhots = "x"\n[profiles.good]\nhost = "g"\n'
    found = parsed(text)
    assert list(found.profiles) == ["good"]
    assert set(found.broken) == {"bad", "worse"}
    with pytest.raises(ConfigError, match=r"the profile worse cannot be used.*there is no key 'hots'; did you mean host\?"):
        found.find("worse")
    with pytest.raises(ConfigError, match=r"there is no profile 'goood'; did you mean good\?"):
        found.find("goood")


def test_no_problem_repeats_a_secret() -> None:
    for line in (
        'password = ["s3cr3t"]',
        'url = "mqtt://u:s3cr3t@ho st"',
        'websocket.headers = [["Auth", "s3cr3t\\u0001"]]',
        "password = { s3cr3t = 1 }",
        'password = "${s3cr3t"',
        'password = "${s3cr3t!}"',
    ):
        problems = said(f"[profiles.a]\n{line}\n")
        assert problems
        assert not any("s3cr3t" in each for each in problems)
    for line in ('password = "s3cr3t"', 'url = "ws://h/mqtt?s3cr3t"', 'properties = [["authentication-data", "s3cr3t"]]'):
        found = parsed(f"[profiles.a]\nversion = 5\n{line}\n")
        assert found.profiles
        assert "s3cr3t" not in repr(found)


def test_a_file_with_a_secret_that_others_can_read_is_warned_of(tmp_path: Path) -> None:
    path = tmp_path / "profiles.toml"
    for text, mode, warned in (
        ('password = "s"', 0o644, True),
        ('password = "s"', 0o600, False),
        ("password = { ask = true }", 0o644, False),
    ):
        path.write_text(f"[profiles.a]\n{text}\n")
        path.chmod(mode)
        assert bool(load(path, {}).warnings) is warned


# ---------------------------------------------------------------- changes

ENVIRON: Mapping[str, str] = {"N": "7"}


def changed(text: str, make: Callable[[Profiles], str]) -> str:
    return make(read(text, Path("profiles.toml"), ENVIRON))


def saved(name: str, text: str = FILE, **changes: object) -> str:
    """The text after one value of the profile was changed in the form."""
    contents = parsed(text, **ENVIRON).profiles[name].contents
    options = contents.options
    connect = Connect(**{field: changes.get(field, getattr(options.connect, field)) for field in Connect.__dataclass_fields__})  # type: ignore[arg-type]
    given = {field: changes.get(field, getattr(options, field)) for field in type(options).__dataclass_fields__}
    new = type(options)(**given | {"connect": connect})  # type: ignore[arg-type]
    return changed(text, save(name, Contents(new, contents.subscriptions, pending=contents.pending), {}, ENVIRON))


def test_saving_keeps_comments_order_and_variables() -> None:
    after = saved("home", keep_alive=10)
    assert [line for line in after.split("\n") if line not in FILE.split("\n")] == ["keep-alive = 10"]
    assert after.replace("keep-alive = 10\n", "", 1) == FILE
    assert saved("home", keep_alive=30) == FILE


def test_a_changed_value_loses_its_variable_and_keeps_its_comment() -> None:
    text = '[profiles.a]\nhost = "${H:-x}"  # the old one\nkeep-alive = 60\n'
    assert saved("a", text, host="y") == '[profiles.a]\nhost = "y"  # the old one\nkeep-alive = 60\n'


def test_a_url_gives_way_to_what_differs_from_it() -> None:
    after = saved("home", host="other")
    assert "url =" not in after
    assert parsed(after, **ENVIRON).profiles["home"].contents.options.url == "mqtts://other:8884"


def test_another_transport_does_not_change_a_port_that_was_not_written() -> None:
    after = saved("a", '[profiles.a]\nhost = "h"\n', tls=TlsOptions())
    assert parsed(after).profiles["a"].contents.options.url == "mqtts://h:1883"


def test_renaming_follows_every_mention() -> None:
    after = changed(FILE, rename("home", "my house", ENVIRON))
    assert '[profiles."my house"]' in after
    assert '[profiles."my house".tls]' in after
    assert 'default = "my house"   # at the start' in after
    assert 'extends = "my house"' in after
    base = changed(FILE, rename("base", "ground", ENVIRON))
    assert 'password = { keyring = "base/password" }' in base or 'password = {keyring = "base/password"}' in base
    assert parsed(base, **ENVIRON).profiles["home"].contents.pending["password"] == FromKeyring("base/password")


def test_duplicating_and_deleting() -> None:
    twice = changed(FILE, duplicate("home", "copy", ENVIRON))
    assert twice.startswith(FILE.rstrip())
    found = parsed(twice, **ENVIRON).profiles
    assert found["copy"].contents == found["home"].contents
    assert '"mqtts://${HOST:-broker.lan}:8884"' in twice[len(FILE) :]
    without = changed(twice, delete("copy", ENVIRON))
    assert list(parsed(without, **ENVIRON).profiles) == ["base", "home", "other one"]
    with pytest.raises(ConfigError, match="home is extended by other one"):
        changed(FILE, delete("home", ENVIRON))
    gone = changed(changed(FILE, delete("other one", ENVIRON)), delete("home", ENVIRON))
    assert list(parsed(gone).profiles) == ["base"]
    assert "default" not in gone
    assert "# never by itself" in gone


def test_the_default_is_set_and_taken_back() -> None:
    assert changed(FILE, set_default("other one", ENVIRON)) == FILE.replace('default = "home"', 'default = "other one"')
    none = changed(FILE, set_default("", ENVIRON))
    assert parsed(none, **ENVIRON).default == ""
    again = changed(none, set_default("base", ENVIRON))
    assert again.startswith('# mine\ndefault = "base"\n')


def test_names_that_cannot_be(tmp_path: Path) -> None:
    for name in ("home", "", " x", "a\nb", "n" * 61):
        with pytest.raises(ConfigError):
            changed(FILE, duplicate("base", name, ENVIRON))


def test_nothing_is_changed_in_a_file_with_a_mistake(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "profiles.toml"
    change(path, {}, save("new", Contents(parsed(FILE, N="1").profiles["base"].contents.options), {"guard": Guard.ASK}, {}))
    assert path.stat().st_mode & 0o777 == 0o600
    assert load(path, {}).profiles["new"].guard is Guard.ASK
    path.write_text(path.read_text() + "[broken\n")
    before = path.read_text()
    for make in (delete("new", {}), set_default("new", {}), rename("new", "n", {}), save("x", Contents(_any()), {}, {})):
        with pytest.raises(ConfigError, match="the file has a mistake"):
            change(path, {}, make)
    assert path.read_text() == before


def test_a_file_that_is_no_utf_8_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "profiles.toml"
    path.write_bytes('# caf\xe9\n[profiles.mine]\nhost = "h"\n'.encode("latin-1"))
    before = path.read_bytes()
    with pytest.raises(ConfigError, match="cannot be read"):
        change(path, {}, save("new", Contents(_any()), {}, {}))
    assert path.read_bytes() == before


def test_renaming_beside_a_profile_that_is_no_table() -> None:
    text = '[profiles]\nodd = 5\n[profiles.a]\nhost = "h"\n'
    assert changed(text, rename("a", "b", {})) == text.replace("profiles.a", "profiles.b")


def _any() -> ConnectOptions:
    return parsed(FILE, N="1").profiles["base"].contents.options


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "dotfiles.toml", tmp_path / "profiles.toml"
    real.write_text("[profiles.a]\n")
    link.symlink_to(real)
    change(link, {}, set_default("a", {}))
    assert link.is_symlink()
    assert "default" in real.read_text()


def test_asked_is_what_it_says() -> None:
    assert parsed("[profiles.a]\npassword = { ask = true }").profiles["a"].contents.pending == {"password": Asked()}
