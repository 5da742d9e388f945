"""Packets with warnings and errors are counted and kept, and the screen in front of the dissector misses none."""

from __future__ import annotations

import time

from hypothesis import given, settings
from hypothesis import strategies as st

from mqtttui.analysis import findings
from mqtttui.analysis.findings import Findings
from mqtttui.capture.log import Log, Origin
from mqtttui.capture.recorder import Recorder
from mqtttui.protocol.dissect import dissect
from mqtttui.protocol.enums import Direction, PacketType, PropertyId, Severity, Version
from mqtttui.protocol.fields import Context
from mqtttui.protocol.packets import Ack, Connack, Connect, Property, Publish, encode
from tests.support import strategies

UP, DOWN = Direction.C2S, Direction.S2C


def started(version: Version, log: Log | None = None) -> tuple[Log, Recorder]:
    log = Log() if log is None else log
    return log, Recorder(log, log.open_connection(peer="dev", origin=Origin.OWN, mono=0, wall=0, version=version))


def caught_up(log: Log, followed: Findings) -> Findings:
    while not followed.advance(log):
        pass
    return followed


def assert_complete(log: Log) -> None:
    """The counts and pins are those that dissecting every packet would give."""
    worst = {no: log.dissect(no).worst for no in log.numbers()}
    followed = caught_up(log, Findings())
    errors = [no for no, severity in worst.items() if severity is Severity.ERROR]
    warnings = [no for no, severity in worst.items() if severity is Severity.WARN]
    assert (followed.errors, followed.warnings) == (len(errors), len(warnings))
    assert list(followed._pinned) == sorted(errors + warnings)
    assert followed.latest == max(errors + warnings, default=0)


@st.composite
def streams(draw: st.DrawFn) -> tuple[Version, list[tuple[Direction, bytes]]]:
    """A version, and control packets that are well-formed, damaged or anything, some of them more than once."""
    version = draw(strategies.versions)
    whole = strategies.packets(version).map(lambda packet: encode(packet, version))
    properties = strategies.properties(PacketType.PUBLISH) if version is Version.V5 else st.just(())
    topics = strategies.topics | st.sampled_from(["", "a/b"])
    published = st.builds(Publish, topics, strategies.any_bytes, st.just(0), properties=properties).map(
        lambda packet: encode(packet, version)
    )

    @st.composite
    def damaged(draw: st.DrawFn) -> bytes:
        raw = bytearray(draw(whole | published))
        at = draw(st.integers(0, min(len(raw) - 1, 40)))
        raw[at] = draw(st.integers(0, 255))
        return bytes(raw)

    some = draw(st.lists(whole | published | damaged() | strategies.any_packet_bytes, min_size=1, max_size=8))
    order = draw(st.lists(st.tuples(strategies.directions, st.sampled_from(some)), min_size=1, max_size=20))
    return version, order


@settings(max_examples=200, deadline=None)
@given(streams())
def test_the_screen_misses_nothing(stream: tuple[Version, list[tuple[Direction, bytes]]]) -> None:
    version, order = stream
    log, recorder = started(version)
    for direction, raw in order:
        recorder.record(direction, raw, 1, 1)
    recorder.closed(2, "over")
    assert_complete(log)


@settings(max_examples=30, deadline=None)
@given(st.binary(min_size=1, max_size=7), strategies.directions, strategies.versions)
def test_short_packets_of_every_kind(body: bytes, direction: Direction, version: Version) -> None:
    log, recorder = started(version)
    for first in range(256):
        recorder.record(direction, bytes([first, len(body)]) + body, 1, 1)
        recorder.record(direction, bytes([first, 0x80 | len(body), 0]) + body, 1, 1)
    assert_complete(log)


def test_ordinary_traffic_is_cleared_without_a_dissection() -> None:
    log, recorder = started(Version.V5)
    listed = (Property(PropertyId.CONTENT_TYPE, "text/plain"), Property(PropertyId.TOPIC_ALIAS, 1))
    ordinary = [
        (DOWN, encode(Publish("a/b", b"\xff" * 300), Version.V5)),
        (UP, encode(Publish("a/b", qos=2, packet_id=7), Version.V5)),
        (DOWN, encode(Ack(PacketType.PUBREC, 7, 0x10, ()), Version.V5)),
        (UP, encode(Ack(PacketType.PUBREL, 7), Version.V5)),
        (DOWN, b"\xd0\x00"),
        (UP, b"\xc0\x00"),
        (DOWN, encode(Publish("a/b", properties=listed), Version.V5)),
        (DOWN, encode(Publish("", properties=listed), Version.V5)),
    ]
    for _ in range(200):
        for direction, raw in ordinary:
            recorder.record(direction, raw, 1, 1)
    followed = Findings()
    assert followed.advance(log, 10_000), "one slice has too few dissections for more than the first list"
    assert (followed.errors, followed.warnings) == (0, 0)


def test_a_slice_has_a_bounded_number_of_dissections() -> None:
    log, recorder = started(Version.V311)
    recorder.outbound(encode(Publish("a/+"), Version.V311) * 100, 1, 1)
    followed = Findings()
    assert not followed.advance(log, 10_000)
    assert (followed.position, followed.errors) == (findings.DISSECTIONS, findings.DISSECTIONS)
    assert caught_up(log, followed).errors == 100


def test_findings_outlive_eviction() -> None:
    log, recorder = started(Version.V311, Log(200_000))
    recorder.outbound(encode(Connect("c"), Version.V311), 1, 1)
    recorder.inbound(encode(Connack(5), Version.V311) + encode(Publish("a"), Version.V311) + encode(Publish("a/#"), Version.V311), 1, 1)
    followed = caught_up(log, Findings())
    assert (followed.warnings, followed.errors, followed.latest) == (1, 1, 4)
    for _ in range(300):
        recorder.inbound(encode(Publish("a/b", bytes(50)), Version.V311) * 50, 2, 2)
        caught_up(log, followed)
    assert log.first > 4
    assert 3 not in log and 4 in log
    assert dissect(log[4].raw, Context(Version.V311, DOWN)).worst is Severity.ERROR


def test_a_flood_of_findings_keeps_the_latest() -> None:
    log, recorder = started(Version.V311)
    count = findings.MAX_PINNED + 100
    recorder.inbound(encode(Publish("a/+"), Version.V311) * count, 1, 1)
    followed = caught_up(log, Findings())
    assert followed.errors == count
    assert not log.pinned(100) and log.pinned(101) and log.pinned(count)


def test_a_clear_packet_costs_little() -> None:
    log, recorder = started(Version.V5)
    count = 20_000
    recorder.inbound(encode(Publish("site/line4/temperature", b'{"celsius":21.5}'), Version.V5) * count, 1, 1)
    followed = Findings()
    started_at = time.process_time()
    followed.advance(log, count)
    assert followed.position == count
    assert (time.process_time() - started_at) / count < 5e-6, "about 1 microsecond on a quiet machine"
