"""Waiting for a condition with a deadline and a message, instead of sleeping."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

Message = str | Callable[[], str]
"""What was waited for; a function is asked only when the time is up, so that it can say how things stand."""

_STEP = 0.005
_LONGEST_STEP = 0.05


async def wait_until(  # the deadline carries its message, which asyncio.timeout cannot
    predicate: Callable[[], T | Awaitable[T]],
    message: Message,
    timeout: float = 10.0,
) -> T:
    """Asks `predicate` (plain or async) until it is true and returns what it gave.

    Raises AssertionError with `message` after `timeout` seconds. The loop runs in between.
    """
    deadline = time.monotonic() + timeout
    step = _STEP
    while True:
        result = predicate()
        value = await result if inspect.isawaitable(result) else result
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(_said(message, timeout))
        await asyncio.sleep(step)
        step = min(step * 1.5, _LONGEST_STEP)


def wait_until_sync(predicate: Callable[[], T], message: Message, timeout: float = 10.0) -> T:
    """The same for tests without a loop: blocks the calling thread."""
    deadline = time.monotonic() + timeout
    step = _STEP
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(_said(message, timeout))
        time.sleep(step)
        step = min(step * 1.5, _LONGEST_STEP)


def _said(message: Message, timeout: float) -> str:
    return f"waited {timeout:g} s: {message if isinstance(message, str) else message()}"
