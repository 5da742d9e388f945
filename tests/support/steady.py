"""A pilot that waits for what a key or a pause set off, however slow the machine is.

Textual's pilot waits until the process uses no CPU. A process that gets none looks the same, so on a busy machine the next key
comes while the one before is still on its way through the queues. Here it is the queues that are asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from textual.message_pump import MessagePump
from textual.pilot import Pilot
from textual.screen import Screen

_ROUNDS = 200
"""After so many rounds it is taken for an application that is never quiet."""
_QUIET = 2
"""Rounds in a row that must find nothing: what was taken from its queue may still be at work when one ends."""


async def settle(pilot: Pilot[object]) -> None:
    """Wait until no widget has a message left, nothing is left to be painted, and nothing waits for a paint."""
    quiet = 0
    for _ in range(_ROUNDS):
        if not await pilot._wait_for_screen():
            return
        screen = pilot.app.screen
        screen._on_timer_update()
        pumps = [pilot.app, *pilot.app.screen_stack, *screen.walk_children()]
        quiet = 0 if any(map(_busy, pumps)) or _unpainted(screen) else quiet + 1
        if quiet == _QUIET:
            return


@contextmanager
def steady_pilots() -> Iterator[None]:
    """Every pilot is a steady one meanwhile."""
    pause = Pilot.pause

    async def press(self: Pilot[object], *keys: str) -> None:
        for key in keys:
            await self._app._press_keys([key])
            await settle(self)

    async def steady_pause(self: Pilot[object], delay: float | None = None) -> None:
        await pause(self, delay)
        await settle(self)

    async def one_turn(min_sleep: float = 0, max_sleep: float = 0) -> None:
        await asyncio.sleep(0)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Pilot, "press", press)
        patch.setattr(Pilot, "pause", steady_pause)
        patch.setattr("textual.pilot.wait_for_idle", one_turn)
        patch.setattr("textual.app.wait_for_idle", one_turn)
        yield


def _busy(pump: MessagePump) -> bool:
    return bool(pump._running and (pump._message_queue.qsize() or pump._pending_message or pump._next_callbacks))


def _unpainted(screen: Screen[object]) -> bool:
    return bool(screen._callbacks or screen._dirty_widgets or screen._layout_required or screen._repaint_required)
