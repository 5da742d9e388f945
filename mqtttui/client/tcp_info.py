"""What the operating system knows about a TCP connection: its round trip, what it sent again, what has not left (Linux).

The kernel hands out a structure that has grown over the years, always at its end: what lies beyond the bytes that came is not
known. On other systems, and for other sockets, nothing is known.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
import time
from collections.abc import Callable

from mqtttui.client.events import TcpInfo

SECONDS = 0.5
"""From one look to the next."""

_LENGTH = 512
_NONE = 0xFFFFFFFF
_MICROSECOND = 1_000
_BACKOFF = 4
"""Offsets in `struct tcp_info` (linux/tcp.h), in bytes; this one is one byte, the others are 32 bits in the host's order."""
_UNACKED, _RTT, _RTT_VARIATION, _RETRANSMITTED, _UNSENT, _SHORTEST_RTT = 24, 68, 72, 100, 144, 148


def read(sock: socket.socket) -> TcpInfo | None:
    """What is known of `sock` now; None if it is no TCP, is closed, or the system does not tell."""
    if sys.platform != "linux" or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return None
    try:
        return parsed(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _LENGTH))
    except OSError:
        return None


def parsed(raw: bytes) -> TcpInfo | None:
    """The structure as a value; None if not even the round trip is in it."""
    rtt, variation = _number(raw, _RTT), _number(raw, _RTT_VARIATION)
    if rtt is None or variation is None:
        return None
    shortest = _number(raw, _SHORTEST_RTT)
    return TcpInfo(
        rtt_ns=rtt * _MICROSECOND,
        variation_ns=variation * _MICROSECOND,
        shortest_ns=None if shortest is None or shortest == _NONE else shortest * _MICROSECOND,
        retransmitted=_number(raw, _RETRANSMITTED) or 0,
        backoff=raw[_BACKOFF],
        unacknowledged=_number(raw, _UNACKED) or 0,
        unsent=_number(raw, _UNSENT),
    )


def _number(raw: bytes, at: int) -> int | None:
    if at + 4 > len(raw):
        return None
    value: int = struct.unpack_from("=I", raw, at)[0]
    return value


class TcpWatch:
    """Twice a second it asks and tells, with the monotonic ns, until it is stopped or nothing is known any more."""

    def __init__(self, ask: Callable[[], TcpInfo | None], tell: Callable[[int, TcpInfo], None]) -> None:
        """Asks for the first time at once."""
        self._ask, self._tell = ask, tell
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._look()

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        info = self._ask()
        if info is not None:
            self._timer = self._loop.call_later(SECONDS, self._look)
            self._tell(time.monotonic_ns(), info)
