"""The Connect Flags byte, bit by bit, with names (section 3.1.2.3)."""

from __future__ import annotations

from mqtttui.ui.widgets.read_view import Line, Span

_NAMES = ("user", "pass", "retain", "QoS", "will", "clean", "resvd")
_MASKS = (0x80, 0x40, 0x20, 0x18, 0x04, 0x02, 0x01)


def flags_lines(flags: int) -> list[Line]:
    """Two lines of 46 cells: the names of the flags, and the bits below them."""
    names: list[Span] = [("flags  ", "dim")]
    bits: list[Span] = [(f"0x{flags:02x}".ljust(7), "name")]
    for name, mask in zip(_NAMES, _MASKS, strict=True):
        value = flags & mask
        picture = f"{value >> 4 & 1} {value >> 3 & 1}" if mask == 0x18 else str(int(bool(value)))
        wrong = (mask == 0x01 and value) or value == 0x18
        style = "error" if wrong else "chosen" if value else "dim"
        names.append((name + " ", style))
        bits.append((picture.center(len(name)) + " ", style))
    return [names, bits]
