"""What the words of the command line mean beside each other and beside the environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mqtttui.cli.options import PLACE
from mqtttui.config import paths
from mqtttui.config.arguments import OPTIONS, WEBSOCKET_ONLY, Given
from mqtttui.config.errors import ConfigError
from mqtttui.text import shorten, visible

_URL = next(option for option in OPTIONS if option.key == "url")
_PASSWORD = frozenset({"pw", "password-file", "ask-password"})
_PASSPHRASE = frozenset({"key-passphrase-file", "ask-key-passphrase"})


def with_url(given: list[Given], loose: Sequence[str]) -> list[Given]:
    """`given` with the word that is no option as the URL."""
    if len(loose) > 1:
        shown = shorten(visible(loose[1]), 40)
        raise ConfigError(f"'{shown}' is one URL too many", hint="put a value with spaces into quotes; topics are given with -t")
    return [*given, *(Given(_URL, (word,), "URL") for word in loose)]


def refuse_profile(loose: Sequence[str], environ: Mapping[str, str], command: str) -> None:
    """Raises ConfigError where the word that is no option names a profile: `command` takes none, and no host is meant."""
    if len(loose) != 1 or any(sign in loose[0] for sign in "/:@[") or not paths.profiles_file().exists():
        return
    from mqtttui.config.profiles import load

    try:
        found = load(paths.profiles_file(), environ)
    except ConfigError:
        return  # A file that cannot be read must not keep a monitor from its host.
    if loose[0] in {*found.profiles, *found.broken}:
        shown = shorten(visible(loose[0]), 40)
        raise ConfigError(
            f"'{shown}' is a profile, and {command} takes a URL", hint=f"write the URL of its broker; a host of that name is mqtt://{shown}"
        )


def refuse_contradictions(given: Sequence[Given]) -> None:
    """Raises ConfigError where the command line itself says the same thing twice."""
    for keys, hint in (
        (PLACE, "name the broker once: a URL, -L, -h or --unix"),
        (_PASSWORD, "give the password once"),
        (_PASSPHRASE, "give the passphrase once"),
        (frozenset({"id", "id-prefix"}), "give one of the two"),
        (frozenset({"message", "file", "null-message"}), "give one payload"),
    ):
        labels = [each.label for each in given if each.option.key in keys]
        if len(labels) > 1:
            raise ConfigError(f"{labels[1]}: {labels[0]} says that already", hint=hint)


def replaced(inherited: Given, here: set[str]) -> bool:
    """Whether the command line has its own word on what the environment says."""
    key = inherited.option.key
    if key == "url":
        # Its credentials are for that broker alone.
        return bool(PLACE & here)
    if key in ("host", "port", "tls", "unix", "ws", *WEBSOCKET_ONLY):
        return key in here or "url" in here or (key == "unix" and "host" in here) or (key in ("host", "port") and "unix" in here)
    together = (_PASSWORD, _PASSPHRASE, frozenset({"id", "id-prefix"}), frozenset({"proxy", "proxy-password-file"}))
    if key == "proxy" and "proxy" not in here:
        return False  # Its password alone may be given anew.
    return key in here or any(key in keys and keys & here for keys in together)
