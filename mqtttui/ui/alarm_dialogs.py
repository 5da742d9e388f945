"""The alarm on the screen: setting it up, what is said and done when it goes off, clearing it."""

from __future__ import annotations

import time
from collections.abc import Callable

from textual.content import Content

from mqtttui.ui.alarm import MAX_MARKS, Alarm, AlarmOrder, Call
from mqtttui.ui.content import Part, grouped, join
from mqtttui.ui.screens.main import MainScreen
from mqtttui.ui.screens.menu import Choice, Menu
from mqtttui.ui.times import clock
from mqtttui.ui.views import Parts


class AlarmDialogs:
    """The alarm of the main screen."""

    def __init__(self, parts: Parts, main: MainScreen, alarm: Alarm, bell: Callable[[], object], record: Callable[[], str]) -> None:
        """`record` begins a recording with what is kept, if there is none, and says so, or why not."""
        self._parts = parts
        self._main = main
        self._alarm = alarm
        self._bell = bell
        self._record = record

    def ask(self) -> None:
        """Set it up; when it is armed, what can be done with it."""
        alarm = self._alarm
        if alarm.order is None:
            self._set_up()
            return
        choices = [
            Choice("g", "go to the latest", "go", f"packet {alarm.latest:,}"),
            Choice("c", "clear", "clear", "count anew, and watch on"),
        ]
        rest = [Choice("e", "change", "change", alarm.order.typed), Choice("d", "disarm", "disarm", "watch no longer")]
        menu = Menu(Content("Alarm"), [*(choices if alarm.count else []), *rest])
        self._main.app.push_screen(menu, self._do)

    def _do(self, choice: str | None) -> None:
        match choice:
            case "go":
                self._main.go_to(self._alarm.latest)
            case "clear":
                self._alarm.clear()
                self._main.say("the alarm is cleared, and watches on")
            case "change":
                self._set_up()
            case "disarm":
                self._alarm.disarm()
                self._main.say("the alarm is off")
            case _:
                return
        self.show()

    def _set_up(self) -> None:
        from mqtttui.ui.screens.alarm import AlarmPrompt

        def run(order: AlarmOrder | None) -> None:
            if order is not None:
                self._alarm.arm(order)
                self._main.say("the alarm is armed, for this run; B clears it or turns it off")
                self.show()

        self._main.app.push_screen(AlarmPrompt(self._parts.filtering, self._main.views.saved, self._alarm.order), run)

    def look(self, now: int) -> None:
        """Do what the alarm is for, if something passed; `now` is monotonic ns."""
        call, order = self._alarm.call(now), self._alarm.order
        if call is None or order is None:
            return
        if order.ring:
            self._bell()
        said = [_words(call)]
        if order.pause and call.new and not self._main.inspector.packets.paused:
            self._main.inspector.packets.action_pause()
            said.append("the list is paused (p)")
        if order.record and call.new:
            said.append(self._record())
        if order.mark and self._alarm.marks_full:
            said.append(f"{MAX_MARKS:,} are marked, no more will be")
        if order.mark:
            self._main.inspector.packets.forget()
        self._main.say(" · ".join(part for part in said if part), gives_way=not call.new)
        self.show()

    def show(self) -> None:
        """How the alarm stands, in the status bar."""
        line = self._line()
        self._main.status.alarm = join(*line) if line else None

    def _line(self) -> list[Part]:
        alarm = self._alarm
        if alarm.order is None:
            return []
        if not alarm.count:
            return [("ALARM armed", "$dimmed")]
        log = self._parts.log
        at = clock(log.head(alarm.latest).wall if alarm.latest in log else time.time_ns())[:8]
        return [(f"ALARM {grouped(alarm.count)} × {at}", "bold $state-warn")]


def _words(call: Call) -> str:
    more = f" and {grouped(call.more)} more" if call.more else ""
    return f"alarm: packet {grouped(call.first)}{more}"
