"""The connections side by side, where there are several: their names, how each stands, and which one is the current one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive

from mqtttui import text
from mqtttui.client.events import ConnectionState, Phase
from mqtttui.ui.content import Part, join
from mqtttui.ui.widgets.bars import Bar, spread

SIGNS = {
    Phase.IDLE: ("○", "$dimmed"),
    Phase.CONNECTING: ("◌", "$state-warn"),
    Phase.CONNECTED: ("●", "$state-good"),
    Phase.DISCONNECTING: ("◌", "$state-warn"),
    Phase.WAITING: ("◌", "$state-warn"),
}
"""How a connection stands."""
FAILED = ("✗", "$state-bad")
NAME_CELLS = 20
"""Longer names lose their end."""
_NARROWEST = 4


class PeerMark(NamedTuple):
    """One connection in the line."""

    id: str
    name: str
    """Visible text."""
    sign: str
    style: str
    current: bool


def mark_of(state: ConnectionState) -> tuple[str, str]:
    """Sign and style for how a connection stands."""
    return FAILED if state.phase is Phase.IDLE and state.failure is not None else SIGNS[state.phase]


class PeersLine(Bar):
    """The second line of the screen, while there are several connections."""

    marks: reactive[Sequence[PeerMark]] = reactive(())

    @dataclass
    class Chosen(Message):
        """A connection was clicked."""

        id: str

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._spots: list[tuple[int, int, str]] = []

    def watch_marks(self) -> None:
        self.display = len(self.marks) > 1

    def line(self, width: int) -> Content:
        right = join(("{ }", "bold $primary"), " change  ", ("L", "bold $primary"), " list ")
        # All names lose as much as it takes until they fit beside the keys.
        cells = NAME_CELLS
        while cells > _NARROWEST and self._length(cells) >= width - right.cell_length:
            cells -= 1
        parts: list[Part] = [" "]
        self._spots = []
        at = 1
        for mark in self.marks:
            name = text.shorten(mark.name, cells)
            self._spots.append((at, at + cell_len(name) + 2, mark.id))
            parts += [(f"{mark.sign} ", mark.style), (name, "bold underline $primary" if mark.current else ""), "   "]
            at += cell_len(name) + 5
        return spread(join(*parts), right, width)

    def _length(self, cells: int) -> int:
        return sum(min(cells, cell_len(mark.name)) + 5 for mark in self.marks)

    def on_click(self, event: events.Click) -> None:
        for start, end, id in self._spots:
            if start <= event.x < end:
                self.post_message(self.Chosen(id))
                return
