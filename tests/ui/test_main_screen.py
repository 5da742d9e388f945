"""The main screen: layouts by size, the first minutes, menus, palette, help, errors."""

from __future__ import annotations

import asyncio

import pytest

from mqtttui.app import PEER
from mqtttui.client.commands import Connect, CutLink, Disconnect, Ping, Subscribe
from mqtttui.client.events import ConnectionState, Failure, Fix, Phase, Rejected, SubscriptionState
from mqtttui.config.options import ConnectOptions
from mqtttui.config.settings import Settings
from mqtttui.protocol import packets
from mqtttui.protocol.enums import Version
from mqtttui.ui.panes.subscriptions import SubscriptionsPane
from tests.support.screen import hostile_texts, inspecting, running

SIZES = [(80, 24), pytest.param((120, 36), marks=pytest.mark.slow), (200, 50)]


@pytest.mark.parametrize("size", SIZES)
async def test_a_bare_start_shows_the_connection_pane_and_three_ways_on(size: tuple[int, int]) -> None:
    async with running(size=size) as run:
        await run.shows("not connected", "paste a URL", "F9", "every key", "Host", "localhost")
        assert run.main.starting


@pytest.mark.parametrize("size", SIZES)
async def test_connected_the_inspector_is_what_one_sees(size: tuple[int, int]) -> None:
    async with inspecting(30, size=size) as (run, _):
        await run.shows("dev-42", "FOLLOW", "PUBLISH", "sensors/a/temp")
        assert run.main.inspector.packets.has_focus
        assert run.main.drawer_open == (size[0] >= 160)


async def test_small_screen_shows_one_thing_at_a_time() -> None:
    async with inspecting(30, size=(80, 24)) as (run, _):
        inspector = run.main.inspector
        await run.press("k", "enter")
        assert not inspector.packets.display
        assert inspector.details.display
        await run.press("vertical_line")
        assert inspector.hex_view.has_focus
        assert not inspector.details.display
        await run.press("vertical_line")
        assert inspector.details.has_focus
        await run.press("escape")
        assert inspector.packets.has_focus
        assert inspector.packets.display


async def test_drawer_opens_and_folds() -> None:
    async with inspecting(5) as (run, _):
        main = run.main
        await run.press("2")
        assert main.drawer_open
        assert main.subscriptions.has_focus_within
        assert main.subscriptions.size.width in (59, 60)
        await run.press("4")
        assert not main.drawer_open
        await run.press("b")
        assert main.drawer_open
        await run.press("f4")
        assert not main.drawer_open
        await run.press("f1", "f3")
        assert main.publish.has_focus_within
        run.main.inspector.packets.focus()
        await run.until(lambda: not main.drawer_open, "the drawer folds when it is left")


async def test_resize_keeps_selection_and_focus() -> None:
    async with inspecting(60, size=(200, 50)) as (run, _):
        packets = run.main.inspector.packets
        await run.press("k", "k", "k")
        selected = packets.selected
        for size in ((80, 24), (120, 36), (60, 15), (200, 50), (160, 20)):
            await run.pilot.resize_terminal(*size)
            await run.pilot.pause()
            assert packets.selected == selected
            assert packets.has_focus
            assert packets.top <= packets.cursor < packets.top + packets.visible_rows


async def test_connect_menu() -> None:
    async with inspecting(1) as (run, _):
        session = run.fake_session()
        for key in ("d", "w", "x", "p", "r"):
            await run.press("c")
            await run.shows("cut the link", "0x04")
            await run.press(key)
        await run.press("c", "escape")
        assert session.commands == [
            Disconnect(PEER),
            Disconnect(PEER, 4),
            CutLink(PEER),
            Ping(PEER),
            Connect(PEER, run.app.state.options or ConnectOptions()),
        ]


async def test_connect_from_the_form() -> None:
    async with running() as run:
        session = run.fake_session()
        await run.press("escape", "c")
        assert isinstance(session.commands[0], Connect)


async def test_subscribe_prompt_checks_the_filter() -> None:
    async with inspecting(1) as (run, _):
        session = run.fake_session()
        await run.press("s")
        await run.type("a/#/b")
        await run.press("enter")
        await run.shows("#")
        assert not session.commands
        await run.press("backspace", "backspace", "up", "enter")
        assert session.commands == [Subscribe(PEER, (packets.TopicRequest("a/#", 1),))]


async def test_subscribing_needs_a_connection() -> None:
    async with running() as run:
        await run.press("escape", "s")
        await run.shows("not connected: c connects")


async def test_connecting_without_subscriptions_offers_to_subscribe() -> None:
    async with running() as run:
        session = run.fake_session()
        run.tell_connected()
        await run.shows("nothing is subscribed", "# (everything)")
        assert session.commands == []
        await run.press("escape")
        await run.hides("nothing is subscribed")


async def test_given_subscriptions_are_sent_once_connected() -> None:
    request = packets.TopicRequest("a/#", 1)
    options = ConnectOptions(connect=packets.Connect("x"))
    async with running(Settings(options=options, subscriptions=(request,))) as run:
        session = run.fake_session()
        run.tell_connected(options)
        run.tell(ConnectionState(PEER))
        run.tell_connected(options)
        assert session.commands == [Subscribe(PEER, (request,))]


async def test_a_failed_connect_says_step_check_and_fix() -> None:
    options = ConnectOptions(connect=packets.Connect("x"))
    async with running(Settings(options=options)) as run:
        session = run.fake_session()
        failure = Failure("Connection refused", "127.0.0.1:1883", "is the broker running, is the port right?", "tcp", (Fix.USE_TLS,))
        run.tell(ConnectionState(PEER, Phase.CONNECTING, options=options))
        run.tell(ConnectionState(PEER, Phase.IDLE, options=options, failure=failure))
        await run.shows("Connection refused", "is the broker running", "F8")
        await run.press("f8")
        await run.until(lambda: session.commands, "connect again")
        command = session.commands[0]
        assert isinstance(command, Connect)
        assert command.options.tls is not None
        assert command.options.port == 8883


@pytest.mark.parametrize("size", SIZES)
async def test_packets_with_findings_are_counted_in_the_status_bar(size: tuple[int, int]) -> None:
    async with inspecting(5, size=size) as (run, feed):
        assert " warn" not in run.text.split("\n")[0]
        feed.receive(packets.Publish("a/+"), packets.Publish("b\x01"), packets.Publish("#"))
        await run.shows("1 warn", "2 error")
        assert run.log.pinned(run.log.last)


async def test_a_lost_connection_stays_said_until_it_is_read() -> None:
    async with inspecting(3) as (run, _):
        state = run.app.state
        run.tell(state.with_(phase=Phase.IDLE, failure=Failure("Connection lost", "reset by peer", "look at the broker's log")))
        await run.shows("Connection lost", "reset by peer", "look at the broker's log")
        await run.press("j")
        await run.shows("look at the broker's log")
        await run.press("escape")
        await run.hides("look at the broker's log")


async def test_rejected_commands_are_said() -> None:
    async with inspecting(1) as (run, _):
        run.app.post_message(run.app.EventCame(Rejected(PEER, "not connected")))
        await run.shows("not done: not connected")


async def test_palette_goes_to_a_number() -> None:
    async with inspecting(60) as (run, _):
        await run.press("colon")
        await run.type("12")
        await run.press("enter")
        await run.until(lambda: run.main.inspector.packets.selected == 12, "at packet 12")
        await run.press("ctrl+p")
        await run.type("999")
        await run.press("enter")
        await run.shows("packet 999 is not there")


async def test_palette_finds_actions_and_themes() -> None:
    async with inspecting(3) as (run, _):
        await run.press("colon")
        await run.type("stop showing")
        await run.shows("Stop showing new packets")
        await run.press("enter")
        await run.until(lambda: run.main.inspector.packets.paused, "paused")
        await run.press("colon")
        await run.type("theme light")
        await run.press("enter")
        await run.until(lambda: run.app.theme == "mqtttui-light", "the light theme")
        await run.press("f12")
        await run.until(lambda: run.app.theme == "mqtttui-dark", "the dark theme")


async def test_help_begins_with_this_pane() -> None:
    async with inspecting(3) as (run, _):
        await run.press("question_mark")
        text = run.text
        assert text.index("Packet list") < text.index("Inspector")
        await run.press("end")
        await run.shows("A topic with a NUL byte is whole here")
        await run.press("escape")
        await run.hides("Keys. This pane first")


async def test_a_filter_field_explains_the_language_and_its_traps() -> None:
    async with inspecting(3) as (run, _):
        await run.press("slash")
        await run.type("mqtt.retain")
        await run.press("f1")
        await run.shows("A word: topic or payload contains it", "A flag alone tests whether the packet has it")
        await run.press("escape")
        await run.hides("A word: topic or payload contains it")
        assert run.main.views.bar.editing


async def test_the_footer_begins_with_the_keys_that_matter_most() -> None:
    async with inspecting(3) as (run, _):
        assert run.text.splitlines()[-1].startswith(" / Filter  ! Finding  . Answer  e Edit+send  y Copy  p Pause  G Follow  ")
        await run.press("slash")
        await run.until(lambda: "? help" not in run.text.splitlines()[-1], "no key that is typed")
        await run.press("escape", "5")
        await run.until(lambda: run.text.splitlines()[-1].startswith(" / Filter  ! Finding  y Copy  "), "the footer of another view")


async def test_the_palette_says_when_nothing_has_the_name() -> None:
    async with inspecting(3) as (run, _):
        await run.press("colon")
        await run.type("zzz")
        await run.shows("Nothing has this name")
        await run.press("backspace", "backspace", "backspace")
        await run.hides("Nothing has this name")


async def test_answers_and_requests_are_followed_inside_the_details() -> None:
    async with inspecting(0) as (run, _):
        await run.press("g", "enter")
        await run.until(lambda: run.main.inspector.details.has_focus, "the details")
        await run.press("full_stop")
        await run.until(lambda: run.main.inspector.packets.selected == 2, "the answer")
        await run.shows("2 CONNACK")
        assert run.main.inspector.details.has_focus
        await run.press("comma")
        await run.until(lambda: run.main.inspector.packets.selected == 1, "the request")
        assert run.main.inspector.details.has_focus


async def test_why_nothing_answers_is_said() -> None:
    async with inspecting(1) as (run, feed):
        await run.press("full_stop")
        await run.shows("QoS 0: nobody acknowledges this message")
        feed.send(packets.Publish("a", b"", 1, packet_id=7))
        await run.press("G", "full_stop")
        await run.shows("no answer to this packet so far")


async def test_quit_asks_when_something_would_be_lost() -> None:
    async with inspecting(3) as (run, _):
        await run.press("q")
        await run.shows("Quit?", "connected to", "recorded packets are not saved")
        await run.press("enter")
        await run.hides("Quit?")
        await run.press("colon", "q", "enter")
        await run.shows("Quit?")
        await run.press("y")
        await run.until(lambda: not run.app.is_running or run.app._exit, "it quits")


async def test_at_a_bare_start_one_can_type_a_url_or_ask_for_help() -> None:
    async with running() as run:
        await run.press("question_mark")
        await run.shows("This pane first, then everything")
        await run.press("escape")
        await run.type("mqtt://broker.lan:1884")
        assert not run.app._exit, "the q of mqtt is text"
        await run.press("enter")
        assert run.main.connection.options().host == "broker.lan"
        assert run.main.connection.options().port == 1884


async def test_the_mouse_can_be_left_to_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    async with inspecting(1) as (run, _):
        written: list[str] = []
        assert run.app._driver is not None
        monkeypatch.setattr(run.app._driver, "write", written.append)
        await run.press("M")
        await run.shows("mouse off")
        assert "\x1b[?1000l\x1b[?1003l" in "".join(written)
        await run.press("M")
        await run.shows("mouse on")
        assert "\x1b[?1000h\x1b[?1003h" in "".join(written)


async def test_nothing_to_lose_quits_at_once() -> None:
    async with running() as run:
        await run.press("escape", "q")
        await run.until(lambda: run.app._exit, "it quits")


async def test_ascii_mode_draws_ascii_only() -> None:
    async with running(Settings(ascii=True)) as run:
        run.fake_session()
        run.tell_connected()
        assert run.text.isascii()
        await run.press("slash")
        await run.type("mqtt.qos > 0")
        await run.shows(" ok Enter applies")
        await run.press("escape", "question_mark")
        assert run.text.isascii()


@pytest.mark.parametrize("size", SIZES)
async def test_hostile_client_id_and_host(size: tuple[int, int]) -> None:
    async with running(size=size) as run:
        run.fake_session()
        for hostile in hostile_texts():
            options = ConnectOptions(host=hostile, connect=packets.Connect(hostile, Version.V5))
            run.tell(ConnectionState(PEER, Phase.CONNECTED, options=options))
            await run.pilot.pause()
            assert all(char.isprintable() or char == "\n" for char in run.text)


async def test_mouse_selects_opens_and_switches() -> None:
    async with inspecting(30) as (run, _):
        packets = run.main.inspector.packets
        assert await run.pilot.click(packets, offset=(30, 3))
        assert packets.selected == packets._rows.number(packets.top + 2)
        assert not packets.following
        assert await run.pilot.click(packets, offset=(30, 5), times=2)
        await run.until(lambda: run.main.inspector.details.has_focus, "a double click opens")
        assert await run.pilot.click("#views", offset=(2, 0))
        await run.until(lambda: run.main.connection.has_focus_within, "the view line leads to the Connection pane")
        assert await run.pilot.click("#details", offset=(20, 2))
        await run.until(lambda: not run.main.drawer_open, "the drawer folds")
        assert await run.pilot.click("#packets", offset=(20, 2))
        assert await run.pilot.click("#keys", offset=(run.text.splitlines()[-1].index("Enter") + 1, 0))
        await run.until(lambda: run.main.inspector.details.has_focus, "Enter in the line of keys opens")


async def test_a_fault_in_a_task_is_said() -> None:
    async with inspecting(1) as (run, _):
        run.app._on_loop_error(asyncio.get_running_loop(), {"exception": ValueError("\x1b[31mboom")})
        await run.shows("a fault of ours", "ValueError", "\\x1b[31mboom")


async def test_muted_filters_and_letters() -> None:
    async with inspecting(0) as (run, feed):
        feed.receive(packets.Publish("a/1", b"x"), packets.Publish("b/1", b"x"))
        rows = tuple(SubscriptionState(packets.TopicRequest(key), granted=0, active=True, key=key.encode()) for key in ("a/#", "b/#"))
        run.tell(run.app.state.with_(subscriptions=rows))
        await run.caught_up()
        await run.shows("A     3", "B     4", "2 Subs(2)")
        describe = run.main.inspector.packets.painter.describe
        assert not describe(3).quiet
        run.main.subscriptions.post_message(SubscriptionsPane.MuteChanged(PEER, b"a/#", True))
        await run.until(lambda: describe(3).quiet and not describe(4).quiet, "the messages of a/# are dimmed")
