"""Pairs: who answers whom, in both numberings, through QoS 2 and repeats."""

from __future__ import annotations

from mqtttui.analysis.pairs import Answered, Pairs
from mqtttui.capture.log import Log, Origin
from mqtttui.capture.recorder import Recorder
from mqtttui.protocol.enums import Direction, PacketType, PropertyId, Version
from mqtttui.protocol.packets import (
    Ack,
    Auth,
    Connack,
    Connect,
    Packet,
    Pingreq,
    Pingresp,
    Property,
    Publish,
    Suback,
    Subscribe,
    TopicRequest,
    Unsuback,
    Unsubscribe,
    encode,
)
from tests.support import golden

UP, DOWN = Direction.C2S, Direction.S2C
MS = 1_000_000
P = PacketType


def recorded(*steps: tuple[Direction, Packet], version: Version = Version.V5) -> tuple[Log, Pairs]:
    """A connection with these packets, 1 ms apart, numbered from 1; followed."""
    log = Log()
    recorder = Recorder(log, log.open_connection(peer="dev", origin=Origin.OWN, mono=0, wall=0, version=version))
    for index, (direction, packet) in enumerate(steps):
        recorder.record(direction, encode(packet, version), (index + 1) * MS, 0)
    pairs = Pairs()
    assert pairs.advance(log)
    return log, pairs


def links(log: Log, pairs: Pairs) -> dict[int, int]:
    """Answer -> request."""
    found = {no: pairs.request_of(no) for no in log.numbers()}
    return {no: request for no, request in found.items() if request is not None}


def test_every_exchange_of_the_golden_connections() -> None:
    log = Log()
    recorders: dict[str, Recorder] = {}
    for packet in golden.packets():
        if packet.connection not in recorders:
            recorders[packet.connection] = Recorder(log, log.open_connection(peer="", origin=Origin.FILE, mono=0, wall=0))
        recorders[packet.connection].record(packet.direction, packet.raw, packet.number, 0)
    pairs = Pairs()
    while not pairs.advance(log, 5):
        pass
    assert links(log, pairs) == {
        2: 1, 4: 3, 7: 6, 9: 8, 10: 9, 11: 10, 13: 12, 16: 15, 25: 24, 28: 27, 30: 29, 32: 31, 35: 34, 38: 37, 40: 39, 43: 42,
    }  # fmt: skip
    assert pairs.answer_of(6) == 7
    assert pairs.answer_of(17) is None


def test_the_two_sides_number_separately() -> None:
    log, pairs = recorded(
        (UP, Publish("up", qos=1, packet_id=1)),
        (DOWN, Publish("down", qos=1, packet_id=1)),
        (UP, Ack(P.PUBACK, 1)),
        (DOWN, Ack(P.PUBACK, 1)),
    )
    assert links(log, pairs) == {3: 2, 4: 1}
    assert pairs.answered(3) == Answered(MS, b"down")
    assert pairs.answered(4) == Answered(3 * MS, b"up")


def test_qos_2_is_a_chain_and_pubcomp_takes_the_time_of_all_of_it() -> None:
    log, pairs = recorded(
        (DOWN, Publish("t", qos=2, packet_id=9)),
        (UP, Ack(P.PUBREC, 9)),
        (DOWN, Ack(P.PUBREL, 9)),
        (UP, Ack(P.PUBCOMP, 9)),
    )
    assert links(log, pairs) == {2: 1, 3: 2, 4: 3}
    assert pairs.start_of(4) == 1
    assert pairs.rtt_ns(4) == MS
    assert pairs.answered(4) == Answered(3 * MS, b"t")
    assert pairs.answered(2) == Answered(MS, b"t")


def test_a_refusing_pubrec_ends_the_flow() -> None:
    log, pairs = recorded(
        (UP, Publish("t", qos=2, packet_id=9)),
        (DOWN, Ack(P.PUBREC, 9, 0x87)),
        (UP, Ack(P.PUBREL, 9)),
    )
    assert links(log, pairs) == {2: 1}


def test_a_repeated_message_is_answered_to_its_latest_transmission() -> None:
    log, pairs = recorded(
        (UP, Publish("t", qos=1, packet_id=4)),
        (UP, Publish("t", qos=1, packet_id=4, dup=True)),
        (DOWN, Ack(P.PUBACK, 4)),
        (DOWN, Ack(P.PUBACK, 4)),
    )
    assert links(log, pairs) == {3: 2}
    assert (pairs.answer_of(1), pairs.answer_of(2)) == (3, 3)
    assert pairs.answered(3) == Answered(MS, b"t")


def test_an_answer_of_another_kind_answers_nothing() -> None:
    log, pairs = recorded(
        (UP, Subscribe(5, (TopicRequest("a"),))),
        (DOWN, Ack(P.PUBACK, 5)),
        (DOWN, Suback(5, (0,))),
        (UP, Unsubscribe(6, ("a",))),
        (DOWN, Unsuback(6, (0,))),
        (DOWN, Ack(P.PUBACK, 999)),
    )
    assert links(log, pairs) == {3: 1, 5: 4}
    assert pairs.answered(3) == Answered(2 * MS, b"a")
    assert pairs.answered(6) is None


def test_pings_are_answered_in_order() -> None:
    log, pairs = recorded((UP, Pingreq()), (UP, Pingreq()), (DOWN, Pingresp()), (DOWN, Pingresp()), (DOWN, Pingresp()))
    assert links(log, pairs) == {3: 1, 4: 2}


def test_each_step_of_an_extended_login_is_timed() -> None:
    method = (Property(PropertyId.AUTHENTICATION_METHOD, "X"),)
    log, pairs = recorded(
        (UP, Connect(version=Version.V5, properties=method)),
        (DOWN, Auth(0x18, method)),
        (UP, Auth(0x18, method)),
        (DOWN, Connack()),
    )
    assert links(log, pairs) == {2: 1, 3: 2, 4: 1}
    assert pairs.rtt_ns(4) == 3 * MS


def test_a_resumed_pubrel_starts_a_chain_of_its_own() -> None:
    log, pairs = recorded((UP, Ack(P.PUBREL, 3)), (DOWN, Ack(P.PUBCOMP, 3)))
    assert links(log, pairs) == {2: 1}


def test_long_properties_do_not_hide_the_filter_that_was_answered() -> None:
    long = (Property(PropertyId.USER_PROPERTY, ("k", "v" * 200)),)
    _, pairs = recorded((UP, Subscribe(1, (TopicRequest("a/#"),), long)), (DOWN, Suback(1, (0,))))
    assert pairs.answered(2) == Answered(MS, b"a/#")


def test_an_alias_gives_the_topic_of_the_answer() -> None:
    alias = (Property(PropertyId.TOPIC_ALIAS, 1),)
    _, pairs = recorded(
        (UP, Publish("a/b", properties=alias)),
        (UP, Publish("", qos=1, packet_id=1, properties=alias)),
        (DOWN, Ack(P.PUBACK, 1)),
    )
    assert pairs.answered(3) == Answered(MS, b"a/b")


def test_short_and_broken_packets_do_no_harm() -> None:
    log = Log()
    recorder = Recorder(log, log.open_connection(peer="", origin=Origin.OWN, mono=0, wall=0))
    for raw in ("3200", "320400ff6161", "4000", "400100", "5000", "6200", "7000", "8200", "9000", "a200", "b000", "f000", "0000"):
        recorder.inbound(bytes.fromhex(raw), 1, 1)
        recorder.outbound(bytes.fromhex(raw), 1, 1)
    recorder.inbound(b"\x30\xff\xff\xff\xff", 1, 1)
    pairs = Pairs()
    assert pairs.advance(log)
    # AUTH answers AUTH; nothing else has an identifier.
    assert all(log.head(no).first_byte >> 4 == P.AUTH for no in links(log, pairs))


def test_what_is_evicted_unread_is_counted_and_links_to_it_remain_as_numbers() -> None:
    log = Log(200_000)
    recorder = Recorder(log, log.open_connection(peer="dev", origin=Origin.OWN, mono=0, wall=0))
    pairs = Pairs()
    recorder.outbound(encode(Publish("t", qos=1, packet_id=1), Version.V311), MS, 0)
    pairs.advance(log)
    filler = encode(Publish("f", bytes(60)), Version.V311) * 100
    for _ in range(100):
        recorder.inbound(filler, 2 * MS, 0)
    recorder.inbound(encode(Ack(P.PUBACK, 1), Version.V311), 3 * MS, 0)
    assert pairs.advance(log, 100_000)
    assert pairs.missed == log.first - 2
    assert pairs.request_of(log.last) == 1
    assert pairs.rtt_ns(log.last) is None
    assert pairs.answered(log.last) == Answered(None, b"")


def test_an_ended_connection_is_forgotten() -> None:
    log, pairs = recorded((UP, Pingreq()))
    log.close_connection(0, 5 * MS, "gone")
    pairs.advance(log)
    assert not pairs._states
