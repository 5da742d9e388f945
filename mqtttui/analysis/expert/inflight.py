"""Packet Identifiers in use: the messages with QoS 1 and 2 and the requests that wait for their answer, one space a side.

Tables are in the order of the latest step, oldest first, so that what is overdue is found at the front. They are bounded by
the 65,535 identifiers. Messages outlive the connection with the session; then they are `carried` until their next packet.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum

from mqtttui.protocol.enums import Direction
from mqtttui.protocol.enums import PacketType as P

MAX_ENDED = 1_000
"""Ended messages that are remembered."""


class Stage(Enum):
    """How far a message has come."""

    SENT = "sent"
    """PUBLISH; PUBACK or PUBREC comes next."""
    RECEIVED = "received"
    """PUBREC; PUBREL comes next."""
    RELEASED = "released"
    """PUBREL; PUBCOMP comes next."""


@dataclass(slots=True)
class Flow:
    """One message on its way."""

    qos: int
    digest: int
    """Of topic and payload."""
    first: int
    """No. of its first PUBLISH."""
    step: int
    """No. of its latest packet."""
    since: int
    """Monotonic ns of that."""
    order: int
    """Place among the messages of its side."""
    answer_order: int = 0
    """Place of its PUBREC among those that its side got."""
    stage: Stage = Stage.SENT
    copies: int = 1
    """Transmissions on this connection."""
    releases: int = 0
    """PUBREL packets: each may get a PUBCOMP."""
    again: int = 0
    """No. of a repeated PUBLISH whose PUBREC was here already, until the PUBREC comes again."""
    carried: bool = False
    """From an earlier connection, and there was no packet of it on this one yet."""
    overdue: bool = False
    """It was said already that its next packet does not come."""


@dataclass(slots=True)
class Request:
    """A SUBSCRIBE or UNSUBSCRIBE that waits for its answer."""

    kind: P
    no: int
    filters: tuple[bytes, ...] | None
    """None if they could not be read."""
    qos: tuple[int, ...]
    """What was asked for, by filter; empty for UNSUBSCRIBE."""
    since: int
    overdue: bool = False


@dataclass(slots=True)
class Space:
    """The identifiers that one side gives."""

    flows: dict[int, Flow] = field(default_factory=dict)
    requests: dict[int, Request] = field(default_factory=dict)
    refused: dict[int, int] = field(default_factory=dict)
    """Identifier -> PUBREC that refused the message."""
    spare: dict[tuple[int, P], int] = field(default_factory=dict)
    """(identifier, type) -> how many more answers of that type a message that was sent several times may still get."""
    unreleased: dict[int, int] = field(default_factory=dict)
    """Identifier -> PUBREL without a message: its PUBCOMP is in order."""
    window: int = 0
    """Messages sent on this connection that count against Receive Maximum."""
    places: int = 0
    """How many places of `Flow.order` and `Flow.answer_order` were given."""

    def place(self) -> int:
        """The next place."""
        self.places += 1
        return self.places

    def start(self, identifier: int, flow: Flow) -> None:
        """A message takes `identifier`; what had it before is forgotten."""
        before = self.flows.pop(identifier, None)
        if before is None or not before.copies:
            self.window += 1
        self.flows[identifier] = flow
        self.refused.pop(identifier, None)
        self.unreleased.pop(identifier, None)
        for kind in (P.PUBACK, P.PUBREC, P.PUBCOMP):
            self.spare.pop((identifier, kind), None)

    def repeat(self, identifier: int, no: int, mono: int) -> None:
        """PUBLISH `no` sends the message `identifier` once more."""
        flow = self.flows[identifier]
        if not flow.copies:
            self.window += 1
        flow.copies += 1
        if flow.stage is Stage.RECEIVED:
            flow.again = no
        self.step(identifier, no, mono, flow.stage)

    def step(self, identifier: int, no: int, mono: int, stage: Stage) -> None:
        """Packet `no` brings the message `identifier` to `stage`."""
        flow = self.flows.pop(identifier)
        flow.stage, flow.step, flow.since = stage, no, mono
        flow.overdue = flow.carried = False
        self.flows[identifier] = flow

    def end(self, identifier: int) -> None:
        """The message `identifier` is over."""
        flow = self.flows.pop(identifier)
        if flow.copies:
            self.window -= 1
        more = ((P.PUBACK, flow.copies),) if flow.qos == 1 else ((P.PUBREC, flow.copies), (P.PUBCOMP, flow.releases))
        for kind, sent in more:
            if sent > 1 and len(self.spare) < MAX_ENDED:
                self.spare[identifier, kind] = sent - 1

    def forget(self) -> None:
        """What was under way may have ended unseen."""
        for table in (self.flows, self.requests, self.refused, self.spare, self.unreleased):
            table.clear()
        self.window = 0

    def use_spare(self, identifier: int, kind: P) -> bool:
        """Whether one more answer of type `kind` is in order; takes it."""
        left = self.spare.get((identifier, kind), 0)
        if left > 1:
            self.spare[identifier, kind] = left - 1
        elif left:
            del self.spare[identifier, kind]
        return left > 0

    def refuse(self, identifier: int, no: int) -> None:
        """PUBREC `no` refused the message `identifier`."""
        self.end(identifier)
        _remember(self.refused, identifier, no)

    def release(self, identifier: int, no: int) -> None:
        """PUBREL `no` belongs to no message that is known."""
        _remember(self.unreleased, identifier, no)

    def waiting(self, before: int) -> list[tuple[int, Flow]]:
        """Messages of this connection whose latest packet is not after `before` (monotonic ns), oldest first; overdue ones not."""
        found = []
        for identifier, flow in self.flows.items():
            if flow.since > before and not flow.carried:
                break
            if not (flow.carried or flow.overdue):
                found.append((identifier, flow))
        return found

    def carried(self) -> list[tuple[int, Flow]]:
        """Messages of earlier connections of which nothing came on this one."""
        return [(identifier, flow) for identifier, flow in self.flows.items() if flow.carried]

    def next_connection(self) -> Space:
        """What the next connection of the session begins with."""
        flows = {
            identifier: replace(flow, carried=True, copies=0, releases=0, again=0, overdue=False)
            for identifier, flow in sorted(self.flows.items(), key=lambda item: item[1].order)
        }
        return Space(flows, places=self.places)


@dataclass(slots=True)
class InFlight:
    """Both spaces of a session."""

    spaces: tuple[Space, Space] = field(default_factory=lambda: (Space(), Space()))
    """By the side that gives the identifiers."""
    uncertain: bool = False
    """There may be messages on their way that nobody saw."""

    def of(self, side: Direction) -> Space:
        """The identifiers that the sender of `side` gives."""
        return self.spaces[side]

    def carried(self) -> InFlight:
        """What the next connection of the session begins with."""
        return InFlight((self.spaces[0].next_connection(), self.spaces[1].next_connection()), self.uncertain)

    def add(self, other: InFlight) -> None:
        """Takes over what `other` has: packets that came before it was known that the session goes on."""
        for space, more in zip(self.spaces, other.spaces, strict=True):
            for identifier, flow in more.flows.items():
                space.start(identifier, flow)
            space.requests.update(more.requests)

    @property
    def size(self) -> int:
        """Bytes that it takes, roughly."""
        return sum(len(space.flows) * 250 + len(space.requests) * 400 + len(space.spare) * 150 for space in self.spaces)


def _remember(table: dict[int, int], identifier: int, no: int) -> None:
    if len(table) >= MAX_ENDED:
        del table[next(iter(table))]
    table[identifier] = no
