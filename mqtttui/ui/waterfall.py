"""The phases of an attempt to connect as bars on one scale: pure values and cells, painted elsewhere."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from mqtttui.client.events import Step, StepStatus, Try
from mqtttui.text import visible
from mqtttui.ui.attempts import Attempt

_NAMES = {
    "resolve": "DNS",
    "tcp": "TCP",
    "unix": "Unix socket",
    "proxy": "Proxy",
    "tls": "TLS",
    "websocket": "WebSocket",
    "connect": "CONNECT",
    "connack": "CONNACK",
}
_FULL, _SLIVER, _OTHER = "█", "▏", "▒"
_NICE = (10, 12, 15, 20, 25, 30, 40, 50, 60, 80)


@dataclass(frozen=True, slots=True)
class Bar:
    """One phase, or one address within the phase TCP. Times in ns since the attempt began."""

    key: tuple[str, int]
    """The step's name, and which of its tries from 1 on (0: the step itself): what two attempts are compared by."""
    label: str
    status: StepStatus
    start: int | None = None
    end: int | None = None
    """None if it never began; of a running one: so far."""
    detail: str = ""
    """What came of it: an address, a cipher, an error."""

    @property
    def ns(self) -> int | None:
        """How long it took, or has taken so far; None if it never began."""
        return None if self.start is None or self.end is None else self.end - self.start

    @property
    def indented(self) -> bool:
        """It is a part of the bar above it."""
        return self.key[1] > 0


def bars(attempt: Attempt, now: int) -> list[Bar]:
    """Every phase of an attempt in its order; `now` in monotonic ns."""
    origin = attempt.began or 0
    until = now if attempt.finished is None else attempt.finished
    out: list[Bar] = []
    for step in attempt.steps:
        out.append(_phase(step, origin, until, attempt))
        if len(step.tries) > 1:
            out += [_try(step, index, each, origin, until) for index, each in enumerate(step.tries, 1)]
    return out


def _phase(step: Step, origin: int, until: int, attempt: Attempt) -> Bar:
    label = _NAMES.get(step.name, step.name)
    status = step.status
    if status is StepStatus.RUNNING and attempt.finished is not None:
        status = StepStatus.FAILED  # It was given up in here.
    if step.started is None or step.status in (StepStatus.WAITING, StepStatus.SKIPPED):
        return Bar((step.name, 0), label, status, detail=step.detail)
    start = step.started if step.tried is None or len(step.tries) > 1 else step.tried
    end = until if step.ended is None else step.ended
    return Bar((step.name, 0), label, status, start - origin, max(start, end) - origin, step.detail)


def _try(step: Step, index: int, each: Try, origin: int, until: int) -> Bar:
    open_end = until if step.ended is None else step.ended
    end = open_end if each.ended is None else each.ended
    failed = bool(each.error) or (each.ended is None and step.status is StepStatus.FAILED)
    status = StepStatus.FAILED if failed else StepStatus.RUNNING if each.ended is None else StepStatus.DONE
    detail = f"{visible(each.address)}: {each.error or ('connected' if status is StepStatus.DONE else 'no answer')}"
    return Bar((step.name, index), visible(each.address), status, each.started - origin, max(each.started, end) - origin, detail)


def between(found: Sequence[Bar]) -> int:
    """Nanoseconds that passed between the phases: whatever this machine did then, it was not connecting."""
    ran = sorted((bar.start, bar.end) for bar in found if not bar.indented and bar.start is not None and bar.end is not None)
    return sum(max(0, start - end) for (_, end), (start, _) in itertools.pairwise(ran))


def pairs(first: Sequence[Bar], second: Sequence[Bar]) -> list[tuple[Bar | None, Bar | None]]:
    """The phases of two attempts side by side, in their order; None where one has no such phase."""
    order = {key: place for place, key in enumerate([*(bar.key for bar in first), *(bar.key for bar in second)])}
    names = list(_NAMES)
    keys = sorted(order, key=lambda key: (names.index(key[0]) if key[0] in names else len(names), key[1]))
    one, two = ({bar.key: bar for bar in each} for each in (first, second))
    return [(one.get(key), two.get(key)) for key in keys]


def scale(*several: Sequence[Bar]) -> int:
    """The ns that the whole width stands for: a round number that every bar fits into."""
    longest = max((bar.end for each in several for bar in each if bar.end is not None), default=0)
    power = 100
    while True:
        for nice in _NICE:
            if longest <= nice * power:
                return nice * power
        power *= 10


def cells(bar: Bar, whole: int, width: int, *, other: bool = False) -> tuple[int, str]:
    """Blank cells, then the bar, of `width` cells that stand for `whole` ns; `other` has a sign of its own."""
    if bar.start is None or bar.end is None or width <= 0:
        return 0, ""
    left = min(width - 1, bar.start * width // whole)
    long = min(width - left, round((bar.end - bar.start) * width / whole))
    return left, (_OTHER if other else _FULL) * long or _SLIVER


def axis(whole: int, width: int) -> str:
    """`0         5 ms        10 ms` in `width` cells."""
    end, middle = axis_words(whole), axis_words(whole // 2)
    if width < len(end) + len(middle) + 8:
        return ("0" + end.rjust(max(0, width - 1)))[:width]
    half = width // 2
    line = "0" + middle.rjust(half - 1 + len(middle) // 2)
    return line + end.rjust(width - len(line))


def axis_words(ns: int) -> str:
    """`5 ms`, `0.5 s`: a round number of nanoseconds."""
    if ns >= 1_000_000_000 or ns in (500_000_000,):
        return f"{ns / 1e9:g} s"
    return f"{ns / 1e6:g} ms"


def duration(ns: int | None) -> str:
    """`0.42 ms`, `17.3 ms`, `2.50 s`; empty for None."""
    if ns is None:
        return ""
    ms = ns / 1e6
    if ms < 9.995:
        return f"{ms:.2f} ms"
    return f"{ms:.1f} ms" if ms < 999.95 else f"{ms / 1000:.2f} s"


def difference(one: int | None, two: int | None) -> str:
    """`+3.10 ms`: how much longer the first took; empty if one of them never began."""
    if one is None or two is None:
        return ""
    less = duration(abs(one - two))
    return ("-" if one < two and less.strip("0. msµ") else "+") + less
