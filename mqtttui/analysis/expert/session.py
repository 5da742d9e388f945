"""What survives a connection: the session of one client, by peer or by client id.

Bounded: the sessions used last are kept, and of each what its connection had (bounded itself) when it ended.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mqtttui.analysis.expert.held import Subscriptions
from mqtttui.analysis.expert.inflight import InFlight
from mqtttui.capture.records import ConnectionInfo, Origin
from mqtttui.protocol.packets import Will

if TYPE_CHECKING:
    from mqtttui.analysis.expert.conversation import Conversation

MAX_SESSIONS = 1_000
_MAX_CONNECTS = 32

Key = tuple[str, str, bytes]
"""Peer or origin, server, client id."""


@dataclass(frozen=True, slots=True)
class Connected:
    """One CONNECT of a session."""

    no: int
    mono: int
    after_fault: bool
    """The connection before it ended without a DISCONNECT of the client."""


@dataclass(slots=True)
class Session:
    """What the checks remember of a client between its connections."""

    connects: deque[Connected] = field(default_factory=lambda: deque(maxlen=_MAX_CONNECTS))
    """Its latest CONNECTs, oldest first."""
    holder: Conversation | None = None
    """The open connection that has the session."""
    connections: int = 0
    """Connections of it that ended."""
    kept: bool | None = None
    """Whether the server had to keep the state of the last connection when it ended; None if there was none."""
    kept_until: int | None = None
    """Monotonic ns at which the server may forget it; None: not before the client says so."""
    subscriptions: Subscriptions | None = None
    """What the last connection was subscribed to; None unless `kept`."""
    in_flight: InFlight | None = None
    """What the last connection had not finished; None unless `kept`."""
    will: Will | None = None
    """The will of the last connection."""
    left: bool = False
    """The last connection ended with a normal DISCONNECT of the client."""
    ended: int = 0
    """Monotonic ns of the end of the last connection."""
    last_code: int | None = None
    """Reason code of the server's DISCONNECT that ended the last connection; None if it sent none."""

    def lives(self, now: int) -> bool:
        """Whether the server still has to have the state of the last connection at `now` (monotonic ns)."""
        return bool(self.kept) and (self.kept_until is None or self.kept_until > now)


class Sessions:
    """All sessions of a log."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[Key, Session] = OrderedDict()

    def of(self, info: ConnectionInfo, client_id: bytes) -> Session:
        """The session of `client_id` on the server of connection `info`. Without a client id one that nobody shares."""
        if not client_id:
            return Session()
        own = info.origin is Origin.OWN
        key = (info.peer if own else info.origin.value, (info.name if own else "") or info.destination, client_id)
        session = self._sessions.pop(key, None) or Session()
        self._sessions[key] = session
        if len(self._sessions) > MAX_SESSIONS:
            self._sessions.popitem(last=False)
        return session

    def __len__(self) -> int:
        return len(self._sessions)
