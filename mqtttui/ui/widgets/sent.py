"""What became of a publish, as one line of the history."""

from __future__ import annotations

import time
from dataclasses import dataclass

from mqtttui import text
from mqtttui.client.events import Outcome, PublishChanged
from mqtttui.protocol.enums import PropertyId
from mqtttui.protocol.packets import Publish
from mqtttui.ui.widgets.read_view import Line

_STYLES = {
    Outcome.HELD: "warning",
    Outcome.QUEUED: "dim",
    Outcome.SENT: "",
    Outcome.LATE: "warning",
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
    watched: tuple[Outcome, str] | None = None
    """Whether it came back, if that was watched for."""
    packet_id: int | None = None

    def changed(self, event: PublishChanged) -> None:
        """It went one step further."""
        if event.outcome in (Outcome.CAME_BACK, Outcome.NOT_BACK):
            self.watched = (event.outcome, event.text)
        else:
            self.outcome, self.text = event.outcome, event.text
        if event.packet_id is not None:
            self.packet_id = event.packet_id


def sent_line(sent: Sent) -> Line:
    """`14:03:12.502 #7 q1 the broker took it, 17 ms · came back after 18 ms  cmd/lamp  26 B`."""
    milliseconds = int(sent.at * 1000) % 1000
    at = f"{time.strftime('%H:%M:%S', time.localtime(sent.at))}.{milliseconds:03d}"
    number = f"#{sent.packet_id}" if sent.packet_id is not None else ""
    watched = [] if sent.watched is None else [(" · ", "dim"), (sent.watched[1], _STYLES[sent.watched[0]])]
    return [
        (f"{at} ", "dim"),
        (f"{number:<6} ", "dim"),
        (f"q{sent.packet.qos} ", ""),
        (sent.text, _STYLES[sent.outcome]),
        *watched,
        (f"  {_topic(sent.packet)}", ""),
        (f"  {sent.size:,} B", "dim"),
    ]


def _topic(packet: Publish) -> str:
    if packet.topic:
        return text.shorten(text.visible(packet.topic), 60)
    alias = next((item.value for item in packet.properties if item.id == PropertyId.TOPIC_ALIAS and isinstance(item.value, int)), 0)
    return f"(topic alias {alias})"
