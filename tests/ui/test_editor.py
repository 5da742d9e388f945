"""The person's own editor for a payload."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from mqtttui.protocol.packets import Publish
from mqtttui.ui import editor
from mqtttui.ui.editor import EditorError, command, edited
from mqtttui.ui.panes.publish import PublishPane
from mqtttui.ui.widgets.text_block import TextBlock
from tests.support.form_states import CONNECTED, PEER
from tests.support.forms_app import FormsApp
from tests.support.waiting import wait_until

RAW = bytes(range(256)) * 300


def _editor(tmp_path: Path, body: str) -> list[str]:
    """An "editor" that runs `body` with `path` and `notes`, a file of the test's."""
    script = tmp_path / "editor.py"
    head = f"import os, sys\nfrom pathlib import Path\npath, notes = Path(sys.argv[1]), Path({str(tmp_path / 'notes')!r})\n"
    script.write_text(head + body)
    return [sys.executable, str(script)]


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


async def test_the_bytes_go_out_and_come_back_exactly_and_nothing_stays(tmp_path: Path, temporary: Path) -> None:
    body = (
        "notes.write_text(f'{path.stat().st_mode:o} {path.parent.stat().st_mode:o} {path}')\n"
        "raw = path.read_bytes()\n"
        "Path(str(path) + '~').write_bytes(raw)\n"
        "os.unlink(path)\n"
        "path.write_bytes(raw + b'\\r\\n\\x00\\xff')\n"
    )
    assert await edited(_editor(tmp_path, body), RAW, ".json") == RAW + b"\r\n\x00\xff"
    file_mode, folder_mode, path = (tmp_path / "notes").read_text().split()
    assert stat.S_IMODE(int(file_mode, 8)) == 0o600
    assert stat.S_IMODE(int(folder_mode, 8)) == 0o700
    assert path.endswith(".json")
    assert os.listdir(temporary) == []


@pytest.mark.parametrize(("before", "after"), [(b"on", b"off"), (b"", b"off"), (b"on\n", b"off\n"), (b"on\r", b"off\n")])
async def test_the_line_feed_that_editors_put_at_the_end_is_left_out(tmp_path: Path, before: bytes, after: bytes) -> None:
    written = b"off\n\n" if before == b"on\r" else b"off\n"
    assert await edited(_editor(tmp_path, f"path.write_bytes({written!r})"), before, ".txt") == after


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("sys.exit(3)", "status 3: the payload stays as it was"),
        ("os.unlink(path)", "the payload stays as it was: No such file"),
    ],
)
async def test_an_editor_that_fails_changes_nothing_and_is_named(tmp_path: Path, temporary: Path, body: str, words: str) -> None:
    with pytest.raises(EditorError, match=words):
        await edited(_editor(tmp_path, body), b"x", ".txt")
    assert os.listdir(temporary) == []


async def test_an_editor_that_is_not_there_is_named(temporary: Path) -> None:
    with pytest.raises(EditorError, match="no-such-editor cannot be started: No such file or directory; check EDITOR"):
        await edited(["/no-such-editor"], b"x", ".txt")
    assert os.listdir(temporary) == []


def test_visual_comes_before_editor_and_neither_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITOR", "code --wait")
    monkeypatch.delenv("VISUAL", raising=False)
    assert command() == ["code", "--wait"]
    monkeypatch.setenv("VISUAL", "vi")
    assert command() == ["vi"]
    monkeypatch.setenv("VISUAL", "vi 'x")
    with pytest.raises(EditorError, match="VISUAL=vi 'x"):
        command()
    monkeypatch.setenv("VISUAL", " ")
    monkeypatch.delenv("EDITOR")
    with pytest.raises(EditorError, match="EDITOR=nano"):
        command()


@pytest.mark.parametrize(("written", "words"), [(RAW + b"!\n", "76,802 bytes, a line feed at its end"), (RAW, "changed nothing")])
async def test_a_held_payload_is_edited(written: bytes, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []

    async def edit(app: object, payload: bytes, suffix: str) -> bytes:
        seen.append(payload)
        return written

    monkeypatch.setattr("mqtttui.ui.panes.publish.edit", edit)
    pane = PublishPane(PEER)
    pane.state = CONNECTED
    pane.load(Publish("a", RAW))
    app = FormsApp(pane)
    async with app.run_test(size=(80, 30)) as pilot:
        pane.form.focus()
        assert "ctrl+g" in pane.query_one("#publish-held", TextBlock).text
        await pilot.press("ctrl+g")
        await wait_until(lambda: words in _status(pane), lambda: _status(pane))
        assert seen == [RAW]
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert [command.packet.payload for command in app.commands] == [written]  # type: ignore[union-attr]


async def test_without_a_terminal_or_an_editor_the_pane_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(editor, "command", lambda: ["true"])
    pane = PublishPane(PEER)
    async with FormsApp(pane).run_test(size=(80, 30)) as pilot:
        pane.form.focus()
        await pilot.press("ctrl+g")
        await wait_until(lambda: "cannot be handed to an editor" in _status(pane), lambda: _status(pane))


def _status(pane: PublishPane) -> str:
    return pane.query_one("#publish-status", TextBlock).text
