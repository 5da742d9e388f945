"""The columns of the packet list that the user has chosen: one list in a small TOML file.

A file that cannot be understood is never written over; the problem is said. Without a file, or with an empty list, the list
shows what fits its width.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Sequence
from pathlib import Path

from mqtttui.config.saved_filters import StoreError
from mqtttui.config.whole_file import write_whole
from mqtttui.text import printable, visible

MAX_COLUMNS = 40
MAX_NAME = 100
_HEAD = "# The columns of mqtttui's packet list, from left to right. Written by the application.\n"


def load_columns(path: Path) -> tuple[str, ...]:
    """The names of the columns; empty for the usual ones. Raises StoreError."""
    shown = visible(os.fsencode(path))
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise StoreError(f"{error.strerror}: {shown} cannot be read") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StoreError(f"{shown} is not TOML: {visible(str(error))}; mend it or move it away") from None
    names = data.get("columns", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise StoreError(f"{shown}: columns must be a list of texts; mend it or move it away")
    kept = dict.fromkeys(printable(name.strip())[:MAX_NAME] for name in names if name.strip())
    return tuple(kept)[:MAX_COLUMNS]


def save_columns(path: Path, columns: Sequence[str]) -> None:
    """Keep the names of the columns. Raises StoreError: then the file is as it was."""
    load_columns(path)
    names = "".join(f"  {json.dumps(name)},\n" for name in columns)
    try:
        write_whole(path, f"{_HEAD}columns = [\n{names}]\n")
    except OSError as error:
        raise StoreError(f"{error.strerror}: {visible(os.fsencode(path))} cannot be written") from None
