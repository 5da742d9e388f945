"""Rows of the log taken apart: the dissector's tree, and for rows that are no packets why they are none."""

from __future__ import annotations

from dataclasses import replace

from mqtttui.capture.records import Packet
from mqtttui.protocol.dissect import dissect
from mqtttui.protocol.enums import Severity
from mqtttui.protocol.fields import Context, Dissection, Note

FRAMING_CHECKS = ("A05", "A11", "A13")
"""Broken Remaining Length, incomplete packet, packet over the limit."""


def dissect_packet(packet: Packet) -> Dissection:
    """A row of the log, taken apart. Total. Rows that could not be framed have type None and a note that says why."""
    dissection = dissect(packet.raw, Context(packet.version, packet.direction, packet.resolved_topic))
    return unframed(dissection, packet.framing_error) if packet.framing_error else dissection


def unframed(dissection: Dissection, text: str) -> Dissection:
    """`dissection` of bytes that are no whole packet; its first note says why, in the framer's words `text`."""
    known = next((note for note in dissection.notes if note.id in FRAMING_CHECKS), None)
    # The dissector knows the place and the statement; of a limit that was set by the user it knows nothing.
    note = Note("A13", Severity.WARN, "", text, 0, 0) if known is None else replace(known, text=text)
    others = tuple(other for other in dissection.notes if other is not known)
    fields = tuple(
        replace(field, notes=tuple(note if each is known else each for each in field.notes)) if known in field.notes else field
        for field in dissection.fields
    )
    return replace(dissection, type=None, malformed=True, fields=fields, notes=(note, *others))
