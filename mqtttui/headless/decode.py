"""Take MQTT packets apart on the command line: hexadecimal in, a tree of text or JSON lines out.

Theory of operation: input is read in pieces and fed to one framer a direction; each packet is printed as soon as it is
whole, so that a run may be endless. What cannot be framed is one row at the end of its connection, with all its bytes.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO

from mqtttui.capture.dissecting import unframed
from mqtttui.capture.records import incomplete
from mqtttui.capture.tracking import Tracker
from mqtttui.export.mask import masked_dissection
from mqtttui.export.packet_json import line, packet_object
from mqtttui.export.text_tree import tree_text
from mqtttui.export.units import count_bytes
from mqtttui.headless.hex_input import HexError, HexReader
from mqtttui.protocol.checks import MALFORMED
from mqtttui.protocol.dissect import dissect
from mqtttui.protocol.enums import Direction, PacketType, Severity, Version
from mqtttui.protocol.fields import Context, Dissection, Note
from mqtttui.protocol.framing import MAX_PACKET, Framer
from mqtttui.text import preview

EXIT_MALFORMED = 1
EXIT_UNUSABLE = 2
_EXIT_BROKEN_PIPE = 141
"""What a shell reports for a program that SIGPIPE ended."""

MAX_NODES = 1_000_000
"""Fields a packet is printed with; a program that reads them wants all, and a million is a gigabyte of memory."""
_PIECE = 65_536
_WORDS = re.compile(rb"[ \t\r\n]*(?:(c>s|s>c)(?=[ \t\r\n]|$)|(connection)(?=[ \t\r\n]|$)|(#)|$)", re.IGNORECASE)
_LINE_FORMS = "lines are 'C>S HEX', 'S>C HEX', 'connection', 'connection 3.1', 'connection 3.1.1' or 'connection 5'"

_EPILOG = f"""\
standard input: {_LINE_FORMS};
a line that begins with '#' is a comment. The chunks of a connection may be cut anywhere. 'connection' starts another one
(they count from 0); its version holds until a CONNECT says otherwise.

exit status: 0 everything was decoded, 1 a packet was malformed (by the standard's definition) or incomplete, 2 the input cannot
be used.

examples:
  mqtttui decode --hex "30 0e 00 09 63 6d 64 2f 6c 69 67 68 74 6f 6e 65"
  printf 'connection 5\\nC>S c000\\nS>C d000\\n' | mqtttui decode - --format json
"""


class Unusable(Exception):
    """The input cannot be used; the text says where and what helps."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds decode's arguments to `parser`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _EPILOG
    parser.add_argument("input", nargs="?", metavar="-", help="read chunks from standard input")
    parser.add_argument(
        "--hex", action="append", metavar="HEX", help="the bytes of one or more packets (may be given again for further chunks)"
    )
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="a tree for people, or one JSON object a packet and line"
    )
    parser.add_argument("--tree", action="store_true", help="with json: add the nested tree of fields")
    parser.add_argument("--explain", action="store_true", help="with text: say what each field means")
    parser.add_argument(
        "--direction", metavar="C>S|S>C", type=_direction, help="who sent the bytes of --hex (default: what their first packet suggests)"
    )
    parser.add_argument(
        "--protocol-version",
        metavar="VERSION",
        type=_version,
        help="3.1, 3.1.1 or 5, until a CONNECT or a 'connection' line says otherwise",
    )
    parser.add_argument("--mask", action="store_true", help="replace passwords and authentication data with * of equal length")


def run(args: argparse.Namespace) -> int:
    """Decodes what `args` ask for and gives the exit status. Complaints go to standard error."""
    if sys.stdout is None:
        return EXIT_UNUSABLE
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace", line_buffering=True)
    decoder = _Decoder(args)
    try:
        try:
            _check(args)
            if args.hex is not None:
                _from_argument(decoder, args.hex)
            else:
                _from_lines(decoder, sys.stdin.buffer)
            decoder.end()
        finally:
            sys.stdout.flush()
    except Unusable as error:
        print(f"mqtttui decode: {error}", file=sys.stderr)
        return EXIT_UNUSABLE
    except BrokenPipeError:
        # The reader of our output has gone; what is still buffered must not complain a second time at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _EXIT_BROKEN_PIPE
    except OSError as error:
        print(f"mqtttui decode: {error.strerror or error}", file=sys.stderr)
        return EXIT_UNUSABLE
    return EXIT_MALFORMED if decoder.malformed else 0


def _direction(word: str) -> Direction:
    for direction in Direction:
        if word.strip().upper() == direction.label:
            return direction
    raise argparse.ArgumentTypeError(f"{preview(os.fsencode(word), 40)!r} is no direction: use 'C>S' (from the client) or 'S>C', in quotes")


def _version(word: str) -> Version:
    try:
        return Version.from_label(word)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{preview(os.fsencode(word), 40)!r} is no MQTT version: use 3.1, 3.1.1 or 5") from None


def _check(args: argparse.Namespace) -> None:
    if args.input is not None and args.input != "-":
        name = preview(os.fsencode(args.input), 60)
        raise Unusable(f"cannot read '{name}': give --hex \"{name}\" for bytes, or - and the input as standard input (decode - < FILE)")
    if args.hex is None and args.input is None:
        raise Unusable('nothing to decode: give --hex "10 2a …", or - to read standard input')
    if args.hex is not None and args.input is not None:
        raise Unusable("give either --hex or -, not both")
    if args.hex is None and sys.stdin is None:
        raise Unusable("standard input is closed; give the input with < FILE or through a pipe")
    if args.direction is not None and args.hex is None:
        raise Unusable("--direction goes with --hex; on standard input each line says 'C>S' or 'S>C'")
    if args.tree and args.format != "json":
        raise Unusable("--tree goes with --format json; the text is a tree already")


def _from_argument(decoder: _Decoder, texts: list[str]) -> None:
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


def _from_lines(decoder: _Decoder, stream: BinaryIO) -> None:
    for number, pieces in _lines(stream):
        first = next(pieces)
        words = _WORDS.match(first)
        if words is None:
            raise Unusable(f"line {number}: '{preview(first.strip(), 40)}' is not understood; {_LINE_FORMS}")
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


class _Decoder:
    """Frames, dissects and prints; one connection at a time."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._json: bool = args.format == "json"
        self._tree: bool = args.tree
        self._explain: bool = args.explain
        self._mask: bool = args.mask
        self._given_direction: Direction | None = args.direction
        self._given_version: Version | None = args.protocol_version
        self._number = 0
        self._connection = -1
        self._open: _Connection | None = None
        self.malformed = False
        """Whether any packet so far was malformed or incomplete."""

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
        self.malformed = self.malformed or is_malformed(dissection)
        if self._mask:
            dissection = masked_dissection(dissection)
        if self._json:
            print(line(packet_object(dissection, number=self._number, connection=self._connection, tree=self._tree)))
            return
        kind = dissection.type.name if dissection.type is not None else "not a packet"
        context = dissection.context
        title = f"{self._number}  {context.direction.label}  {kind}  MQTT {dissection.version.label}  connection {self._connection}"
        print(tree_text(dissection, False, explain=self._explain, title=title), end="\n\n")


def is_malformed(dissection: Dissection) -> bool:
    """Whether the packet is a Malformed Packet, as the standard calls what cannot be parsed by its rules."""
    return dissection.malformed or any(note.severity is Severity.ERROR and note.id in MALFORMED for note in dissection.notes)


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
