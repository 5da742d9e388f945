"""Printing plainly: the screen is left for a moment, the text stands in the terminal as it is, Enter comes back.

1. For terminals that know no clipboard sequence, for their own selection, and for what is to stay in their scrollback.
2. The connection lives on meanwhile: the loop runs, packets are recorded, pings leave. Only painting stops.
3. A text that is too long for that goes to a file, as a copy would.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

from textual.app import App, SuspendNotSupported

from mqtttui.ui.background import in_thread
from mqtttui.ui.clipboard import to_file
from mqtttui.ui.content import count_bytes

LIMIT = 1_000_000
"""Bytes of a text that is printed."""
_LOOK_SECONDS = 0.2
_BACK = "── Enter goes back to mqtttui ──"


async def print_plainly(app: App[None], text: str, *, ascii: bool = False) -> str:
    """Print visible `text` on the terminal; gives one line that says where it went. Comes back when Enter was pressed there."""
    raw = text.encode("utf-8", "backslashreplace")
    size = count_bytes(len(raw))
    if len(raw) > LIMIT:
        return await in_thread(lambda: to_file(raw, f"{size} are too many to print"))
    back = _BACK.replace("─", "-") if ascii else _BACK
    leave = Event()
    try:
        # While the terminal is not ours, what is painted would wait in a queue that nobody empties.
        with app.batch_update(), _interrupts(leave), app.suspend():
            await in_thread(lambda: _print_and_wait(raw, back, leave))
    except SuspendNotSupported:
        return await in_thread(lambda: to_file(raw, "this terminal cannot be left"))
    app.refresh(layout=True)
    return f"{size} printed on the terminal: they stand there when mqtttui is left"


def _print_and_wait(raw: bytes, back: str, leave: Event) -> None:
    """In a thread: neither a slow terminal nor the person holds up the loop."""
    # As Textual does: standard output may be a file.
    out, keyboard = sys.__stderr__, sys.__stdin__
    if out is None or keyboard is None:
        return
    try:
        out.flush()
        end = b"" if raw.endswith(b"\n") else b"\n"
        _write(out.fileno(), raw + end + f"\n{back}\n".encode())
        while not leave.is_set():
            if select.select([keyboard], [], [], _LOOK_SECONDS)[0]:
                typed = os.read(keyboard.fileno(), 1024)
                if not typed or b"\n" in typed or b"\r" in typed:
                    return
    except OSError:
        return


def _write(descriptor: int, raw: bytes) -> None:
    while raw:
        raw = raw[os.write(descriptor, raw) :]


@contextmanager
def _interrupts(leave: Event) -> Iterator[None]:
    """Ctrl+C means: enough, back."""
    before = signal.signal(signal.SIGINT, lambda *_: leave.set())
    try:
        yield
    finally:
        leave.set()
        signal.signal(signal.SIGINT, before)
