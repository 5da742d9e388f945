"""The one display filter of a peer: what was typed, what it means, which packets it selects, and how far it has come.

Rules:
1. It governs every view. Views read it and are told when another filter is in force; only the filter bar and the keys that
   apply, exclude and combine change it.
2. What is typed by hand may be a quick search; what comes from elsewhere is strict. Nothing is applied that was not checked.
3. The language is loaded when a filter is wanted for the first time: the first paint does without it.
4. Testing is done in slices, beside the followers of the log; painting reads what is found.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mqtttui.capture.log import Log
from mqtttui.capture.marks import Marks
from mqtttui.config.display_filter import one_line

if TYPE_CHECKING:
    from mqtttui.analysis.pump import Pump
    from mqtttui.filters.compiler import Filter
    from mqtttui.filters.complete import Completion
    from mqtttui.filters.errors import FilterError
    from mqtttui.filters.row import Facts
    from mqtttui.filters.view import FilterView

_FEW = 1_000
"""Packets that wait to be tested without a word: live ones."""
_COARSE_NS = 250_000_000
_PREVIOUS = 100
"""Filters that Backspace leads back to."""


@dataclass(frozen=True, slots=True)
class Applied:
    """A filter in force."""

    typed: str
    """As the person wrote it."""
    filter: Filter

    @property
    def quick(self) -> bool:
        """It was a quick search: the filter stands for it, and is written otherwise."""
        return self.filter.text != self.typed


@dataclass(frozen=True, slots=True)
class Checked:
    """What a text would be as a filter: nothing (no text), a filter or an error."""

    applied: Applied | None = None
    error: FilterError | None = None
    unfinished: bool = False
    """There is an error, but what follows may mend it."""
    begun: bool = False
    """The same, with a name or value of which the beginning is there."""


_CLOSINGS = ('"', ")", '")', "}", '"}', "]")
"""What may still be missing at the end of a text."""


class Filtering:
    """The filter of one log."""

    def __init__(self, log: Log, facts: Callable[[], Facts]) -> None:
        """`facts` is asked once, when the first filter is applied."""
        self._log = log
        self._facts = facts
        self._view: FilterView | None = None
        self._previous: list[Applied | None] = []
        self._shown: tuple[object, ...] = ()
        self.applied: Applied | None = None
        """The filter in force; None: every packet, but for noise."""
        self.answers = False
        """The answers of what is selected are shown as well."""
        self.hide_noise = False
        """Pings, answered acks and $SYS are not shown."""

    # Text

    def check(self, typed: str) -> Checked:
        """What `typed` is: a quick search or a strict filter."""
        from mqtttui.filters.quick import interpret

        typed = one_line(typed).strip()
        if not typed:
            return Checked()
        checked = self._compiled(typed, interpret(typed))
        if checked.error is None or checked.error.text != typed:
            return checked
        begun = self._begun(typed, checked.error)
        return Checked(error=checked.error, unfinished=begun or self._unfinished(typed, checked.error), begun=begun)

    def _begun(self, typed: str, error: FilterError) -> bool:
        """The error is a last word that is the beginning of a right one."""
        completion = self.complete(typed, len(typed))
        word = typed[completion.start :].lower()
        return bool(word) and error.start == completion.start and any(insert.lower().startswith(word) for insert, _ in completion.items)

    def _unfinished(self, typed: str, error: FilterError) -> bool:
        """The error is that something is missing at the end."""
        longer = (self._compiled("", typed + closing).error for closing in _CLOSINGS)
        return error.start >= len(typed) or any(each is None or each.start >= len(each.text) for each in longer)

    def check_strict(self, text: str) -> Checked:
        """The same without quick searches."""
        text = one_line(text).strip()
        return self._compiled(text, text) if text else Checked()

    def _compiled(self, typed: str, text: str) -> Checked:
        from mqtttui.filters.compiler import compile_filter
        from mqtttui.filters.errors import FilterError

        try:
            return Checked(Applied(typed, compile_filter(text)))
        except FilterError as error:
            return Checked(error=error)

    def complete(self, typed: str, cursor: int) -> Completion:
        """What could stand at `cursor`."""
        from mqtttui.filters.complete import complete

        return complete(typed, cursor)

    # In force

    def apply(self, wanted: Applied | None) -> None:
        """Another filter is in force from now on."""
        self._previous.append(self.applied)
        del self._previous[:-_PREVIOUS]
        self.applied = wanted
        self._set()

    def back(self) -> bool:
        """The filter before this one; False when there was none."""
        if not self._previous:
            return False
        self.applied = self._previous.pop()
        self._set()
        return True

    def toggle_answers(self) -> bool:
        """Show the answers of what is selected as well, or not any more."""
        self.answers = not self.answers
        self._set()
        return self.answers

    def toggle_noise(self) -> bool:
        """Hide pings, answered acks and $SYS, or show them again."""
        self.hide_noise = not self.hide_noise
        self._set()
        return self.hide_noise

    def cancel(self) -> bool:
        """Test no further. False when nothing is being tested."""
        if self._view is None or not self.testing:
            return False
        self._view.cancel()
        return True

    def _set(self) -> None:
        if self._view is None:
            if not self.active:
                return
            from mqtttui.filters.view import FilterView

            self._view = FilterView(self._log, self._facts())
        chosen = self.applied.filter if self.applied is not None else None
        self._view.set(chosen, answers=self.answers, hide_noise=self.hide_noise)

    # What is selected

    @property
    def active(self) -> bool:
        """Not every packet is shown."""
        return self.applied is not None or self.hide_noise

    @property
    def view(self) -> FilterView | None:
        """The selected packets; None: every packet."""
        return self._view if self.active else None

    @property
    def testing(self) -> bool:
        """So many packets wait to be tested that it shows."""
        view = self.view
        return view is not None and view.total - view.tested > _FEW

    def advance(self, clock: Callable[[], int], slice_ns: int) -> bool:
        """Test packets for at most `slice_ns` of `clock`. True when nothing is left to test."""
        return self._view is None or not self.active or self._view.advance(clock, slice_ns)

    def changed(self) -> bool:
        """Whether there is something new to show since the question before."""
        view = self.view
        now: tuple[object, ...] = ()
        if view is not None:
            # One packet may have come for another that went: counts do not tell, so that those are looked at now and then.
            swapped = time.monotonic_ns() // _COARSE_NS if self.answers or (view.filter is not None and view.filter.changes_later) else 0
            now = (view.matches, view.answers, view.tested, view.total, swapped)
        before, self._shown = self._shown, now
        return now != before


def facts_of(log: Log, pump: Pump, marks: Marks, frame_number: Callable[[int], int] | None = None) -> Facts:
    """What filters may ask beside the log. `frame_number` gives the frame of the file that a packet was read from."""
    from mqtttui.export.info import info
    from mqtttui.filters.row import Facts

    return Facts(
        pairs=pump.pairs,
        operations=pump.operations,
        findings=pump.findings,
        marks=marks,
        frame_number=frame_number,
        info=lambda no: info(log.dissect(no)),
        now=time.monotonic_ns,
    )
