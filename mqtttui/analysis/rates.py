"""How many packets and bytes a second, over the last second, ten seconds and minute. No clock is read here."""

from __future__ import annotations

from array import array
from typing import NamedTuple

SPANS = (1, 10, 60)
"""Seconds."""
_STEP_NS = 100_000_000
_STEPS = 10
"""Steps of a second."""
_KEPT = SPANS[-1] * _STEPS
_SECOND = 1_000_000_000
SIZE = 2 * _KEPT * 8 + 300
"""Bytes of a flow."""


class Rate(NamedTuple):
    """Per second."""

    packets: float
    bytes: float


class Flow:
    """One direction: what passed in each tenth of the last minute."""

    __slots__ = ("_bytes", "_first", "_latest", "_packets", "bytes", "packets")

    def __init__(self) -> None:
        self._packets = array("Q", bytes(_KEPT * 8))
        self._bytes = array("Q", bytes(_KEPT * 8))
        self._first: int | None = None
        self._latest = 0
        self.packets = 0
        """All that ever passed."""
        self.bytes = 0

    def add(self, mono: int, packets: int, size: int) -> None:
        """So many more at `mono` (ns). What is more than a minute old counts in the totals only."""
        self.packets += packets
        self.bytes += size
        if self._first is None:
            self._first = mono
        step = mono // _STEP_NS
        self._move_to(step)
        if step > self._latest - _KEPT:
            self._packets[step % _KEPT] += packets
            self._bytes[step % _KEPT] += size

    def rate(self, now: int, seconds: int) -> Rate:
        """Over the last `seconds` before `now` (ns), or since the first packet if that was later: but a second at least."""
        if self._first is None:
            return Rate(0, 0)
        self._move_to(now // _STEP_NS)
        steps = seconds * _STEPS
        places = [(self._latest - back) % _KEPT for back in range(steps)]
        lasted = min(seconds, max(1.0, (now - self._first) / _SECOND))
        return Rate(sum(self._packets[place] for place in places) / lasted, sum(self._bytes[place] for place in places) / lasted)

    def _move_to(self, step: int) -> None:
        ahead = step - self._latest
        for back in range(min(ahead, _KEPT)):
            place = (step - back) % _KEPT
            self._packets[place] = self._bytes[place] = 0
        self._latest = max(self._latest, step)
