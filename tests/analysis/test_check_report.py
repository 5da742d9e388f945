"""Statistics, limits and verdicts of test runs."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from mqtttui.analysis.check_run import Run, RunError
from mqtttui.analysis.check_statistics import Report, Summary, summarize
from mqtttui.analysis.check_thresholds import Status, Thresholds, judge
from mqtttui.protocol.enums import ErrorClass

MS = 1_000_000
FAILED = RunError(ErrorClass.TIMEOUT, "SUBACK", "No answer")


def runs(*values: int, failed: int = 0, key: str = "total") -> Report:
    good = [Run(number, 0, {key: value * MS}) for number, value in enumerate(values)]
    return Report([*good, *(Run(100 + number, 0, error=FAILED) for number in range(failed))])


def test_nothing_measured_has_no_statistics() -> None:
    assert summarize([]) is None
    assert Report([]).availability is None
    assert judge(Report([]), Thresholds()).status is Status.UNKNOWN


def test_statistics_of_known_values() -> None:
    assert summarize([7]) == Summary(1, 7, 7, 7, 7)
    assert summarize([4, 1, 3, 2]) == Summary(4, 1, 2.5, 4, 4)
    assert summarize(range(1, 101)) == Summary(100, 1, 50.5, 95, 100)


@given(st.lists(st.integers(0, 10**12), min_size=1))
def test_statistics_are_in_order_and_the_percentile_is_a_value_that_95_percent_do_not_exceed(values: list[int]) -> None:
    summary = summarize(values)
    assert summary is not None
    assert summary.minimum <= summary.median <= summary.maximum
    assert summary.median <= summary.p95 <= summary.maximum
    assert summary.p95 in values
    assert sum(value <= summary.p95 for value in values) >= math.ceil(0.95 * len(values))
    assert sum(value < summary.p95 for value in values) < math.ceil(0.95 * len(values))


def test_availability_and_classes_of_errors() -> None:
    report = runs(1, 2, 3, failed=1)
    assert (report.succeeded, report.availability, report.errors) == (3, 75.0, {ErrorClass.TIMEOUT: 1})
    assert report.times["total"].count == 3


def test_what_a_failed_run_measured_before_it_failed_counts() -> None:
    report = Report([Run(1, 0, {"tcp": MS}, error=FAILED)])
    assert report.times["tcp"].count == 1


def test_a_failed_run_is_critical_without_limits_on_availability() -> None:
    assert judge(runs(1), Thresholds()).status is Status.OK
    assert judge(runs(1, failed=1), Thresholds()).status is Status.CRITICAL


def test_limits_on_availability() -> None:
    limits = Thresholds(available_warning=99, available_critical=50)
    assert judge(runs(1, 2), limits).status is Status.OK
    assert judge(runs(1, 2, failed=1), limits).status is Status.WARNING
    assert judge(runs(1, failed=1), limits).status is Status.WARNING
    assert judge(runs(1, failed=2), limits).status is Status.CRITICAL


def test_limits_on_times() -> None:
    limits = Thresholds({"total": 10 * MS}, {"total": 20 * MS})
    assert judge(runs(10), limits).status is Status.OK
    assert judge(runs(11), limits).exceeded == (("total", Status.WARNING),)
    assert judge(runs(21), limits).status is Status.CRITICAL
    assert judge(runs(*[1] * 95, *[50] * 5), limits).status is Status.OK
    assert judge(runs(*[1] * 94, *[50] * 6), limits).status is Status.CRITICAL


def test_a_family_is_for_all_its_metrics_and_the_narrowest_limit_holds() -> None:
    limits = Thresholds({"publish": 10 * MS, "publish-qos1": 5 * MS})
    assert judge(runs(7, key="publish-qos1"), limits).status is Status.WARNING
    assert judge(runs(7, key="publish-qos2"), limits).status is Status.OK
    assert judge(runs(11, key="publish-qos2"), limits).status is Status.WARNING
    assert judge(runs(11, key="publish-qos2-pubrec"), limits).status is Status.OK
    assert judge(runs(11, key="ping"), limits).status is Status.OK
