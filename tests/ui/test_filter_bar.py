"""The filter bar by keyboard: typing checks, Enter applies, completions, history, saved filters; nothing else changes a filter."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual import events

from mqtttui.config.paths import filters_file
from mqtttui.config.saved_filters import FilterStore
from mqtttui.protocol.enums import PacketType
from mqtttui.protocol.packets import Ack, Publish
from mqtttui.ui.widgets.filter_bar import FilterBar
from mqtttui.ui.widgets.filter_input import FilterInput
from tests.support.screen import Feed, Running, inspecting
from tests.ui.test_hostile_text import HOSTILE, check


@pytest.fixture(autouse=True)
def own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return filters_file()


@asynccontextmanager
async def filled(size: tuple[int, int] = (120, 36)) -> AsyncIterator[tuple[Running, Feed]]:
    """20 messages on two topics, every second one QoS 1 and acknowledged."""
    async with inspecting(0, size=size) as (run, feed):
        for number in range(20):
            topic = f"house/{'temp' if number % 2 else 'light'}"
            feed.receive(Publish(topic, b"%d" % number, qos=number % 2, packet_id=number if number % 2 else None))
            if number % 2:
                feed.send(Ack(PacketType.PUBACK, number))
        await run.caught_up()
        yield run, feed


def bar(run: Running) -> FilterBar:
    return run.main.views.bar


def field(run: Running) -> FilterInput:
    return run.main.query_one(FilterInput)


def shown(run: Running) -> list[int]:
    rows = run.main.inspector.packets._rows
    return [rows.number(index) for index in range(len(rows))]


def read(file: Path) -> str:
    """The file of filters; empty if there is none."""
    return file.read_text(encoding="utf-8") if file.exists() else ""


async def apply(run: Running, text: str) -> None:
    """Type a filter and wait until it is tested."""
    await run.press("slash", "ctrl+u")
    field(run).insert_raw(text)
    await run.press("enter")
    await run.until(lambda: not bar(run).editing and not run.app.filtering.testing, f"{text} is tested")
    await run.until(lambda: not run.app.filtering.changed(), "and shown")
    run.main.grew()
    await run.pilot.pause()


async def test_a_word_is_searched_for_and_the_bar_shows_what_it_became() -> None:
    async with filled() as (run, _):
        await run.press("slash")
        await run.type("temp")
        await run.shows("✓", "Enter applies", "= mqtt.topic matches")
        assert run.app.filtering.applied is None
        assert len(shown(run)) == 32
        await run.press("enter")
        await run.shows("/ temp  ✓ mqtt.topic matches", "10 of 32")
        assert run.main.inspector.packets.has_focus
        assert len(shown(run)) == 10


async def test_wildcards_are_a_topic_filter() -> None:
    async with filled() as (run, _):
        await apply(run, "house/+")
        assert run.app.filtering.applied is not None
        assert run.app.filtering.applied.filter.text == 'topic(mqtttui.topic, "house/+")'
        assert len(shown(run)) == 30


async def test_a_wrong_filter_shows_the_place_and_stays_in_the_field() -> None:
    async with filled() as (run, _):
        await apply(run, "mqtt.qos == 1")
        before = shown(run)
        await run.press("slash", "ctrl+u")
        await run.type("mqtt.qos == 300")
        await run.shows("✗ no filter", "            ^~~  300 is too large")
        await run.press("enter")
        assert bar(run).editing
        assert shown(run) == before
        await run.press("escape")
        assert not bar(run).editing
        assert shown(run) == before
        assert run.main.inspector.packets.has_focus
        await run.shows("mqtt.qos == 1  ✓")


async def test_what_can_go_on_is_no_error_before_enter() -> None:
    async with filled() as (run, _):
        await run.press("slash")
        for text in ("mqtt.q", "mqtt.qos ==", "(mqtt.qos == 1", 'mqtt.topic contains "te', "mqtt.msgtype in {1, 2"):
            await run.press("ctrl+u")
            field(run).insert_raw(text)
            await run.shows(text, "goes on")
            await run.hides("✗")
        await run.press("enter")
        await run.shows("✗ no filter")


async def test_a_quick_search_that_looks_like_a_field_is_refused_with_the_remedy() -> None:
    async with filled() as (run, _):
        await run.press("slash")
        await run.type("mqtt.topc")
        await run.press("escape", "slash", "up", "enter")
        await run.shows("mqtt.topc", "There is no field mqtt.topc.", "mqtt.topic")
        assert bar(run).editing


async def test_hints_stand_under_the_text() -> None:
    async with filled() as (run, _):
        await run.press("slash")
        field(run).insert_raw('mqtt.topic != "x"')
        await run.shows("Packets without mqtt.topic are hidden too")


async def test_backspace_leads_back_and_an_empty_text_shows_everything() -> None:
    async with filled() as (run, _):
        await apply(run, "mqtt.qos == 1")
        await apply(run, "house/temp")
        assert len(shown(run)) == 10
        await run.press("backspace")
        await run.shows("mqtt.qos == 1  ✓")
        await run.press("backspace")
        await run.until(lambda: len(shown(run)) == 32, "no filter")
        assert "✓" not in run.text
        await run.press("backspace")
        await run.shows("there was no filter before this one")
        await apply(run, "mqtt.qos == 1")
        await apply(run, "")
        assert len(shown(run)) == 32


async def test_escape_in_the_list_never_touches_the_filter() -> None:
    async with filled() as (run, _):
        await apply(run, "mqtt.qos == 1")
        await run.press("escape", "escape", "k", "enter", "escape")
        await run.shows("mqtt.qos == 1  ✓", "10 of 32")


@pytest.mark.parametrize("taken_by", ["tab", "ctrl+space"])
async def test_completions_are_taken_and_enter_takes_none(taken_by: str) -> None:
    async with filled() as (run, _):
        await run.press("slash")
        await run.type("mqtt.conack.fl")
        await run.shows("mqtt.conack.flags.sp")
        await run.press("down", "down", "up", taken_by)
        assert field(run).value.startswith("mqtt.conack.flags")
        assert field(run).cursor_position == len(field(run).value)
        await run.hides("Session Present")
        await run.press("ctrl+u")
        await run.type('mqtt.msgtype == "Publish M')
        await run.shows("Publish Message")
        await run.press(taken_by)
        assert field(run).value == 'mqtt.msgtype == "Publish Message"'
        await run.press("enter")
        await run.shows("20 of 32")


async def test_the_list_of_completions_opens_on_request_and_closes_when_the_cursor_leaves() -> None:
    async with filled() as (run, _):
        await run.press("slash")
        field(run).insert_raw("mqtt.qos ")
        await run.hides("is equal to")
        await run.press("tab")
        await run.shows("is equal to")
        await run.press("left")
        await run.hides("is equal to")
        assert bar(run).editing
        await run.press("tab")
        assert bar(run).editing


async def test_history_by_up_and_down_and_what_was_left_unfinished() -> None:
    async with filled() as (run, _):
        for text in ("mqtt.qos == 0", "mqtt.qos == 1", "temp"):
            await apply(run, text)
        await run.until(lambda: len(bar(run)._history) == 3, "remembered")
        await run.press("slash")
        assert field(run).value == "temp"
        await run.press("up")
        assert field(run).value == "mqtt.qos == 1"
        await run.press("up", "up", "up")
        assert field(run).value == "mqtt.qos == 0"
        await run.press("down", "down", "down")
        assert field(run).value == "temp"
        await run.press("ctrl+u")
        await run.type("not finish")
        await run.press("escape", "slash")
        assert field(run).value == "temp"
        await run.press("up")
        assert field(run).value == "not finish"


async def test_history_outlives_the_application(own_file: Path) -> None:
    async with filled() as (run, _):
        await apply(run, "mqtt.qos == 1")
        await run.until(lambda: read(own_file), "written")
    async with filled() as (run, _):
        await run.until(lambda: bar(run)._history == ("mqtt.qos == 1",), "read")
        await run.press("slash", "up", "enter")
        await run.shows("10 of 32")


async def test_saved_filters(own_file: Path) -> None:
    async with filled() as (run, _):
        await run.press("slash")
        await run.type("temp")
        await run.press("ctrl+s")
        await run.shows("Save filter")
        await run.type("warm rooms")
        await run.press("enter")
        await run.until(lambda: "warm rooms" in read(own_file), "saved")
        await run.press("escape")
        assert run.app.filtering.applied is None
        await run.press("colon")
        await run.type("filter warm")
        await run.shows("Filter warm rooms: temp")
        await run.press("enter")
        await run.shows("/ temp  ✓", "10 of 32")
        await run.press("slash", "ctrl+o")
        await run.shows("Filters", "warm rooms")
        await run.press("delete")
        await run.hides("warm rooms")
        await run.press("u")
        await run.shows("warm rooms")
        await run.press("e")
        await run.until(lambda: bar(run).editing, "the filter is edited")
        assert field(run).value == "temp"
        await run.press("escape", "f10", "delete", "escape")
        await run.until(lambda: not FilterStore(own_file).load().saved, "deleted")


def write_broken(file: Path) -> None:
    """A file that is no TOML."""
    file.parent.mkdir(parents=True)
    file.write_text("history = [", encoding="utf-8")


async def test_a_broken_file_is_said_once_and_filters_work(own_file: Path) -> None:
    write_broken(own_file)
    async with filled() as (run, _):
        await run.shows("filters are not kept")
        await apply(run, "mqtt.qos == 1")
        assert len(shown(run)) == 10
        assert read(own_file) == "history = ["
        await run.press("slash", "ctrl+s")
        await run.type("mine")
        await run.press("enter")
        await run.shows("filters are not kept")
        assert "filter saved" not in run.text


async def test_ctrl_s_on_a_wrong_filter_saves_nothing() -> None:
    async with filled() as (run, _):
        await run.press("slash")
        await run.type("mqtt.qos ==")
        await run.press("ctrl+s")
        await run.shows("✗ no filter")
        assert "Save filter" not in run.text


async def test_the_field_closes_when_the_focus_leaves_it() -> None:
    async with filled() as (run, _):
        await run.press("slash")
        await run.type("te")
        assert await run.pilot.click("#packets", offset=(30, 13))
        await run.until(lambda: not bar(run).editing, "the field is closed")
        assert run.main.inspector.packets.has_focus
        await run.press("slash", "f2")
        await run.until(lambda: not bar(run).editing, "the field is closed")
        assert run.main.subscriptions.has_focus_within


async def test_slash_from_a_pane_and_from_the_details() -> None:
    async with filled() as (run, _):
        await run.press("2", "slash")
        assert bar(run).editing
        assert not run.main.drawer_open
        await run.press("escape")
        assert run.main.inspector.has_focus_within
        await run.press("k", "enter", "slash")
        await run.press("escape")
        assert run.main.inspector.details.has_focus


def write_hostile(file: Path) -> None:
    """A file of filters that somebody else wrote."""
    FilterStore(file).change(lambda kept: kept.remembered(HOSTILE).with_saved("x", "y"))
    file.write_text(read(file).replace('"x"', '"\\u001b[31m[/b]\\u202e"'), encoding="utf-8")


@pytest.mark.parametrize("size", [(60, 15), (80, 24), (120, 36), (200, 50)])
async def test_hostile_text_in_filters_and_suggestions(size: tuple[int, int], own_file: Path) -> None:
    write_hostile(own_file)
    async with filled(size) as (run, feed):
        feed.receive(Publish(HOSTILE, HOSTILE.encode()))
        await run.caught_up()
        await run.press("slash")
        field(run).post_message(events.Paste(HOSTILE))
        await run.pilot.pause()
        check(run, "pasted")
        await run.press("enter")
        check(run, "applied or refused")
        await run.press("ctrl+u", "up")
        check(run, "history")
        await run.press("ctrl+u")
        field(run).post_message(events.Paste('mqtt.topic == "' + HOSTILE.replace("\\", "").replace('"', "")))
        await run.pilot.pause()
        check(run, "in quotes")
        await run.press("quotation_mark", "enter")
        check(run, "in quotes, applied")
        await run.press("ctrl+o")
        check(run, "list")
        await run.press("escape", "escape", "colon")
        await run.type("filter")
        check(run, "palette")
        await run.press("escape", "4", "G", "a")
        await run.pilot.pause()
        check(run, "the topic of the packet")
        await run.press("A")
        check(run, "the menu")


async def test_a_long_filter_scrolls_and_its_error_is_still_said() -> None:
    async with filled((80, 24)) as (run, _):
        await run.press("slash")
        field(run).insert_raw(" or ".join(["mqtt.qos == 1"] * 20) + " or mqtt.qos == 300")
        await run.press("enter")
        await run.shows("✗", "300 is too large")
        await run.press("home")
        await run.shows("300 is too large")
        check(run, "a long filter")
