"""What followed on the connection after something was sent by hand: a short live list, times counted from the sending."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from textual.message import Message
from textual.strip import Strip

from mqtttui.capture.log import Evicted, Log
from mqtttui.protocol.enums import Direction
from mqtttui.ui.bindings import bindings_for
from mqtttui.ui.content import fit
from mqtttui.ui.row_text import Describe
from mqtttui.ui.widgets.lines import LineView
from mqtttui.ui.widgets.packet_row import ARROWS

_MOST = 500
"""So many packets are listed; all of them stand in the packet list."""
_BUDGET = 2_000
_TIME_CELLS = 12


class FollowedList(LineView):
    """The packets of one connection from one moment on."""

    SCOPE: ClassVar[str] = "followed"
    BINDINGS = bindings_for("followed")
    HEAD_ROWS = 1
    COMPONENT_CLASSES: ClassVar[set[str]] = {"followed--in", "followed--out", "followed--warn", "followed--end"}

    @dataclass
    class Opened(Message):
        """The person wants to see a packet in the packet list."""

        number: int

    def __init__(self, log: Log, describe: Describe, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._log = log
        self._describe = describe
        self._numbers: list[int] = []
        self._position = 0
        self._connection: int | None = None
        self._start = 0
        self._end = ""

    @property
    def row_count(self) -> int:
        return len(self._numbers) + bool(self._end)

    @property
    def numbers(self) -> tuple[int, ...]:
        """The packets that are listed."""
        return tuple(self._numbers)

    @property
    def end(self) -> str:
        """How the connection ended, or that there is more; empty while neither is so."""
        return self._end

    @property
    def watching(self) -> bool:
        """There is a moment to count from."""
        return self._connection is not None

    def forget(self) -> None:
        """List nothing until `watch_connection`."""
        self._connection, self._end = None, ""
        self._numbers.clear()
        self.place(top=0, cursor=0)
        self.refresh()

    def watch_connection(self, connection: int, after: int, start: int) -> None:
        """List what connection `connection` has beyond packet `after`; times count from `start` (monotonic ns)."""
        self.forget()
        self._connection, self._position, self._start = connection, after, start
        self.look()

    def look(self) -> None:
        """Take in what came since."""
        if self._connection is None or self._end:
            return
        before = self.row_count
        for span in self._log.spans(self._position, _BUDGET):
            connections = span.segment.connections
            own = [span.segment.first + at for at in range(span.start, span.stop) if connections[at] == self._connection]
            self._numbers += own[: _MOST - len(self._numbers)]
            self._position = span.segment.first + span.stop - 1
        closed = self._log.connection(self._connection)
        if len(self._numbers) >= _MOST:
            self._end = "more follow: see the packet list"
        elif closed.closed is not None and self._position >= self._log.last:
            self._end = f"{_since(closed.closed - self._start)}  connection over: {closed.close_reason}"
        if self.row_count != before:
            self.refresh()

    def action_open(self) -> None:
        """Show the packet in the packet list."""
        if self.cursor < len(self._numbers):
            self.post_message(self.Opened(self._numbers[self.cursor]))

    def row_activated(self) -> None:
        self.action_open()

    def head(self, y: int, width: int) -> Strip:
        words = "What follows stands here once something was sent"
        if self._connection is not None:
            count = len(self._numbers)
            words = f"What followed: {count:,} packet{'' if count == 1 else 's'}"
            words += f" · {self._end.strip()}" if self._end and self.row_count > self.visible_rows else ""
        return Strip([Segment(fit(f" {words}", width), self.style_of("line--head"))])

    def row(self, index: int, width: int) -> Strip:
        mark = self.cursor_mark(index)
        if index >= len(self._numbers):
            return Strip([mark, Segment(fit(self._end, width - 1), self.style_of("followed--end"))])
        number = self._numbers[index]
        try:
            head, text = self._log.head(number), self._describe(number)
        except Evicted:
            return Strip([mark, Segment(fit(f"packet {number:,} was evicted", width - 1), self.style_of("line--dimmed"))])
        side = self.style_of("followed--in" if head.direction is Direction.S2C else "followed--out")
        words = "  ".join(part for part in (text.topic, text.rest) if part)
        segments = [
            mark,
            Segment(_since(head.mono - self._start) + " ", self.style_of("line--dimmed")),
            Segment(f"{ARROWS[head.direction]} {fit(text.type, 11)} ", side),
            Segment(fit(text.packet_id, 6) + " "),
        ]
        room = width - sum(segment.cell_length for segment in segments)
        remark = f"  {text.remark}" if text.remark and room > 3 * len(text.remark) else ""
        segments.append(Segment(fit(words, room - len(remark))))
        return Strip([*segments, Segment(remark, self.style_of("followed--warn"))])


def _since(ns: int) -> str:
    """`+12.3 ms`, right-aligned."""
    if abs(ns) < 10_000_000_000:
        return f"{ns / 1e6:+,.1f} ms".rjust(_TIME_CELLS)
    return f"{ns / 1e9:+,.1f} s".rjust(_TIME_CELLS)
