"""Histograms against sorted lists, and rates against plain sums."""

from __future__ import annotations

import math
from itertools import accumulate
from statistics import median_low

from hypothesis import given
from hypothesis import strategies as st

from mqtttui.analysis.histogram import ERROR, LARGEST, Histogram
from mqtttui.analysis.rates import SPANS, Flow

S = 1_000_000_000
TIMES = st.one_of(st.integers(0, 200), st.integers(0, 60 * S), st.integers(0, LARGEST))


def filled(values: list[int]) -> Histogram:
    made = Histogram()
    for value in values:
        made.add(value)
    return made


@given(st.lists(TIMES, min_size=1, max_size=300))
def test_quantiles_are_those_of_the_sorted_list_within_the_error(values: list[int]) -> None:
    made = filled(values)
    ordered = sorted(values)
    assert (made.count, made.minimum, made.maximum) == (len(values), ordered[0], ordered[-1])
    for share in (0.01, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0):
        exact = ordered[max(1, math.ceil(share * len(ordered))) - 1]
        assert abs(made.quantile(share) - exact) <= math.ceil(ERROR * exact), (share, exact)


@given(st.lists(TIMES, min_size=1, max_size=100))
def test_the_summary_keeps_its_order(values: list[int]) -> None:
    summary = filled(values).summary()
    assert summary is not None
    assert summary.minimum <= summary.median <= summary.p95 <= summary.maximum
    assert abs(summary.median - median_low(values)) <= math.ceil(ERROR * median_low(values))


def test_small_values_are_exact() -> None:
    assert [filled([value]).quantile(0.5) for value in range(64)] == list(range(64))
    made = filled([*range(64), 1000])
    assert made.quantile(0.5) == 32


def test_what_is_out_of_range_counts_at_the_edge() -> None:
    made = filled([-5, 1, 10 * LARGEST])
    assert (made.count, made.minimum, made.maximum) == (3, 0, 10 * LARGEST)
    assert made.quantile(0.5) == 1
    assert Histogram().summary() is None and Histogram().quantile(0.5) == 0


@given(
    st.lists(st.tuples(st.integers(0, 20 * S), st.integers(1, 9), st.integers(0, 5_000)), min_size=1, max_size=60),
    st.integers(0, 90 * S),
)
def test_rates_are_sums_over_the_latest_tenths(gaps: list[tuple[int, int, int]], wait: int) -> None:
    flow = Flow()
    times = list(accumulate(gap for gap, _, _ in gaps))
    for mono, (_, packets, size) in zip(times, gaps, strict=True):
        flow.add(mono, packets, size)
    now = times[-1] + wait
    assert flow.packets == sum(packets for _, packets, _ in gaps)
    for seconds in SPANS:
        oldest = now // (S // 10) - seconds * 10
        recent = [(packets, size) for mono, (_, packets, size) in zip(times, gaps, strict=True) if mono // (S // 10) > oldest]
        lasted = min(seconds, max(1.0, (now - times[0]) / S))
        rate = flow.rate(now, seconds)
        assert math.isclose(rate.packets * lasted, sum(packets for packets, _ in recent), abs_tol=1e-6)
        assert math.isclose(rate.bytes * lasted, sum(size for _, size in recent), abs_tol=1e-6)


def test_a_flow_that_never_was_is_zero() -> None:
    assert Flow().rate(5 * S, 10) == (0, 0)
