"""One network connection with gmqtt as its QoS engine. The only module that imports gmqtt (0.8, private names included).

What gmqtt does here, and all that it does:

1. It chooses packet identifiers (`id_generator`) and takes them back when the exchange is over.
2. It answers PUBLISH QoS 1 and 2, PUBREC and PUBREL, unless `answers` says otherwise.
3. It keeps our QoS 1 and 2 publishes until they are acknowledged, and sends them again after a CONNACK with Session Present.

It never encodes anything else, never parses what the server sent, never reconnects and never pings. Bytes are recorded and
framed first; this module then decides what gmqtt gets to see, as minimal well-formed packets. tests/client/test_gmqtt_contract.py
pins every name used.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from gmqtt.client import Client
from gmqtt.mqtt.connection import MQTTConnection
from gmqtt.mqtt.package import Package
from gmqtt.storage import PersistentStorage

from mqtttui.capture.recorder import Recorder
from mqtttui.client.answers import Answers
from mqtttui.client.gmqtt_log import quiet_gmqtt
from mqtttui.client.layer import Layer
from mqtttui.client.link_packets import identifier, parse_inbound, publish_identifier, with_dup
from mqtttui.client.tap import HandedOver, Tap
from mqtttui.protocol.enums import Direction, PacketType, Version
from mqtttui.protocol.framing import Batch, Framer, FramingError
from mqtttui.protocol.packets import Ack, Connack, Packet, Publish, Suback, Unsuback, encode
from mqtttui.protocol.parse import parse

_QOS0_PUBLISH = bytes([0x30, 0x31, 0x38, 0x39])
_HEAD = 16
_FAILURE = 0x80
_TOPIC = b"\x00\x01t"
"""Stands for the topic of a PUBLISH that gmqtt is to acknowledge."""


class LinkEvents(Protocol):
    """Who hears what the link decided is of interest. Nothing here is called after `Link.finish`."""

    def packet_received(self, packet: Packet, mono: int) -> None:
        """A well-formed packet of the server; PUBLISH only while `Link.watching`."""

    def malformed_received(self, kind: PacketType, raw: bytes) -> None:
        """A framed packet that is not well-formed. It is in the log; gmqtt has not seen it."""

    def head_received(self, head: bytes) -> None:
        """The first bytes of the server, again whenever more of them came, up to 16."""

    def framing_failed(self, error: FramingError) -> None:
        """The server's bytes cannot be cut into packets any more."""

    def eof_received(self) -> None:
        """The server sends no more."""

    def connection_lost(self, reason: Exception | None) -> None:
        """The connection is over; None after our own close."""


class Store(PersistentStorage):
    """Own QoS 1 and 2 publishes without their last acknowledgement; outlives the connections of a session."""

    def __init__(self, cleared: Callable[[tuple[int, ...]], None]) -> None:
        """`cleared` gets the identifiers of what is given up, when the server turns out to have no session."""
        super().__init__()  # type: ignore[no-untyped-call]
        self._cleared = cleared

    def get_all(self) -> list[tuple[int, bytes]]:
        """What gmqtt sends again: PUBLISH with DUP [MQTT-3.3.1-1], PUBREL as it is."""
        return [(mid, with_dup(raw)) for mid, raw in super().get_all()]  # type: ignore[no-untyped-call]

    def clear(self) -> None:
        """Give everything up, and say so."""
        ids = self.ids
        super().clear()  # type: ignore[no-untyped-call]
        if ids:
            self._cleared(ids)

    @property
    def ids(self) -> tuple[int, ...]:
        """Identifiers in the order of sending."""
        return tuple(self._messages)

    def get(self, mid: int) -> bytes | None:
        """What is kept for an identifier: the PUBLISH, or after PUBREC the PUBREL."""
        raw: bytes | None = self._messages.get(mid)
        return raw

    def drop(self, mid: int) -> None:
        """Keep nothing for an identifier any more."""
        self.remove_message_by_mid(mid)  # type: ignore[no-untyped-call]

    @property
    def count(self) -> int:
        """How many are in flight."""
        return len(self._messages)

    def expects(self, mid: int, kind: PacketType) -> bool:
        """Whether `kind` is an answer that the flow of `mid` can get now."""
        raw = self._messages.get(mid)
        if raw is None:
            return False
        if raw[0] >> 4 == PacketType.PUBREL:
            return kind in (PacketType.PUBREC, PacketType.PUBCOMP)
        return kind is (PacketType.PUBACK if raw[0] & 6 == 2 else PacketType.PUBREC)


class _Dialed:
    """What gmqtt takes for an event loop: its one method hands over the connection that stands already."""

    def __init__(self, tap: Tap) -> None:
        self._tap = tap

    async def create_connection(self, protocol_factory: Callable[[], Any], host: str, port: int, ssl: object = None) -> tuple[Tap, Any]:
        """Put gmqtt's protocol on our transport. The protocol hears of no byte: packets reach gmqtt by `put_package`."""
        protocol = protocol_factory()
        protocol.connection_made(self._tap)
        return self._tap, protocol


class Link(Client):
    """One connection from CONNECT to its end."""

    def __init__(
        self,
        version: Version,
        store: Store,
        events: LinkEvents,
        *,
        assume_session: bool = False,
        answers: Answers | None = None,
        everything: bool = False,
    ) -> None:
        """`assume_session`: replay whatever CONNACK says; MQTT 3.1 has no Session Present to say it with.

        `everything`: PUBLISH packets are handed to `packet_received` from the first one on.
        """
        quiet_gmqtt()
        super().__init__("unused", persistent_storage=store)  # type: ignore[no-untyped-call]
        self._version = version
        self._store = store
        self._events = events
        self._tap: Tap | None = None
        self._protocol: Any = None
        self._connection_state.protocol_version = int(version)
        self._assume_session = assume_session
        self._accepted = False
        self._finished = False
        self._head = b""
        self._requests: dict[int, PacketType] = {}
        self._by_hand: dict[int, tuple[PacketType, bytes]] = {}
        """Identifiers that packets made by hand use -> the answer that frees them, and the packet."""
        self.answers = answers or Answers(version)
        self._everything = everything
        self._watching = False
        for mid in store.ids:
            self.claim(mid)

    @property
    def watching(self) -> bool:
        """Whether PUBLISH packets are handed to `packet_received` too."""
        return self._watching or self._everything

    @watching.setter
    def watching(self, watching: bool) -> None:
        self._watching = watching

    async def reconnect(self, delay: bool = False) -> None:
        """Never: reconnects are the session's, and the user's choice."""

    async def _create_connection(self, host: str, port: int, ssl: object, clean_session: bool, keepalive: int) -> MQTTConnection:
        self._exit_reconnecting_state()  # type: ignore[no-untyped-call]
        self._package_handler.clear_topics_aliases()
        self._connack_received.clear()
        self._connection_lost.clear()
        connection: MQTTConnection = await MQTTConnection.create_connection(
            host,
            port,
            ssl,
            clean_session,
            keepalive,
            connection_state=self._connection_state,
            package_handler=self._package_handler,
            loop=_Dialed(self.tap),
            logger=self._logger,
        )
        return connection

    async def open(self, layer: Layer, recorder: Recorder) -> None:
        """Begin on a connection that stands. Nothing is sent."""
        self._tap = Tap(layer, recorder, self)
        connection = await self._create_connection("", 0, ssl=False, clean_session=True, keepalive=0)
        self._connection: Any = connection
        self._protocol = connection._protocol
        self._tap.start()

    @property
    def tap(self) -> Tap:
        """The transport; there from `open` on."""
        assert self._tap is not None, "open() comes first"
        return self._tap

    @property
    def closing(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._finished or self._tap is None or self._tap.is_closing()

    # Outbound

    def send(self, data: bytes, handed_over: HandedOver | None = None) -> None:
        """Send exactly `data`. Dropped if the link is closing."""
        if self.closing:
            return
        self._connection.send_package(data)
        if handed_over is not None:
            self.tap.when_handed_over(handed_over)

    def send_publish(self, data: bytes, mid: int, handed_over: HandedOver | None = None) -> None:
        """Send a PUBLISH of QoS 1 or 2 and keep it until it is acknowledged."""
        self.claim(mid)
        self._store.push_message(mid, data)  # type: ignore[no-untyped-call]
        self.send(data, handed_over)

    def send_request(self, data: bytes, mid: int, kind: PacketType) -> None:
        """Send a SUBSCRIBE or UNSUBSCRIBE; `mid` is free again when its answer came."""
        self.claim(mid)
        self._requests[mid] = kind
        self.send(data)

    def send_by_hand(self, data: bytes, handed_over: HandedOver | None = None) -> None:
        """Send exactly `data`. Identifiers of the packets in it are not given to others until their last answer came."""
        for raw in Framer().feed(data).packets():
            used = identifier(parse(raw, self._version))
            if used is not None and used[0] not in self._package_handler.id_generator._used_ids:
                self.claim(used[0])
                self._by_hand[used[0]] = (used[1], raw)
        self.send(data, handed_over)

    def step_by_hand(self, mid: int, step: str) -> bool:
        """Take the step `dup`, `pubrel` or `forget` for a PUBLISH made by hand; False if none with this identifier is open."""
        last, raw = self._by_hand.get(mid, (None, b""))
        if last not in (PacketType.PUBACK, PacketType.PUBCOMP):
            return False
        if step == "forget":
            del self._by_hand[mid]
            self.release(mid)
        else:
            self.send(with_dup(raw) if step == "dup" else encode(Ack(PacketType.PUBREL, mid), self._version))
        return True

    def send_again(self, mid: int) -> None:
        """Send what is kept for an identifier again, a PUBLISH with DUP."""
        raw = self._store.get(mid)
        if raw is not None:
            self.send(with_dup(raw))

    def send_release(self, mid: int) -> None:
        """Send the PUBREL of a publish, whether its PUBREC came or not, and keep it until PUBCOMP."""
        raw = encode(Ack(PacketType.PUBREL, mid), self._version)
        self._store.push_message(mid, raw)  # type: ignore[no-untyped-call]
        self.send(raw)

    def forget(self, mid: int) -> None:
        """Nothing more is sent for an own publish; answers to it belong to nothing from now on."""
        self._store.drop(mid)
        self.release(mid)

    def next_id(self) -> int:
        """A packet identifier that is not in use. Raises OverflowError if all are."""
        return int(self._package_handler.id_generator.next_id())

    def claim(self, mid: int) -> None:
        """Mark an identifier as used, whoever chose it."""
        self._package_handler.id_generator._used_ids.add(mid)

    def release(self, mid: int) -> None:
        """Mark an identifier as free: the packet that was to carry it is not sent."""
        self._package_handler.id_generator.free_id(mid)

    # Inbound: what the tap calls

    def batch_received(self, chunk: bytes, batch: Batch, mono: int) -> None:
        """Look at what was recorded. QoS 0 messages cost nothing here unless somebody watches."""
        if len(self._head) < _HEAD and not self._accepted:
            self._head = (self._head + chunk)[:_HEAD]
            self._events.head_received(self._head)
        if batch.ends and (self.watching or batch.firsts.strip(_QOS0_PUBLISH)):
            data, start = batch.data, 0
            for first, end in zip(batch.firsts, batch.ends, strict=True):
                if self._finished:
                    return
                if self.watching or first & 0xF6 != 0x30:
                    self._decide(bytes(data[start:end]), mono)
                start = end
        if batch.error is not None and not self._finished:
            self._events.framing_failed(batch.error)

    def eof_received(self) -> None:
        """The server's end."""
        if not self._finished:
            self._events.eof_received()

    def connection_lost(self, reason: Exception | None) -> None:
        """The connection's end."""
        if not self._finished:
            self._events.connection_lost(reason)

    def _decide(self, raw: bytes, mono: int) -> None:
        kind = PacketType(raw[0] >> 4)
        if kind is PacketType.PUBLISH:
            self._publish(raw, mono)
            return
        packet = parse_inbound(raw, self._version)
        if packet is None:
            self._events.malformed_received(kind, raw)
            return
        match packet:
            case Connack(code=0) if not self._accepted:
                self._accepted = True
                self._hand(0x20, bytes([packet.session_present or self._assume_session, 0]))
            case Ack(type=PacketType.PUBREL):
                if not self._answered_otherwise(PacketType.PUBCOMP, packet.packet_id, mono):
                    self._hand(0x62, packet.packet_id.to_bytes(2, "big"))
            case Ack() if self._store.expects(packet.packet_id, packet.type):
                code = bytes([packet.reason_code]) if packet.reason_code else b""
                self._hand(raw[0], packet.packet_id.to_bytes(2, "big") + code)
            case Ack():
                self._answered_by_hand(packet.packet_id, packet.type, failed=(packet.reason_code or 0) >= _FAILURE)
                return  # Belongs to nothing of ours: an answer to it could only do harm.
            case Suback() | Unsuback():
                asked = PacketType.SUBSCRIBE if isinstance(packet, Suback) else PacketType.UNSUBSCRIBE
                if self._requests.get(packet.packet_id) is not asked:
                    self._answered_by_hand(packet.packet_id, PacketType(raw[0] >> 4))
                    return
                del self._requests[packet.packet_id]
                nothing = b"\x00" if self._version is Version.V5 else b""
                self._hand(raw[0], packet.packet_id.to_bytes(2, "big") + nothing + b"\x00")
            case _:
                pass
        self._events.packet_received(packet, mono)

    def _publish(self, raw: bytes, mono: int) -> None:
        qos = raw[0] >> 1 & 3
        if qos in (1, 2) and self._accepted:
            mid = publish_identifier(raw)
            if mid is None:
                self._events.malformed_received(PacketType.PUBLISH, raw)
                return
            answer = PacketType.PUBACK if qos == 1 else PacketType.PUBREC
            if not self._answered_otherwise(answer, int.from_bytes(mid, "big"), mono):
                nothing = b"\x00" if self._version is Version.V5 else b""
                self._hand(raw[0], _TOPIC + mid + nothing)
        if self.watching:
            packet = parse(raw, self._version, Direction.S2C)
            if isinstance(packet, Publish):
                self._events.packet_received(packet, mono)

    def _answered_otherwise(self, answer: PacketType, mid: int, mono: int) -> bool:
        """What `answers` wants to leave instead of the plain `answer` has left, or is withheld."""
        instead = self.answers.instead(answer, mid, mono)
        if instead:
            self.send(instead)
        return instead is not None

    def _answered_by_hand(self, mid: int, kind: PacketType, *, failed: bool = False) -> None:
        """An answer that nothing of ours expects: it may free the identifier of a packet made by hand."""
        last = self._by_hand[mid][0] if mid in self._by_hand else None
        if last is kind or (failed and kind is PacketType.PUBREC and last is PacketType.PUBCOMP):
            del self._by_hand[mid]
            self.release(mid)

    def _hand(self, command: int, data: bytes) -> None:
        self._connection.put_package(Package(command, data))

    # The end

    def close(self) -> None:
        """Close in order; what was handed over still leaves."""
        if self._tap is not None:
            self._tap.close()

    def abort(self) -> None:
        """Close at once."""
        if self._tap is not None:
            self._tap.abort()

    def finish(self, reason: str) -> None:
        """The link is over: record why, and let go of gmqtt. Nothing is told any more."""
        if self._finished:
            return
        self._finished = True
        if self._tap is not None:
            self._tap.finish(reason)
        if self._protocol is not None:
            # Ends gmqtt's idle reader. An error must not be passed on: gmqtt would leave it in a future that nobody reads.
            self._protocol.connection_lost(None)
