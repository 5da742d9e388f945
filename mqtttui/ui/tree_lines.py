"""A Dissection as the lines of a tree: which fields are unfolded, what each line says.

A field is named by its path, the indexes of its ancestors and its own: `(2, 0, 1)`. Long runs of siblings open in slices.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, replace

from rich.cells import chop_cells

from mqtttui.protocol.enums import Severity
from mqtttui.protocol.fields import Dissection, Field, Note

Path = tuple[int, ...]

SLICE = 200
"""Siblings that are shown at once; the line after them opens the next slice."""
MASK = "••••••"
_NAME_CELLS = 22
"""Values of siblings are aligned; names longer than this push only their own value."""
_DEPTH_OF_NOTE = 5


@dataclass(frozen=True, slots=True)
class FieldLine:
    """A field."""

    path: Path
    field: Field
    depth: int
    open: bool
    foldable: bool
    name_cells: int
    """Cells that names (with their bit pictures) take among these siblings."""


@dataclass(frozen=True, slots=True)
class NoteLine:
    """One line of a note under its field."""

    path: Path
    field: Field
    note: Note
    depth: int
    text: str
    first: bool


@dataclass(frozen=True, slots=True)
class MoreLine:
    """Stands for the siblings that are not shown yet."""

    path: Path
    """Path of the parent."""
    field: Field | None
    """The parent, None for the packet itself."""
    depth: int
    count: int


Line = FieldLine | NoteLine | MoreLine


@dataclass(frozen=True, slots=True)
class Folds:
    """What is unfolded, as far as it differs from the first view."""

    changed: frozenset[Path] = frozenset()
    """Fields whose fold differs from the default."""
    slices: tuple[tuple[Path, int], ...] = ()
    """How many siblings of a parent are shown, where it is more than one slice."""
    all_open: bool = False

    def is_open(self, path: Path, field: Field) -> bool:
        """Whether the children of `field` are shown."""
        return (self.all_open or _open_at_first(path, field)) != (path in self.changed)

    def toggled(self, path: Path) -> Folds:
        """With one field folded or unfolded."""
        return replace(self, changed=self.changed ^ {path})

    def shown(self, path: Path) -> int:
        """How many children of the field at `path` are shown."""
        return dict(self.slices).get(path, SLICE)

    def with_more(self, path: Path) -> Folds:
        """With one more slice of children."""
        return replace(self, slices=(*(item for item in self.slices if item[0] != path), (path, self.shown(path) + SLICE)))


def lines(dissection: Dissection, folds: Folds, width: int) -> list[Line]:
    """The lines of the tree, notes wrapped to `width` cells."""
    out: list[Line] = []
    _add(out, (), None, dissection.fields, 0, folds, max(20, width))
    return out


def find(dissection: Dissection, path: Path) -> Field | None:
    """The field at `path`, None if there is none."""
    fields = dissection.fields
    field: Field | None = None
    for index in path:
        if index >= len(fields):
            return None
        field = fields[index]
        fields = field.children
    return field


def with_items(dissection: Dissection, path: Path, items: tuple[Field, ...]) -> Dissection:
    """The dissection with `items` in the place of the field at `path` (a node "n more")."""
    return replace(dissection, fields=_spliced(dissection.fields, path, items))


def _spliced(fields: tuple[Field, ...], path: Path, items: tuple[Field, ...]) -> tuple[Field, ...]:
    at = path[0]
    if len(path) == 1:
        return (*fields[:at], *items, *fields[at + 1 :])
    inner = replace(fields[at], children=_spliced(fields[at].children, path[1:], items))
    return (*fields[:at], inner, *fields[at + 1 :])


def path_at(dissection: Dissection, offset: int) -> Path:
    """Path of the innermost whole-byte field that covers byte `offset`."""
    path: list[int] = []
    fields = dissection.fields
    while True:
        for index, field in enumerate(fields):
            if not field.mask and field.start <= offset < field.end:
                path.append(index)
                fields = field.children
                break
        else:
            return tuple(path)


def label(field: Field) -> str:
    """Bit picture and name; generated fields in square brackets."""
    name = f"[{field.name}]" if field.generated else field.name
    return f"{field.bits}  {name}" if field.mask else name


def shown_value(field: Field) -> str:
    """The value as it is shown: secrets are masked, with their length."""
    if field.secret:
        return f"{MASK} ({field.end - field.start:,} bytes)"
    return field.display


def _add(out: list[Line], parent: Path, owner: Field | None, fields: tuple[Field, ...], depth: int, folds: Folds, width: int) -> None:
    shown = fields[: folds.shown(parent)]
    names = (len(label(field)) for field in shown if _has_value(field))
    cells = max((length for length in names if length <= _NAME_CELLS), default=0)
    for index, field in enumerate(shown):
        path = (*parent, index)
        is_open = bool(field.children) and folds.is_open(path, field)
        out.append(FieldLine(path, field, depth, is_open, bool(field.children or field.more), cells))
        out.extend(_notes(path, field, depth, width))
        if is_open:
            _add(out, path, field, field.children, depth + 1, folds, width)
    if len(fields) > len(shown):
        out.append(MoreLine(parent, owner, depth, len(fields) - len(shown)))


def _open_at_first(path: Path, field: Field) -> bool:
    """The top levels, bits, and whatever has a note inside. A property says all in its own line."""
    if len(field.children) > SLICE:
        return False
    plain_value = len(path) > 1 and bool(field.display) and not field.children[0].mask
    return not plain_value or any(inner.notes for child in field.children for inner in child.walk())


def _has_value(field: Field) -> bool:
    return bool(field.display) or field.secret


def _notes(path: Path, field: Field, depth: int, width: int) -> Iterator[NoteLine]:
    for note in field.notes:
        head = f"{note.severity.label} {note.id}"
        tail = f" [{note.statement}]" if note.statement else ""
        room = max(20, width - 2 * depth - _DEPTH_OF_NOTE - 2)
        for index, text in enumerate(_in_cells(f"{head}  {note.text}{tail}", room)):
            yield NoteLine(path, field, note, depth, text, index == 0)


def _in_cells(text: str, room: int) -> list[str]:
    """Lines of at most `room` cells; east-asian wide characters take two, which textwrap does not know."""
    found = textwrap.wrap(text, room, break_long_words=True)
    return found if text.isascii() else [part for line in found for part in chop_cells(line, room)]


def worst(notes: tuple[Note, ...]) -> Severity | None:
    """Highest severity, None without notes."""
    return max((note.severity for note in notes), default=None)
