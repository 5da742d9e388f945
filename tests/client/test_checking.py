"""One test run against mosquitto, and against brokers that play each class of error."""

from __future__ import annotations

import asyncio
import socket
import time
from dataclasses import replace
from typing import Any, Literal

import pytest

from mqtttui.analysis.check_run import METRICS, SIZES, Depth, Plan, Run
from mqtttui.capture.log import Log
from mqtttui.client import dial, tcp
from mqtttui.client.checking import PEER, check_all, check_once
from mqtttui.client.steps import Steps, step_names
from mqtttui.config.check import CheckJob
from mqtttui.config.options import ConnectOptions, ProxyOptions, TlsOptions, WebSocketOptions
from mqtttui.protocol.enums import ErrorClass, PacketType, PropertyId, Version
from mqtttui.protocol.packets import (
    Ack,
    Connack,
    Connect,
    Disconnect,
    Packet,
    Pingreq,
    Property,
    Publish,
    Subscribe,
    Unsubscribe,
)
from tests.support.brokers import ALICE, Broker, Ways, free_port
from tests.support.certs import Certificates
from tests.support.proxies import Http, Socks
from tests.support.raw_client import connected
from tests.support.scripted import Script, close, expect, friendly_answer, reply, send, send_raw, serve
from tests.support.waiting import wait_until

WHOLE = {metric.key for metric in METRICS} - {"dns", "unix", "proxy", "tls", "websocket", "first-message"}


def options(port: int, version: Version = Version.V311, host: str = "127.0.0.1", **connect: Any) -> ConnectOptions:
    return ConnectOptions(host=host, port=port, connect=Connect(connect.pop("client_id", "check"), version, **connect))


def plan(depth: Depth = Depth.PUBLISH, timeout: float = 5.0, topic: bytes = b"check/x", **changes: Any) -> Plan:
    return Plan(topic, depth, timeout=timeout, **changes)


def healthy(run: Run, keys: set[str]) -> None:
    assert run.error is None
    assert set(run.times) == keys
    assert all(value >= 0 for value in run.times.values()), run.times


# Brokers that work


@pytest.mark.parametrize("version", list(Version), ids=lambda version: version.label)
async def test_a_whole_run_on_mosquitto(mosquitto_broker: Broker, version: Version) -> None:
    run = await check_once(options(mosquitto_broker.port, version), plan())
    healthy(run, WHOLE)
    assert set(run.sizes) == {key for key, _ in SIZES}
    assert run.times["publish-qos2"] >= run.times["publish-qos2-pubrec"] + run.times["publish-qos2-pubcomp"]
    assert run.times["connected"] >= run.times["tcp"] + run.times["connack"]
    assert run.times["total"] >= sum(run.times[key] for key in ("connected", "subscribe", "publish-qos1", "publish-qos2", "ping"))


async def test_with_a_name_there_is_a_lookup(mosquitto_broker: Broker) -> None:
    healthy(await check_once(options(mosquitto_broker.port, host="localhost"), plan()), WHOLE | {"dns"})


async def test_with_tls_there_is_a_handshake(tls_mosquitto: Broker, certificates: Certificates) -> None:
    secure = replace(options(tls_mosquitto.port), tls=TlsOptions(ca_file=str(certificates.ca)))
    healthy(await check_once(secure, plan()), WHOLE | {"tls"})


@pytest.mark.parametrize("transport", ["ws", "wss", "unix"])
async def test_every_transport_has_its_own_times(mosquitto_ways: Ways, certificates: Certificates, transport: str) -> None:
    web, secure = WebSocketOptions(), TlsOptions(ca_file=str(certificates.ca))
    way, keys = {
        "ws": (replace(options(mosquitto_ways.websocket), websocket=web), WHOLE | {"websocket"}),
        "wss": (replace(options(mosquitto_ways.secure_websocket), websocket=web, tls=secure), WHOLE | {"tls", "websocket"}),
        "unix": (replace(options(0), unix_path=mosquitto_ways.unix), (WHOLE - {"tcp"}) | {"unix"}),
    }[transport]
    run = await check_once(way, plan(timeout=20))
    healthy(run, keys)
    assert run.times["connected"] >= sum(run.times.get(key, 0) for key in ("unix", "tcp", "tls", "websocket", "connack"))


@pytest.mark.parametrize("kind", ["http", "socks5"])
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
async def test_through_a_proxy(mosquitto_ways: Ways, certificates: Certificates, kind: Literal["http", "socks5"], *, tls: bool) -> None:
    """The proxy has a time of its own; TCP is the way to it."""
    async with Http() if kind == "http" else Socks() as proxy:
        port = mosquitto_ways.tls if tls else mosquitto_ways.broker.port
        secure = TlsOptions(ca_file=str(certificates.ca)) if tls else None
        way = replace(options(port), tls=secure, proxy=ProxyOptions(kind, "127.0.0.1", proxy.port))
        run = await check_once(way, plan())
        healthy(run, WHOLE | {"proxy"} | ({"tls"} if tls else set()))
        assert proxy.asked == [("127.0.0.1", port)]
        assert run.times["connected"] >= sum(run.times.get(key, 0) for key in ("tcp", "proxy", "tls", "connack"))


async def test_with_a_password(password_mosquitto: Broker) -> None:
    name, password = ALICE
    login = options(password_mosquitto.port, username=name, password=password.encode())
    healthy(await check_once(login, plan(topic=b"t/check")), WHOLE)


async def test_connect_only(mosquitto_broker: Broker) -> None:
    run = await check_once(options(mosquitto_broker.port), plan(Depth.CONNECT))
    healthy(run, {"tcp", "connack", "connected", "ping", "total"})
    assert run.sizes == {}


async def test_subscribe_only_measures_what_is_retained(mosquitto_broker: Broker) -> None:
    async with connected(mosquitto_broker.port) as client:
        client.send(Publish("check/retained/a", b"12345", retain=True), Publish("check/retained/b", b"1", retain=True))
        await client.quiet()
    run = await check_once(options(mosquitto_broker.port), plan(Depth.SUBSCRIBE, topic=b"check/retained/+"))
    healthy(run, {"tcp", "connack", "connected", "subscribe", "first-message", "unsubscribe", "ping", "total"})
    sizes = {b"a": (2 + 2 + 16 + 5, 5), b"b": (2 + 2 + 16 + 1, 1)}
    assert (run.sizes["subscribe-size"], run.sizes["subscribe-payload"]) in sizes.values()
    assert run.sizes["subscribe-total"] == sum(size for size, _ in sizes.values())


async def test_only_the_qos_that_are_asked_for(mosquitto_broker: Broker) -> None:
    run = await check_once(options(mosquitto_broker.port), plan(qos=(1,)))
    assert run.error is None
    assert {key for key in run.times if "qos" in key} == {"publish-qos1", "latency-qos1"}


def echoing(packet: Packet, version: Version) -> Packet | None:
    """A broker with Maximum QoS 1 that sends back what is published, instead of an answer where none is due."""
    match packet:
        case Publish(qos=0):
            return packet
        case Connect():
            return Connack(properties=(Property(PropertyId.MAXIMUM_QOS, 0),))
        case _:
            return friendly_answer(packet, version)


async def test_qos_above_the_maximum_of_the_broker_is_left_out_and_said() -> None:
    async with Script(serve(echoing)) as broker:
        run = await check_once(options(broker.port, Version.V5), plan())
        assert run.error is None
        assert [packet.qos for packet in broker.received if isinstance(packet, Publish)] == [0]
    assert run.skipped == ("QoS 1: the broker allows QoS 0 at most", "QoS 2: the broker allows QoS 0 at most")


async def test_it_says_what_it_waits_for(mosquitto_broker: Broker) -> None:
    said: list[str] = []
    await check_once(options(mosquitto_broker.port), plan(), progress=said.append)
    assert said[0] == "waiting for CONNACK"
    assert "waiting for the probe of QoS 2" in said
    assert said[-1] == "disconnecting"


async def test_runs_share_a_log_with_other_traffic(mosquitto_broker: Broker) -> None:
    """Each reads its own packets alone, and all stay for others to see."""
    log, runs, said = Log(), list[Run](), set[int]()
    job = CheckJob(options(mosquitto_broker.port), plan(topic=b"check/shared"), count=2, interval=0)

    async def other() -> None:
        await check_once(options(mosquitto_broker.port, client_id="other"), plan(topic=b"check/shared"), log=log)

    noise = asyncio.get_running_loop().create_task(other())
    await check_all(job, runs.append, lambda number, text: said.add(number), log)
    await noise
    for run in runs:
        healthy(run, WHOLE | ({"first-message"} & set(run.times)))
    assert [run.number for run in runs] == [1, 2] and said == {1, 2}
    assert [info.peer for info in log.connections] == [PEER] * 3
    assert all(info.closed is not None for info in log.connections)


# Each class of error


async def failed(port: int, kind: ErrorClass, step: str, title: str, version: Version = Version.V311, **changes: Any) -> Run:
    run = await check_once(replace(options(port, version), **changes), plan(timeout=0.5))
    assert run.error is not None
    assert (run.error.kind, run.error.step) == (kind, step), run.error
    assert title in run.error.title
    assert "total" not in run.times
    return run


async def test_a_name_that_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_found(host: str, *args: object, **kwargs: object) -> list[object]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", not_found)
    run = await failed(1883, ErrorClass.DNS, "resolve", "Name not found", host="broker.invalid")
    assert run.times == {}


async def test_a_port_that_refuses() -> None:
    await failed(free_port(), ErrorClass.CONNECT, "tcp", "refused")


async def test_no_tls_there() -> None:
    async with Script(send_raw(b"\x20\x02\x00\x00")) as broker:
        run = await failed(broker.port, ErrorClass.TLS, "tls", "No TLS", tls=TlsOptions())
    assert set(run.times) == {"tcp"}


async def test_a_certificate_of_nobody_known(tls_mosquitto: Broker) -> None:
    await failed(tls_mosquitto.port, ErrorClass.TLS, "tls", "", tls=TlsOptions())


async def test_a_client_certificate_that_is_wanted(mutual_tls_mosquitto: Broker, certificates: Certificates) -> None:
    """With TLS 1.3 the refusal comes after the handshake."""
    tls = TlsOptions(ca_file=str(certificates.ca))
    run = await check_once(replace(options(mutual_tls_mosquitto.port), tls=tls), plan())
    assert run.error is not None and run.error.kind in (ErrorClass.TLS, ErrorClass.CLOSED)
    assert "tls" in run.times


async def test_connack_refuses() -> None:
    async with Script(expect(Connect), reply(code=5)) as broker:
        run = await failed(broker.port, ErrorClass.REFUSED, "connack", "not authorized")
    assert set(run.times) == {"tcp", "connack", "connected"}


async def test_no_connack() -> None:
    async with Script(expect(Connect)) as broker:
        await failed(broker.port, ErrorClass.TIMEOUT, "connack", "No answer to CONNECT")


async def test_closed_without_connack() -> None:
    async with Script(expect(Connect), close()) as broker:
        await failed(broker.port, ErrorClass.CLOSED, "connack", "Closed without answering")


NO_MQTT = (b"HTTP/1.1 400 Bad Request\r\n\r\n" + b"x" * 200, b"SSH-2.0-x\r\n", b"\x20\x01\x00", b"\x20\xff\xff\xff\xff\x01")


@pytest.mark.parametrize("data", NO_MQTT)
async def test_no_mqtt_there(data: bytes) -> None:
    async with Script(expect(Connect), send_raw(data)) as broker:
        await failed(broker.port, ErrorClass.PROTOCOL, "connack", "")


async def test_suback_refuses() -> None:
    async with Script(expect(Connect), reply(), expect(Subscribe), reply(codes=(0x87,)), expect(Disconnect)) as broker:
        run = await failed(broker.port, ErrorClass.REFUSED, "SUBACK", "not authorized", Version.V5)
    assert "subscribe" in run.times


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"\x90\x03\x00\x01", ErrorClass.TIMEOUT),
        (b"\x90\x01\x00", ErrorClass.PROTOCOL),
        (b"\x90\x02\x00\x01", ErrorClass.PROTOCOL),
        (b"\x90\x04\x00\x01\x00\x00", ErrorClass.PROTOCOL),
        (b"\x90\x03\x7f\xff\x00", ErrorClass.TIMEOUT),
    ],
    ids=["not whole", "malformed", "without an answer", "with two answers", "for nothing that was asked"],
)
async def test_a_suback_that_is_none(answer: bytes, kind: ErrorClass) -> None:
    async with Script(expect(Connect), reply(), expect(Subscribe), send_raw(answer)) as broker:
        await failed(broker.port, kind, "SUBACK", "")


async def test_unreadable_bytes_later_on() -> None:
    async with Script(expect(Connect), reply(), expect(Subscribe), send_raw(b"\x90\xff\xff\xff\xff\x01")) as broker:
        await failed(broker.port, ErrorClass.PROTOCOL, "SUBACK", "Unreadable bytes")


async def test_puback_refuses() -> None:
    def answer(packet: Packet, version: Version) -> Packet | None:
        if isinstance(packet, Publish):
            return packet if not packet.qos else Ack(PacketType.PUBACK, packet.packet_id or 0, 0x87)
        return friendly_answer(packet, version)

    async with Script(serve(answer)) as broker:
        await failed(broker.port, ErrorClass.REFUSED, "PUBACK", "not authorized", Version.V5)


async def test_a_probe_that_does_not_come_back() -> None:
    async with Script(serve()) as broker:
        run = await failed(broker.port, ErrorClass.TIMEOUT, "the probe of QoS 0", "did not come")
    assert run.error is not None and "subscribe" in run.error.hint
    assert "publish-qos0" in run.times and "latency-qos0" not in run.times


async def test_a_forbidden_topic_of_mosquitto(password_mosquitto: Broker) -> None:
    """It grants the subscription, takes the message, and delivers nothing."""
    login = options(password_mosquitto.port, username=ALICE[0], password=ALICE[1].encode())
    run = await check_once(login, plan(timeout=0.5, topic=b"forbidden"))
    assert run.error is not None and run.error.kind is ErrorClass.TIMEOUT


async def test_closed_after_a_publish() -> None:
    async with Script(expect(Connect), reply(), expect(Subscribe), reply(), expect(Publish), close()) as broker:
        await failed(broker.port, ErrorClass.CLOSED, "the probe of QoS 0", "closed the connection")


async def test_a_disconnect_of_the_broker() -> None:
    script = (expect(Connect), reply(), expect(Subscribe), send(Disconnect(0x8B)), close())
    async with Script(*script) as broker:
        await failed(broker.port, ErrorClass.CLOSED, "SUBACK", "shutting down", Version.V5)


@pytest.mark.parametrize("missing", [Unsubscribe, Pingreq])
async def test_an_answer_that_is_missing_at_the_end(missing: type[Packet]) -> None:
    def answer(packet: Packet, version: Version) -> Packet | None:
        if isinstance(packet, missing):
            return None
        return packet if isinstance(packet, Publish) and not packet.qos else friendly_answer(packet, version)

    async with Script(serve(answer)) as broker:
        run = await check_once(options(broker.port), plan(timeout=0.5, qos=(0,)))
    assert run.error is not None and run.error.kind is ErrorClass.TIMEOUT


async def test_cancelling_disconnects() -> None:
    async with Script(expect(Connect), reply(), expect(Subscribe), expect(Disconnect)) as broker:
        task = asyncio.get_running_loop().create_task(check_once(options(broker.port), plan()))
        await wait_until(lambda: any(isinstance(packet, Subscribe) for packet in broker.received), "SUBSCRIBE")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await broker.finished()


# Honest times


async def test_a_lookup_that_takes_its_time_is_measured(monkeypatch: pytest.MonkeyPatch, mosquitto_broker: Broker) -> None:
    lookup = socket.getaddrinfo

    def slow(host: str, port: int, **options: Any) -> Any:
        if not options.get("flags"):
            time.sleep(0.1)
        return lookup(host, port, **options)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    run = await check_once(options(mosquitto_broker.port, host="localhost"), plan(Depth.CONNECT))
    assert run.times["dns"] >= 100_000_000
    assert run.times["tcp"] + run.times["connack"] < run.times["connected"] - 100_000_000


async def test_a_busy_loop_does_not_make_the_lookup_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = Steps(step_names(ConnectOptions()), lambda steps: None)
    asyncio.get_running_loop().call_soon(time.sleep, 0.2)
    local = ConnectOptions(host="localhost")
    await dial._resolve(local, local, steps, asyncio.get_running_loop().time() + 5)
    took = next(step for step in steps.all if step.name == "resolve").nanoseconds
    assert took is not None and took < 150_000_000


async def test_a_slow_listener_of_the_steps_does_not_make_them_longer(mosquitto_broker: Broker) -> None:
    steps = Steps(step_names(ConnectOptions()), lambda steps: time.sleep(0.05))
    layer = await dial.dial(options(mosquitto_broker.port, host="localhost"), steps, dial.Showing(lambda info: None, lambda upgrade: None))
    layer.abort()
    for step in steps.all:
        if step.name in ("resolve", "tcp"):
            assert step.nanoseconds is not None and step.nanoseconds < 40_000_000, step


async def test_addresses_that_failed_before_do_not_count(monkeypatch: pytest.MonkeyPatch, mosquitto_broker: Broker) -> None:
    addresses = [(socket.AF_INET, ("127.0.0.1", free_port())), (socket.AF_INET, ("127.0.0.1", mosquitto_broker.port))]
    steps = Steps(step_names(ConnectOptions()), lambda steps: None)
    layer, _ = await tcp.connect(addresses, "", steps, asyncio.get_running_loop().time() + 5)
    layer.abort()
    step = next(step for step in steps.all if step.name == "tcp")
    assert step.started is not None and step.tried is not None and step.ended is not None
    assert step.started < step.tried < step.ended
    assert step.nanoseconds == step.ended - step.tried
    assert "refused" in step.detail
