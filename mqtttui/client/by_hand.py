"""Packets made by hand: exact bytes on a connection, once or again and again.

Rules:

1. The bytes leave as they are, through the tap like all others, and are recorded there. Nothing is added or held back.
2. What answers them is recorded and answered no further, unless an exchange of gmqtt's own waits for that very answer: a
   PUBREC that nobody else expects gets no PUBREL.
3. The next repetition begins when the one before has left whole, so that a slow peer slows it down.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import assert_never

from mqtttui.client.commands import FlowStep, SendRaw, StopSending
from mqtttui.client.connection import Connection
from mqtttui.client.events import Event, RawSent
from mqtttui.client.link import Link
from mqtttui.client.publishing import FlowError, Publishing
from mqtttui.config.options import ConnectOptions
from mqtttui.protocol.enums import PacketType
from mqtttui.protocol.packets import Ack, Auth, Connect, Disconnect, EncodeError, encode
from mqtttui.protocol.parse import parse

_TOLD_EVERY = 0.1
"""Seconds between two reports of repetitions."""
_LOOK_EVERY = 0.1
"""Seconds after which it is looked whether the connection still stands."""
_TURN_EVERY = 16
"""So many repetitions without a pause in a row before the loop gets a turn."""


Tell = Callable[[int, int | None, bool, str], None]
"""Gets how often they were sent, the monotonic ns of the first time, whether that is the end, and the words for a person."""


class Repeating:
    """The same bytes so many times on one connection."""

    def __init__(self, link: Link, raw: bytes, times: int, spacing: float, tell: Tell) -> None:
        self._link = link
        self._raw = raw
        self._times = times
        self._spacing = spacing
        self._tell = tell
        self._sent = 0
        self._first: int | None = None
        self._told = 0.0
        self._left: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        """Done with the monotonic ns at which what was sent last had left."""

    def begin(self) -> None:
        """Send them the first time, now: what is sent later comes later."""
        self._leave()

    async def run(self) -> None:
        """Send the others, until all have left, the connection ends, or this is cancelled. `begin` comes first."""
        try:
            while await self._left_whole():
                if self._sent == self._times:
                    self._say("sent" if self._times == 1 else f"sent {self._count} times", done=True)
                    return
                await self._pause()
                self._leave()
        except asyncio.CancelledError:
            self._say(f"stopped after {self._count}", done=True)
            raise
        self._say(f"the connection ended after {self._count}" if self._times > 1 else "not sent: the connection ended", done=True)

    @property
    def _count(self) -> str:
        return f"{self._sent:,}" if self._sent == self._times else f"{self._sent:,} of {self._times:,}"

    def _leave(self) -> None:
        self._left = left = asyncio.get_running_loop().create_future()

        def handed_over(mono: int) -> None:
            if not left.done():
                left.set_result(mono)

        self._link.send_by_hand(self._raw, handed_over)

    async def _left_whole(self) -> bool:
        """Whether what was sent last has left whole; waits for it as long as the connection stands."""
        while not self._left.done():
            if self._over():
                return False
            await asyncio.wait((self._left,), timeout=_LOOK_EVERY)
        self._sent += 1
        if self._first is None:
            self._first = self._left.result()
        return True

    def _over(self) -> bool:
        return self._link.closing

    async def _pause(self) -> None:
        now = time.monotonic()
        if now - self._told >= _TOLD_EVERY:
            self._told = now
            self._say(f"sent {self._count}", done=False)
        if self._spacing or self._sent % _TURN_EVERY == 0:
            await asyncio.sleep(self._spacing)

    def _say(self, words: str, *, done: bool) -> None:
        self._tell(self._sent, self._first, done, words)


class ByHand:
    """What one Session sends by hand, one connection after the other."""

    def __init__(
        self,
        peer: str,
        publishing: Publishing,
        emit: Callable[[Event], None],
        spawn: Callable[[Coroutine[None, None, None], str], asyncio.Task[None]],
    ) -> None:
        self._peer = peer
        self._publishing = publishing
        self._emit = emit
        self._spawn = spawn
        self._repeating: set[asyncio.Task[None]] = set()

    def execute(self, command: SendRaw | StopSending | FlowStep, connection: Connection | None, number: int | None) -> str:
        """Carry it out on `connection`, whose number in the log is `number`. Returns why that cannot be; empty if it can."""
        match command:
            case SendRaw():
                return self._send(command, connection, number)
            case StopSending():
                return "" if self.stop() else "nothing is being repeated"
            case FlowStep():
                return self._flow_step(command, connection)

    def stop(self) -> bool:
        """No more repetitions; False if there were none."""
        for task in self._repeating:
            task.cancel()
        return bool(self._repeating)

    def teller(self, token: int, times: int, number: Callable[[], int | None]) -> Tell:
        """What tells how far the bytes of `token` have got; `number` is asked for their connection then."""

        def tell(sent: int, first: int | None, done: bool, words: str) -> None:
            self._emit(RawSent(self._peer, token, sent, times, number(), first, done, words))

        return tell

    def _send(self, command: SendRaw, connection: Connection | None, number: int | None) -> str:
        if connection is None or connection.link is None or not connection.open:
            return "send: not connected"
        connection.sending("a packet made by hand")
        packet = parse(command.raw, connection.version)
        if isinstance(packet, Disconnect):
            connection.said_goodbye()
        elif isinstance(packet, Auth):
            connection.authentication.settled()
        repeating = Repeating(
            connection.link, command.raw, command.times, command.spacing, self.teller(command.token, command.times, lambda: number)
        )
        repeating.begin()
        task = self._spawn(repeating.run(), f"by hand {command.token}")
        self._repeating.add(task)
        task.add_done_callback(self._repeating.discard)
        return ""

    def _flow_step(self, command: FlowStep, connection: Connection | None) -> str:
        link = connection.link if connection is not None and connection.open else None
        made_by_hand = command.step != "pubcomp" and self._publishing.store.get(command.identifier) is None
        if link is not None and made_by_hand and link.step_by_hand(command.identifier, command.step):
            return ""
        try:
            match command.step:
                case "dup":
                    self._publishing.send_again(command.identifier)
                case "pubrel":
                    self._publishing.release_now(command.identifier)
                case "forget":
                    self._publishing.forget(command.identifier)
                case "pubcomp" if link is not None and connection is not None:
                    link.send(encode(Ack(PacketType.PUBCOMP, command.identifier), connection.version))
                case "pubcomp":
                    return "not connected"
                case _:
                    assert_never(command.step)
        except (FlowError, EncodeError) as error:
            return str(error)
        return ""


def connect_options(options: ConnectOptions, first: bytes) -> ConnectOptions:
    """`options` with the CONNECT that `first` really is, if it is a well-formed one: keep-alive and session follow from it."""
    packet = parse(first, options.connect.version)
    return replace(options, connect=packet) if isinstance(packet, Connect) else options
