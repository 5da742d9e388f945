"""A dialog made of a form: rows to fill in, what is wrong with them, and one value in the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from mqtttui.ui.content import join
from mqtttui.ui.forms.rows import FormError, Row
from mqtttui.ui.widgets.form import Form

T = TypeVar("T")
GO = "go"
"""Id of the action row that does the same as ctrl+s."""


class FormDialog(ModalScreen[T | None], Generic[T]):
    """Asks for several things at once; gives a value, or None. Enter in the first row, ctrl+s and the last row take it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False),
        Binding("ctrl+s", "take", show=False, priority=True),
    ]

    def __init__(self, heading: str, hint: str) -> None:
        super().__init__()
        self._heading = heading
        self._hint = hint
        self._form = Form(label_width=14)

    # What a subclass gives

    def rows(self) -> Sequence[Row]:
        """The rows as they are now. The first one is a text."""
        raise NotImplementedError

    def change(self, row: str, value: str) -> None:
        """A value was typed or chosen."""
        raise NotImplementedError

    def value(self) -> T:
        """What the rows say. Raises FormError."""
        raise NotImplementedError

    # The dialog

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog form-dialog"):
            yield Static(self._heading, classes="dialog-title", markup=False)
            yield self._form
            yield Static(id="dialog-check", markup=False)

    def on_mount(self) -> None:
        self._form.rows = self.rows()
        self._say(None)
        self._form.go(self._form.rows[0].id)

    def show(self) -> None:
        """Draw the rows again, and whether they will do."""
        self._form.rows = self.rows()
        try:
            self.value()
        except FormError as problem:
            self._say(problem)
        else:
            self._say(None)

    def _say(self, problem: FormError | None) -> None:
        words = join((self._hint, "$dimmed")) if problem is None else join((problem.text, "$state-bad"))
        self.query_one("#dialog-check", Static).update(words)

    def on_form_changed(self, event: Form.Changed) -> None:
        event.stop()
        self.change(event.row, event.value)
        self.show()

    def on_form_pressed(self, event: Form.Pressed) -> None:
        event.stop()
        if event.row in (GO, self._form.rows[0].id):
            self.action_take()

    def action_take(self) -> None:
        """Take what the rows say."""
        try:
            value = self.value()
        except FormError as problem:
            self._say(problem)
            self._form.go(problem.field)
        else:
            self.dismiss(value)

    def action_leave(self) -> None:
        """Nothing."""
        self.dismiss(None)


def toggled(value: str) -> bool:
    """`on` or `off` of a toggle."""
    return value == "on"
