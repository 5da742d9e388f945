"""The list of completions under the filter field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.segment import Segment
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip

from mqtttui.ui.content import fit
from mqtttui.ui.widgets.lines import LineView

if TYPE_CHECKING:
    from mqtttui.filters.complete import Completion

_MOST_ROWS = 10
_WIDTH = 72
_NAMES = 36
"""Cells of the left column."""


class Completions(LineView):
    """What could stand at the cursor, and what it means. It takes no focus: the field keeps it."""

    can_focus = False

    @dataclass
    class Clicked(Message):
        """A completion was clicked."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._items: Sequence[tuple[str, str]] = ()
        self.completion: Completion | None = None
        """What the items belong to."""

    @property
    def row_count(self) -> int:
        return len(self._items)

    @property
    def current(self) -> str | None:
        """The completion under the cursor."""
        return self._items[self.cursor][0] if self.cursor < len(self._items) else None

    def show(self, completion: Completion, items: Sequence[tuple[str, str]], screen: Size) -> None:
        """Other items; the first one is selected."""
        self.completion, self._items = completion, items
        self.styles.width = min(_WIDTH, screen.width - 2)
        self.styles.height = max(1, min(_MOST_ROWS, len(items), screen.height // 3))
        self.place(top=0, cursor=0)

    def clicked(self, index: int, x: int) -> None:
        self.place(cursor=index)
        self.post_message(self.Clicked())

    def row(self, index: int, width: int) -> Strip:
        insert, description = self._items[index]
        names = min(_NAMES, max(cell_len(item[0]) for item in self._items[self.top : self.top + self.visible_rows]), width - 2)
        room = width - 4 - names
        return Strip(
            [
                self.cursor_mark(index),
                Segment(" " + fit(insert, names)),
                Segment("  " + fit(description, room) if room > 8 else "", self.style_of("line--dimmed")),
            ]
        )
