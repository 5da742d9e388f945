"""The table of bindings: every id works, no key is eaten, footer and palette agree with it."""

from __future__ import annotations

from collections import Counter

import pytest
from textual.binding import Binding
from textual.widget import Widget

from mqtttui.analysis.check_run import Plan
from mqtttui.config.check import CheckJob
from mqtttui.config.options import ConnectOptions
from mqtttui.ui.bindings import KEYS, SCOPES, Key, bindings_for, key_label
from mqtttui.ui.screens.check import CheckScreen
from mqtttui.ui.screens.edit_packet import EditPacket
from mqtttui.ui.screens.profiles import ProfilesScreen
from mqtttui.ui.screens.report import ReportScreen
from mqtttui.ui.screens.why import WhyScreen
from tests.support.screen import Running, inspecting


def test_ids_are_unique_and_scopes_known() -> None:
    assert [key for key, count in Counter(key.id for key in KEYS).items() if count > 1] == []
    assert {key.scope for key in KEYS} <= set(SCOPES)
    assert all(key.id.partition(".")[0] == key.scope for key in KEYS)


def test_no_key_has_two_meanings_in_one_scope() -> None:
    for scope in SCOPES:
        keys = [name.strip() for key in KEYS if key.scope == scope for name in key.keys.split(",")]
        assert [name for name, count in Counter(keys).items() if count > 1] == [], scope


def test_every_row_says_what_it_does() -> None:
    for key in KEYS:
        assert key.help
        assert key.label
        assert key_label(key.keys)


def test_bindings_carry_id_and_tooltip() -> None:
    for binding in bindings_for("packets"):
        assert isinstance(binding, Binding)
        assert binding.id
        assert binding.tooltip


def test_no_terminal_traps_are_the_only_way() -> None:
    traps = {"ctrl+enter", "alt+enter", "f6", "f7"}
    for key in KEYS:
        assert not {name.strip() for name in key.keys.split(",")} <= traps, key.id


EDITING = ("edit", "followed")
PROFILES = "profiles"
"""Scope of the list of profiles."""
"""Scopes of the screen for packets made by hand."""
WHY = ("why", "attempts", "waterfall")
"""Scopes of the screen of attempts to connect."""


REPORT = "report"
"""Scope of lines that are read over the main screen."""


CHECK = ("check", "checklist", "checktable")
"""Scopes of the screen of test runs."""


async def open_check(run: Running) -> CheckScreen:
    run.app._checks._runs.begin(CheckJob(ConnectOptions(), Plan(b"t")), 0)
    await run.press("8", "x")
    await run.until(lambda: isinstance(run.app.screen, CheckScreen) and run.app.screen.is_mounted, "the test runs")
    await run.pilot.pause()
    assert isinstance(run.app.screen, CheckScreen)
    return run.app.screen


async def open_editor(run: Running) -> EditPacket:
    await run.press("e")
    await run.until(lambda: isinstance(run.app.screen, EditPacket) and run.app.screen.is_mounted, "the editor")
    run.app.screen.add_class("-sent")
    await run.pilot.pause()
    assert isinstance(run.app.screen, EditPacket)
    return run.app.screen


async def open_why(run: Running) -> WhyScreen:
    await run.press("D")
    await run.until(lambda: isinstance(run.app.screen, WhyScreen) and run.app.screen.is_mounted, "the attempts")
    await run.pilot.pause()
    assert isinstance(run.app.screen, WhyScreen)
    return run.app.screen


async def open_report(run: Running) -> ReportScreen:
    await run.press("I")
    await run.until(lambda: isinstance(run.app.screen, ReportScreen) and run.app.screen.is_mounted, "the limits")
    await run.pilot.pause()
    assert isinstance(run.app.screen, ReportScreen)
    return run.app.screen


async def open_profiles(run: Running) -> ProfilesScreen:
    await run.press("P")
    await run.until(lambda: isinstance(run.app.screen, ProfilesScreen) and run.app.screen.is_mounted, "the profiles")
    await run.pilot.pause()
    assert isinstance(run.app.screen, ProfilesScreen)
    return run.app.screen


def carriers(run: Running, scope: str) -> list[Widget]:
    """Focusable controls that are inside (or are) what carries `scope`."""
    found = []
    for node in run.app.screen.walk_children(Widget):
        if node.focusable and (scope == "app" or any(getattr(up, "SCOPE", None) == scope for up in node.ancestors_with_self)):
            found.append(node)
    return found


async def reach(run: Running, key: Key) -> bool:
    """Some control within the scope of `key` lets one of its keys through to its binding, and the binding is that row's."""
    for widget in carriers(run, key.scope):
        run.app.screen.set_focus(widget)
        await run.pilot.pause()
        for name in (part.strip() for part in key.keys.split(",")):
            if widget.check_consume_key(name, name if len(name) == 1 else None):
                continue
            chain = run.app.screen._binding_chain
            first = next((bindings.key_to_bindings[name][0] for _, bindings in chain if name in bindings.key_to_bindings), None)
            if first is not None and first.id == key.id:
                return True
    return False


@pytest.mark.parametrize("scope", SCOPES)
async def test_every_id_has_a_key_that_reaches_it(scope: str) -> None:
    async with inspecting(5, size=(200, 50)) as (run, _):
        await run.press("k", "enter")
        if scope == "payload":
            await run.press("v")
        elif scope in EDITING:
            await open_editor(run)
        elif scope in WHY:
            await open_why(run)
        elif scope in CHECK:
            await open_check(run)
        elif scope == REPORT:
            await open_report(run)
        elif scope == PROFILES:
            await open_profiles(run)
        missing = [key.id for key in KEYS if key.scope == scope and not await reach(run, key)]
        assert missing == []


async def test_every_action_exists() -> None:
    async with inspecting(1, size=(200, 50)) as (run, _):
        rest = [key for key in KEYS if key.scope in (*EDITING, *WHY, *CHECK, REPORT, PROFILES)]
        for key in (key for key in KEYS if key not in rest):
            check(run, key, run.main._carrier(key.scope))
        attempts = await open_why(run)
        for key in (key for key in rest if key.scope in WHY):
            check(run, key, attempts._carrier(key.scope))
        await run.press("q")
        await run.until(lambda: run.app.screen is run.main, "the main screen")
        report = await open_report(run)
        for key in (key for key in rest if key.scope == REPORT):
            check(run, key, report)
        await run.press("q")
        await run.until(lambda: run.app.screen is run.main, "the main screen")
        runs = await open_check(run)
        for key in (key for key in rest if key.scope in CHECK):
            check(run, key, runs._carrier(key.scope))
        await run.press("q", "4")
        await run.until(lambda: run.app.screen is run.main, "the main screen")
        profiles = await open_profiles(run)
        for key in (key for key in rest if key.scope == PROFILES):
            check(run, key, profiles)
        await run.press("escape")
        await run.until(lambda: run.app.screen is run.main, "the main screen")
        editor = await open_editor(run)
        for key in (key for key in rest if key.scope in EDITING):
            check(run, key, editor._carrier(key.scope))


def check(run: Running, key: Key, carrier: object) -> None:
    """The action of a row exists."""
    holder = run.app if key.action.startswith("app.") else carrier
    name = key.action.removeprefix("app.").partition("(")[0]
    assert hasattr(holder, f"action_{name}"), key.id
