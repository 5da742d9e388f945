"""Every failure, provoked for real on loopback, as a person sees it.

The table is `tests/data/failures.txt`: title, detail, what to check, what one key can do.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from mqtttui.client import connection
from mqtttui.client.events import Fix, StepStatus
from mqtttui.config.options import TlsOptions
from mqtttui.protocol.enums import Version
from mqtttui.protocol.packets import Connect
from mqtttui.ui.forms.fixes import apply_fix
from tests.support.brokers import Broker
from tests.support.certs import Certificates
from tests.support.failing import Scene, server_context, shown
from tests.support.failure_scenes import SCENES
from tests.support.scripted import Script, expect, reply, serve
from tests.support.sessions import Driver


def table() -> dict[str, str]:
    """Name of a scene -> the lines that a person sees."""
    blocks = (Path(__file__).parent.parent / "data" / "failures.txt").read_text("utf-8").split("\n== ")[1:]
    return {name: lines.strip("\n") for name, _, lines in (block.partition("\n") for block in blocks)}


TABLE = table()


@pytest.fixture
async def scene(certificates: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    async with AsyncExitStack() as stack, Driver() as driver:
        yield Scene(driver, certificates, tmp_path, monkeypatch, stack)


@pytest.mark.parametrize("name", SCENES)
async def test_a_failure_as_a_person_sees_it(scene: Scene, name: str) -> None:
    await SCENES[name](scene)
    state = await scene.driver.failed(20)
    assert shown(state, scene) == TABLE[name]
    assert state.failure is not None
    step = next((step for step in state.steps if step.name == state.failure.step), None)
    assert step is None or step.status is StepStatus.FAILED, "the phase that failed is the one that is marked"


async def _taken_over(broker: Broker, scene: Scene, connect: Connect) -> None:
    await scene.driver.connected(broker.port, connect=connect)
    other = await scene.enter(Driver())
    await other.connected(broker.port, connect=connect)


async def _sends(broker: Broker, scene: Scene, connect: Connect, topic: str, qos: int) -> None:
    scene.patch.setattr(connection, "_JUST_SENT_NS", 30 * 10**9)
    await scene.driver.connected(broker.port, connect=connect)
    scene.driver.publish(topic, b"x", qos=qos)


async def _connects(broker: Broker, scene: Scene, connect: Connect | None = None, tls: TlsOptions | None = None) -> None:
    scene.driver.connect(broker.port, connect=connect, tls=tls, dial_timeout=20.0)


V5 = Version.V5
ALICE = Connect("alice", V5, username="alice", password=b"secret")
PUT_BEHIND_TLS = {"Closed during the TLS handshake", "Reset during the TLS handshake"}
"""mosquitto closes on what is no MQTT; what it leaves unread makes the close a reset."""
WANTS_TLS = {"Closed without answering CONNECT", "Connection lost before CONNACK", "This port wants TLS"}
CLOSED_AFTER_PACKET = {"The server closed the connection after a packet", "Connection reset after a packet"}

Real = tuple[str, Callable[[Broker, Scene], Awaitable[None]], set[str], Fix | None]

REAL: dict[str, Real] = {
    "TLS to mosquitto's plain port": ("mosquitto_broker", lambda b, s: _connects(b, s, tls=s.tls()), PUT_BEHIND_TLS, Fix.NO_TLS),
    "plain to mosquitto's TLS port": ("tls_mosquitto", _connects, WANTS_TLS, Fix.USE_TLS),
    "mosquitto without the client certificate": (
        "mutual_tls_mosquitto", lambda b, s: _connects(b, s, tls=s.tls()), {"Client certificate wanted"}, None,
    ),
    "mosquitto, wrong password": (
        "password_mosquitto",
        lambda b, s: _connects(b, s, Connect("x", username="alice", password=b"no")),
        {"Refused: 5 not authorized"},
        None,
    ),
    "mosquitto, wrong password, MQTT 5": (
        "password_mosquitto",
        lambda b, s: _connects(b, s, Connect("x", V5, username="alice", password=b"no")),
        {"Refused: 0x87 not authorized"},
        None,
    ),
    "taken over at mosquitto": (
        "mosquitto_broker", lambda b, s: _taken_over(b, s, Connect("twice-f")), {"The server closed the connection"}, None,
    ),
}  # fmt: skip
DEAR: dict[str, Real] = {
    "taken over at ejabberd": (
        "ejabberd_broker", lambda b, s: _taken_over(b, s, ALICE), {"The server disconnected: 0x8e session taken over"}, None,
    ),
    "MQTT 5 to aedes": (
        "aedes_broker", lambda b, s: _connects(b, s, Connect("x", V5)), {"Refused: 1 unacceptable protocol version"}, Fix.USE_311,
    ),
    "MQTT 5 to nats": (
        "nats_broker", lambda b, s: _connects(b, s, Connect("x", V5)), {"Refused: 1 unacceptable protocol version"}, Fix.USE_311,
    ),
    "a topic that nats does not take": (
        "nats_broker", lambda b, s: _sends(b, s, Connect("x"), "a.b c", 1), CLOSED_AFTER_PACKET, None,
    ),
    "a topic that aedes denies": ("aedes_broker", lambda b, s: _sends(b, s, Connect("x"), "deny/x", 1), CLOSED_AFTER_PACKET, None),
}  # fmt: skip


@pytest.mark.parametrize("name", [*REAL, *(pytest.param(name, marks=pytest.mark.slow) for name in DEAR)])
async def test_real_brokers_fail_by_name(scene: Scene, request: pytest.FixtureRequest, name: str) -> None:
    fixture, provoke, titles, fix = {**REAL, **DEAR}[name]
    await provoke(request.getfixturevalue(fixture), scene)
    failure = (await scene.driver.failed(30)).failure
    assert failure is not None
    assert failure.title in titles, scene.driver.describe()
    assert failure.hint
    assert fix is None or fix in failure.fixes


def test_every_scene_stands_in_the_table_and_nothing_else() -> None:
    assert list(TABLE) == list(SCENES)
    assert len(TABLE) >= 30


@pytest.mark.parametrize(("served", "fix"), [("self_signed", Fix.PIN), ("wrong_host", Fix.SERVER_NAME)])
async def test_the_fix_of_a_certificate_makes_the_connection(scene: Scene, served: str, fix: Fix) -> None:
    context = server_context(getattr(scene.certificates, served))
    broker = await scene.enter(Script(expect(Connect), reply(), serve(), tls=context, timeout=30.0))
    options = scene.driver.connect(broker.port, "localhost", tls=scene.tls())
    failure = (await scene.driver.failed(20)).failure
    assert failure is not None
    assert failure.fixes == (fix,)
    mended = apply_fix(options, fix, failure.value)
    await scene.driver.connected(mended.port, mended.host, tls=mended.tls)
    assert scene.driver.state.warning == ""
