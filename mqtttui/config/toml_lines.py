"""Where in a TOML text a key stands. `tomllib` gives values without places; this finds the places without the values.

The text must be TOML that `tomllib` reads: nothing is checked here. A key inside an inline table or an array has the place of
its statement.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

Path = tuple[str | int, ...]
"""Keys from the top, and indexes in arrays of tables: `("profiles", "home", "subscriptions", 0, "filter")`."""

_SKIPPED = re.compile(
    r'"""(?:\\[\s\S]|(?!""")[\s\S])*"{3,5}'
    r"|'''(?:(?!''')[\s\S])*'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|#[^\n]*"
)
"""Strings and comments, in which signs do not count."""
_PART = re.compile(r"\s*([A-Za-z0-9_-]+|\"(?:\\.|[^\"\\\n])*\"|'[^'\n]*')\s*")
_BLANK = re.compile(r"(?:\s|#[^\n]*)*")
_DEEPER, _SHALLOWER = frozenset("[{"), frozenset("]}")


@dataclass(frozen=True, slots=True)
class Part:
    """One name of a dotted key."""

    name: str
    start: int
    end: int
    """Its characters in the text."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A table header or a key with its value."""

    line: int
    """From 1."""
    prefix: Path
    """The table that it stands in; empty for headers."""
    parts: tuple[Part, ...]
    is_header: bool
    index: int = 0
    """Of an array of tables: which one."""
    is_array: bool = False

    @property
    def path(self) -> Path:
        """Everything from the top."""
        names = tuple(part.name for part in self.parts)
        return (*self.prefix, *names, self.index) if self.is_array else (*self.prefix, *names)


def statements(text: str) -> Iterator[Statement]:
    """The statements of `text` in order."""
    index, prefix = 0, ()  # type: tuple[int, Path]
    line, counted = 1, 0
    arrays: dict[Path, int] = {}
    while True:
        index = _after(_BLANK, text, index)
        if index >= len(text):
            return
        line, counted = line + text.count("\n", counted, index), index
        if text[index] == "[":
            array = text.startswith("[[", index)
            parts, end = _parts(text, index + (2 if array else 1))
            path: Path = tuple(part.name for part in parts)
            path = _with_indexes(path[:-1], arrays) + path[-1:]
            if array:
                arrays[path] = arrays.get(path, -1) + 1
            prefix = (*path, arrays[path]) if array else path
            yield Statement(line, (), parts, True, arrays.get(path, 0), array)
            index = end + (2 if array else 1)
        else:
            parts, end = _parts(text, index)
            if not parts:
                return
            yield Statement(line, prefix, parts, False)
            index = _value_end(text, end + 1)


def lines(text: str) -> Mapping[Path, int]:
    """The line of each path; the first one where a table has several headers."""
    found: dict[Path, int] = {}
    for each in statements(text):
        for end in range(1, len(each.path) + 1):
            found.setdefault(each.path[:end], each.line)
    return found


def line_of(places: Mapping[Path, int], path: Path) -> int:
    """The line of `path`, or of the nearest thing around it that has a place; 0 for none."""
    for end in range(len(path), 0, -1):
        if path[:end] in places:
            return places[path[:end]]
    return 0


def _with_indexes(path: Path, arrays: Mapping[Path, int]) -> Path:
    """A header names arrays of tables without their index: the latest one is meant."""
    out: Path = ()
    for name in path:
        out = (*out, name)
        if out in arrays:
            out = (*out, arrays[out])
    return out


def _parts(text: str, index: int) -> tuple[tuple[Part, ...], int]:
    """The names of a dotted key that begins at `index`, and the index behind it."""
    out: list[Part] = []
    while match := _PART.match(text, index):
        raw = match.group(1)
        name = next(iter(tomllib.loads(f"{raw} = 0"))) if raw[0] in "\"'" else raw
        out.append(Part(name, match.start(1), match.end(1)))
        index = match.end()
        if not text.startswith(".", index):
            break
        index += 1
    return tuple(out), index


def _value_end(text: str, index: int) -> int:
    """The index behind the value that begins at `index`: the end of its line, unless brackets are open."""
    depth = 0
    while index < len(text):
        match = _SKIPPED.match(text, index)
        if match is not None:
            index = match.end()
            continue
        char = text[index]
        depth += (char in _DEEPER) - (char in _SHALLOWER)
        if char == "\n" and depth <= 0:
            break
        index += 1
    return index


def _after(pattern: re.Pattern[str], text: str, index: int) -> int:
    match = pattern.match(text, index)
    return match.end() if match is not None else index
