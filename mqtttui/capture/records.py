"""Values that the log hands out: packets, their heads, connections. Built on demand, never kept by the log."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from mqtttui.protocol.enums import Direction, Version

INCOMPLETE = "incomplete, "
"""How the text of an unfinished packet starts."""
END_OF_CAPTURE = "the capture ends here"
"""Reason of a connection that was still open when its capture file ended: nobody closed it."""


class Origin(Enum):
    """Where the packets of a connection come from."""

    OWN = "own"
    """A connection of this program."""
    FILE = "file"
    """Read from a capture or from decode's input."""
    RELAYED = "relayed"
    """Seen on its way between others."""


class Evicted(KeyError):
    """The packet was recorded but is not kept any more; `args[0]` is its number."""

    def __str__(self) -> str:
        return f"packet {self.args[0]} was evicted"


@dataclass(frozen=True, slots=True)
class ConnectionInfo:
    """One Network Connection. Times are monotonic ns, `opened_wall` is wall-clock ns."""

    number: int
    """From 0, never reused."""
    peer: str
    origin: Origin
    source: str
    """Address of the client side as visible text, `127.0.0.1:50311`; may be empty."""
    destination: str
    version: Version
    """The version in force for the next packet."""
    opened: int
    opened_wall: int
    closed: int | None = None
    close_reason: str = ""
    name: str = ""
    """How the broker was called, as a URL without credentials (`mqtts://broker.lan:8883`) or a name; visible text."""
    transport: str = ""
    """`tcp`, `tls`, `ws`, `wss`, `unix`, `exported` (PDUs of a capture file); empty: not known."""
    way: tuple[str, ...] = ()
    """Options by which mosquitto's clients reach the broker in the same way, a word each; empty: told from name and transport."""
    no_way: str = ""
    """Why they cannot; visible text."""


class WebSocketKind(Enum):
    """What there is to say about the WebSocket around MQTT (section 6)."""

    SUB_PROTOCOL = "sub-protocol"
    """The sub-protocol of the server's answer; `detail` is its name, empty for none."""
    TEXT_FRAME = "text frame"
    SPLIT = "split"
    """A packet spans frames, or a frame holds several."""


class WebSocketEvent(NamedTuple):
    """Something about the WebSocket around MQTT that the packets do not show."""

    kind: WebSocketKind
    direction: Direction
    no: int
    """The latest packet before it, 0 for none."""
    detail: bytes = b""


class Head(NamedTuple):
    """The cheap part of a packet. Times in ns."""

    first_byte: int
    length: int
    """Of the whole packet, in bytes."""
    mono: int
    wall: int
    connection: int
    direction: Direction


@dataclass(frozen=True, slots=True)
class Packet:
    """One row of the log."""

    number: int
    raw: bytes
    mono: int
    """Monotonic ns at the socket: read, or handed over."""
    wall: int
    """Wall-clock ns of the same moment, for display and export only."""
    connection: int
    direction: Direction
    version: Version
    """The version of its connection at that point."""
    resolved_topic: bytes | None = None
    """For a PUBLISH with an alias and no topic: what the alias stood for; None if unknown."""
    unsent: bool = False
    """It was handed over but the connection ended before it left whole."""
    framing_error: str = ""
    """Why these bytes are no whole packet; empty for packets."""
    dropped: int = 0
    """Bytes after a framing error that were counted but not kept."""


@dataclass(slots=True)
class Unframed:
    """What the log remembers about a row that is no packet."""

    text: str
    growth: bytearray
    """Bytes that came after the row was written."""
    dropped: int = 0


def incomplete(kept: int, expected: int | None) -> str:
    """What to say of a packet that ended early: `kept` bytes of it arrived, `expected` is its length if that is known."""
    if expected is None:
        return f"{INCOMPLETE}{kept} {'byte' if kept == 1 else 'bytes'}, its length had not arrived"
    return f"{INCOMPLETE}{kept:,} of {expected:,} bytes"
