"""What is painted first, while everything else is loaded: the main screen as it begins, without its panes.

It imports next to nothing of ours; the main screen covers it a moment later. Keys wait in the app until then.
"""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.screen import Screen

from mqtttui.ui.widgets.bars import KeyLine, ViewLine
from mqtttui.ui.widgets.meter import IdleStatus
from mqtttui.ui.widgets.ways import Ways


class StartScreen(Screen[None], inherit_bindings=False):
    """Status, views, the ways on, and where to find the keys."""

    def __init__(self) -> None:
        super().__init__()
        self._views = ViewLine(id="views")
        self._views.active = "connection"
        self._ways = Ways(id="ways")

    def compose(self) -> ComposeResult:
        yield IdleStatus(id="status")
        yield self._views
        yield self._ways
        yield KeyLine(id="keys")

    def on_resize(self, event: events.Resize) -> None:
        self._ways.fit(event.size)
