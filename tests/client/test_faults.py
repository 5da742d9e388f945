"""Faults at every phase of connecting: always a named end within the time given, never a hang; cancelling works at once."""

from __future__ import annotations

import asyncio
import socket
import statistics
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from mqtttui.client import tcp
from mqtttui.client.events import ConnectionState, Phase, StepStatus
from mqtttui.config.options import ProxyOptions, TlsOptions, WebSocketOptions
from mqtttui.protocol.enums import PropertyId, Version
from mqtttui.protocol.packets import Connect, Property
from tests.support.brokers import HOST
from tests.support.certs import Certificates
from tests.support.failing import black_hole, server_context, talker
from tests.support.proxies import Http
from tests.support.proxy import Connection, Ending, Proxy
from tests.support.sessions import Driver
from tests.support.websocket_peer import Peer, answer

LIMIT = 1.2
"""Seconds given to dialing, and to the answer to CONNECT."""
LATE = 10.0
"""Seconds that a machine with its hands full may add to it."""
LONG = 60.0
PHASES = ("proxy", "tls", "websocket", "connack")
"""Those in which the other side has to say something."""
_MIDDLE = {"proxy": 12, "tls": 60, "websocket": 20, "connack": 2}
"""So many bytes of its answer come."""
LARGE = Connect(client_id="large", version=Version.V5, properties=(Property(PropertyId.USER_PROPERTY, ("a" * 60_000, "b" * 60_000)),) * 100)


@dataclass
class Place:
    """Where one phase can be spoiled."""

    proxy: Proxy
    """Carries the answers of that phase; at first without a fault."""
    options: dict[str, Any]
    """What makes a connection have that phase."""
    host: str = HOST
    port: int = 0


@asynccontextmanager
async def place(phase: str, certificates: Certificates) -> AsyncIterator[Place]:
    """A server for `phase`, behind a proxy that breaks things."""
    async with AsyncExitStack() as stack:
        options: dict[str, Any] = {}
        if phase == "websocket":
            port = (await stack.enter_async_context(Peer(answer(), b"\x82\x04\x20\x02\x00\x00"))).port
            options["websocket"] = WebSocketOptions()
        else:
            context = server_context(certificates.server) if phase == "tls" else None
            port = await stack.enter_async_context(talker(b"\x20\x02\x00\x00", context=context))
            if context is not None:
                options["tls"] = TlsOptions(ca_file=str(certificates.ca))
        behind = port
        if phase == "proxy":
            behind = (await stack.enter_async_context(Http())).port
        proxy = await stack.enter_async_context(Proxy(HOST, behind))
        if phase == "proxy":
            options["proxy"] = ProxyOptions("http", HOST, proxy.port)
            yield Place(proxy, options, port=port)
        else:
            yield Place(proxy, options, port=proxy.port)


def black_holed(proxy: Proxy, middle: int) -> None:
    """The connection stands, and nothing comes any more."""
    proxy.to_client.black_hole = True


def half_open(proxy: Proxy, middle: int) -> None:
    """The other side is gone without a word: nothing arrives there either."""
    proxy.to_client.black_hole = proxy.to_server.black_hole = True


def stopped(proxy: Proxy, middle: int) -> None:
    """Some bytes, then nothing."""
    proxy.to_client.truncate_after, proxy.to_client.ending = middle, Ending.BLACK_HOLE


def was_reset(proxy: Proxy, middle: int) -> None:
    """RST in place of an answer."""
    proxy.to_client.truncate_after, proxy.to_client.ending = 0, Ending.RESET


def cut(proxy: Proxy, middle: int) -> None:
    """Some bytes, then FIN."""
    proxy.to_client.truncate_after, proxy.to_client.ending = middle, Ending.FIN


def closed(proxy: Proxy, middle: int) -> None:
    """FIN in place of an answer."""
    proxy.to_client.truncate_after, proxy.to_client.ending = 0, Ending.FIN


def slow(proxy: Proxy, middle: int) -> None:
    """One byte a second."""
    proxy.to_client.segment = proxy.to_client.rate = 1


Fault = Callable[[Proxy, int], None]

TITLES: dict[tuple[str, Fault], str] = {
    ("proxy", black_holed): "No answer from the proxy",
    ("proxy", half_open): "No answer from the proxy",
    ("proxy", stopped): "No answer from the proxy",
    ("proxy", slow): "No answer from the proxy",
    ("proxy", was_reset): "Connection lost at the proxy",
    ("proxy", cut): "The proxy closed the connection",
    ("proxy", closed): "The proxy closed the connection",
    ("tls", black_holed): "No answer to the TLS handshake",
    ("tls", half_open): "No answer to the TLS handshake",
    ("tls", stopped): "The TLS handshake did not finish",
    ("tls", slow): "The TLS handshake did not finish",
    ("tls", was_reset): "Reset during the TLS handshake",
    ("tls", cut): "Closed during the TLS handshake",
    ("tls", closed): "Closed during the TLS handshake",
    ("websocket", black_holed): "No answer to the WebSocket upgrade",
    ("websocket", half_open): "No answer to the WebSocket upgrade",
    ("websocket", stopped): "The WebSocket upgrade did not finish",
    ("websocket", slow): "The WebSocket upgrade did not finish",
    ("websocket", was_reset): "Connection lost during the WebSocket upgrade",
    ("websocket", cut): "Closed during the WebSocket upgrade",
    ("websocket", closed): "Closed during the WebSocket upgrade",
    ("connack", black_holed): "No answer to CONNECT",
    ("connack", half_open): "No answer to CONNECT",
    ("connack", stopped): "The answer to CONNECT did not come whole",
    ("connack", slow): "The answer to CONNECT did not come whole",
    ("connack", was_reset): "Connection lost before CONNACK",
    ("connack", cut): "The answer to CONNECT was cut off",
    ("connack", closed): "Closed without answering CONNECT",
}


async def ended(driver: Driver, began: float, phase: str, title: str) -> ConnectionState:
    """It fails in time, by name, and in that phase."""
    state = await driver.failed(LIMIT + LATE)
    took = time.monotonic() - began
    assert state.failure is not None
    assert state.failure.title == title, driver.describe()
    assert [step.name for step in state.steps if step.status is StepStatus.FAILED] == [phase]
    assert not [step.name for step in state.steps if step.status is StepStatus.RUNNING]
    assert took < 2 * LIMIT + LATE, "dialing and the answer to CONNECT have their time each"
    return state


@pytest.mark.parametrize(("phase", "fault"), TITLES, ids=lambda part: part if isinstance(part, str) else part.__name__)
async def test_a_fault_has_a_named_end_in_time(certificates: Certificates, phase: str, fault: Fault) -> None:
    async with place(phase, certificates) as there, Driver() as driver:
        fault(there.proxy, _MIDDLE[phase])
        began = time.monotonic()
        driver.connect(there.port, there.host, dial_timeout=LIMIT, connack_timeout=LIMIT, **there.options)
        await ended(driver, began, phase, TITLES[phase, fault])
        # Whatever was open is closed: the other side hears of it.
        await driver.until(lambda: all(each.to_server.ended for each in there.proxy.connections), "the end at the server", 20)


@pytest.mark.parametrize("phase", PHASES)
async def test_one_byte_at_a_time_is_no_fault(certificates: Certificates, phase: str) -> None:
    async with place(phase, certificates) as there, Driver() as driver:
        there.proxy.to_client.segment = there.proxy.to_server.segment = 1
        driver.connect(there.port, there.host, dial_timeout=LONG, connack_timeout=LONG, **there.options)
        await driver.phase(Phase.CONNECTED, LONG)


# The phases before anybody can answer


def never(event: threading.Event) -> Callable[..., list[Any]]:
    """A name lookup without an end."""

    def lookup(host: str, port: int, flags: int = 0) -> list[Any]:
        if flags:
            raise OSError("not an address")
        event.wait(LONG)
        return []

    return lookup


async def test_a_lookup_without_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(tcp, "_getaddrinfo", never(over))
    async with Driver() as driver:
        began = time.monotonic()
        driver.connect(1883, "slow.example", dial_timeout=LIMIT)
        await ended(driver, began, "resolve", "No answer to the name lookup")
    over.set()


@pytest.mark.parametrize("count", [1, 4])
async def test_addresses_that_nobody_answers_at(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    async with black_hole() as port, Driver() as driver:
        addresses = [(socket.AF_INET, (HOST, port))] * count
        monkeypatch.setattr(tcp, "_getaddrinfo", lambda *_: addresses)
        began = time.monotonic()
        driver.connect(port, "hole.example", dial_timeout=LIMIT)
        state = await ended(driver, began, "tcp", "No answer")
        tries = next(step.tries for step in state.steps if step.name == "tcp")
        assert [(each.address, each.error) for each in tries] == [(f"{HOST}:{port}", "no answer")] * count


@asynccontextmanager
async def not_reading() -> AsyncIterator[Proxy]:
    """Accepts, and does not read."""
    async with Proxy(HOST, 1) as proxy:
        proxy.hang = True
        yield proxy


ENDS: dict[str, tuple[Callable[[Connection], None], str]] = {
    "none": (lambda connection: None, "CONNECT could not leave"),
    "FIN": (Connection.half_close, "Closed without answering CONNECT"),
    "RST": (Connection.reset, "Connection lost before CONNACK"),
}


@pytest.mark.parametrize("end", ENDS)
async def test_a_connect_that_does_not_leave(end: str) -> None:
    how, title = ENDS[end]
    async with not_reading() as proxy, Driver() as driver:
        began = time.monotonic()
        driver.connect(proxy.port, connect=LARGE, dial_timeout=LONG, connack_timeout=LIMIT if end == "none" else LONG)
        if end != "none":
            await driver.until(lambda: running(driver, "connect") and proxy.connections, "CONNECT on its way", 20)
            how(proxy.connections[0])
        await ended(driver, began, "connect", title)


def running(driver: Driver, phase: str) -> bool:
    """This phase is under way."""
    return any(step.name == phase and step.status is StepStatus.RUNNING for step in driver.state.steps)


# Cancelling


@asynccontextmanager
async def stuck(phase: str, driver: Driver, certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """Connecting, and it does not get beyond `phase`."""
    over = threading.Event()
    long: dict[str, Any] = {"dial_timeout": LONG, "connack_timeout": LONG}
    async with AsyncExitStack() as stack:
        if phase == "resolve":
            patched = stack.enter_context(monkeypatch.context())
            patched.setattr(tcp, "_getaddrinfo", never(over))
            driver.connect(1883, "slow.example", **long)
        elif phase == "tcp":
            driver.connect(await stack.enter_async_context(black_hole()), **long)
        elif phase == "connect":
            driver.connect((await stack.enter_async_context(not_reading())).port, connect=LARGE, **long)
        else:
            there = await stack.enter_async_context(place(phase, certificates))
            black_holed(there.proxy, 0)
            driver.connect(there.port, there.host, **long, **there.options)
        await driver.until(lambda: running(driver, phase), f"the phase {phase}", 20)
        yield
        over.set()


async def cancel(driver: Driver) -> float:
    """Cancel; gives the seconds until it was over."""
    before = time.monotonic()
    driver.cancel()
    while driver.state.phase is not Phase.IDLE:
        assert time.monotonic() - before < LATE
        await asyncio.sleep(0)
    took = time.monotonic() - before
    assert driver.state.ended == "cancelled"
    assert driver.state.failure is None
    return took


EVERY_PHASE = ("resolve", "tcp", "connect", *PHASES)


@pytest.mark.parametrize("phase", EVERY_PHASE)
async def test_cancelling_works_at_once(certificates: Certificates, monkeypatch: pytest.MonkeyPatch, phase: str) -> None:
    async with Driver() as driver, stuck(phase, driver, certificates, monkeypatch):
        assert await cancel(driver) < 2.0


@pytest.mark.slow
async def test_how_long_cancelling_takes(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    for phase in EVERY_PHASE:
        times = []
        for _ in range(20):
            async with Driver() as driver, stuck(phase, driver, certificates, monkeypatch):
                times.append(await cancel(driver))
        print(f"cancelling in {phase}: median {statistics.median(times) * 1000:.2f} ms, longest {max(times) * 1000:.2f} ms")
        assert statistics.median(times) < 0.2
