"""The largest packet of each connection and direction, to be set beside Maximum Packet Size."""

from __future__ import annotations

from operator import sub

from mqtttui.analysis.follower import Follower
from mqtttui.capture.log import Log, Span
from mqtttui.protocol.enums import Direction


class Largest(Follower):
    """Follows the log. What was evicted unread does not count."""

    def __init__(self) -> None:
        super().__init__()
        self._largest: dict[tuple[int, int], int] = {}

    def of(self, connection: int, direction: Direction) -> int:
        """Bytes of the largest packet so far; 0 before the first."""
        return self._largest.get((connection, direction), 0)

    def read(self, log: Log, span: Span) -> None:
        """The sizes of `span`, those of each connection and direction in a run of their own."""
        segment, start, stop = span
        ends = segment.ends
        sizes = [ends[start] - segment.start(start), *map(sub, ends[start + 1 : stop], ends[start : stop - 1])]
        connections, directions = segment.connections[start:stop], segment.directions[start:stop]
        for key in set(zip(connections, directions, strict=True)):
            known = self._largest.get(key, 0)
            if max(sizes) > known:
                of_key = (size for size, *other in zip(sizes, connections, directions, strict=True) if tuple(other) == key)
                self._largest[key] = max(known, *of_key)

    def settle(self, log: Log, caught_up: bool) -> None:
        """Ended connections are let go of."""
        if caught_up and len(self._largest) > 64:
            self._largest = {key: size for key, size in self._largest.items() if log.connection(key[0]).closed is None}
