"""Test runs as commands and events: begun, told about, replaced, stopped at any moment."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from mqtttui.analysis.check_run import Plan
from mqtttui.capture.log import Log
from mqtttui.client.checks import Checks
from mqtttui.client.commands import StartCheck, StopCheck
from mqtttui.client.events import CheckEvent, CheckOver, CheckProgress, CheckRan
from mqtttui.config.check import CheckJob
from mqtttui.config.options import ConnectOptions
from mqtttui.protocol.packets import Connect, Disconnect, Subscribe
from tests.support.brokers import Broker
from tests.support.scripted import Script, expect, reply
from tests.support.waiting import wait_until


class Asked:
    """Checks with all that they told."""

    def __init__(self) -> None:
        self.log = Log()
        self.events: list[CheckEvent] = []
        self.checks = Checks(self.log, self.events.append)

    def start(self, token: int, port: int, count: int = 1) -> None:
        options = ConnectOptions("127.0.0.1", port, connect=Connect(f"checks-{token}"))
        self.checks.execute(StartCheck(token, CheckJob(options, Plan(b"checks/t", qos=(0,)), count, 0.0)))

    async def over(self, token: int) -> CheckOver:
        await wait_until(lambda: self.ends(token), f"{token} is over", 20)
        return self.ends(token)[0]

    def ends(self, token: int) -> list[CheckOver]:
        return [event for event in self.events if isinstance(event, CheckOver) and event.token == token]


@asynccontextmanager
async def asked() -> AsyncIterator[Asked]:
    made = Asked()
    try:
        yield made
    finally:
        await made.checks.close()


async def test_runs_are_told_one_after_the_other(mosquitto_broker: Broker) -> None:
    async with asked() as made:
        made.start(7, mosquitto_broker.port, count=3)
        assert not (await made.over(7)).stopped
        ran = [event.run for event in made.events if isinstance(event, CheckRan)]
        assert [(run.number, run.error) for run in ran] == [(1, None), (2, None), (3, None)]
        assert {event.number for event in made.events if isinstance(event, CheckProgress)} == {1, 2, 3}
        assert {event.token for event in made.events} == {7}
        assert made.log.connection_count == 3


async def test_it_is_stopped_with_disconnect() -> None:
    async with Script(expect(Connect), reply(), expect(Subscribe), expect(Disconnect)) as broker, asked() as made:
        made.start(1, broker.port)
        await wait_until(lambda: any(isinstance(packet, Subscribe) for packet in broker.received), "SUBSCRIBE", 20)
        made.checks.execute(StopCheck())
        assert (await made.over(1)).stopped
        await broker.finished()


async def test_it_is_stopped_before_it_began(mosquitto_broker: Broker) -> None:
    async with asked() as made:
        made.start(1, mosquitto_broker.port)
        made.checks.execute(StopCheck())
        assert (await made.over(1)).stopped
        assert made.log.connection_count == 0
        made.checks.execute(StopCheck())


async def test_another_one_takes_its_place(mosquitto_broker: Broker) -> None:
    async with Script(expect(Connect), reply(), expect(Subscribe), expect(Disconnect)) as broker, asked() as made:
        made.start(1, broker.port)
        await wait_until(lambda: any(isinstance(packet, Subscribe) for packet in broker.received), "SUBSCRIBE", 20)
        made.start(2, mosquitto_broker.port)
        assert not (await made.over(2)).stopped
        assert (await made.over(1)).stopped
        await broker.finished()
