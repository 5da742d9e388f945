"""Failures of WebSocket and of Unix sockets as title, detail and hint for people. See `errors`."""

from __future__ import annotations

import errno
import ssl
from dataclasses import replace
from datetime import UTC, datetime
from http.client import responses

from mqtttui.capture.files.websocket import headers
from mqtttui.client import clock, errors, errors_tls
from mqtttui.client.events import Failure, Fix, TlsInfo
from mqtttui.client.websocket import UpgradeError
from mqtttui.config.options import ConnectOptions
from mqtttui.text import preview, shorten, visible

_STEP = "websocket"
_SHOWN_BODY = 160

_STATUS_HINTS: dict[int, str] = {
    200: "A web page answers at this path: WebSocket has another path or port.",
    400: "The server does not take this upgrade: check path, port and sub-protocol.",
    401: "The web server in front wants a login: add its header, such as Authorization.",
    403: "The web server in front forbids it: check its rules, path and headers (Origin too).",
    404: "There is nothing at this path: most brokers have /mqtt, some /ws or /.",
    405: "This path takes no GET, so it is no WebSocket: check the path.",
    407: "A proxy on the way wants a login.",
    421: "The server does not serve this name: check the host, or set a Host header.",
    426: "The server wants another protocol here: check port and TLS.",
    429: "Too many requests: wait a while.",
    502: "The web server in front does not reach the broker: is it running?",
    503: "The service is not available: is the broker running?",
    504: "The web server in front gets no answer from the broker.",
}

_UNIX_TABLE: dict[int, tuple[str, str]] = {
    errno.ENOENT: ("No such socket", "Is the broker running, and is this the path of its socket?"),
    errno.ECONNREFUSED: ("Connection refused", "The file is there, but nobody listens: is the broker running?"),
    errno.EACCES: ("Not permitted", "This user may not write to the socket: see its owner and mode (ls -l)."),
    errno.EPERM: ("Not permitted", "A rule of this machine forbids it."),
    errno.ENOTSOCK: ("Not a socket", "This path is a file of another kind."),
    errno.EPROTOTYPE: ("Not a stream socket", "This socket is of another kind, such as one for datagrams."),
    errno.EAGAIN: ("The socket takes no more connections now", "The broker does not accept: it hangs, or has its hands full."),
    errno.ENOTDIR: ("No such socket", "A part of the path is no folder."),
    errno.ELOOP: ("No such socket", "The links in the path lead in a circle."),
    errno.ENAMETOOLONG: ("Path too long", "The path of a socket has at most 107 bytes: make a shorter link to it."),
}
"""errno -> title, hint."""


def unix(error: OSError | ValueError, path: str) -> Failure:
    """A Unix socket that could not be connected to."""
    code = error.errno if isinstance(error, OSError) else None
    if code is None:  # Python's own word on a path that does not fit.
        return Failure("Not the path of a socket", f"{visible(path)}: {visible(str(error))}", "Check the path of the socket.", "unix")
    title, hint = _UNIX_TABLE.get(code, ("Connection failed", "Check the path of the socket."))
    return Failure(title, f"{visible(path)}: {errors.words(error)}", hint, "unix")


def upgrade(error: OSError | UpgradeError, options: ConnectOptions, head: bytes = b"", info: TlsInfo | None = None) -> Failure:
    """The upgrade to a WebSocket failed; `head` is the start of what the server sent, `info` what the TLS handshake showed."""
    closed = isinstance(error, ConnectionResetError | ssl.SSLEOFError) or error.args[:1] == ("closed during the upgrade",)
    if closed and not head and (known := errors_tls.closed_after(None, options, info)) is not None:
        return replace(known, step=_STEP)
    if isinstance(error, UpgradeError):
        return _answered(error, options)
    came = f"it sent {preview(head, 40)}" if head else ""
    if isinstance(error, TimeoutError) and error.errno is None and came:
        hint = "The server hangs while it answers, or something between holds bytes back."
        detail = f"{came}, but no whole answer within {options.dial_timeout:g} s"
        return Failure("The WebSocket upgrade did not finish", detail, hint, _STEP)
    if isinstance(error, TimeoutError) and error.errno is None:
        hint = "A port for MQTT without WebSocket may wait for more bytes; or the server hangs."
        detail = f"nothing within {options.dial_timeout:g} s"
        return Failure("No answer to the WebSocket upgrade", detail, hint, _STEP, (Fix.NO_WEBSOCKET,))
    if isinstance(error, ssl.SSLError):
        return errors_tls.alert(error, _STEP)
    hint = "A port for MQTT without WebSocket does this too; so do firewalls."
    fixes = () if came else (Fix.NO_WEBSOCKET,)
    detail = f"{errors.words(error)}; {came or 'it sent nothing'}"
    return Failure("Connection lost during the WebSocket upgrade", detail, hint, _STEP, fixes)


def _answered(error: UpgradeError, options: ConnectOptions) -> Failure:
    if error.status is not None:
        return _refused(error, error.status)
    if not error.head:
        if not error.args[0].startswith("closed"):
            return Failure("Not a WebSocket request", error.args[0], "Check host, path and headers.", _STEP)
        hint = "Brokers do this on a port for MQTT without WebSocket, and on a port that wants TLS (wss://)."
        fixes = (Fix.NO_WEBSOCKET, *(() if options.tls else (Fix.USE_TLS,)))
        return Failure("Closed during the WebSocket upgrade", "no answer came", hint, _STEP, fixes)
    if error.args[0] == "closed during the upgrade":
        hint = "The server died while it answered, or something between cuts the connection."
        return Failure("Closed during the WebSocket upgrade", f"it had sent {preview(error.head[:32], 60)}", hint, _STEP)
    if not error.head.startswith(b"HTTP/"):
        hint = "The answer is not HTTP: this port may speak MQTT without WebSocket."
        other = Failure("No WebSocket on this port", f"it sent {preview(error.head[:32], 80)}", hint, _STEP, (Fix.NO_WEBSOCKET,))
        return errors.foreign(error.head[: errors.FOREIGN_HEAD], _STEP) or other
    if error.args[0].startswith("sub-protocol"):
        asked = visible(options.websocket.protocol) if options.websocket is not None else ""
        detail = f"the server answers with {error.args[0]}, asked for was {asked or 'none'}"
        return Failure("Wrong WebSocket sub-protocol", detail, "Something other than MQTT may be at this path.", _STEP)
    hint = "Something between changes or breaks the upgrade, such as a web server that is not set up for WebSocket."
    return Failure("The WebSocket upgrade is not valid", error.args[0], hint, _STEP)


def _refused(error: UpgradeError, status: int) -> Failure:
    line = error.head.partition(b"\r\n")[0].split(b" ", 2)
    phrase = visible(line[2]) if len(line) > 2 else responses.get(status, "")
    body = shorten(" ".join(visible(error.body.decode("utf-8", "replace").replace("\n", " ").replace("\r", " ")).split()), _SHOWN_BODY)
    if status in (301, 302, 303, 307, 308):
        hint = "The server points to another address: see Location in its answer."
    elif status in _STATUS_HINTS:
        hint = _STATUS_HINTS[status]
    elif status >= 500:
        hint = "The server has a fault of its own: see its log."
    else:
        hint = "Check path, port and headers."
    if off := clock.of_answer(datetime.now(UTC), headers(error.head).get(b"date", b"").decode("latin-1")):
        hint = f"{hint} {off}"
    title = f"WebSocket refused: {status} {shorten(phrase, 60)}".rstrip()
    return Failure(title, body or "no text came with it", hint, _STEP)
