"""The alarm: what it watches, what it does, and that it does not do it 20,000 times a second."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mqtttui.protocol.enums import PacketType
from mqtttui.protocol.packets import Ack, Publish
from mqtttui.ui.alarm import Alarm, AlarmOrder
from mqtttui.ui.filtering import Filtering
from tests.support.screen import Running, inspecting

_SECOND = 1_000_000_000


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def bells(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """How often the terminal's bell rang."""
    found: list[None] = []
    monkeypatch.setattr("textual.app.App.bell", lambda app: found.append(None))
    return found


async def arm(run: Running, words: str) -> None:
    await run.press("B")
    await run.shows("Alarm", "a filter, or a word")
    await run.type(words)
    await run.press("enter")
    await run.shows("ALARM armed")


async def test_it_rings_and_marks_what_comes_and_only_that(bells: list[None]) -> None:
    async with inspecting(3) as (run, feed):
        await arm(run, "sensors")
        assert bells == []
        feed.receive(Publish("other", b"1"))
        no = feed.publishes(1)
        await run.shows("ALARM 1 × ", f"alarm: packet {no}")
        assert bells == [None]
        assert run.app.marks.numbers() == [no]


async def test_it_does_not_talk_over_what_a_key_said(bells: list[None]) -> None:
    async with inspecting(3) as (run, feed):
        await arm(run, "sensors")
        feed.publishes(1)
        await run.shows("alarm: packet ")
        await run.press("o")
        await run.shows("are hidden; o shows them")
        run.app.alarm._called -= _SECOND
        feed.publishes(2)
        await run.until(lambda: len(bells) == 2, "it rang again")
        await run.shows("ALARM 3 × ", "are hidden; o shows them")


async def test_it_leads_there_is_cleared_and_turned_off(bells: list[None]) -> None:
    async with inspecting(3) as (run, feed):
        await arm(run, "other")
        no = feed.receive(Publish("other", b"1"))
        feed.publishes(5)
        await run.shows("ALARM 1 × ")
        await run.press("B", "g")
        await run.until(lambda: run.main.inspector.packets.selected == no, "the packet is selected")
        await run.press("B", "c")
        await run.shows("ALARM armed")
        await run.press("B", "d")
        await run.hides("ALARM")
        feed.receive(Publish("other", b"1"))
        await run.caught_up()
        assert len(bells) == 1


async def test_it_pauses_and_records(here: Path, bells: list[None]) -> None:
    async with inspecting(3) as (run, feed):
        await run.press("B")
        await run.type("other")
        await run.press("tab", "space", "down", "space", "down", "space", "down", "space")
        await run.shows("[ ] the terminal's bell", "[ ] the packets", "[x] the packet list", "[x] to a file")
        await run.press("ctrl+s")
        await run.shows("ALARM armed")
        feed.receive(Publish("other", b"1"))
        await run.shows("PAUSED (p)", "● REC ", "the list is paused (p) · recording to ")
        await run.press("W")
        await run.shows("recorded: 6 packets")
        assert bells == []
    assert [name[-7:] for name in os.listdir(here)] == [".pcapng"]


async def test_a_wrong_filter_is_not_armed() -> None:
    async with inspecting(1) as (run, _):
        await run.press("B")
        await run.type("mqtt.qos =")
        await run.press("ctrl+s")
        await run.pilot.pause()
        await run.shows("Alarm")
        assert run.app.alarm.order is None


async def test_a_flood_rings_once_a_second_and_marks_only_so_many() -> None:
    async with inspecting(0) as (run, feed):
        alarm = alarm_of(run, "mqtt.msgtype == 3", mark=True)
        feed.publishes(5_000)
        finish(run, alarm)
        assert alarm.count == 5_000
        assert len(run.app.marks.numbers()) == 1_000
        assert alarm.marks_full
        first = alarm.call(10 * _SECOND)
        assert first is not None
        assert first[1:] == (4_999, True)
        feed.publishes(50)
        finish(run, alarm)
        assert alarm.call(10 * _SECOND + 900_000_000) is None
        second = alarm.call(11 * _SECOND)
        assert second is not None
        assert second[1:] == (49, False)
        assert alarm.call(13 * _SECOND) is None


async def test_what_comes_true_later_counts_once() -> None:
    async with inspecting(0) as (run, feed):
        old = feed.send(Publish("a", b"x", 1, packet_id=1))
        alarm = alarm_of(run, "mqtttui.response_in")
        no = feed.send(Publish("a", b"x", 1, packet_id=2))
        finish(run, alarm)
        assert alarm.count == 0
        feed.receive(Ack(PacketType.PUBACK, 1), Ack(PacketType.PUBACK, 2))
        finish(run, alarm)
        assert (alarm.count, alarm.latest) == (1, no)
        run.app.marks.toggle(no)
        run.app.marks.toggle(old)
        finish(run, alarm)
        assert alarm.count == 1


def alarm_of(run: Running, typed: str, *, mark: bool = False) -> Alarm:
    """An alarm of its own, armed."""
    alarm = Alarm(run.log, run.app._facts, run.app.marks)
    applied = Filtering(run.log, run.app._facts).check_strict(typed).applied
    assert applied is not None
    alarm.arm(AlarmOrder(typed, applied.filter, mark=mark))
    return alarm


def finish(run: Running, alarm: Alarm) -> None:
    """Let everybody read all that is there."""
    while not run.app.pump.advance(lambda: 0, 1):
        pass
    while not alarm.advance(lambda: 0, 1):
        pass
