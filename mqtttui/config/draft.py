"""From options as they were given to a connection, its subscriptions and a message."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from mqtttui.config.arguments import WEBSOCKET_ONLY, Given
from mqtttui.config.errors import ConfigError
from mqtttui.config.options import DEFAULT_TLS_PORT, ConnectOptions, ReconnectOptions, TlsOptions, default_port
from mqtttui.config.properties import parse_property
from mqtttui.config.routes import ROUTE, RouteDraft
from mqtttui.config.tls import TLS_ONLY, TlsDraft, check_versions, parse_path
from mqtttui.config.transports import TransportDraft
from mqtttui.config.urls import parse_host, parse_port, split_url
from mqtttui.protocol.enums import PropertyId, Version
from mqtttui.protocol.packets import Connect, Properties, Property, Publish, Text, TopicRequest, Will
from mqtttui.text import shorten, visible

_FOR_EVER = 0xFFFF_FFFF
_LONGEST_STRING = 0xFFFF
_LARGEST_PAYLOAD = 268_435_455


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a command line or a pasted text asks for."""

    options: ConnectOptions
    subscriptions: tuple[TopicRequest, ...] = ()
    publish: Publish | None = None
    ignored: tuple[str, ...] = ()
    """Options without effect here, each with the reason; visible text."""
    subscribe_properties: Properties = ()


@dataclass(slots=True)
class Draft:
    """Collects options; later ones replace earlier ones. `result` checks what belongs together."""

    version: Version = Version.V311
    host: str = "localhost"
    port: int | None = None
    tls: TlsDraft = field(default_factory=TlsDraft)
    transport: TransportDraft = field(default_factory=TransportDraft)
    route: RouteDraft = field(default_factory=RouteDraft)
    reconnect: ReconnectOptions = field(default_factory=ReconnectOptions)
    client_id: str | None = None
    username: Text | None = None
    password: bytes | None = None
    keep_alive: int = 60
    clean: bool = True
    session_expiry: int | None = None
    will_topic: str | None = None
    will_payload: bytes = b""
    will_qos: int = 0
    will_retain: bool = False
    properties: dict[str, list[Property]] = field(default_factory=dict)
    """By packet, as `-D` names it."""
    topics: list[Text] = field(default_factory=list)
    qos: int = 0
    no_retained: bool = False
    retain_as_published: bool = False
    payload: bytes | None = None
    retain: bool = False
    response_topic: str | None = None
    """mosquitto_rr's `-e`."""
    literal_urls: bool = False
    """mosquitto's `-L`: `%` is a `%`, and port 8883 is TLS whatever the scheme says."""
    labels: dict[str, str] = field(default_factory=dict)
    """How each option that was given was written."""
    ignored: list[str] = field(default_factory=list)

    def apply(self, given: Iterable[Given]) -> None:
        """Take over `given` in order. Raises ConfigError that names the option as it was written."""
        for each in given:
            try:
                self._take(each)
            except ConfigError as error:
                raise ConfigError(f"{each.label}: {error.title}", error.detail, error.hint, each.position) from None
            self.labels[each.option.key] = each.label

    def result(self) -> Parsed:
        """Everything together. Raises ConfigError for what contradicts itself."""
        connect = self._connect()
        tls, web = self._tls(), self.transport.result()
        self.transport.check(tls=tls is not None, place=bool({"host", "port"} & self.labels.keys()))
        if web is None:
            self._without("a WebSocket: add --ws or write ws://", *WEBSOCKET_ONLY)
        if self.transport.unix_path:
            self._without("TCP; a Unix socket is on this machine", *ROUTE)
        elif self.route.proxy is None:
            self._without("a proxy: add --proxy URL", "proxy-password-file")
        port = self.port or default_port(tls=tls is not None, websocket=web is not None)
        options = ConnectOptions(self.host, port, tls, connect, reconnect=self.reconnect, websocket=web, unix_path=self.transport.unix_path)
        if not options.unix_path:
            options = replace(options, proxy=self.route.result(), bind=self.route.bind)
        publish = self._publish() if self.payload is not None else None
        if publish is None:
            self._without("a message: add -m TEXT", "retain")
        else:
            self._without_subscription()
        for packet in self.properties.keys() & {"unsubscribe", "disconnect"}:
            self.ignored.append(f"-D {packet} (set it where that packet is sent)")
        filters = [self.response_topic] if self.response_topic is not None else [] if publish else self.topics
        return Parsed(
            options=options,
            subscriptions=tuple(self._request(each) for each in filters),
            publish=publish,
            ignored=tuple(self.ignored),
            subscribe_properties=tuple(self.properties.get("subscribe", ())) if filters else (),
        )

    def _take(self, given: Given) -> None:
        value = given.value
        match given.option.key:
            case "host":
                self.host = parse_host(value)
            case "port":
                self.port = parse_port(value)
            case "url":
                self._take_url(value)
            case "reconnect":
                self.reconnect = replace(self.reconnect, enabled=True)
            case "resubscribe":
                self.reconnect = replace(self.reconnect, resubscribe=True)
            case "protocol-version":
                self.version = _version(value)
            case "id":
                self.client_id = value
            case "id-prefix":
                self.client_id = f"{value}{os.getpid()}"
            case "username":
                self.username = value
            case "pw":
                self.password = _bytes(value)
            case "password-file":
                self.password = read_secret(value)
            case "keepalive":
                self.keep_alive = _number(value, 0, 65535, "seconds")
            case "disable-clean-session":
                self.clean = False
            case "session-expiry":
                self.session_expiry = _FOR_EVER if value in ("-1", "∞") else _number(value, 0, _FOR_EVER, "seconds, or -1 for ever")
            case "property":
                packet, item = parse_property(given.values)
                self.properties.setdefault(packet, []).append(item)
            case "will-topic":
                self.will_topic = value
            case "will-payload":
                self.will_payload = _bytes(value)
            case "will-qos":
                self.will_qos = _number(value, 0, 2)
            case "will-retain":
                self.will_retain = True
            case "topic":
                self.topics.append(value)
            case "qos":
                self.qos = _number(value, 0, 2)
            case "no-retained":
                self.no_retained = True
            case "retain-as-published":
                self.retain_as_published = True
            case "message":
                self.payload = _bytes(value)
            case "file":
                self.payload = read_file(value, _LARGEST_PAYLOAD)
            case "null-message":
                self.payload = b""
            case "retain":
                self.retain = True
            case key:
                drafts = (self.transport.take(key, value), self.route.take(key, value, read_secret), self.tls.take(key, value, read_secret))
                if not any(drafts):
                    raise AssertionError(f"option {key} has no meaning here")

    def _take_url(self, text: str) -> None:
        url = split_url(text, percent=not self.literal_urls)
        self.host = url.host
        self.port = url.port
        self.tls.on = None if self.literal_urls and url.port == DEFAULT_TLS_PORT else url.tls
        self.transport.take_url(websocket=url.websocket, target=url.target, unix_path=url.unix_path)
        if url.username is not None:
            self.username = url.username
        if url.password is not None:
            self.password = url.password
        if url.topic is not None:
            self.topics.append(url.topic)

    def _connect(self) -> Connect:
        properties = list(self.properties.get("connect", ()))
        if self.properties and self.version is not Version.V5:
            if "protocol-version" in self.labels:
                label = self.labels["protocol-version"]
                raise ConfigError("-D: properties exist in MQTT 5 only", hint=f"leave out {label}, or write {label} 5")
            self.version = Version.V5
        if self.version is Version.V5:
            self._add_expiry(properties)
        else:
            self._without("MQTT 5: add -V 5", "session-expiry", "no-retained", "retain-as-published")
        return Connect(
            client_id=self._client_id(),
            version=self.version,
            clean=self.clean,
            keep_alive=self.keep_alive,
            username=self.username,
            password=self.password,
            will=self._will(),
            properties=tuple(properties),
        )

    def _add_expiry(self, properties: list[Property]) -> None:
        """Session Expiry Interval of `-x`, and for ever with `-c` alone, as mosquitto's clients have it."""
        there = any(item.id == PropertyId.SESSION_EXPIRY_INTERVAL for item in properties)
        if self.session_expiry is not None and there:
            raise ConfigError(f"{self.labels['session-expiry']}: the same is given by -D", hint="leave one of the two out")
        expiry = self.session_expiry
        if expiry is None and not self.clean and not there:
            expiry = _FOR_EVER
        if expiry is not None:
            properties.append(Property(PropertyId.SESSION_EXPIRY_INTERVAL, expiry))

    def _client_id(self) -> str:
        if self.client_id is not None:
            return self.client_id
        if self.version is not Version.V5 and not self.clean:
            label = self.labels["disable-clean-session"]
            raise ConfigError(f"{label}: a session that continues needs a client id", hint="add -i NAME (or -i '' to send it empty)")
        # MQTT 3.1 has no empty client id (1 to 23 characters); later versions let the broker choose one.
        return f"mqtttui-{secrets.token_hex(4)}" if self.version is Version.V31 else ""

    def _will(self) -> Will | None:
        if self.will_topic is None:
            for key in ("will-payload", "will-qos", "will-retain"):
                if key in self.labels:
                    raise ConfigError(f"{self.labels[key]}: the will has no topic", hint="add --will-topic TOPIC")
            if "will" in self.properties:
                raise ConfigError("-D will: the will has no topic", hint="add --will-topic TOPIC")
            return None
        return Will(self.will_topic, self.will_payload, self.will_qos, self.will_retain, tuple(self.properties.get("will", ())))

    def _tls(self) -> TlsOptions | None:
        on = self.port == DEFAULT_TLS_PORT if self.tls.on is None else self.tls.on
        if not on:
            self._without("TLS: add --tls or write mqtts://", *TLS_ONLY)
            return None
        options = self.tls.options
        if options.key and not options.certificate:
            raise ConfigError(f"{self.labels['key']}: a key needs its certificate", hint="add --cert FILE")
        check_versions(options.minimum_version, options.maximum_version)
        return options

    def _publish(self) -> Publish:
        if not self.topics:
            raise ConfigError("the message has no topic", hint="add -t TOPIC")
        self.ignored += [f"-t {_short(topic)} (a message has one topic; the last one counts)" for topic in self.topics[:-1]]
        properties = list(self.properties.get("publish", ()))
        if self.response_topic is not None and self.version is Version.V5:
            properties.append(Property(PropertyId.RESPONSE_TOPIC, self.response_topic))
        return Publish(self.topics[-1], self.payload or b"", self.qos, self.retain, properties=tuple(properties))

    def _request(self, topic: Text) -> TopicRequest:
        v5 = self.version is Version.V5
        return TopicRequest(
            topic,
            qos=self.qos,
            retain_as_published=self.retain_as_published and v5,
            retain_handling=2 if self.no_retained and v5 else 0,
        )

    def _without(self, needed: str, *keys: str) -> None:
        self.ignored += [f"{self.labels[key]} (needs {needed})" for key in keys if key in self.labels]

    def _without_subscription(self) -> None:
        if "subscribe" in self.properties and self.response_topic is None:
            self.ignored.append("-D subscribe (the topic is that of the message)")


def version_of(given: Iterable[Given]) -> Version | None:
    """The version that the options name; None if they name none. Raises ConfigError."""
    found = None
    for each in given:
        if each.option.key == "protocol-version":
            found = _version(each.value)
    return found


def read_secret(path: str) -> bytes:
    """The bytes of a password file without one line feed (or CR LF) at its end. Raises ConfigError."""
    raw = read_file(path, _LONGEST_STRING + 2)
    raw = raw.removesuffix(b"\r\n") if raw.endswith(b"\r\n") else raw.removesuffix(b"\n")
    if len(raw) > _LONGEST_STRING:
        raise ConfigError(f"'{_short(path)}' is larger than {_LONGEST_STRING:,} bytes", hint="name a file that holds nothing else")
    return raw


def read_file(path: str, largest: int) -> bytes:
    """The contents of a file of at most `largest` bytes. Raises ConfigError."""
    place = parse_path(path)
    try:
        if not Path(place).is_file():  # opening a FIFO or a device would wait
            raise ConfigError(f"'{_short(path)}' is no file", hint="name a file that exists")
        with open(place, "rb") as file:
            raw = file.read(largest + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ConfigError(f"'{_short(path)}' cannot be read", visible(reason), "name a file that you may read") from None
    if len(raw) > largest:
        raise ConfigError(f"'{_short(path)}' is larger than {largest:,} bytes", hint="name a smaller file")
    return raw


def _version(text: str) -> Version:
    try:
        return Version.from_label(text)
    except ValueError:
        raise ConfigError(f"'{_short(text)}' is no MQTT version", hint="use 3.1, 3.1.1 or 5 (mqttv31, mqttv311, mqttv5)") from None


def _number(text: str, low: int, high: int, unit: str = "") -> int:
    if text.isascii() and text.isdecimal() and len(text) <= 10 and low <= int(text) <= high:
        return int(text)
    span = "0, 1 or 2" if (low, high) == (0, 2) else f"a number from {low} to {high}"
    raise ConfigError(f"'{_short(text)}' does not fit", hint=f"write {span}{f' ({unit})' if unit else ''}")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _short(text: Text) -> str:
    return shorten(visible(text), 40)
