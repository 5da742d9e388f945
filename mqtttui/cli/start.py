"""`mqtttui [URL | PROFILE] [options]`: settings from the words and the environment, then the screen."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace

from mqtttui.cli.connection import read_options
from mqtttui.cli.options import ABOUT_SCREEN, CONFIGURABLE, ENVIRONMENT, OTHER_OPTIONS, PLACE
from mqtttui.cli.output import asked, warn
from mqtttui.cli.screen import run_screen, screen_settings
from mqtttui.cli.words import refuse_contradictions, replaced, with_url
from mqtttui.config import paths
from mqtttui.config.arguments import OPTIONS, Given, Scanner
from mqtttui.config.environment import from_environment
from mqtttui.config.errors import ConfigError
from mqtttui.config.help import help_text
from mqtttui.config.settings import Settings
from mqtttui.text import shorten, visible

_USAGE = """\
usage: mqtttui [URL | PROFILE] [options]
       mqtttui --demo
       mqtttui profiles --help
       mqtttui decode --help
       mqtttui record --help
       mqtttui check --help
       mqtttui open --help

See, byte by byte, what an MQTT broker and its clients say to each other.

URL is mqtt://[user[:password]@]host[:port][/topic], mqtts://… for TLS, ws://host[:port][/path[?query]] and wss://… for
WebSocket, mqtt+unix:///path for a Unix socket, or host[:port]. With a URL, a host or any other option about the
connection it connects at once, and subscribes only to the topics that are given. PROFILE is a name of the profiles
file; options go beyond it, and the environment does not count for its connection."""

_PROFILE = next(option for option in OPTIONS if option.key == "profile")


def run(words: Sequence[str]) -> int:
    """The exit status of `mqtttui` with `words`. Raises ConfigError."""
    if asked(words, lambda: help_text(_USAGE, (*CONFIGURABLE, *OTHER_OPTIONS), ENVIRONMENT)):
        return 0
    settings, warnings = settings_from(words, os.environ)
    warn(warnings)
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise ConfigError("the screen needs a terminal", hint="start it in one; to read packets from a pipe use: mqtttui decode -")
    if settings.record is not None:
        settings.record.check_free()
    return run_screen(settings)


def settings_from(words: Sequence[str], environ: Mapping[str, str]) -> tuple[Settings, list[str]]:
    """What the words of the command line and the environment ask for, and warnings. Raises ConfigError.

    Asks for a password on the terminal if told to.
    """
    given, loose = Scanner([*CONFIGURABLE, *OTHER_OPTIONS], "mqtttui").scan(words)
    given = _with_place(given, [words[index] for index in loose], environ)
    inherited, warnings = from_environment(environ, CONFIGURABLE)
    refuse_contradictions(given)
    here = {each.option.key for each in given}
    if "demo" in here or (not here - ABOUT_SCREEN and any(each.option.key == "demo" for each in inherited)):
        return _demo(given, inherited), warnings
    if "profile" in here or not here - ABOUT_SCREEN:
        settings, more = _of_profile(given, inherited, here, environ)
        if settings is not None:
            return settings, warnings + more
        warnings += more
    inherited = [each for each in inherited if each.option.key != "profile"]
    given = [each for each in inherited if not replaced(each, here)] + given
    settings = screen_settings(given, here)
    # A URL first: the options say more than it does, wherever they stand.
    about_connection = sorted((each for each in given if each.option.key not in ABOUT_SCREEN), key=lambda each: each.option.key != "url")
    if not about_connection:
        return settings, warnings
    parsed = read_options(about_connection)
    settings = replace(
        settings,
        options=parsed.options,
        connect_now=bool(here - ABOUT_SCREEN) or bool(PLACE & {each.option.key for each in inherited}),
        subscriptions=parsed.subscriptions,
        subscribe_properties=parsed.subscribe_properties,
        publish=parsed.publish,
    )
    return settings, warnings


def _of_profile(
    given: Sequence[Given], inherited: Sequence[Given], here: set[str], environ: Mapping[str, str]
) -> tuple[Settings | None, list[str]]:
    """The settings with the profile that is named, or with the default one where nothing is; and warnings. Raises ConfigError."""
    named = next((each.value for each in [*inherited, *given][::-1] if each.option.key == "profile"), "")
    others = {each.option.key for each in inherited} - ABOUT_SCREEN
    if not named and (others or not paths.profiles_file().exists()):
        return None, []
    from mqtttui.config.profiles import load

    found = load(paths.profiles_file(), environ)
    warnings = list(found.warnings)
    if not named and not found.default:
        return None, warnings
    try:
        profile = found.find(named or found.default)
    except ConfigError as error:
        if "profile" in here:
            raise
        return None, [*warnings, str(error)]
    screen = [each for each in inherited if each.option.key in ABOUT_SCREEN and not replaced(each, here)]
    settings = screen_settings([*screen, *(each for each in given if each.option.key in ABOUT_SCREEN)], here)
    about = [each for each in given if each.option.key not in ABOUT_SCREEN and each.option.key != "profile"]
    parsed = read_options(sorted(about, key=lambda each: each.option.key != "url"), profile.contents)
    settings = replace(
        settings,
        profile=profile,
        options=parsed.options,
        connect_now="profile" in here,
        subscriptions=parsed.subscriptions,
        subscribe_properties=parsed.subscribe_properties,
        publish=parsed.publish,
    )
    return settings, warnings


def _demo(given: Sequence[Given], inherited: Sequence[Given]) -> Settings:
    for each in given:
        if each.option.key not in ABOUT_SCREEN:
            raise ConfigError(f"{each.label}: --demo connects to a broker of its own", hint=f"leave out {each.label} or --demo")
    return replace(screen_settings([*inherited, *given], {each.option.key for each in given}), demo=True)


def _with_place(given: list[Given], loose: Sequence[str], environ: Mapping[str, str]) -> list[Given]:
    """`given` with the word that is no option as a profile, if it names one, or else as the URL. Raises ConfigError."""
    plain = len(loose) == 1 and not any(sign in loose[0] for sign in "/:@[")
    if plain and all(each.option.key != "profile" for each in given) and paths.profiles_file().exists():
        from mqtttui.config.profile_values import nearest
        from mqtttui.config.profiles import load

        found = load(paths.profiles_file(), environ)
        names = [*found.profiles, *found.broken]
        if loose[0] in names:
            return [*given, Given(_PROFILE, (loose[0],), "PROFILE")]
        if "." not in loose[0] and loose[0] != "localhost" and (near := nearest(loose[0], names)):
            shown = shorten(visible(loose[0]), 40)
            raise ConfigError(f"there is no profile '{shown}'{near}", hint=f"for a host of that name write mqtt://{shown}")
    return with_url(given, loose)
