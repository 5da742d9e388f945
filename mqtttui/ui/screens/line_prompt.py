"""A prompt for one line of text: a comment, a name, a path."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from mqtttui.text import EscapeError
from mqtttui.ui.content import join
from mqtttui.ui.widgets.escaped_input import EscapedInput


def _fine(text: str) -> str:
    return ""


class LinePrompt(ModalScreen[str | None]):
    """Asks for a line; gives the text that it stands for, or None. `check` says why a text will not do."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", show=False)]

    def __init__(self, title: Content, hint: str, value: str = "", *, placeholder: str = "", check: Callable[[str], str] = _fine) -> None:
        """`value` is visible text to begin with."""
        super().__init__()
        self._heading = title
        self._hint = hint
        self._value = value
        self._placeholder = placeholder
        self._check = check

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(self._heading, classes="dialog-title", markup=False)
            yield EscapedInput(self._value, placeholder=self._placeholder, id="line")
            yield Static(join((self._hint, "$dimmed")), id="line-check", classes="dialog-body", markup=False)

    def on_mount(self) -> None:
        self.query_one("#line").focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        text, problem = self._read()
        shown = join((problem, "$state-bad")) if problem and text is not None else join((self._hint, "$dimmed"))
        self.query_one("#line-check", Static).update(shown)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        text, problem = self._read()
        if problem or text is None:
            self.query_one("#line-check", Static).update(join((problem, "$state-bad")))
        else:
            self.dismiss(text)

    def action_leave(self) -> None:
        """Nothing."""
        self.dismiss(None)

    def _read(self) -> tuple[str | None, str]:
        try:
            text = self.query_one("#line", EscapedInput).value_bytes.decode("utf-8", "surrogateescape")
        except EscapeError as error:
            return None, str(error)
        return text, self._check(text)
