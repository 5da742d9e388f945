"""What followers of the log have in common: a position, slices with a budget, and a count of what they missed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable

from mqtttui.capture.log import Log, Span

BUDGET = 4_000
"""Packets a slice by default: about 5 ms."""


class Follower(ABC):
    """Reads the log in slices from its own position. It may lag; what is evicted before it was read is counted as missed."""

    def __init__(self) -> None:
        self.position = 0
        """No. of the last packet that was read or missed."""
        self.missed = 0
        """Packets that were evicted before this follower came to them."""

    def advance(self, log: Log, budget: int = BUDGET) -> bool:
        """Reads at most `budget` packets. True when it has caught up."""
        if self.position < log.first - 1:
            self.missed += log.first - 1 - self.position
            self.position = log.first - 1
        for span in log.spans(self.position, budget):
            stop = self.read(log, span)
            self.position = span.segment.first + (span.stop if stop is None else stop) - 1
            if stop is not None and stop < span.stop:
                break
        caught_up = self.position >= log.last
        self.settle(log, caught_up)
        return caught_up

    @abstractmethod
    def read(self, log: Log, span: Span) -> int | None:
        """The packets of `span` come next. Gives the index up to which it read, or None if it read them all."""

    def settle(self, log: Log, caught_up: bool) -> None:
        """After each slice: the place to let go of what is not needed any more."""


def advance_all(followers: Iterable[Follower], log: Log, budget: int = BUDGET) -> bool:
    """One slice for each follower. True when all have caught up."""
    caught_up = True
    for follower in followers:
        caught_up = follower.advance(log, budget) and caught_up
    return caught_up
