"""Operations, findings, finding, marks, comments, following and opened captures, by keyboard."""

from __future__ import annotations

import os
from pathlib import Path
from typing import cast

import pytest

from mqtttui.capture.log import Log
from mqtttui.config.opening import OpenOptions
from mqtttui.config.settings import Settings
from mqtttui.export.pcapng import write_log
from mqtttui.protocol.enums import PacketType, Version
from mqtttui.protocol.packets import Ack, Connect, Publish, Suback, Subscribe, TopicRequest
from mqtttui.ui.panes.findings import GroupList
from mqtttui.ui.panes.operations import OperationList
from mqtttui.ui.widgets.text_block import TextBlock
from tests.support.screen import Feed, Running, hostile_texts, inspecting, running

SIZES = [(80, 24), pytest.param((120, 36), marks=pytest.mark.slow), (200, 50)]


def _conversation(feed: Feed) -> None:
    """A subscription, a QoS 2 message that is done, a QoS 1 message that stays open, a refused one, a broken one."""
    feed.send(Subscribe(1, (TopicRequest("sensors/#", qos=1),)))
    feed.receive(Suback(1, (1,)))
    feed.send(Publish("cmd/lamp", b"on", qos=2, packet_id=7))
    feed.receive(Ack(PacketType.PUBREC, 7))
    feed.send(Ack(PacketType.PUBREL, 7))
    feed.receive(Ack(PacketType.PUBCOMP, 7))
    feed.send(Publish("cmd/door", b"open", qos=1, packet_id=8))
    feed.send(Publish("cmd/gate", b"up", qos=1, packet_id=9))
    feed.receive(Ack(PacketType.PUBACK, 9, 0x87))
    feed.send(Publish("bad/+/topic", b"x"))


def _operations(run: Running) -> OperationList:
    return run.main.views.current.query_one(OperationList)


def _groups(run: Running) -> GroupList:
    return run.main.views.current.query_one(GroupList)


@pytest.mark.parametrize("size", SIZES)
async def test_operations_show_what_was_asked_and_what_came_of_it(size: tuple[int, int]) -> None:
    async with inspecting(0, size=size) as (run, feed):
        _conversation(feed)
        await run.caught_up()
        await run.press("5")
        await run.shows("1 open", "1 failed", "publish q2", "cmd/lamp", "waits for PUBACK")
        if size[0] > 80:
            await run.shows("0x87 not authorized", "in flight ▲ 1")
        # The open one comes first; its packet is one key away.
        await run.press("enter")
        await run.until(lambda: run.main.inspector.packets.selected == 9, "the packet of the open operation is selected")


async def test_operations_can_be_narrowed_and_followed() -> None:
    async with inspecting(0) as (run, feed):
        _conversation(feed)
        await run.caught_up()
        await run.press("5", "r")
        await run.shows("only open ones", "cmd/door")
        await run.hides("cmd/lamp")
        await run.press("r")
        await run.shows("only failed ones", "cmd/gate")
        await run.press("r")
        await run.shows("cmd/lamp")
        for _ in range(_operations(run).row_count):
            if "cmd/lamp" in cast("TextBlock", run.main.views.current.query_one("#operations-detail")).text:
                break
            await run.press("down")
        await run.press("f")
        await run.shows("mqtttui.op.start == 5", "4 of")
        assert [run.main.inspector.packets.rows.number(at) for at in range(4)] == [5, 6, 7, 8]


async def test_the_row_under_the_cursor_stays_when_operations_come() -> None:
    async with inspecting(0) as (run, feed):
        _conversation(feed)
        await run.caught_up()
        await run.press("5", "down", "down")
        before = _operations(run).current
        for number in range(20, 30):
            feed.send(Publish("more", b"", qos=1, packet_id=number))
        await run.shows("+10 new")
        assert _operations(run).current == before
        await run.press("g")
        await run.hides("+10 new")


@pytest.mark.parametrize("size", SIZES)
async def test_findings_are_grouped_explained_and_muted(size: tuple[int, int]) -> None:
    async with inspecting(0, size=size) as (run, feed):
        _conversation(feed)
        await run.caught_up()
        await run.press("9")
        await run.shows("B06", "wildcard in a topic", "MQTT-3.3.2-2", "check:", "E16")
        await run.press("enter")
        await run.until(lambda: run.main.inspector.packets.selected == 12, "the packet of the first finding is selected")
        await run.press("9", "m")
        await run.shows("B06 is muted")
        await run.until(lambda: run.app.pump.findings.errors == 0, "muted errors do not count")
        assert _groups(run).cursor == 0
        assert (there := _groups(run).current) is not None and there.id != "B06"
        while (group := _groups(run).current) is None or group.id != "B06":
            await run.press("down")
        await run.press("m")
        await run.until(lambda: run.app.pump.findings.errors == 1, "they count again")


async def test_notes_are_shown_on_request_and_findings_make_a_filter() -> None:
    async with inspecting(0) as (run, feed):
        feed.receive(Publish("a", b"", retain=True))
        feed.send(Publish("bad/#", b"x"))
        await run.caught_up()
        await run.press("9")
        await run.shows("B06")
        count = _groups(run).row_count
        await run.press("r")
        await run.until(lambda: _groups(run).row_count > count, "notes are there")
        await run.press("g", "f")
        await run.shows('mqtttui.expert.id == "B06"', "1 of")


async def test_findings_say_that_nothing_is_wrong() -> None:
    async with inspecting(0) as (run, _):
        await run.press("9")
        await run.shows("nothing wrong so far")


async def test_the_next_finding_mark_and_hit() -> None:
    async with inspecting(10) as (run, feed):
        packets = run.main.inspector.packets
        feed.send(Publish("bad/+", b"x"))
        feed.publishes(5, "needle/a")
        feed.send(Publish("bad/#", b"x"))
        feed.publishes(5)
        await run.caught_up()
        await run.press("g", "exclamation_mark")
        await run.until(lambda: packets.selected == 13, "the first finding")
        await run.press("n")
        await run.until(lambda: packets.selected == 19, "the next one")
        await run.press("n")
        await run.until(lambda: packets.selected == 13, "and around")
        await run.press("m", "down", "down", "m", "g", "apostrophe")
        await run.until(lambda: packets.selected == 13, "the first mark")
        await run.press("apostrophe")
        await run.until(lambda: packets.selected == 15, "the next mark")
        await run.press("N")
        await run.until(lambda: packets.selected == 13, "the one before")
        await run.press("g", "ctrl+f")
        await run.type("needle")
        await run.press("enter")
        await run.until(lambda: packets.selected == 14, "the first hit")
        await run.press("n")
        await run.until(lambda: packets.selected == 15, "one hit on")
        await run.press("n")
        await run.until(lambda: packets.selected == 16, "two hits on")
        await run.press("N")
        await run.until(lambda: packets.selected == 15, "one back")
        assert run.app.marks.numbers() == [13, 15]


async def test_find_refuses_and_finds_nothing() -> None:
    async with inspecting(5) as (run, _):
        await run.press("ctrl+f", "up")
        await run.type("(")
        await run.shows("not a regular expression")
        await run.press("enter")
        await run.shows("not a regular expression")
        await run.press("ctrl+u")
        await run.type("nowhere")
        await run.press("enter")
        await run.shows("not found")


@pytest.mark.parametrize("words", hostile_texts())
async def test_a_comment_stays_with_its_packet(words: str) -> None:
    async with inspecting(5) as (run, _):
        packets = run.main.inspector.packets
        await run.press("g", "semicolon")
        await run.type("see the door")
        await run.press("enter")
        await run.shows("◇", "see the door")
        assert run.app.marks.comment(packets.selected or 0) == "see the door"
        run.app.marks.set_comment(2, words)
        packets.forget()
        await run.pilot.pause()
        assert "\x1b" not in run.text and "\u202e" not in run.text
        await run.press("semicolon", "ctrl+u", "enter")
        await run.hides("see the door")


async def test_what_belongs_together_is_followed() -> None:
    async with inspecting(10) as (run, feed):
        feed.send(Publish("cmd/lamp", b"on", qos=1, packet_id=7))
        feed.publishes(3)
        feed.receive(Ack(PacketType.PUBACK, 7))
        await run.caught_up()
        await run.press("f")
        await run.shows("mqtttui.op.start == 13", "2 of")
        await run.press("backspace", "F")
        await run.shows("Follow from packet", "connection 0", "cmd/lamp")
        await run.press("t")
        await run.shows('mqtttui.topic == "cmd/lamp"', "2 of")


async def test_links_stand_in_the_tree_and_enter_goes_there() -> None:
    async with inspecting(0) as (run, feed):
        feed.send(Publish("cmd/lamp", b"on", qos=1, packet_id=7))
        feed.publishes(3)
        feed.receive(Ack(PacketType.PUBACK, 7))
        await run.caught_up()
        await run.press("enter")
        await run.shows("[Request in]", "#3", "[Time]", "[Topic]", "cmd/lamp")
        await run.press("end", "up", "up", "enter")
        await run.until(lambda: run.main.inspector.packets.selected == 3, "the request is selected")
        await run.shows("[Response in]", "#7")


async def test_an_answer_that_comes_later_appears_in_the_details() -> None:
    async with inspecting(0) as (run, feed):
        feed.send(Publish("cmd/lamp", b"on", qos=1, packet_id=7))
        await run.caught_up()
        await run.press("enter", "end")
        await run.hides("[Response in]")
        feed.receive(Ack(PacketType.PUBACK, 7))
        await run.shows("[Response in]", "#4")


def _capture(tmp_path: Path) -> str:
    log = Log()
    feed = Feed(log, Version.V311)
    feed.send(Connect(client_id="dev"))
    feed.receive(*(Publish(f"t/{n}", b"x") for n in range(300)))
    path = tmp_path / "night.pcapng"
    with path.open("wb") as out:
        write_log(log, log.numbers(), out, comments=lambda no: ["look here"] if no == 200 else [])
    return str(path)


@pytest.mark.parametrize("size", SIZES)
async def test_a_capture_is_opened(tmp_path: Path, size: tuple[int, int]) -> None:
    settings = Settings(capture=OpenOptions(_capture(tmp_path), goto=200))
    async with running(settings, size=size) as run:
        await run.until(lambda: run.log.received == 301, "everything is read")
        await run.until(lambda: run.main.inspector.packets.selected == 200, "the packet is selected")
        await run.shows("▤", "t/198", "◇")
        assert run.app.marks.comment(200) == "look here"


async def test_what_is_no_capture_is_said(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(b"no capture at all\n" * 50)
    async with running(Settings(capture=OpenOptions(str(path)))) as run:
        await run.shows("no MQTT packet in")
    async with running(Settings(capture=OpenOptions(str(tmp_path / "nowhere")))) as run:
        await run.shows("cannot be read", "No such file")


def _damaged(tmp_path: Path) -> str:
    path = Path(_capture(tmp_path))
    data = bytearray(path.read_bytes())
    at = data.index(b"\x00\x0c\x00\x04mqtt", len(data) // 2)
    data[at + 2 : at + 4] = b"\xff\xff"
    path.write_bytes(data)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    return str(path)


async def test_a_frame_that_is_too_damaged_is_counted(tmp_path: Path) -> None:
    path = _damaged(tmp_path)
    async with running(Settings(capture=OpenOptions(path)), size=(200, 50)) as run:
        await run.until(lambda: run.log.received == 300, "everything else is read")
        await run.shows("1 passed over", "exported PDUs that end inside their tags")


async def test_views_do_not_mind_keys_without_packets() -> None:
    async with running() as run:
        run.fake_session()
        for view in ("4", "5", "9"):
            await run.press("escape", view)
            for key in (
                "f",
                "F",
                "r",
                "m",
                "exclamation_mark",
                "apostrophe",
                "n",
                "N",
                "enter",
                "semicolon",
                "escape",
                "g",
                "G",
                "down",
                "up",
            ):
                await run.press(key)
        await run.pilot.pause()
        assert run.app.is_running
