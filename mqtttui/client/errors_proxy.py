"""Failures of proxies and of the own address as title, detail and hint for people. See `errors`."""

from __future__ import annotations

import errno
from dataclasses import replace

from mqtttui.client import errors
from mqtttui.client.events import Failure, Fix
from mqtttui.client.proxy import ProxyError, Trouble
from mqtttui.config.options import ConnectOptions, ProxyOptions, place_text
from mqtttui.text import preview, visible

_STEP = "proxy"
_DIRECT = (Fix.NO_PROXY,)
_BROKER = "The proxy answers; look at the broker: is it running, and are its host and port right as the proxy sees them?"

_REPLIES: dict[int, tuple[str, str]] = {
    1: ("general failure", "The proxy has a fault of its own, or does not say more: see its log."),
    2: ("not allowed by its rules", "Its rules forbid this host or port: many allow 443 only."),
    3: ("network unreachable", "The proxy has no way to the broker's network."),
    4: ("host unreachable", "The proxy does not reach the broker: is the name known there, is the host up?"),
    5: ("connection refused", _BROKER),
    6: ("TTL expired", "The proxy gets no answer from the broker: host down, or a firewall drops the packets."),
    7: ("command not supported", "This proxy takes no CONNECT: it is not meant for this."),
    8: (
        "address type not supported",
        "It takes no names, or no IPv6: socks5:// looks the name up here.",
    ),
}
"""Replies of SOCKS5 (RFC 1928, section 6)."""

_STATUSES: dict[int, str] = {
    400: "The proxy does not take this request: is it a proxy, and does it allow CONNECT?",
    401: "This is a web server with a login, not a proxy: check the port.",
    403: "Its rules forbid this host or port: many allow 443 only.",
    404: "This may be a web server instead of a proxy: check the port.",
    405: "It takes no CONNECT: a web server, or a proxy for the web alone.",
    408: "The proxy has waited too long.",
    429: "Too many requests: wait a while.",
    500: "The proxy has a fault of its own: see its log.",
    501: "It takes no CONNECT: a web server, or a proxy for the web alone.",
    502: _BROKER,
    503: _BROKER,
    504: "The proxy gets no answer from the broker: host down, or a firewall drops the packets.",
}
"""Of HTTP."""


def lookup(error: Exception, hop: ConnectOptions) -> Failure:
    """The name of the proxy could not be looked up; `hop` has it in place of the broker."""
    failure = errors.lookup(error, hop)
    return replace(failure, title=f"Proxy: {_small(failure.title)}", hint="Check the spelling of the proxy's host.", fixes=_DIRECT)


def tcp(error: OSError, hop: ConnectOptions, tried: str) -> Failure:
    """The proxy could not be connected to."""
    failure = errors.tcp(error, hop, tried)
    refused = error.errno == errno.ECONNREFUSED
    hint = "Is the proxy running, and is this its port?" if refused else failure.hint
    return replace(failure, title=f"Proxy: {_small(failure.title)}", hint=hint, fixes=_DIRECT)


def tunnel(error: OSError | ProxyError, proxy: ProxyOptions, options: ConnectOptions) -> Failure:
    """The proxy was reached, the broker was not."""
    if isinstance(error, ProxyError):
        return _said(error, proxy, options)
    if isinstance(error, TimeoutError) and error.errno is None:
        hint = "It may be a proxy of another kind (HTTP, SOCKS5), no proxy at all, or one that waits for the broker."
        return Failure("No answer from the proxy", f"nothing within {options.dial_timeout:g} s", hint, _STEP, _DIRECT)
    hint = "It may be a proxy of another kind (HTTP, SOCKS5), or no proxy at all: check kind and port."
    return Failure("Connection lost at the proxy", errors.words(error), hint, _STEP, _DIRECT)


def _said(error: ProxyError, proxy: ProxyOptions, options: ConnectOptions) -> Failure:
    place = visible(proxy.url)
    target = visible(place_text(options.host, options.port))
    match error.trouble:
        case Trouble.LOGIN_WANTED:
            hint = "Set the proxy's user name and password."
            return Failure("The proxy wants a login", _detail(error) or place, hint, _STEP)
        case Trouble.LOGIN_REFUSED:
            detail = _detail(error) or f"user name {visible(proxy.username)}"
            return Failure("The proxy refuses the login", detail, "Check the proxy's user name and password.", _STEP)
        case Trouble.LOGIN_KIND:
            detail = f"it offers {error.text}" if error.text else "it takes none of what is offered"
            hint = f"For this proxy {'only Basic' if proxy.kind == 'http' else 'user name and password'} can be used here."
            return Failure("The proxy wants a login of another kind", detail, hint, _STEP)
        case Trouble.REPLY:
            words, hint = _REPLIES.get(error.code, (f"reply {error.code}", "See the proxy's log."))
            return Failure(f"The proxy says: {words}", f"{target}: SOCKS5 reply {error.code}", hint, _STEP)
        case Trouble.STATUS:
            hint = _STATUSES.get(error.code, "See the proxy's log.")
            return Failure(f"The proxy refuses: {_detail(error)}", target, hint, _STEP)
        case Trouble.CLOSED:
            hint = "It may be a proxy of another kind (HTTP, SOCKS5), no proxy at all, or one that refuses that way."
            return Failure("The proxy closed the connection", f"{place}: no answer came", hint, _STEP, _DIRECT)
        case Trouble.LEFT:
            hint = "It took the request, then gave up without a word: see its log, and look at the broker."
            return Failure("The proxy closed the connection", f"{target}: {place} gave no reply", hint, _STEP)
        case Trouble.WAITING:
            hint = "It took the request, so it is the broker that does not answer it: host down, or a firewall drops the packets."
            return Failure("The proxy gets no answer from the broker", f"{target}: nothing within {options.dial_timeout:g} s", hint, _STEP)
        case Trouble.TARGET:
            return Failure("The proxy cannot be told this host", f"{target}: {error.text}", "Check the broker's host.", _STEP)
        case Trouble.OTHER:
            return _other(error, proxy)


def _other(error: ProxyError, proxy: ProxyOptions) -> Failure:
    kind = "HTTP" if proxy.kind == "http" else "SOCKS5"
    detail = f"it sent {preview(error.head, 80)}" + (f": {error.text}" if error.text else "")
    if kind == "SOCKS5" and error.head.startswith(b"HTTP/"):
        return Failure("Not a SOCKS5 proxy", detail, "The answer is HTTP: it may be an HTTP proxy.", _STEP, (Fix.HTTP_PROXY, *_DIRECT))
    if kind == "HTTP" and error.head[:1] == b"\x05":
        return Failure("Not an HTTP proxy", detail, "The answer is SOCKS5.", _STEP, (Fix.SOCKS_PROXY, *_DIRECT))
    article = "an HTTP" if kind == "HTTP" else "a SOCKS5"
    return Failure(f"Not {article} proxy", detail, "Something else answers on this port: check kind, host and port.", _STEP, _DIRECT)


def bind(error: OSError, text: str) -> Failure:
    """The own address cannot be used; `text` names it."""
    hints = {
        errno.EADDRNOTAVAIL: "This machine does not have this address now: ip address lists those it has.",
        errno.EADDRINUSE: "Another connection has this port: leave the port out, or wait a minute.",
        errno.EACCES: "Ports below 1024 are for the administrator: leave the port out.",
    }
    hint = hints.get(error.errno or 0, "Check the own address.")
    return Failure("Cannot connect from this address", f"{visible(text)}: {errors.words(error)}", hint, "tcp")


def other_family(text: str, host: str) -> Failure:
    """The broker has no address of the kind of the own one."""
    kind, other = ("IPv6", "IPv4") if ":" in text and not text.partition(":")[0].count(".") else ("IPv4", "IPv6")
    detail = f"{visible(text)} is {kind}, {visible(host)} has {other} only"
    return Failure("Cannot connect from this address", detail, f"Use an own address of {other}, or none.", "tcp")


def _detail(error: ProxyError) -> str:
    return f"{error.code} {error.text}".strip() if error.code else error.text


def _small(title: str) -> str:
    return f"{title[0].lower()}{title[1:]}"
