"""Bytes as hexadecimal digits that a person types: any spacing, and the place of what is wrong."""

from __future__ import annotations

import re

from mqtttui import text
from mqtttui.ui.forms.rows import FormError

FIELD = "hex"
EDITABLE = 64 * 1024
"""Bytes above which a packet is not put into an editor on the screen."""

_TOKEN = re.compile(r"[0-9A-Za-z]+|[^\s]")
_SEPARATORS = ",:;-_"


def from_hex(typed: str) -> bytes:
    """The bytes of pairs of digits; blanks, line feeds, `, : ; - _` and `0x` between them do not count. Raises FormError with the place."""
    out: list[str] = []
    for match in _TOKEN.finditer(typed):
        token = match.group()
        if token in _SEPARATORS:
            continue
        digits = token[2:] if token[:2] in ("0x", "0X") else token
        start = match.start() + len(token) - len(digits)
        wrong = re.search(r"[^0-9a-fA-F]", digits)
        if wrong is not None:
            raise FormError(FIELD, f"{place(typed, start + wrong.start())}: {text.visible(wrong.group())} is no hex digit")
        if len(digits) % 2:
            raise FormError(FIELD, f"{place(typed, start + len(digits) - 1)}: {digits[-1]} stands alone, a byte has two digits")
        out.append(digits)
    return bytes.fromhex("".join(out))


def to_hex(raw: bytes, columns: int = 16) -> str:
    """Rows of `columns` bytes, in groups of eight."""
    rows = []
    for at in range(0, len(raw), columns):
        row = raw[at : at + columns]
        rows.append("  ".join(row[part : part + 8].hex(" ") for part in range(0, len(row), 8)))
    return "\n".join(rows)


def byte_at(typed: str, row: int, column: int) -> int:
    """Offset of the byte at a place of the text; both counted from 0."""
    lines = typed.split("\n")
    before = "\n".join([*lines[:row], lines[row][:column]]) if row < len(lines) else typed
    digits = sum(len(match.group().lower().removeprefix("0x")) for match in _TOKEN.finditer(before) if match.group() not in _SEPARATORS)
    return digits // 2


def place(typed: str, position: int) -> str:
    """`line 2, column 7`, counted from 1."""
    line = typed.count("\n", 0, position) + 1
    return f"line {line}, column {position - typed.rfind(chr(10), 0, position)}"
