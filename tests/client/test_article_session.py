"""The article's session against real brokers, in every version and QoS."""

from __future__ import annotations

import pytest

from mqtttui.client.events import Outcome, Phase
from mqtttui.protocol.enums import Direction, PacketType, Version
from mqtttui.protocol.packets import Connect, TopicRequest, Will, encode
from tests.support.brokers import Broker
from tests.support.sessions import Driver

P = PacketType

EXPECTED = {
    0: [P.PUBLISH, P.PUBLISH],
    1: [P.PUBLISH, P.PUBACK, P.PUBLISH, P.PUBACK],
    2: [P.PUBLISH, P.PUBREC, P.PUBREL, P.PUBCOMP, P.PUBLISH, P.PUBREC, P.PUBREL, P.PUBCOMP],
}


@pytest.mark.parametrize("qos", [0, 1, 2])
@pytest.mark.parametrize("version", list(Version))
async def test_the_articles_session(password_mosquitto: Broker, version: Version, qos: int) -> None:
    topic = f"t/{version}/{qos}"
    connect = Connect(
        client_id=f"article-{version}-{qos}",
        version=version,
        clean=False,
        keep_alive=2,
        username="alice",
        password=b"secret",
        will=Will(f"{topic}/will", b"gone", qos=1, retain=True),
    )
    async with Driver() as driver:
        await driver.connected(password_mosquitto.port, connect=connect)
        await driver.subscribed(TopicRequest(topic, qos=qos))
        assert driver.state.subscriptions[0].answer == f"granted QoS {qos}"
        token = driver.publish(topic, b'{"on":true}', qos=qos)
        change = await driver.outcome(token, Outcome.SENT if qos == 0 else Outcome.ACKED)
        assert change.text == "sent" if qos == 0 else change.text.startswith("the broker took it, ")
        await driver.until(lambda: driver.count(P.PUBLISH, Direction.S2C) == 1, "the message back")
        await driver.until(lambda: driver.count(P.PINGRESP) >= 1, "a ping")
        await driver.disconnect()
        assert driver.state.failure is None
        assert driver.state.ended == "disconnected"
        types = [kind for kind in driver.types() if kind not in (P.PINGREQ, P.PINGRESP)]
        assert types[:4] == [P.CONNECT, P.CONNACK, P.SUBSCRIBE, P.SUBACK]
        assert sorted(types[4:-1]) == sorted(EXPECTED[qos])
        assert types[-1] is P.DISCONNECT
        first = driver.log[1].raw
        assert first == encode(connect, version)
        assert driver.log.connection(0).close_reason == "disconnected"
        assert driver.state.phase is Phase.IDLE
