"""When bytes arrived, as the kernel says, not when this program came to read them: a busy screen is no slow broker (Linux)."""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
import time

_STAMPS = 35
"""SO_TIMESTAMPNS, and the kind of the message that carries the stamp: seconds and ns of the wall clock (asm-generic/socket.h)."""
_ROOM = 64
_STAMP = struct.Struct("@ll")
_LATEST_NS = 60_000_000_000
"""A stamp that is older than this comes from another time: the wall clock was set."""


class StampedSocket(socket.socket):
    """A TCP socket that knows when the bytes that were read last had arrived."""

    def __init__(self, family: int) -> None:
        super().__init__(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        # Else a small packet waits up to 40 ms until the one before it is acknowledged, and that would count as the broker's time.
        self.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.arrived = 0
        """Monotonic ns of the latest bytes read; 0 where the system does not tell."""
        self._stamped = False
        if sys.platform == "linux":
            with contextlib.suppress(OSError):
                self.setsockopt(socket.SOL_SOCKET, _STAMPS, 1)
                self._stamped = True

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        """Some bytes, as of any socket; `arrived` says when the last of them came."""
        if not self._stamped:
            return super().recv(size, flags)
        data, messages, _, _ = self.recvmsg(size, _ROOM, flags)
        self.arrived = 0
        for level, kind, raw in messages:
            if level == socket.SOL_SOCKET and kind == _STAMPS and len(raw) >= _STAMP.size:
                seconds, rest = _STAMP.unpack_from(raw)
                late = time.time_ns() - (seconds * 1_000_000_000 + rest)
                if 0 <= late < _LATEST_NS:
                    self.arrived = time.monotonic_ns() - late
        return data
