"""A program in a real pseudo-terminal."""

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
from pathlib import Path


class Terminal:
    """A program in a pseudo-terminal of 120 columns and 36 rows; `seen` is everything that it wrote."""

    def __init__(self, home: Path, *words: str, **environ: str) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 36, 120, 0, 0))
        self.before = termios.tcgetattr(slave)
        self.slave = slave
        # COLUMNS and LINES would hide the size of the terminal.
        env = {name: value for name, value in os.environ.items() if not name.startswith(("MQTTTUI_", "COLUMNS", "LINES"))}
        env |= {"TERM": "xterm-256color", "HOME": str(home), "XDG_CONFIG_HOME": str(home / "config"), "XDG_DATA_HOME": str(home / "data")}
        env |= {"XDG_STATE_HOME": str(home / "state"), **environ}
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
        """What a keyboard would send."""
        os.write(self.master, keys)

    def close(self) -> None:
        """End the program."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)

    def _read(self, deadline: float, message: str) -> None:
        ready, _, _ = select.select([self.master], [], [], max(0, deadline - time.monotonic()))
        assert ready, message
        self.seen += os.read(self.master, 65536)
