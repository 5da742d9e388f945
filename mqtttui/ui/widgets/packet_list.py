"""The packet list: one row a control packet, painted from the log, addressed by No.

Rules:
1. Top row and cursor are remembered as packet numbers. When rows appear or vanish above, the index moves with them and
   the screen stays as it is.
2. Following is the only thing that scrolls by itself. Moving, scrolling up and opening a packet end it; G and End resume it.
   It steps at most ten times a second, so that the details keep up and show the packet that is selected.
3. Pausing freezes what is shown; the log goes on.
4. A filter changes which rows there are, not where the person is: the selected packet stays selected and keeps its place on
   the screen if it passes, else the next one that does. While the filter is still being tested the cursor waits for it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

from rich.segment import Segment
from textual.message import Message
from textual.strip import Strip
from textual.timer import Timer

from mqtttui.capture.log import Log
from mqtttui.ui.bindings import bindings_for
from mqtttui.ui.content import fit
from mqtttui.ui.row_text import Describe
from mqtttui.ui.rows import Rows, Selection
from mqtttui.ui.times import TimeFormat
from mqtttui.ui.widgets.lines import LineView
from mqtttui.ui.widgets.packet_painter import PacketPainter, room
from mqtttui.ui.widgets.packet_row import STYLES

if TYPE_CHECKING:
    from mqtttui.ui.column_values import ColumnValues

_STEP = 0.1
"""Seconds between two steps to the newest packet."""


class Testing(Selection, Protocol):
    """A filter, and how far it has come. It goes through the packets in rising order."""

    @property
    def tested(self) -> int:
        """Packets that were tested."""

    @property
    def total(self) -> int:
        """The same with those that still will be."""


class PacketList(LineView):
    """The list of packets of a log."""

    SCOPE: ClassVar[str] = "packets"
    BINDINGS = bindings_for("packets")
    HEAD_ROWS = 1
    COMPONENT_CLASSES: ClassVar[set[str]] = {*STYLES}

    @dataclass
    class Highlighted(Message):
        """The packet under the cursor is another one now (None: the list is empty)."""

        number: int | None

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, PacketList.Highlighted)

    @dataclass
    class Opened(Message):
        """The person wants to look inside a packet."""

        number: int

    @dataclass
    class ViewChanged(Message):
        """Follow, pause, hiding or the number of waiting packets changed."""

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, PacketList.ViewChanged)

    @dataclass
    class Said(Message):
        """One line for the person about what a key did."""

        text: str

    def __init__(self, log: Log, describe: Describe, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._log = log
        self.painter = PacketPainter(log, describe, self.style_of)
        self._rows = Rows(log)
        self._selection: Testing | None = None
        self._follow = True
        self._stepped = 0.0
        self._next_step: Timer | None = None
        self._seen = 0
        self._cursor_no: int | None = None
        self._top_no = 1
        self._hides: list[int] = []
        self._pinned_no: int | None = None
        self._seeking: int | None = None
        """The row of the screen on which the selected packet is wanted while a filter is being tested; None: it is found."""
        self._empty_words = ""

    # State for others

    @property
    def selected(self) -> int | None:
        """No. of the packet under the cursor, None when the list is empty."""
        return self._cursor_no if len(self._rows) else None

    @property
    def following(self) -> bool:
        """New rows scroll into view."""
        return self._follow and not self.paused

    @property
    def paused(self) -> bool:
        """New packets are recorded but wait outside."""
        return self._rows.frozen_at is not None

    @property
    def unseen(self) -> int:
        """Packets newer than anything that was shown."""
        return self._rows.waiting if self.paused else self._rows.newer_than(self._seen)

    @property
    def hidden(self) -> int:
        """Kept packets that are hidden."""
        return self._rows.hidden

    @property
    def row_count(self) -> int:
        return len(self._rows)

    @property
    def filtered(self) -> bool:
        """The list shows what a filter selects."""
        return self._rows.selection is not None

    @property
    def rows(self) -> Rows:
        """What is shown, by index."""
        return self._rows

    def has(self, number: int) -> bool:
        """Whether packet `number` is among the rows."""
        return number in self._rows

    # Columns and times

    @property
    def time_format(self) -> TimeFormat:
        """What the time column shows."""
        return self.painter.time_format

    @property
    def chosen(self) -> tuple[str, ...]:
        """Names of the columns that the person has chosen; empty for what fits."""
        return self.painter.chosen

    @property
    def usual(self) -> tuple[str, ...]:
        """Names of the columns that are shown where nothing was chosen, if there is room."""
        return self.painter.usual

    def choose(self, names: tuple[str, ...], values: ColumnValues) -> None:
        """Show these columns (none: what fits; the usual ones: the same without names); `values` gives what stands in them."""
        self.painter.choose(names, values)
        self.refresh()

    # Filter

    def show_selection(self, selection: Testing | None, empty: str = "") -> None:
        """Show what a filter selects (None: everything); `empty` is said as long as that is nothing."""
        offset = self._cursor - self._top
        self._selection = self._rows.selection = selection
        self._empty_words = empty
        if self.following:
            self._to_newest()
        else:
            self._seeking = min(max(0, offset), max(0, self.visible_rows - 1))
            self._rows.refresh()
            self._restore()
        self.refresh()
        self.post_message(self.ViewChanged())

    def _seek(self) -> None:
        """Bring the selected packet, or the place where it would be, to its row of the screen."""
        assert self._seeking is not None
        wanted = self._cursor_no or 0
        self.place(cursor=self._rows.index(wanted))
        self.place(top=self._cursor - self._seeking)
        selection = self._selection
        if selection is None or selection.tested >= selection.total or selection.numbers[-1] >= wanted:
            self._seeking = None

    # Growth

    def grew(self) -> None:
        """The log changed: more packets, fewer, or other numbers. Cheap when nothing visible changed."""
        if self.following and len(self._rows) and time.monotonic() < self._stepped + _STEP:
            if self._next_step is None:
                self._next_step = self.set_timer(_STEP, self._step)
            return
        if self.painter.grew():
            self.refresh()
        before = len(self._rows)
        top_before = self._top_no
        self._rows.refresh()
        if self.following:
            self._to_newest()
        else:
            self._restore()
            bottom = self._rows.index(self._top_no) + self.visible_rows if len(self._rows) else 0
            if self.filtered or bottom >= before or self._top_no != top_before or len(self._rows) < before:
                self.refresh()
        self.post_message(self.ViewChanged())

    def _step(self) -> None:
        self._next_step = None
        self.grew()

    def forget(self) -> None:
        """Something about packets that are shown already has changed (unsent, answered): describe them again."""
        self.painter.forget()
        self.refresh()

    def _to_newest(self) -> None:
        self._rows.refresh()
        count = len(self._rows)
        self._stepped = time.monotonic()
        self._seen = self._log.last
        if not count:
            self._top = self._cursor = 0
            return
        self.place(cursor=count - 1, top=count - self.visible_rows)
        self._remember()
        self._tell()

    def _restore(self) -> None:
        """Indexes from the remembered numbers."""
        if not len(self._rows):
            self._top = self._cursor = 0
            return
        if self._seeking is not None:
            self._seek()
            if self._seeking is not None:
                return
        else:
            self._cursor = self._rows.index(self._cursor_no) if self._cursor_no is not None else 0
            top = self._rows.index(self._top_no)
            self._top = min(max(0, top), max(0, len(self._rows) - self.visible_rows))
        self._see()
        if self._cursor_no is None or self._cursor_no not in self._rows:
            self._remember()
            self._tell()

    def _remember(self) -> None:
        self._seeking = None
        if len(self._rows):
            self._cursor = min(self._cursor, len(self._rows) - 1)
            self._cursor_no = self._rows.number(self._cursor)
            self._top_no = self._rows.number(min(self._top, len(self._rows) - 1))
        elif not self.filtered:
            self._cursor_no = None

    def _see(self) -> None:
        bottom = min(self._top + self.visible_rows, len(self._rows)) - 1
        if bottom >= 0:
            self._seen = max(self._seen, self._rows.number(bottom))

    def _tell(self) -> None:
        self._keep_selected()
        self.post_message(self.Highlighted(self.selected))

    def _keep_selected(self) -> None:
        """The selected packet outlives its segment. While following it changes all the time and needs no pin."""
        wanted = None if self.following else self._cursor_no
        if wanted == self._pinned_no:
            return
        if self._pinned_no is not None:
            self._log.unpin(self._pinned_no)
        self._pinned_no = wanted if wanted is not None and self._log.pin(wanted) else None

    # Moves

    def place(self, *, top: int | None = None, cursor: int | None = None) -> None:
        super().place(top=top, cursor=cursor)
        if len(self._rows):
            self._top_no = self._rows.number(min(self._top, len(self._rows) - 1))

    def cursor_moved(self) -> None:
        self._stop_following()
        self._see()
        self._remember()
        self._tell()

    def scrolled(self) -> None:
        self._stop_following()
        self._see()
        self._keep_selected()
        self.post_message(self.ViewChanged())

    def resized(self) -> None:
        if self.following:
            self._to_newest()
        else:
            self.show_cursor()

    def row_activated(self) -> None:
        self.action_open()

    def _stop_following(self) -> None:
        if self._follow:
            self._follow = False
            self.post_message(self.ViewChanged())

    def go_to(self, number: int) -> bool:
        """Put the cursor on packet `number`, bringing back what is hidden if need be. False if it is not there, or filtered out."""
        if number not in self._rows and number in self._log:
            if number < self._rows.hidden_before:
                self._hides.append(self._rows.hidden_before)
                self._rows.hidden_before = number
            if self.paused and number > self._log.last - self._rows.waiting:
                self._rows.frozen_at = self._log.last
            self._rows.refresh()
        if number not in self._rows:
            return False
        self._stop_following()
        index = self._rows.index(number)
        if not self._top <= index < self._top + self.visible_rows:
            self.place(top=index - self.visible_rows // 2)
        self.move_to(index)
        return True

    def hold(self) -> None:
        """The person looks closer at the selected packet: following ends."""
        self._stop_following()
        self._keep_selected()

    # Actions

    def action_open(self) -> None:
        """Look inside the selected packet."""
        if self.selected is not None:
            self.hold()
            self.post_message(self.Opened(self.selected))

    def action_last(self) -> None:
        """To the newest packet, and follow."""
        self.action_follow()

    def action_follow(self) -> None:
        """Follow the newest packet; ends a pause."""
        self._rows.frozen_at = None
        self._follow = True
        self._to_newest()
        self.refresh()
        self.post_message(self.ViewChanged())

    def action_pause(self) -> None:
        """Stop showing new packets, or go on."""
        if self.paused:
            self._rows.frozen_at = None
            self.grew()
        else:
            self._rows.frozen_at = self._log.last
            self._seen = max(self._seen, self._log.last)
        self._keep_selected()
        self.post_message(self.ViewChanged())

    def action_hide_older(self) -> None:
        """Hide the packets above the selected one."""
        if self._cursor_no is None or not len(self._rows):
            return
        count = self._rows.index(self._cursor_no)
        if not count:
            self.post_message(self.Said("nothing above this packet to hide"))
            return
        self._hides.append(self._rows.hidden_before)
        self._rows.hidden_before = self._cursor_no
        self._after_hiding()
        self.post_message(self.Said(f"{count:,} older packets hidden; u brings them back"))

    def action_undo_hide(self) -> None:
        """Bring back what was hidden last."""
        if not self._hides:
            self.post_message(self.Said("nothing is hidden"))
            return
        before = len(self._rows)
        self._rows.hidden_before = self._hides.pop()
        self._after_hiding()
        self.post_message(self.Said(f"{len(self._rows) - before:,} packets are back"))

    def _after_hiding(self) -> None:
        offset = self._cursor - self._top
        self._rows.refresh()
        if self._cursor_no is not None and len(self._rows):
            index = self._rows.index(self._cursor_no)
            self.place(cursor=index, top=index - offset)
        self._remember()
        self.refresh()
        self.post_message(self.ViewChanged())

    def action_time_format(self) -> None:
        """The next time format."""
        self.painter.next_time_format(self._cursor_no)
        self.refresh()
        self.post_message(self.Said(f"times: {self.time_format.value}"))

    def action_time_reference(self) -> None:
        """Times count from the selected packet."""
        self.painter.count_from(self._cursor_no)
        self.refresh()
        self.post_message(self.Said(f"times count from packet {self._cursor_no:,}" if self._cursor_no else "no packet yet"))

    # Painting

    @property
    def cells(self) -> int:
        """Cells of a row for columns: without selection, mark and scrollbar."""
        return room(self.size.width)

    def head(self, y: int, width: int) -> Strip:
        return self.painter.head(self.size.width, width)

    def line(self, y: int) -> Strip:
        if y == self.HEAD_ROWS and self.filtered and not len(self._rows):
            words = Segment(fit(f"  {self._empty_words}", self.size.width), self.style_of("line--dimmed"))
            return Strip([words], self.size.width)
        return super().line(y)

    def row(self, index: int, width: int) -> Strip:
        above = self._rows.number(index - 1) if index else None
        return self.painter.row(self._rows.number(index), above, self.cursor_mark(index), self.size.width, width)
