"""Text from the wire as Textual Content: visible (`mqtttui.text`), and never markup."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size
from textual.content import Content

from mqtttui import text

_CHARACTERS_A_CELL = 8
"""So many characters in a cell, with those that take none, are measured; what is longer is cut before."""

Part = str | tuple[str, str] | Content
"""Own words, own words with a style (`$text-muted`, `bold`), or Content."""


def wire(data: str | bytes | bytearray | memoryview, style: str = "", *, lines: bool = False) -> Content:
    """Content of what came from the wire (or from a person's config): escaped, with brackets as they stand."""
    return plain(text.visible(data, lines=lines), style)


def plain(shown: str, style: str = "") -> Content:
    """Content of text that is visible already. Nothing in it is markup."""
    return Content.styled(shown, style) if style else Content(shown)


def join(*parts: Part) -> Content:
    """Content of several parts, one after the other; strings are not markup."""
    return Content.assemble(*parts)


def fit(shown: str, cells: int, *, right: bool = False) -> str:
    """`shown` in exactly `cells` terminal cells: padded, or cut with an ellipsis. `right` aligns it right.

    Counts cells, not characters: east-asian wide characters take two. Of a giant text only the beginning is measured.
    """
    if cells <= 0:
        return ""
    shown = text.shorten(shown, _CHARACTERS_A_CELL * cells)
    width = cell_len(shown)
    if width == cells:
        return shown
    if width < cells:
        padding = " " * (cells - width)
        return padding + shown if right else shown + padding
    return set_cell_size(shown, cells - 1) + text.ELLIPSIS


def as_whom(name: str) -> str:
    """` as second`: on which of several connections something is sent; empty where there is one."""
    return f" as {name}" if name else ""


def grouped(number: int) -> str:
    """`12,431`."""
    return f"{number:,}"


def count_bytes(count: int) -> str:
    """`1 byte`, `1,204 bytes`."""
    return f"{count:,} byte{'' if count == 1 else 's'}"


def size(count: float) -> str:
    """`26 B`, `98 kB`, `1.2 MB`: decimal units, as rates and network people count."""
    if count < 1000:
        return f"{count:.0f} B"
    for unit in ("kB", "MB", "GB"):
        count /= 1000
        if count < 9.95:
            return f"{count:.1f} {unit}"
        if count < 999.5:
            return f"{count:.0f} {unit}"
    return f"{count:,.0f} GB"
