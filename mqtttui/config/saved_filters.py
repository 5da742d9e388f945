"""The user's display filters: the latest ones that were applied, and those that have a name; one TOML file.

Rules:
1. The file is read when it is needed and written as a whole: beside it first, then in its place. What several running
   applications write does not get lost: each change is made to what the file holds then.
2. A file that cannot be understood is never written over; the problem is said once.
3. Keys of a saved filter that are not known here stay as they are.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from mqtttui.config.whole_file import write_whole
from mqtttui.text import printable, visible

MAX_HISTORY = 200
MAX_SAVED = 500
MAX_NAME = 60
"""Characters of a name."""
MAX_TEXT = 8_192
"""Characters of a filter; a longer one is not kept."""

_HEAD = "# Display filters of mqtttui: the latest ones, and those with a name. Written by the application.\n"
_BARE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")


class StoreError(Exception):
    """Why the file cannot be read or written; visible text."""


@dataclass(frozen=True, slots=True)
class SavedFilter:
    """A filter with a name."""

    name: str
    text: str
    """As it was typed: a quick search stays one."""
    extra: tuple[tuple[str, str | int | bool], ...] = ()
    """Further keys of its table."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What the file holds."""

    history: tuple[str, ...] = ()
    """Latest first, none twice."""
    saved: tuple[SavedFilter, ...] = ()
    """By name."""

    def remembered(self, text: str) -> Kept:
        """With `text` as the latest."""
        if not text.strip() or len(text) > MAX_TEXT:
            return self
        return replace(self, history=(text, *(each for each in self.history if each != text))[:MAX_HISTORY])

    def with_saved(self, name: str, text: str) -> Kept:
        """With a filter saved under `name`, in the place of the one that had it."""
        name = name.strip()[:MAX_NAME]
        extra = next((each.extra for each in self.saved if each.name == name), ())
        return self._with((*(each for each in self.saved if each.name != name), SavedFilter(name, text, extra)))

    def restored(self, saved: SavedFilter) -> Kept:
        """With `saved` back as it was."""
        return self._with((*(each for each in self.saved if each.name != saved.name), saved))

    def without(self, name: str) -> Kept:
        """Without the filter of that name."""
        return self._with(tuple(each for each in self.saved if each.name != name))

    def with_earlier(self, text: str, at: int) -> Kept:
        """With `text` at that place of the history."""
        others = [each for each in self.history if each != text]
        return replace(self, history=(*others[:at], text, *others[at:])[:MAX_HISTORY])

    def without_earlier(self, text: str) -> Kept:
        """Without `text` in the history."""
        return replace(self, history=tuple(each for each in self.history if each != text))

    def _with(self, saved: tuple[SavedFilter, ...]) -> Kept:
        return replace(self, saved=tuple(sorted(saved, key=lambda each: each.name.lower()))[:MAX_SAVED])


@dataclass(slots=True)
class FilterStore:
    """The file, and what it held when it was last read or written."""

    path: Path
    kept: Kept = field(default_factory=Kept)

    def load(self) -> Kept:
        """Read the file; one that is not there is empty. Raises StoreError."""
        try:
            data = tomllib.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            data = {}
        except OSError as error:
            raise StoreError(f"{error.strerror}: {_shown(self.path)} cannot be read") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise StoreError(f"{_shown(self.path)} is not TOML: {visible(str(error))}; mend it or move it away") from None
        self.kept = _kept(data, self.path)
        return self.kept

    def change(self, change: Callable[[Kept], Kept]) -> Kept:
        """Make a change to what the file holds now, and write it. Raises StoreError: then the file is as it was."""
        before = self.load()
        self.kept = change(before)
        if self.kept != before:
            self._write(self.kept)
        return self.kept

    def _write(self, kept: Kept) -> None:
        try:
            write_whole(self.path, _toml(kept))
        except OSError as error:
            raise StoreError(f"{error.strerror}: {_shown(self.path)} cannot be written") from None


def _kept(data: dict[str, object], path: Path) -> Kept:
    history, tables = data.get("history", []), data.get("saved", [])
    if not isinstance(history, list) or not all(isinstance(each, str) for each in history):
        raise StoreError(f"{_shown(path)}: history must be a list of texts; mend it or move it away")
    if not isinstance(tables, list):
        raise StoreError(f"{_shown(path)}: saved must be written as [[saved]]; mend it or move it away")
    saved: dict[str, SavedFilter] = {}
    for table in tables:
        name, text = (table.get("name"), table.get("filter")) if isinstance(table, dict) else (None, None)
        if not isinstance(name, str) or not isinstance(text, str) or not name.strip():
            raise StoreError(f"{_shown(path)}: every [[saved]] needs a name and a filter; mend it or move it away")
        extra = tuple((key, value) for key, value in table.items() if key not in ("name", "filter") and isinstance(value, str | int))
        shown = printable(name.strip())[:MAX_NAME]
        saved[shown] = SavedFilter(shown, printable(text)[:MAX_TEXT], extra)
    lines = dict.fromkeys(printable(each) for each in history if each.strip() and len(each) <= MAX_TEXT)
    return Kept(tuple(lines)[:MAX_HISTORY])._with(tuple(saved.values()))


def _toml(kept: Kept) -> str:
    parts = [_HEAD, "history = [\n", *(f"  {_string(text)},\n" for text in kept.history), "]\n"]
    for saved in kept.saved:
        parts.append(f"\n[[saved]]\nname = {_string(saved.name)}\nfilter = {_string(saved.text)}\n")
        parts += [f"{_key(key)} = {_string(value) if isinstance(value, str) else json.dumps(value)}\n" for key, value in saved.extra]
    return "".join(parts)


def _string(text: str) -> str:
    # JSON's strings are TOML's basic strings, but for DEL and what is no Unicode scalar.
    clean = text.encode("utf-8", "replace").decode("utf-8")
    return json.dumps(clean, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(key: str) -> str:
    return key if key and _BARE.issuperset(key) else _string(key)


def _shown(path: Path) -> str:
    return visible(os.fsencode(path))
