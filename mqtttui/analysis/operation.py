"""Operations as values: what was asked, what came of it, and how long each step took."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from mqtttui.analysis.pairs import request_topic
from mqtttui.capture.log import Log
from mqtttui.capture.records import Packet
from mqtttui.protocol.enums import Direction, Version
from mqtttui.protocol.enums import PacketType as P
from mqtttui.protocol.packets import Connect, Subscribe, Unsubscribe
from mqtttui.protocol.parse import parse
from mqtttui.protocol.peek import Buffer, body_start, variable

FAILURE = 0x80
"""Reason codes from here on say that it failed."""


class OpKind(Enum):
    """What is asked for; the values are words for people."""

    CONNECT = "connect"
    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"
    PUBLISH = "publish"
    PING = "ping"
    AUTH = "authenticate"
    REQUEST = "request"
    """A message with a Response Topic; done with its acknowledgements and the first response."""


class OpState(Enum):
    """How far an operation has come."""

    OPEN = "open"
    DONE = "done"
    FAILED = "failed"
    """Refused (by a reason code, for one filter at least), or never answered: the connection ended, the identifier was used anew."""


class Leg(NamedTuple):
    """One packet of an operation."""

    no: int
    label: str
    """`PUBACK`, `PUBLISH again`, `response`."""
    ns: int | None
    """Time since the packet before it, 0 for the first; None if one of both is not kept any more."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. Times in ns."""

    start: int
    """No. of the packet that began it: its number."""
    kind: OpKind
    topic: bytes
    """Topic of a message, first filter of a SUBSCRIBE or UNSUBSCRIBE, client id of a CONNECT; may be empty."""
    state: OpState
    reason: int | None
    """Reason or return code of the answer that decided; None without one."""
    total_ns: int | None
    """From the first transmission to the last packet; None while open and if unknown."""
    legs: tuple[Leg, ...]
    """All packets, repeated transmissions too: the time of an acknowledgement runs from the latest of them."""
    age_ns: int | None
    """How long it has been open; None unless it is."""
    connection: int
    direction: Direction
    """Of the packet that began it."""
    qos: int | None
    """Of a message, else None; None too of one whose PUBLISH is not kept."""
    filters: int
    """How many topic filters a SUBSCRIBE or UNSUBSCRIBE names, else 0."""


class InFlight(NamedTuple):
    """Messages with QoS 1 and 2 that are under way, and topic aliases in use. None: the version has no such limit, or it is unknown."""

    own: int
    """From the client."""
    own_limit: int | None
    """Receive Maximum of the server."""
    peer: int
    """From the server."""
    peer_limit: int | None
    own_aliases: int
    own_alias_limit: int | None
    """Topic Alias Maximum of the server."""
    peer_aliases: int
    peer_alias_limit: int | None


KINDS = {
    P.CONNECT: OpKind.CONNECT,
    P.SUBSCRIBE: OpKind.SUBSCRIBE,
    P.UNSUBSCRIBE: OpKind.UNSUBSCRIBE,
    P.PUBLISH: OpKind.PUBLISH,
    P.PUBREL: OpKind.PUBLISH,
    P.PINGREQ: OpKind.PING,
    P.AUTH: OpKind.AUTH,
}
"""Packet that begins an operation -> its kind. A PUBREL begins one after a resumed session."""


def deciding_reason(data: Buffer, start: int, end: int, v5: bool) -> int:
    """The code of the answer `data[start:end]` that decides: of several the first that refuses, else the first; 0 if left out."""
    kind = data[start] >> 4
    at = body_start(data, start)
    match kind:
        case P.CONNACK:
            return data[at + 1] if at + 1 < end else 0
        case P.SUBACK | P.UNSUBACK:
            at += 2
            if v5:
                length, at = variable(data, at, end)
                at += max(0, length)
            codes = data[at:end]
            return next((code for code in codes if code >= FAILURE), codes[0] if codes else 0)
        case P.PUBACK | P.PUBREC | P.PUBREL | P.PUBCOMP:
            return data[at + 2] if at + 2 < end else 0
        case P.AUTH | P.DISCONNECT:
            return data[at] if at < end else 0
        case _:
            return 0


def refuses(kind: int, reason: int) -> bool:
    """Whether a packet of this kind with this deciding reason refuses. The return codes of MQTT 3's CONNACK count from 1."""
    return reason >= (1 if kind == P.CONNACK else FAILURE)


def is_final(kind: int, reason: int) -> bool:
    """Whether a packet of this kind with this deciding reason ends an operation that does not wait for a response."""
    return kind in _FINAL or (kind == P.PUBREC and reason >= FAILURE)


_FINAL = frozenset((P.CONNACK, P.PUBACK, P.PUBCOMP, P.SUBACK, P.UNSUBACK, P.PINGRESP))
_WITH_CODE = _FINAL - {P.PINGRESP} | {P.AUTH, P.DISCONNECT}


@dataclass(slots=True)
class Course:
    """An operation while it goes on."""

    start: int
    kind: OpKind
    connection: int
    direction: int
    mono: int
    legs: list[int]
    """Its packets, the first one too."""
    acknowledged: bool = False
    """Nothing but the response is waited for."""
    response: int = 0
    """No. of the response."""
    unusual: bool = False
    """Its packets are not what following the links from the first one gives."""


def describe(log: Log | None, course: Course, state: OpState, age_ns: int | None = None) -> Operation:
    """`course` as a value, from what `log` has kept of it."""
    first, *later = sorted(course.legs)
    kept = log is not None and first in log
    legs = [Leg(first, P(log.head(first).first_byte >> 4).name if log is not None and kept else "", 0)]
    reason: int | None = None
    before: int | None = course.mono
    seen = {legs[0].label}
    for no in later:
        packet = log[no] if log is not None and no in log else None
        mono = packet.mono if packet else None
        took = None if before is None or mono is None else mono - before
        before = mono
        if no == course.response or packet is None:
            legs.append(Leg(no, "response" if packet else "", took))
            continue
        kind = P(packet.raw[0] >> 4)
        code = deciding_reason(packet.raw, 0, len(packet.raw), packet.version is Version.V5)
        if kind in _WITH_CODE or (kind is P.PUBREC and code >= FAILURE):
            reason = code
        again = kind.name in seen and kind is not P.AUTH
        legs.append(Leg(no, f"{kind.name} again" if again else kind.name, took))
        seen.add(kind.name)
    topic, qos, filters = _asked(log[first]) if log is not None and kept else (b"", None, 0)
    total = before - course.mono if later and before is not None and state is not OpState.OPEN else None
    direction = Direction(course.direction)
    return Operation(
        course.start, course.kind, topic, state, reason, total, tuple(legs), age_ns, course.connection, direction, qos, filters
    )


def _asked(packet: Packet) -> tuple[bytes, int | None, int]:
    """Topic, QoS and number of filters of the packet that begins an operation."""
    kind = packet.raw[0] >> 4
    if kind == P.PUBLISH:
        return request_topic(packet), packet.raw[0] >> 1 & 3, 0
    if kind not in (P.CONNECT, P.SUBSCRIBE, P.UNSUBSCRIBE):
        return b"", None, 0
    match parse(packet.raw, packet.version):
        case Connect(client_id=name):
            return name.encode() if isinstance(name, str) else name, None, 0
        case Subscribe(requests=asked):
            return request_topic(packet), None, len(asked)
        case Unsubscribe(filters=asked):
            return request_topic(packet), None, len(asked)
        case _:
            return request_topic(packet), None, 0
