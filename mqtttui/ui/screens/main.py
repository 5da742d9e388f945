"""The main screen: status and views on top, the panes beside the inspector, keys at the bottom.

1. Before the first connection the Connection pane has the whole width, under three ways on.
2. From 160 columns the three panes stand beside the inspector; below that one of them opens as a drawer and folds when it
   is left. Below 100 columns the drawer takes the whole width.
3. A view takes the place of the packets; the filter, which governs all views, stands above them (`panes/view_box.py`).
4. The panes 1 to 3 are those of the current peer. What other peers tell changes their own panes, which nobody sees.
"""

from __future__ import annotations

from collections.abc import Iterator

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widget import Widget

from mqtttui.client.events import ConnectionState, Phase
from mqtttui.ui.bindings import in_footer_order, keys_of
from mqtttui.ui.content import grouped
from mqtttui.ui.list_mode import mode_words
from mqtttui.ui.packet_wishes import PacketWishes
from mqtttui.ui.panes.connection import ConnectionPane
from mqtttui.ui.panes.inspector import Inspector
from mqtttui.ui.panes.peer_panes import PeerPanes
from mqtttui.ui.panes.publish import PublishPane
from mqtttui.ui.panes.subscriptions import SubscriptionsPane
from mqtttui.ui.panes.view import View
from mqtttui.ui.panes.view_box import ViewBox
from mqtttui.ui.screens.keyed import KeyedScreen
from mqtttui.ui.views import PACKETS, VIEW_NAMES, VIEWS, Parts
from mqtttui.ui.widgets.bars import KeyLine, ViewLine, unique_by_key
from mqtttui.ui.widgets.meter import Meter
from mqtttui.ui.widgets.notice import Notice
from mqtttui.ui.widgets.packet_list import PacketList
from mqtttui.ui.widgets.peers_line import PeersLine
from mqtttui.ui.widgets.status_bar import StatusBar
from mqtttui.ui.widgets.ways import EMPTY, NARROW, Ways

WIDE = 160
"""Columns from which all panes stand beside the inspector."""
PANES = ("connection", "subscriptions", "publish")


class MainScreen(KeyedScreen, inherit_bindings=False):
    """The packets of all peers, and the panes of the current one."""

    ESCAPE_TO_MINIMIZE = False

    def __init__(self, panes: PeerPanes, parts: Parts) -> None:
        """`panes`: those of the first peer."""
        super().__init__(classes="-start -drawer")
        self.parts = parts
        """What the views are made of."""
        self._log = parts.log
        self.views = ViewBox(parts, id="view-box")
        self.panes = panes
        """Those of the current peer."""
        self._wishes = PacketWishes(self, parts)
        self._drawer_box = Vertical(id="drawer")
        self.status = StatusBar(id="status")
        self.peers_line = PeersLine(id="peers")
        self._views = ViewLine(id="views")
        self._ways = Ways(id="ways")
        self._notice = Notice(id="notice")
        self._keys = KeyLine(id="keys")
        self._start = True
        self._pane = "connection"
        self._drawer = False
        """Open below `WIDE`."""
        self._beside = True
        """Shown from `WIDE` on."""

    @property
    def inspector(self) -> Inspector:
        """The packets."""
        return self.views.packets

    @property
    def connection(self) -> ConnectionPane:
        """Connection settings of the current peer."""
        return self.panes.connection

    @property
    def subscriptions(self) -> SubscriptionsPane:
        """Its subscriptions."""
        return self.panes.subscriptions

    @property
    def publish(self) -> PublishPane:
        """Its messages."""
        return self.panes.publish

    def compose(self) -> ComposeResult:
        yield self.status
        yield self.peers_line
        yield self._views
        yield self._ways
        with Horizontal(id="body"):
            with self._drawer_box:
                yield self.panes
            yield self.views
        yield self._notice
        yield self._keys

    def on_mount(self) -> None:
        self.inspector.show_empty(EMPTY)
        self.panes.add_class("-current")
        self.connection.set_class(True, "-active")
        self._focus_pane("connection")

    async def mount_rest(self) -> None:
        """What the first paint does without: the panes that are not shown then."""
        await self.panes.mount_rest()
        await self.views.mount_rest()

    # Peers

    async def add_panes(self, panes: PeerPanes) -> None:
        """The panes of one more peer; they are not shown."""
        await self._drawer_box.mount(panes)
        await panes.mount_rest()

    def show_panes(self, panes: PeerPanes, state: ConnectionState) -> None:
        """Another peer is the current one; the focus goes to the same pane of its."""
        before, self.panes = self.panes, panes
        inside = self._focused_pane() in PANES
        panes.add_class("-current")
        self._arrange()
        if inside:
            self._focus_pane(self._pane)
        if before is not panes:
            before.remove_class("-current")
        self.show_state(state)
        self.views.grew()

    def parts_in_use(self) -> Iterator[Widget]:
        for node in super().parts_in_use():
            if all(each is self.panes for each in node.ancestors_with_self if isinstance(each, PeerPanes)):
                yield node

    # What the app tells

    def show_state(self, state: ConnectionState) -> None:
        """The state of the current peer."""
        self.status.state = state
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
        self.status.meter = meter
        kept = "" if meter.kept == meter.received else f" of {grouped(meter.received)} kept"
        self._views.view_counts = {row.name: row.count(self.parts.pump) for row in VIEWS}
        unit = "" if kept else " packet" if meter.kept == 1 else " packets"
        self._views.counts = f"{grouped(meter.kept)}{kept}{unit}" if meter.received else ""

    def grew(self) -> None:
        """The log has changed, or the filter has come further."""
        self.views.grew()

    def say(self, text: str, *, gives_way: bool = False) -> None:
        """A line about what was just done; goes by itself. One that `gives_way` leaves alone what stands there already."""
        self._keys.say(text, gives_way=gives_way)

    def notice(self, words: Content | None) -> None:
        """Something that stays until it is read (Esc) or does not hold any more (None)."""
        self._notice.show(words)

    def withdraw(self, *words: Content) -> None:
        """Take the notice away if it is one of these."""
        if any(self.noticed is each for each in words):
            self.notice(None)

    @property
    def noticed(self) -> Content | None:
        """The notice that is shown."""
        return self._notice.words

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
        for pane in self.panes.all:
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
        if self.noticed is not None:
            self.notice(None)
        elif self._focused_pane() in VIEW_NAMES:
            self.views.current.back()

    def _focus_pane(self, name: str) -> None:
        pane = self.panes.query_one(f"#{name}")
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

    def _show_focus(self) -> None:
        self._views.active = self._focused_pane() if self.focused is not None or not self._start else self._pane
        scopes = self.scopes()
        rows = [key for scope in scopes for key in keys_of(scope) if key.footer and self.works(key)]
        if ViewBox.SCOPE in scopes:
            rows = in_footer_order(rows)
        self._keys.keys = unique_by_key(rows)
        self._keys.typing = self.focused is not None and self.focused.check_consume_key("question_mark", "?")

    # What the parts say

    def on_view_box_said(self, event: ViewBox.Said) -> None:
        event.stop()
        self.say(event.text)

    def on_view_box_state_changed(self, event: ViewBox.StateChanged) -> None:
        event.stop()
        self._views.filter = event.state

    def on_inspector_value_wanted(self, event: Inspector.ValueWanted) -> None:
        event.stop()
        self._wishes.value(event)

    def on_inspector_mark_wanted(self, event: Inspector.MarkWanted) -> None:
        event.stop()
        self._wishes.mark(event.number)

    def on_inspector_comment_wanted(self, event: Inspector.CommentWanted) -> None:
        event.stop()
        self._wishes.comment(event.number)

    def on_inspector_follow_wanted(self, event: Inspector.FollowWanted) -> None:
        event.stop()
        self._wishes.follow(event)

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
        shown = self._log.last and self.views.current is self.inspector
        self._views.mode = mode_words(self.inspector.packets, file=self.status.shows_file) if shown else ("", "")

    def on_view_line_chosen(self, event: ViewLine.Chosen) -> None:
        event.stop()
        self.show_pane(event.name)

    def on_view_line_mode_clicked(self, event: ViewLine.ModeClicked) -> None:
        event.stop()
        self.inspector.packets.action_follow()

    async def on_key_line_pressed(self, event: KeyLine.Pressed) -> None:
        event.stop()
        await self.run_key(event.key)
