"""The Publish pane: a message to send, and what became of those that were sent."""

from __future__ import annotations

from dataclasses import dataclass, replace

from textual import events
from textual.app import ComposeResult
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import TextArea

from mqtttui import text
from mqtttui.client.commands import ReleaseHeld, SendPublish
from mqtttui.client.events import ConnectionState, Phase, PublishChanged
from mqtttui.protocol.enums import Version
from mqtttui.protocol.packets import EncodeError, Publish, encode
from mqtttui.ui.bindings import bindings_for
from mqtttui.ui.content import count_bytes, join
from mqtttui.ui.editor import EditorError, edit
from mqtttui.ui.forms.payload import FIELD, PayloadKind, format_json, read_file, to_bytes
from mqtttui.ui.forms.publish import PublishDraft, packet_size
from mqtttui.ui.forms.publish_words import action_rows, status_words
from mqtttui.ui.forms.rows import FormError
from mqtttui.ui.messages import CommandRequested
from mqtttui.ui.widgets.escaped_input import PASTE_LIMIT, EscapedTextArea
from mqtttui.ui.widgets.form import Form
from mqtttui.ui.widgets.read_view import ReadView
from mqtttui.ui.widgets.sent import SentMessages
from mqtttui.ui.widgets.text_block import TextBlock

_SHORT = 17
"""Rows below which the pane makes do without its buttons (the keys stay)."""

_PREVIEW = 400


class PublishPane(Widget):
    """Messages of one peer."""

    SCOPE = "publish"
    BINDINGS = bindings_for(SCOPE)

    @dataclass
    class TryV5Wanted(Message):
        """The person wants to know what MQTT 5 says to the same message."""

    state: reactive[ConnectionState] = reactive(lambda: ConnectionState(""), init=False)
    """How the connection stands."""

    peer_name: reactive[str] = reactive("", init=False)
    """What the connection is called where there are several; visible text."""

    def __init__(self, peer: str, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.peer = peer
        self._draft = PublishDraft()
        self._sent = SentMessages()
        self._problem = ""
        self._good = ""
        self.set_reactive(PublishPane.state, ConnectionState(peer))

    def compose(self) -> ComposeResult:
        yield Form(spills=True, id="publish-form")
        yield EscapedTextArea(id="publish-payload", tab_behavior="focus", show_line_numbers=False, compact=True)
        yield TextBlock(id="publish-held")
        yield TextBlock(id="publish-status")
        yield Form(id="publish-actions")
        yield ReadView(wrap=True, id="publish-history")

    def on_mount(self) -> None:
        self._show_payload()
        self._show()
        self._show_history()

    # ---------------------------------------------------------------- what the app uses

    @property
    def form(self) -> Form:
        """Topic, flags, properties."""
        return self.query_one("#publish-form", Form)

    @property
    def editor(self) -> EscapedTextArea:
        """The payload."""
        return self.query_one("#publish-payload", EscapedTextArea)

    def load(self, publish: Publish) -> None:
        """Put a message into the form; nothing is sent."""
        self._draft.load(publish)
        if self.is_mounted:
            self._show_payload()
            self._show()

    def message(self) -> Publish | None:
        """What the form would send, as a profile keeps it; None if that is nothing, too much, or not in the form."""
        if self._draft.kind is PayloadKind.FILE and self._draft.held is None:
            return None
        try:
            packet = self._draft.packet(self._draft.payload())
        except FormError:
            return None
        return packet if len(packet.payload) <= PASTE_LIMIT else None

    def publish_changed(self, event: PublishChanged) -> None:
        """A publish went one step further."""
        self._sent.changed(event)
        if self.is_mounted:
            self._show_history()

    @property
    def latest(self) -> Publish | None:
        """The message that was sent last, from here."""
        return self._sent.packet

    def repeat(self, packet: Publish) -> int:
        """Send a message that does not stand in the form; gives its token."""
        return self._send(packet, verify=False)

    @property
    def history(self) -> str:
        """What became of the messages, newest first, one a line."""
        return self.query_one("#publish-history", ReadView).text

    # ---------------------------------------------------------------- actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What sends needs a connection; the status line says so."""
        if action in ("send", "verify"):
            return True if self._connected else None
        if action == "again":
            return True if self._connected and self._sent.packet is not None else None
        if action in ("release", "forget"):
            return self._sent.held is not None
        if action == "leave_payload":
            return self.is_mounted and self.editor.has_focus
        if action == "format":
            return self._draft.kind is PayloadKind.JSON
        return True

    def action_send(self) -> None:
        """Send what the form shows."""
        self._send_form(verify=False)

    def action_verify(self) -> None:
        """Send, and watch whether it comes back."""
        self._send_form(verify=True)

    def action_again(self) -> None:
        """Send the latest one again, as it was."""
        if self._sent.packet is not None:
            self._send(self._sent.packet, verify=False)

    def action_format(self) -> None:
        """Indent the JSON."""
        try:
            self.editor.text = format_json(self.editor.text)
        except FormError as problem:
            self._say(problem.text)

    def action_clear_payload(self) -> None:
        """An empty payload."""
        self._draft.set_payload(b"", None if self._draft.kind is PayloadKind.FILE else self._draft.kind)
        self._show_payload()
        self._show()

    def action_edit(self) -> None:
        """The payload in the person's own editor."""
        kind = self._draft.kind
        if kind is PayloadKind.FILE and self._draft.held is None:
            self._say("the payload is a file: choose text, JSON, hex or base64 to write one here")
            return
        try:
            payload = self._draft.payload()
        except FormError as problem:
            self._point_at(problem)
            return
        self.run_worker(self._edit(payload, kind), name="editor", group="publish-editor", exclusive=True)

    async def _edit(self, payload: bytes, kind: PayloadKind) -> None:
        try:
            written = await edit(self.app, payload, ".json" if kind is PayloadKind.JSON else ".txt")
        except EditorError as problem:
            self._say(str(problem))
            return
        if written == payload:
            self._say("the editor changed nothing", good=True)
            return
        self._draft.set_payload(written, kind)
        self._show_payload()
        feed = ", a line feed at its end" if written == payload + b"\n" or (written.endswith(b"\n") and not payload.endswith(b"\n")) else ""
        self._say(f"from the editor: {count_bytes(len(written))}{feed}", good=True)

    def action_release(self) -> None:
        """Send the oldest held publish anyway."""
        self._release(send=True)

    def action_forget(self) -> None:
        """Forget the oldest held publish."""
        self._release(send=False)

    def action_leave_payload(self) -> None:
        """Out of the payload, to the rows of the form."""
        self.form.focus()

    # ---------------------------------------------------------------- what happens

    def watch_state(self) -> None:
        if self.is_mounted:
            self._show()
            self.refresh_bindings()

    def watch_peer_name(self) -> None:
        if self.is_mounted:
            self._show_actions()

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.height < _SHORT, "-short")

    def on_form_changed(self, event: Form.Changed) -> None:
        event.stop()
        kind = self._draft.kind
        self._draft.change(event.row, event.value)
        if self._draft.kind is not kind:
            self._show_payload()
        self._show()

    def on_form_pressed(self, event: Form.Pressed) -> None:
        event.stop()
        match event.row:
            case "send":
                self.action_send()
            case "verify":
                self.action_verify()
            case "try_v5":
                self.post_message(self.TryV5Wanted())
            case "release":
                self.action_release()
            case "forget":
                self.action_forget()
            case _ if event.row.endswith(".add"):
                typed = self.form.row_value(event.row)
                added = self._draft.properties.add()
                self._show()
                if added is not None:
                    self.form.go(added)
                elif not typed:
                    self.form.action_next()
            case _:
                pass

    def on_form_removed(self, event: Form.Removed) -> None:
        event.stop()
        self._draft.properties.remove(event.row)
        self._show()

    def on_form_moved(self, event: Form.Moved) -> None:
        event.stop()
        self._draft.properties.move(event.row, event.step)
        self._show()

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        event.stop()
        if event.text_area is self.editor and self._draft.typed != self.editor.text:
            self._draft.typed = self.editor.text
            self._show()

    def on_escaped_text_area_above_top(self, event: EscapedTextArea.AboveTop) -> None:
        event.stop()
        self.form.action_last()

    def on_escaped_text_area_large_paste(self, event: EscapedTextArea.LargePaste) -> None:
        event.stop()
        kind = self._draft.kind
        pasted = event.raw.encode("utf-8", "surrogatepass")
        try:
            if kind in (PayloadKind.HEX, PayloadKind.BASE64):
                whole = to_bytes(kind, event.before + event.raw + event.after)
            else:
                whole = to_bytes(kind, event.before) + pasted + to_bytes(kind, event.after)
        except FormError as problem:
            self._say(f"not pasted: {problem.text}")
            return
        self._draft.set_payload(whole, kind)
        self._show_payload()
        self._show()
        self.form.go("kind", edit=False)

    # ---------------------------------------------------------------- sending

    @property
    def _connected(self) -> bool:
        return self.state.phase is Phase.CONNECTED

    @property
    def _version(self) -> Version:
        options = self.state.options
        return options.connect.version if options is not None else Version.V311

    def _send_form(self, *, verify: bool) -> None:
        if not self._connected:
            return
        try:
            if self._draft.kind is PayloadKind.FILE and self._draft.held is None:
                packet, path = self._draft.packet(b""), self._draft.file
                self.run_worker(self._send_file(packet, path, verify), name="read payload", group="publish-file", exclusive=True)
                return
            packet = self._draft.packet(self._draft.payload())
            encode(replace(packet, payload=b"", packet_id=1), self._version)
        except FormError as problem:
            self._point_at(problem)
        except EncodeError as problem:
            self._say(str(problem))
        else:
            self._send(packet, verify=verify)

    async def _send_file(self, packet: Publish, path: str, verify: bool) -> None:
        try:
            payload = await read_file(path)
        except OSError as error:
            self._say(f"{text.visible(path)}: {error.strerror or 'cannot be read'}")
        except FormError as problem:
            self._say(problem.text)
        else:
            self._send(replace(packet, payload=payload), verify=verify)

    def _send(self, packet: Publish, *, verify: bool) -> int:
        token = self._sent.add(packet, packet_size(packet, self._version) or 0)
        self._problem = ""
        self.post_message(CommandRequested(SendPublish(self.peer, token, packet, verify=verify)))
        self._show()
        self._show_history()
        self.refresh_bindings()
        return token

    def _release(self, *, send: bool) -> None:
        held = self._sent.held
        if held is not None:
            self.post_message(CommandRequested(ReleaseHeld(self.peer, held.token, send)))

    @property
    def _silent(self) -> bool:
        """The latest message seems to have been refused, and the version has no reason codes to say so."""
        latest = self._sent.latest
        return latest is not None and latest.seems_refused and self.state.options is not None and self._version is not Version.V5

    def _point_at(self, problem: FormError) -> None:
        self._draft.open(problem.field)
        self._say(problem.text)
        if problem.field == FIELD:
            self.editor.focus()
        else:
            self.form.go(problem.field)

    # ---------------------------------------------------------------- showing

    def _say(self, words: str, *, good: bool = False) -> None:
        """Below the payload, until the form changes."""
        self._problem, self._good = ("", words) if good else (words, "")
        self._show()

    def _show(self) -> None:
        self._draft.version = self._version
        self.form.rows = self._draft.rows()
        self._show_status()
        self._show_actions()
        self._problem = self._good = ""

    def _show_payload(self) -> None:
        held, kind = self._draft.held, self._draft.kind
        shown = self.query_one("#publish-held", TextBlock)
        self.editor.display = held is None and kind is not PayloadKind.FILE
        shown.display = held is not None
        if held is not None:
            shown.show(
                join(
                    (f"{len(held):,} bytes held; ctrl+g opens them in $EDITOR, ctrl+r clears them\n", "$dimmed"),
                    (text.preview(held, _PREVIEW), ""),
                )
            )
        self.editor.json_escapes = kind is PayloadKind.JSON
        if self.editor.text != self._draft.typed:
            self.editor.text = self._draft.typed
        self.refresh_bindings()

    def _show_status(self) -> None:
        words = status_words(self._draft, self._version, self.state, self._problem, self._good)
        self.query_one("#publish-status", TextBlock).show(words)

    def _show_actions(self) -> None:
        held = self._sent.held
        topic = held.packet.topic if held is not None else None
        rows = action_rows(topic, connected=self._connected, silent=self._silent, name=self.peer_name)
        self.query_one("#publish-actions", Form).rows = rows

    def _show_history(self) -> None:
        self.query_one("#publish-history", ReadView).lines = self._sent.lines
        self._show_actions()
        self.refresh_bindings()
