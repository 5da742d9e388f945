"""A client's session: what outlives its connections (MQTT 5, section 4.1).

Messages at QoS 1 and 2 go through here. A `Flight` is a message on its way to the client, under its packet identifier:

    PUBLISH sent --PUBACK--> done                     QoS 1
    PUBLISH sent --PUBREC--> PUBREL sent --PUBCOMP--> done   QoS 2

At most `window` flights are sent and unfinished at a time (the client's Receive Maximum); the rest waits in `queue`. On
a new connection all flights are sent again in their order, PUBLISH with DUP [MQTT-4.4.0-1].
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Protocol

from mqtttui.demo.codes import Code
from mqtttui.demo.messages import Delivery
from mqtttui.protocol.enums import PacketType, Version
from mqtttui.protocol.packets import Ack, Will

QUEUE_LIMIT = 1_000
"""Messages that wait for a client; more are dropped and counted."""
FOREVER = 0xFFFFFFFF
WINDOW_OF_MQTT_3 = 20
"""MQTT 3 has no Receive Maximum; this many QoS 1 and 2 messages go out at a time."""
LARGEST_WINDOW = 1_000
"""Whatever a client allows."""


class Link(Protocol):
    """What a session needs of the connection of its client."""

    congested: bool
    """The client does not read fast enough: no messages for now."""

    @property
    def version(self) -> Version:
        """That of the client."""

    def send_ack(self, ack: Ack) -> None:
        """Sends PUBREL."""

    def send_publish(self, delivery: Delivery, packet_id: int | None, *, dup: bool) -> bool:
        """Sends a message; False if the client does not take a packet of that size."""

    def take_over(self) -> None:
        """Another connection of the same client takes its place: says so and closes, at once."""


@dataclass(slots=True)
class Flight:
    """A message on its way; see the module's head."""

    delivery: Delivery
    sent: bool = False
    """On the present connection."""
    again: bool = False
    """It was sent on an earlier connection: DUP."""
    released: bool = False
    """PUBREC came: what is to send is PUBREL."""


class Session:
    """State of one client id."""

    def __init__(self, client_id: str, loop: asyncio.AbstractEventLoop) -> None:
        self.client_id = client_id
        self.link: Link | None = None
        self.window = WINDOW_OF_MQTT_3
        self.expiry = 0
        """Seconds that it outlives its connection."""
        self.incoming: set[int] = set()
        """Packet identifiers of QoS 2 messages received and not yet released."""
        self.will: Will | None = None
        """Published when the connection ends without a clean DISCONNECT."""
        self.timers: list[asyncio.TimerHandle] = []
        """Will delay and expiry, while no client is connected."""
        self.dropped = 0
        self.queue: deque[Delivery] = deque()
        self.flights: dict[int, Flight] = {}
        self._loop = loop
        self._last_id = 0
        self._sent = 0

    @property
    def online(self) -> bool:
        """Whether its client is connected."""
        return self.link is not None

    def attach(self, link: Link, window: int) -> None:
        """A client has connected; `resume` follows once it has its CONNACK."""
        self.link = link
        self.window = min(window, LARGEST_WINDOW)
        for timer in self.timers:
            timer.cancel()
        self.timers.clear()

    def resume(self) -> None:
        """Sends again what was unfinished, then what waited."""
        self._sent = 0
        for flight in self.flights.values():
            flight.again = flight.again or flight.sent
            flight.sent = False
        self.pump()

    def detach(self) -> None:
        """The connection is gone."""
        self.link = None

    def deliver(self, delivery: Delivery) -> None:
        """Sends a message now, when the window allows, or when the client is back. QoS 0 is not kept."""
        if delivery.qos == 0:
            if self.link is not None:
                self.link.send_publish(delivery, None, dup=False)
        elif len(self.queue) >= QUEUE_LIMIT:
            self.dropped += 1
        else:
            self.queue.append(delivery)
            self.pump()

    def pump(self) -> None:
        """Sends what the window allows."""
        if self.link is None or self.link.congested:
            return
        if self._sent < len(self.flights):
            for packet_id, flight in list(self.flights.items()):
                if not flight.sent and self._sent < self.window:
                    self._send(self.link, packet_id, flight)
        while self.queue and self._sent < self.window:
            delivery = self.queue.popleft()
            if delivery.message.expired(self._loop.time()):
                continue
            packet_id = self._next_id()
            self.flights[packet_id] = flight = Flight(delivery)
            self._send(self.link, packet_id, flight)

    def acknowledged(self, ack: Ack) -> bool:
        """PUBACK, PUBREC or PUBCOMP of the client; False if it is not the one that its QoS asks for."""
        flight = self.flights.get(ack.packet_id)
        if flight is None:
            # A client that lost its session state may ask: the flow is ended for it (section 4.3.3).
            if ack.type is PacketType.PUBREC:
                self._release(ack.packet_id, Code.PACKET_ID_NOT_FOUND)
            return True
        match ack.type:
            case PacketType.PUBACK if flight.delivery.qos == 1:
                self._finish(ack.packet_id)
            case PacketType.PUBREC if flight.delivery.qos == 2 and (ack.reason_code or 0) >= Code.FAILURE:
                self._finish(ack.packet_id)
            case PacketType.PUBREC if flight.delivery.qos == 2:
                flight.released = True
                self._release(ack.packet_id)
            case PacketType.PUBCOMP if flight.released:
                self._finish(ack.packet_id)
            case _:
                return False
        return True

    def _send(self, link: Link, packet_id: int, flight: Flight) -> None:
        flight.sent = True
        self._sent += 1
        if flight.released:
            self._release(packet_id)
        elif not link.send_publish(flight.delivery, packet_id, dup=flight.again):
            # Too large for this client: done with, as if it had been delivered [MQTT-3.1.2-25].
            self._sent -= 1
            del self.flights[packet_id]
            self.dropped += 1

    def _release(self, packet_id: int, code: int = 0) -> None:
        if self.link is not None:
            known = self.link.version is Version.V5 and code
            self.link.send_ack(Ack(PacketType.PUBREL, packet_id, code if known else None))

    def _finish(self, packet_id: int) -> None:
        if self.flights.pop(packet_id).sent:
            self._sent -= 1
        self.pump()

    def _next_id(self) -> int:
        while True:
            self._last_id = self._last_id % 0xFFFF + 1
            if self._last_id not in self.flights:
                return self._last_id
