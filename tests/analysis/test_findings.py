"""Findings are counted, kept, grouped, muted and found again; what saves time loses none of them."""

from __future__ import annotations

import time
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from mqtttui.analysis.expert import store
from mqtttui.analysis.expert.finding import Finding, Group
from mqtttui.analysis.expert.timeouts import Timeouts
from mqtttui.analysis.findings import Findings
from mqtttui.analysis.pump import Pump
from mqtttui.capture.log import Log, Origin
from mqtttui.capture.recorder import Recorder
from mqtttui.protocol.checks import CHECKS
from mqtttui.protocol.dissect import dissect
from mqtttui.protocol.enums import Direction, PacketType, PropertyId, Severity, Version
from mqtttui.protocol.fields import Context
from mqtttui.protocol.packets import (
    Ack,
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
    Will,
    encode,
)
from tests.support import strategies

UP, DOWN = Direction.C2S, Direction.S2C
SECOND = 1_000_000_000
V311, V5 = Version.V311, Version.V5


def started(version: Version, log: Log | None = None) -> tuple[Log, Recorder]:
    """A connection with a CONNECT and everything subscribed: packets 1 to 4."""
    log, recorder = bare(version, log)
    recorder.outbound(encode(Connect("c", version), version), 1, 1)
    recorder.inbound(encode(Connack(), version), 1, 1)
    recorder.outbound(encode(Subscribe(1, (TopicRequest("#", 2),)), version), 1, 1)
    recorder.inbound(encode(Suback(1, (2,)), version), 1, 1)
    return log, recorder


def bare(version: Version, log: Log | None = None) -> tuple[Log, Recorder]:
    log = Log() if log is None else log
    return log, Recorder(log, log.open_connection(peer="dev", origin=Origin.OWN, mono=0, wall=0, version=version))


def caught_up(log: Log, followed: Findings, budget: int = 4_000) -> Findings:
    while not followed.advance(log, budget):
        pass
    return followed


Told = tuple[dict[int, tuple[Finding, ...]], list[Group], tuple[int, int, int], list[int]]


def told(log: Log, followed: Findings) -> Told:
    """Everything that `followed` says."""
    found = {no: followed.of(no) for no in log.numbers()}
    counts = (followed.warnings, followed.errors, followed.latest)
    return {no: items for no, items in found.items() if items}, followed.groups(Severity.CHAT), counts, list(followed.numbers())


def assert_complete(log: Log, followed: Findings) -> None:
    """The counts and pins are those that looking at every packet gives."""
    found = {no: followed.of(no) for no in log.numbers()}
    worst = {no: items[0].severity for no, items in found.items() if items}
    errors = [no for no, severity in worst.items() if severity is Severity.ERROR]
    warnings = [no for no, severity in worst.items() if severity is Severity.WARN]
    assert (followed.errors, followed.warnings) == (len(errors), len(warnings))
    assert followed.latest == max(errors + warnings, default=0)
    assert all(log.pinned(no) for no in errors + warnings)
    by_check = Counter(item.id for items in found.values() for item in items)
    counted: Counter[str] = Counter()
    for group in followed.groups(Severity.CHAT):
        counted[group.id] += group.count
    assert counted == by_check
    assert list(followed.numbers()) == sorted(worst)


@st.composite
def streams(draw: st.DrawFn) -> tuple[Version, list[tuple[Direction, bytes]]]:
    """A version, and control packets that are well-formed, damaged or anything, some of them more than once."""
    version = draw(strategies.versions)
    whole = strategies.packets(version).map(lambda packet: encode(packet, version))
    properties = strategies.properties(PacketType.PUBLISH) if version is V5 else st.just(())
    topics = strategies.topics | st.sampled_from(["", "a/b", "$a"])
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


@settings(max_examples=100, deadline=None)
@given(streams())
def test_the_screen_misses_nothing(stream: tuple[Version, list[tuple[Direction, bytes]]]) -> None:
    version, order = stream
    log, recorder = bare(version)
    for direction, raw in order:
        recorder.record(direction, raw, 1, 1)
    recorder.closed(2, "over")
    assert_complete(log, caught_up(log, Findings()))


@settings(max_examples=20, deadline=None)
@given(st.binary(min_size=1, max_size=7), strategies.directions, strategies.versions)
def test_short_packets_of_every_kind(body: bytes, direction: Direction, version: Version) -> None:
    log, recorder = bare(version)
    for first in range(0, 256, 3):
        recorder.record(direction, bytes([first, len(body)]) + body, 1, 1)
        recorder.record(direction, bytes([first, 0x80 | len(body), 0]) + body, 1, 1)
    assert_complete(log, caught_up(log, Findings()))


TOPICS = ("a", "a/b", "b", "$SYS/x", "state", "A/b")
FILTERS = ("#", "a/#", "+/b", "b", "$share/g/a", "state")
Move = tuple[int, Direction, Packet, int]
"""Connection, sender, packet, ms since the one before."""


@st.composite
def conversations(draw: st.DrawFn) -> list[Move]:
    """Steps of two clients that do what clients do, and sometimes what they should not."""
    version = V5 if draw(st.booleans()) else V311
    topics, ids, qualities = st.sampled_from(TOPICS), st.integers(1, 3), st.integers(0, 2)
    payloads = st.sampled_from([b"x", b"x", b"y", b"", b"gone"])
    filters = st.sampled_from(draw(st.sampled_from([FILTERS, ("b",), ("a/#", "b")])))
    will = draw(st.none() | st.just(Will("state", b"gone")))
    plain = st.builds(Publish, topics, payloads, retain=st.sampled_from([False, False, False, True]))
    flow = st.builds(Publish, topics, payloads, st.integers(1, 2), st.booleans(), st.booleans(), ids)
    hello = st.builds(Connect, st.just("c"), st.just(version), st.booleans(), st.just(2), will=st.just(will))
    kinds = st.sampled_from([PacketType.PUBACK, PacketType.PUBREC, PacketType.PUBREL, PacketType.PUBCOMP])
    anything = st.one_of(plain, flow, st.builds(Ack, kinds, ids), st.builds(Suback, ids, st.just((0,))), hello, st.just(Disconnect()))

    def several() -> list[tuple[Direction, Packet]]:
        number, quality, chosen = draw(ids), draw(qualities), draw(filters)
        message = draw(plain)
        stranger: tuple[Direction, Packet] = (draw(strategies.directions), draw(anything))
        choices: list[list[tuple[Direction, Packet]]] = [
            [(DOWN, message)] * 3,
            [(DOWN, draw(plain)), (DOWN, draw(plain)), (DOWN, message)],
            [(UP, message)] * 2,
            [(UP, Subscribe(number, (TopicRequest(chosen, quality),))), (DOWN, Suback(number, (quality,)))],
            [(UP, Unsubscribe(number, (chosen,))), (DOWN, message), (DOWN, Unsuback(number, (0,) if version is V5 else ()))],
            [(UP, Publish("a", b"x", 1, packet_id=number)), (DOWN, Ack(PacketType.PUBACK, number))],
            [(UP, Pingreq()), (DOWN, Pingresp())],
            [(UP, draw(flow))],
            [stranger],
        ]
        return draw(st.sampled_from(choices))

    delays = st.sampled_from([0, 1, 10, 900, 3_000, 11_000])
    steps: list[Move] = []
    for number in range(2):
        steps += [(number, UP, draw(hello), 1), (number, DOWN, Connack(session_present=draw(st.booleans())), 1)]
        steps += [(number, UP, Subscribe(9, (TopicRequest(draw(filters), 1),)), 1), (number, DOWN, Suback(9, (draw(qualities),)), 1)]
    for _ in range(draw(st.integers(1, 10))):
        number = draw(st.integers(0, 1))
        steps += [(number, direction, packet, draw(delays)) for direction, packet in several()]
    return steps


def recorded(steps: list[Move], origin: Origin) -> Log:
    """The steps in a log, with the ends of both connections."""
    log, now = Log(), 0
    version = next((packet.version for _, _, packet, _ in steps if isinstance(packet, Connect)), V311)
    recorders = [
        Recorder(log, log.open_connection(peer="dev", origin=origin, destination="b:1", mono=0, wall=0, version=version)) for _ in range(2)
    ]
    for number, direction, packet, later in steps:
        now += later * 1_000_000
        recorders[number].record(direction, encode(packet, version), now, now)
    for recorder in recorders:
        now += 1_000_000
        recorder.closed(now, "over")
    return log


@settings(max_examples=80, deadline=None)
@given(conversations(), st.integers(1, 7))
def test_what_saves_time_loses_no_findings(steps: list[Move], budget: int) -> None:
    log = recorded(steps, Origin.OWN)
    whole = told(log, caught_up(log, Findings()))
    assert whole == told(log, caught_up(log, Findings(settling=False))), "every packet is shown to the rules"
    assert whole == told(log, caught_up(log, Findings(), budget)), "read in small slices"


@settings(max_examples=60, deadline=None)
@given(conversations())
def test_live_and_from_a_file_the_findings_are_the_same(steps: list[Move]) -> None:
    live, now = Log(), 0
    version = next((packet.version for _, _, packet, _ in steps if isinstance(packet, Connect)), V311)
    recorders = [
        Recorder(live, live.open_connection(peer="dev", origin=Origin.RELAYED, destination="b:1", mono=0, wall=0, version=version))
        for _ in range(2)
    ]
    followed = Findings()
    for number, direction, packet, later in steps:
        for _ in range(3):
            now += later * 1_000_000 // 3
            followed.tick(now)
        recorders[number].record(direction, encode(packet, version), now, now)
        caught_up(live, followed)
    for recorder in recorders:
        now += 1_000_000
        recorder.closed(now, "over")
        caught_up(live, followed)
    file = Log()
    copies = [
        Recorder(file, file.open_connection(peer="dev", origin=Origin.FILE, destination="b:1", mono=0, wall=0, version=version))
        for _ in range(2)
    ]
    for no in live.numbers():
        row = live[no]
        copies[row.connection].record(row.direction, row.raw, row.mono, row.wall)
    for number, copy in enumerate(copies):
        copy.closed(live.connection(number).closed or 0, "over")
    assert told(live, followed) == told(file, caught_up(file, Findings()))


def test_ordinary_traffic_costs_no_dissection() -> None:
    log, recorder = started(V5)
    listed = (Property(PropertyId.CONTENT_TYPE, "text/plain"),)
    ordinary = [
        (DOWN, encode(Publish("a/b", b"\xff" * 300), V5)),
        (UP, encode(Publish("a/b", b"x", qos=2, packet_id=7), V5)),
        (DOWN, encode(Ack(PacketType.PUBREC, 7, 0x10, ()), V5)),
        (UP, encode(Ack(PacketType.PUBREL, 7), V5)),
        (DOWN, encode(Ack(PacketType.PUBCOMP, 7), V5)),
        (UP, b"\xc0\x00"),
        (DOWN, b"\xd0\x00"),
        (DOWN, encode(Publish("a/b", b"x", properties=listed), V5)),
    ]
    for _ in range(25):
        for direction, raw in ordinary:
            recorder.record(direction, raw, 1, 1)
    followed = Findings()
    assert followed.advance(log, 10_000), "one slice has too few dissections for more than the first of each shape"
    assert (followed.errors, followed.warnings) == (0, 0)


def test_a_slice_has_a_bounded_number_of_dissections() -> None:
    log, recorder = started(V311)
    recorder.inbound(encode(Publish("a/+"), V311) * 100, 1, 1)
    followed = Findings()
    assert not followed.advance(log, 10_000)
    assert 20 < followed.position < 60
    assert caught_up(log, followed).errors == 100


def test_findings_outlive_eviction() -> None:
    log, recorder = started(V311, Log(200_000))
    recorder.inbound(encode(Publish("a"), V311) + encode(Publish("a/#"), V311), 1, 1)
    followed = caught_up(log, Findings())
    assert (followed.warnings, followed.errors, followed.latest) == (0, 1, 6)
    for _ in range(300):
        recorder.inbound(encode(Publish("a/b", bytes(50)), V311) * 50, 2, 2)
        caught_up(log, followed)
    assert log.first > 6
    assert 5 not in log and 6 in log
    assert dissect(log[6].raw, Context(V311, DOWN)).worst is Severity.ERROR


def test_the_words_of_a_conversation_stay_when_the_packet_is_gone() -> None:
    log, recorder = started(V311, Log(200_000))
    recorder.inbound(encode(Publish("a", b"x", retain=True), V311), 1, 1)
    followed = caught_up(log, Findings())
    before = followed.of(5)
    for _ in range(300):
        recorder.inbound(encode(Publish("a/b", bytes(50)), V311) * 50, 2, 2)
        caught_up(log, followed)
    assert 5 not in log
    assert [finding.text for finding in followed.of(5)] == [finding.text for finding in before]
    assert "D12" in [finding.id for finding in before]


def test_a_flood_of_findings_keeps_the_latest() -> None:
    log, recorder = started(V311)
    count = store.MAX_PINNED + 100
    recorder.inbound(encode(Publish("a/+"), V311) * count, 1, 1)
    followed = caught_up(log, Findings())
    assert followed.errors == count
    assert not log.pinned(104) and log.pinned(105) and log.pinned(count + 4)


def test_a_flood_of_notes_keeps_its_count_and_the_words_of_the_latest() -> None:
    log, recorder = started(V311)
    count = store.MAX_KEPT + 50
    stored = b"".join(encode(Publish(f"t/{index}", b"x", retain=True), V311) for index in range(count))
    recorder.inbound(encode(Ack(PacketType.PUBACK, 77), V311) + stored, 1, 1)
    followed = caught_up(log, Findings())
    (group,) = [group for group in followed.groups(Severity.CHAT) if group.id == "D12"]
    assert (group.count, group.first, group.latest) == (count, 6, count + 5)
    assert group.sample == tuple(range(count - 4, count + 6))
    assert not followed.of(6) and followed.of(count + 5) and followed.of(5)[0].id == "E01"


def test_groups_are_by_check_and_cause_and_the_worst_come_first() -> None:
    log, recorder = started(V5)
    for number, code in enumerate((0x87, 0x97, 0x87), 1):
        recorder.outbound(encode(Publish("t", b"x", 1, packet_id=number), V5), 1, 1)
        recorder.inbound(encode(Ack(PacketType.PUBACK, number, code, ()), V5), 1, 1)
    recorder.inbound(encode(Publish("a/+", b"x"), V5), 1, 1)
    followed = caught_up(log, Findings())
    groups = [(group.id, group.cause, group.count, group.first, group.latest) for group in followed.groups(Severity.WARN)]
    assert groups[:2] == [("B06", "", 1, 11, 11), ("E16", "0x87 not authorized", 2, 6, 10)]
    assert ("E16", "0x97 quota exceeded", 1, 8, 8) in groups
    assert list(followed.numbers("E16")) == [6, 8, 10]
    assert list(followed.numbers("E16", "0x87 not authorized")) == [6, 10]
    assert followed.groups(Severity.WARN)[1].title == CHECKS["E16"].title


def test_muted_checks_do_not_count_and_are_passed_over() -> None:
    log, recorder = started(V311)
    recorder.inbound(encode(Publish("a/+", b"x"), V311) + encode(Ack(PacketType.PUBACK, 9), V311), 1, 1)
    recorder.inbound(encode(Publish("a/#", b"x"), V311) + encode(Ack(PacketType.PUBACK, 9), V311), 1, 1)
    followed = caught_up(log, Findings())
    assert (followed.errors, followed.latest, followed.next(6), followed.next(8)) == (4, 8, 7, 5)
    assert followed.next(5, backwards=True) == 8
    followed.mute("E01")
    assert (followed.errors, followed.latest, followed.next(5), followed.next(7)) == (2, 7, 7, 5)
    assert followed.muted == {"E01"}
    assert [(group.id, group.muted) for group in followed.groups(Severity.ERROR)] == [("B06", False), ("E01", True)]
    followed.mute("B06")
    assert (followed.errors, followed.latest, followed.next(0)) == (0, 0, None)
    followed.unmute("E01")
    assert (followed.errors, followed.next(0)) == (2, 6)


def test_a_finding_on_an_earlier_packet_is_told_as_a_change() -> None:
    log, recorder = started(V311)
    recorder.outbound(encode(Publish("t", b"x", 1, packet_id=7), V311), 2 * SECOND, 1)
    followed = caught_up(log, Findings())
    changes, position = followed.changes_since(0)
    followed.tick(11 * SECOND)
    assert followed.changes_since(position)[0] == []
    followed.tick(13 * SECOND)
    assert followed.changes_since(position)[0] == [5]
    assert [finding.id for finding in followed.of(5)] == ["E10"]
    assert (followed.warnings, followed.latest) == (1, 5)
    assert 5 not in changes


def test_the_pump_tells_the_time() -> None:
    log, recorder = started(V311)
    recorder.outbound(encode(Publish("t", b"x", 1, packet_id=7), V311), 2 * SECOND, 1)
    pump = Pump(log, Timeouts(ack=3))
    assert pump.advance(lambda: 4 * SECOND, 1) and pump.findings.warnings == 0
    assert pump.advance(lambda: 6 * SECOND, 1) and pump.findings.warnings == 1


def test_time_waits_for_packets_that_were_not_read() -> None:
    log, recorder = started(V311)
    recorder.outbound(encode(Publish("t", b"x", 1, packet_id=7), V311), 2 * SECOND, 1)
    followed = caught_up(log, Findings())
    recorder.inbound(encode(Ack(PacketType.PUBACK, 7), V311), 3 * SECOND, 1)
    followed.tick(13 * SECOND)
    caught_up(log, followed)
    followed.tick(13 * SECOND)
    assert followed.warnings == 0


def test_what_was_evicted_unread_makes_no_findings() -> None:
    log, recorder = started(V311, Log(200_000))
    followed = Findings()
    filler = encode(Publish("f", bytes(60)), V311) * 100
    for _ in range(100):
        recorder.inbound(filler, 2, 2)
    recorder.inbound(encode(Ack(PacketType.PUBACK, 7), V311) + encode(Publish("not/subscribed", b"x"), V311), 2, 2)
    caught_up(log, followed)
    assert followed.missed and (followed.warnings, followed.errors) == (0, 0)


def test_an_ended_connection_is_forgotten() -> None:
    log, recorder = started(V311)
    recorder.outbound(encode(Disconnect(), V311), 2, 2)
    recorder.closed(3, "disconnected")
    followed = caught_up(log, Findings())
    assert not followed._engine._lives
    followed.tick(100 * SECOND)
    assert (followed.warnings, followed.errors) == (0, 0)


def test_a_settled_packet_costs_little() -> None:
    log, recorder = started(V5)
    count = 20_000
    recorder.inbound(encode(Publish("site/line4/temperature", b'{"celsius":21.5}'), V5) * count, 1, 1)
    followed = Findings()
    started_at = time.process_time()
    followed.advance(log, count + 4)
    assert followed.position == count + 4
    assert (time.process_time() - started_at) / count < 5e-6, "about 1 microsecond on a quiet machine"


def test_a_hole_in_a_capture_makes_no_findings() -> None:
    log, recorder = started(V311)
    recorder.outbound(encode(Publish("t", b"x", 1, packet_id=1), V311) + b"\xc0\0", SECOND, 1)
    log.mark_loss(0)
    answers: list[Packet] = [Ack(PacketType.PUBACK, 5), Pingresp(), Publish("a", b"x"), Suback(8, (0,)), Ack(PacketType.PUBCOMP, 7)]
    for answer in answers:
        recorder.inbound(encode(answer, V311), 20 * SECOND, 1)
    followed = caught_up(log, Findings())
    followed.tick(40 * SECOND)
    assert [finding.id for no in log.numbers() for finding in followed.of(no) if finding.severity >= Severity.WARN] == []


def test_packets_of_another_shape_are_looked_at() -> None:
    log, recorder = started(V311)
    for topic, payload, retain in (("a", b"x", False), ("$a", b"x", False), ("a", b"x", True), ("a", b"", True), ("b", b"x", False)):
        recorder.outbound(encode(Publish(topic, payload, retain=retain), V311), 1, 1)
    followed = caught_up(log, Findings())
    found = {no: {finding.id for finding in followed.of(no)} & {"B13", "D16", "D17"} for no in range(5, 10)}
    assert found == {5: set(), 6: {"B13"}, 7: {"D17"}, 8: {"D16", "D17"}, 9: set()}
    assert {id: list(followed.numbers(id)) for id in ("B13", "D16", "D17")} == {"B13": [6], "D16": [8], "D17": [7, 8]}


def test_a_settled_topic_is_looked_at_again_when_the_subscription_is_gone() -> None:
    log, recorder = started(V311)
    message = encode(Publish("a", b"x"), V311)
    recorder.inbound(message * 3, 1, 1)
    recorder.outbound(encode(Unsubscribe(2, ("#",)), V311), 2, 1)
    recorder.inbound(encode(Unsuback(2), V311), 3, 1)
    recorder.inbound(message, 20 * SECOND, 1)
    followed = caught_up(log, Findings())
    assert followed.latest == log.last


def test_a_capture_whose_times_run_backwards_is_read_to_the_end() -> None:
    log = Log()
    first, second = (Recorder(log, log.open_connection(peer="", origin=Origin.FILE, destination="b:1", mono=0, wall=0)) for _ in range(2))
    for recorder, name in ((first, "c"), (second, "d")):
        recorder.outbound(encode(Connect(name), V311), 1, 1)
        recorder.inbound(encode(Connack(), V311), 1, 1)
    second.outbound(encode(Pingreq(), V311), 3600 * SECOND, 1)
    first.outbound(encode(Publish("a/+"), V311) + encode(Disconnect(), V311), SECOND, 1)
    first.closed(2 * SECOND, "over")
    followed = Findings()
    caught_up(log, followed)
    assert followed.errors >= 1 and "G06" not in [group.id for group in followed.groups(Severity.CHAT)]
    assert len(followed._engine._lives) == 1
