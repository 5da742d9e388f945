"""Rows: what a form shows, one a line, and the errors that stand at them.

A draft (connection, subscription, publish) keeps what was typed and gives rows; the `Form` widget draws them and reports
changes by row id. Texts in rows are visible text already (`mqtttui.text`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from mqtttui import text

ON = "on"
OFF = "off"
OPEN = "open"
CLOSED = "closed"


class Kind(Enum):
    """How a row is drawn and edited."""

    SECTION = "section"
    """Headline that opens and closes the rows below it."""
    TEXT = "text"
    SECRET = "secret"
    """A text that shows dots."""
    CHOICE = "choice"
    TOGGLE = "toggle"
    ACTION = "action"
    NOTE = "note"
    """A line to read; the cursor passes it by."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a form."""

    id: str
    label: str
    kind: Kind = Kind.TEXT
    value: str = ""
    """The text as typed, one of `choices`, `on`/`off`, or `open`/`closed`."""
    choices: tuple[str, ...] = ()
    check: str = ""
    """For a text with a flag of its own: `on` (it is sent) or `off`; reported as a change of `<id>.flag`."""
    unit: str = ""
    """Stands after the field: `s`, `bytes`."""
    placeholder: str = ""
    """Stands in an empty field: what that means."""
    summary: str = ""
    """For a section: what is in it, in a few words; for a toggle or action: what it does."""
    error: str = ""
    warning: str = ""
    help: str = ""
    """One line that shows while the row is selected."""
    indent: int = 0
    width: int = 0
    """Cells of the field; 0: as wide as there is room."""
    removable: bool = False
    passes: str = ""
    """Characters that are keys of the application while the field is empty, although it is typed into."""
    suggestions: tuple[str, ...] = ()
    """What the text may be completed to."""

    @property
    def editable(self) -> bool:
        """Typed into."""
        return self.kind in (Kind.TEXT, Kind.SECRET)

    @property
    def selectable(self) -> bool:
        """The cursor stops here."""
        return self.kind is not Kind.NOTE


class FormError(ValueError):
    """A form that cannot become a packet; `field` is the id of the row, `text` says what to do about it."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field
        self.text = text


def toggle(value: bool) -> str:
    """`on` or `off`."""
    return ON if value else OFF


def parse_bytes(shown: str, field: str) -> bytes:
    """The bytes of an escaped text. Raises FormError with the column of the bad escape."""
    try:
        return text.parse(shown)
    except text.EscapeError as error:
        raise FormError(field, f"column {error.position + 1}: {error}") from None


def parse_text(shown: str, field: str) -> str | bytes:
    """As `parse_bytes`, but str where the bytes are UTF-8."""
    raw = parse_bytes(shown, field)
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


def parse_number(shown: str, field: str, low: int, high: int) -> int:
    """A whole number, decimal (also `65,535` or `65_535`) or hexadecimal (`0x1f`). Raises FormError."""
    plain = shown.strip().replace(",", "").replace("_", "")
    if re.fullmatch(r"0[xX][0-9a-fA-F]{1,16}", plain):
        number = int(plain, 16)
    elif re.fullmatch(r"[0-9]{1,20}", plain):
        number = int(plain)
    else:
        raise FormError(field, f"a number from {low:,} to {high:,}")
    if not low <= number <= high:
        raise FormError(field, f"{number:,} is not between {low:,} and {high:,}")
    return number


def parse_seconds(shown: str, field: str) -> float:
    """A time-out in seconds, above 0 and up to a day. Raises FormError."""
    plain = shown.strip()
    if not re.fullmatch(r"[0-9]{0,6}(\.[0-9]{0,6})?", plain) or plain in ("", "."):
        raise FormError(field, "seconds, such as 10 or 0.5")
    seconds = float(plain)
    if not 0 < seconds <= 86_400:
        raise FormError(field, "more than 0 and at most 86,400 seconds")
    return seconds


def as_number(value: float) -> str:
    """A time in seconds as one would type it: `10`, `0.5`."""
    return f"{value:g}"
