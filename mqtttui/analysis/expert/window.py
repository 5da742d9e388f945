"""Unacknowledged messages against the Receive Maximum of their receiver (MQTT 5, section 4.9; E12 to E14)."""

from __future__ import annotations

from mqtttui.analysis.expert.conversation import Conversation
from mqtttui.analysis.expert.seen import Seen
from mqtttui.analysis.expert.timeouts import SECOND
from mqtttui.protocol.enums import Direction, Version

_QUIET = 60 * SECOND
"""A full window is said once in this time."""


class Window:
    """Looks at the windows of one connection, both directions."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._said: list[int | None] = [None, None]

    def published(self, seen: Seen) -> None:
        """A message with QoS 1 or 2 left and is counted."""
        conversation, side = self._conversation, seen.direction
        announced = conversation.connack if side is Direction.C2S else conversation.connect
        if seen.version is not Version.V5 or announced is None:
            return
        used, limit = conversation.in_flight.of(side).window, conversation.limits[side].receive_maximum
        if used > limit:
            check = "E12" if side is Direction.C2S else "E13"
            text = f"{seen.sender} has {used:,} unacknowledged messages on their way; {seen.receiver} allows {limit:,}."
            where = conversation.connack_no if side is Direction.C2S else conversation.connect_no
            conversation.report(check, seen, text, related=(where,), field="mqtt.msgid")
        elif used == limit:
            said = self._said[side]
            if said is None or seen.mono - said >= _QUIET:
                self._said[side] = seen.mono
                text = f"{seen.sender} has {used:,} unacknowledged messages on their way, as many as {seen.receiver} allows."
                conversation.report("E14", seen, text, field="mqtt.msgid")
