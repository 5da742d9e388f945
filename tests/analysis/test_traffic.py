"""Rates over the last second, and what each subscription brings."""

from __future__ import annotations

from mqtttui.analysis.subscriptions import Count, SubscriptionCounters
from mqtttui.analysis.traffic import Rates, Traffic, Window
from mqtttui.capture.log import Log, Origin
from mqtttui.capture.recorder import Recorder
from mqtttui.protocol.enums import PropertyId, Version
from mqtttui.protocol.packets import Property, Publish, encode

S = 1_000_000_000


def started(peer: str = "dev", log: Log | None = None) -> tuple[Log, Recorder]:
    log = Log() if log is None else log
    return log, Recorder(log, log.open_connection(peer=peer, origin=Origin.OWN, mono=0, wall=0, version=Version.V5))


def message(topic: str, *identifiers: int, alias: int | None = None, qos: int = 0) -> bytes:
    properties = [Property(PropertyId.USER_PROPERTY, ("k", "v"))]
    properties += [Property(PropertyId.SUBSCRIPTION_IDENTIFIER, each) for each in identifiers]
    if alias is not None:
        properties.append(Property(PropertyId.TOPIC_ALIAS, alias))
    return encode(Publish(topic, b"x", qos=qos, packet_id=7 if qos else None, properties=tuple(properties)), Version.V5)


def test_a_window_forgets_after_a_second() -> None:
    window = Window()
    window.add(10 * S, 5)
    window.add(10 * S + S // 2, 2)
    assert window.per_second(10 * S + S // 2) == 7
    assert window.per_second(11 * S + S // 4) == 2
    assert window.per_second(60 * S) == 0
    assert window.total == 7
    window.add(10 * S, 3)
    assert (window.per_second(60 * S), window.total) == (0, 10)


def test_rates_by_direction() -> None:
    log, recorder = started()
    recorder.inbound(b"\xd0\x00" * 10, 5 * S, 0)
    recorder.outbound(b"\xc0\x00" * 3, 5 * S, 0)
    recorder.inbound(b"\xd0\x00", 5 * S + 1, 0)
    traffic = Traffic()
    assert not traffic.advance(log, 4)
    assert traffic.advance(log)
    assert traffic.rates(5 * S + 2) == Rates(11, 22, 3, 6)
    assert traffic.rates(7 * S) == Rates(0, 0, 0, 0)


def test_deliveries_are_counted_for_all_filters_that_match() -> None:
    log, recorder = started()
    counters = SubscriptionCounters()
    counters.set_filters("dev", [("all", b"#", None), ("a", b"a/+", None), ("shared", b"$share/g/a/b", None)])
    recorder.inbound(message("a/b") + message("a/c", qos=1) + message("x") + message("$SYS/x"), S, 0)
    recorder.outbound(message("a/b"), S, 0)
    counters.advance(log)
    assert counters.of("dev", "all", S) == Count(3, 3)
    assert counters.of("dev", "a", S) == Count(2, 2)
    assert counters.of("dev", "shared", S) == Count(1, 1)
    assert counters.of("dev", "a", 9 * S) == Count(2, 0)
    assert counters.of("dev", "none") == counters.of("nobody", "all") == Count(0, 0)


def test_subscription_identifiers_decide_where_there_are_any() -> None:
    log, recorder = started()
    counters = SubscriptionCounters()
    counters.set_filters("dev", [("one", b"a/#", 1), ("two", b"a/b", 2), ("plain", b"a/+", None)])
    recorder.inbound(message("a/b", 300, 2) + message("a/b", 1, 2) + message("a/b"), S, 0)
    counters.advance(log)
    assert [counters.of("dev", key).total for key in ("one", "two", "plain")] == [2, 3, 3]


def test_aliases_count_for_their_topic() -> None:
    log, recorder = started()
    counters = SubscriptionCounters()
    counters.set_filters("dev", [("a", b"a", None)])
    recorder.inbound(message("a", alias=1) + message("", alias=1) + message("", alias=2), S, 0)
    counters.advance(log)
    assert counters.of("dev", "a").total == 2


def test_new_filters_keep_the_counts_of_the_old_ones() -> None:
    log, recorder = started()
    _, other = started("other", log)
    counters = SubscriptionCounters()
    counters.set_filters("dev", [("a", b"a", None)])
    recorder.inbound(message("a"), S, 0)
    other.inbound(message("a"), S, 0)
    counters.advance(log)
    counters.set_filters("dev", [("b", b"+", None), ("a", b"a", None)])
    recorder.inbound(message("a"), S, 0)
    counters.advance(log)
    assert (counters.of("dev", "a").total, counters.of("dev", "b").total) == (2, 1)


def test_many_topics_are_counted_with_a_bounded_memory() -> None:
    log, recorder = started()
    counters = SubscriptionCounters()
    counters.set_filters("dev", [("a", b"t/#", None)])
    for index in range(10_500):
        recorder.inbound(message(f"t/{index}"), S, 0)
    while not counters.advance(log):
        pass
    assert counters.of("dev", "a").total == 10_500
    assert log.bytes_kept < 10_500 * 400
