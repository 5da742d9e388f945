"""A connection beside the peer's own: packets in the same log, a state that is nobody's but its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self

from mqtttui.capture.log import Log
from mqtttui.client import errors
from mqtttui.client.answers import Answers
from mqtttui.client.connection import Connection
from mqtttui.client.events import Challenge, ConnectionState
from mqtttui.client.parts import Ended, Parts
from mqtttui.client.publishing import Publishing
from mqtttui.client.subscriptions import Subscriptions
from mqtttui.config.options import ConnectOptions
from mqtttui.protocol.packets import Ack, Packet, Publish, TopicRequest

Heard = Callable[[Publish | Ack, int], None]
"""Gets a PUBLISH, or an acknowledgement, of the server and the monotonic ns at which it was read."""


class Beside(Connection):
    """Runs while its block runs; leaving the block cuts what still stands. Raises what Connection raises."""

    def __init__(self, options: ConnectOptions, peer: str, log: Log, *, answers: Answers | None = None, heard: Heard | None = None) -> None:
        self.state = ConnectionState(peer)
        self.subscriptions = Subscriptions(lambda rows: self._changed(subscriptions=rows))
        publishing = Publishing(lambda *_: None, lambda: None)
        parts = Parts(
            peer,
            log,
            self.subscriptions,
            publishing,
            change=self._changed,
            report=lambda *_: None,
            accepted=lambda _: self._ready.set(),
            measured=lambda _: None,
            observed=lambda _: None,
        )
        super().__init__(options, parts, answers=answers, everything=heard is not None)
        self._heard = heard
        self._ready = asyncio.Event()
        self._task: asyncio.Task[Ended] | None = None
        self.changed = asyncio.Event()
        """Set whenever the state has changed; whoever waits clears it."""

    async def __aenter__(self) -> Self:
        self._task = asyncio.get_running_loop().create_task(self.run(), name=f"{self.state.peer}: beside")
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.wait((self._task,))

    async def connected(self) -> bool:
        """Waits until commands can be sent; False if it ended before."""
        assert self._task is not None
        ready = asyncio.get_running_loop().create_task(self._ready.wait(), name=f"{self.state.peer}: ready")
        try:
            await asyncio.wait((ready, self._task), return_when=asyncio.FIRST_COMPLETED)
        finally:
            ready.cancel()
        return self._ready.is_set() and not self._task.done()

    @property
    def ended(self) -> Ended | None:
        """How it ended; None while it lives."""
        if self._task is None or not self._task.done() or self._task.cancelled():
            return None
        return self._task.result()

    async def over(self, seconds: float | None = None) -> None:
        """Waits for its end, at most so long."""
        assert self._task is not None
        await asyncio.wait((self._task,), timeout=seconds)

    def subscribe(self, request: TopicRequest) -> None:
        """Send a SUBSCRIBE. Raises EncodeError or OverflowError."""
        if self.link is not None:
            self.subscriptions.subscribe(self.link, self.version, (request,), ())

    def packet_received(self, packet: Packet, mono: int) -> None:
        """See LinkEvents."""
        if self._heard is not None and isinstance(packet, Publish | Ack):
            self._heard(packet, mono)
        super().packet_received(packet, mono)

    def _challenged(self, challenge: Challenge | None) -> None:
        if challenge is not None:
            why = "the server asks for an answer by hand, which only a connection of its own can wait for"
            self._over(Ended(errors.authentication_failed(why, "connack")))

    def _changed(self, **changes: object) -> None:
        self.state = self.state.with_(**changes)
        self.changed.set()
