"""Name lookup, TCP, TLS and WebSocket, or a Unix socket: from ConnectOptions to a Layer that CONNECT can be written to.

Each phase is an await of its own, so that it has its own time and the phase that did not finish names the failure. The times
are taken where the thing happens: around the lookup in its thread, at `connect` and when the socket turns writable, around the
handshake; never when a task gets its next turn.
"""

from __future__ import annotations

import asyncio
import encodings.idna  # noqa: F401 - else the first lookup of a name would take as long as loading it
import errno
import os
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mqtttui.client import certificates, errors, errors_tls, errors_transport
from mqtttui.client.arrival import StampedSocket
from mqtttui.client.events import Failure, TlsInfo, Upgrade
from mqtttui.client.layer import Layer, TcpLayer, address_text
from mqtttui.client.steps import Steps
from mqtttui.client.threads import in_thread
from mqtttui.client.tls import NotTls, OtherCertificate, TlsEof, TlsLayer
from mqtttui.client.tls_setup import TlsSetupError, make_context
from mqtttui.client.websocket import UpgradeError, WebSocketLayer
from mqtttui.config.options import ConnectOptions, WebSocketOptions
from mqtttui.text import visible

Address = tuple[socket.AddressFamily, tuple[Any, ...]]

_SHOWN_ADDRESSES = 8


class DialError(Exception):
    """Dialing failed; `failure` says why, for people."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.title)
        self.failure = failure


@dataclass(frozen=True, slots=True)
class Showing:
    """Hears what the phases show, whether they worked or not."""

    tls: Callable[[TlsInfo], None]
    upgrade: Callable[[Upgrade], None]


async def dial(options: ConnectOptions, steps: Steps, show: Showing) -> Layer:
    """Connect to the broker, up to and including TLS and WebSocket. Raises DialError. Cancelling closes everything at once."""
    if options.unix_path:
        return await _connect_unix(options, steps)
    context = None
    if options.tls is None:
        steps.skip("tls", "off")
    else:
        await certificates.load()
        try:
            context = make_context(options.tls)
        except TlsSetupError as error:
            raise _failed(steps, "tls", errors_tls.tls_setup(error)) from error
    deadline = asyncio.get_running_loop().time() + options.dial_timeout
    addresses = await _resolve(options, steps, deadline)
    tcp = await _connect(options, addresses, steps, deadline)
    try:
        layer = tcp if context is None else await _secure(options, tcp, context, steps, deadline, show)
        return layer if options.websocket is None else await _upgrade(options, options.websocket, layer, steps, deadline, show)
    except BaseException:
        tcp.abort()
        raise


def _failed(steps: Steps, name: str, failure: Failure) -> DialError:
    steps.fail(name, failure.detail or failure.title)
    return DialError(failure)


async def _resolve(options: ConnectOptions, steps: Steps, deadline: float) -> list[Address]:
    try:
        literal = _getaddrinfo(options.host, options.port, socket.AI_NUMERICHOST)
    except (OSError, UnicodeError, ValueError):
        pass  # No address: a name, to be looked up.
    else:
        steps.skip("resolve", "is an address already")
        return literal
    steps.start("resolve", visible(options.host))
    try:
        async with asyncio.timeout_at(deadline):
            found = await _lookup(options.host, options.port)
    except (OSError, UnicodeError, ValueError) as error:
        raise _failed(steps, "resolve", errors.lookup(error, options)) from error
    shown = [str(address[0]) for _, address in found.addresses[:_SHOWN_ADDRESSES]]
    more = len(found.addresses) - len(shown)
    steps.done("resolve", ", ".join(shown) + (f" and {more} more" if more else ""), found.ended, found.began)
    return found.addresses


@dataclass(frozen=True, slots=True)
class _Found:
    """What a lookup gave; times in monotonic ns."""

    addresses: list[Address]
    began: int
    ended: int


async def _lookup(host: str, port: int) -> _Found:
    def work() -> _Found:
        began = time.monotonic_ns()
        return _Found(_getaddrinfo(host, port), began, time.monotonic_ns())

    return await in_thread(work, f"lookup {host}")


def _getaddrinfo(host: str, port: int, flags: int = 0) -> list[Address]:
    if not host:
        raise ValueError("the host is empty")
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP, flags=flags)
    return list(dict.fromkeys((family, address) for family, _, _, _, address in found))


async def _connect(options: ConnectOptions, addresses: Sequence[Address], steps: Steps, deadline: float) -> TcpLayer:
    """Try the addresses in turn; each has its share of the time that is left."""
    loop = asyncio.get_running_loop()
    steps.start("tcp")
    tried: list[str] = []
    failed: list[OSError] = []
    for index, (family, address) in enumerate(addresses):
        name = address_text(address)
        share = (deadline - loop.time()) / (len(addresses) - index)
        steps.note("tcp", "; ".join([*tried, f"{name} …"]))
        steps.begin_try("tcp", name)
        try:
            async with asyncio.timeout(max(share, 0)):
                layer, began, ended = await _open(family, address)
        except OSError as error:  # TimeoutError is one
            failed.append(error)
            why = errors.short_reason(error)
            tried.append(f"{name} {why}")
            steps.end_try("tcp", why)
            continue
        steps.end_try("tcp", ended=ended)
        steps.done("tcp", "; ".join([*tried, layer.remote or name]), ended, began)
        return layer
    failure = errors.tcp(errors.most_telling(failed or [OSError("no address")]), options, "; ".join(tried))
    raise _failed(steps, "tcp", failure)


async def _open(family: socket.AddressFamily, address: tuple[Any, ...]) -> tuple[TcpLayer, int, int]:
    """The connection, and when it was begun and established (monotonic ns)."""
    loop = asyncio.get_running_loop()
    sock = StampedSocket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        began, ended = await _established(sock, address)
        _, layer = await loop.create_connection(lambda: TcpLayer(sock), sock=sock)
    except BaseException:
        sock.close()
        raise
    return layer, began, ended


async def _established(sock: socket.socket, address: tuple[Any, ...]) -> tuple[int, int]:
    """Connects, and gives when `connect` was called and when the socket was found writable. Raises OSError."""
    loop = asyncio.get_running_loop()
    writable: asyncio.Future[int] = loop.create_future()

    def stamp() -> None:
        if not writable.done():
            writable.set_result(time.monotonic_ns())

    began = time.monotonic_ns()
    code = sock.connect_ex(address)
    if code == 0:
        return began, time.monotonic_ns()
    if code not in (errno.EINPROGRESS, errno.EINTR):
        raise OSError(code, os.strerror(code))
    loop.add_writer(sock, stamp)
    try:
        ended = await writable
    finally:
        loop.remove_writer(sock)
    if (code := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)) != 0:
        raise OSError(code, os.strerror(code))
    return began, ended


async def _connect_unix(options: ConnectOptions, steps: Steps) -> Layer:
    """Connecting to a Unix socket works or fails at once."""
    path = options.unix_path
    steps.start("unix", visible(path))
    loop = asyncio.get_running_loop()
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        # Not the loop's sock_connect: it waits where the listener's queue is full, and then takes a failure for success.
        sock.connect(path)
        _, layer = await loop.create_connection(lambda: TcpLayer(sock), sock=sock)
    except (OSError, ValueError) as error:
        sock.close()
        raise _failed(steps, "unix", errors_transport.unix(error, path)) from error
    except BaseException:
        sock.close()
        raise
    steps.done("unix")
    return layer


async def _upgrade(
    options: ConnectOptions, web: WebSocketOptions, lower: Layer, steps: Steps, deadline: float, show: Showing
) -> WebSocketLayer:
    steps.start("websocket", visible(web.path.partition("?")[0]))
    try:
        layer = WebSocketLayer(lower, options, web)
    except UpgradeError as error:
        raise _failed(steps, "websocket", errors_transport.upgrade(error, options)) from error
    try:
        async with asyncio.timeout_at(deadline):
            await layer.upgrade()
    except (OSError, UpgradeError) as error:  # ssl.SSLError and TimeoutError are OSErrors
        raise _failed(steps, "websocket", errors_transport.upgrade(error, options, layer.head)) from error
    finally:
        show.upgrade(layer.exchange)
    said = f"sub-protocol {visible(layer.protocol)}" if layer.protocol else "no sub-protocol"
    steps.done("websocket", said, layer.answered, layer.asked)
    return layer


async def _secure(options: ConnectOptions, lower: Layer, context: ssl.SSLContext, steps: Steps, deadline: float, show: Showing) -> TlsLayer:
    assert options.tls is not None
    name = options.tls.server_name or options.host.partition("%")[0]
    steps.start("tls", f"as {visible(name)}")
    try:
        layer = TlsLayer(lower, context, name, options.tls.fingerprint)
    except ValueError as error:
        raise _failed(steps, "tls", errors_tls.bad_server_name(name)) from error
    try:
        async with asyncio.timeout_at(deadline):
            began = time.monotonic_ns()
            await layer.handshake()
            ended = time.monotonic_ns()
    except (OSError, TlsEof, NotTls, OtherCertificate) as error:  # ssl.SSLError and TimeoutError are OSErrors
        raise _failed(steps, "tls", errors_tls.handshake(error, options, layer.head, layer.info)) from error
    finally:
        if (info := layer.info) is not None:
            show.tls(info)
    steps.done("tls", layer.security, ended, began)
    return layer
