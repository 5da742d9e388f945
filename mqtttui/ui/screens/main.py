"""The main screen: status and views on top, the panes beside the inspector, keys at the bottom.

1. Before the first connection the Connection pane has the whole width, under three ways on.
2. From 160 columns the three panes stand beside the inspector; below that one of them opens as a drawer and folds when it
   is left. Below 100 columns the drawer takes the whole width.
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

from mqtttui.capture.log import Log
from mqtttui.client.events import ConnectionState, Phase
from mqtttui.ui.bindings import Key, keys_of
from mqtttui.ui.content import grouped, join
from mqtttui.ui.panes.connection import ConnectionPane
from mqtttui.ui.panes.inspector import Inspector
from mqtttui.ui.panes.publish import PublishPane
from mqtttui.ui.panes.subscriptions import SubscriptionsPane
from mqtttui.ui.row_text import Describe
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

    def __init__(self, peer: str, log: Log, describe: Describe) -> None:
        super().__init__(classes="-start -drawer")
        self._log = log
        self.inspector = Inspector(log, describe, id="inspector")
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
        self._noticed: Content | None = None

    def compose(self) -> ComposeResult:
        yield self._status
        yield self._views
        yield self._ways
        with Horizontal(id="body"):
            with self._drawer_box:
                yield self.connection
            yield self.inspector
        yield self._notice
        yield self._keys

    def on_mount(self) -> None:
        self.inspector.show_empty(_EMPTY)
        self.connection.set_class(True, "-active")
        self._focus_pane("connection")

    async def mount_rest(self) -> None:
        """What the first paint does without: the panes that are not shown then."""
        await self._drawer_box.mount(self.subscriptions, self.publish)

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
        self.inspector.focus_list()

    def show_meter(self, meter: Meter) -> None:
        """Rates and counts."""
        self._status.meter = meter
        kept = "" if meter.kept == meter.received else f" of {grouped(meter.received)} kept"
        self._views.counts = f"{grouped(meter.kept)}{kept}{' packets' if not kept else ''}" if meter.received else ""

    def grew(self) -> None:
        """The log has changed."""
        self.inspector.grew()

    def say(self, text: str) -> None:
        """A line about what was just done; goes by itself."""
        line = self._keys
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
        """Go to a pane or to the packets."""
        if name == "packets":
            if self._start:
                self._start = False
            self._drawer = False
            self._arrange()
            self.inspector.focus_list()
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
                self.inspector.focus_list()
        elif not inside:
            self._focus_pane(self._pane)

    def back(self) -> bool:
        """One step back. False when there is nothing to go back to."""
        if self._focused_pane() in PANES:
            if self._start:
                return False
            self.show_pane("packets")
            return True
        return self.inspector.back()

    def leave_field(self) -> None:
        """Esc: away with the notice; out of details that cover the list. Never touches a filter, a row or a connection."""
        if self.noticed:
            self.notice(None)
        elif self._focused_pane() == "packets":
            self.inspector.back()

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
        self._show_focus()

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        self._show_focus()

    def _focused_pane(self) -> str:
        node = self.focused
        while node is not None and node is not self:
            if node.id in PANES:
                return str(node.id)
            node = node.parent if isinstance(node.parent, Widget) else None
        return "packets"

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
        rows = [key for scope in self.scopes() for key in keys_of(scope) if key.footer and self._works(key)]
        self._keys.keys = unique_by_key(rows)

    def _works(self, key: Key) -> bool:
        """The first key of a row reaches its binding, and is not typed into the focused control."""
        focused = self.focused
        if focused is None:
            return True
        if self._carrier(key.scope).check_action(key.action.partition("(")[0].removeprefix("app."), ()) is False:
            return False
        first = key.keys.split(",")[0]
        return not focused.check_consume_key(first, first if len(first) == 1 else None)

    # What the parts say

    def on_inspector_said(self, event: Inspector.Said) -> None:
        event.stop()
        self.say(event.text)

    def on_packet_list_view_changed(self, event: PacketList.ViewChanged) -> None:
        event.stop()
        packets = self.inspector.packets
        new = packets.unseen
        hidden = f"{grouped(packets.hidden)} hidden (u) · " if packets.hidden else ""
        if not self._log.last:
            mode = ("", "")
        elif packets.paused:
            mode = (f"{hidden}PAUSED (p)" + (f" +{grouped(new)} new" if new else ""), "bold $state-warn")
        elif packets.following:
            mode = (f"{hidden}▼ FOLLOW", "bold $state-good")
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
