"""The checked tree of a display filter: what is compared with what, every type known, every literal read.

Rules:
1. Nodes are frozen and compare by meaning: places in the text do not count.
2. Operators are normalised: `==` is EQ with ANY, `!=` is NE with ALL, `===` is EQ with ALL, `!==` is NE with ANY, all others
   are ANY unless `all` stands in front. `not in` is Not(In) with ANY.
3. Text literals and string fields are bytes (UTF-8); lengths and slices count bytes.
4. A test on an operand without values is false, whatever the quantifier (inspector.md 6.1, "existence").
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from mqtttui.filters.fields import FieldSpec
from mqtttui.filters.patterns import Pattern
from mqtttui.filters.types import Constant, Type


class Relation(Enum):
    """How two values are compared."""

    EQ = "=="
    NE = "!="
    GT = ">"
    LT = "<"
    GE = ">="
    LE = "<="


class Quantifier(Enum):
    """How many of a field's occurrences must pass."""

    ANY = "any"
    ALL = "all"


class Function(Enum):
    """What can be asked of a field."""

    LEN = "len"
    COUNT = "count"
    LOWER = "lower"
    UPPER = "upper"
    STRING = "string"


# --- operands


@dataclass(frozen=True, slots=True)
class FieldRef:
    """A field; `path` leads into a JSON payload (`mqtttui.json["a"][0]`)."""

    spec: FieldSpec
    path: tuple[str | int, ...] = ()

    @property
    def type(self) -> Type:
        """Type of its values."""
        return self.spec.type


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a slice: `count` bytes from `start`, which counts from the end if negative; None: all that follow."""

    start: int
    count: int | None


@dataclass(frozen=True, slots=True)
class Sliced:
    """Bytes of a field's values."""

    operand: FieldRef | Call
    parts: tuple[Part, ...]
    type: Type = Type.BYTES


@dataclass(frozen=True, slots=True)
class Masked:
    """Some bits of a number."""

    operand: FieldRef
    mask: int
    type: Type = Type.UINT


@dataclass(frozen=True, slots=True)
class Call:
    """A function of a field."""

    function: Function
    argument: FieldRef

    @property
    def type(self) -> Type:
        """Type of what it gives."""
        return Type.UINT if self.function in (Function.LEN, Function.COUNT) else Type.STRING


@dataclass(frozen=True, slots=True)
class Literal:
    """A value from the filter's text, read as the type that it is compared with."""

    value: Constant
    type: Type
    text: str = field(compare=False)
    """How to write it."""


Operand = FieldRef | Sliced | Masked | Call
"""What has values in a packet."""


# --- tests


@dataclass(frozen=True, slots=True)
class And:
    """All of them."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """One of them at least."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    part: Node


@dataclass(frozen=True, slots=True)
class Exists:
    """The field occurs (a sliced one: with that many bytes)."""

    operand: FieldRef | Sliced


@dataclass(frozen=True, slots=True)
class BitTest:
    """One of the bits is set."""

    operand: Masked


@dataclass(frozen=True, slots=True)
class Compare:
    """Values of `left` against a literal, or against the values of another field."""

    left: Operand
    relation: Relation
    right: Operand | Literal
    quantifier: Quantifier = Quantifier.ANY


@dataclass(frozen=True, slots=True)
class Contains:
    """`right` occurs in values of `left`. An empty literal is in no text, and in all bytes that are not empty, as in Wireshark."""

    left: Operand
    right: Operand | Literal
    quantifier: Quantifier = Quantifier.ANY


@dataclass(frozen=True, slots=True)
class Matches:
    """A regular expression finds something in values of `left`."""

    left: Operand
    pattern: Pattern
    quantifier: Quantifier = Quantifier.ANY


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a set: a value, or a range with both ends included."""

    low: Literal
    high: Literal | None = None


@dataclass(frozen=True, slots=True)
class In:
    """A value of `left` fits an item of the set; with ALL: one and the same item fits all values, as in Wireshark."""

    left: FieldRef
    items: tuple[Item, ...]
    quantifier: Quantifier = Quantifier.ANY


@dataclass(frozen=True, slots=True)
class TopicMatch:
    """Values of `operand` are topics that the filter `wanted` selects (MQTT's + and #)."""

    operand: FieldRef
    wanted: bytes


Node = And | Or | Not | Exists | BitTest | Compare | Contains | Matches | In | TopicMatch
"""A test of a packet."""


def walk(node: Node) -> Iterator[Node]:
    """This test and all below it."""
    yield node
    match node:
        case And(parts) | Or(parts):
            for part in parts:
                yield from walk(part)
        case Not(part):
            yield from walk(part)
        case _:
            return


def operands(node: Node) -> Iterator[FieldRef]:
    """Every field that the tests below `node` look at, in the order of the text."""
    for test in walk(node):
        match test:
            case Exists(operand) | BitTest(operand) | TopicMatch(operand):
                yield field_of(operand)
            case Compare(left, _, right) | Contains(left, right):
                yield field_of(left)
                if not isinstance(right, Literal):
                    yield field_of(right)
            case Matches(left) | In(left):
                yield field_of(left)
            case And() | Or() | Not():
                continue


def field_of(operand: Operand) -> FieldRef:
    """The field under slices, masks and functions."""
    while not isinstance(operand, FieldRef):
        operand = operand.argument if isinstance(operand, Call) else operand.operand
    return operand
