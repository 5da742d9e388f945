"""MQTTX's export file: its connections as JSON, an array of them or a single one, in groups since 1.8.

The keys are those of MQTTX's own record (`clientId`, `mqttVersion`, `will.lastWillTopic` …). What has no place here is said.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mqtttui.config.errors import ConfigError
from mqtttui.config.guard import Guard
from mqtttui.config.options import ConnectOptions, ReconnectOptions, TlsOptions, WebSocketOptions
from mqtttui.config.profile_fields import Contents
from mqtttui.config.properties import BY_NAME, LARGEST
from mqtttui.config.tls import parse_alpn
from mqtttui.config.transports import parse_target
from mqtttui.config.urls import parse_host
from mqtttui.protocol.enums import PacketType, PropertyId, Version
from mqtttui.protocol.packets import Connect, Properties, Property, TopicRequest, Will
from mqtttui.protocol.properties import WILL, Kind
from mqtttui.text import shorten, visible

_VERSIONS = {"3.1": Version.V31, "3.1.1": Version.V311, "5.0": Version.V5, "5": Version.V5}
_RECONNECT_SECONDS = 4.0
"""MQTTX's own, where the file says nothing."""


@dataclass(frozen=True, slots=True)
class Imported:
    """One connection of another program."""

    name: str
    contents: Contents
    group: str = ""
    remarks: tuple[str, ...] = ()
    """What could not be taken over; visible text."""
    label: str = ""
    guard: Guard = Guard.NONE


def looks_like_mqttx(data: Any) -> bool:
    """Whether parsed JSON is such a file."""
    first = data[0] if isinstance(data, list) and data else data
    return isinstance(first, dict) and ("clientId" in first or first.get("isCollection") is True or "mqttVersion" in first)


def read_mqttx(data: Any) -> list[Imported]:
    """The connections of a file. Raises ConfigError if there are none that can be read."""
    _check_texts(data)
    records = [each for each in (data if isinstance(data, list) else [data]) if isinstance(each, dict)]
    groups = {str(each["id"]): _text(each, "name") for each in records if each.get("isCollection") is True and "id" in each}
    found = [_connection(each, groups) for each in records if each.get("isCollection") is not True]
    if not found:
        raise ConfigError("this file of MQTTX has no connections", hint="export them in MQTTX again")
    return found


def _connection(record: Mapping[str, Any], groups: Mapping[str, str]) -> Imported:
    name = _text(record, "name") or _text(record, "host") or "imported"
    reader = _Reader(record, shorten(visible(name), 40))
    options = reader.options()
    return Imported(name, Contents(options, reader.subscriptions()), groups.get(str(record.get("parentId")), ""), tuple(reader.remarks))


class _Reader:
    """One record."""

    def __init__(self, record: Mapping[str, Any], name: str) -> None:
        self._record = record
        self._name = name
        self.remarks: list[str] = []

    def options(self) -> ConnectOptions:
        """The connection. Raises ConfigError for a record without a usable place."""
        record = self._record
        protocol = _text(record, "protocol") or ("mqtts" if record.get("ssl") else "mqtt")
        port = record.get("port")
        if not isinstance(port, int) or not 0 < port < 65_536 or protocol not in ("mqtt", "mqtts", "ws", "wss"):
            raise ConfigError(f"{self._name}: there is no usable protocol and port", hint="mend it in MQTTX, and export again")
        tls = protocol in ("mqtts", "wss") or record.get("ssl") is True
        seconds = record.get("connectTimeout")
        timeout = float(seconds) if isinstance(seconds, int | float) and 0 < seconds < 1e6 else 10.0
        if record.get("clientIdWithTime") is True:
            self._lost("the time behind the client id")
        if record.get("reconnectPeriod") not in (None, 4000):
            self._lost("the period of reconnecting")
        if isinstance(messages := record.get("messages"), list) and messages:
            self._lost(f"{len(messages):,} messages of its history")
        return ConnectOptions(
            host=parse_host(_text(record, "host")),
            port=port,
            tls=self._tls() if tls else None,
            connect=self._connect(),
            dial_timeout=timeout,
            connack_timeout=timeout,
            reconnect=ReconnectOptions(record.get("reconnect") is True, _RECONNECT_SECONDS, resubscribe=record.get("resubscribe") is True),
            websocket=self._websocket() if protocol in ("ws", "wss") else None,
        )

    def subscriptions(self) -> tuple[TopicRequest, ...]:
        """What it subscribes to."""
        out = []
        for each in self._list("subscriptions"):
            topic = each.get("topic")
            if not isinstance(topic, str) or not topic:
                continue
            if each.get("disabled") is True:
                self._lost(f"the disabled subscription {shorten(visible(topic), 40)}")
                continue
            if each.get("subscriptionIdentifier") is not None:
                self._lost(f"the subscription identifier of {shorten(visible(topic), 40)}")
            nl, rap = each.get("nl") is True, each.get("rap") is True
            out.append(TopicRequest(topic, _to_two(each, "qos"), nl, rap, _to_two(each, "rh")))
        return tuple(out)

    def _connect(self) -> Connect:
        record = self._record
        version = _VERSIONS.get(str(record.get("mqttVersion", "3.1.1")))
        if version is None:
            self._lost(f"the MQTT version {shorten(visible(str(record.get('mqttVersion'))), 20)}; 3.1.1 is taken")
        used = version or Version.V311
        v5 = used is Version.V5
        keep_alive = record.get("keepalive")
        password = _text(record, "password")
        return Connect(
            client_id=_text(record, "clientId"),
            version=used,
            clean=record.get("clean") is not False,
            keep_alive=keep_alive if isinstance(keep_alive, int) and 0 <= keep_alive <= 65_535 else 60,
            username=_text(record, "username") or None,
            password=password.encode("utf-8", "surrogateescape") if password else None,
            will=self._will(v5),
            properties=self._properties(record.get("properties") or record, PacketType.CONNECT) if v5 else (),
        )

    def _will(self, v5: bool) -> Will | None:
        given = self._record.get("will")
        if not isinstance(given, dict) or not _text(given, "lastWillTopic"):
            return None
        items = self._properties(given.get("properties") or given, WILL) if v5 else ()
        payload = _text(given, "lastWillPayload").encode("utf-8", "surrogateescape")
        return Will(_text(given, "lastWillTopic"), payload, _to_two(given, "lastWillQos"), given.get("lastWillRetain") is True, items)

    def _tls(self) -> TlsOptions:
        record = self._record
        own = _text(record, "certType") == "self"
        alpn: tuple[str, ...] = ()
        try:
            alpn = parse_alpn(_text(record, "ALPNProtocols"))
        except ConfigError:
            self._lost("its ALPN protocols")
        files = {key: _text(record, key) if own else "" for key in ("ca", "cert", "key")}
        for key, value in files.items():
            if "-----BEGIN" in value:
                self._lost(f"the {key} that stands in the file itself; save it as a PEM file and name that")
                files[key] = ""
        return TlsOptions(files["ca"], files["cert"], files["key"], verify=record.get("rejectUnauthorized") is not False, alpn=alpn)

    def _websocket(self) -> WebSocketOptions:
        path = _text(self._record, "path")
        headers = self._record.get("headers") or self._record.get("wsHeaders")
        if headers:
            self._lost("headers of the WebSocket")
        return WebSocketOptions(parse_target(path if path.startswith("/") else f"/{path}"))

    def _properties(self, given: Any, place: int) -> Properties:
        out: list[Property] = []
        for spec in BY_NAME.values():
            words = spec.name.split()
            key = "userProperties" if spec.id == PropertyId.USER_PROPERTY else words[0].lower() + "".join(words[1:])
            value = given.get(key) if isinstance(given, dict) and place in spec.packets else None
            if value is None or value == "":
                continue
            out += self._property(spec.id, spec.kind, key, value)
        return tuple(out)

    def _property(self, identifier: int, kind: Kind, key: str, value: Any) -> list[Property]:
        match kind, value:
            case Kind.PAIR, dict():
                pairs = [(name, each) for name, given in value.items() for each in (given if isinstance(given, list) else [given])]
                return [Property(identifier, (name, each)) for name, each in pairs if isinstance(each, str)]
            case Kind.STRING, str():
                return [Property(identifier, value)]
            case Kind.BINARY, str():
                return [Property(identifier, value.encode("utf-8", "surrogateescape"))]
            case Kind.BINARY, {"type": "Buffer", "data": list(data)} if all(isinstance(each, int) and 0 <= each < 256 for each in data):
                return [Property(identifier, bytes(data))]
            case ((Kind.BYTE | Kind.UINT16 | Kind.UINT32 | Kind.VARIABLE), int()) if 0 <= int(value) <= LARGEST[kind]:
                return [Property(identifier, int(value))]
            case _:
                self._lost(f"the property {key}")
                return []

    def _list(self, key: str) -> list[Mapping[str, Any]]:
        given = self._record.get(key)
        return [each for each in given if isinstance(each, dict)] if isinstance(given, list) else []

    def _lost(self, what: str) -> None:
        self.remarks.append(f"{self._name}: {what}")


def _check_texts(data: Any) -> None:
    """Raises ConfigError for half a surrogate pair, which JSON can write and UTF-8 cannot."""
    try:
        json.dumps(data, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise ConfigError("this file of MQTTX has text that is no Unicode", hint="export the connections in MQTTX again") from None


def _to_two(record: Mapping[str, Any], key: str) -> int:
    """A QoS, or a Retain Handling."""
    value = record.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 2 else 0


def _text(record: Mapping[str, Any], key: str) -> str:
    value = record.get(key)
    return value if isinstance(value, str) else ""
