"""Why it failed, and how long connecting took: the attempts, the phases of one as bars, and a second one beside it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from textual.app import ComposeResult
from textual.message import Message
from textual.strip import Strip

from mqtttui.client.events import StepStatus
from mqtttui.ui.attempt_words import SIGNS, bar_words, failure_parts, markdown, outcome, url_of
from mqtttui.ui.attempts import Attempt, Attempts, Result
from mqtttui.ui.bindings import bindings_for
from mqtttui.ui.content import Part, fit, join
from mqtttui.ui.screens.keyed_modal import KeyedModal
from mqtttui.ui.times import clock
from mqtttui.ui.waterfall import Bar, between, duration
from mqtttui.ui.widgets.lines import LineView
from mqtttui.ui.widgets.packet_title import PacketTitle
from mqtttui.ui.widgets.text_block import TextBlock
from mqtttui.ui.widgets.waterfall_view import WaterfallView

FIX = "fix"
_LOOK_SECONDS = 0.1
_IDLE_NS = 20_000_000
"""Longer pauses between the phases are said."""
_STYLES = {
    Result.RUNNING: "waterfall--running",
    Result.CONNECTED: "waterfall--done",
    Result.ENDED: "waterfall--done",
    Result.FAILED: "waterfall--bad",
    Result.LOST: "waterfall--bad",
}
_PEER = 12
_FIXED = 29
"""Cells before the peer: mark, letter, time, how long, sign."""


class AttemptList(LineView):
    """Every attempt, newest first."""

    SCOPE: ClassVar[str] = "attempts"
    BINDINGS = bindings_for(SCOPE)
    HEAD_ROWS = 1
    COMPONENT_CLASSES: ClassVar[set[str]] = {"waterfall--bad", "waterfall--running", "waterfall--done"}

    @dataclass
    class Moved(Message):
        """Another attempt is selected."""

    @dataclass
    class MarkWanted(Message):
        """The selected attempt shall be the second one, or not any more."""

    def __init__(self, name_of: Callable[[str], str]) -> None:
        super().__init__()
        self._name_of = name_of
        self._attempts: list[Attempt] = []
        self._peers = False
        self.second = 0
        """Number of the attempt to compare with; 0 for none."""

    @property
    def row_count(self) -> int:
        return len(self._attempts)

    @property
    def current(self) -> Attempt | None:
        """The selected attempt."""
        return self._attempts[self.cursor] if self.cursor < len(self._attempts) else None

    @property
    def other(self) -> Attempt | None:
        """The second attempt, if it is another one than the selected."""
        current = self.current
        if current is None or current.number == self.second:
            return None
        return next((each for each in self._attempts if each.number == self.second), None)

    def show(self, attempts: list[Attempt]) -> None:
        """Other attempts, or the same ones changed; the same one stays selected."""
        before = self.current
        self._attempts = attempts
        self._peers = len({each.peer for each in attempts}) > 1
        at = next((at for at, each in enumerate(attempts) if before is not None and each.number == before.number), 0)
        self.place(top=self.top + at - self.cursor, cursor=at)
        self.show_cursor()

    def select(self, number: int) -> None:
        """Put the cursor on the attempt with this number."""
        at = next((at for at, each in enumerate(self._attempts) if each.number == number), 0)
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
        if not self._attempts:
            return Strip([Segment(fit(" no attempt to connect yet; c connects", width), self.style_of("line--dimmed"))])
        peer = f"{'Connection':<{_PEER}} " if self._peers else ""
        url, words = self._columns(width)
        line = f"   {'Time':<12} {'Took':>9}   {peer}{'Broker':<{url}} {'Outcome':<{words}}"
        return Strip([Segment(fit(line, width), self.style_of("line--head"))])

    def row(self, index: int, width: int) -> Strip:
        attempt = self._attempts[index]
        letter = "A" if index == self.cursor else "B" if attempt.number == self.second else " "
        url, words = self._columns(width)
        style = self.style_of(_STYLES.get(attempt.result, "line--dimmed"))
        peer = f"{fit(self._name_of(attempt.peer), _PEER)} " if self._peers else ""
        return Strip(
            [
                self.cursor_mark(index),
                Segment(letter if self.second else " ", self.style_of("line--cursor-mark")),
                Segment(f" {clock(attempt.wall)} "),
                Segment(fit(duration(attempt.took(time.monotonic_ns())), 9, right=True)),
                Segment(f" {SIGNS[attempt.result]} ", style),
                Segment(f"{peer}{fit(url_of(attempt), url)} "),
                Segment(fit(outcome(attempt), words), style),
            ]
        )

    def _columns(self, width: int) -> tuple[int, int]:
        """Cells of the URL and of the outcome."""
        room = max(8, width - _FIXED - (_PEER + 1 if self._peers else 0))
        url = min(room // 2, max((len(url_of(each)) for each in self._attempts), default=0))
        return url, room - url


class WhyScreen(KeyedModal[str]):
    """Shows attempts; gives `FIX` if the likely mend of the latest failure shall be applied, or None."""

    SCOPE = "why"
    BINDINGS = bindings_for("why")

    def __init__(
        self,
        attempts: Attempts,
        peer: str,
        name_of: Callable[[str], str],
        fixable: Callable[[Attempt], bool],
        hand_out: Callable[[str, bool], Awaitable[str]],
    ) -> None:
        """`peer`: the current one; `name_of` gives the name of a peer as visible text. `fixable` tells whether `FIX` would mend this
        attempt; `hand_out` copies or plainly prints a text and says where it went.
        """
        super().__init__(hand_out)
        self._attempts = attempts
        self._peer = peer
        self._fixable = fixable
        self._seen = -1
        self._heading = PacketTitle(id="why-title")
        self._list = AttemptList(name_of)
        self._bars = WaterfallView()
        self._detail = TextBlock(id="why-detail")

    def compose(self) -> ComposeResult:
        yield self._heading
        yield self._list
        yield self._bars
        yield self._detail
        yield self.key_line

    def on_mount(self) -> None:
        self._look()
        latest = self._attempts.latest(self._peer)
        if latest is not None:
            self._list.select(latest.number)
        self._select_phase()
        self._show()
        self._list.focus()
        self.set_interval(_LOOK_SECONDS, self._look)

    # Showing

    def _look(self) -> None:
        """Again when something has changed, and as long as something runs."""
        attempts = self._attempts.all
        running = any(each.result is Result.RUNNING for each in attempts)
        if self._seen == self._attempts.revision and not running:
            return
        self._seen = self._attempts.revision
        before = self._list.current
        self._list.show(attempts)
        after = self._list.current
        if before is not None and after is not None and before.result is Result.RUNNING and after.over and self._list.has_focus:
            self._select_phase()
        self._heading.text = "Why it failed, and how long connecting took"
        self._heading.right = f"{len(attempts)} attempt{'' if len(attempts) == 1 else 's'}"
        self._show()

    def _show(self) -> None:
        attempt, other = self._list.current, self._list.other
        self._bars.show(attempt, other)
        parts: list[Part] = []
        if attempt is not None:
            if (bar := self._bars.current) is not None:
                parts += [(f"{bar.label}{f', from {duration(bar.start)}' if bar.start else ''}: {_words(bar)}\n", "$dimmed")]
            parts += failure_parts(attempt, fixable=self._fixable(attempt))
            if (idle := between(self._bars.bars)) > _IDLE_NS:
                parts.append((f"\n{duration(idle)} passed between the phases: this machine had other things to do", "$dimmed"))
        self._detail.show(join(*parts))
        self.show_keys()

    def _select_phase(self) -> None:
        """The phase that failed, if one did."""
        attempt = self._list.current
        failed = next((step.name for step in attempt.steps if step.status is StepStatus.FAILED), "") if attempt is not None else ""
        self._bars.show(attempt, self._list.other)
        self._bars.select((failed, 0))

    # What happens

    def on_attempt_list_moved(self, event: AttemptList.Moved) -> None:
        event.stop()
        self.key_line.message = ""
        self._select_phase()
        self._show()

    def on_attempt_list_mark_wanted(self, event: AttemptList.MarkWanted) -> None:
        event.stop()
        current = self._list.current
        if current is not None:
            marked = self._list.second == current.number
            self._list.second = 0 if marked else current.number
            self.key_line.message = "" if marked else "compared with this one: go to another attempt"
            self._show()
            self._list.refresh()

    def on_waterfall_view_moved(self, event: WaterfallView.Moved) -> None:
        event.stop()
        self._show()

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A mend needs a failure that has one."""
        if action == "fix":
            attempt = self._list.current
            return attempt is not None and self._fixable(attempt)
        return True

    def action_fix(self) -> None:
        """Apply the likely mend and connect."""
        self.dismiss(FIX)

    def action_copy(self, plain: bool = False) -> None:
        """The attempt as Markdown; with `plain` printed on the terminal."""
        attempt = self._list.current
        if attempt is not None:
            self.hand_out(markdown(attempt, self._list.other, time.monotonic_ns()), plain=plain)


def _words(bar: Bar) -> str:
    return bar.detail or bar_words(bar) or "no more is known"
