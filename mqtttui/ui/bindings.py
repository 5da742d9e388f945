"""The one table of keys: bindings, footer, help and palette are all made from it.

A row names its action once. `scope` is the pane or screen that carries it (`app` = everywhere). Ids are stable: a keymap
of the user's refers to them. A widget that carries a scope says so: `SCOPE = "packets"` and
`BINDINGS = bindings_for(SCOPE)`; footer, help and palette find it by that attribute.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.binding import Binding, BindingType

from mqtttui.ui.views import VIEWS


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
    "views": "All views",
    "filter": "Filter field",
    "inspector": "Inspector",
    "packets": "Packet list",
    "details": "Details",
    "bytes": "Bytes",
    "payload": "Payload",
    "operations": "Operations",
    "timing": "Timing",
    "check": "Test runs",
    "checklist": "Test runs made",
    "checktable": "Times of a test run",
    "findings": "Findings",
    "connection": "Connection",
    "subscriptions": "Subscriptions",
    "publish": "Publish",
    "form": "Forms",
    "edit": "Packet by hand",
    "followed": "What followed",
    "profiles": "Profiles",
    "why": "Why it failed",
    "report": "Limits, sessions, security",
    "attempts": "Attempts to connect",
    "waterfall": "Phases of connecting",
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


def _moves(scope: str) -> tuple[Key, ...]:
    rows = (*_MOVES, ("last", "G,end", "last", "Last", "To the last row"))
    return tuple(Key(scope, f"{scope}.{name}", keys, action, label, text, footer=False) for name, keys, action, label, text in rows)


def _view_keys(digit: str) -> str:
    """The digit and its F-key; F8 and F9 do something else."""
    return f"{digit},f{digit}" if digit < "8" else digit


_APP = (
    Key("app", "app.connection", "1,f1", "app.show_pane('connection')", "Connection", "Connection settings and state", footer=False),
    Key("app", "app.subscriptions", "2,f2", "app.show_pane('subscriptions')", "Subscriptions", "Subscriptions", footer=False),
    Key("app", "app.publish", "3,f3", "app.show_pane('publish')", "Publish", "Publish a message", footer=False),
    *(
        Key("app", f"app.{row.name}", _view_keys(row.digit), f"app.show_pane('{row.name}')", row.title, row.help, footer=False)
        for row in VIEWS
    ),
    Key("app", "app.filter", "slash", "app.edit_filter", "Filter", "Type a display filter, or a word to search for"),
    Key("app", "app.filters", "f10", "app.saved_filters", "Filters", "Choose a saved or earlier filter", footer=False),
    Key("app", "app.export", "w", "app.export", "Write", "Write packets to a file: pcapng, JSON lines, CSV (:w FILE)", footer=False),
    Key("app", "app.record", "W", "app.record", "Record", "Record what comes to a file; the same key ends it", footer=False),
    Key("app", "app.alarm", "B", "app.alarm", "Alarm", "Ring, mark, pause or record when a filter selects a packet", footer=False),
    Key("app", "app.profiles", "P", "app.profiles", "Profiles", "Connections with a name: choose, save, import, export", footer=False),
    Key("app", "app.drawer", "b", "app.toggle_drawer", "Panes", "Show or fold the panes 1 to 3", footer=False),
    Key("app", "app.connect", "c", "app.connect_menu", "Connect", "Connect; when connected: disconnect, cut, reconnect, ping"),
    Key("app", "app.peers", "L", "app.peers", "Connections", "All connections; another one, rename, close", footer=False),
    Key("app", "app.peer_before", "left_curly_bracket", "app.step_peer(-1)", "Connection before", "The connection before", footer=False),
    Key("app", "app.peer_next", "right_curly_bracket", "app.step_peer(1)", "Next connection", "The next connection", footer=False),
    Key("app", "app.session", "S", "app.session", "Session", "A device's session: peek into its queue, drain it, end it", footer=False),
    Key("app", "app.limits", "I", "app.limits", "Limits", "What the server granted, what was asked, what is in use now", footer=False),
    Key(
        "app", "app.misbehave", "Z", "app.misbehave", "Misbehave", "Misbehave on purpose: no pings, no acks, codes, take-over", footer=False
    ),
    Key("app", "app.try_v5", "V", "app.try_v5", "Try v5", "Try the same with MQTT 5, which says why it refuses", footer=False),
    Key("app", "app.subscribe", "s", "app.subscribe_prompt", "Subscribe", "Subscribe to a topic filter"),
    Key("app", "app.fix", "f8", "app.apply_fix", "Apply fix", "After a failed connect: apply the likely fix and try again", footer=False),
    Key("app", "app.why", "D", "app.why", "Why", "Why did it fail, how long did connecting take: all attempts", footer=False),
    Key("app", "app.security", "H", "app.security", "Handshakes", "TLS and its certificates, headers of WebSocket, proxy", footer=False),
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

_VIEWS = (
    Key("views", "views.previous", "backspace", "previous_filter", "Filter before", "Back to the filter before this one", footer=False),
    Key("views", "views.noise", "o", "toggle_noise", "Noise", "Hide pings, answered acks and $SYS, or show them again", footer=False),
    Key("views", "views.finding", "exclamation_mark", "next_finding", "Finding", "To the next packet with a warning or an error"),
    Key("views", "views.find", "ctrl+f", "find", "Find", "Find text, a pattern or bytes", footer=False),
    Key("views", "views.mark", "apostrophe", "next_mark", "Next mark", "To the next marked or commented packet", footer=False),
    Key("views", "views.again", "n", "again", "Next", "The next finding, mark or hit: whatever was gone to last", footer=False),
    Key("views", "views.back", "N", "again(True)", "Previous", "The one before", footer=False),
    Key("views", "views.answers", "i", "toggle_answers", "Answers", "Show the answers of what the filter selects, or not", footer=False),
)

_FILTER = (
    Key("filter", "filter.apply", "enter", "apply", "Apply", "Put the filter into force; an empty text shows everything"),
    Key("filter", "filter.complete", "tab,ctrl+space", "complete", "Complete", "Take the completion, or open the list of them"),
    Key("filter", "filter.earlier", "up", "earlier", "Earlier", "The completion above; without a list the filter before"),
    Key("filter", "filter.later", "down", "later", "Later", "The completion below; without a list the filter after", footer=False),
    Key("filter", "filter.save", "ctrl+s", "save", "Save", "Give the filter a name"),
    Key("filter", "filter.choose", "ctrl+o", "choose", "Saved", "Choose a saved or earlier filter"),
    Key("filter", "filter.clear", "ctrl+u", "clear_text", "Clear", "Empty the field"),
    Key("filter", "filter.leave", "escape", "leave", "Leave", "Leave the field; the filter in force stays"),
    Key("filter", "filter.help", "f1", "help", "Help", "How filters are written, and the traps: what looks right and is not"),
)

_INSPECTOR = (
    Key("inspector", "inspector.answer", "full_stop", "link(True)", "Answer", "To the packet that answers this one"),
    Key("inspector", "inspector.request", "comma", "link(False)", "Request", "To the packet that this one answers"),
    Key("inspector", "inspector.copy", "y", "copy", "Copy", "Copy the packet, the selected field or the payload"),
    Key(
        "inspector",
        "inspector.print",
        "Y",
        "copy(True)",
        "Print",
        "The same printed plainly: leaves the screen, Enter comes back",
        footer=False,
    ),
    Key("inspector", "inspector.payload", "v", "payload_view", "Payload", "Packet bytes, or the payload as text, JSON or hex"),
    Key("inspector", "inspector.swap", "vertical_line", "swap", "Tree/bytes", "Swap details and bytes"),
    Key("inspector", "inspector.zoom", "backslash", "zoom", "Zoom", "Give this part the whole pane, and back"),
    Key("inspector", "inspector.apply", "a", "apply_value", "Apply", "Only packets with this value; in the list, with this topic"),
    Key("inspector", "inspector.exclude", "minus", "exclude_value", "Exclude", "No packets with this value, on top of the filter"),
    Key("inspector", "inspector.combine", "A", "combine_value", "Combine", "Join this value to the filter by and, or, not", footer=False),
    Key("inspector", "inspector.conversation", "f", "follow_conversation", "Conversation", "Only request and answers", footer=False),
    Key("inspector", "inspector.follow", "F", "follow_choice", "Follow…", "Only a connection, topic, operation or message", footer=False),
    Key("inspector", "inspector.edit", "e", "edit", "Edit+send", "Edit the packet as fields or hex, and send it"),
    Key("inspector", "inspector.new", "E", "new_packet", "New packet", "New packet of any type, made by hand", footer=False),
    Key("inspector", "inspector.flow", "Q", "flow", "QoS flow", "An open QoS flow by hand: DUP, PUBREL, PUBCOMP, forget", footer=False),
    Key("inspector", "inspector.mark", "m", "mark", "Mark", "Mark the packet, or take the mark away", footer=False),
    Key("inspector", "inspector.comment", "semicolon", "comment", "Comment", "Write a comment on the packet", footer=False),
    Key("inspector", "inspector.columns", "C", "columns", "Columns", "Choose columns; in the details, the field as a column", footer=False),
    Key("inspector", "inspector.next", "J,ctrl+down", "next_packet", "Next", "The next packet, staying here", footer=False),
    Key("inspector", "inspector.previous", "K,ctrl+up", "previous_packet", "Previous", "The packet before, staying here", footer=False),
)

_PACKETS = (
    Key("packets", "packets.open", "enter,right,l", "open", "Open", "Open the details of the packet"),
    Key("packets", "packets.pause", "p", "pause", "Pause", "Stop showing new packets; recording goes on"),
    Key("packets", "packets.follow", "ctrl+e", "follow", "Follow", "Follow the newest packet (so do G and End)", footer=False),
    Key("packets", "packets.time", "t", "time_format", "Time", "Next time format: local, UTC, since reference, above, start"),
    Key("packets", "packets.reference", "T", "time_reference", "Time reference", "Make this packet the time reference", footer=False),
    Key("packets", "packets.hide", "X", "hide_older", "Hide older", "Hide the packets above this one (u brings them back)", footer=False),
    Key("packets", "packets.undo", "u", "undo_hide", "Undo", "Bring back what was hidden", footer=False),
    *_moves("packets")[:-1],
    Key("packets", "packets.last", "G,end", "last", "Follow", "To the newest packet, and follow"),
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
    Key(
        "publish",
        "publish.editor",
        "ctrl+g",
        "edit",
        "Editor",
        "Open the payload in $EDITOR; a line feed that it adds at the end is left out",
        footer=False,
    ),
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
    Key("form", "form.press", "enter", "press", "Type", "Type here, toggle, open or press the row"),
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

_EDIT = (
    Key("edit", "edit.send", "ctrl+s", "send", "Send", "Send the bytes on the open connection", priority=True),
    Key("edit", "edit.swap", "ctrl+e", "swap", "Fields/hex", "Edit as fields, or as hex", priority=True),
    Key("edit", "edit.first", "ctrl+o", "first", "Connect", "Send as the first bytes of a new connection", priority=True),
    Key("edit", "edit.repeat", "ctrl+t", "repeat", "Repeat", "Send again and again, with a pause between", priority=True),
    Key("edit", "edit.stop", "ctrl+c", "stop", "Stop", "Stop sending again and again", priority=True),
    Key("edit", "edit.part", "ctrl+n", "next_part", "Parts", "To the tree, to what followed, and back", priority=True),
    Key("edit", "edit.outside", "ctrl+g", "edit_outside", "$EDITOR", "Open the field, or the packet as hex, in $EDITOR", priority=True),
    Key("edit", "edit.restore", "ctrl+r", "restore", "Restore", "Back to the packet as it was opened", priority=True),
    Key("edit", "edit.leave", "escape,q", "leave", "Leave", "Leave; E brings the packet back as it is", footer=False),
    Key("edit", "edit.help", "f1,question_mark", "help", "Help", "Keys of this screen, then all keys", footer=False),
    Key("edit", "edit.palette", "ctrl+p,colon", "palette", "Everything", "What can be done here, by name", footer=False),
    Key("edit", "edit.next", "tab", "app.focus_next", "Next", "Next control", footer=False),
    Key("edit", "edit.previous", "shift+tab", "app.focus_previous", "Previous", "Previous control", footer=False),
)

_OPERATIONS = (
    Key("operations", "operations.open", "enter,right,l", "open", "Packets", "Show the first packet of this operation"),
    Key("operations", "operations.follow", "f", "ask('follow')", "Only this", "Only the packets of this operation"),
    Key("operations", "operations.which", "r", "ask('which')", "Open/failed", "All operations, the open ones, or the failed ones"),
    Key("operations", "operations.copy", "y", "ask('copy')", "Copy", "Copy the operation as Markdown: what, when, bytes, command"),
    Key(
        "operations",
        "operations.print",
        "Y",
        "ask('print')",
        "Print",
        "The same printed plainly: leaves the screen, Enter comes back",
        footer=False,
    ),
    *_moves("operations"),
)

_TIMING = (
    Key(
        "timing", "timing.check", "x", "ask('check')", "Test run", "Test run: how long does this broker take, with a connection of its own"
    ),
    Key("timing", "timing.slowest", "enter,right,l", "ask('slowest')", "Slowest", "Show the packet that ended the slowest round trip"),
    Key("timing", "timing.which", "r", "ask('which')", "Alone/all", "All connections, or only the one that stands"),
    Key("timing", "timing.copy", "y", "ask('copy')", "Copy", "Copy all of it as Markdown"),
    Key(
        "timing",
        "timing.print",
        "Y",
        "ask('print')",
        "Print",
        "The same printed plainly: leaves the screen, Enter comes back",
        footer=False,
    ),
    *_moves("timing"),
)

_CHECK = (
    Key("checklist", "checklist.mark", "space,enter", "mark", "Compare", "Compare with this one: another one beside it, phase by phase"),
    *_moves("checklist"),
    *_moves("checktable"),
    Key("check", "check.again", "x,ctrl+s", "again", "New run", "Ask for one more test run"),
    Key("check", "check.stop", "ctrl+c", "stop", "Stop", "Stop the test run that is under way"),
    Key("check", "check.copy", "y", "copy", "Copy", "Copy it as Markdown; with a second one both medians"),
    Key("check", "check.json", "J", "copy('json')", "Copy JSON", "Copy it as JSON, each run with its times", footer=False),
    Key(
        "check", "check.print", "Y", "copy('print')", "Print", "The same printed plainly: leaves the screen, Enter comes back", footer=False
    ),
    Key("check", "check.next", "tab", "app.focus_next", "Runs/times", "To the times, and back to the runs"),
    Key("check", "check.previous", "shift+tab", "app.focus_previous", "Previous", "The same the other way round", footer=False),
    Key("check", "check.leave", "escape,q", "leave", "Back", "Back to where one was; a run goes on"),
    Key("check", "check.help", "question_mark,f1", "help", "Help", "Keys of this screen, then all keys", footer=False),
    Key("check", "check.palette", "colon,ctrl+p", "palette", "Everything", "What can be done here, by name", footer=False),
)

_FINDINGS = (
    Key("findings", "findings.open", "enter,right,l", "open", "Packet", "Show the latest packet with this finding"),
    Key("findings", "findings.follow", "f", "ask('follow')", "Only these", "Only the packets with this finding"),
    Key("findings", "findings.mute", "m,space", "ask('mute')", "Mute", "Count and show this check no more, or again"),
    Key("findings", "findings.rest", "r", "ask('which')", "Notes", "Notes and life-cycle remarks too, or not"),
    Key("findings", "findings.copy", "y", "ask('copy')", "Copy", "Copy the finding as Markdown: what, when, bytes, command"),
    Key(
        "findings",
        "findings.print",
        "Y",
        "ask('print')",
        "Print",
        "The same printed plainly: leaves the screen, Enter comes back",
        footer=False,
    ),
    *_moves("findings"),
)

_FOLLOWED = (
    Key("followed", "followed.open", "enter", "open", "Show", "Leave, and show this packet in the packet list"),
    *_moves("followed"),
)

_WHY = (
    Key("attempts", "attempts.mark", "space,enter", "mark", "Compare", "Compare with this attempt: another one beside it, phase by phase"),
    *_moves("attempts"),
    *_moves("waterfall"),
    Key("why", "why.fix", "f8", "fix", "Apply fix", "Apply the likely fix of the failure and try again"),
    Key("why", "why.copy", "y", "copy", "Copy", "Copy the attempt as Markdown; with a second one both, compared"),
    Key("why", "why.print", "Y", "copy(True)", "Print", "The same printed plainly: leaves the screen, Enter comes back", footer=False),
    Key("why", "why.next", "tab", "app.focus_next", "Other half", "To the phases, and back to the attempts"),
    Key("why", "why.previous", "shift+tab", "app.focus_previous", "Previous", "The same the other way round", footer=False),
    Key("why", "why.leave", "escape,q,D", "leave", "Back", "Back to where one was"),
    Key("why", "why.help", "question_mark,f1", "help", "Help", "Keys of this screen, then all keys", footer=False),
    Key("why", "why.palette", "colon,ctrl+p", "palette", "Everything", "What can be done here, by name", footer=False),
)

_REPORT = (
    Key("report", "report.copy", "y", "copy", "Copy", "Copy the lines as text"),
    Key(
        "report", "report.print", "Y", "copy(True)", "Print", "The same printed plainly: leaves the screen, Enter comes back", footer=False
    ),
    Key("report", "report.stop", "ctrl+c", "stop", "Stop", "Stop what is reported here, if it still goes on"),
    Key("report", "report.leave", "escape,q", "leave", "Back", "Back to where one was"),
    Key("report", "report.help", "question_mark,f1", "help", "Help", "Keys of this screen, then all keys", footer=False),
    Key("report", "report.palette", "colon,ctrl+p", "palette", "Everything", "What can be done here, by name", footer=False),
    Key("report", "report.up", "up,k", "up", "Up", "One line up", footer=False),
    Key("report", "report.down", "down,j", "down", "Down", "One line down", footer=False),
    Key("report", "report.page_up", "pageup,ctrl+u", "page_up", "Page up", "One page up", footer=False),
    Key("report", "report.page_down", "pagedown,ctrl+d,space", "page_down", "Page down", "One page down", footer=False),
)

_PROFILES = (
    Key("profiles", "profiles.load", "enter", "load", "Form", "Fill the form with this profile"),
    Key("profiles", "profiles.connect", "ctrl+s", "connect", "Connect", "Fill the form, and connect", priority=True),
    Key("profiles", "profiles.new", "ctrl+n", "new", "Save", "Save the form as a new profile", priority=True),
    Key("profiles", "profiles.more", "ctrl+o", "more", "More", "Duplicate, rename, delete, default, import, export", priority=True),
    Key("profiles", "profiles.edit", "ctrl+e", "edit", "Edit", "Edit the file in $EDITOR; mistakes are shown by line", priority=True),
    Key("profiles", "profiles.up", "up", "move(-1)", "Up", "One row up", footer=False, priority=True),
    Key("profiles", "profiles.down", "down", "move(1)", "Down", "One row down", footer=False, priority=True),
    Key("profiles", "profiles.page_up", "pageup", "move(-10)", "Page up", "Ten rows up", footer=False, priority=True),
    Key("profiles", "profiles.page_down", "pagedown", "move(10)", "Page down", "Ten rows down", footer=False, priority=True),
    Key("profiles", "profiles.leave", "escape", "leave", "Leave", "Leave", footer=False),
)

KEYS: tuple[Key, ...] = (
    *_APP,
    *_VIEWS,
    *_FILTER,
    *_INSPECTOR,
    *_PACKETS,
    *_DETAILS,
    *_BYTES,
    *_PAYLOAD,
    *_CONNECTION,
    *_SUBSCRIPTIONS,
    *_PUBLISH,
    *_FORM,
    *_OPERATIONS,
    *_TIMING,
    *_CHECK,
    *_FINDINGS,
    *_EDIT,
    *_FOLLOWED,
    *_PROFILES,
    *_WHY,
    *_REPORT,
)


FOOTER_FIRST = (
    "app.filter",
    "views.finding",
    "inspector.answer",
    "inspector.edit",
    "inspector.copy",
    "operations.copy",
    "timing.check",
    "timing.copy",
    "findings.copy",
    "packets.pause",
    "packets.last",
)
"""In the views these stand first in the footer, in this order; the others follow as the scopes do."""


def in_footer_order(keys: Sequence[Key]) -> list[Key]:
    """The keys of a view, those first that matter most."""
    first = {name: place for place, name in enumerate(FOOTER_FIRST)}
    return sorted(keys, key=lambda key: first.get(key.id, len(first)))


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
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
    "backslash": "\\",
    "asterisk": "*",
    "slash": "/",
    "minus": "-",
    "backspace": "Backspace",
    "exclamation_mark": "!",
    "apostrophe": "'",
    "semicolon": ";",
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
