"""Rates and counts at the right end of the status bar, and that bar before there is a connection, for the first paint."""

from __future__ import annotations

from dataclasses import dataclass

from textual.content import Content

from mqtttui.ui.content import Part, join, size
from mqtttui.ui.widgets.bars import Bar, spread

IDLE_SIGN = ("○", "$dimmed", "not connected")
"""Sign, style and words of no connection."""


@dataclass(frozen=True, slots=True)
class Meter:
    """Rates and counts as they are shown."""

    in_packets: float = 0.0
    """A second."""
    in_bytes: float = 0.0
    out_packets: float = 0.0
    received: int = 0
    kept: int = 0
    lost: int = 0
    warnings: int = 0
    """Packets whose worst finding is a warning."""
    errors: int = 0
    """Packets with an error."""


class IdleStatus(Bar):
    """The first line of the screen while nothing else is loaded."""

    def line(self, width: int) -> Content:
        sign, style, words = IDLE_SIGN
        return spread(join(" ", (f"{sign} ", style), words), rates(Meter(), width), width)


def rates(meter: Meter, width: int, *, live: bool = True, before: tuple[Part, ...] = ()) -> Content:
    """What comes in, goes out, is lost and wrong, behind `before`; not `live`: without the rates, for a file was read."""
    parts: list[Part] = [*before]
    if live:
        parts += [("in ", "$dimmed"), ("▼ ", "$direction-in"), f"{_rate(meter.in_packets)}/s"]
        if width >= 100:
            parts.append(f" {size(meter.in_bytes)}/s")
        if width >= 72:
            parts += [("  out ", "$dimmed"), ("▲ ", "$direction-out"), f"{_rate(meter.out_packets)}/s"]
        parts.append("  ")
    parts += [("lost ", "$dimmed"), (f"{meter.lost:,}", "$state-warn" if meter.lost else "")]
    if meter.warnings:
        parts.append((f"  {meter.warnings:,} warn", "$state-warn"))
    if meter.errors:
        parts.append((f"  {meter.errors:,} error", "$state-bad"))
    parts.append(" ")
    return join(*(part for part in parts if part != ("", "")))


def _rate(value: float) -> str:
    return f"{value:,.0f}"
