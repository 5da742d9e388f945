"""Take MQTT packets apart on the command line: a capture or hexadecimal in, a tree of text, JSON lines or fields out.

Packets are printed as soon as they are whole, so that a run may be endless.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from typing import BinaryIO

from mqtttui.headless.errors import Unusable
from mqtttui.headless.hex_lines import LINE_FORMS, Decoder, from_argument, from_lines
from mqtttui.headless.printing import Printer
from mqtttui.protocol.enums import Direction, Version
from mqtttui.text import preview

_PEEKED = 4
"""Bytes that tell a capture from text."""
EXIT_MALFORMED = 1
EXIT_UNUSABLE = 2
_EXIT_BROKEN_PIPE = 141
"""What a shell reports for a program that SIGPIPE ended."""

_EPILOG = f"""\
captures: pcap and pcapng, also with gzip; MQTT over TCP on any port, in WebSocket, and exported PDUs. Standard input may be a
capture too: ssh gateway tcpdump -U -w - port 1883 | mqtttui decode -

hexadecimal on standard input: {LINE_FORMS};
a line that begins with '#' is a comment. The chunks of a connection may be cut anywhere. 'connection' starts another one
(they count from 0); its version holds until a CONNECT says otherwise.

exit status: 0 everything was decoded, 1 a packet was malformed (by the standard's definition) or incomplete, or the file was
cut off, 2 the input cannot be used, or not beyond a damaged place.

examples:
  mqtttui decode --hex "30 0e 00 09 63 6d 64 2f 6c 69 67 68 74 6f 6e 65"
  mqtttui decode night.pcapng -Y 'mqtt.topic contains "temp"' --format json
  mqtttui decode night.pcapng -T fields -e frame.time_epoch -e mqtt.topic -e mqtt.msg
  printf 'connection 5\\nC>S c000\\nS>C d000\\n' | mqtttui decode - --format json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds decode's arguments to `parser`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _EPILOG
    parser.add_argument("input", nargs="?", metavar="FILE", help="a capture file; - reads a capture or lines of hex from standard input")
    parser.add_argument(
        "--hex", action="append", metavar="HEX", help="the bytes of one or more packets (may be given again for further chunks)"
    )
    parser.add_argument("-Y", dest="display_filter", metavar="FILTER", help="only packets of the capture that this display filter selects")
    parser.add_argument(
        "-T",
        "--format",
        dest="format",
        choices=("text", "json", "fields"),
        default="text",
        help="a tree for people with all findings, one JSON object a packet and line, or the fields of -e",
    )
    parser.add_argument("-e", dest="field", action="append", metavar="NAME", help="with -T fields: print this field (may be given again)")
    parser.add_argument(
        "-E", dest="field_option", action="append", metavar="NAME=VALUE", help="with -T fields: such as header=y, separator=;"
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
    try:
        try:
            _check(args)
            return _decode(args)
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


def _decode(args: argparse.Namespace) -> int:
    printer = Printer(args)
    if args.hex is not None:
        return _hex(args, printer, None)
    if args.input != "-":
        with _opened(args.input) as stream:
            return _file(args, printer, stream, args.input)
    piped = _peekable(sys.stdin.buffer)
    if _is_capture(piped.peek(_PEEKED)[:_PEEKED]):
        return _file(args, printer, piped, "standard input")
    return _hex(args, printer, piped)


def _hex(args: argparse.Namespace, printer: Printer, lines: BinaryIO | None) -> int:
    for given, name in ((args.display_filter is not None, "-Y"), (args.format == "fields", "-T fields")):
        if given:
            raise Unusable(f"{name} goes with a capture; of hexadecimal every packet is printed")
    decoder = Decoder(printer, args.direction, args.protocol_version)
    if lines is None:
        from_argument(decoder, args.hex)
    else:
        from_lines(decoder, lines)
    decoder.end()
    return EXIT_MALFORMED if printer.malformed else 0


def _file(args: argparse.Namespace, printer: Printer, stream: BinaryIO, name: str) -> int:
    # What reads and filters captures is not needed for hexadecimal, which answers at once.
    from mqtttui.headless.decode_file import FileDecoder

    decoder = FileDecoder(args, printer, name)
    decoder.run(stream)
    if decoder.unusable:
        return EXIT_UNUSABLE
    return EXIT_MALFORMED if printer.malformed or decoder.cut_off else 0


def _opened(name: str) -> BinaryIO:
    try:
        return open(name, "rb")
    except (OSError, ValueError) as error:
        shown = preview(os.fsencode(name), 60)
        reason = (error.strerror or str(error)) if isinstance(error, OSError) else "no file can have that name"
        raise Unusable(f"cannot read '{shown}': {reason}; for bytes give --hex, for a pipe -") from None


def _is_capture(start: bytes) -> bool:
    # Text is told from a capture by its first byte, without loading what reads captures.
    if start[:1] in (b"\n", b"\r", b" ", b"\t", b"#") and start[:2] != b"\n\r":
        return False
    if start[:1].isascii() and start[:1].isalnum() and start[:2] not in (b"M<", b"BZ", b"PK"):
        return False
    from mqtttui.capture.files.reader import is_capture

    return is_capture(start)


def _peekable(stream: BinaryIO) -> io.BufferedReader:
    return stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(stream)  # type: ignore[arg-type]


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
    if args.hex is None and args.input is None:
        raise Unusable('nothing to decode: name a capture file, give --hex "10 2a …", or - to read standard input')
    if args.hex is not None and args.input is not None:
        raise Unusable("give either --hex or an input, not both")
    if args.input == "-" and sys.stdin is None:
        raise Unusable("standard input is closed; give the input with < FILE or through a pipe")
    if args.direction is not None and args.hex is None:
        raise Unusable("--direction goes with --hex; captures and lines on standard input say who sent what")
    if args.tree and args.format != "json":
        raise Unusable("--tree goes with --format json; the text is a tree already")
    if (args.field or args.field_option) and args.format != "fields":
        raise Unusable("-e and -E go with -T fields")
    if args.mask and args.format == "fields":
        raise Unusable("--mask goes with text and json; of fields only those of -e are printed")
