"""Reads a capture file into a log, sans I/O: `feed` its bytes in any pieces, then `finish`.

Theory of operation:
1. Any pieces of the same file give the same log, the same problems and the same tally. Any bytes give a result; nothing raises.
2. What is kept between pieces is bounded: an unfinished block, segments that came early, fragments, undecided beginnings.
3. Files that grow and pipes are followed by calling `feed` whenever there is more: what is complete is in the log at once.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence

from mqtttui.capture.files.blocks import Source, source_of
from mqtttui.capture.files.frames import Frames
from mqtttui.capture.files.inflate import MAGIC, OTHERS, Inflater
from mqtttui.capture.files.intake import Intake
from mqtttui.capture.files.problems import Problem, Report
from mqtttui.capture.log import Log
from mqtttui.protocol.enums import Version

__all__ = ["CaptureReader", "Problem", "is_capture"]

_STEP = 1 << 20
"""Bytes of the file that are read at once; the log grows by not much more."""
_MAX_TLS_PORTS = 10


def is_capture(start: bytes) -> bool:
    """Whether a file that begins with `start` is a capture, or compressed: no text begins like that."""
    return start[:2] == MAGIC or any(start.startswith(magic) for magic in OTHERS) or source_of(start[:4], Report()) is not None


class CaptureReader:
    """Reads one capture into `log`."""

    def __init__(self, log: Log, *, assume: Version | None = None, name: str = "FILE", peer: str = "capture") -> None:
        """`assume`: the version of connections without CONNECT, None to guess it. `name`: of the file, for remedies."""
        self.cut_off = False
        """The file ends inside a block."""
        self._report = Report()
        self._intake = Intake(log, self._report, peer, assume)
        self._name = name
        self._frames = Frames(self._intake)
        self._inflater: Inflater | None = None
        self._source: Source | None = None
        self._buffer = bytearray()
        self._base = 0
        """Where in the file the buffer begins."""
        self._wanted = 4
        self._broken = False
        self._finished = False

    # --- reading

    def feed(self, chunk: bytes) -> None:
        """The next bytes of the file."""
        for _ in self.steps(chunk):
            pass

    def steps(self, chunk: bytes) -> Iterator[None]:
        """The same in steps of at most a megabyte of the file, which a compressed one may be full of."""
        if self._finished or self._broken:
            return
        if self._inflater is None and self._source is None:
            self._buffer += chunk
            if len(self._buffer) < 4:
                return
            chunk = bytes(self._buffer)
            self._buffer.clear()
            if chunk[:2] == MAGIC:
                self._inflater = Inflater()
        pieces: Iterator[bytes] = self._inflater.feed(chunk) if self._inflater is not None else _cut(chunk)
        for piece in pieces:
            self._read(piece)
            yield
        if self._inflater is not None and self._inflater.error and not self._broken:
            self._fail(self._inflater.error)

    def finish(self) -> None:
        """The file has ended. A second call changes nothing."""
        if self._finished:
            return
        self._finished = True
        offset = self._base
        if not self._broken:
            cut = self._inflater is not None and not self._inflater.whole
            if self._source is None:
                self._unknown()
            elif self._buffer:
                self._report.problem(f"{self._source.rest()}: it was cut off", offset)
                self.cut_off = True
            elif cut:
                self._report.problem("the gzip compression ends early: the file was cut off", offset)
                self.cut_off = True
        self._frames.finish()
        self._say_tls()

    # --- what was found

    @property
    def unfinished(self) -> bool:
        """What was fed so far ends inside a frame or a block."""
        return self._source is not None and bool(self._buffer)

    @property
    def format(self) -> str:
        """What the file is: `pcapng`, `pcap, microseconds`; empty while that is not known."""
        if self._source is None:
            return ""
        return self._source.format + (", gzip" if self._inflater is not None else "")

    @property
    def problems(self) -> Sequence[Problem]:
        """What is wrong with the file, in the order in which it was found; 1,000 at most."""
        return self._report.problems

    @property
    def problems_left_out(self) -> int:
        """How many more there were."""
        return self._report.left_out

    @property
    def passed_over(self) -> Mapping[str, int]:
        """What is in the file besides MQTT: name -> how many."""
        return {name: count for name, count in self._report.passed_over.items() if count}

    @property
    def notes(self) -> Mapping[int, str]:
        """Number of a connection -> what is guessed about it (no CONNECT was captured)."""
        return self._intake.notes

    @property
    def comments(self) -> Mapping[int, tuple[str, ...]]:
        """No. -> the comments that the file has on the frame that completed the packet."""
        return self._intake.comments

    @property
    def frames(self) -> int:
        """Frames read so far."""
        return self._intake.frame

    @property
    def usable(self) -> bool:
        """Whether anything could be read: False for what is no capture, and for TLS alone."""
        return self._source is not None and not (self._intake.tls_ports and not self._intake.log.received)

    def frame_number(self, no: int) -> int:
        """The frame of the file, from 1, that completed packet `no`; 0 if that is not known any more."""
        return self._intake.numbers.of(no)

    # --- the file

    def _read(self, piece: bytes) -> None:
        """The next bytes of the file, uncompressed."""
        if self._broken:
            return
        buffer = self._buffer
        buffer += piece
        if len(buffer) < self._wanted:
            return
        if self._source is None:
            self._source = source_of(bytes(buffer[:4]), self._report)
            if self._source is None:
                self._unknown()
                return
        data = bytes(buffer)
        self._frames.read(self._source, data, self._base)
        del buffer[: self._source.consumed]
        self._base += self._source.consumed
        self._wanted = self._source.wanted
        if self._source.broken:
            self._broken = True
            buffer.clear()

    def _unknown(self) -> None:
        start = bytes(self._buffer[:6])
        for magic, (name, tool) in OTHERS.items():
            if start.startswith(magic):
                self._fail(f"this is compressed with {name}, which is not read: undo it first ({tool} {shlex.quote(self._name)})")
                return
        self._fail("this is no capture file: pcap and pcapng are read, also with gzip" if start else "the file is empty")

    def _fail(self, text: str) -> None:
        self._report.problem(text, self._base, fatal=True)
        self._broken = True
        self._buffer.clear()

    def _say_tls(self) -> None:
        """What makes TLS readable."""
        if not self._intake.tls_ports:
            return
        ports = sorted(self._intake.tls_ports)[:_MAX_TLS_PORTS]
        keys = "" if self._source is not None and self._source.secrets else "-o tls.keylog_file:KEYS "
        decode = " ".join(f"-d tls.port=={port},mqtt" for port in ports)
        command = f'tshark -r {shlex.quote(self._name)} {keys}{decode} -U "OSI layer 7" -Y mqtt -w plain.pcapng'
        where = "its keys are in the file" if not keys else "KEYS is the file that the client wrote (SSLKEYLOGFILE)"
        shown = ", ".join(str(port) for port in ports)
        self._report.problem(f"TLS on port {shown} hides what it carries; {where}: {command}", 0)


def _cut(chunk: bytes) -> Iterator[bytes]:
    if len(chunk) <= _STEP:
        yield chunk
        return
    for start in range(0, len(chunk), _STEP):
        yield chunk[start : start + _STEP]
