"""Types of fields and what a filter may do with them (inspector.md 6.1)."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Type(Enum):
    """What the values of a field are. In brackets: how one stands in Python."""

    UINT = "a number"
    """int"""
    FLOAT = "a number with decimals"
    """float"""
    BOOL = "a flag"
    """bool"""
    STRING = "text"
    """bytes: its UTF-8 form, or whatever stands on the wire"""
    BYTES = "bytes"
    """bytes"""
    IPV4 = "an IPv4 address"
    """int"""
    IPV6 = "an IPv6 address"
    """int"""
    TIME = "a point in time"
    """int: ns since 1970"""
    DURATION = "a time in seconds"
    """int: ns"""
    NONE = "a mark without a value"
    """None"""
    PROTOCOL = "a protocol"
    """bytes"""
    JSON = "a value inside a JSON payload"
    """int, float, bool, str or None as json.loads gives them"""


class Network(NamedTuple):
    """An address or, with a shorter mask, a network to compare addresses with."""

    address: int
    mask: int


Value = int | float | bool | bytes | str | None
"""One value of a field."""

Constant = int | float | bool | bytes | str | Network | None
"""What a literal stands for; None is what no field can be equal to (a negative number for an unsigned field)."""

ORDERED = frozenset(
    {Type.UINT, Type.FLOAT, Type.BOOL, Type.STRING, Type.BYTES, Type.PROTOCOL, Type.IPV4, Type.IPV6, Type.TIME, Type.DURATION, Type.JSON}
)
"""Types whose values can be compared: all but marks."""
TEXTUAL = frozenset({Type.STRING, Type.BYTES, Type.PROTOCOL})
"""Types made of bytes: they have a length, parts, `contains` and `matches`."""
NUMERIC = frozenset({Type.UINT, Type.FLOAT, Type.BOOL})
