"""Rates of the traffic, over the last second, from the times in the log. No clock is read here: the caller says what time it is."""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

from mqtttui.analysis.follower import Follower
from mqtttui.capture.log import Log, Span
from mqtttui.protocol.enums import Direction

WINDOW_NS = 1_000_000_000
_BUCKETS = 10
_BUCKET_NS = WINDOW_NS // _BUCKETS


class Rates(NamedTuple):
    """Per second."""

    in_packets: int
    in_bytes: int
    out_packets: int
    out_bytes: int


class Window:
    """A sum over the last second, in ten steps."""

    __slots__ = ("_counts", "_latest", "total")

    def __init__(self) -> None:
        self._counts = [0] * _BUCKETS
        self._latest = 0
        self.total = 0
        """Everything that was ever added."""

    def add(self, mono: int, count: int) -> None:
        """`count` more at `mono` (ns). Times more than a second back count in the total only."""
        self.total += count
        bucket = mono // _BUCKET_NS
        self._move_to(bucket)
        if bucket > self._latest - _BUCKETS:
            self._counts[bucket % _BUCKETS] += count

    def per_second(self, now: int) -> int:
        """The sum over the second before `now` (ns)."""
        self._move_to(now // _BUCKET_NS)
        return sum(self._counts)

    def _move_to(self, bucket: int) -> None:
        steps = bucket - self._latest
        if steps <= 0:
            return
        for step in range(min(steps, _BUCKETS)):
            self._counts[(bucket - step) % _BUCKETS] = 0
        self._latest = bucket


class Traffic(Follower):
    """Packets and bytes a second, both ways, over all connections."""

    def __init__(self) -> None:
        super().__init__()
        self._packets = (Window(), Window())
        self._bytes = (Window(), Window())

    def rates(self, now: int) -> Rates:
        """The second before `now` (monotonic ns). `in` is from the server."""
        packets_in, packets_out = self._packets[Direction.S2C], self._packets[Direction.C2S]
        bytes_in, bytes_out = self._bytes[Direction.S2C], self._bytes[Direction.C2S]
        return Rates(packets_in.per_second(now), bytes_in.per_second(now), packets_out.per_second(now), bytes_out.per_second(now))

    def read(self, log: Log, span: Span) -> None:
        """Adds the packets of `span`, a run of equal times at once: what one chunk brought has one time."""
        segment, start, stop = span
        monos, directions, ends = segment.monos, segment.directions, segment.ends
        while start < stop:
            mono = monos[start]
            if monos[stop - 1] == mono:
                run = stop
            elif monos[start + 1] != mono:
                run = start + 1
            else:
                run = min(stop, bisect_right(monos, mono, start, stop))
            direction = directions[start]
            if directions[start:run].count(direction) != run - start:
                run = next(index for index in range(start, run) if directions[index] != direction)
            self._packets[direction].add(mono, run - start)
            self._bytes[direction].add(mono, ends[run - 1] - segment.start(start))
            start = run
