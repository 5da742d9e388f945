"""What the options ask of a connection; asks for passwords on the terminal, and looks whether files are there."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mqtttui.config.arguments import Given
from mqtttui.config.environment import PREFIX
from mqtttui.config.errors import ConfigError
from mqtttui.text import shorten, visible

if TYPE_CHECKING:
    from mqtttui.config.draft import Draft, Parsed
    from mqtttui.config.options import TlsOptions
    from mqtttui.config.profile_fields import Contents

_ASK = frozenset({"ask-password", "ask-key-passphrase"})
_FILES = ("cafile", "cert", "key")


def read_options(given: Sequence[Given], profile: Contents | None = None) -> Parsed:
    """The connection, the subscriptions and the message that options ask for, beyond those of a profile. Raises ConfigError."""
    from mqtttui.config.draft import Draft, version_of

    draft = Draft()
    keys = [each.option.key for each in given]
    if profile is not None:
        from mqtttui.config.beyond_profile import draft_of

        draft = draft_of(profile, keys, version_of(given))
    draft.apply(each for each in given if each.option.key not in _ASK)
    _ask(draft, {each.option.key for each in given})
    if profile is not None:
        from mqtttui.config.beyond_profile import beyond

        parsed = beyond(profile, draft, keys)
    else:
        parsed = draft.result()
    for text in parsed.ignored:
        # A variable may be meant for another connection; an option of this command line is a mistake.
        if not text.startswith(PREFIX):
            raise ConfigError(f"this has no effect: {text}", hint="leave it out, or give what it needs")
    _check_files(parsed.options.tls, dict.fromkeys(_FILES, "the profile") | dict(draft.labels))
    return parsed


def _ask(draft: Draft, keys: set[str]) -> None:
    if "ask-password" in keys:
        draft.password = _prompt("Password: ", "--ask-password").encode("utf-8", "surrogateescape")
    if "ask-key-passphrase" in keys:
        draft.tls.options = replace(draft.tls.options, key_passphrase=_prompt("Passphrase of the key: ", "--ask-key-passphrase"))


def _prompt(text: str, label: str) -> str:
    remedy = f"use {label.replace('ask-', '')}-file where nobody can type"
    if not sys.stdin.isatty():
        raise ConfigError(f"{label}: there is no terminal to ask on", hint=remedy)
    try:
        return getpass.getpass(text)
    except EOFError:
        raise ConfigError(f"{label}: nothing was entered", hint=remedy) from None


def _check_files(tls: TlsOptions | None, labels: Mapping[str, str]) -> None:
    if tls is None:
        return
    for key, name in zip(_FILES, (tls.ca_file, tls.certificate, tls.key), strict=True):
        if not name:
            continue
        shown = shorten(visible(os.fsencode(name)), 60)
        if not Path(name).is_file():
            raise ConfigError(f"{labels[key]}: there is no file '{shown}'", hint="name a PEM file")
        if not os.access(name, os.R_OK):
            raise ConfigError(f"{labels[key]}: '{shown}' may not be read", hint="name a file that you may read")
