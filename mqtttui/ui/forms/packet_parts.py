"""A control packet as parts that can be changed one by one: every leaf of its dissection, with the lengths that count them.

Rules:
1. Joined, the parts are the packet, byte for byte, whatever the packet is (`lay_out` loses nothing).
2. A length knows which parts it counts. `follow` writes all lengths anew, inner ones first.
3. What has no bytes but could have some (an empty topic, a string that was cut away) is a part too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from mqtttui.protocol.fields import Dissection, Field
from mqtttui.protocol.packets import MAX_REMAINING_LENGTH, variable_byte_integer
from mqtttui.protocol.properties import PROPERTIES
from mqtttui.protocol.properties import Kind as Type
from mqtttui.protocol.wire import read_vbi

REMAINING_LENGTH = "mqtt.len"
PROPERTY_LENGTH = "mqtt.property_len"
PROPERTY_ID = "mqtt.property_id"
_STRING_LENGTHS = {
    "mqtt.proto_len",
    "mqtt.clientid_len",
    "mqtt.willtopic_len",
    "mqtt.willmsg_len",
    "mqtt.username_len",
    "mqtt.passwd_len",
    "mqtt.topic_len",
    "mqtt.prop_string_len",
    "mqtt.prop_key_len",
    "mqtt.prop_value_len",
}
_NO_NODE_IF_EMPTY = {"mqtt.topic_len", "mqtt.willtopic_len"}
"""Lengths whose content has no node in the dissection if it is empty."""
_CONTENT_TYPE = "mqtt.property.content_type"
"""One node with its length, as Wireshark has it."""
REPEATED = {"Subscription", "Topic to remove"}
CODES = {"mqtt.suback.qos", "mqtt.suback.reason_code", "mqtt.unsuback.reason_code"}


class Counts(Enum):
    """What a length counts."""

    NEXT = "the part after it"
    GROUP = "the parts after it in its own group"
    REST = "the parts after it up to the end of the packet"


class Shape(Enum):
    """How a part is written."""

    NUMBER = "number"
    VARIABLE = "variable byte integer"
    TEXT = "text"
    """Strings and payloads, in the escaped form."""
    HEX = "hex"
    """Bytes of which nothing is known."""
    MORE = "more"
    """Stands for many items; not edited here."""


@dataclass(frozen=True, slots=True)
class Part:
    """Some bytes of the packet."""

    field: Field
    """What the dissector says of them."""
    raw: bytes
    shape: Shape
    path: tuple[Field, ...] = ()
    """The groups around it, outermost first."""
    counts: Counts | None = None
    """For a length: what it counts."""
    behind: bool = False
    """Stands behind the end of the packet."""

    @property
    def filter(self) -> str:
        """Wireshark's name of the field."""
        return self.field.filter

    def within(self, filter: str) -> bool:
        """It stands in the group of this filter name."""
        return any(group.filter == filter for group in self.path)

    @property
    def item(self) -> Field | None:
        """The property or subscription that it belongs to and that can be taken out as a whole."""
        if self.field.filter in CODES:
            return self.field
        for group in self.path:
            if group.name in REPEATED or (group.children and group.children[0].filter == PROPERTY_ID):
                return group
        return None


def lay_out(dissection: Dissection) -> list[Part]:
    """The parts of a packet, in order."""
    found: list[Part] = []
    for field in dissection.fields:
        _add(found, dissection.raw, field, ())
    length = dissection.first(REMAINING_LENGTH)
    end = length.end + length.value if length is not None and isinstance(length.value, int) else len(dissection.raw)
    return [_counting(replace(part, behind=part.field.start >= end and bool(part.raw))) for part in _with_empty_contents(found)]


def joined(parts: Sequence[Part]) -> bytes:
    """The packet."""
    return b"".join([part.raw for part in parts])


def follow(parts: Sequence[Part]) -> list[Part]:
    """The parts with all lengths right. Raises LengthError."""
    out = list(parts)
    for index in range(len(out) - 1, -1, -1):
        if out[index].counts is not None:
            count = sum(len(out[at].raw) for at in counted(out, index))
            out[index] = replace(out[index], raw=_length(out[index], count, index + 1))
    return out


def counted(parts: Sequence[Part], index: int) -> range:
    """The parts that the length at `index` counts."""
    length, start = parts[index], index + 1
    end = start
    match length.counts:
        case Counts.NEXT:
            end = min(start + 1, len(parts))
        case Counts.GROUP:
            while end < len(parts) and length.path and any(group is length.path[-1] for group in parts[end].path):
                end += 1
        case Counts.REST:
            while end < len(parts) and not parts[end].behind:
                end += 1
        case None:
            pass
    return range(start, end)


class LengthError(ValueError):
    """More bytes than their length can count; `part` is the index of the first of them."""

    def __init__(self, part: int, text: str) -> None:
        super().__init__(text)
        self.part = part


def number_of(part: Part) -> int | None:
    """The value of a number; None for a variable byte integer that is broken or longer than it needs to be."""
    if part.shape is Shape.NUMBER:
        return int.from_bytes(part.raw, "big")
    read = read_vbi(part.raw, 0, len(part.raw))
    return read.value if read.problem is None and read.minimal and read.end == len(part.raw) else None


def _length(part: Part, count: int, first: int) -> bytes:
    if part.shape is Shape.VARIABLE:
        if count > MAX_REMAINING_LENGTH:
            raise LengthError(first, f"{count:,} bytes; at most {MAX_REMAINING_LENGTH:,} fit")
        return variable_byte_integer(count)
    if count > 0xFFFF:
        raise LengthError(first, f"{count:,} bytes; at most 65,535 fit")
    return count.to_bytes(2, "big")


def _add(out: list[Part], raw: bytes, field: Field, path: tuple[Field, ...]) -> None:
    if field.generated or field.mask:
        return
    if any(not child.mask for child in field.children):
        for child in field.children:
            _add(out, raw, child, (*path, field))
        return
    own = raw[field.start : field.end]
    if field.filter == _CONTENT_TYPE:
        length = Field("Length", "mqtt.prop_string_len", field.start, field.start + 2)
        out.append(Part(length, own[:2], Shape.NUMBER, path))
        out.append(Part(replace(field, start=field.start + 2), own[2:], Shape.TEXT, path))
        return
    out.append(Part(field, own, _shape(field, path), path))


def _shape(field: Field, path: tuple[Field, ...]) -> Shape:
    if field.more:
        return Shape.MORE
    if field.filter in (REMAINING_LENGTH, PROPERTY_LENGTH, PROPERTY_ID):
        return Shape.VARIABLE
    if not field.filter or field.filter == "mqtt.prop_unknown":
        return Shape.HEX
    if isinstance(field.value, int):
        return Shape.VARIABLE if _is_variable(path) else Shape.NUMBER
    return Shape.TEXT


def _is_variable(path: tuple[Field, ...]) -> bool:
    """The value of a property whose type is Variable Byte Integer."""
    if not path or not path[-1].children or path[-1].children[0].filter != PROPERTY_ID:
        return False
    key = path[-1].children[0].value
    return isinstance(key, int) and key in PROPERTIES and PROPERTIES[key].kind is Type.VARIABLE


def _with_empty_contents(found: list[Part]) -> list[Part]:
    out: list[Part] = []
    for index, part in enumerate(found):
        out.append(part)
        if part.filter not in _STRING_LENGTHS:
            continue
        following = found[index + 1] if index + 1 < len(found) else None
        empty = part.filter in _NO_NODE_IF_EMPTY and not any(part.raw)
        if empty or following is None or following.shape not in (Shape.TEXT, Shape.HEX) or "behind" in following.field.name:
            name = part.field.name.removesuffix(" Length")
            content = Field(name, part.filter.removesuffix("_len"), part.field.end, part.field.end, b"", section=part.field.section)
            out.append(Part(content, b"", Shape.TEXT, part.path))
    return out


def _counting(part: Part) -> Part:
    kinds = {REMAINING_LENGTH: Counts.REST, PROPERTY_LENGTH: Counts.GROUP}
    counts = Counts.NEXT if part.filter in _STRING_LENGTHS else kinds.get(part.filter)
    return replace(part, counts=counts) if counts is not None else part
