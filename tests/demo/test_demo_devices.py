"""The simulated devices, and that nothing is left when the demo stops."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from mqtttui.demo.demo import TOPICS, Demo
from mqtttui.demo.devices import BURST, LAMP_SET, PUMP_STATUS, lamp_command
from mqtttui.demo.payloads import as_json, as_message_pack, as_samples
from mqtttui.protocol.enums import PacketType, PropertyId, Version
from mqtttui.protocol.packets import Ack, Connect, Property, Publish, TopicRequest
from tests.support.raw_client import RawClient, connected
from tests.support.waiting import wait_until_sync


async def readings(client: RawClient, enough: Callable[[Counter[str], set[bytes]], bool]) -> list[Publish]:
    """Everything that comes, acknowledged, until `enough` of topic counts and states of the pump; at most 15 s."""
    got: list[Publish] = []
    topics: Counter[str] = Counter()
    states: set[bytes] = set()
    end = asyncio.get_running_loop().time() + 15
    while not enough(topics, states):
        assert asyncio.get_running_loop().time() < end, f"not all devices were seen: {topics}, {states}"
        packet = await client.receive()
        if isinstance(packet, Publish):
            got.append(packet)
            topics[str(packet.topic)] += 1
            if packet.topic == PUMP_STATUS:
                states.add(packet.payload)
            if packet.qos:
                client.send(Ack(PacketType.PUBACK if packet.qos == 1 else PacketType.PUBREC, packet.packet_id or 0))
        elif isinstance(packet, Ack):
            client.send(Ack(PacketType.PUBCOMP, packet.packet_id))
    return got


async def test_readings_of_every_kind() -> None:
    with Demo(pace=25) as demo:
        async with connected(demo.broker.port, Connect("watcher", Version.V5)) as client:
            assert (await client.subscribe(TOPICS)).codes == (2,)
            got = await readings(
                client,
                lambda topics, states: (
                    topics["demo/workshop/press/log"] >= BURST
                    and topics["demo/house/remote/answers"] > 0
                    and topics["demo/house/door/state"] > 1
                    and states == {b"online", b"offline"}
                ),
            )
        assert demo.broker.faults == []
    topics = {str(message.topic) for message in got}
    assert {"demo/greenhouse/bench-1/temperature", "demo/house/meter/energy", "demo/weather/station", "demo/house/door/state"} <= topics
    assert {message.qos for message in got} == {0, 1, 2}
    assert {message.retain for message in got} == {True, False}
    ids = {item.id for message in got for item in message.properties}
    assert ids >= {
        PropertyId.CONTENT_TYPE,
        PropertyId.USER_PROPERTY,
        PropertyId.MESSAGE_EXPIRY_INTERVAL,
        PropertyId.PAYLOAD_FORMAT_INDICATOR,
        PropertyId.RESPONSE_TOPIC,
        PropertyId.CORRELATION_DATA,
    }
    by_topic = {str(message.topic): message.payload for message in got}
    assert json.loads(by_topic["demo/house/meter/energy"])["valid"] is True
    assert 15 < float(by_topic["demo/greenhouse/bench-1/temperature"]) < 30
    assert by_topic["demo/weather/station"][:6] == b"\x85\xa4wind"
    assert len(by_topic["demo/workshop/press/vibration"]) == 32
    assert json.loads(by_topic["demo/house/remote/answers"])["ok"] is True


async def test_rows_flow_within_a_second() -> None:
    with Demo() as demo:
        async with connected(demo.broker.port, demo.options().connect) as client:
            began = time.monotonic()
            await client.subscribe(TOPICS)
            live = 0
            count = 0
            while not live:
                message = await client.message()
                count += 1
                live += not message.retain
            assert time.monotonic() - began < 1.5
            assert count >= 10


async def test_the_lamp_answers() -> None:
    with Demo() as demo:
        async with connected(demo.broker.port) as client:
            await client.subscribe(TopicRequest("my/answers", 0))
            properties = (Property(PropertyId.RESPONSE_TOPIC, "my/answers"), Property(PropertyId.CORRELATION_DATA, b"\x01\x02"))
            for command, answer in ((b"on", {"ok": True, "on": True}), (b"what?", {"ok": False, "error": 'send {"on": true} or false'})):
                client.send(Publish(LAMP_SET, command, properties=properties))
                message = await client.message()
                assert json.loads(message.payload) == answer
                assert message.properties == (Property(PropertyId.CORRELATION_DATA, b"\x01\x02"),)


@pytest.mark.parametrize(
    ("payload", "wanted"),
    [(b"on", True), (b" off\n", False), (b'{"on":true}', True), (b'{"on":1}', None), (b"[", None), (b"[" * 100_000, None), (b"\xff", None)],
)
def test_lamp_commands(payload: bytes, wanted: bool | None) -> None:
    assert lamp_command(payload) is wanted


def test_same_seed_same_readings() -> None:
    def retained(demo: Demo) -> dict[bytes, bytes]:
        matching = demo.broker.call(lambda core: list(core.retained.matching(b"demo/greenhouse/#", 0)))
        return {message.topic: message.payload for message in matching}

    def first_readings(seed: int) -> dict[bytes, bytes]:
        # A thousandth of the pace: everything stays at its first reading.
        with Demo(seed=seed, pace=0.001) as demo:
            wait_until_sync(lambda: len(retained(demo)) == 9, "all benches")
            return retained(demo)

    assert first_readings(1) == first_readings(1) != first_readings(2)


def test_payloads() -> None:
    assert as_json({"a": [1, "ü"]}) == '{"a":[1,"ü"]}'.encode()
    assert as_samples([1, -1]) == b"\x01\x00\xff\xff"
    assert as_message_pack({"a": [1, -1, 1000, None, True, False]}) == b"\x81\xa1a\x96\x01\xff\xd2\x00\x00\x03\xe8\xc0\xc3\xc2"
    assert as_message_pack(1.5) == b"\xcb\x3f\xf8" + bytes(6)
    with pytest.raises(ValueError, match="more than the 31"):
        as_message_pack("x" * 32)


def test_nothing_is_left_behind() -> None:
    def sockets() -> int:
        return sum(os.path.islink(path) and os.readlink(path).startswith("socket:") for path in Path("/proc/self/fd").iterdir())

    threads, before = set(threading.enumerate()), sockets() if Path("/proc/self/fd").exists() else 0
    for _ in range(3):
        _run_once(Demo())
        assert set(threading.enumerate()) == threads
    if Path("/proc/self/fd").exists():
        assert sockets() == before


def _run_once(demo: Demo) -> None:
    host, port = demo.start()
    clients = [socket.create_connection((host, port)) for _ in range(3)]
    wait_until_sync(lambda: demo.broker.call(lambda core: len(core.connections)) == 3, "three clients")
    demo.stop()
    demo.stop()
    assert demo.broker.faults == []
    for client in clients:
        client.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, port))


def test_it_comes_back_on_the_same_port() -> None:
    demo = Demo()
    first = demo.start()
    demo.stop()
    assert demo.start() == first
    demo.stop()


def test_importing_the_package_is_light() -> None:
    import mqtttui.demo

    assert not hasattr(mqtttui.demo, "asyncio")
