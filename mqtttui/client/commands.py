"""What a user can ask of a Session: plain frozen values. Each names its peer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from mqtttui.config.options import ConnectOptions
from mqtttui.protocol.enums import PacketType
from mqtttui.protocol.packets import Properties, Publish, Text, TopicRequest

if TYPE_CHECKING:
    from mqtttui.config.check import CheckJob


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


@dataclass(frozen=True, slots=True)
class Authenticate:
    """Answer the server's AUTH with AUTH 0x18, or begin a re-authentication with AUTH 0x19 (`again`)."""

    peer: str
    data: bytes | None = field(repr=False)
    """Authentication Data; None leaves the property out. For `again` with SCRAM, None begins it by itself."""
    again: bool = False


@dataclass(frozen=True, slots=True)
class Misbehave:
    """From now on do something wrong on the open connection.

    `silence`: send no pings. `withhold`: let acknowledgements not leave. `answer`: let them carry a reason code.
    """

    peer: str
    how: Literal["silence", "withhold", "answer"]
    times: int = 0
    """For so many acknowledgements; 0: until it is ended."""
    packets: frozenset[PacketType] = frozenset((PacketType.PUBACK, PacketType.PUBREC, PacketType.PUBCOMP))
    """Which acknowledgements."""
    code: int = 0x80


@dataclass(frozen=True, slots=True)
class Behave:
    """End all that `Misbehave` began. What was withheld leaves now."""

    peer: str


@dataclass(frozen=True, slots=True)
class TakeOver:
    """Open a second connection with the same CONNECT for a moment, and tell what becomes of the present one."""

    peer: str


@dataclass(frozen=True, slots=True)
class WatchWill:
    """Subscribe to the topic of the present connection's will, on a second connection, until the will comes."""

    peer: str


@dataclass(frozen=True, slots=True)
class Examine:
    """Look into the session that a client left behind, on a connection of its own; `events.SessionLooked` tells what is found.

    `peek` withholds every acknowledgement and cuts the link, `drain` acknowledges everything, `end` peeks and ends the session.
    """

    peer: str
    token: int
    """Chosen by the sender; the events about this carry it."""
    options: ConnectOptions
    """Where to, and with which login; what else the CONNECT has follows from the other fields."""
    client_id: Text
    mode: Literal["peek", "drain", "end"] = "peek"
    receive_maximum: int = 65_535
    """So many messages can show at most (MQTT 5)."""
    expiry: int = 0xFFFFFFFF
    """Session Expiry Interval that holds from then on (MQTT 5)."""
    quiet: float = 2.0
    """It is over when nothing has come for so many seconds."""


@dataclass(frozen=True, slots=True)
class StopBeside:
    """End the connections that stand beside the peer's own: looks into sessions, the watch on a will."""

    peer: str


@dataclass(frozen=True, slots=True)
class StartCheck:
    """Begin a test run, with a connection of its own. `events.CheckProgress`, `CheckRan` and `CheckOver` tell of it."""

    token: int
    """Chosen by the sender; the events about this carry it."""
    job: CheckJob


@dataclass(frozen=True, slots=True)
class StopCheck:
    """End the test run that is under way: it disconnects, and what it measured so far counts."""


CheckCommand = StartCheck | StopCheck

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
    | Authenticate
    | Misbehave
    | Behave
    | TakeOver
    | WatchWill
    | Examine
    | StopBeside
)
