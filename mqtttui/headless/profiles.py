"""List the profiles, check their file, and write them for others.

Exit status: 0 all can be used, 1 something in the file is wrong (said with its line), 2 the file cannot be read, or no such profile.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from mqtttui.config.errors import ConfigError
from mqtttui.config.guard import Guard
from mqtttui.config.paths import profiles_file
from mqtttui.config.profile_export import exported
from mqtttui.config.profiles import Profile, Profiles, load
from mqtttui.text import shorten, visible

USAGE = """\
usage: mqtttui profiles                       list them, and check the file
       mqtttui profiles --path                print where the file lies
       mqtttui profiles --export [NAME …]     print them without secrets, to give to others

Connect with one of them:  mqtttui NAME   or   mqtttui --profile NAME
P in the application saves, changes, imports and exports them.

Exit status: 0 all can be used, 1 something in the file is wrong, 2 it cannot be read, or there is no such profile."""

_NAME = 30


def run(words: Sequence[str]) -> int:
    """Do what the words after `profiles` ask for; returns the exit status. Raises ConfigError."""
    path = profiles_file()
    if list(words) == ["--path"]:
        print(os.fsdecode(path))
        return 0
    found = load(path, os.environ)
    if words and words[0] == "--export":
        chosen = [found.find(name) for name in words[1:]] or list(found.profiles.values())
        sys.stdout.write(exported(chosen))
        return 0
    if words:
        raise ConfigError(f"'{shorten(visible(words[0]), 40)}' has no place here", hint="mqtttui profiles --help lists what there is")
    for line in _lines(found):
        print(line)
    for warning in found.warnings:
        print(f"mqtttui: warning: {warning}", file=sys.stderr)
    for problem in found.problems:
        print(found.said(problem), file=sys.stderr)
    return 1 if found.problems else 0


def _lines(found: Profiles) -> list[str]:
    if not found.profiles and not found.broken:
        return [f"no profiles yet; they lie in {visible(os.fsencode(found.path))}, and P in the application saves one"]
    width = min(_NAME, max(len(visible(name)) for name in (*found.profiles, *found.broken)))
    out: list[str] = []
    for group in dict.fromkeys(["", *(each.group for each in found.profiles.values())]):
        members = [each for each in found.profiles.values() if each.group == group]
        if members and group:
            out.append(f"{visible(group)}:")
        out += [_line(each, found.default == each.name, width) for each in members]
    return [*out, *(f"  {visible(name):<{width}}  cannot be used" for name in found.broken)]


def _line(profile: Profile, default: bool, width: int) -> str:
    more = [visible(profile.label), profile.guard.value if profile.guard is not Guard.NONE else "", "default" if default else ""]
    words = ", ".join(each for each in more if each)
    return f"  {visible(profile.name):<{width}}  {visible(profile.contents.options.url)}{f'  ({words})' if words else ''}"
