"""The details of one packet as a tree: fields with bit pictures and values, notes as lines under them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.message import Message
from textual.strip import Strip

from mqtttui.protocol.dissect import dissect_more
from mqtttui.protocol.enums import Severity
from mqtttui.protocol.fields import Dissection, Field
from mqtttui.ui.bindings import bindings_for
from mqtttui.ui.content import fit
from mqtttui.ui.related import LINKS
from mqtttui.ui.tree_lines import SLICE, FieldLine, Folds, Line, MoreLine, NoteLine, label, lines, path_at, shown_value, with_items
from mqtttui.ui.widgets.lines import LineView

_EDGES = 2
"""Cells of a row that are no text: the mark of the selected row and the scrollbar, whether it is there or not."""


class PacketTree(LineView):
    """The tree of a dissected packet."""

    SCOPE: ClassVar[str] = "details"
    BINDINGS = bindings_for("details")
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "tree--name",
        "tree--bits",
        "tree--generated",
        "tree--fold",
        "tree--error",
        "tree--warn",
        "tree--note",
    }

    @dataclass
    class FieldSelected(Message):
        """Another field is under the cursor."""

        field: Field | None
        note: str
        """Text of the note under the cursor, empty on a field itself."""

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, PacketTree.FieldSelected)

    @dataclass
    class LinkOpened(Message):
        """The person wants to see the packet that a field names."""

        number: int

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._dissection: Dissection | None = None
        self._folds = Folds()
        self._lines: list[Line] = []
        self._width = 0

    @property
    def row_count(self) -> int:
        return len(self._lines)

    @property
    def selected(self) -> Field | None:
        """The field under the cursor (a note's field, a slice's parent)."""
        line = self._line
        return line.field if line else None

    @property
    def selected_note(self) -> str:
        """The note under the cursor, empty on a field itself."""
        line = self._line
        return f"{line.note.id} {line.note.text}" if isinstance(line, NoteLine) else ""

    @property
    def _line(self) -> Line | None:
        return self._lines[self.cursor] if self.cursor < len(self._lines) else None

    def show(self, dissection: Dissection | None, *, keep: bool = False) -> None:
        """Show another packet. With `keep` (same type as before) folds and cursor stay where they are."""
        before = self._line
        self._dissection = dissection
        if not keep:
            self._folds = Folds()
        self._rebuild()
        if keep and isinstance(before, FieldLine):
            self._select_path(before.path)
        else:
            self.place(top=0, cursor=0)
        self._tell()

    def select_offset(self, offset: int) -> Field | None:
        """Put the cursor on the innermost field that covers byte `offset`, unfolding what hides it. Nobody is told."""
        if self._dissection is None:
            return None
        path = path_at(self._dissection, offset)
        if not path:
            return None
        self._select_path(path)
        self.refresh()
        return self.selected

    def _select_path(self, path: tuple[int, ...]) -> None:
        for depth in range(len(path)):
            while path[depth] >= self._folds.shown(path[:depth]):
                self._folds = self._folds.with_more(path[:depth])
        self._rebuild()
        for depth in range(1, len(path)):
            line = self._at(path[:depth])
            if isinstance(line, FieldLine) and not line.open and line.foldable:
                self._folds = self._folds.toggled(path[:depth])
                self._rebuild()
        for length in range(len(path), 0, -1):
            index = self._index(path[:length])
            if index is not None:
                self.place(cursor=index)
                self.show_cursor()
                return
        self.place(cursor=0, top=0)

    def _index(self, path: tuple[int, ...]) -> int | None:
        return next((at for at, line in enumerate(self._lines) if isinstance(line, FieldLine) and line.path == path), None)

    def _at(self, path: tuple[int, ...]) -> Line | None:
        index = self._index(path)
        return None if index is None else self._lines[index]

    def _rebuild(self) -> None:
        self._width = self.size.width
        self._lines = lines(self._dissection, self._folds, self._width - _EDGES) if self._dissection else []
        self.place()

    def resized(self) -> None:
        if self.size.width != self._width:
            self._rebuild()
        self.show_cursor()

    def cursor_moved(self) -> None:
        self._tell()

    def _tell(self) -> None:
        self.post_message(self.FieldSelected(self.selected, self.selected_note))

    # Actions

    def row_activated(self) -> None:
        self.action_toggle_fold()

    def clicked(self, index: int, x: int) -> None:
        line = self._lines[index]
        self.move_to(index)
        if isinstance(line, MoreLine) or (isinstance(line, FieldLine) and line.foldable and x <= 2 * line.depth + 2):
            self.action_toggle_fold()

    def action_toggle_fold(self) -> None:
        """Fold or unfold; open the next slice."""
        line = self._line
        if isinstance(line, MoreLine):
            self._folds = self._folds.with_more(line.path)
        elif isinstance(line, FieldLine) and line.field.more:
            self._open_more(line)
        elif isinstance(line, FieldLine) and line.foldable:
            self._folds = self._folds.toggled(line.path)
        else:
            if line is not None and line.field.filter in LINKS and isinstance(line.field.value, int):
                self.post_message(self.LinkOpened(line.field.value))
            return
        self._rebuild()
        self._tell()

    def _open_more(self, line: FieldLine) -> None:
        """The next items of a list that is too long to be taken apart at once stand in the place of "n more"."""
        if self._dissection is None:
            return
        items = dissect_more(self._dissection.raw, self._dissection.context, line.field.start, SLICE)
        if items:
            self._dissection = with_items(self._dissection, line.path, items)
            parent = line.path[:-1]
            while self._folds.shown(parent) <= line.path[-1] + len(items):
                self._folds = self._folds.with_more(parent)

    def action_unfold(self) -> None:
        """Unfold, or go to the first field below."""
        line = self._line
        if isinstance(line, FieldLine) and line.foldable and line.open:
            self.action_down()
        elif isinstance(line, MoreLine) or (isinstance(line, FieldLine) and line.foldable):
            self.action_toggle_fold()

    def action_fold(self) -> None:
        """Fold, or go to the field above."""
        line = self._line
        if isinstance(line, FieldLine) and line.open:
            self.action_toggle_fold()
        elif line is not None:
            path = line.path if isinstance(line, NoteLine | MoreLine) else line.path[:-1]
            index = self._index(path)
            if index is not None:
                self.move_to(index)

    def action_toggle_all(self) -> None:
        """Unfold everything; again: fold everything to the top level."""
        if self._dissection is None:
            return
        line = self._line
        path = line.path[:1] if line else (0,)
        tops = {(index,) for index, field in enumerate(self._dissection.fields) if field.children}
        folded = Folds(changed=frozenset(tops), all_open=True)
        self._folds = folded if self._folds == Folds(all_open=True) else Folds(all_open=True)
        self._rebuild()
        self.place(cursor=self._index(path) or 0)
        self.show_cursor()
        self._tell()

    # Painting

    def row(self, index: int, width: int) -> Strip:
        line = self._lines[index]
        mark = self.cursor_mark(index)
        indent = " " + "  " * line.depth
        match line:
            case FieldLine():
                segments = self._field(line, indent, width - 1)
            case NoteLine():
                sign = "! " if line.first else "  "
                style = self._severity(line.note.severity)
                segments = [Segment(fit(f"{indent}    {sign}{line.text}", width - 1), style)]
            case _:
                text = f"{indent}  … {line.count:,} more: Enter shows the next ones"
                segments = [Segment(fit(text, width - 1), self.style_of("line--dimmed"))]
        return Strip([mark, *segments])

    def _field(self, line: FieldLine, indent: str, width: int) -> list[Segment]:
        field = line.field
        fold = ("▾ " if line.open else "▸ ") if line.foldable else "  "
        name = label(field)
        value = shown_value(field)
        worst = max((note.severity for note in field.notes), default=None)
        style = self._severity(worst) if worst else self.style_of("tree--generated" if field.generated else "tree--name")
        segments = [Segment(indent), Segment(fold, self.style_of("tree--fold"))]
        if field.mask:
            segments.append(Segment(field.bits, self.style_of("tree--bits")))
            name = name[len(field.bits) :]
        segments.append(Segment(name, style))
        used = sum(cell_len(segment.text) for segment in segments)
        if value:
            start = max(used + 2, cell_len(indent) + 2 + line.name_cells + 2)
            segments.append(Segment(" " * (start - used)))
            segments.append(Segment(fit(value, width - start) if width > start else "", self._value_style(field)))
        return segments

    def _value_style(self, field: Field) -> Style:
        if field.secret:
            return self.style_of("line--dimmed")
        return self.style_of("tree--generated") if field.generated else Style.null()

    def _severity(self, severity: Severity) -> Style:
        match severity:
            case Severity.ERROR:
                return self.style_of("tree--error")
            case Severity.WARN:
                return self.style_of("tree--warn")
            case Severity.NOTE | Severity.CHAT:
                return self.style_of("tree--note")
