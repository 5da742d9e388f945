"""The one door for text from the wire: bytes or str become visible, reversible text.

Rules:
1. Everything that is not printable (`str.isprintable`: controls, C1, bidi overrides, zero-width characters, line
   separators, private use, unassigned) and everything that is not UTF-8 becomes `\\xNN`, one escape a byte of its UTF-8 form.
2. A backslash becomes `\\\\`, so that `parse` gives back exactly the bytes that were shown.
3. Nothing is shortened silently: a cut text ends in `…` and its length is said by the caller.
"""

from __future__ import annotations

import re
import unicodedata

ELLIPSIS = "…"

_ESCAPE = re.compile(r"\\(\\|n|t|r|x[0-9A-Fa-f]{2})|\\")
_SHORT = {"\\": b"\\", "n": b"\n", "t": b"\t", "r": b"\r"}
_PLAIN = re.compile(r"[ -\[\]-~]*")
_MARKS_IN_A_ROW = 4


class EscapeError(ValueError):
    """Escaped text that cannot be turned back into bytes; `position` is the 0-based index of the backslash."""

    def __init__(self, position: int, text: str) -> None:
        super().__init__(text)
        self.position = position


def visible(data: str | bytes | bytearray | memoryview, *, lines: bool = False) -> str:
    """Text that any terminal shows as it stands, and `parse` turns back into the same bytes.

    With `lines`, line feeds stay line feeds (for a multi-line view or editor); everything else is the same.
    """
    text = data if isinstance(data, str) else bytes(data).decode("utf-8", "surrogateescape")
    if _PLAIN.fullmatch(text):
        return text
    out: list[str] = []
    marks = 0
    for char in text:
        if char == "\\":
            out.append("\\\\")
            marks = 0
        elif char == "\n" and lines:
            out.append(char)
            marks = 0
        elif not char.isprintable():
            out.append(_escaped(char))
            marks = 0
        elif unicodedata.category(char)[0] == "M":
            # A pile of combining marks climbs over the neighbouring rows: a few are writing, more are an attack.
            marks += 1
            out.append(char if marks <= _MARKS_IN_A_ROW and len(out) > 0 else _escaped(char))
        else:
            out.append(char)
            marks = 0
    return "".join(out)


def printable(typed: str) -> str:
    r"""The same for text in a language that has backslashes and `\xNN` of its own, such as display filters: those stay as typed."""
    return visible(typed).replace("\\\\", "\\")


def preview(data: bytes | bytearray | memoryview, cells: int) -> str:
    """One line of at most `cells` characters from the start of `data`, ending in an ellipsis where it was cut.

    Costs the length of the preview, not of the data.
    """
    head = bytes(data[: cells * 4])
    shown = visible(head)
    if len(shown) <= cells and len(head) == len(data):
        return shown
    return shorten(shown, cells) if len(shown) > cells else shown[: cells - 1] + ELLIPSIS


def shorten(shown: str, cells: int) -> str:
    """`shown` (already visible text) cut to `cells` characters, with an ellipsis if anything was cut."""
    return shown if len(shown) <= cells else shown[: max(0, cells - 1)] + ELLIPSIS


def shorten_middle(shown: str, cells: int) -> str:
    """`shown` (already visible text) cut to `cells` characters, with an ellipsis for its middle if anything was cut."""
    if len(shown) <= cells:
        return shown
    kept = max(0, cells - 1)
    return shown[: kept - kept // 2] + ELLIPSIS + shown[len(shown) - kept // 2 :]


def parse(shown: str) -> bytes:
    r"""The bytes that `shown` stands for: `\\`, `\xNN`, and for convenience `\n`, `\t`, `\r`.

    Raises EscapeError at any other backslash.
    """
    out = bytearray()
    last = 0
    for match in _ESCAPE.finditer(shown):
        out += shown[last : match.start()].encode("utf-8", "surrogateescape")
        escape = match.group(1)
        if escape is None:
            raise EscapeError(match.start(), r"write \\ for a backslash, \xNN for a byte")
        out += _SHORT[escape] if escape in _SHORT else bytes([int(escape[1:], 16)])
        last = match.end()
    out += shown[last:].encode("utf-8", "surrogateescape")
    return bytes(out)


def _escaped(char: str) -> str:
    raw = char.encode("utf-8", "surrogateescape" if "\udc80" <= char <= "\udcff" else "surrogatepass")
    return "".join(f"\\x{byte:02x}" for byte in raw)
