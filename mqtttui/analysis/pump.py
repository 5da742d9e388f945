"""The pump: brings every follower of a log forward, a little at a time, so that the screen stays alive meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from mqtttui.analysis.follower import Follower
from mqtttui.analysis.largest import Largest
from mqtttui.analysis.pairs import Pairs
from mqtttui.analysis.subscriptions import SubscriptionCounters
from mqtttui.analysis.traffic import Traffic
from mqtttui.capture.log import Log

if TYPE_CHECKING:
    from mqtttui.analysis.expert.timeouts import Timeouts
    from mqtttui.analysis.findings import Findings
    from mqtttui.analysis.operations import Operations
    from mqtttui.analysis.timing import Timing

_BUDGET = 1_000
"""Packets that a follower reads before the clock is looked at again."""


class Pump:
    """The followers of one log. Those that take long to load are loaded when one asks for them, at the latest by `advance`."""

    def __init__(self, log: Log, timeouts: Timeouts | None = None) -> None:
        """`timeouts`: how long things may take before a check says so; None: the defaults."""
        self.pairs = Pairs()
        self.traffic = Traffic()
        self.largest = Largest()
        self.counters = SubscriptionCounters()
        self._timeouts = timeouts
        self._log = log
        self._others: tuple[Follower, ...] = ()
        self._shown = (0, 0, 0)
        self._found = 0

    @cached_property
    def operations(self) -> Operations:
        """What was asked and answered."""
        from mqtttui.analysis.operations import Operations

        return Operations(self.pairs)

    @cached_property
    def timing(self) -> Timing:
        """How long it took."""
        from mqtttui.analysis.timing import Timing

        return Timing(self.pairs, self.operations)

    @cached_property
    def findings(self) -> Findings:
        """What is wrong with it."""
        from mqtttui.analysis.findings import Findings

        return Findings(self._timeouts)

    @property
    def _followers(self) -> tuple[Follower, ...]:
        return (self.pairs, self.operations, self.timing, self.traffic, self.largest, self.counters, self.findings, *self._others)

    def add(self, follower: Follower) -> None:
        """One follower more (a recording); it begins at its own position."""
        self._others = (*self._others, follower)

    def remove(self, follower: Follower) -> None:
        """One less; nothing if it is none of these."""
        self._others = tuple(each for each in self._others if each is not follower)

    def advance(self, clock: Callable[[], int], slice_ns: int) -> bool:
        """Read for at most `slice_ns` of `clock` (a little longer for the last batch). True when nothing is left to read."""
        deadline = clock() + slice_ns
        lagging = list(self._followers)
        while lagging and clock() < deadline:
            lagging = [follower for follower in lagging if not follower.advance(self._log, _BUDGET)]
        if not lagging:
            self.findings.tick(clock())
        return not lagging

    def tick(self, now: int) -> None:
        """It is `now` (monotonic ns): what did not come in time is found."""
        self.findings.tick(now)

    def late_news(self) -> bool:
        """Whether packets that were read before have got findings since the question before."""
        found, self._found = self.findings.changes_since(self._found)
        return bool(found)

    def changed(self) -> bool:
        """Whether there is something new to show since the question before."""
        before, self._shown = self._shown, (self._log.last, self._log.first, self.pairs.position)
        return self._shown != before

    @property
    def caught_up(self) -> bool:
        """Every follower has read all that is recorded, and `changed` has said so."""
        return self._shown[0] == self._log.last == min(follower.position for follower in self._followers)
