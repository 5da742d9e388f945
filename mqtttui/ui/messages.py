"""Messages that cross pane borders; everything else stays nested in the widget that sends it."""

from __future__ import annotations

from textual.message import Message

from mqtttui.client.commands import Command


class CommandRequested(Message):
    """A pane asks for a command to be carried out; the app routes it to the peer's Session."""

    def __init__(self, command: Command) -> None:
        super().__init__()
        self.command = command
