"""What a user can ask of a Session: plain frozen values. Each names its peer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mqtttui.config.options import ConnectOptions
from mqtttui.protocol.packets import Properties, Publish, Text, TopicRequest


@dataclass(frozen=True, slots=True)
class Connect:
    """Open a connection (ending the present one first with a DISCONNECT, if there is one)."""

    peer: str
    options: ConnectOptions


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Send DISCONNECT and close. 3.x writes neither reason nor properties."""

    peer: str
    reason_code: int | None = None
    properties: Properties | None = None


@dataclass(frozen=True, slots=True)
class CutLink:
    """Close the transport without DISCONNECT, so that the will fires."""

    peer: str


@dataclass(frozen=True, slots=True)
class Cancel:
    """Stop connecting, or stop waiting for the next attempt."""

    peer: str


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Send one SUBSCRIBE with several filters."""

    peer: str
    requests: tuple[TopicRequest, ...]
    properties: Properties = ()


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """Send one UNSUBSCRIBE."""

    peer: str
    filters: tuple[Text, ...]
    properties: Properties = ()


@dataclass(frozen=True, slots=True)
class SendPublish:
    """Send one PUBLISH. Its packet identifier is chosen unless given.

    Above the server's Receive Maximum or Maximum Packet Size the packet is held, unless `anyway`.
    `verify` subscribes to that very topic for a moment and says whether the message came back.
    """

    peer: str
    token: int
    """Chosen by the sender; the events about this publish carry it."""
    packet: Publish
    anyway: bool = False
    verify: bool = False


@dataclass(frozen=True, slots=True)
class ReleaseHeld:
    """Send a held publish anyway (`send`), or forget it."""

    peer: str
    token: int
    send: bool = True


@dataclass(frozen=True, slots=True)
class Ping:
    """Send a PINGREQ now."""

    peer: str


@dataclass(frozen=True, slots=True)
class SendRaw:
    """Write exactly these bytes on the open connection, accepted or not. `events.RawSent` tells how often they have left."""

    peer: str
    raw: bytes
    times: int = 1
    spacing: float = 0.0
    """Seconds from one to the next."""
    token: int = 0
    """Chosen by the sender; the events about this carry it."""


@dataclass(frozen=True, slots=True)
class StopSending:
    """Stop the repetitions that are under way."""

    peer: str


@dataclass(frozen=True, slots=True)
class ConnectRaw:
    """As Connect, but `first` are the first bytes instead of the CONNECT. Never reconnects by itself."""

    peer: str
    options: ConnectOptions
    first: bytes
    token: int = 0
    """Chosen by the sender; the `events.RawSent` about this carries it."""


@dataclass(frozen=True, slots=True)
class FlowStep:
    """Take a step of an open QoS 1 or 2 flow by hand.

    Of an own publish: `dup` sends its PUBLISH again with DUP, `pubrel` sends PUBREL now, `forget` sends nothing more for it.
    Of a publish of the server: `pubcomp` sends PUBCOMP now.
    """

    peer: str
    identifier: int
    step: Literal["dup", "pubrel", "pubcomp", "forget"]


Command = (
    Connect
    | Disconnect
    | CutLink
    | Cancel
    | Subscribe
    | Unsubscribe
    | SendPublish
    | ReleaseHeld
    | Ping
    | SendRaw
    | StopSending
    | ConnectRaw
    | FlowStep
)
