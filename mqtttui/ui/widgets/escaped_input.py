r"""Editors that hold only the reversible escaped form of `mqtttui.text`.

Whatever gets in by paste or by program passes the door: a pasted ESC is four visible characters, `\x1b`, and leaves as one
byte. Typed characters are printable by nature.
"""

from __future__ import annotations

from dataclasses import dataclass

from textual import events
from textual.message import Message
from textual.widgets import Input, TextArea

from mqtttui import text
from mqtttui.ui.forms.payload import json_visible

PASTE_LIMIT = 64 * 1024
"""Bytes above which a text does not go into an editor."""


def line_feeds(pasted: str) -> str:
    """What was copied: terminals and tmux write each line feed of a paste as a carriage return, as if Enter were pressed."""
    return pasted.replace("\r", "\n") if "\n" not in pasted else pasted


class EscapedInput(Input):
    """A one-line field for bytes."""

    @dataclass
    class PasteRefused(Message):
        """The pasted text was too long for a field of one line."""

        size: int

    @dataclass
    class Filled(Message):
        """A paste went in; raw text."""

        text: str

    passes: str = ""
    """Characters that begin nothing that belongs here: while the field is empty they are keys of the application."""

    @property
    def value_bytes(self) -> bytes:
        """What the text stands for. Raises EscapeError."""
        return text.parse(self.value)

    def check_consume_key(self, key: str, character: str | None) -> bool:
        return not self._lets_by(character) and super().check_consume_key(key, character)

    async def _on_key(self, event: events.Key) -> None:
        if self._lets_by(event.character):
            event.prevent_default()

    def _lets_by(self, character: str | None) -> bool:
        return not self.value and character is not None and character in self.passes

    def show(self, data: str | bytes) -> None:
        """Put bytes or raw text into the field."""
        self.value = text.visible(data)

    def insert_raw(self, raw: str) -> None:
        """Insert text that came from elsewhere, replacing the selection."""
        shown = text.visible(raw.strip("\r\n"))
        if self.selection.is_empty:
            self.insert_text_at_cursor(shown)
        else:
            self.replace(shown, *self.selection)

    def action_copy(self) -> None:
        """Copy the selection, unless it is hidden."""
        if not self.password:
            super().action_copy()

    def action_cut(self) -> None:
        """Cut the selection, unless it is hidden."""
        if not self.password:
            super().action_cut()

    def action_paste(self) -> None:
        """Insert the clipboard, escaped."""
        self._paste(self.app.clipboard)

    def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        self._paste(line_feeds(event.text))

    def _paste(self, raw: str) -> None:
        if len(raw) > PASTE_LIMIT:
            self.post_message(self.PasteRefused(len(raw)))
        elif raw:
            self.insert_raw(raw)
            self.post_message(self.Filled(raw))


class EscapedTextArea(TextArea):
    """A field of several lines for bytes; a line feed is a line feed, everything else as in `EscapedInput`."""

    @dataclass
    class LargePaste(Message):
        """Too much for an editor was pasted; it is handed on instead of shown. `raw` belongs between the other two."""

        before: str
        raw: str
        after: str

    class AboveTop(Message):
        """Up was pressed in the first line."""

    def action_cursor_up(self, select: bool = False) -> None:
        """One line up; above the first one the owner decides."""
        if not select and self.cursor_at_first_line and self.selection.is_empty:
            self.post_message(self.AboveTop())
        else:
            super().action_cursor_up(select)

    def show(self, data: bytes) -> None:
        """Put bytes into the field."""
        self.text = json_visible(data.decode("utf-8", "replace")) if self.json_escapes else text.visible(data, lines=True)

    json_escapes = False
    r"""The text is JSON: backslashes are JSON's own, and what cannot be shown becomes `\uXXXX`."""

    @property
    def value_bytes(self) -> bytes:
        """What the text stands for. Raises EscapeError."""
        if self.json_escapes:
            return self.text.encode("utf-8", "surrogateescape")
        return text.parse(self.text)

    def action_paste(self) -> None:
        """Insert the clipboard, escaped."""
        self._paste(self.app.clipboard)

    async def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        self._paste(line_feeds(event.text))

    def _paste(self, raw: str) -> None:
        if self.read_only or not raw:
            return
        if len(raw) + len(self.text) > PASTE_LIMIT:
            start, end = sorted(self.selection)
            before, after = self.get_text_range((0, 0), start), self.get_text_range(end, self.document.end)
            self.post_message(self.LargePaste(before, raw, after))
            return
        shown = json_visible(raw) if self.json_escapes else text.visible(raw, lines=True)
        start, end = self.selection
        self.replace(shown, start, end, maintain_selection_offset=False)
