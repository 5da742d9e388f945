"""Reading primitives of MQTT: bounded, without copies, and honest about why something cannot be read.

`Reader` raises `Malformed` for what does not fit; only the code that reads a packet catches it.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

Buffer = bytes | bytearray | memoryview

MAX_VBI_BYTES = 4
"""A Variable Byte Integer has at most four bytes (MQTT 5, section 1.5.5; MQTT 3.1.1, section 2.2.3)."""


class Malformed(Exception):
    """Bytes that do not hold what the standard says; `position` is the offset of the first of them."""

    def __init__(self, position: int, text: str) -> None:
        super().__init__(text)
        self.position = position


class VbiProblem(Enum):
    """Why a Variable Byte Integer has no value."""

    INCOMPLETE = "the bytes end inside the number"
    TOO_LONG = "the fourth byte says that a fifth follows"


class Vbi(NamedTuple):
    """What was read as a Variable Byte Integer."""

    value: int
    """The number; with a problem, what the bytes up to there amount to."""
    end: int
    """Offset behind its last byte."""
    problem: VbiProblem | None
    minimal: bool
    """The shortest form was used [MQTT-1.5.5-1]."""


def read_vbi(data: Buffer, start: int, end: int) -> Vbi:
    """The Variable Byte Integer at `start`, looking no further than `end` and no further than four bytes."""
    value = 0
    position = start
    for shift in (0, 7, 14, 21):
        if position >= end:
            return Vbi(value, position, VbiProblem.INCOMPLETE, True)
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return Vbi(value, position, None, byte != 0 or shift == 0)
    return Vbi(value, position, VbiProblem.TOO_LONG, True)


def text_or_bytes(raw: bytes) -> str | bytes:
    """`raw` as str if it is UTF-8 without surrogates, else unchanged."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw


class Reader:
    """A position in `raw[start:end]`. Every method moves behind what it returns, or raises Malformed."""

    __slots__ = ("end", "position", "raw")

    def __init__(self, raw: bytes, start: int, end: int) -> None:
        self.raw = raw
        self.position = start
        self.end = end

    @property
    def left(self) -> int:
        """Bytes up to the end."""
        return self.end - self.position

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        start = self.position
        stop = start + count
        if stop > self.end:
            raise Malformed(start, f"{count:,} bytes wanted, {self.end - start:,} left")
        self.position = stop
        return self.raw[start:stop]

    def rest(self) -> bytes:
        """Everything up to the end."""
        start, self.position = self.position, self.end
        return self.raw[start : self.end]

    def byte(self) -> int:
        """One byte."""
        position = self.position
        if position >= self.end:
            raise Malformed(position, "a byte is missing")
        self.position = position + 1
        return self.raw[position]

    def uint16(self) -> int:
        """Two Byte Integer (section 1.5.2)."""
        return int.from_bytes(self.take(2), "big")

    def uint32(self) -> int:
        """Four Byte Integer (section 1.5.3)."""
        return int.from_bytes(self.take(4), "big")

    def vbi(self) -> int:
        """Variable Byte Integer in its shortest form (section 1.5.5)."""
        start = self.position
        value, self.position, problem, minimal = read_vbi(self.raw, start, self.end)
        if problem is not None:
            raise Malformed(start, problem.value)
        if not minimal:
            raise Malformed(start, "the number is longer than it needs to be")
        return value

    def binary(self) -> bytes:
        """Two bytes of length, and as many bytes (section 1.5.6)."""
        return self.take(self.uint16())

    def text(self) -> str | bytes:
        """Length and string (section 1.5.4): str if it is UTF-8 without surrogates, else its bytes."""
        return text_or_bytes(self.binary())
