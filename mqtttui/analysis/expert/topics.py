"""Messages that nobody asked for, or not yet, or not any more, and topics that look like a slip (B14 to B16, F25, F26)."""

from __future__ import annotations

import re
from typing import ClassVar

from mqtttui.analysis.expert.conversation import Conversation
from mqtttui.analysis.expert.held import Removed
from mqtttui.analysis.expert.learning import text_bytes
from mqtttui.analysis.expert.rule import Rule
from mqtttui.analysis.expert.seen import Seen
from mqtttui.analysis.expert.timeouts import SECOND
from mqtttui.protocol.enums import Direction, Severity
from mqtttui.protocol.enums import PacketType as P
from mqtttui.protocol.packets import Subscribe
from mqtttui.text import preview

MAX_NAMES = 5_000
"""Topics and filters of a connection that are compared by case."""
_SLIP = re.compile(rb"^/|//|/$| ").search
_SLIPS = {b"/": "an empty level at its end", b"//": "an empty level", b" ": "a space"}
_LEADING = "an empty level before its first slash"


class Topics(Rule):
    """Compares the topics of messages with the filters that are held."""

    kinds: ClassVar[frozenset[P]] = frozenset({P.PUBLISH, P.SUBSCRIBE})

    def __init__(self, conversation: Conversation) -> None:
        super().__init__(conversation)
        self._names: dict[bytes, tuple[bytes, int]] = {}
        """Topic or filter in lower case -> as it was first seen, and where."""

    @property
    def size(self) -> int:
        """See Rule."""
        return len(self._names) * 250

    def packet(self, seen: Seen) -> None:
        """A topic, or filters."""
        if seen.kind is P.PUBLISH:
            if seen.topic:
                self._name(seen, seen.topic, "topic")
                if seen.direction is Direction.S2C:
                    self._wanted(seen)
        elif isinstance(seen.packet, Subscribe):
            for request in seen.packet.requests[:MAX_NAMES]:
                self._name(seen, text_bytes(request.filter), "filter")

    # --- names

    def _name(self, seen: Seen, name: bytes, what: str) -> None:
        folded = name.lower()
        first = self._names.get(folded)
        if first is None:
            if len(self._names) < MAX_NAMES:
                self._names[folded] = name, seen.no
        elif first[0] != name:
            text = f"{seen.sender}'s {what} {preview(name, 60)} differs from {preview(first[0], 60)} in upper and lower case only."
            self._slip(seen, name, text, "case", (first[1],))
        else:
            return
        found = _SLIP(name)
        if found is not None and name != b"/":
            problem = _LEADING if found.group() == b"/" and found.start() == 0 else _SLIPS[found.group()]
            self._slip(seen, name, f"{seen.sender}'s {what} {preview(name, 60)} has {problem}.", problem, ())

    def _slip(self, seen: Seen, name: bytes, text: str, cause: str, related: tuple[int, ...]) -> None:
        self.conversation.report_once((cause, name), "B15", seen, text, related=related, field="mqtt.topic", cause=cause)

    # --- messages of the server

    def _wanted(self, seen: Seen) -> None:
        """A message comes for a filter that is held [MQTT-3.3.2-3]."""
        conversation, topic = self.conversation, seen.topic
        subscriptions = conversation.subscriptions
        match = subscriptions.match(topic)
        if match.held:
            if not any(entry.answered for entry in match.held):
                entry = match.held[0]
                text = f"The server sends a message for {preview(entry.filter, 60)} before the SUBACK."
                key = (entry.filter, entry.no)
                conversation.report_once(key, "F25", seen, text, related=(entry.no,), field="mqtt.topic")
        elif conversation.partial:
            return
        elif subscriptions.uncertain:
            text = f"No filter that is known matches {preview(topic, 60)}; the server may hold more for this session than was recorded."
            conversation.report_once(topic, "B16", seen, text, field="mqtt.topic", severity=Severity.NOTE)
        elif match.hidden:
            filter = preview(match.hidden[0].filter, 60)
            text = f"The server sends {preview(topic, 60)} for {filter}, but wildcards do not match topics that begin with $."
            conversation.report("B14", seen, text, related=(match.hidden[0].no,), field="mqtt.topic", cause=filter)
        elif match.removed:
            self._removed(seen, match.removed[-1])
        else:
            text = f"The server sends a message to {preview(topic, 60)}, which no filter of the client matches."
            first, slash, _ = topic.partition(b"/")
            conversation.report("B16", seen, text, field="mqtt.topic", cause=preview(first, 40) + ("/…" if slash else ""))

    def _removed(self, seen: Seen, removed: Removed) -> None:
        """What was on its way when the filter was taken back may still arrive."""
        conversation = self.conversation
        conversation.look_again()
        if seen.dup or seen.mono - removed.since <= int(conversation.timeouts.settled * SECOND):
            return
        filter = preview(removed.filter, 60)
        text = f"The server still sends messages for {filter}, {(seen.mono - removed.since) / SECOND:.0f} s after it confirmed its end."
        conversation.report("F26", seen, text, related=(removed.no,), field="mqtt.topic", cause=filter)
