"""Changes of a packet's parts that take more than writing one of them: fields that flags announce, items that come and go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mqtttui.protocol.enums import PacketType, Version
from mqtttui.protocol.fields import Field
from mqtttui.protocol.packets import Connect, encode, string, variable_byte_integer
from mqtttui.protocol.parse import parse
from mqtttui.protocol.properties import PROPERTIES
from mqtttui.protocol.properties import Kind as Type
from mqtttui.ui.forms.packet_parts import Part, Shape, counted, joined

HEADER = "mqtt.hdrflags"
CONNECT_FLAGS = "mqtt.conflags"
LEVEL = "mqtt.ver"
_FLAGS = {PacketType.PUBREL: 2, PacketType.SUBSCRIBE: 2, PacketType.UNSUBSCRIBE: 2}
_USER, _PASSWORD, _WILL = 0x80, 0x40, 0x04
_WILL_FIELDS = {"mqtt.willtopic_len", "mqtt.willtopic", "mqtt.willmsg_len", "mqtt.willmsg"}
_USER_FIELDS = {"mqtt.username_len", "mqtt.username"}
_PASSWORD_FIELDS = {"mqtt.passwd_len", "mqtt.passwd"}
_FIRST_ID = 1
_NEW_TOPIC = "topic"
_STARTING_VALUES = {0x17: 0, 0x19: 1, 0x24: 1, 0x25: 1}
"""Of numeric properties that do not begin best with 1."""


def with_header(parts: Sequence[Part], byte: int, *, own_flags: bool) -> list[Part]:
    """Another first byte: with `own_flags` a new type has those it must have, and a PUBLISH has an identifier if its QoS is not 0."""
    before = parts[0].raw[0]
    out = list(parts)
    if before >> 4 != byte >> 4:
        byte = byte & 0xF0 | _FLAGS.get(PacketType(byte >> 4), 0) if own_flags else byte
    elif byte >> 4 == PacketType.PUBLISH and bool(before & 6) != bool(byte & 6):
        if byte & 6:
            topic = next((index for index, part in enumerate(out) if part.filter == "mqtt.topic" and part.shape is Shape.TEXT), None)
            if topic is not None:
                out.insert(topic + 1, _new(_FIRST_ID.to_bytes(2, "big")))
        else:
            out = [part for part in out if part.filter != "mqtt.msgid"]
    out[0] = replace(out[0], raw=bytes([byte]))
    return out


def with_connect_flags(parts: Sequence[Part], index: int, flags: int, version: Version) -> list[Part]:
    """Other Connect Flags: will, user name and password come and go with their flags."""
    changed = parts[index].raw[0] ^ flags
    out = list(parts)
    out[index] = replace(out[index], raw=bytes([flags]))
    if changed & _WILL:
        empty = b"\0" if version is Version.V5 else b""
        out = _switched(out, flags & _WILL, _WILL_FIELDS, "mqtt.willmsg", empty + string("will") + string(b""), {"mqtt.clientid"})
    if changed & _USER:
        out = _switched(out, flags & _USER, _USER_FIELDS, "mqtt.username", string("user"), {"mqtt.willmsg", "mqtt.clientid"})
    if changed & _PASSWORD:
        out = _switched(
            out, flags & _PASSWORD, _PASSWORD_FIELDS, "mqtt.passwd", string(b""), {"mqtt.username", "mqtt.willmsg", "mqtt.clientid"}
        )
    return out


def with_level(parts: Sequence[Part], index: int, level: int, version: Version) -> list[Part]:
    """Another protocol level: a well-formed CONNECT becomes one of that version, everything else stands as it is."""
    out = list(parts)
    out[index] = replace(out[index], raw=bytes([level]))
    wanted = Version.from_level(level)
    packet = parse(joined(parts), version)
    if wanted is None or level & 0x80 or not isinstance(packet, Connect) or packet.level is not None:
        return out
    will = packet.will if packet.will is None or wanted is Version.V5 else replace(packet.will, properties=())
    properties = packet.properties if wanted is Version.V5 else ()
    return [_new(encode(replace(packet, version=wanted, will=will, properties=properties), wanted))]


def _switched(parts: list[Part], on: int, fields: set[str], last: str, raw: bytes, behind: set[str]) -> list[Part]:
    """With new bytes, whose last field is `last`, behind the last part of `behind`, or without the parts of `fields`."""
    if on:
        places = [index for index, part in enumerate(parts) if part.filter in behind]
        return [*parts[: places[-1] + 1], _new(raw, last), *parts[places[-1] + 1 :]] if places else parts
    will = fields is _WILL_FIELDS
    return [part for part in parts if part.filter not in fields and not (will and part.within("mqtt.will_properties"))]


def with_property(parts: Sequence[Part], length: int, key: int) -> list[Part]:
    """One more property at the end of the list whose length is the part `length`."""
    end = counted(parts, length).stop
    return [*parts[:end], replace(_new(new_property(key)), path=parts[length].path), *parts[end:]]


def new_property(key: int) -> bytes:
    """A property as one begins with: 1, an empty text."""
    spec = PROPERTIES.get(key)
    head = variable_byte_integer(key)
    number = _STARTING_VALUES.get(key, 1)
    match spec.kind if spec is not None else None:
        case Type.BYTE:
            return head + bytes([number])
        case Type.UINT16:
            return head + number.to_bytes(2, "big")
        case Type.UINT32:
            return head + number.to_bytes(4, "big")
        case Type.VARIABLE:
            return head + variable_byte_integer(number)
        case Type.PAIR:
            return head + string(b"") * 2
        case Type.STRING | Type.BINARY | None:
            return head + string(b"")


def new_item(kind: PacketType, version: Version) -> tuple[str, bytes] | None:
    """What can be added at the end of a packet of this type: its name, and its bytes."""
    match kind:
        case PacketType.SUBSCRIBE:
            return "filter", string(_NEW_TOPIC) + b"\0"
        case PacketType.UNSUBSCRIBE:
            return "filter", string(_NEW_TOPIC)
        case PacketType.SUBACK:
            return "code", b"\0"
        case PacketType.UNSUBACK if version is Version.V5:
            return "code", b"\0"
        case _:
            return None


def optional_end(parts: Sequence[Part], kind: PacketType, version: Version) -> tuple[str, bytes] | None:
    """What an acknowledgement, DISCONNECT or AUTH of MQTT 5 may leave out at its end, and does (section 3.4.2.1)."""
    if version is not Version.V5 or kind not in _SHORTENED or any(part.shape is Shape.HEX for part in parts):
        return None
    if not any(part.filter.endswith(".reason_code") for part in parts):
        return "reason code", b"\0"
    return None if any(part.filter == "mqtt.property_len" for part in parts) else ("properties", b"\0")


def without(parts: Sequence[Part], item: Field) -> list[Part]:
    """Without the property, filter or code."""
    return [part for part in parts if part.item is not item]


def moved(parts: Sequence[Part], item: Field, step: int) -> list[Part]:
    """With the property, filter or code in the place of its neighbour."""
    order: list[list[Part]] = []
    items: list[Field | None] = []
    for part in parts:
        if part.item is not None and items and items[-1] is part.item:
            order[-1].append(part)
        else:
            order.append([part])
            items.append(part.item)
    at = next(index for index, each in enumerate(items) if each is item)
    other = items[at + step] if 0 <= at + step < len(items) else None
    if other is not None:
        order[at], order[at + step] = order[at + step], order[at]
    return [part for group in order for part in group]


def appended(parts: Sequence[Part], raw: bytes) -> list[Part]:
    """With more bytes at the end of the packet, before what stands behind it."""
    end = next((index for index, part in enumerate(parts) if part.behind), len(parts))
    return [*parts[:end], _new(raw), *parts[end:]]


def _new(raw: bytes, filter: str = "") -> Part:
    """Bytes that get their meaning when the packet is read again; `filter` names the last field in them."""
    return Part(Field("", filter, 0, len(raw)), raw, Shape.HEX)


_SHORTENED = {
    PacketType.PUBACK,
    PacketType.PUBREC,
    PacketType.PUBREL,
    PacketType.PUBCOMP,
    PacketType.DISCONNECT,
    PacketType.AUTH,
}
