"""Quick search: what somebody means who types a word where a filter belongs.

Rules:
1. A single word, or text in double quotes, that is no field name and has no operator: topic or payload contains it,
   upper and lower case alike.
2. A word with MQTT wildcards as levels (`sensors/+/temp`, `a/#`): the topics that it selects, with their answers.
3. Everything else is a filter and stays as it is, also if it is a wrong one.
"""

from __future__ import annotations

import re

from mqtttui.filters.errors import FilterError
from mqtttui.filters.fields import FIELDS, refusal
from mqtttui.filters.lexer import KEYWORDS, Kind, Token, quote, tokens
from mqtttui.protocol.topics import wildcard_problem

_OPERATORS = re.compile(r"[\s\"'()\[\]{}!=<>&|~,]")
_SPECIAL = re.compile(r"[\\^$.|?*+()\[\]{}]")
_NAMES = frozenset(name.partition(".")[0] + "." for name in FIELDS)


def interpret(text: str) -> str:
    """The filter that `text` stands for: `text` itself unless it is a quick search."""
    word = text.strip()
    if not word or _is_name(word):
        return text
    if not _OPERATORS.search(word):
        return _wildcards(word) or _search(word.encode("utf-8", "surrogatepass"))
    token = _only_text(word)
    return text if token is None or not token.value else _search(token.value)


def is_quick(text: str) -> bool:
    """Whether `text` is a quick search."""
    return interpret(text) != text


def _is_name(word: str) -> bool:
    """Whether `word` is a name or looks like one, so that a mistyped name is said to be wrong."""
    like_a_name = "." in word and word.lower().partition(".")[0] + "." in _NAMES
    return word in FIELDS or word in KEYWORDS or refusal(word) is not None or like_a_name


def _only_text(word: str) -> Token | None:
    """The token if `word` is nothing but text in quotes."""
    try:
        found = tokens(word)
    except FilterError:
        return None
    return found[0] if len(found) == 2 and found[0].kind is Kind.TEXT else None


def _wildcards(word: str) -> str:
    levels = word.split("/")
    if "+" not in levels and levels[-1] != "#":
        return ""
    raw = word.encode("utf-8", "surrogatepass")
    return "" if wildcard_problem(raw) else f"topic(mqtttui.topic, {quote(raw)})"


def _search(wanted: bytes) -> str:
    has_case = wanted.lower() != wanted.upper()
    test = f"matches {pattern_text(wanted)}" if has_case else f"contains {quote(wanted)}"
    return f"mqtt.topic {test} or mqtt.msg {test}"


def pattern_text(wanted: bytes) -> str:
    """A literal, in quotes, whose pattern finds exactly `wanted`, upper and lower case alike."""
    shown = quote(wanted)
    if "\\" in shown:
        pattern = re.sub(rb"[\\^$.|?*+()\[\]{}]", rb"\\\g<0>", wanted)
        return quote(pattern)
    escaped = _SPECIAL.sub(r"\\\g<0>", shown[1:-1])
    return f'r"{escaped}"' if "\\" in escaped else shown
