"""Conversations for the checks of letter B: strings and topics."""

from __future__ import annotations

from mqtttui.protocol.enums import PropertyId as I
from mqtttui.protocol.enums import Severity
from mqtttui.protocol.packets import Connack, Connect, Property, Subscribe, TopicRequest, Will
from tests.support.expert import DOWN, UP, Step, Story
from tests.support.expert_cases import (
    V5,
    V311,
    Case,
    begun,
    on,
    prop,
    publish,
    resumed,
    subscribed,
    subscribing,
)

LONG = b"a payload of its own, 1"
OTHER = b"a payload of its own, 2"
PROBE = Property(I.USER_PROPERTY, ("mqtttui-probe", "3f2a-1"))


def said(*filters: str) -> Step:
    """A SUBSCRIBE to these filters."""
    return UP, Subscribe(7, tuple(TopicRequest(filter) for filter in filters))


def up(
    topic: str | bytes = "t", payload: bytes = b"x", qos: int = 0, packet_id: int | None = None, *listed: Property, **more: bool
) -> Step:
    """A PUBLISH of the client."""
    return UP, publish(topic, payload, qos, packet_id, *listed, **more)


def down(
    topic: str | bytes = "t", payload: bytes = b"x", qos: int = 0, packet_id: int | None = None, *listed: Property, **more: bool
) -> Step:
    """A PUBLISH of the server."""
    return DOWN, publish(topic, payload, qos, packet_id, *listed, **more)


def number(value: int) -> Property:
    """A Subscription Identifier."""
    return Property(I.SUBSCRIPTION_IDENTIFIER, value)


def alias(value: int) -> Property:
    """A Topic Alias."""
    return Property(I.TOPIC_ALIAS, value)


def taken_over(story: Story) -> None:
    """Two connections of the client with different ids."""
    for client in ("one", "two"):
        story.connection()
        story.steps([(UP, Connect(client)), (DOWN, Connack()), up("t", b"x", 1, 5)])


TOPIC_CASES = (
    Case("B01", V311, on(V311, up(b"a\xff")), on(V311, up("aé"))),
    Case("B02", V311, on(V311, up("a\0b")), on(V311, up("a0b"))),
    Case("B03", V311, on(V311, up("a\x07b")), on(V311, up("a7b"))),
    Case("B04", V311, on(V311, up("\ufeffa")), on(V311, up("a"))),
    Case("B05", V311, on(V311, up("")), on(V311, up("a"))),
    Case(
        "B05",
        V5,
        on(V5, up("")),
        [*begun(V5, *prop(I.TOPIC_ALIAS_MAXIMUM, 5)), up("a", b"x", 0, None, alias(1)), up("", b"x", 0, None, alias(1))],
        name="alias",
    ),
    Case("B06", V311, on(V311, up("a/+")), on(V311, up("a/b"))),
    Case("B07", V311, begun(V311, will=Will("w/#")), begun(V311, will=Will("w"))),
    Case(
        "B08",
        V5,
        on(V5, up("t", b"x", 0, None, *prop(I.RESPONSE_TOPIC, "r/+"))),
        on(V5, up("t", b"x", 0, None, *prop(I.RESPONSE_TOPIC, "r/1"))),
    ),
    Case("B09", V311, on(V311, said("a#")), on(V311, said("a/#"))),
    Case("B10", V311, on(V311, said("a+/b")), on(V311, said("+/b"))),
    Case("B11", V5, on(V5, said("$share/g")), on(V5, said("$share/g/t"))),
    Case("B12", V311, on(V311, said("$share/g/t")), on(V311, said("share/g/t"))),
    Case("B13", V311, on(V311, up("$SYS/x")), on(V311, up("SYS/x"))),
    Case("B14", V311, [*subscribed(V311, "#"), down("$SYS/uptime")], [*subscribed(V311, "#", "$SYS/#"), down("$SYS/uptime")]),
    Case("B15", V311, on(V311, up("a//b")), on(V311, up("a/b")), name="empty level"),
    Case("B15", V311, on(V311, up("/a")), on(V311, up("/")), name="leading slash"),
    Case("B15", V311, on(V311, said("a b/#")), on(V311, said("a/#")), name="space in a filter"),
    Case("B15", V311, on(V311, up("a/Temp"), up("a/temp")), on(V311, up("a/temp"), up("a/temp")), name="case"),
    Case("B16", V311, [*subscribed(V311, "a/+"), down("a/b/c")], [*subscribed(V311, "a/+"), down("a/b")]),
    Case("B16", V5, [*subscribed(V5, "$share/g/a"), down("b")], [*subscribed(V5, "$share/g/a"), down("a")], name="shared"),
    Case(
        "B16",
        V311,
        [(UP, Connect("c", clean=False)), (DOWN, Connack(session_present=True)), down("t")],
        resumed(V311, subscribing("t"), [down("t")]),
        severity=Severity.NOTE,
        name="session that nobody knows",
    ),
    Case(
        "B16",
        V311,
        resumed(V311, subscribing("t"), [down("t")], present=False),
        resumed(V311, [], [said("t"), down("t")]),
        name="session gone",
    ),
)
