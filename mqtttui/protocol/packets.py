"""Control packets as values, and their bytes.

A value says what leaves, field by field and in order; nothing is corrected on the way. What the standard forbids can be
written: flags, names, levels and lengths have overrides, strings may be any bytes, properties may repeat, be unknown or
stand in the wrong packet. What cannot be written at all (a number that does not fit its field) raises EncodeError.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from mqtttui.protocol.enums import PacketType, PropertyId, Version
from mqtttui.protocol.properties import PROPERTIES, Kind

Text = str | bytes
"""A string for the wire: str is written as UTF-8, bytes as they are (they may be ill-formed on purpose)."""

MAX_REMAINING_LENGTH = 268_435_455


class EncodeError(ValueError):
    """A value that has no encoding; the text names the field."""


@dataclass(frozen=True, slots=True)
class Property:
    """One MQTT 5 property. Order and repetition are kept."""

    id: int
    value: int | Text | tuple[Text, Text]
    """int for the numeric types, Text for strings, bytes for binary data, a pair for User Property."""

    def __repr__(self) -> str:
        """Authentication Data may be as secret as a password."""
        value = "***" if self.id == PropertyId.AUTHENTICATION_DATA else repr(self.value)
        return f"Property(id={self.id!r}, value={value})"


Properties = tuple[Property, ...]


@dataclass(frozen=True, slots=True)
class Will:
    """The message that the server publishes for a client that goes without a clean DISCONNECT."""

    topic: Text
    payload: bytes = b""
    qos: int = 0
    retain: bool = False
    properties: Properties = ()


@dataclass(frozen=True, slots=True)
class Connect:
    """CONNECT (section 3.1)."""

    client_id: Text = ""
    version: Version = Version.V311
    clean: bool = True
    """Clean Session (3.x), Clean Start (5)."""
    keep_alive: int = 60
    username: Text | None = None
    """None leaves out the field and its flag; an empty string is sent as an empty string."""
    password: bytes | None = field(default=None, repr=False)
    will: Will | None = None
    properties: Properties = ()
    flags: int | None = None
    """Connect Flags as given, instead of those that follow from the fields."""
    protocol_name: Text | None = None
    level: int | None = None


@dataclass(frozen=True, slots=True)
class Connack:
    """CONNACK (section 3.2)."""

    code: int = 0
    session_present: bool = False
    properties: Properties = ()


@dataclass(frozen=True, slots=True)
class Publish:
    """PUBLISH (section 3.3)."""

    topic: Text
    payload: bytes = b""
    qos: int = 0
    retain: bool = False
    dup: bool = False
    packet_id: int | None = None
    """Written if it is not None, whatever the QoS says: a QoS 1 or 2 packet without one is malformed."""
    properties: Properties = ()


@dataclass(frozen=True, slots=True)
class Ack:
    """PUBACK, PUBREC, PUBREL or PUBCOMP (sections 3.4 to 3.7)."""

    type: PacketType
    packet_id: int
    reason_code: int | None = None
    """None leaves it out (Remaining Length 2, means 0x00)."""
    properties: Properties | None = None
    """None leaves out the property length as well."""


@dataclass(frozen=True, slots=True)
class TopicRequest:
    """One Topic Filter of a SUBSCRIBE with its options."""

    filter: Text
    qos: int = 0
    no_local: bool = False
    retain_as_published: bool = False
    retain_handling: int = 0
    reserved: int = 0
    """Bits 7-6 of the options byte."""

    def options(self, version: Version) -> int:
        """The options byte (5) or the requested QoS (3.x)."""
        if version is not Version.V5:
            return self.qos & 0xFF
        return (
            self.qos & 3
            | (4 if self.no_local else 0)
            | (8 if self.retain_as_published else 0)
            | (self.retain_handling & 3) << 4
            | (self.reserved & 3) << 6
        )


@dataclass(frozen=True, slots=True)
class Subscribe:
    """SUBSCRIBE (section 3.8)."""

    packet_id: int
    requests: tuple[TopicRequest, ...]
    properties: Properties = ()


@dataclass(frozen=True, slots=True)
class Suback:
    """SUBACK (section 3.9)."""

    packet_id: int
    codes: tuple[int, ...]
    properties: Properties = ()


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """UNSUBSCRIBE (section 3.10)."""

    packet_id: int
    filters: tuple[Text, ...]
    properties: Properties = ()


@dataclass(frozen=True, slots=True)
class Unsuback:
    """UNSUBACK (section 3.11); the codes exist in MQTT 5 only."""

    packet_id: int
    codes: tuple[int, ...] = ()
    properties: Properties = ()


@dataclass(frozen=True, slots=True)
class Pingreq:
    """PINGREQ (section 3.12)."""


@dataclass(frozen=True, slots=True)
class Pingresp:
    """PINGRESP (section 3.13)."""


@dataclass(frozen=True, slots=True)
class Disconnect:
    """DISCONNECT (section 3.14)."""

    reason_code: int | None = None
    properties: Properties | None = None


@dataclass(frozen=True, slots=True)
class Auth:
    """AUTH (section 3.15)."""

    reason_code: int | None = None
    properties: Properties | None = None


Packet = Connect | Connack | Publish | Ack | Subscribe | Suback | Unsubscribe | Unsuback | Pingreq | Pingresp | Disconnect | Auth

_TYPES: dict[type, PacketType] = {
    Connect: PacketType.CONNECT,
    Connack: PacketType.CONNACK,
    Publish: PacketType.PUBLISH,
    Subscribe: PacketType.SUBSCRIBE,
    Suback: PacketType.SUBACK,
    Unsubscribe: PacketType.UNSUBSCRIBE,
    Unsuback: PacketType.UNSUBACK,
    Pingreq: PacketType.PINGREQ,
    Pingresp: PacketType.PINGRESP,
    Disconnect: PacketType.DISCONNECT,
    Auth: PacketType.AUTH,
}

_FIXED_FLAGS = {PacketType.PUBREL: 2, PacketType.SUBSCRIBE: 2, PacketType.UNSUBSCRIBE: 2}
"""Flags nibble of the types that have a fixed one other than 0 (section 2.1.3, table 2-2)."""


def packet_type(packet: Packet) -> PacketType:
    """The Control Packet type of a value."""
    return packet.type if isinstance(packet, Ack) else _TYPES[type(packet)]


def encode(packet: Packet, version: Version, *, header_flags: int | None = None) -> bytes:
    """The bytes of `packet` in `version` (CONNECT goes by its own version).

    `header_flags` replaces the low nibble of the first byte. Raises EncodeError.
    """
    kind = packet_type(packet)
    flags = header_flags if header_flags is not None else _header_flags(packet, kind)
    body = _body(packet, packet.version if isinstance(packet, Connect) else version)
    if len(body) > MAX_REMAINING_LENGTH:
        raise EncodeError(f"the packet has {len(body):,} bytes; MQTT allows {MAX_REMAINING_LENGTH:,}")
    return bytes([kind << 4 | flags & 0x0F]) + variable_byte_integer(len(body)) + body


def _header_flags(packet: Packet, kind: PacketType) -> int:
    if isinstance(packet, Publish):
        return (8 if packet.dup else 0) | (packet.qos & 3) << 1 | (1 if packet.retain else 0)
    return _FIXED_FLAGS.get(kind, 0)


def _body(packet: Packet, version: Version) -> bytes:
    match packet:
        case Connect():
            return _connect(packet, version)
        case Connack():
            return bytes([int(packet.session_present), _byte(packet.code, "reason code")]) + _properties(packet.properties, version)
        case Publish():
            head = string(packet.topic, "topic")
            if packet.packet_id is not None:
                head += uint16(packet.packet_id, "packet identifier")
            return head + _properties(packet.properties, version) + packet.payload
        case Ack():
            return uint16(packet.packet_id, "packet identifier") + _reason(packet.reason_code, packet.properties, version)
        case Subscribe():
            body = uint16(packet.packet_id, "packet identifier") + _properties(packet.properties, version)
            return body + b"".join(
                string(request.filter, "topic filter") + bytes([request.options(version)]) for request in packet.requests
            )
        case Suback() | Unsuback():
            body = uint16(packet.packet_id, "packet identifier") + _properties(packet.properties, version)
            return body + bytes(_byte(code, "reason code") for code in packet.codes)
        case Unsubscribe():
            body = uint16(packet.packet_id, "packet identifier") + _properties(packet.properties, version)
            return body + b"".join(string(text, "topic filter") for text in packet.filters)
        case Pingreq() | Pingresp():
            return b""
        case Disconnect() | Auth():
            return _reason(packet.reason_code, packet.properties, version)


def _connect(packet: Connect, version: Version) -> bytes:
    name = packet.protocol_name
    if name is None:
        name = "MQIsdp" if version is Version.V31 else "MQTT"
    level = packet.level if packet.level is not None else int(version)
    flags = packet.flags if packet.flags is not None else connect_flags(packet)
    body = string(name, "protocol name") + bytes([_byte(level, "protocol level"), _byte(flags, "connect flags")])
    body += uint16(packet.keep_alive, "keep alive") + _properties(packet.properties, version)
    body += string(packet.client_id, "client identifier")
    if packet.will is not None:
        will = packet.will
        body += _properties(will.properties, version) + string(will.topic, "will topic") + string(will.payload, "will payload")
    if packet.username is not None:
        body += string(packet.username, "user name")
    if packet.password is not None:
        body += string(packet.password, "password")
    return body


def connect_flags(packet: Connect) -> int:
    """The Connect Flags byte that follows from the fields of `packet` (section 3.1.2.3)."""
    flags = 0x02 if packet.clean else 0
    if packet.will is not None:
        flags |= 0x04 | (packet.will.qos & 3) << 3 | (0x20 if packet.will.retain else 0)
    if packet.password is not None:
        flags |= 0x40
    if packet.username is not None:
        flags |= 0x80
    return flags


def _reason(code: int | None, properties: Properties | None, version: Version) -> bytes:
    if code is None and properties is None:
        return b""
    head = bytes([_byte(code or 0, "reason code")])
    return head if properties is None else head + _properties(properties, version)


def _properties(properties: Properties, version: Version) -> bytes:
    if version is not Version.V5:
        if properties:
            raise EncodeError("properties exist in MQTT 5 only")
        return b""
    body = b"".join(_property(item) for item in properties)
    return variable_byte_integer(len(body)) + body


def _property(item: Property) -> bytes:
    value = item.value
    head = variable_byte_integer(item.id)
    spec = PROPERTIES.get(item.id)
    name = spec.name if spec else f"property 0x{item.id:02x}"
    kind = spec.kind if spec else (Kind.BINARY if isinstance(value, bytes) else None)
    match kind, value:
        case Kind.BYTE, int():
            return head + bytes([_byte(value, name)])
        case Kind.UINT16, int():
            return head + uint16(value, name)
        case Kind.UINT32, int():
            if not 0 <= value <= 0xFFFFFFFF:
                raise EncodeError(f"{name}: {value} is not between 0 and 4294967295")
            return head + value.to_bytes(4, "big")
        case Kind.VARIABLE, int():
            return head + variable_byte_integer(value)
        case ((Kind.STRING | Kind.BINARY), (str() | bytes())):
            return head + string(value, name)
        case Kind.PAIR, (key, text):
            return head + string(key, name) + string(text, name)
        case _:
            raise EncodeError(f"{name}: {type(value).__name__} is not what this property holds")


def variable_byte_integer(value: int) -> bytes:
    """Variable Byte Integer, 1 to 4 bytes (section 1.5.5). Raises EncodeError above 268,435,455."""
    if not 0 <= value <= MAX_REMAINING_LENGTH:
        raise EncodeError(f"{value} is not between 0 and {MAX_REMAINING_LENGTH}")
    out = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)


def string(value: Text, name: str = "string") -> bytes:
    """A two-byte length and the bytes (sections 1.5.4, 1.5.6). Raises EncodeError over 65,535 bytes."""
    raw = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
    if len(raw) > 0xFFFF:
        raise EncodeError(f"{name}: {len(raw):,} bytes, at most 65,535 fit")
    return len(raw).to_bytes(2, "big") + raw


def uint16(value: int, name: str = "number") -> bytes:
    """Two Byte Integer (section 1.5.2). Raises EncodeError."""
    if not 0 <= value <= 0xFFFF:
        raise EncodeError(f"{name}: {value} is not between 0 and 65535")
    return value.to_bytes(2, "big")


def _byte(value: int, name: str) -> int:
    if not 0 <= value <= 0xFF:
        raise EncodeError(f"{name}: {value} is not between 0 and 255")
    return value
