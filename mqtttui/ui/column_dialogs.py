"""Choosing the columns of the packet list, and keeping the choice."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mqtttui.config.columns import load_columns, save_columns
from mqtttui.config.saved_filters import StoreError
from mqtttui.protocol.fields import Field
from mqtttui.ui.background import in_thread
from mqtttui.ui.columns import COLUMNS, column_of
from mqtttui.ui.screens.main import MainScreen

if TYPE_CHECKING:
    from mqtttui.filters.row import Facts
    from mqtttui.ui.column_values import ColumnValues


class ColumnDialogs:
    """The columns of the main screen."""

    def __init__(self, main: MainScreen, path: Path, facts: Callable[[], Facts]) -> None:
        """`path` is the file that keeps the choice; `facts`: what fields know beside the log."""
        self._main = main
        self._path = path
        self._facts = facts
        self._values: ColumnValues | None = None

    async def load(self) -> None:
        """The columns that were chosen in an earlier run."""
        try:
            names = await in_thread(partial(load_columns, self._path))
        except StoreError as error:
            self._main.say(f"columns: {error}")
            return
        known = tuple(name for name in names if column_of(name) is not None)
        if known:
            self._show(known)

    def ask(self) -> None:
        """Choose them."""
        from mqtttui.ui.screens.columns import ColumnsDialog

        def run(names: tuple[str, ...] | None) -> None:
            if names is not None and names != self._main.inspector.packets.chosen:
                self._choose(names, "the usual columns" if not names else f"{len(names)} columns; C changes them")

        packets = self._main.inspector.packets
        self._main.app.push_screen(ColumnsDialog(packets.chosen, packets.usual, packets.cells, self._main.parts.log.last), run)

    def add(self, field: Field) -> None:
        """The selected field becomes a column; one that is there already goes."""
        name = field.filter
        if not name or column_of(name) is None:
            self._main.say("this field has no name in filters, so that it can be no column")
            return
        usual = self._main.inspector.packets.usual
        names = list(self._main.inspector.packets.chosen or usual)
        if name in names:
            names.remove(name)
            self._choose(tuple(names) if tuple(names) != usual else (), f"{name} is no column any more")
            return
        at = next((at for at, each in enumerate(names) if each in COLUMNS and COLUMNS[each].grows), len(names))
        names.insert(at, name)
        self._choose(tuple(names), f"{name} is a column of the list; C here takes it away, C in the list changes all")

    def _choose(self, names: tuple[str, ...], words: str) -> None:
        self._show(names)
        self._main.say(words)
        self._main.run_worker(self._save(names), group="columns")

    def _show(self, names: tuple[str, ...]) -> None:
        if self._values is None:
            # The language of filters is loaded when it is wanted.
            from mqtttui.ui.column_values import ColumnValues

            self._values = ColumnValues(self._main.parts.log, self._facts)
        self._main.inspector.packets.choose(names, self._values)

    async def _save(self, names: tuple[str, ...]) -> None:
        try:
            await in_thread(partial(save_columns, self._path, names))
        except StoreError as error:
            self._main.say(f"columns are not kept: {error}")
