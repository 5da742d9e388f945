"""TCP (RFC 9293): the segments of a capture become the two byte streams of each connection.

Theory of operation:
1. Positions are counted from where a stream begins, in plain integers; sequence numbers wrap, positions do not.
2. What is next is handed on at once. What comes early waits, bounded in bytes; what comes again is counted and left out;
   of a segment that overlaps only the new part counts.
3. A hole is given up, and said, when the receiver has long acknowledged what is missing (the capture lost it, not the
   net), when too much waits behind it, or when the connection or the file ends.
4. SYN on known ports begins another connection unless it is a repetition. A stream without SYN starts at its first segment.
"""

from __future__ import annotations

import heapq
import struct
from collections.abc import Callable

from mqtttui.capture.files.content import Budget, Content, End
from mqtttui.capture.files.detect import Guess, beginning
from mqtttui.capture.files.intake import Intake
from mqtttui.capture.files.pdu import address_text
from mqtttui.capture.recorder import Recorder
from mqtttui.capture.records import END_OF_CAPTURE

MAX_EARLY = 4 * 1024 * 1024
"""Bytes that wait behind one hole."""
MAX_ALL_EARLY = 64 * 1024 * 1024
MAX_CONNECTIONS = 20_000
"""TCP connections that are followed at a time; the oldest is let go."""
_PATIENCE_SEGMENTS, _PATIENCE_NS = 64, 1_000_000_000
_FIN, _SYN, _RST, _ACK = 1, 2, 4, 16
_HALF_SPACE, _SPACE = 1 << 31, 1 << 32
_MASK = _SPACE - 1
_HEADER = struct.Struct(">IIBB")


class Half:
    """What one side sends."""

    __slots__ = ("acknowledged", "alias_free", "direction", "early", "early_bytes", "fast", "fin", "isn", "key", "next", "number",
                 "owner", "peer", "position", "recorder", "side", "start", "waited", "waited_since")  # fmt: skip

    def __init__(self, key: bytes, side: int) -> None:
        self.key = key
        self.side = side
        self.fast = -1
        """Sequence number of a segment that needs no more than its packets to be appended; -1: none does."""
        self.isn = -1
        """Initial sequence number, -1 while it is not known."""
        self.start = -1
        self.next = -1
        self.position = 0
        """Of `next`, in bytes since the first one that is known."""
        self.fin = -1
        """Position behind the last byte, -1 while it is not known."""
        self.early: list[tuple[int, int, bytes, int]] = []
        """Heap of (position, order of arrival, bytes, bytes that are missing behind them)."""
        self.early_bytes = 0
        self.acknowledged = 0
        """Up to here the other side has it."""
        self.waited = 0
        self.waited_since = 0
        self.peer: Half
        self.owner: _Connection
        # For the fast path, in force while `fast` is not -1:
        self.number = self.direction = 0
        self.recorder: Recorder | None = None
        self.alias_free = True

    def advance(self, size: int) -> None:
        """The fast path took `size` bytes."""
        self.position += size
        self.fast = self.next = (self.next + size) & _MASK


class _Connection:
    __slots__ = ("closer", "content", "done", "halves")

    def __init__(self, content: Content, halves: tuple[Half, Half]) -> None:
        self.content = content
        self.halves = halves
        self.closer: int | None = None
        """The side that closed first."""
        self.done = False


class Tcp:
    """All TCP connections of a capture."""

    def __init__(self, intake: Intake) -> None:
        self.flows: dict[bytes, Half] = {}
        """Addresses and ports as on the wire -> what is sent that way."""
        self._intake = intake
        self._count: Callable[..., None] = intake.report.count
        self._waiting = Budget()
        self._early_bytes = 0
        self._arrivals = 0

    def segment(self, source: bytes, destination: bytes, data: bytes, at: int, end: int, missing: int) -> None:
        """The segment `data[at:end]`; `missing` bytes behind it are not in the file."""
        if at + 20 > end:
            self._count("packets that end inside their TCP header")
            return
        seq, ack, offset, flags = _HEADER.unpack_from(data, at + 4)
        begin = at + (offset >> 4) * 4
        if offset < 0x50 or begin > end:
            self._count("packets with a broken TCP header" if offset < 0x50 else "packets that end inside their TCP header")
            return
        key = source + destination + data[at : at + 4]
        back = destination + source + data[at + 2 : at + 4] + data[at : at + 2]
        if key == back:
            self._count("segments from an address to itself")
            return
        half = self.flows.get(key)
        if flags & _SYN:
            half = self._syn(half, key, back, seq, flags)
            seq = (seq + 1) & _MASK
        payload = data[begin:end]
        if half is None or (half.owner.done and beginning(payload) is Guess.CONNECT):
            half = self._open(key, back)
        owner = half.owner
        if owner.done:
            self._count("segments behind the end of their connection", 1 if payload else 0)
            return
        self._take(half, seq, payload, missing, flags)
        if flags & _ACK and half.peer.early:
            self._acknowledge(half.peer, ack)
        for one in owner.halves:
            if one.early:
                self._wait(one)
        if flags & _RST:
            self._end(owner, "the {} reset the connection (RST)", half.side)
        elif all(one.fin >= 0 and (one.position >= one.fin or owner.content.ignored) for one in owner.halves):
            self._end(owner, "the {} closed the connection (FIN)", owner.closer)
        else:
            for one in owner.halves:
                self._prepare(one)

    def finish(self) -> None:
        """The capture ends: what waits behind a hole is handed on, and all that is open is closed."""
        for half in list(self.flows.values()):
            if half.side == 0 and not half.owner.done:
                self._end(half.owner, END_OF_CAPTURE, None)
        self.flows.clear()

    # --- connections

    def _syn(self, half: Half | None, key: bytes, back: bytes, seq: int, flags: int) -> Half:
        first = not flags & _ACK
        if half is not None and not half.owner.done:
            if half.isn == seq:
                return half
            late = half.isn < 0 and (half.start < 0 or half.start == (seq + 1) & _MASK)
            if not late:
                self._end(half.owner, "its end is not in the capture: its ports were used again", None)
                half = self._open(key, back)
        else:
            half = self._open(key, back)
        half.isn = seq
        if half.next < 0:
            half.start = half.next = (seq + 1) & _MASK
        half.owner.content.opened(half.side, first=first)
        return half

    def _open(self, key: bytes, back: bytes) -> Half:
        size = len(key) // 2 - 2
        ends = (
            End(address_text(key[:size], key[-4] << 8 | key[-3]), key[-4] << 8 | key[-3]),
            End(address_text(key[size:-4], key[-2] << 8 | key[-1]), key[-2] << 8 | key[-1]),
        )
        halves = Half(key, 0), Half(back, 1)
        owner = _Connection(Content(self._intake, self._waiting, ends), halves)
        for half in halves:
            half.owner = owner
            half.peer = halves[1 - half.side]
            # Later ones at the end: the oldest are let go first.
            self.flows.pop(half.key, None)
            self.flows[half.key] = half
        if len(self.flows) > 2 * MAX_CONNECTIONS:
            oldest = next(iter(self.flows.values()))
            if not oldest.owner.done:
                self._count("connections let go because there were too many")
                self._end(oldest.owner, "let go: there were too many connections", None)
            for half in oldest.owner.halves:
                if self.flows.get(half.key) is half:
                    del self.flows[half.key]
        return halves[0]

    def _end(self, owner: _Connection, reason: str, side: int | None) -> None:
        for half in owner.halves:
            half.fast = -1
            while half.early:
                self._give_up(half)
        if side is None and reason is END_OF_CAPTURE and owner.closer is not None:
            reason, side = "the {} closed the connection (FIN)", owner.closer
        owner.done = True
        owner.content.ended(reason, side)

    # --- segments

    def _take(self, half: Half, seq: int, payload: bytes, missing: int, flags: int) -> None:
        length = len(payload) + missing
        if half.next < 0 and not (flags & _RST and not length):
            half.start = half.next = seq
        position = half.position + ((seq - half.next + _HALF_SPACE) & _MASK) - _HALF_SPACE
        if flags & _FIN and half.fin < 0:
            half.fin = position + length
            if half.owner.closer is None:
                half.owner.closer = half.side
        if not length or half.owner.content.ignored:
            return
        if position == half.position and not half.early:
            self._hand_on(half, payload, missing)
        elif position + length <= half.position:
            self._count("TCP retransmissions")
        elif position <= half.position:
            self._overlapping(half, position, payload, missing)
            self._drain(half)
        else:
            self._keep(half, position, payload, missing)

    def _hand_on(self, half: Half, payload: bytes, missing: int) -> None:
        length = len(payload) + missing
        half.position += length
        half.next = (half.next + length) & _MASK
        content = half.owner.content
        if payload:
            content.data(half.side, payload)
        if missing:
            self._count("segments that are cut")
            content.lost(half.side, missing)

    def _overlapping(self, half: Half, position: int, payload: bytes, missing: int) -> None:
        """A segment that begins at or before what is next, and reaches beyond."""
        known = half.position - position
        if known:
            self._count("TCP segments that overlap")
        if known >= len(payload):
            missing -= known - len(payload)
        self._hand_on(half, payload[known:], missing)

    def _keep(self, half: Half, position: int, payload: bytes, missing: int) -> None:
        """A segment that comes early."""
        if any(known[0] == position and len(known[2]) >= len(payload) for known in half.early[:8]):
            self._count("TCP retransmissions")
            return
        if not half.early:
            half.waited = 0
            half.waited_since = self._intake.mono
        self._arrivals += 1
        heapq.heappush(half.early, (position, self._arrivals, payload, missing))
        # An object has its price too, however short its payload.
        half.early_bytes += len(payload) + 200
        self._early_bytes += len(payload) + 200
        while half.early and (half.early_bytes > MAX_EARLY or self._early_bytes > MAX_ALL_EARLY):
            self._give_up(half)

    def _drain(self, half: Half) -> None:
        """Hands on what has waited and is next now."""
        while half.early and half.early[0][0] <= half.position:
            position, _, payload, missing = heapq.heappop(half.early)
            half.early_bytes -= len(payload) + 200
            self._early_bytes -= len(payload) + 200
            if position + len(payload) + missing > half.position:
                self._overlapping(half, position, payload, missing)
            else:
                self._count("TCP retransmissions")

    def _give_up(self, half: Half) -> None:
        """The bytes before the earliest segment that waits are not in the capture."""
        count = half.early[0][0] - half.position
        half.position += count
        half.next = (half.next + count) & _MASK
        half.waited = 0
        half.waited_since = self._intake.mono
        self._count("holes in TCP streams")
        half.owner.content.lost(half.side, count)
        self._drain(half)

    def _acknowledge(self, half: Half, ack: int) -> None:
        position = half.position + ((ack - half.next + _HALF_SPACE) & _MASK) - _HALF_SPACE
        half.acknowledged = max(half.acknowledged, position)

    def _wait(self, half: Half) -> None:
        """Gives up a hole that the receiver does not have, after a while: some captures swap a few packets."""
        if half.acknowledged < half.early[0][0]:
            return
        half.waited += 1
        if half.waited > _PATIENCE_SEGMENTS or self._intake.mono - half.waited_since > _PATIENCE_NS:
            self._give_up(half)

    def _prepare(self, half: Half) -> None:
        """Says whether the fast path may take the next segment."""
        content = half.owner.content
        mqtt = content.mqtt
        if mqtt is None or half.early or half.fin >= 0 or not content.ready(half.side):
            half.fast = -1
            return
        half.fast = half.next
        half.number = mqtt.number
        half.direction = int(content.direction(half.side))
        half.recorder = mqtt.recorder
        half.alias_free = not mqtt.aliases_possible
