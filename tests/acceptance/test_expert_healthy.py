"""The expert checks never cry wolf: healthy sessions with real brokers and clients have no warnings and no errors."""

from __future__ import annotations

import asyncio
import shlex
import time
from collections.abc import Awaitable, Callable
from itertools import pairwise

import pytest

from mqtttui.analysis.findings import Findings
from mqtttui.analysis.pairs import Pairs
from mqtttui.capture.log import Log, Origin
from mqtttui.capture.recorder import Recorder
from mqtttui.client.events import Outcome
from mqtttui.protocol.enums import Direction, PacketType, PropertyId, Severity, Version
from mqtttui.protocol.packets import Connect, Property, TopicRequest, Will
from tests.support.brokers import Broker
from tests.support.proxy import Connection, Proxy
from tests.support.sessions import Driver
from tests.support.waiting import wait_until

V31, V311, V5 = Version.V31, Version.V311, Version.V5
LABELS = {V31: "mqttv31", V311: "mqttv311", V5: "mqttv5"}
LISTEN_V5 = shlex.split(
    "-D subscribe subscription-identifier 7 -D connect session-expiry-interval 5 -D connect receive-maximum 7 "
    "-D connect topic-alias-maximum 4 -D connect maximum-packet-size 5000"
)
PUBLISH_V5 = shlex.split(
    "-D publish content-type application/json -D publish user-property a b -D publish response-topic answer/here "
    "-D publish correlation-data 0102 -D publish message-expiry-interval 60 -D publish topic-alias 3 "
    "-D publish payload-format-indicator 1"
)
SECOND = 1_000_000_000


def assert_healthy(log: Log, *expected: str) -> None:
    """No finding is worse than a note, but for `expected` checks; neither now nor when time goes on."""
    followed = Findings()
    while not followed.advance(log):
        pass
    followed.tick(time.monotonic_ns() + 3600 * SECOND)
    found = [(no, item.id, item.text) for no in log.numbers() for item in followed.of(no) if item.severity >= Severity.WARN]
    wrong = [item for item in found if item[1] not in expected]
    assert not wrong, f"{wrong}\n{describe(log)}"


def describe(log: Log) -> str:
    return "\n".join(f"{no} {log.head(no).connection} {log.head(no).direction.label} {log[no].raw[:40].hex()}" for no in log.numbers())


def hello(client_id: str, version: Version, *, clean: bool = True, login: bool = False) -> Connect:
    """A CONNECT with a will and, in MQTT 5, properties that common clients send."""
    properties: tuple[Property, ...] = ()
    if version is V5:
        properties = (Property(PropertyId.TOPIC_ALIAS_MAXIMUM, 10), Property(PropertyId.RECEIVE_MAXIMUM, 20))
        properties += () if clean else (Property(PropertyId.SESSION_EXPIRY_INTERVAL, 120),)
    return Connect(
        client_id,
        version,
        clean,
        30,
        username="alice" if login else None,
        password=b"secret" if login else None,
        will=Will(f"will/{client_id}", b"gone", 1),
        properties=properties,
    )


async def settled(driver: Driver) -> None:
    """Waits until nothing is under way any more: a ping is answered behind everything else, and each message has its answer."""
    pings = driver.count(PacketType.PINGRESP)
    driver.ping()
    await driver.until(lambda: driver.count(PacketType.PINGRESP) > pings and not unanswered(driver.log), "everything answered")


def unanswered(log: Log) -> set[int]:
    """Messages with QoS 1 or 2 of the latest connection that wait for their last answer."""
    pairs = Pairs()
    while not pairs.advance(log):
        pass
    heads = [(no, log.head(no)) for no in log.numbers()]
    here = [(no, head) for no, head in heads if head.connection == log.connection_count - 1]
    asks = {no for no, head in here if (0x30 < head.first_byte < 0x40 and head.first_byte & 6) or head.first_byte >> 4 in (5, 6)}
    return {no for no in asks if pairs.answer_of(no) is None}


async def session(driver: Driver, broker: Broker, version: Version, name: str, *, top: int = 2, login: bool = False) -> None:
    """Messages in all qualities, a stored one, a ping, and a session that goes on after the client was away."""
    topic = f"healthy/{name}"
    keeping = hello(name, version, clean=False, login=login)
    await driver.connected(broker.port, connect=hello(name, version, login=login))
    await driver.subscribed(TopicRequest(f"{topic}/#", top), TopicRequest(f"will/{name}", 1))
    for qos in range(top + 1):
        for count in range(3):
            token = driver.publish(f"{topic}/q{qos}", b"%d" % count, qos=qos)
            await driver.outcome(token, Outcome.SENT if qos == 0 else Outcome.ACKED)
    await driver.outcome(driver.publish(f"{topic}/kept", b"x", qos=1, retain=True), Outcome.ACKED)
    await driver.until(lambda: driver.count(PacketType.PUBLISH, Direction.S2C) >= 3 * (top + 1) + 1, "all messages back")
    driver.ping()
    await driver.until(lambda: driver.count(PacketType.PINGRESP) == 1, "PINGRESP")
    await settled(driver)
    await driver.disconnect()
    await driver.connected(broker.port, connect=keeping)
    before = driver.count(PacketType.PUBLISH, Direction.S2C)
    await driver.subscribed(TopicRequest(f"{topic}/#", top))
    await driver.until(lambda: driver.count(PacketType.PUBLISH, Direction.S2C) > before, "the stored message")
    await settled(driver)
    await driver.disconnect()
    async with Driver() as other:
        await other.connected(broker.port, connect=hello(f"{name}2", version, login=login))
        for qos in range(1, top + 1):
            await other.outcome(other.publish(f"{topic}/missed", b"%d" % qos, qos=qos), Outcome.ACKED)
        await other.disconnect()
        assert_healthy(other.log)
    before = driver.count(PacketType.PUBLISH, Direction.S2C)
    await driver.connected(broker.port, connect=keeping)
    await driver.until(lambda: driver.count(PacketType.PUBLISH, Direction.S2C) >= before + top, "what came meanwhile")
    await driver.outcome(driver.publish(f"{topic}/kept", b"", qos=1, retain=True), Outcome.ACKED)
    await driver.until(lambda: driver.count(PacketType.PUBLISH, Direction.S2C) > before + top, "the empty message back")
    await settled(driver)
    await driver.disconnect()


@pytest.mark.parametrize("version", list(Version), ids=lambda version: version.label)
async def test_mosquitto(mosquitto_broker: Broker, version: Version) -> None:
    async with Driver() as driver:
        await session(driver, mosquitto_broker, version, f"m{version.value}")
        assert_healthy(driver.log)


@pytest.mark.parametrize("version", [V311, V5], ids=lambda version: version.label)
async def test_ejabberd(ejabberd_broker: Broker, version: Version) -> None:
    async with Driver() as driver:
        await session(driver, ejabberd_broker, version, f"e{version.value}", login=True)
        assert_healthy(driver.log)


@pytest.mark.parametrize("version", [V31, V311], ids=lambda version: version.label)
async def test_aedes(aedes_broker: Broker, version: Version) -> None:
    async with Driver() as driver:
        await session(driver, aedes_broker, version, f"a{version.value}")
        assert_healthy(driver.log)


async def test_nats(nats_broker: Broker) -> None:
    async with Driver() as driver:
        await session(driver, nats_broker, V311, "n4", top=1)
        assert_healthy(driver.log)


@pytest.mark.parametrize("version", [V311, V5], ids=lambda version: version.label)
async def test_a_client_that_comes_back_after_a_cut(mosquitto_broker: Broker, version: Version) -> None:
    """Only the cut itself is worth a warning."""
    async with Driver() as driver:
        keeping = hello(f"cut{version.value}", version, clean=False)
        await driver.connected(mosquitto_broker.port, connect=keeping)
        await driver.subscribed(TopicRequest("healthy/cut/#", 2))
        for qos in (1, 2):
            driver.publish("healthy/cut/a", b"x", qos=qos)
        await driver.until(lambda: driver.count(PacketType.PUBLISH, Direction.C2S) == 2, "both left")
        driver.cut()
        await driver.until(lambda: driver.log.connection(0).closed is not None, "the cut")
        await driver.connected(mosquitto_broker.port, connect=keeping)
        await driver.outcome(driver.publish("healthy/cut/a", b"y", qos=1), Outcome.ACKED)
        await settled(driver)
        await driver.disconnect()
        assert_healthy(driver.log, "G06")


async def run(*words: str) -> None:
    process = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL)
    assert await asyncio.wait_for(process.wait(), 30) == 0


async def through_proxy(broker: Broker, clients: Callable[[list[str], Proxy], Awaitable[None]]) -> list[Connection]:
    """What clients and broker said to each other."""
    async with Proxy(broker.host, broker.port) as proxy:
        await clients(["-h", "127.0.0.1", "-p", str(proxy.port)], proxy)
        await wait_until(lambda: all(item.closed for item in proxy.connections), "a connection is still open")
        return list(proxy.connections)


def logged(connections: list[Connection], origin: Origin) -> Log:
    """The connections in a log, with the times at which the proxy passed on what was said."""
    log = Log()
    events = sorted(
        (moment, number, direction, start, stop)
        for number, item in enumerate(connections)
        for direction, moment, start, stop in _chunks(item)
    )
    recorders = [
        Recorder(log, log.open_connection(peer="", origin=origin, destination="127.0.0.1:1883", transport="tcp", mono=0, wall=0))
        for _ in connections
    ]
    last = [0] * len(connections)
    for moment, number, direction, start, stop in events:
        way = connections[number].to_server if direction is Direction.C2S else connections[number].to_client
        last[number] = int(moment * SECOND)
        recorders[number].record(direction, bytes(way.data[start:stop]), last[number], 0)
    for number, recorder in enumerate(recorders):
        recorder.closed(last[number] + 1, "closed")
    return log


def _chunks(item: Connection) -> list[tuple[Direction, float, int, int]]:
    found = []
    for direction, way in ((Direction.C2S, item.to_server), (Direction.S2C, item.to_client)):
        offsets = [0]
        for _, length in way.chunks:
            offsets.append(offsets[-1] + length)
        found += [(direction, moment, start, stop) for (moment, _), (start, stop) in zip(way.chunks, pairwise(offsets), strict=True)]
    return found


@pytest.mark.parametrize("version", list(Version), ids=lambda version: version.label)
async def test_mosquittos_clients(mosquitto_broker: Broker, version: Version) -> None:
    topic = f"healthy/clients{version.value}"
    will = ["--will-topic", f"{topic}/will", "--will-payload", "gone", "--will-qos", "1"]
    listen, send = ([], []) if version is not V5 else (LISTEN_V5, PUBLISH_V5)

    async def clients(to: list[str], proxy: Proxy) -> None:
        to = [*to, "-V", LABELS[version]]
        listening = asyncio.create_task(
            run(
                "mosquitto_sub",
                *to,
                "-i",
                "listener",
                "-t",
                f"{topic}/a",
                "-t",
                f"{topic}/b",
                "-q",
                "2",
                "-k",
                "5",
                "-C",
                "4",
                *will,
                *listen,
            )
        )
        try:
            await wait_until(lambda: any(b"\x90" in item.to_client.data for item in proxy.connections), "no SUBACK passed the proxy")
            for qos in "012":
                await run("mosquitto_pub", *to, "-i", "device", "-t", f"{topic}/a", "-m", f"q{qos}", "-q", qos, "-r", *send)
            await run("mosquitto_pub", *to, "-t", f"{topic}/a", "-n", "-r", "-q", "1")
            await listening
        finally:
            listening.cancel()

    connections = await through_proxy(mosquitto_broker, clients)
    for origin in (Origin.RELAYED, Origin.FILE):
        assert_healthy(logged(connections, origin))


@pytest.mark.slow
@pytest.mark.parametrize("version", [V311, V5], ids=lambda version: version.label)
async def test_clients_that_only_ping(mosquitto_broker: Broker, version: Version) -> None:
    """mosquitto's client looks at its clock once a second, so it pings up to a second late."""

    async def clients(to: list[str], proxy: Proxy) -> None:
        words = ["mosquitto_sub", *to, "-V", LABELS[version], "-i", "quiet", "-t", "healthy/quiet", "-k", "5", "-W", "17"]
        process = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL)
        async with Driver() as driver:
            await driver.connected(mosquitto_broker.port, connect=Connect(f"quiet{version.value}", version, keep_alive=5))
            await asyncio.wait_for(process.wait(), 30)
            assert driver.count(PacketType.PINGRESP) >= 3
            await driver.disconnect()
            assert_healthy(driver.log)

    log = logged(await through_proxy(mosquitto_broker, clients), Origin.RELAYED)
    assert sum(log.head(no).first_byte == 0xC0 for no in log.numbers()) >= 2
    assert_healthy(log)
