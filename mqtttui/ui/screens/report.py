"""Lines to read that may change while they are read: limits, what was found in a session, how a connection is secured."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from mqtttui.ui.bindings import bindings_for
from mqtttui.ui.screens.keyed_modal import KeyedModal
from mqtttui.ui.widgets.read_view import Line, ReadView

_LOOK_SECONDS = 0.25


class ReportScreen(KeyedModal[None]):
    """Shows what `lines` gives, again and again."""

    SCOPE = "report"
    BINDINGS = bindings_for("report")

    def __init__(
        self,
        title: str,
        lines: Callable[[], Sequence[Line]],
        give_out: Callable[[str, bool], Awaitable[str]],
        stop: Callable[[], bool] | None = None,
        text: Callable[[], str] | None = None,
    ) -> None:
        """`give_out` copies or plainly prints a text and says where it went; `stop` ends what is reported, False if it is over.

        `text`: what is copied, if it is more than the lines.
        """
        super().__init__(give_out)
        self._heading = title
        self._make = lines
        self._stop = stop
        self._text = text
        self._view = ReadView(wrap=True, id="report-lines")

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -tall"):
            yield Static(self._heading, classes="dialog-title", markup=False)
            yield self._view
            yield self.key_line

    def on_mount(self) -> None:
        self.look()
        self._view.focus()
        self.set_interval(_LOOK_SECONDS, self.look)

    def look(self) -> None:
        """Again, if something has changed."""
        lines = self._make()
        if list(lines) != list(self._view.lines):
            self._view.lines = lines

    def action_up(self) -> None:
        """One line up."""
        self._view.scroll_up(animate=False)

    def action_down(self) -> None:
        """One line down."""
        self._view.scroll_down(animate=False)

    def action_page_up(self) -> None:
        """One page up."""
        self._view.scroll_page_up(animate=False)

    def action_page_down(self) -> None:
        """One page down."""
        self._view.scroll_page_down(animate=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Not every report can be stopped."""
        return action != "stop" or self._stop is not None

    def action_stop(self) -> None:
        """End what is reported."""
        if self._stop is not None and not self._stop():
            self.key_line.message = "it is over already"

    def action_copy(self, plain: bool = False) -> None:
        """The lines as text; with `plain` printed on the terminal."""
        self.hand_out(self._view.text if self._text is None else self._text(), plain=plain)
