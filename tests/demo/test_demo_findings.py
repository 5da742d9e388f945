"""The demo shows healthy traffic: nothing that its devices and its broker say is a warning or an error."""

from __future__ import annotations

import time

import pytest

from mqtttui.analysis.findings import Findings
from mqtttui.client.events import Outcome
from mqtttui.config.options import ConnectOptions
from mqtttui.demo.demo import TOPICS, Demo
from mqtttui.demo.devices import LAMP_ANSWERS, LAMP_SET
from mqtttui.protocol.enums import PacketType, PropertyId, Severity, Version
from mqtttui.protocol.packets import Connect, Property, TopicRequest
from tests.support.sessions import Driver

HOUR = 3_600_000_000_000


def said(driver: Driver) -> list[str]:
    """Warnings and errors, now and after an hour in which nothing comes."""
    followed = Findings()
    while not followed.advance(driver.log):
        pass
    followed.tick(time.monotonic_ns() + HOUR)
    found = [finding for no in driver.log.numbers() for finding in followed.of(no) if finding.severity >= Severity.WARN]
    return [f"{finding.no} {finding.id} {finding.text}" for finding in found]


def seen(driver: Driver, payload: bytes) -> bool:
    """Some packet ends in these bytes."""
    return any(driver.log[no].raw.endswith(payload) for no in driver.log.numbers())


async def connected(driver: Driver, options: ConnectOptions, version: Version) -> None:
    connect = options.connect if version is Version.V5 else Connect("mqtttui-demo", version, keep_alive=30)
    await driver.connected(options.port, connect=connect)


@pytest.mark.parametrize("version", list(Version), ids=lambda version: version.label)
async def test_nothing_is_wrong_in_it(version: Version) -> None:
    """Until the pump has died and is back, with messages of our own, a request, a ping, and a second visit."""
    with Demo(pace=40) as demo:
        async with Driver() as driver:
            await connected(driver, demo.options(), version)
            await driver.subscribed(TOPICS, TopicRequest("$SYS/#", 1))
            for qos in range(3):
                token = driver.publish(f"demo/own/{qos}", b"x", qos=qos, retain=True)
                await driver.outcome(token, Outcome.ACKED, Outcome.SENT)
            answer = (Property(PropertyId.RESPONSE_TOPIC, LAMP_ANSWERS), Property(PropertyId.CORRELATION_DATA, b"own"))
            properties = answer if version is Version.V5 else ()
            await driver.outcome(driver.publish(LAMP_SET, b"on", qos=1, properties=properties), Outcome.ACKED)
            await driver.until(lambda: seen(driver, b"offline"), "the pump dies", 30)
            driver.ping()
            await driver.until(lambda: driver.count(PacketType.PINGRESP), "PINGRESP")
            await driver.disconnect()
            await connected(driver, demo.options(), version)
            await driver.subscribed(TOPICS)
            count = driver.count(PacketType.PUBLISH)
            await driver.until(lambda: driver.count(PacketType.PUBLISH) > count + 20, "more messages")
            await driver.disconnect()
            assert driver.count(PacketType.PUBLISH) > 50
            assert said(driver) == []


@pytest.mark.slow
async def test_nothing_is_wrong_in_it_at_its_own_pace() -> None:
    """As people see it, until the pump has died: half a minute."""
    with Demo() as demo:
        async with Driver() as driver:
            await connected(driver, demo.options(), Version.V5)
            await driver.subscribed(TOPICS)
            await driver.until(lambda: seen(driver, b"offline"), "the pump dies", 90)
            await driver.disconnect()
            assert said(driver) == []
