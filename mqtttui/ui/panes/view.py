"""What all views of the main screen have in common: they show what is recorded, as far as the one filter lets it through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.message import Message
from textual.widget import Widget

from mqtttui.ui.filtering import Filtering


class View(Widget):
    """A view; a row of `ui/views.py` makes it. Subclasses carry `SCOPE` and `BINDINGS = bindings_for(SCOPE)`."""

    SCOPE: ClassVar[str] = ""

    @dataclass
    class GoTo(Message):
        """The person wants to see packet `number` in the packet list."""

        number: int

    @dataclass
    class Said(Message):
        """One line for the person about what a key did."""

        text: str

    @dataclass
    class FilterWanted(Message):
        """The person wants packets with what is selected (`apply`), without it (`exclude`), or to be asked (`combine`)."""

        expression: str
        """A strict filter."""
        how: str

    @dataclass
    class TextWanted(Message):
        """The person wants a text copied, or printed on the plain terminal."""

        text: str
        plain: bool

    def grew(self) -> None:
        """The log changed, a follower has read on, or the filter has come further. At most 30 times a second while shown."""

    def show_filter(self, filtering: Filtering) -> None:
        """Another filter is in force."""

    def focus_list(self) -> None:
        """The list gets the focus, in front of everything."""
        raise NotImplementedError

    def back(self) -> bool:
        """One step back, towards the list. False if there is none."""
        return False
