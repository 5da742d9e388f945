"""Appending to a capture file from a thread of its own, so that a slow disk holds up nobody.

Rules:
1. What is handed over is a chunk of whole blocks. It is written at once and whole; what a failure left of a chunk is cut off
   again, so that the file stays readable. Once a second what was written is forced onto the disk.
2. The queue is bounded: `room` says whether more can be taken. Nothing here waits for the disk but the thread.
3. After a failure everything is dropped until a chunk comes that begins `again`, behind `last`. `due` says when that is worth it.
4. Nothing is overwritten: files are created. With `force`, a single file is emptied, and a ring goes on behind its old files.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import threading
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from mqtttui.text import visible

STANDARD_OUTPUT = "-"
MAX_QUEUED = 8 * 1024 * 1024
"""Bytes that wait for the disk; beyond it the packets wait in the log."""
FLUSH_SECONDS = 1.0
RETRY_SECONDS = 5.0
_PIECE = 1024 * 1024


class Ring(NamedTuple):
    """At most `files` files of `size` bytes each; the oldest goes when another begins."""

    files: int
    size: int


class _Chunk(NamedTuple):
    data: bytes
    last: int
    """No. of the last packet that is in the file with this chunk."""
    packets: int
    next_file: bool


class Appender:
    """Writes chunks to a file or a ring of files."""

    def __init__(self, path: str, ring: Ring | None = None, *, force: bool = False) -> None:
        """Opens the first file. Raises OSError; FileExistsError if something would be overwritten."""
        self.last = 0
        """No. of the last packet that is in a file."""
        self.packets = 0
        """Packets that are in files, also in those that the ring has dropped."""
        self.bytes = 0
        self.size = 0
        """Bytes of the present file."""
        self.problem = ""
        """Why nothing is written at present, one line; empty again when something could be written."""
        self.broken = False
        """A chunk could not be written; only one that begins again is taken."""
        self._path = path
        self._ring = ring
        self._number = 0
        self._files: deque[Path] = deque()
        self._condition = threading.Condition()
        self._queue: deque[_Chunk] = deque()
        self._queued = 0
        self._closing = False
        self._failed_at = 0.0
        self._descriptor: int | None = None
        self._dirty = False
        self._first(force)
        self._thread = threading.Thread(target=self._run, name=f"writing {path}", daemon=True)
        self._thread.start()

    # --- the loop's side

    @property
    def name(self) -> str:
        """The file that is written now, visible text."""
        return "standard output" if self._path == STANDARD_OUTPUT else visible(os.fsencode(self._file))

    def writes(self, path: str) -> bool:
        """Whether the file at `path` is the one that is written now."""
        try:
            return self._path != STANDARD_OUTPUT and os.path.samefile(self._file, path)
        except (OSError, ValueError):
            return False

    @property
    def files(self) -> int:
        """How many files there are."""
        return len(self._files) or 1

    @property
    def room(self) -> bool:
        """Whether another chunk can be taken."""
        return self._queued < MAX_QUEUED

    @property
    def due(self) -> bool:
        """After a failure: whether it is time to try again, with a chunk that begins a section."""
        return time.monotonic() - self._failed_at >= RETRY_SECONDS

    def put(self, data: bytes, *, last: int, packets: int, next_file: bool = False, again: bool = False) -> None:
        """Hands over a chunk. While this is broken, all are dropped but one that begins `again`."""
        with self._condition:
            if self.broken and not again:
                return
            self.broken = False
            self._queue.append(_Chunk(data, last, packets, next_file))
            self._queued += len(data)
            self._condition.notify_all()

    def wait_for_room(self, seconds: float) -> bool:
        """Waits until another chunk can be taken, for at most `seconds`; gives whether it can."""
        with self._condition:
            return self._condition.wait_for(lambda: self.room or self.broken, max(0.0, seconds)) and not self.broken

    def finish(self) -> None:
        """No more will come: what waits is written, then the file is closed. Returns at once; see `ended`."""
        with self._condition:
            self._closing = True
            self._condition.notify_all()

    @property
    def ended(self) -> bool:
        """The file is closed."""
        return not self._thread.is_alive()

    def close(self, seconds: float) -> bool:
        """Writes what waits, for at most `seconds`; gives whether all was written."""
        self.finish()
        self._thread.join(max(0.0, seconds))
        return self.ended and not self.broken

    # --- the thread's side

    def _run(self) -> None:
        synced = time.monotonic()
        closing = False
        while not closing:
            chunk = self._take()
            closing = chunk is None and self._closing
            try:
                if chunk is not None:
                    self._write(chunk)
                if self._dirty and (closing or time.monotonic() - synced >= FLUSH_SECONDS):
                    synced = time.monotonic()
                    self._sync()
            except OSError as error:
                self._fail(error)
        self._release()

    def _take(self) -> _Chunk | None:
        """The next chunk, or None when it is time to look at the clock or to end."""
        with self._condition:
            if not self._queue and not self._closing:
                self._condition.wait(FLUSH_SECONDS if self._dirty else None)
            if not self._queue:
                return None
            chunk = self._queue.popleft()
            self._queued -= len(chunk.data)
            self._condition.notify_all()
            return chunk

    def _write(self, chunk: _Chunk) -> None:
        if chunk.next_file:
            self._next()
        if self._descriptor is None:
            self._open(os.O_EXCL)
        assert self._descriptor is not None
        view = memoryview(chunk.data)
        done = 0
        while done < len(view):
            done += os.write(self._descriptor, view[done : done + _PIECE])
        self._dirty = True
        self.size += done
        self.bytes += done
        self.packets += chunk.packets
        self.last = chunk.last
        self.problem = ""

    def _sync(self) -> None:
        self._dirty = False
        descriptor = self._descriptor
        if descriptor is None or self._path == STANDARD_OUTPUT or not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return
        os.fsync(descriptor)
        if not os.fstat(descriptor).st_nlink:
            self._release()
            raise FileNotFoundError(errno.ENOENT, "the file was deleted")

    def _fail(self, error: OSError) -> None:
        """The problem is said, what waits is dropped, and what was written of a chunk is taken back."""
        if self._descriptor is not None and self._path != STANDARD_OUTPUT:
            with suppress(OSError):
                os.ftruncate(self._descriptor, self.size)
                os.lseek(self._descriptor, self.size, os.SEEK_SET)
        with self._condition:
            self.problem = f"{self.name} cannot be written: {visible(error.strerror or str(error))}"
            self.broken = True
            self._failed_at = time.monotonic()
            self._queue.clear()
            self._queued = 0
            self._condition.notify_all()

    def _release(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        self.size = 0
        if descriptor is not None:
            with suppress(OSError):  # What was synced is there; of the rest `problem` speaks.
                os.close(descriptor)

    # --- files

    def _first(self, force: bool) -> None:
        if self._path == STANDARD_OUTPUT:
            self._file = Path(STANDARD_OUTPUT)
            self._descriptor = os.dup(1)
            return
        if self._ring is None:
            self._file = Path(self._path)
            self._open(os.O_TRUNC if force else os.O_EXCL)
            return
        if not force and (obstacle := in_the_way(self._path, ring=True)) is not None:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(obstacle))
        there = ring_files(Path(self._path))
        self._files.extend(there[number] for number in sorted(there))
        self._number = max(there, default=0)
        self._next()

    def _next(self) -> None:
        """The next file of the ring, and away with the oldest."""
        self._release()
        self._number += 1
        self._file = ring_file(Path(self._path), self._number)
        self._open(os.O_EXCL)

    def _open(self, how: int) -> None:
        self._descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | how, 0o666)
        self.size = 0
        if self._ring is None:
            return
        if self._file not in self._files:
            self._files.append(self._file)
        while len(self._files) > self._ring.files:
            with suppress(FileNotFoundError):
                self._files[0].unlink()
            self._files.popleft()


def in_the_way(path: str, *, ring: bool) -> Path | None:
    """What is there already where `path` is to be written; None if nothing is. Raises no error: writing will."""
    if path == STANDARD_OUTPUT:
        return None
    place = Path(path)
    if not ring:
        return place if place.exists() else None
    try:
        there = ring_files(place)
    except OSError:
        return None
    return there[max(there)] if there else None


def ring_file(path: Path, number: int) -> Path:
    """File `number` of a ring: `night.pcapng` -> `night-00001.pcapng`."""
    return path.with_name(f"{path.stem}-{number:05}{path.suffix}")


def ring_files(path: Path) -> dict[int, Path]:
    """The files of a ring that are there, by number. Raises OSError if the directory cannot be read."""
    pattern = re.compile(re.escape(f"{path.stem}-") + r"(\d{5,})" + re.escape(path.suffix))
    found = ((pattern.fullmatch(name), name) for name in os.listdir(path.parent))
    return {int(match.group(1)): path.with_name(name) for match, name in found if match}
