"""SUBSCRIBE, UNSUBSCRIBE and their answers (F09 to F23), and an identifier that they share with a message (D04)."""

from __future__ import annotations

from typing import ClassVar

from mqtttui.analysis.expert.conversation import Conversation
from mqtttui.analysis.expert.inflight import Request
from mqtttui.analysis.expert.learning import text_bytes
from mqtttui.analysis.expert.rule import Rule
from mqtttui.analysis.expert.seen import Seen
from mqtttui.protocol.enums import Direction, PropertyId, Version
from mqtttui.protocol.enums import PacketType as P
from mqtttui.protocol.packets import Suback, Subscribe, TopicRequest, Unsuback, Unsubscribe
from mqtttui.protocol.reason_codes import label
from mqtttui.protocol.topics import is_shared
from mqtttui.text import preview

MAX_REQUESTS = 1_000
"""Unanswered SUBSCRIBE and UNSUBSCRIBE packets; behind more of them answers prove nothing."""
_FAILURE = 0x80
_NO_SUBSCRIPTION = 0x11
_MOST_COMPARED = 500
"""Filters that those of one SUBSCRIBE are compared with."""
_MOST_SAID = 20
"""Findings of one packet that name a filter each."""


class Subscribing(Rule):
    """Brings `conversation.subscriptions` forward."""

    kinds: ClassVar[frozenset[P]] = frozenset({P.CONNACK, P.SUBSCRIBE, P.SUBACK, P.UNSUBSCRIBE, P.UNSUBACK})

    def __init__(self, conversation: Conversation) -> None:
        super().__init__(conversation)
        self._started = conversation.subscriptions
        self._deaf = False
        """There may be requests that are not known."""

    def packet(self, seen: Seen) -> None:
        """A request or an answer."""
        match seen.kind, seen.direction:
            case P.SUBSCRIBE, Direction.C2S:
                self._subscribe(seen)
            case P.UNSUBSCRIBE, Direction.C2S:
                self._unsubscribe(seen)
            case P.SUBACK, Direction.S2C:
                self._suback(seen)
            case P.UNSUBACK, Direction.S2C:
                self._unsuback(seen)
            case _:
                pass

    def after(self, seen: Seen) -> None:
        """What the client asked for before the CONNACK counts in the session that goes on."""
        subscriptions = self.conversation.subscriptions
        if subscriptions is not self._started:
            subscriptions.add(self._started)
            self._started = subscriptions

    def unframed(self, seen: Seen) -> None:
        """What the client subscribes to from now on cannot be told."""
        self._deaf = True
        self.conversation.subscriptions.uncertain = True
        self.conversation.unsettle()

    # --- requests

    def _subscribe(self, seen: Seen) -> None:
        packet = seen.packet
        if not isinstance(packet, Subscribe):
            self._ask(seen, P.SUBSCRIBE, None)
            return
        filters = tuple(text_bytes(request.filter) for request in packet.requests)
        self._ask(seen, P.SUBSCRIBE, filters, tuple(min(request.qos, 2) for request in packet.requests))
        identifier = seen.value_of(PropertyId.SUBSCRIPTION_IDENTIFIER)
        self._available(seen, filters, identifier is not None)
        self._hold(seen, filters, packet.requests, identifier if isinstance(identifier, int) else None)

    def _unsubscribe(self, seen: Seen) -> None:
        packet = seen.packet
        filters = tuple(text_bytes(text) for text in packet.filters) if isinstance(packet, Unsubscribe) else None
        self._ask(seen, P.UNSUBSCRIBE, filters)
        if filters is None or self.conversation.subscriptions.uncertain:
            return
        unknown = [filter for filter in filters if filter and filter not in self.conversation.subscriptions.held]
        for filter in unknown[:_MOST_SAID]:
            text = f"The client unsubscribes from {preview(filter, 60)}, which it does not hold."
            self.conversation.report("F21", seen, text, field="mqtt.topic")

    def _ask(self, seen: Seen, kind: P, filters: tuple[bytes, ...] | None, qos: tuple[int, ...] = ()) -> None:
        identifier = seen.packet_id
        if not identifier:
            return
        space = self.conversation.in_flight.of(Direction.C2S)
        flow, request = space.flows.get(identifier), space.requests.pop(identifier, None)
        repeats = seen.version is Version.V31 and seen.dup
        if flow is not None or (request is not None and not repeats):
            what = "a PUBLISH" if request is None else f"the {request.kind.name}"
            text = f"The client gives identifier {identifier} to this {kind.name} while {what} with it is not finished."
            related = (request.no if request is not None else flow.first if flow is not None else 0,)
            self.conversation.report("D04", seen, text, related=related, field="mqtt.msgid")
        if len(space.requests) >= MAX_REQUESTS:
            del space.requests[next(iter(space.requests))]
            self._deaf = True
        space.requests[identifier] = Request(kind, seen.no, filters, qos, seen.mono)

    def _available(self, seen: Seen, filters: tuple[bytes, ...], identified: bool) -> None:
        """The CONNACK told what the server does not have."""
        conversation = self.conversation
        features, related = conversation.features, (conversation.connack_no,)
        if identified and not features.identifiers:
            text = "The client uses a Subscription Identifier, which the server does not support."
            conversation.report("F09", seen, text, related=related, field="mqtt.property_id", cause="identifiers")
        shared = next((filter for filter in filters if is_shared(filter)), None)
        if shared is not None and not features.shared:
            text = f"The client subscribes to {preview(shared, 60)}, but the server supports no shared subscriptions."
            conversation.report("F09", seen, text, related=related, field="mqtt.topic", cause="shared subscriptions")
        wild = next((filter for filter in filters if b"+" in filter or b"#" in filter), None)
        if wild is not None and not features.wildcards:
            text = f"The client subscribes to {preview(wild, 60)}, but the server supports no wildcards."
            conversation.report("F09", seen, text, related=related, field="mqtt.topic", cause="wildcards")

    def _hold(self, seen: Seen, filters: tuple[bytes, ...], asked: tuple[TopicRequest, ...], identifier: int | None) -> None:
        subscriptions = self.conversation.subscriptions
        again: dict[bytes, int] = {}
        pairs: list[tuple[bytes, bytes, int]] = []
        budget = _MOST_COMPARED
        for filter, request in zip(filters, asked, strict=True):
            if not filter:
                continue
            before = subscriptions.held.get(filter)
            if before is None:
                others, budget = subscriptions.overlapping(filter, budget)
                pairs += [(filter, other.filter, other.no) for other in others]
            elif before.no != seen.no:
                again[filter] = before.no
            subscriptions.subscribe(filter, request, identifier, seen.no, seen.mono)
        self.conversation.unsettle()
        for filter, no in list(again.items())[:_MOST_SAID]:
            text = f"The client subscribes to {preview(filter, 60)} again; it holds that filter already."
            self.conversation.report("F22", seen, text, related=(no,), field="mqtt.topic")
        if pairs:
            filter, other, _ = pairs[0]
            more = f" (and {len(pairs) - 1:,} more such pairs)" if len(pairs) > 1 else ""
            text = f"The client's filter {preview(filter, 40)} overlaps {preview(other, 40)}{more}."
            related = tuple(sorted({no for *_, no in pairs[:_MOST_SAID]} - {seen.no}))
            self.conversation.report("F23", seen, text, related=related, field="mqtt.topic")

    # --- answers

    def _suback(self, seen: Seen) -> None:
        request = self._answered(seen, P.SUBSCRIBE, "F10")
        packet = seen.packet
        if request is None or not isinstance(packet, Suback):
            return
        self.conversation.unsettle()
        if request.filters is None:
            self.conversation.subscriptions.uncertain |= any(code < _FAILURE for code in packet.codes)
            return
        if len(packet.codes) != len(request.filters):
            self._miscounted("F11", seen, request, len(packet.codes), "mqtt.suback.qos")
            return
        # Of a filter that stands there twice the last answer counts [MQTT-3.8.4-3].
        for filter, code in zip(request.filters, packet.codes, strict=True):
            self.conversation.subscriptions.answer(filter, request.no, code, seen.mono)
        answers = zip(request.filters, request.qos, packet.codes, strict=True)
        unlike = [(filter, asked, code) for filter, asked, code in answers if code != asked]
        for filter, asked, code in unlike[:_MOST_SAID]:
            self._judge_answer(seen, request, filter, asked, code)

    def _judge_answer(self, seen: Seen, request: Request, filter: bytes, asked: int, code: int) -> None:
        shown, related = preview(filter, 60), (request.no,)
        field = "mqtt.suback.reason_code" if seen.version is Version.V5 else "mqtt.suback.qos"
        if code >= _FAILURE:
            why = label(code, P.SUBACK, seen.version)
            text = f"The server refuses {shown}: {why}."
            self.conversation.report("F13", seen, text, related=related, field=field, cause=f"{shown}: {why}")
        elif code <= 2:
            check, word = ("F14", "only") if code < asked else ("F15", "even")
            text = f"The server grants {word} QoS {code} for {shown}; the client asked for {asked}."
            self.conversation.report(check, seen, text, related=related, field=field, cause=f"{asked} asked, {code} granted")

    def _unsuback(self, seen: Seen) -> None:
        request = self._answered(seen, P.UNSUBSCRIBE, "F18")
        packet = seen.packet
        subscriptions = self.conversation.subscriptions
        if request is None or not isinstance(packet, Unsuback):
            return
        self.conversation.unsettle()
        if request.filters is None:
            subscriptions.uncertain = True
            return
        codes = packet.codes if seen.version is Version.V5 else (0,) * len(request.filters)
        if len(codes) != len(request.filters):
            self._miscounted("F19", seen, request, len(codes), "mqtt.unsuback.reason_code")
            subscriptions.uncertain = True
            return
        for filter, code in zip(request.filters, codes, strict=True):
            if code < _FAILURE:
                subscriptions.unsubscribe(filter, seen.no, seen.mono)
            if code == _NO_SUBSCRIPTION:
                text = f"The server had no subscription to {preview(filter, 60)} for this client."
                self.conversation.report("F20", seen, text, related=(request.no,), field="mqtt.unsuback.reason_code")

    def _answered(self, seen: Seen, kind: P, check: str) -> Request | None:
        """The request that `seen` answers; it is not open any more."""
        identifier = seen.packet_id
        if identifier is None:
            return None
        requests = self.conversation.in_flight.of(Direction.C2S).requests
        request = requests.get(identifier)
        if request is not None and request.kind is kind:
            return requests.pop(identifier)
        if not (self.conversation.partial or self._deaf):
            what = f"no {kind.name}" if request is None else f"no {kind.name}, but {_article(request.kind)}"
            text = f"The server answers packet {identifier}, but {what} with this identifier is open."
            related = (request.no,) if request is not None else ()
            self.conversation.report(check, seen, text, related=related, field="mqtt.msgid")
        return None

    def _miscounted(self, check: str, seen: Seen, request: Request, codes: int, field: str) -> None:
        assert request.filters is not None
        wanted = len(request.filters)
        text = f"The server sends {codes:,} {'code' if codes == 1 else 'codes'} for {wanted:,} {'filter' if wanted == 1 else 'filters'}."
        self.conversation.report(check, seen, text, related=(request.no,), field=field)


def _article(kind: P) -> str:
    return f"{'an' if kind is P.UNSUBSCRIBE else 'a'} {kind.name}"
