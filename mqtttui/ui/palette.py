"""The palette: every action of the table of bindings, the themes, and commands that are typed (`123`, `w FILE`, `q`).

It is made for fast typing: the list follows each keystroke at once, Enter takes the first hit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widgets import Input, Static

from mqtttui import text
from mqtttui.config.saved_filters import SavedFilter
from mqtttui.ui.bindings import KEYS, SCOPES, key_label
from mqtttui.ui.content import fit
from mqtttui.ui.widgets.escaped_input import EscapedInput
from mqtttui.ui.widgets.lines import LineView


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that the palette can do."""

    id: str
    """Id of a binding, `theme:NAME`, `filter:TEXT`, `goto:NUMBER`, `write:FILE` or `quit`."""
    title: str
    detail: str = ""
    keys: str = ""
    words: str = ""
    """What a search looks at, lower case."""


def entries(themes: Sequence[str], usable: Callable[[str], bool], filters: Sequence[SavedFilter] = ()) -> tuple[Entry, ...]:
    """Every action whose scope is `usable` now, saved filters and themes. Movements of a cursor are left out."""
    out: list[Entry] = []
    for key in KEYS:
        if _is_move(key.action) or not usable(key.scope):
            continue
        scope = SCOPES.get(key.scope, key.scope.capitalize())
        out.append(Entry(key.id, key.help, scope, key_label(key.keys), f"{key.label} {key.help} {key.id} {scope}".lower()))
    for saved in filters:
        out.append(Entry(f"filter:{saved.text}", f"Filter {saved.name}: {saved.text}", "", "", f"filter {saved.name} {saved.text}".lower()))
    for theme in themes:
        shown = text.visible(theme)
        out.append(Entry(f"theme:{theme}", f"Theme {shown}", "", "", f"theme {shown}".lower()))
    return tuple(out)


def search(all_entries: Sequence[Entry], query: str) -> list[Entry]:
    """What `query` asks for, best first: typed commands, then entries that contain all of its words."""
    typed = query.strip().removeprefix(":").strip()
    query = typed.lower()
    if not query:
        return list(all_entries)
    out: list[Entry] = []
    if query.startswith("w "):
        out.append(Entry(f"write:{typed[2:].strip()}", f"Write packets to {typed[2:].strip()}"))
    digits = query.replace(",", "")
    if digits.isascii() and digits.isdigit() and len(digits) < 16:
        out.append(Entry(f"goto:{int(digits)}", f"Go to packet {int(digits):,}"))
    if query in ("q", "quit"):
        out.append(Entry("quit", "Quit"))
    words = query.split()
    hits = [entry for entry in all_entries if all(word in entry.words for word in words)]
    return [*out, *sorted(hits, key=lambda entry: _rank(entry, query))]


def _rank(entry: Entry, query: str) -> tuple[int, int]:
    title = entry.title.lower()
    return (0 if entry.words.startswith(query) else 1 if title.startswith(query) else 2, entry.words.find(query))


def _is_move(action: str) -> bool:
    return action in {"up", "down", "left", "right", "page_up", "page_down", "half_up", "half_down", "first"} or "focus_" in action


class EntryList(LineView):
    """The hits."""

    can_focus = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"choice--key"}

    @dataclass
    class Clicked(Message):
        """A hit was clicked."""

        entry: Entry

    def __init__(self) -> None:
        super().__init__()
        self._entries: list[Entry] = []

    @property
    def row_count(self) -> int:
        return len(self._entries)

    @property
    def current(self) -> Entry | None:
        """The hit under the cursor."""
        return self._entries[self.cursor] if self.cursor < len(self._entries) else None

    def show(self, found: list[Entry]) -> None:
        """Other hits; the first one is selected."""
        self._entries = found
        self.place(top=0, cursor=0)

    def clicked(self, index: int, x: int) -> None:
        self.post_message(self.Clicked(self._entries[index]))

    def row(self, index: int, width: int) -> Strip:
        entry = self._entries[index]
        detail = fit(entry.detail, 14) if width > 60 else ""
        return Strip(
            [
                self.cursor_mark(index),
                Segment(" " + fit(entry.title, width - 12 - len(detail)) + " "),
                Segment(detail, self.style_of("line--dimmed")),
                Segment(fit(entry.keys, 9, right=True), self.style_of("choice--key")),
            ]
        )


class Palette(ModalScreen[str | None]):
    """Finds an action by name; gives the id of an entry, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False),
        Binding("up,ctrl+p", "move(-1)", show=False, priority=True),
        Binding("down,ctrl+n", "move(1)", show=False, priority=True),
        Binding("pageup", "move(-10)", show=False, priority=True),
        Binding("pagedown", "move(10)", show=False, priority=True),
    ]

    def __init__(self, all_entries: Sequence[Entry]) -> None:
        super().__init__()
        self._all = all_entries
        self._shown = ""
        self._hits = EntryList()

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -tall"):
            yield EscapedInput(placeholder="an action, a packet number, q", id="palette-input")
            yield self._hits
            yield Static("Nothing has this name. Backspace takes words away; ? lists every key.", id="palette-nothing", markup=False)

    def on_mount(self) -> None:
        self._show("")
        self.query_one("#palette-input").focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        self._show(event.value)

    def _show(self, query: str) -> None:
        self._shown = query
        found = search(self._all, query)
        self._hits.show(found)
        self._hits.display = bool(found)
        self.query_one("#palette-nothing").display = not found

    def on_input_submitted(self, event: Input.Submitted) -> None:
        # The list is made from the text as it is now: the change of the last keystroke may still be on its way.
        if event.value != self._shown:
            self._show(event.value)
        current = self._hits.current
        if current is not None:
            self.dismiss(current.id)

    def on_entry_list_clicked(self, event: EntryList.Clicked) -> None:
        self.dismiss(event.entry.id)

    def action_move(self, rows: int) -> None:
        """Another hit."""
        self._hits.move_to(self._hits.cursor + rows)

    def action_leave(self) -> None:
        """Nothing."""
        self.dismiss(None)
