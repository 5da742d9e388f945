"""Likely mends of a failed connect, applied to its options."""

from __future__ import annotations

from dataclasses import replace

from mqtttui.client.events import Fix
from mqtttui.config.options import ConnectOptions, TlsOptions, WebSocketOptions, default_port
from mqtttui.protocol.enums import Version
from mqtttui.text import shorten, visible

_NAME = 60


def apply_fix(options: ConnectOptions, fix: Fix, value: str = "") -> ConnectOptions:
    """The options with one thing changed, to `value` if the fix needs one; a standard port follows TLS."""
    match fix:
        case Fix.USE_TLS:
            return _moved(options, replace(options, tls=options.tls or TlsOptions()))
        case Fix.NO_TLS:
            return _moved(options, replace(options, tls=None))
        case Fix.USE_WEBSOCKET:
            return replace(options, websocket=options.websocket or WebSocketOptions())  # Something answered HTTP on this port.
        case Fix.NO_WEBSOCKET:
            return _moved(options, replace(options, websocket=None))
        case Fix.USE_311:
            will = options.connect.will
            plain = replace(will, properties=()) if will is not None else None
            return replace(options, connect=replace(options.connect, version=Version.V311, properties=(), will=plain))
        case Fix.USE_V5:
            return replace(options, connect=replace(options.connect, version=Version.V5))
        case Fix.OTHER_PORT:
            return replace(options, port=other_port(options))
        case Fix.NO_PROXY:
            return replace(options, proxy=None)
        case Fix.HTTP_PROXY | Fix.SOCKS_PROXY:
            kind = "http" if fix is Fix.HTTP_PROXY else "socks5"
            return replace(options, proxy=replace(options.proxy, kind=kind, remote_names=True) if options.proxy else None)
        case Fix.SERVER_NAME:
            return replace(options, tls=replace(options.tls or TlsOptions(), server_name=value))
        case Fix.PIN:
            return replace(options, tls=replace(options.tls or TlsOptions(), fingerprint=value, verify=False))


def other_port(options: ConnectOptions) -> int:
    """The standard port, or, if that was it, the one with (without) TLS."""
    tls = options.tls is not None
    standard, other = (default_port(tls=each, websocket=options.websocket is not None) for each in (tls, not tls))
    return other if options.port == standard else standard


def _moved(before: ConnectOptions, after: ConnectOptions) -> ConnectOptions:
    """`after`, on the standard port of its transport if `before` was on that of its own."""
    was, now = (default_port(tls=each.tls is not None, websocket=each.websocket is not None) for each in (before, after))
    return replace(after, port=now) if before.port == was else after


def fix_label(options: ConnectOptions, fix: Fix, value: str = "") -> str:
    """`use TLS on port 8883`: what the fix would do."""
    if fix is Fix.SERVER_NAME:
        return f"expect the name {shorten(visible(value), _NAME)}"
    fixed = apply_fix(options, fix, value)
    if fix is Fix.OTHER_PORT:
        return f"try port {fixed.port}"
    return fix.value if fixed.port == options.port else f"{fix.value}, port {fixed.port}"
