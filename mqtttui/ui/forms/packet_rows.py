"""The rows of a packet's parts: what stands in them, and the bytes of what is typed there.

Row ids: `p7` is the part at index 7, `p7.06` two bits of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from mqtttui import text
from mqtttui.protocol.enums import PacketType
from mqtttui.protocol.fields import Field
from mqtttui.protocol.packets import MAX_REMAINING_LENGTH, variable_byte_integer
from mqtttui.ui.content import count_bytes
from mqtttui.ui.forms.hex_text import from_hex
from mqtttui.ui.forms.packet_parts import Part, Shape, number_of
from mqtttui.ui.forms.rows import OFF, ON, FormError, Kind, Row, parse_bytes, parse_number

LONGEST = 4096
"""Bytes of a field above which it is not typed in its row."""
_TYPES = tuple(kind.name for kind in PacketType)
_HEXADECIMAL = ("reason_code", "suback.qos", "conack.val")
_NUMBER_CELLS = 12
_UNIT_CELLS = 30
_UNUSUAL = "bytes "
"""Begins the text of a number that is not encoded as it should be: `bytes 80 00`."""


@dataclass(slots=True)
class Typing:
    """What was typed, by row id."""

    texts: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    """Why the text of a row has no encoding."""

    def clear(self) -> None:
        """Nothing was typed."""
        self.texts.clear()
        self.errors.clear()

    def forget_after(self, index: int) -> None:
        """Parts behind `index` have another place now."""
        for typed in (self.texts, self.errors):
            for row in [row for row in typed if (index_of(row) or 0) > index]:
                del typed[row]


def part_rows(index: int, part: Part, typing: Typing, *, follows: bool) -> list[Row]:
    """The row of a part, and those of its bits. `follows`: lengths have no rows, and what is displayed is true."""
    found, row = part.field, f"p{index}"
    value = _value(row, part, typing)
    error = typing.errors.get(row, "")
    item = part.item
    indent = 1 if part.path else 0
    label = item.name if item is not None and follows and found.name == "Name" else found.name
    help_ = found.explanation + (f" [{found.section}]" if found.section else "") + (" · Del removes it" if item is not None else "")
    if part.shape is Shape.MORE:
        return [Row(row, f"{found.name}, {found.display}: edit them as hex (ctrl+e)", Kind.NOTE)]
    if part.shape in (Shape.TEXT, Shape.HEX) and len(part.raw) > LONGEST:
        return [Row(row, found.name, Kind.ACTION, summary=f"{count_bytes(len(part.raw))}, Enter opens $EDITOR", help=help_)]
    kind = Kind.SECRET if found.secret else Kind.TEXT
    number = part.shape in (Shape.NUMBER, Shape.VARIABLE)
    unit = _unit(part, follows) if number and not error else "hex" if part.shape is Shape.HEX else ""
    out = [Row(row, label, kind, value, unit=unit, error=error, help=help_, indent=indent, width=_NUMBER_CELLS if number else 0,
               placeholder="" if number else "empty", removable=item is not None)]  # fmt: skip
    return out + [_bit_row(index, part, child, indent + 1, typing, follows) for child in found.children if child.mask]


def _unit(part: Part, follows: bool) -> str:
    """What a number means, as far as that is more than the number."""
    value, display = part.field.value, part.field.display
    if not isinstance(value, int) or not follows or display in (str(value), f"{value:,}", f"0x{value:02x}"):
        return ""
    if any(child.mask for child in part.field.children):
        return ""
    return text.shorten(display.removeprefix(f"{shown(part)} ").removesuffix(f" ({value})"), _UNIT_CELLS)


def _value(row: str, part: Part, typing: Typing) -> str:
    """What was typed, as long as the bytes are those of it."""
    typed = typing.texts.get(row)
    if typed is not None:
        try:
            if row in typing.errors or encoded(row, part, typed) == part.raw:
                return typed
        except FormError:
            return typed
    return shown(part)


def _bit_row(index: int, part: Part, child: Field, indent: int, typing: Typing, follows: bool) -> Row:
    row = f"p{index}.{child.mask:02x}"
    number = (part.raw[0] & child.mask) >> ((child.mask & -child.mask).bit_length() - 1)
    help_ = child.explanation + (f" [{child.section}]" if child.section else "")
    width = child.mask.bit_count()
    if child.filter == "mqtt.msgtype":
        return Row(row, child.name, Kind.CHOICE, _TYPES[number], _TYPES, help=help_, indent=indent)
    if width == 1:
        return Row(row, child.name, Kind.TOGGLE, ON if number else OFF, help=help_, indent=indent)
    if width == 2:
        words = child.display.rsplit(" (", 1)[0] if follows else ""
        return Row(row, child.name, Kind.CHOICE, str(number), ("0", "1", "2", "3"), summary=words if not words.isdigit() else "",
                   help=help_, indent=indent)  # fmt: skip
    typed, error = typing.texts.get(row), typing.errors.get(row, "")
    value = typed if typed is not None and (error or _bits(row, child.mask, typed) == number) else f"{number:0{width}b}"
    return Row(row, child.name, value=value, error=error, unit="bits", help=help_, indent=indent, width=_NUMBER_CELLS)


def encoded(row: str, part: Part, value: str) -> bytes:
    """The bytes of what was typed. Raises FormError."""
    mask = mask_of(row)
    if mask:
        shift = (mask & -mask).bit_length() - 1
        return bytes([part.raw[0] & ~mask & 0xFF | _bits(row, mask, value) << shift])
    if value.startswith(_UNUSUAL) and part.shape is Shape.VARIABLE:
        return from_hex(value.removeprefix(_UNUSUAL))
    match part.shape:
        case Shape.NUMBER:
            size = max(1, len(part.raw))
            return parse_number(value, row, 0, 256**size - 1).to_bytes(size, "big")
        case Shape.VARIABLE:
            return variable_byte_integer(parse_number(value, row, 0, MAX_REMAINING_LENGTH))
        case Shape.HEX:
            return from_hex(value)
        case Shape.TEXT | Shape.MORE:
            return parse_bytes(value, row)


def shown(part: Part) -> str:
    """How one would type the bytes of a part."""
    match part.shape:
        case Shape.HEX:
            return part.raw.hex(" ")
        case Shape.TEXT | Shape.MORE:
            return text.visible(part.raw)
        case Shape.NUMBER | Shape.VARIABLE:
            number = number_of(part)
            if number is None:
                return _UNUSUAL + part.raw.hex(" ")
            hexadecimal = any(child.mask for child in part.field.children) or part.filter.endswith(_HEXADECIMAL)
            return f"0x{number:02x}" if hexadecimal else str(number)


def index_of(row: str) -> int | None:
    """The part that a row stands for."""
    head = row.partition(".")[0]
    return int(head[1:]) if head[:1] == "p" and head[1:].isdigit() else None


def mask_of(row: str) -> int:
    """The bits of a part that a row stands for; 0 for the whole."""
    tail = row.partition(".")[2]
    return int(tail, 16) if tail else 0


def _bits(row: str, mask: int, value: str) -> int:
    """The number of a choice, a toggle or of binary digits. Raises FormError."""
    width = mask.bit_count()
    if value in (ON, OFF):
        return int(value == ON)
    if value in _TYPES:
        return _TYPES.index(value)
    if width == 2 and value in ("0", "1", "2", "3"):
        return int(value)
    digits = value.replace(" ", "")
    if len(digits) != width or set(digits) - {"0", "1"}:
        raise FormError(row, f"{width} digits, each 0 or 1")
    return int(digits, 2)
