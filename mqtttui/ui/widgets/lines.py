"""Rows drawn on demand: the base of every list that has no bound.

Rules:
1. The widget keeps its own length, first visible row and cursor, and draws its own scrollbar. Nothing here sets
   `virtual_size`, which would lay the whole screen out again at every growth.
2. Cost follows the visible rows. Painting asks the subclass for one row at a time and computes nothing else.
3. The subclass decides what a row is; here it is an index from 0 to `row_count` - 1.
"""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.strip import Strip
from textual.widget import Widget

_WHEEL_ROWS = 3


class LineView(Widget, can_focus=True):
    """A scrolling list with a cursor. Subclasses give `row_count` and `row`."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "line--cursor",
        "line--cursor-blurred",
        "line--cursor-mark",
        "line--bar",
        "line--dimmed",
        "line--head",
    }
    HEAD_ROWS: ClassVar[int] = 0
    """Rows at the top that do not scroll (a line of column names)."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._top = 0
        self._cursor = 0
        self._dragging = False

    # What a subclass gives

    @property
    def row_count(self) -> int:
        """Number of rows now."""
        raise NotImplementedError

    def row(self, index: int, width: int) -> Strip:
        """The row at `index`, `width` cells wide; the cursor's colour is laid under it here."""
        raise NotImplementedError

    def head(self, y: int, width: int) -> Strip:
        """One of the `HEAD_ROWS` lines on top."""
        raise NotImplementedError

    def cursor_moved(self) -> None:
        """The person moved the cursor."""

    def row_activated(self) -> None:
        """The row under the cursor was double-clicked."""

    def scrolled(self) -> None:
        """The person scrolled without moving the cursor."""

    # State

    @property
    def cursor(self) -> int:
        """Index of the selected row."""
        return self._cursor

    @property
    def top(self) -> int:
        """Index of the first visible row."""
        return self._top

    @property
    def visible_rows(self) -> int:
        """Rows that fit."""
        return max(0, self.size.height - self.HEAD_ROWS)

    @property
    def last_row(self) -> int:
        """Index of the last row, 0 when there is none."""
        return max(0, self.row_count - 1)

    def place(self, *, top: int | None = None, cursor: int | None = None) -> None:
        """Set position and cursor from the program; both are kept within bounds. Nobody is told."""
        if cursor is not None:
            self._cursor = min(max(0, cursor), self.last_row)
        if top is not None:
            self._top = top
        self._top = min(max(0, self._top), max(0, self.row_count - self.visible_rows))
        self.refresh()

    def show_cursor(self) -> None:
        """Scroll by as little as it takes to see the cursor."""
        height = max(1, self.visible_rows)
        if self._cursor < self._top:
            self.place(top=self._cursor)
        elif self._cursor >= self._top + height:
            self.place(top=self._cursor - height + 1)
        else:
            self.place()

    def move_to(self, index: int) -> None:
        """Move the cursor as a person does: it becomes visible and `cursor_moved` is called."""
        self._cursor = min(max(0, index), self.last_row)
        self.show_cursor()
        self.cursor_moved()

    # Keys

    def action_up(self) -> None:
        """One row up."""
        self.move_to(self._cursor - 1)

    def action_down(self) -> None:
        """One row down."""
        self.move_to(self._cursor + 1)

    def action_page_up(self) -> None:
        """One page up."""
        self._page(-max(1, self.visible_rows - 1))

    def action_page_down(self) -> None:
        """One page down."""
        self._page(max(1, self.visible_rows - 1))

    def action_half_up(self) -> None:
        """Half a page up."""
        self._page(-max(1, self.visible_rows // 2))

    def action_half_down(self) -> None:
        """Half a page down."""
        self._page(max(1, self.visible_rows // 2))

    def action_first(self) -> None:
        """To the first row."""
        self.move_to(0)

    def action_last(self) -> None:
        """To the last row."""
        self.move_to(self.last_row)

    def _page(self, rows: int) -> None:
        # Cursor and view move together, so that the cursor keeps its place on the screen.
        self.place(top=self._top + rows)
        self.move_to(self._cursor + rows)

    # Mouse

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self._scroll(_WHEEL_ROWS)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self._scroll(-_WHEEL_ROWS)

    def _scroll(self, rows: int) -> None:
        before = self._top
        self.place(top=self._top + rows)
        if self._top != before:
            self.scrolled()

    def on_mouse_down(self, event: events.MouseDown) -> None:
        if event.button == 1 and self._has_bar and event.x == self.size.width - 1:
            self._dragging = True
            self.capture_mouse()
            self._drag_to(event.y)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._dragging:
            self._drag_to(event.y)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        if self._dragging:
            self._dragging = False
            self.release_mouse()

    def _drag_to(self, y: int) -> None:
        height = max(1, self.visible_rows - 1)
        share = min(1.0, max(0.0, (y - self.HEAD_ROWS) / height))
        self.place(top=round(share * max(0, self.row_count - self.visible_rows)))
        self.scrolled()

    def on_click(self, event: events.Click) -> None:
        if event.button != 1 or (self._has_bar and event.x == self.size.width - 1):
            return
        index = self._top + event.y - self.HEAD_ROWS
        if event.y < self.HEAD_ROWS or index >= self.row_count:
            return
        self.clicked(index, event.x)
        if event.chain == 2:
            self.row_activated()

    def clicked(self, index: int, x: int) -> None:
        """A row was clicked at column `x`."""
        self.move_to(index)

    def on_resize(self, event: events.Resize) -> None:
        self.resized()

    def resized(self) -> None:
        """The widget has a new size: keep the cursor visible if it was."""
        self.show_cursor()

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    # Painting

    @property
    def _has_bar(self) -> bool:
        return self.row_count > self.visible_rows > 0

    def style_of(self, name: str) -> Style:
        """What the style sheet says of a component class, without the background of the widget."""
        return self.get_component_rich_style(name, partial=True)

    def render_line(self, y: int) -> Strip:
        """One line of the screen."""
        return self.line(y).apply_style(self.rich_style)

    def line(self, y: int) -> Strip:
        """One line of the screen, without the widget's own colours."""
        width = self.size.width
        if y < self.HEAD_ROWS:
            return self.head(y, width).adjust_cell_length(width)
        bar = self._has_bar
        inner = width - 1 if bar else width
        index = self._top + y - self.HEAD_ROWS
        if index < self.row_count:
            strip = self.row(index, inner).adjust_cell_length(inner)
            if index == self._cursor:
                strip = strip.apply_style(self.style_of("line--cursor" if self.has_focus else "line--cursor-blurred"))
        else:
            strip = Strip.blank(inner)
        return Strip([*strip, self._bar_cell(y - self.HEAD_ROWS)], width) if bar else strip

    def _bar_cell(self, y: int) -> Segment:
        height, count = self.visible_rows, self.row_count
        thumb = max(1, round(height * height / count))
        start = round(self._top / max(1, count - height) * (height - thumb))
        return Segment("▐" if start <= y < start + thumb else " ", self.style_of("line--bar"))

    def cursor_mark(self, index: int) -> Segment:
        """The first cell of a row: says without colour which one is selected."""
        if index != self._cursor:
            return Segment(" ")
        return Segment("▌", self.style_of("line--cursor-mark" if self.has_focus else "line--dimmed"))
