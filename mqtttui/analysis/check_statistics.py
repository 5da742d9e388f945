"""Many test runs in numbers: never a bare mean, and nothing for what was not measured."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import median

from mqtttui.analysis.check_run import METRICS, SIZES, Run
from mqtttui.protocol.enums import ErrorClass


@dataclass(frozen=True, slots=True)
class Summary:
    """Statistics of one metric, in its unit."""

    count: int
    minimum: int
    median: float
    p95: int
    """The smallest value that at least 95 % do not exceed (nearest rank): below 20 values the largest."""
    maximum: int


def summarize(values: Iterable[int]) -> Summary | None:
    """None without any value."""
    ordered = sorted(values)
    if not ordered:
        return None
    return Summary(len(ordered), ordered[0], median(ordered), ordered[math.ceil(0.95 * len(ordered)) - 1], ordered[-1])


@dataclass(frozen=True)
class Report:
    """All runs of a check, made anew when there are more: its statistics are remembered."""

    runs: Sequence[Run]

    @property
    def succeeded(self) -> int:
        """Runs without an error."""
        return sum(run.error is None for run in self.runs)

    @property
    def availability(self) -> float | None:
        """Percentage of runs without an error; None without runs."""
        return 100 * self.succeeded / len(self.runs) if self.runs else None

    @property
    def errors(self) -> dict[ErrorClass, int]:
        """How often each class of error was met."""
        counts = Counter(run.error.kind for run in self.runs if run.error is not None)
        return {kind: counts[kind] for kind in ErrorClass if counts[kind]}

    @cached_property
    def times(self) -> dict[str, Summary]:
        """Statistics of each metric that was measured, also in runs that failed later; ns."""
        return self._summaries((metric.key, [run.times[metric.key] for run in self.runs if metric.key in run.times]) for metric in METRICS)

    @cached_property
    def sizes(self) -> dict[str, Summary]:
        """Statistics of each size; bytes."""
        return self._summaries((key, [run.sizes[key] for run in self.runs if key in run.sizes]) for key, _ in SIZES)

    @staticmethod
    def _summaries(columns: Iterable[tuple[str, list[int]]]) -> dict[str, Summary]:
        return {key: summary for key, values in columns if (summary := summarize(values)) is not None}
