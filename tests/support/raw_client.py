"""A client without any logic: writes values or bytes, reads values, answers nothing by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from mqtttui.protocol.enums import Direction, PacketType, Version
from mqtttui.protocol.framing import Framer
from mqtttui.protocol.packets import Ack, Connack, Connect, Packet, Publish, Suback, Subscribe, TopicRequest, encode
from mqtttui.protocol.parse import parse

P = TypeVar("P")
TIMEOUT = 5.0


class Closed(Exception):
    """The broker has ended the connection."""


class RawClient:
    """One TCP connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, version: Version) -> None:
        self.version = version
        self.writer = writer
        self._reader = reader
        self._framer = Framer()
        self._waiting: list[Packet] = []

    @classmethod
    async def dial(cls, port: int, version: Version = Version.V5) -> RawClient:
        """Opens the TCP connection and sends nothing."""
        return cls(*await asyncio.open_connection("127.0.0.1", port), version)

    def send(self, *packets: Packet) -> None:
        """Sends packets in one write."""
        self.writer.write(b"".join(encode(packet, self.version) for packet in packets))

    def send_raw(self, data: bytes) -> None:
        """Sends bytes."""
        self.writer.write(data)

    async def receive(self) -> Packet:
        """The next packet. Raises Closed, or TimeoutError after five seconds."""
        while not self._waiting:
            try:
                chunk = await asyncio.wait_for(self._reader.read(65536), TIMEOUT)
            except ConnectionError:
                chunk = b""
            if not chunk:
                raise Closed
            for raw in self._framer.feed(chunk).packets():
                packet = parse(raw, self.version, Direction.S2C)
                assert packet is not None, f"the broker sent something malformed: {raw.hex(' ')}"
                self._waiting.append(packet)
        return self._waiting.pop(0)

    async def expect(self, kind: type[P]) -> P:
        """The next packet, which must be of this type."""
        packet = await self.receive()
        assert isinstance(packet, kind), f"{packet} instead of {kind.__name__}"
        return packet

    async def expect_ack(self, kind: PacketType) -> Ack:
        """The next packet, which must be this acknowledgement."""
        ack = await self.expect(Ack)
        assert ack.type is kind, f"{ack} instead of {kind.name}"
        return ack

    async def quiet(self) -> None:
        """Nothing is on its way: a PINGREQ is answered before anything else."""
        self.send_raw(b"\xc0\x00")
        packet = await self.receive()
        assert type(packet).__name__ == "Pingresp", f"{packet} came"

    async def subscribe(self, *requests: TopicRequest, packet_id: int = 1000, **fields: Any) -> Suback:
        """Sends a SUBSCRIBE and waits for its answer."""
        self.send(Subscribe(packet_id, requests, **fields))
        return await self.expect(Suback)

    async def message(self) -> Publish:
        """The next packet, which must be a PUBLISH."""
        return await self.expect(Publish)

    def close(self) -> None:
        """FIN, without a DISCONNECT."""
        self.writer.close()


@asynccontextmanager
async def connected(port: int, connect: Connect | None = None) -> AsyncIterator[RawClient]:
    """A client that has been let in (MQTT 5 if not said otherwise); closed without DISCONNECT in the end."""
    client, _ = await greeted(port, connect or Connect(version=Version.V5))
    try:
        yield client
    finally:
        client.close()


async def greeted(port: int, connect: Connect) -> tuple[RawClient, Connack]:
    """A client that has sent its CONNECT, and the answer."""
    client = await RawClient.dial(port, connect.version)
    client.send(connect)
    return client, await client.expect(Connack)
