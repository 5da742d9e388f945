"""Through proxies to a broker: logins, names, refusals, faults; and from an address of one's own."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import Any

import pytest

from mqtttui.client import tcp
from mqtttui.client.events import Failure, Fix, Phase, StepStatus
from mqtttui.config.options import ProxyOptions, TlsOptions, WebSocketOptions
from tests.client.test_transports import all_of_it
from tests.support.brokers import HOST, Broker, free_port
from tests.support.proxies import Http, Socks, Tunnel
from tests.support.sessions import Driver

LOGIN = ("me", "p:w %")
KINDS = {"http": Http, "socks5": Socks}


def options(kind: str, proxy: Tunnel | int, login: tuple[str, str] = ("", ""), *, remote_names: bool = True) -> ProxyOptions:
    return ProxyOptions(kind, HOST, proxy if isinstance(proxy, int) else proxy.port, *login, remote_names)


async def failure_of(driver: Driver, port: int, proxy: ProxyOptions, host: str = "broker.example", **more: Any) -> Failure:
    driver.connect(port, host, proxy=proxy, **more)
    failure = (await driver.failed(20)).failure
    assert failure is not None
    assert failure.hint
    assert next(step for step in driver.state.steps if step.name == failure.step).status is StepStatus.FAILED
    return failure


@pytest.mark.parametrize("kind", ["http", "socks5"])
@pytest.mark.parametrize("login", [None, LOGIN])
@pytest.mark.parametrize("segment", [None, 1])
async def test_a_session_through_a_proxy_that_knows_the_name(
    mosquitto_broker: Broker, kind: str, login: tuple[str, str] | None, segment: int | None
) -> None:
    async with KINDS[kind](login=login, names={"broker.example": HOST}, segment=segment) as proxy, Driver() as driver:
        made = await driver.connected(mosquitto_broker.port, "broker.example", proxy=options(kind, proxy, login or ("", "")))
        await all_of_it(driver, f"proxy/{kind}/{login is None}/{segment}", 0)
        assert proxy.asked == [("broker.example", mosquitto_broker.port)]
        assert proxy.logins == ([LOGIN] if login else [])
        names = [step.name for step in driver.state.steps]
        assert names == ["resolve", "tcp", "proxy", "tls", "connect", "connack"]
        assert driver.state.steps[0].detail == "the proxy looks the name up"
        step = driver.state.steps[2]
        assert step.status is StepStatus.DONE and step.nanoseconds is not None
        assert f"{HOST}:{proxy.port}" in step.detail
        assert LOGIN[1] not in repr(driver.events) + made.url


async def test_names_are_looked_up_here_for_socks5(mosquitto_broker: Broker) -> None:
    async with Socks() as proxy, Driver() as driver:
        await driver.connected(mosquitto_broker.port, "localhost", proxy=options("socks5", proxy, remote_names=False))
        assert (HOST, mosquitto_broker.port) in proxy.asked
        assert not [host for host, _ in proxy.asked if host == "localhost"]
        assert driver.state.steps[0].status is StepStatus.DONE


async def test_the_next_address_is_tried_where_the_proxy_does_not_reach_one(
    mosquitto_broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lookup(host: str, port: int, flags: int = 0) -> list[tcp.Address]:
        if host != "two.example":
            return [(socket.AF_INET, (host, port))]
        if flags:
            raise socket.gaierror(socket.EAI_NONAME, "not an address")
        return [(socket.AF_INET, ("127.0.0.77", port)), (socket.AF_INET, (HOST, port))]

    monkeypatch.setattr(tcp, "_getaddrinfo", lookup)
    async with Socks() as proxy, Driver() as driver:
        await driver.connected(mosquitto_broker.port, "two.example", proxy=options("socks5", proxy, remote_names=False))
        assert [host for host, _ in proxy.asked] == ["127.0.0.77", HOST]
        assert driver.state.steps[2].detail.startswith(f"127.0.0.77:{mosquitto_broker.port} refused; ")


@pytest.mark.parametrize(
    ("kind", "faults", "login", "title"),
    [
        ("http", {"login": LOGIN}, ("", ""), "The proxy wants a login"),
        ("http", {"login": LOGIN}, ("me", "wrong"), "The proxy refuses the login"),
        ("http", {"refuses": 403}, ("", ""), "The proxy refuses: 403 No ERR_SOMETHING 0"),
        ("http", {}, ("", ""), "The proxy refuses: 502 No ERR_SOMETHING 0"),
        ("http", {"says": b"SSH-2.0-OpenSSH\r\n"}, ("", ""), "Not an HTTP proxy"),
        ("http", {"says": b"\x05\xff"}, ("", ""), "Not an HTTP proxy"),
        ("http", {"stops_before": 0, "ending": "close"}, ("", ""), "The proxy closed the connection"),
        ("socks5", {"login": LOGIN}, ("", ""), "The proxy wants a login"),
        ("socks5", {"login": LOGIN}, ("me", "wrong"), "The proxy refuses the login"),
        ("socks5", {"refuses": 2}, ("", ""), "The proxy says: not allowed by its rules"),
        ("socks5", {"refuses": 4}, ("", ""), "The proxy says: host unreachable"),
        ("socks5", {}, ("", ""), "The proxy says: connection refused"),
        ("socks5", {"says": b"HTTP/1.1 400 Bad Request\r\n\r\n"}, ("", ""), "Not a SOCKS5 proxy"),
        ("socks5", {"says": b"\x20\x02\x00\x00"}, ("", ""), "Not a SOCKS5 proxy"),
        ("socks5", {"stops_before": 0, "ending": "close"}, ("", ""), "The proxy closed the connection"),
        ("socks5", {"stops_before": 1, "ending": "close"}, ("", ""), "The proxy closed the connection"),
        ("socks5", {"stops_before": 1, "ending": "reset"}, ("", ""), "Connection lost at the proxy"),
    ],
)
async def test_what_a_person_reads(kind: str, faults: dict[str, Any], login: tuple[str, str], title: str) -> None:
    names = {"broker.example": HOST}
    async with KINDS[kind](**{"names": names, **faults}) as proxy, Driver() as driver:
        failure = await failure_of(driver, free_port(), options(kind, proxy, login))
        assert (failure.title, failure.step) == (title, "proxy")
        assert "wrong" not in repr(failure)


@pytest.mark.parametrize(
    ("kind", "says", "fix"), [("socks5", b"HTTP/1.0 400 x\r\n\r\n", Fix.HTTP_PROXY), ("http", b"\x05\xff", Fix.SOCKS_PROXY)]
)
async def test_a_proxy_of_the_other_kind_is_known(kind: str, says: bytes, fix: Fix) -> None:
    async with KINDS[kind](says=says) as proxy, Driver() as driver:
        assert (await failure_of(driver, 1883, options(kind, proxy))).fixes[0] is fix


async def test_a_broker_in_place_of_a_proxy(mosquitto_broker: Broker) -> None:
    async with Driver() as driver:
        failure = await failure_of(driver, 1883, options("socks5", mosquitto_broker.port))
        assert (failure.step, Fix.NO_PROXY in failure.fixes) == ("proxy", True)


@pytest.mark.parametrize(
    ("kind", "stops_before", "title"),
    [
        ("http", 0, "No answer from the proxy"),
        ("socks5", 0, "No answer from the proxy"),
        ("socks5", 1, "The proxy gets no answer from the broker"),
    ],
)
async def test_a_silent_proxy_ends_in_time(mosquitto_broker: Broker, kind: str, stops_before: int, title: str) -> None:
    async with KINDS[kind](names={"broker.example": HOST}, stops_before=stops_before) as proxy, Driver() as driver:
        began = time.monotonic()
        failure = await failure_of(driver, mosquitto_broker.port, options(kind, proxy), dial_timeout=1.0)
        assert time.monotonic() - began < 6.0
        assert failure.title == title


@pytest.mark.parametrize(("kind", "says"), [("http", b"HTTP/1.1 200 O"), ("socks5", b"\x05"), ("socks5", b"\x05\x00\x05\x00\x00\x03\xff")])
async def test_an_answer_that_never_ends(kind: str, says: bytes) -> None:
    async with KINDS[kind](says=says) as proxy, Driver() as driver:
        failure = await failure_of(driver, 1883, options(kind, proxy), dial_timeout=1.0)
        assert "no answer" in failure.title.lower()


@pytest.mark.parametrize("step", ["tls", "websocket"])
async def test_a_broker_that_is_silent_behind_a_proxy(step: str) -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    more = {"tls": TlsOptions()} if step == "tls" else {"websocket": WebSocketOptions()}
    listening = await asyncio.start_server(hang, HOST, 0)
    async with listening, Socks(names={"broker.example": HOST}) as proxy, Driver() as driver:
        port = listening.sockets[0].getsockname()[1]
        failure = await failure_of(driver, port, options("socks5", proxy), dial_timeout=1.5, **more)
        assert failure.step == step


@pytest.mark.parametrize(("kind", "stops_before"), [("http", 0), ("socks5", 0), ("socks5", 1)])
async def test_cancelling_at_the_proxy_is_immediate(kind: str, stops_before: int) -> None:
    async with KINDS[kind](stops_before=stops_before) as proxy, Driver() as driver:
        driver.connect(1883, "broker.example", proxy=options(kind, proxy))
        await driver.until(lambda: len(proxy.received) == 1 and len(proxy.received[0]) > 3 * stops_before, "the proxy to be asked", 20)
        await driver.until(lambda: driver.state.steps[2].status is StepStatus.RUNNING, "the step", 20)
        began = asyncio.get_running_loop().time()
        driver.cancel()
        await driver.phase(Phase.IDLE, 20)
        assert asyncio.get_running_loop().time() - began < 2.0
        assert driver.state.ended == "cancelled"
        await driver.until(lambda: proxy.ended == 1, "the proxy to hear of it", 20)


async def test_a_proxy_that_is_not_there() -> None:
    async with Driver() as driver:
        failure = await failure_of(driver, 1883, options("http", free_port()))
        assert (failure.title, failure.step, failure.fixes) == ("Proxy: connection refused", "tcp", (Fix.NO_PROXY,))
    async with Driver() as driver:
        failure = await failure_of(driver, 1883, ProxyOptions("http", "proxy.invalid", 3128))
        assert failure.step == "resolve"
        assert failure.title.startswith("Proxy: ")
        assert "proxy.invalid" in failure.detail


async def test_what_the_broker_says_at_once_is_not_lost() -> None:
    """A foreign server's greeting comes with the proxy's yes."""
    async with Socks(names={"broker.example": HOST}, extra=b"SSH-2.0-early\r\n") as proxy, Driver() as driver:
        listening = await asyncio.start_server(lambda reader, writer: None, HOST, 0)
        async with listening:
            driver.connect(listening.sockets[0].getsockname()[1], "broker.example", proxy=options("socks5", proxy))
            failure = (await driver.failed(20)).failure
            assert failure is not None
            assert failure.title == "An SSH server answers here"


# The own address


async def test_the_own_address(mosquitto_broker: Broker) -> None:
    port = free_port()
    async with Socks() as proxy, Driver() as driver:
        for bind, came in (("127.0.0.5", "127.0.0.5:"), (f"127.0.0.6:{port}", f"127.0.0.6:{port}"), (f"127.0.0.6:{port}", "127.0.0.6:")):
            await driver.connected(mosquitto_broker.port, bind=bind, proxy=options("socks5", proxy))
            assert proxy.clients[-1].startswith(came)
            await driver.disconnect()


@pytest.mark.parametrize(
    ("bind", "host", "said"),
    [
        ("192.0.2.77", HOST, "192.0.2.77"),
        ("eth0", HOST, "eth0"),
        ("::1", HOST, "::1 is IPv6, 127.0.0.1 has IPv4 only"),
        ("127.0.0.1", "::1", "IPv4"),
    ],
)
async def test_an_own_address_that_cannot_be_used(mosquitto_broker: Broker, bind: str, host: str, said: str) -> None:
    async with Driver() as driver:
        driver.connect(mosquitto_broker.port, host, bind=bind)
        failure = (await driver.failed(20)).failure
        assert failure is not None
        assert (failure.title, failure.step) == ("Cannot connect from this address", "tcp")
        assert said in failure.detail


async def test_an_own_port_that_is_taken(mosquitto_broker: Broker) -> None:
    with socket.create_server((HOST, 0)) as taken:
        async with Driver() as driver:
            driver.connect(mosquitto_broker.port, bind=f"{HOST}:{taken.getsockname()[1]}")
            failure = (await driver.failed(20)).failure
            assert failure is not None
            assert failure.title == "Cannot connect from this address"
            assert "leave the port out" in failure.hint
