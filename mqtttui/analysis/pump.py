"""The pump: brings every follower of a log forward, a little at a time, so that the screen stays alive meanwhile."""

from __future__ import annotations

from collections.abc import Callable

from mqtttui.analysis.expert.timeouts import Timeouts
from mqtttui.analysis.findings import Findings
from mqtttui.analysis.follower import Follower
from mqtttui.analysis.largest import Largest
from mqtttui.analysis.operations import Operations
from mqtttui.analysis.pairs import Pairs
from mqtttui.analysis.subscriptions import SubscriptionCounters
from mqtttui.analysis.timing import Timing
from mqtttui.analysis.traffic import Traffic
from mqtttui.capture.log import Log

_BUDGET = 1_000
"""Packets that a follower reads before the clock is looked at again."""


class Pump:
    """The followers of one log."""

    def __init__(self, log: Log, timeouts: Timeouts | None = None) -> None:
        """`timeouts`: how long things may take before a check says so; None: the defaults."""
        self.pairs = Pairs()
        self.operations = Operations(self.pairs)
        self.timing = Timing(self.pairs, self.operations)
        self.traffic = Traffic()
        self.largest = Largest()
        self.counters = SubscriptionCounters()
        self.findings = Findings(timeouts)
        self._log = log
        self._followers: tuple[Follower, ...] = (
            self.pairs,
            self.operations,
            self.timing,
            self.traffic,
            self.largest,
            self.counters,
            self.findings,
        )
        self._shown = (0, 0, 0)
        self._found = 0

    def add(self, follower: Follower) -> None:
        """One follower more (a recording); it begins at its own position."""
        self._followers = (*self._followers, follower)

    def remove(self, follower: Follower) -> None:
        """One less; nothing if it is none of these."""
        self._followers = tuple(each for each in self._followers if each is not follower)

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
