"""`MQTTTUI_*` variables: one for every option."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Iterable, Mapping

from mqtttui.config.arguments import Given, Option
from mqtttui.config.errors import ConfigError
from mqtttui.text import shorten, visible

PREFIX = "MQTTTUI_"

_ON = frozenset({"1", "true", "yes", "on"})
_OFF = frozenset({"0", "false", "no", "off", ""})


def from_environment(environ: Mapping[str, str], options: Iterable[Option]) -> tuple[list[Given], list[str]]:
    """The options that `environ` gives, in table order, and a warning for each unknown `MQTTTUI_*` variable.

    A switch is 1 or 0 (also true, false, yes, no, on, off). An option that may be repeated takes one value a line. An empty
    value counts as unset, except for user name, password and client id, which may be empty. Raises ConfigError.
    """
    table = {option.environment: option for option in options}
    given: list[Given] = []
    for name, option in table.items():
        if name in environ:
            given += _given(option, name, environ[name])
    unknown = sorted(name for name in environ if name.startswith(PREFIX) and name not in table)
    return given, [_warning(name, table) for name in unknown]


def _given(option: Option, name: str, value: str) -> list[Given]:
    if not option.metavar:
        word = value.strip().lower()
        if word not in _ON | _OFF:
            shown = shorten(visible(value), 40)
            raise ConfigError(f"{name}: '{shown}' is neither yes nor no", hint="set it to 1 or 0")
        return [Given(option, (), name)] if word in _ON else []
    if option.repeat:
        return [Given(option, _words(option, name, line), name) for line in value.splitlines() if line.strip()]
    if not value and option.key not in ("id", "username", "pw"):
        return []
    return [Given(option, (value,), name)]


def _words(option: Option, name: str, line: str) -> tuple[str, ...]:
    if len(option.metavar.split()) == 1:
        return (line,)
    try:
        words = tuple(shlex.split(line))
    except ValueError:
        raise ConfigError(f"{name}: a quote is not closed", hint=f"write {option.metavar}, one a line") from None
    wanted = 4 if words[1:2] == ("user-property",) else 3
    if len(words) != wanted:
        raise ConfigError(f"{name}: {wanted} words are wanted, not {len(words)}", hint=f"write {option.metavar}, one a line")
    return words


def _warning(name: str, table: Mapping[str, Option]) -> str:
    near = difflib.get_close_matches(name.removeprefix(PREFIX), [known.removeprefix(PREFIX) for known in table], n=1)
    known = f"did you mean {PREFIX}{near[0]}?" if near else "mqtttui --help lists the options"
    return f"{visible(name)} is no variable of mqtttui; {known}"
