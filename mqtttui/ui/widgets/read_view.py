"""Lines to read, with scrolling: the price of a widget, not of its lines."""

from __future__ import annotations

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


class ReadView(ScrollView, can_focus=True):
    """Read-only lines; arrows and pages scroll."""

    COMPONENT_CLASSES = {"lines--dim", "lines--name", "lines--good", "lines--warning", "lines--error", "lines--chosen"}

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._lines: Sequence[Line] = ()

    @property
    def lines(self) -> Sequence[Line]:
        """What is shown."""
        return self._lines

    @lines.setter
    def lines(self, lines: Sequence[Line]) -> None:
        self._lines = lines
        width = max((sum(cell_len(text) for text, _ in line) for line in lines), default=0)
        size = Size(width, len(lines))
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
        if at >= len(self._lines):
            return Strip.blank(width, base)
        styles = {name: base + self.get_component_rich_style(f"lines--{name}", partial=True) for _, name in self._lines[at] if name}
        segments = [Segment(text, styles.get(name, base)) for text, name in self._lines[at]]
        left = self.scroll_offset.x
        return Strip(segments).crop_extend(left, left + width, base)
