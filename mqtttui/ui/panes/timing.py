"""The timing view: how long everything takes, who takes the time, and how much passes.

Rules:
1. It shows the current peer: all of its connections, or the one that stands (or stood last) alone; of an opened capture all.
2. With a filter the round trips of the operations that it selects are counted; what lies below the list goes for all.
3. Ages and rates move without any packet, so it looks twice a second while it is shown.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from rich.segment import Segment
from textual.app import ComposeResult
from textual.message import Message
from textual.strip import Strip

from mqtttui.analysis.check_statistics import Summary
from mqtttui.analysis.histogram import ERROR
from mqtttui.analysis.timing import Times
from mqtttui.analysis.timing_selected import SelectedTimes
from mqtttui.analysis.trips import Trip
from mqtttui.capture.log import Origin
from mqtttui.export.timing_markdown import ANSWERS, timing_markdown
from mqtttui.export.units import duration
from mqtttui.protocol.enums import Direction
from mqtttui.protocol.enums import PacketType as P
from mqtttui.text import visible
from mqtttui.ui import timing_words as words
from mqtttui.ui.bindings import bindings_for
from mqtttui.ui.content import Part, fit, grouped, join
from mqtttui.ui.filtering import Filtering
from mqtttui.ui.operation_rows import in_flight_text
from mqtttui.ui.panes.view import View
from mqtttui.ui.views import Parts
from mqtttui.ui.widgets.lines import LineView
from mqtttui.ui.widgets.packet_row import ARROWS
from mqtttui.ui.widgets.text_block import TextBlock

Key = tuple[Trip, Direction]

_REFRESH = 0.5
"""Seconds between two looks."""
_SLICE_NS = 5_000_000
_MOST_OPEN = 200
"""Open operations among which unanswered pings are looked for."""
_WHAT, _BY, _COUNT, _TIME = 26, 8, 7, 9
_WIDE = 100
_LABEL = 11
_PROBES = (
    (Trip.PING, "a ping"),
    (Trip.PUBLISH_1, "a publish with QoS 1"),
    (Trip.RECEIVED, "a publish with QoS 2 to its PUBREC"),
    (Trip.SUBSCRIBE, "a SUBSCRIBE"),
)
"""What is compared with the TCP, the best first."""
_STYLES = ("$state-good", "$state-warn", "bold $state-bad")
_NO_TCP = "TCP is not measured here"


class TimingList(LineView):
    """The round trips."""

    SCOPE: ClassVar[str] = "timing"
    BINDINGS = bindings_for(SCOPE)
    HEAD_ROWS = 1
    COMPONENT_CLASSES: ClassVar[set[str]] = {"timing--in", "timing--out", "timing--bar"}

    @dataclass
    class Moved(Message):
        """Another row is selected."""

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, TimingList.Moved)

    @dataclass
    class Asked(Message):
        """A key that the view answers: `what` is the word in the table of keys."""

        what: str

    def __init__(self) -> None:
        super().__init__()
        self._rows: Sequence[tuple[Key, Summary]] = ()
        self._largest = 0
        self.empty = ""
        """What to say while there is no row."""

    @property
    def row_count(self) -> int:
        return len(self._rows)

    @property
    def current(self) -> tuple[Key, Summary] | None:
        """The selected row."""
        return self._rows[self.cursor] if self.cursor < len(self._rows) else None

    def show(self, times: Mapping[Key, Summary]) -> None:
        """Other numbers; the same round trip stays selected."""
        before = self.current
        self._rows = list(times.items())
        self._largest = words.full(list(times.values()))
        at = next((at for at, (key, _) in enumerate(self._rows) if before is not None and key == before[0]), self.cursor)
        self.place(top=self.top + at - self.cursor, cursor=at)

    def cursor_moved(self) -> None:
        self.post_message(self.Moved())

    def row_activated(self) -> None:
        self.action_ask("slowest")

    def action_ask(self, what: str) -> None:
        """Let the view do it."""
        self.post_message(self.Asked(what))

    # Painting

    def head(self, y: int, width: int) -> Strip:
        if not self._rows:
            return Strip([Segment(fit(f" {self.empty}", width), self.style_of("line--dimmed"))])
        by = f"{'Answers':<{_BY}}" if width >= _WIDE else ""
        times = "".join(f"{name:>{_TIME}}" for name in ("min", "median", "p95", "max"))
        return Strip([Segment(fit(f"  ⇄ {'What':<{_WHAT}}{by}{'n':>{_COUNT}}{times}  ", width), self.style_of("line--head"))])

    def row(self, index: int, width: int) -> Strip:
        (trip, waited), summary = self._rows[index]
        side = self.style_of("timing--out" if waited is Direction.C2S else "timing--in")
        times = (summary.minimum, round(summary.median), summary.p95, summary.maximum)
        segments = [
            self.cursor_mark(index),
            Segment(f" {ARROWS[waited]} ", side),
            Segment(fit(trip.value if self._is_leg(index) else trip.value.strip(), _WHAT), side),
            *([Segment(fit(ANSWERS[waited], _BY), self.style_of("line--dimmed"))] if width >= _WIDE else []),
            Segment(f"{summary.count:>{_COUNT},}"),
            *(Segment(fit(duration(each), _TIME, right=True)) for each in times),
            Segment("  "),
        ]
        room = width - sum(segment.cell_length for segment in segments)
        first, rest = words.bar(summary.median, summary.p95, self._largest, room)
        return Strip([*segments, Segment(first, self.style_of("timing--bar")), Segment(rest, self.style_of("line--dimmed"))])

    def _is_leg(self, index: int) -> bool:
        """The row above, or one of its legs, is the whole that this one is a leg of."""
        (_, waited), _ = self._rows[index]
        return any(key == (Trip.PUBLISH_2, waited) for key, _ in self._rows[:index])


class TimingView(View):
    """Timing of the current peer."""

    @dataclass
    class CheckWanted(Message):
        """The person wants to know how long the broker takes: a test run."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(id="timing")
        self._parts = parts
        self._log, self._pump = parts.log, parts.pump
        self._filtering: Filtering | None = None
        self._selected = SelectedTimes(parts.log, parts.pump.pairs, parts.pump.operations)
        self._one = False
        """Only the connection that stands."""
        self._looked = 0.0
        self._list = TimingList()
        self._summary = TextBlock(id="timing-summary")
        self._detail = TextBlock(id="timing-detail")

    def compose(self) -> ComposeResult:
        yield self._summary
        yield self._list
        yield self._detail

    def on_mount(self) -> None:
        self.set_interval(_REFRESH, self._age)
        self._look()

    # What the main screen uses

    def grew(self) -> None:
        if time.monotonic() >= self._looked + _REFRESH:
            self._look()

    def show_filter(self, filtering: Filtering) -> None:
        self._filtering = filtering
        self._selected.forget()
        self._look()

    def focus_list(self) -> None:
        self._list.focus()

    # Looking

    def _age(self) -> None:
        if self.display:
            self._look()

    def _look(self) -> None:
        self._looked = time.monotonic()
        view = self._filtering.view if self._filtering is not None else None
        if view is not None and not self._selected.busy:
            self._selected.begin(view.numbers)
            self._count()
        self._show()

    def _count(self) -> None:
        """Counts what the filter selects, in slices."""
        if self._selected.advance(time.monotonic_ns, _SLICE_NS):
            self._show()
        else:
            self.call_later(self._count)

    def _show(self) -> None:
        self._list.empty = self._empty_words()
        self._list.show(self._times.summaries())
        self._list.refresh()
        said = self._verdict()
        parts: list[Part] = [(said.text, _STYLES[said.alarm] if said.alarm else "bold"), (f"\n{self._whose_words()}", "$dimmed")]
        self._summary.show(join(*parts))
        self._show_detail()

    @property
    def _filtered(self) -> bool:
        return self._filtering is not None and self._filtering.view is not None

    @property
    def _times(self) -> Times:
        if self._filtered:
            return self._selected.times
        peer, connection = self._whose()
        return self._pump.timing.times(peer, connection if self._one else None)

    def _whose(self) -> tuple[str, int | None]:
        """Peer and connection: of a capture, and without any connection, the latest one of the log."""
        state, log = self._parts.standing(), self._log
        if state.connection is not None:
            return state.peer, state.connection
        if log.connection_count and log.connection(0).origin is Origin.FILE:
            return log.connection(0).peer, log.connection_count - 1
        return state.peer, None

    def _now(self) -> int:
        """The time against which things age: of a capture, that of its last packet."""
        last = self._log.last
        return self._log.head(last).mono if self._of_file and last in self._log else time.monotonic_ns()

    @property
    def _of_file(self) -> bool:
        connection = self._whose()[1]
        return connection is not None and self._log.connection(connection).origin is Origin.FILE

    def _waiting_ping(self, connection: int, now: int) -> int | None:
        """How long the oldest unanswered ping of a standing connection has waited."""
        log, operations = self._log, self._pump.operations
        found = None
        for start in operations.rows("open", 0, _MOST_OPEN):
            if start in log and (head := log.head(start)).first_byte >> 4 == P.PINGREQ and head.connection == connection:
                found = max(0, now - head.mono)
        return found

    def _standing(self) -> words.Standing:
        _, connection = self._whose()
        if connection is None:
            return words.Standing(None, "", None, None, False, _NO_TCP)
        info = self._log.connection(connection)
        open_now = info.closed is None and not self._of_file
        tcp = self._parts.tcp.latest(connection)
        if tcp is not None and not open_now:
            tcp = replace(tcp, waiting=0, info=replace(tcp.info, backoff=0, unsent=0))  # What was under way in the end does not count.
        why = "the packets are from a file" if self._of_file else "a Unix socket has no TCP" if info.transport == "unix" else _NO_TCP
        times = self._pump.timing.times(info.peer, connection).summaries()
        trip, name = next(((trip, name) for trip, name in _PROBES if (trip, Direction.C2S) in times), _PROBES[0])
        return words.Standing(
            times.get((trip, Direction.C2S)),
            name,
            self._waiting_ping(connection, time.monotonic_ns()) if open_now else None,
            tcp,
            self._proxied,
            why,
        )

    @property
    def _proxied(self) -> bool:
        options = self._parts.standing().options
        return options is not None and options.proxy is not None

    def _verdict(self) -> words.Said:
        return words.verdict(self._standing())

    def _whose_words(self) -> str:
        peer, connection = self._whose()
        if connection is None:
            return "not connected"
        many = [info.number for info in self._log.connections if info.peer == peer]
        info = self._log.connection(connection)
        place = f"connection {connection}" + (f" to {visible(info.destination)}" if info.destination else "")
        place += "" if info.closed is None else ", ended"
        if self._filtered:
            left = self._selected.left_out
            some = f", of the newest packets without {grouped(left)} older ones" if left else ""
            return f"round trips: what the filter selects{some} · below: {place}"
        if len(many) < 2:
            return place
        return (
            f"{place} alone · r: all {len(many):,}"
            if self._one
            else f"round trips: all {len(many):,} connections · below: {place} (r: alone)"
        )

    def _empty_words(self) -> str:
        if self._filtered:
            return "the filter selects no round trip"
        if not self._log.last:
            return "no packet yet: c connects, x tests how long a broker takes"
        return "no round trip yet: subscribe (s), publish with QoS 1 or 2 (3), ping (c, p), or test the broker (x)"

    # Below the list

    def _facts(self) -> list[tuple[str, words.Said]]:
        """By name, in the order of the screen."""
        _, connection = self._whose()
        if connection is None:
            return []
        stand = self._pump.timing.keep_alive(connection, self._now())
        facts = [
            ("Keep-alive", words.keep_alive_words(stand, open_now=self._log.connection(connection).closed is None and not self._of_file)),
            ("In flight", words.Said(in_flight_text(self._pump.operations.in_flight(connection)).removeprefix("in flight "))),
        ]
        if samples := self._parts.tcp.of(connection):
            facts.append(("TCP trip", words.tcp_words(samples, proxied=self._proxied)))
        else:
            facts.append(("TCP trip", words.Said(self._standing().why_no_tcp)))
        return facts

    def _show_detail(self) -> None:
        peer, connection = self._whose()
        self._detail.display = connection is not None
        if connection is None:
            return
        parts: list[Part] = [self._slowest_words()]
        room = max(10, self.size.width - _LABEL - 34)
        if pings := self._pump.timing.pings(connection):
            line = words.spark([ping.ns for ping in pings], min(60, room))
            parts += [("\n" + "Pings".ljust(_LABEL), "$dimmed"), (line, "$primary"), f"  {duration(pings[-1].ns)} the latest"]
        for name, said in self._facts():
            parts += [("\n" + name.ljust(_LABEL), "$dimmed"), (said.text, _STYLES[said.alarm] if said.alarm else "")]
        timing = self._pump.timing
        head, *lines = words.rate_lines(timing.flow(peer, Direction.C2S), timing.flow(peer, Direction.S2C), self._now())
        parts += [(f"\n{head}", "$dimmed"), *(f"\n{line}" for line in lines)]
        self._detail.show(join(*parts))

    def _slowest_words(self) -> Part:
        current = self._list.current
        if current is None:
            return ("", "$dimmed")
        (trip, waited), summary = current
        no = self._times.slowest(trip, waited)
        where = f"packet {grouped(no)} (Enter)" if no is not None and no in self._log else "not kept any more"
        return (f"{trip.value.strip()} by the {ANSWERS[waited]}: the slowest took {duration(summary.maximum)}, {where}", "$dimmed")

    # Keys

    def on_timing_list_moved(self, event: TimingList.Moved) -> None:
        event.stop()
        self._show_detail()

    def on_timing_list_asked(self, event: TimingList.Asked) -> None:
        event.stop()
        match event.what:
            case "slowest":
                self._go_to_slowest()
            case "which":
                self._one = not self._one
                self._look()
            case "check":
                self.post_message(self.CheckWanted())
            case _:
                self._hand_out(plain=event.what == "print")

    def _go_to_slowest(self) -> None:
        """The packet that ended the slowest round trip of the row."""
        current = self._list.current
        no = self._times.slowest(*current[0]) if current is not None else None
        if no is not None:
            self.post_message(self.GoTo(no))

    def _hand_out(self, *, plain: bool) -> None:
        """All of it as Markdown."""
        peer, _ = self._whose()
        timing = self._pump.timing
        rates = words.rate_lines(timing.flow(peer, Direction.C2S), timing.flow(peer, Direction.S2C), self._now())
        facts = [(name, said.text) for name, said in self._facts()]
        facts += [("rate", " ".join(line.split())) for line in rates]
        error = f"medians and 95th percentiles of round trips within {100 * ERROR:.1f} %"
        text = timing_markdown(f"Timing of {self._whose_words()}", self._verdict().text, self._times.summaries(), [*facts, ("note", error)])
        self.post_message(self.TextWanted(text, plain))
