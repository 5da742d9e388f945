"""`mqtttui record`: a connection of its own, written to a capture file."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace

from mqtttui.cli.connection import read_options
from mqtttui.cli.options import CONFIGURABLE, ENVIRONMENT, OTHER_OPTIONS, PLACE, RECORDING_OPTIONS
from mqtttui.cli.output import asked, warn
from mqtttui.cli.words import refuse_contradictions, refuse_profile, replaced, with_url
from mqtttui.config.arguments import OPTIONS, RECORDING, Option, Scanner
from mqtttui.config.environment import from_environment
from mqtttui.config.errors import ConfigError
from mqtttui.config.help import help_text
from mqtttui.config.recording import record_options, whole_number
from mqtttui.headless import record
from mqtttui.headless.record import Job

_USAGE = """\
usage: mqtttui record URL -t FILTER -o FILE [options]

Records a connection of its own without a screen: connects, subscribes, and writes every packet to a capture file, at most a
second late, until it is ended by a signal, --count or --duration. A broken connection ends it, unless --reconnect is given."""

_OWN_OPTIONS = (
    Option(("-o", "--output"), "FILE", "the capture file (pcapng); - is standard output", RECORDING),
    *RECORDING_OPTIONS,
    Option(("-C", "--count"), "NUMBER", "end after so many messages", RECORDING),
    Option(("-W", "--duration"), "SECONDS", "end after so long", RECORDING),
)
_MESSAGE = frozenset({"message", "file", "null-message", "retain"})
_RECORDABLE = (
    *(
        replace(option, help="subscribe to this filter") if option.key == "topic" else option
        for option in OPTIONS
        if option.key not in _MESSAGE and option.key != "profile"
    ),
    *_OWN_OPTIONS,
)


def run(words: Sequence[str]) -> int:
    """The exit status of `mqtttui record` with `words`. Raises ConfigError."""
    if asked(words, lambda: help_text(_USAGE, (*_RECORDABLE, *OTHER_OPTIONS), f"{ENVIRONMENT}\n\n{record.STATUSES}")):
        return 0
    job, warnings = job_from(words, os.environ)
    warn(warnings)
    return record.run(job)


def job_from(words: Sequence[str], environ: Mapping[str, str]) -> tuple[Job, list[str]]:
    """What the words after `record` and the environment ask for, and warnings. Raises ConfigError."""
    given, loose = Scanner([*_RECORDABLE, *OTHER_OPTIONS], "mqtttui record").scan(words)
    refuse_profile([words[index] for index in loose], environ, "record")
    given = with_url(given, [words[index] for index in loose])
    inherited, warnings = from_environment(environ, [*CONFIGURABLE, *_OWN_OPTIONS[-2:]])
    refuse_contradictions(given)
    here = {each.option.key for each in given}
    allowed = {option.key for option in _RECORDABLE}
    given = [each for each in inherited if each.option.key in allowed and not replaced(each, here)] + given
    own = {option.key for option in _OWN_OPTIONS}
    values = {each.option.key: each.value for each in given if each.option.key in own}
    if "output" not in values:
        raise ConfigError("there is no file to record to", hint="add -o FILE, or -o - for standard output")
    recording = record_options(values["output"], values.get("ring"), force="force" in values, secrets="secrets" in values)
    about_connection = sorted((each for each in given if each.option.key not in own), key=lambda each: each.option.key != "url")
    if not PLACE & {each.option.key for each in about_connection}:
        raise ConfigError("there is no broker to record from", hint="name it with a URL or -h")
    parsed = read_options(about_connection)
    if not parsed.subscriptions and parsed.options.connect.clean:
        raise ConfigError("there is nothing to subscribe to", hint="add -t FILTER, such as -t '#' for everything")
    count, seconds = (whole_number(values[key], f"--{key}") if key in values else None for key in ("count", "duration"))
    return Job(parsed.options, recording, parsed.subscriptions, parsed.subscribe_properties, count, seconds), warnings
