"""The few bytes that the receive path and the followers need of a packet, read in place without building anything.

`start` and `end` are offsets of a framed packet in `data`: its first byte and fixed header are known to be there.
"""

from __future__ import annotations

from mqtttui.protocol.enums import PropertyId, Version
from mqtttui.protocol.properties import PROPERTIES, Kind

Buffer = bytes | bytearray

_FIXED_SIZES = {Kind.BYTE: 1, Kind.UINT16: 2, Kind.UINT32: 4}
_SIZES = {spec.id: _FIXED_SIZES[spec.kind] for spec in PROPERTIES.values() if spec.kind in _FIXED_SIZES}
_STRINGS = {
    spec.id: 2 if spec.kind is Kind.PAIR else 1 for spec in PROPERTIES.values() if spec.kind in (Kind.STRING, Kind.BINARY, Kind.PAIR)
}
"""Properties made of length-prefixed strings -> how many of them."""


def body_start(data: Buffer, start: int) -> int:
    """Offset of the first byte after Remaining Length."""
    at = start + 1
    while data[at] & 0x80:
        at += 1
    return at + 1


def packet_id(data: Buffer, start: int, end: int) -> int | None:
    """The Packet Identifier of an acknowledgement, SUBSCRIBE or UNSUBSCRIBE; None if the packet is too short."""
    at = body_start(data, start)
    return uint16(data, at) if at + 2 <= end else None


def publish_topic(data: Buffer, start: int, end: int) -> tuple[int, int] | None:
    """Where the Topic Name of a PUBLISH lies; None if it does not fit the packet."""
    at = body_start(data, start)
    if at + 2 > end:
        return None
    topic_end = at + 2 + uint16(data, at)
    return (at + 2, topic_end) if topic_end <= end else None


def publish_id(data: Buffer, start: int, end: int) -> int | None:
    """The Packet Identifier of a PUBLISH with QoS 1 or 2; None if the packet is too short."""
    topic = publish_topic(data, start, end)
    if topic is None or topic[1] + 2 > end:
        return None
    at = topic[1]
    return uint16(data, at)


def reason_code(data: Buffer, start: int, end: int) -> int:
    """The Reason Code of a PUBACK to PUBCOMP, 0 if it was left out."""
    at = body_start(data, start) + 2
    return data[at] if at < end else 0


def variable(data: Buffer, at: int, end: int) -> tuple[int, int]:
    """The Variable Byte Integer at `at` and the offset after it; -1 if it does not end in time."""
    value = shift = 0
    while at < end and shift <= 21:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    return -1, at


def uint16(data: Buffer, at: int) -> int:
    """The Two Byte Integer at `at`."""
    return data[at] << 8 | data[at + 1]


def property_offsets(data: Buffer, at: int, end: int, wanted: PropertyId) -> list[int]:
    """Where the values of property `wanted` begin in the list whose length field is at `at` (MQTT 5, section 2.2.2).

    What cannot be read ends the search. A value that is found lies within the list.
    """
    found: list[int] = []
    if at >= end or not data[at]:
        return found
    length, at = variable(data, at, end)
    stop = at + length
    if length < 0 or stop > end:
        return found
    while at < stop:
        identifier = data[at]
        at += 1
        begin = at
        if size := _SIZES.get(identifier):
            at += size
        elif strings := _STRINGS.get(identifier):
            for _ in range(strings):
                if at + 2 > stop:
                    return found
                at += 2 + uint16(data, at)
        elif identifier == PropertyId.SUBSCRIPTION_IDENTIFIER:
            value, at = variable(data, at, stop)
            if value < 0:
                return found
        else:
            return found
        if at <= stop and identifier == wanted:
            found.append(begin)
    return found


def properties_hold(data: Buffer, at: int, stop: int) -> bool:
    """Whether `data[at:stop]` is a run of known properties that ends exactly at `stop`. Their values are not looked at."""
    while at < stop:
        identifier = data[at]
        at += 1
        if size := _SIZES.get(identifier):
            at += size
        elif strings := _STRINGS.get(identifier):
            for _ in range(strings):
                if at + 2 > stop:
                    return False
                at += 2 + uint16(data, at)
        elif identifier == PropertyId.SUBSCRIPTION_IDENTIFIER:
            value, at = variable(data, at, stop)
            if value < 0:
                return False
        else:
            return False
    return at == stop


def connect_version(data: Buffer, start: int, end: int) -> Version | None:
    """The version that a CONNECT asks for, None if it names no level that we know (section 3.1.2.2)."""
    at = body_start(data, start)
    if at + 2 > end:
        return None
    at += 2 + uint16(data, at)
    return Version.from_level(data[at]) if at < end else None
