"""What is known of one connection: the facts that the rules judge a packet by, and the way to report what they find.

Facts are those before the packet that a rule looks at; `learning` brings them forward, except where an attribute says who
does. Pairs are indexed by Direction: what is about the client's packets first. Everything is bounded and goes with the
connection.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Protocol

from mqtttui.analysis.expert.held import Subscriptions
from mqtttui.analysis.expert.inflight import InFlight
from mqtttui.analysis.expert.seen import Seen
from mqtttui.analysis.expert.session import Session
from mqtttui.analysis.expert.state import Closing, Features, Limits
from mqtttui.analysis.expert.timeouts import Timeouts
from mqtttui.analysis.expert.wills import Wills
from mqtttui.capture.log import Log
from mqtttui.capture.records import ConnectionInfo, Origin
from mqtttui.protocol.enums import Severity, Version
from mqtttui.protocol.packets import Connack, Connect, Will

_MAX_ONCE = 20_000

Timer = Callable[[int], None]
"""Called with the deadline, in monotonic ns."""


class Desk(Protocol):
    """Where reports and timers go: the engine."""

    timeouts: Timeouts
    wills: Wills

    def take(self, report: Report) -> None:
        """A finding."""

    def wake(self, conversation: Conversation, deadline: int, timer: Timer) -> None:
        """Call `timer` once the time of this kind of connection (live or file) has come to `deadline`."""


class Report:
    """A finding before it is kept."""

    __slots__ = ("cause", "conversation", "field", "id", "no", "related", "severity", "statement", "text")

    def __init__(
        self,
        conversation: Conversation,
        id: str,
        no: int,
        text: str,
        related: tuple[int, ...],
        field: str,
        cause: str,
        severity: Severity | None,
        statement: str | None,
    ) -> None:
        self.conversation = conversation
        self.id = id
        self.no = no
        self.text = text
        self.related = related
        self.field = field
        self.cause = cause
        self.severity = severity
        self.statement = statement


class Conversation:
    """One connection in front of the rules."""

    def __init__(self, log: Log, info: ConnectionInfo, desk: Desk) -> None:
        self.log = log
        self.number = info.number
        self.version: Version = info.version
        """The version in force for the packet that is looked at."""
        self.timeouts = desk.timeouts
        self.wills = desk.wills
        """Those that must not be published any more, of all clients."""
        self._desk = desk
        self._once: set[Hashable] = set()
        self.settled: tuple[set[bytes], set[bytes]] = (set(), set())
        """By direction: topics of which plain QoS 0 messages need no look. Only the engine adds."""
        self.looking = False
        """A rule asked to see the next message too, or reported something. Only the engine clears it."""

        self.partial = False
        """The record begins in the middle of the connection: what was before it is not known."""
        self.losses = 0
        """How many holes of the record were passed."""
        self.session = Session()
        """What is known of the client from earlier connections; nobody's until the CONNECT."""
        self.connect: Connect | None = None
        self.connect_no = 0
        """The first CONNECT, 0 before it."""
        self.connect_mono = 0
        self.connack: Connack | None = None
        """The first CONNACK, None before it or if it is malformed."""
        self.connack_no = 0
        self.accepted = False
        """The server accepted the connection; true from the start if the record is partial."""
        self.resumed = False
        """The session goes on from an earlier connection."""
        self.foreign_session = False
        """What the session held before is not known, so the server may know subscriptions and messages that we do not."""
        self.expiry = 0
        """Session Expiry Interval in force, in seconds (MQTT 5)."""
        self.will: Will | None = None
        self.keep_alive = 0
        """Seconds in force, 0 for off."""
        self.limits = (Limits(), Limits())
        """What the sender of a direction has to keep to, announced by its receiver."""
        self.features = Features()
        self.subscriptions = Subscriptions()
        """What the client is subscribed to; `expert.subscribing` brings it forward. Replaced when the session goes on."""
        self.in_flight = InFlight()
        """Packet Identifiers in use; `expert.flows` brings it forward. Replaced when the session goes on."""
        self.closing: list[Closing | None] = [None, None]
        """The first DISCONNECT of each side."""
        self.last_no = [0, 0]
        """The latest packet of each direction that was read, 0 for none."""
        self.last_busy = 0
        """No. of the latest packet that was no ping."""

    # --- what is known

    @property
    def info(self) -> ConnectionInfo:
        """What the log says of the connection, up to date."""
        return self.log.connection(self.number)

    @property
    def from_file(self) -> bool:
        """Whether it is read from a capture."""
        return self.info.origin is Origin.FILE

    @property
    def ends_are_seen(self) -> bool:
        """Whether the record would tell if the connection had ended: exported packets have no connection around them."""
        return self.info.transport != "exported"

    def mono_of(self, no: int) -> int | None:
        """When packet `no` was seen, None if it is not kept."""
        return self.log.head(no).mono if no in self.log else None

    # --- what the rules do

    def report(
        self,
        id: str,
        where: Seen | int,
        text: str,
        *,
        related: tuple[int, ...] = (),
        field: str = "",
        cause: str = "",
        severity: Severity | None = None,
        statement: str | None = None,
    ) -> None:
        """A finding of check `id` on a packet.

        `text` is one sentence that names the sender, wire text in it already visible. `field` is the filter name of the field
        that it is about (`mqtt.msgid`). Findings with the same `cause` (visible text as well) are grouped. `severity` and
        `statement` replace what the table says. Nothing happens if the check does not exist in the version in force.
        """
        self.looking = True
        no = where if isinstance(where, int) else where.no
        if no:
            self._desk.take(Report(self, id, no, text, related, field, cause, severity, statement))

    def report_once(
        self,
        key: Hashable,
        id: str,
        where: Seen | int,
        text: str,
        *,
        related: tuple[int, ...] = (),
        field: str = "",
        cause: str = "",
        severity: Severity | None = None,
        statement: str | None = None,
    ) -> None:
        """`report`, but only the first time for `id` and `key`; lets the topic settle."""
        mark = (id, key)
        if mark in self._once or len(self._once) >= _MAX_ONCE:
            return
        self._once.add(mark)
        looking = self.looking
        self.report(id, where, text, related=related, field=field, cause=cause, severity=severity, statement=statement)
        self.looking = looking

    def look_again(self) -> None:
        """The next message like the present one has to be shown to the rules as well."""
        self.looking = True

    def at(self, deadline: int, timer: Timer) -> None:
        """Calls `timer(deadline)` when the time has come to `deadline` (monotonic ns), before a packet of that time; not after the end.

        A timer cannot be taken back: it looks whether what it waits for still holds.
        """
        self._desk.wake(self, deadline, timer)

    def unsettle(self) -> None:
        """Something changed that messages are judged by: every topic has to be looked at again."""
        for topics in self.settled:
            topics.clear()
