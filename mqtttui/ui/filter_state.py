"""What the lines of the screen say of the filter: plain values, and their words. It imports next to nothing, for the first paint."""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len

from mqtttui.text import shorten
from mqtttui.ui.content import fit, grouped


@dataclass(frozen=True, slots=True)
class FilterState:
    """What is in force, and how far it has come."""

    typed: str = ""
    meaning: str = ""
    """The strict filter that a quick search stands for; empty if that is what was typed."""
    matches: int = 0
    answers: int = 0
    total: int = 0
    with_answers: bool = False
    noise: bool = False
    """Noise is hidden."""
    percent: int | None = None
    """Of the packets tested while some are left; None: all are."""
    stopped: bool = False
    """Not everything was tested, and will not be."""
    too_slow: int = 0
    """Packets on which a pattern took too long."""

    @property
    def active(self) -> bool:
        """Not every packet is shown."""
        return bool(self.typed) or self.noise

    @property
    def count(self) -> str:
        """`312 of 12,431`."""
        found = grouped(self.matches) + (f" + {grouped(self.answers)} answers" if self.with_answers else "")
        if self.percent is not None:
            return f"testing {self.percent} % · {found} so far (ctrl+c stops)"
        return f"{found} of {grouped(self.total)}" + (" tested · stopped" if self.stopped else "")

    @property
    def short_count(self) -> str:
        """`312/12,431`."""
        if self.percent is not None:
            return f"testing {self.percent} %"
        stopped = " stopped" if self.stopped else ""
        return f"{grouped(self.matches)}{f'+{grouped(self.answers)}' if self.with_answers else ''}/{grouped(self.total)}{stopped}"


def state_words(state: FilterState, width: int) -> tuple[str, str]:
    """The same in `width` cells, for a screen without room for a line: what is selected, and the filter."""
    if not state.active:
        return "", ""
    count = state.short_count
    if not state.typed:
        return count, "-noise (o)"
    room = width - cell_len(count) - (9 if state.noise else 0)
    return count, cut(f"/ {state.typed}", max(6, room)) + (" -noise" if state.noise else "")


def cut(shown: str, cells: int) -> str:
    """`shown` in at most `cells` cells."""
    return shown if cell_len(shown) <= cells else fit(shorten(shown, cells * 2), cells)
