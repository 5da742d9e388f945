"""What all connections share: sessions, subscriptions, retained messages, wills. Everything runs on one loop."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from typing import Protocol

from mqtttui.demo.limits import Limits
from mqtttui.demo.messages import Delivery, Message, number, raw
from mqtttui.demo.misbehaviour import Misbehaviour
from mqtttui.demo.retained import Retained
from mqtttui.demo.session import FOREVER, Session
from mqtttui.demo.subscriptions import Subscription, Subscriptions, retained_applies
from mqtttui.protocol.enums import PropertyId, Version
from mqtttui.protocol.packets import Connect, Will

SESSION_LIMIT = 1_000
"""Sessions without a connection; the one that was left longest ago goes first."""


@dataclass(slots=True)
class Totals:
    """Counted since the start, for `$SYS`."""

    messages_received: int = 0
    """Control packets of any type."""
    messages_sent: int = 0
    bytes_received: int = 0
    bytes_sent: int = 0
    publishes_received: int = 0
    publishes_sent: int = 0
    publishes_dropped: int = 0
    clients_maximum: int = 0


class Local(Protocol):
    """A client inside the process: a simulated device."""

    client_id: str
    online: bool

    def receive(self, message: Message) -> None:
        """A message for it."""


class Connected(Protocol):
    """A client's connection, as far as the broker as a whole deals with it."""

    def end(self, code: int, text: str) -> None:
        """Says why (in v5) and closes."""

    def reset(self) -> None:
        """RST."""


Holder = Session | Local


class Core:
    """The broker without its sockets."""

    def __init__(self, loop: asyncio.AbstractEventLoop, limits: Limits, misbehaviour: Misbehaviour) -> None:
        self.loop = loop
        self.limits = limits
        self.misbehaviour = misbehaviour
        """Read anew for every packet, so that a test can change its mind."""
        self.connections: set[Connected] = set()
        self.deserted = asyncio.Event()
        """Set when the last connection is gone."""
        self.started = loop.time()
        self.local_clients: set[Local] = set()
        self.sessions: dict[str, Session] = {}
        self.subscriptions: Subscriptions[Holder] = Subscriptions()
        self.retained = Retained()
        self.totals = Totals()

    @property
    def connected(self) -> int:
        """How many clients are connected now."""
        return sum(session.online for session in self.sessions.values())

    def connection_lost(self, connection: Connected) -> None:
        """The socket of a connection is closed."""
        self.connections.discard(connection)
        if not self.connections:
            self.deserted.set()

    def open_session(self, connect: Connect, client_id: str) -> tuple[Session, bool]:
        """The session for a CONNECT, and whether it was there before (Session Present, section 3.1.2.4).

        The caller has ended an earlier connection of this client.
        """
        session = self.sessions.get(client_id)
        if session is not None and connect.clean:
            self.end_session(session)
            session = None
        present = session is not None
        if session is None:
            session = self.sessions[client_id] = Session(client_id, self.loop)
        session.will = connect.will
        session.expiry = _expiry(connect)
        return session, present

    def leave_session(self, session: Session, *, send_will: bool) -> None:
        """The client is gone: its will is published or scheduled, its session ends now, later or never."""
        session.detach()
        # To the end of the dict: the sessions left longest ago stand first.
        self.sessions.pop(session.client_id)
        self.sessions[session.client_id] = session
        if not send_will:
            session.will = None
        if session.will is not None:
            delay = min(number(session.will.properties, PropertyId.WILL_DELAY_INTERVAL) or 0, session.expiry)
            if delay == 0:
                self._fire_will(session)
            else:
                session.timers.append(self.loop.call_later(delay, self._fire_will, session))
        if session.expiry == 0:
            self.end_session(session)
        elif session.expiry != FOREVER:
            session.timers.append(self.loop.call_later(session.expiry, self.end_session, session))
        self._limit_sessions()

    def end_session(self, session: Session) -> None:
        """Forgets a session; a will that was waiting is published now [MQTT-3.1.2-8]."""
        for timer in session.timers:
            timer.cancel()
        session.timers.clear()
        self.sessions.pop(session.client_id, None)
        self.subscriptions.remove_all(session)
        self._fire_will(session)

    def new_client_id(self) -> str:
        """A client id for a client that came without one."""
        return f"auto-{secrets.token_hex(6)}"

    def publish(self, message: Message) -> int:
        """Retains a message if it says so and hands it to everybody who subscribed; to how many."""
        if message.retain:
            self.retained.store(message)
        recipients = self.subscriptions.recipients(message)
        for holder, delivery in recipients:
            if isinstance(holder, Session):
                holder.deliver(delivery)
            else:
                holder.receive(message)
        return len(recipients)

    def send_retained(self, session: Session, subscription: Subscription, *, new: bool, retain_handling: int) -> None:
        """What a SUBSCRIBE brings at once: retained messages, with RETAIN set [MQTT-3.3.1-8]."""
        if not retained_applies(subscription, new, retain_handling):
            return
        identifiers = () if subscription.identifier is None else (subscription.identifier,)
        for message in self.retained.matching(subscription.filter, self.loop.time()):
            if not (subscription.no_local and message.publisher == session.client_id):
                session.deliver(Delivery(message, min(message.qos, subscription.qos), retain=True, identifiers=identifiers))

    def publish_will(self, will: Will, client_id: str) -> None:
        """Publishes a will message as if the client had sent it now."""
        self.publish(message_of(will, client_id, self.loop.time()))

    def _fire_will(self, session: Session) -> None:
        will, session.will = session.will, None
        if will is not None:
            self.publish_will(will, session.client_id)

    def _limit_sessions(self) -> None:
        while len(self.sessions) - self.connected > SESSION_LIMIT:
            self.end_session(next(session for session in self.sessions.values() if not session.online))


def message_of(will: Will, client_id: str, now: float) -> Message:
    """The message that a will becomes at `now` (loop time)."""
    return Message.of(raw(will.topic), will.payload, will.qos, now, retain=will.retain, properties=will.properties, publisher=client_id)


def _expiry(connect: Connect) -> int:
    """Seconds that the session outlives the connection; in MQTT 3 none or for ever."""
    if connect.version is Version.V5:
        return number(connect.properties, PropertyId.SESSION_EXPIRY_INTERVAL) or 0
    return 0 if connect.clean else FOREVER
