"""A device's session under the knife: its queue survives a look, unless the user asks for something else."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from mqtttui.client.commands import Examine, StopBeside
from mqtttui.client.events import Phase, SessionLooked, SessionReport
from mqtttui.client.surgeon import examining
from mqtttui.config.options import ConnectOptions
from mqtttui.protocol.enums import Direction, PacketType, PropertyId, Version
from mqtttui.protocol.packets import Ack, Connack, Connect, Property, Publish, TopicRequest, Will, encode
from mqtttui.protocol.parse import parse
from tests.support.brokers import HOST, Broker
from tests.support.raw_client import Closed, RawClient
from tests.support.scripted import Script, expect, expect_close, send, send_raw, wait_for
from tests.support.sessions import PEER, Driver

LOGIN: dict[str, Any] = {"username": "alice", "password": b"secret"}
QUIET = 2.0
"""Seconds without anything after which a look is over; more than any pause of a busy machine."""


def device(version: Version, name: str, **fields: Any) -> Connect:
    """A device with a session that stays."""
    properties = (Property(PropertyId.SESSION_EXPIRY_INTERVAL, 3600),) if version is Version.V5 else ()
    return Connect(name, version, clean=False, keep_alive=60, properties=properties, **LOGIN, **fields)


async def leave_a_queue(broker: Broker, version: Version, name: str, count: int) -> list[bytes]:
    """The device subscribes and goes; then so many messages of QoS 1 and 2 in turn are published to it."""
    client = await RawClient.dial(broker.port, version)
    client.send(device(version, name))
    await client.expect(Connack)
    await client.subscribe(TopicRequest(f"{name}/#", 2))
    client.writer.close()
    payloads = [b"%d" % number for number in range(count)]
    async with Driver() as driver:
        await driver.connected(broker.port, connect=Connect(f"{name}-pub", version, **LOGIN))
        tokens = [driver.publish(f"{name}/{1 + at % 2}", payload, qos=1 + at % 2) for at, payload in enumerate(payloads)]
        await driver.until(lambda: all(driver.changes(token)[-1].outcome.name == "ACKED" for token in tokens), "all taken", 30)
        await driver.disconnect()
    return payloads


async def collect(broker: Broker, version: Version, name: str) -> tuple[bool, list[Publish]]:
    """The device comes back: Session Present, and what it gets, each message acknowledged."""
    client = await RawClient.dial(broker.port, version)
    client.send(device(version, name))
    connack = await client.expect(Connack)
    messages: list[Publish] = []
    idle = 0
    while idle < 2:
        client.send_raw(b"\xc0\x00")
        # What comes before the PINGRESP belongs to the queue; after two pings without anything new it is empty.
        idle += 1
        while True:
            packet = await client.receive()
            if isinstance(packet, Publish):
                idle = 0
                messages.append(packet)
                assert packet.packet_id is not None
                client.send(Ack(PacketType.PUBACK if packet.qos == 1 else PacketType.PUBREC, packet.packet_id))
            elif isinstance(packet, Ack) and packet.type is PacketType.PUBREL:
                idle = 0
                client.send(Ack(PacketType.PUBCOMP, packet.packet_id))
            elif type(packet).__name__ == "Pingresp":
                break
    client.writer.close()
    return connack.session_present, messages


async def look(driver: Driver, broker: Broker, version: Version, name: str, **fields: Any) -> SessionReport:
    """Examine, and wait for the end."""
    options = ConnectOptions(HOST, broker.port, connect=Connect("me", version, will=Will("mine", b"x"), **LOGIN))
    before = len(driver.events)
    driver.session.execute(Examine(PEER, 7, options, name, quiet=fields.pop("quiet", QUIET), **fields))

    def done() -> SessionReport | None:
        reports = [event.report for event in driver.events[before:] if isinstance(event, SessionLooked)]
        return reports[-1] if reports and reports[-1].done else None

    report = await driver.until(done, "the look is over", 40)
    assert isinstance(report, SessionReport)
    assert report.token == 7
    return report


def shown(driver: Driver) -> set[bytes]:
    """Payloads of the messages in the log."""
    found = [parse(driver.log[no].raw, driver.log[no].version, Direction.S2C) for no in driver.log.numbers(1)]
    return {packet.payload for packet in found if isinstance(packet, Publish)}


async def check_peek(broker: Broker, version: Version, name: str, count: int, fresh: int = 0) -> None:
    """`count`: how many of the six the broker sends without an acknowledgement; `fresh`: how many have DUP the first time."""
    payloads = await leave_a_queue(broker, version, name, 6)
    async with Driver() as driver:
        for turn in range(2):
            report = await look(driver, broker, version, name)
            assert report.session_present
            assert report.failure is None
            assert (report.count, report.withheld, report.qos0) == (count, count, 0)
            assert sum(row.count for row in report.messages) == count
            assert {(row.topic, row.qos) for row in report.messages} <= {(f"{name}/1", 1), (f"{name}/2", 2)}
            assert sum(row.repeated for row in report.messages) == (count if turn else fresh), "DUP from the second time on"
        assert PacketType.SUBSCRIBE not in driver.types(Direction.C2S)
        assert not {PacketType.PUBACK, PacketType.PUBREC, PacketType.PUBCOMP, PacketType.DISCONNECT} & set(driver.types(Direction.C2S))
        assert driver.state.phase is Phase.IDLE, "the peer's own state has nothing to do with it"
    present, messages = await collect(broker, version, name)
    assert present
    assert Counter(message.payload for message in messages) == Counter(payloads), "every one, and once"
    assert {message.payload for message in messages if message.dup} >= shown(driver), "those have been sent before"


@pytest.mark.parametrize("version", [Version.V311, Version.V5])
async def test_a_queue_survives_a_peek_on_mosquitto(mosquitto_broker: Broker, version: Version) -> None:
    await check_peek(mosquitto_broker, version, f"peeked-{version}", 6)


@pytest.mark.parametrize("version", [pytest.param(Version.V311, marks=pytest.mark.slow), Version.V5])
async def test_a_queue_survives_a_peek_on_ejabberd(ejabberd_broker: Broker, version: Version) -> None:
    # ejabberd sends the next message when the one before is acknowledged, and calls each one repeated.
    await check_peek(ejabberd_broker, version, f"peeked-{version}", 1, fresh=1)


async def test_receive_maximum_limits_what_shows(mosquitto_broker: Broker) -> None:
    payloads = await leave_a_queue(mosquitto_broker, Version.V5, "window", 8)
    async with Driver() as driver:
        report = await look(driver, mosquitto_broker, Version.V5, "window", receive_maximum=3)
        assert (report.count, report.withheld, report.window, report.expiry) == (3, 3, 3, 0xFFFFFFFF)
    present, messages = await collect(mosquitto_broker, Version.V5, "window")
    assert present
    assert sorted(message.payload for message in messages) == payloads


@pytest.mark.parametrize("version", [pytest.param(Version.V311, marks=pytest.mark.slow), Version.V5])
async def test_to_drain_empties_the_queue(mosquitto_broker: Broker, version: Version) -> None:
    name = f"drained-{version}"
    await leave_a_queue(mosquitto_broker, version, name, 30)
    async with Driver() as driver:
        report = await look(driver, mosquitto_broker, version, name, mode="drain", receive_maximum=5)
        assert (report.count, report.withheld) == (30, 0), "more than the window: each acknowledgement lets another one come"
        assert report.ended == "disconnected"
    assert await collect(mosquitto_broker, version, name) == (True, [])


@pytest.mark.parametrize("version", [Version.V311, Version.V5])
async def test_to_end_a_session_throws_it_away(mosquitto_broker: Broker, version: Version) -> None:
    name = f"ended-{version}"
    await leave_a_queue(mosquitto_broker, version, name, 4)
    async with Driver() as driver:
        report = await look(driver, mosquitto_broker, version, name, mode="end")
        assert report.session_present is (True if version is Version.V5 else None), "a clean session of 3.1.1 does not say"
        assert report.count == (4 if version is Version.V5 else 0)
    present, messages = await collect(mosquitto_broker, version, name)
    assert (present, messages) == (False, [])


@pytest.mark.parametrize("version", [Version.V311, Version.V5])
async def test_where_there_is_no_session_none_is_left(mosquitto_broker: Broker, version: Version) -> None:
    name = f"nobody-{version}"
    async with Driver() as driver:
        report = await look(driver, mosquitto_broker, version, name)
        assert report.session_present is False
        assert report.count == 0
    present, _ = await collect(mosquitto_broker, version, name)
    assert not present


async def test_a_connected_device_is_kicked_off(mosquitto_broker: Broker) -> None:
    client = await RawClient.dial(mosquitto_broker.port, Version.V311)
    client.send(device(Version.V311, "alive"))
    await client.expect(Connack)
    async with Driver() as driver:
        await look(driver, mosquitto_broker, Version.V311, "alive")
    with pytest.raises(Closed):
        await client.receive()


async def test_what_is_between_pubrec_and_pubcomp_stays_so() -> None:
    release = Ack(PacketType.PUBREL, 9)
    steps = (expect(Connect), send(Connack(session_present=True)), send(release), send(Publish("t", b"x")), expect_close())
    async with Script(*steps, timeout=20) as broker, Driver() as driver:
        report = await look(driver, Broker("script", None, (), broker.port), Version.V311, "d")  # type: ignore[arg-type]
        assert (report.unfinished, report.withheld, report.qos0, report.count) == (1, 1, 1, 1)
        assert report.window is None


@pytest.mark.slow
async def test_a_message_that_comes_slowly_is_waited_for() -> None:
    """In pieces, each within the time that ends a look, all of them together not."""
    raw = encode(Publish("t", bytes(600), 1, packet_id=3), Version.V311)
    pieces = [(asyncio.Event(), raw[at : at + 100]) for at in range(0, len(raw), 100)]
    slowly = [step for due, piece in pieces for step in (wait_for(due), send_raw(piece))]
    loop = asyncio.get_running_loop()
    for index, (due, _) in enumerate(pieces):
        loop.call_later(1 + index / 2, due.set)
    async with (
        Script(expect(Connect), send(Connack(session_present=True)), *slowly, expect_close(), timeout=30) as broker,
        Driver() as driver,
    ):
        report = await look(driver, Broker("script", None, (), broker.port), Version.V311, "d")  # type: ignore[arg-type]
        assert (report.count, report.size, report.withheld) == (1, 600, 1)


async def test_a_look_can_be_stopped_and_a_refusal_is_told() -> None:
    async with Script(expect(Connect), send(Connack(session_present=True)), expect_close(), timeout=20) as broker, Driver() as driver:
        options = ConnectOptions(HOST, broker.port)
        driver.session.execute(Examine(PEER, 7, options, "d", quiet=60))
        await driver.until(
            lambda: any(isinstance(event, SessionLooked) and event.report.session_present for event in driver.events), "seen"
        )
        assert driver.state.beside == ("looks into the session of d",)
        driver.session.execute(StopBeside(PEER))
        stopped = "stopped: the link was cut"
        await driver.until(
            lambda: any(isinstance(event, SessionLooked) and event.report.ended == stopped for event in driver.events), stopped
        )
    async with Script(expect(Connect), send(Connack(5)), timeout=20) as broker, Driver() as driver:
        report = await look(driver, Broker("script", None, (), broker.port), Version.V311, "d")  # type: ignore[arg-type]
        assert report.failure is not None
        assert report.failure.title == "Refused: 5 not authorized"


def test_the_connect_of_a_look() -> None:
    properties = (
        Property(PropertyId.TOPIC_ALIAS_MAXIMUM, 5),
        Property(PropertyId.SESSION_EXPIRY_INTERVAL, 5),
        Property(PropertyId.USER_PROPERTY, ("a", "b")),
    )
    connect = Connect("me", Version.V5, clean=True, will=Will("t"), properties=properties, **LOGIN)
    options = ConnectOptions(connect=connect)
    made = examining(Examine(PEER, 1, options, "dev", receive_maximum=9, expiry=77))
    assert (made.client_id, made.clean, made.will, made.username) == ("dev", False, None, "alice")
    kept = Property(PropertyId.USER_PROPERTY, ("a", "b"))
    window = Property(PropertyId.RECEIVE_MAXIMUM, 9)
    assert made.properties == (kept, Property(PropertyId.SESSION_EXPIRY_INTERVAL, 77), window)
    assert examining(Examine(PEER, 1, options, "dev", "end", 9)).properties == (
        kept,
        Property(PropertyId.SESSION_EXPIRY_INTERVAL, 0),
        window,
    )
    assert examining(Examine(PEER, 1, ConnectOptions(), "dev", "end")).clean
