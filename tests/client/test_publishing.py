"""Publishing in honest words: acknowledgements, refusals, the window, packet size, and watching for the copy."""

from __future__ import annotations

import asyncio

import pytest

from mqtttui.client import commands, patience, watching
from mqtttui.client.events import Outcome
from mqtttui.protocol.enums import Direction, PacketType, PropertyId, Version
from mqtttui.protocol.packets import Ack, Connect, Packet, Property, Publish, Suback, Subscribe, TopicRequest, Unsubscribe, encode
from tests.support.brokers import Broker
from tests.support.scripted import Script, close, expect, reply, send, serve, wait_for
from tests.support.sessions import PEER, Driver

V5 = Connect(client_id="five", version=Version.V5)
WINDOW_2 = (Property(PropertyId.RECEIVE_MAXIMUM, 2),)
WHY = (Property(PropertyId.REASON_STRING, "no\x07"),)
EVERY_PROPERTY = (
    Property(PropertyId.PAYLOAD_FORMAT_INDICATOR, 1),
    Property(PropertyId.MESSAGE_EXPIRY_INTERVAL, 30),
    Property(PropertyId.CONTENT_TYPE, "text/plain"),
    Property(PropertyId.RESPONSE_TOPIC, "answers"),
    Property(PropertyId.CORRELATION_DATA, b"\x00\xff"),
    Property(PropertyId.USER_PROPERTY, ("k", "1")),
    Property(PropertyId.USER_PROPERTY, ("k", "2")),
    Property(PropertyId.TOPIC_ALIAS, 1),
)


async def test_qos_0_is_sent_and_nothing_more() -> None:
    async with Script(expect(Connect), reply(), serve()) as broker, Driver() as driver:
        await driver.connected(broker.port)
        token = driver.publish("a/b", b"x", retain=True, dup=True)
        change = await driver.outcome(token, Outcome.SENT)
        assert (change.text, change.packet_id) == ("sent", None)
        await driver.until(lambda: len(broker.received) == 2, "PUBLISH")
        assert broker.received[1] == Publish("a/b", b"x", 0, True, True)
        assert driver.outcomes(token)[-1] is Outcome.SENT


@pytest.mark.parametrize("qos", [1, 2])
async def test_all_properties_leave_in_order(qos: int) -> None:
    async with Script(expect(Connect), reply(), serve()) as broker, Driver() as driver:
        await driver.connected(broker.port, connect=V5)
        token = driver.publish("a", b"x", qos=qos, properties=EVERY_PROPERTY)
        change = await driver.outcome(token, Outcome.ACKED)
        packet = broker.received[1]
        assert isinstance(packet, Publish)
        assert packet.properties == EVERY_PROPERTY
        assert packet.packet_id == change.packet_id
        assert change.milliseconds is not None
        assert change.text.startswith("the broker took it, ")
        assert driver.state.in_flight == 0
        again = driver.publish("", b"y", qos=qos, properties=(Property(PropertyId.TOPIC_ALIAS, 1),))
        await driver.outcome(again, Outcome.ACKED)
        assert Outcome.QUEUED not in driver.outcomes(again)


@pytest.mark.parametrize(
    ("qos", "answer", "outcome", "text"),
    [
        (1, Ack(PacketType.PUBACK, 1, 0x87, WHY), Outcome.REFUSED, "refused: 0x87 not authorized (the server says: no\\x07)"),
        (1, Ack(PacketType.PUBACK, 1, 0x10), Outcome.ACKED, "(0x10 no matching subscribers)"),
        (2, Ack(PacketType.PUBREC, 1, 0x97), Outcome.REFUSED, "refused: 0x97 quota exceeded"),
    ],
)
async def test_reason_codes(qos: int, answer: Ack, outcome: Outcome, text: str) -> None:
    async with Script(expect(Connect), reply(), expect(Publish), send(answer), serve()) as broker, Driver() as driver:
        await driver.connected(broker.port, connect=V5)
        token = driver.publish("a", b"x", qos=qos)
        change = await driver.outcome(token, Outcome.ACKED, Outcome.REFUSED)
        assert change.outcome is outcome
        assert text in change.text
        assert driver.state.in_flight == 0
        assert driver.types(Direction.C2S) == [PacketType.CONNECT, PacketType.PUBLISH]


@pytest.mark.parametrize(("qos", "awaited"), [(1, "PUBACK"), (2, "PUBREC")])
async def test_an_acknowledgement_that_does_not_come_is_said_and_still_counts(
    qos: int, awaited: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "ANSWER_SECONDS", 0.05)
    go = asyncio.Event()
    async with Script(expect(Connect), reply(), expect(Publish), wait_for(go), reply(), serve()) as broker, Driver() as driver:
        await driver.connected(broker.port)
        token = driver.publish("a", qos=qos)
        late = await driver.outcome(token, Outcome.LATE)
        assert late.text == f"sent, no {awaited} for 0 s"
        await driver.until(lambda: driver.outcomes(token).count(Outcome.LATE) > 1, "it to be said again")
        assert driver.state.in_flight == 1
        go.set()
        await driver.outcome(token, Outcome.ACKED)
        assert driver.state.in_flight == 0


async def test_a_missing_pubcomp_is_told_from_a_missing_pubrec(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "ANSWER_SECONDS", 0.05)
    go = asyncio.Event()
    script = (expect(Connect), reply(), expect(Publish), reply(), wait_for(go), send(Ack(PacketType.PUBCOMP, 1)), serve())
    async with Script(*script) as broker, Driver() as driver:
        await driver.connected(broker.port)
        token = driver.publish("a", qos=2)
        late = await driver.outcome(token, Outcome.LATE)
        assert late.text == "the broker has it (PUBREC), no PUBCOMP for 0 s"
        assert "the broker has it (PUBREC), waiting for PUBCOMP" in [change.text for change in driver.changes(token)]
        go.set()
        await driver.outcome(token, Outcome.ACKED)


async def test_a_given_packet_identifier_is_used_and_not_given_out_again() -> None:
    async with Script(expect(Connect), reply(), serve(lambda packet, version: None)) as broker, Driver() as driver:
        await driver.connected(broker.port)
        driver.publish("a", qos=1, packet_id=2)
        for _ in range(3):
            driver.publish("a", qos=1)
        driver.subscribe("x")
        await driver.until(lambda: len(broker.received) == 6, "all packets")
        ids = [packet.packet_id for packet in broker.received[1:] if isinstance(packet, Publish | Subscribe)]
        assert ids == [2, 1, 3, 4, 5]


async def test_acknowledgements_that_belong_to_nothing_change_nothing() -> None:
    stray: list[Packet] = [Ack(PacketType.PUBREC, 1), Ack(PacketType.PUBCOMP, 1), Ack(PacketType.PUBACK, 9), Suback(1, (0,))]
    go = asyncio.Event()
    script = (expect(Connect), reply(), expect(Publish), *[send(packet) for packet in stray], wait_for(go), reply(), serve())
    async with Script(*script) as broker, Driver() as driver:
        await driver.connected(broker.port)
        token = driver.publish("a", qos=1)
        await driver.until(lambda: len(driver.types(Direction.S2C)) == 5, "the stray packets")
        assert driver.state.in_flight == 1
        go.set()
        await driver.outcome(token, Outcome.ACKED)
        assert driver.types(Direction.C2S) == [PacketType.CONNECT, PacketType.PUBLISH]


async def test_above_the_window_it_is_held_and_released_in_order() -> None:
    go = asyncio.Event()
    script = (expect(Connect), reply(properties=WINDOW_2), expect(Publish), wait_for(go), send(Ack(PacketType.PUBACK, 1)), serve())
    async with Script(*script) as broker, Driver() as driver:
        await driver.connected(broker.port, connect=V5)
        tokens = [driver.publish("a", bytes([number]), qos=1) for number in range(5)]
        held = await driver.outcome(tokens[2], Outcome.HELD)
        assert held.text == "held, window 2/2"
        assert (driver.state.in_flight, driver.state.held) == (2, 3)
        unaffected = driver.publish("a", b"qos 0")
        await driver.outcome(unaffected, Outcome.SENT)
        go.set()
        for token in tokens:
            await driver.outcome(token, Outcome.ACKED)
        payloads = [packet.payload for packet in broker.received if isinstance(packet, Publish) and packet.qos]
        assert payloads == [bytes([number]) for number in range(5)]
        assert (driver.state.in_flight, driver.state.held) == (0, 0)


async def test_sent_anyway() -> None:
    async with Script(expect(Connect), reply(properties=WINDOW_2), serve(lambda packet, version: None)) as broker, Driver() as driver:
        await driver.connected(broker.port, connect=V5)
        for _ in range(2):
            driver.publish("a", qos=1)
        await driver.outcome(driver.publish("a", qos=1, anyway=True), Outcome.SENT)
        held = driver.publish("a", qos=1)
        forgotten = driver.publish("a", qos=1)
        await driver.outcome(forgotten, Outcome.HELD)
        driver.session.execute(commands.ReleaseHeld(PEER, held))
        await driver.outcome(held, Outcome.SENT)
        driver.session.execute(commands.ReleaseHeld(PEER, forgotten, send=False))
        assert (await driver.outcome(forgotten, Outcome.LOST)).text == "forgotten, never sent"
        await driver.until(lambda: len(broker.received) == 5, "four publishes")
        assert driver.state.in_flight == 4


async def test_larger_than_the_server_takes() -> None:
    limit = (Property(PropertyId.MAXIMUM_PACKET_SIZE, 100),)
    async with Script(expect(Connect), reply(properties=limit), serve()) as broker, Driver() as driver:
        await driver.connected(broker.port, connect=V5)
        assert len(encode(Publish("a", bytes(94)), Version.V5)) == 100
        await driver.outcome(driver.publish("a", bytes(94)), Outcome.SENT)
        token = driver.publish("a", bytes(95))
        change = await driver.outcome(token, Outcome.HELD)
        assert change.text == "held: 101 bytes, the server takes 100"
        driver.session.execute(commands.ReleaseHeld(PEER, token))
        await driver.outcome(token, Outcome.SENT)
        await driver.until(lambda: len(broker.received) == 3, "both publishes")


async def test_not_connected() -> None:
    async with Driver() as driver:
        token = driver.publish("a")
        assert driver.outcomes(token) == [Outcome.LOST]
        assert driver.rejections == ["publish: not connected"]


async def test_no_encoding() -> None:
    async with Script(expect(Connect), reply(), serve()) as broker, Driver() as driver:
        await driver.connected(broker.port)
        token = driver.publish("x" * 70_000, qos=1)
        assert driver.outcomes(token) == [Outcome.LOST]
        assert "65,535" in driver.rejections[0]
        await driver.outcome(driver.publish("a", qos=1), Outcome.ACKED)


async def test_a_large_publish_leaves_in_slices_without_stopping_the_loop(mosquitto_broker: Broker) -> None:
    async with Driver() as driver:
        await driver.connected(mosquitto_broker.port)
        await driver.subscribed("large/one")
        payload = bytes(range(256)) * 64 * 1024
        token = driver.publish("large/one", payload, qos=1)
        assert driver.outcomes(token) == [Outcome.QUEUED]
        assert driver.count(PacketType.PUBLISH, Direction.C2S) == 0, "recorded before it was handed over"
        await driver.outcome(token, Outcome.ACKED)
        await driver.until(lambda: driver.count(PacketType.PUBLISH, Direction.S2C) == 1, "the copy")
        assert driver.raw(Direction.C2S).count(payload) == 1


async def test_watched_and_it_came_back(mosquitto_broker: Broker) -> None:
    async with Driver() as driver:
        await driver.connected(mosquitto_broker.port, connect=V5)
        await driver.outcome(driver.publish("watch/back", b"old", retain=True, qos=1), Outcome.ACKED)
        token = driver.publish("watch/back", b"old", qos=1, verify=True)
        change = await driver.outcome(token, Outcome.CAME_BACK, Outcome.NOT_BACK)
        assert change.text.startswith("came back after ")
        await driver.until(lambda: driver.count(PacketType.UNSUBACK) == 1, "UNSUBACK")
        types = driver.types(Direction.C2S)
        assert types[2:5] == [PacketType.SUBSCRIBE, PacketType.PUBLISH, PacketType.UNSUBSCRIBE] or PacketType.PUBACK in types
        assert driver.state.subscriptions == ()


async def test_watched_with_an_equal_subscription(mosquitto_broker: Broker) -> None:
    async with Driver() as driver:
        await driver.connected(mosquitto_broker.port)
        await driver.subscribed(TopicRequest("watch/equal", qos=0))
        before = driver.types(Direction.C2S)
        token = driver.publish("watch/equal", b"x", verify=True)
        await driver.outcome(token, Outcome.CAME_BACK)
        assert driver.types(Direction.C2S) == [*before, PacketType.PUBLISH]
        assert driver.state.subscriptions[0].active


async def test_watched_and_it_did_not_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "WATCH_SECONDS", 0.2)
    async with Script(expect(Connect), reply(), serve()) as broker, Driver() as driver:
        await driver.connected(broker.port)
        token = driver.publish("a", b"x", verify=True)
        change = await driver.outcome(token, Outcome.NOT_BACK)
        assert change.text == "did not come back within 0.2 s"
        await driver.until(lambda: isinstance(broker.received[-1], Unsubscribe), "UNSUBSCRIBE")
        assert [type(packet) for packet in broker.received] == [Connect, Subscribe, Publish, Unsubscribe]


async def test_watching_refused() -> None:
    async with Script(expect(Connect), reply(), expect(Subscribe), reply(codes=(0x87,)), serve()) as broker, Driver() as driver:
        await driver.connected(broker.port, connect=V5)
        token = driver.publish("a", b"x", qos=1, verify=True)
        change = await driver.outcome(token, Outcome.NOT_BACK)
        assert change.text == "not watched: refused: 0x87 not authorized"
        await driver.outcome(token, Outcome.ACKED)


async def test_watching_ends_with_the_connection() -> None:
    async with Script(expect(Connect), reply(), expect(Subscribe), reply(), expect(Publish), close()) as broker, Driver() as driver:
        await driver.connected(broker.port)
        token = driver.publish("a", b"x", qos=1, verify=True)
        await driver.failed()
        assert driver.outcomes(token)[-1] is Outcome.LOST


async def test_what_the_access_list_refuses(password_mosquitto: Broker) -> None:
    async with Driver() as driver:
        connect = Connect(client_id="acl", version=Version.V5, username="bob", password=b"hunter2")
        await driver.connected(password_mosquitto.port, connect=connect)
        change = await driver.outcome(driver.publish("forbidden", qos=1), Outcome.REFUSED)
        assert change.text == "refused: 0x87 not authorized"


async def test_a_watched_publish_that_never_got_to_leave_is_said_to_be_lost() -> None:
    async with Script(expect(Connect), reply(), expect(Subscribe), close()) as broker, Driver() as driver:
        await driver.connected(broker.port)
        token = driver.publish("a", b"x", verify=True)
        lost = await driver.outcome(token, Outcome.LOST)
        assert lost.text == "not sent: the connection ended"
        assert driver.changes(token)[-1] is lost
        assert driver.types(Direction.C2S) == [PacketType.CONNECT, PacketType.SUBSCRIBE]
