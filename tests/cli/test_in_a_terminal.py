"""The real program in a real pseudo-terminal: it starts, shows, and leaves the terminal as it was."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest


class Terminal:
    """A program in a pseudo-terminal of 120 columns and 36 rows; `seen` is everything that it wrote."""

    def __init__(self, home: Path, *words: str) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 36, 120, 0, 0))
        self.before = termios.tcgetattr(slave)
        self.slave = slave
        # COLUMNS and LINES would hide the size of the terminal.
        env = {name: value for name, value in os.environ.items() if not name.startswith(("MQTTTUI_", "COLUMNS", "LINES"))}
        env |= {"TERM": "xterm-256color", "HOME": str(home), "XDG_CONFIG_HOME": str(home / "config"), "XDG_DATA_HOME": str(home / "data")}
        command = [sys.executable, "-m", "mqtttui", *words]
        self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=env, start_new_session=True)
        self.seen = b""

    def wait_for(self, wanted: bytes, seconds: float = 30) -> None:
        """Reads until `wanted` was written."""
        deadline = time.monotonic() + seconds
        while wanted not in self.seen:
            self._read(deadline, f"{wanted!r} did not come within {seconds} s; the end was {self.seen[-500:]!r}")

    def wait_for_exit(self, seconds: float = 20) -> int:
        """The exit status; reads on meanwhile, since a full pseudo-terminal would block the program."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"it did not end within {seconds} s; the end was {self.seen[-500:]!r}"
            if select.select([self.master], [], [], 0.05)[0]:
                self.seen += os.read(self.master, 65536)
        self.drain()
        return self.process.returncode

    def drain(self) -> None:
        """Reads what has been written so far."""
        while select.select([self.master], [], [], 0)[0]:
            self.seen += os.read(self.master, 65536)

    def press(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)

    def _read(self, deadline: float, message: str) -> None:
        ready, _, _ = select.select([self.master], [], [], max(0, deadline - time.monotonic()))
        assert ready, message
        self.seen += os.read(self.master, 65536)


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
