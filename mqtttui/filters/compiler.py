"""From text to a filter that can be asked of every packet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from mqtttui.filters.ast import Node, TopicMatch, operands, walk
from mqtttui.filters.check import check
from mqtttui.filters.evaluate import Budget, Test, build
from mqtttui.filters.hints import hints
from mqtttui.filters.parser import parse
from mqtttui.filters.printing import text_of
from mqtttui.filters.row import Row


@dataclass(frozen=True, slots=True, eq=False)
class Filter:
    """A display filter. Two with the same `tree` select the same packets."""

    text: str
    """As it was written."""
    tree: Node
    """What it means."""
    names: frozenset[str]
    """The fields that it looks at."""
    portable: bool
    """Wireshark knows all of its names."""
    hints: tuple[str, ...]
    """What to know about it: traps, and where Wireshark gives another result. One sentence each."""
    changes_later: bool
    """It asks for what can change after a packet came: its answer, its marks, the clock."""
    budget: Budget
    """The time that its patterns may take."""
    _test: Test

    def matches(self, row: Row) -> bool:
        """Whether the packet passes. Raises Evicted if it is gone."""
        return self._test(row)

    @property
    def timeouts(self) -> int:
        """Packets on which a pattern took too long; they count as not matching."""
        return self.budget.timeouts

    def __str__(self) -> str:
        """The same filter in one canonical form."""
        return text_of(self.tree)


def compile_filter(text: str, *, clock: Callable[[], float] = monotonic) -> Filter:
    """The filter that `text` is. Raises FilterError, and nothing else, if it is none.

    `clock` gives seconds; the time that patterns take is measured with it.
    """
    tree = check(parse(text), text)
    refs = list(operands(tree))
    budget = Budget(clock)
    return Filter(
        text=text,
        tree=tree,
        names=frozenset(ref.spec.name for ref in refs),
        portable=all(ref.spec.portable for ref in refs) and not any(isinstance(test, TopicMatch) for test in walk(tree)),
        hints=hints(tree, text),
        changes_later=any(ref.spec.changes for ref in refs),
        budget=budget,
        _test=build(tree, budget),
    )
