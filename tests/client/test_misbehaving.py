"""The client misbehaves on request, and says what the broker did: on mosquitto, on ejabberd and by script."""

from __future__ import annotations

import re
from typing import Any

import pytest

from mqtttui.client.answers import Answers, Order
from mqtttui.client.commands import Behave, Misbehave, StopBeside, TakeOver, WatchWill
from mqtttui.client.events import Outcome, Phase
from mqtttui.protocol.enums import Direction, PacketType, PropertyId, Version
from mqtttui.protocol.packets import Ack, Connect, Property, Publish, TopicRequest, Will, encode
from tests.support.brokers import Broker
from tests.support.scripted import Script, accept, close, expect, reply, send, serve
from tests.support.sessions import PEER, Driver

PUBACK, PUBREC, PUBCOMP = PacketType.PUBACK, PacketType.PUBREC, PacketType.PUBCOMP
IN, OUT = Direction.S2C, Direction.C2S


def client(version: Version, name: str, **fields: Any) -> Connect:
    """A login that every broker of the tests takes."""
    return Connect(name, version, username="alice", password=b"secret", **fields)


async def observed(driver: Driver, pattern: str, seconds: float = 30) -> re.Match[str]:
    """Wait for such a line of what the broker did."""
    found = await driver.until(
        lambda: next(filter(None, (re.search(pattern, line) for line in driver.state.observed)), None), pattern, seconds
    )
    assert isinstance(found, re.Match)
    return found


# The policy alone


def test_without_an_order_gmqtt_answers() -> None:
    answers = Answers(Version.V5)
    assert answers.instead(PUBACK, 1, 0) is None
    assert answers.withheld == ()


def test_withheld_until_taken() -> None:
    answers = Answers(Version.V5, Order())
    assert answers.instead(PUBACK, 1, 10) == b""
    assert answers.instead(PUBREC, 2, 20) == b""
    assert answers.instead(PUBACK, 1, 30) == b"", "sent again: it waits since the first time"
    assert answers.instead(PUBCOMP, 2, 40) == b"", "another packet with the same identifier"
    assert [(each.packet, each.identifier, each.since) for each in answers.withheld] == [(PUBACK, 1, 10), (PUBREC, 2, 20), (PUBCOMP, 2, 40)]
    answers.set(None)
    assert answers.take() == b"\x40\x02\x00\x01\x50\x02\x00\x02\x70\x02\x00\x02"
    assert answers.withheld == ()
    assert answers.instead(PUBACK, 1, 50) is None


def test_an_order_for_the_next_ones_of_a_kind() -> None:
    answers = Answers(Version.V5, Order(frozenset((PUBREC,)), 0x87, 2))
    told: list[tuple[Ack, bool]] = []
    answers.changed = lambda ack, left: told.append((ack, left))
    assert answers.instead(PUBACK, 1, 0) is None
    assert answers.instead(PUBREC, 2, 0) == encode(Ack(PUBREC, 2, 0x87), Version.V5)
    assert answers.instead(PUBREC, 3, 0) == encode(Ack(PUBREC, 3, 0x87), Version.V5)
    assert answers.order is None
    assert answers.instead(PUBREC, 4, 0) is None
    assert told == [(Ack(PUBREC, 2, 0x87), True), (Ack(PUBREC, 3, 0x87), True)]


# On brokers


@pytest.mark.parametrize("version", [pytest.param(Version.V311, marks=pytest.mark.slow), Version.V5])
async def test_mosquitto_kicks_who_sends_no_pings(mosquitto_broker: Broker, version: Version) -> None:
    async with Driver() as driver:
        await driver.connected(mosquitto_broker.port, connect=client(version, f"silent-{version}", keep_alive=2))
        driver.session.execute(Misbehave(PEER, "silence"))
        assert driver.state.misbehaving
        assert "sends no pings" in driver.state.warning
        found = await observed(driver, r"kicked ([\d.]+) s after our last packet \(keep-alive 2 s, 1\.5 × = 3 s\): (.*)")
        # mosquitto looks every few seconds only.
        assert 2.9 <= float(found[1]) <= 25
        assert found[2] == "closed without DISCONNECT"
        await driver.phase(Phase.IDLE, 20)
        assert driver.count(PacketType.PINGREQ) == 0
        assert not driver.state.misbehaving


async def test_pings_go_on_when_it_is_ended(mosquitto_broker: Broker) -> None:
    async with Driver() as driver:
        await driver.connected(mosquitto_broker.port, connect=client(Version.V5, "silent-again", keep_alive=2))
        driver.session.execute(Misbehave(PEER, "silence"))
        driver.session.execute(Behave(PEER))
        assert driver.state.warning == ""
        assert not driver.state.misbehaving
        await driver.until(lambda: driver.count(PacketType.PINGRESP), "a ping on time", 20)


async def test_who_has_no_keep_alive_cannot_violate_it(mosquitto_broker: Broker) -> None:
    async with Driver() as driver:
        driver.session.execute(Misbehave(PEER, "silence"))
        await driver.connected(mosquitto_broker.port, connect=client(Version.V311, "no-ka", keep_alive=0))
        driver.session.execute(Misbehave(PEER, "silence"))
        driver.session.execute(Misbehave(PEER, "answer", code=0x87))
        driver.session.execute(Behave(PEER))
        assert [line.partition(":")[0] for line in driver.rejections] == [
            "misbehave",
            "no pings",
            "reason code",
            "nothing wrong is in force",
        ]


@pytest.mark.parametrize("qos", [1, 2])
async def test_a_withheld_acknowledgement_leaves_in_the_end(mosquitto_broker: Broker, qos: int) -> None:
    topic = f"withheld/{qos}"
    async with Driver() as driver:
        await driver.connected(mosquitto_broker.port, connect=client(Version.V5, topic))
        await driver.subscribed(TopicRequest(topic, qos))
        driver.session.execute(Misbehave(PEER, "withhold", 1))
        await driver.outcome(driver.publish(topic, b"a", qos=qos), Outcome.ACKED)
        await driver.until(lambda: "the broker waits for" in driver.state.warning, "the broker waits")
        answer = PUBACK if qos == 1 else PUBREC
        assert f"the broker waits for {answer.name} #1 since " in driver.state.warning
        await driver.outcome(driver.publish(topic, b"b", qos=qos), Outcome.ACKED)
        await driver.until(lambda: driver.count(answer, OUT) == 1, "the second message is answered")
        driver.session.execute(Behave(PEER))
        await observed(driver, "^1 acknowledgement held back left now$")
        await driver.until(lambda: driver.count(answer, OUT) == 2, "the first one too")
        assert not driver.state.misbehaving
        if qos == 2:
            await driver.until(lambda: driver.count(PUBCOMP, OUT) == 2, "the exchanges are completed")


@pytest.mark.parametrize(("qos", "answer"), [(1, PUBACK), (2, PUBREC)])
async def test_a_chosen_reason_code_arrives(mosquitto_broker: Broker, qos: int, answer: PacketType) -> None:
    topic = f"coded/{qos}"
    async with Driver() as driver:
        await driver.connected(mosquitto_broker.port, connect=client(Version.V5, topic))
        await driver.subscribed(TopicRequest(topic, qos))
        driver.session.execute(Misbehave(PEER, "answer", 1, frozenset((PUBACK, PUBREC)), 0x83))
        await driver.outcome(driver.publish(topic, b"a", qos=qos), Outcome.ACKED)
        await observed(driver, rf"^{answer.name} 0x83 implementation specific error for #1 was sent$")
        assert encode(Ack(answer, 1, 0x83), Version.V5) in driver.raw(OUT)
        await driver.until(lambda: not driver.state.misbehaving, "one was asked for")
        await driver.outcome(driver.publish(topic, b"b", qos=qos), Outcome.ACKED)
        await driver.until(lambda: driver.count(answer, OUT) == 2, "the next one is answered as always")
        assert driver.count(PacketType.PUBLISH, IN) == 2, "the refused one is not sent again"


async def test_what_the_broker_does_about_a_code_is_said() -> None:
    message = Publish("a", b"x", qos=1, packet_id=7)
    steps = (expect(Connect), reply(), expect(PacketType.PINGREQ), send(message), expect(PUBACK), close())
    async with Script(*steps, version=Version.V5, timeout=20) as broker, Driver() as driver:
        await driver.connected(broker.port, connect=Connect("c", Version.V5))
        driver.session.execute(Misbehave(PEER, "answer", 0, frozenset((PUBACK,)), 0x87))
        assert driver.state.warning == "answers with 0x87 not authorized in every PUBACK"
        driver.ping()
        await observed(driver, r"^closed without DISCONNECT \d+ ms after PUBACK 0x87 not authorized for #7$")


async def test_what_is_withheld_at_the_end_is_said() -> None:
    messages = (send(Publish("a", b"x", qos=1, packet_id=7)), send(Publish("a", b"x", qos=2, packet_id=8)))
    async with Script(expect(Connect), reply(), expect(PacketType.PINGREQ), *messages, serve()) as broker, Driver() as driver:
        await driver.connected(broker.port, connect=Connect("c", clean=False))
        driver.session.execute(Misbehave(PEER, "withhold"))
        driver.ping()
        await driver.until(lambda: "2 in all" in driver.state.warning, "both wait")
        driver.cut()
        await observed(driver, "^2 messages without acknowledgement come again when the session is resumed$")
        assert driver.count(PUBACK) == driver.count(PUBREC) == 0


async def test_one_message_that_is_withheld_at_the_end_is_gone() -> None:
    message = send(Publish("a", b"x", qos=1, packet_id=7))
    async with Script(expect(Connect), reply(), expect(PacketType.PINGREQ), message, serve()) as broker, Driver() as driver:
        await driver.connected(broker.port, connect=Connect("c"))
        driver.session.execute(Misbehave(PEER, "withhold"))
        driver.ping()
        await driver.until(lambda: "PUBACK #7" in driver.state.warning, "it waits")
        driver.cut()
        await observed(driver, "^1 message without acknowledgement is gone with the session$")


@pytest.mark.parametrize("version", [Version.V311, Version.V5])
async def test_taken_over_on_mosquitto(mosquitto_broker: Broker, version: Version) -> None:
    async with Driver() as driver:
        # The server chooses the id in MQTT 5; the second connection must use that one.
        name = "" if version is Version.V5 else "twins"
        await driver.connected(mosquitto_broker.port, connect=Connect(name, version))
        driver.session.execute(TakeOver(PEER))
        await observed(driver, r"^taken over [\d.,]+ m?s after the CONNECT: closed without DISCONNECT$")
        await driver.until(lambda: not driver.state.beside, "the second connection is over")
        assert driver.state.phase is Phase.IDLE
        assert len(driver.log.connections) == 2


async def test_taken_over_on_ejabberd(ejabberd_broker: Broker) -> None:
    async with Driver() as driver:
        await driver.connected(ejabberd_broker.port, connect=client(Version.V5, "twins"))
        driver.session.execute(TakeOver(PEER))
        await observed(driver, r"^taken over [\d.,]+ m?s after the CONNECT: DISCONNECT 0x8e session taken over$")
        await driver.phase(Phase.IDLE)


async def test_a_broker_that_lets_both_live(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mqtttui.client.on_request.TAKE_OVER_SECONDS", 0.2)
    steps = (expect(Connect), reply(), accept(), expect(Connect), reply(), expect(PacketType.DISCONNECT))
    async with Script(*steps) as broker, Driver() as driver:
        driver.session.execute(TakeOver(PEER))
        assert driver.rejections == ["take over: not connected"]
        await driver.connected(broker.port)
        driver.session.execute(TakeOver(PEER))
        await observed(driver, "^not taken over within 0.2 s: the broker lets both connections live$")
        assert driver.state.phase is Phase.CONNECTED


async def test_ejabberd_says_why_it_kicks(ejabberd_broker: Broker) -> None:
    async with Driver() as driver:
        await driver.connected(ejabberd_broker.port, connect=client(Version.V5, "silent", keep_alive=2))
        driver.session.execute(Misbehave(PEER, "silence"))
        found = await observed(driver, r"^kicked ([\d.]+) s after our last packet \(keep-alive 2 s, 1\.5 × = 3 s\): (.*)$")
        assert 2.5 <= float(found[1]) <= 25
        assert found[2] == "DISCONNECT 0x8d keep alive timeout"


@pytest.mark.parametrize("version", [Version.V311, Version.V5])
async def test_the_will_is_watched(mosquitto_broker: Broker, version: Version) -> None:
    topic = f"wills/{version}"
    async with Driver() as driver:
        connect = client(version, f"mortal-{version}", will=Will(topic, b"gone", 1), clean=False)
        await driver.connected(mosquitto_broker.port, connect=connect)
        driver.session.execute(WatchWill(PEER))
        await driver.until(lambda: driver.state.beside and "connection 1" in driver.state.beside[0], "the watch stands")
        await driver.outcome(driver.publish(topic, b"another", qos=1), Outcome.ACKED)
        driver.cut()
        await observed(driver, r"^the will came \d+ ms after the end: cut without DISCONNECT")
        await driver.until(lambda: not driver.state.beside, "the watch is over")


async def test_a_will_with_a_delay_comes_later(mosquitto_broker: Broker) -> None:
    will = Will("wills/late", b"gone", 1, properties=(Property(PropertyId.WILL_DELAY_INTERVAL, 1),))
    expiry = (Property(PropertyId.SESSION_EXPIRY_INTERVAL, 60),)
    async with Driver() as driver:
        await driver.connected(mosquitto_broker.port, connect=client(Version.V5, "mortal-late", will=will, properties=expiry))
        driver.session.execute(WatchWill(PEER))
        await driver.until(lambda: driver.state.beside and "connection 1" in driver.state.beside[0], "the watch stands")
        driver.cut()
        await observed(driver, r"^the will came [\d.]+ m?s after the end: cut")


async def test_a_watch_ends_with_the_will_that_never_comes(mosquitto_broker: Broker) -> None:
    async with Driver() as driver:
        await driver.connected(mosquitto_broker.port, connect=client(Version.V311, "no-will"))
        driver.session.execute(WatchWill(PEER))
        assert driver.rejections == ["watch the will: this connection has none"]
        await driver.connected(mosquitto_broker.port, connect=client(Version.V311, "mortal-stop", will=Will("wills/stop", b"x")))
        driver.session.execute(WatchWill(PEER))
        await driver.until(lambda: driver.state.beside and "connection 2" in driver.state.beside[0], "the watch stands")
        driver.session.execute(StopBeside(PEER))
        await driver.until(lambda: not driver.state.beside, "the watch is over")
        assert driver.state.phase is Phase.CONNECTED
