"""What the system knows of the TCP of a connection: on every transport, on a slow link, with a peer that is not there any more."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mqtttui.client import commands, tcp, tcp_info
from mqtttui.client.events import Phase, TcpMeasured
from mqtttui.config.options import ConnectOptions, TlsOptions, WebSocketOptions
from mqtttui.protocol.enums import PacketType as P
from mqtttui.protocol.packets import Connect
from tests.support.brokers import Broker, Ways
from tests.support.certs import Certificates
from tests.support.proxy import Proxy
from tests.support.sessions import PEER, Driver

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp_info, "SECONDS", 0.05)


def samples(driver: Driver) -> list[TcpMeasured]:
    return [event for event in driver.events if isinstance(event, TcpMeasured)]


def structure(**values: int) -> bytes:
    """A `struct tcp_info` of a recent kernel."""
    raw = bytearray(280)
    places = {"unacked": 24, "rtt": 68, "variation": 72, "retransmitted": 100, "unsent": 144, "shortest": 148}
    for name, value in values.items():
        struct.pack_into("=I", raw, places[name], value)
    return bytes(raw)


@given(st.binary(max_size=400))
def test_any_bytes_are_read(raw: bytes) -> None:
    info = tcp_info.parsed(raw)
    assert (info is None) == (len(raw) < 76)
    if info is not None:
        assert (info.unsent is None) == (len(raw) < 148)


def test_the_structure_is_read() -> None:
    info = tcp_info.parsed(structure(unacked=3, rtt=1_250, variation=40, retransmitted=7, unsent=4_096, shortest=900))
    assert info is not None
    assert (info.rtt_ns, info.variation_ns, info.shortest_ns) == (1_250_000, 40_000, 900_000)
    assert (info.unacknowledged, info.retransmitted, info.unsent, info.backoff) == (3, 7, 4_096, 0)


def test_a_round_trip_that_was_never_measured_is_none() -> None:
    info = tcp_info.parsed(structure(rtt=1, shortest=0xFFFFFFFF))
    assert info is not None and info.shortest_ns is None


def test_an_older_kernel_tells_less() -> None:
    info = tcp_info.parsed(structure(rtt=1_250, retransmitted=7)[:104])
    assert info is not None
    assert (info.rtt_ns, info.retransmitted, info.shortest_ns, info.unsent) == (1_250_000, 7, None, None)


def test_nothing_is_known_of_other_sockets() -> None:
    ours, other = socket.socketpair()
    with ours, other:
        assert tcp_info.read(ours) is None
    closed = socket.socket()
    closed.close()
    assert tcp_info.read(closed) is None


async def test_small_packets_leave_at_once(mosquitto_broker: Broker) -> None:
    """Without waiting for the acknowledgement of the one before (Nagle), which would count as the broker's time."""
    layer, _, _ = await tcp.open_(socket.AF_INET, (mosquitto_broker.host, mosquitto_broker.port))
    assert layer._sock is not None
    assert layer._sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    layer.abort()


@linux
@pytest.mark.parametrize("transport", ["tcp", "tls", "ws", "wss"])
async def test_every_transport_over_tcp_is_measured(mosquitto_ways: Ways, certificates: Certificates, transport: str) -> None:
    web, secure = WebSocketOptions(), TlsOptions(ca_file=str(certificates.ca))
    plain = ConnectOptions("127.0.0.1", connect=Connect("tcp-info"))
    options = {
        "tcp": replace(plain, port=mosquitto_ways.broker.port),
        "tls": replace(plain, port=mosquitto_ways.tls, tls=secure),
        "ws": replace(plain, port=mosquitto_ways.websocket, websocket=web),
        "wss": replace(plain, port=mosquitto_ways.secure_websocket, websocket=web, tls=secure),
    }[transport]
    async with Driver() as driver:
        driver.session.execute(commands.Connect(PEER, options))
        await driver.until(lambda: driver.state.phase is Phase.CONNECTED, "to be connected")
        await driver.until(lambda: len(samples(driver)) >= 3, "three samples")
        first, *_, last = samples(driver)
        assert (first.peer, first.connection) == (PEER, driver.state.connection)
        assert last.mono > first.mono
        assert 0 < last.info.rtt_ns < 10_000_000_000
        assert last.info.shortest_ns is not None and last.info.shortest_ns > 0


async def test_a_unix_socket_has_no_tcp(mosquitto_ways: Ways) -> None:
    async with Driver() as driver:
        driver.session.execute(commands.Connect(PEER, ConnectOptions(unix_path=mosquitto_ways.unix, connect=Connect("tcp-info"))))
        await driver.until(lambda: driver.state.phase is Phase.CONNECTED, "to be connected")
        driver.ping()
        await driver.until(lambda: driver.state.ping_ms is not None, "an answer")
        assert samples(driver) == []


@linux
async def test_what_the_other_side_does_not_take_is_seen_as_unsent(mosquitto_broker: Broker) -> None:
    async with Proxy(mosquitto_broker.host, mosquitto_broker.port) as proxy, Driver() as driver:
        await driver.connected(proxy.port)
        proxy.to_server.stall = True
        driver.publish("t/large", bytes(40_000_000))
        await driver.until(lambda: any(each.info.unsent and each.waiting for each in samples(driver)), "unsent bytes", 20)
        proxy.to_server.stall = False
        await driver.until(lambda: not samples(driver)[-1].info.unsent and not samples(driver)[-1].waiting, "all to leave", 60)


@linux
async def test_a_silent_broker_is_told_from_a_silent_network(mosquitto_broker: Broker) -> None:
    """What a stopped process leaves unanswered its system still acknowledges."""
    async with Driver() as driver:
        await driver.connected(mosquitto_broker.port)
        mosquitto_broker.pause()
        try:
            driver.ping()
            count = len(samples(driver))
            await driver.until(lambda: len(samples(driver)) >= count + 2, "later samples")
            assert driver.state.ping_ms is None
            assert samples(driver)[-1].info.unacknowledged == samples(driver)[-1].info.backoff == 0
        finally:
            mosquitto_broker.resume()
        await driver.until(lambda: driver.state.ping_ms is not None, "the answer")


@linux
@pytest.mark.parametrize("transport", ["tcp", "tls"])
async def test_a_busy_program_is_no_slow_broker(mosquitto_ways: Ways, certificates: Certificates, transport: str) -> None:
    """What arrived while the loop was busy is stamped with its arrival."""
    tls = TlsOptions(ca_file=str(certificates.ca)) if transport == "tls" else None
    async with Driver() as driver:
        await driver.connected(mosquitto_ways.tls if tls else mosquitto_ways.broker.port, tls=tls)
        driver.ping()
        asyncio.get_running_loop().call_soon(time.sleep, 3)
        await driver.until(lambda: driver.count(P.PINGRESP) == 1, "the answer")
        heads = [driver.log.head(no) for no in driver.log.numbers()]
        asked, answered = (next(head.mono for head in heads if head.first_byte >> 4 == kind) for kind in (P.PINGREQ, P.PINGRESP))
        assert 0 <= answered - asked < 2_000_000_000
        assert driver.state.ping_ms is not None and driver.state.ping_ms < 2_000


@linux
async def test_measuring_ends_with_the_connection(mosquitto_broker: Broker) -> None:
    async with Driver() as driver:
        await driver.connected(mosquitto_broker.port)
        driver.session.execute(commands.Disconnect(PEER))
        await driver.until(lambda: driver.state.phase is Phase.IDLE, "the end")
        count = len(samples(driver))
        await driver.connected(mosquitto_broker.port)
        await driver.until(lambda: len(samples(driver)) >= count + 3, "samples of the next one")
        assert {each.connection for each in samples(driver)[count:]} == {driver.state.connection}


DEAD_NETWORK = """
import asyncio, pathlib, subprocess
from mqtttui.client.events import TcpMeasured
from tests.support.brokers import mosquitto
from tests.support.sessions import Driver

def lo(state):
    subprocess.run(["ip", "link", "set", "lo", state], check=True)

async def main():
    lo("up")
    with mosquitto(pathlib.Path.cwd() / "mosquitto") as broker:
        async with Driver() as driver:
            await driver.connected(broker.port)
            lo("down")
            driver.ping()
            samples = lambda: [event for event in driver.events if isinstance(event, TcpMeasured)]
            await driver.until(lambda: samples()[-1].info.backoff >= 2, "to send again", 30)
            print("SEEN", samples()[-1].info.retransmitted >= 2, samples()[-1].info.unacknowledged >= 1)
            lo("up")
            await driver.until(lambda: driver.state.ping_ms is not None, "the answer, late", 60)
            print("ANSWERED", samples()[-1].info.backoff)

asyncio.run(main())
"""
"""In a network of its own, which goes down and comes back."""


@linux
def test_a_network_that_is_gone_is_sent_to_again(tmp_path: Path) -> None:
    """Nobody answers, not even with a refusal: half of the connection is gone."""
    if os.geteuid() or subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False).returncode:
        pytest.skip("no rights to make a network")
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    command = ["unshare", "-n", sys.executable, "-c", DEAD_NETWORK]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.split("\n")[0] == "SEEN True True", done.stdout + done.stderr
    assert "ANSWERED" in done.stdout, done.stdout + done.stderr
