"""Topics, filters and whether they match."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mqtttui.protocol.enums import Version
from mqtttui.protocol.topics import check_filter, check_topic, matches, overlap
from tests.support import strategies

MATCHES = [
    # The examples of sections 4.7.1 and 4.7.2, and the borders around them.
    ("sport/tennis/player1/#", "sport/tennis/player1", True),
    ("sport/tennis/player1/#", "sport/tennis/player1/ranking", True),
    ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", True),
    ("sport/tennis/player1/#", "sport/tennis/player10", False),
    ("sport/#", "sport", True),
    ("#", "any/thing", True),
    ("sport/tennis/+", "sport/tennis/player1", True),
    ("sport/tennis/+", "sport/tennis/player1/ranking", False),
    ("sport/+", "sport", False),
    ("sport/+", "sport/", True),
    ("+/+", "/finance", True),
    ("/+", "/finance", True),
    ("+", "/finance", False),
    ("#", "$SYS/x", False),
    ("+/monitor/Clients", "$SYS/monitor/Clients", False),
    ("$SYS/#", "$SYS/x/y", True),
    ("$SYS/monitor/+", "$SYS/monitor/Clients", True),
    ("$share/group/a/+", "a/b", True),
    ("$share/group/#", "a/b", True),
    ("$share/group/#", "$SYS/x", False),
    ("$share/group/$SYS/#", "$SYS/x", True),
    ("a/b", "a/B", False),
    ("a//b", "a/b", False),
    ("a/+/b", "a//b", True),
    ("a/b/#", "a", False),
    ("+", "", True),
]


@pytest.mark.parametrize(("filter", "topic", "expected"), MATCHES)
def test_matches(filter: str, topic: str, *, expected: bool) -> None:
    assert matches(filter.encode(), topic.encode()) is expected


@given(strategies.topics)
def test_a_topic_matches_itself_and_its_wildcards(topic: str) -> None:
    raw = topic.encode()
    assert matches(raw, raw)
    hidden = raw.startswith(b"$")
    assert matches(b"#", raw) is not hidden
    levels = raw.split(b"/")
    for index in range(len(levels)):
        single = b"/".join([*levels[:index], b"+", *levels[index + 1 :]])
        assert matches(single, raw) is (not hidden or index > 0)
        assert matches(b"/".join([*levels[: index + 1], b"#"]), raw)


@given(st.binary(max_size=20), st.binary(max_size=20))
def test_matching_never_raises(filter: bytes, topic: bytes) -> None:
    assert matches(filter, topic) in (True, False)


@given(strategies.topics, strategies.versions)
def test_good_topics(topic: str, version: Version) -> None:
    assert check_topic(topic, version) is None
    assert check_filter(topic, version) is None


@given(strategies.filters, strategies.versions)
def test_good_filters(filter: str, version: Version) -> None:
    assert check_filter(filter, version) is None
    assert check_filter(f"$share/g/{filter}", version) is None


@pytest.mark.parametrize(
    ("topic", "part"),
    [("", "empty"), ("a/+", "+"), ("a/#", "#"), ("a\0", "NUL"), (b"a\xff", "UTF-8"), ("x" * 65_536, "65,535"), ("\udcff", "UTF-8")],
)
def test_bad_topics(topic: str | bytes, part: str) -> None:
    problem = check_topic(topic, Version.V5)
    assert problem is not None and part in problem and problem.isprintable()


@pytest.mark.parametrize(
    ("filter", "version", "part"),
    [
        ("", Version.V311, "empty"),
        ("a/#/b", Version.V311, "not at the end"),
        ("a#", Version.V311, "alone"),
        ("a/b+", Version.V311, "alone"),
        ("++", Version.V5, "alone"),
        ("a\0", Version.V5, "NUL"),
        (b"\xff", Version.V5, "UTF-8"),
        ("$share/", Version.V5, "share name"),
        ("$share/g", Version.V5, "nothing follows"),
        ("$share/g/", Version.V5, "nothing follows"),
        ("$share/g+/t", Version.V5, "share name"),
    ],
)
def test_bad_filters(filter: str | bytes, version: Version, part: str) -> None:
    problem = check_filter(filter, version)
    assert problem is not None and part in problem


def test_share_is_an_ordinary_level_before_5() -> None:
    assert check_filter("$share/g", Version.V311) is None


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("a/+", "+/b", True),
        ("a/#", "a", True),
        ("a/+/c", "a/#", True),
        ("$share/g/a/#", "a/b", True),
        ("a", "b", False),
        ("a/+", "a", False),
        ("a/b", "a/b/c", False),
        ("#", "$SYS/#", False),
        ("+/x", "$SYS/x", False),
        ("$SYS/#", "$SYS/broker/+", True),
    ],
)
def test_filters_that_can_bring_the_same_message(one: str, other: str, expected: bool) -> None:
    assert overlap(one.encode(), other.encode()) is expected
    assert overlap(other.encode(), one.encode()) is expected
