"""IPv4 (RFC 791) and IPv6 (RFC 8200) with extension headers and fragments: from a frame to its TCP segment."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

_TCP = 6
_HOP_BY_HOP, _ROUTING, _FRAGMENT, _AUTHENTICATION, _DESTINATION, _MOBILITY, _HIP, _SHIM6 = 0, 43, 44, 51, 60, 135, 139, 140
_EXTENSIONS = frozenset({_HOP_BY_HOP, _ROUTING, _DESTINATION, _MOBILITY, _HIP, _SHIM6})
_MAX_EXTENSIONS = 32
_MAX_DATAGRAM = 65_535
MAX_DATAGRAMS = 256
"""Unfinished ones at a time; the oldest is given up."""

_PROTOCOLS = {
    1: "ICMP packets", 2: "IGMP packets", 4: "IP-in-IP packets", 17: "UDP packets", 41: "IPv6-in-IP packets", 47: "GRE packets",
    50: "ESP packets", 58: "ICMPv6 packets", 89: "OSPF packets", 132: "SCTP packets",
}  # fmt: skip


class Datagram(NamedTuple):
    """What an IP packet carries for TCP: `data[start:end]`, and how many bytes of it are not in the file."""

    source: bytes
    destination: bytes
    data: bytes
    start: int
    end: int
    missing: int


class _Parts:
    """A fragmented datagram so far."""

    __slots__ = ("bytes", "pieces", "total")

    def __init__(self) -> None:
        self.pieces: dict[int, bytes] = {}
        self.bytes = 0
        self.total: int | None = None


class Ip:
    """Reads IP packets; keeps the fragments of those that are not whole yet."""

    def __init__(self) -> None:
        self._unfinished: OrderedDict[tuple[bytes, bytes, int, int], _Parts] = OrderedDict()
        self.given_up = 0
        """Fragmented datagrams that never became whole."""

    @property
    def unfinished(self) -> int:
        """Fragmented datagrams that wait for more."""
        return len(self._unfinished)

    def read(self, data: bytes, start: int, end: int, missing: int) -> Datagram | str | None:
        """The IP packet `data[start:end]`: its TCP part, None for a fragment, or what to call a packet without TCP.

        `missing` bytes of the frame are not in the file.
        """
        version = data[start] >> 4 if start < end else 0
        if version == 4:
            return self._read4(data, start, end, missing)
        return self._read6(data, start, end, missing) if version == 6 else "frames without IP"

    def _read4(self, data: bytes, start: int, end: int, missing: int) -> Datagram | str | None:
        header = (data[start] & 0x0F) * 4
        if header < 20 or start + header > end:
            return "packets that end inside their IP header"
        total = data[start + 2] << 8 | data[start + 3]
        # Segmentation in the network card leaves 0.
        stop = start + total if total else end + missing
        if stop < start + header:
            return "packets with a broken IP header"
        kind = data[start + 9]
        if kind != _TCP:
            return _PROTOCOLS.get(kind, "packets of other IP protocols")
        source, destination = data[start + 12 : start + 16], data[start + 16 : start + 20]
        begin = start + header
        lacking = max(0, stop - end)
        stop = min(stop, end)
        fragment = data[start + 6] << 8 | data[start + 7]
        if not fragment & 0x3FFF:
            return Datagram(source, destination, data, begin, stop, lacking)
        if lacking:
            return "fragments that are cut"
        key = (source, destination, data[start + 4] << 8 | data[start + 5], _TCP)
        return self._fragment(key, (fragment & 0x1FFF) * 8, bool(fragment & 0x2000), data[begin:stop])

    def _read6(self, data: bytes, start: int, end: int, missing: int) -> Datagram | str | None:
        at = start + 40
        if at > end:
            return "packets that end inside their IP header"
        length = data[start + 4] << 8 | data[start + 5]
        stop = at + length if length else end + missing
        lacking = max(0, stop - end)
        stop = min(stop, end)
        source, destination = data[start + 8 : start + 24], data[start + 24 : start + 40]
        kind = data[start + 6]
        for _ in range(_MAX_EXTENSIONS):
            if kind == _TCP:
                return Datagram(source, destination, data, at, stop, lacking)
            if at + 8 > stop:
                break
            if kind in _EXTENSIONS:
                kind, at = data[at], at + 8 + data[at + 1] * 8
            elif kind == _AUTHENTICATION:
                kind, at = data[at], at + 8 + data[at + 1] * 4
            elif kind == _FRAGMENT:
                place = data[at + 2] << 8 | data[at + 3]
                more, offset = bool(place & 1), place & 0xFFF8
                identification = int.from_bytes(data[at + 4 : at + 8], "big")
                kind, at = data[at], at + 8
                if not more and not offset:
                    continue
                if kind != _TCP:
                    return _PROTOCOLS.get(kind, "packets of other IP protocols")
                if lacking or at > stop:
                    return "fragments that are cut"
                return self._fragment((source, destination, identification, kind), offset, more, data[at:stop])
            else:
                return _PROTOCOLS.get(kind, "packets of other IP protocols")
            if at > stop:
                break
        return "packets that end inside their IP header"

    def _fragment(self, key: tuple[bytes, bytes, int, int], offset: int, more: bool, piece: bytes) -> Datagram | str | None:
        if offset + len(piece) > _MAX_DATAGRAM:
            return "fragments that overlap or reach too far"
        parts = self._unfinished.get(key)
        if parts is None:
            parts = self._unfinished[key] = _Parts()
            if len(self._unfinished) > MAX_DATAGRAMS:
                self._unfinished.popitem(last=False)
                self.given_up += 1
        if offset not in parts.pieces:
            parts.pieces[offset] = piece
            parts.bytes += len(piece)
        if not more:
            parts.total = offset + len(piece)
        if parts.total is None or parts.bytes < parts.total:
            return None
        del self._unfinished[key]
        whole = bytearray()
        for place, piece in sorted(parts.pieces.items()):
            if place != len(whole):
                return "fragments that overlap or reach too far"
            whole += piece
        return Datagram(key[0], key[1], bytes(whole), 0, len(whole), 0)
