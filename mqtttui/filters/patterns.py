"""Regular expressions as Wireshark has them (PCRE2 over bytes, without regard to case), run by `regex` with a time-out.

Patterns work on bytes: `.` is one byte, and only ASCII letters have a case. Their length is limited here, their size and
nesting in `pcre`, their running time by the caller.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import regex

from mqtttui.filters.pcre import PatternError, translate

__all__ = ["MAX_PATTERN", "Pattern", "PatternError", "compile_pattern"]

MAX_PATTERN = 1_000
"""Characters."""

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
