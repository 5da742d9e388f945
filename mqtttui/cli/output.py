"""What the command line itself prints: help, version, warnings and complaints."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence

from mqtttui import __version__
from mqtttui.config.errors import ConfigError


def asked(words: Sequence[str], text: Callable[[], str]) -> bool:
    """Prints what `--help` (`text`) or `--version` asks for, and gives whether it was asked for."""
    before_end = words[: words.index("--")] if "--" in words else words
    for word, answer in (("--help", text), ("--version", lambda: f"mqtttui {__version__}")):
        if word in before_end:
            print(answer())
            return True
    return False


def complain(error: ConfigError) -> None:
    """What cannot be used and the remedy, on standard error."""
    print(f"mqtttui: {error.title}{f' ({error.detail})' if error.detail else ''}", file=sys.stderr)
    if error.hint:
        print(f"  {error.hint}", file=sys.stderr)


def warn(warnings: Iterable[str]) -> None:
    """What does not keep it from running, on standard error."""
    for warning in warnings:
        print(f"mqtttui: warning: {warning}", file=sys.stderr)
