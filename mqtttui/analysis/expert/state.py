"""Values that the facts of a conversation consist of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Limits:
    """What the receiver of one direction allows (MQTT 5, sections 3.1.2.11 and 3.2.2.3)."""

    receive_maximum: int = 65_535
    """Unacknowledged QoS 1 and 2 messages."""
    packet_size: int | None = None
    alias_maximum: int = 0


@dataclass(slots=True)
class Features:
    """What the server says that it can do (section 3.2.2.3)."""

    maximum_qos: int = 2
    retain: bool = True
    wildcards: bool = True
    identifiers: bool = True
    shared: bool = True


@dataclass(slots=True)
class Closing:
    """A DISCONNECT that was seen."""

    no: int
    mono: int
    code: int
