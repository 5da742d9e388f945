"""A peer's Session: carries out commands, tells events, and owns what outlives a connection.

Rules:

1. `execute` returns at once. Whatever takes time is a named task of the session; `close` ends them all.
2. Every connect sends the CONNECT of its options, byte for byte; an automatic reconnect sends the same bytes again. Only a login
   by SCRAM leaves out the password and adds its first message, another one each time.
3. One connection at a time. A new Connect ends the present connection first. What the user asks for may take a short one
   beside it (`on_request`).
4. The state is one frozen value; every change of it is told.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import assert_never

from mqtttui.capture.log import Log
from mqtttui.client import errors
from mqtttui.client.authentication import AuthenticationError
from mqtttui.client.by_hand import ByHand, connect_options
from mqtttui.client.commands import (
    Authenticate,
    Behave,
    Cancel,
    Command,
    Connect,
    ConnectRaw,
    CutLink,
    Disconnect,
    Examine,
    FlowStep,
    Misbehave,
    Ping,
    ReleaseHeld,
    SendPublish,
    SendRaw,
    StopBeside,
    StopSending,
    Subscribe,
    TakeOver,
    Unsubscribe,
    WatchWill,
)
from mqtttui.client.connect_facts import is_clean
from mqtttui.client.connection import LINGER, Connection
from mqtttui.client.events import ConnectionState, Event, Observed, Outcome, Phase, PublishChanged, Rejected, StateChanged
from mqtttui.client.on_request import OnRequest, Ways, remembered
from mqtttui.client.parts import Ended, Parts
from mqtttui.client.publishing import Publishing
from mqtttui.client.subscriptions import Subscriptions
from mqtttui.config.options import ConnectOptions
from mqtttui.protocol import packets
from mqtttui.protocol.enums import Version
from mqtttui.protocol.packets import EncodeError
from mqtttui.text import preview, visible

_CLOSE_SECONDS = LINGER + 0.3
_TAKEN_OVER = 0x8E
_NOT_CONNECTED = "not connected"
_NO_IDENTIFIER = "all packet identifiers are in use"


class Session:
    """One peer's connections, one after the other. Lives on the running asyncio loop."""

    def __init__(self, peer: str, log: Log, emit: Callable[[Event], None]) -> None:
        """`emit` is called on the loop, also from within `execute`."""
        self.peer = peer
        self._emit = emit
        self._state = ConnectionState(peer)
        self._subscriptions = Subscriptions(lambda rows: self._change(subscriptions=rows))
        self._publishing = Publishing(self._report, self._counts_changed)
        self._parts = Parts(
            peer,
            log,
            self._subscriptions,
            self._publishing,
            self._change,
            self._report,
            self._accepted,
            self._emit,
            self._observed,
        )
        self._connection: Connection | None = None
        self._life: asyncio.Task[None] | None = None
        """What the latest Connect began."""
        self._owner: asyncio.Task[None] | None = None
        """The life that the connection belongs to."""
        self._lives: set[asyncio.Task[None]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._watch_tasks: set[asyncio.Task[None]] = set()
        self._by_hand = ByHand(peer, self._publishing, emit, self._spawn)
        self._on_request = OnRequest(
            Ways(peer, log, emit, self._change, self._reject, self._observed, self._spawn, lambda: self._connection)
        )
        self._session_of: tuple[str, str, int, packets.Text] | None = None
        self._automatic = False

    @property
    def state(self) -> ConnectionState:
        """Where the peer stands now."""
        return self._state

    def execute(self, command: Command) -> None:
        """Carry out `command`; what comes of it is told as events."""
        match command:
            case Connect():
                self._connect(command.options, None)
            case ConnectRaw():
                self._connect(connect_options(command.options, command.first), command)
            case Disconnect():
                self._disconnect(command)
            case CutLink():
                self._cut()
            case Cancel():
                self._cancel()
            case Subscribe():
                self._subscribe(command)
            case Unsubscribe():
                self._unsubscribe(command)
            case SendPublish():
                self._publish(command)
            case ReleaseHeld():
                self._release_held(command)
            case Ping():
                connection = self._live_connection("ping")
                if connection is not None:
                    connection.ping()
            case SendRaw() | StopSending() | FlowStep():
                if problem := self._by_hand.execute(command, self._connection, self._state.connection):
                    self._reject(problem)
            case Authenticate() | Misbehave() | Behave() | TakeOver() | WatchWill() | Examine() | StopBeside():
                self._on_request.execute(command)
            case _:
                assert_never(command)

    async def close(self) -> None:
        """End everything: DISCONNECT if connected, at most about a second."""
        connection = self._connection
        if connection is not None and connection.accepted:
            try:
                async with asyncio.timeout(_CLOSE_SECONDS):
                    await connection.leave(packets.Disconnect())
            except TimeoutError:
                connection.cut()
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # Connecting and ending

    def _connect(self, options: ConnectOptions, raw: ConnectRaw | None) -> None:
        self._change(observed=())
        self._life = self._spawn(self._live(options, raw, tuple(self._lives)), "connect")
        self._lives.add(self._life)
        self._life.add_done_callback(self._lives.discard)

    async def _live(self, options: ConnectOptions, raw: ConnectRaw | None, before: tuple[asyncio.Task[None], ...]) -> None:
        """Connect, and again if the options say so, until the user or a failure ends it. Bytes made by hand leave once."""
        await self._end_lives(before)
        connect = options.connect
        session = (options.unix_path, options.host, options.port, connect.client_id)
        if session != self._session_of:
            self._publishing.forget_session()
            self._subscriptions.disconnected(session_ends=True)
        attempt, ever_accepted, loss = 0, False, ""
        self._automatic = False
        while True:
            if is_clean(connect):
                self._publishing.forget_session()
            ended, accepted = await self._one_connection(options, raw)
            if accepted:
                attempt, ever_accepted, loss = 0, True, ended.text
                self._session_of = session
            once = raw is not None or not options.reconnect.enabled
            if ended.by_user or not ever_accepted or once or ended.code == _TAKEN_OVER:
                self._change(phase=Phase.IDLE, failure=ended.failure, ended=ended.text, attempt=0, next_attempt=None)
                return
            delay = min(options.reconnect.first_delay * 2**attempt, options.reconnect.longest_delay)
            attempt = min(attempt + 1, 1000)
            due = time.monotonic_ns() + int(delay * 1e9)
            self._change(phase=Phase.WAITING, failure=ended.failure, ended=loss, attempt=attempt, next_attempt=due)
            try:
                await asyncio.sleep(delay)
            except asyncio.CancelledError:
                self._change(phase=Phase.IDLE, ended="cancelled", attempt=0, next_attempt=None)
                raise
            self._automatic = True

    async def _one_connection(self, options: ConnectOptions, raw: ConnectRaw | None) -> tuple[Ended, bool]:
        """Returns how it ended and whether it had been accepted."""
        try:
            connection = Connection(options, self._parts, None if raw is None else raw.first)
        except EncodeError as error:
            self._reject(f"CONNECT: {error}")
            return Ended(by_user=True, line=f"not connected: CONNECT has no encoding: {visible(str(error))}"), False
        except AuthenticationError as error:
            self._reject(f"CONNECT: {error}")
            return Ended(by_user=True, line=f"not connected: {error}"), False
        self._connection, self._owner = connection, asyncio.current_task()
        tell = self._by_hand.teller(raw.token, 1, lambda: self._state.connection) if raw is not None else None
        if tell is not None:
            connection.first_left = lambda mono: tell(1, mono, True, "sent")
        ended = Ended(by_user=True, line="cancelled")
        try:
            ended = await connection.run()
        except asyncio.CancelledError:
            self._change(phase=Phase.IDLE, ended="cancelled", failure=None, attempt=0, next_attempt=None)
            raise
        except BaseException as error:
            # Raised on, for whoever looks after what nobody expects; but nobody waits for a connection that is none.
            failure = errors.our_fault(error)
            self._change(phase=Phase.IDLE, ended=failure.title, failure=failure, attempt=0, next_attempt=None)
            raise
        finally:
            self._connection = None
            self._by_hand.stop()
            for task in self._watch_tasks:
                task.cancel()
            if connection.accepted:
                self._on_request.ended(connection, ended)
                self._publishing.disconnected(connection.session_ends)
                self._subscriptions.disconnected(connection.session_ends)
        if tell is not None and not connection.first_gone:
            tell(0, None, True, f"not sent: {ended.text}")
        return ended, connection.accepted

    async def _end_lives(self, lives: tuple[asyncio.Task[None], ...]) -> None:
        """End what earlier Connects began: with DISCONNECT if one is connected."""
        connection = self._connection
        connected = connection is not None and connection.accepted
        for life in lives:
            if not (connected and life is self._owner):
                life.cancel()
        if connection is not None and connected:
            await connection.leave(packets.Disconnect())
        if lives:
            await asyncio.wait(lives)

    def _accepted(self, connection: Connection) -> None:
        """Renew the subscriptions that the server lost, after an automatic reconnect and if the options say so."""
        if not self._automatic or not connection.options.reconnect.resubscribe or connection.link is None:
            return
        for requests, properties in self._subscriptions.renewals():
            try:
                self._subscriptions.subscribe(connection.link, connection.version, requests, properties)
            except OverflowError as error:
                self._reject(f"SUBSCRIBE: {_reason(error)}")

    def _disconnect(self, command: Disconnect) -> None:
        connection = self._connection
        if connection is not None and connection.accepted:
            v5 = connection.version is Version.V5
            packet = packets.Disconnect(command.reason_code, command.properties) if v5 else packets.Disconnect()
            _ = self._spawn(self._leave(connection, packet), "disconnect")
        elif self._life is not None and not self._life.done():
            self._life.cancel()
        else:
            self._reject(_NOT_CONNECTED)

    async def _leave(self, connection: Connection, packet: packets.Disconnect) -> None:
        try:
            await connection.leave(packet)
        except EncodeError as error:
            self._reject(f"DISCONNECT: {error}")

    def _cut(self) -> None:
        connection = self._connection
        if connection is not None and connection.accepted:
            connection.cut()
        elif self._life is not None and not self._life.done():
            self._life.cancel()
        else:
            self._reject(_NOT_CONNECTED)

    def _cancel(self) -> None:
        connection = self._connection
        busy = self._life is not None and not self._life.done()
        if busy and (connection is None or not connection.accepted):
            assert self._life is not None
            self._life.cancel()
        else:
            self._reject("nothing to cancel")

    # Subscriptions

    def _subscribe(self, command: Subscribe) -> None:
        connection = self._live_connection("subscribe")
        if connection is None or connection.link is None:
            return
        try:
            self._subscriptions.subscribe(connection.link, connection.version, command.requests, command.properties)
        except (EncodeError, OverflowError) as error:
            self._reject(f"SUBSCRIBE: {_reason(error)}")
        else:
            connection.sending("a SUBSCRIBE")

    def _unsubscribe(self, command: Unsubscribe) -> None:
        connection = self._connection
        if connection is None or not connection.accepted:
            if not self._subscriptions.remove(command.filters):
                self._reject("unsubscribe: not connected, and the server keeps this subscription with the session")
            return
        if connection.link is None:
            return
        try:
            self._subscriptions.unsubscribe(connection.link, connection.version, command.filters, command.properties)
        except (EncodeError, OverflowError) as error:
            self._reject(f"UNSUBSCRIBE: {_reason(error)}")
        else:
            connection.sending("an UNSUBSCRIBE")

    # Publishes

    def _publish(self, command: SendPublish) -> None:
        connection = self._live_connection("publish")
        if connection is None:
            self._report(command.token, Outcome.LOST, f"not sent: {_NOT_CONNECTED}", None, None)
        elif command.verify and connection.watching is not None:
            task = self._spawn(self._watch(connection, command), f"watch {command.token}")
            self._watch_tasks.add(task)
            task.add_done_callback(self._watch_tasks.discard)
        else:
            self._send(connection, command.token, command.packet, anyway=command.anyway)

    async def _watch(self, connection: Connection, command: SendPublish) -> None:
        assert connection.watching is not None
        given = False
        why = "the connection ended"

        def send() -> None:
            nonlocal given
            given = True
            self._send(connection, command.token, command.packet, anyway=command.anyway)

        try:
            await connection.watching.publish(command.token, command.packet, send)
        except (EncodeError, OverflowError) as error:
            why = _reason(error)
            self._reject(f"watch: {why}")
        finally:
            if not given:
                self._report(command.token, Outcome.LOST, f"not sent: {why}", None, None)

    def _send(self, connection: Connection, token: int, packet: packets.Publish, *, anyway: bool) -> None:
        if connection.watching is not None:
            connection.watching.leaving(packet)
        try:
            self._publishing.publish(token, packet, anyway=anyway)
        except (EncodeError, OverflowError) as error:
            self._reject(f"PUBLISH: {_reason(error)}")
            self._report(token, Outcome.LOST, f"not sent: {_reason(error)}", None, None)
        else:
            topic = packet.topic.encode("utf-8", "surrogateescape") if isinstance(packet.topic, str) else packet.topic
            connection.sending(f"a PUBLISH to {preview(topic, 60)}" if topic else "a PUBLISH")

    def _release_held(self, command: ReleaseHeld) -> None:
        connection = self._live_connection("send") if command.send else None
        if command.send and connection is None:
            return
        packet = self._publishing.take_held(command.token)
        if packet is None:
            self._reject("this publish is not held any more")
        elif connection is not None:
            self._send(connection, command.token, packet, anyway=True)
        else:
            self._report(command.token, Outcome.LOST, "forgotten, never sent", None, None)

    # Events

    def _live_connection(self, what: str) -> Connection | None:
        """The connection if commands can be sent on it; otherwise the command is rejected."""
        connection = self._connection
        if connection is None or connection.link is None or connection.link.closing or self._state.phase is not Phase.CONNECTED:
            self._reject(f"{what}: {_NOT_CONNECTED}")
            return None
        return connection

    def _change(self, **changes: object) -> None:
        state = self._state.with_(**changes)
        if state != self._state:
            self._state = state
            self._emit(StateChanged(self.peer, state))

    def _counts_changed(self) -> None:
        self._change(in_flight=self._publishing.in_flight, held=self._publishing.held)

    def _report(self, token: int, outcome: Outcome, text: str, packet_id: int | None, ms: float | None) -> None:
        self._emit(PublishChanged(self.peer, token, outcome, text, packet_id, ms))
        connection = self._connection
        if connection is not None and connection.watching is not None:
            connection.watching.progress(token, outcome)

    def _observed(self, text: str) -> None:
        self._change(observed=remembered(self._state.observed, text))
        self._emit(Observed(self.peer, text))

    def _reject(self, text: str) -> None:
        self._emit(Rejected(self.peer, text))

    def _spawn(self, work: Coroutine[None, None, None], name: str) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work, name=f"{self.peer}: {name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _reason(error: Exception) -> str:
    return _NO_IDENTIFIER if isinstance(error, OverflowError) else visible(str(error))
