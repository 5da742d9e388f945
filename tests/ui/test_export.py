"""Writing packets to a file from the screen."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mqtttui.config.opening import OpenOptions
from mqtttui.config.recording import RecordOptions
from mqtttui.config.settings import Settings
from mqtttui.export.saving import Saving
from mqtttui.protocol.packets import Connect, Publish
from mqtttui.ui.screens.export import ExportPrompt
from tests.export.test_recording import rows
from tests.support.screen import Running, inspecting, running


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def only(folder: Path, suffix: str) -> Path:
    """The one file in a folder, under a name that we proposed."""
    (path,) = folder.iterdir()
    assert path.name.startswith("mqtttui-")
    assert path.suffix == suffix
    return path


def names(folder: Path) -> list[str]:
    """The files in a folder."""
    return sorted(path.name for path in folder.iterdir())


async def write(run: Running, name: str) -> None:
    """`:w NAME`, then Enter in the dialog."""
    await run.press("colon")
    await run.type(f"w {name}")
    await run.press("enter")
    await run.until(lambda: isinstance(run.app.screen, ExportPrompt), "the dialog")
    await run.pilot.pause()
    await run.press("enter")


async def test_everything_to_a_capture_with_the_comments(here: Path) -> None:
    async with inspecting(3) as (run, _):
        await run.press("m", "semicolon")
        await run.type("odd one")
        await run.press("enter")
        await write(run, "a.pcapng")
        await run.shows("5 packets, ", f"to {here}/a.pcapng" if str(here) in run.text else "a.pcapng")
    assert [row[0] for row in rows(here / "a.pcapng", "mqtt.msgtype")] == ["1", "2", "3", "3", "3"]
    assert rows(here / "a.pcapng", "frame.comment")[-1] == ["odd one,marked"]


async def test_displayed_are_the_matches_without_their_answers(here: Path) -> None:
    async with inspecting(3) as (run, feed):
        feed.receive(Publish("other", b"1"))
        await run.caught_up()
        await run.press("slash")
        await run.type("other")
        await run.press("enter", "i", "w")
        await run.shows("Write packets to a file", "[displayed 1]")
        await run.press("ctrl+a", "ctrl+k")
        await run.type("b.jsonl")
        await run.shows("[JSON lines]")
        await run.press("enter")
        await run.shows("1 packet, ")
    lines = (here / "b.jsonl").read_text().splitlines()
    assert [json.loads(line)["number"] for line in lines] == [6]


async def test_marked_ones_to_a_table(here: Path) -> None:
    async with inspecting(3) as (run, _):
        await run.press("k", "m", "w", "tab", "space")
        await run.shows("[displayed 5]")
        await run.press("space", "down", "left")
        await run.shows("[marked 1]", "[CSV]", ".csv")
        await run.press("ctrl+s")
        await run.shows("1 packet, ")
    path = only(here, ".csv")
    assert path.read_text().splitlines()[1].startswith("4,")


async def test_nothing_is_overwritten_unasked_and_secrets_are_masked(here: Path) -> None:
    (here / "a.pcapng").write_bytes(b"precious")
    async with inspecting(0) as (run, feed):
        feed.send(Connect("c", username="anna", password=b"s3cret"))
        await run.caught_up()
        await write(run, "a.pcapng")
        await run.shows("there is a file of that name already")
        assert (here / "a.pcapng").read_bytes() == b"precious"
        await run.press("space", "ctrl+s")
        await run.shows("3 packets, ")
        assert b"s3cret" not in (here / "a.pcapng").read_bytes()
        await run.press("w")
        await run.press("ctrl+a", "ctrl+k")
        await run.type("c.pcapng")
        await run.press("down", "down", "down", "space", "ctrl+s")
        await run.until(lambda: (here / "c.pcapng").exists() and "3 packets" in run.text, "written with secrets")
        assert b"s3cret" in (here / "c.pcapng").read_bytes()


async def test_where_nothing_can_be_written_that_is_said(here: Path) -> None:
    async with inspecting(1) as (run, _):
        await write(run, "nowhere/a.pcapng")
        await run.shows("there is no such directory")
        await run.press("escape", "escape")
        await run.hides("Write packets")
        await write(run, "/dev/full")
        await run.shows("Overwrite")
        await run.press("space", "ctrl+s")
        await run.shows("not written: ", "No space left on device")


def never_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every export begins, and does not come to its end."""
    advance = Saving.advance

    def stuck(self: Saving, clock: Callable[[], int], slice_ns: int) -> bool:
        return not self.done and advance(self, clock, 1)

    monkeypatch.setattr(Saving, "advance", stuck)


async def test_it_can_be_stopped_and_leaves_nothing(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    never_over(monkeypatch)
    async with inspecting(200) as (run, _):
        await run.caught_up()
        exporting = run.app._outlets._exporting
        await write(run, "a.csv")
        await run.until(lambda: exporting.running, "the export runs")
        await run.press("ctrl+c")
        await run.shows("stopped: ")
        assert not (here / "a.csv").exists()


async def test_what_is_overwritten_stays_until_the_new_file_is_whole(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "a.csv").write_bytes(b"precious")
    never_over(monkeypatch)
    async with inspecting(200) as (run, _):
        await run.caught_up()
        exporting = run.app._outlets._exporting
        await write(run, "a.csv")
        await run.shows("there is a file of that name already")
        await run.press("space", "ctrl+s")
        await run.until(lambda: exporting.running, "the export runs")
        await run.press("ctrl+c")
        await run.shows("a.csv is as it was before")
        assert names(here) == ["a.csv"]
        assert (here / "a.csv").read_bytes() == b"precious"


async def test_neither_the_recording_nor_the_opened_file_is_overwritten(here: Path) -> None:
    async with inspecting(2) as (run, _):
        run.app._outlets.begin_recording(RecordOptions("night.pcapng"), kept=True)
        await run.until((here / "night.pcapng").exists, "the recording")
        await write(run, "night.pcapng")
        await run.shows("there is a file of that name already")
        await run.press("space", "ctrl+s")
        await run.shows("not written: ", "night.pcapng is being recorded to")
    whole = (here / "night.pcapng").read_bytes()
    async with running(Settings(capture=OpenOptions("night.pcapng"))) as run:
        await run.until(lambda: run.log.received == 4, "everything is read")
        await write(run, "./night.pcapng")
        await run.shows("there is a file of that name already")
        await run.press("space", "ctrl+s")
        await run.shows("night.pcapng is the capture that is open here")
        run.app._outlets.begin_recording(RecordOptions("night.pcapng", force=True))
        await run.shows("recording: ", "is the capture that is open here")
    assert (here / "night.pcapng").read_bytes() == whole


async def test_what_was_exported_is_no_loss(here: Path) -> None:
    async with inspecting(3) as (run, feed):
        assert run.app._outlets.unsaved() == 5
        await write(run, "a.csv")
        await run.shows("5 packets, ")
        assert run.app._outlets.unsaved() == 5
        await write(run, "a.pcapng")
        await run.until(lambda: not run.app._outlets.unsaved(), "all is in a capture")
        feed.publishes(2)
        assert run.app._outlets.unsaved() == 2
