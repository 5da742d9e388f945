"""What the two sides of a connection allow each other, from its CONNECT and its CONNACK."""

from __future__ import annotations

from dataclasses import dataclass, field

from mqtttui.capture.records import Packet
from mqtttui.protocol.enums import Direction, PropertyId, Version
from mqtttui.protocol.packets import Connack, Connect
from mqtttui.protocol.parse import parse

_DEFAULT_RECEIVE_MAXIMUM = 65_535


@dataclass(slots=True)
class Allowances:
    """For what the client, and what the server, sends; None until the other side has said it, and before MQTT 5."""

    receive_maximum: list[int | None] = field(default_factory=lambda: [None, None])
    alias_maximum: list[int | None] = field(default_factory=lambda: [None, None])

    def learn(self, packet: Packet) -> None:
        """CONNECT says what the server may send, CONNACK what the client may; of other packets nothing is learnt."""
        value = parse(packet.raw, packet.version)
        if not isinstance(value, Connect | Connack):
            return
        v5 = (value.version if isinstance(value, Connect) else packet.version) is Version.V5
        given = {item.id: item.value for item in value.properties}
        sender = Direction.S2C if isinstance(value, Connect) else Direction.C2S
        window = given.get(PropertyId.RECEIVE_MAXIMUM, _DEFAULT_RECEIVE_MAXIMUM)
        aliases = given.get(PropertyId.TOPIC_ALIAS_MAXIMUM, 0)
        self.receive_maximum[sender] = window if v5 and isinstance(window, int) else None
        self.alias_maximum[sender] = aliases if v5 and isinstance(aliases, int) else None
