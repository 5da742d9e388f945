"""Operations: what was asked and what came of it, one for each request (inspector.md 5.1).

Theory of operation:
1. `Pairs` says who answers whom, so operations follow behind it and look only at packets that it looks at.
2. An operation is known by the No. of the packet that began it. Open ones are objects. Of one that went its plain way only
   that number stays: kind, packets and outcome are read from the log and the links when somebody asks.
3. Operations that failed, that had more packets than the plain way (repeated transmissions, AUTH steps, a response), or
   whose first packet is gone by the time they end are remembered as they were.
4. Bounded: open, failed and remembered ones have a cap, the oldest go first; the others go with their packets.
"""

from __future__ import annotations

import re
from array import array
from dataclasses import replace
from itertools import islice

from mqtttui.analysis import requests
from mqtttui.analysis.allowances import Allowances
from mqtttui.analysis.changes import Changes
from mqtttui.analysis.follower import BUDGET, Follower
from mqtttui.analysis.operation import (
    KINDS,
    Course,
    InFlight,
    Operation,
    OpKind,
    OpState,
    deciding_reason,
    describe,
    is_final,
    refuses,
)
from mqtttui.analysis.pairs import REAUTHENTICATE, Pairs
from mqtttui.analysis.requests import Request, Waiting
from mqtttui.capture.log import Log, Span
from mqtttui.capture.segment import Segment
from mqtttui.protocol.enums import Direction, Version
from mqtttui.protocol.enums import PacketType as P
from mqtttui.protocol.peek import packet_id, publish_id

MAX_OPEN = 100_000
MAX_REMEMBERED = 10_000
"""Failed and unusual operations; smaller with a small limit of the log."""
_COST = 600
"""Bytes of an open or remembered operation."""
_ASKED = 256
_NOT_QOS0 = re.compile(rb"[^\x30\x31\x38\x39]")
_ASKING = (P.PUBLISH, P.SUBSCRIBE, P.UNSUBSCRIBE, P.PINGREQ, P.CONNECT)


class Operations(Follower):
    """Follows the log behind `pairs`."""

    def __init__(self, pairs: Pairs) -> None:
        super().__init__()
        self.total = 0
        """Operations seen so far."""
        self._pairs = pairs
        self._log: Log | None = None
        self._open: dict[int, Course] = {}
        self._of_leg: dict[int, int] = {}
        """Later packets of open operations -> their start."""
        self._exchange: dict[int, int] = {}
        """Connection -> start of its open CONNECT or AUTH exchange."""
        self._closed = array("Q")
        """Starts in the order in which they ended."""
        self._failed = array("Q")
        self._trimmed = 1
        """The log's first No. when what is gone was let go of last."""
        self._remembered: dict[int, Operation] = {}
        self._asked: dict[int, Operation | None] = {}
        """Some that were asked for lately and went their plain way: it is asked of each of their packets in turn."""
        self._remembered_legs: dict[int, int] = {}
        """Packets of remembered operations that their links do not lead to -> their start."""
        self._waiting = Waiting()
        self._allowances: dict[int, Allowances] = {}
        self._changes = Changes()
        self._responses = Changes()

    # --- what it knows

    @property
    def count(self) -> int:
        """How many can be listed."""
        return len(self._open) + len(self._closed)

    @property
    def open_count(self) -> int:
        """How many are open."""
        return len(self._open)

    @property
    def failed_count(self) -> int:
        """How many failed, of those that can be listed."""
        return len(self._failed)

    def rows(self, which: str, start: int, count: int) -> list[int]:
        """Starts of the rows from `start`; `which` is `all` (open ones first), `open` or `failed`. Newest first."""
        if which == "failed":
            return self._failed[::-1][start : start + count].tolist()
        found = list(islice(reversed(self._open), start, start + count))
        if which == "all" and len(found) < count:
            stop = len(self._closed) - max(0, start - len(self._open))
            found += reversed(self._closed[max(0, stop - count + len(found)) : max(0, stop)])
        return found

    def of(self, no: int) -> int | None:
        """The operation to which packet `no` belongs: its own if it begins one. None if it belongs to none."""
        if no in self._open or no in self._remembered:
            return no
        start = self._of_leg.get(no) or self._remembered_legs.get(no)
        if start is not None:
            return start
        start = self._pairs.start_of(no)
        start = self._of_leg.get(start) or self._remembered_legs.get(start) or start
        return start if start in self._open or start in self._remembered or self._plain(start) else None

    def operation(self, start: int, now: int) -> Operation | None:
        """The operation that packet `start` began, at `now` (monotonic ns); None if it began none, or nothing of it is left."""
        if known := self._remembered.get(start):
            return known
        if pending := self._open.get(start):
            return describe(self._log, pending, OpState.OPEN, max(0, now - pending.mono))
        if start not in self._asked and self._plain(start):
            if len(self._asked) >= _ASKED:
                self._asked.clear()
            self._asked[start] = self._ended(start)
        return self._asked.get(start)

    def packets(self, start: int) -> list[int]:
        """The packets so far of the open operation that `start` began; none if it is not open."""
        pending = self._open.get(start)
        return [] if pending is None else sorted(pending.legs)

    def request_of(self, no: int) -> int | None:
        """The message to which PUBLISH `no` is the response (MQTT 5), None if it is none."""
        start = self._of_leg.get(no) or self._remembered_legs.get(no)
        return start if start is not None and self.response_of(start) == no else None

    def response_of(self, start: int) -> int | None:
        """The first response to message `start` (MQTT 5), None if there is none so far."""
        if pending := self._open.get(start):
            return pending.response or None
        known = self._remembered.get(start)
        return next((leg.no for leg in known.legs if leg.label == "response"), None) if known else None

    def in_flight(self, connection: int) -> InFlight:
        """Messages and aliases in use on `connection`, with what the other side allows."""
        own, peer = self._pairs.in_flight(connection)
        allowed = self._allowances.get(connection, Allowances())
        own_aliases, peer_aliases = (0, 0) if self._log is None else self._log.bound_aliases(connection)
        (own_limit, peer_limit), (own_alias_limit, peer_alias_limit) = allowed.receive_maximum, allowed.alias_maximum
        return InFlight(own, own_limit, peer, peer_limit, own_aliases, own_alias_limit, peer_aliases, peer_alias_limit)

    def changes_since(self, position: int) -> tuple[list[int], int]:
        """Packets whose operation changed since `position` (0: the start), and the position behind them."""
        return self._changes.since(position)

    def responses_since(self, position: int) -> tuple[list[int], int]:
        """The messages that got their response since `position` (0: the start), and the position behind them."""
        return self._responses.since(position)

    # --- following

    def advance(self, log: Log, budget: int = BUDGET) -> bool:
        """Reads at most `budget` packets, none that `pairs` has not read. True when it has caught up."""
        begin = max(self.position, log.first - 1)
        return super().advance(log, max(0, min(budget, self._pairs.position - begin)))

    def read(self, log: Log, span: Span) -> None:
        """Opens, carries on and closes operations with the packets of `span`."""
        self._log = log
        segment, start, stop = span
        asking = {request.no: request for request in requests.requests(log, span)}
        for request in asking.values():
            if not segment.first_bytes[request.no - segment.first] & 0x06:
                self._begin(segment, request.no - segment.first, OpKind.REQUEST).acknowledged = True
        for match in _NOT_QOS0.finditer(segment.first_bytes[start:stop].tobytes()):
            index = start + match.start()
            if not (segment.unframed and segment.first + index in segment.unframed):
                self._packet(log, segment, index, asking)
        for request in asking.values():
            self._wait(request)
        for no, found in self._waiting.responses(log, span):
            for request_no in found:
                self._respond(request_no, no)

    def settle(self, log: Log, caught_up: bool) -> None:
        """Gives up what is open on ended connections, and lets go of what is gone."""
        if caught_up and (ended := {item.connection for item in self._open.values() if log.connection(item.connection).closed is not None}):
            for item in [item for item in self._open.values() if item.connection in ended]:
                self._close(item, None)
        for number in [number for number in self._allowances if log.connection(number).closed is not None] if caught_up else ():
            self._allowances.pop(number, None)
            self._exchange.pop(number, None)
        most = max(64, min(MAX_REMEMBERED, log.limit // 16 // _COST))
        while len(self._open) > min(MAX_OPEN, 4 * most):
            self._close(next(iter(self._open.values())), None)
        while len(self._remembered) > most:
            gone = self._remembered.pop(next(iter(self._remembered)))
            for leg in gone.legs:
                self._remembered_legs.pop(leg.no, None)
        self._trim(log, most)
        log.report("operations", (len(self._open) + len(self._remembered)) * _COST + len(self._closed) * 8)

    def _trim(self, log: Log, most: int) -> None:
        if log.first != self._trimmed:
            self._trimmed = log.first
            for table in (self._closed, self._failed):
                gone = next((index for index, no in enumerate(table) if no >= log.first), len(table))
                table[:gone] = array("Q", [no for no in table[:gone] if no in self._remembered])
        del self._failed[: max(0, len(self._failed) - 8 * most)]

    # --- opening

    def _packet(self, log: Log, segment: Segment, index: int, asking: dict[int, Request]) -> None:
        data, begin, end, no = segment.data, segment.start(index), segment.ends[index], segment.first + index
        kind = data[begin] >> 4
        displaced = self._pairs.displaced_by(no)
        if displaced is not None and (old := self._open.get(self._of_leg.get(displaced, displaced))):
            self._close(old, None)
        if kind in _ASKING:
            self._ask(log, segment, index, kind, asking)
            return
        request = self._pairs.request_of(no)
        reason = deciding_reason(data, begin, end, log.version(segment.connections[index], no) is Version.V5)
        if kind in (P.AUTH, P.CONNACK, P.DISCONNECT):
            self._exchanged(log, segment, index, kind, reason)
        elif request is not None:
            operation = self._open.get(self._of_leg.get(request, request))
            if operation is not None:
                self._add(operation, no)
                if is_final(kind, reason):
                    self._acknowledge(operation, no, refused=refuses(kind, reason))
        elif (first := self._pairs.repeat_of(no)) is not None:
            self._again(first, no)
        elif kind == P.PUBREL and packet_id(data, begin, end) is not None:
            self._begin(segment, index, OpKind.PUBLISH)

    def _ask(self, log: Log, segment: Segment, index: int, kind: int, asking: dict[int, Request]) -> None:
        data, begin, end, no = segment.data, segment.start(index), segment.ends[index], segment.first + index
        if kind == P.PUBLISH and publish_id(data, begin, end) is None:
            return
        if kind in (P.SUBSCRIBE, P.UNSUBSCRIBE) and packet_id(data, begin, end) is None:
            return
        first = self._pairs.repeat_of(no)
        if first is not None and self._again(first, no):
            return
        self._begin(segment, index, OpKind.REQUEST if no in asking else KINDS[P(kind)])
        if kind == P.CONNECT:
            self._start_exchange(segment.connections[index], no)
            self._learn(log, no)

    def _begin(self, segment: Segment, index: int, kind: OpKind) -> Course:
        no = segment.first + index
        self.total += 1
        opened = Course(no, kind, segment.connections[index], segment.directions[index], segment.monos[index], [no])
        self._open[no] = opened
        return opened

    def _again(self, first: int, no: int) -> bool:
        operation = self._open.get(self._of_leg.get(first, first))
        if operation is None:
            return False
        operation.unusual = True
        self._add(operation, no)
        return True

    def _add(self, operation: Course, no: int) -> None:
        operation.legs.append(no)
        self._of_leg[no] = operation.start

    # --- login and AUTH

    def _start_exchange(self, connection: int, no: int) -> None:
        before = self._open.get(self._exchange.get(connection, 0))
        self._exchange[connection] = no
        if before is not None:
            self._close(before, None)

    def _exchanged(self, log: Log, segment: Segment, index: int, kind: int, reason: int) -> None:
        """AUTH, CONNACK, or a DISCONNECT in place of the answer."""
        connection, direction, no = segment.connections[index], segment.directions[index], segment.first + index
        current = self._open.get(self._exchange.get(connection, 0))
        if kind == P.CONNACK:
            self._learn(log, no)
        if kind == P.AUTH and (current is None or reason == REAUTHENTICATE):
            self._begin(segment, index, OpKind.AUTH).unusual = True
            self._start_exchange(connection, no)
            return
        if current is None or (kind == P.DISCONNECT and (current.kind is not OpKind.AUTH or direction != Direction.S2C)):
            return
        self._add(current, no)
        current.unusual |= kind != P.CONNACK
        ended = kind != P.AUTH or (current.kind is OpKind.AUTH and direction == Direction.S2C and reason == 0)
        if ended:
            del self._exchange[connection]
            self._close(current, no, refused=kind == P.DISCONNECT or refuses(kind, reason))

    def _learn(self, log: Log, no: int) -> None:
        packet = log[no]
        self._allowances.setdefault(packet.connection, Allowances()).learn(packet)

    # --- request and response

    def _wait(self, request: Request) -> None:
        operation = self._open.get(request.no)
        if operation is None or operation.kind is not OpKind.REQUEST:
            return
        given_up = self._waiting.add(request)
        if given_up is not None and (old := self._open.get(given_up.no)):
            # Nothing is wrong with a request whose response goes elsewhere: it counts as the message that it is.
            old.kind = OpKind.PUBLISH
            if len(old.legs) == 1 and old.acknowledged:
                del self._open[old.start]
            elif old.acknowledged:
                self._close(old, old.legs[-1])

    def _respond(self, request: int, no: int) -> None:
        operation = self._open.get(request)
        if operation is None:
            return
        self._add(operation, no)
        operation.unusual = True
        operation.response = no
        self._changes.extend((*operation.legs[:-1], no))
        self._responses.add(request)
        if operation.acknowledged:
            self._close(operation, no)

    # --- closing

    def _acknowledge(self, operation: Course, no: int, *, refused: bool) -> None:
        if refused or operation.kind is not OpKind.REQUEST or operation.response:
            self._close(operation, no, refused=refused)
        else:
            operation.acknowledged = True

    def _close(self, operation: Course, last: int | None, *, refused: bool = False) -> None:
        """It ends with packet `last`, or with None for ever unanswered."""
        log = self._log
        start, legs = operation.start, operation.legs
        legs.sort()
        self._open.pop(start, None)
        self._waiting.drop(start)
        for leg in legs:
            self._of_leg.pop(leg, None)
        self._changes.extend(legs)
        self._closed.append(start)
        state = OpState.FAILED if refused or last is None else OpState.DONE
        if state is OpState.FAILED:
            self._failed.append(start)
        unusual = operation.unusual or operation.kind is OpKind.REQUEST or (log is not None and start not in log)
        if state is OpState.FAILED or unusual:
            self._remembered[start] = describe(log, operation, state)
            self._remembered_legs.update((leg, start) for leg in legs if leg != start)

    # --- values

    def _plain(self, start: int) -> bool:
        """Whether kept packet `start` began an operation that is over and went its plain way."""
        log = self._log
        if log is None or not log.first <= start <= self.position:
            return False
        head = log.head(start)
        kind = head.first_byte >> 4
        if kind == P.PUBREL:
            return self._pairs.request_of(start) is None and self._pairs.answer_of(start) is not None
        if kind not in _ASKING or (kind == P.PUBLISH and not head.first_byte & 0x06):
            return False
        return self._pairs.answer_of(start) is not None

    def _ended(self, start: int) -> Operation | None:
        log = self._log
        if log is None:
            return None
        legs = [start]
        while len(legs) < 4 and (answer := self._pairs.answer_of(legs[-1])) is not None:
            legs.append(answer)
        head = log.head(start)
        course = Course(start, KINDS[P(head.first_byte >> 4)], head.connection, head.direction, head.mono, legs)
        value = describe(log, course, OpState.DONE)
        last = log.head(legs[-1]).first_byte >> 4
        return replace(value, state=OpState.FAILED) if value.reason is not None and refuses(last, value.reason) else value
