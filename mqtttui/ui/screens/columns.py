"""The columns dialog: which ones the packet list has, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widgets import Static

from mqtttui.config.columns import MAX_COLUMNS
from mqtttui.ui.columns import COLUMNS, USUAL, column_of, place
from mqtttui.ui.content import fit, join
from mqtttui.ui.screens.line_prompt import LinePrompt
from mqtttui.ui.widgets.lines import LineView
from mqtttui.ui.widgets.packet_row import Columns

_NAME = 26
_HINT = "Space shows or hides, K J (shift+↑ ↓) move, + adds a field\nr the usual ones, Enter keeps, Esc leaves"


class ColumnRows(LineView):
    """The chosen columns in their order, then the others."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"choice--key"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "up", show=False),
        Binding("down,j", "down", show=False),
        Binding("home,g", "first", show=False),
        Binding("end,G", "last", show=False),
        Binding("space", "flip", show=False),
        Binding("shift+up,K", "shift(-1)", show=False),
        Binding("shift+down,J", "shift(1)", show=False),
        Binding("r", "usual", show=False),
        Binding("delete,d", "flip(True)", show=False),
        Binding("enter,ctrl+s", "keep", show=False),
    ]

    @dataclass
    class Kept(Message):
        """The person is content."""

        names: tuple[str, ...]

    def __init__(self, chosen: Sequence[str], usual: Sequence[str], cells: int, last: int) -> None:
        super().__init__()
        self._usual = usual
        self._cells = cells
        self._last = last
        self._chosen = [name for name in chosen if column_of(name) is not None]
        self._fields = [name for name in self._chosen if name not in COLUMNS]

    @property
    def chosen(self) -> tuple[str, ...]:
        """The columns, from left to right."""
        return tuple(self._chosen)

    @property
    def _names(self) -> list[str]:
        return [*self._chosen, *(name for name in (*COLUMNS, *self._fields) if name not in self._chosen)]

    @property
    def row_count(self) -> int:
        return len(self._names)

    def clicked(self, index: int, x: int) -> None:
        self.move_to(index)
        self.action_flip()

    def add(self, name: str) -> None:
        """One column more, before the first that grows; the cursor goes there."""
        if name not in self._chosen:
            at = next((at for at, each in enumerate(self._chosen) if each in COLUMNS and COLUMNS[each].grows), len(self._chosen))
            self._chosen.insert(at, name)
            if name not in COLUMNS and name not in self._fields:
                self._fields.append(name)
        self.move_to(self._names.index(name))

    def action_flip(self, only_off: bool = False) -> None:
        """Show or hide the column under the cursor."""
        name = self._names[self.cursor]
        if name in self._chosen:
            self._chosen.remove(name)
        elif not only_off and len(self._chosen) < MAX_COLUMNS:
            self._chosen.append(name)
        self.move_to(self.cursor if only_off else self._names.index(name))

    def action_shift(self, step: int) -> None:
        """Move the column under the cursor to the left (up) or right."""
        at, to = self.cursor, self.cursor + step
        if at < len(self._chosen) and 0 <= to < len(self._chosen):
            self._chosen[at], self._chosen[to] = self._chosen[to], self._chosen[at]
            self.move_to(to)

    def action_usual(self) -> None:
        """Those that are shown when nothing was chosen."""
        self._chosen = list(self._usual)
        self.move_to(0)

    def action_keep(self) -> None:
        """Take them."""
        self.post_message(self.Kept(self.chosen))

    def _fitting(self) -> set[str]:
        if self.chosen in (USUAL, self._usual):
            return {*self.chosen} - Columns.fitting(self._cells + 2, self._last).left_out
        return {placed.column.name for placed in place(self._chosen, self._cells, self._last)}

    def row(self, index: int, width: int) -> Strip:
        name = self._names[index]
        column = column_of(name)
        on = index < len(self._chosen)
        number = Segment(f" {index + 1:>2} " if on else "    ", self.style_of("choice--key"))
        head = "Direction and type" if name == "type" else column.head if column is not None else name
        words = column.help if column is not None else ""
        if on and name not in self._fitting():
            words = "does not fit at this width"
        return Strip(
            [
                self.cursor_mark(index),
                number,
                Segment("[x] " if on else "[ ] ", self.style_of("choice--key" if on else "line--dimmed")),
                Segment(fit(head, _NAME) + "  ", None if on else self.style_of("line--dimmed")),
                Segment(fit(words, max(0, width - _NAME - 11)), self.style_of("line--dimmed")),
            ]
        )


class ColumnsDialog(ModalScreen[tuple[str, ...] | None]):
    """Chooses columns: gives their names (none: the usual ones), or None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "leave", show=False), Binding("plus,a", "add", show=False)]

    def __init__(self, chosen: Sequence[str], usual: tuple[str, ...], cells: int, last: int) -> None:
        """`usual`: what is shown while nothing is chosen; `cells`: how wide the list is; `last`: its highest No."""
        super().__init__()
        self._usual = usual
        self._rows = ColumnRows(chosen or usual, usual, cells, last)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog columns-dialog"):
            yield Static("Columns of the packet list", classes="dialog-title", markup=False)
            yield self._rows
            yield Static(join((_HINT, "$dimmed")), classes="dialog-body", markup=False)

    def on_mount(self) -> None:
        self._rows.focus()

    def on_column_rows_kept(self, event: ColumnRows.Kept) -> None:
        event.stop()
        self.dismiss(() if event.names == self._usual else event.names)

    def action_add(self) -> None:
        """A field as a column."""

        def run(name: str | None) -> None:
            if name:
                self._rows.add(name.strip().lower())

        hint = "any name of the filter language: mqtt.topic, mqtt.kalive, mqtttui.rtt"
        self.app.push_screen(LinePrompt(Content("A field as a column"), hint, placeholder="mqtt.topic", check=_known), run)

    def action_leave(self) -> None:
        """Change nothing."""
        self.dismiss(None)


def _known(name: str) -> str:
    name = name.strip().lower()
    if not name:
        return "Esc leaves"
    return "" if column_of(name) is not None else "there is no such field; / and Tab list them"
