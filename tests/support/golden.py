"""The golden capture: 43 packets on three connections, synthesised and read with tshark 4.0.17 (inspector.md, appendix)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mqtttui.protocol.enums import Direction, Version
from mqtttui.protocol.fields import Context

FOLDER = Path(__file__).parent.parent / "data" / "golden"

VERSIONS = {"A": Version.V311, "B": Version.V5, "C": Version.V31}
PORTS = {"A": 50001, "B": 50002, "C": 50003}
ALIAS_ONLY = 33
"""The packet whose topic comes from an alias that packet 31 set."""


@dataclass(frozen=True, slots=True)
class Golden:
    """One packet of the capture."""

    number: int
    connection: str
    direction: Direction
    content: str
    raw: bytes

    @property
    def version(self) -> Version:
        """Version of its connection."""
        return VERSIONS[self.connection]

    @property
    def port(self) -> int:
        """The client's port."""
        return PORTS[self.connection]

    @property
    def context(self) -> Context:
        """What the packets before it tell."""
        return Context(self.version, self.direction, b"a/b" if self.number == ALIAS_ONLY else None)


@cache
def packets() -> tuple[Golden, ...]:
    """All of them in order."""
    rows = (line.split("\t") for line in (FOLDER / "packets.tsv").read_text("utf-8").splitlines() if not line.startswith("#"))
    return tuple(
        Golden(int(number), connection, Direction.C2S if way == "C>S" else Direction.S2C, content, bytes.fromhex(raw))
        for number, connection, way, content, raw in rows
    )


def packet(number: int) -> Golden:
    """Packet `number`, from 1."""
    return packets()[number - 1]
