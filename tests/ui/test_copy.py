"""Copying: what is copied, where it goes, and that this is said."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mqtttui.protocol.packets import Connect, Publish
from mqtttui.ui import clipboard
from tests.support.screen import inspecting


@pytest.fixture(autouse=True)
def no_tmux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMUX", raising=False)


async def test_copy_says_where_it_went() -> None:
    async with inspecting(0) as (run, feed):
        feed.receive(Publish("a", b"hello"))
        await run.caught_up()
        await run.press("y", "h")
        await run.shows("to the terminal's clipboard (OSC 52)")
        assert run.app.clipboard == run.log[run.log.last].raw.hex()
        await run.press("y", "p")
        await run.until(lambda: run.app.clipboard == "hello", "the payload was copied")
        await run.press("y", "d")
        await run.until(lambda: run.app.clipboard.startswith("0000  30 "), "the hex dump was copied")
        await run.press("y", "t")
        await run.until(lambda: "Topic Name" in run.app.clipboard, "the tree was copied")


async def test_copy_of_a_field() -> None:
    async with inspecting(0) as (run, feed):
        feed.receive(Publish("some/topic", b"hello"))
        await run.caught_up()
        await run.press("enter")
        run.main.inspector.details.select_offset(6)
        await run.press("y", "f")
        await run.until(lambda: run.app.clipboard == "some/topic", "the topic was copied")
        await run.press("y", "b")
        await run.until(lambda: run.app.clipboard == b"some/topic".hex(), "its bytes were copied")


async def test_secrets_are_masked_in_copies() -> None:
    async with inspecting(0) as (run, feed):
        feed.send(Connect("c", username="anna", password=b"s3cret"))
        await run.caught_up()
        for key in ("h", "d", "t"):
            await run.press("y", key)
            await run.shows("secrets masked" if key != "t" else "clipboard")
            assert "s3cret" not in run.app.clipboard
            assert b"s3cret".hex() not in run.app.clipboard


async def test_control_characters_are_escaped() -> None:
    assert clipboard.pasteable(b"a\nb\tc") == ("a\nb\tc", False)
    assert clipboard.pasteable(b"\x1b]52;c;x\x07") == ("\\x1b]52;c;x\\x07", True)
    assert clipboard.pasteable(b"\xff") == ("\\xff", True)


async def test_large_text_goes_to_a_private_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    said = await clipboard.copy("x" * 200_000, lambda text: None)
    assert "200,000 bytes are too many" in said
    file = Path(said.rpartition(" ")[2])
    assert file.parent == tmp_path
    assert os.stat(file).st_mode & 0o077 == 0


async def test_inside_tmux_it_goes_to_the_buffer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake = tmp_path / "tmux"
    fake.write_text(f'#!/bin/sh\ncat > "{tmp_path}/buffer"\necho "$@" > "{tmp_path}/args"\n')
    fake.chmod(0o755)
    monkeypatch.setenv("TMUX", "/tmp/tmux,1,0")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    said = await clipboard.copy("hello", lambda text: pytest.fail("OSC 52 was used"))
    assert said == "5 bytes to the tmux buffer and the clipboard"
    assert (tmp_path / "buffer").read_text() == "hello"
    assert (tmp_path / "args").read_text().strip() == "load-buffer -w -"


async def test_without_a_tmux_server_it_falls_back(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake = tmp_path / "tmux"
    fake.write_text("#!/bin/sh\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("TMUX", "/nowhere")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    written: list[str] = []
    said = await clipboard.copy("hello", written.append)
    assert written == ["hello"]
    assert "OSC 52" in said
