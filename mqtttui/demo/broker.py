"""The embedded broker: a listener on the loopback interface, in a daemon thread with a loop of its own.

A demo and a test double, not a product: everybody may come in, nothing is written to disk. `Misbehaviour` makes it break
the rules on purpose. All methods may be called from any thread but the broker's own.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, TypeVar

from mqtttui.demo.codes import Code
from mqtttui.demo.connection import Connection
from mqtttui.demo.core import Core
from mqtttui.demo.limits import Limits
from mqtttui.demo.messages import Message
from mqtttui.demo.misbehaviour import Misbehaviour
from mqtttui.demo.system_topics import publish_system_topics
from mqtttui.protocol.packets import Properties

T = TypeVar("T")

Companion = Callable[[Core], Coroutine[Any, Any, None]]
"""Runs beside the broker, on its loop, until it stops."""

HOST = "127.0.0.1"
SYS_INTERVAL = 5.0
FAREWELL = 0.5
"""Seconds that clients have at the end to take their DISCONNECT."""
ANSWER_TIMEOUT = 10.0


class DemoBroker:
    """Start it, connect to `host` and `port`, stop it; also a context manager."""

    host = HOST

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        misbehaviour: Misbehaviour | None = None,
        companions: Sequence[Companion] = (),
        port: int = 0,
        sys_interval: float = SYS_INTERVAL,
    ) -> None:
        self.port = port
        """0 until `start`, unless a fixed one was asked for."""
        self.faults: list[str] = []
        """What went wrong inside the broker itself; a client cannot cause any."""
        self._limits = limits or Limits()
        self._misbehaviour = misbehaviour or Misbehaviour()
        self._companions = companions
        self._sys_interval = sys_interval
        self._thread: threading.Thread | None = None
        self._core: Core | None = None
        self._stopping: asyncio.Event | None = None

    def start(self) -> int:
        """Listens and returns the port. Raises OSError if it cannot be had."""
        listener = socket.create_server((HOST, self.port))
        self.port = listener.getsockname()[1]
        started: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, args=(listener, started), name="demo-broker", daemon=True)
        self._thread.start()
        started.result(ANSWER_TIMEOUT)
        return self.port

    def stop(self) -> None:
        """Says good-bye to all clients and ends the thread. Harmless if it does not run."""
        thread, self._thread = self._thread, None
        if thread is None or self._core is None or self._stopping is None:
            return
        self._core.loop.call_soon_threadsafe(self._stopping.set)
        thread.join(ANSWER_TIMEOUT)

    @property
    def misbehaviour(self) -> Misbehaviour:
        """How it misbehaves; may be set at any time."""
        return self._misbehaviour

    @misbehaviour.setter
    def misbehaviour(self, value: Misbehaviour) -> None:
        self._misbehaviour = value
        if self._core is not None:
            self._core.misbehaviour = value

    def call(self, function: Callable[[Core], T]) -> T:
        """What `function` returns when it is called on the broker's loop."""
        assert self._core is not None, "the broker does not run"
        core = self._core
        result: Future[T] = Future()

        def run() -> None:
            try:
                result.set_result(function(core))
            except BaseException as error:
                result.set_exception(error)
                raise

        core.loop.call_soon_threadsafe(run)
        return result.result(ANSWER_TIMEOUT)

    def publish(self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False, properties: Properties = ()) -> None:
        """Publishes a message of the broker's own."""

        def run(core: Core) -> None:
            core.publish(Message.of(topic.encode(), payload, qos, core.loop.time(), retain=retain, properties=properties))

        self.call(run)

    def disconnect_clients(self, code: int, text: str = "") -> None:
        """Ends all connections, in MQTT 5 with DISCONNECT and this Reason Code."""

        def run(core: Core) -> None:
            for connection in list(core.connections):
                connection.end(code, text)

        self.call(run)

    def reset_clients(self) -> None:
        """Tears all connections down (RST)."""

        def run(core: Core) -> None:
            for connection in list(core.connections):
                connection.reset()

        self.call(run)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def _run(self, listener: socket.socket, started: Future[None]) -> None:
        with listener:
            asyncio.run(self._serve(listener, started))

    async def _serve(self, listener: socket.socket, started: Future[None]) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._fault)
        core = self._core = Core(loop, self._limits, self._misbehaviour)
        stopping = self._stopping = asyncio.Event()
        server = await loop.create_server(lambda: Connection(core), sock=listener)
        tasks = [loop.create_task(publish_system_topics(core, self._sys_interval))]
        tasks += [loop.create_task(companion(core)) for companion in self._companions]
        started.set_result(None)
        await stopping.wait()
        server.close()
        for task in tasks:
            task.cancel()
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(outcome, Exception):
                self.faults.append(repr(outcome))
        await self._say_goodbye(core)

    async def _say_goodbye(self, core: Core) -> None:
        for session in core.sessions.values():
            session.will = None
        for connection in list(core.connections):
            connection.end(Code.SHUTTING_DOWN, "the demo broker stops")
        if core.connections:
            core.deserted.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(core.deserted.wait(), FAREWELL)
        for connection in list(core.connections):
            connection.reset()
        # Sockets are closed one turn after their transports were told so.
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    def _fault(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Asyncio would print it, over a screen that belongs to somebody else."""
        self.faults.append(f"{context.get('message')}: {context.get('exception')!r}")
