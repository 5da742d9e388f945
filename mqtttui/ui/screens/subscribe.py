"""The subscribe prompt: a topic filter, checked while it is typed, and a QoS."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from mqtttui.protocol.enums import Version
from mqtttui.protocol.packets import TopicRequest
from mqtttui.protocol.topics import check_filter
from mqtttui.text import EscapeError
from mqtttui.ui.content import Part, as_whom, join
from mqtttui.ui.forms.subscribe import breadth_words
from mqtttui.ui.widgets.escaped_input import EscapedInput

_WORDS = ("at most once", "at least once", "exactly once")


class SubscribePrompt(ModalScreen[TopicRequest | None]):
    """Asks for one filter; gives a request, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False),
        Binding("up", "qos(1)", show=False),
        Binding("down", "qos(-1)", show=False),
    ]

    def __init__(self, version: Version, name: str = "") -> None:
        """`name`: what the connection is called where there are several; visible text."""
        super().__init__()
        self._heading = f"Subscribe{as_whom(name)}"
        self._version = version
        self._qos = 0

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(self._heading, classes="dialog-title", markup=False)
            yield EscapedInput(placeholder="topic filter: sensors/+/temp, # for everything", id="filter")
            yield Static(id="filter-check", markup=False)
            yield Static(id="filter-qos", markup=False)

    def on_mount(self) -> None:
        self._show("")
        self.query_one("#filter").focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        self._show(self._problem())

    def on_input_submitted(self, event: Input.Submitted) -> None:
        problem = self._problem()
        if problem:
            self._show(problem)
            return
        raw = self.query_one("#filter", EscapedInput).value_bytes
        self.dismiss(TopicRequest(_text(raw), qos=self._qos))

    def action_qos(self, step: int) -> None:
        """A higher or lower QoS."""
        self._qos = min(2, max(0, self._qos + step))
        self._show(self._problem() if self.query_one("#filter", EscapedInput).value else "")

    def action_leave(self) -> None:
        """Subscribe to nothing."""
        self.dismiss(None)

    def _problem(self) -> str:
        try:
            raw = self.query_one("#filter", EscapedInput).value_bytes
        except EscapeError as error:
            return str(error)
        return check_filter(raw, self._version) or ""

    def _show(self, problem: str) -> None:
        check = self.query_one("#filter-check", Static)
        filter = self.query_one("#filter", EscapedInput)
        broad = breadth_words(filter.value_bytes, self._version) if not problem and filter.value else ""
        words: list[Part] = [(problem, "$state-bad")] if problem else [(f"{broad}\n", "$state-warn")] if broad else []
        check.update(join(*words, "" if problem else ("Enter subscribes, Esc leaves", "$dimmed")))
        qos = join(f"QoS {self._qos} ", (f"{_WORDS[self._qos]}   ↑ ↓ change it", "$dimmed"))
        self.query_one("#filter-qos", Static).update(qos)


def _text(raw: bytes) -> str | bytes:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw
