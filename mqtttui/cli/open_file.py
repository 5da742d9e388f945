"""`mqtttui open FILE`: a capture in the inspector."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import replace

from mqtttui.cli.options import ABOUT_SCREEN, OTHER_OPTIONS, SCREEN_OPTIONS
from mqtttui.cli.output import asked
from mqtttui.cli.screen import run_screen, screen_settings
from mqtttui.config.arguments import OTHER, Option, Scanner
from mqtttui.config.errors import ConfigError
from mqtttui.config.help import help_text
from mqtttui.config.opening import STANDARD_INPUT, OpenOptions
from mqtttui.config.recording import whole_number
from mqtttui.config.settings import Settings
from mqtttui.protocol.enums import Version
from mqtttui.text import shorten, visible

_USAGE = """\
usage: mqtttui open FILE [options]

Opens a capture (pcap or pcapng, from Wireshark, tcpdump or this program) in the inspector. - is standard input; a pipe and a
file that is being written are followed:  ssh gateway tcpdump -U -w - port 1883 | mqtttui open -"""

_OPTIONS = (
    Option(("--goto",), "NUMBER", "select this packet", OTHER),
    Option(("-V", "--protocol-version"), "VERSION", "3.1, 3.1.1 or 5, of connections whose CONNECT is not in the file", OTHER),
    *(option for option in SCREEN_OPTIONS if option.key != "demo"),
)


def run(words: Sequence[str]) -> int:
    """The exit status of `mqtttui open` with `words`. Raises ConfigError."""
    if asked(words, lambda: help_text(_USAGE, (*_OPTIONS, *OTHER_OPTIONS), "Every key and every action: ? and : on the screen.")):
        return 0
    settings = open_settings(words)
    assert settings.capture is not None
    if settings.capture.path == STANDARD_INPUT:
        settings = replace(settings, capture=replace(settings.capture, descriptor=_keyboard_from_terminal()))
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise ConfigError("the screen needs a terminal", hint="start it in one; to print packets use: mqtttui decode FILE")
    return run_screen(settings)


def open_settings(words: Sequence[str]) -> Settings:
    """What the words after `open` ask for. Raises ConfigError."""
    given, loose = Scanner([*_OPTIONS, *OTHER_OPTIONS], "mqtttui open").scan(words)
    files = [words[index] for index in loose]
    if len(files) != 1:
        problem = "there is no file to open" if not files else f"'{shorten(visible(os.fsencode(files[1])), 40)}' is one file too many"
        raise ConfigError(problem, hint="name one capture file, or - for standard input")
    values = {each.option.key: each.value for each in given}
    version = None
    if "protocol-version" in values:
        try:
            version = Version.from_label(values["protocol-version"])
        except ValueError:
            shown = shorten(visible(values["protocol-version"]), 20)
            raise ConfigError(f"--protocol-version: '{shown}' is no MQTT version", hint="use 3.1, 3.1.1 or 5") from None
    goto = whole_number(values["goto"], "--goto") if "goto" in values else 0
    settings = screen_settings([each for each in given if each.option.key in ABOUT_SCREEN], set(values))
    return replace(settings, capture=OpenOptions(files[0], goto=goto, version=version))


def _keyboard_from_terminal() -> int:
    """Puts standard input aside and the terminal in its place; gives where it was put. Raises ConfigError."""
    if sys.stdin is None or sys.stdin.isatty():
        raise ConfigError("standard input is the keyboard", hint="give a file, or a pipe: tcpdump -U -w - port 1883 | mqtttui open -")
    try:
        terminal = os.open("/dev/tty", os.O_RDWR)
    except OSError as error:
        raise ConfigError("there is no terminal to take the keyboard from", error.strerror or "", hint="start it in one") from None
    aside = os.dup(0)
    os.dup2(terminal, 0)
    os.close(terminal)
    return aside
