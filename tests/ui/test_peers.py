"""Several connections side by side, by keyboard, on sessions that only listen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from mqtttui.client.commands import Connect, Examine, FlowStep, SendPublish, StopBeside, Subscribe
from mqtttui.client.events import (
    ConnectionState,
    Failure,
    Fix,
    Outcome,
    Phase,
    PublishChanged,
    Rejected,
    SessionLooked,
    SessionReport,
    StateChanged,
    Step,
    StepStatus,
    SubscriptionState,
)
from mqtttui.config.options import ConnectOptions
from mqtttui.config.settings import Settings
from mqtttui.protocol import packets
from mqtttui.protocol.enums import PacketType, Version
from mqtttui.ui.after_connecting import AfterConnecting
from mqtttui.ui.peers import Peer, Peers
from mqtttui.ui.screens.edit_packet import EditPacket
from mqtttui.ui.taken_over import TakenOver
from mqtttui.ui.widgets.peers_line import PeerMark, PeersLine
from tests.support.screen import FakeSession, Feed, Running, inspecting, running
from tests.support.scripted import Script, accept, close, expect, reply, serve

BEFORE, NEXT = "left_curly_bracket", "right_curly_bracket"
OPTIONS = ConnectOptions("broker.lan", connect=packets.Connect("dev-42", Version.V311))


@asynccontextmanager
async def fakes(size: tuple[int, int] = (120, 36)) -> AsyncIterator[tuple[Running, dict[str, FakeSession]]]:
    """Connected as `main`; sessions by the id of their peer, the first one's too."""
    async with running(Settings(options=OPTIONS), size=size) as run:
        sessions = {"main": run.fake_session()}

        def make(id: str) -> FakeSession:
            return sessions.setdefault(id, FakeSession())

        run.app._board._make_session = make
        run.tell_connected(OPTIONS)
        yield run, sessions


async def another(run: Running, name: str = "") -> Peer:
    """One more connection, by keyboard."""
    count = len(run.app.peers.all)
    await run.press("L", "n")
    await run.shows("Name of the new connection")
    if name:
        await run.press("ctrl+u")
        await run.type(name)
    await run.press("enter")
    await run.until(lambda: len(run.app.peers.all) > count and run.app.peers.current is run.app.peers.all[-1], "it is there")
    await run.shows("has the same settings")
    return run.app.peers.current


async def type_topic(run: Running, topic: str) -> None:
    """Into the Publish form."""
    await run.press("3")
    form = run.main.publish.form
    form.go("topic")
    await run.until(lambda: form.typing, "the topic takes keys")
    await run.type(topic)
    await run.press("escape")


@pytest.mark.parametrize("size", [(80, 24), pytest.param((200, 50), marks=pytest.mark.slow)])
async def test_each_connection_has_settings_drafts_and_a_history_of_its_own(size: tuple[int, int]) -> None:
    async with fakes(size) as (run, sessions):
        assert not run.main.peers_line.display
        assert "main" not in run.text.split("\n")[0]
        await type_topic(run, "cmd/one")
        await run.press("ctrl+s")
        sent = packets.Publish("cmd/one")
        await run.until(lambda: sessions["main"].commands == [SendPublish("main", 1, sent)], "sent as main")
        second = await another(run)
        await run.shows("● main", "○ second", "second  not connected" if size[0] > 100 else "second")
        copied = run.main.connection.options()
        assert (copied.host, copied.connect.version) == ("broker.lan", Version.V311)
        assert copied.connect.client_id not in ("", "dev-42"), "the same id would take the first connection over"
        await run.press("escape", "c")
        await run.until(lambda: sessions["second"].commands == [Connect("second", copied)], "connects as second")
        await type_topic(run, "cmd/two")
        assert "nothing sent yet" in run.main.publish.history
        run.app.post_message(run.app.EventCame(PublishChanged("main", 1, Outcome.SENT, "sent")))
        await run.press("4", BEFORE)
        await run.until(lambda: run.app.peers.current.id == "main", "back to main")
        await run.press("3")
        await run.until(lambda: "cmd/one" in run.main.publish.history and "sent" in run.main.publish.history, "its history")
        assert run.main.publish.form.row_value("topic") == "cmd/one"
        assert second.panes.publish.form.row_value("topic") == "cmd/two"
        assert len(sessions["main"].commands) == 1


async def test_what_another_connection_tells_leaves_the_selected_panes_alone() -> None:
    async with fakes((200, 50)) as (run, sessions):
        await another(run)
        await run.press(BEFORE, "4")
        shown = run.main.subscriptions, run.main.status.state
        row = SubscriptionState(packets.TopicRequest("b/#"), granted=0, answer="granted QoS 0", active=True, key=b"b/#")
        state = ConnectionState("second", Phase.CONNECTED, 1, OPTIONS, client_id="other", subscriptions=(row,))
        run.tell(state)
        await run.shows("● main   ● second")
        assert (run.main.subscriptions, run.main.status.state) == shown
        assert run.main.subscriptions.state.subscriptions == ()
        assert "b/#" not in run.text
        assert not run.main.noticed or "second" not in run.main.noticed.plain, "nothing is offered for a connection that nobody looks at"
        await run.press(NEXT, "2")
        await run.shows("b/#", "other")
        await run.press("s")
        await run.shows("Subscribe as second")
        await run.type("c/#")
        await run.press("enter")
        await run.until(lambda: Subscribe("second", (packets.TopicRequest("c/#"),)) in sessions["second"].commands, "it goes there")
        assert sessions["main"].commands == []


async def test_failures_name_their_connection_and_the_key_only_for_the_current_one() -> None:
    async with fakes() as (run, sessions):
        await another(run)
        await run.press(BEFORE, "4", "escape")
        failure = Failure("Connection refused", "127.0.0.1:1883", "is it running?", "tcp", (Fix.USE_TLS,))
        connecting = ConnectionState("second", Phase.CONNECTING, options=OPTIONS)
        run.tell(connecting)
        run.tell(connecting.with_(phase=Phase.IDLE, failure=failure))
        await run.shows("second: Connection refused", "✗ second", "● main")
        assert "F8" not in run.text, "that key would be about main"
        await run.press(NEXT)
        await run.shows("second: Connection refused", "F8")
        await run.press("f8")
        await run.until(lambda: sessions["second"].commands, "tried again")
        assert sessions["main"].commands == []
        run.app.post_message(run.app.EventCame(Rejected("main", "ping: not connected")))
        await run.shows("main: not done: ping: not connected")
        run.tell(connecting)
        await run.pilot.pause()
        assert "main: not done" in run.text, "what is said of another connection stays"


async def test_a_failure_names_its_key_when_the_connection_before_it_is_closed() -> None:
    async with fakes() as (run, _):
        await another(run)
        await run.press("4", "escape")
        failure = Failure("Connection refused", "127.0.0.1:1883", "is it running?", "tcp", (Fix.USE_TLS,))
        connecting = ConnectionState("main", Phase.CONNECTING, options=OPTIONS)
        run.tell(connecting)
        run.tell(connecting.with_(phase=Phase.IDLE, failure=failure))
        await run.shows("main: Connection refused")
        assert "F8" not in run.text
        await run.press("L", "x")
        await run.shows("Connection refused", "F8")
        assert "main: Connection refused" not in run.text, "a single one needs no name"


async def test_names_closing_and_quitting() -> None:
    async with fakes() as (run, _):
        await another(run, "publisher")
        run.tell(ConnectionState("publisher", Phase.CONNECTED, 1, OPTIONS, client_id="p"))
        await run.shows("● publisher")
        await run.press("escape", "L", "r")
        await run.shows("Another name for publisher")
        await run.press("ctrl+u")
        await run.type("main")
        await run.shows("another connection has this name")
        await run.press("ctrl+u")
        await run.type("sender")
        await run.press("enter")
        await run.shows("● sender")
        await run.press("4")
        assert await run.pilot.click("#peers", offset=(2, 0))
        await run.until(lambda: run.app.peers.current.id == "main", "a click changes to it")
        await run.press(NEXT, "q")
        await run.shows("Quit?", "main: connected to mqtt://broker.lan:1883", "sender: connected to mqtt://broker.lan:1883")
        await run.press("n", "L", "x")
        await run.until(lambda: [peer.name for peer in run.app.peers.all] == ["main"], "closed")
        await run.until(lambda: not run.main.peers_line.display, "one connection needs no name")
        await run.pilot.pause()
        assert len(run.main.query("PublishPane")) == 1
        run.app.post_message(run.app.EventCame(StateChanged("publisher", ConnectionState("publisher", Phase.CONNECTED, 1, OPTIONS))))
        await run.pilot.pause()
        assert run.app.state.peer == "main"
        assert (await another(run)).id == "second"
        assert (await another(run, "publisher")).id == "publisher 2", "records and events know a connection by its id"


async def test_an_attempt_of_a_connection_that_is_closed_is_over() -> None:
    async with fakes() as (run, _):
        await another(run)
        running_step = Step("tcp", StepStatus.RUNNING, started=1)
        run.tell(ConnectionState("second", Phase.CONNECTING, 1, OPTIONS, steps=(running_step,)))
        await run.shows("second")
        attempts = run.app.peer_events.attempts
        await run.until(lambda: (found := attempts.latest("second")) is not None and not found.over, "it runs")
        await run.press("4", "L", "x")
        await run.until(lambda: not run.app.peers.several, "closed")
        latest = attempts.latest("second")
        assert latest is not None
        assert latest.over


async def test_a_look_is_stopped_at_the_connection_that_makes_it() -> None:
    async with fakes() as (run, sessions):
        look = Examine("main", 1, OPTIONS, "dev-9", "peek", 65_535, 0xFFFF_FFFF, 2.0)
        await run.press("4", "S")
        await run.shows("Over after")
        await run.type("dev-9")
        await run.press("ctrl+s")
        await run.until(lambda: sessions["main"].commands == [look], "the command")
        run.app._emit(SessionLooked("main", SessionReport(1, "dev-9", "peek")))
        await run.shows("Session of dev-9")
        await run.press("escape")
        await run.until(lambda: run.app.screen is run.main, "the main screen")
        await another(run)
        await run.press("4", "S", "s")
        await run.shows("Session of dev-9")
        await run.press("ctrl+c")
        await run.until(lambda: StopBeside("main") in sessions["main"].commands, "stopped where it runs")
        assert StopBeside("second") not in sessions["second"].commands
        await run.press("escape", BEFORE, "L", "x")
        await run.until(lambda: not run.app.peers.several, "closed")
        await run.press("S", "s")
        await run.shows("Session of dev-9", "the connection that looked was closed")
        assert "ctrl+c stops" not in run.text


async def test_keys_of_forms_reach_the_current_connection() -> None:
    async with fakes() as (run, sessions):
        run.tell_connected(OPTIONS)
        second = await another(run)
        run.tell(ConnectionState("second", Phase.CONNECTED, 1, OPTIONS, client_id="other"))
        copied = second.panes.connection.options().connect.client_id
        await run.press("4", "colon")
        await run.type("fresh client id")
        await run.press("enter")
        await run.pilot.pause()
        assert run.app.peers.all[0].panes.connection.options().connect.client_id == "dev-42"
        assert second.panes.connection.options().connect.client_id != copied
        await run.press("E", "g")
        await run.until(lambda: isinstance(run.app.screen, EditPacket), "the editor")
        await run.shows("second: connected")
        await run.press("ctrl+s")
        await run.until(lambda: sessions["second"].commands, "sent there")
        assert sessions["main"].commands == []


async def test_packets_of_several_connections_name_theirs_in_a_column() -> None:
    async with inspecting(3) as (run, feed):
        assert "Conn " not in run.text.split("\n")[2]
        run.app._board._make_session = lambda id: FakeSession()
        await another(run)
        await run.press("4")
        other = Feed(run.log, peer="second")
        other.connect()
        feed.send(packets.Publish("cmd/x", b"", 2, packet_id=7))
        await run.shows("Conn   ⇄ Type", "main   ▼ PUBLISH", "second ▲ CONNECT")
        await run.press("L", "r", "ctrl+u")
        await run.type("gateway two")
        await run.press("enter")
        await run.shows("Connection  ⇄ Type", "gateway two ▲ CONNECT")
        fake = FakeSession()
        run.app.peers.all[0].session = fake
        await run.press("G", "Q")
        await run.shows("Open flow of #7")
        await run.press("f")
        assert fake.commands == [FlowStep("main", 7, "forget")], "a flow belongs to the connection of its packet"
        await run.press("C")
        await run.shows("[x] Connection")
        await run.press("down", "down", "space", "enter")
        await run.hides("Connection  ⇄ Type")
        await run.press("C", "r", "enter")
        await run.shows("gateway two ▲ CONNECT")


async def test_filters_know_the_name() -> None:
    async with inspecting(2) as (run, _):
        run.app._board._make_session = lambda id: FakeSession()
        await another(run, "gateway")
        Feed(run.log, peer="gateway").connect()
        await run.press("4", "slash")
        await run.type('mqtttui.profile == "gateway"')
        await run.press("enter")
        rows = run.main.inspector.packets.rows
        await run.until(lambda: len(rows) == 2, "its CONNECT and CONNACK")
        assert {run.log.dissect(rows.number(at)).type for at in (0, 1)} == {PacketType.CONNECT, PacketType.CONNACK}


async def test_a_connection_that_is_closed_after_a_publish_is_tried_again_in_mqtt_5() -> None:
    refused = [expect(packets.Connect), reply(), expect(packets.Publish), close()]
    again = [
        accept(),
        expect(packets.Connect, version=Version.V5),
        reply(),
        expect(packets.Publish, topic="cmd/x", qos=1),
        reply(reason_code=0x99),
    ]
    async with Script(*refused, *again, version=Version.V311, timeout=30) as broker:
        options = ConnectOptions(broker.host, broker.port, connect=packets.Connect("dev-42", Version.V311))
        async with running(Settings(options=options, connect_now=True)) as run:
            await run.until(lambda: run.app.state.phase is Phase.CONNECTED, "connected", 20)
            await type_topic(run, "cmd/x")
            await run.press("ctrl+s")
            await run.until(lambda: run.app.state.phase is Phase.IDLE, "closed", 20)
            await run.shows("V asks MQTT 5 why")
            await run.press("4", "V")
            await run.shows("CONNECT, PUBLISH")
            await run.press("p")
            await run.shows("main v5: CONNECT: accepted", "cmd/x: refused: 0x99")
            assert {info.peer for info in run.log.connections} == {"main", "main v5"}
        await broker.finished()


async def test_a_trial_that_was_stopped_sends_nothing_later() -> None:
    async with fakes() as (run, sessions):
        await type_topic(run, "cmd/x")
        await run.press("ctrl+s")
        await run.until(lambda: sessions["main"].commands, "sent")
        await run.press("4", "V")
        await run.shows("CONNECT, PUBLISH")
        await run.press("p")
        await run.until(lambda: "main v5" in sessions and sessions["main v5"].commands, "the second connection")
        (connect,) = sessions["main v5"].commands
        assert isinstance(connect, Connect)
        made = ConnectionState("main v5", Phase.CONNECTING, 1, connect.options)
        idle = made.with_(phase=Phase.IDLE, ended="cancelled")
        for state in (made, idle, made, made.with_(phase=Phase.CONNECTED)):
            run.app.post_message(run.app.EventCame(StateChanged("main v5", state)))
        await run.until(lambda: run.app.state.phase is Phase.CONNECTED, "connected by hand")
        await run.press("3")
        await run.shows("Send")
        assert "cmd/x" not in run.main.publish.history
        assert sessions["main v5"].commands == [connect]


async def test_subscriptions_that_were_refused_are_tried_again_in_mqtt_5() -> None:
    request = packets.TopicRequest("secret/#", 1)
    refused = [expect(packets.Connect), reply(), expect(packets.Subscribe), reply(codes=(0x80,))]
    again = [accept(), expect(packets.Connect, version=Version.V5), reply(), expect(packets.Subscribe), reply(codes=(0x87,))]
    async with Script(*refused, *again, serve(), version=Version.V311, timeout=30) as broker:
        options = ConnectOptions(broker.host, broker.port, connect=packets.Connect("dev-42", Version.V311))
        async with running(Settings(options=options, connect_now=True, subscriptions=(request,)), size=(80, 24)) as run:
            await run.press("2")
            await run.shows("refused", "V asks MQTT 5 why")
            await run.press("V")
            await run.shows("CONNECT, SUBSCRIBE")
            await run.press("enter")
            await run.shows("main v5: CONNECT: accepted", "0x87 not authorized")
            assert run.app.peers.current.name == "main v5"


@pytest.mark.parametrize("width", [40, 80, 200])
def test_nine_names_share_the_line(width: int) -> None:
    line = PeersLine()
    names = ["main", "second", "a name as long as can be", *("gateway of hall " + str(number) for number in range(6))]
    line.set_reactive(PeersLine.marks, [PeerMark(name, name, "●", "$state-good", name == "main") for name in names])
    shown = line.line(width)
    assert shown.cell_length == width
    assert shown.plain.startswith(" ● main")
    assert "{ }" in shown.plain
    assert shown.plain.count("●") == 9 or width < 100
    first, second = line._spots[:2]
    assert shown.plain[first[0] : first[1]] == "● main"
    assert first[1] < second[0]


def test_names_and_ids_are_never_given_twice() -> None:
    def peer(id: str, name: str = "") -> Peer:
        return Peer(id, name or id, FakeSession(), AfterConnecting(id, Settings()))

    peers = Peers(peer("main"))
    assert peers.free_name() == "second"
    peers.add(peer("second"))
    assert (peers.free_name(), peers.free_name("main"), peers.free_name("hall")) == ("third", "main 2", "hall")
    assert (peers.beside(1).id, peers.beside(-1).id, peers.beside(2).id) == ("second", "second", "main")
    peers.remove(peers.all[1])
    assert peers.free_name() == "second"
    assert peers.free_id("second") == "second 2", "records of the closed one keep its id"
    for number in range(8):
        peers.add(peer(f"peer {number}"))
    assert peers.full
    assert peers.free_name() not in {each.name for each in peers.all}


def test_who_took_over_is_told_as_long_as_the_session_tells_the_loss() -> None:
    options = ConnectOptions("broker.lan", connect=packets.Connect("dev-42"))
    other = Peer("second", "second", FakeSession(), AfterConnecting("second", Settings()))
    lost = Failure("The server closed the connection", "without DISCONNECT", "see its log")
    before = ConnectionState("main", Phase.CONNECTED, 0, options, client_id="dev-42")
    state = before.with_(phase=Phase.IDLE, failure=lost)
    left = Step("connect", StepStatus.DONE, 0, 1)
    for taker, expected in (
        (ConnectionState("second"), lost.title),
        (ConnectionState("second", Phase.CONNECTING, 1, options, client_id="dev-42"), lost.title),
        (ConnectionState("second", Phase.CONNECTING, 1, options, (left,), client_id="dev-42"), "Taken over by second"),
        (ConnectionState("second", Phase.CONNECTED, 1, options, client_id="dev-42"), "Taken over by second"),
        (ConnectionState("second", Phase.CONNECTED, 1, options, client_id="dev-43"), lost.title),
        (ConnectionState("second", Phase.CONNECTED, 1, ConnectOptions("other.lan"), client_id="dev-42"), lost.title),
    ):
        other.state = taker
        known = TakenOver()
        told = known.explained(before, state, [other])
        assert told.failure is not None
        assert told.failure.title == expected
        again = known.explained(told, state.with_(held=1), [])
        assert again.failure is not None
        assert again.failure.title == expected
