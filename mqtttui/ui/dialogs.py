"""The dialogs of the application: what each asks, and what follows from the answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

from textual.content import Content

from mqtttui.client.commands import Command, Subscribe
from mqtttui.client.events import ConnectionState, Phase
from mqtttui.protocol.packets import TopicRequest
from mqtttui.ui.attempts import Attempt, Attempts
from mqtttui.ui.bindings import KEYS
from mqtttui.ui.connection_menu import busy_choices, command_of, connected_choices
from mqtttui.ui.palette import Palette, entries
from mqtttui.ui.screens.help import HelpScreen
from mqtttui.ui.screens.main import MainScreen
from mqtttui.ui.screens.menu import Choice, Menu
from mqtttui.ui.screens.report import ReportScreen
from mqtttui.ui.screens.subscribe import SubscribePrompt
from mqtttui.ui.screens.why import FIX, WhyScreen
from mqtttui.ui.security_words import security_lines, security_text


class Dialogs:
    """Opens dialogs over the main screen. `send` takes the commands that come of them."""

    def __init__(self, main: MainScreen, send: Callable[[Command], None]) -> None:
        self._main = main
        self._send = send

    # Keys and actions

    def help(self) -> None:
        """The keys, those of the focused pane first."""
        self._main.app.push_screen(HelpScreen(self._main.scopes()))

    def palette(
        self,
        themes: Sequence[str],
        choose_theme: Callable[[str], object],
        leave: Callable[[], object],
        write: Callable[[str], object],
    ) -> None:
        """Everything by name; `leave` is what `q` does, `write` what `w FILE` does."""

        async def run(entry: str | None) -> None:
            kind, _, rest = (entry or "").partition(":")
            match kind:
                case "":
                    return
                case "goto":
                    self._main.go_to(int(rest))
                case "filter":
                    self._main.views.apply_text(rest)
                case "theme":
                    choose_theme(rest)
                case "write":
                    write(rest)
                case "quit":
                    leave()
                case _:
                    await self._main.run_key(next(key for key in KEYS if key.id == entry))

        self._main.app.push_screen(Palette(entries(themes, self._main.carries, self._main.views.saved)), run)

    # Connection

    def connection(self, state: ConnectionState, open_other: Callable[[str], object]) -> None:
        """Connect; when connected, what can be done with the connection. `open_other` gets a choice that is no command."""
        if state.phase is Phase.IDLE:
            self._main.connection.action_connect()
            return
        connected = state.phase is Phase.CONNECTED
        title = f"Connection {name}" if (name := self._main.connection.peer_name) else "Connection" if connected else state.phase.value
        menu = Menu(Content(title), connected_choices(state) if connected else busy_choices(state))

        def run(choice: str | None) -> None:
            command = command_of(choice, state)
            if command is not None:
                self._send(command)
            elif choice is not None:
                open_other(choice)

        self._main.app.push_screen(menu, run)

    def why(
        self,
        attempts: Attempts,
        name_of: Callable[[str], str],
        give_out: Callable[[str, bool], Awaitable[str]],
        apply_fix: Callable[[], object],
    ) -> None:
        """The attempts to connect; `name_of` gives the name of a peer, `give_out` copies or prints a text, `apply_fix` applies the
        likely mend of the latest failure.
        """

        def fixable(attempt: Attempt) -> bool:
            state = self._main.connection.state
            return (
                attempt is attempts.latest(self._main.connection.peer)
                and attempt.failure is state.failure
                and bool(attempt.failure and attempt.failure.fixes)
            )

        def run(chosen: str | None) -> None:
            if chosen == FIX:
                apply_fix()

        self._main.app.push_screen(WhyScreen(attempts, self._main.connection.peer, name_of, fixable, give_out), run)

    def security(self, give_out: Callable[[str, bool], Awaitable[str]]) -> None:
        """How the connection is made and secured, as it stands; `give_out` copies or prints a text."""
        pane = self._main.connection
        title = f"Security of the connection{f' {pane.peer_name}' if pane.peer_name else ''}"
        lines, text = (lambda: security_lines(pane.state, datetime.now(UTC))), (lambda: security_text(pane.state, datetime.now(UTC)))
        self._main.app.push_screen(ReportScreen(title, lines, give_out, text=text))

    def subscribe(self, state: ConnectionState) -> None:
        """Ask for a filter and subscribe."""
        if state.phase is not Phase.CONNECTED or state.options is None:
            self._main.say("not connected: c connects")
            return

        def run(request: TopicRequest | None) -> None:
            if request is not None:
                self._main.notice(None)
                self._send(Subscribe(state.peer, (request,)))

        self._main.app.push_screen(SubscribePrompt(state.options.connect.version, self._main.connection.peer_name), run)

    # Quit

    def ask_quit(self, losses: Sequence[str]) -> None:
        """Leave the application; ask first if something would be lost."""
        if isinstance(self._main.app.screen, Menu):
            return
        if not losses:
            self._main.app.exit()
            return

        def run(choice: str | None) -> None:
            if choice == "quit":
                self._main.app.exit()

        choices = [Choice("n", "stay", ""), Choice("y", "quit", "quit")]
        self._main.app.push_screen(Menu(Content("Quit?"), choices, Content("\n".join(losses))), run)
