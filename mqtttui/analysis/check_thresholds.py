"""Limits on what a check measures, and the verdict in the words of Nagios-like monitors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from mqtttui.analysis.check_run import METRICS
from mqtttui.analysis.check_statistics import Report

AVAILABILITY = "availability"
FAMILIES: Mapping[str, tuple[str, ...]] = {
    name: tuple(metric.key for metric in METRICS if name in (metric.key, metric.family))
    for name in dict.fromkeys([*(metric.key for metric in METRICS), *(metric.family for metric in METRICS if metric.family)])
}
"""Name of a limit -> the metrics it is for."""


class Status(IntEnum):
    """The exit status, as monitors read it."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Limits by name (see FAMILIES). A time is judged by its 95th percentile: with one run by that run."""

    warning: Mapping[str, int] = field(default_factory=dict)
    """Most ns."""
    critical: Mapping[str, int] = field(default_factory=dict)
    available_warning: float | None = None
    """Least percentage of runs without an error."""
    available_critical: float | None = None

    def limit(self, limits: Mapping[str, int], key: str) -> int | None:
        """The narrowest of `limits` that is for the metric `key`."""
        return min((value for name, value in limits.items() if key in FAMILIES[name]), default=None)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to tell the monitor."""

    status: Status
    exceeded: tuple[tuple[str, Status], ...] = ()
    """Metrics beyond a limit (`availability` too), in the order of a run."""


def judge(report: Report, thresholds: Thresholds) -> Verdict:
    """The worst of all limits. A run that failed is critical, unless there are limits on the availability."""
    availability = report.availability
    if availability is None:
        return Verdict(Status.UNKNOWN)
    exceeded = [
        (key, status)
        for key, summary in report.times.items()
        if (status := _above(summary.p95, thresholds.limit(thresholds.warning, key), thresholds.limit(thresholds.critical, key)))
    ]
    if status := _availability(availability, thresholds):
        exceeded.append((AVAILABILITY, status))
    return Verdict(max((status for _, status in exceeded), default=Status.OK), tuple(exceeded))


def _above(value: int, warning: int | None, critical: int | None) -> Status:
    if critical is not None and value > critical:
        return Status.CRITICAL
    return Status.WARNING if warning is not None and value > warning else Status.OK


def _availability(percent: float, thresholds: Thresholds) -> Status:
    warning, critical = thresholds.available_warning, thresholds.available_critical
    if warning is None and critical is None:
        return Status.CRITICAL if percent < 100 else Status.OK
    if critical is not None and percent < critical:
        return Status.CRITICAL
    return Status.WARNING if warning is not None and percent < warning else Status.OK
