"""Packets made by hand: exact bytes on the connection, as its first bytes, many times; steps of open flows."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from mqtttui.client import commands
from mqtttui.client.events import Outcome, Phase, RawSent
from mqtttui.config.options import ConnectOptions, ReconnectOptions
from mqtttui.protocol.enums import Direction, PacketType, Version
from mqtttui.protocol.packets import Ack, Connack, Connect, Disconnect, Pingreq, Publish, Suback, Subscribe, TopicRequest, encode
from tests.support.brokers import Broker
from tests.support.proxy import Proxy
from tests.support.scripted import Script, close, expect, reply, send, serve, wait_for
from tests.support.sessions import PEER, Driver

V5 = Connect(client_id="hand", version=Version.V5)


def send_by_hand(driver: Driver, raw: bytes, times: int = 1, spacing: float = 0.0, token: int = 1) -> None:
    driver.session.execute(commands.SendRaw(PEER, raw, times, spacing, token))


def reports(driver: Driver, token: int = 1) -> list[RawSent]:
    return [event for event in driver.events if isinstance(event, RawSent) and event.token == token]


async def reported(driver: Driver, token: int = 1) -> RawSent:
    """The last report about a token."""
    await driver.until(lambda: any(event.done for event in reports(driver, token)), f"bytes {token} to be done with")
    return reports(driver, token)[-1]


def step(driver: Driver, identifier: int, what: str) -> None:
    driver.session.execute(commands.FlowStep(PEER, identifier, what))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "raw",
    [
        b"\xc0\x00",
        encode(Publish("a/b", b"x", 3), Version.V5),
        b"\x31\x05\x00\x01a\x00x\xc0\x00",
        bytes(range(0x30, 0x60)) * 3,
        b"\x82",
        b"\xf0\xff\xff\xff\xff\xff",
    ],
)
async def test_the_bytes_leave_as_they_are_and_are_recorded(raw: bytes) -> None:
    async with Script(expect(Connect), reply()) as broker, Driver() as driver:
        await driver.connected(broker.port, connect=V5)
        before = broker.received_raw
        send_by_hand(driver, raw)
        event = await reported(driver)
        assert (event.sent, event.times, event.text, event.connection) == (1, 1, "sent", 0)
        assert event.handed_over is not None
        await driver.until(lambda: broker.received_raw == before + raw, "the bytes to arrive")
        driver.cut()
        await driver.phase(Phase.IDLE)
        assert driver.raw(Direction.C2S) == broker.received_raw


async def test_answers_that_nobody_expects_are_recorded_and_answered_no_further() -> None:
    go = asyncio.Event()
    answers = (Ack(PacketType.PUBREC, 9), Ack(PacketType.PUBCOMP, 9), Suback(8, (0,)), Connack(), Ack(PacketType.PUBACK, 7))
    script = (expect(Connect), reply(), wait_for(go), *(send(answer) for answer in answers), serve())
    async with Script(*script) as broker, Driver() as driver:
        await driver.connected(broker.port)
        send_by_hand(driver, encode(Publish("a", b"", 2, packet_id=9), Version.V311))
        send_by_hand(driver, encode(Subscribe(8, (TopicRequest("#"),)), Version.V311), token=2)
        await reported(driver, 2)
        go.set()
        await driver.until(lambda: driver.count(PacketType.PUBACK) == 1, "the answers")
        assert driver.types(Direction.C2S) == [PacketType.CONNECT, PacketType.PUBLISH, PacketType.SUBSCRIBE]
        assert driver.state.subscriptions == ()
        assert driver.state.phase is Phase.CONNECTED
        assert driver.rejections == []
        token = driver.publish("a", qos=1)
        assert (await driver.outcome(token, Outcome.ACKED)).packet_id == 1


async def test_identifiers_of_packets_made_by_hand_are_not_given_to_others_until_they_are_answered() -> None:
    go = asyncio.Event()
    script = (expect(Connect), reply(), expect(Publish), expect(Publish), reply(), wait_for(go), send(Ack(PacketType.PUBACK, 1)), serve())
    async with Script(*script) as broker, Driver() as driver:
        await driver.connected(broker.port)
        send_by_hand(driver, encode(Publish("a", b"", 1, packet_id=1), Version.V311))
        token = driver.publish("own", qos=1)
        assert (await driver.outcome(token, Outcome.ACKED)).packet_id == 2
        go.set()
        await driver.until(lambda: driver.count(PacketType.PUBACK) == 2, "the late PUBACK")
        link = driver.session._connection.link  # type: ignore[union-attr]
        assert link is not None
        assert not link._by_hand
        assert 1 not in link._package_handler.id_generator._used_ids


async def test_an_answer_to_both_goes_to_the_own_publish() -> None:
    script = (expect(Connect), reply(), expect(Publish), expect(Publish), send(Ack(PacketType.PUBACK, 1)), serve())
    async with Script(*script) as broker, Driver() as driver:
        await driver.connected(broker.port)
        token = driver.publish("own", qos=1)
        send_by_hand(driver, encode(Publish("again", b"", 1, packet_id=1), Version.V311))
        await driver.outcome(token, Outcome.ACKED)
        assert driver.state.in_flight == 0


async def test_repetitions_arrive_in_full_and_are_told_in_between() -> None:
    raw = encode(Publish("a", b"x" * 100), Version.V311)
    async with Script(expect(Connect), reply(), serve()) as broker, Driver() as driver:
        await driver.connected(broker.port)
        send_by_hand(driver, raw, times=1000)
        event = await reported(driver)
        assert (event.sent, event.text) == (1000, "sent 1,000 times")
        await driver.until(lambda: len(broker.received) == 1001, "all of them")
        assert driver.count(PacketType.PUBLISH) == 1000
        assert len(reports(driver)) < 100


async def test_repetitions_keep_their_distance_and_can_be_stopped() -> None:
    async with Script(expect(Connect), reply(), serve()) as broker, Driver() as driver:
        await driver.connected(broker.port)
        send_by_hand(driver, encode(Publish("a"), Version.V311), times=1000, spacing=0.05)
        await driver.until(lambda: driver.count(PacketType.PUBLISH) >= 3, "three of them")
        driver.session.execute(commands.StopSending(PEER))
        event = await reported(driver)
        assert 3 <= event.sent < 1000
        assert event.text == f"stopped after {event.sent} of 1,000"
        monos = [driver.log[no].mono for no in driver.log.numbers(1) if driver.log.head(no).first_byte == 0x30]
        assert all(later - earlier >= 45_000_000 for earlier, later in pairwise(monos))
        driver.session.execute(commands.StopSending(PEER))
        assert driver.rejections == ["nothing is being repeated"]


async def test_repetitions_end_with_the_connection() -> None:
    script = (expect(Connect), reply(), expect(Publish), expect(Publish), close())
    async with Script(*script) as broker, Driver() as driver:
        await driver.connected(broker.port)
        send_by_hand(driver, encode(Publish("a"), Version.V311), times=1000, spacing=0.01)
        event = await reported(driver)
        assert event.sent < 1000
        assert "after" in event.text
        failure = (await driver.failed()).failure
        assert failure is not None
        assert "a packet made by hand" in failure.detail


async def test_a_disconnect_made_by_hand_is_no_loss() -> None:
    async with Script(expect(Connect), reply(), expect(Disconnect), close()) as broker, Driver() as driver:
        await driver.connected(broker.port, connect=V5, reconnect=ReconnectOptions(True, first_delay=0.01))
        send_by_hand(driver, encode(Disconnect(4), Version.V5))
        state = await driver.phase(Phase.IDLE)
        assert (state.failure, state.ended) == (None, "disconnected by hand")
        assert driver.log.connection_count == 1


async def test_without_a_connection_it_is_rejected_with_the_reason() -> None:
    async with Driver() as driver:
        send_by_hand(driver, b"\xc0\x00")
        step(driver, 7, "dup")
        step(driver, 7, "pubcomp")
        assert driver.rejections[0] == "send: not connected"
        assert driver.rejections[1].startswith("no own publish with the identifier 7 is open")
        assert driver.rejections[2] == "not connected"
        assert reports(driver) == []


def options_for(port: int, connect: Connect = V5) -> ConnectOptions:
    return ConnectOptions(host="127.0.0.1", port=port, connect=connect, reconnect=ReconnectOptions(True, first_delay=0.01))


async def test_a_connect_made_by_hand_opens_a_connection_as_it_stands() -> None:
    first = encode(Connect("by-hand", Version.V311, keep_alive=7, protocol_name="MQTT", flags=0x02), Version.V311)
    async with Script(expect(Connect), reply(), expect(Pingreq), reply(), serve()) as broker, Driver() as driver:
        driver.session.execute(commands.ConnectRaw(PEER, options_for(broker.port), first, 5))
        await driver.phase(Phase.CONNECTED)
        event = await reported(driver, 5)
        assert (event.sent, event.connection, event.text) == (1, 0, "sent")
        assert broker.received_raw == first
        assert (driver.state.client_id, driver.state.keep_alive) == ("by-hand", 7)
        assert driver.log.connection(0).version is Version.V311
        driver.ping()
        await driver.until(lambda: driver.state.ping_ms is not None, "PINGRESP")


@pytest.mark.parametrize("first", [encode(Publish("a", b"x"), Version.V5), b"\xff\xff\xff\xff\xff", b"GET / HTTP/1.1\r\n\r\n"])
async def test_anything_can_be_the_first_bytes_and_more_can_follow(first: bytes) -> None:
    received = bytearray()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(1024):
            received.extend(chunk)
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    async with server, Driver() as driver:
        driver.session.execute(commands.ConnectRaw(PEER, options_for(server.sockets[0].getsockname()[1]), first, 5))
        await reported(driver, 5)
        await driver.until(lambda: bytes(received) == first, "the first bytes")
        send_by_hand(driver, b"\xc0\x00", token=6)
        await reported(driver, 6)
        await driver.until(lambda: bytes(received) == first + b"\xc0\x00", "more bytes")
        driver.cancel()
        await driver.phase(Phase.IDLE)
        assert driver.raw(Direction.C2S) == bytes(received)


async def test_a_connection_opened_by_hand_is_not_opened_again_by_itself() -> None:
    first = encode(V5, Version.V5)
    async with Script(expect(Connect), reply(), close()) as broker, Driver() as driver:
        driver.session.execute(commands.ConnectRaw(PEER, options_for(broker.port), first, 5))
        await driver.failed()
        assert driver.log.connection_count == 1


async def test_first_bytes_that_could_not_leave_are_told() -> None:
    async with Driver() as driver:
        driver.session.execute(commands.ConnectRaw(PEER, options_for(1), b"\x10\x00", 5))
        event = await reported(driver, 5)
        assert (event.sent, event.connection) == (0, None)
        assert event.text.startswith("not sent: ")


# Steps of open flows


async def test_an_open_publish_is_sent_again_with_dup() -> None:
    script = (expect(Connect), reply(), expect(Publish, dup=False), expect(Publish, dup=True), reply(), serve())
    async with Script(*script) as broker, Driver() as driver:
        await driver.connected(broker.port)
        token = driver.publish("a", b"x", qos=1)
        step(driver, 1, "dup")
        assert "sent again with DUP, waiting for PUBACK" in [change.text for change in driver.changes(token)]
        await driver.outcome(token, Outcome.ACKED)
        step(driver, 1, "dup")
        assert driver.rejections[-1].startswith("no own publish with the identifier 1 is open")


async def test_pubrel_by_hand_before_its_pubrec_completes_the_flow() -> None:
    pubrel = Ack(PacketType.PUBREL, 1)
    script = (expect(Connect), reply(), expect(Publish), expect(pubrel), reply(), serve())
    async with Script(*script) as broker, Driver() as driver:
        await driver.connected(broker.port)
        token = driver.publish("a", qos=2)
        step(driver, 1, "pubrel")
        await driver.outcome(token, Outcome.ACKED)
        assert driver.state.in_flight == 0
        assert driver.types(Direction.C2S).count(PacketType.PUBREL) == 1


async def test_after_pubrec_only_pubrel_can_be_sent_again() -> None:
    pubrel = Ack(PacketType.PUBREL, 1)
    script = (expect(Connect), reply(), expect(Publish), reply(), expect(pubrel), expect(pubrel), reply(), serve())
    async with Script(*script) as broker, Driver() as driver:
        await driver.connected(broker.port)
        token = driver.publish("a", qos=2)
        await driver.until(lambda: driver.count(PacketType.PUBREL) == 1, "PUBREL")
        step(driver, 1, "dup")
        assert "only PUBREL can follow" in driver.rejections[-1]
        step(driver, 1, "pubrel")
        await driver.outcome(token, Outcome.ACKED)


async def test_qos_1_has_no_pubrel() -> None:
    async with Script(expect(Connect), reply(), expect(Publish), serve()) as broker, Driver() as driver:
        await driver.connected(broker.port)
        driver.publish("a", qos=1)
        step(driver, 1, "pubrel")
        assert "has no PUBREL" in driver.rejections[-1]


async def test_a_forgotten_publish_is_over_and_its_identifier_free() -> None:
    go = asyncio.Event()
    script = (expect(Connect), reply(), expect(Publish), wait_for(go), reply(), serve())
    async with Script(*script) as broker, Driver() as driver:
        await driver.connected(broker.port)
        token = driver.publish("a", qos=2)
        step(driver, 1, "forget")
        change = await driver.outcome(token, Outcome.LOST)
        assert change.text == "forgotten without PUBREC; what comes for it is ignored"
        assert driver.state.in_flight == 0
        go.set()
        await driver.until(lambda: driver.count(PacketType.PUBREC) == 1, "PUBREC")
        assert driver.types(Direction.C2S) == [PacketType.CONNECT, PacketType.PUBLISH]


async def test_a_publish_that_waits_for_the_next_connection_can_be_forgotten() -> None:
    keeps = Connect("keeps", clean=False)
    script = (expect(Connect), reply(), expect(Publish), close())
    async with Script(*script) as broker, Driver() as driver:
        await driver.connected(broker.port, connect=keeps)
        driver.publish("a", qos=1)
        await driver.failed()
        assert driver.state.in_flight == 1
        step(driver, 1, "dup")
        assert driver.rejections[-1] == "not connected"
        step(driver, 1, "forget")
        assert driver.state.in_flight == 0


async def test_pubcomp_by_hand_for_a_publish_of_the_server() -> None:
    pubcomp = Ack(PacketType.PUBCOMP, 3)
    message = Publish("t", b"x", 2, packet_id=3)
    script = (expect(Connect), reply(), send(message), expect(Ack(PacketType.PUBREC, 3)), expect(pubcomp), serve())
    async with Script(*script) as broker, Driver() as driver:
        await driver.connected(broker.port)
        await driver.until(lambda: driver.count(PacketType.PUBREC) == 1, "PUBREC")
        step(driver, 3, "pubcomp")
        await driver.until(lambda: driver.count(PacketType.PUBCOMP) == 1, "PUBCOMP")


async def test_what_mosquitto_does_with_packets_made_by_hand(mosquitto_broker: Broker) -> None:
    async with Proxy(mosquitto_broker.host, mosquitto_broker.port) as proxy, Driver() as driver:
        await driver.connected(proxy.port, connect=V5)
        answered = encode(Publish("hand/a", b"x", 1, packet_id=11), Version.V5)
        send_by_hand(driver, answered)
        await driver.until(lambda: driver.count(PacketType.PUBACK, Direction.S2C) == 1, "PUBACK")
        closing = encode(V5, Version.V5)
        send_by_hand(driver, closing, token=2)
        await driver.phase(Phase.IDLE)
        sent = bytes(proxy.connections[0].to_server.data)
        assert sent == encode(V5, Version.V5) + answered + closing == driver.raw(Direction.C2S)


async def test_the_flow_of_a_publish_made_by_hand_can_be_gone_through_step_by_step() -> None:
    pubrel = Ack(PacketType.PUBREL, 9)
    script = (expect(Connect), reply(), expect(Publish, dup=False), expect(Publish, dup=True), reply(), expect(pubrel), reply(), serve())
    async with Script(*script) as broker, Driver() as driver:
        await driver.connected(broker.port)
        send_by_hand(driver, encode(Publish("a", b"x", 2, packet_id=9), Version.V311))
        step(driver, 9, "dup")
        await driver.until(lambda: driver.count(PacketType.PUBREC) == 1, "PUBREC")
        step(driver, 9, "pubrel")
        await driver.until(lambda: driver.count(PacketType.PUBCOMP) == 1, "PUBCOMP")
        assert driver.rejections == []
        step(driver, 9, "pubrel")
        assert driver.rejections[-1].startswith("no own publish with the identifier 9 is open")


async def test_a_publish_made_by_hand_can_be_forgotten() -> None:
    async with Script(expect(Connect), reply(), expect(Publish), serve()) as broker, Driver() as driver:
        await driver.connected(broker.port)
        send_by_hand(driver, encode(Publish("a", b"x", 1, packet_id=1), Version.V311))
        step(driver, 1, "forget")
        token = driver.publish("own", qos=1)
        assert (await driver.outcome(token, Outcome.ACKED)).packet_id == 1
