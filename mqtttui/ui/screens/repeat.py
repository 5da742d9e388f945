"""The repeat prompt: how often, and how far apart."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from mqtttui.ui.content import join
from mqtttui.ui.forms.rows import FormError, parse_number
from mqtttui.ui.widgets.escaped_input import EscapedInput

_MOST = 1_000_000
_LONGEST_MS = 3_600_000


class RepeatPrompt(ModalScreen[tuple[int, float] | None]):
    """Asks for a number of times and for the milliseconds between two; gives times and seconds, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", show=False)]

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static("Send again and again", classes="dialog-title", markup=False)
            yield Static("how often", classes="repeat-label", markup=False)
            yield EscapedInput("10", id="repeat-times")
            yield Static("milliseconds from one to the next, 0 for as fast as it goes", classes="repeat-label", markup=False)
            yield EscapedInput("100", id="repeat-spacing")
            yield Static(id="repeat-check", markup=False)

    def on_mount(self) -> None:
        self._show()
        self.query_one("#repeat-times", EscapedInput).focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        self._show()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        try:
            self.dismiss(self._values())
        except FormError:
            self._show()

    def action_leave(self) -> None:
        """Send nothing."""
        self.dismiss(None)

    def _values(self) -> tuple[int, float]:
        times = parse_number(self.query_one("#repeat-times", EscapedInput).value, "times", 1, _MOST)
        spacing = parse_number(self.query_one("#repeat-spacing", EscapedInput).value, "spacing", 0, _LONGEST_MS)
        return times, spacing / 1000

    def _show(self) -> None:
        check = self.query_one("#repeat-check", Static)
        try:
            times, spacing = self._values()
        except FormError as problem:
            check.update(join((problem.text, "$state-bad")))
            return
        took = (times - 1) * spacing
        words = f"{times:,} times{f' within {took:,.1f} s' if took else ''}. Enter sends, Esc leaves, ctrl+c stops it on the way"
        check.update(join((words, "$dimmed")))
