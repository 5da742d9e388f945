"""The Connection pane: the form of a CONNECT, the packet that it makes, and how the connection stands."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.timer import Timer
from textual.widget import Widget

from mqtttui.client.commands import Cancel, Connect
from mqtttui.client.events import ConnectionState, Fix, Phase
from mqtttui.config.draft import Parsed
from mqtttui.config.errors import ConfigError
from mqtttui.config.mosquitto import parse_pasted
from mqtttui.config.options import ConnectOptions
from mqtttui.config.scram import as_it_leaves, scram_method
from mqtttui.protocol.enums import Severity
from mqtttui.protocol.fields import Dissection
from mqtttui.protocol.packets import EncodeError, TopicRequest, connect_flags, encode
from mqtttui.text import EscapeError, parse
from mqtttui.ui.bindings import bindings_for
from mqtttui.ui.content import join
from mqtttui.ui.forms.connect import ConnectDraft, generated_client_id
from mqtttui.ui.forms.fixes import apply_fix, fix_label
from mqtttui.ui.forms.rows import ON, FormError, Kind, Row
from mqtttui.ui.forms.state_lines import certificate_content, state_content
from mqtttui.ui.forms.words import will_words
from mqtttui.ui.messages import CommandRequested
from mqtttui.ui.widgets.flags_byte import flags_lines
from mqtttui.ui.widgets.form import Form
from mqtttui.ui.widgets.packet_preview import PacketPreview
from mqtttui.ui.widgets.text_block import TextBlock

_WIDE = 100
"""Cells from which the packet stands beside the form."""

_TICK = 0.25
"""Seconds between two looks at the clock while the next attempt is awaited."""

_MENDS = {"tls": "tls.ca_file", "proxy": "proxy"}
"""Step that failed, and a row of the section that has the mend."""
_OF_CERTIFICATES = {Fix.SERVER_NAME, Fix.PIN}
"""Mends within that section."""

_ROWS_OF_FIELDS = {
    "mqtt.conflag.passwd": "password.value",
    "mqtt.conflag.uname": "username.value",
    "mqtt.conflag.qos": "will.qos",
    "mqtt.conflag.retain": "will.retain",
    "mqtt.conflag.willflag": "will",
    "mqtt.conflag.cleansess": "clean",
    "mqtt.conflag.reserved": "flags",
    "mqtt.conflags": "flags",
    "mqtt.protoname": "protocol_name",
    "mqtt.ver": "level",
    "mqtt.kalive": "keep_alive",
    "mqtt.clientid": "client_id",
    "mqtt.clientid_len": "client_id",
    "mqtt.willtopic": "will.topic",
    "mqtt.willmsg": "will.payload",
    "mqtt.username": "username.value",
    "mqtt.passwd": "password.value",
}
"""Where a note of the dissector stands in the form."""


class ConnectionPane(Widget):
    """Connection settings and state of one peer."""

    SCOPE = "connection"
    BINDINGS = bindings_for(SCOPE)

    @dataclass
    class Parsed(Message):
        """A pasted text filled the form; it may ask for more than a connection: subscriptions, a message."""

        peer: str
        parsed: Parsed

    @dataclass
    class SubscribeAfter(Message):
        """The subscriptions that a command asked for shall (not) be sent once connected."""

        peer: str
        wanted: bool

    state: reactive[ConnectionState] = reactive(lambda: ConnectionState(""), init=False)
    """How the connection stands."""

    peer_name: reactive[str] = reactive("", init=False)
    """What the connection is called where there are several; visible text."""

    def __init__(self, peer: str, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.peer = peer
        self._draft = ConnectDraft()
        self.who_is_kicked: Callable[[str, ConnectOptions], str] = lambda peer, options: ""
        """Whom the client id throws off, in words."""
        self._tick: Timer | None = None
        """Counts down to the next attempt."""
        self.set_reactive(ConnectionPane.state, ConnectionState(peer))

    def compose(self) -> ComposeResult:
        yield Form(id="connect-form")
        with Vertical(id="connect-side"):
            with VerticalScroll(id="connect-state-box", can_focus=False):
                yield TextBlock(id="connect-state")
                yield Form(id="connect-fixes")
                yield TextBlock(id="connect-certificate")
            yield TextBlock(id="connect-flags")
            yield PacketPreview(id="connect-preview")

    def on_mount(self) -> None:
        self.form.rows = self._draft.rows()
        self._show_all()

    # ---------------------------------------------------------------- what the app uses

    @property
    def form(self) -> Form:
        """The settings."""
        return self.query_one("#connect-form", Form)

    def load(self, options: ConnectOptions) -> None:
        """Show these settings."""
        self._draft.load(options)
        if self.is_mounted:
            self._show_all()

    def describe(self, profile: str, awaited: Mapping[str, str]) -> None:
        """The profile that filled the form, in words, and where the secrets come from that it keeps elsewhere, by place."""
        self._draft.profile, self._draft.awaited = profile, awaited
        if self.is_mounted:
            self._show_all()

    @property
    def described(self) -> tuple[str, Mapping[str, str]]:
        """What `describe` was told."""
        return self._draft.profile, self._draft.awaited

    def expect(self, requests: Sequence[TopicRequest]) -> None:
        """Say what will be subscribed to as soon as the connection stands."""
        self._draft.expect(requests)
        if self.is_mounted:
            self._show_all()

    def options(self) -> ConnectOptions:
        """What the form says. Raises FormError naming the row."""
        return self._draft.options()

    def fill(self, pasted: str) -> bool:
        """Fill the form from a URL or a whole mosquitto command (raw text); says at the line why that failed."""
        try:
            parsed = parse_pasted(pasted)
        except ConfigError as error:
            self._draft.url_error = str(error) if error.position is None else f"column {error.position + 1}: {error}"
            self._show_all()
            return False
        self._draft.load(parsed.options)
        self._draft.change("url", "")
        self._draft.url_note = f"without effect here: {', '.join(parsed.ignored)}" if parsed.ignored else ""
        self._draft.expect(parsed.subscriptions, message=parsed.publish is not None)
        self._show_all()
        self.post_message(self.Parsed(self.peer, parsed))
        return True

    def apply_fix(self, fix: Fix | None = None) -> bool:
        """Change the form by a mend of the failure (the first one unless given) and connect. False when there is none."""
        failure, options = self.state.failure, self.state.options
        if failure is None or options is None or not failure.fixes:
            return False
        self._draft.load(apply_fix(options, fix or failure.fixes[0], failure.value))
        self._show_all()
        self.action_connect()
        return True

    # ---------------------------------------------------------------- actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Cancel needs something to cancel."""
        if action == "cancel":
            return self.state.phase in (Phase.CONNECTING, Phase.WAITING)
        return True

    def action_connect(self) -> None:
        """Ask for a connection with what the form shows."""
        options = self.ready()
        if options is not None:
            self.form.leave()
            self.post_message(CommandRequested(Connect(self.peer, options)))

    def ready(self) -> ConnectOptions | None:
        """What the form shows; None if that cannot be connected with, and the form says why."""
        if self._draft.url.strip() and not self._fill_from_line():
            self.form.go("url")
            return None
        try:
            options = self._draft.options()
            encode(options.connect, options.connect.version)
        except FormError as problem:
            self._draft.open(problem.field)
            self._show_all()
            self.form.go(problem.field)
            return None
        except EncodeError:
            self._show_all()
            return None
        return options

    def action_cancel(self) -> None:
        """Ask to stop connecting."""
        self.post_message(CommandRequested(Cancel(self.peer)))

    def action_generate_client_id(self) -> None:
        """Put a fresh client id into the form."""
        self._draft.change("client_id", generated_client_id())
        self._show_all()

    def action_edit_url(self) -> None:
        """Type into the line for URLs and commands."""
        self.form.go("url")

    # ---------------------------------------------------------------- what happens

    def watch_state(self, before: ConnectionState, _now: ConnectionState) -> None:
        if not self.is_mounted:
            return
        failure = self.state.failure
        if failure is not None and failure is not before.failure and failure.step in _MENDS and not set(failure.fixes) - _OF_CERTIFICATES:
            self._draft.open(_MENDS[failure.step])
        if self.state.phase is Phase.CONNECTED:
            self._draft.expect(())  # Sent by now.
        if self._tick is not None:
            self._tick.stop()
        self._tick = self.set_interval(_TICK, self._show_words) if self.state.phase is Phase.WAITING else None
        self._show_all()
        self.refresh_bindings()

    def watch_peer_name(self) -> None:
        if self.is_mounted:
            self._show_words()

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.width >= _WIDE, "-wide")

    def on_form_changed(self, event: Form.Changed) -> None:
        event.stop()
        if event.form is not self.form:
            return
        if event.row == "then":
            self.post_message(self.SubscribeAfter(self.peer, event.value == ON))
        will = event.row == "will" and event.value == ON
        self._draft.change(event.row, event.value)
        self._show_all()
        if will:
            self.form.go("will.topic")

    def on_form_pressed(self, event: Form.Pressed) -> None:
        event.stop()
        if event.row.startswith("fix."):
            self.apply_fix(Fix[event.row.removeprefix("fix.")])
        elif event.row == "url" and self._draft.url.strip():
            if not self._fill_from_line():
                self.form.go("url")
        elif event.row.endswith(".add"):
            properties = self._draft.properties_of(event.row)
            added = properties.add() if properties is not None else None
            self._show_all()
            if added is not None:
                self.form.go(added)
            elif properties is not None and not self.form.row_value(event.row):
                self.form.action_next()

    def on_form_removed(self, event: Form.Removed) -> None:
        event.stop()
        properties = self._draft.properties_of(event.row)
        if properties is not None:
            properties.remove(event.row)
            self._show_all()

    def on_form_moved(self, event: Form.Moved) -> None:
        event.stop()
        properties = self._draft.properties_of(event.row)
        if properties is not None:
            properties.move(event.row, event.step)
            self._show_all()

    def on_form_pasted(self, event: Form.Pasted) -> None:
        event.stop()
        if event.row == "url":
            self._fill_from_line()
        elif not event.row:
            self.fill(event.text.strip())

    # ---------------------------------------------------------------- showing

    def _fill_from_line(self) -> bool:
        try:
            raw = parse(self._draft.url)
        except EscapeError as error:
            self._draft.url_error = f"column {error.position + 1}: {error}"
            self._show_all()
            return False
        return self.fill(raw.decode("utf-8", "surrogateescape").strip())

    def _show_all(self) -> None:
        self._show_packet()
        self.form.rows = self._draft.rows()
        self._show_state()

    def _show_packet(self) -> None:
        preview = self.query_one("#connect-preview", PacketPreview)
        self._draft.notes = {}
        try:
            options = self._draft.options()
            leaving = as_it_leaves(options.connect)
            raw = encode(leaving, leaving.version)
        except FormError as problem:
            preview.show_problem(self._label(problem.field), problem.text)
            self.query_one("#connect-flags", TextBlock).show(Content(""))
            return
        except EncodeError as problem:
            preview.show_problem("", str(problem))
            return
        self._draft.notes = _notes(preview.show(raw, options.connect.version))
        if kicked := self.who_is_kicked(self.peer, options):
            self._draft.notes["client_id"] = kicked
        flags = leaving.flags if leaving.flags is not None else connect_flags(leaving)
        lines = [join(*((text, preview.style_of(name)) for text, name in line)) for line in flags_lines(flags)]
        if method := scram_method(options.connect):
            lines.append(join((f"{method} by itself: its first message is added, the password is not sent", "$dimmed")))
        will = will_words(options.connect)
        if will and self.state.phase is not Phase.CONNECTED:
            lines.append(join((will, "$dimmed")))
        self.query_one("#connect-flags", TextBlock).show(Content("\n").join(lines))

    def _label(self, field: str) -> str:
        for row in self._draft.rows():
            if row.id == field:
                return row.label
        return field

    def _show_state(self) -> None:
        self._show_words()
        failure, options = self.state.failure, self.state.options
        rows: list[Row] = []
        if failure is not None and options is not None:
            for index, fix in enumerate(failure.fixes):
                key = "F8" if index == 0 else ""
                rows.append(Row(f"fix.{fix.name}", fix_label(options, fix, failure.value), Kind.ACTION, summary=key))
        self.set_class(self.state.phase is not Phase.IDLE or failure is not None, "-live")
        self.call_after_refresh(self._let_state_scroll)
        fixes = self.query_one("#connect-fixes", Form)
        fixes.display = bool(rows)
        fixes.rows = rows

    def _show_words(self) -> None:
        live = self.state.options if self.state.phase is Phase.CONNECTED else None
        words = state_content(self.state, time.monotonic_ns(), differs=live is not None and self._differs(live))
        named = join((f"{self.peer_name}: ", "bold"), words) if self.peer_name else words
        self.query_one("#connect-state", TextBlock).show(named)
        certificate = certificate_content(self.state)
        self.query_one("#connect-certificate").display = bool(certificate)
        self.query_one("#connect-certificate", TextBlock).show(certificate)

    def _let_state_scroll(self) -> None:
        """The state takes the focus, so that keys scroll it, only when there is something to scroll."""
        box = self.query_one("#connect-state-box", VerticalScroll)
        box.can_focus = box.max_scroll_y > 0

    def _differs(self, live: ConnectOptions) -> bool:
        try:
            shown = self._draft.options()
        except FormError:
            return True
        if not shown.connect.client_id:
            shown = replace(shown, connect=replace(shown.connect, client_id=live.connect.client_id))
        return shown != live


def _notes(found: Dissection) -> dict[str, str]:
    """The dissector's warnings at the rows that they are about."""
    out: dict[str, str] = {}
    for field in found.walk():
        row = _ROWS_OF_FIELDS.get(field.filter)
        for note in field.notes:
            if row is not None and note.severity >= Severity.WARN:
                words = f"{note.text} [{note.statement}]" if note.statement else note.text
                out[row] = f"{out[row]}; {words}" if row in out else words
    return out
