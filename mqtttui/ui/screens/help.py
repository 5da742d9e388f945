"""Help: the keys of the focused pane, then all of them; made from the table of bindings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widgets import Static

from mqtttui.ui.bindings import SCOPES, key_label, keys_of
from mqtttui.ui.content import fit
from mqtttui.ui.widgets.lines import LineView

_KEYS = 22


class HelpLines(LineView):
    """Headlines and keys, to read."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"help--head", "help--key"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "up", show=False),
        Binding("down,j", "down", show=False),
        Binding("pageup,ctrl+u", "page_up", show=False),
        Binding("pagedown,ctrl+d,space", "page_down", show=False),
        Binding("home,g", "first", show=False),
        Binding("end,G", "last", show=False),
    ]

    def __init__(self, scopes: Sequence[str]) -> None:
        super().__init__()
        self._rows: list[tuple[str, str]] = []
        for scope in scopes:
            rows = keys_of(scope)
            if rows:
                self._rows += [("", SCOPES.get(scope, scope.capitalize()))]
                self._rows += [(key_label(key.keys, every=True), key.help) for key in rows]
                self._rows.append(("", ""))

    @property
    def row_count(self) -> int:
        return len(self._rows)

    def row(self, index: int, width: int) -> Strip:
        keys, words = self._rows[index]
        if not keys:
            return Strip([self.cursor_mark(index), Segment(fit(f" {words}", width - 1), self.style_of("help--head"))])
        return Strip(
            [
                self.cursor_mark(index),
                Segment("  " + fit(keys, _KEYS) + " ", self.style_of("help--key")),
                Segment(fit(words, width - _KEYS - 4)),
            ]
        )


class HelpScreen(ModalScreen[None]):
    """`?`: help for this pane, then everything."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark,enter", "leave", show=False)]

    def __init__(self, here: Sequence[str]) -> None:
        """`here`: scopes of the focused control, innermost first."""
        super().__init__()
        near = [scope for scope in here if scope != "app"]
        self._scopes = [*near, *(scope for scope in SCOPES if scope not in near)]

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -tall"):
            yield Static("Keys. This pane first, then everything. Esc leaves.", classes="dialog-title", markup=False)
            yield HelpLines(self._scopes)

    def action_leave(self) -> None:
        """Back."""
        self.dismiss(None)
