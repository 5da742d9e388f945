"""Clients that are killed, or lose their link, and come back to their session on four brokers: nothing of it is called a fault.

What these brokers do wrong is left out: mosquitto 2.0.11 sends a v5 client more unacknowledged messages than it allows (then
`mosquitto_sub` itself gives up, and E13 says why); aedes 1.2 sends messages of a session again without DUP (D05) and loses a
PUBREL when several are due at once (E08).
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from mqtttui.client.events import Outcome
from mqtttui.config.options import ReconnectOptions
from mqtttui.demo.demo import Demo
from mqtttui.protocol.enums import Direction, PacketType, PropertyId, Severity, Version
from mqtttui.protocol.packets import Connect, Property, TopicRequest
from tests.support.brokers import ALICE, Broker
from tests.support.healthy import acknowledged, found, received, recorded, start
from tests.support.proxy import Proxy
from tests.support.sessions import Driver

LOGIN = ("-u", ALICE[0], "-P", ALICE[1])
_SUBACK, _QOS1 = 0x90, 0x32


async def converse(broker: Broker, version: str, login: Sequence[str] = (), highest: int = 2) -> list[str]:
    """Stored, live and queued messages, a client that dies and comes back; the findings from a warning on."""
    # nats-server takes no dots in topics.
    topic = f"healthy/{version.replace('.', '')}"
    keep = ["-i", f"keeper-{version.replace('.', '')}", "-c", "-k", "5", "-q", str(highest), *(["-x", "600"] if version == "5" else [])]

    async with Proxy(broker.host, broker.port) as proxy:

        async def publish(*words: str) -> None:
            assert await (await start("mosquitto_pub", proxy, version, *words, login=login)).ended() == 0

        await publish("-t", f"{topic}/stored", "-m", "value", "-r", "-q", "1")
        sub = await start("mosquitto_sub", proxy, version, *keep, "-t", f"{topic}/#", "-t", "$SYS/broker/uptime", login=login)
        await received(proxy, _SUBACK, connection=1)
        for qos in range(highest + 1):
            await publish("-t", f"{topic}/live", "-m", f"message {qos}", "-q", str(qos))
        await publish("-t", f"{topic}/many", "-m", "burst", "-q", "1", "--repeat", "9")
        await publish("-t", f"{topic}/stored", "-n", "-r", "-q", "0")
        await publish("-t", f"{topic}/last", "-m", "seen", "-q", "1")
        await received(proxy, _QOS1, 12, connection=1)
        await acknowledged(proxy, 1)
        sub.kill()
        await sub.ended()
        for qos in range(1, highest + 1):
            await publish("-t", f"{topic}/away", "-m", f"message {qos}", "-q", str(qos), "--repeat", "6")
        before = len(proxy.connections)
        again = await start("mosquitto_sub", proxy, version, *keep, "-t", f"{topic}/#", "-W", "2", login=login)
        await received(proxy, _QOS1, 6, connection=before)
        await again.ended()
        return [f"{finding.no} {finding.id} {finding.text}" for finding in found(recorded(proxy)) if _counts(finding.id, finding.severity)]


def _counts(check: str, severity: Severity) -> bool:
    """Checks of topics, messages and subscriptions: that a client was killed, or logs in without TLS, is rightly said."""
    return severity >= Severity.WARN and check[0] in "BDEF"


@pytest.mark.parametrize("version", ["3.1", "3.1.1", "5"])
async def test_mosquitto(mosquitto_broker: Broker, version: str) -> None:
    assert await converse(mosquitto_broker, version) == []


@pytest.mark.slow
@pytest.mark.parametrize("version", ["3.1.1", "5"])
async def test_ejabberd(ejabberd_broker: Broker, version: str) -> None:
    assert await converse(ejabberd_broker, version, LOGIN) == []


@pytest.mark.slow
async def test_nats(nats_broker: Broker) -> None:
    assert await converse(nats_broker, "3.1.1", highest=1) == []


@pytest.mark.slow
@pytest.mark.parametrize("version", ["3.1", "3.1.1"])
async def test_aedes(aedes_broker: Broker, version: str) -> None:
    assert await converse(aedes_broker, version) == []


@pytest.mark.parametrize("version", list(Version), ids=lambda version: version.label)
async def test_the_own_client_across_a_lost_link(mosquitto_broker: Broker, version: Version) -> None:
    properties = (Property(PropertyId.SESSION_EXPIRY_INTERVAL, 100),) if version is Version.V5 else ()
    connect = Connect(f"own-{version}", version, clean=False, properties=properties)
    again = ReconnectOptions(enabled=True, first_delay=0.05, longest_delay=0.1)
    async with Proxy(mosquitto_broker.host, mosquitto_broker.port) as proxy, Driver() as driver:
        await driver.connected(proxy.port, connect=connect, reconnect=again)
        await driver.subscribed(TopicRequest(f"own/{version}/#", 2))
        tokens = [driver.publish(f"own/{version}/{qos}", b"a payload of its own, %d" % qos, qos=qos) for qos in (0, 1, 2)]
        for token in tokens:
            await driver.outcome(token, Outcome.ACKED, Outcome.SENT)
        await driver.until(lambda: driver.count(PacketType.PUBLISH, Direction.S2C) == 3, "the first ones back")
        proxy.to_client.stall = True
        lost = [driver.publish(f"own/{version}/lost", b"a payload that is lost, %d" % qos, qos=qos) for qos in (1, 2)]
        await driver.until(lambda: driver.count(PacketType.PUBLISH, Direction.C2S) == 5, "both on their way")
        proxy.connections[0].reset()
        proxy.to_client.stall = False
        for token in lost:
            await driver.outcome(token, Outcome.ACKED)
        await driver.until(lambda: driver.count(PacketType.PUBLISH, Direction.S2C) >= 5, "all back")
        await driver.disconnect()
        assert [f"{finding.no} {finding.id} {finding.text}" for finding in found(driver.log) if _counts(finding.id, finding.severity)] == []


@pytest.mark.parametrize(
    "version",
    [pytest.param(each, marks=[] if each is Version.V5 else pytest.mark.slow) for each in Version],
    ids=lambda version: version.label,
)
async def test_the_demo(version: Version) -> None:
    with Demo(pace=10) as demo:
        options = demo.options()
        connect = options.connect if version is Version.V5 else Connect("demo", version)
        async with Driver() as driver:
            await driver.connected(options.port, connect=connect)
            await driver.subscribed(TopicRequest("#", 2), TopicRequest("$SYS/#", 1))
            await driver.until(lambda: driver.count(PacketType.PUBLISH, Direction.S2C) > 200, "the devices' messages")
            await driver.disconnect()
            assert [finding.text for finding in found(driver.log) if _counts(finding.id, finding.severity)] == []
