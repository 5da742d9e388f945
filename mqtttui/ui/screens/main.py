"""The main screen: status and views on top, the panes beside the inspector, keys at the bottom.

1. Before the first connection the Connection pane has the whole width, under three ways on.
2. From 160 columns the three panes stand beside the inspector; below that one of them opens as a drawer and folds when it
   is left. Below 100 columns the drawer takes the whole width.
3. A view takes the place of the packets; the filter, which governs all views, stands above them (`panes/view_box.py`).
"""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Static

from mqtttui import text
from mqtttui.capture.log import Evicted
from mqtttui.client.events import ConnectionState, Phase
from mqtttui.ui.bindings import Key, in_footer_order, key_label, keys_of
from mqtttui.ui.content import Part, grouped, join
from mqtttui.ui.field_filters import equals, of_packet
from mqtttui.ui.follow import choices, conversation
from mqtttui.ui.panes.connection import ConnectionPane
from mqtttui.ui.panes.inspector import Inspector
from mqtttui.ui.panes.publish import PublishPane
from mqtttui.ui.panes.subscriptions import SubscriptionsPane
from mqtttui.ui.panes.view import View
from mqtttui.ui.panes.view_box import ViewBox
from mqtttui.ui.screens.line_prompt import LinePrompt
from mqtttui.ui.screens.menu import Menu
from mqtttui.ui.views import PACKETS, VIEW_NAMES, VIEWS, Parts
from mqtttui.ui.widgets.bars import KeyLine, ViewLine, unique_by_key
from mqtttui.ui.widgets.packet_list import PacketList
from mqtttui.ui.widgets.status_bar import Meter, StatusBar
from mqtttui.ui.widgets.ways import NARROW, Ways

WIDE = 160
"""Columns from which all panes stand beside the inspector."""
PANES = ("connection", "subscriptions", "publish")
_SAID_SECONDS = 5.0


class MainScreen(Screen[None], inherit_bindings=False):
    """Everything of one peer."""

    ESCAPE_TO_MINIMIZE = False

    def __init__(self, peer: str, parts: Parts) -> None:
        super().__init__(classes="-start -drawer")
        self.parts = parts
        """What the views are made of."""
        self._log = parts.log
        self.views = ViewBox(parts, id="view-box")
        self.connection = ConnectionPane(peer, id="connection")
        self.subscriptions = SubscriptionsPane(peer, id="subscriptions")
        self.publish = PublishPane(peer, id="publish")
        self._drawer_box = Vertical(id="drawer")
        self._status = StatusBar(id="status")
        self._views = ViewLine(id="views")
        self._ways = Ways(id="ways")
        self._notice = Static(id="notice", markup=False)
        self._keys = KeyLine(id="keys")
        self._start = True
        self._pane = "connection"
        self._drawer = False
        """Open below `WIDE`."""
        self._beside = True
        """Shown from `WIDE` on."""
        self._said: Timer | None = None
        self._unimportant = ""
        """What was said and gives way to anything else."""
        self._noticed: Content | None = None

    @property
    def inspector(self) -> Inspector:
        """The packets."""
        return self.views.packets

    def compose(self) -> ComposeResult:
        yield self._status
        yield self._views
        yield self._ways
        with Horizontal(id="body"):
            with self._drawer_box:
                yield self.connection
            yield self.views
        yield self._notice
        yield self._keys

    def on_mount(self) -> None:
        self.inspector.show_empty(_EMPTY)
        self.connection.set_class(True, "-active")
        self._focus_pane("connection")

    async def mount_rest(self) -> None:
        """What the first paint does without: the panes that are not shown then."""
        await self._drawer_box.mount(self.subscriptions, self.publish)
        await self.views.mount_rest()

    # What the app tells

    def show_state(self, state: ConnectionState) -> None:
        """The state of the peer."""
        self._status.state = state
        self.connection.state = state
        self.subscriptions.state = state
        self.publish.state = state
        self._views.connections = self._log.connection_count
        self._views.subscriptions = sum(1 for row in state.subscriptions if row.active)
        if self._start and state.phase is Phase.CONNECTED:
            self.open_inspector()
        elif self._start and state.options is not None:
            # The person has found a way; the room goes to what comes of it.
            self._ways.display = False
        self._show_focus()

    def open_inspector(self) -> None:
        """From the first connection on the inspector is what one sees."""
        self._start = False
        self._drawer = False
        self._arrange()
        self.views.current.focus_list()

    def show_meter(self, meter: Meter) -> None:
        """Rates and counts."""
        self._status.meter = meter
        kept = "" if meter.kept == meter.received else f" of {grouped(meter.received)} kept"
        self._views.view_counts = {row.name: row.count(self.parts.pump) for row in VIEWS}
        self._views.counts = f"{grouped(meter.kept)}{kept}{' packets' if not kept else ''}" if meter.received else ""

    def show_file(self, line: list[Part]) -> None:
        """The capture that is being read."""
        self._status.file = join(*line)

    def show_recording(self, written: str, problem: str) -> None:
        """How large the recording is, and why it fails."""
        self._status.recording = (written, problem)

    def show_alarm(self, line: list[Part]) -> None:
        """How the alarm stands; empty for none."""
        self._status.alarm = join(*line) if line else None

    def grew(self) -> None:
        """The log has changed, or the filter has come further."""
        self.views.grew()

    def say(self, text: str, *, gives_way: bool = False) -> None:
        """A line about what was just done; goes by itself. One that `gives_way` leaves alone what stands there already."""
        line = self._keys
        if gives_way and line.message not in ("", self._unimportant):
            return
        self._unimportant = text if gives_way else ""
        line.message = text
        if self._said is not None:
            self._said.stop()
        self._said = self.set_timer(_SAID_SECONDS, lambda: setattr(line, "message", ""))

    def notice(self, words: Content | None) -> None:
        """Something that stays until it is read (Esc) or does not hold any more (None)."""
        self._noticed = words
        self._notice.set_class(words is not None, "-shown")
        if words is not None:
            self._notice.update(words)

    def withdraw(self, *words: Content) -> None:
        """Take the notice away if it is one of these."""
        if any(self._noticed is each for each in words):
            self.notice(None)

    @property
    def noticed(self) -> bool:
        """A notice is shown."""
        return self._notice.has_class("-shown")

    # Layout

    @property
    def wide(self) -> bool:
        """All panes stand beside the inspector."""
        return self.size.width >= WIDE

    @property
    def starting(self) -> bool:
        """There was no connection yet."""
        return self._start

    @property
    def drawer_open(self) -> bool:
        """Panes are visible."""
        return self._start or (self._beside if self.wide else self._drawer)

    def on_resize(self, event: events.Resize) -> None:
        self._arrange()

    def _arrange(self) -> None:
        # Changing a class of the screen styles every widget again: all at once, and only when they change.
        drawer = self.drawer_open
        self._ways.fit(self.size)
        cover = drawer and not self._start and self.size.width < NARROW
        self.update_classes({"-start": self._start, "-drawer": drawer, "-cover": cover, "-wide": self.wide and not self._start})
        for pane in (self.connection, self.subscriptions, self.publish):
            pane.set_class(pane.id == self._pane, "-active")
        self._show_focus()

    def show_pane(self, name: str) -> None:
        """Go to a pane or view."""
        if name in VIEW_NAMES:
            self._start = False
            self._drawer = False
            self.views.show(name)
            self._views.view = name
            self._show_mode()
            self._arrange()
            self.views.current.focus_list()
            return
        self._pane = name
        self._drawer = self._beside = True
        self._arrange()
        self._focus_pane(name)

    def toggle_drawer(self) -> None:
        """Show or fold the panes."""
        if self._start:
            return
        inside = self._focused_pane() in PANES
        if self.wide:
            self._beside = not self._beside
        else:
            self._drawer = not self._drawer
        self._arrange()
        if not self.drawer_open:
            if inside or self.focused is None:
                self.views.current.focus_list()
        elif not inside:
            self._focus_pane(self._pane)

    def back(self) -> bool:
        """One step back. False when there is nothing to go back to."""
        if self._focused_pane() in PANES:
            if self._start:
                return False
            self.show_pane(self.views.name_of_current)
            return True
        if self.views.current.back():
            return True
        if self.views.current is not self.inspector:
            self.show_pane(PACKETS)
            return True
        return False

    def leave_field(self) -> None:
        """Esc: away with the notice; out of details that cover the list. Never touches a filter, a row or a connection."""
        if self.noticed:
            self.notice(None)
        elif self._focused_pane() in VIEW_NAMES:
            self.views.current.back()

    def _focus_pane(self, name: str) -> None:
        pane = self.query_one(f"#{name}")
        for node in pane.walk_children(Widget):
            if node.focusable and node.display:
                node.focus()
                return

    # Focus

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        where = self._focused_pane()
        if where in PANES:
            if where != self._pane:
                self._pane = where
                self._arrange()
        elif self._drawer and not self._start and not self.wide:
            self._drawer = False
            self._arrange()
        if self.views.bar.editing and self.views.bar not in event.widget.ancestors:
            self.views.bar.close()
        self._show_focus()

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        self._show_focus()

    def _focused_pane(self) -> str:
        node = self.focused
        while node is not None and node is not self:
            if node.id in PANES:
                return str(node.id)
            node = node.parent if isinstance(node.parent, Widget) else None
        return self.views.name_of_current

    def scopes(self) -> tuple[str, ...]:
        """Scopes of the focused control and what is around it, innermost first."""
        out: list[str] = []
        node = self.focused
        while node is not None:
            scope = getattr(node, "SCOPE", None)
            if isinstance(scope, str):
                out.append(scope)
            node = node.parent if isinstance(node.parent, Widget) else None
        return (*out, "app")

    def _show_focus(self) -> None:
        self._views.active = self._focused_pane() if self.focused is not None or not self._start else self._pane
        scopes = self.scopes()
        rows = [key for scope in scopes for key in keys_of(scope) if key.footer and self._works(key)]
        if ViewBox.SCOPE in scopes:
            rows = in_footer_order(rows)
        self._keys.keys = unique_by_key(rows)
        self._keys.typing = self.focused is not None and self.focused.check_consume_key("question_mark", "?")

    def _works(self, key: Key) -> bool:
        """The first key of a row reaches its binding, and is not typed into the focused control."""
        focused = self.focused
        if focused is None:
            return True
        if self._carrier(key.scope).check_action(key.action.partition("(")[0].removeprefix("app."), ()) is False:
            return False
        first = key.keys.split(",")[0]
        character = key_label(first)
        return not focused.check_consume_key(first, character if len(character) == 1 and character.isascii() else None)

    # What the parts say

    def on_view_box_said(self, event: ViewBox.Said) -> None:
        event.stop()
        self.say(event.text)

    def on_view_box_state_changed(self, event: ViewBox.StateChanged) -> None:
        event.stop()
        self._views.filter = event.state

    def on_inspector_value_wanted(self, event: Inspector.ValueWanted) -> None:
        event.stop()
        number, field = event.number, event.field
        try:
            made = equals(field, self._log, number) if field is not None else of_packet(self._log, self.parts.pump.pairs, number)
        except Evicted:
            self.say(f"packet {number:,} was evicted")
        else:
            self.views.join_filter(made, event.how)

    def edit_filter(self) -> None:
        """Type a filter, above the views."""
        if self._start or (self.drawer_open and self.size.width < NARROW):
            self._start = self._drawer = False
            self._arrange()
            self.call_after_refresh(self.views.bar.open)
        else:
            self.views.bar.open()

    def on_view_filter_wanted(self, event: View.FilterWanted) -> None:
        event.stop()
        self.views.join_filter(event.expression, event.how)
        self.show_pane(PACKETS)

    def on_inspector_mark_wanted(self, event: Inspector.MarkWanted) -> None:
        event.stop()
        marks = self.parts.marks
        if marks.toggle(event.number):
            self.say(f"packet {event.number:,} is marked; ' goes to the next mark")
        elif event.number not in self._log:
            self.say(f"packet {event.number:,} was evicted")
        self.inspector.packets.forget()

    def on_inspector_comment_wanted(self, event: Inspector.CommentWanted) -> None:
        event.stop()
        number, marks = event.number, self.parts.marks

        def run(comment: str | None) -> None:
            if comment is None:
                return
            if not marks.set_comment(number, comment) and comment:
                self.say(f"packet {number:,} was evicted")
            self.inspector.packets.forget()

        title = Content(f"Comment on packet {number:,}")
        prompt = LinePrompt(title, "Enter keeps it, empty takes it away, Esc leaves", text.visible(marks.comment(number)))
        self.app.push_screen(prompt, run)

    def on_inspector_follow_wanted(self, event: Inspector.FollowWanted) -> None:
        event.stop()
        pump = self.parts.pump
        try:
            if event.ask:
                found = choices(self._log, pump.pairs, pump.operations, event.number)
                menu = Menu(Content(f"Follow from packet {event.number:,}"), found)
                self.app.push_screen(menu, lambda chosen: self.views.join_filter(chosen, "apply") if chosen else None)
            else:
                self.views.join_filter(conversation(self._log, pump.pairs, pump.operations, event.number), "apply")
        except Evicted:
            self.say(f"packet {event.number:,} was evicted")

    def on_view_go_to(self, event: View.GoTo) -> None:
        event.stop()
        self.go_to(event.number)

    def go_to(self, number: int) -> None:
        """Show packet `number` in the packet list, or say why that cannot be."""
        if self.inspector.go_to(number):
            # In the details one reads on in the details.
            if not self.inspector.has_focus_within:
                self.show_pane(PACKETS)
        elif number not in self._log:
            self.say(f"packet {number:,} was evicted" if 1 <= number <= self._log.last else f"packet {number:,} is not there")
        else:
            self.say(f"packet {number:,} does not pass the filter; Backspace goes back to the filter before")

    def on_packet_list_view_changed(self, event: PacketList.ViewChanged) -> None:
        event.stop()
        self._show_mode()

    def _show_mode(self) -> None:
        """What the packet list does."""
        packets = self.inspector.packets
        new = packets.unseen
        hidden = f"{grouped(packets.hidden)} hidden (u) · " if packets.hidden else ""
        if not self._log.last or self.views.current is not self.inspector:
            mode = ("", "")
        elif packets.paused:
            mode = (f"{hidden}PAUSED (p)" + (f" +{grouped(new)} new" if new else ""), "bold $state-warn")
        elif packets.following:
            mode = (f"{hidden}▼ FOLLOW", "bold $state-good")
        elif self._status.shows_file:
            mode = (f"{hidden}G to the end", "$dimmed")
        else:
            mode = (f"{hidden}+{grouped(new)} new (G)" if new else f"{hidden}G follows", "bold $primary" if new else "$dimmed")
        self._views.mode = mode

    def on_view_line_chosen(self, event: ViewLine.Chosen) -> None:
        event.stop()
        self.show_pane(event.name)

    def on_view_line_mode_clicked(self, event: ViewLine.ModeClicked) -> None:
        event.stop()
        self.inspector.packets.action_follow()

    async def on_key_line_pressed(self, event: KeyLine.Pressed) -> None:
        event.stop()
        await self.run_key(event.key)

    async def run_key(self, key: Key) -> None:
        """Carry out a row of the table at the control that carries its scope."""
        await self.app.run_action(key.action, default_namespace=self._carrier(key.scope))

    def _carrier(self, scope: str) -> Widget | Screen[None]:
        near = self.focused
        while near is not None:
            if getattr(near, "SCOPE", None) == scope:
                return near
            near = near.parent if isinstance(near.parent, Widget) else None
        return next((node for node in self.walk_children(Widget) if getattr(node, "SCOPE", None) == scope), self)

    def carries(self, scope: str) -> bool:
        """Some control on the screen carries this scope (`app` is everywhere)."""
        return scope == "app" or any(getattr(node, "SCOPE", None) == scope for node in self.walk_children(Widget))


_KEY = "bold $primary"
_EMPTY = Content("\n").join(
    [
        join("No packets yet. Three ways on:", ""),
        Content(""),
        join(("1     ", _KEY), "type or paste a URL or a mosquitto command, ", ("ctrl+s", "bold"), " connects"),
        join(("F9    ", _KEY), "the built-in demo: a broker with devices, live packets at once"),
        join(("?     ", _KEY), "every key; ", (":", "bold"), " finds every action by name"),
    ]
)
