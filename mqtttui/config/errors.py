"""What is wrong with a value that a person gave: title, detail, hint."""

from __future__ import annotations


class ConfigError(Exception):
    """A URL, option, variable or file that cannot be used. All texts are visible text and carry no secret."""

    def __init__(self, title: str, detail: str = "", hint: str = "", position: int | None = None) -> None:
        super().__init__(title)
        self.title = title
        """What is wrong, naming the option: `-p: 'abc' is no port`."""
        self.detail = detail
        """What was seen, or why."""
        self.hint = hint
        """What to write instead."""
        self.position = position
        """0-based index in the text that was parsed, None where it has no single place."""

    def __str__(self) -> str:
        """`title: detail; hint`, the parts that there are."""
        text = f"{self.title}: {self.detail}" if self.detail else self.title
        return f"{text}{' ' if text.endswith('?') else '; '}{self.hint}" if self.hint else text
