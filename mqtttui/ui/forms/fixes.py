"""Likely mends of a failed connect, applied to its options."""

from __future__ import annotations

from dataclasses import replace

from mqtttui.client.events import Fix
from mqtttui.config.options import DEFAULT_PORT, DEFAULT_TLS_PORT, ConnectOptions, TlsOptions
from mqtttui.protocol.enums import Version


def apply_fix(options: ConnectOptions, fix: Fix) -> ConnectOptions:
    """The options with one thing changed; a standard port follows TLS."""
    match fix:
        case Fix.USE_TLS:
            port = DEFAULT_TLS_PORT if options.port == DEFAULT_PORT else options.port
            return replace(options, tls=options.tls or TlsOptions(), port=port)
        case Fix.NO_TLS:
            port = DEFAULT_PORT if options.port == DEFAULT_TLS_PORT else options.port
            return replace(options, tls=None, port=port)
        case Fix.USE_311:
            will = options.connect.will
            plain = replace(will, properties=()) if will is not None else None
            return replace(options, connect=replace(options.connect, version=Version.V311, properties=(), will=plain))
        case Fix.USE_V5:
            return replace(options, connect=replace(options.connect, version=Version.V5))
        case Fix.OTHER_PORT:
            return replace(options, port=other_port(options))


def other_port(options: ConnectOptions) -> int:
    """The standard port, or, if that was it, the one with (without) TLS."""
    standard, other = (DEFAULT_TLS_PORT, DEFAULT_PORT) if options.tls else (DEFAULT_PORT, DEFAULT_TLS_PORT)
    return other if options.port == standard else standard


def fix_label(options: ConnectOptions, fix: Fix) -> str:
    """`use TLS on port 8883`: what the fix would do."""
    fixed = apply_fix(options, fix)
    if fix is Fix.OTHER_PORT:
        return f"try port {fixed.port}"
    return fix.value if fixed.port == options.port else f"{fix.value}, port {fixed.port}"
