"""One-line bars: status on top, the views below it, the explanation of a field, the keys at the bottom.

Each draws one Content from plain values that others set; none of them asks for anything.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from mqtttui.ui.bindings import Key, key_label
from mqtttui.ui.content import Part, join


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

    active: reactive[str] = reactive("packets")
    """Pane or view that has the focus."""
    connections: reactive[int] = reactive(0)
    subscriptions: reactive[int] = reactive(0)
    mode: reactive[tuple[str, str]] = reactive(("", ""))
    """Words at the right and their style."""
    counts: reactive[str] = reactive("")
    """`12,431 packets` or `12,431 of 20,000 kept`."""

    @dataclass
    class Chosen(Message):
        """A pane or view was clicked."""

        name: str

    @dataclass
    class ModeClicked(Message):
        """The words at the right were clicked."""

    _NAMES: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("connection", "Conn", "Con"),
        ("subscriptions", "Subs", "Sub"),
        ("publish", "Pub", "Pub"),
        ("packets", "PACKETS", "PKT"),
    )

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._spots: list[tuple[int, int, str]] = []

    def line(self, width: int) -> Content:
        short = width < 100
        parts: list[Part] = [" "]
        self._spots = []
        at = 1
        for index, (name, long_name, short_name) in enumerate(self._NAMES):
            label = short_name if short else long_name
            count = {"connection": self.connections, "subscriptions": self.subscriptions}.get(name, 0)
            shown = f"{index + 1}{'' if short else ' '}{label}" + (f"({count})" if count and (name != "connection" or count > 1) else "")
            if name == "packets":
                parts.append(("│ ", "$rule"))
                at += 2
            self._spots.append((at, at + len(shown), name))
            parts.append((shown, "bold underline $primary") if name == self.active else (shown, "$dimmed"))
            parts.append("  " if not short else " ")
            at += len(shown) + (1 if short else 2)
        words, style = self.mode
        left, mode = join(*parts), join((words, style) if style else words, " ")
        right = join((self.counts, "$dimmed"), "   ", mode)
        return spread(left, right if left.cell_length + right.cell_length <= width else mode, width)

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


class KeyLine(Bar):
    """The keys of the focused pane, from the table of bindings; help and palette at the right."""

    keys: reactive[tuple[Key, ...]] = reactive(())
    message: reactive[str] = reactive("")
    """Said instead of the keys for a moment: what a key just did."""

    @dataclass
    class Pressed(Message):
        """A key was clicked."""

        key: Key

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._spots: list[tuple[int, int, Key]] = []

    def line(self, width: int) -> Content:
        right = join(("?", "bold $primary"), " help  ", (":", "bold $primary"), " everything ")
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
