"""One-line bars: status on top, the views below it, the explanation of a field, the keys at the bottom.

Each draws one Content from plain values that others set; none of them asks for anything.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.timer import Timer
from textual.widget import Widget

from mqtttui.ui.bindings import Key, key_label
from mqtttui.ui.content import Part, join
from mqtttui.ui.filter_state import FilterState, state_words
from mqtttui.ui.views import PACKETS, VIEWS
from mqtttui.ui.widgets.ways import NARROW

_ROOM_FOR_FILTER = 24
"""Cells that a filter needs beside the words about following."""


class Bar(Widget):
    """One line; subclasses give its content."""

    ALLOW_SELECT = False

    def line(self, width: int) -> Content:
        """What to show in `width` cells."""
        raise NotImplementedError

    def render(self) -> Content:
        return self.line(self.size.width)


def spread(left: Content, right: Content, width: int) -> Content:
    """`left` at the left and `right` at the right; left is cut where both do not fit."""
    room = width - right.cell_length
    if room <= 0:
        return left.truncate(width, ellipsis=True)
    if left.cell_length >= room:
        left = left.truncate(max(1, room - 1), ellipsis=True)
    return join(left, " " * (width - left.cell_length - right.cell_length), right)


class ViewLine(Bar):
    """The panes and views by their digit, and at the right what the list does: following, paused, new packets."""

    active: reactive[str] = reactive(PACKETS)
    """Pane or view that has the focus."""
    view: reactive[str] = reactive(PACKETS)
    """The view that is shown."""
    connections: reactive[int] = reactive(0)
    subscriptions: reactive[int] = reactive(0)
    view_counts: reactive[Mapping[str, str]] = reactive(dict)
    """Name of a view -> what stands in brackets behind it."""
    mode: reactive[tuple[str, str]] = reactive(("", ""))
    """Words at the right and their style."""
    counts: reactive[str] = reactive("")
    """`12,431 packets` or `12,431 of 20,000 kept`."""
    filter: reactive[FilterState] = reactive(FilterState())
    """The filter in force, said here where there is no room for a line of its own."""

    @dataclass
    class Chosen(Message):
        """A pane or view was clicked."""

        name: str

    @dataclass
    class ModeClicked(Message):
        """The words at the right were clicked."""

    _PANES: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("connection", "Conn", "Con"),
        ("subscriptions", "Subs", "Sub"),
        ("publish", "Pub", "Pub"),
    )

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._spots: list[tuple[int, int, str]] = []

    def line(self, width: int) -> Content:
        short = width < NARROW
        gap = " " if short else "  "
        parts: list[Part] = [" "]
        self._spots = []
        at = 1
        for name, shown in self._entries(short):
            if name == VIEWS[0].name:
                parts.append(("│ ", "$rule"))
                at += 2
            self._spots.append((at, at + len(shown), name))
            parts.append((shown, "bold underline $primary") if name == self.active else (shown, "bold" if name == self.view else "$dimmed"))
            parts.append(gap)
            at += len(shown) + len(gap)
        words, style = self.mode
        left, mode = join(*parts), join((words, style) if style else words, " ")
        if short and self.filter.active:
            return self._with_filter(left, mode, width)
        right = join((self.counts, "$dimmed"), "   ", mode)
        return spread(left, right if left.cell_length + right.cell_length <= width else mode, width)

    def _with_filter(self, left: Content, mode: Content, width: int) -> Content:
        """The filter comes before the words about following: of these the first one stays, `PAUSED` or `+95`."""
        room = width - left.cell_length - 2
        if room - mode.cell_length < _ROOM_FOR_FILTER:
            words, style = self.mode
            first = words.rpartition(" · ")[2].split(" ")[0]
            mode = join(("" if first == "G" else first, style), " ")
        room -= mode.cell_length + 2
        count, typed = state_words(self.filter, room - 3)
        style = "$state-warn" if self.filter.percent is not None else ""
        return spread(left, join((count, style), "  ", (typed, "bold"), "  " if mode.cell_length > 1 else "", mode), width)

    def _entries(self, short: bool) -> Iterator[tuple[str, str]]:
        """Name and label of every pane and view."""
        counts = {"connection": self.connections if self.connections > 1 else 0, "subscriptions": self.subscriptions}
        for index, (name, long_name, short_name) in enumerate(self._PANES):
            count = counts.get(name, 0)
            label = f"{index + 1}{short_name}" if short else f"{index + 1} {long_name}"
            yield name, label + (f"({count})" if count else "")
        for row in VIEWS:
            title = row.short if short else row.title
            title = title.upper() if row.name == self.view else title
            words = self.view_counts.get(row.name, "")
            shown = words.split(" ")[0] if short else words
            yield row.name, f"{row.digit}{'' if short else ' '}{title}" + (f"({shown})" if shown else "")

    def on_click(self, event: events.Click) -> None:
        for start, end, name in self._spots:
            if start <= event.x < end:
                self.post_message(self.Chosen(name))
                return
        if event.x > self.size.width - cell_len(self.mode[0]) - 2:
            self.post_message(self.ModeClicked())


_ONE_LINE = 100
"""Cells from which on an explanation has one line; below it has two."""


class Explanation(Bar):
    """What the selected field means, its section, the filter that selects it."""

    text: reactive[str] = reactive("")
    section: reactive[str] = reactive("")
    filter: reactive[str] = reactive("")
    level: reactive[str] = reactive("")
    """Style of the text: a note's severity colours it."""

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.width < _ONE_LINE, "-narrow")

    def line(self, width: int) -> Content:
        first, *more = textwrap.wrap(self.text, max(1, width - 2)) or [""]
        if self.size.height > 1:
            rest = " ".join(more)
            return join(self._said(first, "", "", width), "\n", self._said(rest, self.section, self.filter, width))
        return self._said(self.text, self.section, self.filter, width)

    def _said(self, text: str, section: str, filter: str, width: int) -> Content:
        left: list[Part] = [" ", (text, self.level) if self.level else text]
        if section:
            left.append((f"{'  ' if text else ''}[{section}]", "$dimmed"))
        right = join((filter, "$primary"), " ") if filter else Content("")
        if filter and cell_len(text) + cell_len(filter) + 10 > width:
            right = Content("")
        return spread(join(*left), right, width)


_ROOM_FOR_WORDS = 100
_SAID_SECONDS = 5.0


class KeyLine(Bar):
    """The keys of the focused pane, from the table of bindings; help and palette at the right."""

    keys: reactive[tuple[Key, ...]] = reactive(())
    typing: reactive[bool] = reactive(False)
    """Letters are typed into the focused control, so that `?` and `:` are not to be had."""
    message: reactive[str] = reactive("")
    """Said instead of the keys for a moment: what a key just did."""

    @dataclass
    class Pressed(Message):
        """A key was clicked."""

        key: Key

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._spots: list[tuple[int, int, Key]] = []
        self._said: Timer | None = None
        self._unimportant = ""
        """What was said and gives way to anything else."""

    def say(self, text: str, *, gives_way: bool = False) -> None:
        """A line about what was just done; goes by itself. One that `gives_way` leaves alone what stands there already."""
        if gives_way and self.message not in ("", self._unimportant):
            return
        self._unimportant = text if gives_way else ""
        self.message = text
        if self._said is not None:
            self._said.stop()
        self._said = self.set_timer(_SAID_SECONDS, lambda: setattr(self, "message", ""))

    def line(self, width: int) -> Content:
        everything = " everything " if width >= _ROOM_FOR_WORDS else " all "
        right = join(("?", "bold $primary"), " help  ", (":", "bold $primary"), everything)
        if self.typing:
            right = join(("ctrl+p", "bold $primary"), everything)
        self._spots = []
        if self.message:
            return spread(join(" ", (self.message, "bold")), right, width)
        parts: list[Part] = [" "]
        at = 1
        for key in self.keys:
            shown = key_label(key.keys)
            cells = len(shown) + 1 + len(key.label) + 2
            if at + cells >= width - right.cell_length:
                break
            self._spots.append((at, at + cells - 2, key))
            parts += [(shown, "bold $primary"), f" {key.label}  "]
            at += cells
        return spread(join(*parts), right, width)

    def on_click(self, event: events.Click) -> None:
        for start, end, key in self._spots:
            if start <= event.x < end:
                self.post_message(self.Pressed(key))


def unique_by_key(keys: Sequence[Key]) -> tuple[Key, ...]:
    """Without those whose first key an earlier row has taken."""
    seen: set[str] = set()
    out: list[Key] = []
    for key in keys:
        first = key.keys.split(",")[0]
        if first not in seen:
            seen.add(first)
            out.append(key)
    return tuple(out)
