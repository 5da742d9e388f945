"""Words that become filters, completion at the cursor, and what is said about a filter."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mqtttui.filters.ast import walk
from mqtttui.filters.compiler import compile_filter
from mqtttui.filters.complete import MAX_ITEMS, complete
from mqtttui.filters.fields import FIELDS
from mqtttui.filters.hints import TRAPS
from mqtttui.filters.quick import interpret, is_quick, pattern_text
from tests.support.filtering import selected

# --- quick search


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("temp", 'mqtt.topic matches "temp" or mqtt.msg matches "temp"'),
        (" temp ", 'mqtt.topic matches "temp" or mqtt.msg matches "temp"'),
        ('"living room"', 'mqtt.topic matches "living room" or mqtt.msg matches "living room"'),
        ("21.5", 'mqtt.topic contains "21.5" or mqtt.msg contains "21.5"'),
        ("a.b", r'mqtt.topic matches r"a\.b" or mqtt.msg matches r"a\.b"'),
        ("sensors/temp", 'mqtt.topic matches "sensors/temp" or mqtt.msg matches "sensors/temp"'),
        ("sensors/+/temp", 'topic(mqtttui.topic, "sensors/+/temp")'),
        ("#", 'topic(mqtttui.topic, "#")'),
        ("$SYS/#", 'topic(mqtttui.topic, "$SYS/#")'),
        ("a+b", r'mqtt.topic matches r"a\+b" or mqtt.msg matches r"a\+b"'),
        ("a/#/b", 'mqtt.topic matches "a/#/b" or mqtt.msg matches "a/#/b"'),
        ("café", 'mqtt.topic matches "café" or mqtt.msg matches "café"'),
    ],
)
def test_quick_searches(text: str, meant: str) -> None:
    assert interpret(text) == meant
    assert is_quick(text)
    compile_filter(meant)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "mqtt",
        "mqtt.topic",
        "frame",
        "tcp",
        "mqtt.tpoic",
        "tcp.flags.syn",
        "mqtttui.foo",
        "MQTT.topic",
        "and",
        "not",
        "a b",
        "a == 1",
        '"a',
        '""',
        '{"a":1}',
        "!x",
        "len(x)",
        "a|b",
    ],
)
def test_everything_else_stays_a_filter(text: str) -> None:
    assert interpret(text) == text
    assert not is_quick(text)


def test_a_quick_search_ignores_case_and_finds_topics_and_payloads() -> None:
    assert selected(interpret("TEMP")) == [5, 12, 14, 21]
    assert selected(interpret("21.5")) == [5, 14]
    assert selected(interpret("mixed")) == [36]
    assert selected(interpret("sensors/+")) == [3, 5, 6, 12, 14, 17, 21, 24]


@given(st.text(max_size=20))
def test_interpreting_never_fails(text: str) -> None:
    meant = interpret(text)
    if meant != text:
        compile_filter(meant)


@given(st.binary(min_size=1, max_size=20))
@example(b'"')
@example(b"${name}")
@example(b"a\\")
@example(b'\\"')
def test_what_is_searched_for_is_found(wanted: bytes) -> None:
    found = compile_filter(f"mqtt.msg matches {pattern_text(wanted)}").tree
    (test,) = walk(found)
    assert test.pattern.finds(b"x" + wanted.swapcase() + b"y", 1.0)  # type: ignore[union-attr]


# --- completion


def offered(text: str) -> list[str]:
    return [insert for insert, _ in complete(text, len(text)).items]


def completed(text: str) -> str:
    """The text with the first offer in place."""
    found = complete(text, len(text))
    return text[: found.start] + found.items[0][0] + text[found.end :]


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("mqtt.to", "mqtt.topic"),
        ("topic", "mqtt.topic"),
        ("clientid", "mqtt.clientid"),
        ("mqtt.qos == 1 and mqtt.ret", "mqtt.qos == 1 and mqtt.retain"),
        ("not mqtt.ret", "not mqtt.retain"),
        ("(mqtt.ret", "(mqtt.retain"),
        ("receive_m", "mqtttui.prop.receive_maximum"),
        ("mqtt.topic co", "mqtt.topic contains"),
        ("mqtt.topic mat", "mqtt.topic matches"),
        ("mqtt.qos i", "mqtt.qos in"),
        ('mqtt.msgtype == "pub', 'mqtt.msgtype == "Publish Message"'),
        ("mqtt.msgtype == Pub", 'mqtt.msgtype == "Publish Message"'),
        ('mqtt.msgtype in {"Ping Request", "ping resp', 'mqtt.msgtype in {"Ping Request", "Ping Response"'),
        ("mqtt.retain == T", "mqtt.retain == True"),
        ('mqtttui.dir == "o', 'mqtttui.dir == "out"'),
        ("mqtttui.op.state == ", 'mqtttui.op.state == "open"'),
        ("mqtt.qos == 1 a", "mqtt.qos == 1 and"),
        ("(mqtt.qos == 1) o", "(mqtt.qos == 1) or"),
        ("len(mqtt.us", "len(mqtt.username"),
        ("mqtt.topic[0:4] con", "mqtt.topic[0:4] contains"),
        ("topic(mqtt.wi", "topic(mqtt.willtopic"),
        ("no", "not"),
        ("lo", "lower("),
        ("len(mqtt.topic) ", "len(mqtt.topic) =="),
    ],
)
def test_completion(text: str, result: str) -> None:
    assert completed(text) == result


def test_operators_fit_the_field() -> None:
    assert "contains" not in offered("mqtt.qos ") and "&" in offered("mqtt.qos ")
    assert "contains" in offered("mqtt.topic ") and "&" not in offered("mqtt.topic ")
    assert offered("mqtt.properties ") == ["and", "or"]
    assert offered('mqtt.topic == "a" ') == ["and", "or"]
    assert offered('topic(mqtt.topic, "a") ') == ["and", "or"]
    assert offered("mqtt.topic == ") == []
    assert offered('mqtt.topic contains "a') == []


def test_completion_inside_the_text() -> None:
    text = "mqtt.to == 1 and mqtt.qos"
    found = complete(text, 7)
    assert (found.start, found.end) == (0, 7)
    assert found.items[0][0] == "mqtt.topic"
    found = complete("mqtt.topic_x", 9)
    assert (found.start, found.end) == (0, 12)


def test_names_have_descriptions() -> None:
    assert all(spec.description and "\n" not in spec.description for spec in FIELDS.values())
    assert all(description for _, description in complete("", 0).items)


@given(st.text(max_size=30) | st.sampled_from(["mqtt.topic == ", 'mqtt.topic in {"a', "len(", "(((", "mqtt.topic["]), st.integers(-2, 40))
def test_completion_never_fails(text: str, cursor: int) -> None:
    found = complete(text, cursor)
    assert 0 <= found.start <= found.end <= len(text)
    assert len(found.items) <= MAX_ITEMS


# --- hints


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("mqtt.retain", "mqtt.retain == 1"),
        ("mqtt.qos == 1 and mqtt.dupflag", "mqtt.dupflag == 1"),
        ('mqtt.topic != "a"', "Packets without mqtt.topic"),
        ('mqtt.topic == "a"', "mqtt.msgtype == 3"),
        ("count(mqtt.topic) == 0", "never is 0"),
        ("frame.len > 100", "depends on the export"),
        ('frame contains "a"', "headers"),
        ("_ws.expert", "three checks"),
        ('_ws.col.info contains "a"', "4.2"),
        ('mqtt.msg_text contains "a"', "preference"),
        ('mqtt.msg contains "${name}"', "macro"),
        ("mqtttui.rtt > 5", "Wireshark does not know mqtttui.rtt."),
        ('topic(mqtt.topic, "a/#") and mqtttui.unacked', "Wireshark does not know mqtttui.unacked and topic(…)."),
    ],
)
def test_hints(text: str, words: str) -> None:
    assert any(words in hint for hint in compile_filter(text).hints)


def test_plain_filters_have_no_hints() -> None:
    for text in ('mqtt.msgtype == 3 and mqtt.topic == "a"', "mqtt.qos == 1", "mqtt.retain == 1", "mqtttui.unacked and mqtt.qos"):
        hints = compile_filter(text).hints
        assert not [hint for hint in hints if "does not know" not in hint], text


def test_the_traps_are_sentences() -> None:
    assert len(TRAPS) >= 12
    for shown, explanation in TRAPS:
        assert shown and explanation.endswith(".")
