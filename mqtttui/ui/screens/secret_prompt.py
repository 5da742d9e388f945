"""Asks for a secret; what is typed shows as dots."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from mqtttui.text import EscapeError
from mqtttui.ui.content import join
from mqtttui.ui.widgets.escaped_input import EscapedInput

_HINT = r"Enter takes it, Esc leaves; a byte is \xNN"


class SecretPrompt(ModalScreen[bytes | None]):
    """Gives the secret, which may be empty, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", show=False)]

    def __init__(self, title: str, body: str) -> None:
        """Both are visible text."""
        super().__init__()
        self._heading = title
        self._body = body

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(self._heading, classes="dialog-title", markup=False)
            yield Static(self._body, classes="dialog-body", markup=False)
            yield EscapedInput(password=True, id="secret")
            yield Static(join((_HINT, "$dimmed")), id="line-check", classes="dialog-body", markup=False)

    def on_mount(self) -> None:
        self.query_one("#secret").focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        try:
            secret = self.query_one("#secret", EscapedInput).value_bytes
        except EscapeError as error:
            self.query_one("#line-check", Static).update(join((str(error), "$state-bad")))
        else:
            self.dismiss(secret)

    def action_leave(self) -> None:
        """Give nothing."""
        self.dismiss(None)
