"""What shows below MQTT: another protocol, very large packets, WebSocket frames (A12 to A16)."""

from __future__ import annotations

from mqtttui.analysis.expert.conversation import Conversation
from mqtttui.analysis.expert.rule import Rule
from mqtttui.analysis.expert.seen import Seen
from mqtttui.capture.records import WebSocketEvent, WebSocketKind
from mqtttui.protocol.enums import Version
from mqtttui.text import preview, visible

_FOREIGN = (
    (b"HTTP/", "HTTP", "a web server"),
    (b"GET ", "HTTP", "a web client"),
    (b"\x15\x03", "a TLS alert", "TLS"),
    (b"\x16\x03", "a TLS handshake", "TLS"),
    (b"SSH-", "SSH", "SSH"),
)
"""First bytes, what they are, who speaks so."""
_SUB_PROTOCOLS = {Version.V31: (b"mqttv3.1", b"mqtt")}
_MIB = 1024 * 1024


class Transport(Rule):
    """Looks at the first bytes of each side, at sizes, and at what the log tells of WebSocket frames."""

    def __init__(self, conversation: Conversation) -> None:
        super().__init__(conversation)
        self._told = 0
        """Events of the WebSocket that were looked at."""

    def packet(self, seen: Seen) -> None:
        """A packet, whatever it is."""
        if seen.length > self.conversation.timeouts.large:
            self.conversation.report("A13", seen, f"{seen.sender} sends {seen.length / _MIB:.1f} MiB in one packet.", cause=seen.sender)
        self._first(seen)

    def after(self, seen: Seen) -> None:
        """The packet is counted."""
        self._frames()

    def unframed(self, seen: Seen) -> None:
        """Bytes that are no packet."""
        self._first(seen)

    def closed(self, mono: int, reason: str) -> None:
        """What the frames after the last packet were."""
        self._frames()

    def _first(self, seen: Seen) -> None:
        if self.conversation.partial or self.conversation.last_no[seen.direction]:
            return
        for start, what, _ in _FOREIGN:
            if seen.raw.startswith(start):
                text = f"{seen.sender} does not speak MQTT: its first bytes are {what}, {preview(seen.raw[:16], 40)}."
                self.conversation.report("A12", seen, text, cause=what)

    def _frames(self) -> None:
        conversation = self.conversation
        events = conversation.log.websocket_events(conversation.number)
        while self._told < len(events):
            self._frame(events[self._told])
            self._told += 1

    def _frame(self, event: WebSocketEvent) -> None:
        conversation = self.conversation
        sender = "The client" if event.direction == 0 else "The server"
        where = event.no or max(conversation.last_no)
        match event.kind:
            case WebSocketKind.TEXT_FRAME:
                conversation.report("A14", where, f"{sender} sends MQTT in a WebSocket text frame; it has to be binary.", cause=sender)
            case WebSocketKind.SUB_PROTOCOL:
                wanted = _SUB_PROTOCOLS.get(conversation.version, (b"mqtt",))
                if event.detail not in wanted:
                    named = visible(event.detail) if event.detail else "none"
                    text = f"The server answers with the WebSocket sub-protocol {named}; it has to be mqtt."
                    conversation.report("A15", where, text, cause=named)
            case WebSocketKind.SPLIT:
                text = f"{sender} does not put one packet into each WebSocket frame, which is allowed."
                conversation.report_once((event.direction, "split"), "A16", where, text)
