"""What `--help` prints: a table of options in words."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from mqtttui.config.arguments import Option

_COLUMN = 34
_WIDTH = 76


def help_text(usage: str, options: Sequence[Option], end: str) -> str:
    """`usage`, the options by group in the order of the table, and `end`."""
    parts = [usage]
    for group in dict.fromkeys(option.group for option in options):
        lines = [f"{group}:"]
        for option in options:
            if option.group == group:
                lines += _lines(option)
        parts.append("\n".join(lines))
    return "\n\n".join([*parts, end])


def _lines(option: Option) -> list[str]:
    names = ", ".join(option.names)
    head = f"  {names} {option.metavar}".rstrip()
    indent = " " * _COLUMN
    lines = textwrap.wrap(option.help, width=_WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
    if len(head) < _COLUMN - 1:
        return [f"{head:{_COLUMN}}{lines[0].strip()}", *lines[1:]]
    return [head, *lines]
