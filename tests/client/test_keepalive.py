"""Pings on time, on demand, and missing answers."""

from __future__ import annotations

import pytest

from mqtttui.client import keepalive
from mqtttui.client.events import Phase
from mqtttui.protocol.enums import Direction, PacketType, PropertyId, Version
from mqtttui.protocol.packets import Connect, Pingreq, Pingresp, Property, Publish
from tests.support.brokers import Broker
from tests.support.scripted import Script, expect, expect_close, reply, send, serve
from tests.support.sessions import Driver


def times(driver: Driver, kind: PacketType) -> list[int]:
    heads = [driver.log.head(no) for no in driver.log.numbers(1)]
    return [head.mono for head in heads if head.first_byte >> 4 == kind]


async def test_pings_leave_slightly_early_and_only_when_idle() -> None:
    async with Script(expect(Connect), reply(), serve()) as broker, Driver() as driver:
        await driver.connected(broker.port, connect=Connect(client_id="c", keep_alive=1))
        await driver.until(lambda: driver.count(PacketType.PINGRESP) == 2, "two pings")
        start, first, second = times(driver, PacketType.CONNECT)[0], *times(driver, PacketType.PINGREQ)[:2]
        for gap in (first - start, second - first):
            assert 0.8 < gap / 1e9 <= 1.0
        driver.publish("busy")
        pings = driver.count(PacketType.PINGREQ)
        await driver.until(lambda: driver.count(PacketType.PINGREQ) > pings, "the next ping")
        assert (times(driver, PacketType.PINGREQ)[-1] - times(driver, PacketType.PUBLISH)[-1]) / 1e9 > 0.8
        assert driver.state.ping_ms is not None


async def test_server_keep_alive_is_honoured() -> None:
    properties = (Property(PropertyId.SERVER_KEEP_ALIVE, 1),)
    async with Script(expect(Connect), reply(properties=properties), expect(Pingreq), reply(), serve()) as broker, Driver() as driver:
        await driver.connected(broker.port, connect=Connect(client_id="c", version=Version.V5, keep_alive=0))
        assert driver.state.keep_alive == 1
        await driver.until(lambda: driver.count(PacketType.PINGRESP) == 1, "a ping")


async def test_no_keep_alive_no_pings_but_on_demand() -> None:
    async with Script(expect(Connect), reply(), expect(Pingreq), reply(), serve()) as broker, Driver() as driver:
        await driver.connected(broker.port, connect=Connect(client_id="c", keep_alive=0))
        assert driver.count(PacketType.PINGREQ) == 0
        driver.ping()
        await driver.until(lambda: driver.state.ping_ms is not None, "the round trip")
        assert driver.count(PacketType.PINGREQ) == 1


async def test_a_missing_answer_is_said_and_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keepalive, "_LATE_AT_LEAST", 0.2)
    script = (expect(Connect), reply(), expect(Pingreq), expect(Publish), send(Pingresp()), serve())
    async with Script(*script) as broker, Driver() as driver:
        await driver.connected(broker.port, connect=Connect(client_id="c", keep_alive=0))
        driver.ping()
        await driver.until(lambda: driver.state.warning.startswith("no PINGRESP for "), "the warning")
        assert driver.state.phase is Phase.CONNECTED
        driver.publish("go on")
        await driver.until(lambda: driver.state.warning == "", "the warning to go")


async def test_a_dead_link_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keepalive, "_LATE_AT_LEAST", 0.2)
    async with Script(expect(Connect), reply(), expect(Pingreq), expect(Pingreq), expect_close()) as broker, Driver() as driver:
        await driver.connected(broker.port, connect=Connect(client_id="c", keep_alive=1))
        failure = (await driver.failed()).failure
        assert failure is not None
        assert failure.title == "Keep-alive time-out"
        assert failure.detail.startswith("no PINGRESP and nothing else for ")


async def test_mosquitto_keeps_an_idle_client(mosquitto_broker: Broker) -> None:
    async with Driver() as driver:
        await driver.connected(mosquitto_broker.port, connect=Connect(client_id="idle", keep_alive=2))
        await driver.until(lambda: driver.count(PacketType.PINGRESP, Direction.S2C) == 2, "two pings")
        assert driver.state.phase is Phase.CONNECTED
