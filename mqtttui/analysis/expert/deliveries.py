"""Messages of the server against the options of the subscriptions that they come for (D10 to D15, D18, D24, D25, D30).

Nothing is judged by subscriptions as long as there may be others that nobody saw.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mqtttui.analysis.expert.conversation import Conversation
from mqtttui.analysis.expert.held import RECENT_NS, Held
from mqtttui.analysis.expert.rule import Rule
from mqtttui.analysis.expert.seen import Seen
from mqtttui.analysis.expert.timeouts import SECOND
from mqtttui.protocol.enums import Direction, PropertyId, Version
from mqtttui.protocol.enums import PacketType as P
from mqtttui.text import preview

MAX_STORED = 10_000
"""Topics of which it is known that they have a stored message."""
MAX_COPIES = 1_000
"""Topics that are watched for copies."""
_COPY_NS = 50_000_000
"""How close copies follow each other (ns) where no identifier tells them apart."""
_SINGLE = 10
"""After so many messages without a copy, or after a copy, a topic is not watched any more."""


@dataclass(slots=True)
class _Latest:
    """The latest message of a topic that several filters match."""

    digest: int
    no: int
    mono: int
    identifiers: frozenset[int]
    single: int = 0
    """Messages in a row without a copy."""


class Deliveries(Rule):
    """Looks at what arrives."""

    kinds: ClassVar[frozenset[P]] = frozenset({P.PUBLISH})

    def __init__(self, conversation: Conversation) -> None:
        super().__init__(conversation)
        self._stored: dict[bytes, tuple[int, int]] = {}
        """Topic -> No. of the latest message with RETAIN of either side, and of the latest one of the server."""
        self._latest: dict[bytes, _Latest] = {}
        self._lower: set[tuple[bytes, int]] = set()
        """Filters with a QoS below the granted one, of which was told."""

    @property
    def size(self) -> int:
        """See Rule."""
        return (len(self._stored) + len(self._latest)) * 200

    def packet(self, seen: Seen) -> None:
        """A message, either way."""
        topic = seen.topic
        if not topic:
            return
        if seen.direction is Direction.C2S:
            if seen.retain:
                self._keep_stored(seen, topic)
            return
        subscriptions = self.conversation.subscriptions
        held = () if subscriptions.uncertain else subscriptions.match(topic).held
        if seen.retain:
            self._with_retain(seen, topic, held)
        elif not seen.payload and (stored := self._stored.pop(topic, None)):
            text = f"The server sends an empty message to {preview(topic, 60)}: somebody deleted its stored message."
            self.conversation.report("D18", seen, text, related=stored[:1], field="mqtt.msg")
        if held:
            self._qos(seen, topic, held)
            identifiers = _identifiers(seen)
            if seen.version is Version.V5:
                self._named(seen, held, identifiers)
            if len(held) > 1 and seen.payload and not seen.dup:
                self._copies(seen, topic, frozenset(identifiers))

    def _keep_stored(self, seen: Seen, topic: bytes) -> None:
        if not seen.payload:
            return
        if topic not in self._stored and len(self._stored) >= MAX_STORED:
            del self._stored[next(iter(self._stored))]
        delivered = seen.no if seen.direction is Direction.S2C else self._stored.get(topic, (0, 0))[1]
        self._stored[topic] = seen.no, delivered

    # --- RETAIN

    def _with_retain(self, seen: Seen, topic: bytes, held: tuple[Held, ...]) -> None:
        kept = any(entry.as_published or entry.published_until >= seen.mono for entry in held)
        what = "this message was stored, or has just been stored" if kept else "this message was stored earlier"
        self.conversation.report("D12", seen, f"The server sends RETAIN: {what}; its age is not known.", field="mqtt.retain")
        before = self._stored.get(topic, (0, 0))[1]
        self._keep_stored(seen, topic)
        if topic in self._stored and any(entry.again and not entry.answered for entry in held):
            # It may belong to the SUBSCRIBE before: the one that waits for its SUBACK brings it once more.
            self._stored[topic] = seen.no, before
        if self.conversation.resumed or not held or kept or any(entry.shared for entry in held):
            return
        asked = [entry for entry in held if entry.stored_until >= seen.mono]
        # A SUBSCRIBE brings the stored message of a topic once.
        if asked and (len(held) > 1 or before < held[0].no or seen.dup):
            for entry in asked:
                # A long row of stored messages takes its time.
                if before < entry.no:
                    entry.stored_until = seen.mono + RECENT_NS
            return
        self._unasked(seen, topic, held)

    def _unasked(self, seen: Seen, topic: bytes, held: tuple[Held, ...]) -> None:
        """No SUBSCRIBE explains that the server sends a stored message."""
        shown = preview(topic, 60)
        declined = [entry for entry in held if seen.mono - entry.since <= RECENT_NS and entry.handling]
        if seen.version is not Version.V5:
            text = f"The server sends {shown} with RETAIN, but the client has not subscribed to it just now."
            self.conversation.report("D13", seen, text, related=(held[0].no,), field="mqtt.retain")
        elif declined:
            why = "not at all" if declined[0].handling == 2 else "for new subscriptions only"
            text = f"The server sends the stored message of {shown}; the client wants those {why} (Retain Handling {declined[0].handling})."
            self.conversation.report("D15", seen, text, related=(declined[0].no,), field="mqtt.retain")
        else:
            text = f"The server sends {shown} with RETAIN, although no filter has Retain As Published and none is new."
            self.conversation.report("D14", seen, text, related=(held[0].no,), field="mqtt.retain")

    # --- QoS and identifiers

    def _qos(self, seen: Seen, topic: bytes, held: tuple[Held, ...]) -> None:
        highest = max(entry.highest for entry in held)
        if highest < seen.qos < 3:
            text = f"The server sends {preview(topic, 60)} with QoS {seen.qos}; the highest that it granted for it is {highest}."
            self.conversation.report("D10", seen, text, related=tuple(entry.no for entry in held[:5]), field="mqtt.qos")
            return
        lowest = min(entry.qos for entry in held)
        key = (held[0].filter, seen.qos)
        if seen.qos < lowest and key not in self._lower and all(entry.answered for entry in held):
            self._lower.add(key)
            text = f"The server sends {preview(topic, 60)} with QoS {seen.qos}, as its publisher did; the client would get up to {lowest}."
            self.conversation.report_once(key, "D11", seen, text, related=(held[0].no,), field="mqtt.qos")

    def _named(self, seen: Seen, held: tuple[Held, ...], identifiers: tuple[int, ...]) -> None:
        conversation = self.conversation
        fitting = {entry.identifier for entry in held}
        strange = [number for number in identifiers if number not in fitting and not self._former(seen, number)]
        if strange:
            number = strange[0]
            known = conversation.subscriptions.identifies(number)
            why = "whose filter does not match this topic" if known else "which no filter of the client has"
            text = f"The server names Subscription Identifier {number}, {why}."
            conversation.report("D25", seen, text, field="mqtt.prop_number", cause=f"identifier {number}")
        elif not identifiers and None not in fitting and not conversation.resumed and not any(_fresh(entry, seen) for entry in held):
            text = f"The server names no Subscription Identifier, but all filters that match {preview(seen.topic, 60)} have one."
            related = tuple(entry.no for entry in held[:5])
            conversation.report("D24", seen, text, related=related, field="mqtt.properties")

    def _former(self, seen: Seen, number: int) -> bool:
        """The identifier was in use until shortly before, or on an earlier connection of the session."""
        until = self.conversation.subscriptions.former.get(number)
        return until is not None and (self.conversation.resumed or until >= seen.mono)

    # --- copies

    def _copies(self, seen: Seen, topic: bytes, identifiers: frozenset[int]) -> None:
        """Several filters match: a copy for each is allowed, and worth a note once."""
        digest = hash(seen.payload)
        latest = self._latest.get(topic)
        if latest is None:
            if len(self._latest) < MAX_COPIES:
                self._latest[topic] = _Latest(digest, seen.no, seen.mono, identifiers)
                self.conversation.look_again()
            return
        if latest.single >= _SINGLE:
            return
        told_apart = bool(identifiers and latest.identifiers)
        near = seen.mono - latest.mono <= (SECOND if told_apart else _COPY_NS)
        if latest.digest == digest and near and (not told_apart or identifiers != latest.identifiers):
            text = f"The server sends the same message to {preview(topic, 60)} once more: several filters match it."
            self.conversation.report_once(topic, "D30", seen, text, related=(latest.no,), field="mqtt.topic")
            latest.single = _SINGLE
        else:
            latest.single += 1
        latest.digest, latest.no, latest.mono, latest.identifiers = digest, seen.no, seen.mono, identifiers
        if latest.single < _SINGLE:
            self.conversation.look_again()


def _identifiers(seen: Seen) -> tuple[int, ...]:
    wanted = PropertyId.SUBSCRIPTION_IDENTIFIER
    return tuple(item.value for item in seen.properties if item.id == wanted and isinstance(item.value, int))


def _fresh(entry: Held, seen: Seen) -> bool:
    """The filter has just been subscribed to again: messages from before may still arrive."""
    return entry.again and seen.mono - entry.since <= RECENT_NS
