"""The alarm dialog: what to watch for, and what to do then."""

from __future__ import annotations

from collections.abc import Sequence

from mqtttui.config.saved_filters import SavedFilter
from mqtttui.ui.alarm import AlarmOrder
from mqtttui.ui.filtering import Filtering
from mqtttui.ui.forms.rows import FormError, Kind, Row, toggle
from mqtttui.ui.screens.form_dialog import GO, FormDialog, toggled

_FILTER, _SAVED = "filter", "saved"
_TYPED = "typed above"


class AlarmPrompt(FormDialog[AlarmOrder]):
    """Asks for a filter, typed or saved, and for what to do when a packet passes."""

    def __init__(self, filtering: Filtering, saved: Sequence[SavedFilter], order: AlarmOrder | None) -> None:
        """`order` is the one before; without it the filter in force is proposed."""
        super().__init__("Alarm", "Enter in Filter or ctrl+s arms it, for this run and for what comes from now on. Esc leaves")
        self._filtering = filtering
        self._saved = {each.name: each.text for each in saved}
        applied = filtering.applied
        self._text = order.typed if order is not None else applied.typed if applied is not None else ""
        self._does = {
            "ring": order.ring if order is not None else True,
            "mark": order.mark if order is not None else True,
            "pause": order.pause if order is not None else False,
            "record": order.record if order is not None else False,
        }

    def rows(self) -> Sequence[Row]:
        applied = self._filtering.check(self._text).applied
        meaning = f"means {applied.filter.text}" if applied is not None and applied.quick else ""
        rows = [Row(_FILTER, "Filter", value=self._text, placeholder="a filter, or a word to look for", help=meaning)]
        if self._saved:
            name = next((name for name, text in self._saved.items() if text == self._text), _TYPED)
            rows.append(Row(_SAVED, "Saved filter", Kind.CHOICE, name, (_TYPED, *self._saved)))
        rows += [Row(id, label, Kind.TOGGLE, toggle(self._does[id]), summary=words) for id, label, words in _ACTIONS]
        return [*rows, Row(GO, "Arm", Kind.ACTION)]

    def change(self, row: str, value: str) -> None:
        if row == _FILTER:
            self._text = value
        elif row == _SAVED:
            self._text = self._saved.get(value, self._text)
        else:
            self._does[row] = toggled(value)

    def value(self) -> AlarmOrder:
        checked = self._filtering.check(self._text)
        if checked.error is not None:
            raise FormError(_FILTER, f"{checked.error.problem} {checked.error.remedy}".strip())
        if checked.applied is None:
            raise FormError(_FILTER, "a filter is needed: what to watch for")
        return AlarmOrder(self._text, checked.applied.filter, **self._does)


_ACTIONS = (
    ("ring", "Ring", "the terminal's bell, at most once a second"),
    ("mark", "Mark", "the packets that pass, up to 1,000; ' goes to them"),
    ("pause", "Pause", "the packet list, at the first one"),
    ("record", "Record", "to a file in this directory, with what came before"),
)
