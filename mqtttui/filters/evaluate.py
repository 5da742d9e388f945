"""The checked tree as a function of a packet (rules of existence and occurrences in inspector.md 6.1)."""

from __future__ import annotations

import ipaddress
import operator
from collections.abc import Callable, Sequence
from typing import Any, cast

from mqtttui.filters import own
from mqtttui.filters.ast import (
    And,
    BitTest,
    Call,
    Compare,
    Contains,
    Exists,
    FieldRef,
    Function,
    In,
    Item,
    Literal,
    Masked,
    Matches,
    Node,
    Not,
    Operand,
    Or,
    Part,
    Quantifier,
    Relation,
    Sliced,
    TopicMatch,
)
from mqtttui.filters.patterns import Pattern
from mqtttui.filters.row import Row
from mqtttui.filters.sources import Source, source_of
from mqtttui.filters.types import Network, Type, Value
from mqtttui.protocol.topics import matches

Test = Callable[[Row], bool]
Predicate = Callable[[Any], bool]

PATTERN_SECONDS = 0.05
"""Time for one pattern in one packet."""
PATTERN_SECONDS_LATER = 0.002
"""The same once patterns have wasted `PATIENCE` seconds."""
PATIENCE = 1.0

_RELATIONS: dict[Relation, Callable[[Any, Any], bool]] = {
    Relation.EQ: operator.eq,
    Relation.NE: operator.ne,
    Relation.GT: operator.gt,
    Relation.LT: operator.lt,
    Relation.GE: operator.ge,
    Relation.LE: operator.le,
}


class Budget:
    """The time that the patterns of a filter may take, and how often it was not enough."""

    __slots__ = ("_clock", "_wasted", "timeouts")

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._wasted = 0.0
        self.timeouts = 0
        """Packets on which a pattern took too long."""

    def finds(self, pattern: Pattern, data: bytes) -> bool:
        """Whether `pattern` finds something in `data` in the time that it has. Without regard to time: False."""
        seconds = PATTERN_SECONDS if self._wasted < PATIENCE else PATTERN_SECONDS_LATER
        start = self._clock()
        try:
            return pattern.finds(data, seconds)
        except TimeoutError:
            self._wasted += max(0.0, self._clock() - start)
            self.timeouts += 1
            return False


def build(node: Node, budget: Budget) -> Test:
    """The function that `node` is."""
    match node:
        case And(parts):
            return _both([build(part, budget) for part in parts])
        case Or(parts):
            return _either([build(part, budget) for part in parts])
        case Not(part):
            test = build(part, budget)
            return lambda row: not test(row)
        case Exists(Sliced() as operand):
            return _every(operand, Quantifier.ANY, bool)
        case Exists(operand):
            source = values_of(operand)
            return lambda row: len(source(row)) > 0
        case BitTest(operand):
            return _every(operand, Quantifier.ANY, bool)
        case Compare():
            return _compare(node)
        case Contains(left, right, quantifier):
            if isinstance(right, Literal):
                return _every(left, quantifier, _holds(right))
            return _pairs(left, right, quantifier, _held)
        case Matches(left, pattern, quantifier):
            return _every(left, quantifier, _finds(pattern, budget))
        case In(left, items, quantifier):
            if quantifier is Quantifier.ALL and len(items) > 1:
                # As in Wireshark: one item must fit all values, not each value some item.
                return _either([_every(left, quantifier, _in((item,), left.type)) for item in items])
            return _every(left, quantifier, _in(items, left.type))
        case TopicMatch(operand, wanted):
            return _every(operand, Quantifier.ANY, lambda topic: matches(wanted, topic))


def _both(tests: Sequence[Test]) -> Test:
    def test(row: Row) -> bool:
        for part in tests:  # noqa: SIM110 (a generator takes twice the time)
            if not part(row):
                return False
        return True

    return test


def _either(tests: Sequence[Test]) -> Test:
    def test(row: Row) -> bool:
        for part in tests:  # noqa: SIM110
            if part(row):
                return True
        return False

    return test


def _every(operand: Operand, quantifier: Quantifier, predicate: Predicate) -> Test:
    """Values are there, and one of them, or each, passes."""
    source = values_of(operand)
    if quantifier is Quantifier.ALL:

        def all_pass(row: Row) -> bool:
            values = source(row)
            return len(values) > 0 and all(map(predicate, values))

        return all_pass

    def one_passes(row: Row) -> bool:
        for value in source(row):  # noqa: SIM110
            if predicate(value):
                return True
        return False

    return one_passes


def _pairs(left: Operand, right: Operand, quantifier: Quantifier, predicate: Callable[[Any, Any], bool]) -> Test:
    """The same for the values of two fields, each with each."""
    one, two = values_of(left), values_of(right)
    every = all if quantifier is Quantifier.ALL else any

    def test(row: Row) -> bool:
        lefts, rights = one(row), two(row)
        return len(lefts) > 0 and len(rights) > 0 and every(predicate(first, second) for first in lefts for second in rights)

    return test


# --- predicates


def _compare(node: Compare) -> Test:
    left, right, quantifier = node.left, node.right, node.quantifier
    relation = _RELATIONS[node.relation]
    kind = left.type
    if not isinstance(right, Literal):
        if kind in (Type.BYTES, Type.PROTOCOL):
            return _pairs(left, right, quantifier, lambda one, two: relation(_size_first(one), _size_first(two)))
        return _pairs(left, right, quantifier, relation)
    value = right.value
    if kind is Type.JSON:
        return _every(left, quantifier, _json_predicate(node.relation, value))
    if value is None:
        # No value is equal, larger or smaller: what is asked of all of them holds, what is asked of one does not.
        return _every(left, quantifier, lambda _: quantifier is Quantifier.ALL)
    return _every(left, quantifier, _predicate(node.relation, value, kind))


def _predicate(relation: Relation, constant: Any, kind: Type) -> Predicate:
    compare = _RELATIONS[relation]
    if isinstance(constant, Network):
        mask, wanted = constant.mask, constant.address & constant.mask
        return lambda value: compare(value & mask, wanted)
    if kind in (Type.BYTES, Type.PROTOCOL) and relation not in (Relation.EQ, Relation.NE):
        key = _size_first(constant)
        return lambda value: compare(_size_first(value), key)
    return lambda value: compare(value, constant)


def _size_first(value: bytes) -> tuple[int, bytes]:
    """How Wireshark orders bytes: the longer ones are larger."""
    return len(value), value


def _json_predicate(relation: Relation, constant: object) -> Predicate:
    compare = _RELATIONS[relation]
    kind = _json_kind(constant)

    def test(value: object) -> bool:
        if _json_kind(value) != kind:
            return relation is Relation.NE
        if kind == "null":
            return relation in (Relation.EQ, Relation.GE, Relation.LE)
        return compare(value, constant)

    return test


def _json_kind(value: object) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "text"
    return "null" if value is None else "other"


def _holds(right: Literal) -> Predicate:
    """`contains` with a literal."""
    needle = right.value
    if right.type is Type.JSON:
        return lambda value: isinstance(value, str) and isinstance(needle, str) and bool(needle) and needle in value
    assert isinstance(needle, bytes)
    if needle:
        return lambda value: needle in value
    return bool if right.type is not Type.STRING else lambda _: False


def _held(value: bytes, needle: bytes) -> bool:
    return bool(needle) and needle in value


def _finds(pattern: Pattern, budget: Budget) -> Predicate:
    def test(value: object) -> bool:
        if isinstance(value, str):
            value = value.encode("utf-8", "surrogatepass")
        return isinstance(value, bytes) and budget.finds(pattern, value)

    return test


def _in(items: tuple[Item, ...], kind: Type) -> Predicate:
    tests: list[Predicate] = []
    singles = []
    for item in items:
        low, high = item.low.value, None if item.high is None else item.high.value
        if kind is Type.JSON:
            tests.append(_json_range(low, low if item.high is None else high))
        elif low is None or (item.high is not None and high is None):
            continue
        elif item.high is not None:
            tests.append(_range(_predicate(Relation.GE, low, kind), _predicate(Relation.LE, high, kind)))
        elif isinstance(low, Network):
            tests.append(_predicate(Relation.EQ, low, kind))
        else:
            singles.append(low)
    if singles:
        tests.append(frozenset(singles).__contains__)
    return lambda value: any(test(value) for test in tests)


def _range(low: Predicate, high: Predicate) -> Predicate:
    return lambda value: low(value) and high(value)


def _json_range(low: object, high: object) -> Predicate:
    return _range(_json_predicate(Relation.GE, low), _json_predicate(Relation.LE, high))


# --- values


def values_of(operand: Operand) -> Source:
    """All values of `operand` in a packet."""
    match operand:
        case FieldRef(spec, path):
            return _path(operand) if path else source_of(spec)
        case Sliced(inner, parts):
            source = values_of(inner)
            return lambda row: [_sliced(value, parts) for value in source(row)]
        case Masked(inner, mask):
            source = values_of(inner)
            return lambda row: [value & mask for value in source(row) if isinstance(value, int)]
        case Call(function, argument):
            return _call(function, argument)


def _path(ref: FieldRef) -> Source:
    path = ref.path
    if ref.type is not Type.JSON:
        name = str(path[0]).encode("utf-8", "surrogatepass")
        return lambda row: [value for key, value in own.user_properties(row) if key == name]

    def source(row: Row) -> Sequence[Value]:
        for found in own.json_payload(row):
            for step in path:
                inside = (isinstance(found, dict) and step in found) or (
                    isinstance(found, list) and isinstance(step, int) and step < len(found)
                )
                if not inside:
                    return ()
                found = cast(Any, found)[step]
            # Objects and lists can only be there or not: no literal is equal to one.
            return (cast(Value, found),)
        return ()

    return source


def _sliced(value: Any, parts: tuple[Part, ...]) -> bytes:
    """The parts of `value` up to the first one that it does not have."""
    out = b""
    size = len(value)
    for part in parts:
        start = part.start if part.start >= 0 else size + part.start
        end = size if part.count is None else start + part.count
        if start < 0 or start > size or end > size:
            break
        out += value[start:end]
    return out


def _call(function: Function, argument: FieldRef) -> Source:
    source = values_of(argument)
    match function:
        case Function.LEN:
            return lambda row: [len(value) for value in source(row) if isinstance(value, bytes)]
        case Function.COUNT:
            return lambda row: [len(values)] if (values := source(row)) else ()
        case Function.LOWER:
            return lambda row: [value.lower() for value in source(row) if isinstance(value, bytes)]
        case Function.UPPER:
            return lambda row: [value.upper() for value in source(row) if isinstance(value, bytes)]
        case Function.STRING:
            written = _WRITTEN.get(argument.type, str)
            return lambda row: [written(value).encode() for value in source(row) if isinstance(value, int)]


_WRITTEN: dict[Type, Callable[[int], str]] = {
    Type.IPV4: lambda value: str(ipaddress.IPv4Address(value)),
    Type.IPV6: lambda value: str(ipaddress.IPv6Address(value)),
}
