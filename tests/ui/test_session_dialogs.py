"""Limits, sessions of devices, AUTH and misbehaviour by keyboard, on mosquitto and on scripted brokers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mqtttui.client.commands import Authenticate, Behave, Examine, Misbehave
from mqtttui.client.events import Challenge, Failure, Phase, SeenMessages, SessionLooked, SessionReport
from mqtttui.config.options import ConnectOptions
from mqtttui.config.settings import Settings
from mqtttui.protocol.enums import PacketType, PropertyId, Version
from mqtttui.protocol.packets import Auth, Connack, Connect, Property, Publish, TopicRequest, Will
from mqtttui.ui.screens.answer_auth import AnswerAuth
from mqtttui.ui.screens.examine import ExaminePrompt
from mqtttui.ui.screens.menu import Menu
from mqtttui.ui.screens.report import ReportScreen
from mqtttui.ui.session_words import consequences, report_lines
from tests.support.brokers import HOST, Broker
from tests.support.raw_client import RawClient
from tests.support.screen import Running, inspecting, running
from tests.support.scripted import Script, expect, send

METHOD = Property(PropertyId.AUTHENTICATION_METHOD, "K5")
LIMITS = (
    Property(PropertyId.RECEIVE_MAXIMUM, 10),
    Property(PropertyId.TOPIC_ALIAS_MAXIMUM, 5),
    Property(PropertyId.MAXIMUM_PACKET_SIZE, 2000),
    Property(PropertyId.MAXIMUM_QOS, 1),
    Property(PropertyId.RETAIN_AVAILABLE, 0),
    Property(PropertyId.SERVER_KEEP_ALIVE, 20),
    Property(PropertyId.SESSION_EXPIRY_INTERVAL, 300),
    Property(PropertyId.ASSIGNED_CLIENT_IDENTIFIER, "given-7"),
)


async def shows_screen(run: Running, kind: type) -> None:
    """Wait for a screen of this kind."""
    await run.until(lambda: isinstance(run.app.screen, kind) and run.app.screen.is_mounted, f"{kind.__name__}")
    await run.pilot.pause()


async def back(run: Running) -> None:
    """Leave whatever is open."""
    await run.press("escape")
    await run.until(lambda: run.app.screen is run.main, "the main screen")


def settings(port: int, connect: Connect) -> Settings:
    return Settings(options=ConnectOptions(HOST, port, connect=connect), connect_now=True)


# Limits


async def test_limits_are_live_and_name_what_is_full() -> None:
    async with inspecting(0, size=(80, 24)) as (run, feed):
        asked = (Property(PropertyId.RECEIVE_MAXIMUM, 3), Property(PropertyId.SESSION_EXPIRY_INTERVAL, 3600))
        options = ConnectOptions(connect=Connect("", Version.V5, properties=asked))
        feed.send(Connect("", Version.V5, keep_alive=60, properties=asked))
        feed.receive(Connack(properties=LIMITS))
        run.tell_connected(options, connack=Connack(properties=LIMITS), client_id="given-7", connection=feed.connection)
        await run.press("I")
        await shows_screen(run, ReportScreen)
        await run.shows("Receive Maximum", "0 of 10", "0 of 5", "2,000 B", "yes *")
        feed.send(*[Publish("a", b"x" * 1000, qos=1, packet_id=number) for number in range(1, 8)])
        await run.shows("7 of 10", "1,00")
        feed.send(Publish("b", b"", properties=(Property(PropertyId.TOPIC_ALIAS, 1),)))
        await run.shows("1 of 5")
        await run.press("pagedown")
        await run.shows("0 of 3", "20 s", "after 3,600 s", "after 300 s", "assigned", "given-7")
        assert max(map(len, run.text.split("\n"))) <= 80
        await back(run)


async def test_limits_of_version_3_say_what_it_does_not_know() -> None:
    async with inspecting(3, size=(80, 24)) as (run, _):
        run.tell_connected(ConnectOptions(connect=Connect("dev", Version.V311, clean=False)), connack=Connack(session_present=True))
        await run.press("c", "l")
        await shows_screen(run, ReportScreen)
        await run.shows("not said", "session present", "MQTT 3.1.1 has no other limits")
        await back(run)


async def test_before_connack_there_are_no_limits() -> None:
    async with running(size=(80, 24)) as run:
        await run.press("escape", "down", "I")
        await shows_screen(run, ReportScreen)
        await run.shows("No CONNACK has come yet")


# Sessions


async def test_a_peek_by_keyboard_alone(mosquitto_broker: Broker) -> None:
    device = Connect("dev-ui", Version.V5, clean=False, properties=(Property(PropertyId.SESSION_EXPIRY_INTERVAL, 600),))
    client = await RawClient.dial(mosquitto_broker.port)
    client.send(device)
    await client.expect(Connack)
    await client.subscribe(TopicRequest("dev-ui/#", 1))
    client.writer.close()
    async with running(settings(mosquitto_broker.port, Connect("looker", Version.V5)), size=(80, 24)) as run:
        await run.until(lambda: run.app.state.phase is Phase.CONNECTED, "connected")
        other = await RawClient.dial(mosquitto_broker.port)
        other.send(Connect("dev-ui-pub", Version.V5))
        await other.expect(Connack)
        other.send(Publish("dev-ui/cmd", b"on", qos=1, packet_id=1))
        await other.expect_ack(PacketType.PUBACK)
        await run.press("S")
        await shows_screen(run, ExaminePrompt)
        await run.shows("A client that is connected with this id is thrown out", "Nothing is acknowledged and the link is cut")
        await run.type("dev-ui")
        await run.press("ctrl+s")
        await shows_screen(run, ReportScreen)
        await run.shows(
            "Session present", "1 message came before any SUBSCRIBE", "1 QoS 1  dev-ui/cmd", "these 1, for none was acknowledged"
        )
        await run.shows("cut without DISCONNECT", "connection 1 in the packet list")
        assert run.app.state.phase is Phase.CONNECTED, "the own connection stands as before"
        await back(run)
        await run.press("S")
        await shows_screen(run, Menu)
        await run.press("s")
        await shows_screen(run, ReportScreen)
        await run.shows("Session present")
        other.writer.close()


async def test_to_drain_asks_once_more_and_esc_sends_nothing() -> None:
    async with inspecting(0, size=(80, 24)) as (run, _):
        session = run.fake_session()
        await run.press("S")
        await shows_screen(run, ExaminePrompt)
        await run.press("ctrl+s")
        await run.shows("whose session?")
        await run.type("dev-9")
        await run.press("tab", "right")
        await run.shows("the device will never get them")
        await run.press("ctrl+s")
        await shows_screen(run, Menu)
        await run.shows("Drain the queue of dev-9?", "This cannot be undone")
        await run.press("n")
        await run.until(lambda: run.app.screen is run.main, "the main screen")
        assert session.commands == []
        await run.press("S")
        await shows_screen(run, ExaminePrompt)
        await run.press("tab", "right")
        await run.shows("[end it]", "The session ends: queue and subscriptions are gone")
        await run.press("ctrl+s", "y")
        await run.until(lambda: session.commands, "the command")
        (command,) = session.commands
        assert isinstance(command, Examine)
        assert (command.client_id, command.mode) == ("dev-9", "end")
        report = SessionReport(command.token, "dev-9", "end")
        run.app._emit(SessionLooked(command.peer, report))
        await shows_screen(run, ReportScreen)
        await run.shows("Session of dev-9", "Connecting")
        await back(run)
        report = replace(report, done=True, session_present=True, count=2)
        run.app._emit(SessionLooked(command.peer, report))
        await run.shows("session of dev-9: session present, 2 messages")


@pytest.mark.parametrize(
    ("report", "words"),
    [
        (SessionReport(1, "d", "peek"), "Connecting"),
        (SessionReport(1, "d", "peek"), "No message so far."),
        (SessionReport(1, "d", "peek", done=True), "Not connected"),
        (SessionReport(1, "d", "peek", connection=1, session_present=True, count=3, withheld=3, window=3), "The window of 3 is full"),
        (SessionReport(1, "d", "peek", connection=1, session_present=True, count=2, withheld=1, qos0=1, window=9), "Gone: 1 of QoS 0"),
        (
            SessionReport(1, "d", "peek", connection=1, session_present=True, unfinished=2, withheld=2),
            "2 QoS 2 messages are with the device",
        ),
        (SessionReport(1, "d", "peek", done=True, connection=1, session_present=False), "None is left behind"),
        (SessionReport(1, "d", "drain", done=True, connection=1, session_present=True), "Nothing is queued any more"),
        (SessionReport(1, "d", "end", done=True, connection=1), "does not say whether there was a session"),
        (SessionReport(1, "d", "end", done=True, connection=1, session_present=True), "The session is ended"),
        (SessionReport(1, "d", "peek", done=True, failure=Failure("Refused", "why", "what to do")), "what to do"),
        (SessionReport(1, "d", "peek", connection=1, messages=(SeenMessages("t", 1, 4, 2),), count=4), "2 sent before (DUP)"),
        (SessionReport(1, "d", "peek", connection=1, others=5, count=5), "and 5 more on other topics"),
        (SessionReport(1, "d", "peek", connection=1, session_present=True, expiry=77), "ends 77 s after this look"),
    ],
)
def test_a_report_in_words(report: SessionReport, words: str) -> None:
    assert words in "\n".join("".join(text for text, _ in line) for line in report_lines(report))


def test_every_consequence_is_said() -> None:
    assert "never ends by itself" in "".join(consequences("peek", v5=True, expiry=0xFFFFFFFF))
    assert "Receive Maximum" not in "".join(consequences("peek", v5=False, expiry=None))
    assert "knows no expiry" in "".join(consequences("drain", v5=False, expiry=None))
    assert "clean session" in "".join(consequences("end", v5=False, expiry=None))
    assert all("thrown out" in consequences(mode, v5=v5, expiry=5)[0] for mode in ("peek", "drain", "end") for v5 in (True, False))


# AUTH


async def test_a_login_by_hand_in_text_and_hex() -> None:
    said = Property(PropertyId.REASON_STRING, "[b]next[/b]")
    token = Property(PropertyId.AUTHENTICATION_DATA, b"\x1b[2J\x00to")
    steps = (
        expect(Connect),
        send(Auth(0x18, (METHOD, token, said))),
        expect(Auth(0x18, (METHOD, Property(PropertyId.AUTHENTICATION_DATA, b"a\x00b")))),
        send(Auth(0x18, (METHOD,))),
        expect(Auth(0x18, (METHOD, Property(PropertyId.AUTHENTICATION_DATA, b"\xff\x01")))),
        send(Connack()),
    )
    async with (
        Script(*steps, version=Version.V5, timeout=60) as broker,
        running(settings(broker.port, Connect("c", Version.V5, properties=(METHOD,))), size=(80, 24)) as run,
    ):
        await shows_screen(run, AnswerAuth)
        await run.shows("AUTH 1 of the server: K5", "[b]next[/b]", r"7 bytes: \x1b[2J\x00to"[:20], "1b 5b 32 4a 00 74 6f", "s are left")
        await run.type("a")
        await run.press("backslash", "x", "0", "0", "b", "ctrl+s")
        await run.shows("AUTH 2 of the server", "came without data")
        await run.press("tab", "right", "shift+tab")
        await run.type("ff 1")
        await run.shows("a byte has two digits")
        await run.press("backspace", "0", "1", "ctrl+s")
        await run.until(lambda: run.app.state.phase is Phase.CONNECTED, "connected")
        await run.until(lambda: run.app.screen is run.main, "the dialog is gone")


async def test_a_challenge_that_is_over_takes_its_dialog_away() -> None:
    async with inspecting(0, size=(80, 24)) as (run, _):
        session = run.fake_session()
        challenge = Challenge(1, "K5", b"x", "", False, 10**18)
        state = run.app.state.with_(phase=Phase.CONNECTING, challenge=challenge)
        run.tell(state)
        await shows_screen(run, AnswerAuth)
        await run.press("escape")  # Out of the field, then out of the dialog.
        await back(run)
        await run.press("c")
        await shows_screen(run, Menu)
        await run.press("a")
        await shows_screen(run, AnswerAuth)
        run.tell(state.with_(challenge=None))
        await run.until(lambda: run.app.screen is run.main, "the dialog is gone")
        assert session.commands == []


async def test_to_authenticate_again_by_hand_or_by_scram() -> None:
    async with inspecting(0, size=(80, 24)) as (run, _):
        session = run.fake_session()
        run.tell_connected(ConnectOptions(connect=Connect("c", Version.V5, properties=(METHOD,))))
        await run.press("c", "a")
        await shows_screen(run, AnswerAuth)
        await run.shows("Authenticate again: K5", "0x19 re-authenticate")
        await run.press("tab", "tab", "space", "ctrl+s")
        await run.until(lambda: session.commands, "the command")
        scram = Property(PropertyId.AUTHENTICATION_METHOD, "SCRAM-SHA-256")
        run.tell_connected(ConnectOptions(connect=Connect("c", Version.V5, username="u", password=b"p", properties=(scram,))))
        await run.press("c", "a")
        await run.until(lambda: len(session.commands) == 2, "the second command")
        assert session.commands == [Authenticate("main", None, again=True)] * 2


# Misbehaving


async def test_misbehaving_by_menu_and_back(mosquitto_broker: Broker) -> None:
    connect = Connect("rude", Version.V5, keep_alive=30, will=Will("a/will", b"x"))
    async with running(settings(mosquitto_broker.port, connect), size=(120, 36)) as run:
        await run.until(lambda: run.app.state.phase is Phase.CONNECTED, "connected")
        await run.press("Z")
        await shows_screen(run, Menu)
        await run.shows("must be kicked after 1.5 × 30 s = 45 s", "a second client subscribes: a/will")
        await run.press("p")
        await run.shows("! misbehaves on purpose")
        await run.press("c", "m")
        await shows_screen(run, Menu)
        await run.shows("now: sends no pings")
        await run.press("b")
        await run.hides("misbehaves on purpose", "sends no pings")
        await run.press("Z")
        await shows_screen(run, Menu)
        await run.press("t")
        await run.shows("seen: taken over", "closed without DISCONNECT")
        await run.press("1")
        await run.until(lambda: run.text.count("seen: taken over") >= 1, "it stands in the pane")


async def test_a_code_is_chosen_in_a_form() -> None:
    async with inspecting(0, size=(80, 24)) as (run, _):
        session = run.fake_session()
        run.tell_connected(ConnectOptions(connect=Connect("c", Version.V5)))
        await run.press("Z", "r")
        await run.shows("Answer messages with a reason code", "0x80 unspecified error")
        await run.press("tab", "left", "ctrl+s")
        await run.until(lambda: session.commands, "the command")
        assert session.commands == [Misbehave("main", "answer", 1, frozenset((PacketType.PUBCOMP,)), 0x92)]
        run.tell(run.app.state.with_(misbehaving=True, warning="answers with 0x92"))
        await run.press("Z", "b")
        await run.until(lambda: len(session.commands) == 2, "the second command")
        assert session.commands[1] == Behave("main")


async def test_without_a_connection_nothing_misbehaves() -> None:
    async with running() as run:
        await run.press("escape", "down", "Z")
        await run.shows("not connected")


async def test_the_form_shows_that_scram_sends_no_password() -> None:
    scram = Property(PropertyId.AUTHENTICATION_METHOD, "SCRAM-SHA-256")
    connect = Connect("c", Version.V5, username="user", password=b"pencil", properties=(scram,))
    async with running(Settings(options=ConnectOptions(connect=connect)), size=(120, 50)) as run:
        await run.shows("SCRAM-SHA-256 by itself: its first message", "the password is not sent", "0x82")
