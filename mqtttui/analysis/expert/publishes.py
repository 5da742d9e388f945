"""PUBLISH against what both sides announced: aliases, RETAIN, QoS, requests, and a server that closes after one (D20 to D34, E19)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mqtttui.analysis.expert.conversation import Conversation
from mqtttui.analysis.expert.rule import Rule
from mqtttui.analysis.expert.seen import Seen
from mqtttui.analysis.expert.timeouts import SECOND
from mqtttui.protocol.enums import Direction, PropertyId, Severity, Version
from mqtttui.protocol.enums import PacketType as P
from mqtttui.protocol.packets import Text
from mqtttui.text import preview, shorten, visible

MAX_TOPICS = 10_000
"""Topics of own messages of a connection that are remembered."""
_CLOSED_BY_SERVER = "the server closed"
"""How the reason of an end says, in lower case, that the server made it in an orderly way: a reset is more often the network's."""


@dataclass(slots=True)
class _FirstUse:
    """The latest message of the client to a topic that it had not used before."""

    no: int
    mono: int
    topic: bytes
    identifier: int | None


class Publishes(Rule):
    """Looks at messages of both sides."""

    kinds: ClassVar[frozenset[P]] = frozenset({P.PUBLISH, P.CONNACK})

    def __init__(self, conversation: Conversation) -> None:
        super().__init__(conversation)
        self._aliases: tuple[dict[int, tuple[int, int]], dict[int, tuple[int, int]]] = ({}, {})
        """By direction: alias -> hash of the topic, and the PUBLISH that set it."""
        self._used: set[int] = set()
        """Hashes of the topics that the client has sent to."""
        self._first_use: _FirstUse | None = None

    @property
    def size(self) -> int:
        """See Rule."""
        return len(self._used) * 80 + sum(len(table) * 200 for table in self._aliases)

    def packet(self, seen: Seen) -> None:
        """A message."""
        if seen.kind is not P.PUBLISH:
            return
        if seen.version is Version.V5:
            alias = seen.value_of(PropertyId.TOPIC_ALIAS)
            if isinstance(alias, int) and alias:
                self._alias(seen, alias)
            response = seen.value_of(PropertyId.RESPONSE_TOPIC)
            if isinstance(response, str | bytes):
                self._request(seen, response)
            if seen.direction is Direction.C2S:
                self._supported(seen)
        elif seen.direction is Direction.C2S:
            self._use(seen)

    def after(self, seen: Seen) -> None:
        """The CONNACK tells what the server supports, which the will has to keep to as well."""
        conversation = self.conversation
        will, features = conversation.will, conversation.features
        if seen.no != conversation.connack_no or seen.kind is not P.CONNACK or will is None or not conversation.accepted:
            return
        related = (conversation.connect_no,)
        if will.qos > features.maximum_qos:
            text = f"The server accepts a will with QoS {will.qos}, although its Maximum QoS is {features.maximum_qos}."
            conversation.report("D28", seen, text, related=related, field="mqtt.property.max_qos", statement="MQTT-3.2.2-12")
        if will.retain and not features.retain:
            text = "The server accepts a will with RETAIN, although it stores no messages (Retain Available 0)."
            conversation.report("D28", seen, text, related=related, statement="MQTT-3.2.2-13")

    # --- MQTT 5

    def _alias(self, seen: Seen, alias: int) -> None:
        conversation, side = self.conversation, seen.direction
        announced = conversation.connack if side is Direction.C2S else conversation.connect
        limit = conversation.limits[side].alias_maximum
        if announced is not None and alias > limit:
            where = conversation.connack_no if side is Direction.C2S else conversation.connect_no
            allowed = f"only {limit:,}" if limit else "none"
            text = f"{seen.sender} uses topic alias {alias}; {seen.receiver} allows {allowed}."
            conversation.report("D20", seen, text, related=(where,), field="mqtt.property.topic_alias")
        table = self._aliases[side]
        bound = table.get(alias)
        if seen.written_topic:
            topic = hash(seen.written_topic)
            if bound is not None and bound[0] != topic:
                text = f"{seen.sender} sets topic alias {alias} anew: it means {preview(seen.written_topic, 60)} from now on."
                conversation.report("D22", seen, text, related=(bound[1],), field="mqtt.property.topic_alias")
            if bound is None or bound[0] != topic:
                table[alias] = topic, seen.no
        elif bound is None and not conversation.partial:
            text = f"{seen.sender} uses topic alias {alias} in place of a topic, but has not set it on this connection."
            conversation.report("D21", seen, text, field="mqtt.property.topic_alias")

    def _request(self, seen: Seen, response: Text) -> None:
        text = f"{seen.sender} asks for an answer on {shorten(visible(response), 60)}."
        self.conversation.report("D34", seen, text, field="mqtt.prop_string")

    def _supported(self, seen: Seen) -> None:
        conversation = self.conversation
        related, features = (conversation.connack_no,), conversation.features
        if seen.retain and not features.retain:
            text = "The client sends RETAIN, but the server stores no messages (Retain Available 0)."
            conversation.report("D27", seen, text, related=related, field="mqtt.retain")
        if features.maximum_qos < seen.qos < 3:
            text = f"The client sends QoS {seen.qos}, but the server's Maximum QoS is {features.maximum_qos}."
            conversation.report("D28", seen, text, related=related, field="mqtt.qos")

    # --- MQTT 3.x: refusal by closing

    def _use(self, seen: Seen) -> None:
        topic = hash(seen.topic)
        if topic in self._used or len(self._used) >= MAX_TOPICS:
            return
        self._used.add(topic)
        self._first_use = _FirstUse(seen.no, seen.mono, seen.topic, seen.packet_id)

    def closed(self, mono: int, reason: str) -> None:
        """The server may have closed because of the latest message, if nothing else tells why."""
        conversation, use = self.conversation, self._first_use
        if use is None or mono - use.mono > SECOND or any(conversation.closing) or not conversation.accepted:
            return
        if _CLOSED_BY_SERVER not in reason.lower():
            return
        if use.identifier is not None:
            flow = conversation.in_flight.of(Direction.C2S).flows.get(use.identifier)
            if flow is None or flow.first != use.no:
                return
        if any(self._broken(no) for no in {use.no, conversation.last_no[Direction.C2S]}):
            return
        text = (
            f"The server closed the connection {(mono - use.mono) / SECOND:.1f} s after the client's message to {preview(use.topic, 60)}."
        )
        conversation.report("E19", use.no, text, field="mqtt.topic")

    def _broken(self, no: int) -> bool:
        """The packet is reason enough to close."""
        log = self.conversation.log
        return no in log and log.dissect(no).worst is Severity.ERROR
