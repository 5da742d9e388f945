"""Payloads as devices in the field write them: JSON, plain numbers, raw samples, MessagePack."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence

Value = None | bool | int | float | str | Sequence["Value"] | Mapping[str, "Value"]


def as_json(value: Value) -> bytes:
    """Compact JSON."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def as_samples(values: Sequence[int]) -> bytes:
    """Signed 16-bit samples, little endian, without any header."""
    return struct.pack(f"<{len(values)}h", *values)


def as_message_pack(value: Value) -> bytes:
    """MessagePack (the specification of msgpack.org), for values up to 15 items or entries and 31 bytes of text."""
    match value:
        case None:
            return b"\xc0"
        case bool():
            return b"\xc3" if value else b"\xc2"
        case int() if 0 <= value < 0x80:
            return bytes([value])
        case int() if -0x20 <= value < 0:
            return struct.pack("b", value)
        case int():
            return b"\xd2" + struct.pack(">i", value)
        case float():
            return b"\xcb" + struct.pack(">d", value)
        case str():
            text = value.encode()
            return _short(0xA0, len(text), 31) + text
        case Mapping():
            pairs = (as_message_pack(key) + as_message_pack(item) for key, item in value.items())
            return _short(0x80, len(value), 15) + b"".join(pairs)
        case _:
            return _short(0x90, len(value), 15) + b"".join(as_message_pack(item) for item in value)


def _short(kind: int, length: int, limit: int) -> bytes:
    """First byte of a text, map or list whose length stands in its low bits."""
    if length > limit:
        raise ValueError(f"{length} is more than the {limit} that fit here")
    return bytes([kind | length])
