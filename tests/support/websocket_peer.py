"""A WebSocket server that does what a test tells it, right or wrong.

    async with Peer(answer(), frame(BINARY, connack)) as peer:
        ... a client connects to peer.port ...

Each part is bytes, or a function of the request's head that gives bytes. They are sent once the whole head has come; what
comes behind the head is read into `received` until the client closes.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Callable
from types import TracebackType
from typing import Self

from mqtttui.capture.files.websocket import FrameReader, headers

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

Part = bytes | Callable[[bytes], bytes]


def answer(protocol: str | None = "mqtt", *more: str, accept: str | None = None) -> Part:
    """A 101 with this sub-protocol and further header lines; `accept` replaces the right key."""

    def made(head: bytes) -> bytes:
        key = headers(head)[b"sec-websocket-key"]
        right = base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest()).decode()
        lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
        lines += [f"Sec-WebSocket-Accept: {right if accept is None else accept}"]
        lines += [f"Sec-WebSocket-Protocol: {protocol}"] if protocol is not None else []
        return "\r\n".join([*lines, *more, "", ""]).encode("latin-1")

    return made


def frame(opcode: int, payload: bytes = b"", *, end: bool = True, reserved: int = 0) -> bytes:
    """One frame of a server, not masked."""
    size = len(payload)
    if size < 126:
        length = bytes([size])
    elif size < 65_536:
        length = b"\x7e" + size.to_bytes(2, "big")
    else:
        length = b"\x7f" + size.to_bytes(8, "big")
    return bytes([(0x80 if end else 0) | reserved << 4 | opcode]) + length + payload


class Peer:
    """See the module."""

    def __init__(self, *parts: Part, close: bool = False) -> None:
        """`close`: end the connection behind the last part."""
        self._parts = parts
        self._close = close
        self._server: asyncio.Server | None = None
        self.port = 0
        self.head = b""
        self.received = bytearray()
        self.frames = FrameReader(masked=True)
        self.plain = bytearray()
        """What the client's data frames held."""
        self.ended = False

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.head = await reader.readuntil(b"\r\n\r\n")
            for part in self._parts:
                writer.write(part if isinstance(part, bytes) else part(self.head))
            if self._close:
                writer.close()
                return
            while chunk := await reader.read(65_536):
                self.received += chunk
                self.plain += self.frames.feed(chunk)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.ended = True
            writer.close()
