"""Name lookup, TCP, proxy, TLS and WebSocket, or a Unix socket: from ConnectOptions to a Layer that CONNECT can be written to.

Each phase is an await of its own, so that it has its own time and the phase that did not finish names the failure. The times
are taken where the thing happens, as far as that can be known; never when a task gets its next turn.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from mqtttui.client import certificates, errors, errors_proxy, errors_tls, errors_transport, tcp
from mqtttui.client.events import Failure, TlsInfo, Upgrade
from mqtttui.client.layer import Layer, TcpLayer
from mqtttui.client.proxy import ProxyError
from mqtttui.client.steps import Steps
from mqtttui.client.tls import NotTls, OtherCertificate, TlsEof, TlsLayer
from mqtttui.client.tls_setup import TlsSetupError, make_context
from mqtttui.client.tunnel import tunnel
from mqtttui.client.websocket import UpgradeError, WebSocketLayer
from mqtttui.config.options import ConnectOptions, ProxyOptions, WebSocketOptions
from mqtttui.text import visible


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
    proxy = options.proxy
    hop = options if proxy is None else replace(options, host=proxy.host, port=proxy.port)
    addresses, targets = await _resolve(options, hop, steps, deadline)
    lower, address = await _connect(hop, addresses, steps, deadline)
    try:
        if proxy is not None:
            lower = await _through(options, proxy, targets, lower, address, steps, deadline)
        layer = lower if context is None else await _secure(options, lower, context, steps, deadline, show)
        return layer if options.websocket is None else await _upgrade(options, options.websocket, layer, steps, deadline, show)
    except BaseException:
        lower.abort()
        raise


def _failed(steps: Steps, name: str, failure: Failure) -> DialError:
    steps.fail(name, failure.detail or failure.title)
    return DialError(failure)


async def _resolve(options: ConnectOptions, hop: ConnectOptions, steps: Steps, deadline: float) -> tuple[list[tcp.Address], list[str]]:
    """The addresses to connect to, and the names or addresses that a proxy is asked for, one after the other."""
    proxy = options.proxy
    wanted = {hop.host: tcp.literal(hop.host, hop.port)}
    if proxy is not None and not proxy.remote_names:
        wanted[options.host] = tcp.literal(options.host, options.port)
    if all(wanted.values()):
        ours = proxy is None or not proxy.remote_names or tcp.literal(options.host, options.port)
        steps.skip("resolve", "is an address already" if ours else "the proxy looks the name up")
    else:
        names = [name for name, found in wanted.items() if not found]
        steps.start("resolve", visible(", ".join(names)))
        found = [await _look_up(name, options if name == options.host else hop, steps, deadline) for name in names]
        wanted.update({name: each.addresses for name, each in zip(names, found, strict=True)})
        shown = [each.text for each in found]
        if len(names) > 1:
            shown = [f"{visible(name)} {text}" for name, text in zip(names, shown, strict=True)]
        steps.done("resolve", "; ".join(shown), found[-1].ended, found[0].began)
    targets = [options.host] if proxy is None or proxy.remote_names else [str(address[0]) for _, address in wanted[options.host]]
    return wanted[hop.host], targets


async def _look_up(name: str, options: ConnectOptions, steps: Steps, deadline: float) -> tcp.Found:
    try:
        async with asyncio.timeout_at(deadline):
            return await tcp.lookup(name, options.port)
    except (OSError, ValueError) as error:
        failed = errors_proxy.lookup if options.proxy is not None and options.host == options.proxy.host else errors.lookup
        raise _failed(steps, "resolve", failed(error, options)) from error


async def _connect(hop: ConnectOptions, addresses: Sequence[tcp.Address], steps: Steps, deadline: float) -> tuple[TcpLayer, tcp.Address]:
    try:
        return await tcp.connect(addresses, hop.bind, steps, deadline)
    except tcp.Unreachable as error:
        failed = errors.tcp if hop.proxy is None else errors_proxy.tcp
        raise _failed(steps, "tcp", failed(error.error, hop, error.tried)) from error
    except tcp.BindError as error:
        raise _cannot_bind(error, hop, steps) from error


def _cannot_bind(error: tcp.BindError, hop: ConnectOptions, steps: Steps) -> DialError:
    cause = error.cause
    failure = errors_proxy.other_family(hop.bind, hop.host) if cause is None else errors_proxy.bind(cause, hop.bind)
    return _failed(steps, "tcp", failure)


async def _through(
    options: ConnectOptions,
    proxy: ProxyOptions,
    targets: Sequence[str],
    lower: TcpLayer,
    address: tcp.Address,
    steps: Steps,
    deadline: float,
) -> TcpLayer:
    try:
        return await tunnel(options, proxy, targets, lower, lambda: tcp.again(address, options.bind), steps, deadline)
    except (OSError, ProxyError) as error:
        raise _failed(steps, "proxy", errors_proxy.tunnel(error, proxy, options)) from error
    except tcp.BindError as error:
        raise _cannot_bind(error, options, steps) from error


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
    info = lower.info if isinstance(lower, TlsLayer) else None
    steps.start("websocket", visible(web.path.partition("?")[0]))
    try:
        layer = WebSocketLayer(lower, options, web)
    except UpgradeError as error:
        raise _failed(steps, "websocket", errors_transport.upgrade(error, options)) from error
    try:
        async with asyncio.timeout_at(deadline):
            await layer.upgrade()
    except (OSError, UpgradeError) as error:  # ssl.SSLError and TimeoutError are OSErrors
        raise _failed(steps, "websocket", errors_transport.upgrade(error, options, layer.head, info)) from error
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
            await layer.handshake()
    except (OSError, TlsEof, NotTls, OtherCertificate) as error:  # ssl.SSLError and TimeoutError are OSErrors
        raise _failed(steps, "tls", errors_tls.handshake(error, options, layer.head, layer.info)) from error
    finally:
        if (info := layer.info) is not None:
            show.tls(info)
    steps.done("tls", layer.security, layer.ended, layer.began)
    return layer
