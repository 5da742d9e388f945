"""A small application around one of the form panes, for tests and for a look at it.

python -m tests.support.forms_app [connection|subscriptions|publish] [--light] [--state NAME]
"""

from __future__ import annotations

import argparse
from pathlib import Path

from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot
from textual.widget import Widget

import mqtttui
from mqtttui.client.commands import Command
from mqtttui.ui.messages import CommandRequested
from mqtttui.ui.panes.connection import ConnectionPane
from mqtttui.ui.panes.subscriptions import SubscriptionsPane
from mqtttui.ui.theme import load_themes, variable_defaults

_PACKAGE = Path(mqtttui.__file__).parent


_KEYS = {
    " ": "space",
    "#": "number_sign",
    "$": "dollar_sign",
    "+": "plus",
    "-": "minus",
    ".": "full_stop",
    "/": "slash",
    ":": "colon",
    "=": "equals_sign",
    "\\": "backslash",
    "_": "underscore",
}


async def type_text(pilot: Pilot[None], words: str) -> None:
    """Press the keys of a text."""
    await pilot.press(*(_KEYS.get(char, char) for char in words))


def shown(widget: Widget) -> str:
    """The text of a widget that draws lines."""
    return "\n".join(widget.render_line(y).text.rstrip() for y in range(widget.size.height))


class FormsApp(App[None]):
    """One pane; what it asks for is kept."""

    CSS_PATH = [_PACKAGE / "ui" / "styles" / "main.tcss", _PACKAGE / "ui" / "styles" / "forms.tcss"]

    def __init__(self, pane: Widget, theme: str = "mqtttui-dark") -> None:
        super().__init__()
        self.pane = pane
        self.commands: list[Command] = []
        self.told: list[Message] = []
        self._wanted = theme

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return variable_defaults(self.current_theme)

    def compose(self) -> ComposeResult:
        yield self.pane

    def on_mount(self) -> None:
        for theme in load_themes([_PACKAGE.parent / "themes"]).themes:
            self.register_theme(theme)
        self.theme = self._wanted

    def on_command_requested(self, event: CommandRequested) -> None:
        self.commands.append(event.command)

    def on_connection_pane_parsed(self, event: ConnectionPane.Parsed) -> None:
        self.told.append(event)

    def on_subscriptions_pane_mute_changed(self, event: SubscriptionsPane.MuteChanged) -> None:
        self.told.append(event)

    def on_subscriptions_pane_filter_colours(self, event: SubscriptionsPane.FilterColours) -> None:
        self.told.append(event)


def main() -> None:
    """Show a pane."""
    from tests.support.form_states import STATES, pane_for

    arguments = argparse.ArgumentParser(description="a look at one of the forms")
    arguments.add_argument("pane", nargs="?", default="connection", choices=("connection", "subscriptions", "publish"))
    arguments.add_argument("--light", action="store_true")
    arguments.add_argument("--state", default="idle", choices=sorted(STATES))
    given = arguments.parse_args()
    FormsApp(pane_for(given.pane, given.state), "mqtttui-light" if given.light else "mqtttui-dark").run()


if __name__ == "__main__":
    main()
