"""Conversations for the checks of letters E and F: QoS flows, subscribing."""

from __future__ import annotations

from mqtttui.protocol.enums import PacketType as P
from mqtttui.protocol.enums import PropertyId as I
from mqtttui.protocol.enums import Severity
from mqtttui.protocol.packets import Connack, Connect, Property, Suback, Subscribe, TopicRequest, Unsuback, Unsubscribe
from tests.support.expert import DOWN, UP, Step, Story
from tests.support.expert_cases import (
    V5,
    V31,
    V311,
    Case,
    ack,
    at,
    begun,
    on,
    prop,
    publish,
    resumed,
    subscribed,
    subscribing,
    unsubscribing,
)

LONG = b"a payload of its own, 1"
CLOSED = "the server closed the connection (FIN)"


def up(topic: str = "t", payload: bytes = b"x", qos: int = 1, packet_id: int | None = 5, **more: bool) -> Step:
    """A PUBLISH of the client, QoS 1 with identifier 5."""
    return UP, publish(topic, payload, qos, packet_id if qos else None, **more)


def down(topic: str = "t", payload: bytes = b"x", qos: int = 1, packet_id: int | None = 5, **more: bool) -> Step:
    """A PUBLISH of the server, QoS 1 with identifier 5."""
    return DOWN, publish(topic, payload, qos, packet_id if qos else None, **more)


def ask(packet_id: int, *filters: str, properties: tuple[Property, ...] = (), **options: int) -> Step:
    """A SUBSCRIBE."""
    return UP, Subscribe(packet_id, tuple(TopicRequest(filter, **options) for filter in filters), properties)  # type: ignore[arg-type]


def answer(packet_id: int, *codes: int) -> Step:
    """A SUBACK."""
    return DOWN, Suback(packet_id, codes)


def puback(packet_id: int = 5, code: int | None = None) -> Step:
    """A PUBACK of the server."""
    return DOWN, ack(P.PUBACK, packet_id, code)


def pubrec(packet_id: int = 5, code: int | None = None) -> Step:
    """A PUBREC of the server."""
    return DOWN, ack(P.PUBREC, packet_id, code)


def pubrel(packet_id: int = 5) -> Step:
    """A PUBREL of the client."""
    return UP, ack(P.PUBREL, packet_id)


def pubcomp(packet_id: int = 5, code: int | None = None) -> Step:
    """A PUBCOMP of the server."""
    return DOWN, ack(P.PUBCOMP, packet_id, code)


def by_client(kind: P, *packet_ids: int) -> list[Step]:
    """Acknowledgements of the client."""
    return [(UP, ack(kind, packet_id)) for packet_id in packet_ids]


def window(limit: int, *, client: bool) -> list[Step]:
    """A connection whose Receive Maximum is `limit` for what the client (the server) sends."""
    announced = prop(I.RECEIVE_MAXIMUM, limit)
    return begun(V5, *announced) if client else [*begun(V5, properties=announced), *subscribing("#", granted=2)]


def foreign(story: Story) -> None:
    """A session that goes on, of which nobody knows anything."""
    story.connection()
    story.steps([(UP, Connect("c", clean=False)), (DOWN, Connack(session_present=True)), puback(), pubrec(6)])


FLOW_CASES = (
    Case("E01", V311, on(V311, puback()), on(V311, up(), puback())),
    Case("E01", V311, on(V311, up(), puback(), puback()), on(V311, up(), up(dup=True), puback(), puback()), name="answered twice"),
    Case("E01", V311, on(V311, ask(5, "t"), puback()), on(V311, ask(5, "t"), up(packet_id=6), puback(6)), name="of a SUBSCRIBE"),
    Case(
        "E01",
        V311,
        [*subscribed(V311, "t", granted=1), down(), *by_client(P.PUBACK, 6)],
        [*subscribed(V311, "t", granted=1), down(), *by_client(P.PUBACK, 5)],
        name="of the client",
    ),
    Case("E01", V311, foreign, resumed(V311, [up()], [up(dup=True), puback()]), severity=Severity.WARN, name="resumed"),
    Case("E02", V311, on(V311, pubrec()), on(V311, up(qos=2), pubrec())),
    Case("E02", V311, foreign, resumed(V311, [up(qos=2)], [up(qos=2, dup=True), pubrec()]), severity=Severity.WARN, name="resumed"),
    Case("E03", V5, on(V5, pubrel()), on(V5, up(qos=2), pubrec(), pubrel())),
    Case("E03", V311, on(V311, up(qos=2), pubrel()), resumed(V311, [up(qos=2), pubrec()], [pubrel()]), name="before PUBREC"),
    Case(
        "E03",
        V311,
        [*subscribed(V311, "t", granted=2), (DOWN, ack(P.PUBREL, 5))],
        resumed(V311, [], [(DOWN, ack(P.PUBREL, 5)), *by_client(P.PUBCOMP, 5)]),
        name="of the server",
    ),
    Case("E04", V311, on(V311, up(qos=2), pubrec(), pubcomp()), on(V311, up(qos=2), pubrec(), pubrel(), pubcomp())),
    Case(
        "E04",
        V311,
        on(V311, up(qos=2), up(qos=2, dup=True), pubrec(), pubrec(), pubrel(), pubcomp(), pubcomp()),
        on(V311, up(qos=2), pubrec(), pubrel(), pubrel(), pubcomp(), pubcomp()),
        name="repeated PUBREL",
    ),
    Case("E04", V5, on(V5, pubcomp()), on(V5, pubrel(), pubcomp(code=0x92)), name="answer to an unknown PUBREL"),
    Case("E05", V311, on(V311, up(qos=2), puback()), on(V311, up(qos=2), pubrec())),
    Case("E05", V311, on(V311, up(), pubrec()), on(V311, up(), puback()), name="PUBREC for QoS 1"),
    Case(
        "E06",
        V311,
        on(V311, up(qos=2), pubrec(), pubrel(), up(qos=2, dup=True)),
        on(V311, up(qos=2), up(qos=2, dup=True), pubrec(), pubrel()),
    ),
    Case(
        "E06",
        V5,
        resumed(V5, [up(qos=2), pubrec(), pubrel()], [up(qos=2, dup=True)]),
        resumed(V5, [up(qos=2), pubrec(), pubrel()], [pubrel(), pubcomp()]),
        name="resumed",
    ),
    Case("E07", V5, on(V5, up(qos=2), pubrec(code=0x87), pubrel()), on(V5, up(qos=2), pubrec(code=0x10), pubrel())),
    Case("E08", V311, on(V311, up(qos=2), pubrec()), on(V311, up(qos=2), pubrec(), pubrel(), pubcomp()), until=11),
    Case(
        "E08",
        V5,
        on(V5, up(qos=2), pubrec(), up(qos=2, dup=True)),
        on(V5, up(qos=2), pubrec(), up(qos=2, dup=True), pubrec(), pubrel(), pubcomp()),
        until=11,
        severity=Severity.ERROR,
        faults=frozenset({"D06"}),
        name="repeated",
    ),
    Case(
        "E09",
        V311,
        [*subscribed(V311, "t", granted=2), up("t", LONG, 2), up("t", LONG, 2, dup=True), down("t", LONG, 2, 1), down("t", LONG, 2, 2)],
        [
            *subscribed(V311, "t", granted=2),
            up("t", LONG, 2),
            up("t", LONG, 2, dup=True),
            down("t", LONG, 2, 1),
            down("t", LONG, 2, 1, dup=True),
        ],
    ),
    Case("E10", V311, on(V311, up()), on(V311, up(), puback()), until=11),
    Case("E10", V5, on(V5, up(qos=2), pubrec(), pubrel()), on(V5, up(qos=2), pubrec(), pubrel(), pubcomp()), until=11, name="PUBCOMP"),
    Case(
        "E10",
        V311,
        [*subscribed(V311, "t", granted=1), down()],
        [*subscribed(V311, "t", granted=1), down(), *by_client(P.PUBACK, 5)],
        until=11,
        name="of the client",
    ),
    Case("E10", V311, on(V311, up()), on(V311, up(), (UP, b"\xe0\0")), until=11, faults=frozenset({"G08"}), name="not behind a DISCONNECT"),
    Case("E10", V311, on(V311, up(), *at(10.1, (UP, b"\xc0\0"))), on(V311, up(), *at(9.9, (UP, b"\xc0\0"))), name="time of the packets"),
    Case(
        "E11",
        V311,
        [*subscribed(V311, "t", granted=1), down(), down(packet_id=6), *by_client(P.PUBACK, 6, 5)],
        [*subscribed(V311, "t", granted=1), down(), down(packet_id=6), *by_client(P.PUBACK, 5, 6)],
    ),
    Case(
        "E11",
        V5,
        [*subscribed(V5, "t", granted=2), down(qos=2), down(qos=2, packet_id=6), *by_client(P.PUBREC, 6, 5)],
        [*subscribed(V5, "t", granted=2), down(qos=2), down(qos=2, packet_id=6), *by_client(P.PUBREC, 6)],
        name="PUBREC",
    ),
    Case(
        "E11",
        V5,
        on(V5, up(qos=2), up(qos=2, packet_id=6), pubrec(6), pubrec(5), pubrel(5), pubrel(6)),
        on(V5, up(qos=2), up(qos=2, packet_id=6), pubrec(6), pubrec(5), pubrel(6), pubrel(5)),
        name="PUBREL",
    ),
    Case(
        "E12",
        V5,
        [*window(2, client=True), up(), up(packet_id=6), up(packet_id=7)],
        [*window(2, client=True), up(), up(packet_id=6), puback(6), up(packet_id=7)],
    ),
    Case(
        "E12",
        V5,
        [*window(1, client=True), up(qos=2), pubrec(), pubrel(), up(packet_id=6)],
        [*window(1, client=True), up(qos=2), pubrec(code=0x87), up(packet_id=6)],
        name="QoS 2",
    ),
    Case(
        "E13",
        V5,
        [*window(1, client=False), down(), down(packet_id=6)],
        [*window(1, client=False), down(), *by_client(P.PUBACK, 5), down(packet_id=6)],
    ),
    Case("E14", V5, [*window(2, client=True), up(), up(packet_id=6)], [*window(3, client=True), up(), up(packet_id=6)]),
    Case("E15", V5, on(V5, up(), puback(code=0x18)), on(V5, up(), puback(code=0x10))),
    Case("E16", V5, on(V5, up(), puback(code=0x87)), on(V5, up(), puback(code=0))),
    Case("E17", V5, on(V5, up(), puback(code=0x10)), on(V5, up(), puback())),
    Case("E18", V5, on(V5, pubrel(), pubcomp(code=0x92)), on(V5, pubrel(), pubcomp()), faults=frozenset({"E03"})),
    Case("E19", V311, on(V311, up(qos=0)), on(V311, up(qos=0), (UP, b"\xe0\0")), closed=CLOSED),
    Case("E19", V311, on(V311, up()), on(V311, up(), puback()), closed=CLOSED, name="not behind PUBACK"),
    Case(
        "E19",
        V311,
        on(V311, up("u", qos=0)),
        on(V311, up(qos=0), *at(5, up(qos=0))),
        closed=CLOSED,
        name="not for a topic that was let through",
    ),
    Case(
        "E19", V31, on(V31, up(qos=0)), on(V31, up("t/#", qos=0)), closed=CLOSED, faults=frozenset({"B06"}), name="not for a broken packet"
    ),
)

_NO_WILDCARDS = prop(I.WILDCARD_SUBSCRIPTION_AVAILABLE, 0)
_NO_SHARES = prop(I.SHARED_SUBSCRIPTION_AVAILABLE, 0)
_NO_IDENTIFIERS = prop(I.SUBSCRIPTION_IDENTIFIER_AVAILABLE, 0)
_NUMBERED = prop(I.SUBSCRIPTION_IDENTIFIER, 1)

SUBSCRIBING_CASES = (
    Case("F01", V311, on(V311, (UP, Subscribe(1, ()))), on(V311, ask(1, "t"))),
    Case("F02", V311, on(V311, (UP, Unsubscribe(1, ()))), [*subscribed(V311, "t"), *unsubscribing("t")]),
    Case("F03", V311, on(V311, ask(1, "t", qos=3)), on(V311, ask(1, "t", qos=2))),
    Case("F04", V5, on(V5, ask(1, "t", reserved=1)), on(V5, ask(1, "t"))),
    Case("F05", V5, on(V5, ask(1, "t", retain_handling=3)), on(V5, ask(1, "t", retain_handling=2))),
    Case("F06", V5, on(V5, ask(1, "$share/g/t", no_local=True)), on(V5, ask(1, "t", no_local=True))),
    Case("F07", V311, on(V311, ask(0, "t")), on(V311, ask(1, "t"))),
    Case("F08", V5, on(V5, ask(1, "t", properties=prop(I.SUBSCRIPTION_IDENTIFIER, 0))), on(V5, ask(1, "t", properties=_NUMBERED))),
    Case("F09", V5, [*begun(V5, *_NO_WILDCARDS), ask(1, "t/#")], [*begun(V5, *_NO_WILDCARDS), ask(1, "t")], name="wildcards"),
    Case("F09", V5, [*begun(V5, *_NO_SHARES), ask(1, "$share/g/t")], [*begun(V5, *_NO_SHARES), ask(1, "t")], name="shared"),
    Case(
        "F09",
        V5,
        [*begun(V5, *_NO_IDENTIFIERS), ask(1, "t", properties=_NUMBERED)],
        on(V5, ask(1, "t", properties=_NUMBERED)),
        name="identifiers",
    ),
    Case("F10", V311, on(V311, answer(1, 0)), on(V311, ask(1, "t"), answer(1, 0))),
    Case(
        "F10",
        V311,
        [*subscribed(V311, "t"), (UP, Unsubscribe(1, ("t",))), answer(1, 0)],
        [*subscribed(V311, "t"), *unsubscribing("t")],
        name="of an UNSUBSCRIBE",
    ),
    Case("F11", V311, on(V311, ask(1, "t", "u"), answer(1, 0)), on(V311, ask(1, "t", "u"), answer(1, 0, 0))),
    Case("F12", V311, on(V311, ask(1, "t"), answer(1, 3)), on(V311, ask(1, "t", qos=2), answer(1, 2))),
    Case("F13", V311, on(V311, ask(1, "t", "u"), answer(1, 0, 0x80)), on(V311, ask(1, "t", "u"), answer(1, 0, 0))),
    Case("F13", V5, on(V5, ask(1, "t"), answer(1, 0x87)), on(V5, ask(1, "t"), answer(1, 0)), name="5"),
    Case("F14", V311, on(V311, ask(1, "t", qos=2), answer(1, 1)), on(V311, ask(1, "t", qos=2), answer(1, 2))),
    Case("F15", V311, on(V311, ask(1, "t", qos=0), answer(1, 1)), on(V311, ask(1, "t", qos=0), answer(1, 0))),
    Case("F16", V311, on(V311, ask(1, "t")), on(V311, ask(1, "t"), answer(1, 0)), until=11),
    Case("F17", V311, [*subscribed(V311, "t"), (UP, Unsubscribe(1, ("t",)))], [*subscribed(V311, "t"), *unsubscribing("t")], until=11),
    Case("F18", V311, on(V311, (DOWN, Unsuback(1))), [*subscribed(V311, "t"), *unsubscribing("t")]),
    Case("F18", V311, on(V311, ask(1, "t"), (DOWN, Unsuback(1))), on(V311, ask(1, "t"), answer(1, 0)), name="of a SUBSCRIBE"),
    Case(
        "F19",
        V5,
        [*subscribed(V5, "t", "u"), *unsubscribing("t", "u", codes=(0,))],
        [*subscribed(V5, "t", "u"), *unsubscribing("t", "u", codes=(0, 0))],
    ),
    Case("F20", V5, [*subscribed(V5, "t"), *unsubscribing("t", codes=(0x11,))], [*subscribed(V5, "t"), *unsubscribing("t", codes=(0,))]),
    Case("F21", V311, [*subscribed(V311, "t/#"), *unsubscribing("t/a")], [*subscribed(V311, "t/#"), *unsubscribing("t/#")]),
    Case(
        "F21",
        V311,
        on(V311, ask(1, "t"), answer(1, 0x80), *unsubscribing("t")),
        resumed(V311, subscribing("t"), unsubscribing("t")),
        name="refused",
    ),
    Case("F22", V311, [*subscribed(V311, "t"), *subscribing("t")], [*subscribed(V311, "t"), *subscribing("u")]),
    Case(
        "F22",
        V5,
        resumed(V5, subscribing("t"), subscribing("t")),
        resumed(V5, subscribing("t"), subscribing("t"), present=False),
        name="session",
    ),
    Case("F23", V311, [*subscribed(V311, "a/#"), *subscribing("a/+/c")], [*subscribed(V311, "a/#"), *subscribing("b/+/c")]),
    Case("F23", V311, on(V311, ask(1, "a/#", "a/b")), on(V311, ask(1, "#", "$SYS/#")), name="in one packet"),
    Case("F24", V311, on(V311, ask(1, "t", "t")), on(V311, ask(1, "t", "u"))),
    Case("F25", V311, on(V311, ask(1, "t"), down(qos=0), answer(1, 0)), on(V311, ask(1, "t"), answer(1, 0), down(qos=0))),
    Case(
        "F26",
        V311,
        [*subscribed(V311, "t"), *unsubscribing("t"), *at(6, down(qos=0))],
        [*subscribed(V311, "t"), *unsubscribing("t"), *at(4, down(qos=0))],
    ),
    Case(
        "F26",
        V311,
        [*subscribed(V311, "t"), *unsubscribing("t"), *at(4, down(qos=0)), *at(6, down(qos=0))],
        [*subscribed(V311, "t", "+"), *unsubscribing("t"), *at(6, down(qos=0))],
        name="settled",
    ),
)
