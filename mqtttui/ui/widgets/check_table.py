"""The times and sizes of a test run as a table with bars; with a second one beside it, phase by phase."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from textual.strip import Strip

from mqtttui.analysis.check_run import METRICS, SIZES
from mqtttui.analysis.check_statistics import Report, Summary
from mqtttui.export.units import duration, size
from mqtttui.ui.bindings import bindings_for
from mqtttui.ui.content import fit
from mqtttui.ui.timing_words import bar, full
from mqtttui.ui.widgets.lines import LineView

_WIDE = 100
_LABEL, _NUMBER, _COUNT = 30, 9, 7
_WITHOUT_BAR = frozenset({"connected", "total"})
"""They contain the others, and would make all their bars short."""


@dataclass(frozen=True, slots=True)
class _Row:
    label: str
    summary: Summary
    sizes: bool = False
    barred: bool = True
    other: bool = False
    """Of the second run."""
    less: str = ""
    """How much less, or more, than the second one."""


class CheckTable(LineView):
    """One row a metric, times first."""

    SCOPE: ClassVar[str] = "checktable"
    BINDINGS = bindings_for(SCOPE)
    HEAD_ROWS = 1
    COMPONENT_CLASSES: ClassVar[set[str]] = {"check--bar", "check--other"}

    def __init__(self) -> None:
        super().__init__()
        self._rows: Sequence[_Row] = ()
        self._largest = 0
        self._many = self._two = False
        self.empty = ""
        """What to say while there is nothing."""

    @property
    def row_count(self) -> int:
        return len(self._rows)

    def show(self, report: Report | None, other: Report | None) -> None:
        """These numbers; `other` of the run to compare with."""
        self._two = other is not None
        reports = [each for each in (report, other) if each is not None]
        self._many = any(len(each.runs) > 1 for each in reports)
        times = [each.times for each in reports]
        sizes = [each.sizes for each in reports]
        rows = [row for metric in METRICS for row in _rows(metric.label, [each.get(metric.key) for each in times], metric.key)]
        rows += [row for key, label in SIZES for row in _rows(label, [each.get(key) for each in sizes], key, sizes=True)]
        self._rows = rows
        self._largest = full([row.summary for row in rows if row.barred and not row.sizes])
        self.place()

    # Painting

    def head(self, y: int, width: int) -> Strip:
        if not self._rows:
            return Strip([Segment(fit(f" {self.empty}", width), self.style_of("line--dimmed"))])
        names = ("min", "median", "p95", "max") if self._many else ("took",)
        count = f"{'n':>{_COUNT}}" if self._counted(width) else ""
        less = f"{'A - B':>{_NUMBER}}" if self._two else ""
        line = f"  {'Phase':<{_LABEL}}{count}{''.join(f'{name:>{_NUMBER}}' for name in names)}{less}  "
        return Strip([Segment(fit(line, width), self.style_of("line--head"))])

    def row(self, index: int, width: int) -> Strip:
        row = self._rows[index]
        summary, dim = row.summary, self.style_of("line--dimmed")
        shown = size if row.sizes else duration
        values = (summary.minimum, round(summary.median), summary.p95, summary.maximum) if self._many else (summary.maximum,)
        letter = ("B " if row.other else "A ") if self._two else ""
        segments = [
            self.cursor_mark(index),
            Segment(" " + fit("" if row.other and self._follows(index) else row.label, _LABEL - len(letter)) + letter),
            *([Segment(f"{summary.count:>{_COUNT},}", dim)] if self._counted(width) else []),
            *(Segment(fit(shown(value), _NUMBER, right=True)) for value in values),
            *([Segment(fit(row.less, _NUMBER, right=True), dim)] if self._two else []),
            Segment("  "),
        ]
        room = width - sum(segment.cell_length for segment in segments)
        if row.sizes or not row.barred or room < 4:
            return Strip(segments)
        first, rest = bar(summary.median, summary.p95, self._largest, room)
        style = self.style_of("check--other" if row.other else "check--bar")
        return Strip([*segments, Segment(first, style), Segment(rest, dim)])

    def _counted(self, width: int) -> bool:
        return self._many and width >= _WIDE

    def _follows(self, index: int) -> bool:
        return index > 0 and self._rows[index - 1].label == self._rows[index].label


def _rows(label: str, summaries: Sequence[Summary | None], key: str, *, sizes: bool = False) -> Sequence[_Row]:
    barred = key not in _WITHOUT_BAR
    less = ""
    if len(summaries) == 2 and (one := summaries[0]) is not None and (two := summaries[1]) is not None:
        difference = round(one.median) - round(two.median)
        shown = size(abs(difference)) if sizes else duration(abs(difference))
        less = "=" if not shown.strip("0. msB") else f"{'+' if difference > 0 else '-'}{shown}"
    return [
        _Row(label, summary, sizes, barred, other=at == 1, less=less if at == 0 else "")
        for at, summary in enumerate(summaries)
        if summary is not None
    ]
