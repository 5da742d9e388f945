"""Round trips, pings, silence and rates, as they are followed; measured ones against what the operations say."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mqtttui.analysis.operation import OpKind, OpState
from mqtttui.analysis.pump import Pump
from mqtttui.analysis.timing import MAX_CONNECTIONS, PINGS, KeepAlive
from mqtttui.analysis.trips import Trip
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

UP, DOWN = Direction.C2S, Direction.S2C
MS = 1_000_000
S = 1_000 * MS
P = PacketType


class Line:
    """A connection whose packets get the times that the test says (ms); the pump follows."""

    def __init__(self, log: Log | None = None, peer: str = "dev", pump: Pump | None = None) -> None:
        self.log = Log() if log is None else log
        self.number = self.log.open_connection(peer=peer, origin=Origin.OWN, mono=0, wall=0, version=Version.V5)
        self.recorder = Recorder(self.log, self.number)
        self.pump = Pump(self.log) if pump is None else pump

    def up(self, at: float, packet: Packet) -> None:
        self.recorder.outbound(encode(packet, Version.V5), round(at * MS), 0)

    def down(self, at: float, packet: Packet) -> None:
        self.recorder.inbound(encode(packet, Version.V5), round(at * MS), 0)

    def follow(self) -> None:
        while not self.pump.advance(lambda: 0, 1):
            pass

    def times(self, connection: int | None = None) -> dict[tuple[Trip, Direction], tuple[int, int, int]]:
        """Number, least and greatest of each."""
        self.follow()
        found = self.pump.timing.times("dev", connection).summaries()
        return {key: (summary.count, summary.minimum, summary.maximum) for key, summary in found.items()}


def test_every_kind_of_round_trip() -> None:
    line = Line()
    line.up(0, Connect("c", Version.V5))
    line.down(5, Connack())
    line.up(10, Subscribe(1, (TopicRequest("a"),)))
    line.down(12, Suback(1, (0,)))
    line.up(20, Publish("a", b"", qos=1, packet_id=2))
    line.down(23, Ack(P.PUBACK, 2))
    line.up(30, Publish("a", b"", qos=2, packet_id=3))
    line.down(34, Ack(P.PUBREC, 3))
    line.up(35, Ack(P.PUBREL, 3))
    line.down(41, Ack(P.PUBCOMP, 3))
    line.down(50, Publish("b", b"", qos=1, packet_id=9))
    line.up(51, Ack(P.PUBACK, 9))
    line.down(60, Publish("b", b"", qos=2, packet_id=9))
    line.up(61, Ack(P.PUBREC, 9))
    line.down(68, Ack(P.PUBREL, 9))
    line.up(70, Ack(P.PUBCOMP, 9))
    line.up(80, Pingreq())
    line.down(89, Pingresp())
    line.up(90, Auth(0x19))
    line.down(95, Auth(0x18))
    line.up(96, Auth(0x18))
    line.down(99, Auth(0))
    line.up(100, Unsubscribe(4, ("a",)))
    line.down(110, Unsuback(4, (0,)))
    expected = {
        (Trip.CONNECT, UP): [5],
        (Trip.AUTH, UP): [5, 3],
        (Trip.AUTH, DOWN): [1],
        (Trip.SUBSCRIBE, UP): [2],
        (Trip.UNSUBSCRIBE, UP): [10],
        (Trip.PUBLISH_1, UP): [3],
        (Trip.PUBLISH_2, UP): [11],
        (Trip.RECEIVED, UP): [4],
        (Trip.RELEASED, DOWN): [1],
        (Trip.COMPLETED, UP): [6],
        (Trip.PUBLISH_1, DOWN): [1],
        (Trip.PUBLISH_2, DOWN): [10],
        (Trip.RECEIVED, DOWN): [1],
        (Trip.RELEASED, UP): [7],
        (Trip.COMPLETED, DOWN): [2],
        (Trip.PING, UP): [9],
    }
    assert line.times() == {key: (len(took), min(took) * MS, max(took) * MS) for key, took in expected.items()}
    assert line.times(line.number) == line.times()
    assert [ping.ns for ping in line.pump.timing.pings(line.number)] == [9 * MS]


def test_a_request_and_its_response() -> None:
    line = Line()
    asking = (Property(PropertyId.RESPONSE_TOPIC, "back"), Property(PropertyId.CORRELATION_DATA, b"1"))
    line.up(0, Publish("ask", b"", qos=1, packet_id=1, properties=asking))
    line.down(2, Ack(P.PUBACK, 1))
    line.down(30, Publish("back", b"", properties=asking[1:]))
    line.down(40, Publish("ask", b"", properties=asking))
    line.up(45, Publish("back", b"", properties=asking[1:]))
    assert line.times() == {
        (Trip.PUBLISH_1, UP): (1, 2 * MS, 2 * MS),
        (Trip.RESPONSE, UP): (1, 30 * MS, 30 * MS),
        (Trip.RESPONSE, DOWN): (1, 5 * MS, 5 * MS),
    }


def test_of_a_repeated_message_the_latest_transmission_counts() -> None:
    line = Line()
    line.up(0, Publish("a", b"", qos=1, packet_id=2))
    line.up(5_000, Publish("a", b"", qos=1, packet_id=2, dup=True))
    line.down(5_004, Ack(P.PUBACK, 2))
    assert line.times() == {(Trip.PUBLISH_1, UP): (1, 4 * MS, 4 * MS)}


def test_answers_to_nothing_are_no_round_trips() -> None:
    line = Line()
    line.down(1, Ack(P.PUBACK, 2))
    line.down(2, Pingresp())
    line.recorder.inbound(b"\xf0\xff\xff\xff\xff\x01", 3 * MS, 0)
    assert line.times() == {}


def test_connections_of_a_peer_add_up_and_stay_apart() -> None:
    first = Line()
    second = Line(first.log, pump=first.pump)
    other = Line(first.log, peer="other", pump=first.pump)
    for line, took in ((first, 1), (second, 2), (other, 9)):
        line.up(0, Pingreq())
        line.down(took, Pingresp())
    ping = (Trip.PING, UP)
    assert first.times() == {ping: (2, 1 * MS, 2 * MS)}
    assert first.times(second.number) == {ping: (1, 2 * MS, 2 * MS)}
    assert first.pump.timing.times("other").summaries()[ping].maximum == 9 * MS
    assert first.pump.timing.times("nobody").summaries() == {}
    assert first.pump.timing.times("dev").slowest(*ping) == 4
    assert first.pump.timing.times("nobody").slowest(*ping) is None


def test_what_is_remembered_is_bounded() -> None:
    line = Line()
    for at in range(PINGS + 50):
        line.up(2 * at, Pingreq())
        line.down(2 * at + 1, Pingresp())
    for _ in range(MAX_CONNECTIONS + 5):
        more = Line(line.log, pump=line.pump)
        more.up(0, Pingreq())
        more.down(3, Pingresp())
    count, least, greatest = line.times()[Trip.PING, UP]
    assert (count, least, greatest) == (PINGS + 50 + MAX_CONNECTIONS + 5, MS, 3 * MS)
    assert line.times(line.number) == {}, "the oldest connection is let go of"
    assert len(line.times(more.number)) == 1


def test_a_connection_that_stands_outlives_many_that_ended() -> None:
    line = Line()
    line.up(0, Connect("c", Version.V5, keep_alive=30))
    line.follow()
    for _ in range(2 * MAX_CONNECTIONS):
        other = Line(line.log, "flapping", line.pump)
        other.up(1, Connect("d", Version.V5, keep_alive=5))
        line.log.close_connection(other.number, 2 * MS, "over")
        line.follow()
    assert line.pump.timing.keep_alive(line.number, 3 * MS) == KeepAlive(30, 3 * MS, 3 * MS)


@pytest.mark.parametrize("given_by_server", [None, 20])
def test_the_keep_alive_and_how_long_the_client_was_silent(given_by_server: int | None) -> None:
    line = Line()
    properties = () if given_by_server is None else (Property(PropertyId.SERVER_KEEP_ALIVE, given_by_server),)
    line.up(0, Connect("c", Version.V5, keep_alive=30))
    line.down(1, Connack(properties=properties))
    line.up(2_000, Pingreq())
    line.up(27_000, Pingreq())
    line.down(29_000, Publish("a", b""))
    line.follow()
    seconds = given_by_server or 30
    stand = line.pump.timing.keep_alive(line.number, 37 * S)
    assert stand == KeepAlive(seconds, 10 * S, 25 * S)
    assert stand.left == (seconds * 3 // 2 - 10) * S
    assert stand.margin == (seconds - 25) * S
    assert line.pump.timing.keep_alive(line.number, 90 * S) == KeepAlive(seconds, 63 * S, 63 * S)
    line.log.close_connection(line.number, 40 * S, "over")
    line.follow()
    assert line.pump.timing.keep_alive(line.number, 90 * S) == KeepAlive(seconds, 13 * S, 25 * S)
    assert line.pump.timing.keep_alive(99, 0) is None


def test_flows_count_both_directions_of_all_connections_of_a_peer() -> None:
    line = Line()
    more = Line(line.log, pump=line.pump)
    line.recorder.inbound(b"\xd0\x00" * 10, 5 * S, 0)
    more.recorder.inbound(b"\xd0\x00" * 4, 5 * S, 0)
    line.recorder.outbound(b"\xc0\x00" * 3, 5 * S, 0)
    line.follow()
    timing = line.pump.timing
    assert timing.flow("dev", DOWN).rate(5 * S, 1) == (14, 28)
    assert timing.flow("dev", UP).rate(5 * S, 1) == (3, 6)
    assert timing.flow("nobody", UP).rate(5 * S, 1) == (0, 0)


@given(st.randoms(use_true_random=False))
def test_what_is_measured_is_what_the_operations_say(chance: random.Random) -> None:
    """Also when it is read in small slices, with packets of another connection between."""
    line = Line()
    other = Line(line.log, pump=line.pump)
    at = 0.0
    for mid in range(1, chance.randint(2, 40)):
        at += chance.random() * 50
        match chance.randint(0, 3):
            case 0:
                line.up(at, Publish("a", b"", qos=1, packet_id=mid))
                other.down(at, Publish("b", b""))
                line.down(at + chance.random() * 40, Ack(P.PUBACK, mid))
            case 1:
                line.up(at, Pingreq())
                at += chance.random()
                line.down(at, Pingresp())
            case 2:
                line.up(at, Subscribe(mid, (TopicRequest("a"),)))
                line.down(at + 1, Suback(mid, (0,)))
            case _:
                line.up(at, Publish("a", b"", qos=1, packet_id=mid))
        if chance.random() < 0.3:
            line.pump.advance(lambda: 0, 1)
    line.follow()
    trips = {OpKind.PUBLISH: Trip.PUBLISH_1, OpKind.PING: Trip.PING, OpKind.SUBSCRIBE: Trip.SUBSCRIBE}
    operations = line.pump.operations
    totals: dict[tuple[Trip, Direction], list[int]] = {}
    for start in operations.rows("all", 0, 1_000):
        found = operations.operation(start, 0)
        if found is not None and found.state is OpState.DONE and found.total_ns is not None:
            totals.setdefault((trips[found.kind], UP), []).append(found.total_ns)
    assert line.times() == {key: (len(took), min(took), max(took)) for key, took in totals.items()}
