"""A broker that does nothing but accept one client and its SUBSCRIBE with one filter, and then send it ready-made bytes as fast as it
takes them; in a process of its own."""

from __future__ import annotations

import multiprocessing
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

from mqtttui.protocol.enums import PacketType, Version
from mqtttui.protocol.framing import Framer
from mqtttui.protocol.packets import Connack, Publish, Suback, encode
from mqtttui.protocol.peek import packet_id

CHUNK_PACKETS = 1_000


def messages(count: int) -> bytes:
    """`count` PUBLISH packets as sensors send them: QoS 0, short JSON, many topics."""
    return b"".join(_message(index) for index in range(count))


def _message(index: int) -> bytes:
    topic = f"plant/line{index % 20}/machine{index % 7}/temperature"
    return encode(Publish(topic, b'{"value": %d.5, "unit": "C"}' % (index % 90)), Version.V311)


@contextmanager
def raw_sender(packets: int) -> Iterator[int]:
    """Gives the port of a sender that serves one client after the other and ends with the block."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs, packets), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        process.terminate()
        process.join(5)


def _serve(pipe: Connection, packets: int) -> None:
    chunk = messages(CHUNK_PACKETS)
    with socket.create_server(("127.0.0.1", 0)) as server:
        pipe.send(server.getsockname()[1])
        while True:
            client, _ = server.accept()
            with client:
                _one_client(client, chunk, packets)


def _one_client(client: socket.socket, chunk: bytes, packets: int) -> None:
    framer = Framer()
    subscribed = False
    while not subscribed:
        for raw in framer.feed(client.recv(65_536)).packets():
            if raw[0] >> 4 == PacketType.CONNECT:
                client.sendall(encode(Connack(), Version.V311))
            elif raw[0] >> 4 == PacketType.SUBSCRIBE:
                client.sendall(encode(Suback(packet_id(raw, 0, len(raw)) or 0, (0,)), Version.V311))
                subscribed = True
    try:
        for _ in range(packets // CHUNK_PACKETS):
            client.sendall(chunk)
        while client.recv(65_536):
            pass
    except (BrokenPipeError, ConnectionResetError):
        return
