"""The findings on the golden capture that inspector.md expects, and no others."""

from __future__ import annotations

import pytest

from mqtttui.analysis.findings import Findings
from mqtttui.capture.log import Log, Origin
from mqtttui.capture.recorder import Recorder
from mqtttui.protocol.enums import Severity
from tests.support import golden
from tests.support.expert import MS, SECOND

SERIOUS = {
    1: {"C15"}, 4: {"F13"}, 18: {"B05"}, 19: {"D01"}, 20: {"D02", "B06"}, 22: {"E01"}, 26: {"G08"}, 27: {"C15"}, 28: {"C21", "D28"},
    29: {"F09"}, 30: {"F13"}, 34: {"D25"}, 37: {"H11"}, 38: {"H11"}, 41: {"G12", "G15"}, 43: {"C26"},
}  # fmt: skip
"""Warnings and errors."""
NOTES = {
    1: {"C13"}, 12: {"D12"}, 14: {"D11"}, 17: {"D07"}, 21: {"D16", "D17"}, 24: {"F21"}, 27: {"C13", "H09"},
    28: {"C30", "C33", "C38", "H09", "H10"}, 30: {"F14", "H10"}, 31: {"D34"}, 32: {"E17", "H10"}, 39: {"F21"}, 40: {"F20"}, 41: {"H10"},
}  # fmt: skip


def followed(origin: Origin, *, settling: bool = True, budget: int = 1_000) -> tuple[Log, Findings]:
    log = Log()
    recorders: dict[str, Recorder] = {}
    for packet in golden.packets():
        if packet.connection not in recorders:
            number = log.open_connection(
                peer=packet.connection,
                origin=origin,
                source=f"10.0.0.1:{packet.port}",
                destination="10.0.0.2:1883",
                mono=packet.number * MS,
                wall=0,
                transport="tcp",
            )
            recorders[packet.connection] = Recorder(log, number)
        recorders[packet.connection].record(packet.direction, packet.raw, packet.number * MS, 0)
    found = Findings(settling=settling)
    while not found.advance(log, budget):
        pass
    return log, found


@pytest.mark.parametrize("budget", [1_000, 1])
def test_the_expected_findings(budget: int) -> None:
    log, found = followed(Origin.OWN, budget=budget)
    found.tick(60 * SECOND)
    by_packet = {no: found.of(no) for no in log.numbers()}
    serious = {no: {item.id for item in items if item.severity >= Severity.WARN} for no, items in by_packet.items()}
    notes = {no: {item.id for item in items if item.severity < Severity.WARN} for no, items in by_packet.items()}
    assert {no: ids for no, ids in serious.items() if ids} == SERIOUS
    assert {no: ids for no, ids in notes.items() if ids} == NOTES
    assert (found.warnings, found.errors) == (7, 9)


def test_a_file_says_nothing_of_time_that_it_does_not_show() -> None:
    log, found = followed(Origin.FILE)
    found.tick(60 * SECOND)
    assert not {"G08", "G15"} & {item.id for no in log.numbers() for item in found.of(no)}


def test_the_sender_is_named() -> None:
    log, found = followed(Origin.OWN)
    texts = {item.id: item.text for no in log.numbers() for item in found.of(no)}
    assert texts["E01"].startswith("The server") and texts["F09"].startswith("The client")
