"""The Subscriptions pane: what is subscribed to, with counts, and the form of a SUBSCRIBE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from textual.app import ComposeResult
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from mqtttui import text
from mqtttui.client.commands import Subscribe, Unsubscribe
from mqtttui.client.events import ConnectionState, Phase, SubscriptionState
from mqtttui.protocol.enums import Version
from mqtttui.protocol.packets import Properties, Property, Text, TopicRequest
from mqtttui.protocol.topics import overlap
from mqtttui.ui.bindings import bindings_for
from mqtttui.ui.content import as_whom, grouped, join
from mqtttui.ui.forms.rows import FormError
from mqtttui.ui.forms.subscribe import RETAIN_HANDLING, SubscribeDraft
from mqtttui.ui.messages import CommandRequested
from mqtttui.ui.widgets.form import Form
from mqtttui.ui.widgets.subscription_table import CountOf, SubscriptionTable
from mqtttui.ui.widgets.text_block import TextBlock

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SUBSCRIPTION_IDENTIFIER = 0x0B
_TABLE_ACTIONS = ("edit", "unsubscribe", "mute", "up", "down", "first", "last")


class SubscriptionsPane(Widget):
    """Subscriptions of one peer."""

    SCOPE = "subscriptions"
    BINDINGS = bindings_for(SCOPE)

    @dataclass
    class MuteChanged(Message):
        """The messages of a filter shall be hidden, or shown again."""

        peer: str
        key: bytes
        muted: bool

    @dataclass
    class FilterColours(Message):
        """The letters of the filters; `subscription_table.colour_of` gives a letter's colour."""

        peer: str
        letters: Mapping[bytes, str]

    state: reactive[ConnectionState] = reactive(lambda: ConnectionState(""), init=False)
    """How the connection stands."""

    peer_name: reactive[str] = reactive("", init=False)
    """What the connection is called where there are several; visible text."""

    counts: reactive[Mapping[bytes, CountOf]] = reactive(dict, init=False)
    """How many messages each filter brought, by key."""

    def __init__(self, peer: str, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.peer = peer
        self._draft = SubscribeDraft()
        self._letters: dict[bytes, str] = {}
        self._muted: set[bytes] = set()
        self._editing: bytes | None = None
        self._form_open = False
        self.set_reactive(SubscriptionsPane.state, ConnectionState(peer))

    def compose(self) -> ComposeResult:
        yield TextBlock(id="subscriptions-hint")
        yield SubscriptionTable(id="subscriptions-table")
        yield TextBlock(id="subscriptions-detail")
        yield Form(id="subscriptions-form")

    def on_mount(self) -> None:
        self._show()

    # ---------------------------------------------------------------- what the app uses

    @property
    def form(self) -> Form:
        """Filters to subscribe to."""
        return self.query_one("#subscriptions-form", Form)

    @property
    def table(self) -> SubscriptionTable:
        """The list of subscriptions."""
        return self.query_one("#subscriptions-table", SubscriptionTable)

    @property
    def muted(self) -> frozenset[bytes]:
        """Keys of the muted filters."""
        return frozenset(self._muted)

    def load(self, requests: Sequence[TopicRequest], properties: Properties = ()) -> None:
        """Put filters into the form; nothing is sent."""
        if requests:
            self._draft.load(requests, properties)
            self._form_open = True
            if self.is_mounted:
                self._show()

    # ---------------------------------------------------------------- actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys of the list mean something only there."""
        if action in _TABLE_ACTIONS:
            return self.is_mounted and self.table.has_focus
        if action == "add":
            return self.is_mounted and not self.form.has_focus_within
        if action == "send":
            return self._shows_form
        if action == "close_form":
            return self.is_mounted and self._form_open and bool(self.state.subscriptions) and self.form.has_focus_within
        return True

    def action_send(self) -> None:
        """Ask for the SUBSCRIBE that the form shows."""
        if not self._connected or not self._shows_form:
            self._show()
            return
        try:
            requests, properties = self._draft.requests(), self._draft.packet_properties()
        except FormError as problem:
            self._draft.complain(problem)
            self._show()
            self.form.go(problem.field)
            return
        self.post_message(CommandRequested(Subscribe(self.peer, requests, properties)))
        replaced = self._editing
        if replaced is not None and all(_raw(request.filter) != replaced for request in requests):
            self.post_message(CommandRequested(Unsubscribe(self.peer, (_as_text(replaced),))))
        self._close_form()

    def action_add(self) -> None:
        """An empty form for a new subscription."""
        self._editing = None
        self._draft.clear()
        self._open_form()

    def action_edit(self) -> None:
        """The selected subscription in the form."""
        item = self.table.selected
        if item is None:
            return
        properties = item.properties
        if item.identifier is not None and all(each.id != _SUBSCRIPTION_IDENTIFIER for each in properties):
            properties = (Property(_SUBSCRIPTION_IDENTIFIER, item.identifier), *properties)
        self._editing = item.key
        self._draft.load((item.request,), properties)
        self._open_form()

    def action_another(self) -> None:
        """One more filter in the same packet."""
        if not self._shows_form:
            self.action_add()
            return
        row = self._draft.another()
        self._show()
        self.form.go(row)

    def action_unsubscribe(self) -> None:
        """Ask for an UNSUBSCRIBE of the selected filter."""
        item = self.table.selected
        if item is not None and self._connected:
            self.post_message(CommandRequested(Unsubscribe(self.peer, (item.request.filter,))))

    def action_mute(self) -> None:
        """Mute the selected filter, or unmute it."""
        item = self.table.selected
        if item is None:
            return
        muted = item.key not in self._muted
        (self._muted.add if muted else self._muted.discard)(item.key)
        self._show()
        self.post_message(self.MuteChanged(self.peer, item.key, muted))

    def action_up(self) -> None:
        """One row up."""
        self.table.action_up()

    def action_down(self) -> None:
        """One row down."""
        self.table.action_down()

    def action_first(self) -> None:
        """To the first row."""
        self.table.action_first()

    def action_last(self) -> None:
        """To the last row."""
        self.table.action_last()

    def action_close_form(self) -> None:
        """Put the form away; nothing is sent."""
        self._close_form()

    # ---------------------------------------------------------------- what happens

    def watch_state(self) -> None:
        self._give_letters()
        if self.is_mounted:
            self._show()

    def watch_peer_name(self) -> None:
        if self.is_mounted:
            self._show_form()

    def watch_counts(self) -> None:
        if self.is_mounted:
            self._show_table()

    def on_subscription_table_moved(self, event: SubscriptionTable.Moved) -> None:
        event.stop()
        self._show_detail()

    def on_subscription_table_opened(self, event: SubscriptionTable.Opened) -> None:
        event.stop()
        self.action_edit()

    def on_form_changed(self, event: Form.Changed) -> None:
        event.stop()
        self._draft.change(event.row, event.value)
        self._show_form()

    def on_form_pressed(self, event: Form.Pressed) -> None:
        event.stop()
        if event.row == "send":
            self.action_send()
        elif event.row == "another":
            self.action_another()
        elif event.row == "cancel":
            self._close_form()
        elif event.row.endswith(".add"):
            typed = self.form.row_value(event.row)
            added = self._draft.properties.add()
            self._show_form()
            if added is not None:
                self.form.go(added)
            elif not typed:
                self.form.action_next()

    def on_form_removed(self, event: Form.Removed) -> None:
        event.stop()
        self._draft.remove(event.row)
        self._show_form()

    def on_form_moved(self, event: Form.Moved) -> None:
        event.stop()
        self._draft.move(event.row, event.step)
        self._show_form()

    # ---------------------------------------------------------------- inside

    @property
    def _connected(self) -> bool:
        return self.state.phase is Phase.CONNECTED

    @property
    def _shows_form(self) -> bool:
        return self._form_open or not self.state.subscriptions

    @property
    def _version(self) -> Version:
        options = self.state.options
        return options.connect.version if options is not None else Version.V311

    def _open_form(self) -> None:
        self._form_open = True
        self._show()
        self.form.go(self._draft.first_row)

    def _close_form(self) -> None:
        self.form.leave()
        self._form_open = False
        self._editing = None
        self._draft.clear()
        self._show()
        if self.state.subscriptions:
            self.table.focus()

    def _give_letters(self) -> None:
        before = dict(self._letters)
        live = [item.key for item in self.state.subscriptions]
        self._letters = {key: letter for key, letter in self._letters.items() if key in live}
        for key in live:
            if key not in self._letters:
                free = [letter for letter in _LETTERS if letter not in self._letters.values()]
                self._letters[key] = free[0] if free else _LETTERS[len(self._letters) % len(_LETTERS)]
        self._muted &= set(live)
        if self._letters != before:
            self.post_message(self.FilterColours(self.peer, dict(self._letters)))

    def _show(self) -> None:
        empty = not self.state.subscriptions
        hint = self.query_one("#subscriptions-hint", TextBlock)
        hint.display = empty
        hint.show(Content(self._hint()))
        if empty and self.table.has_focus:
            self.form.display = True
            self.form.focus()
        self.table.display = not empty
        self.query_one("#subscriptions-detail").display = not empty
        self._show_table()
        self._show_form()

    def _hint(self) -> str:
        if self._connected:
            return "No subscriptions yet: nothing comes in. Enter, then type a filter; ctrl+s subscribes. # is everything."
        return "Not connected: c connects. A filter can be prepared here."

    def _show_table(self) -> None:
        self.table.show(self.state.subscriptions, self.counts, self._muted, self._letters, self._version)
        self._show_detail()

    def _show_detail(self) -> None:
        item = self.table.selected
        detail = self.query_one("#subscriptions-detail", TextBlock)
        if item is None:
            return
        words = [item.answer] if item.answer else []
        if item.granted is not None and item.granted >= 0x80 and self._version is not Version.V5:
            words += ["V asks MQTT 5 why"]
        words += self._option_sentence(item)
        count = self.counts.get(item.key)
        words += [f"{grouped(count.total)} messages"] if count is not None else []
        words += self._overlap_words(item)
        words += ["muted: its messages are hidden"] if item.key in self._muted else []
        detail.show(join((text.visible(item.key), "bold"), ("  " + " · ".join(words), "$dimmed")))

    def _overlap_words(self, item: SubscriptionState) -> list[str]:
        """A broker may send a message once for each filter that it matches; without an identifier nobody can tell which copy is whose."""
        if item.identifier is not None or not item.active:
            return []
        others = [other for other in self.state.subscriptions if other.key != item.key and other.active and other.identifier is None]
        letters = [self._letters.get(other.key, "?") for other in others if overlap(item.key, other.key)]
        return [f"overlaps {', '.join(letters[:5])}: copies for either count at both"] if letters else []

    def _option_sentence(self, item: SubscriptionState) -> list[str]:
        request = item.request
        words = [f"asked for QoS {request.qos}"]
        words += [f"identifier {item.identifier}"] if item.identifier is not None else []
        if self._version is Version.V5:
            words += ["not my own (No Local)"] if request.no_local else []
            words += ["retain flag kept"] if request.retain_as_published else []
            words += [f"retained: {RETAIN_HANDLING[request.retain_handling]}"] if 0 < request.retain_handling < len(RETAIN_HANDLING) else []
        return words

    def _show_form(self) -> None:
        self._draft.version = self._version
        form = self.form
        if form.has_focus_within and not self._shows_form:
            self.table.focus()
        form.display = self._shows_form
        if self._shows_form:
            send = ("Subscribe" if self._editing is None else "Change") + as_whom(self.peer_name)
            hint = "ctrl+s" if self._connected else "not connected"
            form.rows = self._draft.rows(send, hint, can_close=bool(self.state.subscriptions))


def _raw(filter: Text) -> bytes:
    return filter.encode("utf-8", "surrogateescape") if isinstance(filter, str) else filter


def _as_text(raw: bytes) -> Text:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw
