"""An attempt to connect in words: one line, the failure with what to check and the likely mends, and Markdown."""

from __future__ import annotations

from mqtttui.client.events import StepStatus
from mqtttui.export.markdown import code, plain
from mqtttui.text import visible
from mqtttui.ui.attempts import Attempt, Result
from mqtttui.ui.content import Part
from mqtttui.ui.forms.fixes import fix_label
from mqtttui.ui.times import clock
from mqtttui.ui.waterfall import Bar, bars, difference, duration, pairs

SIGNS = {
    Result.RUNNING: "…",
    Result.CONNECTED: "✓",
    Result.FAILED: "✗",
    Result.CANCELLED: "○",
    Result.LOST: "!",
    Result.ENDED: "✓",
}
_STATUS = {
    StepStatus.FAILED: "failed",
    StepStatus.RUNNING: "under way",
    StepStatus.WAITING: "not reached",
    StepStatus.SKIPPED: "not needed",
    StepStatus.DONE: "",
}


def url_of(attempt: Attempt) -> str:
    """Where it went."""
    return visible(attempt.options.url) if attempt.options is not None else ""


def outcome(attempt: Attempt) -> str:
    """`connected`, `Certificate expired`, `connected, then: Keep-alive time-out`."""
    match attempt.result:
        case Result.FAILED:
            return attempt.ended or "failed"
        case Result.LOST:
            return f"connected, then: {attempt.ended}"
        case Result.ENDED:
            return f"connected, then {attempt.ended or 'ended'}"
        case Result.CANCELLED:
            return attempt.ended or "cancelled"
        case Result.RUNNING | Result.CONNECTED:
            return str(attempt.result.value)


def failure_parts(attempt: Attempt, *, fixable: bool) -> list[Part]:
    """Title, detail, what to check and the likely mends, a line each; `fixable`: F8 applies the first one now."""
    failure = attempt.failure
    if failure is None:
        style = "" if attempt.result is Result.RUNNING else "$state-good" if attempt.result is Result.CONNECTED else "$dimmed"
        return [(outcome(attempt), style)]
    parts: list[Part] = [(failure.title, "bold $state-bad"), f"  {failure.detail}" if failure.detail else ""]
    if failure.hint:
        parts += [("\ncheck: ", "$dimmed"), failure.hint]
    if failure.fixes and attempt.options is not None:
        first, *others = (fix_label(attempt.options, fix, failure.value) for fix in failure.fixes)
        parts += [("\nF8 ", "bold $primary") if fixable else ("\ntry: ", "$dimmed"), first]
        parts += [(f"   or: {', '.join(others)}", "$dimmed")] if others else []
    return parts


def bar_words(bar: Bar) -> str:
    """What stands in the place of a bar that never began, or behind a number."""
    words = _STATUS[bar.status]
    return f"{words}: {bar.detail}" if bar.status is StepStatus.SKIPPED and bar.detail not in ("", "off") else words


def markdown(attempt: Attempt, other: Attempt | None, now: int) -> str:
    """The attempt, and another to compare it with, for an issue or a message; `now` in monotonic ns."""
    parts = [_headline("A: " if other is not None else "", attempt, now)]
    if attempt.failure is not None:
        parts += _failure(attempt)
    if other is None:
        rows = [f"| {_label(bar)} | {_start(bar)} | {duration(bar.ns)} | {plain(_said(bar))} |" for bar in bars(attempt, now)]
        parts.append("\n".join(["| Phase | began after | took | |", "| --- | ---: | ---: | --- |", *rows]))
    else:
        parts.append(_headline("B: ", other, now))
        if other.failure is not None:
            parts += _failure(other)
        rows = [_compared(one, two) for one, two in pairs(bars(attempt, now), bars(other, now))]
        parts.append("\n".join(["| Phase | A | B | A - B |", "| --- | ---: | ---: | ---: |", *rows]))
    return "\n\n".join(parts) + "\n"


def _headline(letter: str, attempt: Attempt, now: int) -> str:
    took = f" after {duration(ns)}" if (ns := attempt.took(now)) is not None else ""
    return f"**{letter}{plain(outcome(attempt))}**{took}: {code(url_of(attempt))} at {clock(attempt.wall)}"


def _failure(attempt: Attempt) -> list[str]:
    failure = attempt.failure
    if failure is None:
        return []
    lines = [plain(failure.detail)] if failure.detail else []
    if failure.hint:
        lines.append(f"What to check: {plain(failure.hint)}")
    if failure.fixes and attempt.options is not None:
        lines.append(f"To try: {plain(', '.join(fix_label(attempt.options, fix, failure.value) for fix in failure.fixes))}")
    return lines


def _label(bar: Bar) -> str:
    return f"· {plain(bar.label)}" if bar.indented else bar.label


def _start(bar: Bar) -> str:
    return duration(bar.start)


def _said(bar: Bar) -> str:
    words = _STATUS[bar.status]
    return f"{words}: {bar.detail}" if words and bar.detail else words or bar.detail


def _compared(one: Bar | None, two: Bar | None) -> str:
    shown = [duration(bar.ns) or _STATUS[bar.status] if bar is not None else "" for bar in (one, two)]
    some = one or two
    less = difference(one.ns if one is not None else None, two.ns if two is not None else None)
    return f"| {_label(some) if some is not None else ''} | {shown[0]} | {shown[1]} | {less} |"
