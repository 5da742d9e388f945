"""The bytes of one packet: offset, hexadecimal, ASCII. The bytes of the selected field are highlighted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.message import Message
from textual.strip import Strip

from mqtttui.ui.bindings import bindings_for
from mqtttui.ui.widgets.lines import LineView

_MASKED = "··"


class HexView(LineView):
    """A hex view over bytes of any length; costs what is visible."""

    SCOPE: ClassVar[str] = "bytes"
    BINDINGS = bindings_for("bytes")
    COMPONENT_CLASSES: ClassVar[set[str]] = {"bytes--offset", "bytes--field", "bytes--cursor", "bytes--ascii", "bytes--secret"}

    @dataclass
    class OffsetSelected(Message):
        """The cursor stands on another byte."""

        offset: int

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, HexView.OffsetSelected)

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._raw: bytes = b""
        self._field: tuple[int, int] = (0, 0)
        self._secrets: Sequence[tuple[int, int]] = ()
        self._offset = 0

    @property
    def columns(self) -> int:
        """Bytes a row: 16, or 8 where 16 do not fit."""
        return 16 if self.size.width >= width_for(16) else 8

    @property
    def row_count(self) -> int:
        return (len(self._raw) + self.columns - 1) // self.columns

    @property
    def offset_selected(self) -> int:
        """Offset of the byte under the cursor."""
        return self._offset

    def show(self, raw: bytes, secrets: Sequence[tuple[int, int]] = ()) -> None:
        """Show other bytes; spans in `secrets` stay masked."""
        self._raw = raw
        self._secrets = tuple(secrets)
        self._field = (0, 0)
        self._offset = 0
        self.place(top=0, cursor=0)

    def highlight(self, start: int, end: int) -> None:
        """Highlight the bytes of a field and bring them into view; an empty span highlights nothing."""
        self._field = (start, end)
        if end > start:
            self._offset = start
            first, last = start // self.columns, (end - 1) // self.columns
            self.place(cursor=first)
            if last >= self.top + self.visible_rows:
                self.place(top=min(first, last - self.visible_rows + 1) if last - first < self.visible_rows else first)
            self.show_cursor()
        self.refresh()

    def highlight_around(self, start: int, end: int) -> None:
        """Highlight the bytes of a field; the cursor stays where it is."""
        self._field = (start, end)
        self.refresh()

    def resized(self) -> None:
        self.place(cursor=self._offset // self.columns)
        self.show_cursor()

    # Moves

    def move_to(self, index: int) -> None:
        column = self._offset % self.columns
        index = min(max(0, index), self.last_row)
        self._go(index * self.columns + column)

    def action_left(self) -> None:
        """One byte back."""
        self._go(self._offset - 1)

    def action_right(self) -> None:
        """One byte on."""
        self._go(self._offset + 1)

    def action_first(self) -> None:
        """To the first byte."""
        self._go(0)

    def action_last(self) -> None:
        """To the last byte."""
        self._go(len(self._raw) - 1)

    def clicked(self, index: int, x: int) -> None:
        columns = self.columns
        start = self._digits + 3
        hex_cells = columns * 3 + columns // 8
        if x >= start + hex_cells:
            column = x - start - hex_cells
        else:
            cell = x - start
            column = (cell - cell // 25) // 3
        self._go(index * columns + min(max(0, column), columns - 1))

    def _go(self, offset: int) -> None:
        if not self._raw:
            return
        self._offset = min(max(0, offset), len(self._raw) - 1)
        self.place(cursor=self._offset // self.columns)
        self.show_cursor()
        self.post_message(self.OffsetSelected(self._offset))

    # Painting

    @property
    def _digits(self) -> int:
        return max(4, len(f"{max(0, len(self._raw) - 1):x}"))

    def row(self, index: int, width: int) -> Strip:
        columns = self.columns
        start = index * columns
        chunk = self._raw[start : start + columns]
        segments = [Segment(f" {start:0{self._digits}x}  ", self.style_of("bytes--offset"))]
        texts: list[Segment] = []
        field, cursor = self.style_of("bytes--field"), self.style_of("bytes--cursor")
        ascii_style, secret = self.style_of("bytes--ascii"), self.style_of("bytes--secret")
        low, high = self._field
        for at in range(columns):
            offset = start + at
            gap = " " if at % 8 == 7 and at + 1 < columns else ""
            if at >= len(chunk):
                segments.append(Segment("   " + gap))
                continue
            masked = any(first <= offset < last for first, last in self._secrets)
            inside = low <= offset < high
            style = field if inside else Style.null()
            if offset == self._offset and (self.has_focus or inside):
                style = cursor if self.has_focus else field
            joined = inside and offset + 1 < high and at + 1 < columns
            segments.append(Segment(_MASKED if masked else f"{chunk[at]:02x}", style + secret if masked else style))
            segments.append(Segment(" " + gap, field if joined else None))
            char = "·" if masked else _ascii(chunk[at])
            texts.append(Segment(char, style if style else (secret if masked else ascii_style)))
        segments.append(Segment(" "))
        return Strip([*segments, *texts])

    def line(self, y: int) -> Strip:
        # The cursor is a byte here, not a row: the base class would colour the whole line.
        width = self.size.width
        bar = self._has_bar
        index = self.top + y
        strip = self.row(index, width - bar) if index < self.row_count else Strip.blank(width - bar)
        strip = strip.adjust_cell_length(width - bar)
        return Strip([*strip, self._bar_cell(y)], width) if bar else strip


def width_for(columns: int) -> int:
    """Cells that a row of so many bytes takes, scrollbar included."""
    return 7 + columns * 3 + columns // 8 - 1 + 1 + columns + 1


def _ascii(byte: int) -> str:
    return chr(byte) if 0x20 <= byte < 0x7F else "."
