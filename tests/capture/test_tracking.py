"""What is read in place agrees with what the dissector says, and any packet may come along."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mqtttui.analysis.follower import Follower, advance_all
from mqtttui.analysis.pairs import Pairs
from mqtttui.analysis.subscriptions import SubscriptionCounters
from mqtttui.analysis.traffic import Traffic
from mqtttui.capture.log import Log, Origin
from mqtttui.capture.recorder import Recorder
from mqtttui.capture.tracking import Tracker
from mqtttui.protocol.dissect import dissect
from mqtttui.protocol.enums import Direction, PacketType, PropertyId, Version
from mqtttui.protocol.fields import Context
from mqtttui.protocol.packets import encode
from mqtttui.protocol.peek import connect_version, packet_id, property_offsets, publish_id, publish_topic
from tests.support import golden, strategies


@given(strategies.publishes(Version.V5).map(lambda packet: encode(packet, Version.V5)), st.binary(max_size=9))
def test_topic_id_and_alias_of_a_publish_are_those_of_the_dissector(raw: bytes, before: bytes) -> None:
    dissection = dissect(raw, Context(Version.V5, Direction.C2S))
    data, start, end = before + raw, len(before), len(before) + len(raw)
    where = publish_topic(data, start, end)
    topic = dissection.first("mqtt.topic")
    assert where is not None
    assert topic is not None
    assert where == (start + topic.start, start + topic.end)
    identifier = dissection.first("mqtt.msgid")
    if identifier is not None:
        assert publish_id(data, start, end) == identifier.value
    alias = Tracker(Version.V5).publish(Direction.C2S, data, start, end)
    shown = dissection.first("mqtt.property.topic_alias")
    assert (alias and alias.alias) == (shown and shown.value)


@given(strategies.any_packet_bytes, strategies.directions)
def test_any_framed_packet_is_read_without_harm(raw: bytes, direction: Direction) -> None:
    tracker = Tracker(Version.V5)
    tracker.publish(direction, raw, 0, len(raw))
    tracker.connect(raw, 0, len(raw))
    packet_id(raw, 0, len(raw))
    for wanted in PropertyId:
        assert all(2 < at < len(raw) for at in property_offsets(raw, 2, len(raw), wanted))


@given(st.lists(st.tuples(strategies.directions, strategies.any_packet_bytes), max_size=20), st.integers(1, 7))
def test_followers_take_any_packets_in_any_slices(packets: list[tuple[Direction, bytes]], budget: int) -> None:
    log = Log()
    recorder = Recorder(log, log.open_connection(peer="dev", origin=Origin.OWN, mono=0, wall=0, version=Version.V5))
    for index, (direction, raw) in enumerate(packets):
        recorder.record(direction, raw, index, 0)
    recorder.closed(99, "end")
    results = []
    for slice_size in (budget, 1_000):
        counters = SubscriptionCounters()
        counters.set_filters("dev", [("all", b"#", 1)])
        pairs, traffic = Pairs(), Traffic()
        followers: list[Follower] = [pairs, traffic, counters]
        while not advance_all(followers, log, slice_size):
            pass
        results.append(([pairs.request_of(no) for no in log.numbers()], traffic.rates(99), counters.of("dev", "all")))
        assert [follower.missed for follower in followers] == [0, 0, 0]
    assert results[0] == results[1]


def test_the_version_of_a_connect() -> None:
    for packet in golden.packets():
        if packet.raw[0] >> 4 == PacketType.CONNECT:
            assert connect_version(packet.raw, 0, len(packet.raw)) is packet.version
            assert all(connect_version(packet.raw[:length] + b"", 0, length) is None for length in range(2, 8))
