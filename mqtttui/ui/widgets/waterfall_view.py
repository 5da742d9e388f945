"""The phases of one attempt to connect, or of two, as bars; the row under the cursor is told about elsewhere."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from textual.message import Message
from textual.strip import Strip

from mqtttui.client.events import StepStatus
from mqtttui.ui.attempt_words import bar_words
from mqtttui.ui.attempts import Attempt
from mqtttui.ui.bindings import bindings_for
from mqtttui.ui.content import fit
from mqtttui.ui.waterfall import Bar, axis, bars, cells, difference, duration, pairs, scale
from mqtttui.ui.widgets.lines import LineView

_WIDE = 100
_LABEL, _WIDE_LABEL = 16, 24
_NUMBER = 9
_DIFFERENCE = 10
_SIGNS = {StepStatus.FAILED: "✗ ", StepStatus.RUNNING: "… "}
_CLASSES = {
    StepStatus.FAILED: "waterfall--bad",
    StepStatus.RUNNING: "waterfall--running",
    StepStatus.DONE: "waterfall--done",
}


class WaterfallView(LineView):
    """One row a phase; with a second attempt two."""

    SCOPE: ClassVar[str] = "waterfall"
    BINDINGS = bindings_for(SCOPE)
    HEAD_ROWS = 1
    COMPONENT_CLASSES: ClassVar[set[str]] = {"waterfall--bad", "waterfall--running", "waterfall--done", "waterfall--other"}

    @dataclass
    class Moved(Message):
        """Another phase is selected."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[tuple[Bar, bool, str]] = []
        """Of each row its bar, whether it is of the second attempt, and the difference."""
        self._whole = 1
        self._two = False

    @property
    def row_count(self) -> int:
        return len(self._rows)

    @property
    def current(self) -> Bar | None:
        """The selected bar."""
        return self._rows[self.cursor][0] if self.cursor < len(self._rows) else None

    def show(self, attempt: Attempt | None, other: Attempt | None) -> None:
        """The phases of these as they stand now."""
        now = time.monotonic_ns()
        first = bars(attempt, now) if attempt is not None else []
        second = bars(other, now) if other is not None else []
        self._two = other is not None
        self._whole = scale(first, second)
        self._rows = []
        for one, two in pairs(first, second):
            less = difference(one.ns if one is not None else None, two.ns if two is not None else None)
            if one is not None:
                self._rows.append((one, False, less))
            # Where neither came so far, one row says so.
            if two is not None and (one is None or (one.ns, one.status) != (None, two.status)):
                self._rows.append((two, True, "" if one is not None else less))
        self.place()

    @property
    def bars(self) -> list[Bar]:
        """Those of the first attempt."""
        return [bar for bar, other, _ in self._rows if not other]

    def select(self, key: tuple[str, int]) -> None:
        """Put the cursor on a phase."""
        at = next((at for at, (bar, other, _) in enumerate(self._rows) if bar.key == key and not other), 0)
        self.place(cursor=at)
        self.show_cursor()

    def cursor_moved(self) -> None:
        self.post_message(self.Moved())

    # Painting

    def head(self, y: int, width: int) -> Strip:
        if not self._rows:
            return Strip.blank(width)
        left, room = self._columns(width)
        tail = f"{'took':>{_NUMBER}}" + (f"{'A - B':>{_DIFFERENCE}}" if self._two else "")
        return Strip([Segment(fit("   Phase", left) + fit(axis(self._whole, room), room) + tail, self.style_of("line--head"))])

    def row(self, index: int, width: int) -> Strip:
        bar, other, less = self._rows[index]
        _, room = self._columns(width)
        dim = self.style_of("line--dimmed")
        failed = bar.status is StepStatus.FAILED
        style = self.style_of(_CLASSES[bar.status]) if bar.status in _CLASSES else dim
        label = "" if other and index and self._rows[index - 1][0].key == bar.key else ("  " if bar.indented else "") + bar.label
        letter = ("B " if other else "A ") if self._two else ""
        segments = [
            self.cursor_mark(index),
            Segment(_SIGNS.get(bar.status, "  "), style),
            Segment(fit(label, self._label(width)) + letter, style if failed else dim if bar.ns is None else None),
        ]
        blank, drawn = cells(bar, self._whole, room, other=other)
        if drawn:
            shade = self.style_of("waterfall--other") if other and not failed else style
            segments += [Segment(" " * blank), Segment(drawn, shade), Segment(" " * (room - blank - len(drawn)))]
        else:
            segments.append(Segment(fit(bar_words(bar), room), dim))
        segments.append(Segment(fit(duration(bar.ns), _NUMBER, right=True), style if failed else None))
        if self._two:
            segments.append(Segment(fit(less, _DIFFERENCE, right=True), dim))
        return Strip(segments)

    def _label(self, width: int) -> int:
        return _WIDE_LABEL if width >= _WIDE else _LABEL

    def _columns(self, width: int) -> tuple[int, int]:
        """Cells left of the bars, and of the bars."""
        left = 3 + self._label(width) + (2 if self._two else 0)
        return left, max(4, width - left - _NUMBER - (_DIFFERENCE if self._two else 0))
