"""Regular expressions: what PCRE2 finds over bytes, what is refused, and that nothing takes long."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mqtttui.capture.recorder import Recorder
from mqtttui.filters.compiler import compile_filter
from mqtttui.filters.errors import FilterError
from mqtttui.filters.lexer import quote
from mqtttui.filters.patterns import MAX_PATTERN, PatternError, compile_pattern
from mqtttui.filters.row import Row
from mqtttui.protocol.enums import Version
from mqtttui.protocol.packets import Publish, encode
from tests.support.filtering import golden_log


def finds(pattern: bytes, data: bytes) -> bool:
    return compile_pattern(pattern).finds(data, 1.0)


@pytest.mark.parametrize(
    ("pattern", "found", "missed"),
    [
        (b"TEMP$", b"sensors/temp", b"temps"),
        (b"(?-i)temp", b"temp", b"TEMP"),
        (b"a(?-i)b", b"Ab", b"AB"),
        (b"(?-i:a)b", b"aB", b"AB"),
        (b"^caf../", "café/".encode(), b"caf/"),
        ("É".encode(), "É".encode(), "é".encode()),
        ("[é]x".encode(), b"\xa9x", b"ex"),
        (b"a.b", b"axb", b"a\nb"),
        (b"(?s)a.b", b"a\nb", b"ab"),
        (b"^b", b"b", b"a\nb"),
        (b"(?m)^b", b"a\nb", b"ab"),
        (b"a$", b"a\n", b"a\nb"),
        (rb"a\z", b"a", b"a\n"),
        (rb"a\Z", b"a\n", b"a\nb"),
        (rb"(?-i)[[:upper:]]", b"aB", b"ab"),
        (rb"[[:^digit:]]", b"1a", b"12"),
        (rb"[^[:alpha:]\d]", b"a_", b"a1"),
        (rb"[]a]", b"]", b"b"),
        (rb"[a\]-]", b"-", b"b"),
        (rb"[\x41-\x43]", b"b", b"d"),
        (rb"[a&&b|-~]", b"&", b"c"),
        (rb"\Qa.b\E.", b"a.bc", b"axbc"),
        (rb"\x{7b}\o{42}\101", b'{"A', b"{A"),
        (rb"\cJ", b"\n", b"J"),
        (rb"\h\v", b"\t\n", b"\n\t"),
        (rb"a\Rb", b"a\r\nb", b"a\n\nb"),
        (rb"\N+x", b"ax", b"\nx"),
        (b"a{2}", b"aa", b"a"),
        (b"a{,2}", b"a{,2}", b"aa"),
        (b"x{e<=1}", b"x{e<=1}", b"x"),
        (b"a++b", b"aab", b"ac"),
        (rb"(.)\1", b"aa", b"ab"),
        (rb"(?<x>a)(?P=x)", b"aa", b"ab"),
        (b"a(?#comment)b", b"ab", b"a"),
        (b"(?|a|b)c", b"bc", b"cc"),
        (b"(?<=a)b(?!c)", b"abd", b"abc"),
        (rb"\bone\b", b"one two", b"phone"),
        (rb"\\", b"\\", b"/"),
        (b"", b"", None),
        (b"\0", b"a\0b", b"ab"),
    ],
)
def test_what_is_found(pattern: bytes, found: bytes, missed: bytes | None) -> None:
    assert finds(pattern, found)
    assert missed is None or not finds(pattern, missed)


@pytest.mark.parametrize(
    ("pattern", "place"),
    [
        (b"[", b"["),
        (b"ab[c", b"[c"),
        (b"(a", b"("),
        (b"a)", b")"),
        (b"a\\", b"\\"),
        (rb"\p{Lu}", rb"\p"),
        (rb"a\Kb", rb"\K"),
        (rb"a\X", rb"\X"),
        (rb"\y", rb"\y"),
        (b"(?R)", b"(?R"),
        (b"(?x)a b", b"x"),
        (b"(*UTF)a", b"(*"),
        (b"[[:foo:]]", b"[:foo:]"),
        (b"[[.a.]]", b"[."),
        (b"[z-a]", b"[z-a"),
        (b"a{3,1}", b"{3,1}"),
        (b"(a{1000}){1000}", b"{1000}"),
        (rb"\x{100}", rb"\x{100}"),
        (b"*a", b"*"),
        (b"a|+", b"+"),
        (b"^*", b"*"),
        (b"a**", b"*"),
        (b"(?i)?", b"?"),
        (rb"\b{2}", b"{2}"),
        (b"(?<n>a)(?<n>b)", b"(?<n>"),
    ],
)
def test_what_is_refused_and_where(pattern: bytes, place: bytes) -> None:
    with pytest.raises(PatternError) as caught:
        compile_pattern(pattern)
    error = caught.value
    assert pattern[error.start : error.end] == place
    assert error.problem.endswith(".") and error.remedy.endswith(".")


def test_the_place_is_in_the_filter() -> None:
    for text, place in (
        ('mqtt.topic matches "ab(c"', "("),
        ('mqtt.topic matches r"é\\p{L}"', "\\p"),
        ('mqtt.topic matches "a\\\\p"', '"a\\\\p"'),
    ):
        with pytest.raises(FilterError) as caught:
            compile_filter(text)
        assert text[caught.value.start : caught.value.end] == place


def test_patterns_are_bounded() -> None:
    for pattern in (b"a" * (MAX_PATTERN + 1), b"(" * 500, b"(?:" * 300, b"((((a{9}){9}){9}){9}){9}"):
        with pytest.raises(PatternError):
            compile_pattern(pattern)


def test_a_pattern_that_takes_too_long_does_not_match_and_is_counted() -> None:
    log = golden_log()
    payload = b"a" * 100 + b"b"
    connection = log.open_connection(peer="evil", origin=log.connection(0).origin, mono=0, wall=0)
    recorder = Recorder(log, connection)
    for _ in range(3):
        recorder.inbound(encode(Publish("t", payload), Version.V311), 0, 0)
    found = compile_filter('mqtt.msg matches "(a|aa)+$"')
    start = time.monotonic()
    assert [no for no in log.numbers(44) if found.matches(Row(log, no))] == []
    assert time.monotonic() - start < 5
    assert found.timeouts == 3


def test_the_time_shrinks_when_much_of_it_was_wasted() -> None:
    now = [0.0]

    def clock() -> float:
        now[0] += 0.6
        return now[0]

    found = compile_filter('mqtt.msg matches "(a|aa)+$"', clock=clock)
    allowed: list[float] = []

    class Slow:
        def finds(self, data: bytes, seconds: float) -> bool:
            allowed.append(seconds)
            raise TimeoutError

    for _ in range(3):
        found.budget.finds(Slow(), b"")  # type: ignore[arg-type]
    assert allowed[0] == allowed[1] > allowed[2]
    assert found.timeouts == 3


PIECES = st.sampled_from(
    [
        b"a",
        b"b",
        b".",
        b"*",
        b"+",
        b"?",
        b"(",
        b")",
        b"(?:",
        b"(?i)",
        b"(?-i:",
        b"[",
        b"]",
        b"[^",
        b"[a-z]",
        b"[[:alpha:]]",
        b"-",
        b"^",
        b"$",
        b"|",
        b"{2}",
        b"{1,3}",
        b"{",
        b"}",
        b"\\",
        b"\\d",
        b"\\Q",
        b"\\E",
        b"\\x41",
        b"\\1",
        b"\\b",
        b"\\R",
        b"\\h",
        b"\xe9",
        b"\x00",
        b"(?<n>",
        b"(?P=n)",
    ]
)


@settings(max_examples=500, deadline=None)
@given(st.lists(PIECES, max_size=12).map(b"".join) | st.binary(max_size=20), st.binary(max_size=20))
def test_any_bytes_are_a_pattern_or_an_error(pattern: bytes, data: bytes) -> None:
    try:
        found = compile_pattern(pattern)
    except PatternError as error:
        assert 0 <= error.start <= error.end <= len(pattern)
        with pytest.raises(FilterError):
            compile_filter(f"mqtt.msg matches {quote(pattern)}")
        return
    try:
        assert found.finds(data, 0.2) in (True, False)
    except TimeoutError:
        return


@given(st.binary(max_size=20), st.binary(max_size=20))
def test_every_byte_can_be_quoted(wanted: bytes, data: bytes) -> None:
    pattern = b"(?-i)" + b"".join(b"\\x%02x" % byte for byte in wanted)
    assert finds(pattern, data) == (wanted in data)
