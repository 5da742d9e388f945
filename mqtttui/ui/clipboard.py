"""Putting text where the person can paste it, and saying where that is.

Inside tmux it goes to tmux's buffer (which hands it to the terminal), elsewhere to the terminal's clipboard by OSC 52.
What is too large for those goes to a file that only the person can read.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from mqtttui.export.copies import pasteable as pasteable
from mqtttui.text import visible
from mqtttui.ui.background import in_thread
from mqtttui.ui.content import count_bytes

OSC_LIMIT = 74_000
"""Bytes: many terminals drop longer OSC 52 sequences (100,000 characters of base64)."""
TMUX_LIMIT = 1_000_000
_TMUX_SECONDS = 3.0


async def copy(text: str, to_terminal: Callable[[str], None]) -> str:
    """Copy `text`; gives one line that says where it went. `to_terminal` writes OSC 52."""
    raw = text.encode("utf-8", "surrogateescape")
    size = count_bytes(len(raw))
    tmux = bool(os.environ.get("TMUX")) and shutil.which("tmux") is not None
    if len(raw) > (TMUX_LIMIT if tmux else OSC_LIMIT):
        return await in_thread(lambda: to_file(raw, f"{size} are too many for the clipboard"))
    if tmux:
        if await _load_buffer(raw, "-w"):
            return f"{size} to the tmux buffer and the clipboard"
        if await _load_buffer(raw):
            return f"{size} to the tmux buffer"
    to_terminal(text)
    return f"{size} to the terminal's clipboard (OSC 52)"


def to_file(raw: bytes, why: str) -> str:
    """Write `raw` to a new file that only the person can read; gives one line that says where, and `why` not elsewhere."""
    try:
        handle, name = tempfile.mkstemp(prefix="mqtttui-copy-", suffix=".txt")
        with os.fdopen(handle, "wb") as file:
            file.write(raw)
    except OSError as error:
        return f"{why}, and no file could be written: {error.strerror}"
    return f"{why}; written to {visible(str(Path(name)))}"


async def _load_buffer(raw: bytes, *options: str) -> bool:
    try:
        process = await asyncio.create_subprocess_exec(
            "tmux",
            "load-buffer",
            *options,
            "-",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError:
        return False
    try:
        async with asyncio.timeout(_TMUX_SECONDS):
            await process.communicate(raw)
    except (TimeoutError, OSError):
        if process.returncode is None:
            process.kill()
        return False
    return process.returncode == 0
