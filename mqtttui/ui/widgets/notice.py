"""The lines that stay until they are read (Esc) or do not hold any more."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static


class Notice(Static):
    """One notice at a time; the next one takes its place."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._words: Content | None = None

    @property
    def words(self) -> Content | None:
        """What is shown."""
        return self._words

    def show(self, words: Content | None) -> None:
        """Show this; None: nothing."""
        self._words = words
        self.set_class(words is not None, "-shown")
        if words is not None:
            self.update(words)
