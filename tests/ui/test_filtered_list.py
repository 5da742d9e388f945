"""The list under a filter: the cursor stays, counts are true, live packets are tested, large logs leave the keys alive."""

from __future__ import annotations

import time

import pytest

from mqtttui.capture.log import Log
from mqtttui.config.settings import Settings
from mqtttui.protocol.enums import Direction, PacketType, Version
from mqtttui.protocol.framing import Batch
from mqtttui.protocol.packets import Ack, Pingreq, Pingresp, Publish, encode
from tests.support.screen import Feed, Running, inspecting, running
from tests.ui.test_filter_bar import apply, bar, filled, own_file, shown

__all__ = ["own_file"]


async def settled(run: Running) -> None:
    """Wait until everything recorded is tested and shown."""
    await run.caught_up()
    await run.until(lambda: run.app.filtering.view is None or run.app.filtering.view.tested >= run.app.filtering.view.total, "tested")
    run.main.grew()
    await run.pilot.pause()


async def test_the_selected_packet_stays_selected_in_its_place_if_it_passes() -> None:
    async with filled() as (run, _):
        packets = run.main.inspector.packets
        await run.press("g", "down", "down", "down", "down", "down", "down")
        selected = packets.selected
        assert selected == 7
        await apply(run, "mqtt.qos == 1")
        assert packets.selected == selected
        await run.shows("─ 7 PUBLISH")
        screen_row = packets.cursor - packets.top
        await run.press("backspace")
        await settled(run)
        assert packets.selected == selected
        assert packets.cursor - packets.top == screen_row


async def test_else_the_next_one_that_passes_is_selected() -> None:
    async with filled() as (run, _):
        packets = run.main.inspector.packets
        packets.go_to(6)
        await apply(run, "mqtt.qos == 1")
        assert packets.selected == 7
        await run.shows("─ 7 PUBLISH")


async def test_a_filter_that_selects_nothing_says_what_to_do_and_keeps_the_place() -> None:
    async with filled() as (run, _):
        packets = run.main.inspector.packets
        packets.go_to(9)
        await apply(run, "mqtt.qos == 2")
        await run.shows("The filter selects no packet", "Backspace", "0 of 32")
        assert packets.has_focus
        assert packets.selected is None
        await run.press("j", "k", "enter", "full_stop", "X", "T", "a", "y")
        await run.press("escape")
        packets.focus()
        await run.press("backspace")
        await settled(run)
        assert packets.selected == 9


async def test_live_packets_are_tested_as_they_come() -> None:
    async with filled() as (run, feed):
        packets = run.main.inspector.packets
        await apply(run, "house/temp")
        assert packets.following
        feed.publishes(50, "house/light")
        last = feed.publishes(3, "house/temp")
        feed.publishes(50, "house/light")
        await run.until(lambda: packets.selected == last, "the newest that passes is followed")
        await run.shows("13 of 135", "FOLLOW")
        await run.press("k")
        feed.publishes(50, "house/light")
        feed.publishes(20, "house/temp")
        await settled(run)
        await run.until(lambda: 0 < packets.unseen <= 20, "those below the screen are new")
        await run.shows(f"+{packets.unseen} new (G)")
        await run.press("p")
        feed.publishes(5, "house/temp")
        feed.publishes(5, "house/light")
        await settled(run)
        await run.shows("PAUSED", "+5 new")
        await run.press("p", "G")
        await run.shows("FOLLOW")
        await run.until(lambda: packets.selected == run.log.last - 5, "the newest that passes is followed")


async def test_hiding_older_works_within_the_filter() -> None:
    async with filled() as (run, _):
        packets = run.main.inspector.packets
        await apply(run, "mqtt.qos == 1")
        await run.press("g", "down", "down", "X")
        await run.shows("2 older packets hidden", "2 hidden (u)")
        assert len(shown(run)) == 8
        await run.press("u")
        await run.shows("2 packets are back")
        assert len(shown(run)) == 10
        assert packets.selected == shown(run)[2]


async def test_answers_are_included_in_the_view_and_not_in_the_count() -> None:
    async with filled() as (run, _):
        await apply(run, "mqtt.qos == 1")
        await run.press("i")
        await run.shows("10 + 10 answers of 32", "answers included")
        assert len(shown(run)) == 20
        await run.press("i")
        await run.shows("10 of 32")
        assert len(shown(run)) == 10


async def test_noise_is_hidden_by_one_key_and_that_is_said() -> None:
    async with filled() as (run, feed):
        feed.send(Pingreq())
        feed.receive(Pingresp())
        feed.publishes(2, "$SYS/broker/uptime")
        unanswered = feed.receive(Publish("x", qos=1, packet_id=999))
        await run.caught_up()
        await run.press("o")
        await settled(run)
        await run.shows("pings, answered acks, $SYS hidden (o)", "23 of 37")
        types = {run.log.dissect(no).type for no in shown(run)}
        assert types == {PacketType.CONNECT, PacketType.CONNACK, PacketType.PUBLISH}
        assert unanswered in shown(run)
        await apply(run, "mqtt.qos == 1")
        await run.shows("hidden (o)", "11 of 37")
        await run.press("o")
        await run.hides("hidden (o)")


async def test_a_fact_that_changes_tests_the_packet_again() -> None:
    async with filled() as (run, feed):
        await apply(run, "mqtttui.unacked")
        assert shown(run) == []
        asked = feed.send(Publish("cmd", qos=1, packet_id=77))
        await settled(run)
        await run.until(lambda: shown(run) == [asked], "it waits for its answer")
        feed.receive(Ack(PacketType.PUBACK, 77))
        await run.until(lambda: shown(run) == [], "it is answered")


async def test_links_to_what_the_filter_hides_are_explained() -> None:
    async with filled() as (run, _):
        await apply(run, "mqtt.qos == 1")
        await run.press("g", "full_stop")
        await run.shows("does not pass the filter")
        await run.press("i")
        await settled(run)
        await run.press("full_stop")
        await run.until(lambda: run.main.inspector.packets.selected == 5, "at the answer")


async def test_eviction_trims_the_filtered_list_and_moves_nothing() -> None:
    log = Log(limit=4_000_000)
    async with inspecting(2_000, log=log) as (run, feed):
        for _ in range(30):
            feed.publishes(99, payload=bytes(1_000))
            feed.publishes(1, "rare", payload=bytes(1_000))
        await run.caught_up()
        await apply(run, "rare")
        packets = run.main.inspector.packets
        await run.press("k", "k")
        selected, before = packets.selected, run.text.splitlines()[4:12]
        first = log.first
        feed.publishes(1_000, payload=bytes(1_000))
        await settled(run)
        assert log.first > first
        assert packets.selected == selected
        assert all(no in log for no in shown(run))
        kept = [line for line in before if any(str(no) in line for no in shown(run))]
        assert kept
        assert all(line[:100] in run.text for line in kept)


@pytest.mark.parametrize("size", [(80, 24), (60, 15)])
async def test_small_screens_say_the_filter_in_the_line_of_views(size: tuple[int, int]) -> None:
    async with filled(size) as (run, _):
        await apply(run, "mqtt.qos == 1")
        assert "10/32" in run.text.splitlines()[1]
        assert "✓" not in run.text
        await run.press("slash", "ctrl+u")
        await run.type("mqtt.qos == 300")
        await run.shows("300 is too large", "✗")
        await run.press("escape", "backspace")
        await run.hides("10/32")


async def test_a_paused_list_says_so_however_little_room_there_is() -> None:
    async with filled((80, 24)) as (run, feed):
        await apply(run, "house/temp")
        await run.press("j", "X", "p")
        feed.publishes(5, "house/temp")
        await settled(run)
        assert "PAUSED" in run.text.splitlines()[1]


async def test_the_filter_of_the_command_line_is_in_force_from_the_start() -> None:
    async with running(Settings(display_filter="mqtt.msgtype == 3")) as run:
        run.fake_session()
        feed = Feed(run.log)
        feed.connect()
        run.tell_connected()
        feed.publishes(5)
        await settled(run)
        await run.shows("mqtt.msgtype == 3  ✓", "5 of 7")


async def test_the_demo_under_a_filter_while_it_runs() -> None:
    async with running(Settings(demo=True)) as run:
        await run.shows("mqtttui-demo", "FOLLOW", "demo/")
        await run.press("slash")
        await run.type("temperature")
        await run.press("enter")
        await run.shows("✓", "mqtt.topic matches")
        await run.until(lambda: len(shown(run)) > 3, "temperatures come")
        await run.press("i", "o")
        await run.shows("answers included", "hidden (o)")


def fill(log: Log, count: int) -> int:
    """`count` packets of 20 kinds, quickly."""
    feed = Feed(log, Version.V311)
    packets = [encode(Publish(f"plant/line{number}/temp", b"%d" % number, qos=0), Version.V311) for number in range(20)]
    data = b"".join(packets)
    ends, at = [], 0
    for packet in packets:
        at += len(packet)
        ends.append(at)
    batch = Batch(data, tuple(ends), None, bytes(packet[0] for packet in packets))
    for tick in range(count // 20):
        log.append(feed.connection, Direction.S2C, batch, tick * 1000, tick * 1000)
    return log.last


async def step_down(run: Running) -> None:
    """Press Down, and wait until the cursor has moved (or testing is over)."""
    before = run.main.inspector.packets.selected
    run.app.simulate_key("down")
    await run.until(lambda: run.main.inspector.packets.selected != before or not run.app.filtering.testing, "the key works")


@pytest.mark.slow
async def test_keys_work_while_a_large_log_is_filtered() -> None:
    log = Log(limit=200_000_000)
    async with inspecting(0, log=log) as (run, _):
        last = fill(log, 300_000)
        await run.until(lambda: run.app.pump.caught_up, "read", timeout=60)
        await run.press("g")
        packets = run.main.inspector.packets
        # A pattern on bytes cannot be screened cheaply: this takes a while.
        await run.press("slash")
        await run.type('frame matches "line7/temp[0-9]$"')
        await run.press("enter")
        waits = []
        while run.app.filtering.testing:
            begin = time.monotonic()
            await step_down(run)
            waits.append(time.monotonic() - begin)
            assert packets.row_count <= last
        assert waits
        assert sorted(waits)[len(waits) // 2] < 0.25
        await settled(run)
        assert run.app.filtering.view is not None
        assert run.app.filtering.view.matches == 15_000
        assert packets.selected in shown(run)


async def test_testing_shows_progress_and_can_be_stopped() -> None:
    log = Log(limit=200_000_000)
    async with inspecting(0, log=log) as (run, _):
        fill(log, 60_000)
        await run.until(lambda: run.app.pump.caught_up, "read", timeout=60)
        await run.press("slash")
        await run.type('_ws.col.info matches "line7"')
        await run.press("enter")
        await run.shows("testing", "ctrl+c stops")
        await run.press("ctrl+c")
        await run.shows("tested · stopped")
        view = run.app.filtering.view
        assert view is not None
        found = view.matches
        assert 0 < found < 3_000
        feed = Feed(log)
        feed.publishes(4, "line7")
        await run.until(lambda: view.matches == found + 4, "what comes is tested")
        assert not bar(run).editing
