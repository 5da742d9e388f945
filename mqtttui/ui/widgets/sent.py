"""What became of the publishes of one pane: the history, newest first, one line each."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from itertools import count

from mqtttui import text
from mqtttui.client.events import Outcome, PublishChanged
from mqtttui.protocol.enums import PropertyId
from mqtttui.protocol.packets import Publish
from mqtttui.ui.widgets.read_view import Line

_KEPT = 200
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
    left: bool = False
    """It has left: what came later is the server's doing."""

    @property
    def seems_refused(self) -> bool:
        """It left, and was lost, or did not come back: a server that does not say why may have refused it."""
        lost = self.left and self.outcome is Outcome.LOST
        return lost or (self.watched is not None and self.watched[0] is Outcome.NOT_BACK)

    def changed(self, event: PublishChanged) -> None:
        """It went one step further."""
        self.left = self.left or event.outcome is Outcome.SENT
        if event.outcome in (Outcome.CAME_BACK, Outcome.NOT_BACK):
            self.watched = (event.outcome, event.text)
        else:
            self.outcome, self.text = event.outcome, event.text
        if event.packet_id is not None:
            self.packet_id = event.packet_id


class SentMessages:
    """The latest ones, and all that are held."""

    def __init__(self) -> None:
        self._sent: list[Sent] = []
        self._tokens = count(1)
        self.packet: Publish | None = None
        """The one that was sent last, whole."""

    def add(self, packet: Publish, size: int) -> int:
        """One more is sent; gives its token. `size` in bytes, 0 if it has no encoding."""
        token = next(self._tokens)
        self.packet = packet
        self._sent.insert(0, Sent(token, time.time(), replace(packet, payload=b""), size))
        for sent in self._sent[_KEPT:]:
            if sent.outcome is not Outcome.HELD:
                self._sent.remove(sent)
        return token

    def changed(self, event: PublishChanged) -> None:
        """One of them went one step further."""
        for sent in self._sent:
            if sent.token == event.token:
                sent.changed(event)

    @property
    def latest(self) -> Sent | None:
        """How the one that was sent last stands."""
        return self._sent[0] if self._sent else None

    @property
    def held(self) -> Sent | None:
        """The oldest one that is held."""
        return next((sent for sent in reversed(self._sent) if sent.outcome is Outcome.HELD), None)

    @property
    def lines(self) -> list[Line]:
        """All of them, newest first."""
        return [sent_line(sent) for sent in self._sent] or [[("nothing sent yet", "dim")]]


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
