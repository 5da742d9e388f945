"""Follows the log behind pairs and operations, and measures: round trips, pings, silence against the keep-alive, rates.

Rules:
1. All is kept for each peer, and for each of the latest connections; those that ended go first. What is evicted later stays counted.
2. Only answers are looked at one by one; of all other packets runs with the same time, direction and connection.
3. Bounded: 32 connections and 64 peers, histograms of a fixed size, 120 pings a connection.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from mqtttui.analysis import histogram, rates
from mqtttui.analysis.check_statistics import Summary
from mqtttui.analysis.follower import BUDGET, Follower
from mqtttui.analysis.histogram import Histogram
from mqtttui.analysis.operations import Operations
from mqtttui.analysis.pairs import Pairs
from mqtttui.analysis.rates import Flow
from mqtttui.analysis.trips import Took, Trip, response_trip, trips_of
from mqtttui.capture.log import Log, Span
from mqtttui.protocol.enums import Direction, PropertyId
from mqtttui.protocol.enums import PacketType as P
from mqtttui.protocol.packets import Connack, Connect
from mqtttui.protocol.parse import parse

MAX_CONNECTIONS = 32
MAX_PEERS = 64
PINGS = 120
_SECOND = 1_000_000_000
_ANSWER = re.compile(rb"[\x10-\x2f\x40-\x7f\x90-\x9f\xb0-\xbf\xd0-\xdf\xf0-\xff]")
"""First bytes of CONNECT, and of all that may be an answer."""


class Ping(NamedTuple):
    """One answered ping of the client."""

    mono: int
    ns: int


class Times:
    """Round trips by what they are and who waited."""

    __slots__ = ("_slowest", "_trips")

    def __init__(self) -> None:
        self._trips: dict[tuple[Trip, Direction], Histogram] = {}
        self._slowest: dict[tuple[Trip, Direction], int] = {}

    def add(self, took: Took, no: int) -> None:
        """One more, which packet `no` ended."""
        key = (took.trip, took.waited)
        times = self._trips.get(key)
        if times is None:
            times = self._trips[key] = Histogram()
        if not times.count or took.ns > times.maximum:
            self._slowest[key] = no
        times.add(took.ns)

    def slowest(self, trip: Trip, waited: Direction) -> int | None:
        """No. of the packet that ended the slowest; None if there is none."""
        return self._slowest.get((trip, waited))

    def summaries(self) -> Mapping[tuple[Trip, Direction], Summary]:
        """What there is to say of each, in the order of the table: first what the client waited for."""
        keys = [(trip, waited) for waited in (Direction.C2S, Direction.S2C) for trip in Trip]
        return {key: summary for key in keys if (times := self._trips.get(key)) and (summary := times.summary())}

    @property
    def cost(self) -> int:
        """Bytes."""
        return len(self._trips) * histogram.SIZE


class KeepAlive(NamedTuple):
    """How the client of a connection stands against the keep-alive in force [MQTT-3.1.2-22]. Times in ns."""

    seconds: int
    """0: none."""
    silent: int
    """Since its latest packet."""
    longest: int
    """The longest silence so far, the present one too."""

    @property
    def left(self) -> int:
        """Until the broker may cut the connection, one and a half keep-alives after the latest packet; below 0 it may already."""
        return self.seconds * _SECOND * 3 // 2 - self.silent

    @property
    def margin(self) -> int:
        """By how much the longest silence stayed below the keep-alive; below 0 it was broken."""
        return self.seconds * _SECOND - self.longest


@dataclass(slots=True)
class _Connection:
    """One connection."""

    times: Times = field(default_factory=Times)
    pings: deque[Ping] = field(default_factory=lambda: deque(maxlen=PINGS))
    keep_alive: int | None = None
    """Seconds in force; None before CONNECT."""
    last_out: int | None = None
    longest: int = 0
    closed: int | None = None


@dataclass(slots=True)
class _Peer:
    """All connections of a peer."""

    times: Times = field(default_factory=Times)
    flows: tuple[Flow, Flow] = field(default_factory=lambda: (Flow(), Flow()))


class Timing(Follower):
    """See the module."""

    def __init__(self, pairs: Pairs, operations: Operations) -> None:
        super().__init__()
        self._pairs = pairs
        self._operations = operations
        self._log: Log | None = None
        self._connections: dict[int, _Connection] = {}
        self._peers: dict[str, _Peer] = {}
        self._heard = 0

    # --- what it knows

    def times(self, peer: str, connection: int | None = None) -> Times:
        """The round trips of all connections of a peer, or of one connection."""
        held: _Peer | _Connection | None = self._peers.get(peer) if connection is None else self._connections.get(connection)
        return held.times if held is not None else Times()

    def pings(self, connection: int) -> Sequence[Ping]:
        """The latest pings of the client of a connection, the oldest first."""
        held = self._connections.get(connection)
        return tuple(held.pings) if held is not None else ()

    def keep_alive(self, connection: int, now: int) -> KeepAlive | None:
        """How the client stands at `now` (monotonic ns), at the end of a connection that has ended; None if it sent no CONNECT."""
        held = self._connections.get(connection)
        if held is None or held.keep_alive is None or held.last_out is None:
            return None
        silent = max(0, (now if held.closed is None else held.closed) - held.last_out)
        return KeepAlive(held.keep_alive, silent, max(held.longest, silent))

    def flow(self, peer: str, direction: Direction) -> Flow:
        """What the peer's connections carried in one direction."""
        held = self._peers.get(peer)
        return held.flows[direction] if held is not None else Flow()

    # --- following

    def advance(self, log: Log, budget: int = BUDGET) -> bool:
        """Reads at most `budget` packets, none that `operations` has not read. True when it has caught up."""
        begin = max(self.position, log.first - 1)
        return super().advance(log, max(0, min(budget, self._operations.position - begin)))

    def read(self, log: Log, span: Span) -> None:
        """Measures what the packets of `span` answer, and counts them."""
        self._log = log
        segment, start, stop = span
        for match in _ANSWER.finditer(segment.first_bytes[start:stop].tobytes()):
            index = start + match.start()
            no = segment.first + index
            if segment.unframed and no in segment.unframed:
                continue
            kind, number, mono = segment.first_bytes[index] >> 4, segment.connections[index], segment.monos[index]
            if kind in (P.CONNECT, P.CONNACK):
                self._learn(log, no, number)
            for took in trips_of(log, self._pairs, no, kind, mono):
                self._took(log, number, took, no)
        started, self._heard = self._operations.responses_since(self._heard)
        for request in started:
            response = self._operations.response_of(request)
            took_all = response_trip(log, request, response)
            if took_all is not None and response is not None:
                self._took(log, log.head(request).connection, took_all, response)
        self._count(log, span)

    def settle(self, log: Log, caught_up: bool) -> None:
        """Notes which connections have ended, and tells the log how much is remembered."""
        for number, held in self._connections.items():
            if caught_up and held.closed is None:
                held.closed = log.connection(number).closed
        while len(self._connections) > MAX_CONNECTIONS:
            ended = (number for number, held in self._connections.items() if held.closed is not None)
            del self._connections[next(ended, next(iter(self._connections)))]
        while len(self._peers) > MAX_PEERS:
            del self._peers[next(iter(self._peers))]
        kept = [*(held.times for held in self._connections.values()), *(held.times for held in self._peers.values())]
        log.report("timing", sum(times.cost for times in kept) + len(self._peers) * 2 * rates.SIZE)

    def _count(self, log: Log, span: Span) -> None:
        segment, start, stop = span
        monos, directions, connections, ends = segment.monos, segment.directions, segment.connections, segment.ends
        while start < stop:
            mono, direction, number = monos[start], directions[start], connections[start]
            run = start + 1
            if run < stop and monos[run] == mono:
                run = stop if monos[stop - 1] == mono else min(stop, bisect_right(monos, mono, start, stop))
                run = start + min(_same(directions, start, run), _same(connections, start, run))
            self._peer(log, number).flows[direction].add(mono, run - start, ends[run - 1] - segment.start(start))
            if direction == Direction.C2S:
                held = self._connection(number)
                if held.last_out is not None:
                    held.longest = max(held.longest, mono - held.last_out)
                held.last_out = mono
            start = run

    def _learn(self, log: Log, no: int, number: int) -> None:
        """CONNECT asks for a keep-alive, CONNACK may set another one."""
        packet = log[no]
        value = parse(packet.raw, packet.version)
        held = self._connection(number)
        if isinstance(value, Connect):
            held.keep_alive = value.keep_alive
        elif isinstance(value, Connack):
            given = next((item.value for item in value.properties if item.id == PropertyId.SERVER_KEEP_ALIVE), None)
            held.keep_alive = given if isinstance(given, int) else held.keep_alive

    def _took(self, log: Log, number: int, took: Took, no: int) -> None:
        held = self._connection(number)
        held.times.add(took, no)
        self._peer(log, number).times.add(took, no)
        if took.trip is Trip.PING and took.waited is Direction.C2S:
            held.pings.append(Ping(log.head(no).mono, took.ns))

    def _connection(self, number: int) -> _Connection:
        held = self._connections.get(number)
        if held is None:
            held = self._connections[number] = _Connection()
        return held

    def _peer(self, log: Log, number: int) -> _Peer:
        name = log.connection(number).peer
        held = self._peers.get(name)
        if held is None:
            held = self._peers[name] = _Peer()
        return held


def _same(column: array[int], start: int, stop: int) -> int:
    """How many values from `start` on are the same."""
    part = column[start:stop]
    if part.count(part[0]) == len(part):
        return len(part)
    return next(at for at, value in enumerate(part) if value != part[0])
