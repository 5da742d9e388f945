"""A checked tree as text that compiles to the same tree again."""

from __future__ import annotations

from mqtttui.filters.ast import (
    And,
    BitTest,
    Call,
    Compare,
    Contains,
    Exists,
    FieldRef,
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
from mqtttui.filters.lexer import quote

_BY_RELATION = {(Relation.EQ, Quantifier.ALL): "===", (Relation.NE, Quantifier.ALL): "!=", (Relation.NE, Quantifier.ANY): "!=="}


def text_of(node: Node) -> str:
    """The canonical text of `node`."""
    match node:
        case And(parts):
            return " and ".join(_in_parentheses(part, And | Or) for part in parts)
        case Or(parts):
            return " or ".join(_in_parentheses(part, Or) for part in parts)
        case Not(In(left, items, Quantifier.ANY)):
            return f"{operand_text(left)} not in {_set(items)}"
        case Not(part):
            return f"not {_in_parentheses(part, And | Or | Not)}" if isinstance(part, And | Or | Not) else f"!({text_of(part)})"
        case Exists(operand) | BitTest(operand):
            return operand_text(operand)
        case Compare(left, relation, right, quantifier):
            shown = right.text if isinstance(right, Literal) else operand_text(right)
            sign = _BY_RELATION.get((relation, quantifier))
            if sign is not None:
                return f"{operand_text(left)} {sign} {shown}"
            return f"{_quantified(left, quantifier)} {relation.value} {shown}"
        case Contains(left, right, quantifier):
            shown = right.text if isinstance(right, Literal) else operand_text(right)
            return f"{_quantified(left, quantifier)} contains {shown}"
        case Matches(left, pattern, quantifier):
            return f"{_quantified(left, quantifier)} matches {quote(pattern.source)}"
        case In(left, items, quantifier):
            return f"{_quantified(left, quantifier)} in {_set(items)}"
        case TopicMatch(operand, wanted):
            return f"topic({operand_text(operand)}, {quote(wanted)})"


def _in_parentheses(node: Node, kinds: object) -> str:
    text = text_of(node)
    return f"({text})" if isinstance(node, kinds) else text  # type: ignore[arg-type]


def _quantified(operand: Operand, quantifier: Quantifier) -> str:
    return f"{'all ' if quantifier is Quantifier.ALL else ''}{operand_text(operand)}"


def _set(items: tuple[Item, ...]) -> str:
    return "{" + ", ".join(item.low.text if item.high is None else f"{item.low.text} .. {item.high.text}" for item in items) + "}"


def operand_text(operand: Operand) -> str:
    """How an operand is written."""
    match operand:
        case FieldRef(spec, path):
            steps = "".join(f"[{step}]" if isinstance(step, int) else f"[{quote(step.encode('utf-8', 'surrogatepass'))}]" for step in path)
            return spec.name + steps
        case Sliced(inner, parts):
            return f"{operand_text(inner)}[{','.join(map(_part, parts))}]"
        case Masked(inner, mask):
            return f"{operand_text(inner)} & {mask:#x}"
        case Call(function, argument):
            return f"{function.value}({operand_text(argument)})"


def _part(part: Part) -> str:
    if part.count is None:
        return f"{part.start}:"
    return str(part.start) if part.count == 1 else f"{part.start}:{part.count}"
