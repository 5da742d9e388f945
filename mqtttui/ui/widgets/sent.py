"""What became of a publish, as one line of the history."""

from __future__ import annotations

import time
from dataclasses import dataclass

from mqtttui import text
from mqtttui.client.events import Outcome
from mqtttui.protocol.packets import Publish
from mqtttui.ui.widgets.read_view import Line

_STYLES = {
    Outcome.HELD: "warning",
    Outcome.QUEUED: "dim",
    Outcome.SENT: "",
    Outcome.ACKED: "good",
    Outcome.CAME_BACK: "good",
    Outcome.REFUSED: "error",
    Outcome.LOST: "error",
    Outcome.NOT_BACK: "warning",
}


@dataclass(slots=True)
class Sent:
    """One publish and how it stands."""

    token: int
    at: float
    """Wall clock, seconds."""
    packet: Publish
    """Without its payload."""
    size: int
    """Bytes of the whole packet, 0 if it has no encoding."""
    outcome: Outcome = Outcome.QUEUED
    text: str = "queued"
    packet_id: int | None = None


def sent_line(sent: Sent) -> Line:
    """`14:03:12.502 #7 q1 the broker took it, 17 ms  cmd/lamp  26 B`."""
    milliseconds = int(sent.at * 1000) % 1000
    at = f"{time.strftime('%H:%M:%S', time.localtime(sent.at))}.{milliseconds:03d}"
    number = f"#{sent.packet_id}" if sent.packet_id is not None else ""
    return [
        (f"{at} ", "dim"),
        (f"{number:<6} ", "dim"),
        (f"q{sent.packet.qos} ", ""),
        (sent.text, _STYLES[sent.outcome]),
        (f"  {text.shorten(text.visible(sent.packet.topic), 60)}", ""),
        (f"  {sent.size:,} B", "dim"),
    ]
