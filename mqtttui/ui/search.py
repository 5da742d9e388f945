"""Find: text, regular expression or bytes, in what a row says, in the fields, or in the raw bytes of packets.

A hunt goes from row to row in slices, so that the screen stays usable, and ends at a hit or where it began.
Text ignores case unless it has a capital letter in it. Secrets are not searched in fields; in bytes they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from mqtttui import text
from mqtttui.capture.log import Evicted, Log
from mqtttui.export.info import info
from mqtttui.export.summary import summary
from mqtttui.protocol.fields import Dissection
from mqtttui.ui.field_words import FieldWords

MAX_PATTERN = 1_000
_PATTERN_SECONDS = 0.05
"""A pattern that takes longer on one packet does not match it."""
_ROWS_BETWEEN_LOOKS = 16


class Kind(Enum):
    """How the words are meant; the values are the words of the prompt."""

    TEXT = "text"
    REGEX = "regex"
    HEX = "hex"


class Where(Enum):
    """What is searched; the values are the words of the prompt."""

    INFO = "list"
    FIELDS = "fields"
    BYTES = "bytes"


class SearchError(ValueError):
    """The words cannot be searched for; the text says why and what helps."""


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for."""

    words: str
    kind: Kind = Kind.TEXT
    where: Where = Where.INFO


class Rows(Protocol):
    """The rows that are searched: packet numbers by index."""

    def __len__(self) -> int: ...

    def number(self, index: int) -> int:
        """No. of the row at `index`."""


Test = Callable[[Log, int], bool]


def hit_test(search: Search) -> Test:
    """A function that tells whether packet No. of a log is a hit. It raises Evicted. Raises SearchError for bad words."""
    if not search.words:
        raise SearchError("nothing to find: type a word")
    if search.kind is Kind.HEX:
        wanted = _hex(search.words)
        return lambda log, no: wanted in log[no].raw
    finds = _pattern(search)
    if search.where is Where.BYTES:
        return lambda log, no: finds(log[no].raw)
    if search.where is Where.FIELDS:
        words = FieldWords()
        return lambda log, no: finds(words.of(log[no]).encode("utf-8", "surrogateescape"))
    return lambda log, no: finds(_list_words(log.dissect(no)).encode("utf-8", "surrogateescape"))


class Hunt:
    """A search that is on its way. `step` is 1 or -1; the row at `start` itself comes last."""

    def __init__(self, search: Search, log: Log, rows: Rows, start: int, step: int = 1) -> None:
        self.search = search
        self.found: int | None = None
        """No. of the hit."""
        self.tested = 0
        self.total = len(rows)
        self._test = hit_test(search)
        self._log = log
        self._rows = rows
        self._at = start
        self._step = step

    def advance(self, clock: Callable[[], int], slice_ns: int) -> bool:
        """Look for at most `slice_ns` of `clock`. True when it is over; `found` says how it ended."""
        deadline = clock() + slice_ns
        while self.tested < self.total and self.found is None:
            if self.tested % _ROWS_BETWEEN_LOOKS == 0 and clock() > deadline:
                return False
            self.tested += 1
            count = len(self._rows)
            if not count:
                break
            self._at = (self._at + self._step) % count
            no = self._rows.number(self._at)
            try:
                if self._test(self._log, no):
                    self.found = no
            except Evicted:
                continue
        return True


def _pattern(search: Search) -> Callable[[bytes], bool]:
    # Takes time to load, and nobody searches in the first second.
    import regex

    if len(search.words) > MAX_PATTERN:
        raise SearchError(f"{len(search.words):,} characters are too many; at most {MAX_PATTERN:,}")
    fold = search.words == search.words.lower()
    if search.kind is Kind.TEXT:
        try:
            wanted = text.parse(search.words)
        except text.EscapeError as error:
            raise SearchError(f"{error}; write a backslash as \\\\") from None
        pattern = regex.escape(wanted, special_only=True)
    else:
        pattern = search.words.encode("utf-8", "surrogateescape")
    try:
        compiled: Any = regex.compile(pattern, regex.IGNORECASE if fold else 0)
    except (regex.error, RecursionError, OverflowError) as error:
        raise SearchError(f"not a regular expression: {error}") from None

    def finds(subject: bytes) -> bool:
        try:
            return compiled.search(subject, timeout=_PATTERN_SECONDS) is not None
        except TimeoutError:
            return False

    return finds


def _hex(words: str) -> bytes:
    plain = "".join(char for char in words.removeprefix("0x") if char not in " :.-,\t")
    try:
        return bytes.fromhex(plain)
    except ValueError:
        raise SearchError("not hexadecimal: pairs such as 30 0e, with or without blanks") from None


def _list_words(dissection: Dissection) -> str:
    shown = summary(dissection)
    return f"{info(dissection)}\n{shown.type} {shown.packet_id} {shown.flags} {shown.text}"
