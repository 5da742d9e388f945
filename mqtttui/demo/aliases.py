"""Topic aliases of one client (MQTT 5, section 3.3.2.3.4)."""

from __future__ import annotations

from mqtttui.demo.codes import Code
from mqtttui.demo.messages import number, raw
from mqtttui.demo.violations import Violation
from mqtttui.protocol.enums import PropertyId
from mqtttui.protocol.packets import Publish


class Aliases:
    """What the client's aliases stand for."""

    def __init__(self, maximum: int) -> None:
        self._maximum = maximum
        self._topics: dict[int, bytes] = {}

    def topic(self, packet: Publish) -> bytes:
        """The topic of a message, by way of its alias if it has one. Raises Violation."""
        topic = raw(packet.topic)
        alias = number(packet.properties, PropertyId.TOPIC_ALIAS)
        if alias is None:
            return topic
        if alias > self._maximum:
            raise Violation(Code.TOPIC_ALIAS_INVALID, "the topic alias is above the Topic Alias Maximum")  # [MQTT-3.3.2-9]
        if topic:
            self._topics[alias] = topic
        elif alias not in self._topics:
            raise Violation(Code.PROTOCOL_ERROR, "this topic alias has no topic yet")
        return self._topics[alias]
