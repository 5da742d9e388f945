"""Blocking work beside the loop, in a daemon thread of its own: the default executor would hold up quitting until it ends."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def in_thread(work: Callable[[], T], name: str) -> T:
    """What `work` gives or raises (OSError, ValueError or ImportError). Cancelling returns at once; the thread ends when its work does."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def give(result: T) -> None:
        if not answer.done():
            answer.set_result(result)

    def refuse(error: Exception) -> None:
        if not answer.done():
            answer.set_exception(error)

    def run() -> None:
        with contextlib.suppress(RuntimeError):  # The loop was closed meanwhile: nobody waits any more.
            try:
                result = work()
            except (OSError, ValueError, ImportError) as error:
                loop.call_soon_threadsafe(refuse, error)
            else:
                loop.call_soon_threadsafe(give, result)

    threading.Thread(target=run, name=name, daemon=True).start()
    return await answer
