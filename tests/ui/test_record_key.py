"""The recording that a key begins and ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.export.test_recording import rows
from tests.support.screen import inspecting


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


async def test_the_key_begins_and_ends_it(here: Path) -> None:
    async with inspecting(3) as (run, feed):
        await run.press("W")
        await run.shows("Record packets to a file")
        await run.press("enter")
        await run.shows("recording to ", "W ends it", "● REC ")
        feed.publishes(4)
        await run.caught_up()
        await run.press("W")
        await run.shows("recorded: 4 packets, ", ".pcapng")
        await run.hides("● REC")
    path = only(here, ".pcapng")
    assert [row[0] for row in rows(path, "mqtt.msgtype")][-4:] == ["3"] * 4


async def test_with_what_is_kept_and_in_a_ring(here: Path) -> None:
    async with inspecting(3) as (run, _):
        await run.press("W")
        await run.press("ctrl+a", "ctrl+k")
        await run.type("night.pcapng")
        await run.press("tab")
        await run.type("10xx")
        await run.shows("is no ring of files")
        await run.press("ctrl+a", "ctrl+k")
        await run.type("3x100k")
        await run.press("tab", "space")
        await run.shows("[with the 5 kept]")
        await run.press("ctrl+s")
        await run.shows("● REC ")
        await run.caught_up()
        await run.press("W")
        await run.shows("recorded: 5 packets, ")
    assert (here / "night-00001.pcapng").exists()


async def test_a_file_that_is_there_is_not_touched_and_a_failure_stays_in_sight(here: Path) -> None:
    (here / "a.pcapng").write_bytes(b"precious")
    async with inspecting(1) as (run, _):
        await run.press("W")
        await run.press("ctrl+a", "ctrl+k")
        await run.type("a.pcapng")
        await run.press("enter")
        await run.shows("there is such a file already")
        assert (here / "a.pcapng").read_bytes() == b"precious"
        await run.press("ctrl+s", "escape", "escape")
        await run.hides("Record packets")
        await run.press("W")
        await run.press("ctrl+a", "ctrl+k")
        await run.type("/dev/full")
        await run.press("down", "down", "down", "down", "space", "ctrl+s")
        await run.shows("✗ REC /dev/full cannot be written", "recording: ")
