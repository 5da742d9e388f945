"""What other brokers do differently."""

from __future__ import annotations

from mqtttui.client.events import Fix, Outcome
from mqtttui.protocol.enums import Direction, PacketType, PropertyId, Version
from mqtttui.protocol.packets import Connect, Property, TopicRequest
from tests.support.brokers import Broker
from tests.support.sessions import Driver

ALICE = Connect(client_id="alice-5", version=Version.V5, username="alice", password=b"secret", keep_alive=30)


async def test_ejabberd(ejabberd_broker: Broker) -> None:
    async with Driver() as driver:
        await driver.connected(ejabberd_broker.port, connect=ALICE)
        assert driver.state.keep_alive == 30
        await driver.subscribed(TopicRequest("e/#", 2))
        for qos in (0, 1, 2):
            properties = (Property(PropertyId.USER_PROPERTY, ("n", str(qos))),)
            token = driver.publish(f"e/{qos}", b"x", qos=qos, properties=properties)
            await driver.outcome(token, Outcome.SENT if qos == 0 else Outcome.ACKED)
        await driver.until(lambda: driver.count(PacketType.PUBLISH, Direction.S2C) == 3, "all back")
        await driver.disconnect()


async def test_ejabberd_ends_a_shared_subscription(ejabberd_broker: Broker) -> None:
    async with Driver() as driver:
        await driver.connected(ejabberd_broker.port, connect=ALICE)
        driver.subscribe("$share/g/x")
        failure = (await driver.failed()).failure
        assert failure is not None
        assert failure.title == "The server disconnected: 0x9e shared subscriptions not supported"


async def test_ejabberd_refuses_the_password(ejabberd_broker: Broker) -> None:
    async with Driver() as driver:
        driver.connect(ejabberd_broker.port, connect=Connect(client_id="x", version=Version.V5, username="alice", password=b"wrong"))
        failure = (await driver.failed()).failure
        assert failure is not None
        assert failure.title in ("Refused: 0x86 bad user name or password", "Refused: 0x87 not authorized")


async def test_nats_knows_no_mqtt_5(nats_broker: Broker) -> None:
    async with Driver() as driver:
        driver.connect(nats_broker.port, connect=Connect(client_id="n", version=Version.V5))
        failure = (await driver.failed()).failure
        assert failure is not None
        assert failure.title == "Refused: 1 unacceptable protocol version"
        assert failure.fixes == (Fix.USE_311,)
        assert len(driver.log.connections) == 1, "not tried again in another version"
        await driver.connected(nats_broker.port, connect=Connect(client_id="n", version=Version.V311))
        await driver.subscribed(TopicRequest("n/1", 1))
        await driver.outcome(driver.publish("n/1", b"x", qos=1), Outcome.ACKED)
