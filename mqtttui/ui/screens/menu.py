"""A small dialog: a title, some lines, and choices by letter, cursor or mouse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widgets import Static

from mqtttui.ui.content import fit
from mqtttui.ui.widgets.lines import LineView


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of a menu."""

    key: str
    """The letter that chooses it."""
    label: str
    value: str
    detail: str = ""
    """Paler words after the label."""


class ChoiceList(LineView):
    """The choices of a menu."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"choice--key"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "up", show=False),
        Binding("down,j", "down", show=False),
        Binding("home", "first", show=False),
        Binding("end", "last", show=False),
        Binding("enter", "choose", show=False),
    ]

    @dataclass
    class Chosen(Message):
        """A choice was made."""

        choice: Choice

    def __init__(self, choices: Sequence[Choice], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._choices = choices

    @property
    def row_count(self) -> int:
        return len(self._choices)

    def on_mount(self) -> None:
        self.styles.height = len(self._choices)

    def clicked(self, index: int, x: int) -> None:
        self.place(cursor=index)
        self.action_choose()

    def action_choose(self) -> None:
        """Take the choice under the cursor."""
        self.post_message(self.Chosen(self._choices[self.cursor]))

    def on_key(self, event: events.Key) -> None:
        for choice in self._choices:
            if event.character is not None and event.character == choice.key:
                event.stop()
                event.prevent_default()
                self.post_message(self.Chosen(choice))
                return

    def row(self, index: int, width: int) -> Strip:
        choice = self._choices[index]
        label_cells = max(len(other.label) for other in self._choices)
        return Strip(
            [
                self.cursor_mark(index),
                Segment(f" {choice.key}  ", self.style_of("choice--key")),
                Segment(f"{choice.label:<{label_cells}}  "),
                Segment(fit(choice.detail, width - label_cells - 7), self.style_of("line--dimmed")),
            ]
        )


class Menu(ModalScreen[str | None]):
    """Asks for one of several things; gives its value, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "leave", show=False)]

    def __init__(self, title: Content, choices: Sequence[Choice], body: Content | None = None) -> None:
        super().__init__()
        self._heading = title
        self._body = body
        self._choices = choices

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(self._heading, classes="dialog-title", markup=False)
            if self._body is not None:
                yield Static(self._body, classes="dialog-body", markup=False)
            yield ChoiceList(self._choices)

    def on_choice_list_chosen(self, event: ChoiceList.Chosen) -> None:
        self.dismiss(event.choice.value)

    def action_leave(self) -> None:
        """Choose nothing."""
        self.dismiss(None)
