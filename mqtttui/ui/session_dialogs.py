"""Sessions, limits, AUTH and misbehaviour from the main screen: what each dialog asks, and what follows from the answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import count

from textual.content import Content

from mqtttui.analysis.pump import Pump
from mqtttui.client.commands import Authenticate, Command, Examine, Misbehave, StopBeside
from mqtttui.client.events import Challenge, ConnectionState, Phase, SessionReport
from mqtttui.config.options import ConnectOptions
from mqtttui.config.scram import scram_method
from mqtttui.protocol.enums import Direction, PropertyId
from mqtttui.text import shorten, visible
from mqtttui.ui import notices
from mqtttui.ui.content import as_whom
from mqtttui.ui.forms.rows import FormError
from mqtttui.ui.limits import Use, limit_lines
from mqtttui.ui.misbehaving_menu import WITH_CODE, misbehaving_choices, misbehaving_command
from mqtttui.ui.screens.answer_auth import Answer, AnswerAuth
from mqtttui.ui.screens.answer_with import AnswerWith, CodeOrder
from mqtttui.ui.screens.examine import ExaminePrompt, Wanted
from mqtttui.ui.screens.main import MainScreen
from mqtttui.ui.screens.menu import Choice, Menu
from mqtttui.ui.screens.report import ReportScreen
from mqtttui.ui.session_words import report_lines, short_report, title
from mqtttui.ui.widgets.read_view import Line

_METHOD = 40

GiveOut = Callable[[str, bool], Awaitable[str]]


class SessionDialogs:
    """Over the main screen; every dialog is about the peer whose state it was opened with."""

    def __init__(self, main: MainScreen, pump: Pump, send: Callable[[Command], None], give_out: GiveOut) -> None:
        """`give_out` copies or plainly prints a text and says where it went."""
        self._main = main
        self._pump = pump
        self._send = send
        self._give_out = give_out
        self._tokens = count(1)
        self._asked: Wanted | None = None
        self._begun = 0
        """Token of the latest look; 0 before the first."""
        self._report: SessionReport | None = None
        self._looker = ""
        """The peer that made the look of the report."""
        self._shown: ReportScreen | None = None
        self._auth: tuple[AnswerAuth, str] | None = None
        """The dialog of AUTH while it is open, and its peer."""
        self._offered: Challenge | None = None
        """The challenge whose dialog opened by itself; it does so once."""

    @property
    def _of_whom(self) -> str:
        """` · second`: which of several connections it is about."""
        name = self._main.connection.peer_name
        return f" · {name}" if name else ""

    # Limits

    def limits(self, current: Callable[[], ConnectionState]) -> None:
        """What was granted, beside what was asked and what is in use; `current` gives the state whenever it is looked at."""

        def lines() -> list[Line]:
            state = current()
            number = state.connection if state.connection is not None else -1
            largest = self._pump.largest
            use = Use(self._pump.operations.in_flight(number), largest.of(number, Direction.C2S), largest.of(number, Direction.S2C))
            return list(limit_lines(state, use))

        self._main.app.push_screen(ReportScreen(f"Granted and asked{self._of_whom}", lines, self._give_out))

    # Sessions of others

    def session(self, state: ConnectionState) -> None:
        """Look into a session; with an earlier look, that one can be shown again."""
        if self._report is None:
            self._ask(state)
            return
        report = self._report

        def run(choice: str | None) -> None:
            if choice == "show":
                self._show()
            elif choice == "ask":
                self._ask(state)

        running = "" if report.done else "it goes on"
        choices = [Choice("s", "the latest look", "show", f"{report.client_id}  {running}"), Choice("n", "another look", "ask")]
        self._main.app.push_screen(Menu(Content(f"Session of a device{self._of_whom}"), choices), run)

    def _ask(self, state: ConnectionState) -> None:
        options = self._options(state)
        if options is None:
            return

        def run(wanted: Wanted | None) -> None:
            if wanted is not None:
                self._asked = wanted
                self._look(state.peer, options, wanted)

        self._main.app.push_screen(ExaminePrompt(options, self._asked), run)

    def _options(self, state: ConnectionState) -> ConnectOptions | None:
        if state.phase is Phase.CONNECTED:
            return state.options
        try:
            return self._main.connection.options()
        except FormError as problem:
            self._main.say(f"the Connection form (1) has no broker to ask: {problem.text}")
            return None

    def _look(self, peer: str, options: ConnectOptions, wanted: Wanted) -> None:
        """Ask for a look; its report opens when it is told of, for the guard asks about more than a peek, or refuses it."""
        self._begun = next(self._tokens)
        self._send(
            Examine(peer, self._begun, options, wanted.client_id, wanted.mode, wanted.receive_maximum, wanted.expiry, wanted.quiet),
        )

    def _show(self) -> None:
        assert self._report is not None

        def stop() -> bool:
            if self._report is None or self._report.done:
                return False
            self._send(StopBeside(self._looker))
            return True

        def lines() -> list[Line]:
            return list(report_lines(self._report)) if self._report is not None else []

        def run(_: None) -> None:
            self._shown = None

        self._shown = ReportScreen(title(self._report), lines, self._give_out, stop)
        self._main.app.push_screen(self._shown, run)

    def looked(self, peer: str, report: SessionReport) -> Content | None:
        """A look went on; the notice to show if it is over and nobody reads its report."""
        if report.token != self._begun:
            return None
        new = self._report is None or self._report.token != report.token
        self._report, self._looker = report, peer
        if new and self._main.is_current:
            self._show()
            return None
        if self._shown is not None and self._shown.is_mounted:
            self._shown.look()
            return None
        return notices.observed(short_report(report)) if report.done else None

    def closed(self, peer: str) -> None:
        """A peer is no more, and so is what it looked into."""
        if self._report is not None and self._looker == peer and not self._report.done:
            self._report = replace(self._report, done=True, ended="the connection that looked was closed")

    # AUTH

    def show_state(self, state: ConnectionState, *, current: bool) -> None:
        """The state of a peer: a challenge opens its dialog where nothing else is open, and takes it away when it is over."""
        if self._auth is not None and self._auth[1] == state.peer and self._auth[0].challenge is not state.challenge:
            dialog, _ = self._auth
            if dialog.challenge is not None and dialog.is_current:
                dialog.dismiss(None)
        new = state.challenge is not None and state.challenge is not self._offered
        if new and current and self._auth is None and self._main.is_current:
            self._offered = state.challenge
            self.answer_auth(state)

    def answer_auth(self, state: ConnectionState) -> None:
        """Ask for the answer to the server's AUTH."""
        challenge = state.challenge
        if challenge is not None:
            self._ask_auth(state.peer, challenge, challenge.method)

    def authenticate_again(self, state: ConnectionState) -> None:
        """Begin a re-authentication: SCRAM by itself, any other method with the data that the user types."""
        connect = state.options.connect if state.options is not None else None
        if connect is not None and scram_method(connect):
            self._send(Authenticate(state.peer, None, again=True))
        else:
            self._ask_auth(state.peer, None, auth_method(state))

    def _ask_auth(self, peer: str, challenge: Challenge | None, method: str) -> None:
        def run(answer: Answer | None) -> None:
            self._auth = None
            if answer is not None:
                self._send(Authenticate(peer, answer.data, again=challenge is None))

        dialog = AnswerAuth(challenge, method)
        self._auth = (dialog, peer)
        self._main.app.push_screen(dialog, run)

    # Misbehaving

    def misbehave(self, state: ConnectionState) -> None:
        """What the client shall do wrong."""
        if state.phase is not Phase.CONNECTED:
            self._main.say("not connected: c connects")
            return

        def run(choice: str | None) -> None:
            if choice == WITH_CODE:
                self._with_code(state.peer)
            elif (command := misbehaving_command(choice, state)) is not None:
                self._send(command)

        body = Content("\n".join((f"now: {state.warning}" if state.misbehaving else "", *state.beside)).strip())
        menu = Menu(
            Content(f"Misbehave on purpose{as_whom(self._main.connection.peer_name)}"),
            misbehaving_choices(state),
            body if body.plain else None,
        )
        self._main.app.push_screen(menu, run)

    def _with_code(self, peer: str) -> None:
        def run(order: CodeOrder | None) -> None:
            if order is not None:
                self._send(Misbehave(peer, "answer", order.times, order.packets, order.code))

        self._main.app.push_screen(AnswerWith(), run)


def auth_method(state: ConnectionState) -> str:
    """The Authentication Method of the CONNECT, visible text; empty if it has none."""
    connect = state.options.connect if state.options is not None else None
    named = [item.value for item in connect.properties if item.id == PropertyId.AUTHENTICATION_METHOD] if connect is not None else []
    return shorten(visible(named[0]), _METHOD) if named and isinstance(named[0], str | bytes) else ""
