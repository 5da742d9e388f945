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
from textual.app import App
from textual.binding import BindingType
from textual.filter import LineFilter
from textual.message import Message
from textual.screen import Screen
from textual.theme import Theme

from mqtttui import text
from mqtttui.client.commands import Cancel, Command, Connect, Subscribe
from mqtttui.client.events import ConnectionState, Event, Phase, PublishChanged, Rejected, StateChanged
from mqtttui.config import paths
from mqtttui.config.settings import Settings
from mqtttui.protocol.packets import Properties, TopicRequest
from mqtttui.ui import notices
from mqtttui.ui.bindings import bindings_for
from mqtttui.ui.glyphs import AsciiFilter
from mqtttui.ui.mouse import report_mouse
from mqtttui.ui.screens.start import StartScreen
from mqtttui.ui.theme import DEFAULT_THEME, load_themes, variable_defaults
from mqtttui.ui.widgets.status_bar import Meter

if TYPE_CHECKING:
    from mqtttui.capture.log import Log
    from mqtttui.client.session import Session
    from mqtttui.demo.demo import Demo
    from mqtttui.ui.messages import CommandRequested
    from mqtttui.ui.panes.connection import ConnectionPane
    from mqtttui.ui.panes.inspector import Inspector
    from mqtttui.ui.panes.subscriptions import SubscriptionsPane

PEER = "main"
_FRAME = 1 / 30
_SLICE_NS = 5_000_000
_METER_NS = 500_000_000


class MqttTui(App[None]):
    """The application."""

    TITLE = "mqtttui"
    SCOPE: ClassVar[str] = "app"
    CSS_PATH: ClassVar[Any] = ["ui/styles/main.tcss", "ui/styles/forms.tcss"]
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("app")]
    ESCAPE_TO_MINIMIZE = False

    class EventCame(Message):
        """A session says that something happened."""

        def __init__(self, event: Event) -> None:
            super().__init__()
            self.event = event

    def __init__(self, settings: Settings, log: Log | None = None) -> None:
        self._themes = load_themes([paths.themes_dir(), paths.user_themes_dir()])
        self._themes_by_name: dict[str, Theme] = {theme.name: theme for theme in self._themes.themes}
        self._ascii = AsciiFilter(enabled=settings.ascii)
        chosen = next((name for name in (settings.theme, DEFAULT_THEME) if name in self._themes_by_name), None)
        if chosen is not None:
            # Before the style sheets are read: for a theme that comes later they would all be parsed once more.
            self.set_reactive(MqttTui.theme, chosen)
        super().__init__()
        self._settings = settings
        self._given_log = log
        self.state = ConnectionState(PEER)
        self._typed_ahead: list[events.Key | events.Paste] | None = []
        """What was typed before there was something to take it; None when that is over."""
        self._session: Session | None = None
        self._demo: Demo | None = None
        self._subscribe_next: tuple[TopicRequest, ...] = settings.subscriptions
        self._subscribe_properties: Properties = settings.subscribe_properties
        self._subscribe_wanted = True
        """Switched off in the Connection pane, `_subscribe_next` is dropped instead of sent."""
        self._message_waits = settings.publish is not None
        """A command filled the Publish pane; that is said when it can be sent."""
        self._subscribe_offered = False
        self._metered = 0
        self._reading = False
        self._mouse = settings.mouse

    # Looks

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our own variables, for themes that leave them out."""
        return variable_defaults(self.current_theme)

    def get_line_filters(self) -> list[LineFilter]:
        """Textual's own, then the ASCII table if it was asked for."""
        return [*super().get_line_filters(), *([self._ascii] if self._ascii.enabled else [])]

    @property
    def available_themes(self) -> dict[str, Theme]:
        """Textual's own themes and those from files."""
        return {**super().available_themes, **self._themes_by_name}

    @property
    def theme_names(self) -> tuple[str, ...]:
        """Our own themes and the user's."""
        return self._themes.names

    def _choose_theme(self, name: str) -> str:
        if name in self.available_themes:
            self.theme = name
            return ""
        return f"theme {text.visible(name)} is not there or has a mistake"

    # Life

    def get_default_screen(self) -> Screen[None]:
        return StartScreen()

    def on_mount(self) -> None:
        self.call_after_refresh(self._begin)
        self.app_resume_signal.subscribe(self, lambda _: self._apply_mouse())

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
        if self._demo is not None:
            self._demo.stop()

    async def _begin(self) -> None:
        """After the first paint: what takes time to load, and what was asked for on the command line."""
        from mqtttui.analysis.pump import Pump
        from mqtttui.capture.log import Log
        from mqtttui.ui.row_text import FilterMarks, describer
        from mqtttui.ui.screens.main import MainScreen

        self.log_of_packets = self._given_log if self._given_log is not None else Log()
        self.pump = Pump(self.log_of_packets)
        self._marks = FilterMarks()
        self._main = MainScreen(PEER, self.log_of_packets, describer(self.log_of_packets, self.pump.pairs, self._marks))
        await self.push_screen(self._main)
        self.call_after_refresh(self._go_on)

    async def _go_on(self) -> None:
        """After the form has appeared."""
        from mqtttui.client.session import Session
        from mqtttui.ui.dialogs import Dialogs

        asyncio.get_running_loop().set_exception_handler(self._on_loop_error)
        self._session = Session(PEER, self.log_of_packets, self._emit)
        self._dialogs = Dialogs(PEER, self._main, self._send)
        await self._main.mount_rest()
        self.set_interval(_FRAME, self._tick)
        settings = self._settings
        if settings.options is not None:
            self._main.connection.load(settings.options)
            self._main.connection.expect(settings.subscriptions)
        if settings.publish is not None:
            self._main.publish.load(settings.publish)
        problems = [str(problem) for problem in self._themes.problems]
        if settings.theme and settings.theme != self.theme:
            problems.append(self._choose_theme(settings.theme))
        if problems:
            self._main.notice(notices.no_theme(problems))
        if settings.demo:
            self.action_start_demo()
        elif settings.connect_now and settings.options is not None:
            self._send(Connect(PEER, settings.options))
        elif settings.options is None:
            self._main.connection.action_edit_url()
        self.call_after_refresh(self._take_typed)

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
        if self.pump.changed():
            self._main.grew()
        mono = time.monotonic_ns()
        if mono - self._metered >= _METER_NS:
            self._metered = mono
            self._show_meter(mono)

    def _read(self) -> None:
        """Followers read a slice; as long as they lag, the next one comes with the next turn of the loop."""
        self._reading = self.is_running and not self.pump.advance(time.monotonic_ns, _SLICE_NS)
        if self._reading:
            asyncio.get_running_loop().call_soon(self._read)

    def _show_meter(self, mono: int) -> None:
        log, rates = self.log_of_packets, self.pump.traffic.rates(mono)
        counts = (log.received, log.kept, log.evicted, self.pump.findings.warnings, self.pump.findings.errors)
        meter = Meter(rates.in_packets, rates.in_bytes, rates.out_packets, *counts)
        self._main.show_meter(meter)
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
            case Rejected(text=words):
                self._main.notice(notices.not_done(words))

    def _state_changed(self, state: ConnectionState) -> None:
        before, self.state = self.state, state
        if before.subscriptions != state.subscriptions:
            self.pump.counters.set_filters(PEER, [(row.key, row.key, row.identifier) for row in state.subscriptions])
        self._main.show_state(state)
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
        requests, properties, wanted = self._subscribe_next, self._subscribe_properties, self._subscribe_wanted
        self._subscribe_next, self._subscribe_properties, self._subscribe_wanted = (), (), True
        if requests and wanted:
            self._send(Subscribe(PEER, requests, properties))
            if self._demo is not None:
                self._main.notice(notices.DEMO)
        elif self._message_waits:
            self._main.notice(notices.MESSAGE_WAITS)
        elif not self.state.subscriptions and not self._subscribe_offered:
            self._subscribe_offered = True
            self._main.notice(notices.OFFER)
        self._message_waits = False

    def on_connection_pane_parsed(self, event: ConnectionPane.Parsed) -> None:
        parsed = event.parsed
        self._subscribe_next, self._subscribe_properties = parsed.subscriptions, parsed.subscribe_properties
        self._subscribe_wanted = True
        self._message_waits = parsed.publish is not None
        if parsed.publish is not None:
            self._main.publish.load(parsed.publish)

    def on_connection_pane_subscribe_after(self, event: ConnectionPane.SubscribeAfter) -> None:
        self._subscribe_wanted = event.wanted

    def on_subscriptions_pane_mute_changed(self, event: SubscriptionsPane.MuteChanged) -> None:
        (self._marks.muted.add if event.muted else self._marks.muted.discard)(event.key)
        self._main.inspector.packets.forget()

    def on_subscriptions_pane_filter_colours(self, event: SubscriptionsPane.FilterColours) -> None:
        self._marks.letters = dict(event.letters)
        self._main.inspector.packets.forget()

    def on_inspector_packet_opened(self) -> None:
        self._main.notice(None)

    def on_inspector_link_wanted(self, event: Inspector.LinkWanted) -> None:
        pairs = self.pump.pairs
        number = (pairs.answer_of if event.forward else pairs.request_of)(event.number)
        if number is None:
            self._main.say("no answer to this packet so far" if event.forward else "this packet answers none")
        elif not self._main.inspector.go_to(number):
            self._main.say(f"packet {number:,} was evicted")

    # Actions: panes

    def action_show_pane(self, name: str) -> None:
        """Go to a pane or view."""
        self._main.show_pane(name)

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

    def action_next_theme(self) -> None:
        """The next of our themes."""
        names = self.theme_names
        if names:
            at = names.index(self.theme) + 1 if self.theme in names else 0
            self.theme = names[at % len(names)]
            self._main.say(f"theme {text.visible(self.theme)}")

    def action_toggle_mouse(self) -> None:
        """The mouse works here, or is left to the terminal."""
        self._mouse = not self._mouse
        self._apply_mouse()
        self._main.say("mouse on" if self._mouse else "mouse off: the terminal's own selection works; M turns it on again")

    def _apply_mouse(self) -> None:
        if self._driver is not None:
            report_mouse(self._driver, self._mouse)

    def action_palette(self) -> None:
        """Everything by name."""
        self._dialogs.palette(self.theme_names, self._choose_theme, self.action_ask_quit)

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
        self._subscribe_next, self._subscribe_properties, self._subscribe_wanted = (TOPICS,), (), True
        self._send(Connect(PEER, options))

    # Actions: copy, quit

    def on_inspector_copy_wanted(self, event: Inspector.CopyWanted) -> None:
        self._dialogs.copy(event)

    async def action_copy_or_stop(self) -> None:
        """Stop connecting; else copy the selected text, or something of the packet."""
        if self.state.phase in (Phase.CONNECTING, Phase.WAITING):
            self._send(Cancel(PEER))
            self._main.say("stopped")
        else:
            await self._dialogs.copy_selection()

    def action_ask_quit(self) -> None:
        """Quit; ask first when connected or when packets would be lost. The demo is no loss."""
        if self._demo is not None:
            self.exit()
        else:
            self._dialogs.ask_quit(self.state, self.log_of_packets.kept)
