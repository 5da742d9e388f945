"""Row index <-> No.: pinned packets first, hiding, freezing, a filter; against a plain list."""

from __future__ import annotations

from array import array
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from mqtttui.ui.rows import Rows


class Log:
    """A log of numbers only."""

    def __init__(self, first: int, last: int, pinned: set[int]) -> None:
        self.first = first
        self.last = last
        self._pinned = sorted(no for no in pinned if 1 <= no < first)

    def numbers(self, start: int = 1, stop: int | None = None) -> Iterator[int]:
        end = self.last + 1 if stop is None else stop
        yield from (no for no in self._pinned if start <= no < end)
        yield from range(max(start, self.first), end)


@given(
    first=st.integers(1, 60),
    length=st.integers(0, 60),
    pinned=st.sets(st.integers(1, 60)),
    hidden=st.integers(1, 130),
    frozen=st.none() | st.integers(0, 130),
)
def test_rows_are_what_a_list_would_be(first: int, length: int, pinned: set[int], hidden: int, frozen: int | None) -> None:
    log = Log(first, first + length - 1, pinned)
    rows = Rows(log)
    rows.hidden_before = hidden
    rows.frozen_at = frozen
    rows.refresh()
    top = log.last if frozen is None else min(frozen, log.last)
    expected = [no for no in log.numbers() if hidden <= no <= top]
    assert [rows.number(index) for index in range(len(rows))] == expected
    for index, number in enumerate(expected):
        assert rows.index(number) == index
        assert number in rows
    for number in range(1, 130):
        assert (number in rows) == (number in expected)
        if expected:
            after = next((index for index, no in enumerate(expected) if no >= number), len(expected) - 1)
            assert rows.index(number) == after


class Chosen:
    """A filter that selects these."""

    def __init__(self, numbers: set[int]) -> None:
        self.numbers = array("Q", sorted(numbers))


@given(
    chosen=st.sets(st.integers(1, 120)),
    more=st.sets(st.integers(1, 120)),
    hidden=st.integers(1, 130),
    frozen=st.none() | st.integers(0, 130),
)
def test_with_a_filter_the_rows_are_what_it_selects(chosen: set[int], more: set[int], hidden: int, frozen: int | None) -> None:
    rows = Rows(Log(1, 120, set()))
    selection = Chosen(chosen)
    rows.selection = selection
    rows.hidden_before, rows.frozen_at = hidden, frozen
    rows.refresh()
    # What the filter finds later is not a row before the next look.
    selection.numbers = array("Q", sorted(chosen | more))
    top = 120 if frozen is None else min(frozen, 120)
    expected = [no for no in sorted(chosen) if hidden <= no <= top]
    assert [rows.number(index) for index in range(len(rows))] == expected
    for number in range(1, 130):
        assert (number in rows) == (number in expected)
        assert rows.newer_than(number) == sum(no > number for no in expected)
        if expected:
            assert rows.index(number) == next((index for index, no in enumerate(expected) if no >= number), len(expected) - 1)
    assert rows.hidden == sum(no < hidden for no in chosen)
    assert rows.waiting == (0 if frozen is None else len(chosen) - len(expected) - rows.hidden)
    rows.selection = None
    rows.refresh()
    assert len(rows) == max(0, top - hidden + 1)


def test_waiting_and_hidden() -> None:
    log = Log(1, 10, set())
    rows = Rows(log)
    rows.frozen_at = 10
    log.last = 25
    rows.refresh()
    assert len(rows) == 10
    assert rows.waiting == 15
    rows.hidden_before = 5
    rows.refresh()
    assert rows.hidden == 4
    assert len(rows) == 6
