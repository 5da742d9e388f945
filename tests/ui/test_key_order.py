"""Keys that arrive all at once, as over a slow link, do what they do one by one."""

from __future__ import annotations

from textual import events
from textual.keys import _character_to_key

from mqtttui.protocol.packets import Publish
from tests.support.screen import Running, inspecting

NAMED = ("enter", "escape", "backspace", "ctrl+u")


def at_once(run: Running, *keys: str) -> None:
    """Press the keys, and type the words that are none, as a terminal delivers what was held up on the way."""
    for word in keys:
        if word in NAMED:
            run.app.post_message(events.Key(word, None))
        else:
            for character in word:
                run.app.post_message(events.Key(_character_to_key(character), character))


async def test_a_filter_typed_in_one_go_is_applied() -> None:
    async with inspecting(0) as (run, feed):
        for topic in ("house/temp", "house/light"):
            feed.receive(Publish(topic, b"1"))
        await run.caught_up()
        at_once(run, "/", "temp", "enter", "/", "ctrl+u", "light", "enter", "/", "ctrl+u", "lamp")
        await run.shows("/ lamp")
        applied = run.app.filtering.applied
        assert applied is not None and applied.typed == "light"


async def test_the_keys_after_one_that_opens_or_closes_a_dialog_wait_for_it() -> None:
    async with inspecting(3) as (run, _):
        await run.caught_up()
        at_once(run, ":filter", "escape", ";see the log", "enter", "/temp")
        await run.shows("/ temp", "see the log")
        assert run.app.screen is run.main
