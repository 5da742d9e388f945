"""MQTTX's export file, in its own words: what is taken over, and what is said to be lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mqtttui.config.errors import ConfigError
from mqtttui.config.guard import Guard
from mqtttui.config.mqttx import read_mqttx
from mqtttui.config.options import ReconnectOptions, TlsOptions, WebSocketOptions
from mqtttui.config.profile_export import NoCommand, exported, mosquitto_command
from mqtttui.config.profile_import import free_name, imported
from mqtttui.config.profiles import read
from mqtttui.config.secrets import Asked, FromEnvironment
from mqtttui.protocol.enums import PropertyId, Version
from mqtttui.protocol.packets import Property, TopicRequest, Will

RECORD = {
    "id": "c1",
    "clientId": "mqttx_1",
    "name": "Lamp",
    "clean": False,
    "protocol": "wss",
    "host": "lamp.lan",
    "port": 8084,
    "keepalive": 30,
    "connectTimeout": 5,
    "reconnect": True,
    "reconnectPeriod": 4000,
    "username": "me",
    "password": "hunter22",
    "path": "/mqtt",
    "certType": "self",
    "ssl": True,
    "mqttVersion": "5.0",
    "rejectUnauthorized": False,
    "ca": "/pki/ca.pem",
    "cert": "",
    "key": "",
    "clientIdWithTime": False,
    "parentId": "g1",
    "isCollection": False,
    "properties": {
        "sessionExpiryInterval": 60,
        "receiveMaximum": None,
        "requestProblemInformation": True,
        "userProperties": {"a": ["1", "2"]},
        "authenticationData": {"type": "Buffer", "data": [0, 255]},
    },
    "will": {
        "lastWillTopic": "gone",
        "lastWillPayload": "bye",
        "lastWillQos": 1,
        "lastWillRetain": True,
        "properties": {"willDelayInterval": 5, "contentType": ""},
    },
    "subscriptions": [
        {"topic": "t/#", "qos": 1, "nl": True, "rap": False, "rh": 2, "color": "#fff"},
        {"topic": "off", "qos": 0, "disabled": True},
    ],
    "messages": [{"topic": "t", "payload": "x"}],
}
GROUP = {"id": "g1", "name": "House", "isCollection": True, "orderId": 0, "parentId": None}


WRONG = [("port", 0), ("protocol", "x"), ("host", "")]


def put(tmp_path: Path, data: object) -> str:
    path = tmp_path / "data.json"
    path.write_text(json.dumps(data))
    return str(path)


def test_a_connection_of_mqttx(tmp_path: Path) -> None:
    (lamp,) = imported(put(tmp_path, [GROUP, RECORD]))
    options, connect = lamp.contents.options, lamp.contents.options.connect
    assert (lamp.name, lamp.group) == ("Lamp", "House")
    assert (options.url, options.dial_timeout) == ("wss://lamp.lan:8084/mqtt", 5.0)
    assert options.tls == TlsOptions("/pki/ca.pem", verify=False)
    assert options.websocket == WebSocketOptions("/mqtt")
    assert options.reconnect == ReconnectOptions(True, 4.0)
    assert (connect.client_id, connect.version, connect.clean, connect.keep_alive) == ("mqttx_1", Version.V5, False, 30)
    assert (connect.username, connect.password) == ("me", b"hunter22")
    assert set(connect.properties) == {
        Property(PropertyId.SESSION_EXPIRY_INTERVAL, 60),
        Property(PropertyId.REQUEST_PROBLEM_INFORMATION, 1),
        Property(PropertyId.USER_PROPERTY, ("a", "1")),
        Property(PropertyId.USER_PROPERTY, ("a", "2")),
        Property(PropertyId.AUTHENTICATION_DATA, b"\x00\xff"),
    }
    assert connect.will == Will("gone", b"bye", 1, True, (Property(PropertyId.WILL_DELAY_INTERVAL, 5),))
    assert lamp.contents.subscriptions == (TopicRequest("t/#", 1, no_local=True, retain_handling=2),)
    assert lamp.remarks == ("Lamp: 1 messages of its history", "Lamp: the disabled subscription off")


def test_several_connections_and_a_single_one(tmp_path: Path) -> None:
    assert [each.name for each in imported(put(tmp_path, [RECORD, {**RECORD, "name": "Two"}]))] == ["Lamp", "Two"]
    assert [each.name for each in imported(put(tmp_path, RECORD))] == ["Lamp"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"clientIdWithTime": True}, "the time behind the client id"),
        ({"mqttVersion": "6.0"}, "the MQTT version 6.0; 3.1.1 is taken"),
        ({"ca": "-----BEGIN CERTIFICATE-----"}, "the ca that stands in the file itself"),
        ({"properties": {"receiveMaximum": 99999}}, "the property receiveMaximum"),
    ],
)
def test_what_is_lost_is_said(tmp_path: Path, changes: dict[str, object], words: str) -> None:
    (lamp,) = imported(put(tmp_path, {**RECORD, **changes}))
    assert any(words in remark for remark in lamp.remarks)


@pytest.mark.parametrize("data", [[], {}, [1], {"a": 1}, [GROUP], *({**RECORD, key: wrong} for key, wrong in WRONG)])
def test_what_is_no_export_is_refused(tmp_path: Path, data: object) -> None:
    with pytest.raises(ConfigError):
        imported(put(tmp_path, data))


def test_urls_commands_and_profiles_are_imported_too(tmp_path: Path) -> None:
    (url,) = imported("mqtts://broker.lan")
    assert (url.name, url.contents.options.port) == ("broker.lan", 8883)
    (command,) = imported("mosquitto_sub -h h.lan -t 't/#' -q 1 -F %p")
    assert command.contents.subscriptions == (TopicRequest("t/#", 1),)
    assert command.remarks == ("-F %p",)
    path = tmp_path / "theirs.toml"
    path.write_text('[profiles.x]\nlabel = "L"\nguard = "ask"\nhost = "h"\n')
    (profile,) = imported(str(path))
    assert (profile.name, profile.label, profile.guard) == ("x", "L", Guard.ASK)
    assert free_name("x", {"x", "x 2"}) == "x 3"
    assert free_name("\x1b[31m", ()) == "\\x1b[31m"


# ---------------------------------------------------------------- export


@pytest.mark.parametrize("field", ["password", "clientId", "name", "path"])
def test_text_that_is_no_unicode_is_said(field: str) -> None:
    with pytest.raises(ConfigError, match="no Unicode"):
        read_mqttx(json.loads(json.dumps([RECORD | {field: "\ud800"}])))


def test_values_of_other_kinds_than_mqttx_writes() -> None:
    odd = RECORD | {
        "messages": 5,
        "subscriptions": [{"topic": "t", "qos": 1.0, "rh": True}],
        "will": {"lastWillTopic": "t", "lastWillQos": 1.0},
    }
    (found,) = read_mqttx([odd, {"isCollection": True, "id": [1], "name": None}])
    assert found.contents.subscriptions == (TopicRequest("t", 0),)
    assert found.contents.options.connect.will == Will("t", b"")


THEIRS = """\
[profiles.base]
username = "me"
password = "hunter22"
[profiles.house]
extends = "base"
url = "wss://h.lan/mqtt?token=hunter22"
version = 5
properties = [["authentication-method", "X"], ["authentication-data", "hunter22"]]
websocket.headers = [["Authorization", "Bearer hunter22"], ["X-Id", "7"]]
tls.key-passphrase = { env = "KEY" }
[profiles.plain]
host = "h.lan"
port = 8883
transport = "tls"
client-id = "dev 7"
username = "me"
password = { keyring = true }
keep-alive = 10
clean = false
subscriptions = ["a b/#"]
will = { topic = "gone", payload = "bye", qos = 1 }
"""


def test_an_export_has_no_secret_and_needs_no_other_profile() -> None:
    found = read(THEIRS, Path("profiles.toml"), {})
    assert found.problems == ()
    text = exported(found.profiles.values())
    assert "hunter22" not in text
    again = read(text, Path("shared.toml"), {}).profiles
    pending = again["house"].contents.pending
    assert pending.pop("tls.key-passphrase") == FromEnvironment("KEY")  # type: ignore[attr-defined]
    assert set(pending) == {"password", "authentication-data", "websocket.query", "header:authorization"}
    assert set(pending.values()) == {Asked()}
    assert again["house"].contents.options.websocket == WebSocketOptions("/mqtt", headers=(("Authorization", ""), ("X-Id", "7")))


def test_the_same_as_a_command_of_mosquitto() -> None:
    found = read(THEIRS, Path("profiles.toml"), {}).profiles
    assert mosquitto_command(found["plain"].contents) == (
        "mosquitto_sub -h h.lan -p 8883 --tls-use-os-certs -i 'dev 7' -c -k 10 -u me -P \"$MQTT_PASSWORD\" "
        "--will-topic gone --will-qos 1 --will-payload bye -t 'a b/#' -v"
    )
    with pytest.raises(NoCommand, match="WebSocket"):
        mosquitto_command(found["house"].contents)
