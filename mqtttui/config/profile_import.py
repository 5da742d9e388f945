"""Connections from elsewhere: a URL, a mosquitto command, MQTTX's export file, a file of profiles."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any

from mqtttui.config.draft import read_file
from mqtttui.config.errors import ConfigError
from mqtttui.config.mosquitto import parse_pasted
from mqtttui.config.mqttx import Imported, looks_like_mqttx, read_mqttx
from mqtttui.config.profile_fields import Contents
from mqtttui.config.profiles import MAX_NAME, read
from mqtttui.text import printable, visible

__all__ = ["Imported", "free_name", "imported"]

_LARGEST = 64_000_000


def imported(given: str) -> list[Imported]:
    """What a text that a person gave stands for: the name of a file, a URL, or a command. Raises ConfigError."""
    path = Path(os.path.expanduser(given.strip()))
    if "\0" not in given and "\n" not in given and len(given) < 4_096 and path.is_file():
        return _from_file(path)
    parsed = parse_pasted(given)
    contents = Contents(parsed.options, parsed.subscriptions, parsed.subscribe_properties, parsed.publish)
    return [Imported(parsed.options.place, contents, remarks=tuple(parsed.ignored))]


def free_name(wanted: str, taken: Collection[str]) -> str:
    """`wanted` as the name of a profile, with a number if it is taken."""
    name = printable(wanted).strip()[:MAX_NAME] or "imported"
    names = (name if number == 1 else f"{name[: MAX_NAME - 5]} {number}" for number in range(1, len(taken) + 2))
    return next(each for each in names if each not in taken)


def _from_file(path: Path) -> list[Imported]:
    shown = visible(os.fsencode(path))
    raw = read_file(str(path), _LARGEST)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"{shown} is not UTF-8", hint="give MQTTX's export (JSON), or a file of profiles (TOML)") from None
    if text.lstrip()[:1] in ("[", "{"):
        try:
            data: Any = json.loads(text)
        except (ValueError, RecursionError):
            data = None
        if looks_like_mqttx(data):
            return read_mqttx(data)
        if data is not None:
            raise ConfigError(f"{shown} is JSON, but no export of MQTTX", hint="export connections in MQTTX as JSON")
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{shown} is neither JSON nor TOML", visible(str(error)), "give MQTTX's export, or a file of profiles") from None
    found = read(text, path, os.environ)
    if not found.profiles:
        said = found.said(found.problems[0]) if found.problems else f"{shown} has none"
        raise ConfigError("there is no profile to import", said)
    remarks = tuple(found.said(problem) for problem in found.problems)
    return [
        Imported(each.name, each.contents, each.group, () if index else remarks, each.label, each.guard)
        for index, each in enumerate(found.profiles.values())
    ]
