"""Names of files to write: what to propose, and what a typed one stands for."""

from __future__ import annotations

import os
import time
from pathlib import Path

from mqtttui.text import parse
from mqtttui.ui.forms.rows import FormError, parse_bytes


def proposed(suffix: str) -> str:
    """`mqtttui-20261122-140312.pcapng`, in the current directory."""
    return time.strftime("mqtttui-%Y%m%d-%H%M%S") + suffix


def path_of(shown: str, row: str) -> Path:
    """The file that a typed (escaped) name stands for, `~` included. Raises FormError where nothing can be written there."""
    raw = parse_bytes(shown.strip(), row)
    if not raw or b"\0" in raw:
        raise FormError(row, "the name of a file is needed")
    try:
        path = Path(os.fsdecode(raw)).expanduser()
    except RuntimeError:
        raise FormError(row, "there is no such user") from None
    if path.is_dir():
        raise FormError(row, "that is a directory")
    if not path.parent.is_dir():
        raise FormError(row, "there is no such directory")
    return path


def with_suffix(shown: str, suffix: str) -> str:
    """A typed name with another ending, if it had one of ours."""
    try:
        ending = os.path.splitext(os.fsdecode(parse(shown)))[1]
    except ValueError:
        return shown
    return shown[: -len(ending)] + suffix if ending in (".pcapng", ".jsonl", ".json", ".ndjson", ".csv") else shown
