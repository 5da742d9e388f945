"""The packet list by keyboard: follow, scroll, pause, hide, time, links; nothing moves under the cursor."""

from __future__ import annotations

import pytest
from textual.app import App
from textual.events import MouseScrollUp

from mqtttui.capture.log import Log
from mqtttui.protocol.enums import PacketType, Version
from mqtttui.protocol.packets import Ack, Publish, Suback, Subscribe, TopicRequest
from mqtttui.ui.times import TimeFormat
from tests.support.screen import Feed, hostile_texts, inspecting, running, screen_lines


def rows(app: App[None], start: int, stop: int) -> list[str]:
    """Rows of the screen without the column of the scrollbar."""
    return [line[:118].rstrip() for line in screen_lines(app)[start:stop]]


async def test_follows_the_newest_packet_and_says_so() -> None:
    async with inspecting(100) as (run, feed):
        packets = run.main.inspector.packets
        assert packets.following
        assert packets.selected == 102
        assert "FOLLOW" in run.text
        last = feed.publishes(5, "sensors/new/one")
        await run.caught_up()
        assert packets.selected == last
        assert "sensors/new/one" in run.text


async def test_while_following_the_details_are_those_of_the_selected_row() -> None:
    async with inspecting(5) as (run, feed):
        for _ in range(20):
            feed.publishes(7)
            await run.pilot.pause(0.03)
            assert f"─ {run.main.inspector.packets.selected} PUBLISH" in run.text
        await run.caught_up()
        assert run.main.inspector.packets.selected == run.log.last


async def test_new_packets_move_nothing_when_the_cursor_left_the_end() -> None:
    async with inspecting(100) as (run, feed):
        await run.press("k", "k")
        before = rows(run.app, 3, 14)
        selected = run.main.inspector.packets.selected
        feed.publishes(3412)
        await run.caught_up()
        await run.shows("+3,412 new")
        assert rows(run.app, 3, 14) == before
        assert run.main.inspector.packets.selected == selected
        await run.press("G")
        await run.shows("FOLLOW")
        assert run.main.inspector.packets.selected == run.log.last


async def test_wheel_ends_following_and_keeps_the_cursor() -> None:
    async with inspecting(100) as (run, _):
        packets = run.main.inspector.packets
        event = MouseScrollUp(packets, 5, 5, 0, 0, 0, False, False, False)
        packets.post_message(event)
        await run.until(lambda: not packets.following, "following ended")
        assert packets.selected == 102


async def test_pause_keeps_recording_and_says_how_much_waits() -> None:
    async with inspecting(30) as (run, feed):
        await run.press("p")
        await run.shows("PAUSED")
        feed.publishes(12, "waiting/room")
        await run.caught_up()
        await run.shows("+12 new")
        assert "waiting/room" not in run.text
        assert run.log.last == 44
        await run.press("p")
        await run.shows("waiting/room")


async def test_eviction_does_not_move_what_is_visible() -> None:
    log = Log(limit=4_000_000)
    async with inspecting(0, log=log) as (run, feed):
        # Messages that nobody asked for would be findings, and packets with findings are kept.
        feed.send(Subscribe(1, (TopicRequest("#"),)))
        feed.receive(Suback(1, (0,)))
        feed.publishes(5_000, payload=bytes(1_000))
        await run.caught_up()
        packets = run.main.inspector.packets
        await run.press("k")
        selected = packets.selected
        before = rows(run.app, 3, 16)
        first = log.first
        feed.publishes(1_000, payload=bytes(1_000))
        await run.caught_up()
        assert log.first > first, "something was evicted"
        assert packets.selected == selected
        assert rows(run.app, 3, 16) == before


async def test_the_selected_packet_outlives_its_segment() -> None:
    log = Log(limit=1_500_000)
    async with inspecting(200, log=log) as (run, feed):
        await run.press("k")
        selected = run.main.inspector.packets.selected
        assert selected is not None
        feed.publishes(20_000)
        await run.caught_up()
        assert log.first > selected
        assert selected in log
        assert run.main.inspector.packets.selected == selected
        await run.shows(f"{selected} PUBLISH")


async def test_hide_older_and_undo() -> None:
    async with inspecting(50) as (run, _):
        packets = run.main.inspector.packets
        await run.press("k", "k", "k", "X")
        await run.shows("48 hidden", "48 older packets hidden")
        assert packets.row_count == 4
        await run.press("u")
        await run.hides("48 hidden")
        assert packets.row_count == 52
        await run.press("u")
        await run.shows("nothing is hidden")


async def test_moves() -> None:
    async with inspecting(100) as (run, _):
        packets = run.main.inspector.packets
        await run.press("g")
        assert packets.selected == 1
        await run.press("j", "down", "ctrl+d")
        assert packets.selected == 3 + packets.visible_rows // 2
        await run.press("ctrl+u", "k", "up", "home")
        assert packets.selected == 1
        await run.press("end")
        assert packets.selected == 102
        assert packets.following


async def test_answer_and_request() -> None:
    async with inspecting(0) as (run, feed):
        asked = feed.send(Publish("cmd/temp", b"1", qos=1, packet_id=7))
        feed.publishes(60)
        answer = feed.receive(Ack(PacketType.PUBACK, 7))
        feed.publishes(60)
        await run.caught_up()
        packets = run.main.inspector.packets
        run.main.inspector.go_to(asked)
        await run.press("full_stop")
        await run.until(lambda: packets.selected == answer, "at the answer")
        await run.press("comma")
        await run.until(lambda: packets.selected == asked, "at the request")
        await run.press("comma")
        await run.shows("this packet answers none")


async def test_time_formats_and_reference() -> None:
    async with inspecting(5) as (run, _):
        packets = run.main.inspector.packets
        await run.press("k", "T")
        assert packets.time_format is TimeFormat.REFERENCE
        await run.shows("Since ref.", "    0.000000", "   -0.001000", "    0.001000")
        await run.press("t")
        await run.shows("Since above", "    0.001000")
        await run.press("t")
        await run.shows("Since start")
        await run.press("t")
        assert packets.time_format is TimeFormat.LOCAL
        await run.press("t")
        await run.shows("Time UTC", "22:13:20.007")


async def test_unsent_packets_say_so() -> None:
    async with inspecting(2) as (run, feed):
        feed.send(Publish("cmd/late", b"x"))
        run.log.mark_unsent(feed.connection, 5)
        await run.caught_up()
        await run.shows("not sent")


async def test_what_is_no_mqtt_is_one_row() -> None:
    async with inspecting(2) as (run, feed):
        feed.raw(b"\x30\xff\xff\xff\xff\xff")
        await run.caught_up()
        await run.shows("not MQTT")


@pytest.mark.parametrize("size", [(80, 24), pytest.param((120, 36), marks=pytest.mark.slow), (200, 50)])
async def test_hostile_topics_and_payloads_are_shown_as_escapes(size: tuple[int, int]) -> None:
    async with inspecting(0, size=size) as (run, feed):
        for text in hostile_texts():
            feed.receive(Publish(text.replace("+", ""), text.encode()))
        await run.caught_up()
        for _ in hostile_texts():
            await run.press("enter", "v", "v", "v", "v", "q", "k")
        text = run.text
        assert "\\x1b" in text
        assert all(char.isprintable() or char == "\n" for char in text)
        assert text.count("\u0301") < 10


async def test_empty_list_tells_the_next_step() -> None:
    async with running() as run:
        await run.press("escape", "4")
        await run.shows("No packets yet", "F9", "URL")


async def test_two_versions_on_two_connections() -> None:
    async with inspecting(1) as (run, _):
        old = Feed(run.log, Version.V311)
        old.connect()
        await run.caught_up()
        await run.shows("v3.1.1", "v5")


async def test_head_and_rows_agree_where_the_layout_changes() -> None:
    for width in (72, 73, 100, 101):
        async with inspecting(size=(width, 30)) as (run, feed):
            feed.publishes(100)
            await run.caught_up()
            lines = run.text.splitlines()
            head = next(line for line in lines if "Topic and summary" in line)
            row = next(line for line in lines if "sensors/a/temp" in line)
            assert head.index("⇄") == row.index("▼"), width
            assert head.index("Topic") == row.index("sensors"), width
