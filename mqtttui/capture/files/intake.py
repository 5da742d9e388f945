"""Where all that was understood of a capture goes: rows of the log, the frame of each, comments, problems and the tally."""

from __future__ import annotations

from array import array
from collections.abc import Iterable

from mqtttui.capture.files.problems import Report
from mqtttui.capture.log import Log
from mqtttui.capture.recorder import Recorder
from mqtttui.capture.run import Run
from mqtttui.protocol.enums import Direction, Version

RUN_PACKETS, RUN_BYTES = 8_192, 1 << 20
"""A run as long as this goes to the log."""
_MAX_COMMENTS = 100_000


class FrameNumbers:
    """Which frame of the file completed each packet, for as long as the log keeps the packet's neighbours."""

    _TRIM = 65_536

    def __init__(self) -> None:
        self._first = 1
        self._frames = array("I")

    def upto(self, last: int, frame: int) -> int:
        """All packets up to `last` that have no frame yet have `frame`. Gives how many these are."""
        new = last - self._first + 1 - len(self._frames)
        if new == 1:
            self._frames.append(frame)
        elif new > 1:
            self._frames.extend(array("I", (frame,)) * new)
        return new

    def extend(self, frames: Iterable[int]) -> None:
        """The next packets have these frames."""
        self._frames.extend(frames)

    def of(self, no: int) -> int:
        """The frame of packet `no`, 0 if it is not known any more."""
        index = no - self._first
        return self._frames[index] if 0 <= index < len(self._frames) else 0

    def forget(self, before: int) -> None:
        """Packets below `before` are gone."""
        if before - self._first >= self._TRIM:
            del self._frames[: before - self._first]
            self._first = before

    @property
    def size(self) -> int:
        """What it takes, in bytes."""
        return 4 * len(self._frames)


class Intake:
    """One capture on its way into a log."""

    def __init__(self, log: Log, report: Report, peer: str, assume: Version | None) -> None:
        self.log = log
        self.report = report
        self.peer = peer
        self.assume = assume
        """The version that was given for connections without CONNECT."""
        self.numbers = FrameNumbers()
        self.comments: dict[int, tuple[str, ...]] = {}
        """No. -> the comments on the frame that completed it."""
        self.notes: dict[int, str] = {}
        """Number of a connection -> what is guessed about it."""
        self.tls_ports: set[int] = set()
        self.mono = self.wall = self.frame = self.offset = 0
        """The present frame: its time, its number from 1, its place in the file."""
        self.remarks: tuple[str, ...] = ()
        """The comments on it."""
        self.made_up = False
        """It is a CONNECT that an export of ours made up."""
        self.run = Run()
        self.run_frames = array("I")
        self.run_aliases: list[tuple[int, Recorder, Direction]] = []
        """Index in the run of each PUBLISH that may have a topic alias."""

    def flush(self) -> None:
        """What was gathered becomes rows."""
        run = self.run
        if not run.ends:
            return
        first = self.log.append_run(run)
        self.numbers.extend(self.run_frames)
        for index, recorder, direction in self.run_aliases:
            start = run.ends[index - 1] if index else 0
            recorder.note_alias(first + index, direction, run.data, start, run.ends[index])
        self.run = Run()
        self.run_frames = array("I")
        self.run_aliases.clear()
        self._account()

    def rows_added(self) -> None:
        """Rows may have been added to the log for the present frame."""
        last = self.log.last
        if self.numbers.upto(last, self.frame) > 0:
            if self.remarks and len(self.comments) < _MAX_COMMENTS:
                self.comments[last] = self.remarks
            if not last & 0xFFF:
                self._account()

    def _account(self) -> None:
        self.numbers.forget(self.log.first)
        self.log.report("frame numbers", self.numbers.size)

    def problem(self, text: str) -> None:
        """Says `text` of the present frame."""
        self.report.problem(text, self.offset)
