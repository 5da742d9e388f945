"""Printing plainly: the text stands on the terminal, Enter comes back, and the loop runs meanwhile."""

from __future__ import annotations

import os
import pty
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO, TextIOWrapper
from pathlib import Path

import pytest

from mqtttui.protocol.packets import Publish
from mqtttui.ui.plain_print import LIMIT
from tests.support.screen import Running, inspecting


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.delenv("TMUX", raising=False)
    return tmp_path


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Another terminal in the place of ours, to which the application gives way; its far end."""
    far, near = pty.openpty()
    os.set_blocking(far, False)
    end = TextIOWrapper(FileIO(near, "r+"), write_through=True)

    @contextmanager
    def suspend(app: object) -> Iterator[None]:
        yield

    monkeypatch.setattr("textual.app.App.suspend", suspend)
    monkeypatch.setattr("sys.__stderr__", end)
    monkeypatch.setattr("sys.__stdin__", end)
    yield far
    os.close(far)


def told(far: int) -> str:
    """What stands on the terminal since the question before."""
    try:
        return os.read(far, 65_536).decode()
    except BlockingIOError:
        return ""


def only(folder: Path) -> Path:
    """The one file in a folder."""
    (path,) = folder.iterdir()
    return path


async def printed(run: Running, far: int) -> str:
    """Wait for the printed text."""
    found = ""

    def complete() -> bool:
        nonlocal found
        found += told(far)
        return "Enter goes back" in found

    await run.until(complete, "the text is printed")
    return found


async def test_print_stands_on_the_terminal_until_enter(terminal: int) -> None:
    async with inspecting(0) as (run, feed):
        feed.receive(Publish("a", b"hello"))
        await run.caught_up()
        await run.press("Y", "d")
        assert "0000  30 09" in await printed(run, terminal)
        before = run.log.last
        feed.publishes(3)
        await run.until(lambda: run.app.pump.traffic.position == before + 3, "packets are read meanwhile")
        os.write(terminal, b"\n")
        await run.shows("printed on the terminal")


async def test_a_terminal_that_cannot_be_left_gives_a_file(temporary: Path) -> None:
    async with inspecting(0) as (run, feed):
        feed.receive(Publish("a", b"hello"))
        await run.caught_up()
        await run.press("Y", "h")
        await run.shows("this terminal cannot be left; written to ")
        assert only(temporary).read_text() == run.log[run.log.last].raw.hex()


async def test_what_is_large_goes_to_a_file(temporary: Path, terminal: int) -> None:
    async with inspecting(0) as (run, feed):
        feed.receive(Publish("a", bytes(LIMIT)))
        await run.caught_up()
        await run.press("Y", "h")
        await run.shows("are too many to print; written to ")
        assert told(terminal) == ""


async def test_a_finding_and_an_operation_as_markdown(terminal: int) -> None:
    async with inspecting(0) as (run, feed):
        feed.send(Publish("a/b", b"x", 1, packet_id=1))
        feed.receive(Publish("nobody/asked", b"x"))
        await run.caught_up()
        await run.press("9")
        await run.shows("Check")
        await run.press("y")
        await run.until(lambda: run.app.clipboard.startswith("**"), "the finding was copied")
        assert "What to check" in run.app.clipboard
        assert "mqtttui decode" in run.app.clipboard
        await run.press("Y")
        assert "**" in await printed(run, terminal)
        os.write(terminal, b"\n")
        await run.shows("printed on the terminal")
        await run.press("5")
        await run.press("y")
        await run.until(lambda: run.app.clipboard.startswith("**PUBLISH** `a/b`: open"), "the operation was copied")


async def test_the_payload_goes_to_a_file_of_ones_choice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "payload.bin").write_bytes(b"precious")
    async with inspecting(0) as (run, feed):
        feed.receive(Publish("a", b"\x00\xff"))
        await run.caught_up()
        await run.press("y", "w", "enter")
        await run.shows("there is a file of that name")
        await run.press("ctrl+a", "ctrl+k")
        await run.type("other.bin")
        await run.press("enter")
        await run.shows("2 bytes written to other.bin")
        assert (tmp_path / "other.bin").read_bytes() == b"\x00\xff"
        assert (tmp_path / "payload.bin").read_bytes() == b"precious"


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("a", 'mqtttui.topic == "some/topic"'),
        ("j", "some/topic"),
        ("x", b"hello".hex()),
        ("c", "mosquitto_"),
        ("s", "import paho.mqtt.client"),
    ],
)
async def test_what_the_menu_offers(key: str, words: str) -> None:
    async with inspecting(0) as (run, feed):
        feed.receive(Publish("some/topic", b"hello"))
        await run.caught_up()
        await run.press("y", key)
        await run.until(lambda: words in run.app.clipboard, "it was copied")
