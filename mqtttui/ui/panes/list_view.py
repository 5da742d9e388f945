"""A view that is a list with a summary above it and details of the selected row below: what such views have in common.

1. The list says what the person did; the view answers, for it knows log and followers.
2. The log is looked at again at most once in `REFRESH` seconds, however fast it grows, and once more when it has stopped.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.message import Message

from mqtttui.capture.log import Log
from mqtttui.ui.filtering import Filtering
from mqtttui.ui.panes.view import View
from mqtttui.ui.widgets.lines import LineView
from mqtttui.ui.widgets.text_block import TextBlock


class RowList(LineView):
    """The rows of a view. Subclasses give `opens` beside what LineView asks for."""

    HEAD_ROWS = 1

    @dataclass
    class Moved(Message):
        """Another row is selected."""

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, RowList.Moved)

    @dataclass
    class Asked(Message):
        """A key that the view answers: `what` is the word in the table of keys."""

        what: str

    @dataclass
    class Opened(Message):
        """The person wants to see the packet of a row."""

        number: int

    def __init__(self) -> None:
        super().__init__()
        self.empty = ""
        """What to say while there is no row."""

    @property
    def opens(self) -> int | None:
        """The packet of the selected row."""
        raise NotImplementedError

    def cursor_moved(self) -> None:
        self.post_message(self.Moved())

    def row_activated(self) -> None:
        self.action_open()

    def action_open(self) -> None:
        """The packet of this row."""
        if self.opens is not None:
            self.post_message(self.Opened(self.opens))

    def action_ask(self, what: str) -> None:
        """Let the view do it."""
        self.post_message(self.Asked(what))


class ListView(View):
    """Summary, rows, details. Subclasses give `look`, `show_detail` and `asked`."""

    REFRESH: ClassVar[float] = 0.5

    def __init__(self, log: Log, rows: RowList, *, id: str) -> None:
        super().__init__(id=id)
        self._log = log
        self._rows = rows
        self._filtering: Filtering | None = None
        self._looked = 0.0
        self._later = False
        """Another look is due."""
        self._detail = TextBlock(id=f"{id}-detail")
        self._summary = TextBlock(id=f"{id}-summary")

    def compose(self) -> ComposeResult:
        yield self._summary
        yield self._rows
        yield self._detail

    def on_mount(self) -> None:
        self._look()

    # What the main screen uses

    def grew(self) -> None:
        if time.monotonic() >= self._looked + self.REFRESH:
            self._look()
        elif not self._later:
            # Nothing more may come: the latest is shown all the same.
            self._later = True
            self.set_timer(self.REFRESH, self._look)

    def show_filter(self, filtering: Filtering) -> None:
        self._filtering = filtering
        self._look()

    def focus_list(self) -> None:
        self._rows.focus()

    # What a subclass gives

    def look(self) -> None:
        """Show how the log stands now."""
        raise NotImplementedError

    def show_detail(self) -> None:
        """Show more of the selected row."""
        raise NotImplementedError

    def asked(self, what: str) -> None:
        """The person wants something of the selected row."""
        raise NotImplementedError

    def _look(self) -> None:
        self._looked = time.monotonic()
        self._later = False
        self.look()

    # What the list says

    def on_row_list_moved(self, event: RowList.Moved) -> None:
        event.stop()
        self.show_detail()

    def on_row_list_opened(self, event: RowList.Opened) -> None:
        event.stop()
        self.post_message(self.GoTo(event.number))

    def on_row_list_asked(self, event: RowList.Asked) -> None:
        event.stop()
        self.asked(event.what)
