"""How connections end: DISCONNECT, cutting the link, the server's goodbye, and losses with their reason."""

from __future__ import annotations

import asyncio
import time

import pytest

from mqtttui.client import commands
from mqtttui.client.events import Phase
from mqtttui.protocol.enums import Direction, PacketType, PropertyId, Version
from mqtttui.protocol.packets import Connect, Disconnect, Property, Publish, Will
from tests.support.brokers import Broker
from tests.support.proxy import Proxy
from tests.support.scripted import Script, close, expect, expect_close, reply, reset, send, send_raw, serve
from tests.support.sessions import PEER, Driver

V5 = Connect(client_id="five", version=Version.V5)


async def test_disconnect_with_reason_and_properties() -> None:
    packet = Disconnect(0x04, (Property(PropertyId.SESSION_EXPIRY_INTERVAL, 5), Property(PropertyId.USER_PROPERTY, ("why", "test"))))
    async with Script(expect(Connect), reply(), expect(packet), close()) as broker, Driver() as driver:
        await driver.connected(broker.port, connect=V5)
        before = time.monotonic()
        await driver.disconnect(reason_code=0x04, properties=packet.properties)
        assert time.monotonic() - before < 0.4, "the server closed, so there was nothing to wait for"
        assert driver.state.ended == "disconnected, 0x04 disconnect with will message"
        assert driver.state.failure is None
        await broker.finished()


@pytest.mark.parametrize("version", [Version.V31, Version.V311])
async def test_3x_writes_neither_reason_nor_properties(version: Version) -> None:
    async with Script(expect(Connect), reply(), expect(Disconnect(None, None)), close()) as broker, Driver() as driver:
        await driver.connected(broker.port, connect=Connect(client_id="c", version=version))
        await driver.disconnect(reason_code=0x04)
        await broker.finished()


async def test_a_server_that_does_not_close_is_left_after_the_linger() -> None:
    async with Script(expect(Connect), reply(), expect(Disconnect), expect_close()) as broker, Driver() as driver:
        await driver.connected(broker.port)
        before = time.monotonic()
        await driver.disconnect()
        assert 0.4 < time.monotonic() - before < 1.0
        await broker.finished()


async def test_what_the_server_still_sends_after_disconnect_is_recorded() -> None:
    script = (expect(Connect), reply(), expect(Disconnect), send(Publish("late", b"x")), close())
    async with Script(*script) as broker, Driver() as driver:
        await driver.connected(broker.port)
        await driver.disconnect()
        assert driver.types(Direction.S2C) == [PacketType.CONNACK, PacketType.PUBLISH]


@pytest.mark.parametrize("version", [Version.V311, Version.V5])
async def test_nothing_follows_a_disconnect(version: Version) -> None:
    """[MQTT-3.14.4-2], in MQTT 5 [MQTT-3.14.4-1]: not even the acknowledgement of what comes late."""
    late = (Publish("late", b"x", qos=1, packet_id=3), Publish("late", b"y", qos=2, packet_id=4))
    script = (expect(Connect), reply(), expect(Disconnect), *(send(packet) for packet in late), expect_close())
    async with Script(*script) as broker, Driver() as driver:
        await driver.connected(broker.port, connect=Connect(client_id="c", version=version))
        await driver.disconnect()
        await broker.finished()
        assert driver.types(Direction.S2C)[-2:] == [PacketType.PUBLISH, PacketType.PUBLISH]
        assert driver.types(Direction.C2S)[-1] is PacketType.DISCONNECT


async def test_cutting_the_link_fires_the_will(mosquitto_broker: Broker) -> None:
    connect = Connect(client_id="cut", will=Will("cut/will", b"fired"))
    async with Driver() as watcher, Driver() as driver:
        await watcher.connected(mosquitto_broker.port, connect=Connect(client_id="watcher"))
        await watcher.subscribed("cut/will")
        await driver.connected(mosquitto_broker.port, connect=connect)
        driver.cut()
        await driver.phase(Phase.IDLE)
        assert driver.state.ended == "cut without DISCONNECT, so that the will fires"
        assert driver.state.failure is None
        assert PacketType.DISCONNECT not in driver.types()
        await watcher.until(lambda: watcher.count(PacketType.PUBLISH) == 1, "the will")


async def test_the_servers_disconnect() -> None:
    packet = Disconnect(0x8B, (Property(PropertyId.REASON_STRING, "maintenance"),))
    async with Script(expect(Connect), reply(), send(packet), close()) as broker, Driver() as driver:
        driver.connect(broker.port, connect=V5)
        failure = (await driver.failed()).failure
        assert failure is not None
        assert failure.title == "The server disconnected: 0x8b server shutting down"
        assert failure.detail == "the server says: maintenance"
        assert failure.step == ""


async def test_a_server_that_says_goodbye_and_does_not_close() -> None:
    async with Script(expect(Connect), reply(), send(Disconnect(0x98)), expect_close()) as broker, Driver() as driver:
        await driver.connected(broker.port, connect=V5)
        failure = (await driver.failed()).failure
        assert failure is not None
        assert "0x98 administrative action" in failure.title
        await broker.finished()


async def test_taken_over_by_ejabberd(ejabberd_broker: Broker) -> None:
    connect = Connect(client_id="twice", version=Version.V5, username="alice", password=b"secret")
    async with Driver() as one, Driver() as two:
        await one.connected(ejabberd_broker.port, connect=connect)
        await two.connected(ejabberd_broker.port, connect=connect)
        failure = (await one.failed()).failure
        assert failure is not None
        assert "0x8e session taken over" in failure.title


async def test_taken_over_by_mosquitto_is_a_guess(mosquitto_broker: Broker) -> None:
    connect = Connect(client_id="twice-m \\")
    async with Driver() as one, Driver() as two:
        await one.connected(mosquitto_broker.port, connect=connect)
        await two.connected(mosquitto_broker.port, connect=connect)
        failure = (await one.failed()).failure
        assert failure is not None
        assert failure.title == "The server closed the connection"
        assert "Taken over by another client with the id twice-m \\\\?" in failure.hint


async def test_a_reset() -> None:
    async with Script(expect(Connect), reply(), reset()) as broker, Driver() as driver:
        driver.connect(broker.port)
        failure = (await driver.failed()).failure
        assert failure is not None
        assert failure.title == "Connection lost: connection reset"


async def test_closed_right_after_a_publish() -> None:
    async with Script(expect(Connect), reply(), expect(Publish), close()) as broker, Driver() as driver:
        await driver.connected(broker.port)
        driver.publish("no\x1bgo")
        failure = (await driver.failed()).failure
        assert failure is not None
        assert failure.title == "The server closed the connection after a packet"
        assert failure.detail.startswith("without DISCONNECT, ")
        assert failure.detail.endswith(" ms after a PUBLISH to no\\x1bgo")
        assert "no right to publish" in failure.hint


async def test_unreadable_bytes_end_the_connection() -> None:
    async with Script(expect(Connect), reply(), send_raw(b"\x30\xff\xff\xff\xff"), expect_close()) as broker, Driver() as driver:
        driver.connect(broker.port)
        failure = (await driver.failed()).failure
        assert failure is not None
        assert failure.title == "Unreadable bytes from the broker"
        assert driver.raw(Direction.S2C).endswith(b"\x30\xff\xff\xff\xff")


async def test_a_disconnect_that_cannot_leave(mosquitto_broker: Broker) -> None:
    async with Proxy(mosquitto_broker.host, mosquitto_broker.port) as proxy, Driver() as driver:
        await driver.connected(proxy.port)
        proxy.to_server.stall = True
        driver.publish("big", bytes(16 * 1024 * 1024))
        driver.session.execute(commands.Disconnect(PEER))
        await driver.phase(Phase.IDLE, 2)
        assert driver.state.ended == "closed; DISCONNECT could not leave"
        rows = [driver.log[no] for no in driver.log.numbers(1)]
        assert any(row.unsent or row.framing_error for row in rows)
        assert PacketType.DISCONNECT not in driver.types()


async def test_session_close_while_everything_is_stuck(mosquitto_broker: Broker) -> None:
    async with Proxy(mosquitto_broker.host, mosquitto_broker.port) as proxy:
        driver = Driver()
        await driver.connected(proxy.port)
        proxy.to_server.stall = proxy.to_client.stall = True
        driver.publish("big", bytes(16 * 1024 * 1024), qos=1, verify=True)
        before = time.monotonic()
        await driver.session.close()
        assert time.monotonic() - before < 1.2
        assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("peer")]


async def test_serving_goes_on_until_the_user_ends_it() -> None:
    async with Script(expect(Connect), reply(), serve()) as broker, Driver() as driver:
        await driver.connected(broker.port)
        driver.ping()
        await driver.until(lambda: driver.state.ping_ms is not None, "a round trip")
        await driver.disconnect()
        assert driver.state.ping_ms is None


async def test_disconnecting_twice_sends_one_disconnect() -> None:
    async with Script(expect(Connect), reply(), expect(Disconnect), expect_close()) as broker, Driver() as driver:
        await driver.connected(broker.port)
        driver.session.execute(commands.Disconnect(PEER))
        driver.session.execute(commands.Disconnect(PEER))
        await driver.phase(Phase.IDLE)
        assert driver.count(PacketType.DISCONNECT) == 1
        await broker.finished()


async def test_cutting_while_disconnecting_ends_at_once() -> None:
    async with Script(expect(Connect), reply(), expect(Disconnect), expect_close()) as broker, Driver() as driver:
        await driver.connected(broker.port)
        driver.session.execute(commands.Disconnect(PEER))
        await driver.phase(Phase.DISCONNECTING)
        before = time.monotonic()
        driver.cut()
        await driver.phase(Phase.IDLE)
        assert time.monotonic() - before < 0.2
        await broker.finished()
