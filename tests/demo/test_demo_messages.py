"""QoS flows, retained messages, subscription options, properties: what is delivered, and how."""

from __future__ import annotations

import asyncio

import pytest

from mqtttui.demo.broker import DemoBroker
from mqtttui.demo.limits import Limits
from mqtttui.protocol.enums import PacketType, PropertyId, Version
from mqtttui.protocol.packets import (
    Ack,
    Connect,
    Disconnect,
    Packet,
    Property,
    Publish,
    Suback,
    Subscribe,
    TopicRequest,
    Unsuback,
    Unsubscribe,
)
from tests.support.raw_client import Closed, RawClient, connected

P = PacketType
VERSIONS = [Version.V31, Version.V311, Version.V5]
IDENTIFIER = PropertyId.SUBSCRIPTION_IDENTIFIER


def v5(*properties: Property, client_id: str = "") -> Connect:
    return Connect(client_id, Version.V5, properties=properties)


def values(packet: Packet, wanted: PropertyId) -> list[object]:
    """All values of a property."""
    return [item.value for item in getattr(packet, "properties", None) or () if item.id == wanted]


async def finish(client: RawClient, message: Publish) -> None:
    """Acknowledges a message to its end."""
    assert message.packet_id is not None
    if message.qos == 1:
        client.send(Ack(P.PUBACK, message.packet_id))
    else:
        client.send(Ack(P.PUBREC, message.packet_id))
        assert (await client.expect_ack(P.PUBREL)).packet_id == message.packet_id
        client.send(Ack(P.PUBCOMP, message.packet_id))


@pytest.mark.parametrize("version", VERSIONS)
async def test_qos_both_ways(broker: DemoBroker, version: Version) -> None:
    async with connected(broker.port, Connect("p", version)) as sender, connected(broker.port, Connect("s", version)) as receiver:
        assert (await receiver.subscribe(TopicRequest("q/+", 2))).codes == (2,)
        sender.send(Publish("q/0", b"zero"))
        assert await receiver.message() == Publish("q/0", b"zero")
        sender.send(Publish("q/1", b"one", 1, packet_id=5))
        assert await sender.expect_ack(P.PUBACK) == Ack(P.PUBACK, 5)
        message = await receiver.message()
        assert (message.payload, message.qos, message.dup) == (b"one", 1, False)
        await finish(receiver, message)
        sender.send(Publish("q/2", b"two", 2, packet_id=6))
        assert await sender.expect_ack(P.PUBREC) == Ack(P.PUBREC, 6)
        sender.send(Publish("q/2", b"two", 2, dup=True, packet_id=6))
        assert await sender.expect_ack(P.PUBREC) == Ack(P.PUBREC, 6)
        sender.send(Ack(P.PUBREL, 6))
        assert await sender.expect_ack(P.PUBCOMP) == Ack(P.PUBCOMP, 6)
        message = await receiver.message()
        assert (message.payload, message.qos) == (b"two", 2)
        await finish(receiver, message)
        await receiver.quiet()


async def test_delivered_at_the_lower_qos(broker: DemoBroker) -> None:
    async with connected(broker.port) as client:
        await client.subscribe(TopicRequest("low", 0), TopicRequest("mid", 1))
        client.send(Publish("low", qos=1, packet_id=1), Publish("mid", qos=2, packet_id=2))
        assert (await client.message()).qos == 0
        await client.expect_ack(P.PUBACK)
        assert (await client.message()).qos == 1


async def test_codes_of_v5(broker: DemoBroker) -> None:
    async with connected(broker.port) as client:
        client.send(Publish("nobody", qos=1, packet_id=1))
        assert (await client.expect_ack(P.PUBACK)).reason_code == 0x10
        client.send(Publish("forbidden/x", qos=1, packet_id=2))
        ack = await client.expect_ack(P.PUBACK)
        assert ack.reason_code == 0x87
        assert values(ack, PropertyId.REASON_STRING)
        client.send(Publish("$SYS/x", qos=2, packet_id=3))
        assert (await client.expect_ack(P.PUBREC)).reason_code == 0x87
        client.send(Publish("t", b"\xff", 1, packet_id=4, properties=(Property(PropertyId.PAYLOAD_FORMAT_INDICATOR, 1),)))
        assert (await client.expect_ack(P.PUBACK)).reason_code == 0x99
        requests = [TopicRequest(text) for text in ("forbidden/#", "a/#/b", "ok", "$share//x")]
        assert (await client.subscribe(*requests)).codes == (0x87, 0x8F, 0, 0x8F)
        client.send(Unsubscribe(9, ("ok", "never")))
        assert await client.expect(Unsuback) == Unsuback(9, (0, 0x11))


async def test_no_reason_strings_if_they_are_not_wanted(broker: DemoBroker) -> None:
    async with connected(broker.port, v5(Property(PropertyId.REQUEST_PROBLEM_INFORMATION, 0))) as client:
        client.send(Publish("forbidden/x", qos=1, packet_id=2))
        assert await client.expect_ack(P.PUBACK) == Ack(P.PUBACK, 2, 0x87)


async def test_mqtt_3_cannot_be_refused(broker: DemoBroker) -> None:
    async with connected(broker.port, Connect("old", Version.V311)) as client:
        assert (await client.subscribe(TopicRequest("forbidden/x"), TopicRequest("#"))).codes == (0x80, 0)
        client.send(Publish("forbidden/x", qos=1, packet_id=2))
        assert await client.expect_ack(P.PUBACK) == Ack(P.PUBACK, 2)
        await client.quiet()
        client.send(Unsubscribe(3, ("#",)))
        assert await client.expect(Unsuback) == Unsuback(3)
    async with connected(broker.port, Connect("older", Version.V31)) as client:
        client.send(Subscribe(1, (TopicRequest("forbidden/x"),)))
        with pytest.raises(Closed):
            await client.receive()


async def test_retained(broker: DemoBroker) -> None:
    async with connected(broker.port) as client:
        client.send(Publish("r/a", b"1", retain=True), Publish("r/b", b"2", qos=1, retain=True, packet_id=1))
        await client.expect_ack(P.PUBACK)
        await client.subscribe(TopicRequest("r/#", 2))
        assert await client.message() == Publish("r/a", b"1", retain=True)
        second = await client.message()
        assert (second.payload, second.qos, second.retain) == (b"2", 1, True)
        client.send(Publish("r/a", b"live", retain=True))
        assert await client.message() == Publish("r/a", b"live")
        client.send(Publish("r/a", b"", retain=True))
        assert await client.message() == Publish("r/a")
        await client.subscribe(TopicRequest("r/a"))
        await client.quiet()


async def test_retain_handling_and_retain_as_published(broker: DemoBroker) -> None:
    async with connected(broker.port) as client:
        client.send(Publish("r", b"x", retain=True))
        await client.subscribe(TopicRequest("r", retain_handling=2))
        await client.subscribe(TopicRequest("r", retain_handling=1))
        await client.quiet()
        await client.subscribe(TopicRequest("r", retain_handling=0, retain_as_published=True))
        assert (await client.message()).retain
        client.send(Publish("r", b"y", retain=True), Publish("r", b"z"))
        assert [(await client.message()).retain for _ in range(2)] == [True, False]
    async with connected(broker.port) as client:
        await client.subscribe(TopicRequest("r", retain_handling=1))
        assert (await client.message()).payload == b"y"


async def test_no_local_and_subscription_identifiers(broker: DemoBroker) -> None:
    async with connected(broker.port) as one, connected(broker.port) as two:
        await one.subscribe(TopicRequest("c/#", no_local=True), properties=(Property(IDENTIFIER, 7),))
        await two.subscribe(TopicRequest("c/#"), properties=(Property(IDENTIFIER, 8),))
        await two.subscribe(TopicRequest("c/+", 1), properties=(Property(IDENTIFIER, 300_000),))
        one.send(Publish("c/x", b"hello"))
        assert sorted(values(await two.message(), IDENTIFIER)) == [8, 300_000]  # type: ignore[type-var]
        await one.quiet()
        two.send(Publish("c/x", b"back"))
        assert values(await one.message(), IDENTIFIER) == [7]


async def test_system_topics_are_not_under_a_wildcard(broker: DemoBroker) -> None:
    async with connected(broker.port) as client:
        await client.subscribe(TopicRequest("#"), TopicRequest("+/broker/version"))
        await client.quiet()
        await client.subscribe(TopicRequest("$SYS/broker/version"))
        message = await client.message()
        assert message.retain
        assert message.payload.startswith(b"mqtttui demo broker")


async def test_system_topics_are_refreshed() -> None:
    with DemoBroker(sys_interval=0.05) as broker:
        async with connected(broker.port) as client:
            await client.subscribe(TopicRequest("$SYS/broker/messages/received"))
            first, second, third = [(await client.message()).payload for _ in range(3)]
            assert int(first) <= int(second) <= int(third)
            assert int(third) >= 2


async def test_properties_are_passed_on_in_order(broker: DemoBroker) -> None:
    pairs = tuple(Property(PropertyId.USER_PROPERTY, (name, "v")) for name in ("b", "a", "b"))
    properties = (
        Property(PropertyId.CONTENT_TYPE, "text/plain"),
        *pairs,
        Property(PropertyId.RESPONSE_TOPIC, "answer"),
        Property(PropertyId.CORRELATION_DATA, b"\x00\x01"),
        Property(PropertyId.PAYLOAD_FORMAT_INDICATOR, 1),
    )
    async with connected(broker.port) as client, connected(broker.port, Connect("old", Version.V311)) as old:
        await client.subscribe(TopicRequest("p"))
        await old.subscribe(TopicRequest("p"))
        client.send(Publish("p", b"x", properties=(Property(PropertyId.TOPIC_ALIAS, 4), *properties)))
        assert await client.message() == Publish("p", b"x", properties=properties)
        assert await old.message() == Publish("p", b"x")
        client.send(Publish("", b"again", properties=(Property(PropertyId.TOPIC_ALIAS, 4),)))
        assert await client.message() == Publish("p", b"again")


async def test_message_expiry_counts_down(broker: DemoBroker) -> None:
    expiry = PropertyId.MESSAGE_EXPIRY_INTERVAL
    async with connected(broker.port) as client:
        client.send(Publish("e/long", b"x", retain=True, properties=(Property(expiry, 100),)))
        client.send(Publish("e/short", b"x", retain=True, properties=(Property(expiry, 1),)))
        await client.quiet()
        await asyncio.sleep(1.1)  # the unit of the interval is a second: time itself is what is tested
        await client.subscribe(TopicRequest("e/#"))
        message = await client.message()
        assert message.topic == "e/long"
        assert values(message, expiry) == [99]
        await client.quiet()


async def test_aliases_for_the_client(broker: DemoBroker) -> None:
    alias = PropertyId.TOPIC_ALIAS
    async with connected(broker.port, v5(Property(PropertyId.TOPIC_ALIAS_MAXIMUM, 2))) as client:
        await client.subscribe(TopicRequest("#"))
        for topic in "ababc":
            client.send(Publish(topic))
        got = [await client.message() for _ in range(5)]
        assert [(message.topic, values(message, alias)) for message in got] == [("a", [1]), ("b", [2]), ("", [1]), ("", [2]), ("c", [])]


async def test_maximum_packet_size_of_the_client(broker: DemoBroker) -> None:
    async with connected(broker.port, v5(Property(PropertyId.MAXIMUM_PACKET_SIZE, 40))) as client:
        await client.subscribe(TopicRequest("s", 1))
        client.send(Publish("s", b"x" * 100), Publish("s", b"x" * 100, 1, packet_id=1), Publish("s", b"small"))
        assert await client.expect_ack(P.PUBACK) == Ack(P.PUBACK, 1)
        assert (await client.message()).payload == b"small"
        client.send(Publish("forbidden/x", qos=1, packet_id=2))
        assert await client.expect_ack(P.PUBACK) == Ack(P.PUBACK, 2, 0x87)


async def test_maximum_packet_size_of_the_broker() -> None:
    with DemoBroker(limits=Limits(maximum_packet_size=1000)) as broker:
        async with connected(broker.port) as client:
            client.send(Publish("t", b"x" * 2000))
            assert (await client.expect(Disconnect)).reason_code == 0x95


async def test_receive_maximum_of_the_client(broker: DemoBroker) -> None:
    async with connected(broker.port, v5(Property(PropertyId.RECEIVE_MAXIMUM, 2))) as client, connected(broker.port) as sender:
        await client.subscribe(TopicRequest("w", 2))
        for number in range(1, 6):
            sender.send(Publish("w", b"%d" % number, 1 + number % 2, packet_id=number))
        first, second = await client.message(), await client.message()
        await client.quiet()
        await finish(client, first)
        third = await client.message()
        await client.quiet()
        await finish(client, second)
        fourth = await client.message()
        await finish(client, third)
        await finish(client, fourth)
        fifth = await client.message()
        assert [message.payload for message in (first, second, third, fourth, fifth)] == [b"1", b"2", b"3", b"4", b"5"]


async def test_receive_maximum_of_the_broker() -> None:
    with DemoBroker(limits=Limits(receive_maximum=2)) as broker:
        async with connected(broker.port) as client:
            for number in (1, 2, 3):
                client.send(Publish("t", qos=2, packet_id=number))
            await client.expect_ack(P.PUBREC)
            await client.expect_ack(P.PUBREC)
            assert (await client.expect(Disconnect)).reason_code == 0x93


async def test_limits_are_enforced() -> None:
    with DemoBroker(limits=Limits(maximum_qos=1, retain_available=False)) as broker:
        for packet, code in ((Publish("t", qos=2, packet_id=1), 0x9B), (Publish("t", retain=True), 0x9A)):
            async with connected(broker.port) as client:
                client.send(packet)
                assert (await client.expect(Disconnect)).reason_code == code


async def test_an_answer_of_the_wrong_kind(broker: DemoBroker) -> None:
    async with connected(broker.port) as client:
        await client.subscribe(TopicRequest("t", 2))
        broker.publish("t", b"x", qos=2)
        message = await client.message()
        client.send(Ack(P.PUBACK, message.packet_id or 0))
        assert (await client.expect(Disconnect)).reason_code == 0x82


async def test_a_failing_pubrec_ends_the_flow(broker: DemoBroker) -> None:
    async with connected(broker.port, v5(Property(PropertyId.RECEIVE_MAXIMUM, 1))) as client:
        await client.subscribe(TopicRequest("t", 2))
        broker.publish("t", b"1", qos=2)
        broker.publish("t", b"2", qos=2)
        message = await client.message()
        client.send(Ack(P.PUBREC, message.packet_id or 0, 0x83))
        assert (await client.message()).payload == b"2"


async def test_a_large_message(broker: DemoBroker) -> None:
    async with connected(broker.port) as client:
        await client.subscribe(TopicRequest("large", 1))
        payload = bytes(range(256)) * 4000
        client.send(Publish("large", payload, 1, packet_id=1))
        got = [await client.receive(), await client.receive()]
        assert [type(packet) for packet in got] == [Publish, Ack]
        assert isinstance(got[0], Publish)
        assert got[0].payload == payload


async def test_many_filters_in_a_packet(broker: DemoBroker) -> None:
    async with connected(broker.port) as client:
        requests = tuple(TopicRequest(f"f/{number}", number % 3) for number in range(300))
        assert await client.subscribe(*requests) == Suback(1000, tuple(request.qos for request in requests))
