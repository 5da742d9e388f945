"""Themes from TOML files: read, checked completely, then registered.

A bad colour that reaches Textual is accepted there and breaks the application later, so that nothing is registered
before every value was parsed. Problems are collected; a theme with a problem is left out as a whole.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from textual.color import Color, ColorParseError
from textual.theme import Theme

DEFAULT_THEME = "mqtttui-dark"

_COLORS = (
    "primary",
    "secondary",
    "accent",
    "foreground",
    "background",
    "surface",
    "panel",
    "boost",
    "success",
    "warning",
    "error",
)

OWN_VARIABLES: dict[str, str] = {
    "direction-in": "accent",
    "direction-out": "secondary",
    "dimmed": "foreground-darken-3",
    "state-good": "success",
    "state-warn": "warning",
    "state-bad": "error",
    "generated": "foreground-darken-2",
    "cursor-row": "primary-muted",
    "cursor-row-blurred": "panel",
    "bytes-field": "primary-muted",
    "bytes-cursor": "primary",
    "bytes-cursor-text": "background",
    "rule": "panel-lighten-2",
}
"""Our own variables, and the variable of Textual's that stands in where a theme leaves ours out."""


@dataclass(frozen=True, slots=True)
class ThemeProblem:
    """One thing that is wrong with one theme file."""

    file: Path
    key: str
    """Key within the file, empty for the file as a whole."""
    text: str

    def __str__(self) -> str:
        """`ocean.toml: colors.primary: '#12' is no colour`."""
        return ": ".join(part for part in (self.file.name, self.key, self.text) if part)


@dataclass(frozen=True, slots=True)
class Themes:
    """What a search for themes gave."""

    themes: tuple[Theme, ...]
    problems: tuple[ThemeProblem, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the usable themes, in order of their finding."""
        return tuple(theme.name for theme in self.themes)


def load_themes(folders: Sequence[Path]) -> Themes:
    """Every theme in `folders`; a later one with the same name replaces an earlier one. A missing folder is empty."""
    themes: dict[str, Theme] = {}
    problems: list[ThemeProblem] = []
    for folder in folders:
        for file in _files(folder, problems):
            theme = _read(file, problems)
            if theme is not None:
                themes[theme.name] = theme
    return Themes(tuple(themes.values()), tuple(problems))


def variable_defaults(theme: Theme) -> dict[str, str]:
    """Our own variables for a theme that may leave them out."""
    generated = theme.to_color_system().generate()
    return {name: generated[source] for name, source in OWN_VARIABLES.items()}


def _files(folder: Path, problems: list[ThemeProblem]) -> Iterable[Path]:
    try:
        return sorted(entry for entry in folder.iterdir() if entry.suffix == ".toml")
    except FileNotFoundError:
        return ()
    except OSError as error:
        problems.append(ThemeProblem(folder, "", f"cannot be read: {error.strerror}"))
        return ()


def _read(file: Path, problems: list[ThemeProblem]) -> Theme | None:
    found: list[ThemeProblem] = []
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        problems.append(ThemeProblem(file, "", f"cannot be read: {error.strerror}"))
        return None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problems.append(ThemeProblem(file, "", f"is not TOML: {error}"))
        return None
    theme = _theme(file, data, found)
    problems.extend(found)
    return None if found else theme


def _theme(file: Path, data: dict[str, object], problems: list[ThemeProblem]) -> Theme | None:
    _known(file, "", data, ("name", "dark", "colors", "variables"), problems)
    name = data.get("name", file.stem)
    dark = data.get("dark", True)
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        problems.append(ThemeProblem(file, "name", "must be a word"))
    if not isinstance(dark, bool):
        problems.append(ThemeProblem(file, "dark", "must be true or false"))
    colors = _table(file, "colors", data, problems)
    variables = _table(file, "variables", data, problems)
    _known(file, "colors", colors, _COLORS, problems)
    if "primary" not in colors:
        problems.append(ThemeProblem(file, "colors.primary", "is missing"))
    checked = {key: _color(file, f"colors.{key}", value, problems) for key, value in colors.items()}
    own = {key: _variable(file, key, value, problems) for key, value in variables.items()}
    if problems:
        return None
    return Theme(name=str(name), dark=bool(dark), variables=own, **checked)  # type: ignore[arg-type]  # keys checked


def _table(file: Path, key: str, data: dict[str, object], problems: list[ThemeProblem]) -> dict[str, object]:
    table = data.get(key, {})
    if isinstance(table, dict):
        return table
    problems.append(ThemeProblem(file, key, "must be a table"))
    return {}


def _known(file: Path, table: str, data: dict[str, object], names: Sequence[str], problems: list[ThemeProblem]) -> None:
    for key in data:
        if key not in names:
            near = difflib.get_close_matches(key, names, 1)
            where = f"{table}.{key}" if table else key
            problems.append(ThemeProblem(file, where, "is unknown" + (f"; meant {near[0]}?" if near else "")))


def _color(file: Path, key: str, value: object, problems: list[ThemeProblem]) -> str:
    try:
        if not isinstance(value, str):
            raise ColorParseError("no text")
        color = Color.parse(value)
        if color.ansi is not None or color.auto:
            raise ColorParseError("not a plain colour")
    except ColorParseError:
        problems.append(ThemeProblem(file, key, f"{value!r} is no colour; write #rrggbb or a name"))
        return ""
    return value


def _variable(file: Path, key: str, value: object, problems: list[ThemeProblem]) -> str:
    if key not in OWN_VARIABLES:
        near = difflib.get_close_matches(key, OWN_VARIABLES, 1)
        problems.append(ThemeProblem(file, f"variables.{key}", "is unknown" + (f"; meant {near[0]}?" if near else "")))
        return ""
    return _color(file, f"variables.{key}", value, problems)
