"""What the parser makes of the tokens: the shape of a filter, before anybody looks at names and types."""

from __future__ import annotations

from dataclasses import dataclass

from mqtttui.filters.lexer import Token


@dataclass(frozen=True, slots=True)
class Subscript:
    """`[…]` behind a value: words and commas, or one text."""

    start: int
    end: int
    text: str
    """What stands inside, without spaces; empty for a `key`."""
    key: Token | None = None
    """The quoted text inside."""


@dataclass(frozen=True, slots=True)
class Word:
    """A name or a bare value."""

    token: Token


@dataclass(frozen=True, slots=True)
class Quoted:
    """Text in double quotes, or one byte in single ones."""

    token: Token


@dataclass(frozen=True, slots=True)
class Called:
    """`name(argument, …)`."""

    name: Token
    arguments: tuple[Value, ...]
    end: int


@dataclass(frozen=True, slots=True)
class Subscripted:
    """A value with one `[…]` or several."""

    value: Word | Called
    subscripts: tuple[Subscript, ...]


@dataclass(frozen=True, slots=True)
class MaskedValue:
    """`value & mask`."""

    value: Value
    mask: Value


Value = Word | Quoted | Called | Subscripted | MaskedValue


@dataclass(frozen=True, slots=True)
class Test:
    """One test: a value alone, or with an operator and what stands behind it."""

    left: Value
    operator: Token | None = None
    right: Value | None = None
    items: tuple[tuple[Value, Value | None], ...] = ()
    """For `in`: single values, and ends of ranges."""
    quantifier: Token | None = None
    negated: bool = False
    """`not in`."""


@dataclass(frozen=True, slots=True)
class Joined:
    """Tests with `and` or with `or` between them."""

    word: str
    parts: tuple[Shape, ...]


@dataclass(frozen=True, slots=True)
class Negated:
    """`not`, an odd number of times."""

    part: Shape


Shape = Test | Joined | Negated


def span(value: Value) -> tuple[int, int]:
    """Where a value stands in the text."""
    match value:
        case Word(token) | Quoted(token):
            return token.start, token.end
        case Called(name, _, end):
            return name.start, end
        case Subscripted(inner, subscripts):
            return span(inner)[0], subscripts[-1].end
        case MaskedValue(inner, mask):
            return span(inner)[0], span(mask)[1]
