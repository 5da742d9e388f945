"""What a row of the packet list says: its text, its columns, and its time in the format that is chosen."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip

from mqtttui.capture.log import Evicted, Head, Log, Origin
from mqtttui.ui.columns import USUAL, USUAL_OF_SEVERAL, Placed, place
from mqtttui.ui.row_text import Describe, RowText
from mqtttui.ui.times import WIDTH as TIME_WIDTH
from mqtttui.ui.times import TimeFormat, clock, elapsed
from mqtttui.ui.widgets.packet_row import Columns, StyleOf, chosen_head, chosen_segments, head_text, segments

if TYPE_CHECKING:
    from mqtttui.ui.column_values import ColumnValues

_CACHE = 4_000
"""Rows whose text is kept."""


class PacketPainter:
    """Paints rows of a list that is `cells` wide; `width` is what its scrollbar leaves of them."""

    def __init__(self, log: Log, describe: Describe, style_of: StyleOf) -> None:
        self.describe = describe
        self.chosen: tuple[str, ...] = ()
        """Names of the columns that the person has chosen; empty for what fits."""
        self.time_format = TimeFormat.LOCAL
        self._log = log
        self._style_of = style_of
        self._values: ColumnValues | None = None
        self._texts: OrderedDict[int, RowText] = OrderedDict()
        self._reference: int | None = None
        self._start: int | None = None
        self._counted = 0
        """Connections that were there when the names were looked at."""
        self._peers: frozenset[str] = frozenset()

    # What changes

    def grew(self) -> bool:
        """The log changed. Whether every row has to be painted again: of several peers, each row says its own."""
        log = self._log
        if self._start is None and log.last:
            self._start = log.head(next(log.numbers(1, log.last + 1))).mono
        if log.connection_count == self._counted:
            return False
        self._counted = log.connection_count
        self._peers = frozenset(info.peer for info in log.connections if info.origin is Origin.OWN)
        return True

    def forget(self) -> None:
        """Something about packets that were painted has changed: they are described again."""
        self._texts.clear()
        if self._values is not None:
            self._values.forget()

    # Columns

    @property
    def usual(self) -> tuple[str, ...]:
        """Names of the columns that are shown where nothing was chosen, if there is room."""
        return USUAL_OF_SEVERAL if len(self._peers) > 1 else USUAL

    def choose(self, names: tuple[str, ...], values: ColumnValues) -> None:
        """Show these columns (none: what fits); `values` gives what stands in them."""
        self.chosen, self._values = names, values

    # Times

    def next_time_format(self, number: int | None) -> None:
        """The next time format; if it needs a reference and there is none, packet `number` is it."""
        self.time_format = self.time_format.next
        if self.time_format is TimeFormat.REFERENCE and self._reference is None:
            self._reference = self._mono(number)

    def count_from(self, number: int | None) -> None:
        """Times count from packet `number`."""
        self._reference = self._mono(number)
        self.time_format = TimeFormat.REFERENCE

    # Painting

    def head(self, cells: int, width: int) -> Strip:
        """The line above the rows."""
        time_head = self.time_format.head
        words = (
            chosen_head(self._placed(cells), time_head, width) if self._own_choice else head_text(self._columns(cells), time_head, width)
        )
        return Strip([Segment(words, self._style_of("line--head"))])

    def row(self, no: int, above: int | None, mark: Segment, cells: int, width: int) -> Strip:
        """The row of packet `no`, with `above` in the row before; `mark` is that of the cursor."""
        try:
            head = self._log.head(no)
            text = self._text(no)
        except Evicted:
            return Strip([mark, Segment(f" {no:,} evicted", self._style_of("line--dimmed"))])
        time = self._time(above, head.mono, head.wall)
        if self._own_choice:
            value = self._value(no, text, time)
            return Strip([mark, *chosen_segments(head, text, self._placed(cells), value, width - 1, self._style_of)])
        columns = self._columns(cells)
        peer = self._peer_of(head) if columns.peer else ""
        return Strip([mark, *segments(no, head, text, time, columns, width - 1, self._style_of, peer)])

    def _columns(self, cells: int) -> Columns:
        """The same for head and rows, whether a scrollbar takes a cell or not."""
        return Columns.fitting(cells - 1, self._log.last, self._peer_cells)

    @property
    def _peer_cells(self) -> int:
        return max(cell_len(self._log.name_of_peer(id)) for id in self._peers) if len(self._peers) > 1 and not self.chosen else 0

    def _placed(self, cells: int) -> Sequence[Placed]:
        return place(self.chosen, room(cells), self._log.last)

    @property
    def _own_choice(self) -> bool:
        """The columns were chosen by the person."""
        return self.chosen not in ((), USUAL)

    def _peer_of(self, head: Head) -> str:
        return self._log.name_of_peer(self._log.connection(head.connection).peer)

    def _value(self, no: int, text: RowText, time: str) -> Callable[[str], str]:
        def value(name: str) -> str:
            if name == "number":
                return str(no)
            if name == "time":
                return time
            return self._values.text(no, name, final=text.final) if self._values is not None else ""

        return value

    def _time(self, above: int | None, mono: int, wall: int) -> str:
        match self.time_format:
            case TimeFormat.LOCAL:
                return clock(wall)
            case TimeFormat.UTC:
                return clock(wall, utc=True)
            case TimeFormat.REFERENCE:
                return elapsed(mono - (self._reference if self._reference is not None else mono))
            case TimeFormat.START:
                return elapsed(mono - (self._start if self._start is not None else mono))
            case TimeFormat.DELTA:
                before = self._mono(above)
                return elapsed(mono - before) if before is not None else " " * TIME_WIDTH

    def _mono(self, number: int | None) -> int | None:
        if number is None:
            return None
        try:
            return self._log.head(number).mono
        except Evicted:
            return None

    def _text(self, no: int) -> RowText:
        text = self._texts.get(no)
        if text is not None:
            self._texts.move_to_end(no)
            return text
        text = self.describe(no)
        if text.final:
            self._texts[no] = text
            if len(self._texts) > _CACHE:
                self._texts.popitem(last=False)
        return text


def room(cells: int) -> int:
    """Cells of a row for columns: without selection, mark and scrollbar."""
    return max(0, cells - 3)
