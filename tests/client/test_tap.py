"""The tap: slices, times, what has left and what has not, and when reading pauses."""

from __future__ import annotations

import asyncio
import time

from mqtttui.capture.log import Log
from mqtttui.capture.recorder import Recorder
from mqtttui.capture.records import Origin
from mqtttui.client.layer import Bytes, Receiver, TcpLayer, address_text
from mqtttui.client.tap import Tap
from mqtttui.protocol.enums import Direction, Version
from mqtttui.protocol.framing import Batch
from mqtttui.protocol.packets import Publish, encode
from tests.support.waiting import wait_until


class Pipe:
    """A Layer that takes a write at a time and keeps it until the test lets it go."""

    local = remote = security = ""

    def __init__(self, *, stuck: bool = False) -> None:
        self.writes: list[bytes] = []
        self.stuck = stuck
        self.receiver: Receiver | None = None
        self.calls: list[str] = []
        self.stamp = 0

    def tcp_info(self) -> None: ...

    def arrived(self) -> int:
        return self.stamp

    @property
    def ready(self) -> bool:
        return not (self.stuck and self.writes)

    @property
    def unsent(self) -> int:
        return len(self.writes[-1]) if self.stuck and self.writes else 0

    def attach(self, receiver: Receiver) -> None:
        self.receiver = receiver

    def write(self, data: Bytes) -> None:
        assert self.ready, "a slice was written before the last one had left"
        self.writes.append(bytes(data))

    def go(self) -> None:
        """The operating system takes what was written."""
        self.stuck = False
        assert self.receiver is not None
        self.receiver.writable()

    def pause_reading(self) -> None:
        self.calls.append("pause")

    def resume_reading(self) -> None:
        self.calls.append("resume")

    def close(self) -> None:
        self.calls.append("close")

    def abort(self) -> None:
        self.calls.append("abort")


class Owner:
    """Answers every chunk with `answer`."""

    def __init__(self) -> None:
        self.tap: Tap | None = None
        self.answer = b""
        self.ends: list[object] = []

    def batch_received(self, chunk: bytes, batch: Batch, mono: int) -> None:
        if self.answer and self.tap is not None:
            self.tap.write(self.answer)

    def eof_received(self) -> None:
        self.ends.append("eof")

    def connection_lost(self, reason: Exception | None) -> None:
        self.ends.append(reason)


def make(pipe: Pipe) -> tuple[Tap, Log, Owner]:
    log, owner = Log(), Owner()
    number = log.open_connection(peer="p", origin=Origin.OWN, mono=0, wall=0, version=Version.V311)
    tap = Tap(pipe, Recorder(log, number), owner)
    owner.tap = tap
    tap.start()
    return tap, log, owner


async def test_slices_of_at_most_64_kib_one_after_the_other() -> None:
    pipe = Pipe(stuck=True)
    tap, log, _ = make(pipe)
    raw = encode(Publish("a", bytes(300_000)), Version.V311)
    tap.write(raw)
    assert [len(write) for write in pipe.writes] == [65_536]
    assert log.last == 0, "the packet is not in the log before its last byte was handed over"
    assert tap.queued == len(raw) - 65_536
    assert not tap.idle
    pipe.go()
    await wait_until(lambda: tap.idle, "the rest")
    assert b"".join(pipe.writes) == raw
    assert log[1].raw == raw


async def test_what_comes_is_stamped_with_its_arrival() -> None:
    """But never before what is recorded already, and never in the future."""
    pipe = Pipe()
    tap, log, _ = make(pipe)
    began = time.monotonic_ns()
    tap.write(b"\xc0\x00")
    pipe.stamp = log[1].mono + 1
    tap.data_received(b"\xd0\x00")
    assert log[2].mono == log[1].mono + 1
    assert abs((time.time_ns() - log[2].wall) - (time.monotonic_ns() - log[2].mono)) < 1_000_000_000
    pipe.stamp = began - 5
    tap.data_received(b"\xd0\x00")
    assert log[3].mono == log[2].mono
    pipe.stamp = time.monotonic_ns() + 60_000_000_000
    tap.data_received(b"\xd0\x00")
    pipe.stamp = 0
    tap.data_received(b"\xd0\x00")
    assert log[3].mono <= log[4].mono <= log[5].mono <= time.monotonic_ns()


async def test_small_writes_share_a_slice_and_the_loop_gets_its_turn() -> None:
    pipe = Pipe(stuck=True)
    tap, log, _ = make(pipe)
    packets = [encode(Publish("a", bytes([number])), Version.V311) for number in range(10)]
    for packet in packets:
        tap.write(packet)
    pipe.go()
    assert pipe.writes == [packets[0], b"".join(packets[1:])]
    assert log.last == 10
    big = bytes(65_536 * 40)
    tap.write(encode(Publish("a", big), Version.V311))
    assert len(pipe.writes) < 30, "the rest waits for the loop's next round"
    await wait_until(lambda: tap.idle, "the rest")


async def test_handed_over_is_told_when_the_last_byte_has_left() -> None:
    pipe = Pipe(stuck=True)
    tap, log, _ = make(pipe)
    told: list[tuple[str, int]] = []
    tap.write(encode(Publish("a"), Version.V311))
    tap.when_handed_over(lambda mono: told.append(("first", mono)))
    tap.write(encode(Publish("b"), Version.V311))
    tap.when_handed_over(lambda mono: told.append(("second", mono)))
    assert told == []
    pipe.go()
    assert [name for name, _ in told] == ["first", "second"]
    assert [mono for _, mono in told] == [log[1].mono, log[2].mono]
    tap.when_handed_over(lambda mono: told.append(("nothing to wait for", mono)))
    assert told[2] == ("nothing to wait for", log[2].mono)


async def test_what_never_left_is_marked() -> None:
    pipe = Pipe()
    tap, log, owner = make(pipe)
    tap.write(encode(Publish("sent"), Version.V311))
    pipe.stuck = True
    pipe.writes.clear()
    tap.write(encode(Publish("stuck"), Version.V311))
    tap.write(encode(Publish("queued"), Version.V311))
    assert pipe.receiver is not None
    pipe.receiver.connection_lost(ConnectionResetError(104, "reset"))
    tap.finish("lost")
    assert [log[no].unsent for no in log.numbers(1)] == [False, True]
    assert log.connection(0).close_reason == "lost"
    assert len(owner.ends) == 1
    tap.write(b"\xc0\x00")
    tap.finish("again")
    assert log.last == 2


async def test_nothing_is_recorded_after_the_end() -> None:
    pipe = Pipe()
    tap, log, owner = make(pipe)
    receiver = pipe.receiver
    assert receiver is not None
    tap.abort()
    tap.finish("over")
    receiver.data_received(b"\xd0\x00")
    assert log.last == 0
    assert pipe.calls == ["abort"]
    assert owner.ends == []


async def test_reading_pauses_only_while_answers_pile_up() -> None:
    pipe = Pipe(stuck=True)
    tap, _, owner = make(pipe)
    assert pipe.receiver is not None
    tap.write(encode(Publish("big", bytes(4_000_000)), Version.V311))
    pipe.receiver.data_received(b"\xd0\x00")
    assert pipe.calls == [], "own publishes are no reason to stop reading"
    owner.answer = encode(Publish("answer", bytes(300_000)), Version.V311)
    for _ in range(4):
        pipe.receiver.data_received(b"\xd0\x00")
    assert pipe.calls == ["pause"]
    pipe.go()
    await wait_until(lambda: tap.idle, "the queue to drain")
    assert pipe.calls == ["pause", "resume"]


async def test_inbound_is_stamped_and_recorded_before_it_is_told() -> None:
    pipe = Pipe()
    tap, log, _ = make(pipe)
    assert pipe.receiver is not None
    before = time.monotonic_ns()
    pipe.receiver.data_received(b"\xd0\x00\xd0")
    pipe.receiver.data_received(b"\x00")
    assert [log[no].raw for no in log.numbers(1)] == [b"\xd0\x00", b"\xd0\x00"]
    assert before <= log[1].mono <= log[2].mono == tap.last_in
    assert log[1].direction is Direction.S2C
    assert abs(log[1].wall - time.time_ns()) < 5e9


async def test_the_tcp_layer_knows_what_has_not_left() -> None:
    def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined]

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        _, layer = await asyncio.get_running_loop().create_connection(TcpLayer, "127.0.0.1", port)
        assert layer.remote == f"127.0.0.1:{port}"
        written = 0
        while layer.ready:
            layer.write(bytes(65_536))
            written += 65_536
            assert written < 100_000_000
        assert 0 < layer.unsent <= 65_536
        layer.abort()
        assert 0 < layer.unsent <= 65_536
        layer.write(b"dropped")
    finally:
        server.close()


async def test_what_comes_before_anybody_listens_is_kept() -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        _, layer = await asyncio.get_running_loop().create_connection(TcpLayer, "127.0.0.1", port)
        pending = layer._mailbox
        await wait_until(lambda: pending._eof, "the greeting")
        heard: list[bytes] = []

        class Listener:
            data_received = staticmethod(heard.append)
            eof_received = staticmethod(lambda: heard.append(b"eof"))
            writable = staticmethod(lambda: None)
            connection_lost = staticmethod(lambda reason: heard.append(b"lost"))

        layer.attach(Listener())
        assert heard == [b"hello", b"eof"]
        layer.close()
        await wait_until(lambda: b"lost" in heard, "the end")
    finally:
        server.close()


def test_address_text() -> None:
    assert address_text(("127.0.0.1", 1)) == "127.0.0.1:1"
    assert address_text(("::1", 1, 0, 0)) == "[::1]:1"
    assert address_text("/run/x.sock") == "/run/x.sock"
    assert address_text(None) == ""
