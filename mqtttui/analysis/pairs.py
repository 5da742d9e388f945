"""Which packet answers which (inspector.md 5.1), found from header bytes alone.

Rules:
1. A Packet Identifier belongs to the side that chose it. PUBACK, PUBREC, PUBCOMP, SUBACK and UNSUBACK answer the other
   side's numbering; PUBREL, like PUBLISH and SUBSCRIBE, goes by its sender's own.
2. A QoS 2 flow is a chain: PUBLISH <- PUBREC <- PUBREL <- PUBCOMP, each the request of the next.
3. Of a message that was sent again, the answer belongs to the latest transmission; the first one points to it as well.
4. PINGRESP carries no id: the first answer belongs to the first open PINGREQ.
5. AUTH answers the other side's AUTH or CONNECT; success ends the exchange, and "re-authenticate" begins a new one.
6. Bounded: one entry an identifier, 1,024 open pings a connection, eight bytes a packet for links, all gone with the
   packets or the connection; of packets that repeat or displace another the latest 65,536.
"""

from __future__ import annotations

import re
from array import array
from collections import deque
from dataclasses import dataclass, field

from mqtttui.analysis.changes import Changes
from mqtttui.analysis.follower import Follower
from mqtttui.capture.log import Log, Packet, Span
from mqtttui.protocol.enums import PacketType as P
from mqtttui.protocol.peek import Buffer, body_start, packet_id, publish_id, publish_topic, reason_code, variable

_NOT_QOS0 = re.compile(rb"[^\x30\x31\x38\x39]")
_CHUNK_BITS = 16
_CHUNK = 1 << _CHUNK_BITS
_MAX_PINGS = 1_024
_MAX_DELTA = 0xFFFFFFFF
_MAX_STEPS = 8
_MAX_REPEATS = 65_536
_NO_MESSAGE = (P.SUBACK, P.UNSUBACK)
_SPARSE_COST = 150
"""Bytes of an entry in a dictionary of numbers."""
_FAILURE = 0x80
_SUCCESS, REAUTHENTICATE = 0x00, 0x19


@dataclass(frozen=True, slots=True)
class Answered:
    """Of an answer: what it answers."""

    rtt_ns: int | None = None
    """How long the answer took; of a PUBCOMP since the PUBLISH. None if the request is not kept any more."""
    topic: bytes = b""
    """Topic of the PUBLISH, or first filter of the SUBSCRIBE or UNSUBSCRIBE, that began the exchange."""


@dataclass(slots=True)
class _Open:
    """A request that waits for its answer."""

    no: int
    awaited: P
    first: int
    """Its first transmission."""


@dataclass(slots=True)
class _State:
    """What is open on one connection."""

    spaces: tuple[dict[int, _Open], dict[int, _Open]] = field(default_factory=lambda: ({}, {}))
    """Identifiers of the client and of the server."""
    connect: int = 0
    auth: list[int] = field(default_factory=lambda: [0, 0])
    """Latest AUTH (or CONNECT) of each side that waits for the other one's step."""
    pings: deque[int] = field(default_factory=lambda: deque(maxlen=_MAX_PINGS))


class Pairs(Follower):
    """Follows the log and links requests with answers."""

    def __init__(self) -> None:
        super().__init__()
        self._states: dict[int, _State] = {}
        self._requests: dict[int, array[int]] = {}
        """Number of chunk -> distance back to the request, 0 for none."""
        self._answers: dict[int, array[int]] = {}
        self._repeats: dict[int, int] = {}
        """A packet that was sent again -> its first transmission."""
        self._displaced: dict[int, int] = {}
        """A request -> the one before it with the same identifier, which nobody answered."""
        self._changes = Changes()
        self._log: Log | None = None

    # --- what it knows

    def request_of(self, no: int) -> int | None:
        """The packet that `no` answers (it may be evicted), None if it answers none."""
        delta = _get(self._requests, no)
        return no - delta if delta else None

    def answer_of(self, no: int) -> int | None:
        """The packet that answers `no`, None if there is none so far."""
        delta = _get(self._answers, no)
        return no + delta if delta else None

    def repeat_of(self, no: int) -> int | None:
        """The first transmission of what `no` transmits again, None if `no` is no repetition."""
        return self._repeats.get(no)

    def displaced_by(self, no: int) -> int | None:
        """The request whose identifier `no` took over before it was answered, None if `no` took none."""
        return self._displaced.get(no)

    def changes_since(self, position: int) -> tuple[list[int], int]:
        """The numbers of packets that got their answer since `position` (0: the start), and the position behind them."""
        return self._changes.since(position)

    def start_of(self, no: int) -> int:
        """The packet that began the exchange: of a PUBCOMP the first PUBLISH. `no` itself if it answers nothing."""
        for _ in range(_MAX_STEPS):
            request = self.request_of(no) or self._repeats.get(no)
            if request is None:
                break
            no = request
        return no

    def in_flight(self, connection: int) -> tuple[int, int]:
        """How many messages with QoS 1 or 2 the client and the server of `connection` have under way."""
        state = self._states.get(connection)
        if state is None:
            return 0, 0
        own, peer = (sum(entry.awaited not in _NO_MESSAGE for entry in space.values()) for space in state.spaces)
        return own, peer

    def rtt_ns(self, no: int) -> int | None:
        """How long answer `no` took since its request; None if it answers none or one of both is not kept."""
        request = self.request_of(no)
        return None if request is None or self._log is None else _between(self._log, request, no)

    def answered(self, no: int) -> Answered | None:
        """What answer `no` answers, for the packet list; None if it answers nothing."""
        request = self.request_of(no)
        log = self._log
        if request is None or log is None or no not in log:
            return None
        start = self.start_of(no)
        whole = log.head(no).first_byte >> 4 == P.PUBCOMP
        topic = request_topic(log[start]) if start in log else b""
        return Answered(_between(log, start if whole else request, no), topic)

    # --- following

    def read(self, log: Log, span: Span) -> None:
        """Links the packets of `span`."""
        self._log = log
        segment, start, stop = span
        for match in _NOT_QOS0.finditer(segment.first_bytes[start:stop].tobytes()):
            index = start + match.start()
            no = segment.first + index
            if segment.unframed and no in segment.unframed:
                continue
            connection = segment.connections[index]
            state = self._states.get(connection)
            if state is None:
                state = self._states[connection] = _State()
            first = segment.start(index)
            self._packet(state, no, segment.directions[index], segment.data, first, segment.ends[index])

    def settle(self, log: Log, caught_up: bool) -> None:
        """Lets go of ended connections and of links to evicted packets."""
        if caught_up:
            for number in [number for number in self._states if log.connection(number).closed is not None]:
                del self._states[number]
        gone = log.first >> _CHUNK_BITS
        for table in (self._requests, self._answers):
            for chunk in [chunk for chunk in table if chunk < gone]:
                del table[chunk]
        for rare in (self._repeats, self._displaced):
            while rare and ((oldest := next(iter(rare))) < log.first or len(rare) > _MAX_REPEATS):
                del rare[oldest]
        sparse = (len(self._repeats) + len(self._displaced)) * _SPARSE_COST
        log.report("pairs", (len(self._requests) + len(self._answers)) * _CHUNK * 4 + sparse)

    def _packet(self, state: _State, no: int, direction: int, data: bytearray, start: int, end: int) -> None:
        kind = data[start] >> 4
        own, other = state.spaces[direction], state.spaces[1 - direction]
        match kind:
            case P.PUBLISH:
                awaited = P.PUBACK if data[start] & 0x06 == 0x02 else P.PUBREC
                self._ask(own, publish_id(data, start, end), no, awaited, again=bool(data[start] & 0x08))
            case P.SUBSCRIBE:
                self._ask(own, packet_id(data, start, end), no, P.SUBACK)
            case P.UNSUBSCRIBE:
                self._ask(own, packet_id(data, start, end), no, P.UNSUBACK)
            case P.PUBACK | P.PUBCOMP | P.SUBACK | P.UNSUBACK:
                self._answer(other, packet_id(data, start, end), no, kind)
            case P.PUBREC:
                self._received(other, packet_id(data, start, end), no, reason_code(data, start, end))
            case P.PUBREL:
                identifier = packet_id(data, start, end)
                again = self._answer(own, identifier, no, kind) is None
                self._ask(own, identifier, no, P.PUBCOMP, again=again)
            case P.PINGREQ:
                state.pings.append(no)
            case P.PINGRESP:
                if state.pings:
                    self._link(state.pings.popleft(), no)
            case P.CONNECT:
                state.connect = state.auth[direction] = no
            case P.AUTH:
                self._auth(state, no, direction, _auth_reason(data, start, end))
            case P.CONNACK:
                if state.connect:
                    self._link(state.connect, no)
                state.connect = 0
                state.auth = [0, 0]
            case _:
                pass

    def _received(self, space: dict[int, _Open], identifier: int | None, no: int, reason: int) -> None:
        """PUBREC: answers the PUBLISH and, unless it refuses, waits for the PUBREL. Of a repeated one PUBREL answers the latest."""
        if identifier is None:
            return
        answered = self._answer(space, identifier, no, P.PUBREC) is not None
        before = space.get(identifier)
        if reason < _FAILURE and (before is None or before.awaited is P.PUBREL):
            self._ask(space, identifier, no, P.PUBREL, again=not answered)

    def _auth(self, state: _State, no: int, direction: int, reason: int) -> None:
        if reason == REAUTHENTICATE:
            state.auth = [0, 0]
        elif request := state.auth[1 - direction]:
            self._link(request, no)
            state.auth[1 - direction] = 0
        state.auth[direction] = 0 if reason == _SUCCESS else no

    def _ask(self, space: dict[int, _Open], identifier: int | None, no: int, awaited: P, *, again: bool = False) -> None:
        if identifier is None:
            return
        before = space.get(identifier)
        first = no
        if before is not None:
            if again and before.awaited is awaited:
                first = self._repeats[no] = before.first
            else:
                self._displaced[no] = before.first
        space[identifier] = _Open(no, awaited, first)

    def _answer(self, space: dict[int, _Open], identifier: int | None, no: int, kind: int) -> _Open | None:
        if identifier is None:
            return None
        entry = space.get(identifier)
        if entry is None or entry.awaited != kind:
            return None
        del space[identifier]
        self._link(entry.no, no)
        if entry.first != entry.no:
            _put(self._answers, entry.first, no - entry.first)
            self._changes.add(entry.first)
        return entry

    def _link(self, request: int, answer: int) -> None:
        _put(self._requests, answer, answer - request)
        _put(self._answers, request, answer - request)
        self._changes.add(request)


def _auth_reason(data: Buffer, start: int, end: int) -> int:
    at = body_start(data, start)
    return data[at] if at < end else 0


def request_topic(packet: Packet) -> bytes:
    """Topic of a PUBLISH, first filter of a SUBSCRIBE or UNSUBSCRIBE, empty for other packets or if it cannot be read."""
    raw = packet.raw
    kind = raw[0] >> 4 if raw and not packet.framing_error else 0
    if kind == P.PUBLISH:
        span = publish_topic(raw, 0, len(raw))
        topic = raw[span[0] : span[1]] if span else b""
        return topic or packet.resolved_topic or b""
    if kind not in (P.SUBSCRIBE, P.UNSUBSCRIBE):
        return b""
    at = body_start(raw, 0) + 2
    if packet.version == 5:
        length, at = variable(raw, at, len(raw))
        if length < 0:
            return b""
        at += length
    length = int.from_bytes(raw[at : at + 2], "big")
    return raw[at + 2 : at + 2 + length]


def _between(log: Log, request: int, answer: int) -> int | None:
    if request not in log or answer not in log:
        return None
    return log.head(answer).mono - log.head(request).mono


def _get(table: dict[int, array[int]], no: int) -> int:
    chunk = table.get(no >> _CHUNK_BITS)
    return chunk[no & _CHUNK - 1] if chunk is not None else 0


def _put(table: dict[int, array[int]], no: int, delta: int) -> None:
    if delta > _MAX_DELTA:
        return
    chunk = table.get(no >> _CHUNK_BITS)
    if chunk is None:
        chunk = table[no >> _CHUNK_BITS] = array("I", bytes(4 * _CHUNK))
    chunk[no & _CHUNK - 1] = delta
