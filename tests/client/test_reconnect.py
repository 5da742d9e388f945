"""Automatic reconnects: only on request, visible, with the same bytes, and with what becomes of unfinished publishes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mqtttui.client.events import ConnectionState, Outcome, Phase
from mqtttui.config.options import ReconnectOptions
from mqtttui.protocol.enums import Direction, PacketType, PropertyId, Version
from mqtttui.protocol.packets import Ack, Connect, Disconnect, Property, Publish, Subscribe, TopicRequest, encode
from tests.support.brokers import mosquitto
from tests.support.proxy import Proxy
from tests.support.scripted import Script, Step, accept, close, expect, reply, send, serve
from tests.support.sessions import Driver

KEPT = Connect(client_id="kept", clean=False)
AGAIN = ReconnectOptions(enabled=True, first_delay=0.05, longest_delay=0.1)
SESSION_EXPIRY = Property(PropertyId.SESSION_EXPIRY_INTERVAL, 100)
WITH_SESSION = reply(session_present=True)


def waits(driver: Driver) -> list[ConnectionState]:
    return [state for state in driver.states if state.phase is Phase.WAITING]


async def test_off_at_first() -> None:
    async with Script(expect(Connect), reply(), close()) as broker, Driver() as driver:
        driver.connect(broker.port)
        await driver.failed()
        assert waits(driver) == []
        assert len(broker.lines) == 1


async def test_the_same_bytes_each_time_and_visible_attempts() -> None:
    script = (expect(Connect), reply(), close(), accept(), expect(Connect), close(), accept(), expect(Connect), reply(), serve())
    connect = Connect(client_id="", version=Version.V5, clean=True, username="u", password=b"p", keep_alive=7)
    async with Script(*script) as broker, Driver() as driver:
        driver.connect(broker.port, connect=connect, reconnect=AGAIN)
        await driver.until(lambda: len(broker.lines) == 3 and driver.state.phase is Phase.CONNECTED, "the third connection")
        assert {bytes(line.received_raw) for line in broker.lines} == {encode(connect, Version.V5)}
        assert {state.attempt for state in waits(driver)} == {1, 2}
        assert all(state.next_attempt is not None and state.failure is not None for state in waits(driver))
        assert (driver.state.attempt, driver.state.next_attempt, driver.state.failure) == (0, None, None)
        assert driver.state.connection == 2


async def test_a_first_connect_that_fails_is_not_repeated() -> None:
    async with Script(expect(Connect), close()) as broker, Driver() as driver:
        driver.connect(broker.port, reconnect=AGAIN)
        await driver.failed()
        assert len(broker.lines) == 1


async def test_waiting_can_be_cancelled() -> None:
    async with Script(expect(Connect), reply(), close()) as broker, Driver() as driver:
        driver.connect(broker.port, reconnect=replace(AGAIN, first_delay=30.0, longest_delay=30.0))
        await driver.phase(Phase.WAITING)
        driver.cancel()
        await driver.phase(Phase.IDLE, 0.5)
        assert driver.state.next_attempt is None
        assert len(broker.lines) == 1


async def test_the_users_own_end_is_no_loss() -> None:
    async with Script(expect(Connect), reply(), serve()) as broker, Driver() as driver:
        await driver.connected(broker.port, reconnect=AGAIN)
        driver.cut()
        await driver.phase(Phase.IDLE)
        assert len(broker.lines) == 1


async def test_not_after_a_takeover() -> None:
    connect = Connect(client_id="c", version=Version.V5)
    async with Script(expect(Connect), reply(), send(Disconnect(0x8E)), close()) as broker, Driver() as driver:
        driver.connect(broker.port, connect=connect, reconnect=AGAIN)
        await driver.failed()
        assert len(broker.lines) == 1


@pytest.mark.parametrize("version", [Version.V311, Version.V5])
async def test_unacknowledged_publishes_are_replayed_with_dup(version: Version) -> None:
    script: tuple[Step, ...] = (
        expect(Connect),
        reply(),
        expect(Publish, qos=1),
        expect(Publish, qos=2),
        expect(Publish, qos=2),
        send(Ack(PacketType.PUBREC, 3)),
        expect(PacketType.PUBREL, packet_id=3),
        close(),
        accept(),
        expect(Connect),
        WITH_SESSION,
        expect(Publish, qos=1, dup=True, packet_id=1, payload=b"one"),
        reply(),
        expect(Publish, qos=2, dup=True, packet_id=2, payload=b"two"),
        reply(),
        expect(PacketType.PUBREL, packet_id=3),
        reply(),
        expect(PacketType.PUBREL, packet_id=2),
        reply(),
        serve(),
    )
    connect = replace(KEPT, version=version)
    if version is Version.V5:
        connect = replace(connect, properties=(SESSION_EXPIRY,))
    async with Script(*script) as broker, Driver() as driver:
        await driver.connected(broker.port, connect=connect, reconnect=AGAIN)
        tokens = [
            driver.publish("a", b"one", qos=1),
            driver.publish("a", b"two", qos=2),
            driver.publish("a", b"three", qos=2),
        ]
        for token in tokens:
            await driver.outcome(token, Outcome.ACKED)
        texts = [change.text for change in driver.changes(tokens[0])]
        assert "no PUBACK; sent again at the next connect if the server kept the session" in texts
        assert "sent again with DUP after the reconnect, waiting for PUBACK" in texts
        assert driver.state.in_flight == 0
        fresh = driver.publish("a", b"four", qos=1)
        change = await driver.outcome(fresh, Outcome.ACKED)
        assert change.packet_id is not None
        assert broker.lines[0].received_raw[:1] == b"\x10"


async def test_without_the_session_they_are_lost() -> None:
    script = (expect(Connect), reply(), expect(Publish), close(), accept(), expect(Connect), reply(), serve())
    async with Script(*script) as broker, Driver() as driver:
        await driver.connected(broker.port, connect=KEPT, reconnect=AGAIN)
        token = driver.publish("a", b"one", qos=1)
        change = await driver.outcome(token, Outcome.LOST)
        assert change.text == "lost: never acknowledged, and the session is gone"
        await driver.until(lambda: driver.state.in_flight == 0 and driver.state.phase is Phase.CONNECTED, "an empty store")
        assert broker.lines[1].received == [KEPT]


async def test_a_clean_session_loses_them_at_once() -> None:
    async with Script(expect(Connect), reply(), expect(Publish), close()) as broker, Driver() as driver:
        await driver.connected(broker.port)
        token = driver.publish("a", b"one", qos=2)
        await driver.failed()
        assert driver.outcomes(token)[-1] is Outcome.LOST


async def test_another_session_does_not_inherit_them() -> None:
    script = (expect(Connect), reply(), expect(Publish), close(), accept(), expect(Connect), WITH_SESSION, serve())
    async with Script(*script) as broker, Driver() as driver:
        await driver.connected(broker.port, connect=KEPT)
        token = driver.publish("a", b"one", qos=1)
        await driver.failed()
        await driver.connected(broker.port, connect=replace(KEPT, client_id="other"))
        await driver.outcome(token, Outcome.LOST)
        fresh = driver.publish("a", b"two", qos=1)
        await driver.outcome(fresh, Outcome.ACKED)
        assert [packet.payload for packet in broker.lines[1].received if isinstance(packet, Publish)] == [b"two"]


async def test_renewing_subscriptions_is_an_option_of_its_own() -> None:
    script = (
        expect(Connect),
        reply(),
        expect(Subscribe),
        reply(codes=(1, 0x80)),
        close(),
        accept(),
        expect(Connect),
        reply(),
        serve(),
    )
    for resubscribe in (False, True):
        async with Script(*script) as broker, Driver() as driver:
            await driver.connected(broker.port, reconnect=replace(AGAIN, resubscribe=resubscribe))
            await driver.subscribed(TopicRequest("good", 1), TopicRequest("refused", 1))
            await driver.until(lambda: len(broker.lines) == 2 and driver.state.phase is Phase.CONNECTED, "the reconnect")
            if resubscribe:
                await driver.until(lambda: driver.state.subscriptions[0].active, "the renewal")
                asked = [packet for packet in broker.lines[1].received if isinstance(packet, Subscribe)]
                assert [packet.requests for packet in asked] == [(TopicRequest("good", 1),)]
            else:
                assert driver.state.subscriptions[0].answer == "not renewed"
                assert broker.lines[1].received[1:] == []


async def test_a_session_that_is_there_is_not_renewed() -> None:
    script = (
        expect(Connect),
        reply(),
        expect(Subscribe),
        reply(),
        close(),
        accept(),
        expect(Connect),
        WITH_SESSION,
        serve(),
    )
    async with Script(*script) as broker, Driver() as driver:
        await driver.connected(broker.port, connect=KEPT, reconnect=replace(AGAIN, resubscribe=True))
        await driver.subscribed("a")
        await driver.until(lambda: len(broker.lines) == 2 and driver.state.phase is Phase.CONNECTED, "the reconnect")
        assert driver.state.subscriptions[0].answer == "held by the session"
        assert broker.lines[1].received == [KEPT]


async def test_mosquitto_across_a_restart(tmp_path: Path) -> None:
    with mosquitto(tmp_path, persistence=True) as broker:
        async with Proxy(broker.host, broker.port) as proxy, Driver() as driver:
            await driver.connected(proxy.port, connect=KEPT, reconnect=AGAIN)
            await driver.subscribed(TopicRequest("restart/#", 2))
            proxy.to_client.black_hole = True
            token = driver.publish("restart/a", b"again", qos=2)
            await driver.until(lambda: bytes(proxy.connections[0].to_server.data).endswith(b"again"), "the publish to pass")
            proxy.to_client.black_hole = False
            proxy.connections[0].reset()
            await driver.outcome(token, Outcome.ACKED)
            await driver.until(lambda: driver.count(PacketType.PUBLISH, Direction.S2C) == 1, "the message, once")
            raws = [driver.log[no].raw for no in driver.log.numbers(1)]
            assert [raw[0] for raw in raws if raw.endswith(b"again")][:2] == [0x34, 0x3C]
