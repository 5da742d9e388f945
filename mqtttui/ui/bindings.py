"""The one table of keys: bindings, footer, help and palette are all made from it.

A row names its action once. `scope` is the pane or screen that carries it (`app` = everywhere). Ids are stable: a keymap
of the user's refers to them. A widget that carries a scope says so: `SCOPE = "packets"` and
`BINDINGS = bindings_for(SCOPE)`; footer, help and palette find it by that attribute.
"""

from __future__ import annotations

from dataclasses import dataclass

from textual.binding import Binding, BindingType


@dataclass(frozen=True, slots=True)
class Key:
    """One row of the table."""

    scope: str
    id: str
    """Stable name, `packets.follow`."""
    keys: str
    """Textual key names, comma separated; the first one is shown."""
    action: str
    """Textual action, `follow` or `app.show_pane('packets')`."""
    label: str
    """Footer text, one or two words."""
    help: str
    """One line for help and palette."""
    footer: bool = True
    priority: bool = False
    """Works before the focused control sees the key, even while text is typed."""


SCOPES: dict[str, str] = {
    "app": "Everywhere",
    "inspector": "Inspector",
    "packets": "Packet list",
    "details": "Details",
    "bytes": "Bytes",
    "payload": "Payload",
    "connection": "Connection",
    "subscriptions": "Subscriptions",
    "publish": "Publish",
    "form": "Forms",
}
"""Every scope and its name for people, in the order of the help."""

_MOVES = (
    ("up", "up,k", "up", "Up", "One row up"),
    ("down", "down,j", "down", "Down", "One row down"),
    ("page_up", "pageup", "page_up", "Page up", "One page up"),
    ("page_down", "pagedown", "page_down", "Page down", "One page down"),
    ("half_up", "ctrl+u", "half_up", "Half up", "Half a page up"),
    ("half_down", "ctrl+d", "half_down", "Half down", "Half a page down"),
    ("first", "g,home", "first", "First", "To the first row"),
)


def _moves(scope: str, *, last: str = "To the last row") -> tuple[Key, ...]:
    rows = (*_MOVES, ("last", "G,end", "last", "Last", last))
    return tuple(Key(scope, f"{scope}.{name}", keys, action, label, text, footer=False) for name, keys, action, label, text in rows)


_APP = (
    Key("app", "app.connection", "1,f1", "app.show_pane('connection')", "Connection", "Connection settings and state", footer=False),
    Key("app", "app.subscriptions", "2,f2", "app.show_pane('subscriptions')", "Subscriptions", "Subscriptions", footer=False),
    Key("app", "app.publish", "3,f3", "app.show_pane('publish')", "Publish", "Publish a message", footer=False),
    Key("app", "app.packets", "4,f4", "app.show_pane('packets')", "Packets", "The packet list", footer=False),
    Key("app", "app.drawer", "b", "app.toggle_drawer", "Panes", "Show or fold the panes 1 to 3", footer=False),
    Key("app", "app.connect", "c", "app.connect_menu", "Connect", "Connect; when connected: disconnect, cut, reconnect, ping"),
    Key("app", "app.subscribe", "s", "app.subscribe_prompt", "Subscribe", "Subscribe to a topic filter"),
    Key("app", "app.fix", "f8", "app.apply_fix", "Apply fix", "After a failed connect: apply the likely fix and try again", footer=False),
    Key("app", "app.demo", "f9", "app.start_demo", "Demo", "Start the built-in demo broker and look at its packets", footer=False),
    Key("app", "app.next", "tab", "app.focus_next", "Next", "Next control", footer=False),
    Key("app", "app.previous", "shift+tab", "app.focus_previous", "Previous", "Previous control", footer=False),
    Key("app", "app.theme", "f12", "app.next_theme", "Theme", "Next theme", footer=False),
    Key("app", "app.mouse", "M", "app.toggle_mouse", "Mouse", "Mouse here, or left to the terminal for its own selection", footer=False),
    Key("app", "app.copy_text", "ctrl+c", "app.copy_or_stop", "Copy", "Copy the selection, or stop slow work", footer=False),
    Key("app", "app.back", "q", "app.step_back", "Back", "Back; at the top quit", footer=False),
    Key("app", "app.leave", "escape", "app.leave_field", "Leave", "Leave the field or the details", footer=False),
    Key("app", "app.quit", "ctrl+q", "app.ask_quit", "Quit", "Quit (asks when something would be lost)", footer=False, priority=True),
    Key("app", "app.help", "question_mark", "app.help", "Help", "Keys of this pane, then all keys", footer=False),
    Key("app", "app.palette", "colon,ctrl+p", "app.palette", "Everything", "Every action by name; :123 goes to a packet", footer=False),
)

_INSPECTOR = (
    Key("inspector", "inspector.copy", "y", "copy", "Copy", "Copy the packet, the selected field or the payload"),
    Key("inspector", "inspector.payload", "v", "payload_view", "Payload", "Packet bytes, or the payload as text, JSON or hex"),
    Key("inspector", "inspector.swap", "vertical_line", "swap", "Tree/bytes", "Swap details and bytes"),
    Key("inspector", "inspector.zoom", "backslash", "zoom", "Zoom", "Give this part the whole pane, and back"),
    Key("inspector", "inspector.next", "J,ctrl+down", "next_packet", "Next", "The next packet, staying here", footer=False),
    Key("inspector", "inspector.previous", "K,ctrl+up", "previous_packet", "Previous", "The packet before, staying here", footer=False),
)

_PACKETS = (
    Key("packets", "packets.open", "enter,right,l", "open", "Open", "Open the details of the packet"),
    Key("packets", "packets.answer", "full_stop", "answer", "Answer", "To the packet that answers this one"),
    Key("packets", "packets.request", "comma", "request", "Request", "To the packet that this one answers"),
    Key("packets", "packets.pause", "p", "pause", "Pause", "Stop showing new packets; recording goes on"),
    Key("packets", "packets.follow", "ctrl+e", "follow", "Follow", "Follow the newest packet (so do G and End)", footer=False),
    Key("packets", "packets.time", "t", "time_format", "Time", "Next time format: local, UTC, since reference, above, start"),
    Key("packets", "packets.reference", "T", "time_reference", "Time reference", "Make this packet the time reference", footer=False),
    Key("packets", "packets.hide", "X", "hide_older", "Hide older", "Hide the packets above this one (u brings them back)", footer=False),
    Key("packets", "packets.undo", "u", "undo_hide", "Undo", "Bring back what was hidden", footer=False),
    *_moves("packets", last="To the newest packet, and follow"),
)

_DETAILS = (
    Key("details", "details.toggle", "enter,space", "toggle_fold", "Fold", "Fold or unfold"),
    Key("details", "details.fold", "left,h", "fold", "Fold", "Fold, or to the field above", footer=False),
    Key("details", "details.unfold", "right,l", "unfold", "Unfold", "Unfold, or to the first field below", footer=False),
    Key("details", "details.all", "asterisk", "toggle_all", "All", "Unfold everything, or fold it again"),
    *_moves("details"),
)

_BYTES = (
    Key("bytes", "bytes.left", "left,h", "left", "Left", "One byte back", footer=False),
    Key("bytes", "bytes.right", "right,l", "right", "Right", "One byte on", footer=False),
    *_moves("bytes"),
)

_PAYLOAD = _moves("payload")

_CONNECTION = (
    Key("connection", "connection.connect", "ctrl+s", "connect", "Connect", "Connect with what the form shows"),
    Key("connection", "connection.cancel", "ctrl+o", "cancel", "Cancel", "Stop connecting, or stop waiting for the next attempt"),
    Key("connection", "connection.generate", "ctrl+g", "generate_client_id", "New id", "Put a fresh client id into the form"),
    Key("connection", "connection.url", "ctrl+l", "edit_url", "URL", "To the line for a URL or a mosquitto command", footer=False),
)

_SUBSCRIPTIONS = (
    Key("subscriptions", "subscriptions.send", "ctrl+s", "send", "Subscribe", "Send SUBSCRIBE with what the form shows"),
    Key("subscriptions", "subscriptions.add", "n,insert", "add", "New", "A new subscription"),
    Key("subscriptions", "subscriptions.edit", "enter,e", "edit", "Edit", "Change the selected subscription"),
    Key("subscriptions", "subscriptions.unsubscribe", "delete", "unsubscribe", "Unsubscribe", "Send UNSUBSCRIBE for the selected filter"),
    Key("subscriptions", "subscriptions.mute", "m,space", "mute", "Mute", "Dim the messages of the selected filter, or light them again"),
    Key("subscriptions", "subscriptions.another", "ctrl+n", "another", "One more", "One more filter in the same packet", footer=False),
    Key("subscriptions", "subscriptions.close", "escape", "close_form", "Close", "Put the form away; nothing is sent", footer=False),
    Key("subscriptions", "subscriptions.up", "up,k", "up", "Up", "One row up", footer=False),
    Key("subscriptions", "subscriptions.down", "down,j", "down", "Down", "One row down", footer=False),
    Key("subscriptions", "subscriptions.first", "g,home", "first", "First", "To the first row", footer=False),
    Key("subscriptions", "subscriptions.last", "G,end", "last", "Last", "To the last row", footer=False),
)

_PUBLISH = (
    Key("publish", "publish.send", "ctrl+s", "send", "Send", "Send PUBLISH with what the form shows"),
    Key("publish", "publish.verify", "v", "verify", "Send, verify", "Send, and subscribe for a moment to see whether it comes back"),
    Key("publish", "publish.again", "R", "again", "Again", "Send the latest publish again as it was"),
    Key("publish", "publish.format", "ctrl+t", "format", "Format", "Write the JSON payload with indentation", footer=False),
    Key("publish", "publish.editor", "ctrl+g", "edit", "Editor", "Open the payload in $EDITOR, byte for byte", footer=False),
    Key("publish", "publish.clear", "ctrl+r", "clear_payload", "Clear", "Empty the payload", footer=False),
    Key("publish", "publish.leave", "escape", "leave_payload", "Leave", "Out of the payload, to the rows above it", footer=False),
    Key("publish", "publish.release", "ctrl+o", "release", "Send held", "Send the oldest held publish anyway", footer=False),
    Key("publish", "publish.forget", "ctrl+n", "forget", "Forget held", "Forget the oldest held publish", footer=False),
)

_FORM = (
    Key("form", "form.next", "tab", "next", "Next", "Next row of the form", footer=False),
    Key("form", "form.previous", "shift+tab", "previous", "Previous", "Previous row of the form", footer=False),
    Key("form", "form.down", "down", "next(False)", "Down", "Next row; below the last one only where more follows", footer=False),
    Key("form", "form.up", "up", "previous(False)", "Up", "Previous row; does not leave the form", footer=False),
    Key("form", "form.press", "enter", "press", "Choose", "Type here, toggle, open or press the row", footer=False),
    Key("form", "form.toggle", "space", "flip", "Toggle", "Turn the row on or off", footer=False),
    Key("form", "form.right", "right", "choose(1)", "Right", "Next choice; open a section", footer=False),
    Key("form", "form.left", "left", "choose(-1)", "Left", "Previous choice; close a section", footer=False),
    Key("form", "form.first", "home", "first", "First", "To the first row", footer=False),
    Key("form", "form.last", "end", "last", "Last", "To the last row", footer=False),
    Key("form", "form.leave", "escape", "leave_field", "Leave", "Stop typing; what was typed stays", footer=False),
    Key("form", "form.remove", "delete", "remove", "Remove", "Remove the selected property or filter", footer=False),
    Key("form", "form.move_up", "shift+up", "move_row(-1)", "Move up", "Move the selected property up", footer=False),
    Key("form", "form.move_down", "shift+down", "move_row(1)", "Move down", "Move the selected property down", footer=False),
)

KEYS: tuple[Key, ...] = (*_APP, *_INSPECTOR, *_PACKETS, *_DETAILS, *_BYTES, *_PAYLOAD, *_CONNECTION, *_SUBSCRIPTIONS, *_PUBLISH, *_FORM)


def bindings_for(scope: str) -> list[BindingType]:
    """The Textual bindings of a pane or screen, in table order."""
    return [
        Binding(key.keys, key.action, key.label, show=key.footer, priority=key.priority, id=key.id, tooltip=key.help)
        for key in KEYS
        if key.scope == scope
    ]


_SHOWN = {
    "question_mark": "?",
    "colon": ":",
    "full_stop": ".",
    "comma": ",",
    "vertical_line": "|",
    "backslash": "\\",
    "asterisk": "*",
    "slash": "/",
    "exclamation_mark": "!",
    "delete": "Del",
    "enter": "Enter",
    "escape": "Esc",
    "tab": "Tab",
    "shift+tab": "Shift+Tab",
    "space": "Space",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "home": "Home",
    "end": "End",
}


def key_label(keys: str, *, every: bool = False) -> str:
    """`?` for `question_mark`: how people call the first key (or every key) of a row."""
    names = [name.strip() for name in keys.split(",")]
    shown = [_SHOWN.get(name, name.upper() if name[0] == "f" and name[1:].isdigit() else name) for name in names]
    return " ".join(shown) if every else shown[0]


def keys_of(scope: str) -> tuple[Key, ...]:
    """The rows of one scope, in table order."""
    return tuple(key for key in KEYS if key.scope == scope)
