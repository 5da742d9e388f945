"""The find prompt: what to look for, how it is meant, and where."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from mqtttui.ui.content import Part, join
from mqtttui.ui.search import Kind, Search, SearchError, Where, hit_test
from mqtttui.ui.widgets.escaped_input import EscapedInput

E = TypeVar("E", Kind, Where)
_CHOICE = 9
"""Cells of a choice."""


class FindPrompt(ModalScreen[Search | None]):
    """Asks what to find; gives a search that was checked, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False),
        Binding("up", "kind", show=False),
        Binding("down", "where", show=False),
    ]

    def __init__(self, search: Search) -> None:
        """`search` is the one before, to begin with."""
        super().__init__()
        self._search = search

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static("Find a packet", classes="dialog-title", markup=False)
            yield EscapedInput(self._search.words, placeholder="a word, a pattern, or 30 0e …", id="find-words")
            yield Static(id="find-check", classes="dialog-body", markup=False)
            yield Static(id="find-how", classes="dialog-body", markup=False)

    def on_mount(self) -> None:
        self._show()
        words = self.query_one("#find-words", EscapedInput)
        words.focus()
        words.select_all()

    def on_input_changed(self, event: Input.Changed) -> None:
        self._search = replace(self._search, words=event.value)
        self._show()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self._search = replace(self._search, words=event.value)
        if not self._problem():
            self.dismiss(self._search)

    def action_kind(self) -> None:
        """The next kind of search."""
        kind = _next(Kind, self._search.kind)
        # Bytes are looked for where bytes are.
        self._search = replace(self._search, kind=kind, where=Where.BYTES if kind is Kind.HEX else self._search.where)
        self._show()

    def action_where(self) -> None:
        """The next place to search."""
        if self._search.kind is not Kind.HEX:
            self._search = replace(self._search, where=_next(Where, self._search.where))
        self._show()

    def action_leave(self) -> None:
        """Find nothing."""
        self.dismiss(None)

    def _problem(self) -> str:
        try:
            hit_test(self._search)
        except SearchError as error:
            return str(error)
        return ""

    def _show(self) -> None:
        problem = self._problem() if self._search.words else ""
        words = join((problem, "$state-bad")) if problem else join(("Enter finds, n and N go on, Esc leaves", "$dimmed"))
        self.query_one("#find-check", Static).update(words)
        how: list[Part] = [("↑ as ", "$dimmed"), *_choices(Kind, self._search.kind), "\n"]
        how += [("↓ in ", "$dimmed"), *_choices(Where, self._search.where)]
        self.query_one("#find-how", Static).update(join(*how))


def _next(kind: type[E], member: E) -> E:
    members = list(kind)
    return members[(members.index(member) + 1) % len(members)]


def _choices(kind: type[Enum], chosen: Enum) -> list[Part]:
    return [
        (
            f"[{member.value}]".ljust(_CHOICE) if member is chosen else f" {member.value}".ljust(_CHOICE),
            "bold" if member is chosen else "$dimmed",
        )
        for member in kind
    ]
