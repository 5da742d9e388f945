"""The composition root: one log, the peers with their Sessions, the followers, the pump, and the screen that shows them.

Commands go down from the panes to the sessions, events and packets come up to the screen. Nothing else is done here.
Above stands what the first paint needs; the rest is imported where it is used first, so that the first paint comes soon.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.binding import BindingType
from textual.message import Message
from textual.screen import Screen

from mqtttui.config import paths
from mqtttui.config.settings import Settings
from mqtttui.ui import notices
from mqtttui.ui.bindings import bindings_for
from mqtttui.ui.peer_actions import PeerActions
from mqtttui.ui.screens.start import StartScreen
from mqtttui.ui.tcp_samples import TcpSamples

if TYPE_CHECKING:
    from mqtttui.capture.log import Log
    from mqtttui.client.commands import Command
    from mqtttui.client.events import Event
    from mqtttui.client.reading import FileFeed
    from mqtttui.client.session import Session
    from mqtttui.config.opening import OpenOptions
    from mqtttui.demo.demo import Demo
    from mqtttui.filters.row import Facts
    from mqtttui.ui.check_dialogs import CheckDialogs
    from mqtttui.ui.messages import CommandRequested
    from mqtttui.ui.opened_file import OpenedFile
    from mqtttui.ui.panes.inspector import Inspector
    from mqtttui.ui.panes.subscriptions import SubscriptionsPane

PEER = "main"
"""Id and name of the peer that is there from the start."""


class MqttTui(PeerActions):
    """The application."""

    TITLE = "mqtttui"
    SCOPE: ClassVar[str] = "app"
    CSS_PATH: ClassVar[Any] = ["ui/styles/main.tcss", "ui/styles/forms.tcss", "ui/styles/edit.tcss", "ui/styles/views.tcss"]
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("app")]
    ESCAPE_TO_MINIMIZE = False

    class EventCame(Message):
        """A Session says that something happened."""

        def __init__(self, event: Event) -> None:
            super().__init__()
            self.event = event

    def __init__(self, settings: Settings, log: Log | None = None) -> None:
        super().__init__(settings)
        self._settings = settings
        self._given_log = log
        self._typed_ahead: list[events.Key | events.Paste] | None = []
        """What was typed before there was something to take it; None when that is over."""
        self._ending = AsyncExitStack()
        """What is to be done in the end."""
        self._demo: Demo | None = None
        self._feed: FileFeed | None = None
        self._opened: OpenedFile | None = None
        self.tcp = TcpSamples()
        """How the TCP of each connection stands."""

    # Life

    def get_default_screen(self) -> Screen[None]:
        return StartScreen()

    def on_mount(self) -> None:
        self.call_after_refresh(self._begin)
        self.watch_terminal()

    @property
    def ready(self) -> bool:
        """Everything is loaded, and keys are taken."""
        return self._typed_ahead is None

    async def on_event(self, event: events.Event) -> None:
        if self._typed_ahead is None:
            await super().on_event(event)
        elif isinstance(event, events.Key | events.Paste):
            self._typed_ahead.append(event)
        elif not isinstance(event, events.MouseEvent):
            await super().on_event(event)

    def _emit(self, event: Event) -> None:
        self.post_message(self.EventCame(event))

    async def on_unmount(self) -> None:
        await self._ending.aclose()
        if self._demo is not None:
            self._demo.stop()

    async def _begin(self) -> None:
        """After the first paint: what takes time to load, and what was asked for on the command line."""
        from mqtttui.analysis.pump import Pump
        from mqtttui.capture.log import Log
        from mqtttui.capture.marks import Marks
        from mqtttui.config.saved_filters import FilterStore
        from mqtttui.ui.after_connecting import AfterConnecting
        from mqtttui.ui.filtering import Filtering
        from mqtttui.ui.live_recording import LiveRecording
        from mqtttui.ui.peers import NoSession, Peer, Peers
        from mqtttui.ui.row_text import FilterMarks, describer
        from mqtttui.ui.screens.main import MainScreen
        from mqtttui.ui.views import Parts

        self.log_of_packets = self._given_log if self._given_log is not None else Log()
        self.pump = Pump(self.log_of_packets, self._settings.timeouts)
        self.live_recording = LiveRecording(self.log_of_packets, self.pump)
        self._marks = FilterMarks(self.log_of_packets)
        self.marks = Marks(self.log_of_packets)
        self.filtering = Filtering(self.log_of_packets, self._facts)
        self._describe = describe = describer(self.log_of_packets, self.pump, self._marks, self.marks)
        store = FilterStore(paths.filters_file())
        first = Peer(PEER, PEER, NoSession(), AfterConnecting(PEER, self._settings))
        self.peers = Peers(first)
        parts = Parts(
            self.log_of_packets, self.pump, describe, self.filtering, store, self.marks, self.tcp, lambda: self.peers.current.state
        )
        self._main = MainScreen(first.panes, parts)
        await self.push_screen(self._main)
        self.call_after_refresh(self._go_on)

    async def _go_on(self) -> None:
        """After the form has appeared."""
        from mqtttui.client.commands import Connect
        from mqtttui.ui.alarm import Alarm
        from mqtttui.ui.alarm_dialogs import AlarmDialogs
        from mqtttui.ui.column_dialogs import ColumnDialogs
        from mqtttui.ui.dialogs import Dialogs
        from mqtttui.ui.edit_dialogs import EditDialogs
        from mqtttui.ui.gate import Gate
        from mqtttui.ui.outlets import Outlets
        from mqtttui.ui.peer_dialogs import PeerDialogs
        from mqtttui.ui.peer_events import PeerEvents
        from mqtttui.ui.profile_dialogs import ProfileDialogs
        from mqtttui.ui.session_dialogs import SessionDialogs
        from mqtttui.ui.switchboard import Switchboard
        from mqtttui.ui.try_v5 import TryV5
        from mqtttui.ui.turns import FRAME, Turns

        asyncio.get_running_loop().set_exception_handler(self._on_loop_error)
        first = self.peers.current
        first.session = self._new_session(first.id)
        self._dialogs = Dialogs(self._main, self._send)
        self._profiles = ProfileDialogs(self.peers, self._main, lambda words: self._outlets.hand_out(words, plain=False))
        self._gate = Gate(self.peers, self._main, self._emit, lambda: self._profiles.known)
        first.panes.connection.who_is_kicked = self._gate.who_is_kicked
        self._profiles.read()
        self._outlets = Outlets(self._main.parts, self._main, self.live_recording, ascii=self._ascii.enabled)
        self.alarm = Alarm(self.log_of_packets, self._facts, self.marks)
        self._columns = ColumnDialogs(self._main, paths.columns_file(), self._facts)
        self._alarms = AlarmDialogs(self._main.parts, self._main, self.alarm, self.ring, self._outlets.record_kept)
        self._edits = EditDialogs(self.log_of_packets, self.pump.pairs, self._describe, self._main, self._send)
        self._sessions = SessionDialogs(self._main, self.pump, self._send, self._outlets.give_out)
        self.peer_events = PeerEvents(self.peers, self._main, self.pump.counters, self.tcp, self._edits, self._sessions, self._send)
        self._checks = self._new_checks()
        log, pump = self.log_of_packets, self.pump
        self._board = Switchboard(self.peers, log, self._main, self.peer_events, self._new_session)
        self._try_v5 = TryV5(self.peers, self._main, self._board, self._send)
        self.peer_events.listener = self._try_v5.heard
        self._peer_dialogs = PeerDialogs(self.peers, self._main, self._board)
        self._turns = Turns(log, pump, self.filtering, self.alarm, self._main, self._alarms.look, lambda: self.is_running, self._metered)
        self._ending.callback(self.live_recording.stop)
        self._ending.callback(self._outlets.stop)
        self._ending.push_async_callback(self._board.close_all)
        await self._main.mount_rest()
        await self._columns.load()
        self.set_interval(FRAME, self._turns.turn)
        settings = self._settings
        if settings.profile is not None and settings.options is not None:
            self._profiles.begin(first, settings.profile, settings.options, settings.subscriptions)
        elif settings.options is not None:
            self._main.connection.load(settings.options)
            self._main.connection.expect(settings.subscriptions)
        if settings.publish is not None:
            self._main.publish.load(settings.publish)
        if problems := self.theme_problems(settings.theme):
            self._main.notice(notices.no_theme(problems))
        if settings.record is not None:
            self._outlets.begin_recording(settings.record, kept=True)
        if settings.display_filter:
            self._main.views.apply_text(settings.display_filter, strict=True)
        if settings.capture is not None:
            self._open(settings.capture)
        elif settings.demo:
            await self.action_start_demo()
        elif settings.connect_now and settings.options is not None:
            self._send(Connect(first.id, settings.options))
        elif settings.options is None:
            self._main.connection.action_edit_url()
        self.call_after_refresh(self._take_typed)

    def _open(self, wanted: OpenOptions) -> None:
        """Read a capture beside everything else."""
        from mqtttui.client.reading import FileFeed
        from mqtttui.ui.opened_file import OpenedFile

        feed = FileFeed(wanted.path, self.log_of_packets, descriptor=wanted.descriptor, assume=wanted.version)
        self._opened = OpenedFile(feed, self.log_of_packets, self.marks, wanted.goto)
        self._feed = feed
        self._outlets.opened = wanted.path
        self._main.open_inspector()
        if feed.settled:
            # A capture is read from its beginning; only what still comes is followed.
            self._main.inspector.packets.hold()
        self.run_worker(feed.run(), name="read", group="capture")

    def _facts(self) -> Facts:
        """What filters may ask beside the log."""
        from mqtttui.ui.filtering import facts_of

        frame_number = self._feed.reader.frame_number if self._feed is not None else None
        return facts_of(self.log_of_packets, self.pump, self.marks, frame_number)

    async def _take_typed(self) -> None:
        """What was typed ahead goes where the focus is by now."""
        typed, self._typed_ahead = self._typed_ahead, None
        for event in typed or ():
            await self.on_event(event)

    def _on_loop_error(self, loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
        error = context.get("exception")
        words = f"{type(error).__name__}: {error}" if error is not None else str(context.get("message", ""))
        self._main.notice(notices.our_fault(words))

    def _metered(self, mono: int) -> None:
        """Rates and counts were shown anew: so is what goes with them."""
        connected = any(peer.state.options is not None for peer in self.peers.all)
        self._turns.at_rest = self._feed is not None and self._feed.over and not connected
        if self._opened is not None:
            self._opened.show(self._main)
        self._outlets.look()
        counters = self.pump.counters
        for peer in self.peers.all:
            peer.panes.subscriptions.counts = {row.key: counters.of(peer.id, row.key, mono) for row in peer.state.subscriptions}

    # Commands down

    def on_command_requested(self, event: CommandRequested) -> None:
        event.stop()
        self._send(event.command)

    def _send(self, command: Command) -> None:
        if self.peers.of(command.peer) is not None:
            self._gate.send(command)
        else:
            self._main.say("not done: that connection was closed")

    def _new_session(self, peer: str) -> Session:
        from mqtttui.client.session import Session

        return Session(peer, self.log_of_packets, self._emit)

    def _new_checks(self) -> CheckDialogs:
        """Test runs, beside the connections of all peers."""
        from mqtttui.client.checks import Checks
        from mqtttui.ui.check_dialogs import CheckDialogs
        from mqtttui.ui.check_runs import CheckRuns

        runs = CheckRuns()
        checks = Checks(self.log_of_packets, runs.take)
        self._ending.push_async_callback(checks.close)
        return CheckDialogs(self._main, runs, checks.execute, self._outlets.give_out, self._gate.check)

    # Events up

    def on_mqtt_tui_event_came(self, message: EventCame) -> None:
        if self.is_running:
            self.peer_events.came(message.event)

    def on_subscriptions_pane_mute_changed(self, event: SubscriptionsPane.MuteChanged) -> None:
        self._marks.mute(event.peer, event.key, muted=event.muted)
        self._main.inspector.packets.forget()

    def on_subscriptions_pane_filter_colours(self, event: SubscriptionsPane.FilterColours) -> None:
        self._marks.set_letters(event.peer, dict(event.letters))
        self._main.inspector.packets.forget()

    def on_inspector_edit_wanted(self, event: Inspector.EditWanted) -> None:
        self._edits.edit(event.number, self.state)

    def on_inspector_flow_wanted(self, event: Inspector.FlowWanted) -> None:
        self._edits.flow(event.number)

    # Actions: help, palette

    def action_step_back(self) -> None:
        """Back; at the top quit."""
        if not self._main.back():
            self.action_ask_quit()

    def action_palette(self) -> None:
        """Everything by name."""
        self._dialogs.palette(self.theme_names, self.choose_theme, self.action_ask_quit, self._outlets.export)

    # Actions: connection

    async def action_start_demo(self) -> None:
        """Start the demo broker, connect to it and subscribe: beside a connection that is in use, as another one."""
        from mqtttui.client.commands import Connect
        from mqtttui.client.events import Phase
        from mqtttui.demo.demo import TOPICS, Demo

        url = self._demo.options().url if self._demo is not None else ""
        inside = next((peer for peer in self.peers.all if peer.state.options is not None and peer.state.options.url == url), None)
        peer = inside or self.peers.current
        if inside is not None and peer.state.phase is Phase.CONNECTED:
            self._board.select(peer)
            self._main.say("the demo runs already")
            return
        if peer.is_busy and (inside is not None or self.peers.full):
            self._main.say("disconnect first (c)")
            return
        if self._demo is None:
            demo = Demo()
            try:
                demo.start()
            except OSError as error:
                self._main.notice(notices.no_demo(error))
                return
            self._demo = demo
        options = self._demo.options()
        if peer.is_busy:
            peer = await self._board.open("demo")
        elif not self.peers.is_current(peer):
            self._board.select(peer)
        self._profiles.clear(peer)
        peer.panes.connection.load(options)
        peer.after.subscribe((TOPICS,), notice=notices.DEMO)
        self._send(Connect(peer.id, options))

    def on_timing_view_check_wanted(self) -> None:
        self._checks.open()

    # Actions: copy, quit

    def on_inspector_columns_wanted(self, event: Inspector.ColumnsWanted) -> None:
        if event.field is None:
            self._columns.ask()
        else:
            self._columns.add(event.field)

    async def action_copy_or_stop(self) -> None:
        """Stop writing a file, searching, testing a filter, or connecting; else copy the selected text, or something of the packet."""
        from mqtttui.client.commands import Cancel
        from mqtttui.client.events import Phase

        if self._outlets.stop():
            return
        if self._checks.stop():
            self._main.say("the test run was stopped")
        elif self._main.views.hunting.stop():
            self._main.say("the search was stopped; n goes on")
        elif self.filtering.cancel():
            self._main.say("the filter was stopped; / and Enter test all packets again")
        elif self.state.phase in (Phase.CONNECTING, Phase.WAITING):
            self._send(Cancel(self.peers.current.id))
            self._main.say("stopped")
        else:
            await self._outlets.copy_selection()

    def action_alarm(self) -> None:
        """Watch for packets; when that is done, what can be done about it."""
        self._alarms.ask()

    def action_ask_quit(self) -> None:
        """Quit; ask first when connected or when packets would be lost. The demo is no loss."""
        from mqtttui.ui.losses import losses

        piped = self._opened is not None and self._opened.piped
        demo = self._demo.options().url if self._demo is not None else None
        self._dialogs.ask_quit(losses(self.peers, self.log_of_packets, lambda: self._outlets.unsaved(piped=piped), demo=demo, piped=piped))
