"""What a row of the operations view says."""

from __future__ import annotations

from typing import NamedTuple

from mqtttui.analysis.operation import InFlight, Operation, OpKind, OpState
from mqtttui.export.units import duration
from mqtttui.protocol.enums import Direction, PacketType, Version
from mqtttui.protocol.reason_codes import label
from mqtttui.text import visible

LATE_NS = 2_000_000_000
"""An open operation older than this is late."""
OVERDUE_NS = 10_000_000_000
"""The time after which the checks call an answer missing."""

_ANSWER = {
    OpKind.CONNECT: PacketType.CONNACK,
    OpKind.SUBSCRIBE: PacketType.SUBACK,
    OpKind.UNSUBSCRIBE: PacketType.UNSUBACK,
    OpKind.AUTH: PacketType.AUTH,
}


class OperationText(NamedTuple):
    """A row in words. All visible text."""

    state: str
    """`open`, `done`, `failed`, `lost`."""
    what: str
    """`publish q1`."""
    subject: str
    """Topic, filter or client id."""
    result: str
    """Reason code, or what is waited for."""
    time: str
    """Of a finished operation its total, of an open one its age."""
    legs: str
    """`PUBREC 3.1 ms · PUBREL 0.2 ms · PUBCOMP 2.9 ms`."""
    alarm: int
    """0 nothing, 1 late or worth a look, 2 failed or overdue."""


def operation_text(operation: Operation, version: Version) -> OperationText:
    """The words for `operation` on a connection that speaks `version`."""
    what = operation.kind.value
    if operation.qos is not None and operation.kind is OpKind.PUBLISH:
        what += f" q{operation.qos}"
    lost = operation.state is OpState.FAILED and operation.reason is None
    state = "lost" if lost else operation.state.value
    age = operation.age_ns
    if operation.state is OpState.OPEN:
        shown = duration(age) if age is not None else ""
        alarm = 0 if age is None or age < LATE_NS else 1 if age < OVERDUE_NS else 2
    else:
        shown = duration(operation.total_ns) if operation.total_ns is not None else "–"
        alarm = 2 if operation.state is OpState.FAILED else 0
    more = f" and {operation.filters - 1:,} more" if operation.filters > 1 else ""
    subject = visible(operation.topic) if operation.topic else "(no client id)" if operation.kind is OpKind.CONNECT else ""
    return OperationText(state, what, subject + more, _result(operation, version, lost), shown, _legs(operation), alarm)


def in_flight_text(flight: InFlight) -> str:
    """`in flight ▲ 3 of 20 ▼ 0 · topic aliases ▲ 2 of 10 ▼ 5 of 10`: out is what the client sends, in what the server sends."""
    text = f"in flight ▲ {_of(flight.own, flight.own_limit)} ▼ {_of(flight.peer, flight.peer_limit)}"
    if flight.own_alias_limit is not None or flight.peer_alias_limit is not None:
        own, peer = _of(flight.own_aliases, flight.own_alias_limit), _of(flight.peer_aliases, flight.peer_alias_limit)
        text += f" · topic aliases ▲ {own} ▼ {peer}"
    return text


def _of(used: int, limit: int | None) -> str:
    return f"{used:,}" if limit is None else f"{used:,} of {limit:,}"


def _result(operation: Operation, version: Version, lost: bool) -> str:
    if lost:
        return "no answer: the connection ended, or the id was used again"
    if operation.state is OpState.OPEN:
        return f"waits for {_awaited(operation)}"
    if operation.reason is None:
        return "ok"
    last = next((leg.label for leg in reversed(operation.legs) if leg.label in PacketType.__members__), "")
    kind = PacketType.DISCONNECT if last == "DISCONNECT" else _ANSWER.get(operation.kind)
    if kind is None:
        kind = PacketType[last] if last else PacketType.PUBACK
    return label(operation.reason, kind, version) if operation.reason else "ok"


def _awaited(operation: Operation) -> str:
    last = operation.legs[-1].label.removesuffix(" again") if operation.legs else ""
    match operation.kind:
        case OpKind.CONNECT | OpKind.SUBSCRIBE | OpKind.UNSUBSCRIBE | OpKind.AUTH:
            return _ANSWER[operation.kind].name
        case OpKind.PING:
            return "PINGRESP"
        case OpKind.REQUEST if last in ("PUBLISH", "PUBACK", "PUBCOMP"):
            return "a response" if last != "PUBLISH" or not operation.qos else "PUBACK" if operation.qos == 1 else "PUBREC"
        case _:
            following = {"PUBLISH": "PUBREC" if operation.qos == 2 else "PUBACK", "PUBREC": "PUBREL", "PUBREL": "PUBCOMP"}
            return following.get(last, "an answer")


def _legs(operation: Operation) -> str:
    shown = [f"{leg.label or f'#{leg.no}'} {duration(leg.ns)}" if leg.ns is not None else leg.label for leg in operation.legs[1:]]
    return " · ".join(shown) if len(shown) > 1 else ""


def direction_words(direction: Direction) -> str:
    """Who began it."""
    return "asked by the client" if direction is Direction.C2S else "asked by the server"
