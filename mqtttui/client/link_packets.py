"""What the link has to know of packets, its own and the server's."""

from __future__ import annotations

from mqtttui.protocol.enums import Direction, PacketType, Version
from mqtttui.protocol.packets import Connack, Packet, Publish, Subscribe, Unsubscribe
from mqtttui.protocol.parse import parse
from mqtttui.protocol.wire import read_vbi


def with_dup(raw: bytes) -> bytes:
    """As it is sent again [MQTT-3.3.1-1]."""
    return bytes([raw[0] | 0x08]) + raw[1:] if raw[0] >> 4 == PacketType.PUBLISH else raw


def parse_inbound(raw: bytes, version: Version) -> Packet | None:
    """`parse`, and the CONNACKs that older servers send: without properties to a v5 client, with reserved bits in 3.x."""
    packet = parse(raw, version, Direction.S2C)
    if packet is None and raw[:2] == b"\x20\x02" and (raw[3] or version is not Version.V5):
        return Connack(raw[3], bool(raw[2] & 1))
    return packet


def identifier(packet: Packet | None) -> tuple[int, PacketType] | None:
    """The identifier that an own packet takes, and the answer that gives it back."""
    match packet:
        case Publish(qos=1 | 2, packet_id=int(mid)) if mid:
            return mid, PacketType.PUBACK if packet.qos == 1 else PacketType.PUBCOMP
        case Subscribe(packet_id=mid) if mid:
            return mid, PacketType.SUBACK
        case Unsubscribe(packet_id=mid) if mid:
            return mid, PacketType.UNSUBACK
        case _:
            return None


def publish_identifier(raw: bytes) -> bytes | None:
    """The two bytes of a PUBLISH's packet identifier; None where the lengths do not hold or it is 0 [MQTT-2.2.1-3]."""
    start = read_vbi(raw, 1, len(raw)).end
    at = start + 2 + int.from_bytes(raw[start : start + 2], "big")
    mid = raw[at : at + 2]
    return mid if len(mid) == 2 and mid != b"\x00\x00" else None
