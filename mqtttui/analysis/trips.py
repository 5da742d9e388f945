"""Round trips: of each answer what it answers, and how long it took (inspector.md 5.1).

Who waits is who sent what is answered. What the client waits for takes as long as network and broker; what the broker waits
for takes as long as this client, so that a slow one is told from a slow network.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from mqtttui.analysis.pairs import Pairs
from mqtttui.capture.log import Log
from mqtttui.protocol.enums import Direction
from mqtttui.protocol.enums import PacketType as P


class Trip(Enum):
    """What is asked and what answers; the values are words for people."""

    CONNECT = "CONNECT → CONNACK"
    AUTH = "step of AUTH"
    SUBSCRIBE = "SUBSCRIBE → SUBACK"
    UNSUBSCRIBE = "UNSUBSCRIBE → UNSUBACK"
    PUBLISH_1 = "PUBLISH QoS 1 → PUBACK"
    PUBLISH_2 = "PUBLISH QoS 2 → PUBCOMP"
    RECEIVED = "  PUBLISH → PUBREC"
    RELEASED = "  PUBREC → PUBREL"
    COMPLETED = "  PUBREL → PUBCOMP"
    PING = "PINGREQ → PINGRESP"
    RESPONSE = "request → response"


class Took(NamedTuple):
    """One round trip."""

    trip: Trip
    waited: Direction
    """Of what was answered: `C2S`, and the client waited."""
    ns: int


_BY_ANSWER = {
    P.CONNACK: Trip.CONNECT,
    P.AUTH: Trip.AUTH,
    P.SUBACK: Trip.SUBSCRIBE,
    P.UNSUBACK: Trip.UNSUBSCRIBE,
    P.PUBACK: Trip.PUBLISH_1,
    P.PUBREC: Trip.RECEIVED,
    P.PUBREL: Trip.RELEASED,
    P.PUBCOMP: Trip.COMPLETED,
    P.PINGRESP: Trip.PING,
}
_LONGEST = 8
"""Packets of a plain operation at most."""


def trips_of(log: Log, pairs: Pairs, no: int, kind: int, mono: int) -> Iterator[Took]:
    """The round trips that packet `no` of type `kind` ended at `mono`: none if it answers nothing that is kept."""
    trip = _BY_ANSWER.get(P(kind))
    request = pairs.request_of(no) if trip is not None else None
    if trip is None or request is None or request not in log:
        return
    asked = log.head(request)
    yield Took(trip, asked.direction, mono - asked.mono)
    if trip is Trip.COMPLETED:
        start = pairs.start_of(no)
        if start in log and (first := log.head(start)).first_byte >> 4 == P.PUBLISH:
            yield Took(Trip.PUBLISH_2, first.direction, mono - first.mono)


def response_trip(log: Log, request: int, response: int | None) -> Took | None:
    """From a request to its response (MQTT 5); None if one of both is not kept."""
    if response is None or request not in log or response not in log:
        return None
    asked = log.head(request)
    return Took(Trip.RESPONSE, asked.direction, log.head(response).mono - asked.mono)


def answers(pairs: Pairs, start: int) -> Iterator[int]:
    """The answers in the plain course of what packet `start` began."""
    at: int | None = start
    for _ in range(_LONGEST):
        at = pairs.answer_of(at) if at is not None else None
        if at is None:
            return
        yield at
