"""Going to the next of something: a finding, a mark, what was searched for. `n` and `N` repeat the last kind.

All go by what the packet list shows. A search takes slices and can be stopped; the others know their numbers.
"""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from enum import Enum

from mqtttui.analysis.pump import Pump
from mqtttui.capture.log import Log
from mqtttui.capture.marks import Marks
from mqtttui.ui.search import Hunt, Search
from mqtttui.ui.widgets.packet_list import PacketList

_SLICE_NS = 8_000_000
_TELL_NS = 400_000_000


class Prey(Enum):
    """What is gone after."""

    FINDING = "finding"
    MARK = "mark"
    FOUND = "search"


class Hunting:
    """The next one of something in one packet list."""

    def __init__(
        self, log: Log, packets: PacketList, pump: Pump, marks: Marks, go: Callable[[int], object], say: Callable[[str], object]
    ) -> None:
        self._log = log
        self._go = go
        self._packets = packets
        self._pump = pump
        self._marks = marks
        self._say = say
        self._last = Prey.FINDING
        self._hunt: Hunt | None = None
        self.search = Search("")
        """The latest one, to begin with."""

    def finding(self, *, back: bool = False) -> None:
        """To the next packet with a warning or an error."""
        self._last = Prey.FINDING
        at = self._packets.selected or 0
        no: int | None = at
        findings = self._pump.findings
        for _ in range(1 + findings.warnings + findings.errors):
            no = findings.next(no if no is not None else 0, back)
            if no is None or self._packets.has(no):
                break
        if no is None:
            self._say("no packet with a warning or an error")
        elif self._packets.has(no):
            self._went(at, no, back)
        else:
            self._say("the packets with findings are not in the list: the filter leaves them out, or they are hidden")

    def mark(self, *, back: bool = False) -> None:
        """To the next marked or commented packet."""
        self._last = Prey.MARK
        numbers = sorted({*self._marks.numbers(), *self._marks.commented()})
        shown = [no for no in numbers if self._packets.has(no)]
        if not shown:
            self._say("no packet is marked: m marks one" if not numbers else "the marked packets are not in the list")
            return
        at = self._packets.selected or 0
        index = (bisect_left(shown, at) - 1) if back else bisect_right(shown, at)
        self._went(at, shown[index % len(shown)], back)

    async def find(self, search: Search, *, back: bool = False) -> None:
        """To the next packet that `search` hits."""
        self.stop()
        self._last, self.search = Prey.FOUND, search
        rows = self._packets.rows
        at = self._packets.selected or 0
        hunt = self._hunt = Hunt(search, self._log, rows, self._packets.cursor, -1 if back else 1)
        told = time.monotonic_ns() + _TELL_NS
        while not hunt.advance(time.monotonic_ns, _SLICE_NS):
            await asyncio.sleep(0)
            if self._hunt is not hunt:
                return
            if time.monotonic_ns() > told:
                told = time.monotonic_ns() + _TELL_NS
                self._say(f"searching: {hunt.tested:,} of {hunt.total:,}; ctrl+c stops")
        self._hunt = None
        if hunt.found is None:
            self._say(f"not found in the {hunt.total:,} packets of the list" if hunt.total else "no packet to search")
        else:
            self._went(at, hunt.found, back, "found; n goes on, N goes back")

    def _went(self, before: int, no: int, back: bool, words: str = "") -> None:
        """To packet `no`; say so when that is no step onwards."""
        self._go(no)
        if no == before:
            words = "there is no other one"
        elif (no > before) is back and before:
            words = "from the end again, backwards" if back else "from the beginning again"
        if words:
            self._say(words)

    async def again(self, *, back: bool = False) -> None:
        """The next one of the last kind."""
        match self._last:
            case Prey.FINDING:
                self.finding(back=back)
            case Prey.MARK:
                self.mark(back=back)
            case Prey.FOUND:
                await self.find(self.search, back=back)

    def stop(self) -> bool:
        """Search no further. False if nothing was being searched."""
        running, self._hunt = self._hunt, None
        return running is not None
