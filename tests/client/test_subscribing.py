"""Subscriptions: what leaves, what is granted, and what is left of them at the end."""

from __future__ import annotations

import asyncio

import pytest

from mqtttui.client import commands, patience
from mqtttui.client.events import Outcome
from mqtttui.protocol.enums import Direction, PacketType, PropertyId, Version
from mqtttui.protocol.packets import Connect, Property, Publish, Subscribe, TopicRequest, Unsuback, Unsubscribe
from tests.support.brokers import Broker
from tests.support.scripted import Script, close, expect, reply, send, serve, wait_for
from tests.support.sessions import PEER, Driver

V5 = Connect(client_id="five", version=Version.V5)


def answers(driver: Driver) -> dict[bytes, str]:
    return {row.key: row.answer for row in driver.state.subscriptions}


async def test_several_filters_with_every_option() -> None:
    requests = (
        TopicRequest("a/+", 1, no_local=True, retain_as_published=True, retain_handling=2),
        TopicRequest("b/#", 2),
        TopicRequest(b"\xff", 0),
    )
    properties = (Property(PropertyId.SUBSCRIPTION_IDENTIFIER, 300), Property(PropertyId.USER_PROPERTY, ("k", "v")))
    async with Script(expect(Connect), reply(), expect(Subscribe), reply(codes=(1, 0, 0x8F)), serve()) as broker, Driver() as driver:
        await driver.connected(broker.port, connect=V5)
        await driver.subscribed(*requests, properties=properties)
        assert broker.received[1] == Subscribe(1, requests, properties)
        assert answers(driver) == {
            b"a/+": "granted QoS 1",
            b"b/#": "granted QoS 0, asked for 2",
            b"\xff": "refused: 0x8f topic filter invalid",
        }
        rows = driver.state.subscriptions
        assert [row.active for row in rows] == [True, True, False]
        assert [row.granted for row in rows] == [1, 0, 0x8F]
        assert {row.identifier for row in rows} == {300}


async def test_the_failure_of_311() -> None:
    async with Script(expect(Connect), reply(), expect(Subscribe), reply(codes=(0x80,)), serve()) as broker, Driver() as driver:
        await driver.connected(broker.port)
        await driver.subscribed("a")
        assert answers(driver)[b"a"].startswith("refused: ")
        assert "0x80" in answers(driver)[b"a"]


async def test_too_few_codes() -> None:
    async with Script(expect(Connect), reply(), expect(Subscribe), reply(codes=(0,)), serve()) as broker, Driver() as driver:
        await driver.connected(broker.port)
        await driver.subscribed("a", "b")
        assert answers(driver) == {b"a": "granted QoS 0", b"b": "SUBACK has no code for this filter"}


async def test_an_answer_that_does_not_come_is_said_at_the_row_and_still_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "ANSWER_SECONDS", 0.05)
    first, second = asyncio.Event(), asyncio.Event()
    script = (
        expect(Connect),
        reply(),
        expect(Subscribe),
        wait_for(first),
        reply(),
        expect(Unsubscribe),
        wait_for(second),
        reply(),
        serve(),
    )
    async with Script(*script) as broker, Driver() as driver:
        await driver.connected(broker.port)
        driver.subscribe("a", "b")
        await driver.until(lambda: answers(driver) == {b"a": "no SUBACK for 0 s", b"b": "no SUBACK for 0 s"}, "the missing SUBACK")
        assert all(row.late for row in driver.state.subscriptions)
        first.set()
        await driver.until(lambda: answers(driver) == {b"a": "granted QoS 0", b"b": "granted QoS 0"}, "the late SUBACK")
        assert not any(row.late for row in driver.state.subscriptions)
        driver.session.execute(commands.Unsubscribe(PEER, ("a",)))
        await driver.until(lambda: answers(driver)[b"a"] == "no UNSUBACK for 0 s", "the missing UNSUBACK")
        second.set()
        await driver.until(lambda: list(answers(driver)) == [b"b"], "the row to go")


async def test_unsubscribing() -> None:
    async with Script(expect(Connect), reply(), serve()) as broker, Driver() as driver:
        await driver.connected(broker.port, connect=V5)
        await driver.subscribed("a", "b")
        driver.session.execute(commands.Unsubscribe(PEER, ("a",), (Property(PropertyId.USER_PROPERTY, ("k", "v")),)))
        assert answers(driver)[b"a"] == "waiting for UNSUBACK"
        await driver.until(lambda: list(answers(driver)) == [b"b"], "the row to go")
        assert isinstance(broker.received[-1], Unsubscribe)
        assert broker.received[-1].properties


async def test_an_unsubscribe_that_is_refused() -> None:
    script = (
        expect(Connect),
        reply(),
        expect(Subscribe),
        reply(),
        expect(Unsubscribe),
        send(lambda packet: Unsuback(packet.packet_id, (0x87,))),
        serve(),
    )
    async with Script(*script) as broker, Driver() as driver:
        await driver.connected(broker.port, connect=V5)
        await driver.subscribed("a")
        driver.session.execute(commands.Unsubscribe(PEER, ("a",)))
        await driver.until(lambda: answers(driver)[b"a"] == "unsubscribe refused: 0x87 not authorized", "the refusal")
        assert driver.state.subscriptions[0].active


async def test_no_answer_before_the_end() -> None:
    async with Script(expect(Connect), reply(), expect(Subscribe), close()) as broker, Driver() as driver:
        await driver.connected(broker.port)
        driver.subscribe("a")
        failure = (await driver.failed()).failure
        assert failure is not None
        assert "after a SUBSCRIBE" in failure.detail
        assert answers(driver) == {b"a": "no answer: the connection ended"}
        driver.session.execute(commands.Unsubscribe(PEER, ("a",)))
        assert driver.state.subscriptions == ()


async def test_not_connected() -> None:
    async with Driver() as driver:
        driver.subscribe("a")
        driver.ping()
        driver.cut()
        driver.cancel()
        driver.session.execute(commands.Disconnect(PEER))
        driver.session.execute(commands.ReleaseHeld(PEER, 1))
        assert len(driver.rejections) == 6
        assert driver.rejections[:2] == ["subscribe: not connected", "ping: not connected"]
        assert driver.state.subscriptions == ()


async def test_a_clean_session_ends_its_subscriptions(mosquitto_broker: Broker) -> None:
    async with Driver() as driver:
        await driver.connected(mosquitto_broker.port)
        await driver.subscribed("s/a")
        await driver.disconnect()
        assert [row.active for row in driver.state.subscriptions] == [False]
        await driver.connected(mosquitto_broker.port)
        assert answers(driver) == {b"s/a": "not renewed"}
        assert driver.count(PacketType.SUBSCRIBE) == 1


async def test_a_kept_session_keeps_its_subscriptions(mosquitto_broker: Broker) -> None:
    connect = Connect(client_id="keeps-subscriptions", clean=False)
    async with Driver() as driver:
        await driver.connected(mosquitto_broker.port, connect=connect)
        await driver.subscribed("s/kept")
        await driver.disconnect()
        assert driver.state.subscriptions[0].active
        driver.session.execute(commands.Unsubscribe(PEER, ("s/kept",)))
        assert "the server keeps this subscription" in driver.rejections[0]
        await driver.connected(mosquitto_broker.port, connect=connect)
        assert driver.state.connack is not None
        assert driver.state.connack.session_present
        assert answers(driver) == {b"s/kept": "held by the session"}


async def test_shared_subscriptions_share(mosquitto_broker: Broker) -> None:
    async with Driver() as one, Driver() as two, Driver() as sender:
        for index, driver in enumerate((one, two, sender)):
            await driver.connected(mosquitto_broker.port, connect=Connect(client_id=f"share-{index}", version=Version.V5))
        await one.subscribed(TopicRequest("$share/g/shared/x", 1))
        await two.subscribed(TopicRequest("$share/g/shared/x", 1))
        for number in range(6):
            await sender.outcome(sender.publish("shared/x", bytes([number]), qos=1), Outcome.ACKED)

        def counts() -> list[int]:
            return [driver.count(PacketType.PUBLISH, Direction.S2C) for driver in (one, two)]

        await one.until(lambda: sum(counts()) == 6, "six messages together")
        assert min(counts()) > 0


async def test_inbound_qos_1_and_2_are_acknowledged() -> None:
    script = (
        expect(Connect),
        reply(),
        send(Publish("t", b"1", 1, packet_id=7)),
        expect(PacketType.PUBACK, packet_id=7),
        send(Publish("t", b"2", 2, packet_id=8)),
        expect(PacketType.PUBREC, packet_id=8),
        reply(),
        expect(PacketType.PUBCOMP, packet_id=8),
        send(Publish("", b"3", 1, packet_id=9, properties=(Property(PropertyId.TOPIC_ALIAS, 1),))),
        expect(PacketType.PUBACK, packet_id=9),
    )
    async with Script(*script) as broker, Driver() as driver:
        await driver.connected(broker.port, connect=V5)
        await broker.finished()
