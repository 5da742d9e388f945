"""From the command line and the environment to settings."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mqtttui.cli.start import settings_from
from mqtttui.config.errors import ConfigError
from mqtttui.config.options import ConnectOptions, TlsOptions, WebSocketOptions
from mqtttui.config.recording import RecordOptions
from mqtttui.config.settings import Settings
from mqtttui.protocol.enums import PropertyId, Version
from mqtttui.protocol.packets import Connect, Property, Publish, TopicRequest, Will


def settings(*words: str, **environ: str) -> Settings:
    result, warnings = settings_from(words, environ)
    assert warnings == []
    return result


def options(*words: str, **environ: str) -> ConnectOptions:
    found = settings(*words, **environ).options
    assert found is not None
    return found


def test_nothing_given() -> None:
    assert settings() == Settings()
    assert settings("--ascii", "--no-mouse", "--theme", "mine") == Settings(ascii=True, mouse=False, theme="mine")


def test_a_url_connects_and_subscribes_to_nothing() -> None:
    result = settings("mqtts://me:pw@broker")
    assert result.connect_now
    assert result.subscriptions == ()
    assert result.options == ConnectOptions("broker", 8883, TlsOptions(), Connect(username="me", password=b"pw"))


def test_every_part_of_a_connect() -> None:
    found = options(
        *("-h", "::1", "-p", "1999", "-V", "mqttv5", "-i", "dev", "-u", "me", "-P", "-secret", "-k", "0", "-c", "-x", "30"),
        *("--will-topic", "gone", "--will-payload", "bye", "--will-qos", "2", "--will-retain"),
        *("-D", "will", "will-delay-interval", "5", "-D", "connect", "user-property", "k", "v", "-D", "connect", "user-property", "k", "w"),
    )
    assert found.url == "mqtt://[::1]:1999"
    assert found.connect == Connect(
        client_id="dev",
        version=Version.V5,
        clean=False,
        keep_alive=0,
        username="me",
        password=b"-secret",
        will=Will("gone", b"bye", 2, True, (Property(PropertyId.WILL_DELAY_INTERVAL, 5),)),
        properties=(
            Property(PropertyId.USER_PROPERTY, ("k", "v")),
            Property(PropertyId.USER_PROPERTY, ("k", "w")),
            Property(PropertyId.SESSION_EXPIRY_INTERVAL, 30),
        ),
    )


@pytest.mark.parametrize("version", ["3.1", "31", "mqttv31", "MQTTV31"])
def test_mqtt_31_gets_a_client_id(version: str) -> None:
    made = options("h", "-V", version).connect
    assert made.version is Version.V31
    assert 1 <= len(made.client_id) <= 23
    assert options("h", "-V", version, "-i", "").connect.client_id == ""


def test_client_id_prefix() -> None:
    assert options("h", "-I", "pre-").connect.client_id == f"pre-{os.getpid()}"


def test_ways_to_write_an_option() -> None:
    expected = options("-h", "b", "-p", "1999", "-k", "5")
    assert options("--host=b", "--port=1999", "--keepalive=5") == expected
    assert options("-hb", "-p1999", "-k5") == expected
    assert options("-p", "1999", "-k", "5", "--", "b") == expected
    assert options("b:1883", "-p", "1999", "-k", "5") == expected
    assert options("-p", "1999", "-k", "5", "-L", "mqtt://b:1883") == expected


def test_topics_and_message() -> None:
    result = settings("-t", "a/#", "-t", "$SYS/#", "-q", "1", "-V", "5", "-R", "--retain-as-published")
    assert result.options == ConnectOptions(connect=Connect(version=Version.V5))
    assert result.connect_now
    request = TopicRequest("a/#", 1, retain_as_published=True, retain_handling=2)
    assert result.subscriptions == (request, TopicRequest("$SYS/#", 1, retain_as_published=True, retain_handling=2))
    assert settings("mqtt://h/a/%23").subscriptions == (TopicRequest("a/#"),)
    result = settings("h", "-t", "cmd", "-m", "on", "-q", "2", "-r", "-D", "publish", "content-type", "text/plain")
    assert result.publish == Publish("cmd", b"on", 2, True, properties=(Property(PropertyId.CONTENT_TYPE, "text/plain"),))
    assert result.subscriptions == ()
    result = settings("h", "-t", "a", "-D", "subscribe", "subscription-identifier", "7")
    assert result.subscribe_properties == (Property(PropertyId.SUBSCRIPTION_IDENTIFIER, 7),)


def test_bytes_that_are_no_utf8_stay() -> None:
    word = os.fsdecode(b"\xff\xfe")
    assert options("h", "-u", "me", "-P", word).connect.password == b"\xff\xfe"
    assert settings("h", "-t", "a", "-m", word).publish == Publish("a", b"\xff\xfe")


def test_password_files(tmp_path: Path) -> None:
    for name, raw, expected in (
        ("a", b"pw\n", b"pw"),
        ("b", b"pw\r\n", b"pw"),
        ("c", b"p\n\n", b"p\n"),
        ("d", b"\xff", b"\xff"),
        ("e", b"", b""),
    ):
        (tmp_path / name).write_bytes(raw)
        assert options("h", "--password-file", str(tmp_path / name)).connect.password == expected
    (tmp_path / "big").write_bytes(b"x" * 70_000)
    with pytest.raises(ConfigError, match="larger than"):
        settings("h", "--password-file", str(tmp_path / "big"))


def test_tls(tmp_path: Path) -> None:
    files = {name: str(tmp_path / name) for name in ("ca", "cert", "key", "pass")}
    for name in files.values():
        Path(name).write_bytes(b"phrase\n")
    words = ["h", "--cafile", files["ca"], "--cert", files["cert"], "--key", files["key"], "--key-passphrase-file", files["pass"]]
    found = options(*words, "--server-name", "other", "--tls-version", "tlsv1.3", "--insecure")
    assert found.tls == TlsOptions(files["ca"], files["cert"], files["key"], "phrase", "other", "1.3", False)
    assert found.port == 8883
    assert options("h", "-p", "8883").tls == TlsOptions()
    assert options("mqtt://h:8883").tls is None
    assert options("h", "--tls", "-p", "1883").tls == TlsOptions()


def test_reconnect() -> None:
    assert not options("h").reconnect.enabled
    found = options("h", "--reconnect", "--resubscribe").reconnect
    assert found.enabled
    assert found.resubscribe


def test_demo() -> None:
    assert settings("--demo", "--ascii") == Settings(demo=True, ascii=True)
    assert settings("--demo", MQTTTUI_HOST="h", MQTTTUI_PORT="nonsense") == Settings(demo=True)
    assert settings(MQTTTUI_DEMO="1") == Settings(demo=True)
    assert not settings("h", MQTTTUI_DEMO="1").demo


def test_a_recording() -> None:
    assert settings("--record", "f.pcapng") == Settings(record=RecordOptions("f.pcapng"))
    found = settings("h", "--record", "f", "--ring", "10x100M", "--force", "--secrets")
    assert found.record == RecordOptions("f", (10, 100_000_000), force=True, secrets=True)
    assert found.connect_now
    assert settings("--demo", "--record", "-").record == RecordOptions("-")
    assert settings(MQTTTUI_RECORD="f", MQTTTUI_RING="2x1G").record == RecordOptions("f", (2, 1_000_000_000))
    assert settings(MQTTTUI_RING="2x1G").record is None
    assert not settings("--record", "f").connect_now


def test_the_command_line_wins_over_the_environment() -> None:
    env = {"MQTTTUI_HOST": "env", "MQTTTUI_PORT": "1999", "MQTTTUI_USERNAME": "me", "MQTTTUI_PASSWORD": "pw", "MQTTTUI_TOPIC": "a\nb"}
    found = settings(**env)
    assert found.connect_now
    assert found.options == ConnectOptions("env", 1999, connect=Connect(username="me", password=b"pw"))
    assert [request.filter for request in found.subscriptions] == ["a", "b"]
    assert options("-h", "cmd", **env).url == "mqtt://cmd:1999"
    assert options("mqtt://cmd", **env).url == "mqtt://cmd:1883"
    assert options("mqtt://cmd", **env).connect.username == "me"
    assert [request.filter for request in settings("-t", "c", **env).subscriptions] == ["c"]


def test_credentials_of_a_url_in_the_environment_are_for_its_broker_alone() -> None:
    env = {"MQTTTUI_URL": "mqtts://me:pw@prod:9/a"}
    assert options(**env).url == "mqtts://prod:9"
    assert options(**env).connect.password == b"pw"
    for words in (("-h", "other"), ("mqtt://other",), ("-L", "other")):
        found = settings(*words, **env)
        assert found.options == ConnectOptions("other")
        assert found.subscriptions == ()


def test_variables_that_name_no_broker_only_fill_the_form() -> None:
    found = settings(MQTTTUI_USERNAME="me", MQTTTUI_INSECURE="1", MQTTTUI_SESSION_EXPIRY="5")
    assert found.options == ConnectOptions(connect=Connect(username="me"))
    assert not found.connect_now


@pytest.mark.parametrize(
    ("words", "said", "remedy"),
    [
        (["--hots", "x"], "--hots: mqtttui has no such option", "did you mean --host?"),
        (["-Z"], "-Z: mqtttui has no such option", "--help"),
        (["h", "-p"], "-p needs a value", "-p PORT"),
        (["h", "-p", "0"], "-p: '0' is no port", "1 to 65535"),
        (["h", "--ascii=1"], "--ascii takes no value", "alone"),
        (["h", "-h", "--ascii"], "-h needs a value", "-h=VALUE"),
        (["h", "x"], "'x' is one URL too many", "-t"),
        (["h", "-h", "x"], "-h says that already", "once"),
        (["h", "-P", "a", "--password-file", "b"], "-P says that already", "once"),
        (["--ring", "2x1M"], "no effect: --ring", "leave it out"),
        (["h", "--secrets"], "no effect: --secrets", "leave it out"),
        (["--record", "f", "--ring", "1x1M"], "fewer than 2 files", "10x100M"),
        (["--record", "-", "--ring", "2x1M"], "standard output is no file", "--ring"),
        (["--demo", "h"], "URL: --demo", "leave out URL or --demo"),
        (["--demo", "-k", "5"], "-k: --demo", "leave out -k or --demo"),
        (["h", "-k", "-1"], "-k: '-1' does not fit", "0 to 65535"),
        (["h", "-q", "3"], "-q: '3' does not fit", "0, 1 or 2"),
        (["h", "-V", "6"], "-V: '6' is no MQTT version", "3.1, 3.1.1 or 5"),
        (["h", "-x", "5"], "no effect: -x", "leave it out"),
        (["h", "-r"], "no effect: -r", "leave it out"),
        (["h", "--insecure"], "no effect: --insecure", "leave it out"),
        (["h", "-c"], "-c: a session that continues", "-i NAME"),
        (["h", "-m", "x"], "no topic", "-t TOPIC"),
        (["h", "-m", "x", "-n"], "-m says that already", "one payload"),
        (["h", "--cafile", "/nowhere/ca.pem"], "--cafile: there is no file '/nowhere/ca.pem'", "PEM"),
        (["h", "--password-file", "/nowhere/pw"], "--password-file: '/nowhere/pw' is no file", "exists"),
        (["h", "--tls", "--key", "/nowhere"], "--key: a key needs its certificate", "--cert"),
        (["quic://h"], "URL: quic:// is not supported", "mqtt://"),
        (["h", "--ws-path", "/x"], "no effect: --ws-path", "leave it out"),
        (["ws://h", "--ws-path", "x"], "--ws-path: the path of a WebSocket begins with /", "/mqtt"),
        (["ws://h", "--ws-header", "hidden"], "--ws-header: this is no header of HTTP", "Authorization"),
        (["ws://h", "--ws-header", "Upgrade: x"], "--ws-header: the upgrade writes the header Upgrade itself", "leave it out"),
        (["ws://h", "--ws-header", "X: a\r\nY: hidden"], "--ws-header: the value of X has characters", "ASCII"),
        (["ws://h", "--ws-protocol", "a b"], "--ws-protocol: 'a b' is no name", "mqtt"),
        (["--unix", "/x", "--tls"], "a Unix socket does not go together with TLS", "leave one"),
        (["--unix", "/x", "--ws"], "a Unix socket does not go together with WebSocket", "leave one"),
        (["--unix", "/x", "-p", "1"], "a Unix socket does not go together with a host or port", "leave one"),
        (["unix:///x", "--unix", "/y"], "URL: --unix says that already", "once"),
        (["h", "-u\x1b[31m", "-Z\x1b[31m"], r"-Z: mqtttui", "--help"),
        (["\x1b]0;x\x07"], r"\x1b", "name or an address"),
    ],
)
def test_a_bad_value_names_the_option_and_the_remedy(words: list[str], said: str, remedy: str) -> None:
    with pytest.raises(ConfigError) as caught:
        settings_from(words, {})
    assert said in caught.value.title
    assert remedy in caught.value.hint
    assert str(caught.value).isprintable()


def test_the_ways_to_a_broker() -> None:
    words = ["wss://h/a?b", "--ws-path", "/c", "--ws-header", "X-A: 1", "--ws-header", "X-B:2", "--ws-protocol", "mqttv3.1"]
    options = settings_from(words, {})[0].options
    assert options is not None
    assert options.websocket == WebSocketOptions("/c", "mqttv3.1", (("X-A", "1"), ("X-B", "2")))
    for words, url in (
        (["h", "--ws"], "ws://h:80/mqtt"),
        (["-h", "h", "--ws", "--tls"], "wss://h:443/mqtt"),
        (["h:8883", "--ws"], "wss://h:8883/mqtt"),
        (["--unix", "/run/m.sock"], "mqtt+unix:///run/m.sock"),
    ):
        settings = settings_from(words, {})[0]
        assert settings.options is not None
        assert (settings.options.url, settings.connect_now) == (url, True)


def test_the_way_of_the_environment_gives_way_to_that_of_the_command_line() -> None:
    environment = {"MQTTTUI_UNIX": "/run/m.sock"}
    for words, url in (([], "mqtt+unix:///run/m.sock"), (["h"], "mqtt://h:1883"), (["-h", "h"], "mqtt://h:1883")):
        settings = settings_from(words, environment)[0]
        assert settings.options is not None
        assert settings.options.url == url
    web = {"MQTTTUI_HOST": "env", "MQTTTUI_WS": "1", "MQTTTUI_WS_HEADER": "X-A: 1\nX-B: 2", "MQTTTUI_WS_PATH": "/p"}
    options = settings_from([], web)[0].options
    assert options is not None
    assert options.websocket == WebSocketOptions("/p", headers=(("X-A", "1"), ("X-B", "2")))
    options = settings_from(["--unix", "/x"], {"MQTTTUI_HOST": "env", "MQTTTUI_PORT": "5"})[0].options
    assert options is not None
    assert options.url == "mqtt+unix:///x"
