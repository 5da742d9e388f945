"""What we write is what we read: exports with secrets, opened again."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mqtttui.capture.files.reader import CaptureReader
from mqtttui.capture.log import Log, Origin
from mqtttui.capture.marks import Marks
from mqtttui.capture.recorder import Recorder
from mqtttui.export.pcapng import Encapsulation, Section, write_log
from mqtttui.export.remarks import remarks, taken_apart
from mqtttui.protocol.enums import Direction, Version
from mqtttui.protocol.packets import Connect, Disconnect, Publish, encode
from tests.support import golden

WALL = 1_700_000_000_000_000_000
BOTH = pytest.mark.parametrize("encapsulation", list(Encapsulation), ids=lambda each: each.name)


def log_of(streams: Sequence[tuple[int, Direction, bytes]], broker: str = "10.0.0.2:1883") -> Log:
    """A log of (client port, direction, bytes)."""
    log = Log()
    recorders: dict[int, Recorder] = {}
    for index, (port, direction, raw) in enumerate(streams):
        if port not in recorders:
            client = f"[fd00::1]:{port}" if "[" in broker else f"10.0.0.1:{port}"
            number = log.open_connection(peer="p", origin=Origin.OWN, source=client, destination=broker, mono=0, wall=WALL)
            recorders[port] = Recorder(log, number)
        recorders[port].record(direction, raw, index, WALL + index * 1_001_001)
    return log


def golden_log() -> Log:
    return log_of([(packet.port, packet.direction, packet.raw) for packet in golden.packets()])


def read_back(data: bytes) -> tuple[Log, CaptureReader]:
    log = Log()
    reader = CaptureReader(log)
    reader.feed(data)
    reader.finish()
    assert [problem.text for problem in reader.problems] == []
    return log, reader


def exported(log: Log, encapsulation: Encapsulation, **options: object) -> bytes:
    out = io.BytesIO()
    write_log(log, log.numbers(), out, mask=False, encapsulation=encapsulation, **options)  # type: ignore[arg-type]
    return out.getvalue()


def contents(log: Log) -> list[tuple[object, ...]]:
    packets = [log[no] for no in log.numbers()]
    return [(each.connection, each.direction, each.version, each.wall, each.raw, each.resolved_topic) for each in packets]


@BOTH
def test_the_golden_capture_comes_back_identical(encapsulation: Encapsulation) -> None:
    log = golden_log()
    again, reader = read_back(exported(log, encapsulation))
    assert contents(again) == contents(log)
    assert [reader.frame_number(no) for no in again.numbers()] == list(range(1, 44))
    assert [info.destination for info in again.connections] == [info.destination for info in log.connections]


@BOTH
def test_comments_and_marks_come_back(encapsulation: Encapsulation) -> None:
    log = golden_log()
    marks = Marks(log)
    marks.toggle(5)
    marks.set_comment(5, "ünï | odd\nsecond line")
    marks.set_comment(7, "x")
    _, reader = read_back(exported(log, encapsulation, comments=remarks(log, marks)))
    assert {no: found for no, found in reader.comments.items() if no in (5, 7)} == {5: ("ünï | odd\nsecond line", "marked"), 7: ("x",)}
    assert taken_apart(reader.comments[5]) == ("ünï | odd\nsecond line", True)


def test_findings_in_a_file_are_no_comments_of_a_person() -> None:
    assert taken_apart(["marked"]) == ("", True)
    assert taken_apart(["secrets are overwritten with *", "look", "the topic alias was bound before: a/b"]) == ("look", False)
    assert taken_apart(["look", "error D04: The client gives identifier 600 to two messages. [MQTT-2.3.1-2]", "and look"]) == (
        "look\nand look",
        False,
    )


@pytest.mark.parametrize("broker", ["10.0.0.2:18830", "[fd00::2]:8883"])
@BOTH
def test_other_ports_and_addresses(encapsulation: Encapsulation, broker: str) -> None:
    connect, publish = encode(Connect("c"), Version.V311), encode(Publish("a", b"x" * 70_000), Version.V311)
    log = log_of([(50_001, Direction.C2S, connect), (50_001, Direction.S2C, b"\x20\x02\x00\x00"), (50_001, Direction.S2C, publish)], broker)
    again, _ = read_back(exported(log, encapsulation))
    assert contents(again) == contents(log)


def test_a_large_packet_comes_back() -> None:
    connect, publish = encode(Connect("c"), Version.V311), encode(Publish("a", bytes(1_000_000)), Version.V311)
    log = log_of([(50_001, Direction.C2S, connect + publish + b"\xc0\x00")])
    again, _ = read_back(exported(log, Encapsulation.EXPORTED))
    assert contents(again) == contents(log)


def test_sections_one_behind_the_other_are_read_as_one_file() -> None:
    log = golden_log()
    out = io.BytesIO()
    for numbers in (range(1, 29), range(29, 44)):
        section = Section(log, out, mask=False, whole_context=True)
        for no in numbers:
            section.write(log[no])
    again, reader = read_back(out.getvalue())
    repeated = {no for no, found in reader.comments.items() if found[0].startswith("repeated from before")}
    assert repeated
    raws = [again[no].raw for no in again.numbers() if no not in repeated]
    assert raws == [packet.raw for packet in golden.packets()]
    assert again[again.last - 10].resolved_topic == b"a/b", "the alias of packet 33, bound in the first section or repeated"


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.sampled_from(list(Direction)), st.builds(Publish, st.text(max_size=5), st.binary(max_size=50))),
        max_size=12,
    ),
    st.sampled_from(list(Encapsulation)),
)
def test_any_messages_come_back(messages: list[tuple[Direction, Publish]], encapsulation: Encapsulation) -> None:
    streams = [(50_001, Direction.C2S, encode(Connect("c", username="u", password=b"p"), Version.V311))]
    streams += [(50_001, direction, encode(packet, Version.V311)) for direction, packet in messages]
    streams += [(50_001, Direction.C2S, encode(Disconnect(), Version.V311))]
    log = log_of(streams)
    again, _ = read_back(exported(log, encapsulation))
    assert contents(again) == contents(log)
