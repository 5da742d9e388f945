"""The first five minutes by keyboard, with the real session: demo, mosquitto, a broker that is not there."""

from __future__ import annotations

import pytest

from mqtttui.client.events import Phase
from mqtttui.config.options import ConnectOptions
from mqtttui.config.settings import Settings
from mqtttui.config.urls import parse_url
from mqtttui.protocol import packets
from mqtttui.protocol.enums import PacketType, Version
from tests.support.brokers import Broker, free_port
from tests.support.screen import Running, running


def types(run: Running) -> list[str]:
    """Types of all recorded packets."""
    return [(run.log.dissect(number).type or PacketType.RESERVED).name for number in run.log.numbers()]


@pytest.mark.parametrize("size", [(80, 24), pytest.param((120, 36), marks=pytest.mark.slow), (200, 50)])
async def test_the_demo_shows_live_packets_and_says_how_to_look_inside(size: tuple[int, int]) -> None:
    async with running(Settings(demo=True), size=size) as run:
        await run.shows("mqtttui-demo", "FOLLOW", "PUBLISH", "demo/", "opens a packet")
        await run.press("k", "enter")
        await run.until(lambda: "bytes, to the broker" in run.text or "bytes, from the broker" in run.text, "the packet is open")
        await run.hides("opens a packet")
        await run.press("q", "G")
        assert run.main.inspector.packets.following


async def test_the_demo_from_a_bare_start() -> None:
    async with running() as run:
        await run.press("f9")
        await run.shows("mqtttui-demo", "demo/")
        await run.press("c")
        await run.press("d")
        await run.until(lambda: run.app.state.phase is Phase.IDLE, "disconnected")
        await run.press("f9")
        await run.until(lambda: run.app.state.phase is Phase.CONNECTED, "connected again")


async def test_a_url_connects_and_subscribes_to_nothing(mosquitto_broker: Broker) -> None:
    options = parse_url(f"mqtt://127.0.0.1:{mosquitto_broker.port}")
    async with running(Settings(options=options, connect_now=True)) as run:
        await run.shows("nothing is subscribed")
        assert types(run) == ["CONNECT", "CONNACK"]
        await run.press("s")
        await run.type("journey/#")
        await run.press("enter")
        await run.until(lambda: types(run)[-1] == "SUBACK", "subscribed")
        await run.shows("granted q0")
        await run.press("c", "p")
        await run.until(lambda: types(run)[-1] == "PINGRESP", "pinged")
        await run.press("c", "x")
        await run.until(lambda: run.app.state.phase is Phase.IDLE, "cut")
        assert types(run) == ["CONNECT", "CONNACK", "SUBSCRIBE", "SUBACK", "PINGREQ", "PINGRESP"]


async def test_given_subscriptions_on_mosquitto(mosquitto_broker: Broker) -> None:
    options = ConnectOptions("127.0.0.1", mosquitto_broker.port, connect=packets.Connect("journey", Version.V5))
    requests = (packets.TopicRequest("journey/#", 2),)
    async with running(Settings(options=options, connect_now=True, subscriptions=requests)) as run:
        await run.until(lambda: types(run)[-1] == "SUBACK", "subscribed")
        await run.shows("2 Subs(1)", "granted q2")


async def test_nobody_listens() -> None:
    options = parse_url(f"mqtt://127.0.0.1:{free_port()}")
    async with running(Settings(options=options, connect_now=True)) as run:
        await run.shows("refused", "hint:")
        assert run.main.starting
