"""Conversations for the checks of letters A, C, G and H: one on which each strikes, and one like it that is in order."""

from __future__ import annotations

from mqtttui.capture.records import WebSocketEvent, WebSocketKind
from mqtttui.protocol.enums import PacketType as P
from mqtttui.protocol.enums import PropertyId as I
from mqtttui.protocol.enums import Severity, Version
from mqtttui.protocol.packets import (
    Ack,
    Auth,
    Connack,
    Connect,
    Disconnect,
    Packet,
    Pingreq,
    Pingresp,
    Property,
    Publish,
    Will,
)
from tests.support.expert import DOWN, UP, Step, Story
from tests.support.expert_cases import Case, Tell, at, begun, on, prop, subscribed

V31, V311, V5 = Version.V31, Version.V311, Version.V5
HELLO = Connect("c", V5)
NAMED = prop(I.AUTHENTICATION_METHOD, "SCRAM")
SCRAM = Connect("c", V5, properties=NAMED)
OTHER = prop(I.AUTHENTICATION_METHOD, "other")
WILL = Will("state", b"gone")
PINGED: list[Step] = [(UP, Pingreq()), (DOWN, Pingresp())]
KEPT = prop(I.SESSION_EXPIRY_INTERVAL, 3600)


def frames(*events: WebSocketEvent) -> Tell:
    """A connection over WebSocket of which the log tells this."""

    def tell(story: Story) -> None:
        number = story.connection(transport="ws")
        for event in events:
            story.log.add_websocket_event(number, event)
        story.steps(begun(V311))

    return tell


def login(transport: str, destination: str) -> Tell:
    """A CONNECT with a password."""

    def tell(story: Story) -> None:
        story.connection(transport=transport, destination=destination)
        story.steps([(UP, Connect("c", V311, username="u", password=b"p")), (DOWN, Connack())])

    return tell


def sessions(*connections: tuple[Connect, Connack, str], version: Version = V311) -> Tell:
    """Connections one after the other; each ends without DISCONNECT for a reason, or with DISCONNECT if that is empty."""

    def tell(story: Story) -> None:
        for connect, connack, reason in connections:
            story.connection(version=version)
            story.steps([(UP, connect), (DOWN, connack)])
            if not reason:
                story.steps([(UP, Disconnect())])
            story.close(reason or "disconnected")

    return tell


def exported(*steps: Step) -> Tell:
    """The same packets from a file of exported PDUs, in which connections have no end."""

    def tell(story: Story) -> None:
        story.connection(transport="exported")
        story.steps(steps)

    return tell


def will_seen(*, leaves: Packet, payload: bytes = b"gone", says: bytes = b"") -> Tell:
    """A client with a will leaves, and another one gets a message on its topic."""

    def tell(story: Story) -> None:
        story.connection()
        story.steps(subscribed(V5, "state"))
        story.connection()
        story.steps([(UP, Connect("d", V5, will=WILL)), (DOWN, Connack())])
        if says:
            story.steps([(UP, Publish("state", says))])
            story.steps([(DOWN, Publish("state", says))], 0)
        story.steps([(DOWN, Publish("state", b"before"))], 0)
        story.steps([(UP, leaves)])
        story.close("disconnected")
        story.steps([(DOWN, Publish("state", payload))], 0)

    return tell


def connected(version: Version, keep_alive: int, *steps: Step) -> list[Step]:
    """A connection with that keep alive."""
    return [(UP, Connect("c", version, keep_alive=keep_alive)), (DOWN, Connack()), *steps]


_AUTH: list[Step] = [(UP, Auth(0x19, NAMED)), (DOWN, Auth(0x18, NAMED)), (UP, Auth(0x18, NAMED))]
_AUTHENTICATED: list[Step] = [(UP, SCRAM), (DOWN, Auth(0x18, NAMED)), (UP, Auth(0x18, NAMED)), (DOWN, Connack(properties=NAMED))]
_REPEATED = [(Connect("c", clean=False), Connack(), "reset")] * 3

TRANSPORT = (
    Case("A12", V311, [(UP, Connect("c")), (DOWN, b"HTTP/1.1 400 Bad Request\r\n\r\n" + bytes(80))], begun(V311)),
    Case("A12", V311, [(UP, Connect("c")), (DOWN, bytes.fromhex("15030100020246"))], on(V311, (DOWN, Publish("HTTP/"))), name="TLS"),
    Case("A13", V311, [*subscribed(V311, "t"), (DOWN, Publish("t", bytes(1_100_000)))], on(V311, (UP, Publish("t", bytes(900_000))))),
    Case(
        "A14",
        V311,
        frames(WebSocketEvent(WebSocketKind.TEXT_FRAME, UP, 0)),
        frames(WebSocketEvent(WebSocketKind.SUB_PROTOCOL, DOWN, 0, b"mqtt")),
    ),
    Case(
        "A15",
        V311,
        frames(WebSocketEvent(WebSocketKind.SUB_PROTOCOL, DOWN, 0, b"chat")),
        frames(WebSocketEvent(WebSocketKind.SUB_PROTOCOL, DOWN, 0, b"mqtt")),
    ),
    Case("A16", V311, frames(WebSocketEvent(WebSocketKind.SPLIT, DOWN, 0)), frames()),
)

CONNECTING = (
    Case("C01", V311, [(UP, Publish("t")), (UP, Connect("c"))], [(UP, Connect("c")), (UP, Publish("t"))]),
    Case("C02", V311, on(V311, (UP, Connect("c"))), on(V311, (UP, Pingreq()))),
    Case("C13", V311, [(UP, Connect("c-1"))], [(UP, Connect("c1"))]),
    Case("C13", V31, [(UP, Connect("c" * 24, V31))], [(UP, Connect("c" * 23, V31))], severity=Severity.ERROR, name="3.1"),
    Case("C15", V311, login("tcp", "192.0.2.7:1883"), login("tls", "192.0.2.7:8883")),
    Case("C15", V311, login("ws", "broker:8080"), login("tcp", "[::1]:1883"), name="loopback"),
    Case("C15", V311, login("tcp", "192.0.2.7:1883"), login("exported", "192.0.2.7:1883"), name="transport not known"),
    Case("C16", V5, [(UP, SCRAM), (UP, Publish("t"))], [(UP, SCRAM), (UP, Auth(0x18, NAMED)), (UP, Disconnect())]),
    Case("C17", V311, [(UP, Connect("c")), (UP, Publish("t")), (DOWN, Connack())], on(V311, (UP, Publish("t")))),
    Case("C18", V311, [(UP, Connect("c")), (DOWN, Publish("t")), (DOWN, Connack())], begun(V311)),
    Case("C18", V5, [(UP, HELLO), (DOWN, Publish("t"))], [(UP, SCRAM), (DOWN, Auth(0x18, NAMED))], name="AUTH"),
    Case("C19", V311, on(V311, (DOWN, Connack())), begun(V311)),
    Case("C21", V311, [(UP, Connect("c")), (DOWN, Connack(session_present=True))], [(UP, Connect("c", clean=False)), (DOWN, Connack())]),
    Case(
        "C22",
        V311,
        sessions((Connect("c"), Connack(), ""), (Connect("c", clean=False), Connack(session_present=True), "")),
        sessions((Connect("c", clean=False), Connack(), ""), (Connect("c", clean=False), Connack(session_present=True), "")),
    ),
    Case(
        "C22",
        V311,
        [(UP, Connect("c", clean=False)), (DOWN, Connack(session_present=True))],
        [(UP, Connect("c", clean=False)), (DOWN, Connack())],
        severity=Severity.NOTE,
        name="first connection",
    ),
    Case(
        "C23",
        V5,
        sessions((Connect("c", V5, properties=KEPT), Connack(), ""), (Connect("c", V5, clean=False), Connack(), ""), version=V5),
        sessions((Connect("c", V5), Connack(), ""), (Connect("c", V5, clean=False), Connack(), ""), version=V5),
    ),
    Case("C27", V311, [(UP, Connect("c")), (DOWN, Connack(5))], exported((UP, Connect("c")), (DOWN, Connack(5))), until=6),
    Case("C27", V5, [(UP, HELLO), (DOWN, Connack(0x87))], [(UP, HELLO), (DOWN, Connack())], until=6, name="5"),
    Case("C28", V5, [(UP, HELLO), (DOWN, b"\x20\x02\x00\x01")], begun(V5)),
    Case(
        "C29",
        V5,
        [(UP, Connect("", V5)), (DOWN, Connack())],
        [(UP, Connect("", V5)), (DOWN, Connack(properties=prop(I.ASSIGNED_CLIENT_IDENTIFIER, "x")))],
    ),
    Case("C30", V5, begun(V5, Property(I.SERVER_KEEP_ALIVE, 30)), begun(V5, Property(I.SERVER_KEEP_ALIVE, 60))),
    Case("C31", V311, [(UP, Connect("c"))], begun(V311), until=11),
    Case("C32", V311, [(UP, Connect("c"))], [(UP, Connect("c")), (DOWN, Connack(2))], closed="reset"),
    Case("C33", V5, begun(V5, Property(I.RECEIVE_MAXIMUM, 20)), begun(V5, Property(I.TOPIC_ALIAS_MAXIMUM, 10))),
    Case(
        "C34",
        V5,
        begun(V5, Property(I.RESPONSE_INFORMATION, "r/")),
        begun(V5, Property(I.RESPONSE_INFORMATION, "r/"), properties=prop(I.REQUEST_RESPONSE_INFORMATION, 1)),
    ),
    Case(
        "C35",
        V5,
        [
            *begun(V5, properties=prop(I.REQUEST_PROBLEM_INFORMATION, 0)),
            (UP, Publish("t", qos=1, packet_id=1)),
            (DOWN, Ack(P.PUBACK, 1, 0x87, prop(I.REASON_STRING, "no"))),
        ],
        on(V5, (UP, Publish("t", qos=1, packet_id=1)), (DOWN, Ack(P.PUBACK, 1, 0x87, prop(I.REASON_STRING, "no")))),
    ),
    Case(
        "C36",
        V5,
        on(V5, (DOWN, Disconnect(0x8B, prop(I.SERVER_REFERENCE, "other")))),
        on(V5, (DOWN, Disconnect(0x9D, prop(I.SERVER_REFERENCE, "other")))),
    ),
    Case("C37", V311, sessions(*_REPEATED), sessions(*[(connect, connack, "") for connect, connack, _ in _REPEATED])),
    Case(
        "C38",
        V5,
        begun(V5, Property(I.ASSIGNED_CLIENT_IDENTIFIER, "x")),
        [(UP, Connect("", V5)), (DOWN, Connack(properties=prop(I.ASSIGNED_CLIENT_IDENTIFIER, "x")))],
    ),
)

LIVENESS = (
    Case("G01", V311, connected(V311, 10, *at(12.5, (UP, Pingreq()))), connected(V311, 10, *at(10.9, (UP, Pingreq())))),
    Case(
        "G01",
        V311,
        connected(V311, 10, *at(16, (UP, Pingreq()))),
        connected(V311, 10, *at(9, (UP, Publish("t"))), *at(18, (UP, Publish("t"))), *at(27, (UP, Publish("t")))),
        severity=Severity.ERROR,
        name="late by half",
    ),
    Case("G02", V311, connected(V311, 10), connected(V311, 10, *at(9, (UP, Pingreq()), (DOWN, Pingresp()))), until=21),
    Case("G03", V311, connected(V311, 5, *at(3, (UP, Pingreq()))), connected(V311, 5, *at(3, *PINGED)), until=9),
    Case("G04", V311, on(V311, *PINGED, (DOWN, Pingresp())), on(V311, *PINGED)),
    Case(
        "G05",
        V311,
        connected(V311, 1, *(step for second in range(1, 63) for step in at(second, *PINGED))),
        connected(V311, 1, *(step for second in range(1, 63) for step in at(second, *PINGED, (UP, Publish("t"))))),
    ),
    Case("G06", V311, begun(V311), on(V311, (UP, Disconnect())), closed="connection reset"),
    Case("G07", V311, on(V311, (UP, Disconnect()), (UP, Publish("t"))), on(V311, (UP, Publish("t")), (UP, Disconnect()))),
    Case("G08", V311, on(V311, (UP, Disconnect())), exported(*on(V311, (UP, Disconnect()))), until=6),
    Case("G09", V5, [(UP, HELLO), (DOWN, Disconnect(0x89))], on(V5, (DOWN, Disconnect(0x89)))),
    Case(
        "G11",
        V5,
        on(V5, (UP, Disconnect(0, KEPT))),
        [(UP, Connect("c", V5, properties=prop(I.SESSION_EXPIRY_INTERVAL, 5))), (DOWN, Connack()), (UP, Disconnect(0, KEPT))],
    ),
    Case("G14", V5, will_seen(leaves=Disconnect()), will_seen(leaves=Disconnect(0x04))),
    Case("G14", V5, will_seen(leaves=Disconnect()), will_seen(leaves=Disconnect(), says=b"gone"), name="said by itself"),
    Case("G14", V5, will_seen(leaves=Disconnect()), will_seen(leaves=Disconnect(), payload=b"other"), name="other payload"),
    Case("G15", V5, on(V5, (DOWN, Disconnect(0x8E))), on(V5, (UP, Disconnect())), until=6),
)

AUTHENTICATION = (
    Case(
        "H08",
        V5,
        [*begun(V5, Property(I.MAXIMUM_PACKET_SIZE, 50)), (UP, Publish("t", bytes(60)))],
        [*begun(V5, Property(I.MAXIMUM_PACKET_SIZE, 50)), (UP, Publish("t", bytes(40))), (DOWN, Publish("t", bytes(60)))],
    ),
    Case("H11", V5, on(V5, (UP, Auth(0x19, NAMED))), [*_AUTHENTICATED, (UP, Auth(0x19, NAMED))]),
    Case("H11", V5, [(UP, HELLO), (DOWN, Connack(properties=NAMED))], _AUTHENTICATED, name="CONNACK"),
    Case("H12", V5, [*_AUTHENTICATED, (UP, Auth(0x19, OTHER))], [*_AUTHENTICATED, (UP, Auth(0x19, NAMED))], severity=Severity.ERROR),
    Case("H12", V5, [(UP, SCRAM), (DOWN, Connack())], _AUTHENTICATED, severity=Severity.ERROR, name="CONNACK"),
    Case("H13", V5, [*_AUTHENTICATED, (DOWN, Auth(0x19, NAMED))], [*_AUTHENTICATED, (UP, Auth(0x19, NAMED))]),
    Case("H13", V5, [(UP, SCRAM), (DOWN, Auth(0x00, NAMED))], [*_AUTHENTICATED, *_AUTH, (DOWN, Auth(0x00, NAMED))], name="first step"),
    Case("H13", V5, [(UP, SCRAM), (DOWN, Auth(0x18, NAMED)), (UP, Auth(0x00, NAMED))], _AUTHENTICATED, name="success by the client"),
    Case("H14", V5, [(UP, SCRAM), (UP, Auth(0x19, NAMED))], [*_AUTHENTICATED, *_AUTH]),
    Case("H15", V5, [*_AUTHENTICATED, *_AUTH, (DOWN, Disconnect(0x87))], [*_AUTHENTICATED, (DOWN, Disconnect(0x87))]),
    Case("H15", V5, [*_AUTHENTICATED, *_AUTH], [*_AUTHENTICATED, *_AUTH, (DOWN, Auth(0x00, NAMED))], closed="reset", name="close"),
)

CASES = (*TRANSPORT, *CONNECTING, *LIVENESS, *AUTHENTICATION)
