"""What a command says while it runs."""

from __future__ import annotations

import sys
from contextlib import suppress

from mqtttui.text import shorten

_CELLS = 100


class Voice:
    """Standard error: lines, and on a terminal a last line that is written over."""

    def __init__(self, command: str) -> None:
        """`command` begins each line."""
        self._command = command
        self._stream = sys.stderr
        self.is_terminal = self._stream is not None and self._stream.isatty()

    def say(self, text: str) -> None:
        """One line of its own."""
        self._write(f"{self._cleared}mqtttui {self._command}: {text}\n")

    def progress(self, text: str) -> None:
        """The line that is written over; nothing where that is not possible."""
        if self.is_terminal:
            self._write(f"{self._cleared}{shorten(text, _CELLS)}")

    def clear(self) -> None:
        """Takes the line that is written over away."""
        if self.is_terminal:
            self._write(self._cleared)

    @property
    def _cleared(self) -> str:
        return "\r\x1b[K" if self.is_terminal else ""

    def _write(self, text: str) -> None:
        if self._stream is not None:
            with suppress(OSError):  # Nobody listens any more; the file is what counts.
                self._stream.write(text)
                self._stream.flush()
