"""What the checks of one concern have in common.

A rule lives as long as its connection. For each packet of its `kinds` the engine calls `packet` before the conversation
learns from it, so that the conversation tells what held until then; `after` follows when it has learned. Timers: ask
`conversation.at`; they come before the first packet that is not earlier.

Bulk traffic is not shown to the rules: once a PUBLISH with QoS 0 and a payload, but without RETAIN, DUP and properties, went
through without a finding, later ones of the same topic and direction are skipped until the conversation changes (a SUBSCRIBE,
a SUBACK, a DISCONNECT …). A rule that has to see the next one as well says `conversation.look_again()`; one that reports
something that need not be counted for each message uses `report_once`, which does not keep the topic from settling.
"""

from __future__ import annotations

from typing import ClassVar

from mqtttui.analysis.expert.conversation import Conversation
from mqtttui.analysis.expert.seen import Seen
from mqtttui.protocol.enums import PacketType as P


class Rule:
    """Checks of one concern on one connection. Every hook may be left out."""

    kinds: ClassVar[frozenset[P]] = frozenset(P)
    """Types of packets that it wants to see. What could not be framed comes to `unframed`."""

    def __init__(self, conversation: Conversation) -> None:
        self.conversation = conversation

    @property
    def size(self) -> int:
        """Bytes that it keeps, roughly, where that may be many."""
        return 0

    def packet(self, seen: Seen) -> None:
        """A packet comes; `conversation` is what held before it."""

    def after(self, seen: Seen) -> None:
        """The conversation has learned from the packet."""

    def unframed(self, seen: Seen) -> None:
        """A row that is no packet: bytes that could not be framed, or the start of a packet that never ended."""

    def lost(self) -> None:
        """Packets of the connection were not seen; `conversation` is uncertain now. What was awaited may have come."""

    def closed(self, mono: int, reason: str) -> None:
        """The connection ended. `conversation` is complete."""
