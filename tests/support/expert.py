"""Conversations written down, and the findings that the expert checks have on them.

    found = run([(UP, Connect("c")), (DOWN, Connack()), (UP, Publish("t", qos=1, packet_id=1)), (DOWN, Ack(P.PUBACK, 2), 0.5)])
    assert "E01" in ids(found)

A step is (direction, packet or bytes) or (direction, packet or bytes, seconds since the start); without a time it comes a
millisecond after the step before. Several connections: `Story`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mqtttui.analysis.expert.finding import Finding
from mqtttui.analysis.expert.timeouts import Timeouts
from mqtttui.analysis.findings import Findings
from mqtttui.capture.log import Log, Origin
from mqtttui.capture.recorder import Recorder
from mqtttui.protocol.enums import Direction, Version
from mqtttui.protocol.packets import Packet, encode

UP, DOWN = Direction.C2S, Direction.S2C
MS = 1_000_000
SECOND = 1_000 * MS

Step = tuple[Direction, Packet | bytes] | tuple[Direction, Packet | bytes, float]


class Story:
    """One or more connections of a client, one after the other or at once."""

    def __init__(
        self, version: Version = Version.V311, *, origin: Origin = Origin.OWN, settling: bool = True, log: Log | None = None
    ) -> None:
        self.log = Log() if log is None else log
        self.followed = Findings(Timeouts(), settling=settling)
        self.now = 0
        """Monotonic ns."""
        self._version = version
        self._origin = origin
        self._recorders: list[Recorder] = []

    def connection(self, *, transport: str = "", version: Version | None = None, destination: str = "127.0.0.1:1883") -> int:
        """A new connection; gives its number."""
        number = self.log.open_connection(
            peer="dev",
            origin=self._origin,
            destination=destination,
            mono=self.now,
            wall=self.now,
            version=version or self._version,
            transport=transport,
        )
        self._recorders.append(Recorder(self.log, number))
        return number

    def steps(self, steps: Iterable[Step], number: int = -1) -> None:
        """Packets of connection `number` (the latest one by default)."""
        for direction, packet, *seconds in steps:
            self.now = int(seconds[0] * SECOND) if seconds else self.now + MS
            number_at = number if number >= 0 else len(self._recorders) + number
            raw = packet if isinstance(packet, bytes) else encode(packet, self.log.connection(number_at).version)
            self._recorders[number_at].record(direction, raw, self.now, self.now)

    def close(self, reason: str = "over", number: int = -1, seconds: float | None = None) -> None:
        """The connection ends."""
        self.now = int(seconds * SECOND) if seconds is not None else self.now + MS
        self._recorders[number].closed(self.now, reason)

    def check(self, until: float | None = None) -> Findings:
        """Everything is read; with `until`, the time of live connections comes to so many seconds since the start."""
        while not self.followed.advance(self.log):
            pass
        if until is not None:
            self.now = max(self.now, int(until * SECOND))
            self.followed.tick(self.now)
        return self.followed

    def findings(self, until: float | None = None) -> list[Finding]:
        """All findings in the order of their packets."""
        followed = self.check(until)
        return [finding for no in self.log.numbers() for finding in followed.of(no)]


def run(
    steps: Iterable[Step], version: Version = Version.V311, *, until: float | None = None, closed: str = "", settling: bool = True
) -> list[Finding]:
    """The findings on one connection. With `closed` it ends a millisecond later with that reason, else it stays open `until` then."""
    story = Story(version, settling=settling)
    story.connection()
    story.steps(steps)
    if closed:
        story.close(closed)
    return story.findings(until)


def ids(findings: Iterable[Finding]) -> list[str]:
    """The checks that struck, in order."""
    return [finding.id for finding in findings]


def of(id: str, findings: Sequence[Finding]) -> list[Finding]:
    """The findings of check `id`."""
    return [finding for finding in findings if finding.id == id]
