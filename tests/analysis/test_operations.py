"""Operations: what was asked, what came of it, how long each step took, and what is still under way."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mqtttui.analysis.links import linked_fields
from mqtttui.analysis.operation import InFlight, Operation, OpKind, OpState
from mqtttui.analysis.operations import Operations
from mqtttui.analysis.pairs import Pairs
from mqtttui.analysis.requests import MAX_WAITING
from mqtttui.capture.log import Log, Origin
from mqtttui.capture.recorder import Recorder
from mqtttui.protocol.enums import Direction, PacketType, PropertyId, Version
from mqtttui.protocol.packets import (
    Ack,
    Auth,
    Connack,
    Connect,
    Disconnect,
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
from tests.support import golden, strategies

UP, DOWN = Direction.C2S, Direction.S2C
MS = 1_000_000
P = PacketType


class Followed:
    """A connection whose packets come 1 ms apart, numbered from 1; `Pairs` and `Operations` follow it."""

    def __init__(self, *steps: tuple[Direction, Packet], version: Version = Version.V5, log: Log | None = None) -> None:
        self.log = Log() if log is None else log
        self.version = version
        self.recorder = Recorder(self.log, self.log.open_connection(peer="dev", origin=Origin.OWN, mono=0, wall=0, version=version))
        self.pairs = Pairs()
        self.operations = Operations(self.pairs)
        self.record(*steps)

    def record(self, *steps: tuple[Direction, Packet]) -> None:
        for direction, packet in steps:
            self.recorder.record(direction, encode(packet, self.version), (self.log.last + 1) * MS, 0)
        self.follow()

    def close(self) -> None:
        self.recorder.closed((self.log.last + 1) * MS, "gone")
        self.follow()

    def follow(self, budget: int = 1_000) -> None:
        done = False
        while not done:
            done = self.pairs.advance(self.log, budget)
            done = self.operations.advance(self.log, budget) and done

    def one(self, start: int, now: int = 0) -> Operation:
        operation = self.operations.operation(start, now)
        assert operation is not None
        return operation

    def starts(self, which: str = "all") -> list[int]:
        return self.operations.rows(which, 0, 1_000)


def legs(operation: Operation) -> list[tuple[int, str, int | None]]:
    """(No., label, ms) of each packet."""
    return [(leg.no, leg.label, None if leg.ns is None else leg.ns // MS) for leg in operation.legs]


def asking(topic: str, correlation: bytes | None = b"c", *, qos: int = 0, packet_id: int | None = None) -> Publish:
    """A message that wants a response on `topic`."""
    properties = [Property(PropertyId.RESPONSE_TOPIC, topic)]
    if correlation is not None:
        properties.append(Property(PropertyId.CORRELATION_DATA, correlation))
    return Publish("ask/something", b"?", qos=qos, packet_id=packet_id, properties=tuple(properties))


def answering(topic: str, correlation: bytes | None = b"c") -> Publish:
    """The response to it."""
    return Publish(topic, b"!", properties=() if correlation is None else (Property(PropertyId.CORRELATION_DATA, correlation),))


def test_the_operations_of_the_golden_connections() -> None:
    log = Log()
    recorders: dict[str, Recorder] = {}
    for packet in golden.packets():
        if packet.connection not in recorders:
            recorders[packet.connection] = Recorder(log, log.open_connection(peer="", origin=Origin.FILE, mono=0, wall=0))
        recorders[packet.connection].record(packet.direction, packet.raw, packet.number * MS, 0)
    pairs = Pairs()
    operations = Operations(pairs)
    while not (pairs.advance(log, 5) and operations.advance(log, 5)):
        pass
    found = {start: operations.operation(start, 100 * MS) for start in sorted(operations.rows("all", 0, 100))}
    told = {start: (one.kind.value, one.state.value, one.reason) for start, one in found.items() if one is not None}
    assert told == {
        1: ("connect", "done", 0),
        3: ("subscribe", "failed", 0x80),
        6: ("publish", "done", 0),
        8: ("publish", "done", 0),
        12: ("publish", "done", 0),
        15: ("ping", "done", None),
        17: ("publish", "open", None),
        19: ("publish", "open", None),
        24: ("unsubscribe", "done", 0),
        27: ("connect", "done", 0),
        29: ("subscribe", "failed", 0x9E),
        31: ("request", "open", 0x10),
        34: ("publish", "done", 0),
        37: ("authenticate", "failed", 0x8E),
        39: ("unsubscribe", "done", 0),
        42: ("connect", "failed", 5),
    }
    assert operations.rows("all", 0, 3) == [31, 19, 17]
    assert sorted(operations.rows("failed", 0, 9)) == [3, 29, 37, 42]
    assert (operations.count, operations.open_count, operations.failed_count, operations.total) == (16, 3, 4, 16)


def test_qos_1_takes_from_publish_to_puback() -> None:
    followed = Followed((UP, Publish("a/b", qos=1, packet_id=7)))
    open_one = followed.one(1, 5 * MS)
    assert (open_one.state, open_one.age_ns, open_one.total_ns) == (OpState.OPEN, 4 * MS, None)
    followed.record((DOWN, Ack(P.PUBACK, 7)))
    done = followed.one(1)
    assert (done.kind, done.topic, done.qos, done.state, done.reason) == (OpKind.PUBLISH, b"a/b", 1, OpState.DONE, 0)
    assert (done.total_ns, done.age_ns, done.direction) == (MS, None, UP)
    assert legs(done) == [(1, "PUBLISH", 0), (2, "PUBACK", 1)]
    assert followed.operations.of(1) == followed.operations.of(2) == 1


def test_qos_2_has_three_legs_each_way() -> None:
    chain: list[tuple[Direction, Packet]] = []
    for direction, other in ((UP, DOWN), (DOWN, UP)):
        chain += [
            (direction, Publish("t", qos=2, packet_id=9)),
            (other, Ack(P.PUBREC, 9)),
            (direction, Ack(P.PUBREL, 9)),
            (other, Ack(P.PUBCOMP, 9)),
        ]
    followed = Followed(*chain)
    for start in (1, 5):
        assert legs(followed.one(start)) == [
            (start, "PUBLISH", 0),
            (start + 1, "PUBREC", 1),
            (start + 2, "PUBREL", 1),
            (start + 3, "PUBCOMP", 1),
        ]
        assert followed.one(start).total_ns == 3 * MS
        assert {followed.operations.of(no) for no in range(start, start + 4)} == {start}


def test_the_time_of_an_acknowledgement_runs_from_the_latest_transmission_and_delivery_from_the_first() -> None:
    message = Publish("t", qos=1, packet_id=4)
    again = Publish("t", qos=1, packet_id=4, dup=True)
    followed = Followed((UP, message), (DOWN, Pingresp()), (UP, again), (DOWN, Ack(P.PUBACK, 4)))
    done = followed.one(1)
    assert legs(done) == [(1, "PUBLISH", 0), (3, "PUBLISH again", 2), (4, "PUBACK", 1)]
    assert done.total_ns == 3 * MS
    assert followed.operations.of(3) == followed.operations.of(4) == 1
    assert followed.operations.total == 1


def test_repeated_steps_of_qos_2_stay_one_operation() -> None:
    followed = Followed(
        (UP, Publish("t", qos=2, packet_id=9)),
        (UP, Publish("t", qos=2, packet_id=9, dup=True)),
        (DOWN, Ack(P.PUBREC, 9)),
        (DOWN, Ack(P.PUBREC, 9)),
        (UP, Ack(P.PUBREL, 9)),
        (UP, Ack(P.PUBREL, 9)),
        (DOWN, Ack(P.PUBCOMP, 9)),
    )
    done = followed.one(1)
    assert [leg.label for leg in done.legs] == [
        "PUBLISH", "PUBLISH again", "PUBREC", "PUBREC again", "PUBREL", "PUBREL again", "PUBCOMP",
    ]  # fmt: skip
    assert (done.state, done.total_ns, followed.operations.count) == (OpState.DONE, 6 * MS, 1)
    assert {followed.operations.of(no) for no in range(1, 8)} == {1}


@pytest.mark.parametrize(
    ("request_packet", "answer", "reason"),
    [
        (Publish("t", qos=1, packet_id=1), Ack(P.PUBACK, 1, 0x87, ()), 0x87),
        (Publish("t", qos=2, packet_id=1), Ack(P.PUBREC, 1, 0x97, ()), 0x97),
        (Subscribe(1, (TopicRequest("a"), TopicRequest("b"), TopicRequest("c"))), Suback(1, (0, 0x87, 0x9E)), 0x87),
        (Unsubscribe(1, ("a",)), Unsuback(1, (0x87,)), 0x87),
        (Connect(version=Version.V5), Connack(0x86), 0x86),
    ],
)
def test_a_refusal_fails(request_packet: Packet, answer: Packet, reason: int) -> None:
    followed = Followed((UP, request_packet), (DOWN, answer))
    assert (followed.one(1).state, followed.one(1).reason) == (OpState.FAILED, reason)
    assert followed.starts("failed") == [1]
    assert followed.operations.open_count == 0


def test_a_warning_code_is_no_failure() -> None:
    followed = Followed((UP, Publish("t", qos=1, packet_id=1)), (DOWN, Ack(P.PUBACK, 1, 0x10, ())))
    assert (followed.one(1).state, followed.one(1).reason) == (OpState.DONE, 0x10)


def test_what_a_connection_leaves_open_is_lost() -> None:
    followed = Followed(
        (UP, Publish("t", qos=2, packet_id=1)), (DOWN, Ack(P.PUBREC, 1)), (UP, Pingreq()), (UP, Pingreq()), (DOWN, Pingresp())
    )
    followed.close()
    assert followed.starts("open") == []
    assert sorted(followed.starts("failed")) == [1, 4]
    lost = followed.one(1)
    assert (lost.state, lost.reason, lost.topic) == (OpState.FAILED, None, b"t")
    assert legs(lost) == [(1, "PUBLISH", 0), (2, "PUBREC", 1)]
    assert followed.one(3).state is OpState.DONE


def test_an_identifier_that_is_used_anew_ends_what_it_stood_for() -> None:
    followed = Followed((UP, Publish("old", qos=1, packet_id=1)), (UP, Publish("new", qos=1, packet_id=1)), (DOWN, Ack(P.PUBACK, 1)))
    assert (followed.one(1).state, followed.one(2).state) == (OpState.FAILED, OpState.DONE)
    assert followed.one(2).topic == b"new"


def test_a_login_with_steps_and_a_renewed_one() -> None:
    method = (Property(PropertyId.AUTHENTICATION_METHOD, "X"),)
    followed = Followed(
        (UP, Connect("me", version=Version.V5, properties=method)),
        (DOWN, Auth(0x18, method)),
        (UP, Auth(0x18, method)),
        (DOWN, Connack()),
        (UP, Auth(0x19, method)),
        (DOWN, Auth(0x18, method)),
        (UP, Auth(0x18, method)),
        (DOWN, Auth(0, method)),
        (UP, Auth(0x19, method)),
    )
    login = followed.one(1)
    assert (login.kind, login.topic, login.state, login.reason, login.total_ns) == (OpKind.CONNECT, b"me", OpState.DONE, 0, 3 * MS)
    assert legs(login) == [(1, "CONNECT", 0), (2, "AUTH", 1), (3, "AUTH", 1), (4, "CONNACK", 1)]
    renewed = followed.one(5)
    assert (renewed.kind, renewed.state, renewed.reason, renewed.total_ns) == (OpKind.AUTH, OpState.DONE, 0, 3 * MS)
    assert followed.pairs.request_of(9) is None
    assert followed.starts("open") == [9]
    followed.record((DOWN, Disconnect(0x87, ())))
    assert (followed.one(9).state, followed.one(9).reason) == (OpState.FAILED, 0x87)


def test_a_response_belongs_to_the_request_with_its_correlation_data() -> None:
    followed = Followed(
        (UP, asking("r/1", b"one")),
        (UP, asking("r/1", b"two", qos=1, packet_id=3)),
        (DOWN, answering("r/1", b"other")),
        (DOWN, answering("elsewhere", b"two")),
        (DOWN, answering("r/1", b"two")),
    )
    assert followed.starts("open") == [2, 1]
    followed.record((DOWN, Ack(P.PUBACK, 3)), (DOWN, answering("r/1", b"one")), (DOWN, answering("r/1", b"one")))
    assert followed.starts("open") == []
    one, two = followed.one(1), followed.one(2)
    assert (one.kind, one.topic, one.state, one.total_ns) == (OpKind.REQUEST, b"ask/something", OpState.DONE, 6 * MS)
    assert legs(one) == [(1, "PUBLISH", 0), (7, "response", 6)]
    assert legs(two) == [(2, "PUBLISH", 0), (5, "response", 3), (6, "PUBACK", 1)]
    assert followed.operations.response_of(2) == 5
    assert followed.operations.request_of(5) == 2
    assert followed.operations.of(7) == 1
    assert followed.operations.of(8) is None, "only the first response belongs to it"


def test_without_correlation_data_the_responses_come_in_order() -> None:
    followed = Followed((UP, asking("r", None)), (UP, asking("r", None)), (DOWN, answering("r", None)), (DOWN, answering("r", None)))
    assert [leg.no for leg in followed.one(1).legs] == [1, 3]
    assert [leg.no for leg in followed.one(2).legs] == [2, 4]


def test_a_response_may_come_by_an_alias_and_to_an_observer() -> None:
    alias = Property(PropertyId.TOPIC_ALIAS, 1)
    followed = Followed((DOWN, Publish("r", properties=(alias,))), (DOWN, asking("r")))
    followed.record((DOWN, Publish("", b"!", properties=(alias, Property(PropertyId.CORRELATION_DATA, b"c")))))
    assert [leg.no for leg in followed.one(2).legs] == [2, 3]


def test_a_request_and_its_copy_have_the_same_response() -> None:
    followed = Followed((UP, asking("r")), (DOWN, asking("r")), (UP, answering("r")), (DOWN, answering("r")))
    assert [leg.no for leg in followed.one(1).legs] == [1, 3]
    assert [leg.no for leg in followed.one(2).legs] == [2, 3]
    assert followed.operations.open_count == 0


def test_a_refused_request_waits_for_nothing() -> None:
    followed = Followed((UP, asking("r", qos=1, packet_id=1)), (DOWN, Ack(P.PUBACK, 1, 0x87, ())))
    assert followed.one(1).state is OpState.FAILED
    followed.record((DOWN, answering("r")))
    assert followed.operations.request_of(3) is None


def test_requests_whose_responses_go_elsewhere_are_given_up_in_peace() -> None:
    followed = Followed(*[(DOWN, asking(f"r/{index}")) for index in range(MAX_WAITING + 50)])
    assert followed.operations.open_count == MAX_WAITING
    assert followed.operations.failed_count == 0
    assert followed.operations.operation(1, 0) is None, "a message with QoS 0 as any other"
    followed.record((DOWN, answering(f"r/{MAX_WAITING}")))
    assert followed.one(MAX_WAITING + 1).state is OpState.DONE


def test_what_looks_like_a_response_topic_is_none() -> None:
    followed = Followed((UP, Publish("eight/ch", b"\x08\x00\x01r")), version=Version.V311)
    followed.record((UP, Publish("eight/ch", b"\x08\x00\x01r")))
    other = Followed(
        (UP, Publish("eight/ch", b"\x08\x00\x01r")), (UP, Publish("t", properties=(Property(PropertyId.CONTENT_TYPE, "\x08 x"),)))
    )
    assert followed.operations.total == other.operations.total == 0


def test_a_resumed_pubrel_is_an_operation_of_its_own() -> None:
    followed = Followed((UP, Ack(P.PUBREL, 3)), (UP, Ack(P.PUBREL, 3)), (DOWN, Ack(P.PUBCOMP, 3)))
    assert legs(followed.one(1)) == [(1, "PUBREL", 0), (2, "PUBREL again", 1), (3, "PUBCOMP", 1)]
    assert (followed.one(1).kind, followed.one(1).qos) == (OpKind.PUBLISH, None)


def test_in_flight_against_what_the_other_side_allows() -> None:
    alias = Property(PropertyId.TOPIC_ALIAS, 1)
    followed = Followed(
        (
            UP,
            Connect(version=Version.V5, properties=(Property(PropertyId.RECEIVE_MAXIMUM, 5), Property(PropertyId.TOPIC_ALIAS_MAXIMUM, 3))),
        ),
        (DOWN, Connack(properties=(Property(PropertyId.RECEIVE_MAXIMUM, 20),))),
        (UP, Subscribe(1, (TopicRequest("a"),))),
        (UP, Publish("t", qos=1, packet_id=2)),
        (UP, Publish("t", qos=2, packet_id=3)),
        (DOWN, Ack(P.PUBREC, 3)),
        (DOWN, Publish("t", qos=1, packet_id=1, properties=(alias,))),
    )
    assert followed.operations.in_flight(0) == InFlight(2, 20, 1, 5, 0, 0, 1, 3)
    followed.record((UP, Ack(P.PUBREL, 3)), (DOWN, Ack(P.PUBCOMP, 3)), (DOWN, Ack(P.PUBACK, 2)), (UP, Ack(P.PUBACK, 1)))
    assert followed.operations.in_flight(0) == InFlight(0, 20, 0, 5, 0, 0, 1, 3)
    old = Followed((UP, Connect()), (DOWN, Connack()), version=Version.V311)
    assert old.operations.in_flight(0) == InFlight(0, None, 0, None, 0, None, 0, None)


def test_rows_are_paged_open_ones_first() -> None:
    steps: list[tuple[Direction, Packet]] = []
    for index in range(1, 21):
        steps.append((UP, Publish("t", qos=1, packet_id=index)))
        if index % 4:
            steps.append((DOWN, Ack(P.PUBACK, index)))
    followed = Followed(*steps)
    whole = followed.starts()
    assert len(whole) == followed.operations.count == 20
    assert all(followed.one(start).state is OpState.OPEN for start in whole[:5])
    assert whole[:5] == sorted(whole[:5], reverse=True) and whole[5:] == sorted(whole[5:], reverse=True)
    for size in (1, 3, 7, 30):
        assert [no for start in range(0, 20, size) for no in followed.operations.rows("all", start, size)] == whole
    assert followed.operations.rows("open", 2, 2) == whole[2:4]
    assert followed.operations.rows("all", 25, 5) == []


def test_operations_go_with_their_packets_but_open_and_failed_ones_stay() -> None:
    followed = Followed(
        (UP, Publish("stuck", qos=1, packet_id=60_000)),
        (UP, Publish("bad", qos=1, packet_id=60_001)),
        (DOWN, Ack(P.PUBACK, 60_001, 0x87, ())),
        log=Log(1_500_000),
    )
    for index in range(1, 3_000):
        followed.record((UP, Publish("t", bytes(600), qos=1, packet_id=index)), (DOWN, Ack(P.PUBACK, index)))
    assert followed.log.first > 1_000
    listed = followed.starts("all")
    assert listed[0] == 1 and followed.one(1).state is OpState.OPEN
    assert followed.starts("failed") == [2]
    assert (followed.one(2).topic, followed.one(2).reason, followed.one(2).total_ns) == (b"bad", 0x87, MS)
    assert followed.operations.count < 2_500 and followed.operations.total == 3_001
    assert followed.operations.operation(10, 0) is None
    assert followed.operations.of(10) is None
    followed.record((DOWN, Ack(P.PUBACK, 60_000)))
    late = followed.one(1)
    assert (late.state, late.total_ns is not None and late.total_ns > 1_000 * MS) == (OpState.DONE, True)


def test_changes_are_told_by_number() -> None:
    followed = Followed((UP, Publish("t", qos=1, packet_id=1)))
    _, position = followed.operations.changes_since(0)
    _, linked = followed.pairs.changes_since(0)
    followed.record((DOWN, Ack(P.PUBACK, 1)))
    changed, position = followed.operations.changes_since(position)
    assert set(changed) >= {1}
    assert followed.pairs.changes_since(linked)[0] == [1]
    assert followed.operations.changes_since(position) == ([], position)


def test_links_are_generated_fields() -> None:
    followed = Followed(
        (UP, asking("r", qos=1, packet_id=1)),
        (DOWN, Ack(P.PUBACK, 1)),
        (DOWN, answering("r")),
        (UP, Subscribe(2, (TopicRequest("a/\x1b"),))),
    )
    followed.record((DOWN, Suback(2, (0,))))

    def told(no: int) -> list[tuple[str, object, str]]:
        fields = linked_fields(no, followed.log, followed.pairs, followed.operations)
        assert all(field.generated and field.start == field.end == 0 for field in fields)
        return [(field.filter, field.value, field.display) for field in fields]

    assert told(1) == [("mqtttui.response_in", 2, "#2"), ("mqtttui.response_in", 3, "#3")]
    assert told(2) == [
        ("mqtttui.request_in", 1, "#1"),
        ("mqtttui.rtt", MS, "1.0 ms"),
        ("mqtttui.topic", "ask/something", "ask/something"),
    ]
    assert told(3) == [("mqtttui.request_in", 1, "#1"), ("mqtttui.rtt", 2 * MS, "2.0 ms")]
    assert told(5)[-1] == ("mqtttui.topic", "a/\x1b", "a/\\x1b")
    assert linked_fields(99, followed.log, followed.pairs, followed.operations) == ()


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_traffic_in_any_slices_gives_the_same_operations(data: st.DataObject) -> None:
    version = data.draw(strategies.versions)
    small = st.integers(1, 3)
    acks = st.builds(
        Ack, st.sampled_from(strategies.ACKNOWLEDGEMENTS), small, st.sampled_from([None, 0, 0x87]) if version == 5 else st.none()
    )
    messages = st.builds(Publish, st.just("t"), st.just(b""), st.integers(1, 2), st.just(False), st.booleans(), small)
    asks = st.sampled_from([asking("r"), asking("r", None), answering("r"), answering("r", None)]) if version == 5 else st.just(Pingreq())
    valid: st.SearchStrategy[Packet] = st.one_of(acks, messages, asks, strategies.packets(version))
    whole = valid.map(lambda packet: encode(packet, version))
    stream = data.draw(st.lists(st.tuples(strategies.directions, whole | strategies.any_packet_bytes), max_size=25))
    followed = [Followed(version=version), Followed(version=version)]
    for budget, each in zip((1, 1_000), followed, strict=True):
        for index, (direction, raw) in enumerate(stream):
            each.recorder.record(direction, raw, index * MS, 0)
        each.follow(budget)
        each.close()
    one, other = followed
    assert sorted(one.starts()) == sorted(other.starts())
    assert one.operations.open_count == 0 and one.operations.total == len(one.starts())
    for start in one.starts():
        assert one.one(start) == other.one(start)
        assert {one.operations.of(leg.no) for leg in one.one(start).legs} >= {start}


def test_qos_0_costs_almost_nothing() -> None:
    followed = Followed()
    count = 50_000
    followed.recorder.inbound(encode(Publish("site/line4/temperature", b'{"celsius":21.5}'), Version.V5) * count, 1, 1)
    while not followed.pairs.advance(followed.log):
        pass
    started_at = time.process_time()
    while not followed.operations.advance(followed.log):
        pass
    assert (time.process_time() - started_at) / count < 1e-6, "about 0.1 microseconds on a quiet machine"
