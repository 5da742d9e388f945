"""Where and how to record, as a person says it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from mqtttui.config.errors import ConfigError
from mqtttui.export.appending import STANDARD_OUTPUT, in_the_way
from mqtttui.text import shorten, visible

__all__ = ["STANDARD_OUTPUT", "RecordOptions", "parse_ring", "record_options", "whole_number"]

_RING = re.compile(r"([0-9]{1,6})[xX×*]([0-9]{1,12})([kKMG]?)[bB]?")
_UNITS = {"": 1, "k": 1_000, "K": 1_000, "M": 1_000_000, "G": 1_000_000_000}
_FEWEST, _SMALLEST = 2, 10_000
_LONGEST = 300
"""Characters of a path that are shown: its end tells files apart."""
_FORM = "write COUNTxSIZE, such as 10x100M: at most ten files of 100 MB each"


@dataclass(frozen=True, slots=True)
class RecordOptions:
    """A recording to make."""

    path: str
    """`-` is standard output."""
    ring: tuple[int, int] | None = None
    """Number of files and bytes of each; None: one file."""
    force: bool = False
    """Empty a file that is there; with a ring: take the files that are there into it."""
    secrets: bool = False
    """Write passwords and authentication data as they are."""

    def check_free(self) -> None:
        """Raises ConfigError where the recording would overwrite something: better now than behind the screen."""
        there = None if self.force else in_the_way(self.path, ring=self.ring is not None)
        if there is not None:
            shown = shorten(visible(os.fsencode(there)), _LONGEST)
            raise ConfigError(f"--record: '{shown}' is there already", hint="name another file, or add --force")


def record_options(path: str, ring: str | None = None, *, force: bool = False, secrets: bool = False) -> RecordOptions:
    """What the options say. Raises ConfigError."""
    if not path:
        raise ConfigError("the name of the file to record to is empty", hint="name a file")
    files = None if ring is None else parse_ring(ring)
    if files is not None and path == STANDARD_OUTPUT:
        raise ConfigError("--ring: standard output is no file", hint="name a file, or leave out --ring")
    return RecordOptions(path, files, force, secrets)


def whole_number(text: str, label: str) -> int:
    """A number from 1 on. Raises ConfigError that names `label`."""
    if text.isascii() and text.isdecimal() and len(text) <= 12 and int(text):
        return int(text)
    raise ConfigError(f"{label}: '{shorten(visible(text), 40)}' is no number from 1 on", hint="write a whole number")


def parse_ring(text: str) -> tuple[int, int]:
    """`10x100M` as number of files and bytes of each; k, M and G are powers of 1000. Raises ConfigError."""
    shown = shorten(visible(text), 40)
    match = _RING.fullmatch(text.strip())
    if match is None:
        raise ConfigError(f"--ring: '{shown}' is no ring of files", hint=_FORM)
    files, size = int(match.group(1)), int(match.group(2)) * _UNITS[match.group(3)]
    if files < _FEWEST:
        raise ConfigError(f"--ring: '{shown}' has fewer than {_FEWEST} files, so that nothing would be left when one is full", hint=_FORM)
    if size < _SMALLEST:
        raise ConfigError(f"--ring: files of '{shown}' are smaller than {_SMALLEST:,} bytes", hint=_FORM)
    return files, size
