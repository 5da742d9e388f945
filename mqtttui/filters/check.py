"""From shape to meaning: names are looked up, types compared, values read, patterns compiled. Raises FilterError."""

from __future__ import annotations

import re
from difflib import get_close_matches

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
    field_of,
)
from mqtttui.filters.errors import FilterError
from mqtttui.filters.fields import FIELDS, refusal
from mqtttui.filters.lexer import Kind, Token
from mqtttui.filters.literals import LiteralError, integer, read
from mqtttui.filters.patterns import Pattern, PatternError, compile_pattern
from mqtttui.filters.syntax import Called, Joined, MaskedValue, Negated, Quoted, Shape, Subscript, Subscripted, Test, Value, Word, span
from mqtttui.filters.types import NUMERIC, TEXTUAL, Type
from mqtttui.protocol.topics import wildcard_problem

_RELATIONS: dict[str, tuple[Relation, Quantifier]] = {
    "==": (Relation.EQ, Quantifier.ANY),
    "!=": (Relation.NE, Quantifier.ALL),
    "===": (Relation.EQ, Quantifier.ALL),
    "!==": (Relation.NE, Quantifier.ANY),
    ">": (Relation.GT, Quantifier.ANY),
    "<": (Relation.LT, Quantifier.ANY),
    ">=": (Relation.GE, Quantifier.ANY),
    "<=": (Relation.LE, Quantifier.ANY),
}
_RANGE = re.compile(r"(-?[0-9]+)(?:(:)([0-9]+)?|-(-?[0-9]+))?\Z|:([0-9]+)\Z", re.ASCII)
_MAX_OFFSET = 1 << 30
_SEARCHABLE = TEXTUAL | {Type.JSON}
_UINT32 = (1 << 32) - 1
_ROOTS = frozenset(name.partition(".")[0] for name in FIELDS)
_KEYED = tuple(name for name, spec in FIELDS.items() if spec.keyed)
_FUNCTIONS = ", ".join(function.value for function in Function)


def check(shape: Shape, text: str) -> Node:
    """The checked tree of `shape`, which stands in the filter `text`."""
    return _Checker(text).node(shape)


class _Checker:
    """Checks the filter `text`."""

    def __init__(self, text: str) -> None:
        self.text = text

    # --- tests

    def node(self, shape: Shape) -> Node:
        match shape:
            case Joined(word, parts):
                nodes = tuple(self.node(part) for part in parts)
                return And(nodes) if word == "and" else Or(nodes)
            case Negated(part):
                return Not(self.node(part))
            case Test():
                return self.test(shape)

    def test(self, test: Test) -> Node:
        if isinstance(test.left, Called) and test.left.name.text == "topic":
            if test.operator is not None or test.quantifier is not None:
                raise self.error(test.operator or test.left, "topic(…) is a test of its own.", "Write nothing beside it.")
            return self.topic(test.left)
        left = self.operand(test.left)
        if test.operator is None:
            return self.bare(test.left, left)
        quantifier = None if test.quantifier is None else Quantifier(test.quantifier.text)
        operator = test.operator
        if operator.text == "in":
            field, items = self.set_operand(test.left, left), self.items(test, left)
            if test.negated:
                # Wireshark ignores `any` and `all` here.
                return Not(In(field, items))
            return In(field, items, quantifier or Quantifier.ANY)
        assert test.right is not None
        if operator.text == "matches":
            self.searchable(test.left, left, "matches")
            return Matches(left, self.pattern(test.right), quantifier or Quantifier.ANY)
        if operator.text == "contains":
            self.searchable(test.left, left, "contains")
            return Contains(left, self.right(left, test.right), quantifier or Quantifier.ANY)
        self.comparable(test.left, left)
        relation, usual = _RELATIONS[operator.text]
        return Compare(left, relation, self.right(left, test.right), quantifier or usual)

    def bare(self, value: Value, operand: Operand) -> Node:
        match operand:
            case FieldRef() | Sliced(FieldRef()):
                return Exists(operand)
            case Masked():
                return BitTest(operand)
            case Call(function):
                raise self.error(value, f"{function.value}(…) alone tests nothing.", "Compare it: write == and a value behind it.")
            case Sliced():
                raise self.error(value, "A part of a function's result alone tests nothing.", "Compare it: write == and a value behind it.")

    def topic(self, called: Called) -> Node:
        example = 'Write topic(mqtt.topic, "a/+/#").'
        if len(called.arguments) != 2:
            raise FilterError(self.text, called.name.start, called.end, "topic takes a field and a filter in quotes.", example)
        first, second = called.arguments
        operand = self.operand(first)
        if not isinstance(operand, FieldRef) or operand.type is not Type.STRING:
            raise self.error(first, "topic looks at a field with a topic.", example)
        if not isinstance(second, Quoted) or second.token.kind is not Kind.TEXT:
            raise self.error(second, "The topic filter stands in quotes.", example)
        wanted = second.token.value
        if problem := wildcard_problem(wanted) or (None if wanted else "it is empty"):
            raise self.error(second, f"This is no topic filter: {problem}.", "+ stands for one level, # at the end for all that follow.")
        return TopicMatch(operand, wanted)

    def set_operand(self, value: Value, left: Operand) -> FieldRef:
        if not isinstance(left, FieldRef):
            raise self.error(value, "Only a field can be looked for in a set.", "Write tests with == and or between them.")
        self.comparable(value, left)
        return left

    def items(self, test: Test, left: Operand) -> tuple[Item, ...]:
        found = []
        for low, high in test.items:
            found.append(Item(self.constant(left, low), None if high is None else self.constant(left, high)))
        return tuple(found)

    def comparable(self, value: Value, operand: Operand) -> None:
        if operand.type is Type.NONE:
            name = field_of(operand).spec.name
            raise self.error(value, f"{name} has no value to compare.", f"Write {name} alone: it tests whether it is there.")

    def searchable(self, value: Value, operand: Operand, word: str) -> None:
        if operand.type in _SEARCHABLE:
            return
        name = field_of(operand).spec.name
        number = operand.type is Type.UINT and isinstance(operand, FieldRef)
        remedy = f"Use == or <, or {word} on string({name})." if number else "Use == or <." if operand.type is not Type.NONE else ""
        raise self.error(value, f"{name} is {operand.type.value}, and {word} needs text or bytes.", remedy or f"Write {name} alone.")

    # --- right sides

    def right(self, left: Operand, value: Value) -> Operand | Literal:
        if isinstance(value, Quoted) or (isinstance(value, Word) and value.token.text not in FIELDS):
            return self.constant(left, value)
        right = self.operand(value)
        one, two = left.type, right.type
        numbers = one in NUMERIC and two in NUMERIC and not (one is Type.BOOL and two is not Type.BOOL)
        if one is not two and not numbers:
            first, second = field_of(left).spec.name, field_of(right).spec.name
            problem = f"{first} is {one.value}, {second} is {two.value}: they cannot be compared."
            raise self.error(value, problem, _together(left, right))
        if two is Type.JSON or two is Type.NONE:
            raise self.error(value, f"{field_of(right).spec.name} cannot stand on the right.", "Write a value there.")
        return right

    def constant(self, left: Operand, value: Value) -> Literal:
        name = field_of(left).spec.name
        if not isinstance(value, Word | Quoted) or (isinstance(value, Word) and value.token.text in FIELDS):
            raise self.error(value, "Only values can stand in a set.", "Write numbers, or text in quotes.")
        token = value.token
        kind = Type.BYTES if left.type is Type.PROTOCOL else left.type
        if kind is Type.STRING and token.kind is Kind.WORD and self.looks_like_name(token.text):
            raise self.error(value, f"There is no field {token.text}.", _nearest(token.text) or f'Quote text: "{token.text}".')
        spec = field_of(left).spec
        maximum = spec.maximum if spec.bits and isinstance(left, FieldRef | Masked) else _UINT32
        try:
            return read(token, kind, name, maximum, spec.value_strings if isinstance(left, FieldRef | Masked) else {})
        except LiteralError as error:
            raise self.error(value, error.problem, error.remedy) from None

    @staticmethod
    def looks_like_name(word: str) -> bool:
        return "." in word and word.partition(".")[0] in _ROOTS

    def pattern(self, value: Value) -> Pattern:
        if not isinstance(value, Quoted) or value.token.kind is not Kind.TEXT:
            raise self.error(value, "matches needs a regular expression in double quotes.", 'Write matches "^a/.*".')
        token = value.token
        try:
            return compile_pattern(token.value)
        except PatternError as error:
            start, end = token.start, token.end
            if token.raw or "\\" not in token.text:
                first = start + (2 if token.raw else 1)
                start = first + len(token.value[: error.start].decode("utf-8", "replace"))
                end = max(start + 1, first + len(token.value[: error.end].decode("utf-8", "replace")))
            raise FilterError(self.text, start, end, error.problem, error.remedy) from None

    # --- operands

    def operand(self, value: Value) -> Operand:
        match value:
            case Word(token):
                return FieldRef(FIELDS[self.name(token)])
            case Quoted(token):
                problem = "A test begins with a field, not with a value."
                raise self.error(token, problem, f"Write a field in front, such as mqtt.topic contains {token.text}.")
            case Called():
                return self.call(value)
            case Subscripted(inner, subscripts):
                return self.subscripted(value, inner, subscripts)
            case MaskedValue(inner, mask):
                return self.masked(inner, mask)

    def name(self, token: Token) -> str:
        name = token.text
        if name in FIELDS:
            return name
        if refused := refusal(name):
            raise self.error(token, f"{name}: {refused[0]}", refused[1])
        if integer(name) is not None or name in ("True", "False", "TRUE", "FALSE"):
            raise self.error(
                token, "A test begins with a field, not with a value.", "Write the field on the left and the value on the right."
            )
        remedy = _inside(name) or _nearest(name) or (self.looks_like_name(name) and "Check the spelling.")
        raise self.error(token, f"There is no field {name}.", remedy or f'To look for it anywhere, write mqtt contains "{name}".')

    def call(self, called: Called) -> Call:
        name = called.name
        try:
            function = Function(name.text)
        except ValueError:
            remedy = f"There are {_FUNCTIONS} and topic."
            raise self.error(name, f"There is no function {name.text}.", remedy) from None
        if len(called.arguments) != 1 or not isinstance(called.arguments[0], Word | Subscripted):
            problem = f"{name.text} takes one field."
            raise FilterError(self.text, name.start, called.end, problem, f"Write {name.text}(mqtt.topic).")
        value = called.arguments[0]
        argument = self.operand(value)
        if not isinstance(argument, FieldRef):
            raise self.error(value, f"{name.text} takes a whole field.", "Leave out what stands in [ ].")
        spec = argument.spec
        allowed = {
            Function.LEN: spec.type in TEXTUAL and not spec.bare,
            Function.COUNT: True,
            Function.LOWER: spec.type is Type.STRING,
            Function.UPPER: spec.type is Type.STRING,
            Function.STRING: spec.type in (Type.UINT, Type.IPV4, Type.IPV6),
        }
        if not allowed[function]:
            wanted = {Function.LEN: "text or bytes", Function.STRING: "a number or an address"}.get(function, "text")
            remedy = "Bytes have no case: use matches, which ignores it." if spec.type is Type.BYTES else f"Use {spec.name} itself."
            raise self.error(value, f"{spec.name} is {spec.type.value}, and {name.text} takes {wanted}.", remedy)
        return Call(function, argument)

    def masked(self, inner: Value, mask: Value) -> Masked:
        operand = self.operand(inner)
        if not isinstance(operand, FieldRef) or operand.type is not Type.UINT:
            name = field_of(operand).spec.name
            remedy = f"Write {name} == 1." if operand.type is Type.BOOL else "Compare it with == instead."
            raise self.error(inner, f"{name} is {operand.type.value}: only the bits of a number can be tested.", remedy)
        number = integer(mask.token.text) if isinstance(mask, Word) else None
        if number is None and isinstance(mask, Quoted) and mask.token.kind is Kind.CHARACTER:
            number = mask.token.value[0]
        if number is None or number < 0:
            raise self.error(mask, "A number must follow &.", "Write the mask as 0x08.")
        if number > operand.spec.maximum:
            raise self.error(mask, f"The mask is too large for {operand.spec.name}.", f"At most {operand.spec.maximum:#x} is possible.")
        return Masked(operand, number)

    def subscripted(self, value: Subscripted, inner: Word | Called, subscripts: tuple[Subscript, ...]) -> Operand:
        operand = self.operand(inner)
        assert isinstance(operand, FieldRef | Call)
        path: list[str | int] = []
        keyed = isinstance(operand, FieldRef) and operand.spec.keyed
        rest = list(subscripts)
        while rest and keyed and (rest[0].key is not None or operand.type is Type.JSON):
            path.append(self.step(rest.pop(0)))
            keyed = operand.type is Type.JSON
        if path and isinstance(operand, FieldRef):
            operand = FieldRef(operand.spec, tuple(path))
        if not rest:
            return operand
        if operand.type not in TEXTUAL or field_of(operand).spec.bare:
            problem = f"{field_of(operand).spec.name} is {operand.type.value}: it has no parts."
            raise FilterError(self.text, rest[0].start, rest[0].end, problem, "Only text and bytes have parts. Bits are tested with &.")
        if len(rest) > 1:
            raise FilterError(self.text, rest[1].start, rest[1].end, "A part has no parts.", "Write one [ ], such as [2:1].")
        return Sliced(operand, tuple(self.part(rest[0], text) for text in rest[0].text.split(",")))

    def step(self, subscript: Subscript) -> str | int:
        if subscript.key is not None:
            return subscript.key.value.decode("utf-8", "replace")
        if not re.fullmatch(r"[0-9]{1,9}", subscript.text, re.ASCII):
            problem = "This is neither a name nor a number."
            raise FilterError(self.text, subscript.start, subscript.end, problem, 'Write mqtttui.json["temp"] or mqtttui.json[0].')
        return int(subscript.text)

    def part(self, subscript: Subscript, text: str) -> Part:
        remedy = "Write [3], [0:4], [-2:] or [0-3]."
        match = _RANGE.match(text)
        if match is None:
            raise FilterError(self.text, subscript.start, subscript.end, "This is no part of text or bytes.", remedy)
        numbers = [int(group[:12]) for group in match.group(1, 3, 4, 5) if group]
        if any(abs(number) > _MAX_OFFSET for number in numbers):
            raise FilterError(self.text, subscript.start, subscript.end, "The number is too large.", remedy)
        first, colon, count, last, upto = match.groups()
        if upto is not None:
            start, length = 0, int(upto)
        elif last is not None:
            start = int(first)
            if (start < 0) != (int(last) < 0) or start >= int(last):
                raise FilterError(self.text, subscript.start, subscript.end, f"{text} is no range.", "Write the smaller one first: [0-3].")
            length = int(last) - start + 1
        elif colon is None:
            start, length = int(first), 1
        elif count is None:
            return Part(int(first), None)
        else:
            start, length = int(first), int(count)
        if length < 1:
            raise FilterError(self.text, subscript.start, subscript.end, "The part has no bytes.", remedy)
        return Part(start, length)

    # --- errors

    def error(self, where: Value | Token, problem: str, remedy: str = "") -> FilterError:
        start, end = (where.start, where.end) if isinstance(where, Token) else span(where)
        return FilterError(self.text, start, end, problem, remedy)


def _together(left: Operand, right: Operand) -> str:
    if {left.type, right.type} == {Type.STRING, Type.BYTES}:
        return "Compare parts of both: [0:4] on either side."
    return "Compare it with a value."


def _inside(word: str) -> str:
    """A remedy for a step into JSON or a user property that is written with a dot."""
    for name in _KEYED:
        if word.startswith(f"{name}."):
            return f'Write {name}["{word.removeprefix(name + ".")}"].'
    return ""


def _nearest(word: str) -> str:
    """A remedy that names the field which `word` probably means; empty if there is none."""
    lower = word.lower()
    if lower in FIELDS:
        return f"Write {lower}: names are in small letters."
    near = get_close_matches(lower[:100], FIELDS, 1, 0.8)
    if not near and "." not in lower:
        near = [name for name in FIELDS if name.rpartition(".")[2] == lower][:1]
    return f"Is {near[0]} meant?" if near else ""
