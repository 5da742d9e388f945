"""How values of the wire are written for people."""

from __future__ import annotations

from mqtttui import text

STRING_CELLS = 200
PAYLOAD_CELLS = 120
_HEX_BYTES = 16


def string(raw: bytes) -> str:
    """A string in visible form; a long one is cut and its size said."""
    shown = text.preview(raw, STRING_CELLS)
    return f"{shown} ({size(len(raw))})" if shown.endswith(text.ELLIPSIS) and len(raw) > STRING_CELLS // 4 else shown


def payload(raw: bytes, start: int, end: int) -> str:
    """The beginning of `raw[start:end]` and its size, whatever is in it."""
    if start == end:
        return "empty"
    head = raw[start : min(end, start + PAYLOAD_CELLS * 4)]
    shown = text.visible(head)
    cut = len(shown) > PAYLOAD_CELLS or end - start > len(head)
    return f"{shown[: PAYLOAD_CELLS - 1] + text.ELLIPSIS if cut else shown} ({size(end - start)})"


def hexadecimal(raw: bytes) -> str:
    """The first bytes in hexadecimal, for what is no text."""
    shown = raw[:_HEX_BYTES].hex(" ")
    return f"{shown} {text.ELLIPSIS} ({size(len(raw))})" if len(raw) > _HEX_BYTES else shown


def size(count: int) -> str:
    """`1 byte`, `1,234 bytes`."""
    return "1 byte" if count == 1 else f"{count:,} bytes"


def quantity(count: int, one: str, many: str) -> str:
    """`1 property`, `3 properties`."""
    return f"{count:,} {one if count == 1 else many}"


def seconds(value: int) -> str:
    """`60 s`; from two minutes on also in larger units: `3,600 s (1 h)`."""
    if value < 120:
        return f"{value} s"
    left = value
    parts = []
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, left = divmod(left, length)
        if count:
            parts.append(f"{count:,} {unit}")
    return f"{value:,} s ({' '.join(parts)})" if parts != [f"{value:,} s"] else f"{value:,} s"
