"""Lexer, parser and checker: what is a filter, what it means, and where and why something is none."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mqtttui.capture.log import Log, Origin
from mqtttui.capture.recorder import Recorder
from mqtttui.filters.ast import And, BitTest, Compare, Exists, In, Not, Or, Quantifier, Relation
from mqtttui.filters.compiler import compile_filter
from mqtttui.filters.errors import FilterError
from mqtttui.filters.fields import FIELDS
from mqtttui.filters.lexer import MAX_TEXT, Kind, quote, tokens
from mqtttui.filters.row import Row
from mqtttui.filters.sources import source_of
from mqtttui.filters.types import Type
from mqtttui.protocol.enums import Direction, Version
from tests.support import strategies
from tests.support.filter_generator import Generator
from tests.support.filtering import paired, selected, shared_golden_log


def refused(text: str) -> FilterError:
    with pytest.raises(FilterError) as caught:
        compile_filter(text)
    error = caught.value
    assert error.text == text
    assert 0 <= error.start <= error.end <= len(text)
    assert error.problem and error.problem[-1] in ".!?"
    return error


# --- meaning


def test_other_spellings_mean_the_same() -> None:
    for one, two in (
        ("mqtt.qos == 1", "mqtt.qos eq 1"),
        ("mqtt.qos != 1", "mqtt.qos all_ne 1"),
        ("mqtt.qos === 1", "all mqtt.qos == 1"),
        ("mqtt.qos !== 1", "any mqtt.qos ne 1"),
        ("mqtt.qos ~= 1", "mqtt.qos any_ne 1"),
        ("mqtt.qos && mqtt.retain", "mqtt.qos and mqtt.retain"),
        ("mqtt.qos || !mqtt.retain", "mqtt.qos or not mqtt.retain"),
        ('mqtt.topic ~ "a"', 'mqtt.topic matches "a"'),
        ("mqtt.hdrflags & 8", "mqtt.hdrflags bitwise_and 0x08"),
        ("mqtt.qos == 01", "mqtt.qos == 0b1"),
        ("mqtt.msg == 7b:22", "mqtt.msg == 7B22"),
        ("mqtt.msg == 7b:22", "mqtt.msg == 7b-22"),
        ("mqtt.topic[0-3] == 61:62:63:64", "mqtt.topic[:4] == 61:62:63:64"),
        ("((mqtt.qos))", "mqtt.qos"),
        ("not not mqtt.qos", "mqtt.qos"),
        (r'mqtt.topic == "\x61"', "mqtt.topic == 'a'"),
        ('mqtt.msgtype == "PUBLISH message"', "mqtt.msgtype == 3"),
        ("mqtt.retain == TRUE", 'mqtt.retain == "set"'),
    ):
        assert compile_filter(one).tree == compile_filter(two).tree, (one, two)


def test_precedence() -> None:
    tree = compile_filter("mqtt.qos or mqtt.retain and not mqtt.dupflag == 1").tree
    assert isinstance(tree, Or) and isinstance(tree.parts[0], Exists)
    both = tree.parts[1]
    assert isinstance(both, And) and isinstance(both.parts[1], Not) and isinstance(both.parts[1].part, Compare)


def test_operators_become_relation_and_quantifier() -> None:
    def found(text: str) -> tuple[Relation, Quantifier]:
        tree = compile_filter(text).tree
        assert isinstance(tree, Compare)
        return tree.relation, tree.quantifier

    assert found("mqtt.qos == 1") == (Relation.EQ, Quantifier.ANY)
    assert found("mqtt.qos != 1") == (Relation.NE, Quantifier.ALL)
    assert found("any mqtt.qos != 1") == (Relation.NE, Quantifier.ANY)
    assert found("all mqtt.qos < 1") == (Relation.LT, Quantifier.ALL)


def test_names_and_facts_about_a_filter() -> None:
    found = compile_filter('mqtt.topic contains "a" and topic(mqtt.topic, "a/#") or mqtttui.unacked')
    assert found.names == {"mqtt.topic", "mqtttui.unacked"}
    assert not found.portable and found.changes_later
    plain = compile_filter("mqtt.qos == 1 and len(mqtt.msg) > 3")
    assert plain.portable and not plain.changes_later and plain.names == {"mqtt.qos", "mqtt.msg"}
    assert not compile_filter('topic(mqtt.topic, "a/#")').portable
    assert isinstance(compile_filter("mqtt.hdrflags & 8").tree, BitTest)
    assert isinstance(compile_filter("mqtt.qos in {1..2}").tree, In)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ('topic(mqtt.topic, "sensors/+")', [3, 5, 6, 12, 14, 17, 21, 24]),
        ('topic(mqtt.topic, "sensors/#") and mqtt.msgtype == 3', [5, 6, 12, 14, 17, 21]),
        ('topic(mqtt.topic, "a/b")', [31, 33]),
        ('topic(mqtt.topic, "+/+/set") and mqtt.msgtype == 3', [8]),
        ('mqtt.msg == ""', [20, 21]),
        ("mqtt.msg[0:2] == 7b:22 and mqtt.msg[-1] == 0x7d", [12, 31, 33]),
        ("mqtt.topic[100]", []),
        ("mqtt.topic == mqtt.topic and mqtt.username", []),
        ("mqtt.kalive > 10 and mqtt.kalive < 100", [1, 27]),
        ("mqtt.clientid == user", []),
        ("mqtt.username in {root, user}", [1]),
        ("frame.time_epoch == 1700000000.041", [42]),
        ("ip.addr == 10.0.0.0/8 and mqtt.msgtype == 1", [1, 27, 42]),
        ("ipv6 or tls or websocket or frame.marked == 1 or frame.comment", []),
        ("ip and tcp and mqtt.ver", [1, 27, 42]),
        ("frame.packet_flags_direction == 2 and mqtt.msgtype == 14", [26]),
        ('frame.interface_name == "connection 2"', [42, 43]),
        ('mqtt.msg matches "^$"', [20, 21]),
        ('mqtt.msg_text contains "21"', [5, 14]),
    ],
)
def test_what_filters_select(text: str, numbers: list[int]) -> None:
    assert selected(text) == numbers


def test_every_field_can_be_asked_for() -> None:
    for name in FIELDS:
        selected(f"{name} and not {name}")


# --- what is refused


@pytest.mark.parametrize(
    ("text", "place", "remedy"),
    [
        ("", "", "Type a field name"),
        ("()", ")", "Type a field name"),
        ("mqtt.qos)", ")", "Take it away"),
        ("(mqtt.qos) == 1", "==", "take them away"),
        ("mqtt.qos = 1", "=", "Use =="),
        ("mqtt.qos | 1", "|", "||"),
        ("mqtt.qos == 1 2", "2", "between two tests"),
        ("all mqtt.topic", "", "in front of a test"),
        ("mqtt.tpoic", "mqtt.tpoic", "mqtt.topic"),
        ('topic == "a"', "topic", "mqtt.topic"),
        ('mqtt.retain == "True"', '"True"', "Not set"),
        ("mqtt.qos == 08", "08", "Write a number"),
        ("mqtt.hdrflags & 0xfff", "0xfff", "0xff"),
        ("mqtt.retain & 1", "mqtt.retain", "mqtt.retain == 1"),
        ("mqtt.msg == ff", "ff", "0xff"),
        ("mqtt.msg == 21.5", "21.5", '"21.5"'),
        ("mqtt.msg == abc", "abc", '"abc"'),
        ('mqtt.topic[0:0] == ""', "[0:0]", "[0:4]"),
        ('mqtt.topic[3-1] == ""', "[3-1]", "smaller one first"),
        ('mqtt.topic[a] == ""', "[a]", "[0:4]"),
        ('mqtt.topic[0][0] == "a"', "[0]", "one [ ]"),
        ("mqtt.topic[0", "[", "Add a ]"),
        ("mqtt.qos in {}", "{}", "{1, 2}"),
        ("mqtt.qos in 1", "1", "{1, 2}"),
        ("mqtt.qos in {1..}", "}", "{1, 2}"),
        ("mqtt.qos in {mqtt.retain}", "mqtt.retain", "Write numbers"),
        ("len(mqtt.topic) in {1}", "len(mqtt.topic)", "== and or"),
        ("len(mqtt.qos) == 1", "mqtt.qos", "mqtt.qos itself"),
        ("max(mqtt.qos) == 1", "max", "len, count"),
        ("len() == 1", "len()", "len(mqtt.topic)"),
        ('upper(mqtt.msg) == "A"', "mqtt.msg", "matches"),
        ("{mqtt.qos} == 1", "{", "left"),
        ("tcp.flags.syn == 1", "tcp.flags.syn", "Leave it out"),
        ("tcp.analysis.retransmission", "tcp.analysis.retransmission", "Leave it out"),
        ("tcp == 1", "1", ""),
        ("mqtt.msg_decoded_as", "mqtt.msg_decoded_as", "mqtt.msg"),
        ("ip.src == localhost", "localhost", "not looked up"),
        ("ip.src == 10.0.0.0/33", "10.0.0.0/33", "up to 32"),
        ('ip.src == "10.0.0.1"', '"10.0.0.1"', "without them"),
        ("ipv6.src == 10.0.0.1", "10.0.0.1", "::1"),
        ('frame.time > "yesterday"', '"yesterday"', "2024-05-31"),
        ('frame.time == "2023-02-31"', '"2023-02-31"', "2024-05-31"),
        ("frame.time_relative > 10ms", "10ms", "0.25"),
        ('mqtt.topic == "a', '"a', "Close it"),
        (r'mqtt.topic == "a\/b"', r"\/", "r"),
        (r'mqtt.topic == "\u0041"', r"\u0041", r"\x"),
        (r'mqtt.topic == "\777"', r"\777", r"\x"),
        ("mqtt.topic == ''", "''", "double quotes"),
        ("mqtt.topic matches 5", "5", '"^a/.*"'),
        ('topic(mqtt.topic, "a+")', '"a+"', "one level"),
        ("topic(mqtt.topic)", "topic(mqtt.topic)", 'topic(mqtt.topic, "a/+/#")'),
        ('topic(mqtt.qos, "a")', "mqtt.qos", "topic(mqtt.topic"),
        ('topic(mqtt.topic, "a") == 1', "==", "nothing beside"),
        ("mqtt.topic == mqtt.qos", "mqtt.qos", "Compare"),
        ("mqtt.retain == mqtt.qos", "mqtt.qos", "Compare"),
        ("1 == mqtt.qos", "1", "on the left"),
        ('"a" == "a"', '"a"', "in front"),
        ("mqtt.qos == 1 and", "", "must follow"),
        ("mqtt.qos == 1 // comment", "//", "Take it away"),
        ("mqtt.topic == $SYS", "$SYS", '"$SYS"'),
        ("mqtt.qos is 1", "is", "Use =="),
        ('mqtt.topic startswith "a"', "startswith", "matches"),
        ("mqtt.qos foo 1", "foo", "contains"),
        ("mqtt.qos mqtt.retain", "mqtt.retain", "“and”"),
        ("mqtt.topic == “a”", "“", "straight"),
        ("mqtttui.json.temp > 5", "mqtttui.json.temp", 'mqtttui.json["temp"]'),
        ("mqtt.nothinglikeit", "mqtt.nothinglikeit", "spelling"),
        ("mqtt.len + 2 == 4", "+", "their result"),
        ("mqtttui.json[] == 1", "[]", "mqtttui.json[0]"),
    ],
)
def test_place_and_remedy(text: str, place: str, remedy: str) -> None:
    error = refused(text)
    assert text[error.start : error.end] == place
    assert remedy in error.remedy


def test_picture_marks_the_place() -> None:
    assert refused("mqtt.qos == 300").picture() == "mqtt.qos == 300\n            ^~~"
    assert refused("mqtt.qos ==").picture() == "mqtt.qos ==\n           ^"
    assert "\x1b" not in refused("mqtt.qos == \x1b[2J").picture()


def test_it_is_bounded() -> None:
    for text in ("(" * 50_000, "(" * 5_000 + "mqtt", "(" * 150 + "mqtt" + ")" * 150, "len(" * 5_000, "a" * (MAX_TEXT + 1)):
        refused(text)
    assert selected("!" * 10_000 + "mqtt.ver") == [1, 27, 42]
    assert selected("(" * 100 + "mqtt.ver" + ")" * 100) == [1, 27, 42]
    assert selected(" or ".join(["mqtt.ver"] * 1_500)) == [1, 27, 42]
    assert selected("mqtt.msgid in {" + ", ".join(str(number) for number in range(1, 3_000)) + "} and mqtt.msgtype == 7") == [11]
    refused("mqtt.qos == " + "1" * 10_000)


# --- any text


SIGNS = st.sampled_from(
    [
        *[*FIELDS][:40],
        "mqtttui.json",
        "mqtttui.prop.user_property",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        "..",
        "==",
        "!=",
        "===",
        "!==",
        "<",
        ">",
        "&",
        "&&",
        "||",
        "!",
        "not",
        "and",
        "or",
        "any",
        "all",
        "in",
        "contains",
        "matches",
        "~",
        '"',
        "'",
        "\\",
        '"a"',
        'r"^a$"',
        '"["',
        "'x'",
        "1",
        "0x1f",
        "-1",
        "7b:22",
        "10.0.0.1",
        "::1",
        "1.5",
        "0:4",
        "-2:",
        "len",
        "count",
        "lower",
        "topic",
        "True",
        "\u202e",
        "\x1b",
        "\x00",
        "é",
        "�",
        " ",
    ]
)
filter_like = st.lists(SIGNS, max_size=14).map(" ".join) | st.lists(SIGNS, max_size=10).map("".join)


@settings(max_examples=400, deadline=None)
@given(st.text(max_size=40) | filter_like)
def test_any_text_is_a_filter_or_a_filter_error(text: str) -> None:
    try:
        found = compile_filter(text)
    except FilterError as error:
        assert 0 <= error.start <= error.end <= len(text)
        assert error.problem
        assert error.picture().count("\n") == 1
        return
    log = shared_golden_log()
    for no in (1, 3, 5, 12, 31):
        assert found.matches(Row(log, no)) in (True, False)
    assert compile_filter(str(found)).tree == found.tree


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(strategies.versions, strategies.directions, strategies.any_packet_bytes | st.binary(max_size=30)), max_size=6),
    st.integers(0, 1_000),
)
def test_any_bytes_can_be_asked_for_everything(chunks: list[tuple[Version, Direction, bytes]], seed: int) -> None:
    log = Log()
    for version, direction, chunk in chunks:
        number = log.open_connection(peer="any", origin=Origin.FILE, mono=0, wall=0, version=version)
        recorder = Recorder(log, number)
        (recorder.outbound if direction is Direction.C2S else recorder.inbound)(chunk, 0, 0)
        recorder.closed(1, "end")
    facts = paired(log)
    rows = [Row(log, no, facts) for no in log.numbers()]
    for spec in FIELDS.values():
        for row in rows:
            for value in source_of(spec)(row):
                assert isinstance(value, PYTHON_TYPES[spec.type]), (spec.name, value)
    comparable = [name for name, spec in FIELDS.items() if spec.type not in (Type.FLOAT, Type.JSON)]
    generator = Generator(log, comparable, seed)
    for _ in range(30):
        try:
            found = compile_filter(generator.filter())
        except FilterError:
            continue
        for row in rows:
            found.matches(row)


PYTHON_TYPES: dict[Type, type | tuple[type, ...]] = {
    Type.UINT: int,
    Type.FLOAT: float,
    Type.BOOL: bool,
    Type.STRING: bytes,
    Type.BYTES: bytes,
    Type.IPV4: int,
    Type.IPV6: int,
    Type.TIME: int,
    Type.DURATION: int,
    Type.NONE: type(None),
    Type.PROTOCOL: (bytes, type(None)),
    Type.JSON: type(None),
}


def test_times_are_local_unless_a_zone_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "EST5EDT")
    time.tzset()
    try:
        assert selected('frame.time == "2023-11-14 17:13:20"') == [1]
        assert selected('frame.time == "2023-11-14 22:13:20Z"') == [1]
        assert selected('frame.time == "Nov 14, 2023 17:13:20.001"') == [2]
        printed = str(compile_filter('frame.time == "2023-11-14 17:13:20"'))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert selected(printed) == [1]


def test_printing_gives_the_same_filter() -> None:
    generator = Generator(shared_golden_log(), [name for name in FIELDS if FIELDS[name].type.name not in ("FLOAT", "JSON")], 3)
    for _ in range(1_500):
        text = generator.filter()
        try:
            found = compile_filter(text)
        except FilterError:
            continue
        again = compile_filter(str(found))
        assert again.tree == found.tree, (text, str(found))
        assert str(again) == str(found)


@given(st.binary(max_size=30))
@example(b"${name}")
def test_quoted_bytes_are_read_back(value: bytes) -> None:
    token, end = tokens(quote(value))
    assert token.kind is Kind.TEXT and token.value == value and end.kind is Kind.END
    assert "${" not in token.text
