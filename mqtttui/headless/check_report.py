"""What `mqtttui check` prints: a first line for monitors, a short table for people, or one JSON object."""

from __future__ import annotations

import json
from collections.abc import Mapping

from mqtttui.analysis.check_run import METRICS, SIZES
from mqtttui.analysis.check_statistics import Report, Summary
from mqtttui.analysis.check_thresholds import AVAILABILITY, Status, Thresholds, Verdict
from mqtttui.config.check import CheckJob
from mqtttui.export.check_tables import remarks, report_values
from mqtttui.export.units import count_bytes, duration
from mqtttui.text import shorten, visible

_LABELS: Mapping[str, str] = {metric.key: metric.label.strip() for metric in METRICS} | {AVAILABILITY: AVAILABILITY}
_LONGEST = 400
_ERRORS_SHOWN = 5


def text_report(job: CheckJob, report: Report, verdict: Verdict) -> str:
    """All lines, the one for monitors first."""
    lines = [first_line(job, report, verdict)]
    if report.runs:
        lines += [*_table(report), *_failures(report)]
    return "\n".join(lines)


def first_line(job: CheckJob, report: Report, verdict: Verdict) -> str:
    """`MQTT OK - mqtt://host:1883: 1 of 1 runs, total 14 ms | total=0.014s;;2;0 …`, as Nagios-like monitors read it."""
    head = f"MQTT {verdict.status.name} - {visible(job.options.url)}: "
    if not report.runs:
        return f"{head}interrupted before a run had ended"
    parts = [f"{report.succeeded} of {len(report.runs)} runs"]
    if (total := report.times.get("total")) is not None:
        parts.append(f"total {duration(total.p95)}")
    parts += [_beyond(key, report, job.thresholds, status) for key, status in verdict.exceeded if key != AVAILABILITY]
    if (failed := next((run.error for run in reversed(report.runs) if run.error is not None), None)) is not None:
        parts.append(f"{failed.kind.value}: {failed.title}{f' ({failed.detail})' if failed.detail else ''}")
    # The bar begins the performance data, wherever it stands.
    said = shorten(", ".join(parts), _LONGEST).replace("|", "/")
    return f"{head}{said} | {_performance(report, job.thresholds)}"


def json_report(job: CheckJob, report: Report, verdict: Verdict) -> str:
    """One object. Times are in milliseconds, what does not exist is null."""
    thresholds = job.thresholds
    values = report_values(job.options.url, job.options.connect.version.label, job.plan, report)
    each = values.pop("each")
    judged = {
        "status": verdict.status.name,
        "exit": int(verdict.status),
        "exceeded": {key: status.name for key, status in verdict.exceeded},
        "warn_ms": {name: value / 1e6 for name, value in thresholds.warning.items()},
        "critical_ms": {name: value / 1e6 for name, value in thresholds.critical.items()},
    }
    return json.dumps({**values, **judged, "each": each}, ensure_ascii=False)


def _table(report: Report) -> list[str]:
    """What was measured, times and sizes; nothing of what no run came to."""
    many = len(report.runs) > 1
    statistics = ["n", "min", "median", "p95", "max"]
    times = [(metric.label, _cells(report.times[metric.key], many)) for metric in METRICS if metric.key in report.times]
    sizes = [(label, _cells(report.sizes[key], many, sizes=True)) for key, label in SIZES if key in report.sizes]
    rows = [("", statistics if many else ["time"]), *times] if times else []
    rows += [("", statistics if many else ["size"]), *sizes] if sizes else []
    first = max((len(label) for label, _ in rows), default=0)
    widths = [max(len(each) for each in column) for column in zip(*(cells for _, cells in rows), strict=True)]
    lines: list[str] = []
    for label, cells in rows:
        if not label:
            lines.append("")
        lines.append("  ".join([label.ljust(first), *(cell.rjust(width) for cell, width in zip(cells, widths, strict=True))]).rstrip())
    return lines


def _cells(summary: Summary, many: bool, *, sizes: bool = False) -> list[str]:
    values = [summary.minimum, round(summary.median), summary.p95, summary.maximum]
    shown = [count_bytes(value) if sizes else duration(value) for value in values]
    return [str(summary.count), *shown] if many else [shown[0]]


def _failures(report: Report) -> list[str]:
    lines: list[str] = []
    if len(report.runs) > 1:
        lines += ["", f"availability {report.availability:.4g} % ({report.succeeded} of {len(report.runs)} runs)"]
    if report.errors:
        lines += ["", "errors: " + ", ".join(f"{count} {kind.value}" for kind, count in report.errors.items())]
    failed = [(run.number, run.error) for run in report.runs if run.error is not None]
    for number, error in failed[-_ERRORS_SHOWN:]:
        lines.append(f"run {number}, {error.step}: {error.title}{f': {error.detail}' if error.detail else ''}")
        lines += [f"  {error.hint}"] if error.hint else []
    more = remarks(report)
    return [*lines, *([""] if more else []), *more]


def _beyond(key: str, report: Report, thresholds: Thresholds, status: Status) -> str:
    limit = thresholds.limit(thresholds.critical if status is Status.CRITICAL else thresholds.warning, key)
    return f"{_LABELS[key]} {duration(report.times[key].p95)} > {duration(limit or 0)}"


def _performance(report: Report, thresholds: Thresholds) -> str:
    """Performance data: `'label'=value[unit];warn;crit;min;max`."""
    parts = []
    for key, summary in report.times.items():
        warning, critical = (thresholds.limit(limits, key) for limits in (thresholds.warning, thresholds.critical))
        parts.append(f"{key}={_decimal(summary.p95)}s;{_decimal(warning)};{_decimal(critical)};0;")
    parts += [f"{key}={summary.p95}B;;;0;" for key, summary in report.sizes.items()]
    least = [("" if value is None else f"{value:g}:") for value in (thresholds.available_warning, thresholds.available_critical)]
    parts.append(f"{AVAILABILITY}={report.availability:.4g}%;{least[0]};{least[1]};0;100")
    return " ".join(parts)


def _decimal(nanoseconds: int | None) -> str:
    return "" if nanoseconds is None else f"{nanoseconds / 1e9:.6f}"
