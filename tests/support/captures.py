"""Capture files made by hand: TCP conversations as segments that a test may cut, lose, repeat and swap, in any container."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from mqtttui.capture.files.reader import CaptureReader
from mqtttui.capture.log import Log
from mqtttui.capture.recorder import Recorder
from mqtttui.capture.records import Origin, Packet
from mqtttui.protocol.enums import Direction, Version
from tests.support import golden

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
C2S, S2C = Direction.C2S, Direction.S2C
START = 1_700_000_000_000_000_000
"""Time of the first frame, ns."""
STEP = 1_000_000
CLIENT4, SERVER4 = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])
CLIENT6, SERVER6 = bytes(15) + b"\x01", bytes(15) + b"\x02"

ETHERNET, NULL, RAW, LOOP, SLL, SLL2, IPV4, IPV6, EXPORTED = 1, 0, 101, 108, 113, 276, 228, 229, 252


@dataclass(frozen=True, slots=True)
class Segment:
    """One TCP segment."""

    direction: Direction
    seq: int
    ack: int
    flags: int
    payload: bytes = b""
    client_port: int = 50_000
    server_port: int = 1_883


@dataclass
class Talk:
    """A TCP connection as a list of segments."""

    client_port: int = 50_000
    server_port: int = 1_883
    client_isn: int = 1_000
    server_isn: int = 9_000
    segments: list[Segment] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self._next = {C2S: self.client_isn, S2C: self.server_isn}

    def opened(self) -> Talk:
        """The three-way handshake."""
        self._add(C2S, SYN)
        self._add(S2C, SYN | ACK)
        return self._add(C2S, ACK)

    def send(self, direction: Direction, data: bytes, size: int = 1 << 30, *, acked: bool = True) -> Talk:
        """`data` in segments of at most `size`, and an acknowledgement."""
        for start in range(0, len(data), size):
            self._add(direction, PSH | ACK, data[start : start + size])
        return self._add(S2C if direction is C2S else C2S, ACK) if acked else self

    def closed(self, direction: Direction = C2S) -> Talk:
        """FIN from `direction`, then from the other side."""
        other = S2C if direction is C2S else C2S
        self._add(direction, FIN | ACK)
        self._add(other, FIN | ACK)
        return self._add(direction, ACK)

    def reset(self, direction: Direction) -> Talk:
        """RST from `direction`."""
        return self._add(direction, RST)

    def _add(self, direction: Direction, flags: int, payload: bytes = b"") -> Talk:
        other = S2C if direction is C2S else C2S
        seq = self._next[direction]
        self.segments.append(
            Segment(direction, seq, self._next[other] if flags & ACK else 0, flags, payload, self.client_port, self.server_port)
        )
        self._next[direction] = (seq + len(payload) + bool(flags & (SYN | FIN))) & 0xFFFFFFFF
        return self


def golden_talk(connection: str = "A", size: int = 1 << 30, **ports: int) -> Talk:
    """A connection of the golden capture over TCP, opened and closed."""
    talk = Talk(**ports).opened()
    for packet in golden.packets():
        if packet.connection == connection:
            talk.send(packet.direction, packet.raw, size)
    return talk.closed()


def golden_raws(connection: str = "A", direction: Direction | None = None) -> list[bytes]:
    """The packets of a connection of the golden capture."""
    return [each.raw for each in golden.packets() if each.connection == connection and direction in (None, each.direction)]


def packet4(segment: Segment, *, identification: int = 1) -> bytes:
    """An IPv4 packet with `segment`. Checksums are left zero."""
    tcp = _tcp(segment)
    source, destination = (CLIENT4, SERVER4) if segment.direction is C2S else (SERVER4, CLIENT4)
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), identification, 0x4000, 64, 6, 0) + source + destination + tcp


def packet6(segment: Segment) -> bytes:
    """An IPv6 packet with `segment`."""
    tcp = _tcp(segment)
    source, destination = (CLIENT6, SERVER6) if segment.direction is C2S else (SERVER6, CLIENT6)
    return struct.pack(">IHBB", 6 << 28, len(tcp), 6, 64) + source + destination + tcp


def fragments(segment: Segment, size: int) -> list[bytes]:
    """The segment in IPv4 fragments with `size` bytes each (a multiple of 8)."""
    whole = packet4(segment)
    head, body = whole[:20], whole[20:]
    found = []
    for start in range(0, len(body), size):
        piece = body[start : start + size]
        place = start // 8 | (0x2000 if start + size < len(body) else 0)
        found.append(head[:2] + struct.pack(">H", 20 + len(piece)) + head[4:6] + struct.pack(">H", place) + head[8:] + piece)
    return found


def _tcp(segment: Segment) -> bytes:
    ports = (segment.client_port, segment.server_port)
    source, destination = ports if segment.direction is C2S else ports[::-1]
    return struct.pack(">HHIIBBHHH", source, destination, segment.seq, segment.ack, 0x50, segment.flags, 65_000, 0, 0) + segment.payload


def linked(ip: bytes, link: int, *, tags: Sequence[bytes] = ()) -> bytes:
    """`ip` behind the header of `link`; `tags` are VLAN tags (Ethernet only)."""
    six = ip[0] >> 4 == 6
    kind = b"\x86\xdd" if six else b"\x08\x00"
    match link:
        case 1:
            return bytes(12) + b"".join(tags) + kind + ip
        case 0:
            return struct.pack("<I", 10 if six else 2) + ip
        case 108:
            return struct.pack(">I", 30 if six else 2) + ip
        case 113:
            return bytes(14) + kind + ip
        case 276:
            return kind + bytes(18) + ip
        case _:
            return ip


class Frame(NamedTuple):
    """One frame of a file."""

    data: bytes
    wall: int = START
    original: int = 0
    """Length on the wire, 0: all of it is there."""
    comments: tuple[str, ...] = ()


def frames(segments: Iterable[Segment], link: int = ETHERNET, *, six: bool = False) -> list[Frame]:
    """One frame for each segment, a millisecond apart."""
    pack = packet6 if six else packet4
    return [Frame(linked(pack(segment), link), START + index * STEP) for index, segment in enumerate(segments)]


def pcap(found: Iterable[Frame], link: int = ETHERNET, *, nanoseconds: bool = False, order: str = "<") -> bytes:
    """The older container."""
    out = bytearray(struct.pack(f"{order}IHHiIII", 0xA1B23C4D if nanoseconds else 0xA1B2C3D4, 2, 4, 0, 0, 262_144, link))
    for frame in found:
        seconds, rest = divmod(frame.wall, 1_000_000_000)
        size = len(frame.data)
        out += struct.pack(f"{order}IIII", seconds, rest if nanoseconds else rest // 1_000, size, frame.original or size) + frame.data
    return bytes(out)


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    """A pcapng block."""
    size = len(body) + 12
    return struct.pack(f"{order}II", kind, size) + body + struct.pack(f"{order}I", size)


def section(order: str = "<", options: bytes = b"") -> bytes:
    """A section header."""
    return block(0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1) + options, order)


def option(code: int, value: bytes, order: str = "<") -> bytes:
    """An option of a block."""
    return struct.pack(f"{order}HH", code, len(value)) + value + bytes(-len(value) % 4)


def interface(link: int, order: str = "<", options: bytes = b"", snap_length: int = 0) -> bytes:
    """An interface description."""
    return block(1, struct.pack(f"{order}HHI", link, 0, snap_length) + options, order)


def enhanced(frame: Frame, order: str = "<", number: int = 0, ticks: int | None = None) -> bytes:
    """An enhanced packet block; its time is in microseconds unless `ticks` are given."""
    stamp = frame.wall // 1_000 if ticks is None else ticks
    size = len(frame.data)
    options = b"".join(option(1, comment.encode(), order) for comment in frame.comments)
    head = struct.pack(f"{order}IIIII", number, stamp >> 32, stamp & 0xFFFFFFFF, size, frame.original or size)
    return block(6, head + frame.data + bytes(-size % 4) + options, order)


def pcapng(found: Iterable[Frame], link: int = ETHERNET, *, order: str = "<") -> bytes:
    """The newer container with one interface."""
    return section(order) + interface(link, order) + b"".join(enhanced(frame, order) for frame in found)


def read(data: bytes, *, cut: int = 1 << 30, assume: Version | None = None, limit: int = 1 << 40) -> tuple[Log, CaptureReader]:
    """The log that a file becomes, fed in pieces of `cut` bytes."""
    log = Log(limit)
    reader = CaptureReader(log, assume=assume)
    for start in range(0, len(data), cut):
        reader.feed(data[start : start + cut])
    reader.finish()
    return log, reader


def read_file(path: Path) -> tuple[Log, CaptureReader]:
    """The same for a file."""
    return read(path.read_bytes())


def packets(log: Log) -> list[Packet]:
    """All rows that are kept."""
    return [log[no] for no in log.numbers()]


def raws(log: Log, direction: Direction | None = None, connection: int | None = None) -> list[bytes]:
    """The bytes of the whole packets, of one direction or connection if asked."""
    return [
        packet.raw
        for packet in packets(log)
        if not packet.framing_error and direction in (None, packet.direction) and connection in (None, packet.connection)
    ]


def framed(client: bytes, server: bytes) -> tuple[list[bytes], list[bytes]]:
    """The packets of two streams as the live recorder cuts them."""
    log = Log(1 << 40)
    recorder = Recorder(log, log.open_connection(peer="x", origin=Origin.FILE, mono=0, wall=0))
    recorder.outbound(client, 0, 0)
    recorder.inbound(server, 0, 0)
    return raws(log, C2S), raws(log, S2C)


def retimed(found: Iterable[Frame]) -> list[Frame]:
    """The frames a millisecond apart in the order in which they come."""
    return [replace_time(frame, START + index * STEP) for index, frame in enumerate(found)]


def replace_time(frame: Frame, wall: int) -> Frame:
    """`frame` at another time."""
    return frame._replace(wall=wall)


def with_payload(segment: Segment, start: int, end: int) -> Segment:
    """The part of a segment that carries its bytes `start` to `end`."""
    return replace(segment, seq=(segment.seq + start) & 0xFFFFFFFF, payload=segment.payload[start:end])


def zipped(data: bytes) -> bytes:
    """gzip."""
    return gzip.compress(data)
