"""Which capture to open, as a person says it."""

from __future__ import annotations

from dataclasses import dataclass

from mqtttui.protocol.enums import Version

STANDARD_INPUT = "-"


@dataclass(frozen=True, slots=True)
class OpenOptions:
    """A capture to open in the inspector."""

    path: str
    """`-` is standard input."""
    descriptor: int | None = None
    """Where standard input was put, so that the keyboard could come from the terminal."""
    goto: int = 0
    """No. of the packet to select, 0 for none."""
    version: Version | None = None
    """Of connections whose CONNECT was not captured; None: guess it."""
