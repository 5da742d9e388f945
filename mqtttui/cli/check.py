"""`mqtttui check`: a broker checked from end to end."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping, Sequence

from mqtttui.cli.connection import read_options
from mqtttui.cli.options import CONFIGURABLE, ENVIRONMENT, OTHER_OPTIONS, PLACE
from mqtttui.cli.output import asked, complain, warn
from mqtttui.cli.words import refuse_contradictions, refuse_profile, replaced, with_url
from mqtttui.config.arguments import OPTIONS, TOPICS, Option, Scanner
from mqtttui.config.check import CHECK_OPTIONS, CheckJob, check_job
from mqtttui.config.draft import Parsed
from mqtttui.config.environment import from_environment
from mqtttui.config.errors import ConfigError
from mqtttui.config.help import help_text
from mqtttui.headless import check

_USAGE = """\
usage: mqtttui check URL [options]

Checks a broker: looks its name up, connects, subscribes, publishes a probe at each QoS, gets it back, unsubscribes, pings and
disconnects; says how long each step took, how large it was, or why it failed. Nothing is retained."""


def run(words: Sequence[str]) -> int:
    """The exit status of `mqtttui check` with `words`."""
    if asked(
        words,
        lambda: help_text(_USAGE, (*CHECK_OPTIONS, *_about_connection_only(), *OTHER_OPTIONS), f"{ENVIRONMENT}\n\n{check.STATUSES}"),
    ):
        return 0
    try:
        job, warnings = check_from(words, os.environ)
    except ConfigError as error:
        # Monitors read the first line of standard output.
        print(f"MQTT UNKNOWN - {error.title.replace('|', '/')}")
        complain(error)
        return 3
    warn(warnings)
    return check.run(job)


def check_from(words: Sequence[str], environ: Mapping[str, str]) -> tuple[CheckJob, list[str]]:
    """What the words after `check` and the environment ask for, and warnings. Raises ConfigError."""
    connecting = _about_connection_only()
    given, loose = Scanner([*connecting, *CHECK_OPTIONS, *OTHER_OPTIONS], "mqtttui check").scan(words)
    refuse_profile([words[index] for index in loose], environ, "check")
    given = with_url(given, [words[index] for index in loose])
    own = {option.key for option in CHECK_OPTIONS}
    others = [option for option in CONFIGURABLE if option.key not in own]
    inherited, warnings = from_environment(environ, [*others, *CHECK_OPTIONS])
    refuse_contradictions(given)
    here = {each.option.key for each in given}
    allowed = {option.key for option in connecting} | own
    given = [each for each in inherited if each.option.key in allowed and not replaced(each, here)] + given
    about_connection = sorted((each for each in given if each.option.key not in own), key=lambda each: each.option.key != "url")
    if not PLACE & {each.option.key for each in about_connection}:
        raise ConfigError("there is no broker to check", hint="name it with a URL or -h")
    parsed = read_options(about_connection)
    topics = [("URL", text) for text in _texts(parsed)] + [(each.label, each.value) for each in given if each.option.key == "topic"]
    values = {each.option.key: each.value for each in given if each.option.key in own}
    limits = [(each.option.key, each.value) for each in given if each.option.key in ("warn", "critical")]
    return check_job(parsed.options, values, topics, limits, f"mqtttui/check/{secrets.token_hex(8)}"), warnings


def _about_connection_only() -> list[Option]:
    """The options of one connection, without those for going on after it and for messages."""
    return [option for option in OPTIONS if option.group != TOPICS and option.key not in ("reconnect", "resubscribe", "profile")]


def _texts(parsed: Parsed) -> list[str]:
    """The filters of `parsed` as text."""
    filters = [request.filter for request in parsed.subscriptions]
    return [each if isinstance(each, str) else each.decode("utf-8", "surrogateescape") for each in filters]
