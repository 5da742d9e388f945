"""Text lines of a payload, wrapped, drawn on demand."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from textual.strip import Strip

from mqtttui.ui.bindings import bindings_for
from mqtttui.ui.content import fit
from mqtttui.ui.payload import PayloadText, wrapped
from mqtttui.ui.widgets.lines import LineView


class PayloadPane(LineView):
    """A read-only view of text lines."""

    SCOPE: ClassVar[str] = "payload"
    BINDINGS = bindings_for("payload")

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._text = PayloadText(())
        self._rows: list[str] = []
        self._width = 0

    @property
    def row_count(self) -> int:
        return len(self._rows) + bool(self._text.remark)

    def show(self, shown: PayloadText) -> None:
        """Show other lines."""
        self._text = shown
        self._wrap()
        self.place(top=0, cursor=0)

    def _wrap(self) -> None:
        self._width = self.size.width
        self._rows = wrapped(self._text.lines, max(8, self._width - 3))

    def resized(self) -> None:
        if self.size.width != self._width:
            self._wrap()
        self.show_cursor()

    def row(self, index: int, width: int) -> Strip:
        mark = self.cursor_mark(index)
        if self._text.remark:
            if index == 0:
                return Strip([mark, Segment(fit(self._text.remark, width - 1), self.style_of("line--dimmed"))])
            index -= 1
        return Strip([mark, Segment(fit(self._rows[index], width - 1))])
