"""The lines of a form: labels, values, choices and the notes below them. `Form` drives it."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from mqtttui.ui.forms.rows import ON, OPEN, Kind, Row

_GUTTER = 3
_CHECK = 4
_LONGEST_FIELD = 56
_SHORTEST_FIELD = 10
_DOT = "*"


@dataclass(frozen=True, slots=True)
class _Line:
    row: int
    part: str
    """`main`, `error`, `warning`, `help` or `note`."""
    text: str = ""


class FormRows(Widget, can_focus=True):
    """Draws the rows of a form."""

    COMPONENT_CLASSES = {
        "form--label",
        "form--value",
        "form--field",
        "form--dim",
        "form--chosen",
        "form--section",
        "form--error",
        "form--warning",
        "form--cursor",
    }

    @dataclass
    class Clicked(Message):
        """A row was clicked; `choice` when the click hit one of its choices."""

        row: str
        choice: str | None

    def __init__(self, label_width: int) -> None:
        super().__init__()
        self.rows: Sequence[Row] = ()
        self.selected = ""
        self._label_width = label_width
        self._lines: list[_Line] = []
        self._width = 60

    @property
    def selectable(self) -> list[Row]:
        """The rows where the cursor stops."""
        return [row for row in self.rows if row.selectable]

    def row(self, id: str) -> Row | None:
        """The row with this id."""
        return next((row for row in self.rows if row.id == id), None)

    def show(self, rows: Sequence[Row]) -> None:
        """Show these rows; the cursor stays where it was, or as near as can be."""
        if rows == self.rows:
            return
        at = next((index for index, row in enumerate(self.rows) if row.id == self.selected), 0)
        self.rows = tuple(rows)
        if self.row(self.selected) is None:
            near = [row for row in self.rows[at:] if row.selectable] or self.selectable[-1:]
            self.selected = near[0].id if near else ""
        self.relayout()

    def select(self, row: str) -> None:
        """Move the cursor."""
        self.selected = row
        self.relayout()

    def relayout(self) -> None:
        """Lay the lines out again after rows, cursor, focus or width have changed."""
        before = len(self._lines)
        self._lines = self._laid_out(self._width)
        self.refresh(layout=len(self._lines) != before)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """One line a row, and those of its error, warning and help."""
        if width != self._width:
            self._width = width
            self._lines = self._laid_out(width)
        return len(self._lines)

    def row_region(self, row: str) -> Region | None:
        """All lines of a row."""
        lines = [y for y, line in enumerate(self._lines) if self.rows[line.row].id == row]
        return Region(0, lines[0], max(1, self._width), len(lines)) if lines else None

    def field_region(self, row: str) -> Region | None:
        """Where the editor of a row goes."""
        region, found = self.row_region(row), self.row(row)
        if region is None or found is None:
            return None
        return Region(self._value_x + (_CHECK if found.check else 0), region.y, self._field_width(found), 1)

    def render_line(self, y: int) -> Strip:
        """One line."""
        if y >= len(self._lines):
            return Strip.blank(self._width, self.rich_style)
        line = self._lines[y]
        row = self.rows[line.row]
        base = self.rich_style
        if self._has_cursor(row) and line.part == "main":
            base = self.get_component_rich_style("form--cursor")
        segments = self._main(row, base) if line.part == "main" else [self._note(line, base)]
        return Strip(segments).adjust_cell_length(self._width, base)

    def on_click(self, event: events.Click) -> None:
        if not 0 <= event.y < len(self._lines):
            return
        event.stop()
        row = self.rows[self._lines[event.y].row]
        if row.selectable:
            self.post_message(self.Clicked(row.id, self._choice_at(row, event.x)))

    # ---------------------------------------------------------------- inside

    def _has_cursor(self, row: Row) -> bool:
        return row.id == self.selected and self.parent is not None and isinstance(self.parent, Widget) and self.parent.has_focus_within

    @property
    def _value_x(self) -> int:
        return _GUTTER + self._label_width

    def _field_width(self, row: Row) -> int:
        room = self._width - self._value_x - 1 - (cell_len(row.unit) + 1 if row.unit else 0) - (_CHECK if row.check else 0)
        return max(_SHORTEST_FIELD, min(room, row.width or _LONGEST_FIELD))

    def _laid_out(self, width: int) -> list[_Line]:
        room = max(20, width - _GUTTER - 4)
        out: list[_Line] = []
        for index, row in enumerate(self.rows):
            if row.kind is Kind.NOTE:
                out.extend(_Line(index, "note", part) for part in textwrap.wrap(row.label, max(20, width - _GUTTER - 1)) or [""])
                continue
            out.append(_Line(index, "main"))
            for part, words in (("error", row.error), ("warning", row.warning)):
                if words:
                    sign = "!!" if part == "error" else "! "
                    out.extend(
                        _Line(index, part, f"{sign if first else '  '} {text}") for first, text in _numbered(textwrap.wrap(words, room - 3))
                    )
            if row.help and self._has_cursor(row):
                out.extend(_Line(index, "help", f"   {text}") for text in textwrap.wrap(row.help, room - 3))
        return out

    def _main(self, row: Row, base: Style) -> list[Segment]:
        def style(name: str) -> Style:
            return base + self.get_component_rich_style(f"form--{name}", partial=True)

        cursor = ">" if self._has_cursor(row) else " "
        sign = " " if row.kind is not Kind.SECTION else "-" if row.value == OPEN else "+"
        gutter = Segment(f"{cursor}{sign} ", base)
        label = "  " * row.indent + row.label
        if row.kind is Kind.SECTION:
            wide = set_cell_size(label, self._label_width - 1) + " "
            return [gutter, Segment(wide, style("section")), Segment(row.summary, style("dim"))]
        if row.kind is Kind.ACTION:
            return [gutter, Segment("  " * row.indent, base), Segment(f"[ {row.label} ]", style("chosen")),
                    Segment(f"  {row.summary}", style("dim"))]  # fmt: skip
        out = [gutter, Segment(set_cell_size(label, self._label_width - 1) + " ", style("label"))]
        match row.kind:
            case Kind.TOGGLE:
                on = row.value == ON
                out.append(Segment("[x]" if on else "[ ]", style("chosen" if on else "dim")))
                out.append(Segment(f" {row.summary}", style("dim")))
            case Kind.CHOICE:
                for text, chosen in self._choices(row):
                    out.append(Segment(text, style("chosen" if chosen else "dim")))
                out.append(Segment(f" {row.summary}" if row.summary else "", style("dim")))
            case _:
                if row.check:
                    out.append(Segment("[x] " if row.check == ON else "[ ] ", style("chosen" if row.check == ON else "dim")))
                width = self._field_width(row)
                shown = _DOT * len(row.value) if row.kind is Kind.SECRET else row.value
                field = shown or row.placeholder
                if cell_len(field) > width:
                    field = set_cell_size(field, width - 1) + "…"
                field_style = style("field")
                if not shown:
                    field_style = field_style + self.get_component_rich_style("form--dim", partial=True)
                out.append(Segment(set_cell_size(field, width), field_style))
                if row.unit:
                    out.append(Segment(f" {row.unit}", style("dim")))
        return out

    def _choices(self, row: Row) -> list[tuple[str, bool]]:
        parts = [(f"[{choice}]" if choice == row.value else f" {choice} ", choice == row.value) for choice in row.choices]
        if sum(cell_len(text) for text, _ in parts) > self._width - self._value_x:
            return [(f"< {row.value} >", True)]
        return parts

    def _choice_at(self, row: Row, x: int) -> str | None:
        if row.check:
            return row.check if self._value_x <= x < self._value_x + _CHECK else None
        if row.kind is not Kind.CHOICE:
            return None
        at = self._value_x
        for (text, _), choice in zip(self._choices(row), row.choices, strict=False):
            if at <= x < at + cell_len(text) and len(self._choices(row)) == len(row.choices):
                return choice
            at += cell_len(text)
        return None

    def _note(self, line: _Line, base: Style) -> Segment:
        names = {"error": "form--error", "warning": "form--warning"}
        style = self.get_component_rich_style(names.get(line.part, "form--dim"), partial=True)
        return Segment(" " * _GUTTER + line.text, base + style)


def _numbered(lines: list[str]) -> list[tuple[bool, str]]:
    return [(index == 0, line) for index, line in enumerate(lines)]
