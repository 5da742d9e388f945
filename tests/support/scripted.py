"""A broker that plays a script, written down like the exchange itself.

    async with Script(expect(Connect), reply(), expect(Subscribe), reply(codes=(0x87,)), send_raw(b"\\xff"), close()) as broker:
        ... a client connects to broker.host, broker.port ...
        await broker.finished()

Rules:
1. Steps run in order. `expect` takes the next packet of the client; anything else than what it names is a mismatch.
2. The first connection is awaited by itself; `accept()` waits for the next one and makes it the one that steps talk to.
3. When the steps are used up, the connections stay open and go on being recorded until the block ends.
4. Leaving the block waits for the script to end (`timeout` a step) and raises ScriptMismatch with the exchange so far.
5. CONNECT sets the version of its connection; until then `version` holds.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Self

from mqtttui.protocol.enums import Direction, PacketType, Version
from mqtttui.protocol.framing import Framer
from mqtttui.protocol.packets import (
    Ack,
    Connack,
    Connect,
    Packet,
    Pingreq,
    Pingresp,
    Publish,
    Suback,
    Subscribe,
    Unsuback,
    Unsubscribe,
    encode,
    packet_type,
)
from mqtttui.protocol.parse import parse
from mqtttui.text import preview, shorten, visible

Expected = type | PacketType | Packet


class ScriptMismatch(AssertionError):
    """The client did not do what the script says; the text has the exchange so far."""


@dataclass
class Line:
    """One connection of a client, as the script sees it."""

    number: int
    """From 0, in the order in which they were accepted."""
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    version: Version
    received: list[Packet | bytes] = field(default_factory=list)
    """Packets as values, malformed ones as bytes."""
    received_raw: bytearray = field(default_factory=bytearray)
    sent_raw: bytearray = field(default_factory=bytearray)
    ended: str = ""
    """How the client ended it: `closed`, `reset` or the text of a framing error; empty while it lives."""
    queue: asyncio.Queue[Packet | bytes | None] = field(default_factory=asyncio.Queue)
    taken: Packet | None = None

    @property
    def last(self) -> Packet:
        """The packet received last by a step."""
        assert self.taken is not None, "nothing was received yet"
        return self.taken


Step = Callable[["Script"], Awaitable[None]]
"""What a script is made of; the functions below make them."""


def expect(what: Expected, where: Callable[[Any], bool] | None = None, **fields: object) -> Step:
    """The next packet is of this type (class or PacketType), or equal to this value; `fields` must hold these values."""

    async def step(script: Script) -> None:
        script.waiting_for = _wanted(what, fields)
        packet = await script.take()
        assert packet is not None
        if isinstance(packet, bytes):
            raise ScriptMismatch(f"a malformed packet came: {packet[:40].hex(' ')}")
        if isinstance(what, type):
            fits = isinstance(packet, what)
        elif isinstance(what, PacketType):
            fits = packet_type(packet) is what
        else:
            fits = packet == what
        wrong = [name for name, value in fields.items() if getattr(packet, name, None) != value] if fits else []
        if not fits or wrong or (where is not None and not where(packet)):
            named = f" ({', '.join(wrong)} differ)" if wrong else ""
            raise ScriptMismatch(f"{_shown(packet)} came{named}")

    return step


def send(packet: Packet | Callable[[Any], Packet]) -> Step:
    """Sends a packet, or what a function makes of the packet received last (for its packet identifier)."""

    async def step(script: Script) -> None:
        line = script.line
        value = packet(line.last) if callable(packet) else packet
        await script.write(encode(value, line.version), _shown(value))

    return step


def reply(**changes: Any) -> Step:
    """Sends the friendly answer to the packet received last, with fields changed: `reply(code=5)`, `reply(codes=(0x80,))`."""

    async def step(script: Script) -> None:
        answer = friendly_answer(script.line.last, script.line.version)
        assert answer is not None, f"nothing answers {_shown(script.line.last)}"
        value = replace(answer, **changes)
        await script.write(encode(value, script.line.version), _shown(value))

    return step


def send_raw(data: bytes) -> Step:
    """Sends bytes as they are."""

    async def step(script: Script) -> None:
        await script.write(data, f"raw {data[:40].hex(' ')}")

    return step


def close() -> Step:
    """Closes the connection (FIN)."""

    async def step(script: Script) -> None:
        script.note("S>C close")
        script.line.writer.close()

    return step


def half_close() -> Step:
    """Ends the server's direction only (FIN); what the client sends is still read."""

    async def step(script: Script) -> None:
        script.note("S>C half-close")
        script.line.writer.write_eof()

    return step


def reset() -> Step:
    """Tears the connection down (RST)."""

    async def step(script: Script) -> None:
        script.note("S>C reset")
        reset_transport(script.line.writer.transport)

    return step


def accept() -> Step:
    """Waits for the next connection; the following steps talk to it."""

    async def step(script: Script) -> None:
        script.waiting_for = "another connection"
        await script.next_line()

    return step


def expect_close() -> Step:
    """The client ends the connection, without another packet before."""

    async def step(script: Script) -> None:
        script.waiting_for = "the client to close"
        packet = await script.take(may_end=True)
        if packet is not None:
            raise ScriptMismatch(f"{_shown(packet)} came")

    return step


def wait_for(event: asyncio.Event, what: str = "the test") -> Step:
    """Waits for the test's event: the way to hold an answer back without a sleep."""

    async def step(script: Script) -> None:
        script.waiting_for = what
        await event.wait()

    return step


def serve(answer: Callable[[Packet, Version], Packet | None] | None = None) -> Step:
    """Answers whatever comes (see `friendly_answer`) until the client closes or the block ends."""

    async def step(script: Script) -> None:
        script.endless = True
        line = script.line
        while True:
            packet = await script.take(may_end=True, untimed=True)
            if packet is None:
                break
            value = None if isinstance(packet, bytes) else (answer or friendly_answer)(packet, line.version)
            if value is not None:
                await script.write(encode(value, line.version), _shown(value))
        script.endless = False

    return step


def friendly_answer(packet: Packet, version: Version) -> Packet | None:
    """What a broker that agrees to everything answers; None if nothing is due."""
    match packet:
        case Connect():
            return Connack()
        case Publish(qos=1, packet_id=int(number)):
            return Ack(PacketType.PUBACK, number)
        case Publish(qos=2, packet_id=int(number)):
            return Ack(PacketType.PUBREC, number)
        case Ack(type=PacketType.PUBREC):
            return Ack(PacketType.PUBREL, packet.packet_id)
        case Ack(type=PacketType.PUBREL):
            return Ack(PacketType.PUBCOMP, packet.packet_id)
        case Subscribe():
            return Suback(packet.packet_id, tuple(min(request.qos, 2) for request in packet.requests))
        case Unsubscribe():
            return Unsuback(packet.packet_id, (0,) * len(packet.filters) if version is Version.V5 else ())
        case Pingreq():
            return Pingresp()
        case _:
            return None


class Script:
    """The scripted broker; see the module's head."""

    def __init__(
        self,
        *steps: Step,
        version: Version = Version.V311,
        timeout: float = 5.0,
        answer_pings: bool = False,
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        self.host = host
        self.port = 0
        self.lines: list[Line] = []
        """All connections, in order."""
        self.waiting_for = ""
        self.endless = False
        self._steps = steps
        self._version = version
        self._timeout = timeout
        self._answer_pings = answer_pings
        self._tls = tls
        self._accepted: asyncio.Queue[Line] = asyncio.Queue()
        self._current: Line | None = None
        self._transcript: list[str] = []
        self._server: asyncio.Server | None = None
        self._runner: asyncio.Task[None] | None = None

    @property
    def received(self) -> list[Packet | bytes]:
        """All packets of all connections, by connection."""
        return [packet for line in self.lines for packet in line.received]

    @property
    def received_raw(self) -> bytes:
        """All bytes of the first connection."""
        return bytes(self.lines[0].received_raw) if self.lines else b""

    @property
    def sent_raw(self) -> bytes:
        """All bytes sent on the first connection."""
        return bytes(self.lines[0].sent_raw) if self.lines else b""

    @property
    def line(self) -> Line:
        """The connection that steps talk to."""
        assert self._current is not None, "no client has connected yet"
        return self._current

    async def finished(self) -> None:
        """Waits until all steps have run. Raises ScriptMismatch."""
        assert self._runner is not None
        await asyncio.shield(self._runner)

    def note(self, text: str) -> None:
        """Adds a line to the exchange that a mismatch shows."""
        self._transcript.append(text)

    async def take(self, *, may_end: bool = False, untimed: bool = False) -> Packet | bytes | None:
        """The client's next packet; None when it has closed, if that may be."""
        line = self.line
        while True:
            packet = await (line.queue.get() if untimed else asyncio.wait_for(line.queue.get(), self._timeout))
            if packet is None:
                if not may_end:
                    raise ScriptMismatch(f"the client ended the connection ({line.ended})")
                return None
            if isinstance(packet, Pingreq) and self._answer_pings:
                await self.write(encode(Pingresp(), line.version), "PINGRESP")
                continue
            if not isinstance(packet, bytes):
                line.taken = packet
            return packet

    async def next_line(self) -> None:
        """Makes the next connection the current one."""
        self._current = await asyncio.wait_for(self._accepted.get(), self._timeout)

    async def write(self, data: bytes, shown: str) -> None:
        """Sends bytes on the current connection."""
        line = self.line
        self.note(f"S>C {shown}")
        line.sent_raw += data
        line.writer.write(data)
        try:
            await line.writer.drain()
        except ConnectionError:
            raise ScriptMismatch(f"the client was gone before {shown} was sent") from None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, self.host, 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        self._runner = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._server is not None
        assert self._runner is not None
        if self.endless or kind is not None:
            self._runner.cancel()
        await asyncio.wait([self._runner], timeout=self._timeout * (len(self._steps) + 1))
        self._server.close()
        for line in self.lines:
            line.writer.transport.abort()
        self._runner.cancel()
        if kind is None and not self._runner.cancelled():
            await self._runner
        elif self._runner.done() and not self._runner.cancelled():
            self._runner.exception()

    async def _run(self) -> None:
        try:
            for index, step in enumerate(self._steps):
                if index == 0:
                    self.waiting_for = "a connection"
                    await self.next_line()
                await step(self)
        except TimeoutError:
            raise self._mismatch(f"nothing came within {self._timeout:g} s") from None
        except ScriptMismatch as mismatch:
            self.line.writer.transport.abort()
            raise self._mismatch(str(mismatch)) from None

    def _mismatch(self, what: str) -> ScriptMismatch:
        exchange = "\n  ".join(self._transcript) or "(nothing)"
        return ScriptMismatch(f"expected {self.waiting_for}, but {what}. The exchange so far:\n  {exchange}")

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = Line(len(self.lines), reader, writer, self._version)
        self.lines.append(line)
        self.note(f"connection {line.number}")
        self._accepted.put_nowait(line)
        framer = Framer()
        try:
            while chunk := await reader.read(65536):
                line.received_raw += chunk
                batch = framer.feed(chunk)
                for raw in batch.packets():
                    self._received(line, raw)
                if batch.error is not None:
                    line.ended = f"framing error: {batch.error}"
                    self._received(line, bytes(framer.pending))
                    break
            line.ended = line.ended or "closed"
        except (ConnectionError, ssl.SSLError):
            line.ended = "reset"
        except asyncio.CancelledError:
            line.ended = "the test was over"
        self.note(f"C>S {line.ended}")
        line.queue.put_nowait(None)

    def _received(self, line: Line, raw: bytes) -> None:
        packet = parse(raw, line.version, Direction.C2S)
        if isinstance(packet, Connect):
            line.version = packet.version
        value = raw if packet is None else packet
        self.note(f"C>S {_shown(value)}")
        line.received.append(value)
        line.queue.put_nowait(value)


def reset_transport(transport: asyncio.WriteTransport) -> None:
    """Ends a TCP connection with RST instead of FIN."""
    sock: socket.socket = transport.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def _wanted(what: Expected, fields: dict[str, object]) -> str:
    name = what.__name__ if isinstance(what, type) else what.name if isinstance(what, PacketType) else _shown(what)
    return f"{name} with {fields}" if fields else name


def _shown(packet: Packet | bytes) -> str:
    if isinstance(packet, bytes):
        return f"malformed {preview(packet, 60)}"
    match packet:
        case Publish():
            return f"PUBLISH q{packet.qos} id {packet.packet_id} {visible(packet.topic)} {preview(packet.payload, 60)}"
        case _:
            return f"{packet_type(packet).name} {shorten(visible(repr(packet)), 160)}"
