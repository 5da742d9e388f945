"""The command line: arguments and environment become settings, then the application or a command runs.

Exit status: 0 all is well, 2 something that was given cannot be used (said on standard error, with the remedy), 130
interrupted; `decode` has 1 of its own. What only one way of starting needs (Textual, `decode`, the options of a connection)
is imported on that way, so that each of them starts soon.
"""

from __future__ import annotations

import getpass
import os
import sys
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mqtttui import __version__
from mqtttui.config.arguments import OPTIONS, OTHER, SCREEN, Given, Option, Scanner
from mqtttui.config.environment import PREFIX, from_environment
from mqtttui.config.errors import ConfigError
from mqtttui.config.settings import Settings
from mqtttui.text import shorten, visible

if TYPE_CHECKING:
    from mqtttui.config.draft import Draft
    from mqtttui.config.options import TlsOptions

_USAGE = """\
usage: mqtttui [URL] [options]
       mqtttui --demo
       mqtttui decode --help

See, byte by byte, what an MQTT broker and its clients say to each other.

URL is mqtt://[user[:password]@]host[:port][/topic], mqtts://… for TLS, or host[:port]. With a URL, a host or any other
option about the connection it connects at once, and subscribes only to the topics that are given."""

_ENVIRONMENT = """\
Every option has an environment variable, MQTTTUI_ and its long name: MQTTTUI_HOST, MQTTTUI_USERNAME, MQTTTUI_PASSWORD,
MQTTTUI_WILL_TOPIC … (switches: 1 or 0; several topics or properties: one a line). The command line wins."""

_SCREEN_OPTIONS = (
    Option(("--demo",), "", "start with a broker and devices of its own; needs no network", SCREEN),
    Option(("--ascii",), "", "draw with ASCII signs only", SCREEN),
    Option(("--no-mouse",), "", "leave the mouse to the terminal, so that its own selection works", SCREEN),
    Option(("--theme",), "NAME", "colours: mqtttui-dark, mqtttui-light, or a theme of yours", SCREEN),
)
_OTHER_OPTIONS = (
    Option(("--version",), "", "print the version", OTHER),
    Option(("--help",), "", "print this", OTHER),
)
_CONFIGURABLE = (*OPTIONS, *_SCREEN_OPTIONS)
_URL = next(option for option in OPTIONS if option.key == "url")

_ASK = frozenset({"ask-password", "ask-key-passphrase"})
_PASSWORD = frozenset({"pw", "password-file", "ask-password"})
_PASSPHRASE = frozenset({"key-passphrase-file", "ask-key-passphrase"})
_SCREEN = frozenset(option.key for option in _SCREEN_OPTIONS)
_PLACE = frozenset({"host", "url"})
_FILES = ("cafile", "cert", "key")


def main(argv: Sequence[str] | None = None) -> int:
    """Run `mqtttui`; returns the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        if words[:1] == ["decode"]:
            return _decode(words[1:])
        return _start(words)
    except ConfigError as error:
        _complain(error)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of our output has gone; what is still buffered must not complain a second time at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def settings_from(words: Sequence[str], environ: Mapping[str, str]) -> tuple[Settings, list[str]]:
    """What the words of the command line and the environment ask for, and warnings. Raises ConfigError.

    Asks for a password on the terminal if told to.
    """
    given, loose = Scanner([*_CONFIGURABLE, *_OTHER_OPTIONS], "mqtttui").scan(words)
    given = _with_url(given, [words[index] for index in loose])
    inherited, warnings = from_environment(environ, _CONFIGURABLE)
    _contradictions(given)
    here = {each.option.key for each in given}
    if "demo" in here or (not here - _SCREEN and any(each.option.key == "demo" for each in inherited)):
        return _demo(given, inherited), warnings
    given = [each for each in inherited if not _replaced(each, here)] + given
    settings = _screen(given)
    # A URL first: the options say more than it does, wherever they stand.
    about_connection = sorted((each for each in given if each.option.key not in _SCREEN), key=lambda each: each.option.key != "url")
    if not about_connection:
        return settings, warnings
    from mqtttui.config.draft import Draft

    draft = Draft()
    draft.apply(each for each in about_connection if each.option.key not in _ASK)
    _ask(draft, {each.option.key for each in about_connection})
    parsed = draft.result()
    for text in parsed.ignored:
        # A variable may be meant for another connection; an option of this command line is a mistake.
        if not text.startswith(PREFIX):
            raise ConfigError(f"this has no effect: {text}", hint="leave it out, or give what it needs")
    _check_files(parsed.options.tls, draft.labels)
    settings = replace(
        settings,
        options=parsed.options,
        connect_now=bool(here - _SCREEN) or bool(_PLACE & {each.option.key for each in inherited}),
        subscriptions=parsed.subscriptions,
        subscribe_properties=parsed.subscribe_properties,
        publish=parsed.publish,
    )
    return settings, warnings


def help_text() -> str:
    """What `--help` prints."""
    parts = [_USAGE]
    options = (*_CONFIGURABLE, *_OTHER_OPTIONS)
    for group in dict.fromkeys(option.group for option in options):
        lines = [f"{group}:"]
        for option in options:
            if option.group == group:
                lines += _help_lines(option)
        parts.append("\n".join(lines))
    parts.append(_ENVIRONMENT)
    return "\n\n".join(parts)


def _start(words: Sequence[str]) -> int:
    before_end = words[: words.index("--")] if "--" in words else words
    for word, text in (("--help", help_text), ("--version", lambda: f"mqtttui {__version__}")):
        if word in before_end:
            print(text())
            return 0
    settings, warnings = settings_from(words, os.environ)
    for warning in warnings:
        print(f"mqtttui: warning: {warning}", file=sys.stderr)
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise ConfigError("the screen needs a terminal", hint="start it in one; to read packets from a pipe use: mqtttui decode -")
    return _run(settings)


def _run(settings: Settings) -> int:
    from mqtttui.app import MqttTui

    app = MqttTui(settings)
    if settings.theme and settings.theme not in app.available_themes:
        known = ", ".join(sorted(app.available_themes))
        raise ConfigError(f"--theme: there is no usable theme '{shorten(visible(settings.theme), 40)}'", hint=f"use one of {known}")
    app.run(mouse=settings.mouse)
    return app.return_code or 0


def _decode(words: Sequence[str]) -> int:
    import argparse

    from mqtttui.headless import decode

    parser = argparse.ArgumentParser(prog="mqtttui decode", description=(decode.__doc__ or "").partition("\n")[0], allow_abbrev=False)
    decode.add_arguments(parser)
    return decode.run(parser.parse_args(list(words)))


def _with_url(given: list[Given], loose: Sequence[str]) -> list[Given]:
    """`given` with the word that is no option as the URL."""
    if len(loose) > 1:
        shown = shorten(visible(loose[1]), 40)
        raise ConfigError(f"'{shown}' is one URL too many", hint="put a value with spaces into quotes; topics are given with -t")
    return [*given, *(Given(_URL, (word,), "URL") for word in loose)]


def _contradictions(given: Sequence[Given]) -> None:
    """Raises ConfigError where the command line itself says the same thing twice."""
    for keys, hint in (
        (_PLACE, "name the broker once: a URL, -L or -h"),
        (_PASSWORD, "give the password once"),
        (_PASSPHRASE, "give the passphrase once"),
        (frozenset({"id", "id-prefix"}), "give one of the two"),
        (frozenset({"message", "file", "null-message"}), "give one payload"),
    ):
        labels = [each.label for each in given if each.option.key in keys]
        if len(labels) > 1:
            raise ConfigError(f"{labels[1]}: {labels[0]} says that already", hint=hint)


def _demo(given: Sequence[Given], inherited: Sequence[Given]) -> Settings:
    for each in given:
        if each.option.key not in _SCREEN:
            raise ConfigError(f"{each.label}: --demo connects to a broker of its own", hint=f"leave out {each.label} or --demo")
    return replace(_screen([*inherited, *given]), demo=True)


def _replaced(inherited: Given, here: set[str]) -> bool:
    """Whether the command line has its own word on what the environment says."""
    key = inherited.option.key
    if key == "url":
        # Its credentials are for that broker alone.
        return bool(_PLACE & here)
    if key in ("host", "port", "tls"):
        return key in here or "url" in here
    return key in here or any(key in keys and keys & here for keys in (_PASSWORD, _PASSPHRASE, frozenset({"id", "id-prefix"})))


def _ask(draft: Draft, keys: set[str]) -> None:
    if "ask-password" in keys:
        draft.password = _prompt("Password: ", "--ask-password").encode("utf-8", "surrogateescape")
    if "ask-key-passphrase" in keys:
        draft.tls_options = replace(draft.tls_options, key_passphrase=_prompt("Passphrase of the key: ", "--ask-key-passphrase"))


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


def _screen(given: Sequence[Given]) -> Settings:
    values = {each.option.key: each.value for each in given}
    return Settings(ascii="ascii" in values, mouse="no-mouse" not in values, theme=values.get("theme", ""))


def _help_lines(option: Option) -> list[str]:
    names = ", ".join(option.names)
    head = f"  {names} {option.metavar}".rstrip()
    lines = textwrap.wrap(option.help, width=76, initial_indent=" " * 34, subsequent_indent=" " * 34, break_on_hyphens=False)
    if len(head) < 33:
        return [f"{head:34}{lines[0].strip()}", *lines[1:]]
    return [head, *lines]


def _complain(error: ConfigError) -> None:
    print(f"mqtttui: {error.title}{f' ({error.detail})' if error.detail else ''}", file=sys.stderr)
    if error.hint:
        print(f"  {error.hint}", file=sys.stderr)
