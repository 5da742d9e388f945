"""Failures of the operating system and of MQTT as title, detail and hint for people.

Every function gives a Failure whose texts are visible text. The tables come first; an error that no table knows keeps its
own words, so that nothing is lost.
"""

from __future__ import annotations

import errno
import os
import re
import socket
import ssl
from collections.abc import Sequence

from mqtttui.client import replies
from mqtttui.client.events import Failure, Fix
from mqtttui.config.options import DEFAULT_PORT, DEFAULT_TLS_PORT, ConnectOptions
from mqtttui.protocol.enums import ErrorClass, PacketType, Version
from mqtttui.protocol.packets import Connack, Properties
from mqtttui.text import shorten, visible

_OS_TABLE: dict[int, tuple[str, str, str]] = {
    errno.ECONNREFUSED: ("Connection refused", "refused", "Is the broker running, and is this its port? Firewalls refuse too."),
    errno.ETIMEDOUT: ("No answer", "no answer", "Host down, wrong address, or a firewall drops the packets."),
    errno.EHOSTUNREACH: ("Host unreachable", "unreachable", "No route to this host: check the address, the network and the VPN."),
    errno.ENETUNREACH: ("Network unreachable", "unreachable", "No route there: is the network up? IPv6 may be missing here."),
    errno.EADDRNOTAVAIL: ("Address not usable", "not usable", "This machine cannot connect from or to such an address or port."),
    errno.EAFNOSUPPORT: ("Address family not supported", "not supported", "This machine has no such network protocol, often IPv6."),
    errno.ECONNRESET: ("Connection reset", "reset", "The other side ended it hard: a crash, a firewall, or a port for something else."),
    errno.ECONNABORTED: ("Connection aborted", "aborted", "The operating system ended the connection: check the network."),
    errno.EPIPE: ("Connection closed", "closed", "The other side had closed already."),
    errno.EACCES: ("Not permitted", "not permitted", "A rule of this machine (firewall, sandbox) forbids the connection."),
    errno.EPERM: ("Not permitted", "not permitted", "A rule of this machine (firewall, sandbox) forbids the connection."),
    errno.ENETDOWN: ("Network down", "network down", "The network interface is down."),
    errno.EHOSTDOWN: ("Host down", "host down", "The host does not answer on its network."),
    errno.EMFILE: ("Too many open files", "too many open files", "Close something, or raise the limit (ulimit -n)."),
    errno.ENFILE: ("Too many open files", "too many open files", "The whole system has too many files open."),
    errno.ENOBUFS: ("No memory for the connection", "no memory", "The operating system is short of memory for the network."),
    errno.ENOMEM: ("No memory for the connection", "no memory", "The operating system is short of memory."),
    errno.EADDRINUSE: ("Address in use", "in use", "Another program has this local address and port: choose another one."),
    errno.EPROTO: ("Protocol error", "protocol error", "Something on the way answers what does not fit: a firewall?"),
    errno.ENOPROTOOPT: ("Protocol not available", "not available", "The host says that it has no TCP there: check address and port."),
    errno.EINVAL: ("Address not usable", "not usable", "The system does not take this address or port."),
}
"""errno -> title, short word for a list of attempts, hint."""

_LOOKUP_TABLE: dict[int, tuple[str, str]] = {
    socket.EAI_NONAME: ("Name not found", "Check the spelling of the host; a private name may need the VPN."),
    socket.EAI_AGAIN: ("Name lookup failed", "The name server does not answer: is the network up?"),
    socket.EAI_FAIL: ("Name lookup failed", "The name server reports a permanent error for this name."),
    getattr(socket, "EAI_NODATA", -5): ("Name has no address", "The name exists without an address: check the spelling."),
    getattr(socket, "EAI_ADDRFAMILY", -9): ("Name has no usable address", "The name has no address of a kind that works here."),
    socket.EAI_SERVICE: ("Port not usable", "Ports go from 1 to 65535."),
}

_FOREIGN: tuple[tuple[bytes, str, str, tuple[Fix, ...]], ...] = (
    (b"\x15\x03", "This port wants TLS", "The answer is a TLS alert: switch TLS on.", (Fix.USE_TLS,)),
    (b"\x16\x03", "This port wants TLS", "The answer is TLS: switch TLS on.", (Fix.USE_TLS,)),
    (b"HTTP/", "A web server answers here", "The answer is HTTP: WebSocket, or another port?", (Fix.USE_WEBSOCKET, Fix.OTHER_PORT)),
    (b"SSH-", "An SSH server answers here", "The answer is SSH, not MQTT: check the port.", (Fix.OTHER_PORT,)),
    (b"AMQP", "An AMQP server answers here", "The answer is AMQP, not MQTT: check the port.", (Fix.OTHER_PORT,)),
    (b"INFO {", "A NATS server answers here", "This is the NATS port; its MQTT port is another one.", (Fix.OTHER_PORT,)),
    (b"220", "A mail or FTP server answers here", "The answer is not MQTT: check the port.", (Fix.OTHER_PORT,)),
    (b"* OK", "A mail server answers here", "The answer is IMAP, not MQTT: check the port.", (Fix.OTHER_PORT,)),
    (b"+OK", "A mail server answers here", "The answer is POP3, not MQTT: check the port.", (Fix.OTHER_PORT,)),
    (b"-ERR", "A Redis or mail server answers here", "The answer is not MQTT: check the port.", (Fix.OTHER_PORT,)),
    (b"\x05\xff", "A SOCKS proxy answers here", "The answer is SOCKS, not MQTT: check the port.", (Fix.OTHER_PORT,)),
)
"""First bytes of what is no MQTT -> title, hint, fixes."""

_PYTHON_NOISE = re.compile(r"^\[[^\]]*\] *|\s*\(_ssl\.c:\d+\)$")
"""What Python's ssl module puts around the words of OpenSSL."""

FOREIGN_HEAD = 6
"""So many bytes tell every protocol of the table."""


def lookup(error: Exception, options: ConnectOptions) -> Failure:
    """A name that could not be looked up."""
    host = visible(options.host)
    if isinstance(error, TimeoutError):
        detail = f"{host}: nothing within {options.dial_timeout:g} s"
        return Failure("No answer to the name lookup", detail, "Is the network up?", "resolve")
    if isinstance(error, socket.gaierror):
        title, hint = _LOOKUP_TABLE.get(error.errno or 0, ("Name lookup failed", "Check the spelling of the host and the network."))
        return Failure(title, f"{host}: {words(error)}", hint, "resolve")
    why = "a part of it is empty, too long, or no text that a name can have" if isinstance(error, UnicodeError) else words(error)
    return Failure("Not a host name", f"{host or 'empty'}: {why}", "Give a name like broker.example or an address.", "resolve")


def tcp(error: OSError, options: ConnectOptions, tried: str) -> Failure:
    """No address took the connection; `tried` lists each one with its reason."""
    title, _, hint = _os_row(error)
    fixes = (Fix.OTHER_PORT,) if error.errno == errno.ECONNREFUSED and options.port in (DEFAULT_PORT, DEFAULT_TLS_PORT) else ()
    return Failure(title, tried or words(error), hint, "tcp", fixes)


def of_system(error: OSError) -> tuple[str, str]:
    """Title and hint of an error of the operating system."""
    title, _, hint = _os_row(error)
    return title, hint


_ANSWERS = {errno.ECONNREFUSED: 0, errno.ECONNRESET: 1, errno.ETIMEDOUT: 2, None: 2}
"""What an error of one address says about the host: the lower, the more."""


def most_telling(failed: Sequence[OSError]) -> OSError:
    """Of the errors of several addresses the one to report: a refusal says more than an address family that is missing here."""
    return min(reversed(failed), key=lambda error: _ANSWERS.get(error.errno, 3))


def our_fault(error: BaseException) -> Failure:
    """An exception that nobody expected ended an attempt."""
    detail = shorten(visible(f"{type(error).__name__}: {error}"), 300)
    return Failure("A fault of this program", detail, "Please report it, with what was tried.", cause=ErrorClass.PROTOCOL)


def short_reason(error: OSError) -> str:
    """One or two words: `refused`, `no answer`, `unreachable`."""
    return _os_row(error)[1]


def foreign(head: bytes, step: str = "connack") -> Failure | None:
    """What speaks here instead of MQTT, told from its first bytes; None if they could be MQTT."""
    for start, title, hint, fixes in _FOREIGN:
        if head.startswith(start):
            return Failure(title, f"it sent {visible(head)}", hint, step, fixes, ErrorClass.PROTOCOL)
    return None


def could_be_foreign(head: bytes) -> bool:
    """Whether more bytes could make `foreign` know it."""
    return any(start.startswith(head) for start, *_ in _FOREIGN)


def refused(connack: Connack, version: Version) -> Failure:
    """A CONNACK that says no."""
    # A server without MQTT 5 answers in the words of 3.1.1.
    table = Version.V311 if version is Version.V5 and connack.code < 0x80 else version
    why = replies.explain(connack.code, connack.properties, PacketType.CONNACK, table)
    fixes: tuple[Fix, ...] = ()
    hint = why.hint
    if connack.code == 0x01 or (version is Version.V5 and connack.code == 0x84):
        fixes = (Fix.USE_V5,) if version is Version.V311 else (Fix.USE_311,)
        other = "MQTT 5, or 3.1 if it is old" if version is Version.V311 else "3.1.1, which nearly every broker speaks"
        hint = f"The broker does not speak MQTT {version.label}: try {other}."
    return Failure(f"Refused: {why.label}", why.detail, hint, "connack", fixes, ErrorClass.REFUSED)


def malformed_connack() -> Failure:
    """A CONNACK that cannot be read."""
    hint = "A fault of the broker or of something between."
    title = "The broker's CONNACK is malformed"
    return Failure(title, "see its notes in the packet list", hint, "connack", cause=ErrorClass.PROTOCOL)


def authentication_wanted() -> Failure:
    """An AUTH packet before CONNACK, although the CONNECT named no method [MQTT-4.12.0-6]."""
    hint = "The CONNECT has no Authentication Method: add that property, and its data, in the Connection pane."
    detail = "an AUTH packet came instead of CONNACK"
    return Failure("The broker asks for AUTH", detail, hint, "connack", cause=ErrorClass.REFUSED)


def authentication_failed(text: str, step: str) -> Failure:
    """The exchange of AUTH packets cannot go on; `text` is visible text."""
    hint = "Check method, user name and password; a wrong signature means that the server does not know the password."
    return Failure("Authentication failed", text, hint, step, cause=ErrorClass.REFUSED)


def authentication_unanswered(seconds: float) -> Failure:
    """The user did not answer the server's AUTH."""
    detail = f"AUTH was not answered within {seconds:g} s"
    return Failure(
        "No answer to AUTH was given", detail, "Connect again, and type the answer in time.", "connack", cause=ErrorClass.TIMEOUT
    )


def framing(text: str, step: str = "") -> Failure:
    """Bytes that are no control packets."""
    hint = "The broker, or something between, sends what is not MQTT; what came is the last row of the connection."
    return Failure("Unreadable bytes from the broker", visible(text), hint, step, cause=ErrorClass.PROTOCOL)


def server_disconnect(code: int, properties: Properties, version: Version) -> Failure:
    """A DISCONNECT of the server."""
    why = replies.explain(code, properties, PacketType.DISCONNECT, version)
    return Failure(f"The server disconnected: {why.label}", why.detail, why.hint)


def keep_alive(seconds: float) -> Failure:
    """Nothing came back although a PINGREQ was sent."""
    hint = "The link is dead or the broker hangs: suspended machine, lost Wi-Fi, a NAT entry that ran out."
    detail = f"no PINGRESP and nothing else for {seconds:.0f} s"
    return Failure("Keep-alive time-out", detail, hint, cause=ErrorClass.TIMEOUT)


def ssl_reason(error: ssl.SSLError) -> str:
    """OpenSSL's name of the error; made of its words where Python does not know the name."""
    return getattr(error, "reason", None) or _PYTHON_NOISE.sub("", str(error)).upper().replace(" ", "_")


def _os_row(error: OSError) -> tuple[str, str, str]:
    code = error.errno
    if isinstance(error, TimeoutError) and code is None:
        code = errno.ETIMEDOUT
    row = _OS_TABLE.get(code or 0)
    return row or ("Connection failed", words(error), "Check address, port and network.")


def sent(head: bytes) -> str:
    """What the peer sent first, as hex."""
    return f"it sent {head.hex(' ')}" if head else "it sent nothing"


def words(error: Exception) -> str:
    """The error's own words, without the noise that libraries put around them."""
    if isinstance(error, ssl.SSLCertVerificationError):
        text = error.verify_message
    elif isinstance(error, ssl.SSLError):
        text = (ssl_reason(error) or _PYTHON_NOISE.sub("", str(error))).replace("_", " ").lower()
    elif isinstance(error, TimeoutError) and error.errno is None:
        text = "no answer in time"
    elif isinstance(error, OSError) and error.strerror:
        text = error.strerror
    elif isinstance(error, OSError) and error.errno:
        text = os.strerror(error.errno)
    else:
        text = str(error) or type(error).__name__
    return shorten(visible(text), 300)
