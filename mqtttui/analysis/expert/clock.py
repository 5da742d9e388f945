"""Timers of conversations, driven by the times of packets and, when live, by the loop's clock (architecture, rule 9)."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush

_NEVER = 1 << 63


class Clock:
    """One time base: live connections have one, those of files another."""

    __slots__ = ("_count", "_heap", "deadline")

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Callable[[int], None]]] = []
        self._count = 0
        self.deadline = _NEVER
        """When `run` is needed next, in monotonic ns."""

    def at(self, deadline: int, call: Callable[[int], None]) -> None:
        """`call(deadline)` when the time has come."""
        self._count += 1
        heappush(self._heap, (deadline, self._count, call))
        self.deadline = self._heap[0][0]

    def run(self, now: int) -> None:
        """Everything due until `now`, in order of time; what is due at the same time, in order of asking."""
        while self._heap and self._heap[0][0] <= now:
            deadline, _, call = heappop(self._heap)
            call(deadline)
        self.deadline = self._heap[0][0] if self._heap else _NEVER

    def __len__(self) -> int:
        return len(self._heap)
