"""The real program in a real pseudo-terminal: it starts, shows, and leaves the terminal as it was."""

from __future__ import annotations

import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.terminal import Terminal


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def demo(home: Path) -> Iterator[Terminal]:
    terminal = Terminal(home, "--demo")
    yield terminal
    terminal.close()


def test_the_demo_shows_packets_within_ten_seconds_and_ends_cleanly(demo: Terminal, home: Path) -> None:
    demo.wait_for(b"\x1b[?1049h")
    demo.wait_for(b"PUBLISH", seconds=10)
    demo.press(b"\x11")
    assert demo.wait_for_exit() == 0
    assert b"Traceback" not in demo.seen
    assert demo.seen.rindex(b"\x1b[?1049l") > demo.seen.rindex(b"\x1b[?1049h"), "the normal screen must come back"
    assert termios.tcgetattr(demo.slave) == demo.before
    assert list(home.iterdir()) == [], "a start writes no files"


@pytest.mark.parametrize(("words", "mouse"), [((), True), (("--no-mouse",), False)])
def test_the_mouse_can_be_left_to_the_terminal(home: Path, words: tuple[str, ...], mouse: bool) -> None:
    terminal = Terminal(home, *words)
    try:
        terminal.wait_for(b"Client id")
        assert (b"\x1b[?1000h" in terminal.seen) == mouse
        terminal.press(b"\x11")
        assert terminal.wait_for_exit() == 0
    finally:
        terminal.close()


def test_an_unknown_theme_ends_with_the_names_of_the_known(home: Path) -> None:
    terminal = Terminal(home, "--theme", "nope\x1b[31m")
    try:
        assert terminal.wait_for_exit() == 2
        assert b"no usable theme 'nope\\x1b[31m'" in terminal.seen
        assert b"mqtttui-light" in terminal.seen
        assert b"\x1b" not in terminal.seen
    finally:
        terminal.close()


def test_an_editor_gets_the_whole_terminal_and_the_screen_comes_back(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = home / "editor.sh"
    script.write_text('#!/bin/sh\nprintf "EDITOR HAS THE TERMINAL"\nread line\nprintf "%s\\0\\377" "$line" >"$1"\n')
    script.chmod(0o700)
    monkeypatch.setenv("EDITOR", str(script))
    monkeypatch.delenv("VISUAL", raising=False)
    terminal = Terminal(home, "mqtt://127.0.0.1:1")
    try:
        terminal.wait_for(b"refused")
        terminal.press(b"3")
        terminal.wait_for(b"nothing sent yet")
        terminal.press(b"\x07")
        terminal.wait_for(b"EDITOR HAS THE TERMINAL")
        left = terminal.seen.rindex(b"EDITOR HAS")
        assert b"\x1b[?1049l" in terminal.seen[:left], "the normal screen is the editor's"
        terminal.press(b"typed\r")
        terminal.wait_for(b"from the editor")
        assert b"7 bytes" in terminal.seen[left:]
        between = terminal.seen[left : terminal.seen.index(b"\x1b[?1049h", left)]
        assert b"\x1b[" not in between, f"something was painted over the editor: {between!r}"
        terminal.press(b"\x11")
        assert terminal.wait_for_exit() == 0
    finally:
        terminal.close()
