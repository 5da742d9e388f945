"""Test runs: those that were made, the times of one as a table with bars, and a second one beside it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from textual.app import ComposeResult
from textual.message import Message
from textual.strip import Strip

from mqtttui.analysis.check_run import Depth
from mqtttui.export.check_tables import availability_words, failure_lines, remarks, report_markdown, report_values
from mqtttui.export.units import duration
from mqtttui.text import visible
from mqtttui.ui.bindings import bindings_for
from mqtttui.ui.check_runs import Checked, CheckRuns
from mqtttui.ui.content import Part, fit, join
from mqtttui.ui.screens.keyed_modal import KeyedModal
from mqtttui.ui.times import clock
from mqtttui.ui.widgets.check_table import CheckTable
from mqtttui.ui.widgets.lines import LineView
from mqtttui.ui.widgets.packet_title import PacketTitle
from mqtttui.ui.widgets.text_block import TextBlock

_LOOK_SECONDS = 0.1
_FAILURES_SHOWN = 2
_STATE, _TIME = 12, 9


class CheckList(LineView):
    """Every test run, newest first."""

    SCOPE: ClassVar[str] = "checklist"
    BINDINGS = bindings_for(SCOPE)
    HEAD_ROWS = 1
    COMPONENT_CLASSES: ClassVar[set[str]] = {"check--good", "check--bad", "check--running"}

    @dataclass
    class Moved(Message):
        """Another one is selected."""

    @dataclass
    class MarkWanted(Message):
        """The selected one shall be the second one, or not any more."""

    def __init__(self) -> None:
        super().__init__()
        self._checked: Sequence[Checked] = ()
        self.second = 0
        """Token of the one to compare with; 0 for none."""

    @property
    def row_count(self) -> int:
        return len(self._checked)

    @property
    def current(self) -> Checked | None:
        """The selected one."""
        return self._checked[self.cursor] if self.cursor < len(self._checked) else None

    @property
    def other(self) -> Checked | None:
        """The second one, if it is not the selected one."""
        return next((each for each in self._checked if each.token == self.second and each is not self.current), None)

    def show(self, checked: Sequence[Checked]) -> None:
        """Others, or the same ones changed; the same one stays selected, but a new one is selected when it comes."""
        before = self.current
        newest = self._checked[0].token if self._checked else 0
        self._checked = checked
        new = bool(checked) and checked[0].token != newest
        at = 0 if new else next((at for at, each in enumerate(checked) if each is before), 0)
        self.place(cursor=at)
        self.show_cursor()

    def cursor_moved(self) -> None:
        self.post_message(self.Moved())

    def row_activated(self) -> None:
        self.action_mark()

    def action_mark(self) -> None:
        """Compare with this one."""
        self.post_message(self.MarkWanted())

    # Painting

    def head(self, y: int, width: int) -> Strip:
        line = f"   {'Time':<12} {'Runs':>9} {'Total':>{_TIME}} {'State':<{_STATE}} Broker"
        return Strip([Segment(fit(line, width), self.style_of("line--head"))])

    def row(self, index: int, width: int) -> Strip:
        checked = self._checked[index]
        report = checked.report
        letter = "A" if index == self.cursor else "B" if checked.token == self.second else " "
        failed = report.succeeded < len(report.runs)
        state = f"{len(report.runs) - report.succeeded} failed" if failed else "stopped" if checked.stopped else "ok"
        style = "check--bad" if failed else "check--good"
        if not checked.over:
            state, style = "running", "check--running"
        total = report.times.get("total")
        connect = checked.job.options.connect
        segments = [
            self.cursor_mark(index),
            Segment(letter if self.second else " ", self.style_of("line--cursor-mark")),
            Segment(f" {clock(checked.wall)} "),
            Segment(f"{f'{len(report.runs)} of {checked.job.count}':>9} "),
            Segment(fit(duration(round(total.median)) if total is not None else "–", _TIME, right=True) + " "),
            Segment(fit(state, _STATE) + " ", self.style_of(style)),
        ]
        room = width - sum(segment.cell_length for segment in segments)
        return Strip([*segments, Segment(fit(f"{visible(checked.job.options.url)} · v{connect.version.label} · {_far(checked)}", room))])


class CheckScreen(KeyedModal[None]):
    """Shows test runs."""

    SCOPE = "check"
    BINDINGS = bindings_for("check")

    def __init__(
        self, runs: CheckRuns, again: Callable[[], None], stop: Callable[[], bool], hand_out: Callable[[str, bool], Awaitable[str]]
    ) -> None:
        """`again` asks for one more, `stop` ends the one that is under way and says whether there was one."""
        super().__init__(hand_out)
        self._runs = runs
        self._again, self._stop = again, stop
        self._seen = -1
        self._heading = PacketTitle(id="check-title")
        self._list = CheckList()
        self._table = CheckTable()
        self._detail = TextBlock(id="check-detail")

    def compose(self) -> ComposeResult:
        yield self._heading
        yield self._list
        yield self._table
        yield self._detail
        yield self.key_line

    def on_mount(self) -> None:
        self._heading.text = "Test runs: how long the broker takes"
        self._look()
        self._list.focus()
        self.set_interval(_LOOK_SECONDS, self._look)

    # Showing

    def _look(self) -> None:
        """Again when something has changed."""
        if self._seen != self._runs.revision:
            self._seen = self._runs.revision
            self._list.show(self._runs.all)
            self._show()

    def _show(self) -> None:
        checked, other = self._list.current, self._list.other
        running = self._runs.running
        self._heading.right = "" if running is None else f"run {running.number} of {running.job.count} · {running.waits} · ctrl+c stops"
        self._table.empty = "" if checked is None else "nothing was measured" if checked.over else "nothing measured so far"
        self._table.show(checked.report if checked is not None else None, other.report if other is not None else None)
        self._detail.show(join(*self._words(checked)) if checked is not None else join(""))
        self.show_keys()

    def _words(self, checked: Checked) -> Sequence[Part]:
        report = checked.report
        bad = report.succeeded < len(report.runs)
        stopped = " · stopped" if checked.stopped else ""
        parts: list[Part] = [(availability_words(report) + stopped, "bold $state-bad" if bad else "bold")]
        connect = checked.job.options.connect
        topic = f", topic {visible(checked.job.plan.topic)}" if checked.job.plan.depth is not Depth.CONNECT else ""
        parts.append((f"\nas {visible(connect.client_id)}{topic}", "$dimmed"))
        parts += [(f"\n{line}", "$state-bad") for line in failure_lines(report, _FAILURES_SHOWN)]
        parts += [(f"\n{line}", "$dimmed") for line in remarks(report)]
        return parts

    def on_check_list_moved(self, event: CheckList.Moved) -> None:
        event.stop()
        self._show()

    def on_check_list_mark_wanted(self, event: CheckList.MarkWanted) -> None:
        event.stop()
        current = self._list.current
        if current is not None:
            marked = self._list.second == current.token
            self._list.second = 0 if marked else current.token
            self.key_line.say("" if marked else "compared with this one: go to another one")
            self._show()
            self._list.refresh()

    # Actions

    def action_again(self) -> None:
        """Ask for one more."""
        self._again()

    def action_stop(self) -> None:
        """End the one that is under way."""
        self.key_line.say("stopped" if self._stop() else "nothing runs")

    def action_copy(self, how: str = "markdown") -> None:
        """The selected one, as Markdown or JSON; `print` prints Markdown on the terminal."""
        checked, other = self._list.current, self._list.other
        if checked is None:
            return
        options, plan = checked.job.options, checked.job.plan
        version = options.connect.version.label
        if how == "json":
            text = json.dumps(report_values(options.url, version, plan, checked.report), ensure_ascii=False, indent=2)
        else:
            text = report_markdown(options.url, version, plan, checked.report, other.report if other is not None else None)
        self.hand_out(text, plain=how == "print")


def _far(checked: Checked) -> str:
    plan = checked.job.plan
    match plan.depth:
        case Depth.PUBLISH:
            return f"probes at QoS {', '.join(str(qos) for qos in plan.qos)}"
        case Depth.SUBSCRIBE:
            return "subscribe only"
        case Depth.CONNECT:
            return "connect only"
