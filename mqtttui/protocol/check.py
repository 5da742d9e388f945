"""One check: what it looks for, how much it matters in which version, and which statements of the standards it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mqtttui.protocol.enums import Direction, Severity, Version
from mqtttui.protocol.enums import PacketType as P


@dataclass(frozen=True, slots=True)
class Check:
    """One row of the table."""

    id: str
    title: str
    """What it looks for, in a few words."""
    severity: Severity
    versions: frozenset[Version]
    statement3: str = ""
    statement5: str = ""
    severity5: Severity | None = None
    """Where MQTT 5 judges it otherwise."""
    more3: Mapping[P, str] = field(default_factory=dict)
    """Further statements of 3.x for one type of packet."""
    more5: Mapping[P, str] = field(default_factory=dict)
    sender5: Mapping[Direction, str] = field(default_factory=dict)
    """Further statements of MQTT 5 for one sender."""
    hint: str = ""
    """What to check when it strikes, one line for a person."""

    def severity_in(self, version: Version) -> Severity:
        """How much it matters in `version`."""
        return self.severity5 if self.severity5 is not None and version is Version.V5 else self.severity

    def statement_in(self, version: Version, kind: P | None, direction: Direction) -> str:
        """The statements of `version` for a packet of type `kind` in `direction`, joined by `, `; may be empty."""
        v5 = version is Version.V5
        base, more = (self.statement5, self.more5) if v5 else (self.statement3, self.more3)
        parts = [base, self.sender5.get(direction, "") if v5 else "", "" if kind is None else more.get(kind, "")]
        return ", ".join(part for part in parts if part)
