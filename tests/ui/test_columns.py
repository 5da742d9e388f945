"""Choosing the columns of the packet list: on the screen, in the user's file, and what stands in them."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.cells import cell_len

from mqtttui.config import paths
from mqtttui.config.columns import load_columns, save_columns
from mqtttui.config.saved_filters import StoreError
from mqtttui.protocol.packets import Connect, Publish
from mqtttui.ui.columns import COLUMNS, USUAL, column_of, place
from tests.support.screen import inspecting, screen_lines


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


async def test_columns_are_chosen_moved_and_kept() -> None:
    async with inspecting(3) as (run, _):
        await run.press("C")
        await run.shows("Columns of the packet list", " 1 [x] No.", "    [ ] Source")
        await run.press("end", "space", "K", "home", "space", "enter")
        await run.shows("Info")
        head = screen_lines(run.app)[2]
        assert "No." not in head
        assert head.index("Info") < head.index("Topic and summary")
        await run.shows("Publish Message [sensors/a/temp")
        await run.until(lambda: load_columns(paths.columns_file()), "the choice is kept")
        assert load_columns(paths.columns_file()) == ("time", "type", "id", "flags", "length", "info", "summary")
    async with inspecting(1) as (run, _):
        await run.shows("Publish Message [sensors/a/temp")
        await run.press("C", "r", "enter")
        await run.shows("the usual columns")
        assert "No." in screen_lines(run.app)[2]
        await run.until(lambda: not load_columns(paths.columns_file()), "the choice is kept")


async def test_a_field_becomes_a_column_and_goes_again() -> None:
    async with inspecting(0) as (run, feed):
        feed.receive(Publish("some/topic", b"hello"))
        await run.caught_up()
        await run.press("enter")
        run.main.inspector.details.select_offset(6)
        await run.press("C")
        await run.shows("mqtt.topic is a column of the list")
        line = next(line for line in screen_lines(run.app) if "PUBLISH" in line)
        assert line.count("some/topic") == 2
        await run.press("C")
        await run.shows("mqtt.topic is no column any more")
        assert run.main.inspector.packets.chosen == ()


async def test_a_field_is_added_by_name() -> None:
    async with inspecting(0) as (run, feed):
        feed.send(Connect("c", username="anna", password=b"s3cret"))
        await run.caught_up()
        await run.press("C", "plus")
        await run.type("mqtt.nothing")
        await run.shows("there is no such field")
        await run.press("ctrl+a", "ctrl+k")
        await run.type("mqtt.passwd")
        await run.press("enter")
        await run.shows("[x] mqtt.passwd")
        await run.press("enter")
        await run.shows("mqtt.passwd", "******")
        assert "s3cret" not in run.text


async def test_facts_that_change_are_followed() -> None:
    async with inspecting(0) as (run, feed):
        save_columns(paths.columns_file(), ["number", "type", "mqtttui.response_in", "frame.marked", "summary"])
        await run.app._columns.load()
        no = feed.send(Publish("a", b"x", 1, packet_id=1))
        await run.caught_up()
        await run.press("m")
        line = next(line for line in screen_lines(run.app) if "◆" in line)
        assert line.split()[:5] == ["▌◆", str(no), "▲", "PUBLISH", "1"]


@pytest.mark.parametrize("size", [(80, 24), pytest.param((120, 36), marks=pytest.mark.slow), (200, 50)])
async def test_every_column_at_once_fits_somehow(size: tuple[int, int]) -> None:
    async with inspecting(30, size=size) as (run, _):
        save_columns(paths.columns_file(), [*COLUMNS, "mqtt.topic", "nonsense"])
        await run.app._columns.load()
        await run.shows("No.", "Conn")
        assert all(cell_len(line) <= size[0] for line in screen_lines(run.app))


def test_a_file_that_is_not_understood_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "columns.toml"
    assert load_columns(path) == ()
    for text in ("columns = 3", "columns = [1]", "columns = ["):
        path.write_text(text)
        with pytest.raises(StoreError):
            save_columns(path, ["time"])
        assert path.read_text() == text


def test_columns_never_take_more_than_there_is() -> None:
    names = [*COLUMNS, "mqtt.topic", "mqtt.kalive"]
    for width in range(260):
        placed = place(names, width, 12_345_678)
        assert sum(each.cells + 1 for each in placed) <= width + 1
    assert [each.column.name for each in place(names, 260, 1)] == names
    assert place(USUAL, 120, 1)[-1].cells == 120 - sum(COLUMNS[name].width + 1 for name in USUAL[:-1])
    assert column_of("nonsense") is None
