"""The alarm: a filter that watches what comes, and does something when a packet passes.

Rules:
1. It reads in slices, after the followers, never on the receive path; only packets that came after it was armed count, each
   once, also where what makes it pass (an answer, a finding) comes later.
2. What it does is limited: it rings and speaks at most once a second and then says how many more there were, pauses and begins
   a recording once, and marks at most `MAX_MARKS` packets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from mqtttui.capture.log import Log
from mqtttui.capture.marks import Marks

if TYPE_CHECKING:
    from mqtttui.filters.compiler import Filter
    from mqtttui.filters.row import Facts
    from mqtttui.filters.view import FilterView

MAX_MARKS = 1_000
_QUIET_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class AlarmOrder:
    """What to watch for, and what to do then."""

    typed: str
    """The filter as it was typed."""
    filter: Filter
    ring: bool = True
    mark: bool = False
    pause: bool = False
    record: bool = False


class Call(NamedTuple):
    """What happened since the call before, at most once a second."""

    first: int
    """No. of the first packet that passed."""
    more: int
    """How many others passed."""
    new: bool
    """The first call since the alarm was armed or cleared: the time to pause and to record."""


class Alarm:
    """At most one order at a time."""

    def __init__(self, log: Log, facts: Callable[[], Facts], marks: Marks) -> None:
        """`facts` is asked when the first order comes."""
        self._log = log
        self._facts = facts
        self._marks = marks
        self._view: FilterView | None = None
        self.order: AlarmOrder | None = None
        """What is watched for; None: nothing."""
        self.count = 0
        """Packets that passed."""
        self.latest = 0
        """No. of the latest of them."""
        self._waiting: list[int] = []
        self._more = 0
        self._marked = 0
        self._called = 0
        self._fresh = True

    def arm(self, order: AlarmOrder) -> None:
        """Watch what comes from now on."""
        if self._view is None:
            # The language of filters is loaded when it is wanted.
            from mqtttui.filters.view import FilterView

            self._view = FilterView(self._log, self._facts())
        self.order = order
        self._view.watch(order.filter)
        self._marked = 0
        self.clear()

    def disarm(self) -> None:
        """Watch for nothing."""
        self.order = None
        if self._view is not None:
            self._view.set(None)

    def clear(self) -> None:
        """Nothing has passed so far; it watches on."""
        self.count = self.latest = self._more = self._called = 0
        self._waiting.clear()
        self._fresh = True

    @property
    def marks_full(self) -> bool:
        """So many packets were marked that no more are."""
        return self._marked >= MAX_MARKS

    def advance(self, clock: Callable[[], int], slice_ns: int) -> bool:
        """Test packets for at most `slice_ns` of `clock`. True when nothing is left to test."""
        if self.order is None or self._view is None:
            return True
        done = self._view.advance(clock, slice_ns)
        if found := self._view.take():
            self.count += len(found)
            self.latest = max(self.latest, found[-1])
            self._more += len(found)
            if not self._waiting:
                self._waiting.append(found[0])
            if self.order.mark:
                self._mark(found)
        return done

    def _mark(self, found: list[int]) -> None:
        for no in found[: MAX_MARKS - self._marked]:
            if not self._marks.marked(no) and self._marks.toggle(no):
                self._marked += 1

    def call(self, now: int) -> Call | None:
        """What to do something about at `now` (monotonic ns); None if there is nothing, or it is too early."""
        if not self._waiting or (self._called and now - self._called < _QUIET_NS):
            return None
        found = Call(self._waiting[0], self._more - 1, self._fresh)
        self._waiting.clear()
        self._more = 0
        self._called, self._fresh = now, False
        return found
