"""How the broker may be told to misbehave, for tests of a client. Nothing here is on in the demo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from mqtttui.protocol.enums import PacketType
from mqtttui.protocol.packets import Ack, Connack, Packet, Suback, Unsuback, packet_type


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """Settings that apply to every connection from the moment they are set.

    The types are those of the packets that the broker would send, if not said otherwise.
    """

    silent: frozenset[PacketType] = frozenset()
    """Never sent: CONNACK for a broker that hangs, PUBACK, PUBREC, PUBCOMP, SUBACK, PINGRESP, PUBLISH …"""
    delays: Mapping[PacketType, float] = field(default_factory=dict)
    """Seconds by which packets of a type are held back."""
    codes: Mapping[PacketType, int] = field(default_factory=dict)
    """Reason or return code written instead of the true one: CONNACK, PUBACK to PUBCOMP, SUBACK, UNSUBACK.

    A CONNACK that is not 0 closes the connection after it.
    """
    twice: frozenset[PacketType] = frozenset()
    """Sent two times."""
    wrong_packet_id: frozenset[PacketType] = frozenset()
    """Sent with a packet identifier that is one too high."""
    session_present: bool | None = None
    """What CONNACK says, whatever is true."""
    instead_of_connack: bytes | None = None
    """Sent in place of CONNACK; the session goes on as if nothing had happened."""
    after_connack: bytes = b""
    """Sent right behind CONNACK, e.g. something malformed."""
    close_on: frozenset[PacketType] = frozenset()
    """Received types on which the broker closes the connection (FIN) instead of handling them."""
    reset_on: frozenset[PacketType] = frozenset()
    """Received types on which the broker resets the connection (RST) instead of handling them."""
    deaf: bool = False
    """Stop reading once connected: the client's bytes pile up in its socket."""

    def spoil(self, packet: Packet) -> Packet:
        """What is sent instead of `packet`."""
        kind = packet_type(packet)
        code = self.codes.get(kind)
        match packet:
            case Connack():
                if self.session_present is not None:
                    packet = replace(packet, session_present=self.session_present)
                return packet if code is None else replace(packet, code=code)
            case Ack():
                packet = packet if code is None else replace(packet, reason_code=code)
            case Suback() | Unsuback():
                packet = packet if code is None else replace(packet, codes=(code,) * len(packet.codes))
            case _:
                return packet
        return replace(packet, packet_id=packet.packet_id % 0xFFFF + 1) if kind in self.wrong_packet_id else packet
