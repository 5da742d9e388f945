"""Control packets in TCP/IP as it could have been: for tools that know no exported PDUs, and for packets too large for one.

One packet is one segment (link type 101, raw IP), a larger one as many as it takes. Sequence numbers and checksums are
right, and there is no handshake: addresses and bytes were seen, headers were not.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace

from mqtttui.export.endpoints import MQTT_PORT, Address, Endpoints
from mqtttui.protocol.enums import Direction

MAX_SEGMENT = 65_495
"""Bytes: what one IPv4 packet holds behind the headers of IP and TCP."""

_TCP = 6
_TTL = 64
_DONT_FRAGMENT = 0x4000
_PSH_ACK = 0x18
_WINDOW = 0xFFFF
_FIRST_CLIENT, _FIRST_SERVER = 1_000, 5_000


def with_known_port(endpoints: Endpoints) -> Endpoints:
    """`endpoints` with the port at the broker by which Wireshark knows MQTT."""
    return replace(endpoints, server=(endpoints.server[0], MQTT_PORT))


class TcpFlow:
    """The segments of one connection, both ways, in the order in which they are asked for."""

    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints = endpoints
        self._next = {Direction.C2S: _FIRST_CLIENT, Direction.S2C: _FIRST_SERVER}
        self._identification = 0

    def frames(self, direction: Direction, raw: bytes) -> Iterator[bytes]:
        """`raw` as IP packets, at least one."""
        source, destination = self._endpoints.pair(direction)
        other = Direction.S2C if direction is Direction.C2S else Direction.C2S
        view = memoryview(raw)
        for start in range(0, max(1, len(raw)), MAX_SEGMENT):
            piece = bytes(view[start : start + MAX_SEGMENT])
            segment = _segment(source, destination, self._next[direction], self._next[other], piece)
            self._next[direction] = self._next[direction] + len(piece) & 0xFFFFFFFF
            self._identification = self._identification + 1 & 0xFFFF
            yield _packet(source, destination, segment, self._identification)


def _segment(source: Address, destination: Address, sequence: int, acknowledged: int, piece: bytes) -> bytes:
    """RFC 9293, section 3.1; the checksum covers a pseudo header (RFC 8200, section 8.1, for IPv6)."""
    head = struct.pack(">HHIIBBHHH", source[1], destination[1], sequence, acknowledged, 5 << 4, _PSH_ACK, _WINDOW, 0, 0)
    size = len(head) + len(piece)
    addresses = source[0].packed + destination[0].packed
    pseudo = addresses + (struct.pack(">BBH", 0, _TCP, size) if source[0].version == 4 else struct.pack(">II", size, _TCP))
    return head[:16] + struct.pack(">H", checksum(pseudo + head + piece)) + head[18:] + piece


def _packet(source: Address, destination: Address, segment: bytes, identification: int) -> bytes:
    addresses = source[0].packed + destination[0].packed
    if source[0].version == 6:
        return struct.pack(">IHBB", 6 << 28, len(segment), _TCP, _TTL) + addresses + segment
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(segment), identification, _DONT_FRAGMENT, _TTL, _TCP, 0) + addresses
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + segment


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071) of bytes that are not all zero."""
    if len(data) % 2:
        data += b"\0"
    # The one's complement sum of 16-bit words is the number modulo 65535.
    return -int.from_bytes(data, "big") % 0xFFFF
