"""Writing a small file as a whole: beside it first, then in its place, so that nobody ever sees half of it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Put `text` into `path`, which only the person can read; folders are made. Raises OSError: then the file is as it was."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.stem}-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())  # Else a power cut could leave an empty file in its place.
        os.replace(name, path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
