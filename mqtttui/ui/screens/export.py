"""The export dialog: a file, which packets, what kind of file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from mqtttui.export.saving import Format
from mqtttui.ui.file_names import path_of, proposed, with_suffix
from mqtttui.ui.forms.rows import FormError, Kind, Row, toggle
from mqtttui.ui.screens.form_dialog import GO, FormDialog, toggled

_PATH, _WHICH, _FORM, _SECRETS, _FORCE = "path", "which", "form", "secrets", "force"


class Which(Enum):
    """The packets of an export."""

    ALL = "all"
    DISPLAYED = "displayed"
    """Those that the filter selects; answers that are shown with them are not among them."""
    MARKED = "marked"


@dataclass(frozen=True, slots=True)
class Export:
    """An export to make."""

    path: Path
    which: Which
    form: Format
    mask: bool
    force: bool
    """Write over a file that is there."""


class ExportPrompt(FormDialog[Export]):
    """Asks what to write where."""

    def __init__(self, counts: Mapping[Which, int], which: Which, path: str = "") -> None:
        """`counts`: how many packets there are of each; `path`: visible text to begin with."""
        super().__init__("Write packets to a file", "Enter in File or ctrl+s writes, ↑ ↓ go through rows, Esc leaves field, then dialog")
        self._counts = counts
        self._path = path or proposed(Format.PCAPNG.suffix)
        self._which = which
        self._form_of_file = Format.of(self._path)
        self._secrets = self._force = False

    def rows(self) -> Sequence[Row]:
        names = tuple(self._label(which) for which in Which)
        rows = [
            Row(_PATH, "File", value=self._path),
            Row(_WHICH, "Packets", Kind.CHOICE, self._label(self._which), names),
            Row(_FORM, "Kind of file", Kind.CHOICE, self._form_of_file.value, _FORMATS, help=_HELP[self._form_of_file]),
            Row(_SECRETS, "Secrets", Kind.TOGGLE, toggle(self._secrets), summary="passwords as they are, not masked"),
        ]
        if self._in_the_way():
            rows.append(Row(_FORCE, "Overwrite", Kind.TOGGLE, toggle(self._force), summary="there is a file of that name already"))
        return [*rows, Row(GO, "Write", Kind.ACTION)]

    def change(self, row: str, value: str) -> None:
        match row:
            case "path":
                self._path, self._force = value, False
                if value.strip():
                    self._form_of_file = self._suggested(value)
            case "which":
                self._which = next(which for which in Which if self._label(which) == value)
            case "form":
                self._form_of_file = Format(value)
                self._path = with_suffix(self._path, self._form_of_file.suffix)
            case "secrets":
                self._secrets = toggled(value)
            case _:
                self._force = toggled(value)

    def value(self) -> Export:
        path = path_of(self._path, _PATH)
        if not self._counts[self._which]:
            raise FormError(_WHICH, _NONE[self._which])
        if self._in_the_way() and not self._force:
            raise FormError(_FORCE, "there is a file of that name already: name another, or turn on Overwrite")
        return Export(path, self._which, self._form_of_file, not self._secrets, self._force)

    def _label(self, which: Which) -> str:
        return f"{which.value} {self._counts[which]:,}"

    def _suggested(self, path: str) -> Format:
        found = Format.of(path)
        same = found is Format.PCAPNG and self._form_of_file is Format.TCP
        return self._form_of_file if same else found

    def _in_the_way(self) -> bool:
        try:
            return path_of(self._path, _PATH).exists()
        except (FormError, OSError):
            return False


_FORMATS = tuple(form.value for form in Format)
_HELP = {
    Format.PCAPNG: "opens in Wireshark, always as MQTT",
    Format.TCP: "for tools that want TCP streams; addresses and ports as known, else made up",
    Format.JSON: "one object a line, as decode prints it",
    Format.CSV: "one row a packet, for spreadsheets",
}
_NONE = {
    Which.ALL: "there is no packet",
    Which.DISPLAYED: "the filter selects no packet",
    Which.MARKED: "no packet is marked: m marks one",
}
