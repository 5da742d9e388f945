"""One key after the other: what is typed fast goes where the keys before it have led.

Textual hands each key to the control that has the focus when the key is read, before the key ahead of it has done anything.
A slow link delivers several keys at once: `/temp` and Enter then opened the filter field, lost the word and applied nothing.

Rules:
1. A key that the focused control takes as text moves no focus: the next one follows at once.
2. Behind any other key a message takes the same way up to the application, `LAPS` times, as what the key did may go up as a
   message too; until then the next keys wait.
3. When the key has opened or closed a screen, they also wait until that screen has been painted.
4. They wait no longer than `LIMIT`: a control that was removed passes nothing on.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from textual import events
from textual.app import App
from textual.message import Message
from textual.screen import Screen

LAPS = 3
LIMIT = 0.5
"""Seconds."""


class KeysInOrder(App[None]):
    """An application in which keys arrive in the order of what they do."""

    class Passed(Message):
        """What follows the key with this number has come back."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._typed: deque[events.Key | events.Paste] = deque()
        self._number = 0
        self._awaited = 0
        """Number of the key that is under way, or 0."""
        self._laps = 0
        """How often it has yet to be followed."""
        self._seen: Screen[Any] | None = None
        """The screen of the latest lap."""
        self._limit: asyncio.TimerHandle | None = None

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            self._typed.append(event)
            await self._hand_on()
        else:
            await super().on_event(event)

    async def _hand_on(self) -> None:
        while self._typed and not self._awaited and self.screen_stack:
            event = self._typed.popleft()
            screen = self.screen
            target = self.focused or screen
            if isinstance(event, events.Paste) or target.check_consume_key(event.key, event.character):
                await super().on_event(event)
                continue
            self._number += 1
            self._awaited, self._laps, self._seen = self._number, LAPS, screen
            await super().on_event(event)
            self._limit = asyncio.get_running_loop().call_later(LIMIT, self._give_up, self._number)
            target.post_message(self.Passed(self._number))

    def _give_up(self, number: int) -> None:
        if number == self._awaited:
            self._laps, self._seen = 0, None
            self.post_message(self.Passed(number))

    async def on_keys_in_order_passed(self, message: Passed) -> None:
        message.stop()
        if message.number != self._awaited or not self.screen_stack:
            return
        self._laps -= 1
        if self._seen is not None and self._seen is not self.screen:
            self._laps, self._seen = LAPS, self.screen
            self.screen.call_after_refresh(self.post_message, self.Passed(message.number))
        elif self._laps > 0:
            (self.focused or self.screen).post_message(self.Passed(message.number))
        else:
            if self._limit is not None:
                self._limit.cancel()
            self._awaited = 0
            await self._hand_on()
