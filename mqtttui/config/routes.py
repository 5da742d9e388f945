"""The way to the broker as people name it: a proxy, `socks5h://user:password@host:port`, and the own address, `192.0.2.7:40000`."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import unquote_to_bytes

from mqtttui.config.errors import ConfigError
from mqtttui.config.options import DEFAULT_SOCKS_PORT, ProxyOptions
from mqtttui.config.urls import parse_host, parse_port
from mqtttui.text import shorten, visible

ROUTE = ("proxy", "proxy-password-file", "bind")
"""Keys of these options."""

LONGEST_LOGIN = 255
"""Bytes of a user name and of a password (RFC 1929, section 2); for HTTP as well, so that the kind can be changed."""

_SCHEMES = {"http": ("http", True), "socks5": ("socks5", False), "socks5h": ("socks5", True)}
"""Scheme -> kind, and whether the proxy looks names up."""
_REFUSED = {
    "https": "TLS to the proxy itself is not supported; write http:// for a proxy that takes CONNECT, TLS to the broker goes through it",
    "socks": "write socks5h:// (the proxy looks the name up) or socks5://",
    "socks4": "SOCKS 4 is not supported; write socks5h:// if the proxy takes it",
    "socks4a": "SOCKS 4 is not supported; write socks5h:// if the proxy takes it",
}
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


def parse_proxy(text: str) -> ProxyOptions:
    """`http://`, `socks5://` or `socks5h://`, a login, host and port. Raises ConfigError, which repeats no login."""
    scheme, colon, rest = text.strip().partition("://")
    known = _SCHEMES.get(scheme.lower())
    if not colon or known is None:
        hint = _REFUSED.get(scheme.lower() if colon else "", "write http://host:port, socks5h://host:port or socks5://host:port")
        raise ConfigError("this is no proxy that can be used", hint=hint)
    kind, remote = known
    authority, slash, path = rest.partition("/")
    login, at, place = authority.rpartition("@")
    if (slash and path) or (not at and "@" in path):
        raise ConfigError("the address of a proxy has no path", hint="in a user name or password write %2F for / and %40 for @")
    username, _, password = login.partition(":")
    user, secret = _decoded(username), _decoded(password)
    check_login(kind, user, secret)
    host, port = split_place(place)
    if port is None and kind == "http":
        raise ConfigError("the port of the proxy is missing", hint="write http://host:port; usual are 3128 and 8080")
    return ProxyOptions(kind, parse_host(host), port or DEFAULT_SOCKS_PORT, user, secret, remote)


def check_login(kind: str, username: str, password: str) -> None:
    """Raises ConfigError for a login that a proxy of this kind cannot be sent."""
    if password and not username:
        raise ConfigError("a password needs a user name", hint="write user:password@ before the host")
    for what, value in (("user name", username), ("password", password)):
        if len(value.encode("utf-8", "surrogateescape")) > LONGEST_LOGIN:
            raise ConfigError(f"the {what} of a proxy has at most {LONGEST_LOGIN} bytes")
    if kind == "http" and ":" in username:
        raise ConfigError("the user name of an HTTP proxy cannot have a colon", hint="RFC 7617 ends the name at the first one")
    if any(ord(char) < 0x20 or char == "\x7f" for char in username + password):
        raise ConfigError("a login of a proxy has no control characters")


def parse_bind(text: str) -> str:
    """An own address, with a port or without, in its one form. Raises ConfigError."""
    host, port = split_place(text.strip())
    address = parse_host(host)
    try:
        ipaddress.ip_address(address)
    except ValueError:
        raise ConfigError(
            f"'{shorten(visible(address), 40)}' is no address of this machine", hint="write an address, such as 192.0.2.7"
        ) from None
    if port is None:
        return address
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def bind_address(text: str) -> tuple[str, int]:
    """Address and port of what `parse_bind` gave; port 0: any."""
    host, port = split_place(text)
    return parse_host(host), port or 0


@dataclass(slots=True)
class RouteDraft:
    """What options say about the way to the broker."""

    proxy: ProxyOptions | None = None
    bind: str = ""
    password: str | None = None

    def take(self, key: str, value: str, read_secret: Callable[[str], bytes]) -> bool:
        """Take over an option; False if it is about something else. Raises ConfigError."""
        match key:
            case "proxy":
                self.proxy = parse_proxy(value) if value.strip() else None
            case "proxy-password-file":
                self.password = read_secret(value).decode("utf-8", "surrogateescape")
            case "bind":
                self.bind = parse_bind(value) if value.strip() else ""
            case _:
                return False
        return True

    def result(self) -> ProxyOptions | None:
        """The proxy, if there is to be one. Raises ConfigError."""
        if self.proxy is None or self.password is None:
            return self.proxy
        check_login(self.proxy.kind, self.proxy.username, self.password)
        return replace(self.proxy, password=self.password)


def split_place(text: str) -> tuple[str, int | None]:
    """Host and port of `host`, `host:port`, `[v6]:port`, and of an IPv6 literal alone. Raises ConfigError for a bad port."""
    if text.startswith("["):
        host, bracket, rest = text.partition("]")
        host += bracket
        if rest and not rest.startswith(":"):
            raise ConfigError(f"'{shorten(visible(rest), 20)}' cannot follow the address", hint="write [::1]:1080")
        return host, parse_port(rest[1:]) if len(rest) > 1 else None
    if text.count(":") != 1:
        return text, None
    host, _, port = text.partition(":")
    return host, parse_port(port) if port else None


def _decoded(text: str) -> str:
    if _BAD_PERCENT.search(text):
        raise ConfigError("a % stands without two hex digits in the login of the proxy", hint="write %25 for a %")
    return unquote_to_bytes(text.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")
