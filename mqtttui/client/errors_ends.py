"""Connections that end, or stay silent, without a word of MQTT: title, detail and hint from what was seen. See `errors`."""

from __future__ import annotations

import ssl
from dataclasses import dataclass

from mqtttui.client import errors, errors_tls
from mqtttui.client.events import Failure, Fix, TlsInfo
from mqtttui.client.websocket import WebSocketBroken, WebSocketClosed
from mqtttui.config.options import DEFAULT_TLS_PORT, ConnectOptions
from mqtttui.protocol.enums import ErrorClass, Version
from mqtttui.text import visible

_KEEP_ALIVE_SHARE = 1.4
"""Brokers close one and a half keep-alives after the latest packet; some count a little faster."""
_AUTH = 0xF0
"""First byte of an AUTH."""

_CLOSE_HINTS = {
    1001: "The server, or a proxy before it, goes away: a restart?",
    1002: "The server takes our frames for wrong: something between may change them.",
    1003: "The server does not take such data: is MQTT spoken at this path?",
    1008: "A rule of the server or of a proxy before it: rights, rates, origin. See its log.",
    1009: "A message was too large for the server, or for a proxy before it.",
    1011: "The server has a fault of its own: see its log.",
    1012: "The service restarts: connect again.",
    1013: "The server has its hands full: try again later.",
}
"""Code of a WebSocket's close frame -> what to check (RFC 6455, section 7.4.1)."""

_CLOSERS = "AWS IoT, RabbitMQ, NATS and aedes close instead of answering."


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a connection on which no CONNACK came."""

    head: bytes = b""
    """The first bytes that the server sent; empty if none came."""
    size: int = 0
    """Bytes of the CONNECT."""
    unsent: int = 0
    """So many of them have not left."""
    tls: TlsInfo | None = None
    """What the TLS handshake showed."""


@dataclass(frozen=True, slots=True)
class Before:
    """What went before the end of a connection that was accepted."""

    client_id: str = ""
    """Visible text."""
    sent: str = ""
    """What had left just before: `a PUBLISH to x`; empty if nothing had."""
    after: float = 0.0
    """Seconds between the two."""
    quiet: float = 0.0
    """Seconds since anything left."""
    keep_alive: int = 0
    """Seconds in force."""


def closed_before_connack(reason: Exception | None, options: ConnectOptions, seen: Seen = Seen()) -> Failure:
    """The connection ended after CONNECT, without a whole answer."""
    if isinstance(reason, ssl.SSLError) and not isinstance(reason, ssl.SSLEOFError):
        return errors_tls.alert(reason, "connack")
    if isinstance(reason, WebSocketBroken):
        return _broken(reason, "connack")
    closed = reason is None or isinstance(reason, WebSocketClosed)
    if seen.head:
        end = "closed" if closed or reason is None else errors.words(reason)
        if seen.head[0] == _AUTH:
            hint = "The broker gave up or died during the authentication, or something between cuts the connection."
            return Failure("Closed during the authentication", f"AUTH came, no CONNACK, then: {end}", hint, "connack")
        hint = "The broker died while it answered, or something between cuts the connection."
        return Failure("The answer to CONNECT was cut off", f"{_came(seen.head)}, then: {end}", hint, "connack")
    if options.transport == "tls" and (known := errors_tls.closed_after(reason, options, seen.tls)) is not None:
        return known
    title = "Closed without answering CONNECT" if closed else "Connection lost before CONNACK"
    detail = errors.words(reason) if reason else "no CONNACK came"
    return Failure(title, detail, _why_closed(options), "connack", _ways_out(reason, options))


def _why_closed(options: ConnectOptions) -> str:
    rest = "or a login that is not taken? Some brokers close instead of answering."
    if options.transport in ("ws", "wss", "unix"):
        return f"Wrong MQTT version, {rest}"
    if options.tls is None:
        return f"Wrong MQTT version, TLS wanted, {rest}"
    wanted = "" if options.tls.certificate else " a client certificate wanted,"
    return f"Wrong MQTT version,{wanted} {rest}"


def _ways_out(reason: Exception | None, options: ConnectOptions) -> tuple[Fix, ...]:
    fixes = [Fix.USE_TLS] if options.transport == "tcp" else []
    if options.connect.version is not Version.V311:
        # A server that wants TLS reads the first bytes only, and what it leaves unread makes the close a reset.
        wants_tls = isinstance(reason, ConnectionResetError) or (options.transport == "tcp" and options.port == DEFAULT_TLS_PORT)
        fixes.insert(len(fixes) if wants_tls else 0, Fix.USE_311)
    return tuple(fixes)


def no_connack(options: ConnectOptions, seen: Seen = Seen()) -> Failure:
    """The answer did not come in time, or not whole; or the CONNECT has not even left."""
    limit = f"within {options.connack_timeout:g} s"
    if seen.unsent:
        hint = "The other side does not read: the broker hangs, or the way there is blocked (a VPN, a firewall, large packets lost)."
        detail = f"{seen.unsent:,} of {seen.size:,} bytes could not leave {limit}"
        return Failure("CONNECT could not leave", detail, hint, "connect", cause=ErrorClass.TIMEOUT)
    if seen.head:
        hint = "The broker hangs while it answers, or something between holds bytes back."
        if seen.head[0] == _AUTH:
            detail = f"AUTH came, no CONNACK {limit}"
            return Failure("The authentication did not end", detail, hint, "connack", cause=ErrorClass.TIMEOUT)
        detail = f"only {_came(seen.head)} {limit}"
        return Failure("The answer to CONNECT did not come whole", detail, hint, "connack", cause=ErrorClass.TIMEOUT)
    fixes = {"tcp": (Fix.USE_TLS,), "tls": (Fix.OTHER_PORT,)}.get(options.transport, ())
    hint = "The broker hangs, or the port speaks something else that waits (TLS, a proxy)."
    return Failure("No answer to CONNECT", f"no CONNACK {limit}", hint, "connack", fixes, ErrorClass.TIMEOUT)


def lost(reason: Exception | None, before: Before) -> Failure:
    """A connection that ended without DISCONNECT."""
    if isinstance(reason, WebSocketBroken):
        return _broken(reason, "")
    closed = reason is None or isinstance(reason, WebSocketClosed)
    how = "without DISCONNECT" if reason is None else errors.words(reason)
    # A server that closes and leaves bytes unread makes it a reset.
    if before.sent and (closed or isinstance(reason, ConnectionResetError)):
        detail = f"{how}, {before.after * 1000:.0f} ms after {before.sent}"
        title = "The server closed the connection after a packet" if closed else "Connection reset after a packet"
        return Failure(title, detail, _why_kicked(before.sent))
    if closed:
        if before.keep_alive and before.quiet >= _KEEP_ALIVE_SHARE * before.keep_alive:
            detail = f"{how}; nothing had left for {before.quiet:.0f} s, the keep-alive is {before.keep_alive:,} s"
            hint = "The broker gives up after one and a half keep-alives without a packet: were pings held back?"
            return Failure("The server closed the connection: keep-alive", detail, hint, cause=ErrorClass.TIMEOUT)
        if isinstance(reason, WebSocketClosed) and reason.code in _CLOSE_HINTS:
            hint = _CLOSE_HINTS[reason.code]
        elif before.client_id:
            whose = f"Taken over by another client with the id {before.client_id}?"
            hint = f"{whose} Or the broker stopped, or kicked this client: see its log."
        else:
            hint = "The broker stopped, or kicked this client: see its log."
        return Failure("The server closed the connection", how if reason is None else f"without DISCONNECT: {how}", hint)
    if isinstance(reason, ssl.SSLError):
        return errors_tls.alert(reason, "")
    if isinstance(reason, OSError):
        title, hint = errors.of_system(reason)
        return Failure(f"Connection lost: {title[0].lower()}{title[1:]}", how, hint)
    return Failure("Connection lost", how, "Check the network and the broker.")


def _why_kicked(sent: str) -> str:
    if sent.startswith("a PUBLISH"):
        return f"Probably no right to publish there, or a packet that is too large: {_CLOSERS}"
    if sent.startswith("a SUBSCRIBE"):
        return f"Probably no right to such a filter ($SYS, # and $share are refused that way, too): {_CLOSERS}"
    return "The broker takes the packet for malformed or not allowed: see the findings."


def _broken(reason: WebSocketBroken, step: str) -> Failure:
    hint = "The broker, or something between, sends what is no WebSocket."
    return Failure("Unreadable WebSocket frames from the server", errors.words(reason), hint, step)


def _came(head: bytes) -> str:
    return f"{visible(head.hex(' '))} came"
