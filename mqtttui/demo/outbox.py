"""The sending half of a connection: values become bytes, within what the client takes and as misbehaviour wants it."""

from __future__ import annotations

import asyncio
import socket
import struct
from dataclasses import replace

from mqtttui.demo.core import Core
from mqtttui.demo.messages import Delivery, number
from mqtttui.protocol.enums import PacketType, PropertyId, Version
from mqtttui.protocol.framing import MAX_PACKET
from mqtttui.protocol.packets import (
    Ack,
    Auth,
    Connack,
    Connect,
    Disconnect,
    Packet,
    Pingreq,
    Pingresp,
    Property,
    Publish,
    encode,
    packet_type,
)

HIGH_WATER = 1_000_000
"""Bytes that may wait for a client that reads slowly, before messages to it are held (QoS 1 and 2) or dropped (QoS 0)."""

_ALWAYS_EXPLAINED = frozenset({PacketType.CONNACK, PacketType.DISCONNECT, PacketType.PUBLISH})
"""Carry Reason String and User Properties even if the client asked for no problem information [MQTT-3.1.2-29]."""


class Outbox:
    """Writes packets to one client."""

    def __init__(self, transport: asyncio.Transport, core: Core) -> None:
        self.version = Version.V311
        self._transport = transport
        self._core = core
        self._largest = MAX_PACKET
        self._explains = True
        self._alias_maximum = 0
        self._aliases: dict[bytes, int] = {}
        transport.set_write_buffer_limits(high=HIGH_WATER)

    def configure(self, connect: Connect) -> None:
        """What the client's CONNECT says about what it takes."""
        self.version = connect.version
        properties = connect.properties
        self._largest = number(properties, PropertyId.MAXIMUM_PACKET_SIZE) or MAX_PACKET
        self._explains = number(properties, PropertyId.REQUEST_PROBLEM_INFORMATION) != 0
        self._alias_maximum = number(properties, PropertyId.TOPIC_ALIAS_MAXIMUM) or 0

    def send(self, packet: Packet) -> bool:
        """Sends a packet; False if it is larger than the client takes (then nothing is sent)."""
        kind = packet_type(packet)
        misbehaviour = self._core.misbehaviour
        if kind in misbehaviour.silent:
            return True
        packet = misbehaviour.spoil(packet)
        if not self._explains and kind not in _ALWAYS_EXPLAINED:
            packet = _unexplained(packet)
        data = encode(packet, self.version)
        if len(data) > self._largest and kind is not PacketType.PUBLISH:
            data = encode(_unexplained(packet), self.version)  # [MQTT-3.2.2-19], [MQTT-3.4.2-2] …
        if len(data) > self._largest:
            return False
        if kind in misbehaviour.twice:
            data += data
        delay = misbehaviour.delays.get(kind, 0.0)
        if delay:
            self._core.loop.call_later(delay, self.send_raw, data)
        else:
            self.send_raw(data)
        self._core.totals.messages_sent += 1
        return True

    def send_raw(self, data: bytes) -> None:
        """Sends bytes as they are."""
        if data and not self._transport.is_closing():
            self._core.totals.bytes_sent += len(data)
            self._transport.write(data)

    def acknowledge(self, kind: PacketType, packet_id: int, code: int = 0, text: str = "") -> None:
        """PUBACK, PUBREC, PUBREL or PUBCOMP; code and Reason String exist in MQTT 5 only."""
        if self.version is not Version.V5 or (code == 0 and not text):
            self.send(Ack(kind, packet_id))
        else:
            self.send(Ack(kind, packet_id, code, _explained(text) or None))

    def publish(self, delivery: Delivery, packet_id: int | None, *, dup: bool) -> bool:
        """Sends a message; False if it is larger than the client takes [MQTT-3.1.2-24]."""
        message = delivery.message
        if self.version is not Version.V5:
            packet = Publish(message.topic, message.payload, delivery.qos, delivery.retain, dup, packet_id)
        else:
            topic, alias = self._alias(message.topic)
            properties = (
                *alias,
                *message.properties_at(self._core.loop.time()),
                *(Property(PropertyId.SUBSCRIPTION_IDENTIFIER, identifier) for identifier in delivery.identifiers),
            )
            packet = Publish(topic, message.payload, delivery.qos, delivery.retain, dup, packet_id, properties)
        sent = self.send(packet)
        if sent:
            self._core.totals.publishes_sent += 1
        elif packet.topic:
            self._aliases.pop(message.topic, None)  # the client has not heard of it
        return sent

    def disconnect(self, code: int, text: str) -> None:
        """DISCONNECT with its reason, in MQTT 5 only: in MQTT 3 a server cannot say why."""
        if self.version is Version.V5:
            self.send(Disconnect(code, _explained(text)))

    def close(self) -> None:
        """FIN, after what is still buffered."""
        self._transport.close()

    def reset(self) -> None:
        """RST: what is still buffered is lost."""
        sock: socket.socket | None = self._transport.get_extra_info("socket")
        if sock is not None and not self._transport.is_closing():
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def _alias(self, topic: bytes) -> tuple[bytes, tuple[Property, ...]]:
        """The topic to write and the Topic Alias property, if any: the first topics get the client's aliases."""
        alias = self._aliases.get(topic)
        if alias is not None:
            return b"", (Property(PropertyId.TOPIC_ALIAS, alias),)
        if len(self._aliases) >= self._alias_maximum:
            return topic, ()
        alias = self._aliases[topic] = len(self._aliases) + 1
        return topic, (Property(PropertyId.TOPIC_ALIAS, alias),)


def _explained(text: str) -> tuple[Property, ...]:
    return (Property(PropertyId.REASON_STRING, text),) if text else ()


def _unexplained(packet: Packet) -> Packet:
    """The packet without Reason String and User Properties."""
    match packet:
        case Publish() | Connect() | Pingreq() | Pingresp():
            return packet
        case Ack() | Disconnect() | Auth():
            return replace(packet, properties=None)
        case Connack():
            drop = (PropertyId.REASON_STRING, PropertyId.USER_PROPERTY)
            return replace(packet, properties=tuple(item for item in packet.properties if item.id not in drop))
        case _:
            return replace(packet, properties=())
