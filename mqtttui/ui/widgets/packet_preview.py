"""A packet that has not been sent yet: its tree and bytes, to read."""

from __future__ import annotations

from collections.abc import Iterator

from mqtttui.protocol.dissect import dissect
from mqtttui.protocol.enums import Direction, Severity, Version
from mqtttui.protocol.fields import Context, Dissection, Field, Note
from mqtttui.ui.widgets.read_view import Line, ReadView, Span

_MOST_LINES = 400
_MOST_HEX = 1024
_WIDTH_OF_16 = 74
_MASKED = "**"


class PacketPreview(ReadView):
    """Shows `raw` dissected; secrets are masked in tree and bytes."""

    _found: Dissection | None = None

    def show(self, raw: bytes, version: Version) -> Dissection:
        """Dissect and show a packet to the broker."""
        found = dissect(raw, Context(version, Direction.C2S))
        self._found = found
        self._show()
        return found

    def on_resize(self) -> None:
        self._show()

    def _show(self) -> None:
        if self._found is None:
            return
        lines = list(_lines(self._found, 16 if self.size.width >= _WIDTH_OF_16 else 8))
        more: list[Line] = [[(f"{len(lines) - _MOST_LINES:,} more lines", "dim")]] if len(lines) > _MOST_LINES else []
        self.lines = [*lines[:_MOST_LINES], *more]

    def show_problem(self, field: str, text: str) -> None:
        """There is no packet yet, and why."""
        self._found = None
        self.lines = [[("no packet yet: ", "dim"), (f"{field}: {text}" if field else text, "error")]]


def _lines(found: Dissection, bytes_a_row: int) -> Iterator[Line]:
    name = found.type.name if found.type is not None else "packet"
    yield [(f"{name}, {len(found.raw):,} bytes", "name"), (", as it would leave", "dim")]
    for field in found.fields:
        yield from _field(field, 0)
    yield [("", "")]
    yield from _hex(found, bytes_a_row)


def _field(field: Field, depth: int, hidden: bool = False) -> Iterator[Line]:
    hidden = hidden or field.secret
    shown = f"({field.end - field.start} bytes, hidden)" if hidden and not field.children else "" if hidden else field.display
    spans: list[Span] = [("  " * depth, "")]
    if field.bits:
        spans.append((field.bits + "  ", "dim"))
    spans.append((field.name, "dim"))
    if shown:
        spans.append(("  " + shown, ""))
    yield spans
    for note in field.notes:
        yield note_line(note, depth + 1)
    for child in field.children:
        yield from _field(child, depth + 1, hidden)


def note_line(note: Note, depth: int = 0) -> Line:
    """A note of the dissector: sign, text, statement."""
    style = "error" if note.severity is Severity.ERROR else "warning" if note.severity is Severity.WARN else "dim"
    return [("  " * depth, ""), (f"{note.severity.label}: {note.text}", style), (f" [{note.statement}]" if note.statement else "", "dim")]


def _hex(found: Dissection, width: int) -> Iterator[Line]:
    hidden = bytearray(len(found.raw))
    for field in found.walk():
        if field.secret:
            hidden[field.start : field.end] = b"\1" * (field.end - field.start)
    for row in range(0, min(len(found.raw), _MOST_HEX), width):
        part = found.raw[row : row + width]
        cells = [_MASKED if hidden[row + at] else f"{byte:02x}" for at, byte in enumerate(part)]
        chars = "".join("*" if hidden[row + at] else chr(byte) if 32 <= byte < 127 else "." for at, byte in enumerate(part))
        halves = "  ".join(" ".join(cells[at : at + 8]) for at in range(0, len(cells), 8))
        yield [(f"{row:04x}  ", "dim"), (halves.ljust(width * 3 + width // 8), ""), (chars, "dim")]
    if len(found.raw) > _MOST_HEX:
        yield [(f"{len(found.raw) - _MOST_HEX:,} more bytes", "dim")]
