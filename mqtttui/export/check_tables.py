"""The report of test runs as values of JSON, and as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from mqtttui.analysis.check_run import METRICS, SIZES, Depth, Plan, Run
from mqtttui.analysis.check_statistics import Report, Summary
from mqtttui.export.markdown import plain
from mqtttui.export.stamps import iso_utc
from mqtttui.export.timing_markdown import STATISTICS, statistics, table
from mqtttui.export.units import count_bytes, duration
from mqtttui.text import visible

_ERRORS_SHOWN = 5
_ANSWERS = frozenset({"connack", "subscribe", "publish-qos1", "publish-qos2-pubrec", "publish-qos2-pubcomp", "unsubscribe", "ping"})
_QUICK_NS = 5_000_000
_DELAY_NS = (38_000_000, 60_000_000)
"""A delayed acknowledgement of Linux, and a little more."""


def report_values(url: str, version: str, plan: Plan, report: Report) -> dict[str, Any]:
    """Everything that was measured. Times are in milliseconds, what does not exist is None."""
    return {
        "url": url,
        "version": version,
        "topic": visible(plan.topic) if plan.depth is not Depth.CONNECT else None,
        "runs": len(report.runs),
        "succeeded": report.succeeded,
        "availability": report.availability,
        "errors": {kind.value: count for kind, count in report.errors.items()},
        "times_ms": {metric.key: _summary(report.times.get(metric.key), 1e6) for metric in METRICS},
        "sizes": {key: _summary(report.sizes.get(key), 1) for key, _ in SIZES},
        "each": [_run(run) for run in report.runs],
    }


def report_markdown(url: str, version: str, plan: Plan, report: Report, other: Report | None = None) -> str:
    """What was measured as tables; with the medians of an `other` report beside its own."""
    began = f", {iso_utc(report.runs[0].wall)}" if report.runs else ""
    topic = f", topic {plain(visible(plan.topic))}" if plan.depth is not Depth.CONNECT else ""
    parts = [f"**Test of {plain(visible(url))}**, MQTT {version}{topic}{began}: {availability_words(report)}"]
    heads = [*STATISTICS, "median before"] if other is not None else STATISTICS
    rows = []
    for metric in METRICS:
        if (summary := report.times.get(metric.key)) is not None:
            cells = [metric.label.strip(), *statistics(summary)]
            if other is not None:
                before = other.times.get(metric.key)
                cells.append(statistics(before)[2] if before is not None else "-")
            rows.append(cells)
    if rows:
        parts.append(table(("time", *heads), rows))
    sizes = [
        [label.strip(), *(count_bytes(value) for value in (summary.minimum, summary.maximum))]
        for key, label in SIZES
        if (summary := report.sizes.get(key)) is not None
    ]
    if sizes:
        parts.append(table(("size", "min", "max"), sizes))
    lines = [*failure_lines(report), *remarks(report)]
    parts.append("\n".join(f"- {plain(line)}" for line in lines))
    return "\n\n".join(part for part in parts if part) + "\n"


def availability_words(report: Report) -> str:
    """`9 of 10 runs, availability 90 %`."""
    if report.availability is None:
        return "no run has ended"
    errors = ", ".join(f"{count} {kind.value}" for kind, count in report.errors.items())
    said = f"{report.succeeded} of {len(report.runs)} runs, availability {report.availability:.4g} %"
    return f"{said}, errors: {errors}" if errors else said


def failure_lines(report: Report, most: int = _ERRORS_SHOWN) -> Sequence[str]:
    """The latest runs that failed: where, why, and what to check."""
    failed = [(run.number, run.error) for run in report.runs if run.error is not None]
    return [
        f"run {number}, {error.step}: {error.title}{f': {error.detail}' if error.detail else ''}{f' ({error.hint})' if error.hint else ''}"
        for number, error in failed[-most:]
    ]


def remarks(report: Report) -> Sequence[str]:
    """What the runs left out, and why; and what looks like a setting of the broker."""
    left_out = [f"left out: {text}" for text in dict.fromkeys(text for run in report.runs for text in run.skipped)]
    return [*left_out, *_held_back(report)]


def _held_back(report: Report) -> Sequence[str]:
    """Systems acknowledge TCP after 40 ms at the latest: a broker may wait for that before it sends the next small packet."""
    times = report.times
    network = times.get("tcp")
    if network is None or network.median > _QUICK_NS:
        return []
    late = [metric.label.strip() for metric in METRICS if metric.key in _ANSWERS and (took := times.get(metric.key)) and _is_delay(took)]
    if not late:
        return []
    what = f"{', '.join(late)}: about 40 ms where the network takes {duration(round(network.median))}"
    return [f"{what}. It looks like a broker that holds small packets back (Nagle); in mosquitto: set_tcp_nodelay true"]


def _is_delay(took: Summary) -> bool:
    return took.minimum >= _DELAY_NS[0] and took.median <= _DELAY_NS[1]


def _run(run: Run) -> Mapping[str, Any]:
    error = run.error
    return {
        "run": run.number,
        "time": datetime.fromtimestamp(run.wall // 1_000_000_000, UTC).isoformat(),
        "times_ms": {metric.key: run.times[metric.key] / 1e6 if metric.key in run.times else None for metric in METRICS},
        "sizes": {key: run.sizes.get(key) for key, _ in SIZES},
        "skipped": list(run.skipped),
        "error": error
        and {"class": error.kind.value, "step": error.step, "title": error.title, "detail": error.detail, "hint": error.hint},
    }


def _summary(summary: Summary | None, unit: float) -> Mapping[str, float] | None:
    if summary is None:
        return None
    return {
        "n": summary.count,
        "min": summary.minimum / unit,
        "median": summary.median / unit,
        "p95": summary.p95 / unit,
        "max": summary.maximum / unit,
    }
