"""Pings: on time, on demand, and what it means when no answer comes.

Rules (MQTT 5, section 3.1.2.10):

1. A PINGREQ is due when nothing else left for the keep-alive, slightly early, so that the server never has to wait.
2. A PINGRESP that is late is said while it is missing; whatever else arrives shows that the link lives.
3. If nothing at all arrives for one and a half keep-alives after a PINGREQ (at least five seconds), the link is dead.
4. Paused on the user's request, no PINGREQ is sent on time, so that the server has to notice.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

from mqtttui.client.link import Link

PINGREQ = b"\xc0\x00"

_EARLY_SHARE = 0.1
_EARLY_AT_MOST = 1.0
_LATE_AT_LEAST = 5.0
_RECHECK = 1.0


class KeepAlive:
    """The pings of one connection."""

    def __init__(
        self,
        link: Link,
        seconds: int,
        *,
        warn: Callable[[str], None],
        measured: Callable[[float], None],
        dead: Callable[[float], None],
    ) -> None:
        """`seconds`: the keep-alive in force, 0 for none. `warn` gets a text, empty when all is well again;
        `measured` the milliseconds from PINGREQ to PINGRESP; `dead` the silent seconds, once, when the link is given up.
        """
        self._link = link
        self._seconds = seconds
        self._warn, self._measured, self._dead = warn, measured, dead
        self._sent: deque[list[int]] = deque()
        """Of each unanswered PINGREQ one number: when it was handed over, or queued as long as it is not."""
        self._warned = ""
        self._timer: asyncio.TimerHandle | None = None
        self._paused = False
        self._loop = asyncio.get_running_loop()
        self._schedule()

    def stop(self) -> None:
        """No more pings."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @property
    def seconds(self) -> int:
        """The keep-alive in force."""
        return self._seconds

    def pause(self, paused: bool) -> None:
        """Send no PINGREQ on time from now on, or do it again."""
        self._paused = paused
        self._schedule()

    def ping(self) -> None:
        """Send a PINGREQ now."""
        entry = [time.monotonic_ns()]
        self._sent.append(entry)

        def handed_over(mono: int) -> None:
            entry[0] = mono

        self._link.send(PINGREQ, handed_over)
        self._schedule()

    def answered(self, mono: int) -> None:
        """A PINGRESP came at `mono` (monotonic ns)."""
        if not self._sent:
            return
        self._measured((mono - self._sent.popleft()[0]) / 1e6)
        self._say("")
        self._schedule()

    @property
    def _patience(self) -> float:
        """Seconds until a missing PINGRESP is said."""
        return min(_LATE_AT_LEAST, max(self._seconds / 2, 1.0)) if self._seconds else _LATE_AT_LEAST

    @property
    def _give_up(self) -> float:
        return max(1.5 * self._seconds, _LATE_AT_LEAST)

    def _schedule(self) -> None:
        """Sleep until the next thing can be due."""
        self.stop()
        if self._link.closing:
            return
        now = time.monotonic_ns()
        delays = []
        if self._sent:
            waited = (now - self._sent[0][0]) / 1e9
            delays.append(self._patience - waited if waited < self._patience else _RECHECK)
        if self._pings and not self._stalled:
            delays.append(self._due - (now - self._link.tap.last_out) / 1e9)
        if delays:
            self._timer = self._loop.call_later(max(min(delays), 0.01), self._check)

    @property
    def _pings(self) -> bool:
        return self._seconds > 0 and not self._paused

    @property
    def _due(self) -> float:
        return self._seconds - min(_EARLY_AT_MOST, _EARLY_SHARE * self._seconds)

    def _check(self) -> None:
        self._timer = None
        if self._link.closing:
            return
        now = time.monotonic_ns()
        if self._sent:
            waited = (now - self._sent[0][0]) / 1e9
            silent = (now - max(self._link.tap.last_in, self._sent[0][0])) / 1e9
            if self._seconds and silent >= self._give_up:
                self._dead(silent)
                return
            if waited >= self._patience:
                self._say(f"no PINGRESP for {waited:.0f} s")
        overdue = (now - self._link.tap.last_out) / 1e9 >= self._due
        if self._pings and overdue and not self._stalled:
            self.ping()
            return
        self._schedule()

    @property
    def _stalled(self) -> bool:
        """Whether a PINGREQ waits for an answer, or would only queue behind bytes that do not leave."""
        return self._link.tap.queued > 0 and bool(self._sent)

    def _say(self, text: str) -> None:
        if text != self._warned:
            self._warned = text
            self._warn(text)
