"""The field of the filter bar: its keys come from the table of bindings, the place of an error is marked in the text."""

from __future__ import annotations

from typing import ClassVar, Protocol

from rich.highlighter import Highlighter
from rich.style import Style
from rich.text import Text
from textual.message import Message

from mqtttui.config.display_filter import one_line
from mqtttui.ui.bindings import bindings_for
from mqtttui.ui.widgets.escaped_input import EscapedInput

_PLACEHOLDER = "a word, a topic with + or #, or a filter: mqtt.qos == 1"


class Editor(Protocol):
    """What the keys of the field ask for."""

    def apply(self) -> None:
        """Put what was typed into force."""

    def complete(self) -> None:
        """Take a completion."""

    def move(self, rows: int) -> None:
        """Another completion or earlier filter."""

    def clear(self) -> None:
        """Empty the field."""

    def save(self) -> None:
        """Give what was typed a name."""

    def choose(self) -> None:
        """Choose a filter from a list."""

    def close(self) -> None:
        """Leave the field."""

    def help(self) -> None:
        """Explain the language."""


class _Place(Highlighter):
    """Marks a part of the text."""

    def __init__(self) -> None:
        self.span = (0, 0)
        self.style = Style.null()

    def highlight(self, text: Text) -> None:
        start, end = self.span
        if end > start:
            text.stylize(self.style, start, end)


class FilterInput(EscapedInput):
    """A display filter, on one line."""

    SCOPE: ClassVar[str] = "filter"
    BINDINGS = bindings_for("filter")
    COMPONENT_CLASSES: ClassVar[set[str]] = {"filter--wrong"}

    class Scrolled(Message):
        """Another part of a long text is visible."""

    class Moved(Message):
        """The cursor is somewhere else."""

    def __init__(self, editor: Editor, *, id: str | None = None) -> None:
        self._place = _Place()
        super().__init__(placeholder=_PLACEHOLDER, compact=True, select_on_focus=False, highlighter=self._place, id=id)
        self._editor = editor

    @property
    def scrolled(self) -> int:
        """Cells of the text that have left the field at its left."""
        return round(self.scroll_offset.x)

    def watch_scroll_x(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_x(old_value, new_value)
        if round(old_value) != round(new_value):
            self.post_message(self.Scrolled())

    def watch_selection(self) -> None:
        self.post_message(self.Moved())

    def mark(self, start: int, end: int) -> None:
        """Mark the characters from `start` up to, not including, `end`; none if they are the same."""
        self._place.span = (start, end)
        self._place.style = self.get_component_rich_style("filter--wrong", partial=True)
        self.refresh()

    def insert_raw(self, raw: str) -> None:
        """Insert text that came from elsewhere: on one line, its escapes as they stand."""
        shown = one_line(raw.strip("\r\n"))
        if self.selection.is_empty:
            self.insert_text_at_cursor(shown)
        else:
            self.replace(shown, *self.selection)

    # Actions

    def action_apply(self) -> None:
        """Put what was typed into force."""
        self._editor.apply()

    def action_complete(self) -> None:
        """Take the completion, or open the list of them."""
        self._editor.complete()

    def action_earlier(self) -> None:
        """The completion above; without a list the filter before."""
        self._editor.move(-1)

    def action_later(self) -> None:
        """The completion below; without a list the filter after."""
        self._editor.move(1)

    def action_clear_text(self) -> None:
        """Empty the field."""
        self._editor.clear()

    def action_save(self) -> None:
        """Give what was typed a name."""
        self._editor.save()

    def action_choose(self) -> None:
        """Choose a saved or earlier filter."""
        self._editor.choose()

    def action_leave(self) -> None:
        """Leave the field; the filter in force stays."""
        self._editor.close()

    def action_help(self) -> None:
        """How filters are written, and the traps."""
        self._editor.help()
