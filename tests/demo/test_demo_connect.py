"""CONNECT, CONNACK, takeover, keep-alive, and what ends a connection."""

from __future__ import annotations

import asyncio

import pytest

from mqtttui.demo.broker import DemoBroker
from mqtttui.demo.limits import Limits
from mqtttui.protocol.enums import PacketType, PropertyId, Version
from mqtttui.protocol.packets import (
    Ack,
    Auth,
    Connack,
    Connect,
    Disconnect,
    Packet,
    Pingreq,
    Pingresp,
    Property,
    Publish,
    Subscribe,
    TopicRequest,
    Unsubscribe,
    Will,
    encode,
)
from tests.support.raw_client import Closed, RawClient, connected, greeted

VERSIONS = [Version.V31, Version.V311, Version.V5]


def value(packet: Packet, wanted: PropertyId) -> object:
    """The value of a property, None without it."""
    properties = getattr(packet, "properties", None) or ()
    return next((item.value for item in properties if item.id == wanted), None)


@pytest.mark.parametrize("version", VERSIONS)
async def test_all_versions_are_let_in_on_one_port(broker: DemoBroker, version: Version) -> None:
    client, connack = await greeted(broker.port, Connect("c", version))
    assert (connack.code, connack.session_present) == (0, False)
    client.send(Pingreq())
    assert await client.receive() == Pingresp()
    client.close()


async def test_v5_is_told_the_limits() -> None:
    limits = Limits(receive_maximum=7, maximum_qos=1, retain_available=False, server_keep_alive=33, maximum_packet_size=5000)
    with DemoBroker(limits=limits) as broker:
        client, connack = await greeted(broker.port, Connect(version=Version.V5))
        assert value(connack, PropertyId.RECEIVE_MAXIMUM) == 7
        assert value(connack, PropertyId.MAXIMUM_QOS) == 1
        assert value(connack, PropertyId.RETAIN_AVAILABLE) == 0
        assert value(connack, PropertyId.SERVER_KEEP_ALIVE) == 33
        assert value(connack, PropertyId.MAXIMUM_PACKET_SIZE) == 5000
        assert str(value(connack, PropertyId.ASSIGNED_CLIENT_IDENTIFIER)).startswith("auto-")
        client.close()


async def test_response_information_on_request(broker: DemoBroker) -> None:
    asks = (Property(PropertyId.REQUEST_RESPONSE_INFORMATION, 1),)
    client, connack = await greeted(broker.port, Connect("me", Version.V5, properties=asks))
    assert value(connack, PropertyId.RESPONSE_INFORMATION) == "demo/response/me"
    client.close()
    client, connack = await greeted(broker.port, Connect("ü" * 32_767, Version.V5, properties=asks))
    assert value(connack, PropertyId.RESPONSE_INFORMATION) == "demo/response/" + "ü" * 64
    client.close()


@pytest.mark.parametrize(
    ("connect", "code"),
    [
        (Connect("a", Version.V5, username="refuse"), 0x87),
        (Connect("a", Version.V311, username="refuse"), 5),
        (Connect("a", Version.V31, username="refuse"), 5),
        (Connect("", Version.V311, clean=False), 2),
        (Connect("", Version.V31), 2),
        (Connect("a", Version.V5, will=Will("forbidden/x")), 0x87),
        (Connect("a", Version.V5, will=Will("a/#")), 0x90),
        (Connect("a", Version.V5, properties=(Property(PropertyId.AUTHENTICATION_METHOD, "SCRAM"),)), 0x8C),
        (Connect("a", Version.V5, properties=(Property(PropertyId.RECEIVE_MAXIMUM, 0),)), 0x82),
        (Connect("a", Version.V5, properties=(Property(PropertyId.RECEIVE_MAXIMUM, 1),) * 2), 0x82),
        (Connect("a", Version.V5, properties=(Property(PropertyId.TOPIC_ALIAS, 1),)), 0x81),
        (Connect("a", Version.V5, flags=0x03), 0x81),
        (Connect("a", Version.V5, protocol_name="MQIsdp"), 0x84),
        (Connect(b"\xff", Version.V5), 0x81),
    ],
)
async def test_refused_with_a_code_and_closed(broker: DemoBroker, connect: Connect, code: int) -> None:
    client, connack = await greeted(broker.port, connect)
    assert connack.code == code
    if connect.version is Version.V5:
        assert value(connack, PropertyId.REASON_STRING)
    with pytest.raises(Closed):
        await client.receive()


@pytest.mark.parametrize(
    ("connect", "answer"),
    [
        (Connect("a", Version.V311, level=2), "20 02 00 01"),
        (Connect("a", Version.V311, level=6), "20 03 00 84 00"),
        (Connect("a", Version.V311, protocol_name="HTTP", level=9), ""),
        (Connect("a", Version.V311, flags=0x03), ""),
        (Connect("a", Version.V311, password=b"x"), ""),
        (Connect("a", Version.V311, will=Will("a/+")), ""),
    ],
)
async def test_unreadable_connects(broker: DemoBroker, connect: Connect, answer: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", broker.port)
    writer.write(encode(connect, connect.version))
    assert (await asyncio.wait_for(reader.read(), 5)).hex(" ") == answer
    writer.close()


async def test_truncated_v5_connect_is_malformed(broker: DemoBroker) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", broker.port)
    writer.write(bytes.fromhex("10 08 00 04 4d 51 54 54 05 02"))
    assert (await asyncio.wait_for(reader.read(), 5))[:4].hex(" ")[-2:] == "81"
    writer.close()


async def test_something_else_first_is_closed(broker: DemoBroker) -> None:
    client = await RawClient.dial(broker.port)
    client.send(Pingreq())
    with pytest.raises(Closed):
        await client.receive()


async def test_no_connect_at_all_is_closed() -> None:
    with DemoBroker(limits=Limits(connect_timeout=0.05)) as broker:
        client = await RawClient.dial(broker.port)
        with pytest.raises(Closed):
            await client.receive()


@pytest.mark.parametrize("version", VERSIONS)
async def test_takeover(broker: DemoBroker, version: Version) -> None:
    async with connected(broker.port, Connect("same", version)) as first, connected(broker.port, Connect("same", version)) as second:
        if version is Version.V5:
            goodbye = await first.expect(Disconnect)
            assert goodbye.reason_code == 0x8E
            assert value(goodbye, PropertyId.REASON_STRING)
        with pytest.raises(Closed):
            await first.receive()
        await second.quiet()


@pytest.mark.parametrize("version", VERSIONS)
async def test_keep_alive_is_enforced_at_one_and_a_half(broker: DemoBroker, version: Version) -> None:
    loop = asyncio.get_running_loop()
    async with connected(broker.port, Connect("quiet", version, keep_alive=1)) as client:
        began = loop.time()
        if version is Version.V5:
            assert (await client.expect(Disconnect)).reason_code == 0x8D
        with pytest.raises(Closed):
            await client.receive()
        assert 1.4 < loop.time() - began < 3


async def test_server_keep_alive_replaces_that_of_the_client() -> None:
    with DemoBroker(limits=Limits(server_keep_alive=1)) as broker:
        async with connected(broker.port, Connect(version=Version.V5, keep_alive=0)) as client:
            assert (await client.expect(Disconnect)).reason_code == 0x8D


ALIAS = PropertyId.TOPIC_ALIAS


@pytest.mark.parametrize(
    ("packet", "code"),
    [
        (Connect(version=Version.V5), 0x82),
        (Pingresp(), 0x82),
        (Connack(), 0x82),
        (Auth(0x18, ()), 0x82),
        (Auth(0x18), 0x81),  # the length of the properties is missing [MQTT-2.2.2-1]
        (Publish("a/#"), 0x90),
        (Publish(""), 0x82),
        (Publish("a\0b"), 0x90),
        (Publish("t", qos=1, packet_id=0), 0x82),
        (Publish("t", dup=True), 0x82),
        (Publish("t", properties=(Property(ALIAS, 0),)), 0x94),
        (Publish("t", properties=(Property(ALIAS, 11),)), 0x94),
        (Publish("", properties=(Property(ALIAS, 3),)), 0x82),
        (Publish("t", properties=(Property(PropertyId.SUBSCRIPTION_IDENTIFIER, 3),)), 0x82),
        (Publish("t", properties=(Property(PropertyId.RESPONSE_TOPIC, "a/+"),)), 0x82),
        (Publish("t", properties=(Property(PropertyId.USER_PROPERTY, ("a", b"\xff")),)), 0x81),
        (Subscribe(0, (TopicRequest("t"),)), 0x82),
        (Subscribe(1, ()), 0x82),
        (Subscribe(1, (TopicRequest("t", 3),)), 0x81),
        (Subscribe(1, (TopicRequest("t", retain_handling=3),)), 0x82),
        (Subscribe(1, (TopicRequest("$share/g/t", no_local=True),)), 0x82),
        (Subscribe(1, (TopicRequest("t"),), (Property(PropertyId.SUBSCRIPTION_IDENTIFIER, 0),)), 0x82),
        (Unsubscribe(1, ()), 0x82),
        (Unsubscribe(0, ("t",)), 0x82),
        (Disconnect(0, (Property(PropertyId.SESSION_EXPIRY_INTERVAL, 5),)), 0x82),
    ],
)
async def test_violations_end_the_connection_with_the_reason(broker: DemoBroker, packet: Packet, code: int) -> None:
    async with connected(broker.port) as client:
        client.send(packet)
        goodbye = await client.expect(Disconnect)
        assert goodbye.reason_code == code
        assert value(goodbye, PropertyId.REASON_STRING)
        with pytest.raises(Closed):
            await client.receive()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ("d0", None),
        ("00 00", 0x81),
        ("c1 00", 0x81),
        ("82 01 00", 0x81),
        ("30 ff ff ff ff 01", 0x81),
        ("30 ff ff ff 7f", 0x95),
        ("3600", 0x81),
    ],
)
async def test_malformed_bytes(broker: DemoBroker, data: str, code: int | None) -> None:
    async with connected(broker.port) as client:
        client.send_raw(bytes.fromhex(data))
        if code is None:
            client.writer.write_eof()
        else:
            assert (await client.expect(Disconnect)).reason_code == code
        with pytest.raises(Closed):
            await client.receive()


async def test_mqtt_3_is_closed_without_a_word(broker: DemoBroker) -> None:
    async with connected(broker.port, Connect("a", Version.V311)) as client:
        client.send(Publish("a/#"))
        with pytest.raises(Closed):
            await client.receive()


async def test_clients_are_told_when_the_broker_stops() -> None:
    broker = DemoBroker()
    broker.start()
    async with connected(broker.port) as client:
        await asyncio.get_running_loop().run_in_executor(None, broker.stop)
        assert (await client.expect(Disconnect)).reason_code == 0x8B
        with pytest.raises(Closed):
            await client.receive()
    assert broker.faults == []


async def test_the_test_can_end_connections(broker: DemoBroker) -> None:
    async with connected(broker.port) as client:
        broker.disconnect_clients(0x98, "administrative action")
        assert (await client.expect(Disconnect)).reason_code == 0x98
    async with connected(broker.port) as client:
        broker.reset_clients()
        with pytest.raises(Closed):
            await client.receive()


async def test_unknown_acknowledgements(broker: DemoBroker) -> None:
    async with connected(broker.port) as client:
        client.send(Ack(PacketType.PUBREL, 77))
        assert (await client.expect_ack(PacketType.PUBCOMP)).reason_code == 0x92
        client.send(Ack(PacketType.PUBREC, 78))
        assert (await client.expect_ack(PacketType.PUBREL)).reason_code == 0x92
        client.send(Ack(PacketType.PUBACK, 79), Ack(PacketType.PUBCOMP, 80))
        await client.quiet()


@pytest.mark.parametrize(("will", "code"), [(Will("w", qos=2), 0x9B), (Will("w", retain=True), 0x9A)])
async def test_wills_beyond_the_limits(will: Will, code: int) -> None:
    with DemoBroker(limits=Limits(maximum_qos=1, retain_available=False)) as broker:
        client, connack = await greeted(broker.port, Connect("a", Version.V5, will=will))
        assert connack.code == code
        client.close()


async def test_a_connack_that_the_client_cannot_take_is_cut_down(broker: DemoBroker) -> None:
    connect = Connect("a", Version.V5, username="refuse", properties=(Property(PropertyId.MAXIMUM_PACKET_SIZE, 10),))
    client, connack = await greeted(broker.port, connect)
    assert connack == Connack(0x87)
    client.close()


def test_a_port_that_is_taken_is_said_at_once(broker: DemoBroker) -> None:
    with pytest.raises(OSError, match="in use"):
        DemoBroker(port=broker.port).start()
