"""The filter bar: what the filter in force selects, and the field in which another one is typed and checked.

Rules:
1. Typing checks and never applies: Enter does. Esc leaves the field, and the filter in force stays; what was typed comes
   back with Up.
2. Under the text stands what is wrong with it and where, or what it means and what to know about it. A text that only is not
   complete yet is no error.
3. Completions open while a name or a value is typed; Tab takes one, Enter never does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Static

from mqtttui.ui.content import join
from mqtttui.ui.filter_state import FilterState
from mqtttui.ui.filtering import Checked, Filtering
from mqtttui.ui.widgets.completions import Completions
from mqtttui.ui.widgets.filter_input import FilterInput
from mqtttui.ui.widgets.filter_lines import FilterLine, Verdict
from mqtttui.ui.widgets.ways import NARROW

_PROMPT = " / "


class FilterBar(Widget):
    """Two lines while a filter is typed, one while one is in force, none otherwise."""

    @dataclass
    class Changed(Message):
        """Another filter is in force."""

    @dataclass
    class Closed(Message):
        """The field is closed, and no control has the focus."""

    @dataclass
    class SaveWanted(Message):
        """The person wants to give a name to this filter; the text may be empty."""

        text: str

    @dataclass
    class ListWanted(Message):
        """The person wants to choose among saved and earlier filters."""

    @dataclass
    class HelpWanted(Message):
        """The person asks how filters are written."""

    def __init__(self, filtering: Filtering, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._filtering = filtering
        self._line = FilterLine(id="filter-line")
        self._edit = Horizontal(id="filter-edit")
        self._input = FilterInput(self, id="filter-field")
        self._sign = Static(id="filter-sign", markup=False)
        self._verdict = Verdict(id="filter-verdict")
        self._choices = Completions(id="filter-choices")
        self._editing = False
        self._narrow = False
        self._return_to: Widget | None = None
        self._checked = Checked()
        self._history: Sequence[str] = ()
        self._at = -1
        """Place in the history; -1: what is being typed."""
        self._draft = ""
        """What was typed and neither applied nor cleared."""
        self._typed = ""
        """What was typed before the history was looked into."""
        self._taken = ""
        """The text that a completion made: it asks for no further one."""
        self._offered = ("", 0)
        """Text and cursor that the completions are for."""

    def compose(self) -> ComposeResult:
        yield self._line
        with self._edit:
            yield Static(join((_PROMPT, "bold $primary")), id="filter-prompt", markup=False)
            yield self._input
            yield self._sign
        yield self._verdict
        yield self._choices

    def on_mount(self) -> None:
        self._choices.display = False
        self._show_parts()

    # What others use

    @property
    def editing(self) -> bool:
        """A filter is being typed."""
        return self._editing

    def show_state(self, state: FilterState) -> None:
        """What is in force, and how far it has come."""
        self._line.state = state
        self._show_parts()

    def fit(self, width: int) -> None:
        """The screen has `width` cells: below `NARROW` the filter in force has no line of its own."""
        self._narrow = width < NARROW
        self.set_class(self._narrow, "-narrow")
        self._show_parts()

    def _show_parts(self) -> None:
        self._line.display = self._line.state.active and not self._editing and not self._narrow
        self._edit.display = self._verdict.display = self._editing

    def show_history(self, history: Sequence[str]) -> None:
        """Earlier filters, latest first."""
        self._history = history

    def open(self, text: str | None = None) -> None:
        """Let a filter be typed, beginning with `text` or the one in force."""
        if not self.editing:
            focused = self.screen.focused
            self._return_to = focused if focused is not None and self.parent in focused.ancestors else None
            self._at = -1
        if text is None:
            applied = self._filtering.applied
            text = self._input.value if self.editing else applied.typed if applied is not None else ""
        self._editing = True
        self._show_parts()
        self._put(text)
        # At once, as in `close`: what is typed next is meant for the field.
        self.screen.set_focus(self._input)

    def close(self) -> None:
        """Leave the field; what was typed and not applied can be had back."""
        if not self.editing:
            return
        applied = self._filtering.applied
        typed = self._input.value.strip()
        self._draft = typed if applied is None or typed != applied.typed else ""
        self._editing = False
        self._show_parts()
        self._choices.display = False
        if self.screen.focused in (self._input, None):
            # At once: what is typed next is meant for the list.
            target = self._return_to
            self.screen.set_focus(target if target is not None and target.focusable and target is not self._input else None)
            self.post_message(self.Closed())

    # The field

    def apply(self) -> None:
        """Put what was typed into force, if it is a filter."""
        checked = self._filtering.check(self._input.value)
        if checked.error is not None:
            self._show(checked, final=True)
            return
        self._filtering.apply(checked.applied)
        self._put(checked.applied.typed if checked.applied is not None else "")
        self.close()
        self.post_message(self.Changed())

    def complete(self) -> None:
        """Take the completion under the cursor; open the list first if it is closed."""
        if not self._choices.display:
            self._offer(asked=True)
            return
        completion, insert = self._choices.completion, self._choices.current
        if completion is None or insert is None:
            return
        self._input.replace(insert, completion.start, completion.end)
        self._taken = self._input.value
        self._choices.display = False

    def clear(self) -> None:
        """Empty the field."""
        self._at = -1
        self._put("")

    def move(self, rows: int) -> None:
        """Another completion; without a list of them an earlier (up) or later filter."""
        if self._choices.display:
            self._choices.move_to(self._choices.cursor + rows)
            return
        earlier = [*([self._draft] if self._draft else []), *(each for each in self._history if each != self._draft)]
        if self._at == -1:
            self._typed = self._input.value
            if earlier and earlier[0] == self._typed.strip():
                self._at = 0
        at = min(max(-1, self._at - rows), len(earlier) - 1)
        if at == self._at and at == -1:
            return
        self._at = at
        self._put(self._typed if at == -1 else earlier[at])

    def save(self) -> None:
        """Ask for a name for the filter, if it is one."""
        checked = self._filtering.check(self._input.value)
        if checked.error is not None:
            self._show(checked, final=True)
        else:
            self.post_message(self.SaveWanted(checked.applied.typed if checked.applied is not None else ""))

    def choose(self) -> None:
        """Choose among saved and earlier filters."""
        self.post_message(self.ListWanted())

    def help(self) -> None:
        """Explain the language."""
        self.post_message(self.HelpWanted())

    def _put(self, text: str) -> None:
        with self._input.prevent(Input.Changed):
            self._input.value = text
        self._input.cursor_position = len(text)
        self._choices.display = False
        self._check()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if self.editing:
            self._at = -1
            self._check()
            if event.value != self._taken:
                self._offer(asked=False)

    def on_filter_input_moved(self, event: FilterInput.Moved) -> None:
        event.stop()
        if self._choices.display and self._offered != (self._input.value, self._input.cursor_position):
            self._choices.display = False

    def on_filter_input_scrolled(self, event: FilterInput.Scrolled) -> None:
        event.stop()
        self._show(self._checked, final=False)

    def _check(self) -> None:
        self._show(self._filtering.check(self._input.value), final=False)

    def _show(self, checked: Checked, *, final: bool) -> None:
        """`final`: the person thinks that it is complete."""
        self._checked = checked
        typed = self._input.value
        self._verdict.show(checked, typed, self._input.scrolled, final=final)
        error = checked.error
        if error is not None and not self._verdict.incomplete and typed.strip() == error.text:
            offset = len(typed) - len(typed.lstrip())
            self._input.mark(error.start + offset, max(error.end, error.start + 1) + offset)
        else:
            self._input.mark(0, 0)
        self._sign.update(self._verdict.sign)

    def _offer(self, *, asked: bool) -> None:
        typed, cursor = self._input.value, self._input.cursor_position
        completion = self._filtering.complete(typed, cursor)
        items = [item for item in completion.items if item[0] != typed[completion.start : completion.end]]
        wanted = asked or (completion.start < completion.end and cursor == completion.end)
        if not items or not wanted:
            self._choices.display = False
            return
        self._offered = (typed, cursor)
        self._choices.show(completion, items, self.app.size)
        self._choices.styles.offset = (len(_PROMPT) - 2 + max(0, completion.start - self._input.scrolled), 0)
        self._choices.display = True

    def on_completions_clicked(self, event: Completions.Clicked) -> None:
        event.stop()
        self.complete()

    def on_filter_line_pressed(self, event: FilterLine.Pressed) -> None:
        event.stop()
        self.open()

    def on_resize(self, event: events.Resize) -> None:
        if self.editing:
            self._check()
