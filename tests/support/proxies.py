"""Proxies for tests: SOCKS5 (RFC 1928) and CONNECT of HTTP, with logins, that obey, refuse, hang, chop or talk nonsense.

    async with Socks(login=("me", "pw")) as proxy:
        ... a client goes through socks5h://me:pw@127.0.0.1:proxy.port ...
        assert proxy.asked == [("localhost", 1883)]

Names are looked up in `names` first, so that a test sees who has looked a name up.
"""

from __future__ import annotations

import asyncio
import base64
import ipaddress
from types import TracebackType
from typing import Self

from tests.support.scripted import reset_transport

HOST = "127.0.0.1"
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Tunnel:
    """What both kinds have in common: a listener, the tunnel itself, and its faults."""

    def __init__(
        self,
        *,
        login: tuple[str, str] | None = None,
        names: dict[str, str] | None = None,
        says: bytes | None = None,
        refuses: int | None = None,
        stops_before: int | None = None,
        ending: str = "silent",
        segment: int | None = None,
        extra: bytes = b"",
    ) -> None:
        """
        `says`: the answer to the first bytes, whatever they are. `refuses`: the reply or status to every request.
        `stops_before`: number of its answer (0: the first) in place of which `ending` happens: `silent`, `close` or `reset`.
        `segment`: bytes of an answer that leave at once. `extra`: bytes that come with the last answer, as if the broker's.
        """
        self.port = 0
        self.asked: list[tuple[str, int]] = []
        """What was asked for, as it was written."""
        self.logins: list[tuple[str, str]] = []
        self.received: list[bytes] = []
        """What each connection sent before its tunnel."""
        self.ended = 0
        """So many connections are over."""
        self.clients: list[str] = []
        """Addresses that they came from."""
        self._login = login
        self._names = names or {}
        self._says = says
        self._refuses = refuses
        self._stops_before = stops_before
        self._ending = ending
        self._segment = segment
        self._extra = extra
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, HOST, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = writer.get_extra_info("peername")
        self.clients.append(f"{peer[0]}:{peer[1]}")
        try:
            if self._says is not None:
                self.received.append(await reader.read(4096))
                await self._answer(writer, self._says)
                await reader.read()
                return
            talk = _Talk(self, reader, writer)
            broker = await self.negotiate(talk)
            if broker is not None:
                await _carry(reader, writer, *broker)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.ended += 1
            writer.close()

    async def negotiate(self, talk: _Talk) -> Streams | None:
        """Hear what is wanted, and answer; the broker's streams, None when there is nothing to carry."""
        raise NotImplementedError

    async def _answer(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        size = self._segment or len(data)
        for start in range(0, len(data), size):
            writer.write(data[start : start + size])
            await writer.drain()
            await asyncio.sleep(0)

    async def reach(self, host: str, port: int) -> Streams | None:
        """The broker, if it is there."""
        try:
            return await asyncio.open_connection(self._names.get(host, host), port)
        except OSError:
            return None


class _Talk:
    """One conversation: reads, and answers as the faults allow."""

    def __init__(self, proxy: Tunnel, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._proxy = proxy
        self._writer = writer
        self.reader = reader
        self._answers = 0
        self._number = len(proxy.received)
        proxy.received.append(b"")

    async def read(self, size: int) -> bytes:
        data = await self.reader.readexactly(size)
        self._proxy.received[self._number] += data
        return data

    async def head(self) -> bytes:
        data = await self.reader.readuntil(b"\r\n\r\n")
        self._proxy.received[self._number] += data
        return data

    async def answer(self, data: bytes) -> bool:
        """Whether to go on."""
        if self._proxy._stops_before == self._answers:
            if self._proxy._ending == "silent":
                await self.reader.read()
            elif self._proxy._ending == "reset":
                reset_transport(self._writer.transport)
            return False
        self._answers += 1
        await self._proxy._answer(self._writer, data)
        return True


class Socks(Tunnel):
    """SOCKS5. Answers: 0 the method, then (with a login) its result, then the reply."""

    async def negotiate(self, talk: _Talk) -> Streams | None:
        _, count = await talk.read(2)
        methods = await talk.read(count)
        wanted = 0 if self._login is None else 2
        if wanted not in methods:
            await talk.answer(b"\x05\xff")
            return None
        if not await talk.answer(bytes([5, wanted])):
            return None
        if wanted == 2:
            await talk.read(1)
            user, password = [(await talk.read((await talk.read(1))[0])).decode() for _ in range(2)]
            self.logins.append((user, password))
            right = (user, password) == self._login
            if not await talk.answer(bytes([1, 0 if right else 1])) or not right:
                return None
        _, command, _, kind = await talk.read(4)
        assert command == 1
        if kind == 3:
            host = (await talk.read((await talk.read(1))[0])).decode()
        else:
            host = str(ipaddress.ip_address(await talk.read(4 if kind == 1 else 16)))
        port = int.from_bytes(await talk.read(2), "big")
        self.asked.append((host, port))
        broker = await self.reach(host, port) if self._refuses is None else None
        if broker is None:
            await talk.answer(bytes([5, 5 if self._refuses is None else self._refuses, 0, 1, 0, 0, 0, 0, 0, 0]))
            return None
        return broker if await talk.answer(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x04\x01" + self._extra) else None


class Http(Tunnel):
    """CONNECT of HTTP."""

    async def negotiate(self, talk: _Talk) -> Streams | None:
        head = (await talk.head()).decode()
        method, target, _ = head.split("\r\n")[0].split(" ")
        assert method == "CONNECT"
        host, _, port = target.rpartition(":")
        host = host.strip("[]")
        self.asked.append((host, int(port)))
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head.split("\r\n")[1:])}
        given = fields.get("proxy-authorization", "").removeprefix("Basic ")
        if given:
            user, _, password = base64.b64decode(given).decode().partition(":")
            self.logins.append((user, password))
        if self._login is not None and (not given or self.logins[-1] != self._login):
            await talk.answer(_status(407, "Proxy Authentication Required", 'Proxy-Authenticate: Basic realm="x"'))
            return None
        broker = await self.reach(host, int(port)) if self._refuses is None else None
        if broker is None:
            await talk.answer(_status(502 if self._refuses is None else self._refuses, "No", "X-Squid-Error: ERR_SOMETHING 0"))
            return None
        return broker if await talk.answer(b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n" + self._extra) else None


def _status(status: int, phrase: str, *fields: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status} {phrase}", *fields, "Content-Length: 0", "", ""]).encode()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, to: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
    async def one_way(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while chunk := await source.read(65_536):
                sink.write(chunk)
                await sink.drain()
        except ConnectionError:
            pass
        finally:
            sink.close()

    await asyncio.gather(one_way(reader, back), one_way(to, writer))
