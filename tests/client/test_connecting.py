"""Connecting: steps, exact bytes, refusals, silence, the wrong server, and cancelling."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from mqtttui.client import tcp
from mqtttui.client.events import Fix, Phase, StepStatus
from mqtttui.protocol.enums import Direction, PacketType, PropertyId, Version
from mqtttui.protocol.packets import Auth, Connack, Connect, Property, Will, encode
from tests.support.brokers import Broker, free_port
from tests.support.scripted import Script, close, expect, expect_close, reply, reset, send, send_raw, serve
from tests.support.sessions import Driver

V5 = Connect(client_id="five", version=Version.V5)


def statuses(driver: Driver) -> dict[str, StepStatus]:
    return {step.name: step.status for step in driver.state.steps}


async def test_steps_have_times_and_details() -> None:
    async with Script(expect(Connect), reply(), serve()) as broker, Driver() as driver:
        await driver.connected(broker.port, "localhost", dial_timeout=5.0)
        state = driver.state
        assert [step.name for step in state.steps] == ["resolve", "tcp", "tls", "connect", "connack"]
        done = {step.name: step for step in state.steps}
        assert done["tls"].status is StepStatus.SKIPPED
        for name in ("resolve", "tcp", "connect", "connack"):
            assert done[name].status is StepStatus.DONE, name
            assert (done[name].milliseconds or -1.0) > 0
        assert "127.0.0.1" in done["resolve"].detail
        assert done["tcp"].detail.endswith(f"127.0.0.1:{broker.port}")
        assert done["connack"].detail == "new session"
        assert done["connack"].started == done["connect"].ended
        assert state.address == f"127.0.0.1:{broker.port}"
        assert state.connection == 0
        info = driver.log.connection(0)
        assert (info.peer, info.destination, info.transport) == ("peer", state.address, "tcp")
        assert info.name == f"mqtt://localhost:{broker.port}"


@pytest.mark.parametrize(
    "connect",
    [
        Connect(client_id="", version=Version.V311, clean=True, keep_alive=0),
        Connect(client_id="x" * 30, version=Version.V31, keep_alive=65535),
        Connect(client_id="p", password=b"\x00\xff\xfe", username=""),
        Connect(client_id="p", version=Version.V5, password=b"only a password"),
        Connect(client_id=b"bad \xff id", username=b"\xed\xa0\x80"),
        Connect(client_id="flags", flags=0xFF, protocol_name="MQTX", level=5),
        Connect(
            client_id="all",
            version=Version.V5,
            clean=False,
            keep_alive=10,
            username="u",
            password=b"p",
            will=Will("w/t", b"\x00", 2, retain=True, properties=(Property(PropertyId.WILL_DELAY_INTERVAL, 3),)),
            properties=(
                Property(PropertyId.USER_PROPERTY, ("a", "1")),
                Property(PropertyId.SESSION_EXPIRY_INTERVAL, 60),
                Property(PropertyId.USER_PROPERTY, ("a", "1")),
                Property(PropertyId.RECEIVE_MAXIMUM, 1),
            ),
        ),
    ],
)
async def test_the_connect_that_leaves_is_the_one_given(connect: Connect) -> None:
    raw = encode(connect, connect.version)
    async with Script(serve(lambda packet, version: Connack())) as broker, Driver() as driver:
        driver.connect(broker.port, connect=connect)
        await driver.until(lambda: len(broker.lines) and len(broker.received_raw) >= len(raw), "CONNECT")
        assert broker.received_raw == raw
        assert driver.raw(Direction.C2S) == raw


async def test_a_connect_without_encoding_is_rejected() -> None:
    async with Driver() as driver:
        driver.connect(1, connect=Connect(client_id="x" * 70_000))
        await driver.until(lambda: driver.rejections, "a rejection")
        assert "65,535" in driver.rejections[0]
        await driver.phase(Phase.IDLE)


async def test_refused_with_reason_and_reference() -> None:
    properties = (
        Property(PropertyId.REASON_STRING, "go away \x1b[31m"),
        Property(PropertyId.SERVER_REFERENCE, "other:1883"),
    )
    async with Script(expect(Connect), reply(code=0x9C, properties=properties), close()) as broker, Driver() as driver:
        driver.connect(broker.port, connect=V5)
        failure = (await driver.failed()).failure
        assert failure is not None
        assert failure.title == "Refused: 0x9c use another server"
        assert failure.detail == "the server says: go away \\x1b[31m; use instead: other:1883"
        assert failure.step == "connack"
        assert failure.hint
        assert statuses(driver)["connack"] is StepStatus.FAILED
        assert driver.state.connack == Connack(0x9C, False, properties)


@pytest.mark.parametrize(
    ("version", "code", "title", "fixes"),
    [
        (Version.V31, 1, "Refused: 1 unacceptable protocol version", (Fix.USE_311,)),
        (Version.V311, 1, "Refused: 1 unacceptable protocol version", (Fix.USE_V5,)),
        (Version.V311, 2, "Refused: 2 identifier rejected", ()),
        (Version.V311, 3, "Refused: 3 server unavailable", ()),
        (Version.V311, 4, "Refused: 4 bad user name or password", ()),
        (Version.V311, 5, "Refused: 5 not authorized", ()),
        (Version.V311, 77, "unknown code 0x4d", ()),
        (Version.V5, 0x84, "0x84 unsupported protocol version", (Fix.USE_311,)),
        (Version.V5, 0x86, "0x86 bad user name or password", ()),
        (Version.V5, 0x87, "0x87 not authorized", ()),
        (Version.V5, 0x8A, "0x8a banned", ()),
    ],
)
async def test_refusals(version: Version, code: int, title: str, fixes: tuple[Fix, ...]) -> None:
    async with Script(expect(Connect), reply(code=code), expect_close()) as broker, Driver() as driver:
        driver.connect(broker.port, connect=Connect(client_id="c", version=version))
        failure = (await driver.failed()).failure
        assert failure is not None
        assert title in failure.title
        assert failure.fixes == fixes
        assert len(broker.lines) == 1, "a refused connect must not be tried again"


async def test_a_v5_connect_refused_in_the_old_form() -> None:
    async with Script(expect(Connect), send_raw(b"\x20\x02\x00\x01"), close()) as broker, Driver() as driver:
        driver.connect(broker.port, connect=V5)
        failure = (await driver.failed()).failure
        assert failure is not None
        assert failure.title == "Refused: 1 unacceptable protocol version"
        assert failure.fixes == (Fix.USE_311,)
        assert len(broker.lines) == 1


async def test_nothing_listens() -> None:
    async with Driver() as driver:
        driver.connect(free_port())
        failure = (await driver.failed()).failure
        assert failure is not None
        assert failure.title == "Connection refused"
        assert "127.0.0.1" in failure.detail
        assert failure.step == "tcp"
        assert statuses(driver)["tcp"] is StepStatus.FAILED
        assert driver.log.connection_count == 0


async def test_several_addresses_are_tried_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    dead = free_port()
    async with Script(expect(Connect), reply(), serve()) as broker, Driver() as driver:
        addresses = [(socket.AF_INET, ("127.0.0.1", dead)), (socket.AF_INET, ("127.0.0.1", broker.port))]

        def lookup(host: str, port: int, flags: int = 0) -> list[Any]:
            if flags:
                raise socket.gaierror(socket.EAI_NONAME, "not an address")
            return addresses

        monkeypatch.setattr(tcp, "_getaddrinfo", lookup)
        await driver.connected(broker.port, "two.example")
        step = next(each for each in driver.state.steps if each.name == "tcp")
        assert step.detail == f"127.0.0.1:{dead} refused; 127.0.0.1:{broker.port}"
        first, second = step.tries
        assert (first.address, first.error) == (f"127.0.0.1:{dead}", "refused")
        assert (second.address, second.error) == (f"127.0.0.1:{broker.port}", "")
        assert step.started is not None and first.ended is not None and second.ended is not None
        assert step.started <= first.started <= first.ended <= second.started <= second.ended == step.ended


async def test_an_ipv6_literal() -> None:
    try:
        async with Script(expect(Connect), reply(), serve(), host="::1") as broker, Driver() as driver:
            await driver.connected(broker.port, "::1")
            assert driver.state.address == f"[::1]:{broker.port}"
            assert statuses(driver)["resolve"] is StepStatus.SKIPPED
    except OSError as error:
        pytest.skip(f"no IPv6 here: {error}")


async def test_a_name_that_does_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp, "_getaddrinfo", _raising(socket.gaierror(socket.EAI_NONAME, "Name or service not known")))
    async with Driver() as driver:
        driver.connect(1883, "no.such.name")
        failure = (await driver.failed()).failure
        assert failure is not None
        assert failure.title == "Name not found"
        assert failure.step == "resolve"


@pytest.mark.parametrize("host", ["", "a..b", "x" * 300, "bad\x00name", "\udc80"])
async def test_what_is_no_host_name(host: str) -> None:
    async with Driver() as driver:
        driver.connect(1883, host)
        failure = (await driver.failed()).failure
        assert failure is not None
        assert failure.step in ("resolve", "tcp")
        assert failure.detail.isprintable()


async def test_cancelling_a_name_lookup_is_immediate(monkeypatch: pytest.MonkeyPatch) -> None:
    started, answer = threading.Event(), threading.Event()

    def slow(host: str, port: int, flags: int = 0) -> list[Any]:
        if flags:
            raise socket.gaierror(socket.EAI_NONAME, "not an address")
        started.set()
        answer.wait(10)
        return []

    monkeypatch.setattr(tcp, "_getaddrinfo", slow)
    async with Driver() as driver:
        driver.connect(1883, "slow.example")
        await driver.until(started.is_set, "the lookup")
        await _cancel_at_once(driver)
        answer.set()


async def test_cancelling_while_waiting_for_connack() -> None:
    async with Script(expect(Connect), expect_close()) as broker, Driver() as driver:
        driver.connect(broker.port)
        await driver.until(lambda: broker.received, "CONNECT")
        await _cancel_at_once(driver)
        await broker.finished()
        assert driver.log.connection(0).close_reason == "cancelled"


async def test_a_silent_broker() -> None:
    async with Script(expect(Connect), expect_close()) as broker, Driver() as driver:
        driver.connect(broker.port, connack_timeout=0.2)
        failure = (await driver.failed()).failure
        assert failure is not None
        assert failure.title == "No answer to CONNECT"
        assert Fix.USE_TLS in failure.fixes
        assert statuses(driver)["connack"] is StepStatus.FAILED


@pytest.mark.parametrize(
    ("end", "title", "fixes"),
    [
        (close(), "Closed without answering CONNECT", (Fix.USE_311, Fix.USE_TLS)),
        (reset(), "Connection lost before CONNACK", (Fix.USE_TLS, Fix.USE_311)),
    ],
)
async def test_the_end_before_connack(end: Any, title: str, fixes: tuple[Fix, ...]) -> None:
    async with Script(expect(Connect), end) as broker, Driver() as driver:
        driver.connect(broker.port, connect=V5)
        failure = (await driver.failed()).failure
        assert failure is not None
        assert failure.title == title
        assert failure.fixes == fixes
        assert failure.step == "connack"


@pytest.mark.parametrize(
    ("answer", "title", "fix"),
    [
        (b"\x15\x03\x01\x00\x02\x02\x46", "This port wants TLS", Fix.USE_TLS),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "A web server answers here", Fix.OTHER_PORT),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "An SSH server answers here", Fix.OTHER_PORT),
    ],
)
async def test_another_protocol_answers(answer: bytes, title: str, fix: Fix) -> None:
    async with Script(expect(Connect), send_raw(answer), expect_close()) as broker, Driver() as driver:
        driver.connect(broker.port)
        failure = (await driver.failed()).failure
        assert failure is not None
        assert failure.title == title
        assert fix in failure.fixes
        assert failure.detail.isprintable()


async def test_bytes_that_are_no_mqtt_end_it_and_are_in_the_log() -> None:
    async with Script(expect(Connect), send_raw(b"\x20\xff\xff\xff\xff\xff"), expect_close()) as broker, Driver() as driver:
        driver.connect(broker.port)
        failure = (await driver.failed()).failure
        assert failure is not None
        assert failure.title == "Unreadable bytes from the broker"
        assert driver.raw(Direction.S2C).startswith(b"\x20\xff")


async def test_hostile_bytes_after_connack_never_raise() -> None:
    junk = [
        b"\x30\x00",
        b"\x32\x02\x00\x09",
        b"\x34\x05\x00\x01a\x00\x00",
        b"\x36\x05\x00\x01a\x00\x01",
        b"\x40\x01\x00",
        b"\x40\x02\x00\x01",
        b"\x50\x02\xff\xff",
        b"\x90\x02\x00\x01",
        b"\xb0\x00",
        b"\x20\x02\x00\x00",
        b"\x10\x00",
        b"\xd0\x00",
        b"\x00\x00",
        b"\xf0\x00",
        b"\xe0\x00",
    ]
    async with Script(expect(Connect), reply(), send_raw(b"".join(junk)), serve()) as broker, Driver() as driver:
        await driver.connected(broker.port)
        await driver.until(lambda: len(driver.types(Direction.S2C)) == len(junk) + 1, "all packets")
        assert driver.state.phase is Phase.CONNECTED
        assert driver.types(Direction.C2S) == [PacketType.CONNECT]


async def test_a_malformed_connack() -> None:
    async with Script(expect(Connect), send_raw(b"\x20\x05\x00\x00\x02\x55\x55"), expect_close()) as broker, Driver() as driver:
        driver.connect(broker.port, connect=V5)
        failure = (await driver.failed()).failure
        assert failure is not None
        assert failure.title == "The broker's CONNACK is malformed"


async def test_a_server_that_wants_enhanced_authentication() -> None:
    async with Script(expect(Connect), send(Auth(0x18, ())), expect_close()) as broker, Driver() as driver:
        driver.connect(broker.port, connect=V5)
        failure = (await driver.failed()).failure
        assert failure is not None
        assert failure.title == "The broker asks for AUTH"


async def test_what_the_server_granted() -> None:
    properties = (
        Property(PropertyId.ASSIGNED_CLIENT_IDENTIFIER, "auto-1"),
        Property(PropertyId.SERVER_KEEP_ALIVE, 17),
        Property(PropertyId.RECEIVE_MAXIMUM, 20),
        Property(PropertyId.MAXIMUM_PACKET_SIZE, 1000),
    )
    async with Script(expect(Connect), reply(properties=properties, session_present=True), serve()) as broker, Driver() as driver:
        await driver.connected(broker.port, connect=Connect(version=Version.V5, clean=False))
        state = driver.state
        assert (state.client_id, state.keep_alive, state.receive_maximum, state.maximum_packet_size) == ("auto-1", 17, 20, 1000)
        assert state.steps[-1].detail == "session present"


async def test_a_new_connect_ends_the_present_connection_first(mosquitto_broker: Broker) -> None:
    async with Driver() as driver:
        await driver.connected(mosquitto_broker.port)
        driver.connect(mosquitto_broker.port, connect=Connect(client_id="second"))
        await driver.until(lambda: driver.state.client_id == "second" and driver.state.phase is Phase.CONNECTED, "the second connection")
        assert driver.types(Direction.C2S, 0)[-1] is PacketType.DISCONNECT
        assert driver.state.connection == 1


async def test_the_last_of_several_connects_wins(mosquitto_broker: Broker) -> None:
    async with Driver() as driver:
        await driver.connected(mosquitto_broker.port)
        for number in range(4):
            driver.connect(mosquitto_broker.port, connect=Connect(client_id=f"again-{number}"))
            await asyncio.sleep(0)
        await driver.until(lambda: driver.state.client_id == "again-3" and driver.state.phase is Phase.CONNECTED, "the last one")
        await driver.until(lambda: len([task for task in asyncio.all_tasks() if task.get_name() == "peer: connect"]) == 1, "one life")
        assert [info.closed is None for info in driver.log.connections].count(True) == 1


async def test_closing_the_session_disconnects(mosquitto_broker: Broker) -> None:
    driver = Driver()
    await driver.connected(mosquitto_broker.port)
    before = time.monotonic()
    await driver.session.close()
    assert time.monotonic() - before < 1
    assert driver.types(Direction.C2S)[-1] is PacketType.DISCONNECT
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("peer")]


async def _cancel_at_once(driver: Driver) -> None:
    before = time.monotonic()
    driver.cancel()
    await driver.phase(Phase.IDLE)
    assert time.monotonic() - before < 0.2
    assert driver.state.ended == "cancelled"
    assert driver.state.failure is None


def _raising(error: Exception) -> Callable[..., Any]:
    def raise_it(*_: object, **__: object) -> None:
        raise error

    return raise_it
