"""The last retained message of each topic (MQTT 5, section 3.3.1.3)."""

from __future__ import annotations

from collections.abc import Iterator

from mqtttui.demo.messages import Message
from mqtttui.protocol.topics import matches

LIMIT = 10_000
"""Topics; beyond it new ones are not retained (they are delivered as usual)."""


class Retained:
    """Topic -> message."""

    def __init__(self) -> None:
        self._messages: dict[bytes, Message] = {}

    def __len__(self) -> int:
        return len(self._messages)

    def store(self, message: Message) -> None:
        """Keeps a message, or forgets its topic if the payload is empty [MQTT-3.3.1-6]."""
        if not message.payload:
            self._messages.pop(message.topic, None)
        elif message.topic in self._messages or len(self._messages) < LIMIT:
            self._messages[message.topic] = message

    def matching(self, filter: bytes, now: float) -> Iterator[Message]:
        """What a new subscription to `filter` gets; forgets what has expired."""
        for message in list(self._messages.values()):
            if message.expired(now):
                del self._messages[message.topic]
            elif matches(filter, message.topic):
                yield message
