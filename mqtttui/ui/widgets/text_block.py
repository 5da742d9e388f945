"""A few lines of own words that change often."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static


class TextBlock(Static):
    """Shows Content; lays the screen out again only when the text has changed (an update of a Static always does)."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._shown = Content("")

    def show(self, content: Content) -> None:
        """Show this instead."""
        if (content.plain, content.spans) != (self._shown.plain, self._shown.spans):
            self._shown = content
            self.update(content)

    @property
    def text(self) -> str:
        """What stands there."""
        return self._shown.plain
