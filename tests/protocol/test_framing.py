"""Framer: any chunking gives the same packets and the same error, in linear time."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mqtttui.protocol.framing import KEEP_REST, Batch, Framer
from mqtttui.protocol.packets import MAX_REMAINING_LENGTH, encode, variable_byte_integer
from tests.support import golden, strategies

GOLDEN = b"".join(packet.raw for packet in golden.packets())

streams = st.lists(
    st.one_of(strategies.versioned_packets.map(lambda pair: encode(pair[1], pair[0])), st.binary(max_size=30), strategies.any_packet_bytes),
    max_size=8,
).map(b"".join)


def fed(chunks: list[bytes], max_packet: int = 1_000) -> tuple[list[bytes], object, bytes, int]:
    framer = Framer(max_packet)
    found: list[bytes] = []
    errors = []
    for chunk in chunks:
        batch = framer.feed(chunk)
        found += batch.packets()
        assert bytes(batch.firsts) == b"".join(packet[:1] for packet in batch.packets())
        assert not batch.ends or batch.ends[-1] == len(batch.data)
        if batch.error is not None:
            errors.append(batch.error)
    assert len(errors) <= 1
    assert framer.error is (errors[0] if errors else None)
    return found, framer.error, framer.pending, framer.rest


@given(streams, st.data())
def test_any_chunking_gives_the_same(stream: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    chunks = [stream[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    whole = fed([stream])
    assert fed(chunks) == whole
    assert fed([stream[index : index + 1] for index in range(len(stream))]) == whole
    packets, _, pending, _ = whole
    assert b"".join(packets) + pending == stream


def test_golden_packets_come_out_whole() -> None:
    assert fed([GOLDEN])[0] == [packet.raw for packet in golden.packets()]


@pytest.mark.parametrize("length", [0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152])
def test_every_size_of_remaining_length(length: int) -> None:
    packet = b"\x30" + variable_byte_integer(length) + bytes(length)
    assert fed([packet, b"\xc0\x00"], 10**7)[0] == [packet, b"\xc0\x00"]


def test_a_length_longer_than_needed_is_framed() -> None:
    assert fed([bytes.fromhex("c08000d000")])[0] == [bytes.fromhex("c08000"), bytes.fromhex("d000")]


def test_a_fifth_length_byte_poisons_and_is_said_once() -> None:
    framer = Framer()
    batch = framer.feed(bytes.fromhex("c000 30ffffffff7f616263"))
    assert list(batch.packets()) == [b"\xc0\x00"]
    assert batch.error is not None
    assert batch.error.offset == 2
    assert "four bytes" in batch.error.text
    again = framer.feed(b"\xc0\x00")
    assert (len(again), again.error) == (0, None)
    assert framer.pending == bytes.fromhex("30ffffffff7f616263c000")


def test_a_packet_over_the_limit_is_named_with_its_size() -> None:
    framer = Framer(100)
    assert framer.feed(b"\x30" + variable_byte_integer(97) + bytes(97)).error is None
    batch = framer.feed(b"\x30" + variable_byte_integer(100))
    assert batch.error is not None
    assert "102 bytes" in batch.error.text
    assert batch.error.offset == 99


def test_the_largest_packet_there_can_be_is_no_error() -> None:
    framer = Framer()
    assert framer.feed(b"\x30" + variable_byte_integer(MAX_REMAINING_LENGTH)).error is None
    assert framer.expected == MAX_REMAINING_LENGTH + 5


def test_the_rest_after_an_error_is_bounded_but_counted() -> None:
    framer = Framer()
    framer.feed(b"\x30\xff\xff\xff\xff")
    for _ in range(10):
        framer.feed(bytes(KEEP_REST))
    assert len(framer.pending) == KEEP_REST
    assert framer.rest == 10 * KEEP_REST + 5


def test_any_buffer_can_be_fed() -> None:
    for kind in (bytes, bytearray, memoryview):
        framer = Framer()
        framer.feed(kind(GOLDEN[:7]))
        batch = framer.feed(kind(GOLDEN[7:]))
        assert len(batch) == 43


def test_a_batch_finds_its_first_bytes_itself() -> None:
    assert bytes(Batch(bytes.fromhex("c000d000"), [2, 4]).firsts) == b"\xc0\xd0"
    assert bytes(Batch(b"", []).firsts) == b""


def test_time_is_linear_in_the_bytes() -> None:
    """Four times the packet in small chunks takes about four times as long; a quadratic one would take sixteen."""

    def seconds(size: int) -> float:
        packet = b"\x30" + variable_byte_integer(size) + bytes(size)
        best = float("inf")
        for _ in range(3):
            framer = Framer()
            start = time.perf_counter()
            done = sum(len(framer.feed(packet[index : index + 256])) for index in range(0, len(packet), 256))
            best = min(best, time.perf_counter() - start)
            assert done == 1
        return best

    seconds(1 << 20)
    assert seconds(1 << 24) < 8 * seconds(1 << 22)
