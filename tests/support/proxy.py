"""A TCP proxy that records every byte of both directions and breaks connections on request.

    async with Proxy(broker.host, broker.port) as proxy:
        ... a client connects to proxy.host, proxy.port ...
        proxy.to_client.latency = 0.2          # from now on, on every connection
        proxy.connections[0].reset()
        assert proxy.connections[0].to_server.data == expected

Faults stand per direction in `Faults`; each connection gets a reference to the proxy's own, so changes hold at once.
What is recorded is what the proxy passed on: bytes that a fault swallowed are in `swallowed`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from types import TracebackType
from typing import Self

from tests.support.scripted import reset_transport

_CHUNK = 65536


class Ending(Enum):
    """What happens to a connection when its bytes are used up (`Faults.truncate_after`)."""

    RESET = "RST both ways"
    FIN = "FIN both ways"
    BLACK_HOLE = "everything after is read and dropped"


@dataclass
class Faults:
    """What is done to one direction."""

    latency: float = 0.0
    """Seconds before a chunk is passed on; chunks keep their order and do not wait for each other."""
    rate: int | None = None
    """Bytes a second at most."""
    segment: int | None = None
    """Largest write, e.g. 1 for one byte a segment (sent with TCP_NODELAY, drained one by one)."""
    truncate_after: int | None = None
    """Bytes of a connection after which `ending` happens."""
    ending: Ending = Ending.RESET
    black_hole: bool = False
    """Read and drop."""
    stall: bool = False
    """Do not even read: the sender's buffers fill up."""
    change: Callable[[bytes], bytes] | None = None
    """Applied to each chunk, e.g. to flip bits."""


@dataclass
class Recorded:
    """One direction of one connection."""

    data: bytearray = field(default_factory=bytearray)
    """Bytes that were passed on."""
    swallowed: bytearray = field(default_factory=bytearray)
    """Bytes that a fault dropped."""
    chunks: list[tuple[float, int]] = field(default_factory=list)
    """Monotonic seconds and length of each chunk that was passed on."""
    ended: bool = False
    """Its sender has closed."""


class Connection:
    """One client's connection and its twin to the server."""

    def __init__(self, number: int, proxy: Proxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.number = number
        self.to_server = Recorded()
        self.to_client = Recorded()
        self.closed = False
        """Both ends are gone."""
        self._proxy = proxy
        self._client = (reader, writer)
        self._server: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    def reset(self) -> None:
        """RST to both ends."""
        for writer in self._writers():
            reset_transport(writer.transport)

    def finish(self) -> None:
        """FIN to both ends, after what is still buffered."""
        for writer in self._writers():
            writer.close()

    def half_close(self) -> None:
        """FIN to the client only; what it sends still reaches the server."""
        self._client[1].write_eof()

    async def run(self, host: str, port: int) -> None:
        """Carries bytes until both directions have ended."""
        try:
            self._server = await asyncio.open_connection(host, port)
        except OSError:
            reset_transport(self._client[1].transport)
            return
        up = self._carry(self._client[0], self._server[1], self._proxy.to_server, self.to_server)
        down = self._carry(self._server[0], self._client[1], self._proxy.to_client, self.to_client)
        try:
            await asyncio.gather(up, down)
        finally:
            self.finish()
            self.closed = True

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, faults: Faults, recorded: Recorded) -> None:
        """One direction: a reading half and a writing half, so that latency delays without throttling."""
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        writing = asyncio.create_task(self._pass_on(queue, writer, faults, recorded))
        try:
            while chunk := await self._next(reader, faults):
                queue.put_nowait((time.monotonic() + faults.latency, chunk))
        finally:
            recorded.ended = True
            queue.put_nowait((time.monotonic() + faults.latency, b""))
            await writing

    async def _next(self, reader: asyncio.StreamReader, faults: Faults) -> bytes:
        await self._proxy.until(lambda: not faults.stall)
        try:
            return await reader.read(_CHUNK)
        except ConnectionError:
            self.reset()
            return b""

    async def _pass_on(
        self, queue: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter, faults: Faults, recorded: Recorded
    ) -> None:
        while True:
            due, chunk = await queue.get()
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            if not chunk:
                break
            data = faults.change(chunk) if faults.change is not None else chunk
            if faults.black_hole:
                recorded.swallowed += data
                continue
            await self._write(data, writer, faults, recorded)
        if not faults.black_hole and writer.can_write_eof() and not writer.is_closing():
            writer.write_eof()

    async def _write(self, data: bytes, writer: asyncio.StreamWriter, faults: Faults, recorded: Recorded) -> None:
        left = len(data)
        if faults.truncate_after is not None:
            left = max(0, min(left, faults.truncate_after - len(recorded.data)))
        step = faults.segment or (max(1, faults.rate // 50) if faults.rate else len(data))
        try:
            for start in range(0, left, step):
                piece = data[start : min(start + step, left)]
                writer.write(piece)
                recorded.data += piece
                await writer.drain()
                # Without a turn of the loop the pieces of a small segment size would leave together.
                await asyncio.sleep(len(piece) / faults.rate if faults.rate else 0)
        except ConnectionError:
            recorded.swallowed += data
            return
        recorded.chunks.append((time.monotonic(), left))
        if left < len(data):
            recorded.swallowed += data[left:]
            self._end(faults)

    def _end(self, faults: Faults) -> None:
        match faults.ending:
            case Ending.RESET:
                self.reset()
            case Ending.FIN:
                self.finish()
            case Ending.BLACK_HOLE:
                faults.black_hole = True

    def _writers(self) -> list[asyncio.StreamWriter]:
        return [self._client[1]] + ([self._server[1]] if self._server is not None else [])


class Proxy:
    """Listens on a free loopback port and carries every connection to `host`:`port`."""

    def __init__(self, host: str, port: int) -> None:
        self.host = "127.0.0.1"
        self.port = 0
        self.connections: list[Connection] = []
        """All connections, in the order in which they were accepted."""
        self.to_server = Faults()
        self.to_client = Faults()
        self.hang = False
        """Accept and do nothing: no connection to the server is made, nothing is read."""
        self._target = (host, port)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._over = False

    async def listen(self) -> None:
        """Accepts connections (again), on the same port as before."""
        self._server = await asyncio.start_server(self._connected, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def refuse(self) -> None:
        """Closes the listening port: new connections are refused until `listen`; existing ones live on."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def until(self, holds: Callable[[], bool]) -> None:
        """Waits for a fault to be taken back, or for the end of the proxy."""
        while not holds() and not self._over:  # noqa: ASYNC110 - faults are plain attributes; nobody sets an event for them
            await asyncio.sleep(0.01)

    async def __aenter__(self) -> Self:
        await self.listen()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.refuse()
        self._over = True
        for connection in self.connections:
            connection.finish()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(len(self.connections), self, reader, writer)
        self.connections.append(connection)
        if self.hang:
            writer.transport.pause_reading()  # type: ignore[attr-defined]  # a TCP transport is also a ReadTransport
            return
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await connection.run(*self._target)
        except asyncio.CancelledError:
            pass  # the block is over; asyncio's stream callback would report a cancelled handler as an error
        finally:
            self._tasks.discard(task)
