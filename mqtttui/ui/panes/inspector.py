"""The inspector: packet list, details, bytes, and the explanation of the selected field.

On a large pane the list stands above details and bytes. On a small one there is one thing at a time: the list, and over
it the tree or the bytes of the packet that was opened.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from mqtttui.capture.log import Evicted, Log
from mqtttui.protocol.enums import Direction, PacketType
from mqtttui.protocol.fields import Dissection, Field
from mqtttui.ui.bindings import bindings_for
from mqtttui.ui.content import count_bytes
from mqtttui.ui.field_filters import hint
from mqtttui.ui.filtering import Filtering
from mqtttui.ui.panes.packet_view import PacketView
from mqtttui.ui.payload import PayloadText, PayloadView, as_json, as_text
from mqtttui.ui.row_text import Describe
from mqtttui.ui.widgets.bars import Explanation
from mqtttui.ui.widgets.hex_view import HexView, width_for
from mqtttui.ui.widgets.packet_list import PacketList
from mqtttui.ui.widgets.packet_title import PacketTitle
from mqtttui.ui.widgets.packet_tree import PacketTree
from mqtttui.ui.widgets.payload_text import PayloadPane

_SMALL = (90, 18)
"""Cells and rows below which one thing is shown at a time."""
_WIDE_BYTES = 132
"""Cells from which 16 bytes a row leave the tree the room that its names and values need."""


More = Callable[[Dissection, int], Dissection]
_REFRESH = 0.5
"""Seconds between two looks at what the packet in the details has to do with others."""


def _nothing_more(dissection: Dissection, no: int) -> Dissection:
    return dissection


class Inspector(PacketView):
    """Packets of one log."""

    SCOPE: ClassVar[str] = "inspector"
    BINDINGS = bindings_for("inspector")

    def __init__(self, log: Log, describe: Describe, more: More = _nothing_more, *, id: str | None = None) -> None:
        """`more` adds to a packet's tree what it has to do with others."""
        super().__init__(id=id)
        self._more = more
        self._looked = 0.0
        self._later = False
        """Another look is due."""
        self._log = log
        self.packets = PacketList(log, describe, id="packets")
        self.details = PacketTree(id="details")
        self.hex_view = HexView(id="bytes")
        self.payload = PayloadPane(id="payload")
        self._heading = PacketTitle(id="packet-title")
        self._explanation = Explanation(id="explanation")
        self._empty = Static(id="packets-empty", markup=False)
        self._shown: int | None = None
        self._dissection: Dissection | None = None
        self._view = PayloadView.PACKET
        self._wanted: int | None = None
        self._zoomed: str = ""
        self._opened = False
        """On a small pane: the details cover the list."""
        self._side = "details"
        """On a small pane: which half is shown, `details` or `bytes`."""

    def compose(self) -> ComposeResult:
        yield self.packets
        yield self._empty
        with Vertical(id="details-box"):
            yield self._heading
            with Horizontal(id="details-split"):
                yield self.details
                with Vertical(id="bytes-box"):
                    yield self.hex_view
                    yield self.payload
            yield self._explanation

    def on_mount(self) -> None:
        self._arrange()

    # What others use

    @property
    def dissection(self) -> Dissection | None:
        """The packet whose details are shown."""
        return self._dissection

    @property
    def small(self) -> bool:
        """One thing at a time."""
        return self.size.width < _SMALL[0] or self.size.height < _SMALL[1]

    def grew(self) -> None:
        """The log changed."""
        self.packets.grew()
        if self._empty.display == self._something:
            self._arrange()
        self.look_again()

    def look_again(self) -> None:
        """What the packet in the details has to do with others may have changed; looks at most twice a second."""
        if time.monotonic() >= self._looked + _REFRESH:
            self._look_again()
        elif not self._later:
            # Nothing more may come: the latest is shown all the same.
            self._later = True
            self.set_timer(_REFRESH, self._look_again)

    def _look_again(self) -> None:
        """The packet in the details may have been answered meanwhile, or found wrong."""
        self._looked, self._later = time.monotonic(), False
        if self._shown is None or self._dissection is None or self._shown not in self._log:
            return
        now = self._more(self._log.dissect(self._shown), self._shown)
        if now.fields != self._dissection.fields and len(now.raw) == len(self._dissection.raw):
            self._dissection = now
            self.details.show(now, keep=True)

    def show_filter(self, filtering: Filtering) -> None:
        self.packets.show_selection(filtering.view, _nothing_selected(filtering))
        self._arrange()

    @property
    def _something(self) -> bool:
        """There are packets; with a filter the list stays even if it selects none of them."""
        return bool(self.packets.row_count) or (self.packets.filtered and self._log.last > 0)

    def show_empty(self, words: Content) -> None:
        """What to say while there is no packet: the next step."""
        self._empty.update(words)

    def focus_list(self) -> None:
        """The list gets the focus, in front of everything."""
        self._opened = False
        self._zoomed = ""
        self._arrange()
        self.packets.focus()

    def back(self) -> bool:
        """One step back, towards the list. False if there is none."""
        if self._zoomed:
            self._zoomed = ""
            self._arrange()
            return True
        if (self.small and self._opened) or not self.packets.has_focus:
            inside = self.has_focus_within
            self._opened = False
            self._arrange()
            self.packets.focus()
            return inside
        return False

    def go_to(self, number: int) -> bool:
        """Select packet `number`. False if it is not kept."""
        return self.packets.go_to(number)

    # Layout

    def on_resize(self, event: events.Resize) -> None:
        self._arrange()

    def _arrange(self) -> None:
        small = self.small
        empty = not self._something
        focused = self._focused_part()
        details = not empty and (self._opened if small else self._zoomed != "packets")
        show_list = not empty and (not details if small else self._zoomed in ("", "packets"))
        side = self._side if small else self._zoomed if self._zoomed in ("details", "bytes") else ""
        self.packets.display = show_list
        self._empty.display = empty
        self.query_one("#details-box").display = details
        self.details.display = side != "bytes"
        self.query_one("#bytes-box").display = side != "details"
        as_lines = self._view in (PayloadView.TEXT, PayloadView.JSON)
        columns = 16 if self.size.width >= _WIDE_BYTES else 8
        self.query_one("#bytes-box").styles.width = "1fr" if side == "bytes" or as_lines else width_for(columns) + 1
        self.hex_view.display = not as_lines
        self.payload.display = as_lines
        if focused is not None and not self._on_screen(focused):
            self._focus_shown()

    def _focused_part(self) -> Widget | None:
        focused = self.screen.focused
        return focused if focused is not None and focused in (self.packets, self.details, self.hex_view, self.payload) else None

    def _on_screen(self, widget: Widget) -> bool:
        return all(node.display for node in widget.ancestors_with_self if isinstance(node, Widget))

    def _focus_shown(self) -> None:
        for widget in (self.details, self.hex_view, self.payload, self.packets):
            if self._on_screen(widget):
                widget.focus()
                return

    # Packets

    def on_packet_list_highlighted(self, event: PacketList.Highlighted) -> None:
        event.stop()
        self._wanted = event.number
        self._show_wanted()

    def on_packet_list_opened(self, event: PacketList.Opened) -> None:
        event.stop()
        self._wanted = event.number
        self._show_wanted()
        self._opened = True
        if self._zoomed == "packets":
            self._zoomed = ""
        self._arrange()
        (self.details if self._on_screen(self.details) else self.hex_view).focus()
        self.post_message(self.PacketOpened())

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        # Who reads a packet wants it to stay.
        if event.widget in (self.details, self.hex_view, self.payload):
            self.packets.hold()

    def on_packet_list_said(self, event: PacketList.Said) -> None:
        event.stop()
        self.post_message(self.Said(event.text))

    def _show_wanted(self) -> None:
        number = self._wanted
        if number is None or number == self._shown:
            return
        before = self._dissection
        try:
            packet = self._log[number]
            dissection = self._more(self._log.dissect(number), number)
        except Evicted:
            self._title(f"{number:,} was evicted", "")
            return
        self._shown, self._dissection = number, dissection
        same = before is not None and before.type is dissection.type
        secrets = [(field.start, field.end) for field in dissection.walk() if field.secret]
        self.hex_view.show(dissection.raw, secrets)
        self.details.show(dissection, keep=same)
        self._show_payload()
        kind = dissection.type.name if dissection.type is not None else "not framed"
        where = "to the broker" if packet.direction is Direction.C2S else "from the broker"
        unsent = ", not sent: the connection ended before" if packet.unsent else ""
        self._title(f"{number} {kind}, {count_bytes(len(dissection.raw))}, {where}{unsent}", self._view.value)

    def _title(self, text: str, right: str) -> None:
        self._heading.text, self._heading.right = text, right

    # Tree and bytes

    def on_packet_tree_link_opened(self, event: PacketTree.LinkOpened) -> None:
        event.stop()
        self.post_message(self.GoTo(event.number))

    def on_packet_tree_field_selected(self, event: PacketTree.FieldSelected) -> None:
        event.stop()
        self._explain(event.field, event.note)
        if event.field is not None and self._view is PayloadView.PACKET:
            self.hex_view.highlight(event.field.start, event.field.end)

    def on_hex_view_offset_selected(self, event: HexView.OffsetSelected) -> None:
        event.stop()
        base = self._payload_span()[0] if self._view is PayloadView.HEX else 0
        field = self.details.select_offset(base + event.offset)
        self._explain(field, "")
        if field is not None and self._view is PayloadView.PACKET:
            self.hex_view.highlight_around(field.start, field.end)

    def _explain(self, field: Field | None, note: str) -> None:
        line = self._explanation
        line.text = note or (field.explanation if field else "")
        line.level = "$state-warn" if note else ""
        line.section = field.section if field and not note else ""
        line.filter = hint(field)

    # Payload

    def _payload_span(self) -> tuple[int, int]:
        if self._dissection is None or self._dissection.type is not PacketType.PUBLISH:
            return 0, 0
        field = self._dissection.first("mqtt.msg")
        return (field.start, field.end) if field is not None else (0, 0)

    def _show_payload(self) -> None:
        if self._dissection is None or self._view is PayloadView.PACKET:
            return
        start, end = self._payload_span()
        payload = self._dissection.raw[start:end]
        publish = self._dissection.type is PacketType.PUBLISH
        match self._view:
            case PayloadView.TEXT:
                self.payload.show(as_text(payload) if publish else _NO_PAYLOAD)
            case PayloadView.JSON:
                self.payload.show(as_json(payload) if publish else _NO_PAYLOAD)
            case PayloadView.HEX:
                self.hex_view.show(payload)

    def action_payload_view(self) -> None:
        """Packet bytes, or the payload as text, JSON or hex."""
        had_focus = self.hex_view.has_focus or self.payload.has_focus
        self._view = self._view.next
        if self._dissection is not None and self._view is PayloadView.PACKET:
            secrets = [(field.start, field.end) for field in self._dissection.walk() if field.secret]
            self.hex_view.show(self._dissection.raw, secrets)
            if self.details.selected is not None:
                self.hex_view.highlight(self.details.selected.start, self.details.selected.end)
        self._show_payload()
        self._heading.right = self._view.value
        if self.small and self._opened:
            self._side = "details" if self._view is PayloadView.PACKET else "bytes"
        self._arrange()
        if had_focus and self._on_screen(self.hex_view if self.hex_view.display else self.payload):
            (self.hex_view if self.hex_view.display else self.payload).focus()

    # Actions of all parts

    def action_swap(self) -> None:
        """Tree or bytes: on a small pane the other one, else the focus goes to the other one."""
        to_bytes = not (self.hex_view.has_focus or self.payload.has_focus)
        if self.small:
            to_bytes = self._side == "details" if self._opened else False
            self._side = "bytes" if to_bytes else "details"
            self._opened = True
        elif self._zoomed in ("details", "bytes"):
            self._zoomed = "bytes" if to_bytes else "details"
        self._arrange()
        target: Widget = (self.hex_view if self.hex_view.display else self.payload) if to_bytes else self.details
        if self._on_screen(target):
            target.focus()

    def action_zoom(self) -> None:
        """Give the focused part all the room, and back."""
        focused = self._focused_part()
        part = "packets" if focused is self.packets or focused is None else "details" if focused is self.details else "bytes"
        self._zoomed = "" if self._zoomed else part
        self._arrange()

    def action_copy(self, plain: bool = False) -> None:
        """Copy the field, the packet or the payload; or print it on the plain terminal."""
        self._show_wanted()
        field = None if self.packets.has_focus else self.details.selected
        if self._shown is not None and self._dissection is not None:
            self.post_message(self.CopyWanted(self._shown, self._dissection, field, plain))

    def action_apply_value(self) -> None:
        """Only packets with this value."""
        self._want_value("apply")

    def action_exclude_value(self) -> None:
        """No packets with this value."""
        self._want_value("exclude")

    def action_combine_value(self) -> None:
        """This value and the filter in force."""
        self._want_value("combine")

    def _want_value(self, how: str) -> None:
        """Of the field that is selected; in the list, of the packet's topic."""
        self._show_wanted()
        number = self.packets.selected
        if self.packets.has_focus:
            if number is not None:
                self.post_message(self.ValueWanted(number, None, how))
            return
        field = self.details.selected
        if self._shown is None or field is None or not field.filter:
            self.post_message(self.Said("this field has no name in filters"))
        else:
            self.post_message(self.ValueWanted(self._shown, field, how))

    def action_link(self, forward: bool) -> None:
        """To the answer (`forward`) or to the request, staying in this part."""
        if self.packets.selected is not None:
            self.post_message(self.LinkWanted(self.packets.selected, forward))

    def action_mark(self) -> None:
        """Mark the packet, or take the mark away."""
        if self.packets.selected is not None:
            self.post_message(self.MarkWanted(self.packets.selected))

    def action_comment(self) -> None:
        """Write a comment on the packet."""
        if self.packets.selected is not None:
            self.packets.hold()
            self.post_message(self.CommentWanted(self.packets.selected))

    def action_follow_conversation(self) -> None:
        """Only the packets of this operation."""
        if self.packets.selected is not None:
            self.post_message(self.FollowWanted(self.packets.selected, ask=False))

    def action_follow_choice(self) -> None:
        """Only this connection, topic, operation or message."""
        if self.packets.selected is not None:
            self.post_message(self.FollowWanted(self.packets.selected, ask=True))

    def action_columns(self) -> None:
        """Choose columns; in the details, the selected field as one."""
        self.post_message(self.ColumnsWanted(None if self.packets.has_focus else self.details.selected))

    def action_edit(self) -> None:
        """Edit the packet, and send it."""
        self.post_message(self.EditWanted(self.packets.selected))

    def action_new_packet(self) -> None:
        """Make a packet, and send it."""
        self.post_message(self.EditWanted(None))

    def action_flow(self) -> None:
        """A step of the packet's QoS flow."""
        self.post_message(self.FlowWanted(self.packets.selected))

    def action_next_packet(self) -> None:
        """The next packet, staying in the details."""
        self._step(1)

    def action_previous_packet(self) -> None:
        """The packet before, staying in the details."""
        self._step(-1)

    def _step(self, rows: int) -> None:
        self.packets.hold()
        self.packets.move_to(self.packets.cursor + rows)


_NO_PAYLOAD = PayloadText((), "this packet has no payload")


def _nothing_selected(filtering: Filtering) -> str:
    ways = ["Backspace goes back to the filter before", "/ changes it"] if filtering.applied is not None else []
    if filtering.hide_noise:
        ways.append("o shows the noise again")
    who = "The filter selects" if filtering.applied is not None else "There is"
    return f"{who} no packet{'' if filtering.applied is not None else ' that is not hidden'}. {', '.join(ways)}."
