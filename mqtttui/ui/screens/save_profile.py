"""Saving the form as a profile: its name, how careful to be with it, and where its secrets go. Never into the file."""

from __future__ import annotations

import importlib.util
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from mqtttui import text
from mqtttui.config.guard import Guard
from mqtttui.config.profile_secrets import place_words
from mqtttui.config.secrets import Asked, FromCommand, FromEnvironment, FromKeyring, Source
from mqtttui.ui.forms.rows import ON, FormError, Kind, Row, parse_bytes, toggle
from mqtttui.ui.screens.form_dialog import GO, FormDialog, toggled

KEYRING, ASK, VARIABLE, COMMAND, IN_FILE = "keyring", "ask", "variable", "command", "in the file"
_WAY, _VALUE = "way.", "value."
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HELP = {
    KEYRING: "kept by the operating system, fetched for each connection",
    ASK: "asked for, and kept nowhere",
    VARIABLE: "a variable of the environment",
    COMMAND: "the first line that a command prints, such as pass show broker",
    IN_FILE: "as you have written it there",
}


@dataclass(frozen=True, slots=True)
class Place:
    """A secret that needs to come from somewhere."""

    name: str
    source: Source | None = None
    """Where from until now; None: not decided."""
    in_file: bool = False
    """It stands in the file, and is still the same."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be saved."""

    name: str
    group: str
    label: str
    guard: Guard
    sources: Mapping[str, Source]
    """By place; what is in the file stays there."""
    subscriptions: bool
    publish: bool


@dataclass(frozen=True, slots=True)
class Before:
    """What the dialog begins with."""

    name: str = ""
    group: str = ""
    label: str = ""
    guard: Guard = Guard.NONE
    places: Sequence[Place] = ()
    subscriptions: int = 0
    """So many could be saved."""
    message: str = ""
    """Topic of the message that could be saved, visible text; empty: none."""

    def again(self, wanted: Wanted) -> Before:
        """With what was typed, for another try without the keyring."""
        sources = {name: Asked() if isinstance(source, FromKeyring) else source for name, source in wanted.sources.items()}
        places = [replace(place, source=sources.get(place.name, place.source)) for place in self.places]
        return replace(self, name=wanted.name, group=wanted.group, label=wanted.label, guard=wanted.guard, places=places)


class SaveProfile(FormDialog[Wanted]):
    """Gives what is to be saved, or None."""

    def __init__(self, before: Before, check_name: Callable[[str], str], problem: str = "") -> None:
        """`check_name` says why a name will not do; `problem` is why it was not saved the last time."""
        super().__init__("Save the form as a profile", "ctrl+s saves, Esc leaves; nothing secret goes into the file")
        self._problem = problem
        self._before = before
        self._check_name = check_name
        self._values = {
            "name": text.visible(before.name),
            "group": text.visible(before.group),
            "label": text.visible(before.label),
            "guard": before.guard.value,
            "subscriptions": toggle(before.subscriptions > 0),
            "publish": toggle(bool(before.message)),
        }
        for place in before.places:
            self._values[_WAY + place.name], self._values[_VALUE + place.name] = _way(place)

    def rows(self) -> list[Row]:
        rows = [
            self._row("name", "Name", help="mqtttui NAME connects with it"),
            self._row("group", "Group", help="under which it is listed"),
            self._row("label", "Label", help="stays in the status bar while connected, such as LIVE"),
            Row("guard", "Guard", Kind.CHOICE, self._values["guard"], tuple(guard.value for guard in Guard), help=_GUARDS),
        ]
        for place in self._before.places:
            ways = (KEYRING, ASK, VARIABLE, COMMAND, *((IN_FILE,) if place.in_file else ()))
            way = self._values[_WAY + place.name]
            rows.append(Row(_WAY + place.name, place_words(place.name).capitalize(), Kind.CHOICE, way, ways, help=_HELP[way]))
            if way in (VARIABLE, COMMAND):
                rows.append(self._row(_VALUE + place.name, way.capitalize(), indent=1, help=_HELP[way]))
        if self._before.subscriptions:
            count = self._before.subscriptions
            rows.append(Row("subscriptions", "Subscriptions", Kind.TOGGLE, self._values["subscriptions"], summary=f"the {count:,} of now"))
        if self._before.message:
            rows.append(Row("publish", "Message", Kind.TOGGLE, self._values["publish"], summary=f"to {self._before.message}"))
        return [*rows, Row(GO, "Save", Kind.ACTION, summary="ctrl+s")]

    def _row(self, id: str, label: str, *, indent: int = 0, help: str = "") -> Row:
        return Row(id, label, value=self._values[id], indent=indent, help=help)

    def change(self, row: str, value: str) -> None:
        if self._values[row] != value:
            self._problem = ""
        self._values[row] = value

    def _say(self, problem: FormError | None) -> None:
        super()._say(FormError("", self._problem) if problem is None and self._problem else problem)

    def value(self) -> Wanted:
        name = self._text("name").strip()
        if problem := self._check_name(name):
            raise FormError("name", problem)
        sources = {place.name: source for place in self._before.places if (source := self._source(place)) is not None}
        return Wanted(
            name,
            self._text("group").strip(),
            self._text("label").strip(),
            Guard(self._values["guard"]),
            sources,
            self._before.subscriptions > 0 and toggled(self._values["subscriptions"]),
            bool(self._before.message) and self._values["publish"] == ON,
        )

    def _source(self, place: Place) -> Source | None:
        row = _VALUE + place.name
        match self._values[_WAY + place.name]:
            case "keyring":
                return place.source if isinstance(place.source, FromKeyring) else FromKeyring("")
            case "variable":
                name = self._text(row).strip().removeprefix("$")
                if not _VARIABLE.fullmatch(name):
                    raise FormError(row, "the name of a variable, such as MQTT_PASSWORD")
                return FromEnvironment(name)
            case "command":
                try:
                    words = shlex.split(self._text(row))
                except ValueError:
                    words = []
                if not words:
                    raise FormError(row, "a command, such as pass show broker")
                return FromCommand(tuple(words))
            case "in the file":
                return None
            case _:
                return Asked()

    def _text(self, row: str) -> str:
        return parse_bytes(self._values[row], row).decode("utf-8", "replace")


_GUARDS = "ask: asks before it publishes; read-only: sends nothing but subscriptions"


def _way(place: Place) -> tuple[str, str]:
    """The way that is chosen to begin with, and its value."""
    match place.source:
        case FromKeyring():
            return KEYRING, ""
        case FromEnvironment(name=name):
            return VARIABLE, text.visible(name)
        case FromCommand(words=words):
            return COMMAND, text.visible(shlex.join(words))
        case Asked():
            return ASK, ""
        case None:
            return (IN_FILE if place.in_file else KEYRING if importlib.util.find_spec("keyring") else ASK), ""
