"""The broker breaks the rules when, and as, it is told to."""

from __future__ import annotations

import asyncio

import pytest

from mqtttui.demo.broker import DemoBroker
from mqtttui.demo.misbehaviour import Misbehaviour
from mqtttui.protocol.enums import PacketType, Version
from mqtttui.protocol.packets import Connect, Pingreq, Pingresp, Publish, TopicRequest, encode
from tests.support.raw_client import Closed, RawClient, connected, greeted

P = PacketType


async def test_silence_and_a_change_of_mind(broker: DemoBroker) -> None:
    broker.misbehaviour = Misbehaviour(silent=frozenset({P.PUBACK, P.PINGRESP}))
    async with connected(broker.port) as client:
        client.send(Publish("t", qos=1, packet_id=1), Pingreq())
        client.send(Publish("t", qos=2, packet_id=2))
        assert (await client.expect_ack(P.PUBREC)).packet_id == 2
        broker.misbehaviour = Misbehaviour()
        await client.quiet()


async def test_no_connack(broker: DemoBroker) -> None:
    broker.misbehaviour = Misbehaviour(silent=frozenset({P.CONNACK}))
    client = await RawClient.dial(broker.port)
    client.send(Connect(version=Version.V5), Pingreq())
    assert await client.receive() == Pingresp()
    client.close()


async def test_delay(broker: DemoBroker) -> None:
    broker.misbehaviour = Misbehaviour(delays={P.PUBACK: 0.1})
    async with connected(broker.port) as client:
        client.send(Publish("t", qos=1, packet_id=1), Pingreq())
        assert await client.receive() == Pingresp()
        assert (await client.expect_ack(P.PUBACK)).packet_id == 1


async def test_codes(broker: DemoBroker) -> None:
    broker.misbehaviour = Misbehaviour(codes={P.PUBACK: 0x97, P.SUBACK: 0x80})
    async with connected(broker.port) as client:
        client.send(Publish("t", qos=1, packet_id=1))
        assert (await client.expect_ack(P.PUBACK)).reason_code == 0x97
        assert (await client.subscribe(TopicRequest("a"), TopicRequest("b"))).codes == (0x80, 0x80)
    broker.misbehaviour = Misbehaviour(codes={P.CONNACK: 0x88})
    client, connack = await greeted(broker.port, Connect(version=Version.V5))
    assert connack.code == 0x88
    with pytest.raises(Closed):
        await client.receive()


async def test_twice_and_with_a_wrong_packet_identifier(broker: DemoBroker) -> None:
    broker.misbehaviour = Misbehaviour(twice=frozenset({P.PUBACK}), wrong_packet_id=frozenset({P.PUBACK}))
    async with connected(broker.port, Connect("c", Version.V311)) as client:
        client.send(Publish("t", qos=1, packet_id=0xFFFF))
        assert [(await client.expect_ack(P.PUBACK)).packet_id for _ in range(2)] == [1, 1]


async def test_wrong_session_present(broker: DemoBroker) -> None:
    broker.misbehaviour = Misbehaviour(session_present=True)
    client, connack = await greeted(broker.port, Connect("new"))
    assert connack.session_present
    client.close()


async def test_bytes_in_place_of_connack_and_behind_it(broker: DemoBroker) -> None:
    broker.misbehaviour = Misbehaviour(instead_of_connack=b"HTTP/1.1 400\r\n", after_connack=b"\xff\xff")
    reader, writer = await asyncio.open_connection("127.0.0.1", broker.port)
    writer.write(encode(Connect(), Version.V311))
    assert await asyncio.wait_for(reader.readexactly(16), 5) == b"HTTP/1.1 400\r\n\xff\xff"
    writer.close()


async def test_closes_and_resets(broker: DemoBroker) -> None:
    broker.misbehaviour = Misbehaviour(close_on=frozenset({P.PUBLISH}), reset_on=frozenset({P.PINGREQ}))
    for packet, error in ((Publish("t"), b""), (Pingreq(), ConnectionResetError)):
        reader, writer = await asyncio.open_connection("127.0.0.1", broker.port)
        writer.write(encode(Connect(), Version.V311))
        assert await asyncio.wait_for(reader.readexactly(4), 5) == b"\x20\x02\0\0"
        writer.write(encode(packet, Version.V311))
        if error == b"":
            assert await asyncio.wait_for(reader.read(), 5) == b""
        else:
            with pytest.raises(ConnectionResetError):
                await asyncio.wait_for(reader.read(), 5)
        writer.close()


async def test_deaf(broker: DemoBroker) -> None:
    broker.misbehaviour = Misbehaviour(deaf=True)
    async with connected(broker.port) as client:
        broker.misbehaviour = Misbehaviour()
        client.send(Pingreq())
        # What comes later from somebody else is answered: the broker has passed by the ping.
        async with connected(broker.port) as other:
            other.send(Pingreq())
            await other.expect(Pingresp)
            received = broker.call(lambda core: core.totals.messages_received)
    assert received == 3, "CONNECT of both, PINGREQ of the other"
