"""The one table of options, and the scanner that finds them among words.

Names and letters are mosquitto_sub's and mosquitto_pub's where those have one. The command line, the environment and
pasted commands all read this table; what the values mean stands in `draft`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mqtttui.config.errors import ConfigError
from mqtttui.text import shorten, visible


@dataclass(frozen=True, slots=True)
class Option:
    """One option."""

    names: tuple[str, ...]
    """As written; the first one names it in messages."""
    metavar: str
    """What its value is called in `--help`; empty: a switch without a value."""
    help: str
    group: str = ""
    repeat: bool = False
    """May be given several times."""
    variable: str = ""
    """Environment variable, if it is not made from the long name."""

    @property
    def key(self) -> str:
        """Its long name without dashes: `will-topic`; the letter where it has no long name."""
        return next((name for name in self.names if name.startswith("--")), self.names[0]).lstrip("-")

    @property
    def environment(self) -> str:
        """Its environment variable, `MQTTTUI_WILL_TOPIC`."""
        return self.variable or "MQTTTUI_" + self.key.upper().replace("-", "_")


@dataclass(frozen=True, slots=True)
class Given:
    """An option as a person gave it."""

    option: Option
    values: tuple[str, ...]
    label: str
    """How it was written: `-p`, `--port`, `MQTTTUI_PORT`."""
    position: int | None = None
    """Index of the word in a pasted text."""

    @property
    def value(self) -> str:
        """Its one value; empty for a switch."""
        return self.values[0] if self.values else ""


BROKER, SESSION, WILL, TLS, TOPICS, SCREEN, OTHER = "Broker", "Session", "Will", "TLS", "Topics and message", "Screen", "Other"
RECORDING = "Recording"
WEBSOCKET_ONLY = ("ws-path", "ws-protocol", "ws-header")
"""Keys of the options that need a WebSocket."""

OPTIONS: tuple[Option, ...] = (
    Option(("-h", "--host"), "HOST", "name or address of the broker (localhost)", BROKER),
    Option(("-p", "--port"), "PORT", "port (1883, with TLS 8883; 8883 means TLS)", BROKER),
    Option(("-L", "--url"), "URL", "the same as the URL by itself", BROKER),
    Option(("--profile",), "NAME", "a connection of the profiles file, the same as NAME by itself; other options go beyond it", BROKER),
    Option(("--unix",), "PATH", "connect to this Unix socket", BROKER),
    Option(("--ws",), "", "MQTT over WebSocket, as ws:// (port 80) and wss:// (port 443) have it", BROKER),
    Option(("--ws-path",), "PATH", "path of the WebSocket, with its query (/mqtt)", BROKER),
    Option(("--ws-header",), "HEADER", "a header of your own in its request, 'Name: value'", BROKER, repeat=True),
    Option(("--ws-protocol",), "NAME", "its sub-protocol, '' for none (mqtt)", BROKER),
    Option(
        ("--proxy",),
        "URL",
        "go through a proxy: http://[user[:password]@]host:port (CONNECT), socks5h://…, or socks5://… with names looked up here; "
        "'' for none. Other users can read it with ps: MQTTTUI_PROXY, or the next one",
        BROKER,
    ),
    Option(("--proxy-password-file",), "FILE", "read the password for the proxy from a file", BROKER),
    Option(("-A", "--bind"), "ADDRESS[:PORT]", "connect from this address of this machine", BROKER),
    Option(("--reconnect",), "", "connect again when the connection is lost, with the same CONNECT", BROKER),
    Option(("--resubscribe",), "", "subscribe again when the broker has lost the session", BROKER),
    Option(("-V", "--protocol-version"), "VERSION", "mqttv31, mqttv311 or mqttv5; also 3.1, 3.1.1, 5 (3.1.1)", SESSION),
    Option(("-i", "--id"), "ID", "client id (left to the broker)", SESSION),
    Option(("-I", "--id-prefix"), "PREFIX", "client id made of this and the process number", SESSION),
    Option(("-u", "--username"), "NAME", "user name", SESSION),
    Option(
        ("-P", "--pw", "--password"),
        "PASSWORD",
        "password; other users of this machine can read it with ps: rather use one of the next two, or MQTTTUI_PASSWORD",
        SESSION,
        variable="MQTTTUI_PASSWORD",
    ),
    Option(("--password-file",), "FILE", "read the password from a file (one line feed at its end is dropped)", SESSION),
    Option(("--ask-password",), "", "ask for the password", SESSION),
    Option(("-k", "--keepalive"), "SECONDS", "keep-alive, 0 to 65535 (60)", SESSION),
    Option(("-c", "--disable-clean-session"), "", "continue the session of this client id instead of a clean one", SESSION),
    Option(("-x", "--session-expiry"), "SECONDS", "MQTT 5: how long the session outlives the connection; -1: for ever", SESSION),
    Option(
        ("-D", "--property"),
        "PACKET NAME VALUE",
        "an MQTT 5 property of connect, will, subscribe or publish, e.g. -D connect receive-maximum 10, "
        "-D publish user-property key value; sets -V 5",
        SESSION,
        repeat=True,
    ),
    Option(("--will-topic",), "TOPIC", "topic of the will", WILL),
    Option(("--will-payload",), "TEXT", "its payload (empty)", WILL),
    Option(("--will-qos",), "QOS", "its QoS: 0, 1 or 2 (0)", WILL),
    Option(("--will-retain",), "", "have it retained", WILL),
    Option(("--tls", "--tls-use-os-certs"), "", "TLS with the certificates that this system trusts", TLS),
    Option(("--cafile",), "FILE", "TLS with these trusted certificates (PEM)", TLS),
    Option(("--cert",), "FILE", "own certificate (PEM)", TLS),
    Option(("--key",), "FILE", "its key (PEM), if it is not in the same file", TLS),
    Option(("--key-passphrase-file",), "FILE", "read the passphrase of the key from a file", TLS),
    Option(("--ask-key-passphrase",), "", "ask for the passphrase of the key", TLS),
    Option(("--server-name",), "NAME", "name to ask for (SNI) and to check, instead of the host", TLS),
    Option(("--tls-version",), "VERSION", "lowest version: tlsv1.2 or tlsv1.3; tlsv1, tlsv1.1 for what is old (tlsv1.2)", TLS),
    Option(("--tls-max-version",), "VERSION", "highest version", TLS),
    Option(("--tls-alpn",), "NAMES", "protocols to offer by ALPN, separated by commas: mqtt, x-amzn-mqtt-ca", TLS),
    Option(("--insecure",), "", "accept any certificate; the screen keeps warning of it", TLS),
    Option(
        ("--tls-fingerprint",),
        "SHA256",
        "accept only the certificate with this fingerprint, besides the usual check; with --insecure in its place",
        TLS,
    ),
    Option(("--tls-keylog",), "FILE", "write the keys of TLS to a file, for Wireshark; the screen keeps warning of it", TLS),
    Option(("-t", "--topic"), "TOPIC", "subscribe to this filter, or with -m, -f, -n: topic of the message", TOPICS, repeat=True),
    Option(("-q", "--qos"), "QOS", "QoS of all -t: 0, 1 or 2 (0)", TOPICS),
    Option(("-R", "--no-retained"), "", "MQTT 5: ask for no retained messages", TOPICS),
    Option(("--retain-as-published",), "", "MQTT 5: keep the retain flag of forwarded messages", TOPICS),
    Option(("-m", "--message"), "TEXT", "fill the publish form; nothing is sent until you send it", TOPICS),
    Option(("-f", "--file"), "FILE", "the same with the contents of a file", TOPICS),
    Option(("-n", "--null-message"), "", "the same with an empty payload", TOPICS),
    Option(("-r", "--retain"), "", "the message is to be retained", TOPICS),
)
"""What connects, subscribes and publishes, in the order of `--help`."""


class Scanner:
    """Finds options among words by a table."""

    def __init__(self, options: Iterable[Option], program: str) -> None:
        self._program = program
        self._by_name = {name: option for option in options for name in option.names}

    def scan(self, words: Sequence[str], positions: Sequence[int] | None = None) -> tuple[list[Given], list[int]]:
        """The options in order, and the indexes of the words that belong to none. Raises ConfigError.

        `--name=value` and `-nvalue` count as well; behind `--` no word is an option. A value may begin with a dash.
        """
        given: list[Given] = []
        loose: list[int] = []
        index = 0
        while index < len(words):
            word = words[index]
            start = positions[index] if positions else None
            index += 1
            if word == "--":
                loose.extend(range(index, len(words)))
                break
            if not word.startswith("-") or word == "-":
                loose.append(index - 1)
                continue
            name, attached = self._name(word, start)
            option = self._by_name[name]
            if attached is None:
                values = tuple(words[index : index + _count(option, words[index : index + 2])])
                index += len(values)
            else:
                values = (attached,)
            self._check(option, name, values, attached is not None, start)
            given.append(Given(option, values, name, start))
        return given, loose

    def nearest(self, name: str) -> str:
        """The known name most like `name`, or an empty string."""
        near = difflib.get_close_matches(name, self._by_name, n=1)
        return near[0] if near else ""

    def _name(self, word: str, position: int | None) -> tuple[str, str | None]:
        """The option's name in `word`, and the value that is attached to it."""
        if word in self._by_name:
            return word, None
        if word.startswith("--"):
            name, equals, value = word.partition("=")
            attached: str | None = value if equals else None
        else:
            name, attached = word[:2], word[2:] or None
        if name in self._by_name:
            return name, attached
        shown = shorten(visible(name), 40)
        near = self.nearest(name) if name.startswith("--") else ""
        raise ConfigError(
            f"{shown}: {self._program} has no such option",
            hint=f"did you mean {near}?" if near else f"{self._program} --help lists them",
            position=position,
        )

    def _check(self, option: Option, name: str, values: tuple[str, ...], attached: bool, position: int | None) -> None:
        if not option.metavar:
            if attached:
                raise ConfigError(f"{name} takes no value", hint=f"write {name} alone", position=position)
            return
        wanted = _wanted(option, values)
        if len(values) < wanted or (not attached and values[0].partition("=")[0] in self._by_name and values[0].startswith("--")):
            extra = "" if len(values) < wanted else f"; for a value that begins with dashes write {name}=VALUE"
            raise ConfigError(f"{name} needs a value", hint=f"write {name} {option.metavar}{extra}", position=position)


def _count(option: Option, following: Sequence[str]) -> int:
    """How many of the words that follow belong to `option`; `following` holds the first two."""
    words = len(option.metavar.split())
    return words + 1 if words == 3 and "user-property" in following[1:] else words


def _wanted(option: Option, values: tuple[str, ...]) -> int:
    return _count(option, list(values[:2]))
