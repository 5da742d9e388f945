"""Attempts to connect, their phases as bars, and the screen that shows and compares them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mqtttui.app import PEER
from mqtttui.client.commands import Connect
from mqtttui.client.events import ConnectionState, Failure, Fix, Phase, Step, StepStatus, Try
from mqtttui.config.options import ConnectOptions
from mqtttui.config.settings import Settings
from mqtttui.ui import waterfall
from mqtttui.ui.attempt_words import markdown, outcome
from mqtttui.ui.attempts import KEPT, PEERS, Attempt, Attempts, Result
from mqtttui.ui.screens.why import WhyScreen
from tests.support.screen import Running, running

MS = 1_000_000
WALL = 1_700_000_000 * 1_000_000_000
DONE, RUNNING, FAILED, WAITING, SKIPPED = (
    StepStatus.DONE,
    StepStatus.RUNNING,
    StepStatus.FAILED,
    StepStatus.WAITING,
    StepStatus.SKIPPED,
)
OPTIONS = ConnectOptions(host="broker.example", port=1883)
BEGUN = (Step("resolve"), Step("tcp"), Step("tls"), Step("connect"), Step("connack"))
MADE = (
    Step("resolve", DONE, 0, 2 * MS, "192.0.2.7, 192.0.2.8"),
    Step(
        "tcp",
        DONE,
        2 * MS,
        12 * MS,
        "192.0.2.7:1883 refused; 192.0.2.8:1883",
        8 * MS,
        (Try("192.0.2.7:1883", 2 * MS, 7 * MS, "refused"), Try("192.0.2.8:1883", 8 * MS, 12 * MS)),
    ),
    Step("tls", SKIPPED, detail="off"),
    Step("connect", DONE, 12 * MS, 13 * MS),
    Step("connack", DONE, 13 * MS, 20 * MS, "new session"),
)
SILENT = (
    Step("resolve", SKIPPED, detail="is an address already"),
    Step("tcp", DONE, 0, MS, "192.0.2.7:1883"),
    Step("tls", SKIPPED, detail="off"),
    Step("connect", DONE, MS, 2 * MS),
    Step("connack", FAILED, 2 * MS, 10_002 * MS, "no CONNACK within 10 s"),
)
SILENCE = Failure("No answer to CONNECT", "no CONNACK within 10 s", "The broker hangs.", "connack", (Fix.USE_TLS, Fix.USE_311))
IDLE = ConnectionState("p", options=OPTIONS)
CONNECTING = IDLE.with_(phase=Phase.CONNECTING, steps=BEGUN)
CONNECTED = IDLE.with_(phase=Phase.CONNECTED, steps=MADE, connection=0)
FAILURE = IDLE.with_(steps=SILENT, failure=SILENCE, ended=SILENCE.title)


def taken(*states: ConnectionState) -> Attempts:
    attempts = Attempts()
    for index, state in enumerate(states):
        attempts.take(state, (20 + index) * MS, WALL + index * MS)
    return attempts


def latest(*states: ConnectionState) -> Attempt:
    found = taken(*states).latest("p")
    assert found is not None
    return found


# Attempts


@pytest.mark.parametrize(
    ("states", "result", "words"),
    [
        ([CONNECTING], Result.RUNNING, "connecting"),
        ([CONNECTING, CONNECTED], Result.CONNECTED, "connected"),
        ([CONNECTING, FAILURE], Result.FAILED, "No answer to CONNECT"),
        ([CONNECTING, IDLE.with_(ended="cancelled")], Result.CANCELLED, "cancelled"),
        ([CONNECTING, CONNECTED, IDLE.with_(ended="disconnected")], Result.ENDED, "connected, then disconnected"),
        (
            [CONNECTING, CONNECTED, IDLE.with_(phase=Phase.WAITING, failure=Failure("Keep-alive time-out", "", "x"), ended="x")],
            Result.LOST,
            "connected, then: Keep-alive time-out",
        ),
    ],
)
def test_what_came_of_an_attempt(states: list[ConnectionState], result: Result, words: str) -> None:
    attempt = latest(*states)
    assert (attempt.result, outcome(attempt)) == (result, words)
    assert attempt.over == (result not in (Result.RUNNING, Result.CONNECTED))


def test_each_connecting_begins_an_attempt_and_nothing_else_does() -> None:
    waiting = IDLE.with_(phase=Phase.WAITING, failure=SILENCE)
    attempts = taken(CONNECTING, CONNECTED, waiting, waiting.with_(attempt=2), CONNECTING, FAILURE, IDLE, CONNECTING)
    assert [(each.number, each.result) for each in attempts.all] == [(3, Result.RUNNING), (2, Result.FAILED), (1, Result.LOST)]


def test_what_ended_is_not_changed_any_more() -> None:
    before = latest(CONNECTING, FAILURE)
    assert latest(CONNECTING, FAILURE, IDLE.with_(ended="cancelled")) == before


def test_attempts_are_bounded_by_peer_and_peers_are() -> None:
    attempts = taken(*[CONNECTING, FAILURE] * (KEPT + 5))
    assert [each.number for each in attempts.all] == list(range(KEPT + 5, 5, -1))
    for number in range(PEERS + 3):
        attempts.take(replace(CONNECTING, peer=f"q{number}"), 0, WALL)
    assert len({each.peer for each in attempts.all}) == PEERS


def test_how_long_it_took() -> None:
    assert latest(CONNECTING).took(5 * MS) is None
    assert latest(CONNECTING, CONNECTED).took(10**12) == 20 * MS
    assert latest(CONNECTING, FAILURE).took(10**12) == 10_002 * MS
    running = CONNECTING.with_(steps=(Step("resolve", RUNNING, 5 * MS), *BEGUN[1:]))
    assert latest(CONNECTING, running).took(9 * MS) == 4 * MS
    # Given up after 22 ms of the clock, in a step that has no end of its own.
    assert latest(CONNECTING, running, IDLE.with_(steps=running.steps, ended="cancelled")).took(10**12) == 17 * MS


# Bars


def test_every_phase_and_every_address_has_a_bar() -> None:
    found = waterfall.bars(latest(CONNECTING, CONNECTED), 10**12)
    assert [(bar.label, bar.start, bar.end, bar.status) for bar in found] == [
        ("DNS", 0, 2 * MS, DONE),
        ("TCP", 2 * MS, 12 * MS, DONE),
        ("192.0.2.7:1883", 2 * MS, 7 * MS, FAILED),
        ("192.0.2.8:1883", 8 * MS, 12 * MS, DONE),
        ("TLS", None, None, SKIPPED),
        ("CONNECT", 12 * MS, 13 * MS, DONE),
        ("CONNACK", 13 * MS, 20 * MS, DONE),
    ]


def test_a_phase_that_was_given_up_counts_as_failed_and_a_running_one_grows() -> None:
    steps = (*MADE[:3], Step("connect", RUNNING, 12 * MS), Step("connack"))
    running = latest(CONNECTING, CONNECTING.with_(steps=steps))
    for now in (15, 19):
        bar = waterfall.bars(running, now * MS)[-2]
        assert (bar.status, bar.end) == (RUNNING, now * MS)
    cancelled = latest(CONNECTING, CONNECTING.with_(steps=steps), IDLE.with_(steps=steps, ended="cancelled"))
    bar, last = waterfall.bars(cancelled, 10**12)[-2:]
    assert (bar.status, bar.end) == (FAILED, 22 * MS)
    assert (last.status, last.ns) == (WAITING, None)


def test_phases_that_only_one_attempt_has_keep_their_place() -> None:
    web = replace(latest(CONNECTING, CONNECTED), steps=(*MADE[:3], Step("websocket", DONE, 12 * MS, 14 * MS), *MADE[3:]))
    found = waterfall.pairs(waterfall.bars(latest(CONNECTING, FAILURE), 0), waterfall.bars(web, 0))
    labels = [(one.label if one else "", two.label if two else "") for one, two in found]
    assert labels == [
        ("DNS", "DNS"),
        ("TCP", "TCP"),
        ("", "192.0.2.7:1883"),
        ("", "192.0.2.8:1883"),
        ("TLS", "TLS"),
        ("", "WebSocket"),
        ("CONNECT", "CONNECT"),
        ("CONNACK", "CONNACK"),
    ]


@given(st.integers(0, 10**12), st.integers(0, 10**12), st.integers(1, 200))
def test_a_bar_that_ran_is_seen_and_stays_within_its_room(start: int, ns: int, width: int) -> None:
    bar = waterfall.Bar(("tcp", 0), "TCP", DONE, start, start + ns)
    whole = waterfall.scale([bar])
    assert whole >= start + ns
    blank, drawn = waterfall.cells(bar, whole, width)
    assert drawn
    assert 0 <= blank < blank + len(drawn) <= width


def test_pauses_between_phases_are_counted_and_addresses_are_no_phases() -> None:
    assert waterfall.between(waterfall.bars(latest(CONNECTING, CONNECTED), 0)) == 0
    late = (*MADE[:3], Step("connect", DONE, 32 * MS, 33 * MS), Step("connack", DONE, 34 * MS, 40 * MS))
    assert waterfall.between(waterfall.bars(latest(CONNECTING, CONNECTED.with_(steps=late)), 0)) == 21 * MS


@given(st.integers(1, 10**12), st.integers(4, 200))
def test_the_axis_fills_its_room(longest: int, width: int) -> None:
    whole = waterfall.scale([waterfall.Bar(("tcp", 0), "TCP", DONE, 0, longest)])
    line = waterfall.axis(whole, width)
    assert line.startswith("0")
    assert len(line) == width
    assert line.endswith(waterfall.axis_words(whole)) or width < 12


@pytest.mark.parametrize(
    ("one", "two", "words"),
    [(3 * MS, MS, "+2.00 ms"), (MS, 20 * MS, "-19.0 ms"), (None, MS, ""), (5 * MS, 5 * MS, "+0.00 ms"), (MS, MS + 99, "+0.00 ms")],
)
def test_differences(one: int | None, two: int | None, words: str) -> None:
    assert waterfall.difference(one, two) == words


def test_markdown_of_one_and_of_two() -> None:
    failed, made = latest(CONNECTING, FAILURE), latest(CONNECTING, CONNECTED)
    text = markdown(failed, None, 0)
    assert "**No answer to CONNECT** after 10.00 s: `mqtt://broker.example:1883`" in text
    assert "What to check: The broker hangs." in text
    assert "To try: use TLS, port 8883, try MQTT 3.1.1" in text
    assert "| CONNACK | 2.00 ms | 10.00 s | failed: no CONNACK within 10 s |" in text
    both = markdown(failed, made, 0)
    assert "| Phase | A | B | A - B |" in both
    assert "| CONNACK | 10.00 s | 7.00 ms | +9.99 s |" in both
    assert "| · 192.0.2.7:1883 |  | 5.00 ms |  |" in both
    assert "| TLS | not needed | not needed |  |" in both


# The screen


async def why(run: Running) -> WhyScreen:
    await run.press("D")
    await run.until(lambda: isinstance(run.app.screen, WhyScreen) and run.app.screen.is_mounted, "the screen")
    assert isinstance(run.app.screen, WhyScreen)
    return run.app.screen


def tell(run: Running, *states: ConnectionState) -> None:
    for state in states:
        run.tell(replace(state, peer=PEER))


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_a_failed_attempt_is_shown_with_its_bars_and_what_to_check(size: tuple[int, int]) -> None:
    async with running(Settings(options=OPTIONS), size=size) as run:
        run.fake_session()
        tell(run, CONNECTING, CONNECTED, IDLE.with_(ended="disconnected"), CONNECTING, FAILURE)
        await run.press("4")
        await why(run)
        await run.shows("No answer to CONNECT", "✗ CONNACK", "10.00 s", "check: The broker hangs.", "F8 use TLS, port 8883")
        await run.press("down")
        await run.shows("DNS", "192.0.2.7:1883", "20.0 ms", "connected, then")
        await run.hides("check: The broker hangs.")


async def test_two_attempts_side_by_side_in_ascii_too() -> None:
    async with running(Settings(options=OPTIONS, ascii=True)) as run:
        session = run.fake_session()
        tell(run, CONNECTING, FAILURE, CONNECTING, CONNECTED)
        await run.press("4")
        await why(run)
        await run.press("down", "space", "up")
        await run.shows("A - B", "-9.99 s", "x mqtt://", "####")
        await run.press("down", "f8")
        await run.shows("try: use TLS, port 8883")
        assert session.commands == [], "the mend of an old failure is not applied to what came after it"
        await run.press("space", "up")
        await run.hides("A - B")


async def test_the_notice_names_the_key_and_the_fix_is_applied_from_the_screen() -> None:
    async with running(Settings(options=OPTIONS)) as run:
        session = run.fake_session()
        tell(run, CONNECTING, CONNECTED, CONNECTING, FAILURE)
        await run.shows("D shows more")
        await why(run)
        await run.press("y")
        await run.shows("bytes to the")
        await run.press("f8")
        await run.until(lambda: session.commands, "a command")
        (command,) = session.commands
        assert isinstance(command, Connect)
        assert command.options.tls is not None
        assert command.options.port == 8883
        assert not isinstance(run.app.screen, WhyScreen)


async def test_from_nothing_to_an_attempt_that_runs_and_fails() -> None:
    async with running(Settings(options=OPTIONS)) as run:
        run.fake_session()
        await run.press("4")
        await why(run)
        await run.press("space", "y", "down", "tab", "down", "f8")
        await run.shows("no attempt to connect yet; c connects")
        tell(run, CONNECTING.with_(steps=(Step("resolve", RUNNING, 5 * MS), *BEGUN[1:])))
        await run.shows("connecting", "… DNS")
        tell(run, FAILURE)
        await run.shows("No answer to CONNECT")
        await run.press("q")
        await run.until(lambda: run.app.screen is run.main, "the main screen")
