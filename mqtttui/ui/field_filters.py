"""Filters made of what is selected: a field with its value, the topic of a packet; and how they join the filter in force.

The language is loaded when one is made: showing packets does without it.
"""

from __future__ import annotations

from enum import Enum

from mqtttui.analysis.pairs import Pairs, request_topic
from mqtttui.capture.log import Evicted, Log
from mqtttui.protocol.fields import Field

_WHOLE = 256
"""Bytes of a value up to which all of it is compared; of a longer one its beginning."""
_BEGINNING = 64
_SHORT = 32
_NANOSECONDS = {"mqtttui.rtt"}
"""Fields whose value counts nanoseconds, while their filter counts milliseconds."""


class Join(Enum):
    """How a filter joins the one in force."""

    ALONE = "alone"
    NOT = "not"
    AND = "and"
    AND_NOT = "and not"
    OR = "or"
    OR_NOT = "or not"


def hint(field: Field | None) -> str:
    """The filter that selects a field with its value, `mqtt.qos == 1`; only the name where the value is long or secret."""
    if field is None or not field.filter:
        return ""
    value = field.value
    if field.secret or value is None or field.filter in _NANOSECONDS:
        return field.filter
    if isinstance(value, bool):
        return f"{field.filter} == {int(value)}"
    if isinstance(value, int):
        return f"{field.filter} == {value}"
    if isinstance(value, str) and len(value) <= _SHORT and value.isprintable() and '"' not in value and "\\" not in value:
        return f'{field.filter} == "{value}"'
    return field.filter


def equals(field: Field, log: Log, no: int) -> str:
    """The strict filter for packets with this field of packet `no` and this value; empty for a field without a filter name.

    Of a secret it asks whether it is there, of a duration whether it is at least as long, of a long value how it begins.
    """
    from mqtttui.filters.fields import FIELDS
    from mqtttui.filters.lexer import quote
    from mqtttui.filters.types import Type

    name = field.filter
    spec = FIELDS.get(name)
    if not name or spec is None or spec.bare or field.secret or field.value is None:
        return name
    value = _value(field, log, no)
    if name in _NANOSECONDS and isinstance(value, int):
        return f"{name} >= {value // 1000 / 1000:g}" if value < 10**12 else f"{name} >= {value // 10**6}"
    match spec.type:
        case Type.BOOL:
            return f"{name} == {int(bool(value))}"
        case Type.STRING | Type.BYTES:
            data = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
            if not isinstance(data, bytes):
                return name
            if len(data) > _WHOLE:
                return f"{name}[0:{_BEGINNING}] == {quote(data[:_BEGINNING])}"
            return f"{name} == {quote(data)}"
        case _:
            return f"{name} == {int(value)}" if isinstance(value, int) else name


def _value(field: Field, log: Log, no: int) -> int | float | bool | str | bytes | None:
    """The value as filters see it: of text the bytes on the wire."""
    from mqtttui.filters.row import Row

    if not isinstance(field.value, str):
        return field.value
    row = Row(log, no)
    try:
        same = [each for each in row.dissection.walk() if each.filter == field.filter]
        at = next((at for at, each in enumerate(same) if (each.start, each.end) == (field.start, field.end)), None)
        return field.value if at is None else row.fields(field.filter)[at]
    except Evicted:
        return field.value


def of_packet(log: Log, pairs: Pairs, no: int) -> str:
    """The filter for packets with the topic of packet `no`, their acks included; without a topic, for packets of its type.

    Raises Evicted.
    """
    from mqtttui.filters.lexer import quote

    packet = log[no]
    answered = pairs.answered(no)
    topic = request_topic(packet) or (answered.topic if answered is not None else b"")
    if topic:
        return f"mqtttui.topic == {quote(topic)}"
    return f"mqtt.msgtype == {packet.raw[0] >> 4}" if packet.raw and not packet.framing_error else "not mqtt"


def joined(before: str, expression: str, join: Join) -> str:
    """`expression` joined to the strict filter `before` (empty for none)."""
    from mqtttui.filters.ast import And, Or
    from mqtttui.filters.compiler import compile_filter

    added = f"not {_wrapped(expression)}" if join in (Join.NOT, Join.AND_NOT, Join.OR_NOT) else expression
    if not before or join in (Join.ALONE, Join.NOT):
        return added
    conjunction = join in (Join.AND, Join.AND_NOT)
    tree = compile_filter(before).tree
    mixed = isinstance(tree, Or) if conjunction else isinstance(tree, And)
    left = f"({before})" if mixed else before
    return f"{left} {'and' if conjunction else 'or'} {added}"


def _wrapped(expression: str) -> str:
    from mqtttui.filters.ast import And, Or
    from mqtttui.filters.compiler import compile_filter

    return f"({expression})" if isinstance(compile_filter(expression).tree, And | Or) else expression
