"""Hexadecimal text to bytes, in pieces of any size, with the place of what is wrong."""

from __future__ import annotations

import re

from mqtttui.text import shorten, visible

_SEPARATORS = b" \t\r\n\v\f:,;-_"
_NOT_HEX = re.compile(rb"[^0-9A-Fa-f]")
_PREFIX = re.compile(rb"(?<![0-9A-Fa-f])0[xX]")


class HexError(ValueError):
    """What is no hexadecimal, in words."""


class HexReader:
    """Bytes from pairs of hexadecimal digits; blanks, commas, colons, dashes and `0x` between them do not count."""

    def __init__(self) -> None:
        self._half = b""

    def feed(self, piece: bytes) -> bytes:
        """The bytes that `piece` completes. Raises HexError."""
        digits = _PREFIX.sub(b"", piece).translate(None, _SEPARATORS)
        if wrong := _NOT_HEX.search(digits):
            # A character of several bytes is shown whole, not as its first byte.
            character = digits[wrong.start() : wrong.start() + 4].decode("utf-8", "surrogateescape")[0]
            raise HexError(f"'{shorten(visible(character), 16)}' is not hexadecimal")
        digits = self._half + digits
        whole = len(digits) & ~1
        self._half = digits[whole:]
        return bytes.fromhex(digits[:whole].decode("ascii"))

    def finish(self) -> None:
        """The text has ended. Raises HexError if a pair is incomplete."""
        if self._half:
            raise HexError("the number of hexadecimal digits is odd: the last byte has one digit only")
