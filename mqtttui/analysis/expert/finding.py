"""What the checks give: a finding on a packet, and findings grouped by check and cause."""

from __future__ import annotations

from dataclasses import dataclass

from mqtttui.protocol.enums import Severity


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding on one packet."""

    id: str
    """Check id, `E10`."""
    severity: Severity
    no: int
    """The packet that it stands on."""
    statement: str
    """Statement numbers of the standard, joined by `, `; may be empty."""
    text: str
    """One sentence for a person, which names the sender; wire text in it is visible text."""
    hint: str
    """What to check, one line; may be empty."""
    related: tuple[int, ...] = ()
    """Other packets that it is about."""
    start: int = 0
    end: int = 0
    """The bytes of the packet that it is about; equal for none in particular."""


@dataclass(frozen=True, slots=True)
class Group:
    """All findings of one check with one cause."""

    id: str
    title: str
    """What the check looks for, in a few words."""
    severity: Severity
    """The highest among its findings."""
    cause: str
    """What they have in common beside the check (a reason code, a filter); visible text, empty for nothing in particular."""
    count: int
    first: int
    """No. of the first packet."""
    latest: int
    sample: tuple[int, ...]
    """Up to ten packets, the latest ones, rising."""
    muted: bool = False
