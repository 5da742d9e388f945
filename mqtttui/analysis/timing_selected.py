"""Round trips of the operations that a filter selects: counted anew, in slices, each time that they are wanted.

What a filter shows changes at any place, so nothing is carried on: the latest complete count stands until the next one is
complete. Of very many packets the newest are counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from mqtttui.analysis.operations import Operations
from mqtttui.analysis.pairs import Pairs
from mqtttui.analysis.timing import Times
from mqtttui.analysis.trips import answers, response_trip, trips_of
from mqtttui.capture.log import Log
from mqtttui.protocol.enums import PacketType as P

MOST = 20_000
"""Packets that are looked at."""
_LOOKS = 32
"""Packets between two looks at the clock."""


class SelectedTimes:
    """See the module. `begin`, then `advance` until it gives True; `times` is the latest complete count."""

    def __init__(self, log: Log, pairs: Pairs, operations: Operations) -> None:
        self._log, self._pairs, self._operations = log, pairs, operations
        self._work: Iterator[None] | None = None
        self.times = Times()
        self.left_out = 0
        """Packets that were not looked at because there are too many."""

    @property
    def busy(self) -> bool:
        """A count is under way."""
        return self._work is not None

    def forget(self) -> None:
        """Something else is selected: no count stands, and none is under way."""
        self._work = None
        self.times = Times()
        self.left_out = 0

    def begin(self, numbers: Sequence[int]) -> None:
        """Count the operations of these packets."""
        self.left_out = max(0, len(numbers) - MOST)
        self._work = self._count(list(numbers[-MOST:]))

    def advance(self, clock: Callable[[], int], slice_ns: int) -> bool:
        """Counts for about `slice_ns` of `clock`. True when nothing is left."""
        deadline = clock() + slice_ns
        while self._work is not None and clock() < deadline:
            for _ in range(_LOOKS):
                if next(self._work, self) is self:
                    self._work = None
                    break
        return self._work is None

    def _count(self, numbers: Sequence[int]) -> Iterator[None]:
        times = Times()
        seen: set[int] = set()
        for no in numbers:
            start = self._operations.of(no)
            if start is not None and start not in seen:
                seen.add(start)
                self._operation(start, times)
            yield
        self.times = times

    def _operation(self, start: int, times: Times) -> None:
        log, pairs = self._log, self._pairs
        response = self._operations.response_of(start)
        if response is not None and (took := response_trip(log, start, response)) is not None:
            times.add(took, response)
        for no in self._packets(start):
            if no in log and no != response:
                head = log.head(no)
                for took in trips_of(log, pairs, no, head.first_byte >> 4, head.mono):
                    times.add(took, no)

    def _packets(self, start: int) -> Iterator[int]:
        """Those of an operation that may be answers."""
        if start in self._log and self._log.head(start).first_byte >> 4 not in (P.CONNECT, P.AUTH):
            yield from answers(self._pairs, start)
        elif packets := self._operations.packets(start):
            yield from packets
        elif (operation := self._operations.operation(start, 0)) is not None:
            yield from (leg.no for leg in operation.legs)
