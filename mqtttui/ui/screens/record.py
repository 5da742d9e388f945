"""The recording dialog: a file, one or a ring of them, from where on."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from mqtttui.config.errors import ConfigError
from mqtttui.config.recording import RecordOptions, parse_ring
from mqtttui.export.appending import in_the_way
from mqtttui.ui.file_names import path_of, proposed
from mqtttui.ui.forms.rows import FormError, Kind, Row, toggle
from mqtttui.ui.screens.form_dialog import GO, FormDialog, toggled

_PATH, _RING, _BEGIN, _SECRETS, _FORCE = "path", "ring", "begin", "secrets", "force"
SUFFIX = ".pcapng"


@dataclass(frozen=True, slots=True)
class Record:
    """A recording to begin."""

    options: RecordOptions
    kept: bool
    """Also what is kept already, not only what comes."""


class RecordPrompt(FormDialog[Record]):
    """Asks where to record to."""

    def __init__(self, kept: int) -> None:
        """`kept`: packets that are there already."""
        super().__init__("Record packets to a file", "Enter in File or ctrl+s begins; W ends the recording. Esc leaves field, then dialog")
        self._path = proposed(SUFFIX)
        self._ring = ""
        self._begins = ("with what comes now", f"with the {kept:,} kept")
        self._begin = self._begins[0]
        self._secrets = self._force = False

    def rows(self) -> Sequence[Row]:
        rows = [
            Row(_PATH, "File", value=self._path, help="pcapng; what is written survives a crash up to the last second"),
            Row(_RING, "Ring", value=self._ring, placeholder="one file", width=16, help="10x100M: at most ten files of 100 MB each"),
            Row(_BEGIN, "Begins", Kind.CHOICE, self._begin, self._begins),
            Row(_SECRETS, "Secrets", Kind.TOGGLE, toggle(self._secrets), summary="passwords as they are, not masked"),
        ]
        if self._in_the_way():
            words = "take the files that are there into the ring" if self._ring.strip() else "empty the file that is there already"
            rows.append(Row(_FORCE, "Overwrite", Kind.TOGGLE, toggle(self._force), summary=words))
        return [*rows, Row(GO, "Record", Kind.ACTION)]

    def change(self, row: str, value: str) -> None:
        match row:
            case "path":
                self._path, self._force = value, False
            case "ring":
                self._ring, self._force = value, False
            case "begin":
                self._begin = value
            case "secrets":
                self._secrets = toggled(value)
            case _:
                self._force = toggled(value)

    def value(self) -> Record:
        path = path_of(self._path, _PATH)
        try:
            ring = parse_ring(self._ring) if self._ring.strip() else None
        except ConfigError as error:
            raise FormError(_RING, f"{error.title.removeprefix('--ring: ')}. {error.hint}") from None
        if self._in_the_way() and not self._force:
            raise FormError(_FORCE, "there is such a file already: name another, or turn on Overwrite")
        return Record(RecordOptions(os.fspath(path), ring, self._force, self._secrets), self._begin == self._begins[1])

    def _in_the_way(self) -> bool:
        try:
            return in_the_way(os.fspath(path_of(self._path, _PATH)), ring=bool(self._ring.strip())) is not None
        except (FormError, OSError):
            return False
