"""A packet made by hand: as fields or as hex, with what it means, sent as it stands, and what it provokes.

Rules:
1. The draft has the bytes; form, hex and tree show them. Hex that is no hex leaves the bytes as they were, and is said.
2. What may end the connection needs the same key twice.
3. Leaving keeps the draft: whoever opened the screen has it.
"""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import TextArea

from mqtttui.capture.log import Log
from mqtttui.client.commands import StopSending
from mqtttui.client.events import ConnectionState, RawSent
from mqtttui.config.options import ConnectOptions
from mqtttui.protocol.fields import Field
from mqtttui.ui.bindings import KEYS, Key, bindings_for, keys_of
from mqtttui.ui.content import Part, join
from mqtttui.ui.editing_words import title_words, what_it_is
from mqtttui.ui.editor import EditorError, edit
from mqtttui.ui.forms.hex_text import EDITABLE, byte_at, from_hex, to_hex
from mqtttui.ui.forms.packet import PacketDraft
from mqtttui.ui.forms.rows import FormError
from mqtttui.ui.messages import CommandRequested
from mqtttui.ui.palette import Palette, entries
from mqtttui.ui.row_text import Describe
from mqtttui.ui.screens.help import HelpScreen
from mqtttui.ui.screens.repeat import RepeatPrompt
from mqtttui.ui.sending import Sending
from mqtttui.ui.widgets.bars import KeyLine, unique_by_key
from mqtttui.ui.widgets.escaped_input import EscapedTextArea
from mqtttui.ui.widgets.followed_list import FollowedList
from mqtttui.ui.widgets.form import Form
from mqtttui.ui.widgets.hex_view import HexView
from mqtttui.ui.widgets.packet_title import PacketTitle
from mqtttui.ui.widgets.packet_tree import PacketTree
from mqtttui.ui.widgets.text_block import TextBlock

_WIDE = 110
"""Columns from which the tree stands beside the form."""
_LOOK_SECONDS = 0.1
_FITS_16 = 54
"""Cells that 16 bytes a row need."""


class EditPacket(ModalScreen[int | None], inherit_bindings=False):
    """Edits and sends one packet; gives the number of a packet to go to, or None."""

    SCOPE = "edit"
    BINDINGS = bindings_for("edit")

    def __init__(
        self,
        peer: str,
        draft: PacketDraft,
        title: str,
        log: Log,
        describe: Describe,
        state: ConnectionState,
        options: Callable[[], ConnectOptions],
        name: str = "",
    ) -> None:
        """`options` gives those of a new connection; it raises FormError while the Connection form has a mistake.

        `name`: what the connection is called where there are several; visible text.
        """
        super().__init__()
        self.peer = peer
        self._peer_name = name
        self.draft = draft
        self._about = title
        self._log = log
        self._state = state
        self._heading = PacketTitle(id="edit-title")
        self._form = Form(label_width=27, id="edit-form")
        self._hex = EscapedTextArea(id="edit-hex", tab_behavior="focus", show_line_numbers=False, compact=True)
        self._held = TextBlock(id="edit-held")
        self._tree = PacketTree(id="edit-tree")
        self._bytes = HexView(id="edit-bytes")
        self._status = TextBlock(id="edit-status")
        self._followed = FollowedList(log, describe, id="edit-followed")
        self._keys = KeyLine(id="edit-keys")
        self._as_hex = False
        self._hex_problem = ""
        self._revealed = False
        self._sending = Sending(peer, options)

    def compose(self) -> ComposeResult:
        yield self._heading
        with Horizontal(id="edit-split"):
            with Vertical(id="edit-left"):
                yield self._form
                yield self._hex
                yield self._held
            with Vertical(id="edit-right"):
                yield self._tree
                yield self._bytes
        yield self._status
        yield self._followed
        yield self._keys

    def on_mount(self) -> None:
        self._arrange()
        self._show(packet=True)
        self._form.go(next((row.id for row in self._form.rows[2:] if row.selectable), "lengths"), edit=False)
        self.set_interval(_LOOK_SECONDS, self._followed.look)

    # What the app tells

    def show_state(self, state: ConnectionState) -> None:
        """The state of the peer."""
        self._state = state
        self._show_title()

    def raw_sent(self, event: RawSent) -> None:
        """How far the sending has got."""
        if not self._sending.told(event):
            return
        if event.handed_over is not None and event.connection is not None and not self._followed.watching:
            self._followed.watch_connection(event.connection, self._sending.after, event.handed_over)
            self.add_class("-sent")
        self._show()

    def reject(self, words: str) -> None:
        """A command could not be carried out."""
        self._sending.rejected(words)
        self._show()

    # Layout

    def on_resize(self, event: events.Resize) -> None:
        self._arrange()

    def _arrange(self) -> None:
        self.update_classes({"-wide": self.app.size.width >= _WIDE, "-short": self.app.size.height < 30})
        held = self._as_hex and len(self.draft.raw) > EDITABLE
        self._form.display = not self._as_hex
        self._hex.display = self._as_hex and not held
        self._held.display = held

    # Showing

    def _show(self, *, packet: bool = False) -> None:
        """Everything that is not typed into; with `packet` the bytes are others."""
        if not self._as_hex:
            self._form.rows = self.draft.rows()
        if packet:
            found = self.draft.dissection
            self._tree.show(found, keep=True)
            self._bytes.show(found.raw, [(field.start, field.end) for field in found.walk() if field.secret])
        self._show_title()
        self._show_status()
        self._show_keys()

    def _show_title(self) -> None:
        self._heading.text, self._heading.right = title_words(
            self._about, self.draft, self._state, as_hex=self._as_hex, name=self._peer_name
        )

    def _show_status(self) -> None:
        sending, row = self._sending, self.draft.problem
        parts: list[Part] = [what_it_is(self.draft.dissection)]
        problem = sending.problem or self._hex_problem or (row.text if row is not None else "")
        if problem:
            parts.append((f"\n!! {problem}", "$state-bad"))
        elif sending.warning:
            parts.append((f"\n! {sending.warning}", "$state-warn"))
        elif sending.said:
            parts.append((f"\n{sending.said}", "$state-good"))
        self._status.show(join(*parts))

    def _show_keys(self) -> None:
        rows = [key for scope in self.scopes() for key in keys_of(scope) if key.footer]
        self._keys.keys = unique_by_key([key for key in rows if self._works(key)])

    def scopes(self) -> tuple[str, ...]:
        """Scopes of the focused control and what is around it, innermost first."""
        nodes = self.focused.ancestors_with_self if self.focused is not None else (self,)
        return tuple(scope for node in nodes if node is not self.app and isinstance(scope := getattr(node, "SCOPE", None), str))

    def _works(self, key: Key) -> bool:
        focused, first = self.focused, key.keys.split(",")[0]
        if self._carrier(key.scope).check_action(key.action.partition("(")[0], ()) is False:
            return False
        return key.priority or focused is None or not focused.check_consume_key(first, first if len(first) == 1 else None)

    def _carrier(self, scope: str) -> Widget:
        near = self.focused.ancestors_with_self if self.focused is not None else ()
        found = next((node for node in near if getattr(node, "SCOPE", None) == scope and isinstance(node, Widget)), None)
        return found or next((node for node in self.walk_children(Widget) if getattr(node, "SCOPE", None) == scope), self)

    def _say(self, problem: str) -> None:
        self._sending.say(problem=problem)
        self._show()

    def _edited(self) -> None:
        """The person changed something: what was said about the packet before does not hold any more."""
        self._sending.edited()
        self._show(packet=True)

    # Typing

    def on_form_changed(self, event: Form.Changed) -> None:
        event.stop()
        self.draft.change(event.row, event.value)
        self._edited()
        self._point()

    def on_form_pressed(self, event: Form.Pressed) -> None:
        event.stop()
        if self.draft.field_bytes(event.row) is not None and not self._form.typing:
            self.action_edit_outside()
            return
        target = self.draft.press(event.row)
        self._edited()
        if target is not None:
            self._form.go(target)

    def on_form_removed(self, event: Form.Removed) -> None:
        event.stop()
        self.draft.remove(event.row)
        self._edited()

    def on_form_moved(self, event: Form.Moved) -> None:
        event.stop()
        target = self.draft.move(event.row, event.step)
        self._edited()
        if target is not None:
            self._form.go(target, edit=False)

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        event.stop()
        if not self._as_hex or event.text_area is not self._hex:
            return
        self._hex_problem = ""
        try:
            raw = from_hex(self._hex.text)
        except FormError as problem:
            self._hex_problem = problem.text
            self._show()
            return
        if raw != self.draft.raw:
            self.draft.load(raw)
            self._edited()

    def on_escaped_text_area_large_paste(self, event: EscapedTextArea.LargePaste) -> None:
        """Hex that is too much to type in: the packet becomes these bytes."""
        event.stop()
        try:
            raw = from_hex(event.before + event.raw + event.after)
        except FormError as problem:
            self._say(f"not pasted: {problem.text}")
            return
        self._hex_problem = ""
        self.draft.load(raw)
        self._fill_hex()
        self._arrange()
        self._edited()

    def on_text_area_selection_changed(self, event: TextArea.SelectionChanged) -> None:
        event.stop()
        if self._as_hex and self._hex.has_focus and not self._hex_problem:
            row, column = event.selection.end
            self._highlight(self._tree.select_offset(min(byte_at(self._hex.text, row, column), max(0, len(self.draft.raw) - 1))))

    def on_packet_tree_field_selected(self, event: PacketTree.FieldSelected) -> None:
        event.stop()
        self._highlight(event.field)

    def on_hex_view_offset_selected(self, event: HexView.OffsetSelected) -> None:
        event.stop()
        field = self._tree.select_offset(event.offset)
        if field is not None:
            self._bytes.highlight_around(field.start, field.end)

    def _highlight(self, field: Field | None) -> None:
        if field is not None:
            self._bytes.highlight(field.start, field.end)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        self._show_keys()

    def on_form_selected(self, event: Form.Selected) -> None:
        event.stop()
        self._point()

    def _point(self) -> None:
        """The tree shows the field of the selected row."""
        start, _ = self.draft.span(self._form.selected)
        if self._form.selected.startswith("p"):
            self._highlight(self._tree.select_offset(start))

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Stopping needs something to stop."""
        return self._sending.running if action == "stop" else True

    def action_send(self) -> None:
        """Send on the open connection."""
        self._send(first=False)

    def action_first(self) -> None:
        """Send as the first bytes of a new connection."""
        self._send(first=True)

    def action_repeat(self) -> None:
        """Ask how often, and send."""

        def run(answer: tuple[int, float] | None) -> None:
            if answer is not None:
                self._send(first=False, times=answer[0], spacing=answer[1])

        if self._ready():
            self.app.push_screen(RepeatPrompt(), run)

    def action_stop(self) -> None:
        """Stop the repetition."""
        self.post_message(CommandRequested(StopSending(self.peer)))

    def action_swap(self) -> None:
        """Fields or hex."""
        if self._as_hex:
            if not self._ready():
                return
            self.draft.read_again()
            self._as_hex = False
        else:
            if not self._ready() or not self._may_show("the hex"):
                return
            self._as_hex = True
            self._fill_hex()
        self._arrange()
        self._show()
        (self._hex if self._hex.display else self._form if self._form.display else self._tree).focus()

    def action_edit_outside(self) -> None:
        """The selected field, or the whole packet as hex, in the person's own editor."""
        if self._ready():
            row = "" if self._as_hex else self._form.selected
            data = self.draft.field_bytes(row)
            if data is None and not self._may_show("the editor"):
                return
            self.run_worker(self._edit_outside(row, data), name="editor", group="packet-editor", exclusive=True)

    async def _edit_outside(self, row: str, data: bytes | None) -> None:
        try:
            if data is not None:
                self.draft.set_field_bytes(row, await edit(self.app, data, ".txt"))
            else:
                text = await edit(self.app, to_hex(self.draft.raw).encode(), ".hex")
                self.draft.load(from_hex(text.decode("utf-8", "surrogateescape")))
        except EditorError as problem:
            self._say(str(problem))
        except FormError as problem:
            self._say(f"not taken over: {problem.text}")
        else:
            self._fill_hex()
            self._arrange()
            self._edited()

    def action_restore(self) -> None:
        """Back to the bytes that it began with."""
        self.draft.restore()
        self._hex_problem = ""
        self._fill_hex()
        self._arrange()
        self._edited()

    def action_next_part(self) -> None:
        """From the packet to its tree, to what followed, and back."""
        packet = next((widget for widget in (self._hex, self._form) if widget.display), self._tree)
        order = [packet, *(widget for widget in (self._tree, self._bytes, self._followed) if widget.display and widget.size.height)]
        at = next((index for index, widget in enumerate(order) if widget.has_focus_within or widget.has_focus), -1)
        self._form.leave()
        order[(at + 1) % len(order)].focus()

    def action_leave(self) -> None:
        """Close; the draft is kept."""
        self.dismiss(None)

    def action_help(self) -> None:
        """The keys."""
        self.app.push_screen(HelpScreen(self.scopes()))

    def action_palette(self) -> None:
        """What can be done here, by name."""

        async def run(entry: str | None) -> None:
            key = next((key for key in KEYS if key.id == entry), None)
            if key is not None:
                await self.run_key(key)

        carried = {self.SCOPE, *(getattr(node, "SCOPE", None) for node in self.walk_children(Widget))}
        self.app.push_screen(Palette(entries((), carried.__contains__)), run)

    async def run_key(self, key: Key) -> None:
        """Carry out a row of the table at the control that carries its scope."""
        await self.app.run_action(key.action, default_namespace=self._carrier(key.scope))

    async def on_key_line_pressed(self, event: KeyLine.Pressed) -> None:
        event.stop()
        await self.run_key(event.key)

    def on_followed_list_opened(self, event: FollowedList.Opened) -> None:
        event.stop()
        self.dismiss(event.number)

    # Sending

    def _ready(self) -> bool:
        """What is typed has an encoding; otherwise the place is shown."""
        if self._hex_problem:
            self._say(self._hex_problem)
            return False
        problem = self.draft.problem
        if problem is not None:
            self._say(problem.text)
            self._form.go(problem.field)
            return False
        return True

    def _may_show(self, where: str) -> bool:
        """Bytes that hold a secret are shown at the second time of asking."""
        if not self.draft.secret or self._revealed:
            return True
        self._revealed = True
        self._sending.say(warning=f"{where} would show the password or other secret: the same key again does it")
        self._show()
        return False

    def _fill_hex(self) -> None:
        raw = self.draft.raw
        if not self._as_hex:
            return
        if len(raw) > EDITABLE:
            self._held.show(join((f"{len(raw):,} bytes are too many to edit here; ctrl+g opens them in $EDITOR as hex", "$dimmed")))
            return
        width = self.app.size.width
        room = width // 2 if width >= _WIDE else width
        with self.prevent(TextArea.Changed):
            self._hex.text = to_hex(raw, 16 if room >= _FITS_16 else 8)

    def _send(self, *, first: bool, times: int = 1, spacing: float = 0.0) -> None:
        if not self._ready():
            return
        found = self.draft.dissection
        command = self._sending.send(found, self._state, self._log.last, first=first, times=times, spacing=spacing)
        if command is not None:
            self._followed.forget()
            self.post_message(CommandRequested(command))
        self._show()
