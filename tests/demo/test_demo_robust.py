"""No bytes of a client harm the broker or another client."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mqtttui.demo.broker import DemoBroker
from mqtttui.protocol.enums import PacketType, Version
from mqtttui.protocol.packets import (
    Ack,
    Connect,
    Disconnect,
    Pingreq,
    Property,
    Publish,
    Subscribe,
    TopicRequest,
    Unsubscribe,
    Will,
    encode,
)
from tests.support.raw_client import connected, greeted
from tests.support.scripted import reset_transport
from tests.support.waiting import wait_until

TOPICS = ["", "t", "t/u", "#", "+", "a/#/b", "$share/g/t", "$share/g", "$SYS/x", "forbidden/x", "\0"]
WORDS = st.sampled_from(TOPICS) | st.binary(max_size=4)
SMALL = st.integers(0, 4)
PROPERTIES = st.lists(
    st.sampled_from(
        [
            Property(0x01, 1),
            Property(0x02, 0),
            Property(0x02, 1),
            Property(0x08, "answer"),
            Property(0x0B, 3),
            Property(0x11, 1),
            Property(0x21, 1),
            Property(0x22, 2),
            Property(0x23, 1),
            Property(0x23, 2),
            Property(0x27, 20),
            Property(0x17, 0),
            Property(0x18, 1),
            Property(0x26, ("a", "b")),
        ]
    ),
    max_size=3,
).map(tuple)


def packets(version: Version) -> st.SearchStrategy[bytes]:
    """Packets that make sense, more or less."""
    properties = PROPERTIES if version is Version.V5 else st.just(())
    ids = st.integers(0, 3)
    acks = st.sampled_from([PacketType.PUBACK, PacketType.PUBREC, PacketType.PUBREL, PacketType.PUBCOMP])
    request = st.builds(TopicRequest, WORDS, SMALL, st.booleans(), st.booleans(), SMALL, SMALL)
    publish = st.builds(
        lambda topic, payload, qos, retain, dup, number, found: Publish(topic, payload, qos, retain, dup, number if qos else None, found),
        WORDS,
        st.binary(max_size=40),
        SMALL,
        st.booleans(),
        st.booleans(),
        ids,
        properties,
    )
    values = st.one_of(
        publish,
        st.builds(Ack, acks, ids),
        st.builds(Subscribe, ids, st.lists(request, max_size=3).map(tuple), properties),
        st.builds(Unsubscribe, ids, st.lists(WORDS, max_size=3).map(tuple), properties),
        st.just(Pingreq()),
        st.just(Disconnect()),
    )
    return values.map(lambda value: encode(value, version))


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """What a client may send: garbage, or a CONNECT followed by packets, some of them damaged."""
    version = draw(st.sampled_from(list(Version)))
    if draw(st.integers(0, 5)) == 0:
        return draw(st.binary(max_size=60))
    will = draw(st.none() | st.builds(Will, WORDS, st.binary(max_size=5), st.integers(0, 3), st.booleans()))
    properties = draw(PROPERTIES) if version is Version.V5 else ()
    connect = Connect(draw(st.sampled_from(["", "a", "b"])), version, draw(st.booleans()), draw(SMALL), will=will, properties=properties)
    data = bytearray(encode(connect, version) + b"".join(draw(st.lists(packets(version), max_size=8))))
    for position in draw(st.lists(st.integers(0, len(data) - 1), max_size=2)):
        if draw(st.booleans()):
            data[position] = draw(st.integers(0, 255))
    return bytes(data)


@pytest.fixture(scope="module")
def shared() -> Iterator[DemoBroker]:
    """One broker for all examples."""
    with DemoBroker() as running:
        yield running


@settings(max_examples=300, deadline=None)
@given(data=streams())
def test_any_bytes_leave_the_broker_alive(shared: DemoBroker, data: bytes) -> None:
    with socket.create_connection((shared.host, shared.port)) as client:
        client.settimeout(5)
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        while True:
            try:
                if not client.recv(65536):
                    break
            except ConnectionResetError:
                break
    assert shared.faults == []
    assert shared.call(lambda core: core.loop.is_running())


async def test_one_byte_at_a_time(broker: DemoBroker) -> None:
    reader, writer = await asyncio.open_connection(broker.host, broker.port)
    for byte in encode(Connect("slow"), Version.V311) + encode(Publish("t", b"x", 1, packet_id=1), Version.V311):
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0)
    assert await asyncio.wait_for(reader.readexactly(8), 5) == bytes.fromhex("20020000 40020001")
    writer.close()


async def test_a_reset_harms_nobody(broker: DemoBroker) -> None:
    async with connected(broker.port) as watcher:
        for _ in range(5):
            async with connected(broker.port, Connect("victim", Version.V311)) as client:
                client.send(Publish("t", b"x"))
                reset_transport(client.writer.transport)
        await wait_until(lambda: broker.call(lambda core: len(core.connections)) == 1, "the victims to be forgotten")
        await watcher.quiet()


async def test_a_client_that_does_not_read(broker: DemoBroker) -> None:
    async with connected(broker.port) as lazy, connected(broker.port) as sender:
        await lazy.subscribe(TopicRequest("flood", 0))
        lazy.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a TCP transport is also a ReadTransport
        payload = bytes(100_000)
        for _ in range(200):
            sender.send(Publish("flood", payload))
            await sender.quiet()
        assert broker.call(lambda core: core.totals.publishes_dropped) > 0
        await sender.quiet()


async def test_a_slow_client_gets_what_was_held(broker: DemoBroker) -> None:
    async with connected(broker.port) as slow:
        await slow.subscribe(TopicRequest("held", 1))
        slow.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a TCP transport is also a ReadTransport
        payload = bytes(500_000)
        for _ in range(40):
            broker.publish("held", payload, qos=1)
        waiting = broker.call(lambda core: sum(len(session.queue) for session in core.sessions.values()))
        assert waiting > 0
        slow.writer.transport.resume_reading()  # type: ignore[attr-defined]
        for _ in range(40):
            assert len((await slow.message()).payload) == len(payload)


async def test_a_crowd_is_served(broker: DemoBroker) -> None:
    clients = [await greeted(broker.port, Connect(f"crowd-{number}", Version.V311)) for number in range(100)]
    assert broker.call(lambda core: core.connected) == 100
    for client, connack in clients:
        assert connack.code == 0
        client.close()
    await wait_until(lambda: broker.call(lambda core: core.connected) == 0, "the crowd to leave")
