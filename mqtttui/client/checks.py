"""Test runs beside everything else: one at a time, each with a Session of its own, all recorded in the one log."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from mqtttui.capture.log import Log
from mqtttui.client.checking import check_all
from mqtttui.client.commands import CheckCommand, StartCheck, StopCheck
from mqtttui.client.events import CheckEvent, CheckOver, CheckProgress, CheckRan


class Checks:
    """Carries out test runs. Lives on the running asyncio loop."""

    def __init__(self, log: Log, tell: Callable[[CheckEvent], None]) -> None:
        self._log = log
        self._tell = tell
        self._task: asyncio.Task[None] | None = None

    def execute(self, command: CheckCommand) -> None:
        """Begin a run, after the one that is under way has been stopped; or stop it."""
        before = self._task
        if before is not None:
            before.cancel()
        if isinstance(command, StartCheck):
            token = command.token
            self._task = asyncio.get_running_loop().create_task(self._run(command, before), name=f"check {token}")
            self._task.add_done_callback(lambda task: self._tell(CheckOver(token, task.cancelled())))

    async def close(self) -> None:
        """End what is under way: with DISCONNECT if it is connected."""
        self.execute(StopCheck())
        if self._task is not None:
            await asyncio.wait((self._task,))

    async def _run(self, command: StartCheck, before: asyncio.Task[None] | None) -> None:
        token = command.token
        if before is not None:
            await asyncio.wait((before,))
        await check_all(
            command.job,
            lambda run: self._tell(CheckRan(token, run)),
            lambda number, text: self._tell(CheckProgress(token, number, text)),
            self._log,
        )
