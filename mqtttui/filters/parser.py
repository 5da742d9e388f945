"""Tokens to the shape of a filter (grammar in inspector.md 6.3). `and` binds tighter than `or`, `not` tighter than both.

Recursive only for parentheses and function arguments, and those only to a depth of `MAX_DEPTH`.
"""

from __future__ import annotations

from mqtttui.filters.errors import FilterError
from mqtttui.filters.lexer import KEYWORDS, Kind, Token, tokens
from mqtttui.filters.syntax import (
    Called,
    Joined,
    MaskedValue,
    Negated,
    Quoted,
    Shape,
    Subscript,
    Subscripted,
    Test,
    Value,
    Word,
)

MAX_DEPTH = 100
"""Parentheses inside parentheses."""

RELATIONS = frozenset({"==", "!=", "===", "!==", ">", "<", ">=", "<="})
OPERATORS = RELATIONS | {"contains", "matches", "in"}

_OTHER_WORDS = {
    "is": "Use ==.",
    "like": "Use contains or matches.",
    "startswith": 'Use matches "^…", or compare the first bytes: mqtt.topic[0:4] == "home".',
    "endswith": 'Use matches "…$".',
    "includes": "Use contains.",
    "has": "Use contains.",
}
"""Words of other languages -> remedy."""
_UNOFFERED = frozenset({"{", "+", "-", "*", "/", "%", "#", "@", "$", "^"})


def parse(text: str) -> Shape:
    """The shape of the filter `text`. Raises FilterError."""
    return _Parser(text).whole()


class _Parser:
    """A position in the tokens of `text`."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens(text)
        self.at = 0
        self.depth = 0

    def whole(self) -> Shape:
        if len(self.tokens) == 1:
            raise self.error(self.next, "The filter is empty.", "Type a field name, such as mqtt.topic.")
        shape = self.disjunction()
        if self.next.kind is not Kind.END:
            raise self.unexpected(shape)
        return shape

    # --- logic

    def disjunction(self) -> Shape:
        parts = [self.conjunction()]
        while self.take("or"):
            parts.append(self.conjunction())
        return parts[0] if len(parts) == 1 else Joined("or", tuple(parts))

    def conjunction(self) -> Shape:
        parts = [self.negation()]
        while self.take("and"):
            parts.append(self.negation())
        return parts[0] if len(parts) == 1 else Joined("and", tuple(parts))

    def negation(self) -> Shape:
        odd = False
        while self.take("not"):
            odd = not odd
        shape: Shape
        if opening := self.take("("):
            self.deeper(opening)
            shape = self.disjunction()
            if not self.take(")"):
                raise self.unclosed(opening, shape)
            self.depth -= 1
        else:
            shape = self.test()
        return Negated(shape) if odd else shape

    def test(self) -> Test:
        quantifier = self.take("any") or self.take("all")
        left = self.value()
        token = self.next
        if token.text in RELATIONS or token.text in ("contains", "matches"):
            self.at += 1
            return Test(left, token, self.value(), quantifier=quantifier)
        if token.text == "in" or (token.text == "not" and self.tokens[self.at + 1].text == "in"):
            self.at += 2 if token.text == "not" else 1
            return Test(left, self.tokens[self.at - 1], items=self.items(), quantifier=quantifier, negated=token.text == "not")
        if quantifier is not None:
            raise self.error(
                token, f"A comparison must follow {quantifier.text}.", 'Write it in front of a test such as mqtt.topic == "a".'
            )
        return Test(left)

    # --- values

    def value(self) -> Value:
        value = self.plain_value()
        if self.take("&"):
            value = MaskedValue(value, self.plain_value())
            if self.next.text == "&":
                raise self.error(self.next, "Only one mask can be applied.", "Add the masks up.")
        return value

    def plain_value(self) -> Value:
        token = self.next
        if token.kind in (Kind.TEXT, Kind.CHARACTER):
            self.at += 1
            if self.next.text == "[":
                raise self.error(token, "Only fields have parts.", "Write the text as you need it.")
            return Quoted(token)
        if token.kind is not Kind.WORD:
            raise self.no_value(token)
        self.at += 1
        value: Word | Called = Word(token)
        if opening := self.take("("):
            value = self.call(token, opening)
        subscripts = []
        while opening := self.take("["):
            subscripts.append(self.subscript(opening))
        return Subscripted(value, tuple(subscripts)) if subscripts else value

    def call(self, name: Token, opening: Token) -> Called:
        self.deeper(opening)
        arguments: list[Value] = []
        if self.next.text != ")":
            arguments.append(self.value())
            while self.take(","):
                arguments.append(self.value())
        closing = self.take(")")
        if closing is None:
            raise self.unclosed(opening)
        self.depth -= 1
        return Called(name, tuple(arguments), closing.end)

    def subscript(self, opening: Token) -> Subscript:
        words = []
        key = None
        while self.next.kind is Kind.WORD or self.next.text == ",":
            words.append(self.next.text)
            self.at += 1
        if not words and self.next.kind is Kind.TEXT:
            key = self.next
            self.at += 1
        closing = self.take("]")
        if closing is None:
            raise (
                self.unclosed(opening)
                if self.next.kind is Kind.END
                else self.error(self.next, "This cannot stand between [ and ].", "Write [3], [0:4], [-2:] or [0-3].")
            )
        return Subscript(opening.start, closing.end, "".join(words), key)

    def items(self) -> tuple[tuple[Value, Value | None], ...]:
        opening = self.take("{")
        if opening is None:
            raise self.error(self.next, "A set in braces must follow in.", "Write {1, 2} or {3..5}.")
        if self.next.text == "}":
            raise FilterError(self.text, opening.start, self.next.end, "The set is empty.", "Write {1, 2} or {3..5}.")
        found: list[tuple[Value, Value | None]] = []
        while True:
            low = self.plain_value()
            found.append((low, self.plain_value() if self.take("..") else None))
            if self.take(","):
                continue
            if self.take("}"):
                return tuple(found)
            if self.next.kind is Kind.END:
                raise self.unclosed(opening)
            raise self.error(self.next, "A comma is missing in the set.", "Write {1, 2}.")

    # --- tokens

    @property
    def next(self) -> Token:
        return self.tokens[self.at]

    def take(self, text: str) -> Token | None:
        """The next token if it is the operator or keyword `text`."""
        token = self.tokens[self.at]
        if token.kind in (Kind.KEYWORD, Kind.SYMBOL) and token.text == text:
            self.at += 1
            return token
        return None

    def deeper(self, opening: Token) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.error(opening, f"More than {MAX_DEPTH} parentheses stand inside each other.", "Take some away.")

    # --- errors

    def error(self, token: Token, problem: str, remedy: str = "") -> FilterError:
        return FilterError(self.text, token.start, token.end, problem, remedy)

    def unclosed(self, opening: Token, shape: Shape | None = None) -> FilterError:
        if self.next.kind is not Kind.END:
            return self.unexpected(shape)
        close = {"(": ")", "[": "]", "{": "}"}[opening.text]
        return self.error(opening, f"This {opening.text} is never closed.", f"Add a {close}.")

    def no_value(self, token: Token) -> FilterError:
        if token.kind is Kind.END:
            return self.error(token, "The filter ends too early.", "Something must follow: a field, or a value to compare with.")
        if token.text == "{":
            return self.error(token, "Calculations in braces are not offered.", "Write a field on the left and a number on the right.")
        if token.text == "}":
            return self.error(token, "A value is missing in the set.", "Write {1, 2}, without a comma at the end.")
        return self.error(token, f"A field or a value must stand here, not {_shown(token)}.", "Type a field name, such as mqtt.topic.")

    def unexpected(self, shape: Shape | None) -> FilterError:
        token = self.next
        problem = f"{_shown(token)} is unexpected here."
        before = self.tokens[self.at - 1]
        lower = token.text.lower()
        if token.kind is Kind.WORD and token.text not in KEYWORDS and lower in KEYWORDS:
            return self.error(token, problem, f"Operators are written in small letters: {lower}.")
        if lower == "xor" or token.text.startswith("^"):
            return self.error(token, "There is no xor.", "Write (a and not b) or (b and not a).")
        if token.text.startswith(("//", "#", "--")):
            return self.error(token, "Filters have no comments.", "Take it away.")
        if token.text == ")":
            return self.error(token, "No ( belongs to this ).", "Take it away.")
        if token.text == "not":
            return self.error(token, problem, "Put “not” in front of the whole test.")
        if token.text in OPERATORS:
            if before.text == ")" and isinstance(shape, Test) and isinstance(shape.left, MaskedValue):
                return self.error(token, problem, "Write the masked value without parentheses.")
            if before.text == ")":
                return self.error(token, problem, "Parentheses hold whole tests: take them away from the value.")
            return self.error(token, problem, "Write two tests with “and” between them.")
        if token.kind is Kind.WORD and token.text[0] in _UNOFFERED:
            return self.error(token, "Calculations are not offered.", "Write their result.")
        if isinstance(shape, Test) and shape.operator is None and token.kind is Kind.WORD and "." not in token.text:
            remedy = _OTHER_WORDS.get(lower, "There are ==, !=, <, >, contains, matches and in.")
            return self.error(token, f"{_shown(token)} is no operator.", remedy)
        return self.error(token, problem, "Put “and” or “or” between two tests.")


def _shown(token: Token) -> str:
    """A token as it stands in a sentence."""
    return f"“{token.text}”"
