"""Facts about packets that changed after the packet was read, told by number to any number of readers."""

from __future__ import annotations

from array import array
from collections.abc import Iterable

MAX_CHANGES = 65_536
"""How many are remembered; a reader that lags further behind gets the latest ones."""


class Changes:
    """A journal of packet numbers. Each reader keeps its own position in it."""

    __slots__ = ("_dropped", "_numbers")

    def __init__(self) -> None:
        self._numbers = array("Q")
        self._dropped = 0

    @property
    def position(self) -> int:
        """Where the next change will stand: what a reader begins with that knows all up to now."""
        return self._dropped + len(self._numbers)

    def add(self, no: int) -> None:
        """Something about packet `no` changed."""
        self._numbers.append(no)
        if len(self._numbers) >= 2 * MAX_CHANGES:
            self._drop()

    def extend(self, numbers: Iterable[int]) -> None:
        """The same for several packets."""
        self._numbers.extend(numbers)
        if len(self._numbers) >= 2 * MAX_CHANGES:
            self._drop()

    def since(self, position: int) -> tuple[list[int], int]:
        """The numbers that came since `position`, and the position behind them. A number may come more than once."""
        return self._numbers[max(0, position - self._dropped) :].tolist(), self.position

    def _drop(self) -> None:
        surplus = len(self._numbers) - MAX_CHANGES
        del self._numbers[:surplus]
        self._dropped += surplus
