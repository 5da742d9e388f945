"""An application message inside the broker, and one copy of it on the way to a client."""

from __future__ import annotations

from dataclasses import dataclass, field

from mqtttui.protocol.enums import PropertyId
from mqtttui.protocol.packets import Properties, Property, Text

_PASSED_ON = frozenset(
    {
        PropertyId.PAYLOAD_FORMAT_INDICATOR,
        PropertyId.MESSAGE_EXPIRY_INTERVAL,
        PropertyId.CONTENT_TYPE,
        PropertyId.RESPONSE_TOPIC,
        PropertyId.CORRELATION_DATA,
        PropertyId.USER_PROPERTY,
    }
)
"""Properties of a PUBLISH or a will that belong to the message; the others belong to the connection (section 3.3.2.3)."""


@dataclass(frozen=True, slots=True)
class Message:
    """What was published."""

    topic: bytes
    payload: bytes = b""
    qos: int = 0
    retain: bool = False
    properties: Properties = ()
    """Those that are passed on, unaltered and in order [MQTT-3.3.2-4, -15, -16, -17, -20]."""
    publisher: str = ""
    """Client id, for No Local; empty for the broker itself."""
    expires: float | None = None
    """Loop time after which it is not delivered any more; None: never."""

    @classmethod
    def of(
        cls,
        topic: bytes,
        payload: bytes,
        qos: int,
        now: float,
        *,
        retain: bool = False,
        properties: Properties = (),
        publisher: str = "",
    ) -> Message:
        """A message that arrives at `now` (loop time, seconds), with the properties that are passed on."""
        kept = tuple(item for item in properties if item.id in _PASSED_ON)
        expiry = number(kept, PropertyId.MESSAGE_EXPIRY_INTERVAL)
        return cls(topic, payload, qos, retain, kept, publisher, None if expiry is None else now + expiry)

    def expired(self, now: float) -> bool:
        """Whether it may not be delivered any more."""
        return self.expires is not None and now >= self.expires

    def properties_at(self, now: float) -> Properties:
        """The properties with the Message Expiry Interval reduced by the time spent here [MQTT-3.3.2-6]."""
        if self.expires is None:
            return self.properties
        left = max(0, round(self.expires - now))
        return tuple(Property(item.id, left) if item.id == PropertyId.MESSAGE_EXPIRY_INTERVAL else item for item in self.properties)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One copy of a message for one session."""

    message: Message
    qos: int
    retain: bool = False
    identifiers: tuple[int, ...] = field(default=())
    """Subscription Identifiers of all subscriptions that it matched."""


def number(properties: Properties, wanted: PropertyId) -> int | None:
    """The value of a numeric property; None without one."""
    for item in properties:
        if item.id == wanted and isinstance(item.value, int):
            return item.value
    return None


def raw(text: Text) -> bytes:
    """The bytes of a string from the wire."""
    return text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
