"""One connection attempt from the name lookup to its end: dials, sends CONNECT, waits for CONNACK, then listens.

It ends exactly once, in `_over`, with an Ended that says why; the Session decides what happens then.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from mqtttui.capture.recorder import Recorder
from mqtttui.client import errors, errors_ends, replies
from mqtttui.client.answers import Answers
from mqtttui.client.authentication import Authentication, AuthenticationError
from mqtttui.client.connect_facts import connect_version, is_clean, session_ends, wire_version
from mqtttui.client.dial import DialError, Showing, dial
from mqtttui.client.events import Challenge, Phase, Step, TcpInfo, TcpMeasured, TlsInfo
from mqtttui.client.keepalive import KeepAlive
from mqtttui.client.layer import Layer
from mqtttui.client.link import Link
from mqtttui.client.login import Login
from mqtttui.client.parts import NEW_ATTEMPT, Ended, Parts
from mqtttui.client.publishing import limits_of
from mqtttui.client.recording import open_in_log
from mqtttui.client.steps import Steps, step_names
from mqtttui.client.tcp_info import TcpWatch
from mqtttui.client.watching import Watching
from mqtttui.config.options import ConnectOptions
from mqtttui.protocol.enums import PacketType, PropertyId, Version
from mqtttui.protocol.framing import FramingError
from mqtttui.protocol.packets import (
    Ack,
    Auth,
    Connack,
    Disconnect,
    Packet,
    Pingresp,
    Publish,
    Suback,
    Text,
    Unsuback,
    encode,
)
from mqtttui.text import shorten, visible

LINGER = 0.5
"""Seconds to wait for the server's close after DISCONNECT."""

_JUST_SENT_NS = 1_000_000_000
_PATH = 60
_BROKEN = ("TLSv1", "TLSv1.1")
"""RFC 8996."""
_NOT_VERIFIED = "certificate not verified"


class Connection:
    """See the module. Everything but `run` and `leave` returns at once."""

    def __init__(
        self, options: ConnectOptions, parts: Parts, first: bytes | None = None, *, answers: Answers | None = None, everything: bool = False
    ) -> None:
        """`first`: bytes made by hand that leave instead of the CONNECT; `answers`, `everything`: see Link.

        Raises EncodeError if the CONNECT has no encoding, AuthenticationError if SCRAM cannot begin.
        """
        self.options = options
        self.version = (connect_version(first) if first is not None else None) or wire_version(options.connect)
        self._parts = parts
        self.answers = answers or Answers(self.version)
        self._everything = everything
        self._login = Login(
            options,
            automatic=first is None,
            send=self._send_auth,
            challenged=self._challenged,
            observed=parts.observed,
            failed=lambda failure: self._over(Ended(failure)),
            late=lambda: errors_ends.no_connack(self.options, self._seen),
        )
        self._bytes = encode(self._login.connect(), options.connect.version) if first is None else first
        self._asks = self._bytes[:1] == b"\x10"
        """A CONNECT leaves first, so that a CONNACK is due."""
        self._steps = Steps(step_names(options), self._steps_changed)
        self._end: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()
        self._is_over = False
        self.link: Link | None = None
        self.accepted = False
        self.session_ends = True
        """Whether the server forgets the session at the end of the connection, as far as is known."""
        self.watching: Watching | None = None
        self._connack: Connack | None = None
        self.keep_alive: KeepAlive | None = None
        self._tcp: TcpWatch | None = None
        self.ended_at = 0
        """Monotonic ns at which the server's DISCONNECT came, or the end; 0 before."""
        self._timers: list[asyncio.TimerHandle] = []
        self._farewell: Ended | None = None
        self._leaving: asyncio.Event | None = None
        self._warnings: dict[str, str] = {}
        self._last_sent = ("", 0)
        self._head = b""
        self._tls_info: TlsInfo | None = None
        self._seconds = 0
        """The keep-alive in force."""
        self.first_left: Callable[[int], None] = lambda mono: None
        """Called with the monotonic ns at which the first bytes had left."""
        self.first_gone = False
        self.sent_at = 0
        """Monotonic ns at which the first bytes had left; 0 before."""

    async def run(self) -> Ended:
        """From the name lookup to the end. Cancelling ends it at once, without DISCONNECT."""
        self._parts.change(**NEW_ATTEMPT, steps=self._steps.all, options=self.options, client_id=visible(self.options.connect.client_id))
        tls = self.options.tls
        if tls is not None and tls.key_log and not self.options.unix_path:
            self.warn("keys", f"TLS keys are written to {shorten(visible(tls.key_log), _PATH)}")
        try:
            layer = await dial(self.options, self._steps, self._showing)
        except DialError as error:
            self._parts.change(warning="")
            return Ended(error.failure)
        except asyncio.CancelledError:
            self._parts.change(warning="")
            raise
        try:
            await self._begin(layer)
            return await self._end
        except asyncio.CancelledError:
            self._over(Ended(by_user=True, line="cancelled"), hard=True)
            raise

    @property
    def _showing(self) -> Showing:
        return Showing(self._tls_shown, lambda upgrade: self._parts.change(upgrade=upgrade))

    def _tls_shown(self, info: TlsInfo) -> None:
        self._tls_info = info
        self._parts.change(tls_info=info)

    async def _begin(self, layer: Layer) -> None:
        tls = self.options.tls
        number = open_in_log(self._parts.log, self._parts.peer, self.options, self.version, layer)
        self._parts.change(connection=number, address=layer.remote, tls=layer.security)
        if layer.security and tls is not None and not tls.verify and not tls.fingerprint:
            self.warn("tls", _NOT_VERIFIED)
        if (old := layer.security.partition(" ")[0]) in _BROKEN:
            self.warn("version", f"{old} is no longer safe")
        self.link = Link(
            self.version,
            self._parts.publishing.store,
            self,
            assume_session=self._silent_session,
            answers=self.answers,
            everything=self._everything,
        )
        self._steps.start("connect")
        await self.link.open(layer, Recorder(self._parts.log, number))
        if not self._is_over:
            self._tcp = TcpWatch(layer.tcp_info, lambda mono, info: self._measured(number, layer, mono, info))
            self.link.send(self._bytes, self._connect_left)
            if self._asks:
                self._login.wait()

    def _measured(self, number: int, layer: Layer, mono: int, info: TcpInfo) -> None:
        waiting = layer.unsent + (self.link.tap.queued if self.link is not None else 0)
        self._parts.measured(TcpMeasured(self._parts.peer, number, mono, info, waiting))

    def _connect_left(self, mono: int) -> None:
        self.first_gone = True
        self.sent_at = mono
        self.first_left(mono)
        self._steps.done("connect", f"{len(self._bytes):,} bytes", mono)
        self._steps.start("connack", began=mono)

    @property
    def _seen(self) -> errors_ends.Seen:
        unsent = self.link.tap.queued if self.link is not None and not self.first_gone else 0
        return errors_ends.Seen(self._head, len(self._bytes), unsent, self._tls_info)

    @property
    def _silent_session(self) -> bool:
        """MQTT 3.1 keeps a session without Clean Session too, but its CONNACK cannot say whether it did."""
        return self.version is Version.V31 and not is_clean(self.options.connect)

    # What the session asks

    def ping(self) -> None:
        """Send a PINGREQ."""
        if self.keep_alive is not None:
            self.keep_alive.ping()

    @property
    def authentication(self) -> Authentication:
        """Its AUTH packets."""
        return self._login.authentication

    @property
    def client_id(self) -> Text:
        """The id in force: the one that the server assigned, or our own; empty if it is not known."""
        assigned = replies.first(self._connack.properties, PropertyId.ASSIGNED_CLIENT_IDENTIFIER) if self._connack is not None else None
        return assigned if isinstance(assigned, str | bytes) else self.options.connect.client_id

    @property
    def open(self) -> bool:
        """Bytes can be sent, whether the server has accepted the connection or not."""
        return self.link is not None and not self.link.closing

    def sending(self, what: str) -> None:
        """Something is being sent that the server may answer by closing."""
        self._last_sent = (what, time.monotonic_ns())

    def said_goodbye(self) -> None:
        """A DISCONNECT made by hand has left: the end that follows is no loss, and there is nothing more to ping for."""
        self._farewell = Ended(by_user=True, line="disconnected by hand")
        self._stop()

    async def leave(self, packet: Disconnect) -> None:
        """Send DISCONNECT, wait a moment for the server to close, then close. Raises EncodeError before anything is sent."""
        link = self.link
        if link is None or self._is_over:
            return
        if self._leaving is not None:
            await asyncio.wait((self._end,), timeout=LINGER)
            return
        data = encode(packet, self.version)
        self._stop()
        self._leaving = asyncio.Event()
        self._parts.change(phase=Phase.DISCONNECTING)
        expiry = replies.first(packet.properties or (), PropertyId.SESSION_EXPIRY_INTERVAL)
        if isinstance(expiry, int):
            self.session_ends = expiry == 0
        link.tap.write_last(data)
        try:
            async with asyncio.timeout(LINGER):
                await self._leaving.wait()
        except TimeoutError:
            pass  # The server may leave the closing to us.
        finally:
            line = "disconnected" if not packet.reason_code else f"disconnected, {_disconnect_label(packet.reason_code, self.version)}"
            self._over(Ended(by_user=True, line=line if link.tap.idle else "closed; DISCONNECT could not leave"))

    def cut(self) -> None:
        """Close without DISCONNECT."""
        will = ", so that the will fires" if self.options.connect.will is not None else ""
        self._over(Ended(by_user=True, line=f"cut without DISCONNECT{will}"), hard=True)

    # What the link tells

    def packet_received(self, packet: Packet, mono: int) -> None:
        """See LinkEvents."""
        match packet:
            case Publish():
                if self.watching is not None:
                    self.watching.message(packet, mono)
            case Ack():
                self._parts.publishing.acknowledged(packet, mono)
            case Connack() if self._connack is None:
                self._connack_received(packet, mono)
            case Suback():
                self._parts.subscriptions.subacked(packet, self.version)
            case Unsuback():
                self._parts.subscriptions.unsubacked(packet, self.version)
            case Pingresp():
                if self.keep_alive is not None:
                    self.keep_alive.answered(mono)
            case Disconnect() if self.version is Version.V5:
                self._server_disconnect(packet)
            case Auth() if self.version is Version.V5 or not self.accepted:
                self._login.received(packet)
            case _:
                pass  # Nothing a server may send: the packet list says so.

    def _send_auth(self, packet: Auth) -> None:
        if self.link is not None:
            self.link.send(encode(packet, self.version))
            self._login.wait()

    def _challenged(self, challenge: Challenge | None) -> None:
        self._parts.change(challenge=challenge)
        if self.open:
            self._login.wait()

    def malformed_received(self, kind: PacketType, raw: bytes) -> None:
        """See LinkEvents."""
        if kind is PacketType.CONNACK and self._connack is None:
            self._over(Ended(errors.malformed_connack()))

    def head_received(self, head: bytes) -> None:
        """See LinkEvents."""
        self._head = head
        failure = errors.foreign(head)
        if failure is not None and self._connack is None:
            self._over(Ended(failure))

    def framing_failed(self, error: FramingError) -> None:
        """See LinkEvents."""
        self._over(Ended(errors.framing(error.text, "" if self.accepted else "connack")))

    def eof_received(self) -> None:
        """See LinkEvents."""
        if self._leaving is not None:
            self._leaving.set()
        else:
            self._over(self._lost(None))

    def connection_lost(self, reason: Exception | None) -> None:
        """See LinkEvents."""
        if self._leaving is not None:
            self._leaving.set()
        else:
            self._over(self._lost(reason))

    def _lost(self, reason: Exception | None) -> Ended:
        if self._farewell is not None:
            return self._farewell
        if self._connack is None:
            return Ended(errors_ends.closed_before_connack(reason, self.options, self._seen))
        return Ended(errors_ends.lost(reason, self._before(time.monotonic_ns())))

    def _before(self, now: int) -> errors_ends.Before:
        what, when = self._last_sent
        since = now - when
        quiet = (now - self.link.tap.last_out) / 1e9 if self.link is not None else 0.0
        client_id = shorten(visible(self.options.connect.client_id), 60)
        return errors_ends.Before(client_id, what if since <= _JUST_SENT_NS else "", since / 1e9, quiet, self._seconds)

    # CONNACK

    def _connack_received(self, packet: Connack, mono: int) -> None:
        self._connack = packet
        self._parts.change(connack=packet)
        if packet.code:
            if self._steps.running == "connect":  # The answer was faster than the news that CONNECT has left.
                self._steps.done("connect")
            self._over(Ended(errors.refused(packet, self.version)))
            return
        try:
            self._login.accepted(packet.properties)
        except AuthenticationError as error:
            self._over(Ended(errors.authentication_failed(str(error), "connack")), hard=True)
            return
        session = "session present" if packet.session_present else "new session"
        self._steps.done("connack", "accepted" if self.version is Version.V31 else session, mono)
        self.accepted = True
        # gmqtt sends unacknowledged publishes again in the loop's next round; whatever we send comes after them.
        asyncio.get_running_loop().call_soon(self._begin_session, packet)

    def _begin_session(self, packet: Connack) -> None:
        link = self.link
        if link is None or self._is_over:
            return
        connect, properties = self.options.connect, packet.properties
        limits = limits_of(properties, self.version)
        self._seconds = seconds = replies.number(properties, PropertyId.SERVER_KEEP_ALIVE, connect.keep_alive)
        self.session_ends = session_ends(connect, packet, self.version)
        self.keep_alive = KeepAlive(
            link,
            seconds,
            warn=lambda text: self.warn("ping", text),
            measured=lambda ms: self._parts.change(ping_ms=ms),
            dead=lambda silent: self._over(Ended(errors.keep_alive(silent))),
        )
        aliases = replies.number(connect.properties, PropertyId.TOPIC_ALIAS_MAXIMUM, 0) > 0
        self.watching = Watching(link, self.version, self._parts.subscriptions, self._parts.report, aliases=aliases)
        self._parts.change(
            phase=Phase.CONNECTED,
            client_id=visible(self.client_id),
            keep_alive=seconds,
            receive_maximum=limits.receive_maximum,
            maximum_packet_size=limits.maximum_packet_size,
            attempt=0,
        )
        self._parts.subscriptions.connected(packet.session_present or self._silent_session, said=not self._silent_session)
        self._parts.publishing.connected(link, self.version, limits)
        self._parts.accepted(self)

    def _server_disconnect(self, packet: Disconnect) -> None:
        if self._farewell is None and self._leaving is None:
            code = packet.reason_code or 0
            self.ended_at = time.monotonic_ns()
            self._farewell = Ended(errors.server_disconnect(code, packet.properties or (), self.version), code=code)
            self._later(LINGER, lambda: self._over(self._farewell or Ended()))

    # The end

    def _over(self, ended: Ended, *, hard: bool = False) -> None:
        """The one end of everything; `hard` closes at once, without what is still to leave."""
        if self._is_over:
            return
        self._is_over = True
        self.ended_at = self.ended_at or time.monotonic_ns()
        if not self._end.done():  # Cancelling `run` cancels the future.
            self._end.set_result(ended)
        self._stop()
        self._login.stop()
        if self._tcp is not None:
            self._tcp.stop()
        for timer in self._timers:
            timer.cancel()
        if ended.failure is not None and ended.failure.step:
            step = self._steps.running if ended.failure.step == "connack" else ended.failure.step
            self._steps.fail(step or ended.failure.step, ended.failure.detail or ended.failure.title)
        elif (running := self._steps.running) and not self.accepted:
            self._steps.fail(running, ended.text)
        link = self.link
        if link is not None:
            if hard or not link.tap.idle:
                link.abort()
            else:
                link.close()
            link.finish(ended.text)
        self._parts.change(warning="", ping_ms=None, challenge=None, misbehaving=False)

    def _stop(self) -> None:
        if self.keep_alive is not None:
            self.keep_alive.stop()

    def _later(self, seconds: float, callback: Callable[[], None]) -> None:
        self._timers.append(asyncio.get_running_loop().call_later(seconds, callback))

    def warn(self, key: str, text: str) -> None:
        """Something that is said while the connection stands; an empty text takes it back."""
        if not self._is_over:
            self._warnings[key] = text
            self._parts.change(warning="; ".join(text for text in self._warnings.values() if text))

    def _steps_changed(self, steps: tuple[Step, ...]) -> None:
        self._parts.change(steps=steps)


def _disconnect_label(code: int, version: Version) -> str:
    return replies.explain(code, (), PacketType.DISCONNECT, version).label
