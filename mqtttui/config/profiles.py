"""The profiles file: named connections in TOML that a person may write, read with the place of everything that is wrong.

1. A profile that is wrong in one place is not used at all (a mistyped `guard` must not let anything through), and hides no other.
2. `extends` takes over everything that the profile does not say itself, also group, label and guard.
3. What a profile says is read at its own place: a variable that is not set counts only where no other profile says something else.
4. Nothing secret is fetched here.
"""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mqtttui.config.errors import ConfigError
from mqtttui.config.guard import Guard
from mqtttui.config.options import default_port
from mqtttui.config.profile_fields import LEAVES, OPTIONAL_TABLES, TABLES, Contents, contents_of, split_query
from mqtttui.config.profile_secrets import AUTHENTICATION_DATA, header_place, secrets_of
from mqtttui.config.profile_values import BadValue, expand, nearest
from mqtttui.config.secrets import FromKeyring
from mqtttui.config.toml_lines import line_of, lines, statements
from mqtttui.config.urls import split_url
from mqtttui.text import shorten, visible

MAX_NAME = 60
_LINE = re.compile(r"\(at line (\d+), column \d+\)")
_MOST_MISTAKES = 50
"""Mistakes of the syntax that are looked behind."""
_LARGEST = 4_000_000
"""Bytes of a file that is read."""
_ROOT = ("default", "profiles")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong in the file; visible text without secrets."""

    line: int
    """0: the file as a whole."""
    profile: str
    """Empty: none in particular."""
    text: str


@dataclass(frozen=True, slots=True)
class Profile:
    """A named connection."""

    name: str
    contents: Contents
    values: Mapping[str, Any] = field(repr=False)
    """By key, with those that it extends."""
    own: frozenset[str]
    """The keys that its own table says."""
    line: int
    extends: str = ""

    @property
    def group(self) -> str:
        """Under which it is listed."""
        return str(self.values.get("group", ""))

    @property
    def label(self) -> str:
        """What stays in the status bar; empty: its name, if it is guarded."""
        return str(self.values.get("label", ""))

    @property
    def guard(self) -> Guard:
        """What it lets through."""
        guard: Guard = self.values.get("guard", Guard.NONE)
        return guard

    @property
    def entries(self) -> frozenset[str]:
        """The entries of the keyring that it names."""
        return frozenset(source.entry for source in self.contents.pending.values() if isinstance(source, FromKeyring))


@dataclass(frozen=True, slots=True)
class Profiles:
    """What the file holds."""

    path: Path
    text: str = field(default="", repr=False)
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    """The usable ones, in the order of the file."""
    broken: tuple[str, ...] = ()
    """Names of the others."""
    default: str = ""
    problems: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()

    def said(self, problem: Problem) -> str:
        """`~/.config/…/profiles.toml:12: …`."""
        shown = visible(os.fsencode(self.path))
        where = f"{shown}:{problem.line}" if problem.line else shown
        return f"{where}: [{visible(problem.profile)}] {problem.text}" if problem.profile else f"{where}: {problem.text}"

    def ancestors(self, name: str) -> tuple[str, ...]:
        """What a usable profile extends, the nearest first."""
        out: list[str] = []
        while name := self.profiles[name].extends:
            out.append(name)
        return tuple(out)

    def find(self, name: str) -> Profile:
        """The profile of that name. Raises ConfigError that says what is wrong with it, or which one is meant."""
        if name in self.profiles:
            return self.profiles[name]
        shown = shorten(visible(name), 40)
        if name in self.broken:
            problem = next((each for each in self.problems if each.profile == name), None)
            detail = self.said(problem) if problem is not None else ""
            raise ConfigError(f"the profile {shown} cannot be used", detail, "mend it; mqtttui profiles says all that is wrong")
        near = nearest(name, [*self.profiles, *self.broken])
        raise ConfigError(f"there is no profile '{shown}'{near}", hint="mqtttui profiles lists them")


def load(path: Path, environ: Mapping[str, str]) -> Profiles:
    """Read the file; one that is not there is empty. Raises ConfigError only where it cannot be read at all."""
    shown = visible(os.fsencode(path))
    try:
        with path.open("rb") as file:
            raw, mode = file.read(_LARGEST + 1), os.fstat(file.fileno()).st_mode
    except FileNotFoundError:
        return Profiles(path)
    except OSError as error:
        raise ConfigError(f"{shown} cannot be read", error.strerror or "", "mend that, or move it away") from None
    if len(raw) > _LARGEST:
        raise ConfigError(f"{shown} is larger than {_LARGEST:,} bytes", hint="this is no file of profiles")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        return Profiles(path, "", problems=(Problem(line, "", "this is not UTF-8"),))
    found = read(text, path, environ)
    open_to = [who for bit, who in ((stat.S_IRGRP, "its group"), (stat.S_IROTH, "everybody")) if mode & bit]
    if open_to and any(secrets_of(profile.contents.options) for profile in found.profiles.values()):
        warning = f"{shown} holds a secret, and {' and '.join(open_to)} can read it: chmod 600 it, or take the secret out"
        return Profiles(path, found.text, found.profiles, found.broken, found.default, found.problems, (warning,))
    return found


def read(text: str, path: Path, environ: Mapping[str, str]) -> Profiles:
    """The profiles of a text."""
    data, good, problems = _parsed(text)
    places = lines(good)
    broken: dict[str, None] = {problem.profile: None for problem in problems if problem.profile}
    for key in data:
        if key not in _ROOT:
            problems.append(Problem(line_of(places, (key,)), "", f"'{visible(key)}' is no key of this file{nearest(key, _ROOT)}"))
    tables = data.get("profiles", {})
    if not isinstance(tables, dict):
        problems.append(Problem(line_of(places, ("profiles",)), "", "profiles are tables: [profiles.NAME]"))
        tables = {}
    levels: dict[str, _Level] = {}
    for name, table in tables.items():
        level = _Level(name)
        wrong = level.read(table, environ)
        problems += [Problem(line_of(places, ("profiles", name, *each.below)), name, each.words) for each in wrong]
        levels[name] = level
        if wrong:
            broken[name] = None
    found: dict[str, Profile] = {}
    for name, level in levels.items():
        try:
            values, _ = _merged(name, levels, broken)
            if name not in broken:
                contents = contents_of({key: value for key, value in values.items() if key in LEAVES})
                line = line_of(places, ("profiles", name))
                found[name] = Profile(name, contents, values, frozenset(level.values), line, level.extends)
        except BadValue as error:
            problems.append(Problem(line_of(places, ("profiles", name, *error.below)), name, error.words))
            broken[name] = None
    default = data.get("default", "")
    if not isinstance(default, str):
        problems.append(Problem(line_of(places, ("default",)), "", "default names one profile"))
        default = ""
    if default and default not in tables:
        near = nearest(default, list(tables))
        problems.append(Problem(line_of(places, ("default",)), "", f"there is no profile '{shorten(visible(default), 40)}'{near}"))
    problems.sort(key=lambda problem: problem.line)
    return Profiles(path, text, found, tuple(broken), default if default in tables else "", tuple(problems))


_UNNAMED = FromKeyring("")


def entry_name(profile: str, place: str) -> str:
    """What the keyring's entry of a profile is called, unless the profile says something else."""
    return f"{profile}/{place}"


class _Unset:
    """A value whose variable is not set."""

    def __init__(self, words: str, key: str) -> None:
        self.words = words
        self.key = key


class _Level:
    """What the table of one profile says, before anything is taken over."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.extends = ""
        self.values: dict[str, Any] = {}

    def read(self, table: Any, environ: Mapping[str, str]) -> list[BadValue]:
        """Fill it; gives what is wrong."""
        if not isinstance(table, dict):
            return [BadValue("a profile is a table: [profiles.NAME]")]
        wrong: list[BadValue] = []
        if not self.name.strip() or len(self.name) > MAX_NAME:
            wrong.append(BadValue(f"the name of a profile has 1 to {MAX_NAME} characters"))
        for key, value in table.items():
            if key == "extends":
                if isinstance(value, str):
                    self.extends = value
                else:
                    wrong.append(BadValue("extends names one profile", key))
            elif key == "url":
                continue
            elif "." in key:
                wrong.append(BadValue(f"there is no key '{shorten(visible(key), 40)}'; names with a dot stand without quotes", key))
            elif key in OPTIONAL_TABLES and value is False:
                self.values |= {each: None for each in LEAVES if each.startswith(f"{key}.")}
            elif key in TABLES and isinstance(value, dict):
                for below, given in value.items():
                    self._take(f"{key}.{below}", given, environ, wrong)
            elif key in TABLES:
                wrong.append(BadValue(f"{key} is a table: [profiles.{visible(self.name)}.{key}]", key))
            else:
                self._take(key, value, environ, wrong)
        if "url" in table:
            self._take_url(table["url"], environ, wrong)
        if isinstance(target := self.values.get("websocket.path"), str) and "websocket.query" not in self.values:
            way, query = split_query(target)
            self.values |= {"websocket.path": way, "websocket.query": query}
        return wrong

    def _take(self, key: str, value: Any, environ: Mapping[str, str], wrong: list[BadValue]) -> None:
        below = key.split(".")
        if key not in LEAVES:
            *tables, last = below
            known = [each.rpartition(".")[2] for each in LEAVES if each.startswith(f"{tables[0]}.")] if tables else _KNOWN
            of = f"{tables[0]} has no key" if tables else "there is no key"
            wrong.append(BadValue(f"{of} '{shorten(visible(last), 40)}'{nearest(last, known)}", *below))
            return
        try:
            given = expand(value, environ)
        except BadValue as error:
            self.values[key] = _Unset(error.words, key)
            return
        try:
            self.values[key] = self._named(key, LEAVES[key].read(given))
        except BadValue as error:
            wrong.append(BadValue(f"{below[-1]}: {error.words}", *below, *error.below))

    def _named(self, key: str, value: Any) -> Any:
        """An entry of the keyring without a name is called after this profile."""
        if value == _UNNAMED:
            return FromKeyring(entry_name(self.name, key))
        if key == "websocket.headers":
            return tuple((name, self._named(header_place(name), given)) for name, given in value)
        if key == "properties":
            return tuple((identifier, self._named(AUTHENTICATION_DATA, given)) for identifier, given in value)
        return value

    def _take_url(self, value: Any, environ: Mapping[str, str], wrong: list[BadValue]) -> None:
        """What a URL says, where the other keys say nothing."""
        try:
            given = expand(value, environ)
            if not isinstance(given, str):
                raise BadValue("write the URL in quotes")
            url = split_url(given)
        except BadValue as error:
            wrong.append(BadValue(f"url: {error.words}", "url"))
            return
        except ConfigError as error:
            wrong.append(BadValue(f"url: {error.title}{f'; {error.hint}' if error.hint else ''}", "url"))
            return
        options = url.options()
        said: dict[str, Any] = {"transport": options.transport, "host": options.host, "unix-path": options.unix_path}
        said["port"] = options.port or default_port(tls=options.tls is not None, websocket=options.websocket is not None)
        if options.websocket is not None:
            said["websocket.path"] = options.websocket.path
        if url.username is not None:
            said["username"] = url.username
        if url.password is not None:
            said["password"] = url.password
        if url.topic is not None:
            wrong.append(BadValue('url: topics are given with subscriptions = ["…"]', "url"))
        self.values = said | self.values


_KNOWN = [*(key for key in LEAVES if "." not in key), *sorted(TABLES), "extends", "url"]


def _merged(name: str, levels: Mapping[str, _Level], broken: Mapping[str, None]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The values of a profile and of those that it extends. Raises BadValue."""
    chain: list[str] = [name]
    while extends := levels[chain[-1]].extends:
        if extends not in levels:
            raise BadValue(f"extends: there is no profile '{shorten(visible(extends), 40)}'{nearest(extends, list(levels))}", "extends")
        if extends in chain:
            raise BadValue(f"extends goes in a circle: {' -> '.join(visible(each) for each in [*chain, extends])}", "extends")
        if extends in broken:
            raise BadValue(f"extends {visible(extends)}, which cannot be used", "extends")
        chain.append(extends)
    values: dict[str, Any] = {}
    for each in reversed(chain):
        values |= levels[each].values
    for value in values.values():
        if isinstance(value, _Unset):
            raise BadValue(value.words, *value.key.split("."))
    return values, tuple(chain)


def _parsed(text: str) -> tuple[dict[str, Any], str, list[Problem]]:
    """What TOML makes of the text, the text that it could read, and what it could not: a profile with a mistake is left out."""
    problems: list[Problem] = []
    for _ in range(_MOST_MISTAKES):
        try:
            return tomllib.loads(text), text, problems
        except tomllib.TOMLDecodeError as error:
            match = _LINE.search(str(error))
            line = int(match.group(1)) if match else text.count("\n") + 1
            words = visible(_LINE.sub("", str(error)).strip()) or "this is not TOML"
            text, name = _without_section(text, line)
            problems.append(Problem(line, name, f"not TOML: {words[0].lower()}{words[1:]}"))
    return {}, "", problems


_HEADER = re.compile(r"^\s*\[", re.MULTILINE)


def _without_section(text: str, line: int) -> tuple[str, str]:
    """`text` with blank lines in place of the section that has a mistake in `line`, and the name of its profile."""
    rows = text.split("\n")
    at = min(line, len(rows)) - 1
    start = next((index for index in range(at, -1, -1) if _HEADER.match(rows[index])), 0)
    end = next((index for index in range(at + 1, len(rows)) if _HEADER.match(rows[index])), len(rows))
    name = ""
    try:
        header = next(statements(rows[start]), None)
        if header is not None and header.path[:1] == ("profiles",) and len(header.path) > 1:
            name = str(header.path[1])
    except tomllib.TOMLDecodeError:
        pass
    rows[start:end] = [""] * (end - start)
    return "\n".join(rows), name
