"""The packets that a display filter shows: found in slices, kept up to date while packets come, change and go.

Rules:
1. `numbers` is sorted: the packets that pass, and with "answers included" those linked with them, which count apart.
   Eight bytes a row; it loses at its front what the log evicts, except what is pinned.
2. A packet is tested once what is said of it cannot come later any more (`Pairs` has read it), and again whenever somebody
   reports that a fact about it changed; filters that ask for no such fact are spared that.
3. Ages change without a report: the packets of open operations are tested again once a second.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable
from typing import Protocol, runtime_checkable

from mqtttui.analysis.operations import Operations
from mqtttui.capture.log import Log
from mqtttui.filters.block import Block, Verdict
from mqtttui.filters.compiler import Filter
from mqtttui.filters.noise import is_noise, noise_of
from mqtttui.filters.row import NO_FACTS, Facts
from mqtttui.filters.scan import BLOCK_ROWS, Scanner, blocks

_FIRST_ROWS = 256
_FEWEST_ROWS = 64
_TESTS = 8
"""Dissections and the like between two looks at the clock."""
_COARSE_NS = 1_000_000_000
_AGE = "mqtttui.op.age"
_LONGEST_CHAIN = 8


@runtime_checkable
class Changing(Protocol):
    """Facts that change later, reported by number."""

    def changes_since(self, position: int, /) -> tuple[list[int], int]:
        """The packets concerned since `position`, and the position behind them."""


class FilterView:
    """What `filter` shows of `log`. Call `advance` until it gives True, and again when there is something new."""

    def __init__(self, log: Log, facts: Facts = NO_FACTS) -> None:
        self._log = log
        self._facts = facts
        self._operations = facts.operations if isinstance(facts.operations, Operations) else None
        self._sources = [each for each in (facts.pairs, facts.operations, facts.findings, facts.marks) if isinstance(each, Changing)]
        self._owner = f"filter {id(self)}"
        self.set(None)

    # --- what it shows

    def set(self, filter: Filter | None, *, answers: bool = False, hide_noise: bool = False) -> None:
        """Begins anew. With `answers` packets that are linked with those that pass are shown as well, noise or not."""
        self.filter = filter
        self.answers_included = answers and filter is not None
        self.noise_hidden = hide_noise
        self.numbers = array("Q")
        """What is shown, sorted."""
        self.hidden = 0
        """Packets that were left out as noise."""
        self.tested = 0
        """Packets tested so far."""
        self.cancelled = False
        """Not everything that was there was tested."""
        self._linked = array("Q")
        """Of `numbers`, those that are there only because they are linked with others; sorted."""
        self._scanner = None if filter is None else Scanner(filter, self._log, self._facts)
        names = frozenset[str]() if filter is None else filter.names
        self._links_matter = self.answers_included or hide_noise or any(name.startswith("mqtttui.") for name in names)
        self._ages_matter = _AGE in names
        self._changes_matter = self.answers_included or (filter is not None and filter.changes_later)
        self._operations_matter = any(name.startswith("mqtttui.op.") for name in names)
        self._old = self._log.old_numbers()[::-1] if self.active else []
        """Pinned packets from before the log's first, still to be tested; the lowest last."""
        self._position = self._log.first - 1
        self._trimmed = (0, 0)
        self._rows = _FIRST_ROWS
        self._heard = [source.changes_since(1 << 62)[1] for source in self._sources]
        self._watched = 0
        self._taken = array("Q")
        self._again: dict[int, None] = {}
        """Packets to test again, in the order of the reports."""
        self._aged_at = self._now()
        self._log.report(self._owner, 0)

    def watch(self, filter: Filter) -> None:
        """Begins anew, with the packets that come from now on. `take` gives those that pass."""
        self.set(filter)
        self._old = []
        self._position = self._watched = self._log.last

    def take(self) -> list[int]:
        """The watched packets that have come to pass since the question before, rising, each once."""
        found = [no for no in self.numbers if no > self._watched and not _in(self._taken, no)]
        del self.numbers[:]
        if self._changes_matter:
            # They may be tested again, and pass again.
            for no in found:
                _insert(self._taken, no)
        return found

    @property
    def active(self) -> bool:
        """Whether anything is left out."""
        return self.filter is not None or self.noise_hidden

    @property
    def matches(self) -> int:
        """Packets that pass: what is counted and exported."""
        return len(self.numbers) - len(self._linked)

    @property
    def answers(self) -> int:
        """Packets that are shown only because they are linked with one that passes."""
        return len(self._linked)

    @property
    def total(self) -> int:
        """Packets tested and still to be tested."""
        return self.tested + len(self._old) + max(0, self._log.last - self._position)

    def passing(self) -> Iterable[int]:
        """The packets that pass, rising, without linked ones."""
        linked = frozenset(self._linked)
        return (no for no in self.numbers if no not in linked)

    def is_answer(self, no: int) -> bool:
        """Whether packet `no` is shown only because it is linked with one that passes."""
        return _in(self._linked, no)

    def __contains__(self, no: object) -> bool:
        return isinstance(no, int) and _in(self.numbers, no)

    def cancel(self) -> None:
        """Tests nothing more of what is there now; what was found stays, and what comes is tested."""
        if self.active and (self._old or self._again or self._position < self._log.last):
            self.cancelled = True
            self._old = []
            self._again.clear()
            self._position = self._log.last

    # --- testing

    def advance(self, clock: Callable[[], int], slice_ns: int) -> bool:
        """Tests for at most about `slice_ns` of `clock`. True when nothing is left that can be tested now."""
        if not self.active:
            return True
        deadline = clock() + slice_ns
        self._trim()
        self._log.report(self._owner, (len(self.numbers) + len(self._linked)) * self.numbers.itemsize)
        self._listen()
        done = self._test_again(clock, deadline) and self._test_old(clock, deadline)
        while done and (budget := self._horizon() - max(self._position, self._log.first - 1)) > 0:
            began = clock()
            if began >= deadline:
                return False
            for block in blocks(self._log, self._facts, self._position, min(budget, self._rows), self._rows):
                done = self._test_block(block, clock, deadline)
                took = clock() - began
                if not done or took > slice_ns // 2:
                    self._rows = max(_FEWEST_ROWS, self._rows // 2)
                elif took < slice_ns // 8:
                    self._rows = min(BLOCK_ROWS, self._rows * 2)
                break
        return done

    def _horizon(self) -> int:
        """The last packet of which all is known that does not change later."""
        last = self._log.last
        if self._links_matter and self._facts.pairs is not None:
            last = min(last, self._facts.pairs.position)
        if self._operations_matter and self._operations is not None:
            last = min(last, self._operations.position)
        return last

    def _test_block(self, block: Block, clock: Callable[[], int], deadline: int) -> bool:
        """Tests the rows of `block`; False if the time ended before the rows did."""
        noise = noise_of(block, self._facts.pairs) if self.noise_hidden else 0
        mask = block.everything & ~noise
        found = Verdict(mask, mask) if self._scanner is None else self._scanner.screen(block, mask)
        rows = block.rows(found.may_pass)
        done, stop = True, block.count
        if found.passes == found.may_pass and not self.answers_included:
            self._append([block.first + row for row in rows])
        else:
            sure = found.passes.to_bytes(block.count, "little")
            spent = 0
            for row in rows:
                no = block.first + row
                if spent >= _TESTS and clock() >= deadline:
                    done, stop = False, row
                    break
                spent = 0 if spent >= _TESTS else spent + (not sure[row] or self.answers_included)
                if sure[row] or (self._scanner is not None and self._scanner.matches(no)):
                    self._show(no)
        self.tested += stop
        self.hidden += (noise & (1 << 8 * stop) - 1).bit_count()
        self._position = block.first + stop - 1
        return done

    def _test_old(self, clock: Callable[[], int], deadline: int) -> bool:
        while self._old:
            if clock() >= deadline:
                return False
            no = self._old.pop()
            self.tested += 1
            if no in self._log and self._passes(no):
                self._show(no)
        return True

    def _passes(self, no: int) -> bool:
        if self.noise_hidden and is_noise(self._log, no, self._facts.pairs):
            return False
        return self._scanner is None or self._scanner.matches(no)

    # --- facts that change

    def _listen(self) -> None:
        """Notes which packets are to be tested again."""
        for index, source in enumerate(self._sources):
            changed, self._heard[index] = source.changes_since(self._heard[index])
            if self._changes_matter:
                self._again.update(dict.fromkeys(changed))
        operations = self._operations
        if self._ages_matter and operations is not None and (now := self._now()) - self._aged_at >= _COARSE_NS:
            self._aged_at = now
            for start in operations.rows("open", 0, operations.open_count):
                self._again.update(dict.fromkeys(operations.packets(start)))

    def _test_again(self, clock: Callable[[], int], deadline: int) -> bool:
        while self._again:
            if clock() >= deadline:
                return False
            no = next(iter(self._again))
            del self._again[no]
            if no > self._position or no not in self._log or no in self._old:
                continue
            if self._passes(no):
                self._show(no)
            else:
                self._hide(no)
        return True

    def _now(self) -> int:
        return 0 if self._facts.now is None else self._facts.now()

    # --- rows

    def _append(self, rising: list[int]) -> None:
        """Shows packets that come after all that are shown."""
        if rising and self.numbers and self.numbers[-1] >= rising[0]:
            for no in rising:
                self._show(no)
        else:
            self.numbers.extend(rising)

    def _show(self, no: int) -> None:
        """Packet `no` passes."""
        if not _insert(self.numbers, no):
            _remove(self._linked, no)
        if self.answers_included:
            for other in self._conversation(no):
                if other in self._log and _insert(self.numbers, other):
                    _insert(self._linked, other)

    def _hide(self, no: int) -> None:
        """Packet `no` does not pass any more."""
        if not _in(self.numbers, no) or _in(self._linked, no):
            return
        conversation = self._conversation(no) if self.answers_included else ()
        if any(self._is_match(other) for other in conversation):
            _insert(self._linked, no)
            return
        _remove(self.numbers, no)
        for other in conversation:
            if _remove(self._linked, other):
                _remove(self.numbers, other)

    def _is_match(self, no: int) -> bool:
        return _in(self.numbers, no) and not _in(self._linked, no)

    def _conversation(self, no: int) -> frozenset[int]:
        """The packets that are linked with `no`, without itself."""
        pairs, operations = self._facts.pairs, self._operations
        if pairs is None:
            return frozenset()
        chain = [pairs.start_of(no)]
        if operations is not None and (asked := operations.request_of(no)) is not None:
            chain.append(asked)
        for start in tuple(chain):
            if operations is not None and (response := operations.response_of(start)) is not None:
                chain.append(response)
            at: int | None = start
            for _ in range(_LONGEST_CHAIN):
                at = pairs.answer_of(at) if at is not None else None
                if at is not None:
                    chain.append(at)
        return frozenset(chain) - {no}

    def _trim(self) -> None:
        """Lets go of what the log has let go of."""
        log = self._log
        before, self._trimmed = self._trimmed, (log.first, log.kept - (log.last - log.first))
        if self._trimmed == before:
            return
        self._position = max(self._position, log.first - 1)
        for table in (self.numbers, self._linked, self._taken):
            gone = bisect_left(table, log.first)
            table[:gone] = array("Q", [no for no in table[:gone] if no in log])


def _in(table: array[int], no: int) -> bool:
    at = bisect_left(table, no)
    return at < len(table) and table[at] == no


def _insert(table: array[int], no: int) -> bool:
    """Adds `no` to a sorted table; False if it is there."""
    if not table or no > table[-1]:
        table.append(no)
        return True
    at = bisect_left(table, no)
    if table[at] == no:
        return False
    table.insert(at, no)
    return True


def _remove(table: array[int], no: int) -> bool:
    """Takes `no` out of a sorted table; False if it is not there."""
    at = bisect_left(table, no)
    if at == len(table) or table[at] != no:
        return False
    table.pop(at)
    return True
