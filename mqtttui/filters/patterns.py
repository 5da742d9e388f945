"""Regular expressions as Wireshark has them (PCRE2 over bytes, without regard to case), run by `regex` with a time-out.

Patterns work on bytes: `.` is one byte, and only ASCII letters have a case. Their length is limited here, their size and
nesting in `pcre`, their running time by the caller.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import regex

from mqtttui.filters.pcre import PatternError, translate

__all__ = ["MAX_PATTERN", "Pattern", "PatternError", "compile_pattern", "is_fixed", "texts_in"]

MAX_PATTERN = 1_000
"""Characters."""

_SIGN = rb"([^\\\[\](){}*+?|^$])|\\[dDwWsS]|\\([^A-Za-z0-9])|\[\^?[A-Za-z0-9 _.,:;/-]+\]"
_SIGNS = re.compile(_SIGN, re.DOTALL)
_FIXED = re.compile(rb"(?:" + _SIGN + rb"){2,}", re.DOTALL)
_Compiled = regex.Pattern[bytes]
_REMEDY = "To find text as it stands, use contains."


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern as it was written, ready to run."""

    source: bytes
    compiled: _Compiled = field(compare=False, repr=False)

    def finds(self, data: bytes, seconds: float) -> bool:
        """Whether it finds something in `data`. Raises TimeoutError after `seconds`."""
        return self.compiled.search(data, timeout=seconds) is not None


def compile_pattern(source: bytes) -> Pattern:
    """The pattern `source`. Raises PatternError."""
    if len(source) > MAX_PATTERN:
        raise PatternError(MAX_PATTERN, len(source), f"The pattern has {len(source):,} bytes.", f"At most {MAX_PATTERN:,} are read.")
    translated = translate(source)
    try:
        return Pattern(source, regex.compile(translated, regex.V1 | regex.IGNORECASE | regex.ASCII))
    except regex.error as error:
        raise PatternError(0, len(source), f"This is no regular expression: {error}.", _REMEDY) from None


def is_fixed(source: bytes) -> bool:
    """Whether each sign of a pattern stands for one byte, so that all that it finds is as long."""
    return _FIXED.fullmatch(source) is not None


def texts_in(source: bytes) -> Iterator[tuple[int, bytes]]:
    """The texts in a pattern that `is_fixed`, in lower case, with their distance from its beginning."""
    text, begin = b"", 0
    for index, sign in enumerate(_SIGNS.finditer(source)):
        char = sign[1] or sign[2] or b""
        if char and sign[0] != b".":
            begin = begin if text else index
            text += char.lower()
        elif text:
            yield begin, text
            text = b""
    if text:
        yield begin, text
