"""The person's own editor for a payload: $VISUAL or $EDITOR gets the whole terminal and a private file with the exact bytes.

1. The connection lives on meanwhile: the loop runs, packets are recorded, pings leave. Only painting stops.
2. The file lies alone in a folder that nobody else may enter; both are gone afterwards, with whatever the editor left there.
3. What is read back is what the editor wrote, byte for byte. Only the line feed with which vi, nano and others end every file
   is left out if the payload had none: a device that knows `on` may not know `on` and a line feed.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from textual.app import App, SuspendNotSupported

from mqtttui import text
from mqtttui.ui.forms.payload import read_file
from mqtttui.ui.forms.rows import FormError


class EditorError(Exception):
    """Why nothing was edited, and what to do about it; visible text."""


def command() -> list[str]:
    """The words of $VISUAL, else $EDITOR. Raises EditorError."""
    for name in ("VISUAL", "EDITOR"):
        words = os.environ.get(name, "").strip()
        if not words:
            continue
        try:
            return shlex.split(words)
        except ValueError as error:
            raise EditorError(f"{name}={text.visible(words)}: {error}") from None
    raise EditorError("no editor is set: leave, and start again with EDITOR=nano (or vi, or another) in the environment")


async def edit(app: App[None], payload: bytes, suffix: str) -> bytes:
    """Hand the terminal to the editor; returns what the file holds afterwards. Raises EditorError: then nothing has changed."""
    words = command()
    result: bytes | EditorError
    try:
        # While the terminal is not ours, what is painted would wait in a queue that nobody empties.
        with app.batch_update(), _interrupts_belong_to_the_editor(), app.suspend():
            try:
                result = await edited(words, payload, suffix)
            except EditorError as problem:  # Textual takes the terminal back only if nothing is raised here.
                result = problem
    except SuspendNotSupported:
        result = EditorError("this terminal cannot be handed to an editor")
    app.refresh(layout=True)
    if isinstance(result, EditorError):
        raise result
    return result


async def edit_file(app: App[None], path: Path) -> None:
    """Hand the terminal to the editor for a file of ours. Raises EditorError."""
    words = command()
    name = text.visible(words[0])
    problem = ""
    try:
        with app.batch_update(), _interrupts_belong_to_the_editor(), app.suspend():
            try:
                status = await _run([*words, str(path)], name)
                problem = f"{name} ended with status {status}" if status else ""
            except EditorError as error:
                problem = str(error)
    except SuspendNotSupported:
        problem = "this terminal cannot be handed to an editor"
    app.refresh(layout=True)
    if problem:
        raise EditorError(problem)


async def edited(words: Sequence[str], payload: bytes, suffix: str) -> bytes:
    """Run the editor on a file with these bytes; returns what it holds afterwards. Raises EditorError."""
    name = text.visible(words[0])
    try:
        with tempfile.TemporaryDirectory(prefix="mqtttui-") as folder:
            path = Path(folder, f"payload{suffix}")
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(payload)
            status = await _run([*words, str(path)], name)
            if status:
                raise EditorError(f"{name} ended with status {status}: the payload stays as it was")
            after = await read_file(str(path))
            return after if payload.endswith(b"\n") else after.removesuffix(b"\n")
    except FormError as problem:
        raise EditorError(f"the payload stays as it was: {problem.text}") from None
    except OSError as error:
        raise EditorError(f"the payload stays as it was: {error.strerror or type(error).__name__}") from None


async def _run(command: Sequence[str], name: str) -> int:
    try:
        process = await asyncio.create_subprocess_exec(*command)
    except OSError as error:
        raise EditorError(f"the editor {name} cannot be started: {error.strerror}; check EDITOR") from None
    try:
        return await process.wait()
    except asyncio.CancelledError:
        if process.returncode is None:
            process.terminate()
        raise


@contextmanager
def _interrupts_belong_to_the_editor() -> Iterator[None]:
    """Ctrl+C goes to everybody in the terminal: it must not end us while it means something to the editor."""
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
