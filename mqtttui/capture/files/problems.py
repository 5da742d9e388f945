"""What is wrong with a capture, said with its place, and what was passed over, counted by name."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

MAX_PROBLEMS = 1_000
"""Further ones are only counted."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that a person should know about a capture."""

    text: str
    """One sentence, wire text in it already visible."""
    offset: int
    """Where in the file, in bytes (after decompression)."""
    fatal: bool = False
    """Nothing behind this place could be read."""


class Report:
    """The problems of a capture and the tally of what is in it besides MQTT."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.left_out = 0
        """Problems beyond the first 1,000."""
        self.passed_over: Counter[str] = Counter()
        """Name -> how many frames, segments or connections of that kind."""

    def problem(self, text: str, offset: int, *, fatal: bool = False) -> None:
        """Says `text` of the place `offset`."""
        if len(self.problems) >= MAX_PROBLEMS and not fatal:
            self.left_out += 1
        else:
            self.problems.append(Problem(text, offset, fatal))

    def count(self, name: str, number: int = 1) -> None:
        """Something called `name` was passed over; names are few and come from tables, never from the wire."""
        self.passed_over[name] += number
