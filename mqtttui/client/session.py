"""A peer's Session: carries out commands, tells events, and owns what outlives a connection.

Rules:

1. `execute` returns at once. Whatever takes time is a named task of the session; `close` ends them all.
2. Every connect sends the CONNECT of its options, byte for byte; an automatic reconnect sends the same bytes again.
3. One connection at a time. A new Connect ends the present connection first.
4. The state is one frozen value; every change of it is told.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import assert_never

from mqtttui.capture.log import Log
from mqtttui.client.by_hand import Repeating, Tell, connect_options
from mqtttui.client.commands import (
    Cancel,
    Command,
    Connect,
    ConnectRaw,
    CutLink,
    Disconnect,
    FlowStep,
    Ping,
    ReleaseHeld,
    SendPublish,
    SendRaw,
    StopSending,
    Subscribe,
    Unsubscribe,
)
from mqtttui.client.connection import LINGER, Connection, Ended, Parts, is_clean
from mqtttui.client.events import ConnectionState, Event, Outcome, Phase, PublishChanged, RawSent, Rejected, StateChanged
from mqtttui.client.publishing import FlowError, Publishing
from mqtttui.client.subscriptions import Subscriptions
from mqtttui.config.options import ConnectOptions
from mqtttui.protocol import packets
from mqtttui.protocol.enums import PacketType, Version
from mqtttui.protocol.packets import EncodeError
from mqtttui.protocol.parse import parse
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
        self._parts = Parts(peer, log, self._subscriptions, self._publishing, self._change, self._report, self._accepted, self._emit)
        self._connection: Connection | None = None
        self._life: asyncio.Task[None] | None = None
        """What the latest Connect began."""
        self._owner: asyncio.Task[None] | None = None
        """The life that the connection belongs to."""
        self._lives: set[asyncio.Task[None]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._watch_tasks: set[asyncio.Task[None]] = set()
        self._repeating: set[asyncio.Task[None]] = set()
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
            case SendRaw():
                self._send_raw(command)
            case StopSending():
                self._stop_sending()
            case FlowStep():
                self._flow_step(command)
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
        self._connection, self._owner = connection, asyncio.current_task()
        tell = self._raw_teller(raw.token, 1) if raw is not None else None
        if tell is not None:
            connection.first_left = lambda mono: tell(1, mono, True, "sent")
        try:
            ended = await connection.run()
        except asyncio.CancelledError:
            self._change(phase=Phase.IDLE, ended="cancelled", failure=None, attempt=0, next_attempt=None)
            raise
        finally:
            self._connection = None
            for task in (*self._watch_tasks, *self._repeating):
                task.cancel()
            if connection.accepted:
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

    # By hand

    def _send_raw(self, command: SendRaw) -> None:
        connection = self._connection
        if connection is None or connection.link is None or not connection.open:
            self._reject(f"send: {_NOT_CONNECTED}")
            return
        connection.sending("a packet made by hand")
        if isinstance(parse(command.raw, connection.version), packets.Disconnect):
            connection.said_goodbye()
        tell = self._raw_teller(command.token, command.times)
        repeating = Repeating(connection.link, command.raw, command.times, command.spacing, tell)
        repeating.begin()
        task = self._spawn(repeating.run(), f"by hand {command.token}")
        self._repeating.add(task)
        task.add_done_callback(self._repeating.discard)

    def _stop_sending(self) -> None:
        if not self._repeating:
            self._reject("nothing is being repeated")
        for task in self._repeating:
            task.cancel()

    def _flow_step(self, command: FlowStep) -> None:
        connection = self._connection
        link = connection.link if connection is not None and connection.open else None
        made_by_hand = command.step != "pubcomp" and self._publishing.store.get(command.identifier) is None
        if link is not None and made_by_hand and link.step_by_hand(command.identifier, command.step):
            return
        try:
            match command.step:
                case "dup":
                    self._publishing.send_again(command.identifier)
                case "pubrel":
                    self._publishing.release_now(command.identifier)
                case "forget":
                    self._publishing.forget(command.identifier)
                case "pubcomp" if link is not None and connection is not None:
                    link.send(packets.encode(packets.Ack(PacketType.PUBCOMP, command.identifier), connection.version))
                case "pubcomp":
                    self._reject(_NOT_CONNECTED)
                case _:
                    assert_never(command.step)
        except (FlowError, EncodeError) as error:
            self._reject(str(error))

    def _raw_teller(self, token: int, times: int) -> Tell:
        def tell(sent: int, first: int | None, done: bool, words: str) -> None:
            self._emit(RawSent(self.peer, token, sent, times, self._state.connection, first, done, words))

        return tell

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

    def _reject(self, text: str) -> None:
        self._emit(Rejected(self.peer, text))

    def _spawn(self, work: Coroutine[None, None, None], name: str) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work, name=f"{self.peer}: {name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _reason(error: Exception) -> str:
    return _NO_IDENTIFIER if isinstance(error, OverflowError) else visible(str(error))
