"""Lines to read that may change while they are read: limits, what was found in a session, how a connection is secured."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from mqtttui.ui.bindings import bindings_for, keys_of
from mqtttui.ui.palette import Palette, entries
from mqtttui.ui.screens.help import HelpScreen
from mqtttui.ui.widgets.bars import KeyLine
from mqtttui.ui.widgets.read_view import Line, ReadView

_LOOK_SECONDS = 0.25


class ReportScreen(ModalScreen[None], inherit_bindings=False):
    """Shows what `lines` gives, again and again."""

    SCOPE: ClassVar[str] = "report"
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
        super().__init__()
        self._heading = title
        self._make = lines
        self._give_out = give_out
        self._stop = stop
        self._text = text
        self._view = ReadView(wrap=True, id="report-lines")
        self._keys = KeyLine(id="report-keys")

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -tall"):
            yield Static(self._heading, classes="dialog-title", markup=False)
            yield self._view
            yield self._keys

    def on_mount(self) -> None:
        self._keys.keys = tuple(key for key in keys_of(self.SCOPE) if key.footer and (self._stop is not None or key.action != "stop"))
        self.look()
        self._view.focus()
        self.set_interval(_LOOK_SECONDS, self.look)

    def look(self) -> None:
        """Again, if something has changed."""
        lines = self._make()
        if list(lines) != list(self._view.lines):
            self._view.lines = lines

    async def on_key_line_pressed(self, event: KeyLine.Pressed) -> None:
        event.stop()
        await self.app.run_action(event.key.action, default_namespace=self)

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

    def action_stop(self) -> None:
        """End what is reported."""
        if self._stop is not None and not self._stop():
            self._keys.message = "it is over already"

    def action_copy(self, plain: bool = False) -> None:
        """The lines as text; with `plain` printed on the terminal."""
        self.run_worker(self._copy(self._view.text if self._text is None else self._text(), plain), group="copy", exclusive=True)

    async def _copy(self, text: str, plain: bool) -> None:
        self._keys.message = await self._give_out(text, plain)

    def action_help(self) -> None:
        """The keys."""
        self.app.push_screen(HelpScreen((self.SCOPE,)))

    def action_palette(self) -> None:
        """What can be done here, by name."""

        async def run(entry: str | None) -> None:
            key = next((key for key in keys_of(self.SCOPE) if key.id == entry), None)
            if key is not None:
                await self.app.run_action(key.action, default_namespace=self)

        self.app.push_screen(Palette(entries((), self.SCOPE.__eq__)), run)

    def action_leave(self) -> None:
        """Back."""
        self.dismiss(None)
