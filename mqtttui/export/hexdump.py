"""Bytes as people read them: offset, hex, printable ASCII."""

from __future__ import annotations

from collections.abc import Iterator

COLUMNS = 16
_ASCII = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in range(256))


def hexdump(raw: bytes, *, columns: int = COLUMNS) -> str:
    """`raw` as lines of `columns` bytes, joined by line feeds; see `lines`."""
    return "\n".join(lines(raw, columns=columns))


def lines(raw: bytes, *, columns: int = COLUMNS) -> Iterator[str]:
    """`0000  32 18 00 08 63 6d 64 2f  74 65 6d 70 00 07 00 7b  2...cmd/temp...{`, one string for each `columns` bytes."""
    digits = max(4, len(f"{max(0, len(raw) - 1):x}"))
    half = columns // 2
    width = columns * 3 - 1 + (1 if half else 0)
    for offset in range(0, len(raw), columns):
        row = raw[offset : offset + columns]
        left, right = row[:half].hex(" "), row[half:].hex(" ")
        shown = f"{left}  {right}" if left and right else left or right
        yield f"{offset:0{digits}x}  {shown:<{width}}  {ascii_text(row)}"


def ascii_text(row: bytes) -> str:
    """Printable ASCII as it is, a dot for every other byte."""
    return row.decode("latin-1").translate(_TABLE)


_TABLE = {byte: _ASCII[byte] for byte in range(256)}
