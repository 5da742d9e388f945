"""The dialog of enhanced authentication: what the server sent, and the data to send next."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from mqtttui.client.events import Challenge
from mqtttui.text import preview
from mqtttui.ui.forms.hex_text import from_hex, to_hex
from mqtttui.ui.forms.rows import FormError, Kind, Row, parse_bytes, toggle
from mqtttui.ui.screens.form_dialog import GO, FormDialog, toggled

_TEXT, _HEX = "text", "hex"
_SHOWN = 256
"""Bytes of what came that are shown in hex."""
_COLUMNS = 16
_TEXT_CELLS = 400
_LOOK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Answer:
    """Authentication Data to send; None: without the property."""

    data: bytes | None


class AnswerAuth(FormDialog[Answer]):
    """Asks for the next Authentication Data. Without a challenge it begins a re-authentication."""

    def __init__(self, challenge: Challenge | None, method: str) -> None:
        """`method` is visible text."""
        heading = f"AUTH {challenge.number} of the server: {method}" if challenge is not None else f"Authenticate again: {method}"
        super().__init__(heading, "")
        self.challenge = challenge
        self._typed = ""
        self._form_of = _TEXT
        self._with = True

    def on_mount(self) -> None:
        super().on_mount()
        self.show()
        self.set_interval(_LOOK_SECONDS, self.show)

    def rows(self) -> Sequence[Row]:
        rows = [Row("data", "Data", value=self._typed, placeholder="empty")]
        rows.append(Row("as", "Typed as", Kind.CHOICE, self._form_of, (_TEXT, _HEX), help=r"Text may hold \xNN and \\; hex any spacing"))
        rows.append(Row("with", "Send data", Kind.TOGGLE, toggle(self._with), summary="the property Authentication Data"))
        rows += [Row(f"came.{at}", line, Kind.NOTE) for at, line in enumerate(self._came())]
        return [*rows, Row(GO, "Send AUTH", Kind.ACTION)]

    def change(self, row: str, value: str) -> None:
        if row == "data":
            self._typed = value
        elif row == "as":
            self._form_of = value
        elif row == "with":
            self._with = toggled(value)

    def show(self) -> None:
        code = "0x18 continue authentication" if self.challenge is not None else "0x19 re-authenticate"
        left = ""
        if self.challenge is not None and not self.challenge.again:
            seconds = max(0, (self.challenge.due - time.monotonic_ns()) // 1_000_000_000)
            left = f" {seconds} s are left; ctrl+o in Connection gives up."
        self._hint = f"ctrl+s sends AUTH {code}.{left} Esc leaves: c comes back here"
        super().show()

    def value(self) -> Answer:
        if not self._with:
            return Answer(None)
        if self._form_of == _TEXT:
            return Answer(parse_bytes(self._typed, "data"))
        try:
            return Answer(from_hex(self._typed))
        except FormError as problem:
            raise FormError("data", problem.text) from None

    def _came(self) -> list[str]:
        """What the server sent: reason, text, bytes."""
        challenge = self.challenge
        if challenge is None:
            return []
        lines = [f"the server says: {challenge.reason}"] if challenge.reason else []
        if challenge.data is None:
            return [*lines, "came without data"]
        if not challenge.data:
            return [*lines, "came with empty data"]
        lines.append(f"came, {len(challenge.data):,} bytes: {preview(challenge.data, _TEXT_CELLS)}")
        return [*lines, *to_hex(challenge.data[:_SHOWN], _COLUMNS).split("\n")]
