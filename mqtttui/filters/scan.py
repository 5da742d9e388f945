"""Filters over many packets at once: blocks of rows are screened, and only what no screen can tell is dissected.

`scan` gives exactly the packets for which `filter.matches` is true. A block's verdict is three-valued (`terms`); `and`,
`or` and `not` work on whole blocks, the cheapest test first, and later tests look only at the rows that still matter.
"""

from __future__ import annotations

from collections.abc import Iterator

from mqtttui.capture.log import Log, Span
from mqtttui.filters.ast import And, Node, Not, Or
from mqtttui.filters.block import Block, Verdict
from mqtttui.filters.column_terms import Screen
from mqtttui.filters.compiler import Filter
from mqtttui.filters.evaluate import Budget, build
from mqtttui.filters.row import NO_FACTS, Facts, Row
from mqtttui.filters.terms import term

BLOCK_ROWS = 4_096
BLOCK_BYTES = 1 << 20
"""A block is at most as large as this, or one row."""


class Scanner:
    """A filter, ready to be asked of blocks of `log`."""

    def __init__(self, filter: Filter, log: Log, facts: Facts = NO_FACTS) -> None:
        self._filter = filter
        self._log = log
        self._facts = facts
        self._screen = _screen(filter.tree, filter.budget, facts)

    def matches(self, no: int) -> bool:
        """Whether packet `no` passes. Raises Evicted if it is gone."""
        return self._filter.matches(Row(self._log, no, self._facts))

    def screen(self, block: Block, mask: int) -> Verdict:
        """Which rows of `mask` pass for sure, and which may."""
        odd = sum(1 << 8 * row for row in block.odd) & mask
        if not odd:
            return self._screen.screen(block, mask)
        found = self._screen.screen(block, mask & ~odd)
        return Verdict(found.passes, found.may_pass | odd)


def blocks(log: Log, facts: Facts, after: int, budget: int, rows: int = BLOCK_ROWS) -> Iterator[Block]:
    """At most `budget` packets with numbers above `after`, in blocks of at most `rows`."""
    for segment, start, stop in log.spans(after, budget):
        while start < stop:
            end = min(stop, start + rows)
            limit = segment.start(start) + BLOCK_BYTES
            while end > start + 1 and segment.ends[end - 1] > limit:
                end = start + (end - start) // 2
            yield Block(log, facts, Span(segment, start, end))
            start = end


def scan(filter: Filter, log: Log, facts: Facts = NO_FACTS, after: int = 0, budget: int = 1 << 62) -> Iterator[int]:
    """The packets that pass, rising, among `budget` ones of the running segments with numbers above `after`."""
    scanner = Scanner(filter, log, facts)
    for block in blocks(log, facts, after, budget):
        found = scanner.screen(block, block.everything)
        if found.passes == found.may_pass:
            yield from block.numbers(found.passes)
            continue
        sure = found.passes.to_bytes(block.count, "little")
        for row in block.rows(found.may_pass):
            if sure[row] or scanner.matches(block.first + row):
                yield block.first + row


class _And:
    """All of them."""

    def __init__(self, parts: list[Screen]) -> None:
        self._parts = sorted(parts, key=lambda part: part.cost)
        self.cost = self._parts[-1].cost

    def screen(self, block: Block, mask: int) -> Verdict:
        """See Screen."""
        passes = may_pass = mask
        for part in self._parts:
            if not may_pass:
                break
            found = part.screen(block, may_pass)
            passes &= found.passes
            may_pass &= found.may_pass
        return Verdict(passes, may_pass)


class _Or:
    """One of them at least."""

    def __init__(self, parts: list[Screen]) -> None:
        self._parts = sorted(parts, key=lambda part: part.cost)
        self.cost = self._parts[-1].cost

    def screen(self, block: Block, mask: int) -> Verdict:
        """See Screen."""
        passes = may_pass = 0
        for part in self._parts:
            left = mask & ~passes
            if not left:
                break
            found = part.screen(block, left)
            passes |= found.passes
            may_pass |= found.may_pass
        return Verdict(passes, may_pass | passes)


class _Not:
    """The opposite."""

    def __init__(self, part: Screen) -> None:
        self._part = part
        self.cost = part.cost

    def screen(self, block: Block, mask: int) -> Verdict:
        """See Screen."""
        found = self._part.screen(block, mask)
        return Verdict(mask & ~found.may_pass, mask & ~found.passes)


def _screen(node: Node, budget: Budget, facts: Facts) -> Screen:
    match node:
        case And(parts):
            return _And([_screen(part, budget, facts) for part in parts])
        case Or(parts):
            return _Or([_screen(part, budget, facts) for part in parts])
        case Not(part):
            return _Not(_screen(part, budget, facts))
        case _:
            return term(node, build(node, budget), facts)
