"""Whole mosquitto_sub, mosquitto_pub and mosquitto_rr commands, as people paste them from a terminal or a manual.

Checked against mosquitto's clients 2.0.11: the CONNECT and SUBSCRIBE that follow from a command are theirs, except that
libmosquitto adds Receive Maximum 20 in MQTT 5 and makes up a client id in MQTT 3.1.
"""

from __future__ import annotations

from collections.abc import Sequence

from mqtttui.config.arguments import OPTIONS, WEBSOCKET_ONLY, Given, Option, Scanner
from mqtttui.config.draft import Draft, Parsed
from mqtttui.config.errors import ConfigError
from mqtttui.config.shell import Word, split
from mqtttui.config.urls import split_url
from mqtttui.protocol.enums import Version
from mqtttui.protocol.packets import TopicRequest
from mqtttui.text import shorten, visible

__all__ = ["ConfigError", "Parsed", "parse_command", "parse_pasted"]

_PROGRAMS = ("mosquitto_sub", "mosquitto_pub", "mosquitto_rr")

_NO_EFFECT = (
    *((names, "") for names in (("-d", "--debug"), ("-N",), ("-v", "--verbose"), ("-E",), ("-S",))),
    *((names, "") for names in (("--nodelay",), ("--pretty",), ("--quiet",), ("--retained-only",), ("--remove-retained",), ("--help",))),
    *((names, "VALUE") for names in (("-C",), ("-F",), ("-M",), ("-T", "--filter-out"), ("-U", "--unsubscribe"), ("-W",))),
    *((names, "VALUE") for names in (("--random-filter",), ("--repeat",), ("--repeat-delay",), ("--capath",), ("--ciphers",))),
    *((names, "VALUE") for names in (("--keyform",), ("--tls-engine-kpass-sha1",))),
)
"""Options that change nothing here, and what their value is called."""

_REFUSED = (
    (("--psk",), "KEY", "TLS with a pre-shared key is not supported", "use a certificate: --cafile FILE"),
    (("--psk-identity",), "NAME", "TLS with a pre-shared key is not supported", "use a certificate: --cafile FILE"),
    (("--tls-engine",), "NAME", "TLS engines are not supported", "use key files: --cert FILE --key FILE"),
)
"""Options without which the command would reach another broker or none."""

_STANDARD_INPUT = (
    Option(("-l", "--stdin-line"), "", "payloads from standard input, one a line"),
    Option(("-s", "--stdin-file"), "", "payload from standard input"),
)
_RESPONSE = Option(("-e",), "TOPIC", "response topic")
_ONLY_OURS = frozenset(
    {
        "profile",
        "reconnect",
        "resubscribe",
        "ask-password",
        "ask-key-passphrase",
        "password-file",
        "key-passphrase-file",
        "proxy-password-file",
        "tls-max-version",
        "tls-fingerprint",
        *WEBSOCKET_ONLY,
    }
)
_ONLY_MESSAGES = frozenset({"message", "file", "null-message", "retain", "stdin-line", "stdin-file"})

_IGNORED_OPTIONS = tuple(Option(names, metavar, "") for names, metavar in _NO_EFFECT)
_REFUSED_OPTIONS = tuple(Option(names, metavar, text) for names, metavar, text, _ in _REFUSED)
_HINTS = {names[0].lstrip("-"): hint for names, _, _, hint in _REFUSED}
_IGNORED_KEYS = frozenset(option.key for option in _IGNORED_OPTIONS)


def parse_pasted(text: str) -> Parsed:
    """What a pasted text asks for: a mosquitto command, or a URL whose path is a topic to subscribe to. Raises ConfigError."""
    head = text.split(None, 1)[:1]
    if head and (head[0].startswith("-") or any(program in text for program in _PROGRAMS)):
        return parse_command(text)
    url = split_url(text)
    return Parsed(url.options(), (TopicRequest(url.topic),) if url.topic is not None else ())


def parse_command(text: str | Sequence[str]) -> Parsed:
    """What a command asks for: connection, subscriptions or message, and what had to be left aside.

    `text` is a command line, or its words when a shell has split it already. What stands before the program (a prompt,
    `sudo`, `docker exec …`) is skipped; without a program it is read as options alone. Raises ConfigError with the position.
    """
    if isinstance(text, str):
        words, rest = split(text)
    else:
        words, rest = [Word(each, 0) for each in text], ""
    program, words = _program(words)
    options = [option for option in OPTIONS if option.key not in _ONLY_OURS]
    scanner = Scanner([*options, *_STANDARD_INPUT, _RESPONSE, *_IGNORED_OPTIONS, *_REFUSED_OPTIONS], program)
    given, loose = scanner.scan([word.text for word in words], [word.position for word in words])
    if loose:
        word = words[loose[0]]
        shown = shorten(visible(word.text), 40)
        raise ConfigError(f"'{shown}' belongs to no option", hint="put a value with spaces into quotes", position=word.position)
    draft = Draft(literal_urls=True)
    if program == "mosquitto_rr":
        draft.version = Version.V5
    meant = [each for each in given if _meant(each, program, draft)]
    draft.apply(meant)
    if program == "mosquitto_pub" and draft.payload is None:
        draft.payload = b""
    parsed = draft.result()
    if rest:
        draft.ignored.append(f"{shorten(visible(rest), 40)} (another command)")
    return Parsed(parsed.options, parsed.subscriptions, parsed.publish, tuple(draft.ignored), parsed.subscribe_properties)


def _program(words: list[Word]) -> tuple[str, list[Word]]:
    """The program, and the words behind it."""
    for index, word in enumerate(words):
        name = word.text.replace("\\", "/").rsplit("/", 1)[-1].removesuffix(".exe")
        if name in _PROGRAMS:
            return name, words[index + 1 :]
    if words and words[0].text.startswith("-"):
        return "mosquitto_sub or mosquitto_pub", words
    raise ConfigError("this is no mosquitto command", hint="paste a whole mosquitto_sub, mosquitto_pub or mosquitto_rr command", position=0)


def _meant(given: Given, program: str, draft: Draft) -> bool:
    """Whether `given` has an effect; what has none is noted in `draft`. Raises ConfigError for what cannot be done."""
    key = given.option.key
    if key in _HINTS:
        raise ConfigError(f"{given.label}: {given.option.help}", hint=_HINTS[key], position=given.position)
    if key == "capath":
        draft.tls.on = True
        draft.ignored.append("--capath (name one file with --cafile; the system's certificates are used)")
    elif key in _IGNORED_KEYS:
        value = f" {shorten(visible(given.value), 40)}" if given.values else ""
        draft.ignored.append(f"{given.label}{value}")
    elif program == "mosquitto_sub" and key in _ONLY_MESSAGES:
        draft.ignored.append(f"{given.label} (mosquitto_sub sends no messages)")
    elif given.option in _STANDARD_INPUT:
        draft.payload = b""
        draft.ignored.append(f"{given.label} ({given.option.help}: fill it in by hand)")
    elif given.option is _RESPONSE:
        draft.response_topic = given.value
    elif key == "property" and given.values[0] in ("unsubscribe", "disconnect"):
        draft.ignored.append(f"{given.label} {given.values[0]} (set it where that packet is sent)")
    else:
        return True
    return False
