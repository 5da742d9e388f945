"""The composition root: one log, a Session for the peer, the followers, the pump, and the screen that shows them.

Commands go down from the panes to the session, events and packets come up to the screen. Nothing else is done here.
Above stands what the first paint needs; the rest is imported where it is used first, so that the first paint comes soon.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.binding import BindingType
from textual.message import Message
from textual.screen import Screen

from mqtttui.client.commands import Cancel, Command, Connect
from mqtttui.client.events import ConnectionState, Event, Phase, PublishChanged, RawSent, Rejected, StateChanged, TcpMeasured
from mqtttui.config import paths
from mqtttui.config.settings import Settings
from mqtttui.ui import notices
from mqtttui.ui.after_connecting import AfterConnecting
from mqtttui.ui.attempts import Attempts
from mqtttui.ui.bindings import bindings_for
from mqtttui.ui.looks import Looks
from mqtttui.ui.screens.start import StartScreen
from mqtttui.ui.tcp_samples import TcpSamples
from mqtttui.ui.widgets.status_bar import Meter

if TYPE_CHECKING:
    from mqtttui.capture.log import Log
    from mqtttui.client.reading import FileFeed
    from mqtttui.client.session import Session
    from mqtttui.config.opening import OpenOptions
    from mqtttui.demo.demo import Demo
    from mqtttui.filters.row import Facts
    from mqtttui.ui.messages import CommandRequested
    from mqtttui.ui.opened_file import OpenedFile
    from mqtttui.ui.panes.connection import ConnectionPane
    from mqtttui.ui.panes.inspector import Inspector
    from mqtttui.ui.panes.subscriptions import SubscriptionsPane
    from mqtttui.ui.panes.view import View
    from mqtttui.ui.widgets.escaped_input import EscapedInput

PEER = "main"
_FRAME = 1 / 30
_SLICE_NS = 5_000_000
_METER_NS = 500_000_000


class MqttTui(Looks):
    """The application."""

    TITLE = "mqtttui"
    SCOPE: ClassVar[str] = "app"
    CSS_PATH: ClassVar[Any] = ["ui/styles/main.tcss", "ui/styles/forms.tcss", "ui/styles/edit.tcss", "ui/styles/views.tcss"]
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("app")]
    ESCAPE_TO_MINIMIZE = False

    class EventCame(Message):
        """A session says that something happened."""

        def __init__(self, event: Event) -> None:
            super().__init__()
            self.event = event

    def __init__(self, settings: Settings, log: Log | None = None) -> None:
        super().__init__(settings)
        self._settings = settings
        self._given_log = log
        self.state = ConnectionState(PEER)
        self._typed_ahead: list[events.Key | events.Paste] | None = []
        """What was typed before there was something to take it; None when that is over."""
        self._session: Session | None = None
        self._demo: Demo | None = None
        self._feed: FileFeed | None = None
        self._opened: OpenedFile | None = None
        self._after = AfterConnecting(PEER, settings)
        self.tcp = TcpSamples()
        """How the TCP of each connection stands."""
        self._attempts = Attempts()
        self._metered = 0
        self._reading = False

    # Life

    def get_default_screen(self) -> Screen[None]:
        return StartScreen()

    def on_mount(self) -> None:
        self.call_after_refresh(self._begin)
        self.watch_terminal()

    def tell(self, words: str) -> None:
        self._main.say(words)

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
        if self._session is not None:
            await self._session.close()
            self._outlets.stop()
            self.live_recording.stop()
        if self._demo is not None:
            self._demo.stop()

    async def _begin(self) -> None:
        """After the first paint: what takes time to load, and what was asked for on the command line."""
        from mqtttui.analysis.pump import Pump
        from mqtttui.capture.log import Log
        from mqtttui.capture.marks import Marks
        from mqtttui.config.saved_filters import FilterStore
        from mqtttui.ui.filtering import Filtering
        from mqtttui.ui.live_recording import LiveRecording
        from mqtttui.ui.row_text import FilterMarks, describer
        from mqtttui.ui.screens.main import MainScreen
        from mqtttui.ui.views import Parts

        self.log_of_packets = self._given_log if self._given_log is not None else Log()
        self.pump = Pump(self.log_of_packets, self._settings.timeouts)
        self.live_recording = LiveRecording(self.log_of_packets, self.pump)
        self._marks = FilterMarks()
        self.marks = Marks(self.log_of_packets)
        self.filtering = Filtering(self.log_of_packets, self._facts)
        self._describe = describe = describer(self.log_of_packets, self.pump.pairs, self.pump.findings, self._marks, self.marks)
        store = FilterStore(paths.filters_file())
        self._main = MainScreen(PEER, Parts(self.log_of_packets, self.pump, describe, self.filtering, store, self.marks))
        await self.push_screen(self._main)
        self.call_after_refresh(self._go_on)

    async def _go_on(self) -> None:
        """After the form has appeared."""
        from mqtttui.client.session import Session
        from mqtttui.ui.alarm import Alarm
        from mqtttui.ui.alarm_dialogs import AlarmDialogs
        from mqtttui.ui.column_dialogs import ColumnDialogs
        from mqtttui.ui.dialogs import Dialogs
        from mqtttui.ui.edit_dialogs import EditDialogs
        from mqtttui.ui.outlets import Outlets

        asyncio.get_running_loop().set_exception_handler(self._on_loop_error)
        self._session = Session(PEER, self.log_of_packets, self._emit)
        self._dialogs = Dialogs(PEER, self._main, self._send)
        self._outlets = Outlets(self._main.parts, self._main, self.live_recording, ascii=self._ascii.enabled)
        self.alarm = Alarm(self.log_of_packets, self._facts, self.marks)
        self._columns = ColumnDialogs(self._main, paths.columns_file(), self._facts)
        self._alarms = AlarmDialogs(self._main.parts, self._main, self.alarm, self.ring, self._outlets.record_kept)
        self._edits = EditDialogs(PEER, self.log_of_packets, self.pump.pairs, self._describe, self._main, self._send)
        await self._main.mount_rest()
        await self._columns.load()
        self.set_interval(_FRAME, self._tick)
        settings = self._settings
        if settings.options is not None:
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
            self.action_start_demo()
        elif settings.connect_now and settings.options is not None:
            self._send(Connect(PEER, settings.options))
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

    # The pump

    def _tick(self) -> None:
        if not self.is_running:
            return
        if not self._reading:
            self._read()
        # Both are asked: each answers for the time since it was asked before.
        if self.pump.changed() | self.filtering.changed():
            self._main.grew()
        mono = time.monotonic_ns()
        self._alarms.look(mono)
        if mono - self._metered >= _METER_NS:
            self._metered = mono
            self._show_meter(mono)

    def _read(self) -> None:
        """Followers read a slice, then the filter tests one; as long as they lag, the next ones come with the next turn of the loop."""
        if not self.is_running:
            self._reading = False
            return
        read = self.pump.advance(time.monotonic_ns, _SLICE_NS)
        tested = self.filtering.advance(time.monotonic_ns, _SLICE_NS)
        watched = self.alarm.advance(time.monotonic_ns, _SLICE_NS)
        self._reading = not (read and tested and watched)
        if self._reading:
            asyncio.get_running_loop().call_soon(self._read)

    def _show_meter(self, mono: int) -> None:
        log, rates = self.log_of_packets, self.pump.traffic.rates(mono)
        if self._feed is not None and self._feed.over:
            rates = rates._replace(in_packets=0, in_bytes=0, out_packets=0, out_bytes=0)
        counts = (log.received, log.kept, log.evicted, self.pump.findings.warnings, self.pump.findings.errors)
        meter = Meter(rates.in_packets, rates.in_bytes, rates.out_packets, *counts)
        self.pump.tick(mono)
        if self.pump.late_news():
            self._main.inspector.packets.forget()
            self._main.inspector.look_again()
        self._main.show_meter(meter)
        if self._opened is not None:
            self._opened.show(self._main)
        self._main.show_recording(*self.live_recording.status)
        if (news := self.live_recording.news()) is not None:
            if news:
                self._main.notice(notices.not_recorded(news))
            else:
                self._main.say("the recording goes on")
        self._main.subscriptions.counts = {row.key: self.pump.counters.of(PEER, row.key, mono) for row in self.state.subscriptions}

    # Commands down

    def on_command_requested(self, event: CommandRequested) -> None:
        event.stop()
        self._send(event.command)

    def _send(self, command: Command) -> None:
        if self._session is not None:
            self._session.execute(command)

    # Events up

    def on_mqtt_tui_event_came(self, message: EventCame) -> None:
        if not self.is_running:
            return
        match message.event:
            case StateChanged(state=state):
                self._state_changed(state)
            case PublishChanged() as event:
                self._main.publish.publish_changed(event)
            case TcpMeasured() as event:
                self.tcp.add(event)
            case RawSent() as event:
                self._edits.raw_sent(event)
            case Rejected(text=words):
                if not self._edits.rejected(words):
                    self._main.notice(notices.not_done(words))

    def _state_changed(self, state: ConnectionState) -> None:
        before, self.state = self.state, state
        self._attempts.take(state, time.monotonic_ns(), time.time_ns())
        if before.subscriptions != state.subscriptions:
            self.pump.counters.set_filters(PEER, [(row.key, row.key, row.identifier) for row in state.subscriptions])
        self._main.show_state(state)
        self._edits.show_state(state)
        if before.phase is state.phase:
            return
        if before.phase is Phase.CONNECTED:
            self._main.withdraw(notices.OFFER, notices.MESSAGE_WAITS)
        self._main.inspector.packets.forget()
        if state.phase is Phase.CONNECTED:
            self._connected()
        elif state.failure is not None and not self._main.starting:
            self._main.notice(notices.failed(state.failure))
        elif state.phase is Phase.CONNECTING:
            self._main.notice(None)

    def _connected(self) -> None:
        command, notice = self._after.connected(demo=self._demo is not None, subscribed=bool(self.state.subscriptions))
        if command is not None:
            self._send(command)
        if notice is not None:
            self._main.notice(notice)

    def on_connection_pane_parsed(self, event: ConnectionPane.Parsed) -> None:
        self._after.expect(event.parsed)
        if event.parsed.publish is not None:
            self._main.publish.load(event.parsed.publish)

    def on_connection_pane_subscribe_after(self, event: ConnectionPane.SubscribeAfter) -> None:
        self._after.wanted = event.wanted

    def on_subscriptions_pane_mute_changed(self, event: SubscriptionsPane.MuteChanged) -> None:
        (self._marks.muted.add if event.muted else self._marks.muted.discard)(event.key)
        self._main.inspector.packets.forget()

    def on_subscriptions_pane_filter_colours(self, event: SubscriptionsPane.FilterColours) -> None:
        self._marks.letters = dict(event.letters)
        self._main.inspector.packets.forget()

    def on_escaped_input_paste_refused(self, event: EscapedInput.PasteRefused) -> None:
        self._main.say(f"not pasted: {event.size:,} characters are too many for one line")

    def on_inspector_packet_opened(self) -> None:
        self._main.notice(None)

    def on_inspector_edit_wanted(self, event: Inspector.EditWanted) -> None:
        self._edits.edit(event.number, self.state)

    def on_inspector_flow_wanted(self, event: Inspector.FlowWanted) -> None:
        self._edits.flow(event.number)

    def on_inspector_link_wanted(self, event: Inspector.LinkWanted) -> None:
        from mqtttui.ui.link_words import why_no_link

        pairs = self.pump.pairs
        number = (pairs.answer_of if event.forward else pairs.request_of)(event.number)
        if number is None:
            self._main.say(why_no_link(self.log_of_packets, event.number, forward=event.forward))
        else:
            self._main.go_to(number)

    # Actions: panes

    def action_show_pane(self, name: str) -> None:
        """Go to a pane or view."""
        self._main.show_pane(name)

    def action_edit_filter(self) -> None:
        """Type a filter."""
        self._main.edit_filter()

    def action_saved_filters(self) -> None:
        """Choose a saved or earlier filter."""
        self._main.views.choose_filter()

    def action_toggle_drawer(self) -> None:
        """Show or fold the panes."""
        self._main.toggle_drawer()

    def action_step_back(self) -> None:
        """Back; at the top quit."""
        if not self._main.back():
            self.action_ask_quit()

    def action_leave_field(self) -> None:
        """Leave the field or the details."""
        self._main.leave_field()

    def action_help(self) -> None:
        """Keys."""
        self._dialogs.help()

    def action_palette(self) -> None:
        """Everything by name."""
        self._dialogs.palette(self.theme_names, self.choose_theme, self.action_ask_quit, self._outlets.export)

    # Actions: connection

    def action_connect_menu(self) -> None:
        """Connect; when connected, what can be done with the connection."""
        self._dialogs.connection(self.state)

    def action_apply_fix(self) -> None:
        """Apply the likely fix and try again."""
        if self._main.connection.apply_fix():
            self._main.notice(None)
        else:
            self._main.say("there is nothing to fix")

    def action_why(self) -> None:
        """Why it failed, how long connecting took."""
        self._dialogs.why(self._attempts, self._outlets.give_out, self.action_apply_fix)

    def action_subscribe_prompt(self) -> None:
        """Ask for a filter and subscribe."""
        self._dialogs.subscribe(self.state)

    def action_start_demo(self) -> None:
        """Start the demo broker, connect to it and subscribe."""
        if self._demo is not None and self.state.phase is Phase.CONNECTED:
            self._main.say("the demo runs already")
            return
        if self.state.phase is not Phase.IDLE:
            self._main.say("disconnect first (c)")
            return
        from mqtttui.demo.demo import TOPICS, Demo

        if self._demo is None:
            demo = Demo()
            try:
                demo.start()
            except OSError as error:
                self._main.notice(notices.no_demo(error))
                return
            self._demo = demo
        options = self._demo.options()
        self._main.connection.load(options)
        self._after.subscribe((TOPICS,))
        self._send(Connect(PEER, options))

    # Actions: copy, quit

    def on_inspector_copy_wanted(self, event: Inspector.CopyWanted) -> None:
        self._outlets.copy(event)

    def on_inspector_columns_wanted(self, event: Inspector.ColumnsWanted) -> None:
        if event.field is None:
            self._columns.ask()
        else:
            self._columns.add(event.field)

    def on_view_text_wanted(self, event: View.TextWanted) -> None:
        self._outlets.hand_out(event.text, plain=event.plain)

    async def action_copy_or_stop(self) -> None:
        """Stop writing a file, searching, testing a filter, or connecting; else copy the selected text, or something of the packet."""
        if self._outlets.stop():
            return
        if self._main.views.hunting.stop():
            self._main.say("the search was stopped; n goes on")
        elif self.filtering.cancel():
            self._main.say("the filter was stopped; / and Enter test all packets again")
        elif self.state.phase in (Phase.CONNECTING, Phase.WAITING):
            self._send(Cancel(PEER))
            self._main.say("stopped")
        else:
            await self._outlets.copy_selection()

    def action_export(self) -> None:
        """Write packets to a file."""
        self._outlets.export()

    def action_record(self) -> None:
        """Begin a recording; end the one that runs."""
        self._outlets.record()

    def action_alarm(self) -> None:
        """Watch for packets; when that is done, what can be done about it."""
        self._alarms.ask()

    def action_ask_quit(self) -> None:
        """Quit; ask first when connected or when packets would be lost. The demo is no loss."""
        if self._demo is not None:
            self.exit()
        else:
            piped = self._opened is not None and self._opened.piped
            self._dialogs.ask_quit(self.state, self._outlets.unsaved(piped=piped))
