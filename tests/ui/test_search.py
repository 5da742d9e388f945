"""Find: what is a hit, and how a hunt goes through the rows."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mqtttui.capture.log import Log
from mqtttui.protocol.enums import Version
from mqtttui.protocol.packets import Connect, Publish
from mqtttui.ui.rows import Rows
from mqtttui.ui.search import Hunt, Kind, Search, SearchError, Where, hit_test
from tests.support.screen import Feed


def _log() -> tuple[Log, Rows]:
    log = Log()
    feed = Feed(log, Version.V311)
    feed.send(Connect(client_id="dev-7", username="eve", password=b"hunter2"))
    feed.receive(Publish("sensors/a/Temp", b"21.5"), Publish("x", b"\x00\xff\x1b[31m"), Publish("sensors/b/hum", b"(a+)+"))
    rows = Rows(log)
    rows.refresh()
    return log, rows


@pytest.mark.parametrize(
    ("search", "hits"),
    [
        (Search("temp"), [2]),
        (Search("Temp"), [2]),
        (Search("TEMP"), []),
        (Search("sensors/"), [2, 4]),
        (Search("connect command"), [1]),
        (Search("(a+)+"), [4]),
        (Search(r"sensors/\w+/(temp|hum)", Kind.REGEX), [2, 4]),
        (Search("keep alive", where=Where.FIELDS), [1]),
        (Search("hunter2", where=Where.FIELDS), []),
        (Search("hunter2", where=Where.BYTES), [1]),
        (Search(r"\x1b[31m", where=Where.BYTES), [3]),
        (Search("00 ff 1b", Kind.HEX), [3]),
        (Search("00FF1B", Kind.HEX), [3]),
        (Search("\\xff", where=Where.BYTES), [3]),
    ],
)
def test_hits(search: Search, hits: list[int]) -> None:
    log, rows = _log()
    test = hit_test(search)
    assert [no for no in (rows.number(index) for index in range(len(rows))) if test(log, no)] == hits


@pytest.mark.parametrize(
    ("search", "words"),
    [
        (Search(""), "nothing to find"),
        (Search("(", Kind.REGEX), "not a regular expression"),
        (Search("xyz", Kind.HEX), "not hexadecimal"),
        (Search("x" * 2_000), "too many"),
        (Search("a\\q"), "backslash"),
    ],
)
def test_words_that_cannot_be_searched_for(search: Search, words: str) -> None:
    with pytest.raises(SearchError, match=words):
        hit_test(search)


def test_a_hunt_goes_on_from_the_row_and_comes_around() -> None:
    log, rows = _log()
    found = []
    at = 0
    for _ in range(3):
        hunt = Hunt(Search("sensors"), log, rows, at)
        assert hunt.advance(lambda: 0, 1)
        assert hunt.found is not None
        found.append(hunt.found)
        at = rows.index(hunt.found)
    assert found == [2, 4, 2]
    back = Hunt(Search("sensors"), log, rows, 0, -1)
    assert back.advance(lambda: 0, 1) and back.found == 4


def test_a_hunt_takes_slices_and_ends_without_a_hit() -> None:
    log = Log()
    feed = Feed(log, Version.V311)
    feed.receive(*(Publish(f"t/{n}", b"x") for n in range(200)))
    rows = Rows(log)
    rows.refresh()
    hunt = Hunt(Search("nowhere"), log, rows, 0)
    clock = itertools.count(0, 10)
    slices = 1
    while not hunt.advance(lambda: next(clock), 15):
        slices += 1
    assert slices > 3
    assert (hunt.found, hunt.tested) == (None, 200)


def test_a_pattern_without_end_is_stopped() -> None:
    log = Log()
    feed = Feed(log, Version.V311)
    feed.receive(Publish("t", b"a" * 40 + b"!"))
    assert hit_test(Search("(a|a)+$", Kind.REGEX, Where.BYTES))(log, 1) is False


@given(st.text(max_size=60), st.sampled_from(list(Kind)), st.sampled_from(list(Where)))
def test_any_words_are_searched_for_or_refused(words: str, kind: Kind, where: Where) -> None:
    log, _ = _log()
    try:
        test = hit_test(Search(words, kind, where))
    except SearchError as error:
        assert str(error)
        return
    for no in range(1, 5):
        assert test(log, no) in (True, False)
