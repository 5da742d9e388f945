"""The composition root: one log, a Session for the peer, the followers, the pump, and the screen that shows them.

Commands go down from the panes to the session, events and packets come up to the screen. Nothing else is done here.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import App
from textual.binding import BindingType
from textual.content import Content
from textual.filter import LineFilter
from textual.message import Message
from textual.theme import Theme

from mqtttui import text
from mqtttui.analysis.follower import Follower
from mqtttui.analysis.pairs import Pairs
from mqtttui.analysis.subscriptions import SubscriptionCounters
from mqtttui.analysis.traffic import Traffic
from mqtttui.capture.log import Log
from mqtttui.client.commands import Cancel, Command, Connect, Subscribe
from mqtttui.client.events import ConnectionState, Event, Phase, PublishChanged, Rejected, StateChanged
from mqtttui.config import paths
from mqtttui.config.settings import Settings
from mqtttui.protocol.packets import Properties, TopicRequest
from mqtttui.ui import clipboard
from mqtttui.ui.bindings import KEYS, bindings_for
from mqtttui.ui.connection_menu import BUSY_CHOICES, command_of, connected_choices
from mqtttui.ui.content import join
from mqtttui.ui.copying import Copyable, copyables
from mqtttui.ui.glyphs import AsciiFilter
from mqtttui.ui.messages import CommandRequested
from mqtttui.ui.palette import Palette, entries
from mqtttui.ui.panes.connection import ConnectionPane
from mqtttui.ui.panes.inspector import Inspector
from mqtttui.ui.panes.subscriptions import SubscriptionsPane
from mqtttui.ui.row_text import FilterMarks, describer
from mqtttui.ui.screens.help import HelpScreen
from mqtttui.ui.screens.main import MainScreen
from mqtttui.ui.screens.menu import Choice, Menu
from mqtttui.ui.screens.subscribe import SubscribePrompt
from mqtttui.ui.theme import DEFAULT_THEME, load_themes, variable_defaults
from mqtttui.ui.widgets.status_bar import Meter

if TYPE_CHECKING:
    from mqtttui.client.session import Session
    from mqtttui.demo.demo import Demo

PEER = "main"
_FRAME = 1 / 30
_SLICE_NS = 5_000_000
_BUDGET = 1_000
"""Packets that a follower reads before the clock is looked at again."""
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
        super().__init__()
        for theme in self._themes.themes:
            self.register_theme(theme)
        self._settings = settings
        self.log_of_packets = log if log is not None else Log()
        self.pairs = Pairs()
        self._traffic = Traffic()
        self._counters = SubscriptionCounters()
        self._followers: tuple[Follower, ...] = (self.pairs, self._traffic, self._counters)
        self._marks = FilterMarks()
        self._main = MainScreen(PEER, self.log_of_packets, describer(self.log_of_packets, self.pairs, self._marks))
        self.state = ConnectionState(PEER)
        self._session: Session | None = None
        self._demo: Demo | None = None
        self._subscribe_next: tuple[TopicRequest, ...] = settings.subscriptions
        self._subscribe_properties: Properties = settings.subscribe_properties
        self._subscribe_offered = False
        self._shown = (0, 0, 0)
        self._metered = 0

    # Looks

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our own variables, for themes that leave them out."""
        return variable_defaults(self.current_theme)

    def get_line_filters(self) -> list[LineFilter]:
        """Textual's own, then the ASCII table if it was asked for."""
        return [*super().get_line_filters(), *([self._ascii] if self._ascii.enabled else [])]

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

    def on_mount(self) -> None:
        asyncio.get_running_loop().set_exception_handler(self._on_loop_error)
        self._choose_theme(DEFAULT_THEME)
        problem = self._choose_theme(self._settings.theme or DEFAULT_THEME)
        self.push_screen(self._main)
        self.call_after_refresh(self._begin, problem)

    def _emit(self, event: Event) -> None:
        self.post_message(self.EventCame(event))

    async def on_unmount(self) -> None:
        if self._session is not None:
            await self._session.close()
        if self._demo is not None:
            self._demo.stop()

    async def _begin(self, theme_problem: str) -> None:
        """After the first paint: what takes time to load, and what was asked for on the command line."""
        from mqtttui.client.session import Session

        self._session = Session(PEER, self.log_of_packets, self._emit)
        await self._main.mount_rest()
        self.set_interval(_FRAME, self._pump)
        settings = self._settings
        if settings.options is not None:
            self._main.connection.load(settings.options)
        if settings.publish is not None:
            self._main.publish.load(settings.publish)
        problems = [str(problem) for problem in self._themes.problems] + ([theme_problem] if theme_problem else [])
        if problems:
            self._main.notice(join(("theme: ", "$state-warn"), "; ".join(text.visible(problem) for problem in problems), _ESC))
        if settings.demo:
            self.action_start_demo()
        elif settings.connect_now and settings.options is not None:
            self._send(Connect(PEER, settings.options))

    def _on_loop_error(self, loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
        error = context.get("exception")
        words = f"{type(error).__name__}: {error}" if error is not None else str(context.get("message", ""))
        self._main.notice(join(("a fault of ours: ", "bold $state-bad"), text.visible(words), _ESC))

    # The pump

    def _pump(self) -> None:
        if not self.is_running:
            return
        log = self.log_of_packets
        deadline = time.monotonic_ns() + _SLICE_NS
        lagging = list(self._followers)
        while lagging and time.monotonic_ns() < deadline:
            lagging = [follower for follower in lagging if not follower.advance(log, _BUDGET)]
        now = (log.last, log.first, self.pairs.position)
        if now != self._shown:
            self._shown = now
            self._main.grew()
        mono = time.monotonic_ns()
        if mono - self._metered >= _METER_NS:
            self._metered = mono
            self._show_meter(mono)

    def _show_meter(self, mono: int) -> None:
        log, rates = self.log_of_packets, self._traffic.rates(mono)
        meter = Meter(rates.in_packets, rates.in_bytes, rates.out_packets, log.received, log.kept, log.evicted)
        self._main.show_meter(meter)
        self._main.subscriptions.counts = {row.key: self._counters.of(PEER, row.key, mono) for row in self.state.subscriptions}

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
                self._main.notice(join(("not done: ", "$state-warn"), words, _ESC))

    def _state_changed(self, state: ConnectionState) -> None:
        before, self.state = self.state, state
        if before.subscriptions != state.subscriptions:
            self._counters.set_filters(PEER, [(row.key, row.key, row.identifier) for row in state.subscriptions])
        self._main.show_state(state)
        if before.phase is state.phase:
            return
        self._main.inspector.packets.forget()
        if state.phase is Phase.CONNECTED:
            self._connected()
        elif state.failure is not None and not self._main.starting:
            failure = state.failure
            fix = join("  ", ("F8", "bold $primary"), f" {failure.fixes[0].value}") if failure.fixes else Content("")
            detail = f": {failure.detail}" if failure.detail else ""
            hint = f" · check: {failure.hint}" if failure.hint else ""
            self._main.notice(join((failure.title, "bold $state-bad"), detail, hint, fix, _ESC))
        elif state.phase is Phase.CONNECTING:
            self._main.notice(None)

    def _connected(self) -> None:
        if self._subscribe_next:
            self._send(Subscribe(PEER, self._subscribe_next, self._subscribe_properties))
            self._subscribe_next, self._subscribe_properties = (), ()
            if self._demo is not None:
                self._main.notice(_DEMO)
        elif not self.state.subscriptions and not self._subscribe_offered:
            self._subscribe_offered = True
            self._main.notice(_OFFER)

    def on_connection_pane_parsed(self, event: ConnectionPane.Parsed) -> None:
        parsed = event.parsed
        self._subscribe_next, self._subscribe_properties = parsed.subscriptions, parsed.subscribe_properties
        if parsed.publish is not None:
            self._main.publish.load(parsed.publish)

    def on_subscriptions_pane_mute_changed(self, event: SubscriptionsPane.MuteChanged) -> None:
        (self._marks.muted.add if event.muted else self._marks.muted.discard)(event.key)
        self._main.inspector.packets.forget()

    def on_subscriptions_pane_filter_colours(self, event: SubscriptionsPane.FilterColours) -> None:
        self._marks.letters = dict(event.letters)
        self._main.inspector.packets.forget()

    def on_inspector_packet_opened(self) -> None:
        self._main.notice(None)

    def on_inspector_link_wanted(self, event: Inspector.LinkWanted) -> None:
        number = (self.pairs.answer_of if event.forward else self.pairs.request_of)(event.number)
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
        self.push_screen(HelpScreen(self._main.scopes()))

    def action_next_theme(self) -> None:
        """The next of our themes."""
        names = self.theme_names
        if names:
            at = names.index(self.theme) + 1 if self.theme in names else 0
            self.theme = names[at % len(names)]
            self._main.say(f"theme {text.visible(self.theme)}")

    def action_palette(self) -> None:
        """Everything by name."""
        self.push_screen(Palette(entries(self.theme_names, self._main.carries)), self._run_entry)

    async def _run_entry(self, entry: str | None) -> None:
        kind, _, rest = (entry or "").partition(":")
        match kind:
            case "":
                return
            case "goto":
                if not self._main.inspector.go_to(int(rest)):
                    self._main.say(f"packet {int(rest):,} is not there")
                else:
                    self._main.show_pane("packets")
            case "theme":
                self._choose_theme(rest)
            case "quit":
                self.action_ask_quit()
            case _:
                await self._main.run_key(next(key for key in KEYS if key.id == entry))

    # Actions: connection

    def action_connect_menu(self) -> None:
        """Connect; when connected, what can be done with the connection."""
        match self.state.phase:
            case Phase.IDLE:
                self._main.connection.action_connect()
            case Phase.CONNECTED:
                self.push_screen(Menu(Content("Connection"), connected_choices(self.state)), self._run_connection)
            case Phase.CONNECTING | Phase.WAITING | Phase.DISCONNECTING:
                self.push_screen(Menu(Content(self.state.phase.value), BUSY_CHOICES), self._run_connection)

    def _run_connection(self, choice: str | None) -> None:
        command = command_of(choice, PEER, self.state)
        if command is not None:
            self._send(command)

    def action_apply_fix(self) -> None:
        """Apply the likely fix and try again."""
        if self._main.connection.apply_fix():
            self._main.notice(None)
        else:
            self._main.say("there is nothing to fix")

    def action_subscribe_prompt(self) -> None:
        """Ask for a filter and subscribe."""
        if self.state.phase is not Phase.CONNECTED or self.state.options is None:
            self._main.say("not connected: c connects")
            return
        self.push_screen(SubscribePrompt(self.state.options.connect.version), self._subscribe)

    def _subscribe(self, request: TopicRequest | None) -> None:
        if request is not None:
            self._main.notice(None)
            self._send(Subscribe(PEER, (request,)))

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
                self._main.notice(join(("the demo cannot start: ", "$state-bad"), text.visible(str(error)), _ESC))
                return
            self._demo = demo
        options = self._demo.options()
        self._main.connection.load(options)
        self._subscribe_next, self._subscribe_properties = (TOPICS,), ()
        self._send(Connect(PEER, options))

    # Actions: copy, quit

    def on_inspector_copy_wanted(self, event: Inspector.CopyWanted) -> None:
        things = copyables(event.dissection, event.field)
        choices = [Choice(thing.key, thing.label, thing.key, thing.detail) for thing in things]
        self.push_screen(Menu(Content(f"Copy of packet {event.number:,}"), choices), partial(self._copy, things))

    async def _copy(self, things: list[Copyable], key: str | None) -> None:
        thing = next((thing for thing in things if thing.key == key), None)
        if thing is not None:
            content, remark = thing.text()
            said = await clipboard.copy(content, self.copy_to_clipboard)
            self._main.say(said + (f" ({remark})" if remark else ""))

    async def action_copy_or_stop(self) -> None:
        """Stop connecting; else copy the selected text, or something of the packet."""
        if self.state.phase in (Phase.CONNECTING, Phase.WAITING):
            self._send(Cancel(PEER))
            self._main.say("stopped")
            return
        selection = self.screen.get_selected_text()
        if selection:
            self._main.say(await clipboard.copy(selection, self.copy_to_clipboard))
        elif self._main.inspector.dissection is not None:
            self._main.inspector.action_copy()
        else:
            self._main.say("nothing to copy; q quits")

    def action_ask_quit(self) -> None:
        """Quit; ask first when connected or when packets would be lost."""
        if isinstance(self.screen, Menu):
            return
        losses = []
        if self.state.phase is Phase.CONNECTED and self._demo is None and self.state.options is not None:
            losses.append(f"connected to {text.visible(self.state.options.url)}")
        if self.log_of_packets.kept and self._demo is None:
            losses.append(f"{self.log_of_packets.kept:,} recorded packets are not saved")
        if not losses:
            self.exit()
            return
        choices = [Choice("y", "quit", "quit"), Choice("n", "stay", "")]
        self.push_screen(Menu(Content("Quit?"), choices, Content("\n".join(losses))), self._quit)

    def _quit(self, choice: str | None) -> None:
        if choice == "quit":
            self.exit()


_ESC = "   Esc closes"
_OFFER = join("Connected; nothing is subscribed. ", ("s", "bold $primary"), " subscribes, for example # (everything)", _ESC)
_KEY = "bold $primary"
_DEMO = join(
    "Demo devices. ", ("Enter", _KEY), " opens a packet, ", ("p", _KEY), " pauses, ", ("3", _KEY), " publishes, ", ("?", _KEY), " help"
)
