"""The timing view by keyboard: what it says of packets, of a filter, of a capture, of a live broker; and its words."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mqtttui.analysis.check_statistics import Summary
from mqtttui.analysis.pump import Pump
from mqtttui.analysis.rates import Flow
from mqtttui.analysis.timing import KeepAlive
from mqtttui.analysis.timing_selected import MOST, SelectedTimes
from mqtttui.analysis.trips import Trip
from mqtttui.capture.log import Log
from mqtttui.client.events import Phase, StateChanged, TcpInfo, TcpMeasured
from mqtttui.config.opening import OpenOptions
from mqtttui.config.options import ConnectOptions
from mqtttui.config.settings import Settings
from mqtttui.export.pcapng import write_log
from mqtttui.protocol.enums import Direction, PacketType, Version
from mqtttui.protocol.packets import Ack, Connect, Pingreq, Pingresp, Publish, Suback, Subscribe, TopicRequest
from mqtttui.ui import timing_words as words
from mqtttui.ui.panes.timing import TimingList
from tests.support.brokers import Broker
from tests.support.screen import Feed, Running, inspecting, running
from tests.ui.test_peers import BEFORE, another, fakes

SIZES = [(80, 24), pytest.param((120, 36), marks=pytest.mark.slow), (200, 50)]
MS = 1_000_000
S = 1_000 * MS
P = PacketType


def traffic(feed: Feed) -> None:
    """A subscription, publishes of two topics, a message of the broker, a ping; every packet 1 ms after the one before."""
    feed.send(Subscribe(1, (TopicRequest("a/#"),)))
    feed.receive(Suback(1, (0,)))
    for mid, topic in ((2, "a/slow"), (3, "b")):
        feed.send(Publish(topic, b"x", qos=1, packet_id=mid))
        feed.publishes(10 if topic == "a/slow" else 0)
        feed.receive(Ack(P.PUBACK, mid))
    feed.receive(Publish("a/x", b"", qos=1, packet_id=7))
    feed.send(Ack(P.PUBACK, 7))
    feed.send(Pingreq())
    feed.receive(Pingresp())


def rows(run: Running) -> list[tuple[Trip, Direction, int]]:
    shown = run.main.views.current.query_one(TimingList)
    return [(trip, waited, summary.count) for (trip, waited), summary in shown._rows]


@pytest.mark.parametrize("size", SIZES)
async def test_round_trips_and_what_is_below_them(size: tuple[int, int]) -> None:
    async with inspecting(0, size=size) as (run, feed):
        traffic(feed)
        await run.caught_up()
        await run.press("8")
        await run.shows("SUBSCRIBE → SUBACK", "PUBLISH QoS 1 → PUBACK", "PINGREQ → PINGRESP", "11 ms", "Keep-alive", "In flight", "Pings")
        await run.shows("60 s", "in all", "TCP is not measured here")
        assert rows(run) == [
            (Trip.CONNECT, Direction.C2S, 1),
            (Trip.SUBSCRIBE, Direction.C2S, 1),
            (Trip.PUBLISH_1, Direction.C2S, 2),
            (Trip.PING, Direction.C2S, 1),
            (Trip.PUBLISH_1, Direction.S2C, 1),
        ]
        await run.press("down", "down")
        await run.shows("the slowest took 11 ms, packet 16")
        await run.press("enter")
        await run.until(lambda: run.main.inspector.packets.selected == 16, "the packet that ended it")


async def test_the_filter_selects_operations() -> None:
    async with inspecting(0) as (run, feed):
        traffic(feed)
        await run.caught_up()
        await run.press("8", "slash")
        await run.type("b")
        await run.press("enter")
        await run.until(lambda: rows(run) == [(Trip.PUBLISH_1, Direction.C2S, 1)], "only the publish to b")
        await run.shows("what the filter selects", "1.0 ms")
        feed.send(Publish("b", b"x", qos=1, packet_id=4))
        feed.receive(Ack(P.PUBACK, 4))
        await run.until(lambda: rows(run) == [(Trip.PUBLISH_1, Direction.C2S, 2)], "what comes later")
        await run.press("backspace")
        await run.until(lambda: len(rows(run)) == 5, "all of them")


async def test_one_connection_or_all() -> None:
    async with inspecting(0) as (run, feed):
        traffic(feed)
        again = Feed(run.log)
        again.connect()
        run.tell_connected(connection=again.connection)
        await run.press("8")
        await run.until(lambda: (Trip.CONNECT, Direction.C2S, 2) in rows(run), "both connections")
        await run.shows("all 2 connections", "connection 1")
        await run.press("r")
        await run.until(lambda: rows(run) == [(Trip.CONNECT, Direction.C2S, 1)], "the present one alone")


async def test_it_shows_the_current_peer() -> None:
    async with fakes() as (run, _):
        first = Feed(run.log)
        run.tell(run.app.state.with_(connection=first.connection))
        first.send(Pingreq())
        first.receive(Pingresp())
        other = await another(run)
        second = Feed(run.log, peer=other.id)
        second.send(Subscribe(1, (TopicRequest("a"),)))
        second.receive(Suback(1, (0,)))
        state = run.app.peers.all[0].state.with_(peer=other.id, connection=second.connection)
        run.app.peer_events.came(StateChanged(other.id, state))
        await run.press("escape", "8")
        await run.until(lambda: rows(run) == [(Trip.SUBSCRIBE, Direction.C2S, 1)], "the second one's round trips")
        await run.press(BEFORE)
        await run.until(lambda: rows(run) == [(Trip.PING, Direction.C2S, 1)], "the first one's")


async def test_it_is_copied_as_markdown() -> None:
    async with inspecting(0) as (run, feed):
        traffic(feed)
        await run.caught_up()
        await run.press("8", "y")
        await run.until(lambda: "| PUBLISH QoS 1 → PUBACK | broker | 2 |" in run.app.clipboard, "the table was copied")
        assert "- Keep-alive: " in run.app.clipboard
        assert "within 1.6 %" in run.app.clipboard


async def test_an_empty_view_tells_the_next_step() -> None:
    async with running() as run:
        run.fake_session()
        await run.press("escape", "8")
        await run.shows("no packet yet", "x tests how long a broker takes", "not connected")
        for key in ("enter", "r", "y", "Y", "down", "G"):
            await run.press(key)
        assert run.app.is_running


async def test_a_capture_has_no_tcp(tmp_path: Path) -> None:
    log = Log()
    feed = Feed(log, Version.V311)
    feed.connect()
    traffic(feed)
    path = tmp_path / "night.pcapng"
    with path.open("wb") as out:
        write_log(log, log.numbers(), out)
    async with running(Settings(capture=OpenOptions(str(path)))) as run:
        await run.until(lambda: run.log.received == log.received, "everything is read")
        await run.press("8")
        await run.until(lambda: len(rows(run)) == 5, "the round trips")
        await run.shows("the packets are from a file", "Keep-alive", "11 ms")


async def test_a_live_broker(mosquitto_broker: Broker) -> None:
    options = ConnectOptions("127.0.0.1", mosquitto_broker.port, connect=Connect("timing-view", Version.V5))
    async with running(Settings(options=options, connect_now=True)) as run:
        await run.until(lambda: run.app.state.phase is Phase.CONNECTED, "to be connected")
        await run.press("8")
        await run.shows("CONNECT → CONNACK", "shortest", "sent again 0", "unsent 0 B")
        for count in (1, 2):
            await run.press("c", "p")
            wanted = (Trip.PING, Direction.C2S, count)
            await run.until(partial(lambda wanted: wanted in rows(run), wanted), "the ping is in the table")
        await run.until(lambda: "A ping takes" in run.text, "who takes the time")
        await run.shows("median of 2", "In flight  ▲ 0 of 20")


# Counting what a filter selects


@given(st.lists(st.sampled_from(["qos1", "qos2", "ping", "subscribe", "open", "noise"]), max_size=30))
def test_all_operations_selected_are_all_round_trips(kinds: list[str]) -> None:
    log = Log()
    feed = Feed(log)
    feed.connect()
    for mid, kind in enumerate(kinds, 1):
        match kind:
            case "qos1":
                feed.send(Publish("a", b"", qos=1, packet_id=mid))
                feed.receive(Ack(P.PUBACK, mid))
            case "qos2":
                feed.send(Publish("a", b"", qos=2, packet_id=mid))
                feed.receive(Ack(P.PUBREC, mid))
                feed.send(Ack(P.PUBREL, mid))
                feed.receive(Ack(P.PUBCOMP, mid))
            case "ping":
                feed.send(Pingreq())
                feed.receive(Pingresp())
            case "subscribe":
                feed.send(Subscribe(mid, (TopicRequest("a"),)))
                feed.receive(Suback(mid, (0,)))
            case "open":
                feed.send(Publish("a", b"", qos=1, packet_id=mid))
            case _:
                feed.publishes(2)
    pump = Pump(log)
    while not pump.advance(lambda: 0, 1):
        pass
    selected = SelectedTimes(log, pump.pairs, pump.operations)
    selected.begin(list(log.numbers()))
    assert selected.advance(lambda: 0, 1) and not selected.busy
    assert selected.times.summaries() == pump.timing.times("main").summaries()
    selected.begin([])
    assert selected.advance(lambda: 0, 1)
    assert selected.times.summaries() == {}


def test_of_very_many_packets_the_newest_are_counted() -> None:
    log = Log()
    feed = Feed(log)
    feed.send(Pingreq())
    feed.receive(Pingresp())
    feed.publishes(MOST)
    pump = Pump(log)
    while not pump.advance(lambda: 0, 1):
        pass
    selected = SelectedTimes(log, pump.pairs, pump.operations)
    selected.begin(list(log.numbers()))
    ticks = iter(range(10**9))
    slices = 0
    while not selected.advance(lambda: next(ticks), 10):
        slices += 1
    assert slices > 10, "it is done in slices"
    assert selected.left_out == 2
    assert selected.times.summaries() == {}


def test_another_filter_drops_the_count_that_is_under_way() -> None:
    log = Log()
    feed = Feed(log)
    for _ in range(100):
        feed.send(Pingreq())
        feed.receive(Pingresp())
    pump = Pump(log)
    while not pump.advance(lambda: 0, 1):
        pass
    selected = SelectedTimes(log, pump.pairs, pump.operations)
    selected.begin(list(log.numbers()))
    ticks = iter(range(10**9))
    assert not selected.advance(lambda: next(ticks), 2)
    selected.forget()
    assert selected.advance(lambda: next(ticks), 10**6)
    assert selected.times.summaries() == {}


# Words


PING = Summary(5, 10 * MS, 12 * MS, 20 * MS, 20 * MS)
INFO = TcpInfo(400_000, 50_000, 300_000, 0, 0, 0, 0)
TCP = TcpMeasured("p", 0, 0, INFO, 0)
STANDING = words.Standing(PING, "a ping", None, TCP, False, "the packets are from a file")


@pytest.mark.parametrize(
    ("standing", "said", "alarm"),
    [
        (STANDING, "A ping takes 12 ms (median of 5): the network 0.30 ms, the broker 12 ms.", words.GOOD),
        (STANDING._replace(proxied=True), ": the way to the proxy 0.30 ms, what is behind it 12 ms.", words.GOOD),
        (STANDING._replace(probe=replace(PING, count=1)), "12 ms (only one)", words.GOOD),
        (
            STANDING._replace(probe=replace(PING, median=310_000)),
            "A ping takes 0.31 ms (median of 5), no longer than",
            words.GOOD,
        ),
        (STANDING._replace(tcp=None), "the shares of network and broker are not known: the packets are from a file.", words.GOOD),
        (STANDING._replace(probe=None), "The network takes 0.30 ms; a ping (c, then p) shows the broker's share.", words.GOOD),
        (STANDING._replace(probe=None, tcp=None), "Nothing was answered so far.", words.GOOD),
        (
            STANDING._replace(tcp=replace(TCP, info=replace(INFO, backoff=2))),
            "The network does not answer: what left last was sent again 2 times in a row.",
            words.BAD,
        ),
        (STANDING._replace(tcp=replace(TCP, info=replace(INFO, unsent=4_000), waiting=96)), "4,096 bytes wait to be sent", words.LATE),
        (STANDING._replace(waiting_ns=12 * S), "A ping has waited for 12 s: the network took it, the broker does not answer.", words.BAD),
        (
            STANDING._replace(waiting_ns=12 * S, tcp=replace(TCP, info=replace(INFO, unacknowledged=1))),
            "A ping has waited for 12 s.",
            words.BAD,
        ),
        (STANDING._replace(waiting_ns=1 * S), "A ping takes 12 ms", words.GOOD),
    ],
)
def test_who_takes_the_time(standing: words.Standing, said: str, alarm: int) -> None:
    verdict = words.verdict(standing)
    assert said in verdict.text
    assert verdict.alarm == alarm


def test_the_keep_alive_in_words() -> None:
    assert words.keep_alive_words(None).text == "no CONNECT seen"
    assert words.keep_alive_words(KeepAlive(0, 3 * S, 9 * S)).text.startswith("off: ")
    said = "60 s · silent 12 s, may be cut in 1 min 18 s · spare 6.0 s at worst"
    assert words.keep_alive_words(KeepAlive(60, 12 * S, 54 * S)) == (said, words.GOOD)
    assert words.keep_alive_words(KeepAlive(60, 12 * S, 63 * S)).alarm == words.LATE
    assert words.keep_alive_words(KeepAlive(60, 12 * S, 63 * S), open_now=False) == ("60 s · late by 3.0 s at worst", words.LATE)
    late = words.keep_alive_words(KeepAlive(60, 93 * S, 93 * S))
    assert late.alarm == words.BAD
    assert "may be cut since 3.0 s" in late.text and "late by 33 s at worst" in late.text


def test_tcp_in_words() -> None:
    assert words.tcp_words([TCP], proxied=False) == ("0.40 ms ± 0.05 ms, shortest 0.30 ms · sent again 0 · unsent 0 B", words.GOOD)
    again = replace(TCP, info=replace(INFO, retransmitted=2, shortest_ns=None))
    assert words.tcp_words([TCP, again], proxied=True) == ("to the proxy: 0.40 ms ± 0.05 ms · sent again 2 · unsent 0 B", words.LATE)
    assert "unsent 5 B or more" in words.tcp_words([replace(TCP, info=replace(INFO, unsent=None), waiting=5)], proxied=False).text


@given(st.lists(st.integers(0, 10**12), max_size=40), st.integers(0, 20))
def test_sparks_have_a_bar_for_each_value(values: list[int], cells: int) -> None:
    shown = words.spark(values, cells)
    assert len(shown) == min(len(values), cells)
    if cells and values and max(values[-cells:]) > 8:
        assert shown[values[-cells:].index(max(values[-cells:]))] == "█"


@given(st.integers(0, 10**12), st.integers(0, 10**12), st.integers(0, 10**12), st.integers(-1, 60))
def test_bars_fit(median: int, more: int, largest: int, cells: int) -> None:
    first, rest = words.bar(median, median + more, largest, cells)
    assert len(first) + len(rest) <= max(0, cells - 1), "the last cell stays free"


def test_rates_in_words() -> None:
    flow = Flow()
    flow.add(5 * S, 1_204, 98_000)
    head, back, out = words.rate_lines(Flow(), flow, 5 * S)
    assert "1 s" in head and "60 s" in head
    assert back.startswith("▼ in") and back.count("1,204/s 98 kB/s") == 3 and back.endswith("1,204 98 kB")
    assert out.count("0/s 0 B/s") == 3
    assert max(len(line) for line in (head, back, out)) <= 78
