"""The lines of the filter bar: what is in force, and under a text that is being typed what is wrong with it or what it means."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive

from mqtttui.ui.content import Part, grouped, join
from mqtttui.ui.filter_state import FilterState, cut
from mqtttui.ui.filtering import Applied, Checked
from mqtttui.ui.widgets.bars import Bar

if TYPE_CHECKING:
    from mqtttui.filters.errors import FilterError

_INDENT = 3
"""Cells before the text of the field."""
_ROOM_FOR_MEANING = 24
_TO_BEGIN = "↑ earlier filters · Tab completes · ctrl+o saved filters · F1 explains · Esc leaves"
_NOISE = "pings, answered acks, $SYS hidden (o)"
_NOISE_SHORT = "noise hidden (o)"


class FilterLine(Bar):
    """The filter in force: as typed, as it is meant, and what it selects."""

    state: reactive[FilterState] = reactive(FilterState())

    @dataclass
    class Pressed(Message):
        """The line was clicked."""

    def line(self, width: int) -> Content:
        state = self.state
        facts: list[Part] = []
        if state.typed:
            facts.append((state.count, "$state-warn" if state.percent is not None else ""))
        if state.with_answers and state.typed:
            facts.append("answers included (i)")
        if state.too_slow:
            facts.append((f"pattern too slow on {grouped(state.too_slow)}", "$state-warn"))
        if state.noise:
            words = (
                _NOISE if width - sum(cell_len(_words(fact)) for fact in facts) > len(_NOISE) + cell_len(state.typed) + 20 else _NOISE_SHORT
            )
            facts.append((words, "$dimmed"))
        if state.noise and not state.typed:
            facts.append((state.count, "$state-warn" if state.percent is not None else ""))
        tail: list[Part] = []
        for fact in facts:
            tail += [(" · ", "$dimmed"), fact] if tail else [fact]
        right = join(*tail)
        if not state.typed:
            return join((" /  ", "bold $primary"), right).truncate(width, ellipsis=True)
        room = max(8, width - right.cell_length - 10)
        typed = cut(state.typed, room)
        head: list[Part] = [(" / ", "bold $primary"), (typed, "bold"), ("  ✓ ", "$state-good")]
        left = width - join(*head).cell_length - right.cell_length - 4
        if state.meaning and left >= _ROOM_FOR_MEANING:
            head += [cut(state.meaning, left), (" · ", "$dimmed")]
        return join(*head, right).truncate(width, ellipsis=True)

    def on_click(self, event: events.Click) -> None:
        self.post_message(self.Pressed())


class Verdict(Bar):
    """Under the field: what is wrong with the text and where, or what it means."""

    content: reactive[tuple[Checked, str, int, bool]] = reactive((Checked(), "", 0, False))
    """What was found, of which text, how far that is scrolled, and whether it is meant to be complete."""

    def show(self, checked: Checked, typed: str, scrolled: int, *, final: bool) -> None:
        """Judge `typed`."""
        self.content = (checked, typed, scrolled, final)

    @property
    def incomplete(self) -> bool:
        """The text may become a filter when it is continued."""
        checked, _, _, final = self.content
        return checked.unfinished and not final

    @property
    def sign(self) -> Content:
        """✓, ✗ or …, with a word."""
        checked, typed, *_ = self.content
        if self.incomplete:
            return join((" … goes on ", "$dimmed"))
        if checked.error is not None:
            return join((" ✗ no filter ", "bold $state-bad"))
        return join((" ✓ ", "$state-good"), ("Enter applies ", "$dimmed")) if typed.strip() else join((" Enter: no filter ", "$dimmed"))

    def line(self, width: int) -> Content:
        checked, typed, scrolled, _ = self.content
        if checked.begun and self.incomplete:
            return join(("   Tab completes", "$dimmed"))
        if checked.error is not None:
            return self._error(checked.error, typed, scrolled, width)
        if checked.applied is None:
            lines = textwrap.wrap(_TO_BEGIN, max(1, width - _INDENT))[: max(1, self.size.height)]
            return join(("\n".join(" " * _INDENT + line for line in lines), "$dimmed"))
        return self._meaning(checked.applied, width)

    def _error(self, error: FilterError, typed: str, scrolled: int, width: int) -> Content:
        style = "$dimmed" if self.incomplete else "$state-bad"
        words = f"{error.problem} {error.remedy}".strip()
        offset = len(typed) - len(typed.lstrip())
        start, end = error.start + offset, error.end + offset
        at = _INDENT + cell_len(typed[:start]) - scrolled
        cells = max(1, cell_len(typed[start:end]))
        caret = "^" + "~" * (cells - 1)
        if typed.strip() != error.text or not _INDENT <= at < width or at + cells > width:
            return _said(" " * _INDENT, words, "", style, error, width)
        if at + cells + 2 + cell_len(words) <= width:
            return _said(" " * at + caret + "  ", words, "", style, error, width)
        if self.size.height > 1:
            return join(_said(" " * at + caret, "", "", style, error, width), "\n", _said(" " * _INDENT, words, "", style, error, width))
        if cell_len(words) + 2 <= at:
            return _said(" " * (at - cell_len(words) - 2), words, "  " + caret, style, error, width)
        return _said(" " * _INDENT, words, "", style, error, width)

    def _meaning(self, applied: Applied, width: int) -> Content:
        """What a quick search stands for, and what to know about the filter."""
        means = join("   ", ("= ", "$dimmed"), (applied.filter.text, "$generated")) if applied.quick else join("")
        hints = " ".join(applied.filter.hints)
        if self.size.height == 1 or not hints:
            return join(means, (f"   {hints}", "$dimmed")).truncate(width, ellipsis=True)
        lines = textwrap.wrap(hints, max(1, width - _INDENT)) if not applied.quick else [hints]
        below = [join((f"   {line}", "$dimmed")) for line in (lines[0], " ".join(lines[1:]))]
        first, second = (means, below[0]) if applied.quick else below
        return join(first.truncate(width, ellipsis=True), "\n", second.truncate(width, ellipsis=True))


def _said(before: str, words: str, after: str, style: str, error: FilterError, width: int) -> Content:
    """The problem coloured, the remedy plain."""
    problem, remedy = words[: len(error.problem)], words[len(error.problem) :]
    marks = "bold $state-bad" if style == "$state-bad" else style
    return join((before, marks), (problem, style), remedy, (after, marks)).truncate(width, ellipsis=True)


def _words(part: Part) -> str:
    return part[0] if isinstance(part, tuple) else str(part)
