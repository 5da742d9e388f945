"""What the findings of a packet of its own are, told from its header bytes where packets of that shape are known.

Dissecting takes about 100 microseconds. Most packets are like one before in all that their findings depend on: their shape.
1. PUBLISH: length in its shortest form, legal flags, a topic of plain characters without wildcards (or none), a packet
   identifier that is not 0, and in MQTT 5 the same property list, unless that promises UTF-8 (then the payload matters).
   What is left is the first byte, the sender, whether the topic begins with `$`, and whether there is a payload.
2. Acknowledgements of a QoS flow: everything but the packet identifier.
3. PINGREQ, PINGRESP and DISCONNECT without a body.
The first packet of a shape is dissected; if it is no worse than a note, its findings are those of all others of the shape.
"""

from __future__ import annotations

import re

from mqtttui.protocol.enums import Direction, PropertyId, Severity, Version
from mqtttui.protocol.enums import PacketType as P
from mqtttui.protocol.fields import Dissection
from mqtttui.protocol.peek import property_offsets
from mqtttui.protocol.reason_codes import label

MAX_SHAPES = 4_000
_MAX_LIST = 127
"""Bytes of a property list that is remembered; its length takes one more."""
_PLAIN_TOPIC = re.compile(rb"[ !\"$-*,-~]+").fullmatch
_LEGAL_PUBLISH = frozenset(0x30 | flags for flags in (0, 1, 2, 3, 4, 5, 10, 11, 12, 13))
"""First bytes: neither QoS 3 nor DUP at QoS 0."""
_ACKS = frozenset({P.PUBACK << 4, P.PUBREC << 4, P.PUBREL << 4 | 2, P.PUBCOMP << 4})
_MAX_ACK = 130
_BY_CODE = frozenset({"C25", "C26", "E15", "E16", "E17", "E18", "G12"})
"""Checks whose cause is the code that they stand on."""

Outline = tuple[str, Severity, str]
"""Check id, severity, cause."""
Shape = tuple[object, ...]


class Screen:
    """The shapes that are known."""

    def __init__(self) -> None:
        self._known: dict[Shape, tuple[Outline, ...]] = {}

    def known(self, shape: Shape | None) -> tuple[Outline, ...] | None:
        """The findings of packets of `shape`, None if they are not known."""
        return None if shape is None else self._known.get(shape)

    def remember(self, shape: Shape | None, found: Dissection) -> tuple[Outline, ...]:
        """The findings of `found`; kept for others of `shape`."""
        outlines = outlines_of(found)
        if shape is not None and all(severity < Severity.WARN for _, severity, _ in outlines):
            if len(self._known) >= MAX_SHAPES:
                self._known.clear()
            self._known[shape] = outlines
        return outlines

    @property
    def cost(self) -> int:
        """Bytes that the shapes take, roughly."""
        return len(self._known) * 300


def outlines_of(found: Dissection) -> tuple[Outline, ...]:
    """The findings of a dissected packet without their words."""
    return tuple((note.id, note.severity, _cause(found, note.id, note.start)) for note in found.notes)


def _cause(found: Dissection, id: str, start: int) -> str:
    if id not in _BY_CODE or found.type is None or start >= len(found.raw):
        return ""
    return label(found.raw[start], found.type, found.version)


def shape_of(raw: bytes, direction: Direction, version: Version) -> Shape | None:
    """The shape of a whole packet, None if it is one that has to be dissected."""
    first, end = raw[0], len(raw)
    if first in _LEGAL_PUBLISH:
        return _publish_shape(raw, direction, version)
    if first in _ACKS and 4 <= end <= _MAX_ACK and raw[1] == end - 2:
        return (first, direction, version, raw[4:])
    if end == 2 and raw[1] == 0 and first & 0x0F == 0:
        return (first, direction, version)
    return None


def _publish_shape(raw: bytes, direction: Direction, version: Version) -> Shape | None:
    end = len(raw)
    at = 1
    while raw[at] & 0x80:
        at += 1
    if not raw[at] and at > 1:
        return None
    topic = at + 3
    if topic > end:
        return None
    at = topic + (raw[at + 1] << 8 | raw[at + 2])
    if at > end or (at > topic and not _PLAIN_TOPIC(raw, topic, at)):
        return None
    special = raw[topic] == 0x24 if at > topic else None
    if raw[0] & 0x06:
        if at + 2 > end or not (raw[at] or raw[at + 1]):
            return None
        at += 2
    if version is not Version.V5:
        return (raw[0], direction, version, special, at < end)
    if at >= end:
        return None
    after = at + 1 + raw[at]
    if raw[at] > _MAX_LIST or after > end:
        return None
    listed = raw[at:after]
    if raw[at] and property_offsets(listed, 0, len(listed), PropertyId.PAYLOAD_FORMAT_INDICATOR):
        return None
    return (raw[0], direction, version, special, after < end, listed)
