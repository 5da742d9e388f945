"""A stack of byte pipes: TCP or a Unix socket below, TLS and WebSocket above it, the tap on top.

Every layer has the same shape, so that another one (a proxy) can stand between two others. A layer takes bytes
by `write` and hands bytes to the Receiver that was attached to it. Rules:

1. One Receiver at a time; what arrives while nobody is attached is kept and handed over on `attach`.
2. `ready` is False while bytes of earlier writes have not left for the operating system. Who writes only while it is True
   never makes the loop copy or send more than one slice at a time; `writable` tells when it is True again.
3. After `close`, `abort` or a loss, the Receiver hears exactly one `connection_lost`.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import Protocol, cast

from mqtttui.client import tcp_info
from mqtttui.client.arrival import StampedSocket
from mqtttui.client.events import TcpInfo
from mqtttui.text import visible

Bytes = bytes | bytearray | memoryview

_SAMPLE_SECONDS = 0.05
_DRAIN_BYTES = 65_536
_DRAIN_READS = 64


class Receiver(Protocol):
    """Who hears what a layer reads."""

    def data_received(self, chunk: bytes) -> None:
        """Some bytes of the peer, in order; never empty."""

    def eof_received(self) -> None:
        """The peer sends no more; the connection still stands."""

    def writable(self) -> None:
        """Everything written so far has left; `ready` is True again."""

    def connection_lost(self, reason: Exception | None) -> None:
        """The connection is over: with the error, or None after our own `close` or `abort`."""


class Layer(Protocol):
    """One pipe of the stack."""

    def attach(self, receiver: Receiver) -> None:
        """Make `receiver` the one that hears, and hand it what was kept."""

    def write(self, data: Bytes) -> None:
        """Send `data`, after whatever was written before."""

    @property
    def ready(self) -> bool:
        """Whether everything written so far has left."""

    @property
    def unsent(self) -> int:
        """How many of the bytes given to `write` have not left, as far as is known."""

    @property
    def local(self) -> str:
        """Own `address:port`; empty for a Unix socket."""

    @property
    def remote(self) -> str:
        """The peer's `address:port`, or the path of its Unix socket."""

    @property
    def security(self) -> str:
        """`TLSv1.3 TLS_AES_256_GCM_SHA384`, empty without TLS."""

    def tcp_info(self) -> TcpInfo | None:
        """How the TCP at the bottom stands; None without TCP, when it is closed, or where the system does not tell."""

    def arrived(self) -> int:
        """Monotonic ns at which the bytes that were read last had arrived at this machine; 0 where the system does not tell."""

    def pause_reading(self) -> None:
        """Stop reading from the peer."""

    def resume_reading(self) -> None:
        """Read on."""

    def close(self) -> None:
        """Send what is left, then close."""

    def abort(self) -> None:
        """Close at once; what is left is dropped."""


class Deaf:
    """A Receiver for a layer that nobody listens to any more."""

    def data_received(self, chunk: bytes) -> None:
        """Drop the bytes."""

    def eof_received(self) -> None:
        """Nothing to do."""

    def writable(self) -> None:
        """Nothing to do."""

    def connection_lost(self, reason: Exception | None) -> None:
        """Nothing to do."""


class Mailbox:
    """Keeps what arrives while no Receiver is attached, and hands it over in order."""

    def __init__(self) -> None:
        self._receiver: Receiver | None = None
        self._data: list[bytes] = []
        self._eof = False
        self._lost: tuple[Exception | None] | None = None

    def attach(self, receiver: Receiver) -> None:
        """Hand `receiver` everything kept, and all that follows."""
        self._receiver = receiver
        if self._data:
            data, self._data = b"".join(self._data), []
            receiver.data_received(data)
        if self._eof:
            self._eof = False
            receiver.eof_received()
        if self._lost is not None:
            (reason,), self._lost = self._lost, None
            receiver.connection_lost(reason)

    def give_back(self, data: bytes) -> None:
        """Hand nothing to the present Receiver any more, and keep `data` for the next one."""
        self._receiver = None
        if data:
            self._data.append(data)

    def data(self, chunk: bytes) -> None:
        """Bytes of the peer."""
        if self._receiver is None:
            self._data.append(chunk)
        else:
            self._receiver.data_received(chunk)

    def eof(self) -> None:
        """The peer's end."""
        if self._receiver is None:
            self._eof = True
        else:
            self._receiver.eof_received()

    def writable(self) -> None:
        """Room to write."""
        if self._receiver is not None:
            self._receiver.writable()

    def lost(self, reason: Exception | None) -> None:
        """The end."""
        if self._receiver is None:
            self._lost = (reason,)
        else:
            self._receiver.connection_lost(reason)


class TcpLayer(asyncio.Protocol):
    """The bottom of the stack: an asyncio transport over a connected socket."""

    def __init__(self, sock: socket.socket | None = None) -> None:
        """`sock`: the transport's socket. With it, nothing is lost that had arrived when a write failed."""
        self._sock = sock
        self._mailbox = Mailbox()
        self._transport: asyncio.Transport | None = None
        self._paused = False
        self._unsent = 0
        self._sampler: asyncio.TimerHandle | None = None
        self._local = self._remote = ""

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; every write that does not leave at once makes it pause."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=0)
        self._local = address_text(transport.get_extra_info("sockname"))
        self._remote = address_text(transport.get_extra_info("peername"))

    def data_received(self, data: bytes) -> None:
        """Bytes of the peer."""
        self._mailbox.data(data)

    def eof_received(self) -> bool:
        """The peer's end; the transport stays open until `close` or `abort`."""
        self._sample()
        self._mailbox.eof()
        return True

    def pause_writing(self) -> None:
        """Bytes are waiting for the operating system."""
        self._paused = True

    def resume_writing(self) -> None:
        """All bytes have left."""
        self._paused = False
        self._unsent = 0
        self._mailbox.writable()

    def connection_lost(self, exc: Exception | None) -> None:
        """The end. asyncio has thrown its buffer away by now: `unsent` stays what was last seen."""
        if self._sampler is not None:
            self._sampler.cancel()
        if exc is not None and self._sock is not None:
            self._drain(self._sock)
        self._mailbox.lost(exc)

    # What the layer above calls

    def attach(self, receiver: Receiver) -> None:
        """See Layer."""
        self._mailbox.attach(receiver)

    def give_back(self, data: bytes) -> None:
        """The present Receiver is done; `data`, which it got but is not for it, and what follows are kept for the next one."""
        self._mailbox.give_back(data)

    def write(self, data: Bytes) -> None:
        """See Layer."""
        if self._transport is None or self._transport.is_closing():
            return
        self._transport.write(data)
        self._sample()

    @property
    def ready(self) -> bool:
        """See Layer."""
        return not self._paused

    @property
    def unsent(self) -> int:
        """See Layer."""
        if self._transport is not None and not self._transport.is_closing():
            self._unsent = self._transport.get_write_buffer_size()
        return self._unsent

    @property
    def local(self) -> str:
        """See Layer."""
        return self._local

    @property
    def remote(self) -> str:
        """See Layer."""
        return self._remote

    @property
    def security(self) -> str:
        """See Layer."""
        return ""

    def tcp_info(self) -> TcpInfo | None:
        """See Layer."""
        return tcp_info.read(self._sock) if self._sock is not None else None

    def arrived(self) -> int:
        """See Layer."""
        return self._sock.arrived if isinstance(self._sock, StampedSocket) else 0

    def pause_reading(self) -> None:
        """See Layer."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """See Layer."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def close(self) -> None:
        """See Layer."""
        if self._transport is not None:
            self._sample()
            self._transport.close()

    def abort(self) -> None:
        """See Layer."""
        if self._transport is not None:
            self._sample()
            self._transport.abort()

    def _drain(self, sock: socket.socket) -> None:
        """Hand over what had arrived: asyncio stops reading when a write fails, and it is often the server's reason."""
        with contextlib.suppress(OSError):
            for _ in range(_DRAIN_READS):
                chunk = sock.recv(_DRAIN_BYTES)
                if not chunk:
                    break
                self._mailbox.data(chunk)

    def _sample(self) -> None:
        """Note how much waits, and look again soon: after a loss nothing tells it any more."""
        if self.unsent and self._sampler is None:
            self._sampler = asyncio.get_running_loop().call_later(_SAMPLE_SECONDS, self._sample_again)

    def _sample_again(self) -> None:
        self._sampler = None
        self._sample()


def address_text(address: object) -> str:
    """`127.0.0.1:1883` or `[::1]:1883` from a socket address, the path of a Unix socket; empty for anything else."""
    if isinstance(address, tuple) and len(address) >= 2:
        host, port = address[0], address[1]
        return f"[{host}]:{port}" if ":" in str(host) else f"{host}:{port}"
    return visible(address) if isinstance(address, str) else ""
