"""The operations view: one row an operation (what was asked, what came of it, how long it took), open ones first.

Rules:
1. At the top of the list new operations come in above, and the list says how many there are. Anywhere else the list stands
   still, so that nothing moves under the cursor; states and ages go on. `g` goes back to the top.
2. With a filter the operations of the packets that it selects are shown, of the newest ones if they are very many.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from textual.strip import Strip

from mqtttui.analysis.operation import Operation, OpState
from mqtttui.analysis.operations import Operations
from mqtttui.capture.log import Log, Origin
from mqtttui.export.markdown import operation_markdown
from mqtttui.protocol.enums import Direction
from mqtttui.ui.bindings import bindings_for
from mqtttui.ui.content import fit, grouped, join
from mqtttui.ui.filtering import Filtering
from mqtttui.ui.operation_rows import OperationText, direction_words, in_flight_text, operation_text
from mqtttui.ui.panes.list_view import ListView, RowList
from mqtttui.ui.times import WIDTH as TIME_WIDTH
from mqtttui.ui.times import clock
from mqtttui.ui.widgets.packet_row import ARROWS

_MOST = 10_000
"""Rows that are listed."""
_SELECTED = 20_000
"""Packets of a filter that are looked at, the newest ones."""
_MEDIUM = 72
_STATE, _WHAT, _TIME = 6, 13, 9


class OperationList(RowList):
    """The rows."""

    SCOPE: ClassVar[str] = "operations"
    BINDINGS = bindings_for(SCOPE)
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "operations--in",
        "operations--out",
        "operations--good",
        "operations--late",
        "operations--bad",
    }

    def __init__(self, log: Log, operations: Operations) -> None:
        super().__init__()
        self._log = log
        self._operations = operations
        self._starts: Sequence[int] = ()

    @property
    def row_count(self) -> int:
        return len(self._starts)

    @property
    def starts(self) -> Sequence[int]:
        """First packets of the rows."""
        return self._starts

    @property
    def current(self) -> int | None:
        """First packet of the selected operation."""
        return self._starts[self.cursor] if self.cursor < len(self._starts) else None

    @property
    def opens(self) -> int | None:
        """The first packet of the operation."""
        return self.current

    @property
    def still(self) -> bool:
        """The person is somewhere in the list, which therefore stays as it is."""
        return self.cursor > 0 or self.top > 0

    def show(self, starts: Sequence[int]) -> None:
        """Other rows."""
        self._starts = starts
        self.place()

    def now(self) -> int:
        """The time against which open operations age: of a file, that of its last packet."""
        last = self._log.last
        if not last:
            return time.monotonic_ns()
        head = self._log.head(last)
        live = self._log.connection(head.connection).origin is not Origin.FILE
        return time.monotonic_ns() if live else head.mono

    def operation(self, start: int) -> tuple[Operation, OperationText] | None:
        """A row as value and words; None if nothing of it is left."""
        found = self._operations.operation(start, self.now())
        if found is None:
            return None
        return found, operation_text(found, self._log.version(found.connection, start))

    # Painting

    def head(self, y: int, width: int) -> Strip:
        if not self._starts:
            return Strip([Segment(fit(f" {self.empty}", width), self.style_of("line--dimmed"))])
        columns = f"{'No.':>7} {fit('Time', TIME_WIDTH)} " if width >= _MEDIUM else ""
        heads = f"  {columns}⇄ {fit('State', _STATE)} {fit('What', _WHAT)} {'Took':>{_TIME}}  Topic and result"
        return Strip([Segment(fit(heads, width), self.style_of("line--head"))])

    def row(self, index: int, width: int) -> Strip:
        start = self._starts[index]
        mark = self.cursor_mark(index)
        found = self.operation(start)
        if found is None:
            return Strip([mark, Segment(f" #{start:,} is not kept any more", self.style_of("line--dimmed"))])
        operation, words = found
        dim = self.style_of("line--dimmed")
        side = self.style_of("operations--out" if operation.direction is Direction.C2S else "operations--in")
        state = self.style_of(("operations--good", "operations--late", "operations--bad")[words.alarm])
        segments = [mark, Segment(" ")]
        if width >= _MEDIUM:
            wall = clock(self._log.head(start).wall) if start in self._log else ""
            segments.append(Segment(f"{start:>7} {fit(wall, TIME_WIDTH)} ", dim))
        segments += [
            Segment(f"{ARROWS[operation.direction]} ", side),
            Segment(fit(words.state, _STATE) + " ", state),
            Segment(fit(words.what, _WHAT) + " ", side),
            Segment(fit(words.time, _TIME, right=True) + "  ", state if words.alarm else dim),
        ]
        room = width - sum(segment.cell_length for segment in segments)
        return Strip([*segments, *self._subject(words, room, state)])

    def _subject(self, words: OperationText, room: int, state: object) -> list[Segment]:
        dim = self.style_of("line--dimmed")
        legs = fit(f"  {words.legs}", min(len(words.legs) + 2, room // 2)) if words.legs and room >= 60 else ""
        room -= len(legs)
        result = words.result if words.result != "ok" else ""
        result = fit(result, min(len(result), max(room // 2, room - len(words.subject) - 2)))
        subject = fit(words.subject, max(0, min(len(words.subject), room - len(result) - 2)))
        gap = "  " if subject and result else ""
        out = [Segment(subject), Segment(gap + result, self.style_of("operations--bad") if words.alarm == 2 else dim)]
        fill = room - len(subject) - len(gap) - len(result)
        return [*out, Segment(" " * max(0, fill)), Segment(legs, dim)]


class OperationsView(ListView):
    """Operations of one log."""

    REFRESH = 0.25

    def __init__(self, log: Log, operations: Operations) -> None:
        self._list = OperationList(log, operations)
        super().__init__(log, self._list, id="operations")
        self._operations = operations
        self._which = "all"

    def on_mount(self) -> None:
        self.set_interval(self.REFRESH, self._age)

    def on_resize(self) -> None:
        self._show_summary()

    def show_filter(self, filtering: Filtering) -> None:
        self._list.place(top=0, cursor=0)
        super().show_filter(filtering)

    # Rows

    def _age(self) -> None:
        """Ages grow without any packet."""
        if self.display and self._operations.open_count:
            self._look()

    def look(self) -> None:
        if not self._list.still:
            self._list.show(self._starts())
        self._list.empty = self._empty_words()
        self._list.refresh()
        self._show_summary()
        self.show_detail()

    def _starts(self) -> Sequence[int]:
        rows = self._operations.rows(self._which, 0, _MOST)
        view = self._filtering.view if self._filtering is not None else None
        if view is None:
            return rows
        numbers = view.numbers
        chosen = {self._operations.of(numbers[at]) for at in range(max(0, len(numbers) - _SELECTED), len(numbers))}
        return [start for start in rows if start in chosen]

    def _empty_words(self) -> str:
        if self._filtering is not None and self._filtering.active and self._operations.count:
            return "the filter selects no operation"
        if self._which != "all" and self._operations.count:
            return f"nothing {self._which}"
        return "no operation yet: connecting, subscribing, QoS 1 and 2, pings and requests appear here"

    def _show_summary(self) -> None:
        operations = self._operations
        shown = f"{len(self._list.starts):,} of " if len(self._list.starts) != operations.count else ""
        words = [f"{shown}{grouped(operations.count)} operations", f"{grouped(operations.open_count)} open"]
        failed = operations.failed_count
        which = {"all": "", "open": " · only open ones", "failed": " · only failed ones"}[self._which]
        newer = self._newer()
        flight = ""
        current = self._list.current
        connection = self._connection_of(current)
        if connection is not None:
            flight = in_flight_text(operations.in_flight(connection))
        begin = join(
            (" " + " · ".join(words), "$dimmed"),
            (f" · {grouped(failed)} failed", "$state-bad" if failed else "$dimmed"),
            (which, "$primary"),
            (f" · +{newer:,} new, g goes to them" if newer else "", "$state-warn"),
        )
        gap = "   " if begin.cell_length + len(flight) + 3 <= self.size.width else "\n "
        self._summary.show(join(begin, (gap + flight if flight else "", "$dimmed")))

    def _newer(self) -> int:
        if not self._list.still or not self._list.starts:
            return 0
        rows = self._starts()
        newest = max(self._list.starts)
        rising = sorted(rows)
        return len(rising) - bisect_left(rising, newest + 1)

    def _connection_of(self, start: int | None) -> int | None:
        if start is not None and start in self._log:
            return self._log.head(start).connection
        return self._log.connection_count - 1 if self._log.connection_count else None

    def show_detail(self) -> None:
        current = self._list.current
        found = self._list.operation(current) if current is not None else None
        self._detail.display = found is not None
        if found is None:
            return
        operation, words = found
        packets = [f"#{leg.no:,} {leg.label or 'evicted'}" for leg in operation.legs]
        self._detail.show(
            join(
                (words.what, "bold"),
                (f" {words.subject}", ""),
                (f"  {direction_words(operation.direction)}, connection {operation.connection}\n", "$dimmed"),
                (" → ".join(packets), ""),
                (f"  {words.result}", "$state-bad" if operation.state is OpState.FAILED else "$dimmed"),
            )
        )

    def on_row_list_moved(self, event: RowList.Moved) -> None:
        self._show_summary()

    def asked(self, what: str) -> None:
        match what:
            case "which":
                self._next_selection()
            case "copy" | "print":
                self._hand_out(plain=what == "print")
            case _:
                self._follow()

    def _next_selection(self) -> None:
        """All, the open ones, or the failed ones."""
        order = ("all", "open", "failed")
        self._which = order[(order.index(self._which) + 1) % len(order)]
        self._list.place(top=0, cursor=0)
        self._look()

    def _follow(self) -> None:
        """Only the packets of this operation."""
        current = self._list.current
        if current is not None:
            self.post_message(self.FilterWanted(f"mqtttui.op.start == {current}", "apply"))

    def _hand_out(self, *, plain: bool) -> None:
        """The operation as Markdown."""
        current = self._list.current
        found = self._list.operation(current) if current is not None else None
        if found is not None:
            self.post_message(self.TextWanted(operation_markdown(found[0], self._log), plain))
