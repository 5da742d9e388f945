"""A whole session on every transport, against real brokers: QoS 0, 1 and 2, a ping, and the recorded bytes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mqtttui.analysis.findings import Findings
from mqtttui.capture.files.websocket import FrameReader, head_end
from mqtttui.capture.records import WebSocketKind
from mqtttui.client.events import Outcome, StepStatus
from mqtttui.config.options import TlsOptions, WebSocketOptions
from mqtttui.protocol.enums import Direction, PacketType, Version
from mqtttui.protocol.packets import Connect, TopicRequest
from tests.support.brokers import ALICE, HOST, Ways, accepts, ejabberd, free_port, mosquitto, nats
from tests.support.certs import Certificates
from tests.support.proxy import Proxy
from tests.support.sessions import Driver
from tests.support.waiting import wait_until

WEB = WebSocketOptions()


def options_of(transport: str, ways: Ways, certificates: Certificates) -> dict[str, Any]:
    tls = TlsOptions(ca_file=str(certificates.ca))
    match transport:
        case "ws":
            return {"port": ways.websocket, "websocket": WEB}
        case "wss":
            return {"port": ways.secure_websocket, "websocket": WEB, "tls": tls}
        case "tls":
            return {"port": ways.tls, "tls": tls}
        case "unix":
            return {"port": 1, "host": "nowhere.invalid", "unix_path": ways.unix}
        case _:
            return {"port": ways.broker.port}


async def all_of_it(driver: Driver, topic: str, highest: int = 2, payload: bytes = bytes(range(256)) * 8) -> None:
    """Subscribes, publishes at each QoS, gets everything back, pings."""
    await driver.subscribed(TopicRequest(f"{topic}/#", highest))
    for qos in range(highest + 1):
        await driver.outcome(driver.publish(f"{topic}/{qos}", payload, qos=qos), Outcome.ACKED if qos else Outcome.SENT)
    await driver.until(lambda: driver.count(PacketType.PUBLISH, Direction.S2C) == highest + 1, "all messages back")
    driver.ping()
    await driver.until(lambda: driver.count(PacketType.PINGRESP) == 1, "the ping's answer")
    assert driver.raw(Direction.S2C).count(payload) == highest + 1


@pytest.mark.parametrize("version", [Version.V311, Version.V5])
@pytest.mark.parametrize("transport", ["tcp", "tls", "ws", "wss", "unix"])
async def test_a_session_on_every_transport(mosquitto_ways: Ways, certificates: Certificates, transport: str, version: Version) -> None:
    connect = Connect(client_id=f"way-{transport}", version=version)
    async with Driver() as driver:
        made = await driver.connected(connect=connect, **options_of(transport, mosquitto_ways, certificates))
        assert made.transport == transport
        await all_of_it(driver, f"way/{transport}")
        state = driver.state
        assert {step.status for step in state.steps} <= {StepStatus.DONE, StepStatus.SKIPPED}
        assert all(step.milliseconds is not None for step in state.steps if step.status is StepStatus.DONE)
        names = [step.name for step in state.steps]
        assert ("websocket" in names) is (transport in ("ws", "wss"))
        assert ("unix" in names, "tcp" in names) == (transport == "unix", transport != "unix")
        assert bool(state.tls) is (transport in ("tls", "wss"))
        info = driver.log.connection(0)
        assert info.transport == transport
        assert info.name == made.url
        await driver.disconnect()
        assert driver.state.ended == "disconnected"


async def test_what_the_upgrade_said(mosquitto_ways: Ways) -> None:
    web = WebSocketOptions("/mqtt?token=hidden", headers=(("X-Device", "7"), ("Authorization", "Bearer hidden")))
    async with Driver() as driver:
        made = await driver.connected(mosquitto_ways.websocket, websocket=web)
        upgrade = driver.state.upgrade
        assert upgrade is not None
        assert upgrade.request[0] == "GET /mqtt?… HTTP/1.1"
        assert f"Host: {HOST}:{mosquitto_ways.websocket}" in upgrade.request
        assert "Sec-WebSocket-Protocol: mqtt" in upgrade.request
        assert "X-Device: 7" in upgrade.request
        assert "Authorization: ***" in upgrade.request
        assert upgrade.response[0].startswith("HTTP/1.1 101 ")
        assert any(line.lower() == "sec-websocket-protocol: mqtt" for line in upgrade.response)
        step = next(step for step in driver.state.steps if step.name == "websocket")
        assert step.detail == "sub-protocol mqtt"
        assert "hidden" not in repr(driver.events).replace(repr(made), "").replace(repr(web), "").replace("token=hidden", "")
        assert made.url == f"ws://{HOST}:{mosquitto_ways.websocket}/mqtt?…"
        assert [(event.kind, event.detail) for event in driver.log.websocket_events(0)] == [(WebSocketKind.SUB_PROTOCOL, b"mqtt")]
        findings = Findings()
        findings.advance(driver.log, driver.log.last)
        assert (findings.warnings, findings.errors) == (0, 0)


@contextmanager
def other_broker(name: str, directory: Path) -> Iterator[int]:
    port = free_port()
    with (ejabberd if name == "ejabberd" else nats)(directory, websocket=port):
        yield port


@pytest.mark.parametrize(("name", "highest", "size"), [("ejabberd", 2, 600_000), ("nats", 1, 600_000)])
async def test_other_brokers_over_websocket(tmp_path: Path, name: str, highest: int, size: int) -> None:
    login = Connect(client_id="web", username=ALICE[0], password=ALICE[1].encode())
    with other_broker(name, tmp_path) as port:
        async with Driver() as driver:
            await driver.connected(port, connect=login, websocket=WEB)
            await all_of_it(driver, "t/web", highest, bytes(range(256)) * (size // 256))
            await driver.disconnect()


@pytest.mark.parametrize("segment", [0, 1, 997])
async def test_the_log_holds_what_the_frames_held(tmp_path: Path, segment: int) -> None:
    port = free_port()
    payload = bytes(range(256)) * 8
    with mosquitto(tmp_path, options=[f"listener {port}", "protocol websockets"]):
        await wait_until(lambda: accepts(port), "the listener")
        async with Proxy(HOST, port) as proxy, Driver() as driver:
            proxy.to_client.segment = proxy.to_server.segment = segment
            await driver.connected(proxy.port, websocket=WEB)
            await all_of_it(driver, "rec", payload=payload)
            await driver.disconnect()
            await driver.until(lambda: proxy.connections[0].closed, "the proxy to finish")
            for direction, seen in ((Direction.C2S, proxy.connections[0].to_server), (Direction.S2C, proxy.connections[0].to_client)):
                data = bytes(seen.data)
                reader = FrameReader(masked=direction is Direction.C2S)
                assert driver.raw(direction) == reader.feed(data[head_end(data) :])
                assert not reader.error
            assert reader.text_frames == 0
