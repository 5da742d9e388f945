"""The user's filters: a name for one, and the list of saved and earlier ones."""

from __future__ import annotations

from collections.abc import Callable
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

from mqtttui.config.saved_filters import MAX_NAME, Kept
from mqtttui.text import printable
from mqtttui.ui.content import fit, join
from mqtttui.ui.widgets.escaped_input import EscapedInput
from mqtttui.ui.widgets.lines import LineView

_NAME = 24
_EARLIER = 50
"""Earlier filters that are listed."""


class SavePrompt(ModalScreen[str | None]):
    """Asks for the name of a filter; gives it, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", show=False)]

    def __init__(self, text: str, kept: Kept) -> None:
        super().__init__()
        self._text = text
        self._kept = kept

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static("Save filter", classes="dialog-title", markup=False)
            yield Static(join((self._text, "$generated")), classes="dialog-body", markup=False)
            yield EscapedInput(placeholder="a name", max_length=MAX_NAME, id="filter-name")
            yield Static(id="filter-name-check", classes="dialog-body", markup=False)

    def on_mount(self) -> None:
        self._check()
        self.query_one(EscapedInput).focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        self._check()

    def _check(self) -> None:
        name = self.chosen_name
        before = next((saved for saved in self._kept.saved if saved.name == name), None)
        words = (
            f"Enter replaces the filter of that name: {before.text}"
            if before
            else "Enter saves, Esc leaves"
            if name
            else "type a name; Esc leaves"
        )
        self.query_one("#filter-name-check", Static).update(join((words, "$state-warn" if before else "$dimmed")))

    @property
    def chosen_name(self) -> str:
        """What was typed, as it will be saved."""
        return printable(self.query_one(EscapedInput).value.strip())[:MAX_NAME]

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if self.chosen_name:
            self.dismiss(self.chosen_name)

    def action_leave(self) -> None:
        """Save nothing."""
        self.dismiss(None)


class FilterList(LineView):
    """Saved filters by name, then earlier ones."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"choice--key"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "up", show=False),
        Binding("down,j", "down", show=False),
        Binding("pageup", "page_up", show=False),
        Binding("pagedown", "page_down", show=False),
        Binding("home,g", "first", show=False),
        Binding("end,G", "last", show=False),
        Binding("enter", "choose(False)", show=False),
        Binding("e,slash", "choose(True)", show=False),
        Binding("delete,d", "remove", show=False),
    ]

    @dataclass
    class Chosen(Message):
        """A filter was chosen; with `edit` to be changed first."""

        text: str
        edit: bool

    @dataclass
    class Removed(Message):
        """A filter is to be forgotten."""

        name: str
        """Empty for an earlier one."""
        text: str

    def __init__(self, kept: Kept) -> None:
        super().__init__()
        self._rows: list[tuple[str, str]] = []
        self.show(kept)

    def show(self, kept: Kept) -> None:
        """Other filters."""
        self._rows = [*((saved.name, saved.text) for saved in kept.saved), *(("", text) for text in kept.history[:_EARLIER])]
        self.place()
        self.place(cursor=self.cursor)

    @property
    def row_count(self) -> int:
        return len(self._rows)

    def row_activated(self) -> None:
        self.action_choose(False)

    def action_choose(self, edit: bool) -> None:
        """Take the filter under the cursor."""
        if self._rows:
            self.post_message(self.Chosen(self._rows[self.cursor][1], edit))

    def action_remove(self) -> None:
        """Forget the filter under the cursor."""
        if self._rows:
            self.post_message(self.Removed(*self._rows[self.cursor]))

    def row(self, index: int, width: int) -> Strip:
        name, text = self._rows[index]
        named = any(row[0] for row in self._rows)
        first = Segment(" " + fit(name or "earlier", _NAME) + " ", self.style_of("choice--key" if name else "line--dimmed"))
        used = _NAME + 3 if named else 2
        return Strip([self.cursor_mark(index), first if named else Segment(" "), Segment(fit(text, max(0, width - used)))])


class FilterChoices(ModalScreen[tuple[str, bool] | None]):
    """Chooses a filter: gives its text and whether it is to be changed first, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "leave", show=False), Binding("u", "undo", show=False)]

    def __init__(self, kept: Kept, change: Callable[[Callable[[Kept], Kept]], None]) -> None:
        """`change` makes a change last."""
        super().__init__()
        self._kept = kept
        self._change = change
        self._removed: list[Callable[[Kept], Kept]] = []

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -tall"):
            yield Static("Filters", classes="dialog-title", markup=False)
            yield FilterList(self._kept)
            yield Static(id="filters-hint", classes="dialog-body", markup=False)

    def on_mount(self) -> None:
        self._show()

    def _show(self) -> None:
        self.query_one(FilterList).show(self._kept)
        empty = not self._kept.saved and not self._kept.history
        words = "none yet: ctrl+s in the filter field saves one" if empty else "Enter applies  e edits  Del removes  Esc leaves"
        self.query_one("#filters-hint", Static).update(
            join((words + ("  u brings back what was removed" if self._removed else ""), "$dimmed"))
        )

    def on_filter_list_chosen(self, event: FilterList.Chosen) -> None:
        self.dismiss((event.text, event.edit))

    def on_filter_list_removed(self, event: FilterList.Removed) -> None:
        if event.name:
            saved = next(saved for saved in self._kept.saved if saved.name == event.name)
            self._removed.append(lambda kept: kept.restored(saved))
            self._do(lambda kept: kept.without(event.name))
        else:
            at = self._kept.history.index(event.text)
            self._removed.append(lambda kept: kept.with_earlier(event.text, at))
            self._do(lambda kept: kept.without_earlier(event.text))

    def action_undo(self) -> None:
        """Bring back what was removed last."""
        if self._removed:
            self._do(self._removed.pop())

    def _do(self, change: Callable[[Kept], Kept]) -> None:
        self._kept = change(self._kept)
        self._change(change)
        self._show()

    def action_leave(self) -> None:
        """Choose nothing."""
        self.dismiss(None)
