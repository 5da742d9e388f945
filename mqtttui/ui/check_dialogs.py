"""Test runs on the screen: asking for one, showing it while it runs and later, stopping it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from mqtttui.client.commands import CheckCommand, StartCheck, StopCheck
from mqtttui.client.events import Phase
from mqtttui.config.check import CheckJob
from mqtttui.ui.check_runs import CheckRuns
from mqtttui.ui.screens.main import MainScreen


class CheckDialogs:
    """The test runs of the main screen."""

    def __init__(
        self,
        main: MainScreen,
        runs: CheckRuns,
        execute: Callable[[CheckCommand], None],
        hand_out: Callable[[str, bool], Awaitable[str]],
        allow: Callable[[CheckJob, Callable[[CheckJob], None]], None],
    ) -> None:
        """`hand_out` copies or plainly prints a text and says where it went; `allow` lets a run through, or not."""
        self._main = main
        self._runs = runs
        self._execute = execute
        self._hand_out = hand_out
        self._allow = allow

    def open(self) -> None:
        """Show the test runs; without any, ask for one."""
        if self._runs.all:
            self._show()
        else:
            self.ask()

    def ask(self) -> None:
        """Ask for a test run of what the current peer is connected to, or what its form shows, and begin it."""
        from mqtttui.ui.screens.check_form import CheckForm

        state = self._main.parts.standing()
        options = state.options if state.phase is Phase.CONNECTED else self._main.connection.ready()
        if options is None:
            self._main.show_pane("connection")
            return
        runs = self._runs.all

        def run(job: CheckJob | None) -> None:
            if job is not None:
                self._allow(job, self._begin)

        self._main.app.push_screen(CheckForm(options, runs[0].job if runs else None), run)

    def stop(self) -> bool:
        """End the run that is under way. False if there is none."""
        if self._runs.running is None:
            return False
        self._execute(StopCheck())
        return True

    def _begin(self, job: CheckJob) -> None:
        started = self._runs.begin(job, time.time_ns())
        self._execute(StartCheck(started.token, job))
        self._show()

    def _show(self) -> None:
        from mqtttui.ui.screens.check import CheckScreen

        app = self._main.app
        if not any(isinstance(screen, CheckScreen) for screen in app.screen_stack):
            app.push_screen(CheckScreen(self._runs, self.ask, self.stop, self._hand_out))
