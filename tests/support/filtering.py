"""Logs to filter: the golden capture as the log has it, and what a filter selects of a log."""

from __future__ import annotations

from functools import cache

from mqtttui.analysis.pairs import Pairs
from mqtttui.capture.log import Log, Origin
from mqtttui.capture.recorder import Recorder
from mqtttui.filters.compiler import compile_filter
from mqtttui.filters.row import NO_FACTS, Facts, Row
from mqtttui.protocol.enums import Direction
from tests.support import golden

START = 1_700_000_000_000_000_000
"""2023-11-14 22:13:20 UTC."""
MILLISECOND = 1_000_000


def golden_log(client: str = "10.0.0.1", server: str = "10.0.0.2") -> Log:
    """The golden packets as they were captured: three connections, 1 ms from packet to packet. No. n is golden packet n."""
    log = Log()
    recorders: dict[str, Recorder] = {}
    for item in golden.packets():
        wall = START + (item.number - 1) * MILLISECOND
        if item.connection not in recorders:
            number = log.open_connection(
                peer="golden", origin=Origin.FILE, source=f"{client}:{item.port}", destination=f"{server}:1883", mono=wall, wall=wall
            )
            recorders[item.connection] = Recorder(log, number)
        recorder = recorders[item.connection]
        take = recorder.outbound if item.direction is Direction.C2S else recorder.inbound
        take(item.raw, wall, wall)
    assert [log[no].raw for no in log.numbers()] == [item.raw for item in golden.packets()]
    return log


@cache
def shared_golden_log() -> Log:
    """The golden log, for tests that only read it."""
    return golden_log()


def paired(log: Log) -> Facts:
    """Facts with the requests and answers of `log`."""
    pairs = Pairs()
    while not pairs.advance(log):
        pass
    return Facts(pairs=pairs)


def selected(text: str, log: Log | None = None, facts: Facts = NO_FACTS) -> list[int]:
    """The numbers of the packets that pass the filter `text`."""
    source = shared_golden_log() if log is None else log
    found = compile_filter(text)
    return [no for no in source.numbers() if found.matches(Row(source, no, facts))]
