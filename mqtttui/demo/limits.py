"""What the broker grants, as CONNACK says it in MQTT 5 (section 3.2.2.3)."""

from __future__ import annotations

from dataclasses import dataclass

from mqtttui.protocol.enums import PropertyId
from mqtttui.protocol.packets import Properties, Property


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits for every client."""

    receive_maximum: int = 20
    """QoS 2 messages of a v5 client that may be unfinished at a time."""
    topic_alias_maximum: int = 10
    """Aliases that a client may set."""
    maximum_packet_size: int = 10_000_000
    """Bytes; in MQTT 3, where it cannot be said, a larger packet ends the connection as well."""
    maximum_qos: int = 2
    retain_available: bool = True
    server_keep_alive: int | None = None
    """Seconds, instead of what a v5 client asked for."""
    connect_timeout: float = 10.0
    """Seconds that a connection may wait with its CONNECT."""

    def properties(self) -> Properties:
        """Those that a CONNACK carries; what is left out has its default."""
        found = [
            Property(PropertyId.RECEIVE_MAXIMUM, self.receive_maximum),
            Property(PropertyId.TOPIC_ALIAS_MAXIMUM, self.topic_alias_maximum),
            Property(PropertyId.MAXIMUM_PACKET_SIZE, self.maximum_packet_size),
        ]
        if self.maximum_qos < 2:
            found.append(Property(PropertyId.MAXIMUM_QOS, self.maximum_qos))
        if not self.retain_available:
            found.append(Property(PropertyId.RETAIN_AVAILABLE, 0))
        if self.server_keep_alive is not None:
            found.append(Property(PropertyId.SERVER_KEEP_ALIVE, self.server_keep_alive))
        return tuple(found)
