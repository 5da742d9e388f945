"""Packets to begin with, one of each type, and what sending a packet by hand leads to."""

from __future__ import annotations

from mqtttui.protocol.enums import PacketType, Severity, Version
from mqtttui.protocol.facts import PACKET_TEXTS
from mqtttui.protocol.fields import Dissection
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
    Suback,
    Subscribe,
    TopicRequest,
    Unsuback,
    Unsubscribe,
    encode,
)
from mqtttui.protocol.wire import VbiProblem, read_vbi

LETTERS = {
    PacketType.PUBLISH: "p",
    PacketType.SUBSCRIBE: "s",
    PacketType.UNSUBSCRIBE: "u",
    PacketType.CONNECT: "c",
    PacketType.DISCONNECT: "d",
    PacketType.PINGREQ: "g",
    PacketType.AUTH: "a",
    PacketType.PUBACK: "1",
    PacketType.PUBREC: "2",
    PacketType.PUBREL: "3",
    PacketType.PUBCOMP: "4",
    PacketType.CONNACK: "C",
    PacketType.SUBACK: "S",
    PacketType.UNSUBACK: "U",
    PacketType.PINGRESP: "G",
}
"""The types in the order of a menu, each with its key; those of the server last."""
_METHOD = (Property(0x15, "method"),)


def described(kind: PacketType) -> str:
    """What a type is for."""
    return PACKET_TEXTS[kind].partition(":")[0]


def new_packet(kind: PacketType, version: Version, connect: Connect | None) -> bytes:
    """A well-formed packet of a type; `connect` is the CONNECT in use. AUTH is written as in MQTT 5, the only version that has it."""
    code = (0,) if version is Version.V5 else ()
    made: dict[PacketType, Packet] = {
        PacketType.PUBLISH: Publish("topic", b"payload"),
        PacketType.SUBSCRIBE: Subscribe(1, (TopicRequest("topic"),)),
        PacketType.UNSUBSCRIBE: Unsubscribe(1, ("topic",)),
        PacketType.CONNECT: connect if connect is not None else Connect("by-hand", version),
        PacketType.DISCONNECT: Disconnect(),
        PacketType.PINGREQ: Pingreq(),
        PacketType.AUTH: Auth(0x18, _METHOD),
        PacketType.CONNACK: Connack(),
        PacketType.SUBACK: Suback(1, (0,)),
        PacketType.UNSUBACK: Unsuback(1, code),
        PacketType.PINGRESP: Pingresp(),
    }
    packet = made.get(kind, Ack(kind, 1))
    return encode(packet, Version.V5 if kind is PacketType.AUTH else version)


def endings(found: Dissection, *, first: bool) -> list[str]:
    """Why the broker may or must end the connection over this packet; empty if nothing speaks for it."""
    out = []
    if found.raw and found.type is None:
        length = read_vbi(found.raw, 1, len(found.raw))
        missing = length.end + length.value - len(found.raw)
        if length.problem is VbiProblem.TOO_LONG:
            out.append("no broker can tell where this packet ends")
        elif length.problem is None:
            out.append(f"{missing:,} more byte{'s are' if missing != 1 else ' is'} announced: what is sent next goes into this packet")
        else:
            out.append("the length is cut: what is sent next goes into this packet")
    elif first and found.type is not PacketType.CONNECT:
        out.append("the first packet must be CONNECT [MQTT-3.1.0-1]")
    elif not first and found.type is PacketType.CONNECT:
        out.append("a second CONNECT ends the connection [MQTT-3.1.0-2]")
    elif not first and found.type is PacketType.DISCONNECT:
        out.append("DISCONNECT ends the connection")
    if found.type is not None:
        worst = next((note for note in found.notes if note.severity is Severity.ERROR), None)
        if worst is not None:
            out.append(f"{worst.text.rstrip('.')}{f' [{worst.statement}]' if worst.statement else ''}")
    return out


def afterwards(found: Dissection, *, first: bool) -> str:
    """What mqtttui does by itself once this has left, and what it does not; empty if there is nothing to say."""
    kind = found.type
    if first:
        return "" if kind is PacketType.CONNECT else "nothing follows by itself: more can be sent from here"
    qos = found.first("mqtt.qos")
    match kind:
        case PacketType.PUBLISH if qos is not None and qos.value == 2:
            return "a PUBREC for it gets no PUBREL by itself: in the packet list Q sends one"
        case PacketType.PUBLISH if qos is not None and qos.value == 1:
            return "it is not sent again if no PUBACK comes"
        case PacketType.SUBSCRIBE | PacketType.UNSUBSCRIBE:
            return "the Subscriptions pane does not know of it; messages are received all the same"
        case None if found.raw:
            return "the next ping, or whatever else leaves, goes into it"
        case _:
            return ""
