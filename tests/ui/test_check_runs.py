"""Test runs in the application, by keyboard: asked for, watched, stopped, compared, copied; their packets are in the list."""

from __future__ import annotations

import json

import pytest

from mqtttui.analysis.check_run import Depth, Plan, Run, RunError
from mqtttui.app import PEER
from mqtttui.client.checking import PEER as CHECK_PEER
from mqtttui.client.events import CheckOver, CheckProgress, CheckRan, Phase
from mqtttui.config.check import CheckJob, beside
from mqtttui.config.options import ConnectOptions, ReconnectOptions
from mqtttui.config.settings import Settings
from mqtttui.protocol.enums import ErrorClass, PropertyId, Version
from mqtttui.protocol.packets import Connect, Disconnect, Property, Subscribe, Will
from mqtttui.ui.check_runs import KEPT, Checked, CheckRuns
from mqtttui.ui.screens.check import CheckScreen
from mqtttui.ui.screens.check_form import CheckForm
from mqtttui.ui.widgets.form import Form
from tests.support.brokers import Broker, free_port
from tests.support.screen import Running, inspecting, running
from tests.support.scripted import Script, expect, reply
from tests.support.waiting import wait_until
from tests.ui.test_mosquitto_journeys import go

MS = 1_000_000
SIZES = [(80, 24), pytest.param((120, 36), marks=pytest.mark.slow), (200, 50)]


def to(port: int, version: Version = Version.V5) -> Settings:
    return Settings(options=ConnectOptions("127.0.0.1", port, connect=Connect("mine", version)))


async def asked(run: Running) -> CheckForm:
    await run.press("escape", "8", "x")
    await run.until(lambda: isinstance(run.app.screen, CheckForm) and run.app.screen.is_mounted, "the form")
    await run.pilot.pause()
    assert isinstance(run.app.screen, CheckForm)
    return run.app.screen


async def fill(run: Running, row: str, text: str) -> None:
    """Tab to a text of the form and type over what stands there."""
    form = run.app.screen.query_one(Form)
    await go(run, form, row)
    if not form.typing:
        await run.press("enter")
    await run.press("end", "ctrl+u")
    await run.type(text)


async def choose(run: Running, row: str, value: str) -> None:
    """Tab to a choice of the form and go right until it says `value`."""
    form = run.app.screen.query_one(Form)
    await go(run, form, row)
    for _ in range(8):
        if next(each.value for each in form.rows if each.id == row) == value:
            return
        await run.press("right")
        await run.pilot.pause()
    raise AssertionError(f"{row} never said {value}")


def latest(run: Running) -> Checked:
    return run.app._checks._runs.all[0]


async def over(run: Running) -> Checked:
    await run.until(lambda: latest(run).over, "the test run is over", 30)
    return latest(run)


async def test_a_test_run_beside_the_own_connection(mosquitto_broker: Broker) -> None:
    settings = to(mosquitto_broker.port)
    async with running(Settings(options=settings.options, connect_now=True)) as run:
        await run.until(lambda: run.app.state.phase is Phase.CONNECTED, "to be connected")
        await asked(run)
        await run.shows("how long does mqtt://127.0.0.1", "mqtttui/check/", "mqtttui-test-", "clean session beside yours")
        await fill(run, "count", "2")
        await fill(run, "interval", "0")
        await run.press("ctrl+s")
        await run.until(lambda: isinstance(run.app.screen, CheckScreen), "the results")
        checked = await over(run)
        assert (checked.job.count, checked.job.interval) == (2, 0.0)
        assert [each.error for each in checked.runs] == [None, None]
        await run.shows("2 of 2 runs, availability 100 %", "publish QoS 2 (PUBCOMP)", "end to end QoS 1", "median", "2 of 2")
        assert run.app.state.phase is Phase.CONNECTED, "the own connection was left alone"
        assert {info.peer for info in run.log.connections} == {PEER, CHECK_PEER}
        await run.press("y")
        await run.until(lambda: "| publish QoS 1 (PUBACK) | 2 |" in run.app.clipboard, "Markdown was copied")
        await run.press("J")
        await run.until(lambda: run.app.clipboard.startswith("{"), "JSON was copied")
        made = json.loads(run.app.clipboard)
        assert (made["runs"], made["availability"], len(made["each"])) == (2, 100.0, 2)
        await run.press("q", "4")
        await run.until(lambda: run.app.screen is run.main, "back")
        await run.shows("mqtttui/check/", "UNSUBSCR")


async def test_the_palette_leads_there_from_anywhere() -> None:
    async with running(to(1883)) as run:
        await run.press("escape", "4", "colon")
        await run.type("how long does this broker")
        await run.press("enter")
        await run.until(lambda: isinstance(run.app.screen, CheckForm), "the form")


async def test_without_a_connection_the_form_is_tested(mosquitto_broker: Broker) -> None:
    async with running(to(mosquitto_broker.port)) as run:
        await asked(run)
        await choose(run, "depth", "connect only")
        await fill(run, "count", "1")
        await run.press("ctrl+s")
        checked = await over(run)
        assert checked.job.plan.depth is Depth.CONNECT
        await run.shows("connect only", "CONNACK", "took")
        await run.hides("subscribe (SUBACK)")
        assert run.app.state.phase is Phase.IDLE


async def test_a_broker_that_is_not_there() -> None:
    async with running(to(free_port()), size=(80, 24)) as run:
        await asked(run)
        await fill(run, "count", "1")
        await run.press("ctrl+s")
        await over(run)
        await run.shows(
            "0 of 1 runs, availability 0 %, errors: 1 connect", "run 1, tcp: Connection refused", "nothing was measured", "1 failed"
        )


@pytest.mark.parametrize("where", ["on its screen", "on the main screen"])
async def test_it_is_stopped_on_the_way(where: str) -> None:
    script = (expect(Connect), reply(), expect(Subscribe), expect(Disconnect))
    async with Script(*script) as broker, running(to(broker.port)) as run:
        await asked(run)
        await run.press("ctrl+s")
        await run.shows("waiting for SUBACK", "ctrl+c stops")
        if where == "on the main screen":
            await run.press("q")
            await run.until(lambda: run.app.screen is run.main, "the main screen")
        await run.press("ctrl+c")
        assert (await over(run)).stopped
        await broker.finished()
        if where == "on its screen":
            await run.shows("stopped")


async def test_quitting_ends_it() -> None:
    async with Script(expect(Connect), reply(), expect(Subscribe), expect(Disconnect)) as broker:
        async with running(to(broker.port)) as run:
            await asked(run)
            await run.press("ctrl+s")
            await run.shows("waiting for SUBACK")
        await wait_until(lambda: any(isinstance(packet, Disconnect) for packet in broker.received), "DISCONNECT")


async def test_the_form_refuses_what_is_no_topic() -> None:
    async with running(to(1883)) as run:
        await asked(run)
        await fill(run, "topic", "a/#")
        await run.press("enter")
        await run.until(lambda: isinstance(run.app.screen, CheckForm) and "wildcard" in run.text, "what is wrong")
        await choose(run, "depth", "subscribe only")
        await run.press("ctrl+s")
        await run.until(lambda: isinstance(run.app.screen, CheckScreen), "as a filter it will do")
        await run.press("ctrl+c")
        await over(run)


def measured(total: int) -> Run:
    return Run(1, 0, {"ping": total * MS // 10, "total": total * MS}, {"publish-payload": 48})


@pytest.mark.parametrize("size", SIZES)
async def test_two_are_compared(size: tuple[int, int]) -> None:
    async with inspecting(0, size=size) as (run, _):
        runs: CheckRuns = run.app._checks._runs
        for total in (100, 250):
            begun = runs.begin(CheckJob(ConnectOptions(), Plan(b"t"), 1), 0)
            runs.take(CheckRan(begun.token, measured(total)))
            runs.take(CheckOver(begun.token, False))
        await run.press("8", "x")
        await run.until(lambda: isinstance(run.app.screen, CheckScreen), "the results")
        await run.press("down", "space", "up")
        await run.shows("A - B", "+150 ms", "+15 ms", "A ", "B ", "100 ms", "250 ms")
        await run.press("y")
        await run.until(lambda: "| ping | 1 | 25 ms | 25 ms | 25 ms | 25 ms | 10 ms |" in run.app.clipboard, "both were copied")
        await run.press("down", "space", "tab", "down", "up")
        await run.hides("A - B")


# Values


def test_settings_for_a_run_beside_send_nobody_off_and_leave_nothing() -> None:
    expiry = (Property(PropertyId.SESSION_EXPIRY_INTERVAL, 300), Property(PropertyId.RECEIVE_MAXIMUM, 3))
    connect = Connect(
        "mine", Version.V5, clean=False, username="alice", password=b"secret", will=Will("w", b"gone"), properties=expiry, flags=0xC6
    )
    own = beside(ConnectOptions("h", 1884, connect=connect, reconnect=ReconnectOptions(enabled=True)), "mqtttui-test-1")
    made = own.connect
    assert (made.client_id, made.clean, made.will, made.flags) == ("mqtttui-test-1", True, None, None)
    assert (made.username, made.password, made.properties) == ("alice", b"secret", expiry[1:])
    assert (own.host, own.port, own.reconnect.enabled) == ("h", 1884, False)


def test_the_store_keeps_the_latest() -> None:
    runs = CheckRuns()
    job = CheckJob(ConnectOptions(), Plan(b"t"), 3)
    for _ in range(KEPT + 5):
        runs.take(CheckOver(runs.begin(job, 0).token, False))
    assert len(runs.all) == KEPT
    assert runs.running is None
    begun = runs.begin(job, 0)
    assert runs.running is begun is runs.all[0]
    runs.take(CheckProgress(begun.token, 2, "waiting for PUBACK"))
    failed = Run(1, 0, {}, {}, RunError(ErrorClass.TIMEOUT, "PUBACK", "No answer"))
    runs.take(CheckRan(begun.token, failed))
    assert (begun.number, begun.waits, begun.report.availability) == (2, "waiting for PUBACK", 0.0)
    before = runs.revision
    runs.take(CheckRan(1, failed))
    assert runs.revision == before, "nobody's news change nothing"
    runs.take(CheckOver(begun.token, True))
    assert begun.stopped and runs.running is None
