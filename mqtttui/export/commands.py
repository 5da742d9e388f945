"""What does the same as a packet, outside of this program: a command of mosquitto's clients, or a few lines of Python.

Rules:
1. Broker, way to it, version and user name are those of the connection. Passwords are variables, `$MQTT_PASSWORD` and
   `$MQTT_PROXY_PASSWORD`. Client id, will and session stay out: the same client id would throw off the client that the packet
   comes from.
2. A received message is sent as one's own would be: without subscription identifiers and with its topic in place of an alias.
   DUP and the packet identifier are for the client to choose.
3. None where it cannot be done: other packets, malformed ones, what mosquitto's clients cannot be told; `why_not` has the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from urllib.parse import urlsplit

from mqtttui.capture.records import ConnectionInfo
from mqtttui.export.shell_words import printf_word, shell_word
from mqtttui.protocol.enums import Direction, PropertyId, Version
from mqtttui.protocol.fields import Dissection
from mqtttui.protocol.packets import Connect, Properties, Property, Publish, Subscribe, Text, TopicRequest
from mqtttui.protocol.parse import parse
from mqtttui.protocol.properties import PROPERTIES, Kind

PASSWORD = "MQTT_PASSWORD"
PROXY_PASSWORD = "$MQTT_PROXY_PASSWORD"
"""Stands in the URL of a proxy, all else in which is escaped."""
PAYLOAD_FILE = "payload.bin"
MAX_INLINE = 65_536
"""Bytes of a payload that stand in the command itself; a larger one is read from `PAYLOAD_FILE`."""

_VERSIONS = {Version.V31: "mqttv31", Version.V311: "mqttv311", Version.V5: "mqttv5"}
_PAHO_VERSIONS = {Version.V31: "MQTTv31", Version.V311: "MQTTv311", Version.V5: "MQTTv5"}
_SPOKEN = ("", "tcp", "tls", "exported")
_REFUSED = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
"""What mosquitto's clients refuse in a string."""


@dataclass(frozen=True, slots=True)
class _Broker:
    """Where to connect, and as whom."""

    host: str
    port: int
    tls: bool
    version: Version
    username: Text | None
    password: bool
    way: tuple[str, ...] = ()
    """Options for mosquitto's clients in place of host, port and TLS."""


class _Impossible(Exception):
    """It cannot be said."""


def mosquitto_command(dissection: Dissection, info: ConnectionInfo, connect: Dissection | None = None) -> str | None:
    """The command of mosquitto_pub or mosquitto_sub; `connect` is the CONNECT of the connection, if it is known.

    Filters of a SUBSCRIBE with different options become several commands, one a line.
    """
    broker, packet = _broker(dissection, info, connect), _packet(dissection)
    if broker is None or packet is None or info.no_way or (info.transport not in _SPOKEN and not broker.way):
        return None
    try:
        if isinstance(packet, Publish):
            return _mosquitto_pub(broker, packet)
        groups = groupby(sorted(packet.requests, key=_options), key=_options)
        return "\n".join(_mosquitto_sub(broker, list(requests), packet.properties) for _, requests in groups)
    except _Impossible:
        return None


def why_not(dissection: Dissection, info: ConnectionInfo) -> str:
    """Why there is no command of mosquitto's clients for a packet that could have one, if the way to the broker is the reason."""
    if _packet(dissection) is None:
        return ""
    return info.no_way or ("mosquitto's clients speak no WebSocket" if info.transport in ("ws", "wss") else "")


def python_snippet(dissection: Dissection, info: ConnectionInfo, connect: Dissection | None = None) -> str | None:
    """A Python program with paho-mqtt 2; `connect` as above."""
    broker, packet = _broker(dissection, info, connect), _packet(dissection)
    if broker is None or packet is None or info.transport not in _SPOKEN:
        return None
    try:
        return _snippet(broker, packet)
    except _Impossible:
        return None


def _packet(dissection: Dissection) -> Publish | Subscribe | None:
    """The packet as a client would send it."""
    packet = parse(dissection.raw, dissection.version, dissection.context.direction)
    if isinstance(packet, Subscribe):
        return packet if packet.requests else None
    if not isinstance(packet, Publish):
        return None
    received = dissection.context.direction is Direction.S2C
    topic: Text = packet.topic or dissection.context.resolved_topic or b""
    dropped = {PropertyId.SUBSCRIPTION_IDENTIFIER} if received else set()
    if received or not packet.topic:
        dropped.add(PropertyId.TOPIC_ALIAS)
    properties = tuple(item for item in packet.properties if item.id not in dropped)
    return Publish(topic, packet.payload, packet.qos, packet.retain, properties=properties) if topic else None


def _broker(dissection: Dissection, info: ConnectionInfo, connect: Dissection | None) -> _Broker | None:
    if info.transport in ("ws", "wss"):
        return None
    host, port = _place(info.name if "://" in info.name else f"//{info.destination}")
    tls = info.transport == "tls"
    sent = parse(connect.raw, connect.version) if connect is not None else None
    known = sent if isinstance(sent, Connect) else Connect()
    password = known.password is not None
    return _Broker(host or "localhost", port or (8883 if tls else 1883), tls, dissection.version, known.username, password, info.way)


def _place(url: str) -> tuple[str, int | None]:
    try:
        parts = urlsplit(url)
        return parts.hostname or "", parts.port
    except ValueError:
        return "", None


# mosquitto's clients


def _mosquitto_pub(broker: _Broker, packet: Publish) -> str:
    topic = _raw(packet.topic)
    if b"+" in topic or b"#" in topic:
        raise _Impossible
    words = [*_mosquitto(broker, "mosquitto_pub"), "-t", _string(topic)]
    if packet.qos:
        words += ["-q", str(packet.qos)]
    if packet.retain:
        words.append("-r")
    words += _properties("publish", packet.properties)
    payload = packet.payload
    if not payload:
        return " ".join([*words, "-n"])
    if len(payload) > MAX_INLINE:
        return " ".join([*words, "-f", PAYLOAD_FILE])
    word = shell_word(payload)
    if word is None:
        return f"printf {printf_word(payload)} | {' '.join([*words, '-s'])}"
    return " ".join([*words, "-m", word])


def _mosquitto_sub(broker: _Broker, requests: list[TopicRequest], properties: Properties) -> str:
    words = _mosquitto(broker, "mosquitto_sub")
    for request in requests:
        words += ["-t", _string(_raw(request.filter))]
    options = requests[0]
    if options.no_local or options.retain_handling == 1 or options.reserved or options.qos > 2:
        raise _Impossible
    if options.qos:
        words += ["-q", str(options.qos)]
    if options.retain_as_published:
        words.append("--retain-as-published")
    if options.retain_handling == 2:
        words.append("-R")
    return " ".join([*words, *_properties("subscribe", properties), "-v"])


def _options(request: TopicRequest) -> tuple[int, bool, bool, int, int]:
    return request.qos, request.no_local, request.retain_as_published, request.retain_handling, request.reserved


def _mosquitto(broker: _Broker, program: str) -> list[str]:
    if broker.way:
        words = [program, *(_way_word(word, before) for before, word in zip(("", *broker.way), broker.way, strict=False))]
    else:
        words = [program, "-h", _string(broker.host.encode()), "-p", str(broker.port), *(["--tls-use-os-certs"] if broker.tls else [])]
    if broker.version is not Version.V311:
        words += ["-V", _VERSIONS[broker.version]]
    if broker.username is not None:
        words += ["-u", _string(_raw(broker.username))]
        if broker.password:
            words += ["-P", f'"${PASSWORD}"']
    return words


def _way_word(word: str, option: str) -> str:
    """A word of the way to the broker; only the password in the address of a proxy is for the shell to put in."""
    login, password, place = word.partition(f"{PROXY_PASSWORD}@") if option == "--proxy" else (word, "", "")
    return f'{_string(_raw(login))}"{PROXY_PASSWORD}"{_string(_raw(f"@{place}"))}' if password else _string(_raw(word))


def _properties(command: str, properties: Iterable[Property]) -> list[str]:
    words = []
    for item in properties:
        spec = PROPERTIES[item.id]
        values = item.value if isinstance(item.value, tuple) else (item.value,)
        words += ["-D", command, spec.name.lower().replace(" ", "-")]
        words += [str(value) if isinstance(value, int) else _string(_raw(value), binary=spec.kind is Kind.BINARY) for value in values]
    return words


def _string(raw: bytes, *, binary: bool = False) -> str:
    """A word for what mosquitto takes for a UTF-8 string, or (`binary`) as it is."""
    word = shell_word(raw)
    if word is None or (not binary and _REFUSED.search(raw.decode("utf-8", "surrogateescape"))):
        raise _Impossible
    return word


def _raw(text: Text) -> bytes:
    return text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text


# paho-mqtt


def _snippet(broker: _Broker, packet: Publish | Subscribe) -> str:
    v5 = broker.version is Version.V5
    lines = ["import paho.mqtt.client as mqtt  # pip install 'paho-mqtt>=2'"]
    if broker.username is not None and broker.password:
        lines.insert(0, "import os\n")
    kind = "PUBLISH" if isinstance(packet, Publish) else "SUBSCRIBE"
    if v5 and packet.properties:
        lines += ["from paho.mqtt.packettypes import PacketTypes", "from paho.mqtt.properties import Properties"]
    if v5 and isinstance(packet, Subscribe):
        lines.append("from paho.mqtt.subscribeoptions import SubscribeOptions")
    extra = ""
    if v5 and packet.properties:
        lines += ["", *_paho_properties(kind, packet.properties)]
        extra = ", properties=properties"
    refused = ["    if reason.is_failure:", '        raise SystemExit(f"refused: {reason}")']
    lines += ["", "", "def connected(client, userdata, flags, reason, _):", *refused]
    if isinstance(packet, Publish):
        large = len(packet.payload) > MAX_INLINE
        payload = f'open("{PAYLOAD_FILE}", "rb").read()' if large else repr(packet.payload)
        lines.append(f"    client.publish({_literal(packet.topic)}, {payload}, qos={packet.qos}, retain={packet.retain}{extra})")
        lines += ["", "", "def published(client, userdata, identifier, reason, _):", *refused, "    client.disconnect()"]
        callback = "client.on_publish = published"
    else:
        lines.append(f"    client.subscribe([{', '.join(_paho_request(request, v5) for request in packet.requests)}]{extra})")
        lines += ["", "", "def received(client, userdata, message):", "    print(message.topic, message.payload)"]
        callback = "client.on_message = received"
    lines += ["", "", f"client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.{_PAHO_VERSIONS[broker.version]})"]
    if broker.username is not None:
        password = f', os.environ["{PASSWORD}"]' if broker.password else ""
        lines.append(f"client.username_pw_set({_literal(broker.username)}{password})")
    if broker.tls:
        lines.append("client.tls_set()")
    lines += ["client.on_connect = connected", callback, f"client.connect({broker.host!a}, {broker.port})", "client.loop_forever()", ""]
    return "\n".join(lines)


def _paho_properties(kind: str, properties: Iterable[Property]) -> list[str]:
    lines = [f"properties = Properties(PacketTypes.{kind})"]
    repeated: dict[str, list[str]] = {}
    for item in properties:
        name = PROPERTIES[item.id].name.replace(" ", "")
        if isinstance(item.value, tuple):
            repeated.setdefault(name, []).append(f"({', '.join(_literal(part) for part in item.value)})")
        else:
            binary = item.id == PropertyId.CORRELATION_DATA
            value = item.value if isinstance(item.value, int) else None
            shown = str(value) if value is not None else repr(item.value) if binary else _literal(_text_of(item.value))
            lines.append(f"properties.{name} = {shown}")
    return lines + [f"properties.{name} = [{', '.join(values)}]" for name, values in repeated.items()]


def _paho_request(request: TopicRequest, v5: bool) -> str:
    if not v5:
        return f"({_literal(request.filter)}, {request.qos})"
    options = [f"qos={request.qos}"]
    if request.no_local:
        options.append("noLocal=True")
    if request.retain_as_published:
        options.append("retainAsPublished=True")
    if request.retain_handling:
        options.append(f"retainHandling={request.retain_handling}")
    return f"({_literal(request.filter)}, SubscribeOptions({', '.join(options)}))"


def _text_of(value: object) -> Text:
    if isinstance(value, str | bytes):
        return value
    raise _Impossible


def _literal(text: Text) -> str:
    """A string of Python's, in ASCII; paho takes no other bytes than UTF-8."""
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError:
            raise _Impossible from None
    return ascii(text)
