"""pcapng, block by block (draft-ietf-opsawg-pcapng). What stands in the frames is the caller's."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import Protocol

from mqtttui.export.endpoints import IpAddress
from mqtttui.protocol.enums import Direction

LINKTYPE_RAW = 101
LINKTYPE_WIRESHARK_UPPER_PDU = 252
MAX_CAPTURED = 262_144
"""Wireshark refuses a file with a larger frame."""

_SECTION, _INTERFACE, _NAMES, _ENHANCED = 0x0A0D0D0A, 1, 4, 6
_BYTE_ORDER = 0x1A2B3C4D
_OPT_COMMENT, _SHB_APPLICATION, _IF_NAME, _IF_DESCRIPTION, _IF_RESOLUTION, _EPB_FLAGS, _EPB_PACKET_ID = 1, 4, 2, 3, 9, 2, 5
_INBOUND, _OUTBOUND = 1, 2
_LONGEST_OPTION = 0xFFF0
_HEAD = struct.Struct("<7I")
"""Of an enhanced packet block: type, length, interface, time (twice), captured and original length."""
_TAIL = struct.Struct("<HHIHHQII")
"""Its flags, its number, the end of the options, and the length once more."""


class Writable(Protocol):
    """Where blocks go."""

    def write(self, data: bytes, /) -> object:
        """Take `data`."""


class BlockWriter:
    """One section. The stream is the caller's to close."""

    def __init__(self, out: Writable, *, application: str = "mqtttui", comment: str = "") -> None:
        self._out = out
        self._interfaces = 0
        options = [(_SHB_APPLICATION, _text(application))]
        if comment:
            options.insert(0, (_OPT_COMMENT, _text(comment)))
        self._block(_SECTION, struct.pack("<IHHq", _BYTE_ORDER, 1, 0, -1), options)

    def interface(self, link_type: int, name: str, description: str = "", comments: Sequence[str] = ()) -> int:
        """Another interface; gives its number, which the frames name. Times are in nanoseconds."""
        options = [
            *((_OPT_COMMENT, _text(comment)) for comment in comments),
            (_IF_NAME, _text(name)),
            (_IF_DESCRIPTION, _text(description)),
            (_IF_RESOLUTION, b"\x09"),
        ]
        body = struct.pack("<HHI", link_type, 0, MAX_CAPTURED)
        self._block(_INTERFACE, body, [option for option in options if option[1]])
        self._interfaces += 1
        return self._interfaces - 1

    def name(self, address: IpAddress, name: str) -> None:
        """`address` is called `name`."""
        value = address.packed + _text(name).replace(b"\0", b"")[:1_000] + b"\0"
        record = struct.pack("<HH", 1 if address.version == 4 else 2, len(value)) + value + _padding(len(value))
        self._block(_NAMES, record + bytes(4), ())

    def frame(
        self,
        interface: int,
        data: bytes,
        wall: int,
        direction: Direction,
        *,
        number: int | None = None,
        comments: Sequence[str] = (),
    ) -> None:
        """One frame of at most `MAX_CAPTURED` bytes. `wall` in ns since 1970; `number` becomes frame.packet_id."""
        wall = max(0, wall)
        size = len(data)
        flags = _OUTBOUND if direction is Direction.C2S else _INBOUND
        if number is not None and not comments:  # Almost every frame.
            padding = -size % 4
            length = _HEAD.size + size + padding + _TAIL.size
            head = _HEAD.pack(_ENHANCED, length, interface, wall >> 32 & 0xFFFFFFFF, wall & 0xFFFFFFFF, size, size)
            tail = _TAIL.pack(_EPB_FLAGS, 4, flags, _EPB_PACKET_ID, 8, number, 0, length)
            self._out.write(head + data + bytes(padding) + tail)
            return
        options = [(_OPT_COMMENT, _text(comment)) for comment in comments]
        options.append((_EPB_FLAGS, struct.pack("<I", flags)))
        if number is not None:
            options.append((_EPB_PACKET_ID, struct.pack("<Q", number)))
        body = struct.pack("<IIIII", interface, wall >> 32 & 0xFFFFFFFF, wall & 0xFFFFFFFF, size, size) + data + _padding(size)
        self._block(_ENHANCED, body, options)

    def _block(self, kind: int, body: bytes, options: Iterable[tuple[int, bytes]]) -> None:
        tail = b"".join(struct.pack("<HH", code, len(value)) + value + _padding(len(value)) for code, value in options)
        if tail:
            tail += bytes(4)
        length = 12 + len(body) + len(tail)
        self._out.write(struct.pack("<II", kind, length) + body + tail + struct.pack("<I", length))


def _text(text: str) -> bytes:
    """UTF-8, cut (between characters) to what an option can hold."""
    raw = text.encode("utf-8", "replace")
    return raw if len(raw) <= _LONGEST_OPTION else raw[:_LONGEST_OPTION].decode("utf-8", "ignore").encode()


def _padding(length: int) -> bytes:
    return bytes(-length % 4)
