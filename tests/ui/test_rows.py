"""Row index <-> No.: pinned packets first, hiding, freezing; against a plain list."""

from __future__ import annotations

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
