"""A capture that was opened: how far its reading has come, in the status bar, and what is wrong with it, in a notice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from textual.content import Content

from mqtttui import text
from mqtttui.capture.files.problems import Problem
from mqtttui.capture.log import Log
from mqtttui.capture.marks import Marks
from mqtttui.export.remarks import taken_apart
from mqtttui.ui.content import Part, join, size

if TYPE_CHECKING:
    from mqtttui.ui.screens.main import MainScreen

_SHOWN_PROBLEMS = 3


class Reader(Protocol):
    """What is needed of the reader of the file."""

    @property
    def format(self) -> str: ...
    @property
    def problems(self) -> Sequence[Problem]: ...
    @property
    def problems_left_out(self) -> int: ...
    @property
    def passed_over(self) -> Mapping[str, int]: ...
    @property
    def notes(self) -> Mapping[int, str]: ...
    @property
    def comments(self) -> Mapping[int, tuple[str, ...]]: ...


class Feed(Protocol):
    """What is needed of the reading."""

    name: str
    problem: str
    size: int | None
    bytes_read: int

    @property
    def over(self) -> bool: ...
    @property
    def words(self) -> str: ...
    @property
    def reader(self) -> Reader: ...


class OpenedFile:
    """One opened capture. Ask `line` for the status bar; `news` gives a notice when there is something to say."""

    def __init__(self, feed: Feed, log: Log, marks: Marks, goto: int = 0) -> None:
        """`goto`: No. of a packet to select as soon as it is there, 0 for none."""
        self._feed = feed
        self._log = log
        self._marks = marks
        self._goto = goto
        self._commented = 0
        self._told = (0, 0, 0, "")

    @property
    def piped(self) -> bool:
        """What was read came through a pipe, and is nowhere else."""
        return self._feed.size is None

    def show(self, main: MainScreen) -> None:
        """How far the reading has come, and what there is to say."""
        main.status.file = join(*self.line())
        self.take_comments()
        if (news := self.news()) is not None:
            main.notice(news)
        if not self._goto:
            return
        if self._goto <= self._log.last:
            main.go_to(self._goto)
        elif self._feed.over:
            main.say(f"packet {self._goto:,} is not there")
        else:
            return
        self._goto = 0

    def line(self) -> list[Part]:
        """`▤ night.pcapng · pcapng · 12 MB · read · 3 passed over`: frames and segments that are no MQTT, or too damaged to tell."""
        feed = self._feed
        how_far = f"{feed.bytes_read * 100 // feed.size} %" if feed.size and not feed.over and feed.bytes_read < feed.size else ""
        facts = [feed.reader.format, size(feed.bytes_read), " ".join(part for part in (feed.words, how_far) if part)]
        if over := sum(feed.reader.passed_over.values()):
            facts.append(f"{over:,} passed over")
        sign: Part = ("✗ ", "$state-bad") if feed.problem else ("▤ ", "$primary")
        return [sign, (feed.name, "bold"), *(f" · {fact}" for fact in facts if fact)]

    def take_comments(self) -> None:
        """The comments and marks of the file become comments and marks of the log."""
        comments = self._feed.reader.comments
        if len(comments) == self._commented:
            return
        for no, texts in list(comments.items())[self._commented :]:
            comment, marked = taken_apart(texts)
            if comment:
                self._marks.set_comment(no, comment)
            if marked and not self._marks.marked(no):
                self._marks.toggle(no)
        self._commented = len(comments)

    def news(self) -> Content | None:
        """What is wrong with the file, or empty, if that has changed since the question before."""
        feed, reader = self._feed, self._feed.reader
        nothing = feed.over and not self._log.received
        now = (len(reader.problems), len(reader.notes), int(nothing) + 2 * int(feed.over), feed.problem)
        if now == self._told:
            return None
        self._told = now
        if feed.problem:
            return join(("cannot be read: ", "bold $state-bad"), text.visible(feed.problem), "   Esc closes")
        parts: list[Part] = []
        if nothing:
            parts.append((f"no MQTT packet in {feed.name}", "bold $state-warn"))
            others = ", ".join(f"{count:,} {name}" for name, count in reader.passed_over.items())
            parts.append(f" · passed over: {others}" if others else "")
        for problem in reader.problems[:_SHOWN_PROBLEMS]:
            where = f" (byte {problem.offset:,} of the file)" if problem.offset else ""
            parts += [("\n" if parts else "", ""), text.visible(problem.text), (where, "$dimmed")]
        more = len(reader.problems) - _SHOWN_PROBLEMS + reader.problems_left_out
        if more > 0:
            parts.append((f"\nand {more:,} more", "$dimmed"))
        damaged = [f"{count:,} {name}" for name, count in reader.passed_over.items() if " end inside " in f" {name} "]
        if damaged and feed.over and not nothing:
            parts += [("\n" if parts else "", ""), f"passed over: {', '.join(damaged)}"]
        if reader.notes and not reader.problems and not nothing:
            number, note = next(iter(reader.notes.items()))
            parts.append((f"connection {number}: {text.visible(note)}", ""))
        return join(*parts, "   Esc closes") if parts else None
