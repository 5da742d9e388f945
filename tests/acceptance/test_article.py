"""The session that the article "Dissecting MQTT using Wireshark" takes apart, against a real mosquitto.

One connection with user name, password, a retained QoS 1 will, clean session off and a short keep-alive: subscribe, publish,
wait for a ping, disconnect. Every packet is listed and every bit that the article names stands in the tree.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from mqtttui.capture.log import Log
from mqtttui.client.commands import Connect as ConnectCommand
from mqtttui.client.commands import Disconnect, SendPublish, Subscribe
from mqtttui.client.events import Event, Outcome, Phase, PublishChanged
from mqtttui.client.session import Session
from mqtttui.config.options import ConnectOptions
from mqtttui.protocol.enums import Direction, PacketType, Version
from mqtttui.protocol.fields import Dissection
from mqtttui.protocol.packets import Connect, Publish, TopicRequest, Will
from tests.support.brokers import Broker
from tests.support.waiting import wait_until

T = PacketType
C, S = Direction.C2S, Direction.S2C
KEEP_ALIVE = 3
"""Seconds; the article's client says 10, which would only make the test longer."""

FLOWS: dict[int, list[tuple[Direction, PacketType]]] = {
    0: [(C, T.PUBLISH), (S, T.PUBLISH)],
    1: [(C, T.PUBLISH), (S, T.PUBACK), (S, T.PUBLISH), (C, T.PUBACK)],
    2: [(C, T.PUBLISH), (S, T.PUBREC), (C, T.PUBREL), (S, T.PUBCOMP), (S, T.PUBLISH), (C, T.PUBREC), (S, T.PUBREL), (C, T.PUBCOMP)],
}


@asynccontextmanager
async def running() -> AsyncIterator[tuple[Session, Log, list[Event]]]:
    log = Log()
    events: list[Event] = []
    session = Session("article", log, events.append)
    try:
        yield session, log, events
    finally:
        await session.close()


def rows(log: Log) -> list[tuple[Direction, PacketType]]:
    return [(log[number].direction, PacketType(log[number].raw[0] >> 4)) for number in log.numbers(1, log.last + 1)]


def find(log: Log, direction: Direction, kind: PacketType) -> Dissection:
    number = next(n for n in log.numbers(1, log.last + 1) if (log[n].direction, log[n].raw[0] >> 4) == (direction, kind))
    return log.dissect(number)


def value(packet: Dissection, name: str) -> object:
    field = packet.first(name)
    assert field is not None, f"{name} is not in the tree"
    return field.value


@pytest.mark.parametrize("version", list(Version), ids=lambda version: version.label)
@pytest.mark.parametrize("qos", [0, 1, 2])
async def test_every_packet_of_the_article_is_listed_and_every_bit_is_in_the_tree(
    password_mosquitto: Broker, version: Version, qos: int
) -> None:
    client_id = f"article{version}{qos}"
    connect = Connect(
        client_id=client_id,
        version=version,
        clean=False,
        keep_alive=KEEP_ALIVE,
        username="alice",
        password=b"secret",
        will=Will("t/will", b"gone", qos=1, retain=True),
    )
    options = ConnectOptions(host=password_mosquitto.host, port=password_mosquitto.port, connect=connect)
    topic = f"t/{client_id}"
    async with running() as (session, log, events):
        session.execute(ConnectCommand("article", options))
        await wait_until(lambda: session.state.phase is Phase.CONNECTED, lambda: f"not connected: {session.state}")
        session.execute(Subscribe("article", (TopicRequest(topic, qos),)))
        await wait_until(lambda: any(item.active for item in session.state.subscriptions), "no SUBACK")
        session.execute(SendPublish("article", 1, Publish(topic, b"21.5", qos)))
        expected = [(C, T.CONNECT), (S, T.CONNACK), (C, T.SUBSCRIBE), (S, T.SUBACK), *FLOWS[qos]]
        await wait_until(lambda: len(rows(log)) >= len(expected), lambda: f"only {rows(log)}")
        await wait_until(lambda: (S, T.PINGRESP) in rows(log), "no ping", timeout=KEEP_ALIVE * 3)
        session.execute(Disconnect("article"))
        await wait_until(lambda: session.state.phase is Phase.IDLE, "the connection does not end")
        listed = rows(log)

    # Our flow and the broker's copy of the message interleave as the broker likes.
    expected += [(C, T.PINGREQ), (S, T.PINGRESP), (C, T.DISCONNECT)]
    assert sorted(listed) == sorted(expected)
    assert listed[:4] == expected[:4]
    assert listed[-1] == (C, T.DISCONNECT)
    outcomes = [event.outcome for event in events if isinstance(event, PublishChanged)]
    assert outcomes[-1] is (Outcome.ACKED if qos else Outcome.SENT)
    assert not any("delivered" in event.text for event in events if isinstance(event, PublishChanged))

    _the_connect(find(log, C, T.CONNECT), version, client_id)
    connack = find(log, S, T.CONNACK)
    if version is not Version.V31:
        assert value(connack, "mqtt.conack.flags.sp") is False
    assert value(connack, "mqtt.connack.reason_code" if version is Version.V5 else "mqtt.conack.val") == 0
    subscribe = find(log, C, T.SUBSCRIBE)
    assert value(subscribe, "mqtt.topic") == topic
    assert value(subscribe, "mqtt.subscription_options_qos" if version is Version.V5 else "mqtt.sub.qos") == qos
    suback = find(log, S, T.SUBACK)
    assert value(suback, "mqtt.msgid") == value(subscribe, "mqtt.msgid")
    assert value(suback, "mqtt.suback.reason_code" if version is Version.V5 else "mqtt.suback.qos") == qos
    publish = find(log, S, T.PUBLISH)
    assert value(publish, "mqtt.dupflag") is False
    assert value(publish, "mqtt.qos") == qos
    assert value(publish, "mqtt.retain") is False
    assert value(publish, "mqtt.topic") == topic
    assert value(publish, "mqtt.msg") == b"21.5"
    assert find(log, C, T.PINGREQ).raw == bytes.fromhex("c000")
    assert find(log, S, T.PINGRESP).raw == bytes.fromhex("d000")
    assert find(log, C, T.DISCONNECT).raw[0] == 0xE0
    for packet in (log.dissect(number) for number in log.numbers(1, log.last + 1)):
        assert not packet.malformed
        assert all(field.explanation for field in packet.walk() if field.filter and not field.generated)


def _the_connect(packet: Dissection, version: Version, client_id: str) -> None:
    expected = {
        "mqtt.hdrflags": 0x10,
        "mqtt.msgtype": 1,
        "mqtt.ver": int(version),
        "mqtt.conflags": 0b1110_1100,
        "mqtt.conflag.uname": True,
        "mqtt.conflag.passwd": True,
        "mqtt.conflag.retain": True,
        "mqtt.conflag.qos": 1,
        "mqtt.conflag.willflag": True,
        "mqtt.conflag.cleansess": False,
        "mqtt.conflag.reserved": False,
        "mqtt.kalive": KEEP_ALIVE,
        "mqtt.clientid": client_id,
        "mqtt.willtopic": "t/will",
        "mqtt.willmsg": b"gone",
        "mqtt.username": "alice",
        "mqtt.passwd": "secret",
    }
    assert {name: value(packet, name) for name in expected} == expected
    retain = packet.first("mqtt.conflag.retain")
    qos = packet.first("mqtt.conflag.qos")
    assert retain is not None and retain.bits == "..1. ...."
    assert qos is not None and qos.bits == "...0 1..."
    secret = packet.first("mqtt.passwd")
    assert secret is not None and secret.secret
