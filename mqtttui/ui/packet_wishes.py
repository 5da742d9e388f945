"""What a person wants of a packet on the main screen: a filter made of it, a mark, a comment, what belongs together with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from mqtttui import text
from mqtttui.capture.log import Evicted
from mqtttui.ui.field_filters import equals, of_packet
from mqtttui.ui.follow import choices, conversation
from mqtttui.ui.panes.inspector import Inspector
from mqtttui.ui.screens.line_prompt import LinePrompt
from mqtttui.ui.screens.menu import Menu
from mqtttui.ui.views import Parts

if TYPE_CHECKING:
    from mqtttui.ui.screens.main import MainScreen


class PacketWishes:
    """Grants them."""

    def __init__(self, main: MainScreen, parts: Parts) -> None:
        self._main = main
        self._parts = parts
        self._log = parts.log

    def value(self, event: Inspector.ValueWanted) -> None:
        """A filter made of a field, or of the packet's topic."""
        number, field = event.number, event.field
        try:
            made = equals(field, self._log, number) if field is not None else of_packet(self._log, self._parts.pump.pairs, number)
        except Evicted:
            self._gone(number)
        else:
            self._main.views.join_filter(made, event.how)

    def mark(self, number: int) -> None:
        """A mark, or none any more."""
        if self._parts.marks.toggle(number):
            self._main.say(f"packet {number:,} is marked; ' goes to the next mark")
        elif number not in self._log:
            self._gone(number)
        self._main.inspector.packets.forget()

    def comment(self, number: int) -> None:
        """Ask for a comment."""
        marks = self._parts.marks

        def run(comment: str | None) -> None:
            if comment is None:
                return
            if not marks.set_comment(number, comment) and comment:
                self._gone(number)
            self._main.inspector.packets.forget()

        title = Content(f"Comment on packet {number:,}")
        prompt = LinePrompt(title, "Enter keeps it, empty takes it away, Esc leaves", text.visible(marks.comment(number)))
        self._main.app.push_screen(prompt, run)

    def follow(self, event: Inspector.FollowWanted) -> None:
        """Only what belongs together with the packet."""
        pump, views = self._parts.pump, self._main.views
        try:
            if event.ask:
                found = choices(self._log, pump.pairs, pump.operations, event.number)
                menu = Menu(Content(f"Follow from packet {event.number:,}"), found)
                self._main.app.push_screen(menu, lambda chosen: views.join_filter(chosen, "apply") if chosen else None)
            else:
                views.join_filter(conversation(self._log, pump.pairs, pump.operations, event.number), "apply")
        except Evicted:
            self._gone(event.number)

    def _gone(self, number: int) -> None:
        self._main.say(f"packet {number:,} was evicted")
