"""The profiles: a list by group that typing narrows. It says what to do with which one; the doing is `ui/profile_dialogs.py`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

from rich.segment import Segment
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widgets import Input, Static

from mqtttui.config.guard import Guard
from mqtttui.config.profiles import Profile, Profiles
from mqtttui.text import printable, shorten, visible
from mqtttui.ui.bindings import bindings_for, keys_of
from mqtttui.ui.content import fit, join
from mqtttui.ui.widgets.escaped_input import EscapedInput
from mqtttui.ui.widgets.lines import LineView

_WIDE = 90
_CELLS = ((10, 18, 16), (14, 24, 26))
"""Cells of group, name and marks, where there is little room and where there is more."""


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the list."""

    name: str
    profile: Profile | None
    """None for one that cannot be used."""
    problem: str = ""

    @property
    def group(self) -> str:
        """Under which it stands."""
        return self.profile.group if self.profile is not None else ""


def lines_of(found: Profiles) -> list[Line]:
    """Usable ones by group in the order of the file, those without a group first; then the others."""
    groups = dict.fromkeys(["", *(profile.group for profile in found.profiles.values())])
    good = [Line(each.name, each) for group in groups for each in found.profiles.values() if each.group == group]
    bad = [Line(name, None, next((each.text for each in found.problems if each.profile == name), "")) for name in found.broken]
    return good + bad


_OURS = frozenset(name for key in keys_of("profiles") for name in key.keys.split(","))


def _left_over() -> list[BindingType]:
    """The bindings of a field without the keys of the dialog."""
    bindings = [each for each in Input.BINDINGS if isinstance(each, Binding)]
    kept = [replace(each, key=",".join(name for name in each.key.split(",") if name not in _OURS)) for each in bindings]
    return [each for each in kept if each.key]


class NarrowField(EscapedInput, inherit_bindings=False):
    """What is typed narrows the list; the keys of the dialog are not the field's."""

    BINDINGS: ClassVar[list[BindingType]] = _left_over()


class ProfileList(LineView):
    """The profiles that match what was typed."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"choice--key", "profile--bad"}

    class Chosen(Message):
        """A row was clicked twice."""

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self.can_focus = False
        self.lines: list[Line] = []
        self.default = ""
        self.last = ""

    @property
    def row_count(self) -> int:
        return len(self.lines)

    @property
    def chosen(self) -> Line | None:
        """The row under the cursor."""
        return self.lines[self.cursor] if self.lines else None

    def show(self, lines: list[Line], name: str) -> None:
        """Other rows; the cursor goes to `name` if it is there."""
        self.lines = lines
        at = next((index for index, line in enumerate(lines) if line.name == name), 0)
        self.place(cursor=at, top=0)
        self.show_cursor()

    def clicked(self, index: int, x: int) -> None:
        self.move_to(index)

    def row_activated(self) -> None:
        self.post_message(self.Chosen())

    def row(self, index: int, width: int) -> Strip:
        line = self.lines[index]
        above = self.lines[index - 1].group if index else None
        group = visible(line.group) if line.group != above else ""
        groups, names, marked = _CELLS[width >= _WIDE]
        dimmed, key = self.style_of("line--dimmed"), self.style_of("choice--key")
        head = [
            self.cursor_mark(index),
            Segment(f" {fit(group, groups):<{groups}} ", dimmed),
            Segment(f"{fit(visible(line.name), names):<{names}} ", key),
        ]
        room = width - groups - names - 4
        if line.profile is None:
            return Strip([*head, Segment(fit(f"! {line.problem}", room), self.style_of("profile--bad"))])
        place = max(0, room - marked - 1)
        url = fit(visible(line.profile.contents.options.url), place)
        return Strip([*head, Segment(f"{url:<{place}} "), Segment(self._marks(line.profile, marked), dimmed)])

    def _marks(self, profile: Profile, cells: int) -> str:
        guard = profile.guard.value if profile.guard is not Guard.NONE else ""
        place = "default" if profile.name == self.default else "last" if profile.name == self.last else ""
        words = " ".join(each for each in (visible(profile.label), guard, place) if each)
        return f"{fit(words, cells):>{cells}}"


@dataclass(frozen=True, slots=True)
class Wish:
    """What the person wants done, and with which profile (empty: with none in particular)."""

    what: str
    """`load`, `connect`, `new`, `more`, `edit`."""
    name: str = ""


class ProfilesScreen(ModalScreen[Wish | None]):
    """Gives what is wanted, or None."""

    SCOPE = "profiles"
    BINDINGS = bindings_for(SCOPE)

    def __init__(self, found: Callable[[], Profiles], last: str, cursor: str = "") -> None:
        super().__init__()
        self._found = found()
        self._last = last
        self._cursor = cursor or last or self._found.default

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -tall"):
            yield Static("Profiles", classes="dialog-title", markup=False)
            yield NarrowField(placeholder="type to narrow the list", id="profiles-filter")
            yield ProfileList("profiles-list")
            yield Static(id="profiles-about", classes="dialog-body", markup=False)
            yield Static(id="profiles-hint", markup=False)

    def on_mount(self) -> None:
        listed = self.query_one(ProfileList)
        listed.default, listed.last = self._found.default, self._last
        self._show(self._cursor)
        self.query_one(NarrowField).focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        self._show("")

    def on_profile_list_chosen(self) -> None:
        self.action_load()

    def action_load(self) -> None:
        """Into the form."""
        self._wish("load")

    def action_connect(self) -> None:
        """Into the form, and connect."""
        self._wish("connect")

    def action_more(self) -> None:
        """What else can be done with this profile, and with all."""
        chosen = self.query_one(ProfileList).chosen
        self.dismiss(Wish("more", chosen.name if chosen is not None else ""))

    def action_new(self) -> None:
        """Save the form as a profile."""
        self.dismiss(Wish("new"))

    def action_edit(self) -> None:
        """The file in $EDITOR."""
        self.dismiss(Wish("edit"))

    def action_leave(self) -> None:
        """Nothing."""
        self.dismiss(None)

    def action_move(self, step: int) -> None:
        """The cursor up or down."""
        listed = self.query_one(ProfileList)
        listed.move_to(listed.cursor + step)
        self._tell()

    def _wish(self, what: str) -> None:
        chosen = self.query_one(ProfileList).chosen
        if chosen is not None and chosen.profile is not None:
            self.dismiss(Wish(what, chosen.name))

    def _show(self, name: str) -> None:
        words = self.query_one(NarrowField).value.lower().split()
        lines = [line for line in lines_of(self._found) if all(word in _searched(line) for word in words)]
        self.query_one(ProfileList).show(lines, name)
        self._tell()

    def _tell(self) -> None:
        listed = self.query_one(ProfileList)
        chosen = listed.chosen
        rest = [problem for problem in self._found.problems if not problem.profile]
        if chosen is not None and chosen.profile is None:
            wrong = [self._found.said(problem) for problem in self._found.problems if problem.profile == chosen.name]
            about = join((shorten(wrong[0] if wrong else chosen.problem, 300), "$state-bad"))
        elif rest:
            about = join((shorten(self._found.said(rest[0]), 300), "$state-bad"))
        elif self._found.warnings:
            about = join((self._found.warnings[0], "$state-warn"))
        elif not self._found.profiles and not self._found.broken:
            about = join(
                "none yet: ",
                ("ctrl+n", "bold $primary"),
                " saves the form as one; they lie in ",
                (printable(str(self._found.path)), "$dimmed"),
            )
        else:
            about = join((f"{len(listed.lines):,} of {len(lines_of(self._found)):,} in {printable(str(self._found.path))}", "$dimmed"))
        self.query_one("#profiles-about", Static).update(about)
        hint = "Enter fills the form  ctrl+s also connects  ctrl+n saves the form\nctrl+o more  ctrl+e edits the file  Esc leaves"
        self.query_one("#profiles-hint", Static).update(join((hint, "$dimmed")))


def _searched(line: Line) -> str:
    profile = line.profile
    more = f"{profile.group} {profile.label} {profile.contents.options.url}" if profile is not None else ""
    return f"{line.name} {more}".lower()
