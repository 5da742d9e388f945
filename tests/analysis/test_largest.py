"""The largest packet of each connection and direction, against a count by hand."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mqtttui.analysis.largest import Largest
from mqtttui.capture.log import Log, Origin
from mqtttui.capture.recorder import Recorder
from mqtttui.protocol.enums import Direction, Version
from mqtttui.protocol.packets import Publish, encode


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(Direction), st.integers(0, 300)), max_size=40), st.integers(1, 7))
def test_largest(sent: list[tuple[int, Direction, int]], slices: int) -> None:
    log = Log()
    for number in range(3):
        log.open_connection(peer="p", origin=Origin.OWN, mono=number, wall=number, version=Version.V311)
    recorders = [Recorder(log, number) for number in range(3)]
    expected: dict[tuple[int, Direction], int] = {}
    follower = Largest()
    for at, (connection, direction, size) in enumerate(sent):
        raw = encode(Publish("t", b"x" * size), Version.V311)
        write = recorders[connection].inbound if direction is Direction.S2C else recorders[connection].outbound
        write(raw, at, at)
        expected[connection, direction] = max(expected.get((connection, direction), 0), len(raw))
        if at % slices == 0:
            follower.advance(log, 2)
    while not follower.advance(log, 2):
        pass
    for connection in range(3):
        for direction in Direction:
            assert follower.of(connection, direction) == expected.get((connection, direction), 0)
