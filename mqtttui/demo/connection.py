"""The receiving half of a connection: bytes become packets, each is handled and answered.

A client that breaks the rules gets a DISCONNECT with the reason (MQTT 5) and is closed: handlers raise `Violation` for
that. Nothing that a client sends ends anything but its own connection.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from mqtttui.demo import authentication, handshake, refusals, subscribing
from mqtttui.demo.aliases import Aliases
from mqtttui.demo.codes import Code
from mqtttui.demo.core import Core
from mqtttui.demo.messages import Delivery, Message, number
from mqtttui.demo.outbox import Outbox
from mqtttui.demo.session import WINDOW_OF_MQTT_3, Session
from mqtttui.demo.violations import (
    Violation,
    check_properties,
    check_publish,
)
from mqtttui.protocol.enums import PacketType, PropertyId, Version
from mqtttui.protocol.framing import Framer
from mqtttui.protocol.packets import (
    Ack,
    Auth,
    Connect,
    Disconnect,
    Packet,
    Pingreq,
    Pingresp,
    Properties,
    Publish,
    Subscribe,
    Unsubscribe,
    packet_type,
)
from mqtttui.protocol.parse import parse
from mqtttui.protocol.wire import read_vbi

LINGER = 2.0
"""Seconds that a closed connection may take to get rid of its last bytes."""


class Connection(asyncio.Protocol):
    """One client."""

    def __init__(self, core: Core) -> None:
        self.congested = False
        self._core = core
        self._outbox: Outbox
        self._transport: asyncio.Transport
        self._framer = Framer(core.limits.maximum_packet_size)
        self._session: Session | None = None
        self._aliases = Aliases(core.limits.topic_alias_maximum)
        self._exchange: authentication.Exchange | None = None
        """The enhanced authentication that the client began with."""
        self._greeting: Connect | None = None
        """Its CONNECT, as long as that goes on."""
        self._again = False
        """It is done once more, on the open connection."""
        self._closing = False
        self._last_packet = 0.0
        self._patience: float | None = core.limits.connect_timeout
        self._timer: asyncio.TimerHandle | None = None

    @property
    def version(self) -> Version:
        """That of its CONNECT."""
        return self._outbox.version

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come; it has some seconds for its CONNECT."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._outbox = Outbox(transport, self._core)
        self._core.connections.add(self)
        self._last_packet = self._core.loop.time()
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Bytes of the client."""
        if self._closing:
            return
        self._core.totals.bytes_received += len(data)
        batch = self._framer.feed(data)
        for packet in batch.packets():
            self._received(packet)
        if batch.error is not None:
            head = self._framer.pending
            too_large = read_vbi(head, 1, len(head)).problem is None
            self.end(Code.PACKET_TOO_LARGE if too_large else Code.MALFORMED, batch.error.text)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone, by its own will or ours."""
        self._leave(send_will=True)
        self._core.connection_lost(self)

    def pause_writing(self) -> None:
        """The client does not read: hold its messages, and take no more work from it."""
        self.congested = True
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """It reads again."""
        self.congested = False
        if not self._closing and not (self._core.misbehaviour.deaf and self._session is not None):
            self._transport.resume_reading()
        if self._session is not None:
            self._session.pump()

    # What a session and the broker call.

    def send_ack(self, ack: Ack) -> None:
        """PUBREL to the client."""
        self._outbox.acknowledge(ack.type, ack.packet_id, ack.reason_code or 0)

    def send_publish(self, delivery: Delivery, packet_id: int | None, *, dup: bool) -> bool:
        """A message to the client; at QoS 0 it is dropped if the client does not keep up."""
        if self.congested and packet_id is None:
            self._core.totals.publishes_dropped += 1
            return True
        return self._outbox.publish(delivery, packet_id, dup=dup)

    def take_over(self) -> None:
        """Another connection of the same client takes this one's place [MQTT-3.1.4-3]."""
        self.end(Code.SESSION_TAKEN_OVER, "another client has connected with this client id")

    def end(self, code: int, text: str) -> None:
        """Closes the connection and says why, where the version has a way to."""
        if self._closing:
            return
        if self._session is not None:
            self._outbox.disconnect(code, text)
        self._close()

    def reset(self) -> None:
        """RST."""
        self._closing = True
        self._outbox.reset()
        self._leave(send_will=True)

    # Receiving.

    def _received(self, data: bytes) -> None:
        if self._closing:
            return
        self._last_packet = self._core.loop.time()
        self._core.totals.messages_received += 1
        kind = PacketType(data[0] >> 4)
        misbehaviour = self._core.misbehaviour
        if kind in misbehaviour.reset_on:
            self.reset()
            return
        if kind in misbehaviour.close_on:
            self._close()
            return
        packet = parse(data, self.version)
        try:
            if self._session is None:
                self._greeted(packet, data)
            elif packet is None:
                raise Violation(Code.MALFORMED, f"this {kind.name} is malformed")
            else:
                self._handle(packet, self._session)
        except Violation as violation:
            self.end(violation.code, violation.text)

    def _greeted(self, packet: Packet | None, data: bytes) -> None:
        """The first packet must be a CONNECT [MQTT-3.1.0-1]; those of its authentication follow."""
        if self._greeting is not None:
            self._go_on(packet, self._greeting)
            return
        if not isinstance(packet, Connect):
            self._outbox.send_raw(handshake.answer_to_unreadable(data))
            self._close()
            return
        try:
            handshake.check(packet, self._core.limits)
            method = authentication.method_of(packet.properties)
            self._exchange = authentication.Exchange(method) if method is not None else None
            done, answer = self._exchange.step(packet.properties) if self._exchange is not None else (True, ())
        except Violation as violation:
            self._refuse(packet, violation)
            return
        if done:
            self._accept(packet, answer)
        else:
            self._greeting = packet
            self._patience = authentication.SECONDS
            self._outbox.configure(packet)
            self._outbox.send(Auth(authentication.CONTINUE, answer))
            self._watch()

    def _go_on(self, packet: Packet | None, connect: Connect) -> None:
        """The next packet of an authentication that CONNECT began."""
        assert self._exchange is not None
        try:
            if not isinstance(packet, Auth):
                raise Violation(Code.PROTOCOL_ERROR, "nothing but AUTH or DISCONNECT goes on with the exchange")  # [MQTT-4.12.0-4]
            authentication.belongs(packet, self._exchange, authentication.CONTINUE)
            done, answer = self._exchange.step(packet.properties or ())
        except Violation as violation:
            self._refuse(connect, violation)
            return
        if done:
            self._greeting = None
            self._accept(connect, answer)
        else:
            self._outbox.send(Auth(authentication.CONTINUE, answer))

    def _authenticate_again(self, packet: Auth) -> None:
        if self._exchange is None:
            raise Violation(Code.PROTOCOL_ERROR, "AUTH without a method in CONNECT")  # [MQTT-4.12.0-6]
        authentication.belongs(packet, self._exchange, authentication.CONTINUE if self._again else authentication.REAUTHENTICATE)
        if not self._again:
            self._exchange = authentication.Exchange(self._exchange.method)
        done, answer = self._exchange.step(packet.properties or ())
        self._again = not done
        self._outbox.send(Auth(0 if done else authentication.CONTINUE, answer))

    def _refuse(self, connect: Connect, violation: Violation) -> None:
        self._outbox.configure(connect)
        connack = handshake.refused(violation, connect.version)
        if connack is not None:
            self._outbox.send(connack)
        self._close()

    def _accept(self, connect: Connect, proof: Properties = ()) -> None:
        """`proof`: properties of CONNACK that end an authentication."""
        core = self._core
        misbehaviour = core.misbehaviour
        self._outbox.configure(connect)
        assigned = "" if connect.client_id else core.new_client_id()
        if misbehaviour.codes.get(PacketType.CONNACK):
            self._outbox.send(handshake.accepted(connect, core.limits, assigned="", present=False))
            self._close()
            return
        client_id = assigned or str(connect.client_id)
        earlier = core.sessions.get(client_id)
        if earlier is not None and earlier.link is not None:
            earlier.link.take_over()
        self._session, present = core.open_session(connect, client_id)
        otherwise = 0xFFFF if connect.version is Version.V5 else WINDOW_OF_MQTT_3
        self._session.attach(self, number(connect.properties, PropertyId.RECEIVE_MAXIMUM) or otherwise)
        core.totals.clients_maximum = max(core.totals.clients_maximum, core.connected)
        self._keep_alive(connect)
        if misbehaviour.instead_of_connack is None:
            connack = handshake.accepted(connect, core.limits, assigned=assigned, present=present)
            self._outbox.send(replace(connack, properties=(*connack.properties, *proof)))
        else:
            self._outbox.send_raw(misbehaviour.instead_of_connack)
        self._outbox.send_raw(misbehaviour.after_connack)
        if misbehaviour.deaf:
            self._transport.pause_reading()
        self._session.resume()

    def _handle(self, packet: Packet, session: Session) -> None:
        match packet:
            case Publish():
                self._publish(packet, session)
            case Ack(type=PacketType.PUBREL):
                self._released(packet, session)
            case Ack():
                check_properties(packet.properties or (), packet.type)
                if not session.acknowledged(packet):
                    raise Violation(Code.PROTOCOL_ERROR, f"{packet.type.name} is not what this message waits for")
            case Subscribe():
                subscribing.subscribe(packet, session, self._core, self._outbox)
            case Unsubscribe():
                subscribing.unsubscribe(packet, session, self._core, self._outbox)
            case Pingreq():
                self._outbox.send(Pingresp())
            case Disconnect():
                self._disconnected(packet, session)
            case Auth():
                self._authenticate_again(packet)
            case Connect():
                raise Violation(Code.PROTOCOL_ERROR, "a second CONNECT")  # [MQTT-3.1.0-2]
            case _:
                raise Violation(Code.PROTOCOL_ERROR, f"{packet_type(packet).name} is not expected from a client here")

    def _publish(self, packet: Publish, session: Session) -> None:
        core = self._core
        check_publish(packet, self.version)
        if packet.qos > core.limits.maximum_qos:
            raise Violation(Code.QOS_NOT_SUPPORTED, "the QoS is above the Maximum QoS")  # [MQTT-3.2.2-11]
        if packet.retain and not core.limits.retain_available:
            raise Violation(Code.RETAIN_NOT_SUPPORTED, "retained messages are not available")  # [MQTT-3.2.2-14]
        core.totals.publishes_received += 1
        topic = self._aliases.topic(packet)
        packet_id = packet.packet_id or 0
        if packet.qos == 2 and packet_id in session.incoming:
            self._outbox.acknowledge(PacketType.PUBREC, packet_id)  # a repetition: it is published only once [MQTT-4.3.3-10]
            return
        unfinished = len(session.incoming) + (packet.qos > 0)
        if self.version is Version.V5 and unfinished > core.limits.receive_maximum:
            raise Violation(Code.RECEIVE_MAXIMUM_EXCEEDED, "more unfinished messages than the Receive Maximum")  # [MQTT-3.3.4-9]
        code, text = self._route(packet, topic, session)
        if packet.qos == 1:
            self._outbox.acknowledge(PacketType.PUBACK, packet_id, code, text)
        elif packet.qos == 2:
            if self.version is not Version.V5 or code < Code.FAILURE:
                session.incoming.add(packet_id)
            self._outbox.acknowledge(PacketType.PUBREC, packet_id, code, text)

    def _route(self, packet: Publish, topic: bytes, session: Session) -> tuple[int, str]:
        """Publishes unless it is refused; Reason Code and Reason String. MQTT 3 cannot refuse: the message is dropped."""
        refusal = refusals.of_publish(topic)
        if refusal is not None:
            self._core.totals.publishes_dropped += 1
            return refusal.code, refusal.text
        if number(packet.properties, PropertyId.PAYLOAD_FORMAT_INDICATOR) == 1 and not _is_utf8(packet.payload):
            return Code.PAYLOAD_FORMAT_INVALID, "the payload is no UTF-8, as the Payload Format Indicator says"
        message = Message.of(
            topic,
            packet.payload,
            packet.qos,
            self._core.loop.time(),
            retain=packet.retain,
            properties=packet.properties,
            publisher=session.client_id,
        )
        return (0, "") if self._core.publish(message) else (Code.NO_MATCHING_SUBSCRIBERS, "")

    def _released(self, packet: Ack, session: Session) -> None:
        check_properties(packet.properties or (), packet.type)
        known = packet.packet_id in session.incoming
        session.incoming.discard(packet.packet_id)
        self._outbox.acknowledge(PacketType.PUBCOMP, packet.packet_id, 0 if known else Code.PACKET_ID_NOT_FOUND)

    def _disconnected(self, packet: Disconnect, session: Session) -> None:
        """The client says good-bye; only reason 0 forgets the will [MQTT-3.14.4-3]."""
        properties = packet.properties or ()
        check_properties(properties, PacketType.DISCONNECT)
        expiry = number(properties, PropertyId.SESSION_EXPIRY_INTERVAL)
        if expiry and session.expiry == 0:
            raise Violation(Code.PROTOCOL_ERROR, "the session expiry was 0 in CONNECT and stays so")  # [MQTT-3.14.2-3]
        if expiry is not None:
            session.expiry = expiry
        self._close(send_will=bool(packet.reason_code))

    # Ending.

    def _keep_alive(self, connect: Connect) -> None:
        """One and a half times the keep-alive may pass without a packet [MQTT-3.1.2-22]."""
        seconds = connect.keep_alive
        if connect.version is Version.V5 and self._core.limits.server_keep_alive is not None:
            seconds = self._core.limits.server_keep_alive
        self._patience = seconds * 1.5 if seconds else None
        self._watch()

    def _watch(self) -> None:
        """Ends the connection when the client has been quiet for too long; else looks again when that could be."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._patience is None or self._closing:
            return
        quiet = self._core.loop.time() - self._last_packet
        if quiet < self._patience:
            self._timer = self._core.loop.call_later(self._patience - quiet, self._watch)
        else:
            self.end(Code.KEEP_ALIVE_TIMEOUT, f"nothing was heard for {self._patience:g} s, 1.5 times the keep-alive")

    def _close(self, *, send_will: bool = True) -> None:
        self._closing = True
        self._outbox.close()
        self._leave(send_will=send_will)
        # A client that does not read its last bytes would keep the socket for ever.
        self._core.loop.call_later(LINGER, self._transport.abort)

    def _leave(self, *, send_will: bool) -> None:
        """Lets go of the session, once."""
        self._closing = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        session, self._session = self._session, None
        if session is not None:
            self._core.leave_session(session, send_will=send_will)


def _is_utf8(payload: bytes) -> bool:
    try:
        payload.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
