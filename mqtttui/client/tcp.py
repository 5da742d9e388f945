"""From a host to a TCP connection: name lookup, then each address in turn, from the own address if one is given.

The times are taken where the thing happens: around the lookup in its thread, at `connect` and one round trip of the system's
later; never when a task gets its next turn.
"""

from __future__ import annotations

import asyncio
import encodings.idna  # noqa: F401 - else the first lookup of a name would take as long as loading it
import errno
import os
import select
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mqtttui.client import errors, tcp_info
from mqtttui.client.arrival import StampedSocket
from mqtttui.client.layer import TcpLayer, address_text
from mqtttui.client.steps import Steps
from mqtttui.client.threads import in_thread
from mqtttui.config.errors import ConfigError
from mqtttui.config.routes import bind_address

Address = tuple[socket.AddressFamily, tuple[Any, ...]]

_SHOWN = 8


class BindError(Exception):
    """The own address cannot be used; `cause` says why, None where no address of the host is of its family."""

    def __init__(self, cause: OSError | None) -> None:
        super().__init__(str(cause))
        self.cause = cause


class Unreachable(Exception):
    """No address took the connection: the error that says the most, and each address with its reason."""

    def __init__(self, error: OSError, tried: str) -> None:
        super().__init__(tried)
        self.error = error
        self.tried = tried


@dataclass(frozen=True, slots=True)
class Found:
    """What a lookup gave; times in monotonic ns."""

    addresses: list[Address]
    began: int
    ended: int

    @property
    def text(self) -> str:
        """`192.0.2.1, 192.0.2.2 and 3 more`."""
        shown = [str(address[0]) for _, address in self.addresses[:_SHOWN]]
        more = len(self.addresses) - len(shown)
        return ", ".join(shown) + (f" and {more} more" if more else "")


def literal(host: str, port: int) -> list[Address]:
    """The address that `host` is already; empty for a name."""
    try:
        return _getaddrinfo(host, port, socket.AI_NUMERICHOST)
    except (OSError, ValueError):
        return []


async def lookup(host: str, port: int) -> Found:
    """The addresses of a name. Raises OSError or ValueError."""

    def work() -> Found:
        began = time.monotonic_ns()
        return Found(_getaddrinfo(host, port), began, time.monotonic_ns())

    return await in_thread(work, f"lookup {host}")


def _getaddrinfo(host: str, port: int, flags: int = 0) -> list[Address]:
    if not host:
        raise ValueError("the host is empty")
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP, flags=flags)
    return list(dict.fromkeys((family, address) for family, _, _, _, address in found))


async def connect(addresses: Sequence[Address], bind: str, steps: Steps, deadline: float) -> tuple[TcpLayer, Address]:
    """Try the addresses in turn, each has its share of the time that is left; the step `tcp`. Raises Unreachable or BindError."""
    loop = asyncio.get_running_loop()
    steps.start("tcp")
    own = _own(bind)
    usable = [each for each in addresses if own is None or each[0] == own[0]]
    if not usable:
        raise BindError(None)
    tried: list[str] = []
    failed: list[OSError] = []
    for index, (family, address) in enumerate(usable):
        name = address_text(address)
        share = (deadline - loop.time()) / (len(usable) - index)
        steps.note("tcp", "; ".join([*tried, f"{name} …"]))
        steps.begin_try("tcp", name)
        try:
            async with asyncio.timeout(max(share, 0)):
                layer, began, ended = await open_(family, address, own)
        except OSError as error:  # TimeoutError is one
            failed.append(error)
            why = errors.short_reason(error)
            tried.append(f"{name} {why}")
            steps.end_try("tcp", why)
            continue
        steps.end_try("tcp", ended=ended)
        steps.done("tcp", "; ".join([*tried, layer.remote or name]), ended, began)
        return layer, (family, address)
    raise Unreachable(errors.most_telling(failed), "; ".join(tried))


async def again(address: Address, bind: str) -> TcpLayer:
    """One more connection to an address that took one. Raises OSError or BindError."""
    layer, _, _ = await open_(*address, _own(bind))
    return layer


def _own(bind: str) -> Address | None:
    """The own address; port 0 for any. Raises BindError."""
    if not bind:
        return None
    try:
        return literal(*bind_address(bind))[0]
    except (ConfigError, IndexError) as error:
        raise BindError(OSError(errno.EINVAL, os.strerror(errno.EINVAL))) from error


async def open_(family: socket.AddressFamily, address: tuple[Any, ...], own: Address | None = None) -> tuple[TcpLayer, int, int]:
    """The connection, and when it was begun and established (monotonic ns). Raises OSError or BindError."""
    loop = asyncio.get_running_loop()
    sock = StampedSocket(family)
    try:
        sock.setblocking(False)
        if own is not None:
            _bind(sock, own)
        began, ended = await _established(sock, address)
        _, layer = await loop.create_connection(lambda: TcpLayer(sock), sock=sock)
    except BaseException:
        sock.close()
        raise
    return layer, began, ended


def _bind(sock: socket.socket, own: Address) -> None:
    try:
        if own[1][1]:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # The same port again, right after a connection.
        sock.bind(own[1])
    except OSError as error:
        raise BindError(error) from error


async def _established(sock: socket.socket, address: tuple[Any, ...]) -> tuple[int, int]:
    """Connects, and gives when `connect` was called and when the connection stood. Raises OSError.

    That is one round trip later, as the system measured it, where it tells that; else when the socket was found writable.
    """
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
    if _is_writable(sock):  # On this machine it is there at once; the loop may have something else to do first.
        ended = time.monotonic_ns()
    else:
        loop.add_writer(sock, stamp)
        try:
            ended = await writable
        finally:
            loop.remove_writer(sock)
    if (code := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)) != 0:
        raise OSError(code, os.strerror(code))
    info = tcp_info.read(sock)
    if info is not None and info.rtt_ns and not info.retransmitted:
        ended = min(ended, began + info.rtt_ns)
    return began, ended


def _is_writable(sock: socket.socket) -> bool:
    """Whether it is right now."""
    poll = select.poll()
    poll.register(sock, select.POLLOUT)
    return bool(poll.poll(0))
