"""The containers: pcap (micro- and nanoseconds) and pcapng, in both byte orders.

Formats: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng. A block source is given the unread part of the file and yields
its frames; what is incomplete at the end stays for the next time. A length that cannot be true ends the reading: behind it
nothing can be told from chance.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from mqtttui.capture.files.links import Link
from mqtttui.capture.files.problems import Report

MAX_FRAME = 16 * 1024 * 1024
MAX_BLOCK = 32 * 1024 * 1024
"""More than any program writes. A length beyond it is damage."""
MAX_INTERFACES = 65_536
_MAX_NS = 2**63 - 1

PCAPNG_MAGIC = b"\x0a\x0d\x0d\x0a"
_PCAP_MAGICS = {
    b"\xa1\xb2\xc3\xd4": (">", 1_000),
    b"\xd4\xc3\xb2\xa1": ("<", 1_000),
    b"\xa1\xb2\x3c\x4d": (">", 1),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
}
"""First four bytes -> byte order and nanoseconds in a unit of its fractions."""
_SECTION, _INTERFACE, _OLD_PACKET, _SIMPLE, _NAMES, _STATISTICS, _ENHANCED, _SECRETS = 0x0A0D0D0A, 1, 2, 3, 4, 5, 6, 10
_OPT_COMMENT, _IF_NAME, _SHB_APPLICATION, _IF_RESOLUTION, _IF_OFFSET = 1, 2, 4, 9, 14
_BYTE_ORDERS = {b"\x1a\x2b\x3c\x4d": ">", b"\x4d\x3c\x2b\x1a": "<"}
_MAX_COMMENT = 10_000

_Unpack = Callable[[bytes, int], tuple[int, ...]]


@dataclass(slots=True)
class Interface:
    """Where frames were captured."""

    number: int
    """Counts from 0 over the whole file."""
    link: Link
    name: str = ""
    multiply: int = 1_000
    divide: int = 1
    """Timestamp * multiply // divide is in nanoseconds."""
    offset: int = 0
    """Nanoseconds to add."""
    snap_length: int = 0
    application: bytes = b""
    """The program that wrote its section, as far as it says so."""


Frame = tuple[int, int, int, int, Interface, tuple[str, ...]]
"""Start and end in the data that its source was given, bytes that it had on the wire beyond that, nanoseconds since 1970 (-1: it
has no time), interface, comments. A plain tuple: there is one for every frame of the file."""


class Source(Protocol):
    """Cuts a file into frames."""

    format: str
    """What a person calls it."""
    consumed: int
    """After `frames` has ended: how much of its data is done with."""
    wanted: int
    """After `frames` has ended: bytes from `consumed` on without which it is no use to go on."""
    broken: bool
    """Nothing can be read any more."""
    secrets: bool
    """The file holds keys of TLS."""

    def frames(self, data: bytes, base: int) -> Iterator[Frame]:
        """The frames of `data`, which begins at byte `base` of the file."""

    def rest(self) -> str:
        """What to say of bytes that are left at the end."""


def source_of(data: bytes, report: Report) -> Source | None:
    """The source for a file that begins with `data` (at least four bytes), None if it is no capture that we know."""
    if data[:4] == PCAPNG_MAGIC:
        return PcapngSource(report)
    return PcapSource(*_PCAP_MAGICS[data[:4]], report) if data[:4] in _PCAP_MAGICS else None


class PcapSource:
    """The older format: one header, one link type, frames."""

    def __init__(self, order: str, unit: int, report: Report) -> None:
        self.format = f"pcap, {'nanoseconds' if unit == 1 else 'microseconds'}"
        self.consumed = 0
        self.wanted = 24
        self.broken = False
        self.secrets = False
        self._order = order
        self._unit = unit
        self._report = report
        self._interface: Interface | None = None

    def frames(self, data: bytes, base: int) -> Iterator[Frame]:
        """See Source."""
        at = self.consumed = 0
        interface = self._interface
        if interface is None:
            if len(data) < 24:
                return
            snap_length, link = struct.unpack_from(f"{self._order}II", data, 16)
            # The upper bits say how long the frame check sequence is.
            interface = self._interface = Interface(0, Link(link & 0x0FFF_FFFF), snap_length=snap_length)
            at = self.consumed = 24
        read = struct.Struct(f"{self._order}IIII").unpack_from
        unit = self._unit
        size = len(data)
        self.wanted = 16
        while size - at >= 16:
            seconds, fraction, length, original = read(data, at)
            if length > MAX_FRAME:
                self._report.problem(f"a frame of {length:,} bytes cannot be: the file is damaged here", base + at, fatal=True)
                self.broken = True
                break
            end = at + 16 + length
            if end > size:
                self.wanted = 16 + length
                break
            self.consumed = end
            missing = original - length if original > length else 0
            yield at + 16, end, missing, seconds * 1_000_000_000 + fraction * unit, interface, ()
            at = end

    def rest(self) -> str:
        """See Source."""
        return "the file ends inside its header" if self._interface is None else "the file ends inside a frame"


class PcapngSource:
    """The newer format: sections with interfaces of their own."""

    format = "pcapng"

    def __init__(self, report: Report) -> None:
        self.consumed = 0
        self.wanted = 28
        self.broken = False
        self.secrets = False
        self._report = report
        self._order = "<"
        self._interfaces: list[Interface] = []
        self._described = 0
        """Interfaces of all sections so far."""
        self._application = b""
        self._started = False

    def frames(self, data: bytes, base: int) -> Iterator[Frame]:
        """See Source."""
        at = self.consumed = 0
        size = len(data)
        self.wanted = 12
        head, enhanced = self._readers()
        interfaces = self._interfaces
        while size - at >= 12:
            kind, length = head(data, at)
            if kind == _SECTION:
                order = _BYTE_ORDERS.get(data[at + 8 : at + 12])
                if order is None:
                    self._damaged("a section without byte order", base + at)
                    break
                self._order = order
                head, enhanced = self._readers()
                length = head(data, at)[1]
            if length < 12 or length & 3 or length > MAX_BLOCK or not (self._started or kind == _SECTION):
                self._damaged(f"a block of {length:,} bytes cannot be", base + at)
                break
            end = at + length
            if end > size:
                self.wanted = length
                break
            if data[end - 4 : end] != data[at + 4 : at + 8]:
                self._damaged("a block whose two lengths differ", base + at)
                break
            if kind == _ENHANCED and length >= 32:
                number, high, low, captured, original = enhanced(data, at + 8)
                stop = at + 28 + captured
                if captured <= length - 32 and number < len(interfaces):
                    interface = interfaces[number]
                    wall = (high << 32 | low) * interface.multiply
                    if interface.divide != 1 or interface.offset or wall > _MAX_NS:
                        wall = _scaled(high << 32 | low, interface)
                    options = stop + (-captured & 3)
                    comments = () if end - options <= 8 or _no_comment(data, options, end) else self._comments(data, options, end)
                    self.consumed = end
                    yield at + 28, stop, original - captured if original > captured else 0, wall, interface, comments
                else:
                    self._odd_frame(base + at, number < len(interfaces))
            else:
                frame = self._other(kind, data, at, end, base)
                self.consumed = end
                if frame is not None:
                    yield frame
                interfaces = self._interfaces
            self.consumed = at = end

    def rest(self) -> str:
        """See Source."""
        return "the file ends inside a block"

    def _readers(self) -> tuple[_Unpack, _Unpack]:
        return struct.Struct(f"{self._order}II").unpack_from, struct.Struct(f"{self._order}IIIII").unpack_from

    def _damaged(self, text: str, offset: int) -> None:
        self._report.problem(f"{text}: the file is damaged here", offset, fatal=True)
        self.broken = True

    def _odd_frame(self, offset: int, described: bool) -> None:
        text = "a frame is longer than its block" if described else "a frame of an interface that is not described"
        self._report.problem(f"{text}: it is left out", offset)
        self._report.count("frames in damaged blocks")

    def _other(self, kind: int, data: bytes, at: int, end: int, base: int) -> Frame | None:
        body = at + 8
        length = end - at
        if kind == _SECTION:
            self._section(data, at, end)
        elif kind == _INTERFACE and length >= 20:
            self._interface(data, at, end)
        elif kind == _SIMPLE and length >= 16:
            if not self._interfaces:
                self._odd_frame(base + at, False)
                return None
            (original,) = struct.unpack_from(f"{self._order}I", data, body)
            interface = self._interfaces[0]
            limit = interface.snap_length or original
            captured = min(original, limit, length - 16)
            # It has no time of its own: that of the frame before holds.
            return body + 4, body + 4 + captured, original - captured, -1, interface, ()
        elif kind == _OLD_PACKET and length >= 32:
            number, _, high, low, captured, original = struct.unpack_from(f"{self._order}HHIIII", data, body)
            if captured > length - 32 or number >= len(self._interfaces):
                self._odd_frame(base + at, number < len(self._interfaces))
                return None
            interface = self._interfaces[number]
            stop = body + 20 + captured
            comments = self._comments(data, stop + (-captured & 3), end)
            missing = max(0, original - captured)
            return body + 20, stop, missing, _scaled(high << 32 | low, interface), interface, comments
        elif kind == _SECRETS:
            self.secrets = True
        elif kind not in (_NAMES, _STATISTICS):
            self._report.count("pcapng blocks of other kinds")
        return None

    def _section(self, data: bytes, at: int, end: int) -> None:
        self._started = True
        self._interfaces = []
        self._application = b""
        for code, value in _options(data, at + 24, end - 4, self._order):
            if code == _SHB_APPLICATION:
                self._application = value[:100]

    def _interface(self, data: bytes, at: int, end: int) -> None:
        if self._described >= MAX_INTERFACES:
            self._report.count("interfaces beyond the first 65,536")
            return
        link, _, snap_length = struct.unpack_from(f"{self._order}HHI", data, at + 8)
        interface = Interface(self._described, Link(link), snap_length=snap_length, application=self._application)
        self._described += 1
        for code, value in _options(data, at + 16, end - 4, self._order):
            if code == _IF_NAME:
                interface.name = value[:200].decode("utf-8", "replace")
            elif code == _IF_RESOLUTION and len(value) == 1:
                interface.multiply, interface.divide = _resolution(value[0])
            elif code == _IF_OFFSET and len(value) == 8:
                interface.offset = struct.unpack(f"{self._order}q", value)[0] * 1_000_000_000
        self._interfaces.append(interface)

    def _comments(self, data: bytes, at: int, end: int) -> tuple[str, ...]:
        found = _options(data, at, end - 4, self._order)
        return tuple(value[:_MAX_COMMENT].decode("utf-8", "replace") for code, value in found if code == _OPT_COMMENT)


def _no_comment(data: bytes, at: int, end: int) -> bool:
    """Whether the options of a frame are the flags and packet number that we write ourselves, nothing else."""
    return data[at : at + 4] == b"\x02\0\4\0" and end - at in (16, 28) and (end - at == 16 or data[at + 8 : at + 12] == b"\x05\0\x08\0")


def _options(data: bytes, at: int, end: int, order: str) -> Iterator[tuple[int, bytes]]:
    """Code and value of each option; a broken list ends early."""
    while end - at >= 4:
        code, length = struct.unpack_from(f"{order}HH", data, at)
        at += 4
        if not code or at + length > end:
            return
        yield code, data[at : at + length]
        at += length + (-length & 3)


def _resolution(byte: int) -> tuple[int, int]:
    """if_tsresol: a negative power of 10, or with the top bit of 2."""
    exponent = byte & 0x7F
    if byte & 0x80:
        return 1_000_000_000, 1 << exponent
    return (10 ** (9 - exponent), 1) if exponent <= 9 else (1, 10 ** (exponent - 9))


def _scaled(ticks: int, interface: Interface) -> int:
    return max(0, min(_MAX_NS, ticks * interface.multiply // interface.divide + interface.offset))
