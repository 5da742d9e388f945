"""The time column: one format at a time, all 12 cells wide."""

from __future__ import annotations

import time
from enum import Enum
from functools import lru_cache

WIDTH = 12


class TimeFormat(Enum):
    """What the time column shows; `t` goes through them in this order."""

    LOCAL = "local time"
    UTC = "UTC"
    REFERENCE = "seconds since the reference"
    DELTA = "seconds since the row above"
    START = "seconds since the first packet"

    @property
    def next(self) -> TimeFormat:
        """The one after it."""
        order = list(TimeFormat)
        return order[(order.index(self) + 1) % len(order)]

    @property
    def head(self) -> str:
        """The column's name."""
        return _HEADS[self]


_HEADS = {
    TimeFormat.LOCAL: "Time",
    TimeFormat.UTC: "Time UTC",
    TimeFormat.REFERENCE: "Since ref.",
    TimeFormat.DELTA: "Since above",
    TimeFormat.START: "Since start",
}


def clock(wall_ns: int, *, utc: bool = False) -> str:
    """`14:03:12.431` of a wall-clock time in ns since the epoch."""
    seconds, rest = divmod(wall_ns, 1_000_000_000)
    return f"{_second(seconds, utc)}.{rest // 1_000_000:03}"


def elapsed(ns: int) -> str:
    """`12.345678`: seconds, right-aligned in 12 cells; a minus sign for what lies before."""
    if abs(ns) < 100_000 * 1_000_000_000:
        return f"{ns / 1e9:{WIDTH}.6f}"
    return f"{ns / 1e9:{WIDTH},.0f}"


@lru_cache(maxsize=256)
def _second(seconds: int, utc: bool) -> str:
    return time.strftime("%H:%M:%S", time.gmtime(seconds) if utc else time.localtime(seconds))
