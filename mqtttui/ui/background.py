"""Work that would stop the screen for a moment, in a daemon thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


async def in_thread(work: Callable[[], T]) -> T:
    """What `work` gives or raises. The default executor is not used: it would hold up quitting until `work` ends."""
    answer: Future[T] = Future()

    def run() -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - it is raised where the answer is waited for
            answer.set_exception(error)
        else:
            answer.set_result(result)

    threading.Thread(target=run, name="background", daemon=True).start()
    return await asyncio.shield(asyncio.wrap_future(answer))
