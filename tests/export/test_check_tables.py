"""Test runs and round trips as Markdown and JSON, with hostile words in them."""

from __future__ import annotations

import json

import pytest

from mqtttui.analysis.check_run import METRICS, Depth, Plan, Run, RunError
from mqtttui.analysis.check_statistics import Report, Summary
from mqtttui.analysis.trips import Trip
from mqtttui.export.check_tables import availability_words, failure_lines, remarks, report_markdown, report_values
from mqtttui.export.timing_markdown import table, timing_markdown
from mqtttui.protocol.enums import Direction, ErrorClass

MS = 1_000_000
PLAN = Plan(b"a|b/`c`")
ERROR = RunError(ErrorClass.REFUSED, "SUBACK", "Refused: [x](y)", "0x87", "may it?")
REPORT = Report(
    [
        Run(1, 1_700_000_000 * 1_000_000_000, {"dns": 2 * MS, "ping": 3 * MS}, {"publish-payload": 48}),
        Run(2, 1_700_000_001 * 1_000_000_000, {"ping": 5 * MS}, {}, ERROR, ("QoS 2: the broker allows QoS 1 at most",)),
    ]
)


def test_a_report_is_a_table_with_what_went_wrong() -> None:
    made = report_markdown("mqtt://h:1883", "5", PLAN, REPORT)
    assert "**Test of mqtt://h:1883**, MQTT 5, topic a\\|b/\\`c\\`, 2023-11-14T22:13:20" in made
    assert "1 of 2 runs, availability 50 %, errors: 1 refused" in made
    assert "| DNS | 1 | 2.0 ms | 2.0 ms | 2.0 ms | 2.0 ms |" in made
    assert "| ping | 2 | 3.0 ms | 4.0 ms | 5.0 ms | 5.0 ms |" in made
    assert "| its payload | 48 bytes | 48 bytes |" in made
    assert "- run 2, SUBACK: Refused: \\[x\\](y): 0x87 (may it?)" in made
    assert "- left out: QoS 2" in made


def test_another_report_stands_beside_it() -> None:
    made = report_markdown("mqtt://h:1883", "5", PLAN, REPORT, Report([Run(1, 0, {"ping": 9 * MS})]))
    assert "median before" in made
    assert "| ping | 2 | 3.0 ms | 4.0 ms | 5.0 ms | 5.0 ms | 9.0 ms |" in made
    assert "| DNS | 1 | 2.0 ms | 2.0 ms | 2.0 ms | 2.0 ms | - |" in made


def test_values_for_json() -> None:
    made = json.loads(json.dumps(report_values("mqtt://h:1883", "5", PLAN, REPORT)))
    assert (made["topic"], made["runs"], made["succeeded"], made["availability"]) == ("a|b/`c`", 2, 1, 50.0)
    assert list(made["times_ms"]) == [metric.key for metric in METRICS]
    assert made["times_ms"]["ping"] == {"n": 2, "min": 3.0, "median": 4.0, "p95": 5.0, "max": 5.0}
    assert made["times_ms"]["tls"] is None
    assert made["each"][1]["error"]["class"] == "refused"
    assert report_values("u", "5", Plan(b"t", Depth.CONNECT), Report([]))["topic"] is None


def test_no_run_at_all() -> None:
    assert availability_words(Report([])) == "no run has ended"
    assert report_markdown("u", "5", PLAN, Report([])).count("\n") == 1
    assert failure_lines(Report([])) == remarks(Report([])) == []


@pytest.mark.parametrize(
    ("tcp", "connack", "ping", "said"),
    [
        (0.3, [42, 41], [1, 1], "CONNACK: about 40 ms where the network takes 0.30 ms."),
        (0.3, [42, 41], [44, 40], "CONNACK, ping: about 40 ms"),
        (0.3, [42, 1], [1, 1], ""),
        (0.3, [400, 410], [1, 1], ""),
        (30, [42, 41], [41, 41], ""),
        (None, [42, 41], [41, 41], ""),
    ],
)
def test_a_delayed_acknowledgement_is_recognised(tcp: float | None, connack: list[int], ping: list[int], said: str) -> None:
    way = {} if tcp is None else {"tcp": round(tcp * MS)}
    report = Report([Run(1, 0, {**way, "connack": one * MS, "ping": two * MS}) for one, two in zip(connack, ping, strict=True)])
    assert len(remarks(report)) == bool(said)
    assert all(said in line and "set_tcp_nodelay true" in line for line in remarks(report))


def test_the_latest_failures_are_shown() -> None:
    report = Report([Run(number, 0, error=ERROR) for number in range(1, 10)])
    assert [line.partition(",")[0] for line in failure_lines(report, 2)] == ["run 8", "run 9"]


def test_round_trips() -> None:
    times = {(Trip.PING, Direction.C2S): Summary(2, MS, 2 * MS, 3 * MS, 3 * MS)}
    made = timing_markdown("Timing of connection 3", "Of the 2.0 ms …", times, [("TCP trip", "0.3 ms | 1")])
    assert made.startswith("**Timing of connection 3**: Of the 2.0 ms …\n\n| round trip | answered by | n |")
    assert "| PINGREQ → PINGRESP | broker | 2 | 1.0 ms | 2.0 ms | 3.0 ms | 3.0 ms |" in made
    assert made.endswith("- TCP trip: 0.3 ms \\| 1\n")


@pytest.mark.parametrize("cell", ["a|b", "`x`", "[l](u)", "<b>"])
def test_cells_are_harmless(cell: str) -> None:
    assert cell not in table(("k", "v"), [[cell, "1"]]).splitlines()[2]
