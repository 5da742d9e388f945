"""Own messages that come back on a subscription of the same client: what happened to them on the way (D29, D31 to D33, E09).

A message is the own one if it has the same topic and the same probe (User Property `mqtttui-probe`), or, without one, the
same payload of at least 16 bytes, and comes within ten seconds. Of payloads sent twice meanwhile it cannot be told which one
came back. Bounded: a few hundred messages; what is sent faster than that is not followed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from mqtttui.analysis.expert.conversation import Conversation
from mqtttui.analysis.expert.held import RECENT_NS, Held
from mqtttui.analysis.expert.rule import Rule
from mqtttui.analysis.expert.seen import Seen
from mqtttui.analysis.expert.timeouts import SECOND
from mqtttui.protocol.enums import Direction, PropertyId, Version
from mqtttui.protocol.enums import PacketType as P
from mqtttui.protocol.packets import Properties
from mqtttui.protocol.properties import PROPERTIES
from mqtttui.text import preview

MAX_OWN = 300
PROBE = "mqtttui-probe"
"""User Property that tells messages apart."""
_PROOF = 16
"""Bytes of a payload that is taken for proof."""
_TIMELY = 10 * SECOND
_UNALTERED = (
    PropertyId.PAYLOAD_FORMAT_INDICATOR,
    PropertyId.CONTENT_TYPE,
    PropertyId.RESPONSE_TOPIC,
    PropertyId.CORRELATION_DATA,
    PropertyId.USER_PROPERTY,
)
"""What a server passes on as it is (sections 3.3.2.3.2 to 3.3.2.3.9)."""

Key = tuple[bytes, object]
"""Topic, and probe or payload."""


@dataclass(slots=True)
class _Own:
    """A message of the client that may come back."""

    no: int
    mono: int
    qos: int
    place: int
    """Among the own messages."""
    properties: Properties
    ambiguous: bool = False
    """The same was sent more than once."""
    sent_again: bool = False
    """With DUP."""
    back: list[int] = field(default_factory=list)
    """The first two deliveries."""


class Loopback(Rule):
    """Compares what comes back with what was sent."""

    kinds: ClassVar[frozenset[P]] = frozenset({P.PUBLISH})

    def __init__(self, conversation: Conversation) -> None:
        super().__init__(conversation)
        self._own: dict[Key, _Own] = {}
        """In the order of sending."""
        self._places = 0
        self._sent: dict[bytes, int] = {}
        """Topic -> when (monotonic ns) the client sent to it last."""
        self._latest: dict[tuple[bytes, int], _Own] = {}
        """Topic and QoS -> the own message that was sent last, of those that came back."""

    @property
    def size(self) -> int:
        """See Rule."""
        return len(self._own) * 500

    def packet(self, seen: Seen) -> None:
        """A message, either way."""
        if seen.direction is Direction.C2S:
            if seen.topic and self.conversation.subscriptions.match(seen.topic).held:
                self._send(seen)
            return
        sent = self._sent.get(seen.topic)
        if sent is None:
            return
        if seen.mono - sent > _TIMELY:
            del self._sent[seen.topic]
            return
        self.conversation.look_again()
        own = self._own.get(_key(seen))
        if own is not None and seen.mono - own.mono <= _TIMELY and not seen.retain:
            self._back(seen, own)

    # --- sending

    def _send(self, seen: Seen) -> None:
        key = _key(seen)
        if not _proves(seen, key):
            return
        before = self._own.get(key)
        if before is not None and seen.dup and before.qos == seen.qos:
            before.sent_again = True
            return
        ambiguous = before is not None and seen.mono - before.mono <= _TIMELY
        if before is not None:
            del self._own[key]
        elif len(self._own) >= MAX_OWN and not self._make_room(seen.mono):
            return
        self._places += 1
        self._own[key] = _Own(seen.no, seen.mono, seen.qos, self._places, seen.properties, ambiguous)
        self._sent.pop(seen.topic, None)
        self._sent[seen.topic] = seen.mono
        if len(self._sent) > MAX_OWN:
            del self._sent[next(iter(self._sent))]
        self.conversation.look_again()
        self.conversation.settled[Direction.S2C].discard(seen.topic)

    def _make_room(self, now: int) -> bool:
        key, oldest = next(iter(self._own.items()))
        if not oldest.back and now - oldest.mono < SECOND:
            return False
        del self._own[key]
        return True

    # --- coming back

    def _back(self, seen: Seen, own: _Own) -> None:
        subscriptions = self.conversation.subscriptions
        held = () if subscriptions.uncertain else subscriptions.match(seen.topic).held
        if not own.back:
            self._no_local(seen, own, held)
            if not own.ambiguous:
                if seen.version is Version.V5:
                    self._unaltered(seen, own)
                if len(held) == 1 and not held[0].shared and not (seen.dup or own.sent_again):
                    self._in_order(seen, own)
        elif len(own.back) == 1:
            self._once(seen, own, held)
        if len(own.back) < 2:
            own.back.append(seen.no)

    def _no_local(self, seen: Seen, own: _Own, held: tuple[Held, ...]) -> None:
        if held and all(entry.no_local and seen.mono - entry.since > (RECENT_NS if entry.again else 0) for entry in held):
            text = f"The server sends the client its own message to {preview(seen.topic, 60)} back, although every filter has No Local."
            related = (own.no, *[entry.no for entry in held[:5]])
            self.conversation.report("D29", seen, text, related=related, field="mqtt.topic")

    def _unaltered(self, seen: Seen, own: _Own) -> None:
        for wanted in _UNALTERED:
            sent, back = _values(own.properties, wanted), _values(seen.properties, wanted)
            if sent != back:
                name = PROPERTIES[wanted].name
                if sorted(map(repr, sent)) == sorted(map(repr, back)):
                    how = "in another order"
                else:
                    how = "without it" if not back else "with another value" if sent else "with one that was not sent"
                text = f"The server passed the client's own message on with {name} changed: it comes back {how}."
                self.conversation.report("D31", seen, text, related=(own.no,), field="mqtt.properties", cause=name)
        sent, back = (_values(each, PropertyId.MESSAGE_EXPIRY_INTERVAL) for each in (own.properties, seen.properties))
        if sent and back and isinstance(sent[0], int) and isinstance(back[0], int) and back[0] > sent[0]:
            text = f"The server passed the client's own message on with an expiry of {back[0]:,} s; it was sent with {sent[0]:,} s."
            self.conversation.report("D32", seen, text, related=(own.no,), field="mqtt.prop_number")

    def _in_order(self, seen: Seen, own: _Own) -> None:
        latest = self._latest.get((seen.topic, own.qos))
        if latest is not None and own.place < latest.place:
            text = f"The server passed on packet {latest.no} before this one, which the client had sent earlier with the same QoS."
            self.conversation.report("D33", seen, text, related=(own.no, latest.no), field="mqtt.topic")
        else:
            if latest is None and len(self._latest) >= MAX_OWN:
                del self._latest[next(iter(self._latest))]
            self._latest[seen.topic, own.qos] = own

    def _once(self, seen: Seen, own: _Own, held: tuple[Held, ...]) -> None:
        """A QoS 2 message that was sent again is passed on once [MQTT-4.3.3-2], [MQTT-4.3.3-10]."""
        if own.qos == seen.qos == 2 and own.sent_again and not own.ambiguous and not seen.dup and len(held) == 1:
            text = "The server passed the client's own QoS 2 message on twice, after it was sent again before PUBREL."
            self.conversation.report("E09", seen, text, related=(own.no, own.back[0]), field="mqtt.msgid")


def _key(seen: Seen) -> Key:
    for item in seen.properties:
        if item.id == PropertyId.USER_PROPERTY and isinstance(item.value, tuple) and item.value[0] == PROBE:
            return seen.topic, item.value[1]
    return seen.topic, hash(seen.payload)


def _proves(seen: Seen, key: Key) -> bool:
    """A message like this one is this one."""
    return not isinstance(key[1], int) or len(seen.payload) >= _PROOF


def _values(properties: Properties, wanted: PropertyId) -> list[object]:
    return [item.value for item in properties if item.id == wanted]
