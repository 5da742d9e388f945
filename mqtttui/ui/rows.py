"""Which packets the list shows: row index <-> No.

The rows are the pinned packets that outlived their segment, then everything the log keeps, in order; or, with a filter, the
packets that it selects. Hiding moves the lower end, freezing (pause) the upper one; neither touches the log.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import Protocol


class Numbers(Protocol):
    """What is needed of the log."""

    @property
    def first(self) -> int:
        """Lowest No. of the running segments."""

    @property
    def last(self) -> int:
        """Highest No., 0 when empty."""

    def numbers(self, start: int, stop: int) -> Iterator[int]:
        """Kept numbers in [start, stop), pinned ones too."""


class Selection(Protocol):
    """What is needed of a filter."""

    @property
    def numbers(self) -> Sequence[int]:
        """The selected packets, rising."""


class Rows:
    """A view of the log by row index. Call `refresh` after log or selection have changed; until then the rows stay as they are."""

    def __init__(self, log: Numbers) -> None:
        self._log = log
        self._pinned: Sequence[int] = ()
        self._first = 1
        self._last = 0
        self._waiting = 0
        self._hidden = 0
        self.hidden_before = 1
        """Packets with a lower No. are hidden."""
        self.frozen_at: int | None = None
        """Packets with a higher No. wait (pause); None: nothing waits."""
        self.selection: Selection | None = None
        """The filter; None: every packet."""

    def refresh(self) -> None:
        """Look at the log again."""
        top = self._log.last if self.frozen_at is None else min(self.frozen_at, self._log.last)
        if self.selection is not None:
            numbers = self.selection.numbers
            low = bisect_left(numbers, self.hidden_before)
            high = max(low, bisect_right(numbers, top))
            # A copy: the selection goes on changing between two looks.
            self._pinned = numbers[low:high]
            self._first, self._last = top + 1, 0
            self._hidden, self._waiting = low, len(numbers) - high
            return
        first = max(1, self._log.first)
        self._first, self._last = max(first, self.hidden_before), top
        self._pinned = [] if self.hidden_before >= first else list(self._log.numbers(self.hidden_before, min(first, top + 1)))

    def __len__(self) -> int:
        return len(self._pinned) + max(0, self._last - self._first + 1)

    def number(self, index: int) -> int:
        """No. of the row at `index`. Raises IndexError."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        return self._pinned[index] if index < len(self._pinned) else self._first + index - len(self._pinned)

    def index(self, number: int) -> int:
        """Row of packet `number`, or of the next one that is shown; the last row when there is none after it."""
        if number >= self._first:
            return min(len(self._pinned) + number - self._first, max(0, len(self) - 1))
        return min(bisect_left(self._pinned, number), max(0, len(self) - 1))

    def __contains__(self, number: object) -> bool:
        if not isinstance(number, int) or not len(self):
            return False
        return self.number(self.index(number)) == number

    def newer_than(self, number: int) -> int:
        """How many packets that are to be shown came after packet `number`."""
        if self.selection is not None:
            return len(self) - bisect_right(self._pinned, number)
        return max(0, self._log.last - number)

    @property
    def waiting(self) -> int:
        """Packets that came since the pause began."""
        if self.frozen_at is None:
            return 0
        return self._waiting if self.selection is not None else max(0, self._log.last - self.frozen_at)

    @property
    def hidden(self) -> int:
        """Packets that hiding keeps from view (of those that are still there)."""
        return self._hidden if self.selection is not None else max(0, self.hidden_before - max(1, self._log.first))
