"""What the fields of a packet say, as a search in fields reads it: names, filter names and values, one field a line; and notes.

Most packets differ from others only in their identifier and payload: they are of a shape that was taken apart before, and
only these two are made anew. A test holds that it makes no difference. Secrets are left out.
"""

from __future__ import annotations

from collections.abc import Hashable
from enum import Enum, auto
from typing import NamedTuple

from mqtttui.capture.dissecting import dissect_packet
from mqtttui.capture.log import Packet
from mqtttui.protocol.dissectors import show
from mqtttui.protocol.enums import Version
from mqtttui.protocol.fields import Dissection, Field
from mqtttui.protocol.peek import publish_topic, uint16

_MOST = 10_000
"""Shapes that are remembered; then the memory starts anew."""
_PUBLISH = 3
_FOUR_ACKS = range(4, 8)
_SHORT_ACK = 4
"""Bytes of an acknowledgement that has an identifier and nothing else."""
_NO_ID = -1


class _Part(Enum):
    """What is not the same in all packets of a shape."""

    IDENTIFIER = auto()
    PAYLOAD = auto()


_PARTS = {"mqtt.msgid": _Part.IDENTIFIER, "mqtt.msg": _Part.PAYLOAD}


class _Shape(NamedTuple):
    key: Hashable
    identifier: int
    """`_NO_ID` without one."""
    payload: int
    """Where the payload begins."""


class FieldWords:
    """The words of packets, with a memory of shapes."""

    def __init__(self) -> None:
        self._known: dict[Hashable, list[str | _Part]] = {}

    def of(self, packet: Packet) -> str:
        """All that the fields of `packet` say."""
        shape = _shape(packet)
        if shape is None:
            return "\n".join(_lines(dissect_packet(packet)))
        known = self._known.get(shape.key)
        if known is None:
            if len(self._known) >= _MOST:
                self._known.clear()
            known = self._known[shape.key] = _template(dissect_packet(packet))
        return "".join(part if isinstance(part, str) else _made(part, shape, packet.raw) for part in known)


def _shape(packet: Packet) -> _Shape | None:
    """The shape of a packet; None if it has to be taken apart."""
    raw = packet.raw
    if packet.framing_error or packet.dropped or packet.resolved_topic is not None or len(raw) < _SHORT_ACK:
        return None
    kind = raw[0] >> 4
    if kind in _FOUR_ACKS and len(raw) == _SHORT_ACK and raw[1] == _SHORT_ACK - 2:
        identifier = uint16(raw, 2)
        return _Shape((packet.version, packet.direction, raw[0], not identifier), identifier, len(raw))
    topic = publish_topic(raw, 0, len(raw)) if kind == _PUBLISH else None
    if topic is None or topic[0] == topic[1]:
        return None
    at, identifier = topic[1], _NO_ID
    if raw[0] & 0x06:
        if at + 2 > len(raw):
            return None
        identifier = uint16(raw, at)
        at += 2
    if packet.version is Version.V5:
        if at >= len(raw) or raw[at]:
            return None
        at += 1
    return _Shape((packet.version, packet.direction, raw[: topic[1]], not identifier), identifier, at)


def _made(part: _Part, shape: _Shape, raw: bytes) -> str:
    return str(shape.identifier) if part is _Part.IDENTIFIER else show.payload(raw, shape.payload, len(raw))


def _template(dissection: Dissection) -> list[str | _Part]:
    """The words of a packet with gaps for what may differ."""
    parts: list[str | _Part] = []
    text = ""
    for field in dissection.walk():
        text += f"{field.name} {field.filter} "
        if (part := _PARTS.get(field.filter)) is not None:
            parts += [text, part]
            text = "\n"
        else:
            text += f"{_value(field)}\n"
    notes = "\n".join(f"{note.id} {note.text} {note.statement}" for note in dissection.notes)
    parts.append(text + notes if notes else text.removesuffix("\n"))
    return parts


def _lines(dissection: Dissection) -> list[str]:
    fields = [f"{field.name} {field.filter} {_value(field)}" for field in dissection.walk()]
    return [*fields, *(f"{note.id} {note.text} {note.statement}" for note in dissection.notes)]


def _value(field: Field) -> str:
    return "" if field.secret else field.display
