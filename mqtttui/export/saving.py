"""Packets to a file, in slices: the screen lives meanwhile, a thread waits for the disk, and it can be cancelled.

A file that is overwritten stays as it is until the new one, beside it, is whole and takes its place.
"""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from enum import Enum
from itertools import count
from pathlib import Path

from mqtttui.capture.log import Log
from mqtttui.export import csv_file, json_lines, pcapng
from mqtttui.export.appending import STANDARD_OUTPUT, Appender
from mqtttui.export.blocks import Writable
from mqtttui.export.pcapng import Comments, Encapsulation, missing_words
from mqtttui.text import visible

_CHUNK = 262_144
_BETWEEN_LOOKS = 50
"""Packets between two looks at the clock: a millisecond or two."""


class Format(Enum):
    """What the file is; the values are words for people."""

    PCAPNG = "pcapng, exported PDUs"
    """Opens in Wireshark, always as MQTT."""
    TCP = "pcapng, TCP/IP"
    """For other tools, and to follow TCP streams; the headers are made up."""
    JSON = "JSON lines"
    CSV = "CSV"

    @property
    def suffix(self) -> str:
        """How names of such files end."""
        return {Format.JSON: ".jsonl", Format.CSV: ".csv"}.get(self, ".pcapng")

    @classmethod
    def of(cls, path: str) -> Format:
        """The format that the name of a file suggests."""
        return {".json": cls.JSON, ".jsonl": cls.JSON, ".ndjson": cls.JSON, ".csv": cls.CSV}.get(Path(path).suffix.lower(), cls.PCAPNG)


class Place:
    """Where a file is written, and how it comes to where it is wanted."""

    def __init__(self, path: str, *, force: bool) -> None:
        self.named = path
        """The file as it was asked for."""
        self.wanted = path
        self.written = path
        self._mode = 0
        with suppress(OSError):
            found = os.stat(path)
            if force and path != STANDARD_OUTPUT and stat.S_ISREG(found.st_mode):
                self.wanted, self._mode = os.path.realpath(path), stat.S_IMODE(found.st_mode)
                self.written = next(name for number in count() if not os.path.lexists(name := f"{self.wanted}.part{number or ''}"))

    @property
    def beside(self) -> bool:
        """It is written beside a file that it is going to replace."""
        return self.written != self.wanted

    def close_to_others(self) -> None:
        """It is open for writing: from now on nobody else may do more with it than with the file that it replaces."""
        if self.beside:
            with suppress(OSError):  # A disk without modes.
                os.chmod(self.written, self._mode)

    def take(self) -> str:
        """It is whole: it takes its place. Gives why that failed, one line."""
        if self.beside:
            try:
                os.replace(self.written, self.wanted)
            except OSError as error:
                return f"{visible(os.fsencode(self.wanted))} cannot be replaced: {visible(error.strerror or str(error))}"
        return ""

    def drop(self) -> None:
        """It is not wanted after all; devices and pipes stay."""
        with suppress(OSError):
            if self.written != STANDARD_OUTPUT and stat.S_ISREG(os.lstat(self.written).st_mode):
                os.unlink(self.written)


class Saving:
    """One export. Call `advance` once a frame until it gives True; then `problem` and `remarks` say how it went."""

    def __init__(
        self,
        log: Log,
        numbers: Sequence[int],
        path: str,
        form: Format,
        *,
        force: bool = False,
        mask: bool = True,
        comments: Comments | None = None,
    ) -> None:
        """Opens the file. Raises OSError; FileExistsError if it is there already and not `force`."""
        self.total = len(numbers)
        self.done = 0
        """How many of `total` so far."""
        self.written = 0
        """In the end, how many packets were written."""
        self.remarks: tuple[str, ...] = ()
        """In the end, what a person should know, one sentence each."""
        self.problem = ""
        """Why the file could not be completed, one line; what there was of it is taken away."""
        self._place = Place(path, force=force)
        self._appender = Appender(self._place.written, force=force and not self._place.beside)
        self._place.close_to_others()
        self._buffer = io.BytesIO()
        self._steps: Iterator[None] | None = self._start(log, numbers, form, mask, comments)

    @property
    def name(self) -> str:
        """The file, visible text."""
        return visible(os.fsencode(self._place.named)) if self._place.beside else self._appender.name

    @property
    def bytes(self) -> int:
        """Bytes in the file."""
        return self._appender.bytes

    def advance(self, clock: Callable[[], int], slice_ns: int) -> bool:
        """Goes on for about `slice_ns` of `clock`. True when it is over."""
        deadline = clock() + slice_ns
        while self._steps is not None and self._appender.room and not self._appender.broken and clock() < deadline:
            for _ in range(_BETWEEN_LOOKS):
                if next(self._steps, self) is self:
                    self._steps = None
                    break
                self.done += 1
            if self._steps is None or self._buffer.tell() >= _CHUNK:
                self._hand_over()
        if self._appender.broken:
            self.problem = self._appender.problem
            self._steps = None
        if self._steps is not None:
            return False
        self._appender.finish()
        if not self._appender.ended:
            return False
        self.problem = self._appender.problem if self._appender.broken else self._place.take()
        if self.problem:
            self._place.drop()
            if self._place.beside:
                self.problem += "; the file that was there before is as it was"
        return True

    def cancel(self) -> None:
        """Ends it and takes the file away; one that was to be overwritten stays as it was."""
        self._steps = None
        self._appender.finish()
        self._place.drop()

    @property
    def overwrites(self) -> bool:
        """There was a file of that name before."""
        return self._place.beside

    def _start(self, log: Log, numbers: Sequence[int], form: Format, mask: bool, comments: Comments | None) -> Iterator[None]:
        out: Writable = self._buffer
        if form in (Format.PCAPNG, Format.TCP):
            encapsulation = Encapsulation.TCP if form is Format.TCP else Encapsulation.EXPORTED
            result = yield from pcapng.write_steps(log, numbers, out, mask=mask, encapsulation=encapsulation, comments=comments)
            self.written, self.remarks = result.packets, result.remarks
        else:
            if form is Format.JSON:
                steps = json_lines.write_steps(log, numbers, out, mask=mask, comments=comments)
            else:
                steps = csv_file.write_steps(log, numbers, out, mask=mask)
            for _ in steps:
                self.written += 1
                yield
            if missing := len(numbers) - self.written:
                self.remarks = (missing_words(missing),)

    def _hand_over(self) -> None:
        self._appender.put(self._buffer.getvalue(), last=0, packets=0)
        self._buffer.seek(0)
        self._buffer.truncate()
