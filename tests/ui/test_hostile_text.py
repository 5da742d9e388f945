"""Hostile text in every field of every packet and setting, on every screen and dialog: shown as visible text, nothing else changes."""

from __future__ import annotations

import pytest
from rich.cells import cell_len
from rich.color import Color
from textual import events

from mqtttui.app import PEER
from mqtttui.client.events import ConnectionState, Failure, Phase, Rejected, SubscriptionState
from mqtttui.config.options import ConnectOptions
from mqtttui.protocol.enums import PacketType, PropertyId, Version
from mqtttui.protocol.packets import (
    Ack,
    Connack,
    Connect,
    Disconnect,
    Properties,
    Property,
    Publish,
    Suback,
    Subscribe,
    TopicRequest,
    Will,
)
from mqtttui.text import visible
from tests.support.screen import Feed, Running, inspecting

HOSTILE = (
    "\x1b[31mred\x1b]0;title\x07\x1b[2J[/b][red]x[/red][@click=app.quit]q[/]\u202eabc\u2066\u200b\x00nul\ttab\r\nfeed\x9b31m\x90dcs\x9c"
    "日本語テキスト👩‍👩‍👧‍👦🇩🇪é" + "e" + "\u0301" * 40 + "\ufeff\u00ad\u2028\ue000\\x1b"
)
LONG = (HOSTILE * 500).encode()[:60_000].decode("utf-8", "ignore")
WIDE = "温度センサー/部屋👍🏽/" * 12
_RED = {Color.parse("red").get_truecolor(), Color.parse("#ff0000").get_truecolor()}


def check(run: Running, where: str) -> None:
    """Only printable characters, every line as wide as the screen, no link, no blinking, no colour from the text."""
    width = run.app.screen.size.width
    for strip in run.app.screen._compositor.render_strips():
        assert strip.text.isprintable(), f"{where}: {strip.text!r}"
        assert cell_len(strip.text) == width, f"{where}: {cell_len(strip.text)} cells: {strip.text!r}"
        for text, style, control in strip:
            assert control is None, f"{where}: {text!r}"
            if style is None:
                continue
            assert not style.link, f"{where}: {text!r}"
            assert not style.blink, f"{where}: {text!r}"
            assert "@click" not in style.meta, f"{where}: {text!r}"
            assert style.color is None or style.color.get_truecolor() not in _RED, f"{where}: {text!r}"


def record(feed: Feed, text: str) -> None:
    """Packets with `text` wherever a string can stand."""
    user: Properties = (Property(PropertyId.USER_PROPERTY, (text, text)),)
    why = (Property(PropertyId.REASON_STRING, text), *user)
    feed.send(
        Connect(text, Version.V5, username=text, password=text.encode(), will=Will(text, text.encode(), 1, True, user), properties=user)
    )
    feed.receive(
        Connack(properties=(Property(PropertyId.ASSIGNED_CLIENT_IDENTIFIER, text), Property(PropertyId.SERVER_REFERENCE, text), *why))
    )
    feed.send(Subscribe(1, (TopicRequest(text), TopicRequest(text)), user))
    feed.receive(Suback(1, (0x87, 1), why))
    feed.send(Publish(text, text.encode(), qos=1, packet_id=2, properties=(Property(PropertyId.CONTENT_TYPE, text), *user)))
    feed.receive(Ack(PacketType.PUBACK, 2, 0x87, why))
    feed.receive(Publish(text, b'{"' + text.encode() + b'": "[/b]"}', properties=(Property(PropertyId.RESPONSE_TOPIC, text), *user)))
    feed.receive(Disconnect(0x8E, (Property(PropertyId.SERVER_REFERENCE, text), *why)))


async def look_at_packets(run: Running, where: str) -> None:
    """Every packet in the list, in details with everything unfolded, as bytes and as payload; and its copy menu."""
    packets = run.main.inspector.packets
    for number in range(1, run.log.last + 1):
        assert packets.go_to(number)
        packets.focus()
        await run.press("enter", "asterisk")
        check(run, f"{where}: details of {number}")
        await run.press("end")
        check(run, f"{where}: end of {number}")
        await run.press("y")
        check(run, f"{where}: copy menu of {number}")
        await run.press("escape")
        for _ in range(4 if run.log.head(number).first_byte >> 4 == PacketType.PUBLISH else 0):
            await run.press("v")
            check(run, f"{where}: payload of {number}")
        await run.press("q")
        check(run, f"{where}: list at {number}")


@pytest.mark.parametrize(
    ("text", "size"),
    [(HOSTILE, (80, 24)), pytest.param(HOSTILE, (121, 37), marks=pytest.mark.slow), (WIDE, (81, 25)), (LONG, (120, 36))],
    ids=["hostile, narrow", "hostile", "wide", "60 kB"],
)
async def test_packets(text: str, size: tuple[int, int]) -> None:
    async with inspecting(0, size=size) as (run, feed):
        record(feed, text)
        await run.caught_up()
        check(run, "list")
        await look_at_packets(run, "packets")


@pytest.mark.parametrize("size", [(80, 24), pytest.param((121, 37), marks=pytest.mark.slow), (200, 50)])
async def test_states_notices_and_dialogs(size: tuple[int, int]) -> None:
    text = HOSTILE
    connect = Connect(text, Version.V5, username=text, password=b"x", will=Will(text, text.encode()))
    options = ConnectOptions(host=visible(text), connect=connect)
    row = SubscriptionState(TopicRequest(text), answer=visible(text), active=True, key=text.encode())
    async with inspecting(3, size=size) as (run, _):
        run.fake_session()
        run.main.connection.load(options)
        run.main.publish.load(Publish(text.replace("#", "").replace("+", ""), text.encode(), qos=1))
        run.tell_connected(options, client_id=visible(text), warning=visible(text), subscriptions=(row,))
        await run.pilot.pause()
        check(run, "connected")
        for pane in ("1", "2", "3", "4"):
            await run.press("f" + pane)
            check(run, f"pane {pane}")
            await run.press("down", "down", "down")
            check(run, f"pane {pane}, further down")
        for key in ("c", "colon", "question_mark", "y", "s", "ctrl+q"):
            await run.press(key)
            check(run, f"dialog {key}")
            if key in ("colon", "s"):
                assert run.app.screen.focused is not None
                run.app.screen.focused.post_message(events.Paste(text))
                await run.pilot.pause()
                check(run, f"pasted into {key}")
                assert "[red]" in run.text or "\\x1b[31m" in run.text
            await run.press("escape")
        run.app.post_message(run.app.EventCame(Rejected(PEER, visible(text))))
        await run.pilot.pause()
        check(run, "a rejected command")
        run.main.say(visible(text))
        await run.pilot.pause()
        check(run, "a line that goes by itself")
        failure = Failure(visible(text), visible(text), visible(text))
        run.tell(ConnectionState(PEER, Phase.IDLE, 0, options, failure=failure))
        await run.pilot.pause()
        check(run, "a failure")
        await run.press("f1")
        check(run, "a failure in the pane")
