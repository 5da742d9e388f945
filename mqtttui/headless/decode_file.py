"""`decode FILE`: packets of a capture, printed while it is read.

Rows that cannot be framed may still grow: they are printed when their connection ends. What was printed is let go, so that a
run may be endless; a filter that asks for what comes later (an answer, findings) reads the whole file first, within the
limit of the log.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO

from mqtttui.analysis.expert.screen import Screen, shape_of
from mqtttui.analysis.follower import Follower
from mqtttui.capture.dissecting import unframed
from mqtttui.capture.files.reader import CaptureReader
from mqtttui.capture.log import Log
from mqtttui.capture.records import Packet
from mqtttui.export.info import info
from mqtttui.filters.compiler import Filter, compile_filter
from mqtttui.filters.errors import FilterError
from mqtttui.filters.fields import FIELDS
from mqtttui.filters.row import Facts, Row
from mqtttui.filters.scan import scan
from mqtttui.headless.errors import Unusable
from mqtttui.headless.fields_output import FieldsOutput
from mqtttui.headless.printing import MAX_NODES, Place, Printer, is_malformed
from mqtttui.protocol.dissect import dissect
from mqtttui.protocol.enums import Direction, Severity
from mqtttui.protocol.fields import Context, Dissection, Note
from mqtttui.text import preview

if TYPE_CHECKING:
    from mqtttui.headless.conversations import Telling

_PIECE = 1 << 18
_MAX_DEFERRED = 10_000
_FOLLOWED = ("mqtttui.topic", "mqtttui.rtt", "mqtttui.request_in", "mqtttui.response_in", "mqtttui.unacked", "mqtttui.op.",
             "mqtttui.expert", "_ws.expert")  # fmt: skip
"""Names that begin like this need more than the packet itself."""


class FileDecoder:
    """Prints the packets of one capture."""

    def __init__(self, args: argparse.Namespace, printer: Printer, name: str) -> None:
        """Raises Unusable if filter or fields cannot be used."""
        self.unusable = False
        """What there is cannot be used, or not to its end."""
        self.cut_off = False
        """The file ends early."""
        self._printer = printer
        self._name = name
        self._filter = _filter(args.display_filter)
        self._fields = FieldsOutput(args) if args.format == "fields" else None
        self._log = Log()
        self._reader = CaptureReader(self._log, assume=args.protocol_version, name=name)
        names = frozenset[str]() if self._filter is None else self._filter.names
        if self._fields is not None:
            names |= self._fields.names
        self._facts, self._followers = _facts(self._log, self._reader, names)
        self._read_first = any(FIELDS[each].changes and each.startswith(_FOLLOWED) for each in names)
        self._done = 0
        """No. of the last packet that was looked at."""
        self._deferred: dict[int, int] = {}
        """Rows that may grow -> their connection."""
        self._screen = Screen()
        self._told = 0
        self._guesses: set[int] = set()
        self._look_back = bool(self._followers)
        """What was asked for may look at packets that were printed."""
        self._telling: Telling | None = None
        if printer.tells_conversations and self._fields is None:
            self._tell_conversations()

    def run(self, stream: BinaryIO, begun: bytes = b"") -> None:
        """Reads `stream` to its end; `begun` was read of it before. OSError passes."""
        read = getattr(stream, "read1", None) or stream.read
        if self._fields is not None:
            self._fields.begin()
        chunk = begun or read(_PIECE)
        while chunk:
            for _ in self._reader.steps(chunk):
                self._progress()
            chunk = read(_PIECE)
        self._reader.finish()
        self._progress()
        if self._read_first:
            self._print_new()
        self._print_deferred(everything=True)
        if self._fields is not None:
            self._fields.flush()
        self._summary()

    def _progress(self) -> None:
        """Prints what has come."""
        for follower in self._followers:
            while not follower.advance(self._log):
                pass
        if not self._read_first:
            self._print_new()
            self._print_deferred()
            self._print_late()
            if not self._look_back:
                self._log.forget(min(self._deferred, default=self._done + 1) - 1)
        if self._fields is not None:
            self._fields.flush()
        self._tell_problems()

    def _print_new(self) -> None:
        log = self._log
        after, self._done = self._done, log.last
        if log.first > after + 1:
            lost = log.last - after - sum(1 for _ in log.numbers(after + 1))
            self._tell(f"{self._shown_name}: {lost:,} packets are not shown: they did not fit the memory that the log may take")
            self.unusable = True
        for no in self._selected(after):
            row = Row(log, no, self._facts)
            packet = row.packet
            if packet.framing_error and log.connection(packet.connection).closed is None and len(self._deferred) < _MAX_DEFERRED:
                self._deferred[no] = packet.connection
                log.pin(no)
            else:
                self._print(row)

    def _selected(self, after: int) -> Iterator[int]:
        if self._filter is None:
            return self._log.numbers(after + 1)
        return scan(self._filter, self._log, self._facts, after)

    def _print_deferred(self, *, everything: bool = False) -> None:
        if not self._deferred:
            return
        log = self._log
        ready = [no for no, number in self._deferred.items() if everything or log.connection(number).closed is not None]
        for no in ready:
            del self._deferred[no]
            if no in log:
                self._print(Row(log, no, self._facts))
                log.unpin(no)

    def _print(self, row: Row) -> None:
        if self._fields is not None:
            self._fields.add(row)
            self._judge(row)
            return
        packet = row.packet
        context = Context(packet.version, packet.direction, packet.resolved_topic)
        dissection = dissect(packet.raw, context, MAX_NODES)
        if packet.framing_error:
            more = f" ({packet.dropped:,} more bytes are not shown)" if packet.dropped else ""
            dissection = unframed(dissection, packet.framing_error + more)
        findings = self._telling.on(packet.number, dissection) if self._telling is not None else ()
        self._printer.print(self._with_guess(dissection, packet.connection), self._place(packet), findings)

    def _tell_conversations(self) -> None:
        # Loaded only where it is printed, as in `_facts`.
        from mqtttui.analysis.findings import Findings
        from mqtttui.headless.conversations import Telling

        findings = next((each for each in self._followers if isinstance(each, Findings)), None)
        if findings is None:
            findings = Findings()
            self._followers = (*self._followers, findings)
        self._telling = Telling(findings)

    def _print_late(self) -> None:
        """What was found on packets that were printed before."""
        if self._telling is None:
            return
        for no in self._telling.changed():
            if no > self._done or no in self._deferred:
                continue
            if self._filter is not None and not (no in self._log and self._filter.matches(Row(self._log, no, self._facts))):
                continue
            for finding in self._telling.on(no, None):
                self._printer.print_late(no, finding)

    def _judge(self, row: Row) -> None:
        """Whether the packet is malformed, without dissecting those that are like one before."""
        packet = row.packet
        shape = None if packet.framing_error else shape_of(packet.raw, packet.direction, packet.version)
        if self._screen.known(shape) is None:
            self._screen.remember(shape, row.dissection)
            self._printer.malformed = self._printer.malformed or is_malformed(row.dissection)

    def _place(self, packet: Packet) -> Place:
        connection = self._log.connection(packet.connection)
        ends = connection.source, connection.destination
        if packet.direction is Direction.S2C:
            ends = connection.destination, connection.source
        return Place(
            packet.number,
            packet.connection,
            packet.wall,
            *ends,
            self._reader.frame_number(packet.number),
            self._reader.comments.get(packet.number, ()),
        )

    def _with_guess(self, dissection: Dissection, connection: int) -> Dissection:
        """`dissection` with a note if its version is a guess; said once a connection."""
        text = self._reader.notes.get(connection)
        if text is None or connection in self._guesses:
            return dissection
        self._guesses.add(connection)
        return replace(dissection, notes=(*dissection.notes, Note("version", Severity.NOTE, "", text, 0, 0)))

    # --- standard error

    def _tell_problems(self) -> None:
        problems = self._reader.problems
        for problem in problems[self._told :]:
            sys.stdout.flush()
            self._tell(f"{self._shown_name}, byte {problem.offset:,}: {problem.text}")
            self.unusable = self.unusable or problem.fatal
        self._told = len(problems)

    def _summary(self) -> None:
        self._tell_problems()
        if left_out := self._reader.problems_left_out:
            self._tell(f"{self._shown_name}: {left_out:,} more problems")
        if not self._log.received and not self.unusable:
            passed = ", ".join(f"{count:,} {name}" for name, count in self._reader.passed_over.items())
            frames = self._reader.frames
            self._tell(
                f"{self._shown_name}: no MQTT in {frames:,} {'frame' if frames == 1 else 'frames'}{f' ({passed})' if passed else ''}"
            )
        self.unusable = self.unusable or not self._reader.usable
        self.cut_off = self._reader.cut_off

    @property
    def _shown_name(self) -> str:
        return preview(os.fsencode(self._name), 60)

    @staticmethod
    def _tell(text: str) -> None:
        print(f"mqtttui decode: {text}", file=sys.stderr)


def _filter(text: str | None) -> Filter | None:
    if text is None:
        return None
    try:
        return compile_filter(text)
    except FilterError as error:
        said = " ".join(part for part in (error.problem, error.remedy) if part)
        raise Unusable(f"-Y: {said}\n{error.picture()}") from None


def _facts(log: Log, reader: CaptureReader, names: Iterable[str]) -> tuple[Facts, tuple[Follower, ...]]:
    """What `names` ask beside the packet, and what has to follow the log for it."""
    facts = Facts(
        marks=_FileMarks(reader.comments), frame_number=reader.frame_number, now=_newest(log), info=lambda no: info(log.dissect(no))
    )
    if not any(name.startswith(_FOLLOWED) for name in names):
        return facts, ()
    # Loaded only where they are asked for: they take as long to load as a small capture to read.
    from mqtttui.analysis.findings import Findings
    from mqtttui.analysis.operations import Operations
    from mqtttui.analysis.pairs import Pairs

    pairs, findings = Pairs(), Findings()
    operations = Operations(pairs)
    facts.pairs, facts.operations, facts.findings = pairs, operations, findings
    return facts, (pairs, operations, findings)


def _newest(log: Log) -> Callable[[], int]:
    """A capture's present is its latest packet."""
    return lambda: log.head(log.last).mono if log.last in log else 0


class _FileMarks:
    """The comments of a capture in the place of a user's."""

    def __init__(self, comments: Mapping[int, tuple[str, ...]]) -> None:
        self._comments = comments

    def marked(self, no: int) -> bool:
        """No packet of a file is marked."""
        return False

    def comment(self, no: int) -> str:
        """The comments on packet `no`, one a line."""
        return "\n".join(self._comments.get(no, ()))
