"""What only mqtttui knows of a packet: its connection, its answer, its operation, its findings, its properties by name."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence

from mqtttui.analysis.operation import Operation
from mqtttui.filters.row import FindingLike, Row
from mqtttui.filters.types import Value
from mqtttui.protocol.enums import Direction
from mqtttui.protocol.enums import PacketType as P
from mqtttui.protocol.fields import Field

_NEVER: Sequence[Value] = ()
_MILLISECOND = 1_000_000
_ANSWERS = frozenset({P.PUBACK, P.PUBREC, P.PUBREL, P.PUBCOMP, P.SUBACK, P.UNSUBACK})
_REQUESTS = frozenset({P.CONNECT, P.SUBSCRIBE, P.UNSUBSCRIBE, P.PINGREQ, P.PUBREC, P.PUBREL})
_FAILURE = 0x80
MAX_JSON = 1 << 20
"""Bytes; larger payloads are not read as JSON."""


# --- findings


def findings(row: Row) -> Sequence[FindingLike]:
    """The findings on the packet; without the expert, those that it gives by itself."""
    if row.facts.findings is not None:
        return row.facts.findings.of(row.no)
    return row.dissection.notes


def finding_texts(row: Row) -> Sequence[Value]:
    """Their sentences."""
    return [finding.text.encode("utf-8", "surrogateescape") for finding in findings(row)]


# --- connection


def _connection_name(row: Row) -> Sequence[Value]:
    info = row.connection
    return ((info.name or f"connection {info.number}").encode("utf-8", "surrogateescape"),)


def _client_id(row: Row) -> Sequence[Value]:
    found = row.facts.clients.of(row.log, row.head.connection)
    return _NEVER if found is None else (found,)


def _version(row: Row) -> Sequence[Value]:
    return (int(row.log.version(row.head.connection, row.no)),)


def _way(row: Row) -> Sequence[Value]:
    return (b"out" if row.head.direction is Direction.C2S else b"in",)


# --- requests and answers


def _topic(row: Row) -> Sequence[Value]:
    """The packet's topics, or those of the packet that began the exchange."""
    kind = row.head.first_byte >> 4
    if kind not in _ANSWERS:
        return row.fields("mqtt.topic")
    pairs = row.facts.pairs
    start = row.no if pairs is None else pairs.start_of(row.no)
    return Row(row.log, start, row.facts).fields("mqtt.topic") if start != row.no and start in row.log else _NEVER


def _rtt(row: Row) -> Sequence[Value]:
    taken = row.facts.pairs.rtt_ns(row.no) if row.facts.pairs is not None else None
    return _NEVER if taken is None else (taken / _MILLISECOND,)


def _request(row: Row) -> Sequence[Value]:
    found = row.facts.pairs.request_of(row.no) if row.facts.pairs is not None else None
    return _NEVER if found is None else (found,)


def _response(row: Row) -> Sequence[Value]:
    found = row.facts.pairs.answer_of(row.no) if row.facts.pairs is not None else None
    return _NEVER if found is None else (found,)


def _unacked(row: Row) -> Sequence[Value]:
    pairs = row.facts.pairs
    if pairs is None or not _asks(row) or pairs.answer_of(row.no) is not None:
        return _NEVER
    return (True,)


def _asks(row: Row) -> bool:
    """Whether the packet wants an answer."""
    first = row.head.first_byte
    kind = first >> 4
    if kind == P.PUBLISH:
        return bool(first & 0x06) and not row.packet.framing_error
    if kind == P.PUBREC:
        return all(isinstance(code, int) and code < _FAILURE for code in row.fields("mqtt.pubrec.reason_code"))
    return kind in _REQUESTS and not row.packet.framing_error


# --- operations


def _operation(row: Row) -> Operation | None:
    operations = row.facts.operations
    if operations is None:
        return None
    start = operations.of(row.no)
    if start is None:
        return None
    return operations.operation(start, row.facts.now() if row.facts.now is not None else row.head.mono)


def _operation_source(value: Callable[[Operation], Value]) -> Callable[[Row], Sequence[Value]]:
    def source(row: Row) -> Sequence[Value]:
        operation = _operation(row)
        found = None if operation is None else value(operation)
        return _NEVER if found is None else (found,)

    return source


def _total(operation: Operation) -> Value:
    return None if operation.total_ns is None else operation.total_ns / _MILLISECOND


def _age(operation: Operation) -> Value:
    return None if operation.age_ns is None else operation.age_ns / _MILLISECOND


# --- marks


def _bookmark(row: Row) -> Sequence[Value]:
    return (True,) if row.facts.marks is not None and row.facts.marks.marked(row.no) else _NEVER


def _comment(row: Row) -> Sequence[Value]:
    text = row.facts.marks.comment(row.no) if row.facts.marks is not None else ""
    return (text.encode("utf-8", "surrogateescape"),) if text else _NEVER


# --- payload


def json_payload(row: Row) -> Sequence[object]:
    """The payload as json.loads gives it; nothing if it is no JSON, or too large or too deep."""
    payload = next(iter(row.fields("mqtt.msg")), None)
    if not isinstance(payload, bytes) or not payload or len(payload) > MAX_JSON:
        return ()
    try:
        return (json.loads(payload),)
    except (ValueError, RecursionError):
        return ()


def _json(row: Row) -> Sequence[Value]:
    """The presence of JSON. What stands in it is looked up by path, in `evaluate`."""
    return (None,) if json_payload(row) else _NEVER


# --- properties


def _properties(row: Row, key: int) -> Iterator[Field]:
    """The nodes of property `key`, each with identifier and value below it."""
    for node in row.dissection.walk():
        children = node.children
        if children and children[0].filter == "mqtt.property_id" and children[0].value == key:
            yield node


def property_source(key: int) -> Callable[[Row], Sequence[Value]]:
    """The values of the property with identifier `key`; of a user property `name=value`."""
    pair = key == 0x26

    def source(row: Row) -> Sequence[Value]:
        if pair:
            return [name + b"=" + value for name, value in user_properties(row)]
        return [value for node in _properties(row, key) if (value := _value(row, node)) is not None]

    return source


def user_properties(row: Row) -> list[tuple[bytes, bytes]]:
    """Name and value of each user property."""
    found = []
    for node in _properties(row, 0x26):
        parts = {child.filter: row.raw[child.start : child.end] for child in node.children}
        if "mqtt.prop_key" in parts and "mqtt.prop_value" in parts:
            found.append((parts["mqtt.prop_key"], parts["mqtt.prop_value"]))
    return found


def _value(row: Row, node: Field) -> Value:
    """The value of the property `node`; None if it was not read to its end."""
    last = node.children[-1]
    if last is node.children[0] or last.filter.endswith("_len") or not last.filter:
        return None
    return row.value(last)


SOURCES: dict[str, Callable[[Row], Sequence[Value]]] = {
    "mqtttui.topic": _topic,
    "mqtttui.conn": _connection_name,
    "mqtttui.conn.clientid": _client_id,
    "mqtttui.conn.ver": _version,
    "mqtttui.profile": lambda row: (row.log.name_of_peer(row.connection.peer).encode("utf-8", "surrogateescape"),),
    "mqtttui.dir": _way,
    "mqtttui.rtt": _rtt,
    "mqtttui.request_in": _request,
    "mqtttui.response_in": _response,
    "mqtttui.unacked": _unacked,
    "mqtttui.op.kind": _operation_source(lambda operation: operation.kind.value.encode()),
    "mqtttui.op.state": _operation_source(lambda operation: operation.state.value.encode()),
    "mqtttui.op.reason": _operation_source(lambda operation: operation.reason),
    "mqtttui.op.total": _operation_source(_total),
    "mqtttui.op.age": _operation_source(_age),
    "mqtttui.op.start": _operation_source(lambda operation: operation.start),
    "mqtttui.expert": finding_texts,
    "mqtttui.expert.id": lambda row: [finding.id.encode() for finding in findings(row)],
    "mqtttui.expert.severity": lambda row: [int(finding.severity) for finding in findings(row)],
    "mqtttui.bookmark": _bookmark,
    "mqtttui.comment": _comment,
    "mqtttui.json": _json,
}
"""Own name -> source."""
