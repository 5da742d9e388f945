"""Why a packet has no answer to go to, or no request."""

from __future__ import annotations

from mqtttui.capture.log import Log, Origin
from mqtttui.protocol.enums import PacketType

_QOS = 0x06
_ENDS = {
    PacketType.DISCONNECT: "nothing answers a DISCONNECT",
    PacketType.CONNACK: "a CONNACK is the answer; , goes to the request",
    PacketType.SUBACK: "a SUBACK is the answer; , goes to the request",
    PacketType.UNSUBACK: "an UNSUBACK is the answer; , goes to the request",
    PacketType.PUBACK: "a PUBACK ends the delivery; , goes to the message",
    PacketType.PUBCOMP: "a PUBCOMP ends the delivery; , goes to what it answers",
    PacketType.PINGRESP: "a PINGRESP is the answer; , goes to the request",
}


def why_no_link(log: Log, number: int, *, forward: bool) -> str:
    """Why no packet answers packet `number` (`forward`), or why it answers none."""
    if number not in log:
        return f"packet {number:,} was evicted"
    if not forward:
        return "this packet answers none that is known"
    raw = log[number].raw
    kind = PacketType(raw[0] >> 4) if raw else PacketType.RESERVED
    if kind == PacketType.PUBLISH and not raw[0] & _QOS:
        return "QoS 0: nobody acknowledges this message"
    if kind in _ENDS:
        return _ENDS[kind]
    live = log.connection(log.head(number).connection).origin is not Origin.FILE
    return "no answer to this packet so far" if live else "no answer to this packet in the file"
