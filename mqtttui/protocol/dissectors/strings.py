"""Strings of the wire and what can be wrong with them: UTF-8, characters, wildcards (sections 1.5.4 and 4.7)."""

from __future__ import annotations

import re

from mqtttui.protocol import facts, topics
from mqtttui.protocol.dissectors import show
from mqtttui.protocol.dissectors.tree import Draft, Tree, decoded
from mqtttui.protocol.enums import Version
from mqtttui.protocol.fact import Fact

_WILDCARD = re.compile(rb"[+#]")
_HARMLESS = re.compile(rb"[ -~]*")
_CONTROL = re.compile(
    "[\x01-\x1f\x7f-\x9f\ufdd0-\ufdef" + "".join(chr(plane << 16 | 0xFFFE) + chr(plane << 16 | 0xFFFF) for plane in range(17)) + "]"
)
_TOPIC_NUL = {Version.V311: "MQTT-1.5.3-2, MQTT-4.7.3-2", Version.V5: "MQTT-1.5.4-2, MQTT-4.7.3-2"}


def string(tree: Tree, length: Fact, fact: Fact, *, topic: bool = False, pair: bool = False) -> tuple[bytes, Draft]:
    """A length and a UTF-8 string, with notes on its characters; the string has a node even if it is empty."""
    count, _ = tree.counted(length, fact.name)
    return _string(tree, count, fact, topic=topic, pair=pair)


def topic(tree: Tree, length: Fact, fact: Fact) -> tuple[bytes, Draft]:
    """A length and a topic or filter. An empty one is an error on the length, and has no node of its own."""
    count, draft = tree.counted(length, fact.name)
    if count:
        return _string(tree, count, fact, topic=True)
    empty_topic(tree, draft, fact.name)
    return b"", draft


def empty_topic(tree: Tree, length: Draft, name: str) -> None:
    """Note B05 on the length of an empty topic or filter."""
    tree.generated(facts.ILLEGAL_TOPIC_LENGTH, None, f"{name} must not be empty")
    tree.note("B05", length, f"{name} is empty; it must have at least one character.")


def _string(tree: Tree, count: int, fact: Fact, *, topic: bool = False, pair: bool = False) -> tuple[bytes, Draft]:
    raw = tree.raw[tree.position : tree.position + count]
    draft = tree.leaf(fact, tree.position + count, decoded(raw), show.string(raw))
    check_string(tree, draft, raw, topic=topic, pair=pair)
    return raw, draft


def binary(tree: Tree, length: Fact, fact: Fact) -> tuple[bytes, Draft]:
    """A length and any bytes."""
    count, _ = tree.counted(length, fact.name)
    raw = tree.raw[tree.position : tree.position + count]
    return raw, tree.leaf(fact, tree.position + count, raw, show.payload(raw, 0, count))


def check_string(tree: Tree, draft: Draft, raw: bytes, *, topic: bool = False, pair: bool = False) -> None:
    """Notes B01 to B04 on `draft`, which ends with the string `raw`."""
    if _HARMLESS.fullmatch(raw):
        return
    base = draft.end - len(raw)
    nul = raw.find(0)
    if nul >= 0:
        statement = _TOPIC_NUL.get(tree.version, "") if topic else ""
        text = f"{draft.name}: byte {nul} is NUL, which no string may contain."
        tree.note("B02", draft, text, span=(base + nul, base + nul + 1), statement=statement)
    try:
        string = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        statement = "MQTT-1.5.4-1, MQTT-1.5.7-1" if pair else ""
        text = f"{draft.name}: byte {error.start} (0x{raw[error.start]:02x}) is not UTF-8."
        tree.note("B01", draft, text, span=(base + error.start, base + error.end), statement=statement)
        return
    control = _CONTROL.search(string)
    if control:
        span = _span(string, control.start(), base)
        code = f"U+{ord(control.group()):04X}"
        text = f"{draft.name}: {code} at byte {span[0] - base} is a control or non-character, which a string should not contain."
        tree.note("B03", draft, text, span=span)
    mark = string.find("\ufeff")
    if mark >= 0:
        span = _span(string, mark, base)
        tree.note(
            "B04", draft, f"{draft.name}: an invisible U+FEFF at byte {span[0] - base} makes it differ from what it looks like.", span=span
        )


def _span(string: str, index: int, base: int) -> tuple[int, int]:
    start = base + len(string[:index].encode())
    return start, start + len(string[index].encode())


def check_no_wildcard(tree: Tree, check: str, draft: Draft, raw: bytes) -> None:
    """Note `check` if the topic `raw` has a wildcard."""
    found = _WILDCARD.search(raw)
    if found:
        start = draft.start + found.start()
        text = f"{draft.name}: {found.group().decode()} at byte {found.start()} is a wildcard, and only filters may have those."
        tree.note(check, draft, text, span=(start, start + 1))


def check_filter(tree: Tree, draft: Draft, raw: bytes) -> None:
    """Notes B09 to B12 on the filter `raw`."""
    shared = raw == b"$share" or topics.is_shared(raw)
    if shared:
        problem = topics.share_problem(raw)
        if problem:
            tree.note("B11", draft, f"Topic Filter: {problem}.")
        tree.note(
            "B12", draft, "$share/… is a shared subscription in MQTT 5 only; before it, some brokers have it as an extension of their own."
        )
    multi, single = topics.multi_level_problem(raw), topics.single_level_problem(raw)
    if multi:
        tree.note("B09", draft, f"Topic Filter: {multi}.")
    if single:
        tree.note("B10", draft, f"Topic Filter: {single}.")
