"""The scripted broker and the proxy do what they say."""

from __future__ import annotations

import asyncio

import pytest

from mqtttui.protocol.enums import PacketType, Version
from mqtttui.protocol.packets import Ack, Connack, Connect, Packet, Pingreq, Publish, Subscribe, TopicRequest, encode
from tests.support.brokers import Broker
from tests.support.proxy import Ending, Proxy
from tests.support.scripted import (
    Script,
    ScriptMismatch,
    accept,
    close,
    expect,
    expect_close,
    half_close,
    reply,
    reset,
    send,
    send_raw,
    serve,
    wait_for,
)
from tests.support.waiting import wait_until


class Client:
    """Writes packets, reads bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def to(cls, port: int) -> Client:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    def send(self, *packets: Packet, version: Version = Version.V311) -> None:
        self.writer.write(b"".join(encode(packet, version) for packet in packets))

    async def read(self, count: int) -> bytes:
        return await asyncio.wait_for(self.reader.readexactly(count), 5)

    async def rest(self) -> bytes:
        return await asyncio.wait_for(self.reader.read(), 5)


async def test_an_exchange() -> None:
    connect = Connect("a", keep_alive=7)
    async with Script(
        expect(connect),
        reply(session_present=True),
        expect(Subscribe, packet_id=9),
        reply(codes=(0x80,)),
        expect(Publish, where=lambda packet: packet.topic == "t"),
        send(lambda got: Ack(PacketType.PUBACK, got.packet_id)),
        expect(PacketType.PINGREQ),
        send_raw(b"\xff"),
        half_close(),
        expect_close(),
    ) as broker:
        client = await Client.to(broker.port)
        client.send(connect, Subscribe(9, (TopicRequest("t"),)), Publish("t", b"x", 1, packet_id=3), Pingreq())
        assert await client.rest() == bytes.fromhex("20020100 9003000980 40020003 ff")
        client.writer.close()
        await broker.finished()
    assert broker.received[0] == connect
    assert broker.received_raw.startswith(encode(connect, Version.V311))
    assert broker.sent_raw.endswith(b"\xff")
    assert broker.lines[0].ended == "closed"


async def test_v5_and_several_connections() -> None:
    gate = asyncio.Event()
    async with Script(expect(Connect), wait_for(gate), reply(), close(), accept(), expect(Connect), reset(), accept(), serve()) as broker:
        client = await Client.to(broker.port)
        client.send(Connect(version=Version.V5))
        gate.set()
        assert await client.rest() == bytes.fromhex("2003000000")
        second = await Client.to(broker.port)
        second.send(Connect())
        with pytest.raises(ConnectionResetError):
            await second.rest()
        third = await Client.to(broker.port)
        third.send(Connect(), Pingreq())
        assert await third.read(6) == bytes.fromhex("20020000 d000")
    assert [line.version for line in broker.lines] == [Version.V5, Version.V311, Version.V311]


async def played(script: Script, *packets: Packet, leaves: bool = False) -> None:
    """Plays `script` against a client that only writes."""
    async with script as broker:
        client = await Client.to(broker.port)
        client.send(*packets)
        if leaves:
            client.writer.close()


async def test_mismatches_are_told() -> None:
    with pytest.raises(ScriptMismatch, match=r"(?s)expected Subscribe, but PINGREQ .*came.*C>S CONNECT.*S>C CONNACK"):
        await played(Script(expect(Connect), send(Connack()), expect(Subscribe)), Connect(), Pingreq())
    with pytest.raises(ScriptMismatch, match="keep_alive differ"):
        await played(Script(expect(Connect, keep_alive=5)), Connect())
    with pytest.raises(ScriptMismatch, match=r"expected another connection, but nothing came within 0\.1 s"):
        await played(Script(expect(Connect), accept(), timeout=0.1), Connect())
    with pytest.raises(ScriptMismatch, match="the client ended"):
        await played(Script(expect(Connect)), leaves=True)


async def test_pings_are_answered_aside() -> None:
    async with Script(expect(Connect), reply(), expect(Publish), answer_pings=True) as broker:
        client = await Client.to(broker.port)
        client.send(Connect(), Pingreq(), Publish("t"))
        assert await client.read(6) == bytes.fromhex("20020000 d000")


async def test_proxy_records_both_directions(mosquitto_broker: Broker) -> None:
    async with Proxy(mosquitto_broker.host, mosquitto_broker.port) as proxy:
        proxy.to_server.segment = proxy.to_client.segment = 1
        client = await Client.to(proxy.port)
        client.send(Connect("proxied"), Pingreq())
        assert await client.read(6) == bytes.fromhex("20020000 d000")
        recorded = proxy.connections[0]
        assert recorded.to_server.data == encode(Connect("proxied"), Version.V311) + b"\xc0\0"
        assert recorded.to_client.data == bytes.fromhex("20020000 d000")
        client.writer.close()
        await wait_until(lambda: recorded.closed, "the proxied connection to end")


async def test_proxy_faults(mosquitto_broker: Broker) -> None:
    async with Proxy(mosquitto_broker.host, mosquitto_broker.port) as proxy:
        loop = asyncio.get_running_loop()
        proxy.to_client.latency = 0.15
        began = loop.time()
        client = await Client.to(proxy.port)
        client.send(Connect())
        assert await client.read(4) == b"\x20\x02\0\0"
        assert loop.time() - began > 0.14

        proxy.to_client.latency = 0
        proxy.to_client.black_hole = True
        client.send(Pingreq())
        await wait_until(lambda: proxy.connections[0].to_client.swallowed == b"\xd0\0", "the answer to be swallowed")
        proxy.to_client.black_hole = False
        proxy.connections[0].reset()
        with pytest.raises(ConnectionResetError):
            await client.rest()

        proxy.to_client.truncate_after, proxy.to_client.ending = 3, Ending.FIN
        client = await Client.to(proxy.port)
        client.send(Connect())
        assert await client.rest() == b"\x20\x02\0"

        proxy.to_client.truncate_after = None
        proxy.to_client.stall = True
        client = await Client.to(proxy.port)
        client.send(Connect())
        await wait_until(lambda: len(proxy.connections[2].to_server.data) > 10, "CONNECT to pass")
        assert proxy.connections[2].to_client.data == b""
        proxy.to_client.stall = False
        assert await client.read(4) == b"\x20\x02\0\0"
        proxy.connections[2].half_close()
        assert await client.rest() == b""

        proxy.refuse()
        with pytest.raises(ConnectionRefusedError):
            await Client.to(proxy.port)
        await proxy.listen()
        proxy.hang = True
        client = await Client.to(proxy.port)
        client.send(Connect())
        await wait_until(lambda: len(proxy.connections) == 4, "the hanging connection")
        assert proxy.connections[3].to_server.data == b""
