"""WebSocket and Unix sockets as people name them: path, headers and sub-protocol of the upgrade, path of a socket."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from urllib.parse import quote_from_bytes

from mqtttui.config.errors import ConfigError
from mqtttui.config.options import WebSocketOptions
from mqtttui.text import shorten, visible

LONGEST_UNIX_PATH = 107
"""Bytes of a path that fit into an address of Linux (`sun_path`, without the NUL behind it)."""

_LONGEST_TARGET = 8_000
_LONGEST_HEADER = 4_000
_SAFE = "!$%&'()*+,-./:;=?@_~"
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A token of HTTP (RFC 9110, section 5.6.2)."""
_SECRET = re.compile(r"auth|cookie|token|secret|password|api-?key|signature|credential", re.IGNORECASE)
_OURS = frozenset({"connection", "upgrade", "content-length", "transfer-encoding"})
_OUR_PREFIX = "sec-websocket-"


def parse_target(text: str, position: int = 0) -> str:
    """The path of an upgrade with its query; what may not stand in a URL is percent-encoded. Raises ConfigError."""
    if not text.startswith("/"):
        raise ConfigError("the path of a WebSocket begins with /", hint="write it like /mqtt", position=position)
    if "#" in text:
        raise ConfigError("a # cannot stand in the path of a WebSocket", hint="write %23 for a #", position=position + text.index("#"))
    target = quote_from_bytes(text.encode("utf-8", "surrogateescape"), safe=_SAFE)
    if len(target) > _LONGEST_TARGET:
        raise ConfigError(f"the path of a WebSocket has at most {_LONGEST_TARGET:,} characters", position=position)
    return target


def parse_header(text: str) -> tuple[str, str]:
    """Name and value of `Name: value`. Raises ConfigError, which repeats no value: it may be secret."""
    name, colon, value = text.partition(":")
    name, value = name.strip(), value.strip()
    if not colon or not _TOKEN.fullmatch(name):
        raise ConfigError("this is no header of HTTP", hint="write it like 'Authorization: Bearer …'")
    if name.lower() in _OURS or name.lower().startswith(_OUR_PREFIX):
        raise ConfigError(f"the upgrade writes the header {name} itself", hint="leave it out (the sub-protocol is --ws-protocol)")
    if len(value) > _LONGEST_HEADER:
        raise ConfigError(f"a header has at most {_LONGEST_HEADER:,} characters", hint="shorten it")
    if any(not " " <= char <= "~" and char != "\t" for char in value):
        raise ConfigError(f"the value of {name} has characters that no header can have", hint="use ASCII without line breaks")
    return name, value


def is_secret_header(name: str) -> bool:
    """Whether the value of such a header is likely to be secret, so that it is not to be shown."""
    return not name.strip().lower().startswith(_OUR_PREFIX) and _SECRET.search(name) is not None


def parse_protocols(text: str) -> str:
    """Sub-protocols to offer, separated by commas; empty offers none. Raises ConfigError."""
    names = [name.strip() for name in text.split(",")] if text.strip() else []
    for name in names:
        if not _TOKEN.fullmatch(name):
            raise ConfigError(f"'{shorten(visible(name), 40)}' is no name of a sub-protocol", hint="write mqtt, or mqttv3.1 for MQTT 3.1")
    return ", ".join(names)


def parse_unix_path(text: str, position: int | None = None) -> str:
    """The path of a Unix socket. Raises ConfigError."""
    size = len(text.encode("utf-8", "surrogateescape"))
    if not text or text.endswith("/"):
        raise ConfigError("the path of the Unix socket is missing", hint="write mqtt+unix:///run/mosquitto.sock", position=position)
    if "\0" in text:
        raise ConfigError("a path has no NUL", hint="write the path of the socket", position=position)
    if size > LONGEST_UNIX_PATH:
        hint = "make a link to it with a shorter path"
        raise ConfigError(f"the path of a Unix socket has at most {LONGEST_UNIX_PATH} bytes, this one {size}", hint=hint, position=position)
    return text


@dataclass(slots=True)
class TransportDraft:
    """What options say about the way to the broker, beside host, port and TLS."""

    websocket: bool | None = None
    """True or False once something says so."""
    options: WebSocketOptions = field(default_factory=WebSocketOptions)
    headers: list[tuple[str, str]] = field(default_factory=list)
    unix_path: str = ""

    def take(self, key: str, value: str) -> bool:
        """Take over an option; False if it is about something else. Raises ConfigError."""
        match key:
            case "ws":
                self.websocket = True
            case "ws-path":
                self.options = replace(self.options, path=parse_target(value))
            case "ws-protocol":
                self.options = replace(self.options, protocol=parse_protocols(value))
            case "ws-header":
                self.headers.append(parse_header(value))
            case "unix":
                self.unix_path = parse_unix_path(value)
            case _:
                return False
        return True

    def take_url(self, *, websocket: bool | None, target: str, unix_path: str) -> None:
        """Take over what a URL says."""
        self.unix_path = unix_path
        self.websocket = websocket
        if target:
            self.options = replace(self.options, path=target)

    def result(self) -> WebSocketOptions | None:
        """The WebSocket, if there is to be one."""
        return replace(self.options, headers=tuple(self.headers)) if self.websocket else None

    def check(self, *, tls: bool, place: bool) -> None:
        """Raises ConfigError where a Unix socket stands beside TLS, a WebSocket, or a host or port (`place`)."""
        if not self.unix_path:
            return
        for wrong, what in ((self.websocket, "WebSocket"), (tls, "TLS"), (place, "a host or port")):
            if wrong:
                raise ConfigError(f"a Unix socket does not go together with {what}", hint="leave one of the two out")
