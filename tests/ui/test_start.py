"""The first paint: what is loaded for it, what it shows, and that nothing typed meanwhile is lost."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mqtttui.app import MqttTui
from mqtttui.config.settings import Settings
from mqtttui.ui.screens.start import StartScreen
from tests.support.screen import Running, running, screen_text
from tests.support.waiting import wait_until

LATER = (
    "mqtttui.capture",
    "mqtttui.analysis",
    "mqtttui.demo",
    "mqtttui.ui.panes",
    "mqtttui.client.session",
    "mqtttui.client.events",
    "mqtttui.client.commands",
    "mqtttui.protocol.packets",
    "gmqtt",
)


def test_the_first_paint_loads_neither_panes_nor_log_nor_client() -> None:
    code = "import sys, mqtttui.cli, mqtttui.app\nprint(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True).stdout.split()
    assert [name for name in loaded if any(name == later or name.startswith(f"{later}.") for later in LATER)] == []


async def nothing_more() -> None:
    """In the place of what follows the first paint."""


async def test_the_first_screen_tells_state_views_and_the_three_ways_on(monkeypatch: pytest.MonkeyPatch) -> None:
    app = MqttTui(Settings())
    monkeypatch.setattr(app, "_begin", nothing_more)
    for size in ((120, 36), (80, 24), (200, 50)):
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            lines = screen_text(app).splitlines()
        assert len(lines) == size[1]
        assert "not connected" in lines[0]
        assert all(pane in lines[1] for pane in ("Con", "Sub", "Pub"))
        assert all(words in "\n".join(lines[2:7]) for words in ("paste a URL", "F9", "every key"))
        assert "? help" in lines[-1]
        app = MqttTui(Settings())
        monkeypatch.setattr(app, "_begin", nothing_more)


async def test_the_main_screen_begins_with_the_same_lines() -> None:
    async with running() as run:
        begin = run.text.splitlines()
        start = StartScreen()
        await run.app.push_screen(start)
        await run.pilot.pause()
        first = screen_text(run.app).splitlines()
    assert begin[:7] == first[:7]
    assert begin[2].strip() == ""
    assert "F9" in begin[4]


async def test_what_is_typed_before_the_form_is_there_arrives_in_it_in_order() -> None:
    app = MqttTui(Settings())
    async with app.run_test(size=(120, 36)) as pilot:
        run = Running(app, pilot)
        await run.type("broker.example")
        await wait_until(lambda: app.ready, "the application is ready")
        await run.shows("broker.example")


async def test_a_key_pressed_early_is_carried_out() -> None:
    app = MqttTui(Settings())
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("f1", "f4")
        run = Running(app, pilot)
        await wait_until(lambda: app.ready, "the application is ready")
        await run.shows("No packets yet")


async def test_the_chosen_theme_is_there_from_the_first_paint_on() -> None:
    app = MqttTui(Settings(theme="mqtttui-light"))
    assert app.theme == "mqtttui-light"
    async with app.run_test() as pilot:
        assert app.has_class("-light-mode")
        assert app.screen.styles.background.hex == app.theme_variables["background"].upper()
        await pilot.pause()
