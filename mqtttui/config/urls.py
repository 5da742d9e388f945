"""Broker addresses as people write them: `mqtt://user:password@host:port/topic`, or just `host:port`.

Rules:
1. `mqtt` and `tcp` are plain TCP (port 1883), `mqtts`, `ssl`, `tls` and `mqtt+ssl` are TLS (port 8883). Without a
   scheme: plain, on port 8883 TLS (as mosquitto's clients do).
2. The authority ends at the first `/`, the credentials at the last `@` in it. IPv6 literals stand in brackets.
3. `%NN` is a byte. What follows the host's `/` is a topic, as in `mosquitto_sub -L`; `#` and `?` belong to it.
4. `ws` and `wss` (also `mqtt+ws`, `mqtt+wss`) are WebSocket, ports 80 and 443. What follows the host is the path of the
   upgrade with its query, as it stands; without one it is `/mqtt`. There is no topic.
5. `unix` and `mqtt+unix` are a Unix socket: `mqtt+unix:///run/mosquitto.sock`, credentials before the path
   (`mqtt+unix://user:password@/run/mosquitto.sock`), no host. There is no topic.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from mqtttui.config.errors import ConfigError
from mqtttui.config.options import DEFAULT_TLS_PORT, ConnectOptions, TlsOptions, WebSocketOptions, default_port
from mqtttui.config.transports import parse_target, parse_unix_path
from mqtttui.protocol.packets import Connect, Text
from mqtttui.text import shorten, visible

__all__ = ["ConfigError", "Url", "parse_host", "parse_port", "parse_url", "split_url"]


@dataclass(frozen=True, slots=True)
class _Scheme:
    tls: bool = False
    websocket: bool = False
    unix: bool = False


_PLAIN, _TLS, _UNIX = _Scheme(), _Scheme(tls=True), _Scheme(unix=True)
_WS, _WSS = _Scheme(websocket=True), _Scheme(tls=True, websocket=True)

_SCHEMES = {
    "mqtt": _PLAIN,
    "tcp": _PLAIN,
    "mqtt+tcp": _PLAIN,
    "mqtts": _TLS,
    "ssl": _TLS,
    "tls": _TLS,
    "mqtt+ssl": _TLS,
    "mqtt+tls": _TLS,
    "ws": _WS,
    "mqtt+ws": _WS,
    "wss": _WSS,
    "mqtt+wss": _WSS,
    "unix": _UNIX,
    "mqtt+unix": _UNIX,
}

_UNSUPPORTED = {
    "http": ("is no MQTT over WebSocket", "the address of a WebSocket begins with ws://", "write ws:// instead of http://"),
    "https": ("is no MQTT over WebSocket", "the address of a WebSocket begins with wss://", "write wss:// instead of https://"),
    **dict.fromkeys(
        ("quic", "mqtt+quic"),
        (
            "is not supported in this version",
            "it means MQTT over QUIC",
            "use mqtt:// (usually port 1883) or mqtts:// (usually port 8883), if the broker listens there",
        ),
    ),
}
"""Scheme to title, detail and hint."""

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)(:/{0,2})")
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_NOT_IN_HOST = re.compile(r"[\s\x00-\x20\x7f\"<>\\^`{|}?#@:\[\]/]")
_LONGEST_HOST = 253


@dataclass(frozen=True, slots=True)
class Url:
    """The parts of a URL; None for what it does not say."""

    tls: bool | None
    """None: no scheme says so."""
    host: str
    port: int | None = None
    username: Text | None = None
    password: bytes | None = None
    topic: Text | None = None
    websocket: bool | None = None
    """None: no scheme says so."""
    target: str = ""
    """Path and query of the upgrade."""
    unix_path: str = ""

    def options(self) -> ConnectOptions:
        """The connection that it names, everything else as it is by default. The topic is not part of it."""
        tls = self.port == DEFAULT_TLS_PORT if self.tls is None else self.tls
        connect = Connect(username=self.username, password=self.password)
        if self.unix_path:
            return ConnectOptions(unix_path=self.unix_path, connect=connect)
        web = WebSocketOptions(self.target or WebSocketOptions().path) if self.websocket else None
        port = self.port or default_port(tls=tls, websocket=web is not None)
        return ConnectOptions(host=self.host, port=port, tls=TlsOptions() if tls else None, connect=connect, websocket=web)


def parse_url(text: str) -> ConnectOptions:
    """The connection that `text` names. Raises ConfigError with the position of what is wrong."""
    return split_url(text).options()


def split_url(text: str, *, percent: bool = True) -> Url:
    """The parts of `text`; with `percent` False a `%` is a `%` (mosquitto's `-L` decodes nothing).

    Raises ConfigError with the position of what is wrong.
    """
    start = len(text) - len(text.lstrip())
    text = text.rstrip()
    if start >= len(text):
        raise ConfigError("the URL is empty", hint="write mqtt://host:port or host:port", position=0)
    scheme, start = _scheme(text, start)
    slash = text.find("/", start)
    end = len(text) if slash < 0 else slash
    at = text.rfind("@", start, end)
    username, password = _credentials(text, start, at, percent) if at >= 0 else (None, None)
    place = start if at < 0 else at + 1
    if scheme is not None and scheme.unix:
        path = _unix_path(text, place, end, percent)
        return Url(False, "localhost", None, username, password, websocket=False, unix_path=path)
    host, port = _place(text, place, end)
    if scheme is not None and scheme.websocket:
        target = parse_target(text[end:], end) if text[end:] else ""
        return Url(scheme.tls, host, port, username, password, websocket=True, target=target)
    topic = text[end + 1 :]
    decoded = _text(_decoded(topic, end + 1, percent)) if topic else None
    if scheme is None:
        return Url(None, host, port, username, password, decoded)
    return Url(scheme.tls, host, port, username, password, decoded, websocket=False)


def parse_port(text: str, position: int | None = None) -> int:
    """A port number from 1 to 65535. Raises ConfigError."""
    if text.isascii() and text.isdecimal() and len(text) <= 6 and 1 <= int(text) <= 65535:
        return int(text)
    raise ConfigError(f"'{shorten(visible(text), 40)}' is no port", hint="write a number from 1 to 65535", position=position)


def _unix_path(text: str, start: int, end: int, percent: bool) -> str:
    if start < end:
        hint = "write three slashes: mqtt+unix:///run/mosquitto.sock"
        raise ConfigError("a Unix socket has no host", hint=hint, position=start)
    return parse_unix_path(_decoded(text[end:], end, percent).decode("utf-8", "surrogateescape"), end)


def _scheme(text: str, start: int) -> tuple[_Scheme | None, int]:
    """What the scheme means (None: there is none), and the index behind it."""
    match = _SCHEME.match(text, start)
    if match is None or not (match.group(2).endswith("//") or match.group(1).lower() in _SCHEMES.keys() | _UNSUPPORTED.keys()):
        return None, start
    name = match.group(1).lower()
    if not match.group(2).endswith("//"):
        rest = text[match.end() :]
        if rest.isascii() and rest.isdecimal():  # a host that is called `mqtt`, with a port
            return None, start
        raise ConfigError(f"{name}: needs two slashes", hint=f"write {name}://host", position=match.start(2))
    if name in _SCHEMES:
        return _SCHEMES[name], match.end()
    if name in _UNSUPPORTED:
        what, detail, hint = _UNSUPPORTED[name]
        raise ConfigError(f"{name}:// {what}", detail, hint, start)
    near = difflib.get_close_matches(name, _SCHEMES, n=1)
    raise ConfigError(
        f"{name}:// is no scheme of an MQTT broker",
        hint=f"did you mean {near[0]}://?" if near else "use mqtt:// or, for TLS, mqtts://",
        position=start,
    )


def _credentials(text: str, start: int, at: int, percent: bool) -> tuple[Text | None, bytes | None]:
    if start == at:
        return None, None
    colon = text.find(":", start, at)
    username = _text(_decoded(text[start : at if colon < 0 else colon], start, percent))
    password = None if colon < 0 else _decoded(text[colon + 1 : at], colon + 1, percent)
    return username, password


def _place(text: str, start: int, end: int) -> tuple[str, int | None]:
    if text.startswith("[", start):
        close = text.find("]", start, end)
        if close < 0:
            raise ConfigError("the bracket of the IPv6 address is not closed", hint="write [::1]:1883", position=start)
        return _ipv6(text[start + 1 : close], start + 1), _port_after(text, close + 1, end)
    place = text[start:end]
    if place.count(":") > 1:
        if _is_ipv6(place):
            return place, None
        raise ConfigError(
            "there is more than one colon in host and port", _masked_hint(text, end), "write an IPv6 address in brackets: [::1]:1883", start
        )
    colon = text.find(":", start, end)
    host = _host(text[start : end if colon < 0 else colon], start)
    return host, None if colon < 0 else _port_after(text, colon, end)


def parse_host(text: str) -> str:
    """A host name, an IPv4 or an IPv6 literal (with or without brackets), alone. Raises ConfigError."""
    if text.startswith("[") and text.endswith("]"):
        return _ipv6(text[1:-1], 1)
    if "://" in text:
        raise ConfigError("a URL is no host name", hint="give the URL by itself, without an option", position=0)
    return text if _is_ipv6(text) else _host(text, 0)


def _host(text: str, position: int) -> str:
    if not text:
        raise ConfigError("the host is missing", hint="write mqtt://host:port or host:port", position=position)
    bad = _NOT_IN_HOST.search(text)
    if bad:
        shown = visible(bad.group())
        raise ConfigError(
            f"'{shown}' cannot stand in a host name", hint="write a name or an address, without a port", position=position + bad.start()
        )
    if len(text) > _LONGEST_HOST:
        raise ConfigError(f"a host name has at most {_LONGEST_HOST} characters", position=position + _LONGEST_HOST)
    return text


def _port_after(text: str, start: int, end: int) -> int | None:
    """The port behind the colon at `start`; None if nothing stands there (`host` and `host:`)."""
    if start >= end:
        return None
    if text[start] != ":":
        raise ConfigError(f"'{visible(text[start])}' cannot follow the address", hint="write [::1]:1883", position=start)
    if start + 1 == end:
        return None
    masked = _masked_hint(text, end)
    if masked and not text[start + 1 : end].isdecimal():
        raise ConfigError("what stands behind the colon is no port", hint=masked, position=start + 1)
    return parse_port(text[start + 1 : end], start + 1)


def _masked_hint(text: str, end: int) -> str:
    """A hint in place of the text itself where that may be half of a password."""
    return "in a user name or password write %2F for / and %40 for @" if "@" in text[end:] else ""


def _ipv6(text: str, position: int) -> str:
    address = text.replace("%25", "%", 1)  # RFC 6874: the zone's % is written %25
    if not _is_ipv6(address):
        raise ConfigError(f"'{shorten(visible(text), 60)}' is no IPv6 address", hint="write [::1]:1883", position=position)
    return address


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def _decoded(text: str, position: int, percent: bool) -> bytes:
    if not percent:
        return text.encode("utf-8", "surrogateescape")
    bad = _BAD_PERCENT.search(text)
    if bad:
        raise ConfigError("a % stands without two hex digits", hint="write %25 for a %", position=position + bad.start())
    return unquote_to_bytes(text.encode("utf-8", "surrogateescape"))


def _text(raw: bytes) -> Text:
    """Str where it is UTF-8, else the bytes."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw
