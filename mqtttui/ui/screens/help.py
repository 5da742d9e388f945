"""Help: the keys of the focused pane, all of them (made from the table of bindings), and how filters are written."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from enum import Enum, auto
from typing import ClassVar

from rich.cells import cell_len
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
_MARGIN = 4
FILTERS = "Filters"
_TRAPS = "Filters: what looks right and is not what one thinks"
_FILTERS = (
    ("temp", 'A word: topic or payload contains it. In quotes too: "set point".'),
    ("sensors/+/temp", "A topic with + or #: what a subscription to it would get, and its answers."),
    ("mqtt.qos == 1", "Names as in Wireshark, with == != > >= < <=. Tab completes names and values."),
    ("mqtt.topic", "A name alone: packets that have this field."),
    ("contains  matches", 'Part of a text, or a regular expression: mqtt.topic contains "temp", mqtt.msg matches "^[0-9.]+$".'),
    ("in {1, 3..5}", "One of these, or from here to there."),
    ("and  or  not  ( )", "not binds tightest, then and, then or. && || ! are the same."),
    ("len()  count()  lower()", "Bytes of a value, how often a field occurs, without capitals. mqtt.msg[0:4] is a part."),
    ("mqtttui.…", 'What only this program knows: mqtttui.topic (of answers too), mqtttui.dir, mqtttui.rtt, mqtttui.json["temp"].'),
)
"""A short course: an example and a sentence."""


class _Kind(Enum):
    HEAD = auto()
    KEY = auto()
    """Two columns, or the words alone under an example that is too long for its column."""


class HelpLines(LineView):
    """Headlines, keys and examples, to read."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"help--head", "help--key"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "up", show=False),
        Binding("down,j", "down", show=False),
        Binding("pageup,ctrl+u", "page_up", show=False),
        Binding("pagedown,ctrl+d,space", "page_down", show=False),
        Binding("home,g", "first", show=False),
        Binding("end,G", "last", show=False),
    ]

    def __init__(self, sections: Sequence[tuple[str, Sequence[tuple[str, str]]]], start: str = "") -> None:
        """`start`: the section that is shown first."""
        super().__init__()
        self._sections = sections
        self._start = start
        self._rows: list[tuple[_Kind, str, str]] = []
        self._laid = 0
        """Width that the rows are made for."""

    @property
    def row_count(self) -> int:
        return len(self._rows)

    def resized(self) -> None:
        if self.size.width != self._laid:
            self._lay(self.size.width)
        super().resized()

    def _lay(self, width: int) -> None:
        self._laid = width
        self._rows = []
        start = None
        for title, entries in self._sections:
            if title == self._start:
                start = len(self._rows)
            self._rows.append((_Kind.HEAD, "", title))
            for key, words in entries:
                lines = textwrap.wrap(words, max(20, width - _KEYS - _MARGIN - 1)) or [""]
                if cell_len(key) > _KEYS:
                    self._rows.append((_Kind.KEY, key, ""))
                    key = ""
                self._rows += [(_Kind.KEY, "" if place else key, line) for place, line in enumerate(lines)]
            self._rows.append((_Kind.KEY, "", ""))
        del self._rows[-1:]
        if start is not None:
            self._start = ""
            self.place(top=start, cursor=start)

    def row(self, index: int, width: int) -> Strip:
        kind, key, words = self._rows[index]
        if kind is _Kind.HEAD:
            return Strip([self.cursor_mark(index), Segment(fit(f" {words}", width - 1), self.style_of("help--head"))])
        if key and not words:
            return Strip([self.cursor_mark(index), Segment("  " + fit(key, width - 3), self.style_of("help--key"))])
        return Strip(
            [
                self.cursor_mark(index),
                Segment("  " + fit(key, _KEYS) + " ", self.style_of("help--key")),
                Segment(fit(words, width - _KEYS - _MARGIN)),
            ]
        )


class HelpScreen(ModalScreen[None]):
    """`?`: help for this pane, then everything; in the end how filters are written."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark,enter,f1", "leave", show=False)]

    def __init__(self, here: Sequence[str], *, filters: bool = False) -> None:
        """`here`: scopes of the focused control, innermost first. `filters`: begin with how filters are written."""
        super().__init__()
        near = [scope for scope in here if scope != "app"]
        self._scopes = [*near, *(scope for scope in SCOPES if scope not in near)]
        self._start = FILTERS if filters else ""

    def compose(self) -> ComposeResult:
        # Late: the language is loaded when a filter or its help is asked for.
        from mqtttui.filters.hints import TRAPS

        keys = [(SCOPES.get(scope, scope.capitalize()), _keys(scope)) for scope in self._scopes]
        sections = [*(section for section in keys if section[1]), (FILTERS, _FILTERS), (_TRAPS, TRAPS)]
        with Vertical(classes="dialog -tall"):
            yield Static("Keys. This pane first, then everything; filters at the end.", classes="dialog-title", markup=False)
            yield HelpLines(sections, self._start)

    def action_leave(self) -> None:
        """Back."""
        self.dismiss(None)


def _keys(scope: str) -> list[tuple[str, str]]:
    return [(key_label(key.keys, every=True), key.help) for key in keys_of(scope)]
