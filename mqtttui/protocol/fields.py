"""The tree that dissection gives: fields with spans, values, explanations and notes.

Spans are half-open byte offsets in the control packet. A field with a `mask` is a group of bits of its parent's byte; it
shares that byte with its siblings. The fields without a mask and without unmasked children are the leaves: their spans
tile the packet without gap or overlap. Generated fields stand for what is not on the wire and have an empty span.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mqtttui.protocol.enums import Direction, PacketType, Severity, Version

Value = int | str | bytes | bool | None


@dataclass(frozen=True, slots=True)
class Note:
    """A finding on a field."""

    id: str
    """Check id, `B06`."""
    severity: Severity
    statement: str
    """Statement number of the standard in force (`MQTT-3.3.2-2`, or a section `§4.7.2`), several joined by `, `."""
    text: str
    """One sentence for a person; wire text in it is already visible text."""
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a control packet."""

    name: str
    """The standard's name, `Packet Identifier`."""
    filter: str
    """Wireshark's filter name (`mqtt.msgid`), or empty where it has none."""
    start: int
    end: int
    value: Value = None
    """What a filter compares: numbers, booleans, bytes, or str (undecodable bytes as `\\xNN`, other backslashes as they are)."""
    display: str = ""
    """What a person reads; already visible text (`at least once (1)`)."""
    mask: int = 0
    """Bit mask within the parent's byte; 0 for whole bytes."""
    explanation: str = ""
    """One line for a person who debugs."""
    section: str = ""
    """Section of the standard, `3.1.2.3`."""
    secret: bool = False
    """Masked on screen and in files that the app writes."""
    generated: bool = False
    """Not on the wire (a topic resolved from its alias)."""
    children: tuple[Field, ...] = ()
    notes: tuple[Note, ...] = ()
    byte: int | None = None
    """For a masked field: the whole byte that it is a part of."""
    more: int = 0
    """How many repeated items this one node stands for; `dissect_more` opens it in slices."""

    @property
    def bits(self) -> str:
        """The bit picture `.... .01.` of a masked field, empty for others."""
        if not self.mask:
            return ""
        byte = self.byte
        if byte is None:
            shift = (self.mask & -self.mask).bit_length() - 1
            byte = (int(self.value) if isinstance(self.value, int) else 0) << shift
        cells = ["." if not self.mask >> bit & 1 else str(byte >> bit & 1) for bit in range(7, -1, -1)]
        return "".join(cells[:4]) + " " + "".join(cells[4:])

    def walk(self) -> Iterator[Field]:
        """This field and everything below it, in packet order."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True, slots=True)
class Context:
    """What is known about a packet beside its bytes."""

    version: Version
    direction: Direction
    resolved_topic: bytes | None = None
    """For a PUBLISH whose topic is empty: the topic that its alias stood for, or None if unknown."""


@dataclass(frozen=True, slots=True)
class Dissection:
    """A whole control packet, taken apart."""

    raw: bytes
    context: Context
    type: PacketType | None
    """None for what could not be framed."""
    version: Version
    """The version that the packet was read by: its own for CONNECT with a known level, else the context's."""
    fields: tuple[Field, ...]
    notes: tuple[Note, ...]
    """Every note of the tree in packet order (they stand on their fields as well)."""
    malformed: bool
    """A length, string or structure did not hold: some bytes are `Undecoded`."""

    def walk(self) -> Iterator[Field]:
        """Every field in packet order."""
        for field in self.fields:
            yield from field.walk()

    def first(self, name: str) -> Field | None:
        """The first field whose filter name is `name`."""
        return next((field for field in self.walk() if field.filter == name), None)

    @property
    def worst(self) -> Severity | None:
        """The highest severity among the notes."""
        return max((note.severity for note in self.notes), default=None)
