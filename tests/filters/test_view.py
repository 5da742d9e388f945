"""The filtered view: found in slices, right at every moment, and kept right while packets come, change and go."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from mqtttui.analysis.changes import Changes
from mqtttui.analysis.operations import Operations
from mqtttui.analysis.pairs import Pairs
from mqtttui.capture.log import Log, Origin
from mqtttui.capture.recorder import Recorder
from mqtttui.filters.compiler import compile_filter
from mqtttui.filters.row import Facts, Row
from mqtttui.filters.view import FilterView
from mqtttui.protocol.enums import Direction, PacketType, PropertyId, Version
from mqtttui.protocol.packets import Ack, Packet, Pingreq, Pingresp, Property, Publish, Suback, Subscribe, TopicRequest, encode

UP, DOWN = Direction.C2S, Direction.S2C
MS = 1_000_000
P = PacketType


class Marks:
    """Marks and comments that can be set."""

    def __init__(self) -> None:
        self._marked: set[int] = set()
        self._changes = Changes()

    def toggle(self, no: int) -> None:
        self._marked ^= {no}
        self._changes.add(no)

    def marked(self, no: int) -> bool:
        return no in self._marked

    def comment(self, no: int) -> str:
        return ""

    def changes_since(self, position: int) -> tuple[list[int], int]:
        return self._changes.since(position)


class Shown:
    """A log with one connection, what follows it, and a view of it. Packets come 1 ms apart."""

    def __init__(self, limit: int | None = None, version: Version = Version.V5) -> None:
        self.log = Log(limit)
        self.version = version
        self.recorder = Recorder(self.log, self.log.open_connection(peer="dev", origin=Origin.OWN, mono=0, wall=0, version=version))
        self.pairs = Pairs()
        self.operations = Operations(self.pairs)
        self.marks = Marks()
        self.now = 0
        self.facts = Facts(pairs=self.pairs, operations=self.operations, marks=self.marks, now=lambda: self.now)
        self.view = FilterView(self.log, self.facts)

    def record(self, *steps: tuple[Direction, Packet]) -> None:
        for direction, packet in steps:
            self.recorder.record(direction, encode(packet, self.version), (self.log.last + 1) * MS, 0)

    def follow(self) -> None:
        while not (self.pairs.advance(self.log) and self.operations.advance(self.log)):
            pass

    def filter(self, text: str | None, *, answers: bool = False, hide_noise: bool = False) -> list[int]:
        self.view.set(None if text is None else compile_filter(text), answers=answers, hide_noise=hide_noise)
        return self.settled()

    def settled(self) -> list[int]:
        """Everything is followed and tested."""
        self.follow()
        while not self.view.advance(lambda: 0, 1):
            pass
        return list(self.view.numbers)


def ticking(step: int = 1) -> Callable[[], int]:
    """A clock that goes on by `step` whenever it is looked at."""
    ticks = count(0, step)
    return lambda: next(ticks)


def acknowledged(topic: str, packet_id: int) -> list[tuple[Direction, Packet]]:
    return [(UP, Publish(topic, b"21", qos=1, packet_id=packet_id)), (DOWN, Ack(P.PUBACK, packet_id))]


def test_what_comes_is_tested_as_it_comes() -> None:
    shown = Shown()
    shown.record((DOWN, Publish("a")), (DOWN, Publish("b")))
    assert shown.filter('mqtt.topic == "a"') == [1]
    shown.record((DOWN, Publish("b")), (DOWN, Publish("a")))
    assert shown.settled() == [1, 4]
    assert (shown.view.matches, shown.view.tested, shown.view.total, shown.view.answers) == (2, 4, 4, 0)
    assert 4 in shown.view and 3 not in shown.view
    assert shown.filter(None) == [] and not shown.view.active


def test_an_existing_log_is_filtered_in_slices() -> None:
    shown = Shown()
    for index in range(3_000):
        shown.record((DOWN, Publish("ab"[index % 2])))
    shown.follow()
    shown.view.set(compile_filter('mqtt.topic == "a" and not _ws.malformed'))
    clock = ticking()
    seen = []
    while not shown.view.advance(clock, 20):
        seen.append((shown.view.tested, shown.view.matches))
        assert shown.view.total == 3_000
        assert list(shown.view.numbers) == [no for no in range(1, shown.view.tested + 1) if no % 2]
    assert len(seen) > 5 and seen == sorted(seen)
    assert (shown.view.tested, shown.view.matches) == (3_000, 1_500)


def test_a_search_can_be_cancelled() -> None:
    shown = Shown()
    for _ in range(2_000):
        shown.record((DOWN, Publish("a")))
    shown.follow()
    shown.view.set(compile_filter("mqtt.qos == 0 and not _ws.malformed"))
    assert not shown.view.advance(ticking(), 20)
    before = list(shown.view.numbers)
    shown.view.cancel()
    assert shown.view.cancelled
    assert shown.settled() == before
    shown.record((DOWN, Publish("a")))
    assert shown.settled() == [*before, 2_001]
    shown.view.cancel()
    shown.filter("mqtt.qos == 0")
    assert not shown.view.cancelled
    assert shown.view.matches == 2_001


def test_facts_that_change_are_tested_again() -> None:
    shown = Shown()
    shown.record((UP, Publish("a", qos=1, packet_id=1)), (UP, Publish("b", qos=1, packet_id=2)), (DOWN, Publish("c")))
    assert shown.filter("mqtttui.unacked == 1") == [1, 2]
    shown.record((DOWN, Ack(P.PUBACK, 1)))
    assert shown.settled() == [2]
    assert shown.filter("mqtttui.response_in") == [1]
    shown.record((DOWN, Ack(P.PUBACK, 2)))
    assert shown.settled() == [1, 2]
    assert shown.filter('mqtttui.op.state == "failed"') == []
    shown.record((UP, Publish("d", qos=1, packet_id=3)), (DOWN, Ack(P.PUBACK, 3, 0x87, ())))
    assert shown.settled() == [6, 7]


def test_marks_come_and_go() -> None:
    shown = Shown()
    shown.record(*[(DOWN, Publish("a"))] * 5)
    assert shown.filter("frame.marked == 1") == []
    shown.marks.toggle(4)
    shown.marks.toggle(2)
    assert shown.settled() == [2, 4]
    shown.marks.toggle(4)
    assert shown.settled() == [2]


def test_ages_are_looked_at_once_a_second() -> None:
    shown = Shown()
    shown.record((UP, Publish("a", qos=1, packet_id=1)), (UP, Publish("b", qos=1, packet_id=2)), (DOWN, Ack(P.PUBACK, 2)))
    assert shown.filter("mqtttui.op.age > 5000") == []
    shown.now = 4_000 * MS
    assert shown.settled() == []
    shown.now = 6_000 * MS
    assert shown.settled() == [1]
    shown.record((DOWN, Ack(P.PUBACK, 1)))
    assert shown.settled() == []


def test_answers_are_shown_with_the_matches_and_counted_apart() -> None:
    shown = Shown()
    shown.record(*acknowledged("a", 1), *acknowledged("b", 2), (UP, Publish("a", qos=1, packet_id=3)))
    assert shown.filter('mqtt.topic == "a"', answers=True) == [1, 2, 5]
    assert (shown.view.matches, shown.view.answers, list(shown.view.passing())) == (2, 1, [1, 5])
    shown.record((DOWN, Publish("x")), (DOWN, Ack(P.PUBACK, 3)))
    assert shown.settled() == [1, 2, 5, 7]
    assert (shown.view.matches, shown.view.answers) == (2, 2)
    assert shown.view.is_answer(7) and not shown.view.is_answer(5)
    assert shown.filter("mqtt.msgtype == 4", answers=True) == [1, 2, 3, 4, 5, 7]
    assert (shown.view.matches, shown.view.answers) == (3, 3)


def test_an_answer_that_passes_itself_is_a_match() -> None:
    shown = Shown()
    shown.record(*acknowledged("a", 1))
    assert shown.filter("mqtt.msgid == 1", answers=True) == [1, 2]
    assert (shown.view.matches, shown.view.answers) == (2, 0)


def test_all_of_a_qos_2_flow_and_a_response_belong_to_a_message() -> None:
    shown = Shown()
    asking = (Property(PropertyId.RESPONSE_TOPIC, "r"),)
    shown.record(
        (UP, Publish("a", qos=2, packet_id=1, properties=asking)),
        (DOWN, Ack(P.PUBREC, 1)),
        (UP, Ack(P.PUBREL, 1)),
        (DOWN, Publish("x")),
        (DOWN, Ack(P.PUBCOMP, 1)),
        (DOWN, Publish("r")),
    )
    assert shown.filter('mqtt.topic == "a"', answers=True) == [1, 2, 3, 5, 6]
    assert shown.filter("mqtt.msgtype == 6", answers=True) == [1, 2, 3, 5, 6]
    assert shown.filter('mqtt.topic == "r"', answers=True) == [1, 2, 3, 5, 6]


def test_a_match_that_passes_no_more_takes_its_answers_along() -> None:
    shown = Shown()
    shown.record((UP, Publish("a", qos=2, packet_id=1)), (DOWN, Ack(P.PUBREC, 1)))
    assert shown.filter('mqtttui.op.state == "open" and mqtt.msgtype == 3', answers=True) == [1, 2]
    shown.record((UP, Ack(P.PUBREL, 1)), (DOWN, Ack(P.PUBCOMP, 1)))
    assert shown.settled() == []
    assert (shown.view.matches, shown.view.answers) == (0, 0)


def test_noise_hides_with_and_without_a_filter() -> None:
    shown = Shown()
    shown.record(
        (UP, Pingreq()),
        (DOWN, Pingresp()),
        *acknowledged("a", 1),
        (UP, Publish("b", qos=1, packet_id=2)),
        (DOWN, Ack(P.PUBACK, 2, 0x87, ())),
        (DOWN, Ack(P.PUBACK, 99)),
        (DOWN, Publish("$SYS/broker/load")),
        (DOWN, Publish("$SYSTEM")),
        (UP, Subscribe(7, (TopicRequest("$SYS/#"),))),
        (DOWN, Suback(7, (0,))),
    )
    assert shown.filter(None, hide_noise=True) == [3, 5, 6, 7, 9, 10, 11]
    assert shown.view.active and shown.view.hidden == 4
    assert shown.filter("mqtt.msgtype in {4, 12}", hide_noise=True) == [6, 7]
    assert shown.filter('mqtt.topic == "a"', hide_noise=True, answers=True) == [3, 4], "answers are asked for by name"
    shown.record((UP, Pingreq()), *acknowledged("a", 3))
    assert shown.filter(None, hide_noise=True)[-1] == 13
    assert shown.view.hidden == 6


def test_an_aliased_topic_of_the_system_is_noise() -> None:
    shown = Shown()
    alias = (Property(PropertyId.TOPIC_ALIAS, 1),)
    shown.record((DOWN, Publish("$SYS/x", properties=alias)), (DOWN, Publish("", properties=alias)), (DOWN, Publish("y")))
    assert shown.filter(None, hide_noise=True) == [3]


def test_an_acknowledgement_waits_until_it_is_known_whom_it_answers() -> None:
    shown = Shown()
    shown.record(*acknowledged("a", 1))
    shown.view.set(None, hide_noise=True)
    assert shown.view.advance(lambda: 0, 1)
    assert list(shown.view.numbers) == []
    assert shown.settled() == [1]


def test_what_the_log_evicts_goes_from_the_front_and_pinned_packets_stay() -> None:
    shown = Shown(3_000_000)
    shown.record((DOWN, Publish("a", b"first")), (DOWN, Publish("a")))
    shown.log.pin(1)
    assert shown.filter('mqtt.topic == "a"') == [1, 2]
    for index in range(6_000):
        shown.record((DOWN, Publish("ab"[index % 2], bytes(800))))
        shown.view.advance(lambda: 0, 1)
    shown.settled()
    log = shown.log
    assert log.first > 1_000
    expected = [1, *(no for no in range(log.first, log.last + 1) if no % 2)]
    assert list(shown.view.numbers) == expected
    assert shown.view.matches == len(expected)
    assert shown.filter('mqtt.topic == "a"') == expected
    log.unpin(1)
    assert shown.settled() == expected[1:]


def test_a_view_that_lags_behind_eviction_goes_on() -> None:
    shown = Shown(3_000_000)
    shown.filter("mqtt.qos == 0")
    for _ in range(6_000):
        shown.record((DOWN, Publish("a", bytes(800))))
    assert shown.settled() == list(range(shown.log.first, shown.log.last + 1))


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[Direction, Packet] | int | None]:
    """Packets, marks (a number) and slices (None) in any order."""
    small = st.integers(1, 3)
    packets: st.SearchStrategy[Packet] = st.one_of(
        st.builds(Publish, st.sampled_from(["a", "b", "$SYS/x"]), st.just(b"x"), st.just(0)),
        st.builds(Publish, st.sampled_from(["a", "b"]), st.just(b"x"), st.integers(1, 2), st.just(False), st.booleans(), small),
        st.builds(Ack, st.sampled_from([P.PUBACK, P.PUBREC, P.PUBREL, P.PUBCOMP]), small, st.sampled_from([None, 0, 0x87])),
        st.just(Publish("a", properties=(Property(PropertyId.RESPONSE_TOPIC, "b"),))),
        st.just(Pingreq()),
        st.just(Pingresp()),
    )
    steps: st.SearchStrategy[tuple[Direction, Packet] | int | None] = st.one_of(
        st.tuples(st.sampled_from(Direction), packets), st.tuples(st.sampled_from(Direction), packets), st.integers(1, 20), st.none()
    )
    return draw(st.lists(steps, max_size=40))


FILTERS = (
    'mqtt.topic == "a"',
    "mqtttui.unacked == 1",
    'mqtttui.op.state == "open"',
    'mqtttui.op.state != "open" or frame.marked == 1',
    'mqtttui.topic == "b" and not mqtttui.response_in',
    "mqtttui.request_in or frame.marked == 1",
    "mqtttui.op.total > 2 or mqtttui.rtt > 1",
)


@settings(max_examples=200, deadline=None)
@given(histories(), st.sampled_from(FILTERS), st.booleans())
def test_a_view_that_lived_through_it_shows_what_a_new_one_shows(
    history: list[tuple[Direction, Packet] | int | None], text: str, answers: bool
) -> None:
    shown = Shown()
    found = compile_filter(text)
    shown.view.set(found, answers=answers)
    for step in history:
        if step is None:
            shown.settled()
        elif isinstance(step, int):
            shown.marks.toggle(step)
        else:
            shown.record(step)
    shown.settled()
    passing = [no for no in shown.log.numbers() if found.matches(Row(shown.log, no, shown.facts))]
    assert list(shown.view.passing()) == passing
    fresh = FilterView(shown.log, shown.facts)
    fresh.set(found, answers=answers)
    while not fresh.advance(lambda: 0, 1):
        pass
    assert list(fresh.numbers) == list(shown.view.numbers)
    assert (fresh.matches, fresh.answers) == (shown.view.matches, shown.view.answers)


def test_memory_is_eight_bytes_a_row() -> None:
    shown = Shown()
    shown.recorder.inbound(encode(Publish("a"), Version.V5) * 10_000, 1, 1)
    shown.filter("mqtt.qos == 0")
    assert shown.view.numbers.itemsize == 8 and shown.view.matches == 10_000
