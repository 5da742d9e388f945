"""How long things may take before a check says so: our own defaults (inspector.md 4.0)."""

from __future__ import annotations

from dataclasses import dataclass

SECOND = 1_000_000_000
"""In ns."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Settings of the checks. Times in seconds."""

    connack: float = 10
    """From CONNECT to CONNACK."""
    ack: float = 10
    """From PUBLISH to PUBACK or PUBREC, from PUBREC to PUBREL, from PUBREL to PUBCOMP."""
    suback: float = 10
    """From SUBSCRIBE to SUBACK, from UNSUBSCRIBE to UNSUBACK."""
    ping: float = 10
    """From PINGREQ to PINGRESP; less if the keep-alive is shorter."""
    close: float = 5
    """From DISCONNECT, or a refusing CONNACK, to the end of the connection."""
    settled: float = 5
    """After a subscription began or ended: for so long what belongs to the time before may still arrive."""
    large: int = 1024 * 1024
    """Bytes: packets above are worth a note."""
    idle_periods: int = 60
    """Keep-alive periods with nothing but pings that are worth a note."""
    loop_connects: int = 3
    loop_seconds: float = 10
    """So many connects within so many seconds are a loop, if the connections before ended without DISCONNECT."""
