"""The dialogs of the application: what each asks, and what follows from the answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from textual.content import Content

from mqtttui import text
from mqtttui.client.commands import Command, Subscribe
from mqtttui.client.events import ConnectionState, Phase
from mqtttui.protocol.packets import TopicRequest
from mqtttui.ui import clipboard
from mqtttui.ui.background import in_thread
from mqtttui.ui.bindings import KEYS
from mqtttui.ui.connection_menu import BUSY_CHOICES, command_of, connected_choices
from mqtttui.ui.copying import Copyable, copyables
from mqtttui.ui.palette import Palette, entries
from mqtttui.ui.panes.inspector import Inspector
from mqtttui.ui.screens.help import HelpScreen
from mqtttui.ui.screens.main import MainScreen
from mqtttui.ui.screens.menu import Choice, Menu
from mqtttui.ui.screens.subscribe import SubscribePrompt


class Dialogs:
    """Opens dialogs over the main screen of one peer. `send` takes the commands that come of them."""

    def __init__(self, peer: str, main: MainScreen, send: Callable[[Command], None]) -> None:
        self._peer = peer
        self._main = main
        self._send = send

    # Keys and actions

    def help(self) -> None:
        """The keys, those of the focused pane first."""
        self._main.app.push_screen(HelpScreen(self._main.scopes()))

    def palette(self, themes: Sequence[str], choose_theme: Callable[[str], object], leave: Callable[[], object]) -> None:
        """Everything by name; `leave` is what `q` does."""

        async def run(entry: str | None) -> None:
            kind, _, rest = (entry or "").partition(":")
            match kind:
                case "":
                    return
                case "goto":
                    self._go_to(int(rest))
                case "theme":
                    choose_theme(rest)
                case "quit":
                    leave()
                case _:
                    await self._main.run_key(next(key for key in KEYS if key.id == entry))

        self._main.app.push_screen(Palette(entries(themes, self._main.carries)), run)

    def _go_to(self, number: int) -> None:
        if self._main.inspector.go_to(number):
            self._main.show_pane("packets")
        else:
            self._main.say(f"packet {number:,} is not there")

    # Connection

    def connection(self, state: ConnectionState) -> None:
        """Connect; when connected, what can be done with the connection."""
        if state.phase is Phase.IDLE:
            self._main.connection.action_connect()
            return
        connected = state.phase is Phase.CONNECTED
        menu = Menu(Content("Connection"), connected_choices(state)) if connected else Menu(Content(state.phase.value), BUSY_CHOICES)

        def run(choice: str | None) -> None:
            command = command_of(choice, self._peer, state)
            if command is not None:
                self._send(command)

        self._main.app.push_screen(menu, run)

    def subscribe(self, state: ConnectionState) -> None:
        """Ask for a filter and subscribe."""
        if state.phase is not Phase.CONNECTED or state.options is None:
            self._main.say("not connected: c connects")
            return

        def run(request: TopicRequest | None) -> None:
            if request is not None:
                self._main.notice(None)
                self._send(Subscribe(self._peer, (request,)))

        self._main.app.push_screen(SubscribePrompt(state.options.connect.version), run)

    # Copy

    def copy(self, event: Inspector.CopyWanted) -> None:
        """Ask what of a packet to copy."""
        things = copyables(event.dissection, event.field)
        choices = [Choice(thing.key, thing.label, thing.key, thing.detail) for thing in things]
        self._main.app.push_screen(Menu(Content(f"Copy of packet {event.number:,}"), choices), partial(self._copy, things))

    async def _copy(self, things: list[Copyable], key: str | None) -> None:
        thing = next((thing for thing in things if thing.key == key), None)
        if thing is not None:
            content, remark = await in_thread(thing.text)
            said = await clipboard.copy(content, self._main.app.copy_to_clipboard)
            self._main.say(said + (f" ({remark})" if remark else ""))

    async def copy_selection(self) -> None:
        """Copy the selected text; without one, ask what of the packet to copy."""
        selection = self._main.app.screen.get_selected_text()
        if selection:
            self._main.say(await clipboard.copy(selection, self._main.app.copy_to_clipboard))
        elif self._main.app.screen is not self._main:
            return
        elif self._main.inspector.dissection is not None:
            self._main.inspector.action_copy()
        else:
            self._main.say("nothing to copy; q quits")

    # Quit

    def ask_quit(self, state: ConnectionState, unsaved: int) -> None:
        """Leave the application; ask first when connected, or when `unsaved` packets would be lost."""
        if isinstance(self._main.app.screen, Menu):
            return
        losses = []
        if state.phase is Phase.CONNECTED and state.options is not None:
            losses.append(f"connected to {text.visible(state.options.url)}")
        if unsaved:
            losses.append(f"{unsaved:,} recorded packets are not saved")
        if not losses:
            self._main.app.exit()
            return

        def run(choice: str | None) -> None:
            if choice == "quit":
                self._main.app.exit()

        choices = [Choice("y", "quit", "quit"), Choice("n", "stay", "")]
        self._main.app.push_screen(Menu(Content("Quit?"), choices, Content("\n".join(losses))), run)
