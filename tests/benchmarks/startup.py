"""Start to first paint: `python -m mqtttui` in a terminal of its own against a bare Textual application, in turns, in the same run.

First paint: the first text that appears after the program has switched to the alternate screen. For mqtttui also the time
until it is all there: the words of `READY` are painted (by default of the form; with `--demo` of the first packets).
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path
from statistics import median

BARE = """\
from textual.app import App, ComposeResult
from textual.widgets import Static


class Bare(App[None]):
    def compose(self) -> ComposeResult:
        yield Static("ready to be looked at")


Bare().run()
"""
READY = {"--demo": b"CONNACK", "": b"Keep alive"}
"""What is on the screen when there is something to work with, by the first argument."""
COLUMNS, ROWS = 120, 36
DEADLINE = 30.0

_ALTERNATE_SCREEN = b"\x1b[?1049h"
_ESCAPES = re.compile(rb"\x1b\[[0-9;?<>=]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1bP[^\x1b]*\x1b\\|\x1b[@-Z\\^_=>()][0-9AB]?")
_ENOUGH = 8


def start(command: list[str], ready: bytes = b"") -> tuple[float, float]:
    """Seconds from starting `command` in a pseudo-terminal to its first text, and until `ready` is in it. Raises TimeoutError."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    environment.pop("NO_COLOR", None)
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True)
    os.close(theirs)
    try:
        return _watch(ours, begin, ready)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        os.close(ours)


def _watch(terminal: int, begin: float, ready: bytes) -> tuple[float, float]:
    seen = b""
    first: float | None = None
    while (left := begin + DEADLINE - time.perf_counter()) > 0:
        if not select.select([terminal], [], [], left)[0]:
            break
        try:
            seen += os.read(terminal, 65_536)
        except OSError:
            break
        now = time.perf_counter() - begin
        _, switched, painted = seen.partition(_ALTERNATE_SCREEN)
        text = _ESCAPES.sub(b"", painted)
        if switched and first is None and len(b"".join(text.split())) >= _ENOUGH:
            first = now
        if first is not None and ready in text:
            return first, now
    raise TimeoutError(f"no paint within {DEADLINE:g} s; seen: {seen[-300:]!r}")


def main() -> None:
    """Measures in turns and prints the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("words", nargs="*", help="further arguments for mqtttui")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / "bare.py"
        bare.write_text(BARE)
        commands = {"bare Textual application": [sys.executable, str(bare)], "mqtttui": [sys.executable, "-m", "mqtttui", *args.words]}
        ready = {"mqtttui": READY.get(next(iter(args.words), ""), READY[""])}
        first: dict[str, list[float]] = {name: [] for name in commands}
        all_there: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(args.rounds):
            for name, command in commands.items():
                painted, complete = start(command, ready.get(name, b""))
                first[name].append(painted)
                all_there[name].append(complete)
    bare_times = first["bare Textual application"]
    for name, seconds in first.items():
        for word, of in (("median", median), ("fastest", min)):
            print(
                f"{name:28} {of(seconds) * 1000:7.0f} ms to first paint ({word} of {len(seconds)})   {of(seconds) / of(bare_times):5.2f} x"
            )
        if name in ready:
            print(f"{'':28} {median(all_there[name]) * 1000:7.0f} ms until {ready[name].decode()!r} is painted")


if __name__ == "__main__":
    main()
