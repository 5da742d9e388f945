"""Pairs of conversations for the expert checks: one on which a check strikes, and one like it that is in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mqtttui.analysis.expert.finding import Finding
from mqtttui.protocol.enums import PacketType as P
from mqtttui.protocol.enums import PropertyId, Severity, Version
from mqtttui.protocol.packets import (
    Ack,
    Connack,
    Connect,
    Packet,
    Property,
    Publish,
    Suback,
    Subscribe,
    TopicRequest,
    Unsuback,
    Unsubscribe,
)
from tests.support.expert import DOWN, UP, Step, Story

V31, V311, V5 = Version.V31, Version.V311, Version.V5
Tell = Callable[[Story], None]
"""Tells a story of several connections."""


@dataclass(frozen=True)
class Case:
    """A check, and the two conversations."""

    id: str
    version: Version
    strikes: Sequence[Step] | Tell
    silent: Sequence[Step] | Tell
    until: float | None = None
    """Seconds since the start to which the time comes in the end."""
    closed: str = ""
    severity: Severity | None = None
    """Of the finding, where it is not that of the table."""
    faults: frozenset[str] = frozenset()
    """Checks that strike on the silent conversation for good reasons."""
    name: str = ""

    def findings(self, told: Sequence[Step] | Tell) -> list[Finding]:
        """What is found on one of the two."""
        story = Story(self.version)
        if callable(told):
            told(story)
        else:
            story.connection()
            story.steps(told)
            if self.closed:
                story.close(self.closed)
        return story.findings(self.until)

    def __str__(self) -> str:
        return f"{self.id} {self.name}".strip()


def begun(version: Version, *properties: Property, **connect: object) -> list[Step]:
    """CONNECT and a CONNACK that accepts; `properties` are those of the CONNACK."""
    return [(UP, Connect("c", version, **connect)), (DOWN, Connack(properties=properties))]  # type: ignore[arg-type]


def on(version: Version, *steps: Step) -> list[Step]:
    """A connection with nothing special, and `steps`."""
    return [*begun(version), *steps]


def subscribed(
    version: Version, *filters: str, granted: int = 0, packet_id: int = 900, identifier: int | None = None, **options: int
) -> list[Step]:
    """A connection with these filters, all granted."""
    return [*begun(version), *subscribing(*filters, granted=granted, packet_id=packet_id, identifier=identifier, **options)]


def subscribing(*filters: str, granted: int = 0, packet_id: int = 900, identifier: int | None = None, **options: int) -> list[Step]:
    """SUBSCRIBE and SUBACK."""
    options.setdefault("qos", granted)
    properties = () if identifier is None else (Property(PropertyId.SUBSCRIPTION_IDENTIFIER, identifier),)
    requests = tuple(TopicRequest(filter, **options) for filter in filters)  # type: ignore[arg-type]
    return [(UP, Subscribe(packet_id, requests, properties)), (DOWN, Suback(packet_id, (granted,) * len(filters)))]


def unsubscribing(*filters: str, packet_id: int = 901, codes: tuple[int, ...] = ()) -> list[Step]:
    """UNSUBSCRIBE and UNSUBACK."""
    return [(UP, Unsubscribe(packet_id, filters)), (DOWN, Unsuback(packet_id, codes))]


def prop(identifier: PropertyId, value: object) -> tuple[Property, ...]:
    """One property."""
    return (Property(identifier, value),)  # type: ignore[arg-type]


def at(seconds: float, *steps: Step) -> list[Step]:
    """`steps` from so many seconds since the start on, a millisecond apart."""
    return [(direction, packet, seconds + index / 1000) for index, (direction, packet, *_) in enumerate(steps)]


def flow(*packets: tuple[int, Packet]) -> list[Step]:
    """Packets of one exchange."""
    return [(UP if side == 0 else DOWN, packet) for side, packet in packets]


def resumed(version: Version, before: Sequence[Step], after: Sequence[Step], *, present: bool = True, until: float | None = None) -> Tell:
    """A session that goes on: the steps of its first connection, and those of the second."""
    properties = prop(PropertyId.SESSION_EXPIRY_INTERVAL, 3600) if version is V5 else ()

    def tell(story: Story) -> None:
        story.connection()
        story.steps([(UP, Connect("c", version, clean=False, properties=properties)), (DOWN, Connack()), *before])
        story.close("connection reset")
        story.connection()
        story.steps([(UP, Connect("c", version, clean=False, properties=properties)), (DOWN, Connack(session_present=present)), *after])

    return tell


def ack(kind: P, packet_id: int, code: int | None = None) -> Ack:
    """An acknowledgement."""
    return Ack(kind, packet_id, code)


def publish(
    topic: str | bytes = "t", payload: bytes = b"x", qos: int = 0, packet_id: int | None = None, *properties: Property, **more: bool
) -> Publish:
    """A PUBLISH."""
    return Publish(topic, payload, qos, packet_id=packet_id, properties=properties, **more)
