"""A form drawn as lines, with a single live editor that stands in the selected row.

Mounting an Input a row costs about 12 ms each; this draws any number of rows for the price of two widgets.

1. The owner sets `rows`; the form draws them and reports what the user did by row id. It keeps no values of its own.
2. Two states: *moving* (the list of rows has the focus; letters belong to the application) and *typing* (the editor has the
   focus; letters type). Tab and Shift+Tab go to the next row and type there if it is a text; past the ends they leave the
   form. Enter types, toggles, opens or presses; Escape stops typing. Every keystroke is reported at once.
3. Error, warning and help of a row stand below it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.message import Message
from textual.suggester import SuggestFromList
from textual.widgets import Input

from mqtttui.ui.bindings import bindings_for
from mqtttui.ui.forms.rows import CLOSED, OFF, ON, OPEN, Kind, Row
from mqtttui.ui.widgets.escaped_input import PASTE_LIMIT, EscapedInput
from mqtttui.ui.widgets.form_rows import FormRows


class Form(VerticalScroll, can_focus=False, can_focus_children=True):
    """Rows of labels and values with one live editor."""

    SCOPE = "form"
    BINDINGS = bindings_for(SCOPE)

    @dataclass
    class Changed(Message):
        """A value was typed or chosen."""

        form: Form
        row: str
        value: str

        @property
        def control(self) -> Form:
            return self.form

    @dataclass
    class Pressed(Message):
        """An action row was pressed, or Enter ended the typing in a row."""

        form: Form
        row: str

        @property
        def control(self) -> Form:
            return self.form

    @dataclass
    class Selected(Message):
        """Another row has the cursor."""

        form: Form
        row: str

        @property
        def control(self) -> Form:
            return self.form

    @dataclass
    class Removed(Message):
        """A removable row shall go."""

        form: Form
        row: str

        @property
        def control(self) -> Form:
            return self.form

    @dataclass
    class Moved(Message):
        """A removable row shall move up (-1) or down (1)."""

        form: Form
        row: str
        step: int

        @property
        def control(self) -> Form:
            return self.form

    @dataclass
    class Pasted(Message):
        """Something was pasted into the row, or, without a row, while no field was open; raw text."""

        form: Form
        row: str
        text: str

        @property
        def control(self) -> Form:
            return self.form

    def __init__(self, *, label_width: int = 19, spills: bool = False, id: str | None = None, classes: str | None = None) -> None:
        """`spills`: Down on the last row goes on to what stands below the form."""
        super().__init__(id=id, classes=classes)
        self._spills = spills
        self._list = FormRows(label_width)
        self._editor = EscapedInput(compact=True, select_on_focus=False)
        self._editing: str | None = None
        self._told: list[str] = []
        """What was typed and reported, and has not come back as a row's value: fast typing is ahead of its owner."""

    def compose(self) -> ComposeResult:
        yield self._list
        yield self._editor

    def on_mount(self) -> None:
        self._editor.display = False

    # ---------------------------------------------------------------- what the owner uses

    @property
    def rows(self) -> Sequence[Row]:
        """What is shown."""
        return self._list.rows

    @rows.setter
    def rows(self, rows: Sequence[Row]) -> None:
        self._list.show(rows)
        if self._editing is not None:
            row = self._list.row(self._editing)
            if row is None or not row.editable:
                self.leave()
            else:
                if row.value in self._told:
                    del self._told[: self._told.index(row.value) + 1]
                elif row.value != self._editor.value:
                    self._told.clear()
                    with self.prevent(Input.Changed):
                        self._editor.value = row.value
                self._place_editor()

    def row_value(self, row: str) -> str:
        """What a row shows; empty if there is no such row."""
        found = self._list.row(row)
        return found.value if found is not None else ""

    @property
    def selected(self) -> str:
        """Id of the selected row, empty when there is none."""
        return self._list.selected

    @property
    def typing(self) -> bool:
        """Whether the editor is open."""
        return self._editing is not None

    def go(self, row: str, *, edit: bool = True) -> None:
        """Select a row and give it the focus; type there if it is a text and `edit`."""
        found = self._list.row(row)
        if found is None or not found.selectable:
            return
        self._list.select(row)
        self.post_message(self.Selected(self, row))
        self._reveal()
        if edit and found.editable:
            self._edit(found)
        else:
            self.leave()
            self._list.focus()

    def enter(self, step: int) -> None:
        """Tab has come from outside: where the cursor stands at the end that lies ahead, it begins at the other one."""
        ids = [row.id for row in self._list.selectable]
        if ids and self.selected == ids[-1 if step > 0 else 0]:
            self.go(ids[0 if step > 0 else -1], edit=False)

    def leave(self) -> None:
        """Stop typing."""
        had_focus = self._editor.has_focus
        self._editing = None
        if self._editor.display:
            if had_focus:
                self._list.focus(scroll_visible=False)
            self._editor.display = False

    def focus(self, scroll_visible: bool = True) -> Form:
        """Give the focus to the rows."""
        self._list.focus(scroll_visible)
        return self

    # ---------------------------------------------------------------- keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that mean something only while typing, or only while not."""
        if action == "leave_field":
            return self.typing
        if action in ("first", "last", "remove", "choose", "flip"):
            return not self.typing
        return True

    def action_next(self, edit: bool = True) -> None:
        """To the next row; past the last one out of the form."""
        self._step(1, edit or self.typing, leave=edit or self._spills)

    def action_previous(self, edit: bool = True) -> None:
        """To the row before; past the first one out of the form."""
        self._step(-1, edit or self.typing, leave=edit)

    def action_first(self) -> None:
        """To the first row."""
        self._jump(self._list.selectable[:1])

    def action_last(self) -> None:
        """To the last row."""
        self._jump(self._list.selectable[-1:])

    def action_press(self) -> None:
        """Type, toggle, open, or press the selected row."""
        row = self._list.row(self.selected)
        if row is None:
            return
        match row.kind:
            case Kind.TEXT | Kind.SECRET:
                if not self.typing:
                    self._edit(row)
            case Kind.TOGGLE:
                self._report(row, OFF if row.value == ON else ON)
            case Kind.SECTION:
                self._report(row, CLOSED if row.value == OPEN else OPEN)
            case Kind.CHOICE:
                self._choose(row, 1)
            case Kind.ACTION:
                self.post_message(self.Pressed(self, row.id))
            case Kind.NOTE:
                pass

    def action_flip(self) -> None:
        """Turn the selected row on or off; other rows are pressed."""
        row = self._list.row(self.selected)
        if row is not None and row.check:
            self._flip(row)
        else:
            self.action_press()

    def action_choose(self, step: int) -> None:
        """The next or previous choice; opens or closes a section."""
        row = self._list.row(self.selected)
        if row is None:
            return
        match row.kind:
            case Kind.CHOICE:
                self._choose(row, step)
            case Kind.SECTION:
                self._report(row, OPEN if step > 0 else CLOSED)
            case Kind.TOGGLE:
                self._report(row, ON if step > 0 else OFF)
            case _:
                pass

    def action_remove(self) -> None:
        """Remove the selected row, if it can be removed."""
        row = self._list.row(self.selected)
        if row is not None and row.removable:
            self.post_message(self.Removed(self, row.id))

    def action_move_row(self, step: int) -> None:
        """Move the selected row up or down among its like."""
        row = self._list.row(self.selected)
        if row is not None and row.removable:
            self.post_message(self.Moved(self, row.id, step))

    def action_leave_field(self) -> None:
        """Stop typing; the value stays."""
        self.leave()

    # ---------------------------------------------------------------- events

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        row = self._list.row(self._editing) if self._editing is not None else None
        if row is not None and event.value != (self._told[-1] if self._told else row.value):
            self._told.append(event.value)
            self._report(row, event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        row = self._list.row(self._editing) if self._editing is not None else None
        if row is None:
            return
        self.post_message(self.Pressed(self, row.id))
        if not row.suggestions:
            self._step(1, edit=True, leave=False)

    def on_paste(self, event: events.Paste) -> None:
        if not self.typing and event.text:
            event.stop()
            self.post_message(self.Pasted(self, "", event.text))

    def on_escaped_input_filled(self, event: EscapedInput.Filled) -> None:
        event.stop()
        if self._editing is not None:
            self.post_message(self.Pasted(self, self._editing, event.text))

    def on_escaped_input_paste_refused(self, event: EscapedInput.PasteRefused) -> None:
        event.stop()
        self.notify(f"{event.size:,} characters are too long for this field: at most {PASTE_LIMIT:,}", severity="warning")

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        if event.widget is self._editor and self._editing is not None and self.app.app_focus:
            self._editing = None
            self._editor.display = False
        self._list.relayout()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        self._list.relayout()
        self._reveal()

    def on_form_rows_clicked(self, event: FormRows.Clicked) -> None:
        event.stop()
        row = self._list.row(event.row)
        if row is None:
            return
        if event.choice in (ON, OFF) and row.check:
            self.go(row.id, edit=False)
            self._flip(row)
            return
        self.go(row.id)
        if event.choice is not None:
            self._report(row, event.choice)
        elif not row.editable:
            self.action_press()

    def on_resize(self) -> None:
        if self.typing:
            self.call_after_refresh(self._place_editor)

    # ---------------------------------------------------------------- inside

    def _step(self, step: int, edit: bool, leave: bool) -> None:
        ids = [row.id for row in self._list.selectable]
        if not ids:
            return
        at = ids.index(self.selected) + step if self.selected in ids else 0
        if 0 <= at < len(ids):
            self.go(ids[at], edit=edit)
            if self.typing:
                self._editor.select_all()
        elif leave:
            self._leave_form(step)

    def _leave_form(self, step: int) -> None:
        """Focus whatever comes after (or before) this form in the focus chain."""
        self.leave()
        chain = self.screen.focus_chain
        ours = [index for index, widget in enumerate(chain) if self in widget.ancestors]
        if ours:
            target = ours[-1] + 1 if step > 0 else ours[0] - 1
            found = chain[target % len(chain)].focus()
            if isinstance(found.parent, Form):
                found.parent.enter(step)

    def _jump(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self.go(row.id, edit=False)

    def _choose(self, row: Row, step: int) -> None:
        if row.choices:
            at = row.choices.index(row.value) if row.value in row.choices else -1
            self._report(row, row.choices[(at + step) % len(row.choices)])

    def _flip(self, row: Row) -> None:
        self.post_message(self.Changed(self, f"{row.id}.flag", OFF if row.check == ON else ON))

    def _report(self, row: Row, value: str) -> None:
        self.post_message(self.Changed(self, row.id, value))

    def _edit(self, row: Row) -> None:
        self._editing = row.id
        self._told.clear()
        self._editor.password = row.kind is Kind.SECRET
        self._editor.placeholder = row.placeholder
        self._editor.passes = row.passes
        self._editor.suggester = SuggestFromList(row.suggestions, case_sensitive=False) if row.suggestions else None
        with self.prevent(Input.Changed):
            self._editor.value = row.value
        self._editor.cursor_position = len(row.value)
        self._editor.display = True
        self._place_editor()
        self._editor.focus(scroll_visible=False)
        self._list.relayout()

    def _place_editor(self) -> None:
        place = self._list.field_region(self._editing or "")
        if place is not None:
            self._editor.styles.width = place.width
            self._editor.styles.offset = (place.x, place.y)

    def _reveal(self) -> None:
        region = self._list.row_region(self.selected)
        if region is not None:
            self.call_after_refresh(self.scroll_to_region, region, animate=False, force=True)
