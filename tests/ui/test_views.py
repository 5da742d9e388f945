"""Views: one more row in a table is one more view; the filter governs all of them."""

from __future__ import annotations

import pytest

from mqtttui.ui.bindings import KEYS
from mqtttui.ui.panes.view import View
from mqtttui.ui.views import PACKETS, VIEWS
from tests.support.screen import screen_lines
from tests.ui.test_filter_bar import apply, bar, filled, own_file, shown
from tests.ui.test_filtered_list import settled

__all__ = ["own_file"]

OTHERS = tuple(row for row in VIEWS if row.name != PACKETS)


def test_every_view_has_a_key_of_its_own() -> None:
    digits = [row.digit for row in VIEWS]
    assert len(set(digits)) == len(digits)
    assert VIEWS[0].name == PACKETS
    for row in VIEWS:
        key = next(key for key in KEYS if key.id == f"app.{row.name}")
        assert key.keys.split(",")[0] == row.digit
        assert key.help == row.help


@pytest.mark.parametrize("size", [(80, 24), pytest.param((120, 36), marks=pytest.mark.slow), (200, 50)])
async def test_a_view_takes_the_place_of_the_packets(size: tuple[int, int]) -> None:
    async with filled(size) as (run, _):
        for row in OTHERS:
            name = row.short if size[0] < 100 else row.title
            await run.press(row.digit)
            await run.until(lambda: run.main.views.current.has_focus_within, f"{row.name} has the focus")
            assert name.upper() in screen_lines(run.app)[1]
            assert not run.main.inspector.display
            assert "FOLLOW" not in screen_lines(run.app)[1]
            await run.press("q")
            await run.until(lambda: run.main.inspector.packets.has_focus, "back at the packets")
            assert "PACKETS" in screen_lines(run.app)[1] or "PKT" in screen_lines(run.app)[1]


async def test_the_filter_is_typed_and_seen_in_every_view() -> None:
    async with filled() as (run, _):
        for row in OTHERS:
            await run.press(row.digit)
            await apply(run, "mqtt.qos == 1")
            await run.shows("mqtt.qos == 1  ✓", "10 of 32")
            assert run.main.views.current.has_focus_within
            await run.press("backspace")
            await run.hides("✓")
        await run.press("5", "slash", "escape")
        assert not bar(run).editing
        assert run.main.views.current.has_focus_within


async def test_a_view_leads_to_a_packet_and_says_why_it_cannot() -> None:
    async with filled() as (run, _):
        await run.press(OTHERS[0].digit)
        run.main.views.current.post_message(View.GoTo(9))
        await run.until(lambda: run.main.inspector.packets.selected == 9, "at the packet")
        assert run.main.inspector.packets.has_focus
        await apply(run, "mqtt.qos == 1")
        await run.press(OTHERS[0].digit)
        run.main.views.current.post_message(View.GoTo(9))
        await run.shows("packet 9 does not pass the filter")
        run.main.views.current.post_message(View.GoTo(99))
        await run.shows("packet 99 is not there")
        run.main.views.current.post_message(View.FilterWanted("mqtt.msgtype == 4", "apply"))
        await settled(run)
        await run.press("4")
        await run.until(lambda: len(shown(run)) == 10, "a view's filter is in force")
