"""One table of signs for terminals that cannot draw ours, or draw them two cells wide: `--ascii`.

It works on the finished lines, so that panes, borders and scrollbars all pass it. Every replacement is one cell, as is
what it replaces. Text from the wire passes too: there the table changes a sign, never the bytes that are copied or saved.
"""

from __future__ import annotations

import re

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

ASCII: dict[str, str] = {
    "●": "*",
    "○": "o",
    "◌": "~",
    "✗": "x",
    "✓": "+",
    "▌": ">",
    "▐": "#",
    "▲": "^",
    "▼": "v",
    "⇄": "|",
    "▤": "=",
    "◆": "#",
    "◇": "o",
    "×": "x",
    "–": "-",
    "▾": "-",
    "▸": "+",
    "…": "~",
    "·": "-",
    "•": "*",
    "↑": "^",
    "↓": "v",
    "←": "<",
    "→": ">",
    "─": "-",
    "━": "-",
    "│": "|",
    "┃": "|",
    "╱": "/",
    "╲": "\\",
    **dict.fromkeys("┌┐└┘├┤┬┴┼╭╮╰╯┏┓┗┛┣┫┳┻╋╸╺╹╻", "+"),
    **dict.fromkeys("▁▂▃▄▅▆▇█▉▊▋▍▎▏▔▕▀░▒▓", "#"),
    **dict.fromkeys("⠀⠁⠂⠃⠄⠅⠆⠇⠈⠉⠋⠙⠹⠸⠼⠴⠦⠧", "*"),
}
"""Sign -> what stands for it."""

_TABLE = str.maketrans(ASCII)
_FINE = re.compile(r"(^|(?<= )) ✓ ")
"""Where there is room for a word."""


class AsciiFilter(LineFilter):
    """Replaces every sign of the table in a finished line."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The line with ASCII signs."""
        return [
            segment if segment.text.isascii() else Segment(_in_ascii(segment.text), segment.style, segment.control) for segment in segments
        ]


def _in_ascii(text: str) -> str:
    return _FINE.sub("ok ", text).translate(_TABLE)
