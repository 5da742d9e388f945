"""What a Session does on special request: answer AUTH, misbehave, and what takes a connection beside its own."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any

from mqtttui.capture.log import Log
from mqtttui.client.answers import Order
from mqtttui.client.authentication import AuthenticationError
from mqtttui.client.beside import Beside
from mqtttui.client.commands import Authenticate, Behave, Examine, Misbehave, StopBeside, TakeOver, WatchWill
from mqtttui.client.connection import Connection
from mqtttui.client.events import Event, SessionLooked
from mqtttui.client.misbehaving import Misbehaving, how_it_ended, seconds
from mqtttui.client.parts import Ended
from mqtttui.client.subscriptions import REFUSED
from mqtttui.client.surgeon import Look
from mqtttui.config.options import ConnectOptions, ReconnectOptions
from mqtttui.protocol.enums import PropertyId, Version
from mqtttui.protocol.packets import Ack, Connect, Disconnect, EncodeError, Publish, TopicRequest
from mqtttui.text import shorten, visible

Request = Authenticate | Misbehave | Behave | TakeOver | WatchWill | Examine | StopBeside

TAKE_OVER_SECONDS = 5.0
"""How long a broker may take to end the connection that was there before."""
_OBSERVED = 5
"""So many lines of what the broker did are kept."""
_TOPIC_CHARACTERS = 60
_NOT_CONNECTED = "not connected"
_NOT_FOR_ANOTHER = (PropertyId.SESSION_EXPIRY_INTERVAL, PropertyId.TOPIC_ALIAS_MAXIMUM)


@dataclass(frozen=True, slots=True)
class Ways:
    """What the Session lends."""

    peer: str
    log: Log
    emit: Callable[[Event], None]
    change: Callable[..., None]
    """Changes fields of the ConnectionState."""
    reject: Callable[[str], None]
    observed: Callable[[str], None]
    spawn: Callable[[Coroutine[None, None, None], str], asyncio.Task[None]]
    connection: Callable[[], Connection | None]
    """The connection whose end has not come; accepted or not."""


class OnRequest:
    """One Session's."""

    def __init__(self, ways: Ways) -> None:
        self._ways = ways
        self._misbehaving: Misbehaving | None = None
        self._beside: dict[asyncio.Task[None], str] = {}
        """What goes on beside the connection, and its line for the state; may be empty."""
        self._ended: tuple[Connection, Ended] | None = None
        """The connection that ended last."""
        self._over = asyncio.Event()
        """Set when a connection has ended; whoever waits clears it."""

    def execute(self, request: Request) -> None:
        """Carry it out, or reject it."""
        match request:
            case Authenticate():
                self._authenticate(request)
            case Misbehave():
                self._misbehave(request)
            case Behave():
                self._behave()
            case TakeOver():
                connection = self._standing("take over")
                if connection is not None:
                    self._run(lambda: self._take_over(connection), "take over", "takes over the client id")
            case WatchWill():
                self._watch_will()
            case Examine():
                self._run(lambda: self._examine(request), "examine", f"looks into the session of {_short(request.client_id)}")
            case StopBeside():
                for task in self._beside:
                    task.cancel()

    def ended(self, connection: Connection, ended: Ended) -> None:
        """A connection of the Session is over, which had been accepted."""
        self._ended = (connection, ended)
        if self._misbehaving is not None and self._misbehaving.connection is connection:
            self._misbehaving.ended(ended)
            self._misbehaving = None
        self._over.set()

    def _standing(self, what: str) -> Connection | None:
        """The connection if it was accepted and can be sent on; otherwise the request is rejected."""
        connection = self._ways.connection()
        if connection is None or not connection.accepted or not connection.open or connection.keep_alive is None:
            self._ways.reject(f"{what}: {_NOT_CONNECTED}")
            return None
        return connection

    # AUTH

    def _authenticate(self, request: Authenticate) -> None:
        connection = self._ways.connection()
        if connection is None or not connection.open or (request.again and not connection.accepted):
            self._ways.reject(f"AUTH: {_NOT_CONNECTED}")
            return
        try:
            if request.again:
                connection.authentication.begin_again(request.data)
            else:
                connection.authentication.answer(request.data)
        except (AuthenticationError, EncodeError) as error:
            self._ways.reject(f"AUTH: {error}")

    # Misbehaving

    def _misbehave(self, request: Misbehave) -> None:
        connection = self._standing("misbehave")
        if connection is None or connection.keep_alive is None:
            return
        if request.how == "silence" and not connection.keep_alive.seconds:
            self._ways.reject("no pings: the keep-alive is 0, so none are due")
            return
        if request.how == "answer" and connection.version is not Version.V5:
            self._ways.reject("reason code: acknowledgements of MQTT 3 have none")
            return
        if self._misbehaving is None or self._misbehaving.connection is not connection:
            self._misbehaving = Misbehaving(connection, self._ways.change, self._ways.observed)
        if request.how == "silence":
            self._misbehaving.silence()
        else:
            code = request.code if request.how == "answer" else None
            self._misbehaving.order(Order(request.packets, code, request.times))

    def _behave(self) -> None:
        if self._misbehaving is None:
            self._ways.reject("nothing wrong is in force")
        else:
            self._misbehaving.behave()

    async def _take_over(self, connection: Connection) -> None:
        """The same CONNECT on a second connection; the first one's end is timed from its CONNACK."""
        client_id = connection.client_id
        if not client_id:
            self._ways.reject("take over: the client id is empty, and the server has not told the one it gave")
            return
        connect = replace(connection.options.connect, client_id=client_id)
        options = replace(connection.options, connect=connect, reconnect=ReconnectOptions())
        async with Beside(options, self._ways.peer, self._ways.log) as second:
            begun = time.monotonic_ns()
            if not await second.connected():
                why = second.ended.text if second.ended is not None else ""
                self._ways.observed(f"not taken over: the second connection failed: {why}")
                return
            ended = await self._end_of(connection, TAKE_OVER_SECONDS)
            if ended is None:
                self._ways.observed(f"not taken over within {TAKE_OVER_SECONDS:g} s: the broker lets both connections live")
            else:
                begun = second.sent_at or begun
                self._ways.observed(
                    f"taken over {seconds(connection.ended_at - begun)} after the CONNECT: {how_it_ended(ended, connection)}"
                )
            await second.leave(Disconnect())

    async def _end_of(self, connection: Connection, limit: float | None) -> Ended | None:
        """How the connection ended; None if it has not within so many seconds."""
        try:
            async with asyncio.timeout(limit):
                while self._ended is None or self._ended[0] is not connection:
                    self._over.clear()
                    await self._over.wait()
        except TimeoutError:
            return None
        return self._ended[1]

    # The will

    def _watch_will(self) -> None:
        connection = self._standing("watch the will")
        if connection is None:
            return
        will = connection.options.connect.will
        if will is None:
            self._ways.reject("watch the will: this connection has none")
        else:
            self._run(lambda: self._will(connection), "will", f"watches for the will on {_short(will.topic)}")

    async def _will(self, connection: Connection) -> None:
        """Subscribe to the will's topic with another client id, until the will comes."""
        will = connection.options.connect.will
        assert will is not None
        came: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def heard(packet: Publish | Ack, mono: int) -> None:
            # A retained message of before has RETAIN; the will comes without it.
            if isinstance(packet, Publish) and packet.payload == will.payload and not packet.retain and not came.done():
                came.set_result(mono)

        async with Beside(_another(connection.options), self._ways.peer, self._ways.log, heard=heard) as second:
            if not await second.connected():
                self._ways.observed(f"the will is not watched: {second.ended.text if second.ended is not None else ''}")
                return
            second.subscribe(TopicRequest(will.topic, min(will.qos, 2)))
            if not await _granted(second):
                rows = second.state.subscriptions
                self._ways.observed(f"the will is not watched: {rows[0].answer if rows else 'no SUBACK'}")
                return
            self._say_beside(f"watches for the will on {_short(will.topic)}, connection {second.state.connection}")
            over = asyncio.get_running_loop().create_task(second.over(), name="the watch")
            try:
                await asyncio.wait((came, over), return_when=asyncio.FIRST_COMPLETED)
            finally:
                over.cancel()
            if not came.done():
                self._ways.observed(f"the will was not seen: the watching connection ended: {second.ended.text if second.ended else ''}")
                return
            await self._tell_will(connection, came.result())
            await second.leave(Disconnect())

    async def _tell_will(self, connection: Connection, mono: int) -> None:
        # The end is known a little later than the will where the server says goodbye first.
        ended = await self._end_of(connection, 2.0)
        if ended is None:
            self._ways.observed("a message like the will came, but the connection still stands")
        else:
            self._ways.observed(f"the will came {seconds(mono - connection.ended_at)} after the end: {ended.text}")

    # Sessions of others

    async def _examine(self, request: Examine) -> None:
        look = Look(request, self._ways.log, lambda report: self._ways.emit(SessionLooked(self._ways.peer, report)))
        try:
            await look.run()
        except asyncio.CancelledError:
            look.stopped("stopped: the link was cut")
            raise
        except (EncodeError, AuthenticationError) as error:
            look.stopped(f"nothing was sent: {visible(str(error))}")
            raise

    # Running

    def _run(self, work: Callable[[], Coroutine[Any, Any, None]], name: str, line: str) -> None:
        task = self._ways.spawn(self._guarded(work, name), name)
        self._beside[task] = line
        task.add_done_callback(self._done)
        self._show_beside()

    async def _guarded(self, work: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
        try:
            await work()
        except (EncodeError, OverflowError, AuthenticationError) as error:
            self._ways.reject(f"{name}: {visible(str(error))}")

    def _done(self, task: asyncio.Task[None]) -> None:
        self._beside.pop(task, None)
        self._show_beside()

    def _say_beside(self, line: str) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._beside[task] = line
        self._show_beside()

    def _show_beside(self) -> None:
        self._ways.change(beside=tuple(self._beside.values()))


def remembered(before: tuple[str, ...], text: str) -> tuple[str, ...]:
    """The lines of what was observed, with one more."""
    return (*before, text)[-_OBSERVED:]


async def _granted(second: Beside) -> bool:
    """Whether its only subscription was granted."""
    while second.ended is None:
        second.changed.clear()
        rows = second.state.subscriptions
        if rows and rows[0].granted is not None:
            return rows[0].granted < REFUSED
        if rows and rows[0].late:
            return False
        changed = asyncio.get_running_loop().create_task(second.changed.wait(), name="granted")
        try:
            await asyncio.wait((changed,), timeout=1.0)
        finally:
            changed.cancel()
    return False


def _another(options: ConnectOptions) -> ConnectOptions:
    """The same broker and login for another client, without a will and without a session that stays."""
    connect = options.connect
    properties = tuple(item for item in connect.properties if item.id not in _NOT_FOR_ANOTHER)
    other = Connect(
        client_id=f"will-watch-{secrets.token_hex(4)}",
        version=connect.version,
        keep_alive=connect.keep_alive,
        username=connect.username,
        password=connect.password,
        properties=properties,
    )
    return replace(options, connect=other, reconnect=ReconnectOptions())


def _short(value: str | bytes) -> str:
    return shorten(visible(value), _TOPIC_CHARACTERS)
