"""Marks and comments: what they say, that they pin, and that changes are told."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mqtttui.capture.log import Log, Origin
from mqtttui.capture.marks import MAX_COMMENT, Marks
from mqtttui.capture.recorder import Recorder
from mqtttui.protocol.enums import Version
from mqtttui.protocol.packets import Publish, encode


def filled(count: int, limit: int | None = None) -> tuple[Log, Recorder]:
    log = Log(limit)
    recorder = Recorder(log, log.open_connection(peer="p", origin=Origin.OWN, mono=0, wall=0))
    for number in range(count):
        recorder.inbound(encode(Publish("t", str(number).encode() * 10), Version.V311), number, number)
    return log, recorder


def test_a_mark_is_set_and_taken_away() -> None:
    log, _ = filled(5)
    marks = Marks(log)
    assert marks.toggle(3) is True
    assert marks.toggle(2) is True
    assert marks.marked(3) and not marks.marked(1)
    assert marks.numbers() == [2, 3]
    assert log.pinned(3)
    assert marks.toggle(3) is False
    assert not log.pinned(3)
    assert marks.numbers() == [2]


def test_what_was_never_recorded_cannot_be_marked() -> None:
    log, _ = filled(2)
    marks = Marks(log)
    assert marks.toggle(7) is False
    assert marks.set_comment(7, "no") is False
    assert (marks.numbers(), marks.commented(), marks.position) == ([], [], 0)


def test_comments() -> None:
    log, _ = filled(5)
    marks = Marks(log)
    assert marks.set_comment(4, "  odd \n")
    assert marks.comment(4) == "odd"
    assert marks.comment(1) == ""
    assert marks.commented() == [4]
    assert marks.set_comment(4, "x" * (MAX_COMMENT + 5))
    assert len(marks.comment(4)) == MAX_COMMENT
    marks.toggle(4)
    assert marks.set_comment(4, "")
    assert marks.commented() == []
    assert log.pinned(4), "the mark still holds it"


def test_marked_packets_outlive_eviction_and_may_be_let_go_then() -> None:
    log, recorder = filled(10, 200_000)
    marks = Marks(log)
    marks.toggle(2)
    marks.set_comment(3, "see me")
    while log.first < 100:
        recorder.inbound(encode(Publish("t", bytes(1_000)), Version.V311), 9, 9)
    assert 1 not in log
    assert 2 in log and 3 in log
    assert marks.toggle(2) is False
    assert 2 not in log
    assert marks.set_comment(3, "")
    assert 3 not in log


def test_each_reader_hears_of_changes_once() -> None:
    log, _ = filled(9)
    marks = Marks(log)
    marks.toggle(5)
    marks.set_comment(2, "a")
    first, position = marks.changes_since(0)
    assert first == [5, 2]
    marks.toggle(5)
    assert marks.changes_since(position) == ([5], 3)
    assert marks.changes_since(0) == ([2, 5], 3)
    assert marks.drain_changes() == [2, 5]
    assert marks.drain_changes() == []


@given(st.lists(st.tuples(st.integers(1, 6), st.one_of(st.none(), st.text(max_size=4))), max_size=40))
def test_pins_follow_marks_and_comments(steps: list[tuple[int, str | None]]) -> None:
    log, _ = filled(6)
    marks = Marks(log)
    seen, position = set(), 0
    for no, text in steps:
        if text is None:
            marks.toggle(no)
        else:
            marks.set_comment(no, text)
        changed, position = marks.changes_since(position)
        assert set(changed) <= {no}
        seen |= set(changed)
        for each in range(1, 7):
            assert log.pinned(each) == (marks.marked(each) or bool(marks.comment(each)))
    assert set(marks.changes_since(0)[0]) == seen
