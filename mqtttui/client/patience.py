"""Requests without an answer, and when to say so: one timer for any number of them, since all are given the same time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

ANSWER_SECONDS = 10.0
"""How long an acknowledgement may take until its absence is said; said again, with the longer time, each time as much has passed."""


class Patience:
    """What waits for an answer, by packet identifier. Nothing is given up here: an answer may still come."""

    def __init__(self, late: Callable[[int, int], None]) -> None:
        """`late` gets the packet identifier and the whole seconds it has waited so far."""
        self._late = late
        self._waiting: dict[int, tuple[float, float]] = {}
        """Identifier -> since when it waits and when that is said (next); in the order of the latter. Monotonic seconds."""
        self._timer: asyncio.TimerHandle | None = None

    def start(self, mid: int) -> None:
        """An answer to `mid` is due from now on."""
        now = time.monotonic()
        self._waiting.pop(mid, None)
        self._waiting[mid] = (now, now + ANSWER_SECONDS)
        self._schedule()

    def stop(self, mid: int) -> None:
        """The answer came, or none is expected any more."""
        self._waiting.pop(mid, None)

    def clear(self) -> None:
        """Nothing is expected any more."""
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _schedule(self) -> None:
        if self._timer is None and self._waiting:
            _, due = next(iter(self._waiting.values()))
            self._timer = asyncio.get_running_loop().call_later(max(0.0, due - time.monotonic()), self._check)

    def _check(self) -> None:
        self._timer = None
        now = time.monotonic()
        overdue = []
        for mid, (since, due) in self._waiting.items():
            if due > now:
                break
            overdue.append((mid, since))
        for mid, since in overdue:
            del self._waiting[mid]
            self._waiting[mid] = (since, now + ANSWER_SECONDS)
        self._schedule()
        for mid, since in overdue:
            self._late(mid, round(now - since))
