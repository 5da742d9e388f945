"""The table of what a client is subscribed to."""

from __future__ import annotations

import time

from hypothesis import given, settings
from hypothesis import strategies as st

from mqtttui.analysis.expert import held
from mqtttui.analysis.expert.held import RECENT_NS, Subscriptions
from mqtttui.protocol.packets import TopicRequest
from mqtttui.protocol.topics import matches

LEVELS = st.sampled_from(["a", "b", "+", "#", "$a", "$share", "g", ""])
NAMES = st.lists(LEVELS, min_size=1, max_size=4).map(lambda parts: "/".join(parts).encode())


def subscribe(table: Subscriptions, filter: bytes, no: int = 1, mono: int = 0, qos: int = 0, **options: int) -> None:
    table.subscribe(filter, TopicRequest(filter, qos, **options), None, no, mono)  # type: ignore[arg-type]


@settings(max_examples=300, deadline=None)
@given(st.lists(NAMES, max_size=12), st.lists(NAMES, max_size=6), st.lists(NAMES, min_size=1, max_size=6))
def test_a_topic_matches_the_filters_that_it_matches_one_by_one(added: list[bytes], removed: list[bytes], topics: list[bytes]) -> None:
    table = Subscriptions()
    for filter in added:
        subscribe(table, filter)
    for filter in removed:
        table.unsubscribe(filter, 2, 0)
    for each in (table, table.carried()):
        for topic in topics:
            expected = {filter for filter in each.held if matches(filter, topic)}
            assert {entry.filter for entry in each.match(topic).held} == expected


def test_a_refusal_brings_back_what_was_held_before() -> None:
    table = Subscriptions()
    subscribe(table, b"t", no=1, qos=1)
    table.answer(b"t", 1, 1, 0)
    subscribe(table, b"t", no=3, qos=2)
    table.answer(b"t", 3, 0x80, 0)
    (entry,) = table.match(b"t").held
    assert (entry.no, entry.qos, entry.answered) == (1, 1, True)


def test_an_answer_to_an_older_request_changes_nothing() -> None:
    table = Subscriptions()
    subscribe(table, b"t", no=1, qos=2)
    subscribe(table, b"t", no=3, qos=2)
    table.answer(b"t", 1, 0, 0)
    assert table.match(b"t").held[0].qos == 2


def test_stored_messages_may_come_for_a_while_after_the_answer() -> None:
    table = Subscriptions()
    subscribe(table, b"t", mono=0)
    table.answer(b"t", 1, 0, 3 * RECENT_NS)
    assert table.match(b"t").held[0].stored_until == 4 * RECENT_NS
    subscribe(table, b"u", retain_handling=2)
    assert table.match(b"u").held[0].stored_until == 0
    subscribe(table, b"$share/g/v")
    assert table.match(b"v").held[0].stored_until == 0


def test_more_filters_than_are_kept_make_it_uncertain() -> None:
    table = Subscriptions()
    for number in range(held.MAX_FILTERS + 5):
        subscribe(table, b"t/%d" % number)
    assert len(table.held) == held.MAX_FILTERS
    assert table.uncertain and table.carried().uncertain
    for number in range(held.MAX_REMOVED + 5):
        table.unsubscribe(b"t/%d" % number, 1, 0)
    assert len(table.removed) == held.MAX_REMOVED


def test_many_wildcards_do_not_slow_a_topic_down() -> None:
    table = Subscriptions()
    for number in range(held.MAX_FILTERS):
        subscribe(table, b"site/%d/+/value" % number)
    start = time.process_time()
    for number in range(1_000):
        assert len(table.match(b"site/%d/x/value" % number).held) == 1
    assert time.process_time() - start < 0.5, "about 20 ms on a quiet machine"
