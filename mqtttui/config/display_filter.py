"""A display filter as text: on one line, printable, and from the command line strict, with an error that shows the place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mqtttui.config.errors import ConfigError
from mqtttui.text import printable, shorten

if TYPE_CHECKING:
    from mqtttui.filters.compiler import Filter

_PICTURE = 200
"""Characters of a filter up to which it is repeated in the error, with the place marked."""
_BREAKS = re.compile(r"[\t\n\r]+")


def one_line(typed: str) -> str:
    r"""`typed` on one line, with what a terminal must not see written as `\xNN` (which means the same in a text of a filter)."""
    return printable(_BREAKS.sub(" ", typed))


def parse_display_filter(typed: str, label: str) -> Filter:
    """The filter that the value of option `label` is. Raises ConfigError."""
    # Loading the language takes longer than everything else on the command line.
    from mqtttui.filters.compiler import compile_filter
    from mqtttui.filters.errors import FilterError

    text = one_line(typed).strip()
    try:
        return compile_filter(text)
    except FilterError as error:
        lines = error.picture().split("\n") if len(text) <= _PICTURE else []
        if error.remedy:
            lines.append(error.remedy)
        raise ConfigError(f"{label}: {shorten(error.problem, 200)}", hint="\n  ".join(lines), position=error.start) from None
