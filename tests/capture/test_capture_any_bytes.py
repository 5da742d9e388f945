"""Any bytes, in any pieces: a log and words about what was wrong, never an exception, and the same for the same bytes."""

from __future__ import annotations

import struct
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from mqtttui.capture.files.detect import Guess, VersionGuess, beginning, boundary, chain, is_plausible, packet_size, sender, weight
from mqtttui.capture.files.reader import CaptureReader
from mqtttui.capture.files.websocket import FrameReader
from mqtttui.capture.log import Log
from mqtttui.protocol.enums import Direction
from tests.support import captures as c
from tests.support import golden
from tests.support.captures import C2S, Frame, Talk, frames, golden_talk, packets, pcap, pcapng, read

EXAMPLES = 400


def outcome(data: bytes, cut: int) -> tuple[object, ...]:
    log, reader = read(data, cut=cut, limit=1 << 24)
    rows = packets(log)
    return (
        [(row.raw, row.wall, row.mono, row.connection, row.direction, row.version, row.framing_error, row.dropped) for row in rows],
        log.connections,
        list(reader.problems),
        dict(reader.passed_over),
        dict(reader.notes),
        dict(reader.comments),
        reader.frames,
        [reader.frame_number(row.number) for row in rows],
    )


def web() -> list[c.Segment]:
    request = b"GET /mqtt HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"
    talk = Talk(server_port=8080).opened().send(C2S, request)
    talk.send(c.S2C, b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n")
    for raw in c.golden_raws("A", C2S):
        talk.send(C2S, bytes([0x82, 0x80 | len(raw)]) + bytes(4) + raw)
    return talk.closed().segments


@cache
def bases() -> tuple[bytes, ...]:
    talk = golden_talk("B", 20).segments
    tags = struct.pack(">HH4s", 12, 4, b"mqtt") + struct.pack(">HHI", 35, 4, 0) + bytes(4)
    return (
        pcapng([frame._replace(comments=("hello",)) for frame in frames(talk)]),
        pcap(frames(talk, c.SLL2, six=True), c.SLL2, nanoseconds=True, order=">"),
        pcap([Frame(c.linked(piece, c.NULL)) for segment in talk for piece in c.fragments(segment, 16)], c.NULL),
        pcapng([Frame(tags + packet.raw) for packet in golden.packets()], c.EXPORTED, order=">"),
        pcapng(frames(web())),
        pcap(frames(golden_talk("A").segments[3:])),
    )


@settings(deadline=None, max_examples=EXAMPLES)
@given(
    st.binary(max_size=300),
    st.sampled_from([b"", c.section(), c.section(">") + c.interface(1, ">"), pcap([]), pcap([], 252), b"\x1f\x8b\x08\0"]),
)
def test_any_bytes(rest: bytes, start: bytes) -> None:
    data = start + rest
    whole = outcome(data, 1 << 20)
    assert whole == outcome(data, 1)
    assert whole == outcome(data, 7)


@settings(deadline=None, max_examples=EXAMPLES)
@given(st.data())
def test_damaged_captures(data: st.DataObject) -> None:
    spoiled = bytearray(data.draw(st.sampled_from(bases())))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(spoiled) - 1))
        size = data.draw(st.integers(1, 40))
        match data.draw(st.sampled_from(["flip", "write", "drop", "double", "cut"])):
            case "flip":
                spoiled[at] ^= 1 << data.draw(st.integers(0, 7))
            case "write":
                spoiled[at : at + size] = data.draw(st.binary(max_size=size))
            case "drop":
                del spoiled[at : at + size]
            case "double":
                spoiled[at:at] = spoiled[at : at + size * 10]
            case _:
                del spoiled[max(100, at) :]
        if not spoiled:
            break
    whole = outcome(bytes(spoiled), 1 << 20)
    assert whole == outcome(bytes(spoiled), data.draw(st.integers(1, 500)))


@settings(deadline=None, max_examples=EXAMPLES)
@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 63), st.integers(0, 2**32 - 1), st.binary(max_size=30)), max_size=20), st.booleans()
)
def test_any_segments(wanted: list[tuple[bool, int, int, bytes]], near: bool) -> None:
    """Any flags, any sequence numbers, near each other or not."""
    segments = [
        c.Segment(Direction(int(back)), seq % 64 if near else seq, seq % 64 if near else seq, flags, payload, 50_000, 1_883)
        for back, flags, seq, payload in wanted
    ]
    data = pcap(frames(segments))
    assert outcome(data, 1 << 20) == outcome(data, 61)


@settings(deadline=None, max_examples=EXAMPLES)
@given(st.binary(max_size=200))
def test_detection_is_total(data: bytes) -> None:
    assert isinstance(beginning(data), Guess)
    at = boundary(data) if data else None
    assert at is None or 0 <= at < len(data)
    count, end = chain(data, 0)
    assert count >= 0 and end >= 0
    assert weight(data) >= 0
    assert sender(data) in (None, *Direction)
    if is_plausible(data):
        assert packet_size(data, 0) >= 0
    guess = VersionGuess()
    for direction in Direction:
        guess.look(direction, data)
    reader = FrameReader(True)
    assert len(reader.feed(data)) <= len(data)


def test_lengths_that_nothing_stands_behind_take_no_memory() -> None:
    huge = c.section() + struct.pack("<II", 1, 32 * 1024 * 1024) + bytes(1_000)
    log = Log(1 << 20)
    reader = CaptureReader(log)
    for byte in huge:
        reader.feed(bytes([byte]))
    reader.finish()
    assert reader.problems and not log.received


def test_what_inflates_is_read_in_steps() -> None:
    log = Log(1 << 20)
    reader = CaptureReader(log)
    filler = c.block(0xBAD, bytes(1 << 20)) * 64
    steps = sum(1 for _ in reader.steps(c.zipped(c.section() + filler + pcapng(frames(golden_talk().segments)))))
    reader.finish()
    assert steps > 60 and log.received == len(c.golden_raws())
