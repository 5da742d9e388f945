"""What a connection is given, and what it gives back at its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mqtttui.capture.log import Log
from mqtttui.client.events import Failure, Phase, TcpMeasured
from mqtttui.client.publishing import Publishing
from mqtttui.client.subscriptions import Subscriptions


@dataclass(frozen=True, slots=True)
class Ended:
    """How an attempt or a connection ended."""

    failure: Failure | None = None
    by_user: bool = False
    line: str = ""
    """One line; the failure's title if empty."""
    code: int | None = None
    """Reason code of the server's DISCONNECT."""

    @property
    def text(self) -> str:
        """The line to show."""
        return self.line or (self.failure.title if self.failure else "")


@dataclass(frozen=True, slots=True)
class Parts:
    """What outlives a connection, and how it tells the Session."""

    peer: str
    log: Log
    subscriptions: Subscriptions
    publishing: Publishing
    change: Callable[..., None]
    """Changes fields of the ConnectionState."""
    report: Any
    """`publishing.Report`."""
    accepted: Callable[[Any], None]
    """Gets the Connection when CONNACK has accepted it; commands may be sent from now on."""
    measured: Callable[[TcpMeasured], None]
    """Hears of the TCP of the connection."""
    observed: Callable[[str], None]
    """Gets what the broker did about something that was done on request."""


NEW_ATTEMPT: dict[str, object] = {
    "phase": Phase.CONNECTING,
    "connack": None,
    "address": "",
    "tls": "",
    "tls_info": None,
    "upgrade": None,
    "warning": "",
    "challenge": None,
    "misbehaving": False,
    "failure": None,
    "next_attempt": None,
    "ping_ms": None,
}
"""What an attempt changes in the ConnectionState when it begins."""
