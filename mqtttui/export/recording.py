"""A recording: packets go to a capture file as they come, and what is in the file survives a crash of this program.

Theory of operation: a follower of the log makes blocks of what it reads and hands them to an `Appender`. While that has no
room, or has failed, nothing is read on: the packets wait in the log, which is bounded, and what it evicts meanwhile is
counted as missed. After a failure reading begins again behind the last packet that is in a file, with a new section.
Every section, and so every file of a ring, begins with what its connections need to be understood.
"""

from __future__ import annotations

import io
import time

from mqtttui.analysis.follower import BUDGET, Follower
from mqtttui.capture.log import Log, Span
from mqtttui.export.appending import Appender, Ring
from mqtttui.export.pcapng import Comments, Section

__all__ = ["CLOSE_SECONDS", "Recording", "Ring"]

CLOSE_SECONDS = 2.0
_CHUNK = 65_536
_SLICE = 200
"""Packets that are made into blocks at once: about 3 ms."""
_BLOCK_OVERHEAD = 512
"""What frame, options and comments add to a packet, about."""


class Recording(Follower):
    """Writes the packets of a log to `path` (`-`: standard output), or to a ring of files named after it."""

    def __init__(
        self,
        log: Log,
        path: str,
        *,
        ring: Ring | None = None,
        force: bool = False,
        mask: bool = True,
        comments: Comments | None = None,
        after: int = 0,
    ) -> None:
        """Begins behind packet `after`, with what is still kept. Raises OSError if the file cannot be made.

        FileExistsError: it is there already, and not `force`.
        """
        super().__init__()
        self._log = log
        self._mask = mask
        self._comments = comments
        self._ring = ring
        self._appender = Appender(path, ring, force=force)
        self._appender.last = self._last = self.position = max(after, log.first - 1)
        self._in_file = False
        """Whether the present file has packets already."""
        self._waiting = 0
        """Packets that were made into blocks and not handed over."""
        self._begin(0)

    @property
    def name(self) -> str:
        """The file that is written now, visible text."""
        return self._appender.name

    def writes(self, path: str) -> bool:
        """Whether the file at `path` is the one that is written now."""
        return self._appender.writes(path)

    @property
    def problem(self) -> str:
        """Why nothing is written at present, one line; empty while all is well. It goes when writing works again."""
        return self._appender.problem

    @property
    def packets(self) -> int:
        """Packets that are in files, or were in one that the ring has dropped."""
        return self._appender.packets

    @property
    def bytes(self) -> int:
        """Bytes that were written."""
        return self._appender.bytes

    @property
    def files(self) -> int:
        """How many files there are now."""
        return self._appender.files

    @property
    def unwritten(self) -> int:
        """Packets that are in no file: missed ones, and those that still wait."""
        return self.missed + max(0, self._log.last - self._appender.last)

    def advance(self, log: Log, budget: int = BUDGET) -> bool:
        """Writes on. True also when there is nothing to be done until the disk is ready."""
        if self._appender.broken:
            if not self._appender.due:
                return True
            self._begin_again()
        elif not self._appender.room:
            return True
        return super().advance(log, min(budget, _SLICE))

    def read(self, log: Log, span: Span) -> int | None:
        """Makes blocks of the packets of `span`, until the queue is full."""
        first = span.segment.first
        for index in range(span.start, span.stop):
            if self._buffer.tell() >= _CHUNK:
                self._hand_over()
                if not self._appender.room or self._appender.broken:
                    return index
            packet = log[first + index]
            size = len(packet.raw) + _BLOCK_OVERHEAD
            if self._ring is not None and self._in_file and self._written + self._buffer.tell() + size > self._ring.size:
                self._hand_over()
                self._begin(0, next_file=True)
            self._section.write(packet)
            self._last = packet.number
            self._waiting += 1
            self._in_file = True
        return None

    def settle(self, log: Log, caught_up: bool) -> None:
        """Hands over what was made, so that it is in the file before long."""
        self._hand_over()

    def close(self, seconds: float = CLOSE_SECONDS) -> bool:
        """Writes what can still be written within `seconds`, and ends. False if something is missing; `unwritten` says how much."""
        deadline = time.monotonic() + seconds
        if self._appender.broken:
            self._begin_again()
        while self._appender.wait_for_room(deadline - time.monotonic()) and not super().advance(self._log):
            pass
        return self._appender.close(deadline - time.monotonic()) and not self.unwritten

    def _begin_again(self) -> None:
        """After a failure, behind the last packet that is in a file."""
        self.position = self._last = self._appender.last
        self._begin(self._appender.size, again=True)

    def _begin(self, written: int, *, next_file: bool = False, again: bool = False) -> None:
        """Another section, behind `written` bytes of the present file or in the next one."""
        self._buffer = io.BytesIO()
        self._section = Section(self._log, self._buffer, mask=self._mask, comments=self._comments, whole_context=True)
        self._written = written
        self._in_file = written > 0
        self._waiting = 0
        self._next_file, self._again = next_file, again

    def _hand_over(self) -> None:
        """What was made goes to the appender. A chunk without packets (the head of an empty file) goes as well."""
        data = self._buffer.getvalue()
        if data:
            self._appender.put(data, last=self._last, packets=self._waiting, next_file=self._next_file, again=self._again)
            self._written += len(data)
            self._buffer.seek(0)
            self._buffer.truncate()
            self._waiting = 0
            self._next_file = self._again = False
