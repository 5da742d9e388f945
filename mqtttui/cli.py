"""The command line: arguments and environment become settings, then the application or a command runs.

Exit status: 0 all is well, 2 something that was given cannot be used (said on standard error, with the remedy), 130
interrupted; `decode`, `record` and `check` have some of their own. What only one way of starting needs (Textual, `decode`, the options
of a connection) is imported on that way, so that each of them starts soon.
"""

from __future__ import annotations

import getpass
import os
import secrets
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mqtttui import __version__
from mqtttui.config import help, paths
from mqtttui.config.arguments import OPTIONS, OTHER, RECORDING, SCREEN, TOPICS, WEBSOCKET_ONLY, Given, Option, Scanner
from mqtttui.config.environment import PREFIX, from_environment
from mqtttui.config.errors import ConfigError
from mqtttui.config.opening import STANDARD_INPUT, OpenOptions
from mqtttui.config.settings import Settings
from mqtttui.protocol.enums import Version
from mqtttui.text import shorten, visible

if TYPE_CHECKING:
    from mqtttui.config.check import CheckJob
    from mqtttui.config.draft import Draft, Parsed
    from mqtttui.config.options import TlsOptions
    from mqtttui.config.profile_fields import Contents
    from mqtttui.headless.record import Job

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

_RECORD_USAGE = """\
usage: mqtttui record URL -t FILTER -o FILE [options]

Records a connection of its own without a screen: connects, subscribes, and writes every packet to a capture file, at most a
second late, until it is ended by a signal, --count or --duration. A broken connection ends it, unless --reconnect is given."""

_CHECK_USAGE = """\
usage: mqtttui check URL [options]

Checks a broker: looks its name up, connects, subscribes, publishes a probe at each QoS, gets it back, unsubscribes, pings and
disconnects; says how long each step took, how large it was, or why it failed. Nothing is retained."""

_OPEN_USAGE = """\
usage: mqtttui open FILE [options]

Opens a capture (pcap or pcapng, from Wireshark, tcpdump or this program) in the inspector. - is standard input; a pipe and a
file that is being written are followed:  ssh gateway tcpdump -U -w - port 1883 | mqtttui open -"""

_ENVIRONMENT = """\
Every option has an environment variable, MQTTTUI_ and its long name: MQTTTUI_HOST, MQTTTUI_USERNAME, MQTTTUI_PASSWORD,
MQTTTUI_WILL_TOPIC … (switches: 1 or 0; several topics or properties: one a line). The command line wins."""

_SCREEN_OPTIONS = (
    Option(("-Y", "--display-filter"), "FILTER", "show only the packets that this display filter selects, e.g. 'mqtt.qos > 0'", SCREEN),
    Option(("--demo",), "", "start with a broker and devices of its own; needs no network", SCREEN),
    Option(("--ascii",), "", "draw with ASCII signs only", SCREEN),
    Option(("--no-mouse",), "", "leave the mouse to the terminal, so that its own selection works", SCREEN),
    Option(("--theme",), "NAME", "colours: mqtttui-dark, mqtttui-light, or a theme of yours", SCREEN),
)
_RECORD = Option(("--record",), "FILE", "write all packets to a capture file (pcapng) as they come; - is standard output", RECORDING)
_RECORDING_OPTIONS = (
    Option(("--ring",), "COUNTxSIZE", "a ring of files instead of one, e.g. 10x100M: FILE-00001 and so on, oldest ones go", RECORDING),
    Option(("--force",), "", "overwrite the file; of a ring: go on behind the files that are there", RECORDING),
    Option(("--secrets",), "", "write passwords and authentication data as they are, not as *", RECORDING),
)
_RECORD_COMMAND_OPTIONS = (
    Option(("-o", "--output"), "FILE", "the capture file (pcapng); - is standard output", RECORDING),
    *_RECORDING_OPTIONS,
    Option(("-C", "--count"), "NUMBER", "end after so many messages", RECORDING),
    Option(("-W", "--duration"), "SECONDS", "end after so long", RECORDING),
)
_OPEN_OPTIONS = (
    Option(("--goto",), "NUMBER", "select this packet", OTHER),
    Option(("-V", "--protocol-version"), "VERSION", "3.1, 3.1.1 or 5, of connections whose CONNECT is not in the file", OTHER),
    *(option for option in _SCREEN_OPTIONS if option.key != "demo"),
)
_OTHER_OPTIONS = (
    Option(("--version",), "", "print the version", OTHER),
    Option(("--help",), "", "print this", OTHER),
)
_CONFIGURABLE = (*OPTIONS, *_SCREEN_OPTIONS, _RECORD, *_RECORDING_OPTIONS)
_MESSAGE = frozenset({"message", "file", "null-message", "retain"})
_RECORDABLE = (
    *(
        replace(option, help="subscribe to this filter") if option.key == "topic" else option
        for option in OPTIONS
        if option.key not in _MESSAGE and option.key != "profile"
    ),
    *_RECORD_COMMAND_OPTIONS,
)
_PROFILE = next(option for option in OPTIONS if option.key == "profile")
_URL = next(option for option in OPTIONS if option.key == "url")

_ASK = frozenset({"ask-password", "ask-key-passphrase"})
_PASSWORD = frozenset({"pw", "password-file", "ask-password"})
_PASSPHRASE = frozenset({"key-passphrase-file", "ask-key-passphrase"})
_SCREEN = frozenset(option.key for option in (*_SCREEN_OPTIONS, _RECORD, *_RECORDING_OPTIONS))
"""What says nothing about the connection."""
_PLACE = frozenset({"host", "url", "unix"})
_FILES = ("cafile", "cert", "key")


def main(argv: Sequence[str] | None = None) -> int:
    """Run `mqtttui`; returns the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        if words[:1] == ["decode"]:
            return _decode(words[1:])
        if words[:1] == ["record"]:
            return _record(words[1:])
        if words[:1] == ["check"]:
            return _check(words[1:])
        if words[:1] == ["profiles"]:
            return _profiles(words[1:])
        if words[:1] == ["open"]:
            return _open(words[1:])
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
    given = _with_place(given, [words[index] for index in loose], environ)
    inherited, warnings = from_environment(environ, _CONFIGURABLE)
    _contradictions(given)
    here = {each.option.key for each in given}
    if "demo" in here or (not here - _SCREEN and any(each.option.key == "demo" for each in inherited)):
        return _demo(given, inherited), warnings
    if "profile" in here or not here - _SCREEN:
        settings, more = _of_profile(given, inherited, here, environ)
        if settings is not None:
            return settings, warnings + more
        warnings += more
    inherited = [each for each in inherited if each.option.key != "profile"]
    given = [each for each in inherited if not _replaced(each, here)] + given
    settings = _screen(given, here)
    # A URL first: the options say more than it does, wherever they stand.
    about_connection = sorted((each for each in given if each.option.key not in _SCREEN), key=lambda each: each.option.key != "url")
    if not about_connection:
        return settings, warnings
    parsed = _parsed(about_connection)
    settings = replace(
        settings,
        options=parsed.options,
        connect_now=bool(here - _SCREEN) or bool(_PLACE & {each.option.key for each in inherited}),
        subscriptions=parsed.subscriptions,
        subscribe_properties=parsed.subscribe_properties,
        publish=parsed.publish,
    )
    return settings, warnings


def job_from(words: Sequence[str], environ: Mapping[str, str]) -> tuple[Job, list[str]]:
    """What the words after `record` and the environment ask for, and warnings. Raises ConfigError."""
    from mqtttui.config.recording import record_options, whole_number
    from mqtttui.headless.record import Job

    given, loose = Scanner([*_RECORDABLE, *_OTHER_OPTIONS], "mqtttui record").scan(words)
    given = _with_url(given, [words[index] for index in loose])
    inherited, warnings = from_environment(environ, [*_CONFIGURABLE, *_RECORD_COMMAND_OPTIONS[-2:]])
    _contradictions(given)
    here = {each.option.key for each in given}
    allowed = {option.key for option in _RECORDABLE}
    given = [each for each in inherited if each.option.key in allowed and not _replaced(each, here)] + given
    own = {option.key for option in _RECORD_COMMAND_OPTIONS}
    values = {each.option.key: each.value for each in given if each.option.key in own}
    if "output" not in values:
        raise ConfigError("there is no file to record to", hint="add -o FILE, or -o - for standard output")
    record = record_options(values["output"], values.get("ring"), force="force" in values, secrets="secrets" in values)
    about_connection = sorted((each for each in given if each.option.key not in own), key=lambda each: each.option.key != "url")
    if not _PLACE & {each.option.key for each in about_connection}:
        raise ConfigError("there is no broker to record from", hint="name it with a URL or -h")
    parsed = _parsed(about_connection)
    if not parsed.subscriptions and parsed.options.connect.clean:
        raise ConfigError("there is nothing to subscribe to", hint="add -t FILTER, such as -t '#' for everything")
    count, seconds = (whole_number(values[key], f"--{key}") if key in values else None for key in ("count", "duration"))
    return Job(parsed.options, record, parsed.subscriptions, parsed.subscribe_properties, count, seconds), warnings


def check_from(words: Sequence[str], environ: Mapping[str, str]) -> tuple[CheckJob, list[str]]:
    """What the words after `check` and the environment ask for, and warnings. Raises ConfigError."""
    from mqtttui.config.check import CHECK_OPTIONS, check_job

    connecting = _about_connection_only()
    given, loose = Scanner([*connecting, *CHECK_OPTIONS, *_OTHER_OPTIONS], "mqtttui check").scan(words)
    given = _with_url(given, [words[index] for index in loose])
    own = {option.key for option in CHECK_OPTIONS}
    others = [option for option in _CONFIGURABLE if option.key not in own]
    inherited, warnings = from_environment(environ, [*others, *CHECK_OPTIONS])
    _contradictions(given)
    here = {each.option.key for each in given}
    allowed = {option.key for option in connecting} | own
    given = [each for each in inherited if each.option.key in allowed and not _replaced(each, here)] + given
    about_connection = sorted((each for each in given if each.option.key not in own), key=lambda each: each.option.key != "url")
    if not _PLACE & {each.option.key for each in about_connection}:
        raise ConfigError("there is no broker to check", hint="name it with a URL or -h")
    parsed = _parsed(about_connection)
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


def _of_profile(
    given: Sequence[Given], inherited: Sequence[Given], here: set[str], environ: Mapping[str, str]
) -> tuple[Settings | None, list[str]]:
    """The settings with the profile that is named, or with the default one where nothing is; and warnings. Raises ConfigError."""
    named = next((each.value for each in [*inherited, *given][::-1] if each.option.key == "profile"), "")
    others = {each.option.key for each in inherited} - _SCREEN
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
    screen = [each for each in inherited if each.option.key in _SCREEN and not _replaced(each, here)]
    settings = _screen([*screen, *(each for each in given if each.option.key in _SCREEN)], here)
    about = [each for each in given if each.option.key not in _SCREEN and each.option.key != "profile"]
    parsed = _parsed(sorted(about, key=lambda each: each.option.key != "url"), profile.contents)
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


def _parsed(given: Sequence[Given], profile: Contents | None = None) -> Parsed:
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


def help_text(usage: str = _USAGE, table: Sequence[Option] = _CONFIGURABLE, end: str = _ENVIRONMENT) -> str:
    """What `--help` prints."""
    return help.help_text(usage, (*table, *_OTHER_OPTIONS), end)


def _asked(words: Sequence[str], text: Callable[[], str]) -> bool:
    """Prints what `--help` (`text`) or `--version` asks for, and gives whether it was asked for."""
    before_end = words[: words.index("--")] if "--" in words else words
    for word, answer in (("--help", text), ("--version", lambda: f"mqtttui {__version__}")):
        if word in before_end:
            print(answer())
            return True
    return False


def _start(words: Sequence[str]) -> int:
    if _asked(words, help_text):
        return 0
    settings, warnings = settings_from(words, os.environ)
    for warning in warnings:
        print(f"mqtttui: warning: {warning}", file=sys.stderr)
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise ConfigError("the screen needs a terminal", hint="start it in one; to read packets from a pipe use: mqtttui decode -")
    if settings.record is not None:
        settings.record.check_free()
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


def _record(words: Sequence[str]) -> int:
    from mqtttui.headless import record

    if _asked(words, lambda: help_text(_RECORD_USAGE, _RECORDABLE, f"{_ENVIRONMENT}\n\n{record.STATUSES}")):
        return 0
    job, warnings = job_from(words, os.environ)
    for warning in warnings:
        print(f"mqtttui: warning: {warning}", file=sys.stderr)
    return record.run(job)


def _check(words: Sequence[str]) -> int:
    from mqtttui.config.check import CHECK_OPTIONS
    from mqtttui.headless import check

    if _asked(words, lambda: help_text(_CHECK_USAGE, (*CHECK_OPTIONS, *_about_connection_only()), f"{_ENVIRONMENT}\n\n{check.STATUSES}")):
        return 0
    try:
        job, warnings = check_from(words, os.environ)
    except ConfigError as error:
        # Monitors read the first line of standard output.
        print(f"MQTT UNKNOWN - {error.title.replace('|', '/')}")
        _complain(error)
        return 3
    for warning in warnings:
        print(f"mqtttui: warning: {warning}", file=sys.stderr)
    return check.run(job)


def _profiles(words: Sequence[str]) -> int:
    from mqtttui.headless import profiles

    if _asked(words, lambda: profiles.USAGE):
        return 0
    return profiles.run(words)


def _open(words: Sequence[str]) -> int:
    if _asked(words, lambda: help_text(_OPEN_USAGE, _OPEN_OPTIONS, "Every key and every action: ? and : on the screen.")):
        return 0
    settings = open_settings(words)
    assert settings.capture is not None
    if settings.capture.path == STANDARD_INPUT:
        settings = replace(settings, capture=replace(settings.capture, descriptor=_keyboard_from_terminal()))
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise ConfigError("the screen needs a terminal", hint="start it in one; to print packets use: mqtttui decode FILE")
    return _run(settings)


def open_settings(words: Sequence[str]) -> Settings:
    """What the words after `open` ask for. Raises ConfigError."""
    from mqtttui.config.recording import whole_number

    given, loose = Scanner([*_OPEN_OPTIONS, *_OTHER_OPTIONS], "mqtttui open").scan(words)
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
    settings = _screen([each for each in given if each.option.key in _SCREEN], set(values))
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
    return _with_url(given, loose)


def _with_url(given: list[Given], loose: Sequence[str]) -> list[Given]:
    """`given` with the word that is no option as the URL."""
    if len(loose) > 1:
        shown = shorten(visible(loose[1]), 40)
        raise ConfigError(f"'{shown}' is one URL too many", hint="put a value with spaces into quotes; topics are given with -t")
    return [*given, *(Given(_URL, (word,), "URL") for word in loose)]


def _contradictions(given: Sequence[Given]) -> None:
    """Raises ConfigError where the command line itself says the same thing twice."""
    for keys, hint in (
        (_PLACE, "name the broker once: a URL, -L, -h or --unix"),
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
    return replace(_screen([*inherited, *given], {each.option.key for each in given}), demo=True)


def _replaced(inherited: Given, here: set[str]) -> bool:
    """Whether the command line has its own word on what the environment says."""
    key = inherited.option.key
    if key == "url":
        # Its credentials are for that broker alone.
        return bool(_PLACE & here)
    if key in ("host", "port", "tls", "unix", "ws", *WEBSOCKET_ONLY):
        return key in here or "url" in here or (key == "unix" and "host" in here) or (key in ("host", "port") and "unix" in here)
    together = (_PASSWORD, _PASSPHRASE, frozenset({"id", "id-prefix"}), frozenset({"proxy", "proxy-password-file"}))
    if key == "proxy" and "proxy" not in here:
        return False  # Its password alone may be given anew.
    return key in here or any(key in keys and keys & here for keys in together)


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


def _screen(given: Sequence[Given], here: set[str]) -> Settings:
    """What is said about the screen and the recording; `here` are the keys of this command line."""
    values = {each.option.key: each.value for each in given}
    record = None
    if "record" in values:
        from mqtttui.config.recording import record_options

        record = record_options(values["record"], values.get("ring"), force="force" in values, secrets="secrets" in values)
    elif lone := [each.label for each in given if each.option in _RECORDING_OPTIONS and each.option.key in here]:
        raise ConfigError(f"this has no effect: {lone[0]} (needs a recording: add --record FILE)", hint="leave it out, or add it")
    if "display-filter" in values:
        from mqtttui.config.display_filter import parse_display_filter

        label = next(each.label for each in reversed(given) if each.option.key == "display-filter")
        parse_display_filter(values["display-filter"], label)
    return Settings(
        ascii="ascii" in values,
        mouse="no-mouse" not in values,
        display_filter=values.get("display-filter", ""),
        theme=values.get("theme", ""),
        record=record,
    )


def _complain(error: ConfigError) -> None:
    print(f"mqtttui: {error.title}{f' ({error.detail})' if error.detail else ''}", file=sys.stderr)
    if error.hint:
        print(f"  {error.hint}", file=sys.stderr)
