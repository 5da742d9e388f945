"""Control packets read back into values: the counterpart of `packets.encode`.

`parse` is strict about structure and blind to meaning: lengths, counts, fixed flags and property types must hold, and
whatever it returns encodes to the same bytes again. Ill-formed UTF-8, repeated or misplaced properties, unknown reason
codes and bad topics come through as they are: `dissect` has the findings for those.
"""

from __future__ import annotations

from collections.abc import Callable

from mqtttui.protocol.enums import Direction, PacketType, Version
from mqtttui.protocol.packets import (
    Ack,
    Auth,
    Connack,
    Connect,
    Disconnect,
    Packet,
    Pingreq,
    Pingresp,
    Properties,
    Property,
    Publish,
    Suback,
    Subscribe,
    Text,
    TopicRequest,
    Unsuback,
    Unsubscribe,
    Will,
    connect_flags,
)
from mqtttui.protocol.properties import PROPERTIES, Kind
from mqtttui.protocol.wire import Malformed, Reader, read_vbi

_NAMES = {Version.V31: b"MQIsdp", Version.V311: b"MQTT", Version.V5: b"MQTT"}
_DUP_IN_31 = (PacketType.PUBREL, PacketType.SUBSCRIBE, PacketType.UNSUBSCRIBE)


def parse(raw: bytes, version: Version, direction: Direction = Direction.C2S) -> Packet | None:
    """The value of exactly one whole control packet, or None if it is malformed. Never raises.

    CONNECT goes by its own level; every other packet by `version`. Strings come back as str if they are UTF-8 without
    surrogates, else as bytes; will payload, password and binary properties as bytes. A CONNECT whose flags, name or
    level are not what its fields imply has them in its overrides; one whose level is unknown even without the bridge
    bit 0x80 has no known layout and gives None: see `connect_level`. Nothing depends on `direction`.
    """
    if len(raw) < 2:
        return None
    length = read_vbi(raw, 1, len(raw))
    if length.problem is not None or length.end + length.value != len(raw):
        return None
    if not length.minimal and version is Version.V5:
        return None
    kind = PacketType(raw[0] >> 4)
    flags = raw[0] & 0x0F
    if not _flags_hold(kind, flags, version):
        return None
    reader = Reader(raw, length.end, len(raw))
    try:
        if kind is PacketType.PUBLISH:
            return _publish(reader, version, flags)
        packet = _READERS[kind](reader, version, kind)
    except Malformed:
        return None
    return packet if reader.left == 0 else None


def connect_level(raw: bytes) -> tuple[bytes, int] | None:
    """Protocol name and level of a CONNECT whose other contents need not be readable; None if even these are not there."""
    if not raw or raw[0] >> 4 != PacketType.CONNECT:
        return None
    length = read_vbi(raw, 1, len(raw))
    if length.problem is not None:
        return None
    reader = Reader(raw, length.end, len(raw))
    try:
        return reader.binary(), reader.byte()
    except Malformed:
        return None


def _flags_hold(kind: PacketType, flags: int, version: Version) -> bool:
    """The flags nibble is the one of table 2-2 [MQTT-2.1.3-1], [MQTT-2.2.2-2]; MQTT 3.1 has DUP in three more types."""
    if kind is PacketType.PUBLISH:
        return flags & 6 != 6
    if kind in _DUP_IN_31:
        return flags == 2 or (version is Version.V31 and flags & 7 == 2)
    return flags == 0


def _connect(reader: Reader, version: Version, kind: PacketType) -> Packet:
    name, level = reader.binary(), reader.byte()
    known = Version.from_level(level)
    if known is None:
        raise Malformed(reader.position - 1, f"protocol level {level} is unknown")
    flags, keep_alive = reader.byte(), reader.uint16()
    properties = _properties(reader, known)
    client_id = reader.text()
    will = None
    if flags & 4:
        will_properties = _properties(reader, known)
        will = Will(reader.text(), reader.binary(), flags >> 3 & 3, bool(flags & 0x20), will_properties)
    username = reader.text() if flags & 0x80 else None
    password = reader.binary() if flags & 0x40 else None
    packet = Connect(client_id, known, bool(flags & 2), keep_alive, username, password, will, properties)
    implied = connect_flags(packet)
    if implied == flags and name == _NAMES[known] and level == known:
        return packet
    return Connect(
        client_id,
        known,
        bool(flags & 2),
        keep_alive,
        username,
        password,
        will,
        properties,
        flags=flags if implied != flags else None,
        protocol_name=name if name != _NAMES[known] else None,
        level=level if level != known else None,
    )


def _connack(reader: Reader, version: Version, kind: PacketType) -> Packet:
    flags, code = reader.byte(), reader.byte()
    if flags > 1:
        raise Malformed(reader.position - 2, "bits 7-1 must be 0")
    return Connack(code, bool(flags), _properties(reader, version))


def _publish(reader: Reader, version: Version, flags: int) -> Packet:
    topic = reader.text()
    qos = flags >> 1 & 3
    packet_id = reader.uint16() if qos else None
    properties = _properties(reader, version)
    return Publish(topic, reader.rest(), qos, bool(flags & 1), bool(flags & 8), packet_id, properties)


def _ack(reader: Reader, version: Version, kind: PacketType) -> Packet:
    return Ack(kind, reader.uint16(), *_reason(reader, version))


def _subscribe(reader: Reader, version: Version, kind: PacketType) -> Packet:
    packet_id, properties = reader.uint16(), _properties(reader, version)
    requests = []
    while reader.left:
        text, options = reader.text(), reader.byte()
        requests.append(_request(text, options) if version is Version.V5 else TopicRequest(text, options))
    return Subscribe(packet_id, tuple(requests), properties)


def _request(text: Text, options: int) -> TopicRequest:
    return TopicRequest(text, options & 3, bool(options & 4), bool(options & 8), options >> 4 & 3, options >> 6)


def _suback(reader: Reader, version: Version, kind: PacketType) -> Packet:
    packet_id, properties = reader.uint16(), _properties(reader, version)
    return Suback(packet_id, tuple(reader.rest()), properties)


def _unsubscribe(reader: Reader, version: Version, kind: PacketType) -> Packet:
    packet_id, properties = reader.uint16(), _properties(reader, version)
    filters = []
    while reader.left:
        filters.append(reader.text())
    return Unsubscribe(packet_id, tuple(filters), properties)


def _unsuback(reader: Reader, version: Version, kind: PacketType) -> Packet:
    packet_id, properties = reader.uint16(), _properties(reader, version)
    return Unsuback(packet_id, tuple(reader.rest()) if version is Version.V5 else (), properties)


def _ping(reader: Reader, version: Version, kind: PacketType) -> Packet:
    return Pingreq() if kind is PacketType.PINGREQ else Pingresp()


def _disconnect(reader: Reader, version: Version, kind: PacketType) -> Packet:
    return Disconnect(*_reason(reader, version))


def _auth(reader: Reader, version: Version, kind: PacketType) -> Packet:
    if version is not Version.V5:
        raise Malformed(0, "AUTH exists in MQTT 5 only")
    code, properties = _reason(reader, version)
    if code is not None and properties is None:
        raise Malformed(reader.position, "the property length is missing")  # [MQTT-2.2.2-1]
    return Auth(code, properties)


def _reserved(reader: Reader, version: Version, kind: PacketType) -> Packet:
    raise Malformed(0, "packet type 0 is reserved")


def _reason(reader: Reader, version: Version) -> tuple[int | None, Properties | None]:
    """Reason Code and properties, both of which may be left out (section 3.4.2.1)."""
    if version is not Version.V5 or not reader.left:
        return None, None
    code = reader.byte()
    return code, _properties(reader, version) if reader.left else None


def _properties(reader: Reader, version: Version) -> Properties:
    """The property list of MQTT 5, empty in other versions (section 2.2.2)."""
    if version is not Version.V5:
        return ()
    length = reader.vbi()
    if length == 0:
        return ()
    end = reader.position + length
    if end > reader.end:
        raise Malformed(reader.position, "the property length reaches past the end of the packet")
    inner = Reader(reader.raw, reader.position, end)
    found = []
    while inner.left:
        key = inner.vbi()
        spec = PROPERTIES.get(key)
        if spec is None:
            raise Malformed(inner.position, f"property 0x{key:02x} is unknown")
        found.append(Property(key, _VALUES[spec.kind](inner)))
    reader.position = end
    return tuple(found)


def _pair(reader: Reader) -> tuple[Text, Text]:
    return reader.text(), reader.text()


_VALUES: dict[Kind, Callable[[Reader], int | Text | tuple[Text, Text]]] = {
    Kind.BYTE: Reader.byte,
    Kind.UINT16: Reader.uint16,
    Kind.UINT32: Reader.uint32,
    Kind.VARIABLE: Reader.vbi,
    Kind.STRING: Reader.text,
    Kind.BINARY: Reader.binary,
    Kind.PAIR: _pair,
}

_READERS: dict[PacketType, Callable[[Reader, Version, PacketType], Packet]] = {
    PacketType.RESERVED: _reserved,
    PacketType.CONNECT: _connect,
    PacketType.CONNACK: _connack,
    PacketType.PUBACK: _ack,
    PacketType.PUBREC: _ack,
    PacketType.PUBREL: _ack,
    PacketType.PUBCOMP: _ack,
    PacketType.SUBSCRIBE: _subscribe,
    PacketType.SUBACK: _suback,
    PacketType.UNSUBSCRIBE: _unsubscribe,
    PacketType.UNSUBACK: _unsuback,
    PacketType.PINGREQ: _ping,
    PacketType.PINGRESP: _ping,
    PacketType.DISCONNECT: _disconnect,
    PacketType.AUTH: _auth,
}
