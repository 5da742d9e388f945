"""Reads a capture into the log beside everything else on the loop: a file, a growing file, a pipe, standard input.

Rules:
1. A slice of the file at a time, at most 5 ms of work, then the loop goes on. What is in the log is shown at once.
2. A pipe and a FIFO are followed until the other side closes them. A file that was written to in the last seconds before it
   was opened is followed for as long as it is open here; any other one ends where it ends.
3. Nothing raises: what cannot be opened or read is a sentence in `problem`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import stat
import time
from collections.abc import Callable, Iterator
from enum import Enum

from mqtttui.capture.files.reader import CaptureReader
from mqtttui.capture.log import Log
from mqtttui.protocol.enums import Version
from mqtttui.text import preview

STANDARD_INPUT = "-"
_PIECE = 256 * 1024
_SLICE_NS = 5_000_000
_BEGINNING = 64
"""Bytes by which every capture has said what it is."""
_LOOK = 0.2
"""Seconds between two looks at a file that may grow."""
_QUIET = 1.0
"""So many seconds after the latest piece an unfinished frame is taken for a cut."""
_FRESH = 10.0
"""A file that was written to less than so many seconds ago may still grow."""


class FeedState(Enum):
    """How far the reading has come; the values are words for people."""

    READING = "reading"
    FOLLOWING = "following"
    """Everything that is there was read; more may come."""
    ENDED = "read"
    STOPPED = "stopped"
    FAILED = "cannot be read"


class FileFeed:
    """Reads one capture into `log`."""

    def __init__(
        self,
        path: str,
        log: Log,
        *,
        descriptor: int | None = None,
        assume: Version | None = None,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        """`descriptor`: an open file to read instead of `path`; it is closed at the end. `changed` is called when `state` changes."""
        self.path = path
        self.name = "standard input" if path == STANDARD_INPUT else preview(os.fsencode(path), 60)
        """For people."""
        self.reader = CaptureReader(log, assume=assume, name=path if path != STANDARD_INPUT else "FILE")
        self.state = FeedState.READING
        self.problem = ""
        """Why the file cannot be read; empty while it can."""
        self.size: int | None = None
        """Of the file in bytes; None for a pipe."""
        self.bytes_read = 0
        self.settled = _settled(path if descriptor is None else descriptor)
        """A file that nobody has written to lately: it is read from its beginning to its end, and does not grow."""
        self._log = log
        self._fed = 0.0
        """When the latest piece came, in seconds of the monotonic clock."""
        self._descriptor = descriptor
        self._changed = changed
        self._stop = asyncio.Event()

    @property
    def words(self) -> str:
        """How far it has come."""
        if self.state is FeedState.FOLLOWING and self.reader.unfinished and time.monotonic() - self._fed >= _QUIET:
            last = self._log.last
            where = f" behind packet {last:,}" if last else ""
            return f"cut in the middle of a frame{where}; following for more"
        return self.state.value

    @property
    def over(self) -> bool:
        """Nothing more will be read."""
        return self.state in (FeedState.ENDED, FeedState.STOPPED, FeedState.FAILED)

    def stop(self) -> None:
        """Read no further; what was read stays."""
        self._stop.set()

    async def run(self) -> None:
        """Reads until the end, until `stop`, or until it is cancelled."""
        descriptor = self._descriptor
        try:
            try:
                if descriptor is None:
                    descriptor = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | getattr(os, "O_CLOEXEC", 0))
                await self._read_all(descriptor)
            except OSError as error:
                self.problem = f"{self.name}: {error.strerror or error}"
        finally:
            if descriptor is not None:
                os.close(descriptor)
            # Now it is known what never came to its end.
            self.reader.finish()
        self._set(FeedState.FAILED if self.problem else FeedState.STOPPED if self._stop.is_set() else FeedState.ENDED)

    async def _read_all(self, descriptor: int) -> None:
        found = os.fstat(descriptor)
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(0, "this is a folder: name a capture file")
        if stat.S_ISREG(found.st_mode):
            await self._read_file(descriptor, not _old(found))
        else:
            await self._read_pipe(descriptor)

    async def _read_file(self, descriptor: int, grows: bool) -> None:
        while not self._stop.is_set():
            self.size = os.fstat(descriptor).st_size
            chunk = os.read(descriptor, _PIECE)
            if chunk:
                self._set(FeedState.READING)
                await self._feed(chunk)
            elif not grows or self._foreign:
                return
            else:
                self._set(FeedState.FOLLOWING)
                await self._pause(_LOOK)

    async def _read_pipe(self, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self._set(FeedState.FOLLOWING)
        while not self._stop.is_set():
            try:
                chunk = os.read(descriptor, _PIECE)
            except BlockingIOError:
                await self._readable(descriptor)
                continue
            if chunk:
                await self._feed(chunk)
                if self._foreign:
                    return
            elif self.bytes_read or self.path == STANDARD_INPUT:
                return
            else:
                # A FIFO that nobody has opened for writing so far.
                await self._pause(_LOOK)

    @property
    def _foreign(self) -> bool:
        """What came so far is the beginning of no capture."""
        return self.bytes_read >= _BEGINNING and not self.reader.format

    async def _feed(self, chunk: bytes) -> None:
        self.bytes_read += len(chunk)
        self._fed = time.monotonic()
        steps: Iterator[None] = self.reader.steps(chunk)
        deadline = time.monotonic_ns() + _SLICE_NS
        for _ in steps:
            if time.monotonic_ns() >= deadline:
                await asyncio.sleep(0)
                deadline = time.monotonic_ns() + _SLICE_NS
            if self._stop.is_set():
                return
        await asyncio.sleep(0)

    async def _readable(self, descriptor: int) -> None:
        """Waits until there is something to read, or `stop`."""
        loop = asyncio.get_running_loop()
        ready = asyncio.Event()
        loop.add_reader(descriptor, ready.set)
        waits = [loop.create_task(event.wait()) for event in (ready, self._stop)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            loop.remove_reader(descriptor)
            for wait in waits:
                wait.cancel()

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)

    def _set(self, state: FeedState) -> None:
        if state is not self.state:
            self.state = state
            self._changed()


def _settled(where: str | int) -> bool:
    try:
        found = os.stat(where)
    except (OSError, ValueError):
        return False
    return stat.S_ISREG(found.st_mode) and _old(found)


def _old(found: os.stat_result) -> bool:
    return time.time() - found.st_mtime >= _FRESH
