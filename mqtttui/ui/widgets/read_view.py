"""Lines to read, with scrolling: the price of a widget, not of its lines."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rich.cells import cell_len
from rich.segment import Segment
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

Span = tuple[str, str]
"""Visible text and what it is: empty, `dim`, `name`, `good`, `warning`, `error` or `chosen`."""

Line = Sequence[Span]


_THEME = {
    "dim": "$dimmed",
    "name": "bold",
    "good": "$state-good",
    "warning": "$state-warn",
    "error": "$state-bad",
    "chosen": "bold $primary",
}


_HANGING = "   "
"""Stands before what a wrapped line continues with."""


class ReadView(ScrollView, can_focus=True):
    """Read-only lines; arrows and pages scroll."""

    COMPONENT_CLASSES = {"lines--dim", "lines--name", "lines--good", "lines--warning", "lines--error", "lines--chosen"}

    def __init__(self, *, wrap: bool = False, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._lines: Sequence[Line] = ()
        self._wrap = wrap
        self._rows: Sequence[Line] = ()
        """The lines as they are drawn."""

    @property
    def lines(self) -> Sequence[Line]:
        """What is shown."""
        return self._lines

    @lines.setter
    def lines(self, lines: Sequence[Line]) -> None:
        self._lines = lines
        self._lay_out()

    def on_resize(self) -> None:
        if self._wrap:
            self._lay_out()

    def _lay_out(self) -> None:
        room = self.scrollable_content_region.width
        rows = [row for line in self._lines for row in wrapped(line, room)] if self._wrap and room else self._lines
        self._rows = rows
        width = 0 if self._wrap else max((sum(cell_len(text) for text, _ in line) for line in rows), default=0)
        size = Size(width, len(rows))
        if size != self.virtual_size:
            self.virtual_size = size
        self.refresh()

    @property
    def text(self) -> str:
        """The lines as plain text."""
        return "\n".join("".join(text for text, _ in line) for line in self._lines)

    @staticmethod
    def style_of(name: str) -> str:
        """The style for `Content` that looks like a span of this kind."""
        return _THEME.get(name, "")

    def render_line(self, y: int) -> Strip:
        """One line of the window."""
        width = self.scrollable_content_region.width
        base = self.rich_style
        at = y + self.scroll_offset.y
        if at >= len(self._rows):
            return Strip.blank(width, base)
        styles = {name: base + self.get_component_rich_style(f"lines--{name}", partial=True) for _, name in self._rows[at] if name}
        segments = [Segment(text, styles.get(name, base)) for text, name in self._rows[at]]
        left = self.scroll_offset.x
        return Strip(segments).crop_extend(left, left + width, base)


def wrapped(line: Line, width: int) -> list[Line]:
    """The line in rows of at most `width` cells, broken between words where there are any; what continues is indented."""
    rows: list[list[Span]] = [[]]
    used = 0
    for words, name in line:
        for word in re.findall(r"\S+\s*|\s+", words):
            rest = word
            while rest:
                fits = cell_len(rest.rstrip()) <= width - used
                if not fits and used > len(_HANGING):
                    rows.append([(_HANGING, "")])
                    used = len(_HANGING)
                    continue
                part = rest if fits else _head(rest, max(1, width - used))
                rows[-1].append((part, name))
                used += cell_len(part)
                rest = rest[len(part) :]
    return list(rows)


def _head(words: str, cells: int) -> str:
    """As many characters as `cells` hold, at least one."""
    for length in range(1, len(words)):
        if cell_len(words[: length + 1]) > cells:
            return words[:length]
    return words
