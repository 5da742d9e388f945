"""Why a display filter cannot be used: what, where, and what to write instead."""

from __future__ import annotations


class FilterError(ValueError):
    """A filter text that is not a filter. `start` and `end` are character offsets in `text`, half-open."""

    def __init__(self, text: str, start: int, end: int, problem: str, remedy: str = "") -> None:
        super().__init__(problem if not remedy else f"{problem} {remedy}")
        self.text = text
        """The whole filter."""
        self.start = max(0, min(start, len(text)))
        self.end = max(self.start, min(end, len(text)))
        self.problem = problem
        """One sentence."""
        self.remedy = remedy
        """What to do about it, one sentence; may be empty."""

    def picture(self) -> str:
        """The filter on one line and `^~~~` below the place. What would spoil the alignment is shown as `?`."""
        line = "".join(char if char.isprintable() else "?" for char in self.text)
        return f"{line}\n{' ' * self.start}^{'~' * (self.end - self.start - 1)}"
