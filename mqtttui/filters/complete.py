"""What may follow at the cursor: field names, operators, values, connecting words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mqtttui.filters.errors import FilterError
from mqtttui.filters.fields import FIELDS, FieldSpec
from mqtttui.filters.lexer import Kind, Token, tokens
from mqtttui.filters.parser import RELATIONS
from mqtttui.filters.types import ORDERED, TEXTUAL, Type

MAX_ITEMS = 60

_WORD_BEFORE = re.compile(r"[A-Za-z0-9_.]*\Z")
_WORD_AFTER = re.compile(r"[A-Za-z0-9_.]*")
_OPENING = frozenset({"and", "or", "not", "(", "any", "all"})
_VALUES_FOLLOW = RELATIONS | {"{", ",", ".."}

_CONNECTING = (("and", "both"), ("or", "one of both"))
_STARTING = (
    ("not", "the opposite"),
    ("any", "one occurrence at least"),
    ("all", "every occurrence"),
    ("len(", "length in bytes"),
    ("count(", "how many times it occurs"),
    ("lower(", "in small letters"),
    ("upper(", "in capital letters"),
    ("string(", "a number as text"),
    ("topic(", 'topic(mqtt.topic, "a/+/#"): MQTT wildcards'),
)
_COMPARING = (
    ("==", "is equal to"),
    ("!=", "none is equal to"),
    (">", "is larger than"),
    ("<", "is smaller than"),
    (">=", "is at least"),
    ("<=", "is at most"),
)
_SEARCHING = (("contains", "has this text or these bytes in it"), ("matches", "a regular expression, without regard to case"))
_SET = (("in", "is one of a set {1, 2..5}"),)
_MASK = (("&", "has one of these bits"),)
_COMMON = {
    name: rank
    for rank, name in enumerate(
        (
            "mqtt.topic",
            "mqtt.msgtype",
            "mqtt.msg",
            "mqtt.qos",
            "mqtt.retain",
            "mqtt.msgid",
            "mqtt.clientid",
            "mqtttui.topic",
            "mqtttui.unacked",
            "mqtttui.rtt",
            "mqtttui.expert.severity",
            "mqtttui.dir",
            "frame.number",
            "frame.time",
            "ip.addr",
        )
    )
}
"""What people look for most, offered first."""
_FLAGS = (("True", "set"), ("False", "not set"))


@dataclass(frozen=True, slots=True)
class Completion:
    """What could stand in place of the characters `start` to `end`."""

    start: int
    end: int
    items: tuple[tuple[str, str], ...]
    """What to insert, and what it means; the likeliest first."""


def complete(text: str, cursor: int) -> Completion:
    """What could stand at `cursor`. Never raises; nothing to offer is an empty completion."""
    cursor = max(0, min(cursor, len(text)))
    start = _open_quote(text[:cursor])
    quoted = start is not None
    if start is None:
        start = cursor - len(_WORD_BEFORE.search(text[:cursor]).group())  # type: ignore[union-attr]
    try:
        before = tokens(text[:start])[:-1]
    except FilterError:
        return Completion(cursor, cursor, ())
    partial = text[start:cursor]
    end = cursor
    if quoted:
        closing = text.find('"', cursor)
        end = closing + 1 if closing >= 0 and "\n" not in text[cursor:closing] else cursor
    elif after := _WORD_AFTER.match(text, cursor):
        end = after.end()
    items = tuple(_offers(before, partial, quoted=quoted))[:MAX_ITEMS]
    if len(items) == 1 and items[0][0] == text[start:end]:
        items = ()
    return Completion(start, end, items)


def _open_quote(head: str) -> int | None:
    """Where the quotes begin that are still open at the end of `head`."""
    at = 0
    while (at := head.find('"', at)) >= 0:
        end = at + 1
        while end < len(head) and head[end] != '"':
            end += 2 if head[end] == "\\" else 1
        if end >= len(head):
            return at
        at = end + 1
    return None


def _offers(before: list[Token], partial: str, *, quoted: bool) -> Iterator[tuple[str, str]]:
    last = before[-1] if before else None
    if last is None or last.text in _OPENING:
        if quoted:
            return
        in_function = last is not None and last.text == "(" and len(before) > 1 and before[-2].kind is Kind.WORD
        starting = () if in_function else tuple(_fitting(_STARTING, partial))
        likely, others = _fields(partial, _wanted(before))
        yield from (*likely, *starting, *others)
        return
    if last.text in _VALUES_FOLLOW and last.kind in (Kind.SYMBOL, Kind.KEYWORD):
        if spec := _left(before):
            yield from _fitting(_values(spec), partial.lower())
        return
    if quoted or last.text in ("contains", "matches", "&", "["):
        return
    spec = FIELDS.get(last.text) if last.kind is Kind.WORD else None
    compared = len(before) > 1 and before[-2].text in RELATIONS | {"contains", ".."}
    if spec is not None and not compared:
        yield from _fitting(_operators(spec), partial)
        yield from _fitting(_CONNECTING, partial)
    elif last.text in ("]", ")") and (inner := _closed(before)) is not None:
        yield from _fitting((*_COMPARING, *(_SEARCHING if inner else ())), partial)
        yield from _fitting(_CONNECTING, partial)
    else:
        yield from _fitting(_CONNECTING, partial)


def _wanted(before: list[Token]) -> frozenset[Type] | None:
    """Inside a function, the types of its fields; None for all."""
    if len(before) < 2 or before[-1].text != "(":
        return None
    return {
        "len": TEXTUAL,
        "lower": frozenset({Type.STRING}),
        "upper": frozenset({Type.STRING}),
        "topic": frozenset({Type.STRING}),
        "string": frozenset({Type.UINT, Type.IPV4, Type.IPV6}),
    }.get(before[-2].text)


def _fields(partial: str, types: frozenset[Type] | None) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Names that begin with `partial` or one part of which does, the common ones first; and those that have it inside."""
    lower = partial.lower()
    likely: list[tuple[int, int, str]] = []
    others: list[tuple[str, str]] = []
    for name, spec in FIELDS.items():
        at = name.find(lower)
        if at < 0 or (types is not None and spec.type not in types):
            continue
        if at == 0 or f".{lower}" in name:
            likely.append((0 if at == 0 else 1, _COMMON.get(name, len(_COMMON)), name))
        else:
            others.append((name, spec.description))
    likely.sort(key=lambda item: item[:2])
    return [(name, FIELDS[name].description) for _, _, name in likely], others


def _fitting(offers: Iterable[tuple[str, str]], partial: str) -> Iterator[tuple[str, str]]:
    wanted = partial.lower().lstrip('"')
    for insert, description in offers:
        if insert.lower().lstrip('"').startswith(wanted):
            yield insert, description


def _left(before: list[Token]) -> FieldSpec | None:
    """The field whose value stands at the end."""
    for token in reversed(before[:-1]):
        if token.kind is Kind.KEYWORD and token.text in ("and", "or"):
            return None
        if token.kind is Kind.WORD and token.text in FIELDS:
            return FIELDS[token.text]
    return None


def _values(spec: FieldSpec) -> Iterator[tuple[str, str]]:
    if spec.type is Type.BOOL:
        yield from _FLAGS
        return
    for number, text in spec.value_strings.items():
        yield f'"{text}"', str(number)
    for word in _WORDS.get(spec.name, ()):
        yield f'"{word}"', spec.description


_WORDS = {
    "mqtttui.dir": ("in", "out"),
    "mqtttui.op.state": ("open", "done", "failed"),
    "mqtttui.op.kind": ("connect", "subscribe", "unsubscribe", "publish", "ping", "authenticate", "request"),
    "mqtt.protoname": ("MQTT", "MQIsdp"),
}
"""Text fields with few values."""


def _operators(spec: FieldSpec) -> tuple[tuple[str, str], ...]:
    if spec.bare or spec.type not in ORDERED:
        return ()
    searching = _SEARCHING if spec.type in TEXTUAL or spec.type is Type.JSON else ()
    return (*_COMPARING, *searching, *_SET, *(_MASK if spec.type is Type.UINT else ()))


def _closed(before: list[Token]) -> bool | None:
    """Of the bracket that closes at the end: whether text stands in front; None if it is a test in parentheses."""
    close = before[-1].text
    opening = {")": "(", "]": "["}[close]
    depth = 0
    for index in range(len(before) - 1, -1, -1):
        depth += (before[index].text == close) - (before[index].text == opening)
        if depth == 0:
            name = before[index - 1] if index else None
            if name is None or name.kind is not Kind.WORD or name.text == "topic":
                return None
            return close == "]" or name.text in ("lower", "upper", "string")
    return None
