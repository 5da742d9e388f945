"""Packets given as hexadecimal, as an argument or in lines that say who sent them.

Theory of operation: input is read in pieces and fed to one framer a direction; each packet is printed as soon as it is
whole, so that a run may be endless. What cannot be framed is one row at the end of its connection, with all its bytes.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO

from mqtttui.capture.dissecting import unframed
from mqtttui.capture.records import incomplete
from mqtttui.capture.tracking import Tracker
from mqtttui.export.units import count_bytes
from mqtttui.headless.errors import Unusable
from mqtttui.headless.hex_input import HexError, HexReader
from mqtttui.headless.printing import MAX_NODES, Place, Printer
from mqtttui.protocol.dissect import dissect
from mqtttui.protocol.enums import Direction, PacketType, Severity, Version
from mqtttui.protocol.fields import Context, Dissection, Note
from mqtttui.protocol.framing import MAX_PACKET, Framer
from mqtttui.text import preview

if TYPE_CHECKING:
    from mqtttui.headless.conversations import HexConversations

LINE_FORMS = "lines are 'C>S HEX', 'S>C HEX', 'connection', 'connection 3.1', 'connection 3.1.1' or 'connection 5'"
_PIECE = 65_536
_WORDS = re.compile(rb"[ \t\r\n]*(?:(c>s|s>c)(?=[ \t\r\n]|$)|(connection)(?=[ \t\r\n]|$)|(#)|$)", re.IGNORECASE)


def from_argument(decoder: Decoder, texts: list[str]) -> None:
    """The bytes of `--hex`. Raises Unusable."""
    chunks = []
    for text in texts:
        reader = HexReader()
        try:
            chunks.append(reader.feed(os.fsencode(text)))
            reader.finish()
        except HexError as error:
            raise Unusable(f"--hex: {error}; give pairs of the digits 0-9 and a-f, blanks between them do not matter") from None
    if not any(chunks):
        raise Unusable('--hex: there are no bytes in it; give at least one, such as --hex "c0 00"')
    direction = decoder.direction_of(b"".join(chunks))
    for chunk in chunks:
        decoder.chunk(direction, chunk)


def from_lines(decoder: Decoder, stream: BinaryIO) -> None:
    """The lines of `stream`. Raises Unusable."""
    for number, pieces in _lines(stream):
        first = next(pieces)
        words = _WORDS.match(first)
        if words is None:
            raise Unusable(f"line {number}: '{preview(first.strip(), 40)}' is not understood; {LINE_FORMS}")
        direction, connection, _ = words.groups()
        if connection:
            label = first[words.end() :].strip()
            try:
                version = Version.from_label(label.decode("ascii", "replace")) if label else None
            except ValueError:
                raise Unusable(f"line {number}: '{preview(label, 40)}' is no MQTT version; use 3.1, 3.1.1 or 5, or none") from None
            decoder.connection(version)
        elif direction:
            side = Direction.C2S if direction.upper() == b"C>S" else Direction.S2C
            reader = HexReader()
            try:
                decoder.chunk(side, reader.feed(first[words.end() :]))
                for piece in pieces:
                    decoder.chunk(side, reader.feed(piece))
                reader.finish()
            except HexError as error:
                raise Unusable(f"line {number}: {error}; after '{side.label}' stand pairs of the digits 0-9 and a-f") from None
        for _ in pieces:
            pass


def _lines(stream: BinaryIO) -> Iterator[tuple[int, Iterator[bytes]]]:
    """Each line's number and its pieces, so that no line is ever held whole."""
    number = 0
    while piece := stream.readline(_PIECE):
        number += 1
        if number == 1:
            piece = piece.removeprefix(b"\xef\xbb\xbf")
        yield number, _pieces(piece, stream)


def _pieces(piece: bytes, stream: BinaryIO) -> Iterator[bytes]:
    while True:
        yield piece
        if piece.endswith(b"\n") or not (piece := stream.readline(_PIECE)):
            return


class Decoder:
    """Frames, dissects and prints; one connection at a time."""

    def __init__(self, printer: Printer, direction: Direction | None, version: Version | None) -> None:
        """`direction` and `version` as they were given on the command line."""
        self._printer = printer
        self._given_direction = direction
        self._given_version = version
        self._number = 0
        self._connection = -1
        self._open: _Connection | None = None
        self._first: tuple[int, Dissection] | None = None
        """The first packet of the run, if it is no CONNECT, until there is another one: by itself it is no conversation."""
        self._conversations: HexConversations | None = None

    def direction_of(self, stream: bytes) -> Direction:
        """The direction that was asked for, or the one in which the first packet of `stream` breaks fewer rules."""
        if self._given_direction is not None:
            return self._given_direction
        version = self._given_version or Version.V311
        packet = next(Framer(MAX_PACKET).feed(stream).packets(), stream)

        def faults(direction: Direction) -> int:
            notes = dissect(packet, Context(version, direction)).notes
            return sum(note.severity is Severity.ERROR for note in notes)

        return min(Direction, key=faults)

    def connection(self, version: Version | None) -> None:
        """Another connection begins."""
        self.end()
        self._connection += 1
        self._open = _Connection(version or self._given_version)

    def chunk(self, direction: Direction, chunk: bytes) -> None:
        """The next bytes of the present connection."""
        if self._open is None:
            self.connection(None)
        if self._open is not None:
            for dissection in self._open.feed(direction, chunk):
                self._print(dissection)

    def end(self) -> None:
        """The present connection is over: what is left of it is printed."""
        if self._open is not None:
            for dissection in self._open.end():
                self._print(dissection)
            self._open = None

    def _print(self, dissection: Dissection) -> None:
        self._number += 1
        findings = self._findings(dissection) if self._printer.tells_conversations else ()
        self._printer.print(dissection, Place(self._number, self._connection), findings)
        self._print_late()

    def _findings(self, dissection: Dissection) -> tuple[Note, ...]:
        if self._number == 1 and dissection.type is not PacketType.CONNECT:
            self._first = self._connection, dissection
            return ()
        if self._conversations is None:
            # What follows conversations takes as long to load as everything else: a packet by itself does without.
            from mqtttui.headless.conversations import HexConversations

            self._conversations = HexConversations()
        if self._first is not None:
            self._conversations.add(*self._first)
            self._first = None
        self._conversations.add(self._connection, dissection)
        return self._conversations.on_latest(dissection)

    def _print_late(self) -> None:
        if self._conversations is not None:
            for number, finding in self._conversations.late():
                self._printer.print_late(number, finding)


class _Connection:
    """The two framers of a connection, and what its packets need of earlier ones."""

    def __init__(self, version: Version | None) -> None:
        self._assumed = version is None
        self._tracker = Tracker(version or Version.V311)
        self._framers = {direction: Framer(MAX_PACKET, keep_rest=MAX_PACKET) for direction in Direction}

    def feed(self, direction: Direction, chunk: bytes) -> Iterator[Dissection]:
        """The packets that `chunk` completes."""
        for raw in self._framers[direction].feed(chunk).packets():
            kind = raw[0] >> 4
            topic = None
            if kind == PacketType.CONNECT and direction is Direction.C2S:
                if self._tracker.connect(raw, 0, len(raw)) is not None:
                    self._assumed = False
            elif kind == PacketType.PUBLISH and self._tracker.version is Version.V5:
                alias = self._tracker.publish(direction, raw, 0, len(raw))
                topic = alias.topic if alias is not None and not alias.binds else None
            yield self._judged(dissect(raw, Context(self._tracker.version, direction, topic), MAX_NODES))

    def end(self) -> Iterator[Dissection]:
        """What is left at the end: one row for each direction that could not be framed to its end."""
        for direction, framer in self._framers.items():
            if framer.kept:
                text = incomplete(framer.kept, framer.expected)
                if framer.error is not None:
                    text = framer.error.text
                    if framer.rest > framer.kept:
                        text += f" ({count_bytes(framer.rest - framer.kept)} more were not kept)"
                yield self._judged(unframed(dissect(framer.pending, Context(self._tracker.version, direction)), text))

    def _judged(self, dissection: Dissection) -> Dissection:
        """`dissection` with a note if its version is a guess; said once a connection."""
        if not self._assumed:
            return dissection
        self._assumed = False
        note = Note("version", Severity.NOTE, "", "The version is not known (no CONNECT, none given): read as 3.1.1.", 0, 0)
        return replace(dissection, notes=(*dissection.notes, note))
