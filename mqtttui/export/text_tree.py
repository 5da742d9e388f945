"""A packet as an indented tree of text: what the inspector shows, on paper."""

from __future__ import annotations

from collections.abc import Iterator

from mqtttui.export.info import info
from mqtttui.export.mask import masked_dissection
from mqtttui.export.units import count_bytes
from mqtttui.protocol.enums import Severity
from mqtttui.protocol.fields import Dissection, Field, Note

_SIGNS = {Severity.CHAT: "·", Severity.NOTE: "·", Severity.WARN: "!", Severity.ERROR: "✗"}
_INDENT = "  "
_OFFSET = 6


def tree_text(dissection: Dissection, mask: bool = True, *, explain: bool = False, title: str = "") -> str:
    """`dissection` as lines joined by line feeds, visible text only. With `mask`, secrets are filler of equal length.

    The first line is `title` (or type, direction, version), size and Info; then one line a field with its byte offset,
    flags with their bits, and the notes under the field that they are about. `explain` adds what each field means.
    """
    shown = masked_dissection(dissection) if mask else dissection
    return "\n".join(_lines(shown, explain, title))


def _lines(dissection: Dissection, explain: bool, title: str) -> Iterator[str]:
    context = dissection.context
    kind = dissection.type.name if dissection.type is not None else "not a packet"
    yield title or f"{kind}  {context.direction.label}  MQTT {dissection.version.label}"
    yield f"{' ' * _OFFSET}  {info(dissection)}  ({count_bytes(len(dissection.raw))})"
    on_fields = {note for field in dissection.walk() for note in field.notes}
    for field in dissection.fields:
        yield from _field(field, 0, explain)
    for note in dissection.notes:
        if note not in on_fields:
            yield " " * (_OFFSET + 2) + note_line(note)


def _field(field: Field, depth: int, explain: bool) -> Iterator[str]:
    indent = _INDENT * depth
    if field.mask:
        offset, name = " " * _OFFSET, f"{field.bits}  {field.name}"
    else:
        offset = " " * _OFFSET if field.generated else f"{field.start:>{_OFFSET}}"
        name = f"[{field.name}]" if field.generated else field.name
    value = f": {field.display}" if field.display else ""
    means = f"  — {field.explanation}" if explain and field.explanation else ""
    yield f"{offset}  {indent}{name}{value}{means}"
    for note in field.notes:
        yield f"{' ' * _OFFSET}  {indent}{_INDENT}{note_line(note)}"
    for child in field.children:
        yield from _field(child, depth + 1, explain)


def note_line(note: Note) -> str:
    """`! warning C13: …`."""
    statement = f" [{note.statement}]" if note.statement else ""
    identifier = f" {note.id}" if note.id else ""
    return f"{_SIGNS[note.severity]} {note.severity.label}{identifier}: {note.text}{statement}"
