"""Sessions, queued messages, wills, shared subscriptions."""

from __future__ import annotations

import asyncio

import pytest

from mqtttui.demo.broker import DemoBroker
from mqtttui.protocol.enums import PacketType, PropertyId, Version
from mqtttui.protocol.packets import Ack, Connect, Disconnect, Property, Publish, TopicRequest, Will
from tests.support.raw_client import connected, greeted
from tests.support.waiting import wait_until

P = PacketType


def lasting(version: Version, *, clean: bool = False, expiry: int = 60, will: Will | None = None) -> Connect:
    """A CONNECT whose session outlives the connection."""
    properties = (Property(PropertyId.SESSION_EXPIRY_INTERVAL, expiry),) if version is Version.V5 else ()
    return Connect("keeper", version, clean=clean, properties=properties, will=will)


async def gone(broker: DemoBroker, client_id: str = "keeper") -> None:
    """Waits until the broker knows that a client has left."""

    def offline() -> bool:
        return broker.call(lambda core: client_id not in core.sessions or not core.sessions[client_id].online)

    await wait_until(offline, f"{client_id} to be offline")


@pytest.mark.parametrize("version", [Version.V31, Version.V311, Version.V5])
async def test_queued_while_away(broker: DemoBroker, version: Version) -> None:
    client, connack = await greeted(broker.port, lasting(version))
    assert not connack.session_present
    await client.subscribe(TopicRequest("k", 1))
    client.send(Disconnect())
    await gone(broker)
    for number in range(30):
        broker.publish("k", b"%d" % number, qos=1)
    broker.publish("k", b"not kept", qos=0)
    client, connack = await greeted(broker.port, lasting(version))
    assert connack.session_present is (version is not Version.V31)
    for number in range(30):
        message = await client.message()
        assert message.payload == b"%d" % number
        client.send(Ack(P.PUBACK, message.packet_id or 0))
    await client.quiet()
    client.close()
    await gone(broker)
    client, connack = await greeted(broker.port, lasting(version, clean=True))
    assert not connack.session_present
    client.close()


async def test_unfinished_flights_are_sent_again(broker: DemoBroker) -> None:
    client, _ = await greeted(broker.port, lasting(Version.V5))
    await client.subscribe(TopicRequest("k", 2))
    for payload in (b"1", b"2", b"3"):
        broker.publish("k", payload, qos=2)
    first, second, third = [await client.message() for _ in range(3)]
    client.send(Ack(P.PUBREC, first.packet_id or 0))
    await client.expect_ack(P.PUBREL)
    client.send(Publish("t", qos=2, packet_id=9))
    await client.expect_ack(P.PUBREC)
    client.close()
    await gone(broker)
    client, connack = await greeted(broker.port, lasting(Version.V5))
    assert connack.session_present
    assert (await client.expect_ack(P.PUBREL)).packet_id == first.packet_id
    for earlier in (second, third):
        again = await client.message()
        assert (again.packet_id, again.payload, again.dup) == (earlier.packet_id, earlier.payload, True)
    client.send(Publish("t", qos=2, dup=True, packet_id=9), Ack(P.PUBREL, 9))
    await client.expect_ack(P.PUBREC)
    assert (await client.expect_ack(P.PUBCOMP)).reason_code is None
    client.close()


async def test_session_expiry(broker: DemoBroker) -> None:
    client, _ = await greeted(broker.port, lasting(Version.V5, expiry=1))
    client.close()
    await gone(broker)
    assert broker.call(lambda core: "keeper" in core.sessions)
    await wait_until(lambda: broker.call(lambda core: "keeper" not in core.sessions), "the session to expire", 3)
    client, connack = await greeted(broker.port, lasting(Version.V5))
    assert not connack.session_present
    client.send(Disconnect(0, (Property(PropertyId.SESSION_EXPIRY_INTERVAL, 0),)))
    await wait_until(lambda: broker.call(lambda core: "keeper" not in core.sessions), "the session to end")


@pytest.mark.parametrize("version", [Version.V311, Version.V5])
async def test_will(broker: DemoBroker, version: Version) -> None:
    will = Will("w/keeper", b"gone", 1, retain=True)
    async with connected(broker.port, Connect("watcher", version)) as watcher:
        await watcher.subscribe(TopicRequest("w/#"))
        client, _ = await greeted(broker.port, Connect("keeper", version, will=will))
        client.send(Disconnect())
        await gone(broker)
        await watcher.quiet()
        client, _ = await greeted(broker.port, Connect("keeper", version, will=will))
        client.close()
        assert await watcher.message() == Publish("w/keeper", b"gone")
        await watcher.subscribe(TopicRequest("w/keeper"))
        assert (await watcher.message()).retain


async def test_disconnect_with_will_message(broker: DemoBroker) -> None:
    async with connected(broker.port) as watcher:
        await watcher.subscribe(TopicRequest("w/#"))
        properties = (Property(PropertyId.USER_PROPERTY, ("why", "test")), Property(PropertyId.CONTENT_TYPE, "text/plain"))
        will = Will("w/keeper", b"gone", properties=(Property(PropertyId.WILL_DELAY_INTERVAL, 0), *properties))
        client, _ = await greeted(broker.port, Connect("keeper", Version.V5, will=will))
        client.send(Disconnect(0x04))
        assert await watcher.message() == Publish("w/keeper", b"gone", properties=properties)


async def test_will_delay(broker: DemoBroker) -> None:
    def delayed(seconds: int) -> Will:
        return Will("w/keeper", b"gone", properties=(Property(PropertyId.WILL_DELAY_INTERVAL, seconds),))

    async with connected(broker.port) as watcher:
        await watcher.subscribe(TopicRequest("w/#"))
        loop = asyncio.get_running_loop()
        client, _ = await greeted(broker.port, lasting(Version.V5, will=delayed(1)))
        client.close()
        await gone(broker)
        client, connack = await greeted(broker.port, lasting(Version.V5, will=delayed(1)))
        assert connack.session_present
        client.close()
        began = loop.time()
        assert (await watcher.message()).payload == b"gone"
        assert loop.time() - began > 0.9
        # The session's end is not awaited longer than the session lives.
        client, _ = await greeted(broker.port, lasting(Version.V5, expiry=1, will=delayed(3600)))
        client.close()
        assert (await watcher.message()).payload == b"gone"


async def test_takeover_fires_the_will_unless_the_session_goes_on(broker: DemoBroker) -> None:
    will = Will("w/keeper", b"gone", properties=(Property(PropertyId.WILL_DELAY_INTERVAL, 30),))
    async with connected(broker.port) as watcher:
        await watcher.subscribe(TopicRequest("w/#"))
        first, _ = await greeted(broker.port, lasting(Version.V5, will=will))
        second, connack = await greeted(broker.port, lasting(Version.V5, will=will))
        assert connack.session_present
        assert (await first.expect(Disconnect)).reason_code == 0x8E
        await watcher.quiet()
        third, connack = await greeted(broker.port, lasting(Version.V5, clean=True))
        assert not connack.session_present
        assert (await second.expect(Disconnect)).reason_code == 0x8E
        assert (await watcher.message()).payload == b"gone"
        third.close()


@pytest.mark.parametrize("version", [Version.V311, Version.V5])
async def test_shared_subscriptions(broker: DemoBroker, version: Version) -> None:
    async with connected(broker.port, Connect("a", version)) as one, connected(broker.port, Connect("b", version)) as two:
        broker.publish("s/x", b"retained", retain=True)
        for client in (one, two):
            await client.subscribe(TopicRequest("$share/group/s/#", 1))
            await client.quiet()
        for number in range(4):
            broker.publish("s/x", b"%d" % number)
        got = [[(await client.message()).payload for _ in range(2)] for client in (one, two)]
        assert got == [[b"0", b"2"], [b"1", b"3"]]
        two.close()
        await gone(broker, "b")
        broker.publish("s/x", b"alone")
        assert (await one.message()).payload == b"alone"


async def test_sessions_without_a_client_are_bounded(broker: DemoBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mqtttui.demo.core.SESSION_LIMIT", 2)
    for number in range(4):
        client, _ = await greeted(broker.port, Connect(f"many-{number}", Version.V311, clean=False))
        client.send(Disconnect())
        await gone(broker, f"many-{number}")
    assert broker.call(lambda core: list(core.sessions)) == ["many-2", "many-3"]


async def test_the_queue_is_bounded(broker: DemoBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mqtttui.demo.session.QUEUE_LIMIT", 2)
    client, _ = await greeted(broker.port, lasting(Version.V5))
    await client.subscribe(TopicRequest("k", 1))
    client.close()
    await gone(broker)
    for payload in (b"1", b"2", b"3"):
        broker.publish("k", payload, qos=1)
    assert broker.call(lambda core: core.sessions["keeper"].dropped) == 1
    client, _ = await greeted(broker.port, lasting(Version.V5))
    assert [(await client.message()).payload for _ in range(2)] == [b"1", b"2"]
    await client.quiet()
    client.close()
