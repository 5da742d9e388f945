"""Containers and link layers: the same conversation in any of them is the same log."""

from __future__ import annotations

import struct

import pytest

from mqtttui.capture.files.blocks import MAX_BLOCK, MAX_FRAME
from mqtttui.capture.files.problems import MAX_PROBLEMS
from mqtttui.protocol.enums import Direction
from tests.support import captures as c
from tests.support.captures import ETHERNET, Frame, frames, golden_raws, golden_talk, packets, pcap, pcapng, raws, read

FRAMES = frames(golden_talk().segments)
EXPECTED = golden_raws()


def walls(data: bytes) -> list[int]:
    return [packet.wall for packet in packets(read(data)[0])]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("nanoseconds", [False, True])
def test_pcap_in_both_byte_orders_and_resolutions(order: str, nanoseconds: bool) -> None:
    found = [frame._replace(wall=frame.wall + 123_456_789) for frame in FRAMES]
    log, reader = read(pcap(found, nanoseconds=nanoseconds, order=order))
    assert raws(log) == EXPECTED
    assert reader.format == ("pcap, nanoseconds" if nanoseconds else "pcap, microseconds")
    assert packets(log)[0].wall == c.START + 3 * c.STEP + (123_456_789 if nanoseconds else 123_456_000)
    assert not reader.problems


@pytest.mark.parametrize("order", ["<", ">"])
def test_pcapng_in_both_byte_orders(order: str) -> None:
    log, reader = read(pcapng(FRAMES, order=order))
    assert (raws(log), reader.format, list(reader.problems)) == (EXPECTED, "pcapng", [])
    assert [reader.frame_number(no) for no in (1, 2, 3)] == [4, 6, 8], "handshake and acknowledgements are frames too"
    assert reader.frames == len(FRAMES)


@pytest.mark.parametrize("cut", [1, 2, 3, 7, 100, 1_000])
@pytest.mark.parametrize("make", [pcap, pcapng, lambda found: c.zipped(pcapng(found))], ids=["pcap", "pcapng", "gzip"])
def test_any_pieces_give_the_same_log(make: object, cut: int) -> None:
    data = make(FRAMES)  # type: ignore[operator]
    whole, piecewise = read(data), read(data, cut=cut)
    assert packets(whole[0]) == packets(piecewise[0])
    assert whole[0].connections == piecewise[0].connections
    assert [whole[1].frame_number(no) for no in range(1, 30)] == [piecewise[1].frame_number(no) for no in range(1, 30)]


def test_gzip_is_undone_and_a_cut_one_is_said() -> None:
    data = c.zipped(pcapng(FRAMES))
    log, reader = read(data)
    assert (raws(log), reader.format) == (EXPECTED, "pcapng, gzip")
    log, reader = read(data[: len(data) // 2])
    assert 0 < log.received < len(EXPECTED)
    assert ["cut off" in problem.text for problem in reader.problems] == [True]
    assert raws(read(c.zipped(pcapng(FRAMES)[:600]) + c.zipped(pcapng(FRAMES)[600:]))[0]) == EXPECTED, "two members"
    spoiled = bytearray(data)
    spoiled[len(data) // 2] ^= 0xFF
    _, reader = read(bytes(spoiled))
    assert reader.problems


@pytest.mark.parametrize("magic", [b"\x28\xb5\x2f\xfd", b"\xfd7zXZ\0", b"BZh9", b"PK\x03\x04"])
def test_other_compressions_are_named_with_their_tool(magic: bytes) -> None:
    _, reader = read(magic + bytes(100))
    (problem,) = reader.problems
    assert problem.fatal and "compressed with" in problem.text and "FILE" in problem.text


@pytest.mark.parametrize("data", [b"", b"x", b"hello, world", b"\x0a\x0d\x0d", b"GET / HTTP/1.1\r\n"])
def test_what_is_no_capture_is_said(data: bytes) -> None:
    log, reader = read(data)
    assert log.received == 0 and [problem.fatal for problem in reader.problems] == [True] and not reader.usable


@pytest.mark.parametrize(
    ("resolution", "ticks"),
    [
        (b"\x06", c.START // 1_000),
        (b"\x09", c.START),
        (b"\x03", c.START // 1_000_000),
        (b"\x00", c.START // 1_000_000_000),
        (b"\x0a", c.START * 10),
        (b"\x8a", c.START * 1024 // 10**9),
        (b"\x80", c.START // 10**9),
    ],
)
def test_times_of_any_resolution(resolution: bytes, ticks: int) -> None:
    data = c.section() + c.interface(ETHERNET, options=c.option(9, resolution))
    data += b"".join(c.enhanced(frame, ticks=ticks) for frame in FRAMES)
    assert set(walls(data)) == {c.START}


def test_offset_of_times_and_times_that_cannot_be() -> None:
    data = c.section() + c.interface(ETHERNET, options=c.option(14, struct.pack("<q", 60)))
    data += b"".join(c.enhanced(frame, ticks=0) for frame in FRAMES)
    assert set(walls(data)) == {60 * 10**9}
    data = c.section() + c.interface(ETHERNET, options=c.option(14, struct.pack("<q", -(2**63))))
    data += b"".join(c.enhanced(frame, ticks=2**64 - 1) for frame in FRAMES)
    assert set(walls(data)) == {0}


def test_simple_packet_blocks_have_the_time_before() -> None:
    data = c.section() + c.interface(ETHERNET)
    data += c.enhanced(FRAMES[0])
    for frame in FRAMES[1:]:
        data += c.block(3, struct.pack("<I", len(frame.data)) + frame.data + bytes(-len(frame.data) % 4))
    assert raws(read(data)[0]) == EXPECTED
    assert set(walls(data)) == {c.START}


def test_simple_packet_blocks_obey_the_snap_length() -> None:
    data = c.section() + c.interface(ETHERNET, snap_length=60)
    for frame in FRAMES:
        kept = frame.data[:60]
        data += c.block(3, struct.pack("<I", len(frame.data)) + kept + bytes(-len(kept) % 4))
    log, reader = read(data)
    assert reader.passed_over["segments that are cut"] > 0
    assert any("missing from the capture" in packet.framing_error for packet in packets(log))


def test_old_packet_blocks() -> None:
    data = c.section() + c.interface(ETHERNET)
    for frame in FRAMES:
        size = len(frame.data)
        stamp = frame.wall // 1_000
        head = struct.pack("<HHIIII", 0, 0, stamp >> 32, stamp & 0xFFFFFFFF, size, size)
        data += c.block(2, head + frame.data + bytes(-size % 4))
    log, _ = read(data)
    assert raws(log) == EXPECTED and packets(log)[0].wall == FRAMES[3].wall


def test_sections_have_byte_orders_and_interfaces_of_their_own() -> None:
    half = len(FRAMES) // 2
    raw = frames(golden_talk().segments, c.RAW)
    data = pcapng(FRAMES[:half], order=">") + c.section() + c.interface(c.NULL) + c.interface(c.RAW)
    data += b"".join(c.enhanced(frame, number=1) for frame in raw[half:])
    assert raws(read(data)[0]) == EXPECTED


def test_blocks_that_say_nothing_about_packets_are_passed_over() -> None:
    other = (
        c.block(4, bytes(8)) + c.block(5, bytes(16)) + c.block(10, bytes(12)) + c.block(0xBAD, bytes(20)) + c.block(0x40000BAD, bytes(4))
    )
    data = c.section() + c.interface(ETHERNET) + other + b"".join(c.enhanced(frame) + other for frame in FRAMES)
    log, reader = read(data)
    assert raws(log) == EXPECTED
    assert reader.passed_over == {"pcapng blocks of other kinds": 2 * (len(FRAMES) + 1)}


def test_comments_come_with_the_packet_that_their_frame_completed() -> None:
    found = [frame._replace(comments=(f"frame {index}", "second")) for index, frame in enumerate(FRAMES, 1)]
    for order in "<>":
        log, reader = read(pcapng(found, order=order))
        assert raws(log) == EXPECTED
        assert {no: comments[0] for no, comments in reader.comments.items()} == {
            no: f"frame {reader.frame_number(no)}" for no in range(1, log.last + 1)
        }


def test_comments_behind_other_options() -> None:
    data = c.section() + c.interface(ETHERNET)
    for frame in FRAMES:
        size = len(frame.data)
        options = c.option(2, bytes(4)) + c.option(5, bytes(8)) + c.option(1, b"hi") + bytes(4)
        data += c.block(6, struct.pack("<IIIII", 0, 0, 0, size, size) + frame.data + bytes(-size % 4) + options)
    assert set(read(data)[1].comments.values()) == {("hi",)}


# --- damage


def test_a_file_that_is_cut_anywhere_gives_what_is_whole() -> None:
    for make in (pcap, pcapng):
        data = make(FRAMES)
        log, _ = read(data)
        before = 0
        for size in range(0, len(data), 13):
            cut_log, reader = read(data[:size])
            received = len(raws(cut_log))
            assert raws(cut_log) == EXPECTED[:received]
            assert received >= before
            before = received
            if reader.problems:
                assert reader.problems[0].offset <= size
        assert raws(log) == EXPECTED


def test_the_place_of_the_cut_is_said() -> None:
    data = pcapng(FRAMES)
    last = data.rindex(struct.pack("<I", 6), 0, len(data) - 20)
    _, reader = read(data[:-5])
    (problem,) = reader.problems
    assert "cut off" in problem.text and not problem.fatal and problem.offset <= last


@pytest.mark.parametrize("length", [0, 8, 13, MAX_BLOCK + 4, 0xFFFFFFFC])
def test_a_block_that_cannot_be_ends_the_reading_there(length: int) -> None:
    start = c.section() + c.interface(ETHERNET) + b"".join(c.enhanced(frame) for frame in FRAMES[:20])
    log, reader = read(start + struct.pack("<II", 6, length) + bytes(100) + c.enhanced(FRAMES[20]))
    (problem,) = reader.problems
    assert problem.fatal and problem.offset == len(start) and "damaged" in problem.text
    assert log.received == 9


def test_a_block_whose_lengths_differ() -> None:
    start = c.section() + c.interface(ETHERNET)
    bad = bytearray(c.enhanced(FRAMES[0]))
    bad[-4] ^= 0x04
    _, reader = read(start + bytes(bad))
    assert [(problem.fatal, problem.offset) for problem in reader.problems] == [(True, len(start))]


def test_a_frame_longer_than_its_block_is_left_out() -> None:
    bad = bytearray(c.enhanced(FRAMES[3]))
    bad[20:24] = struct.pack("<I", 5_000)
    start = c.section() + c.interface(ETHERNET) + b"".join(c.enhanced(frame) for frame in FRAMES[:3])
    log, reader = read(start + bytes(bad) + b"".join(c.enhanced(frame) for frame in FRAMES[4:]))
    assert reader.problems[0].offset == len(start) and not reader.problems[0].fatal
    assert reader.passed_over["frames in damaged blocks"] == 1
    assert raws(log, Direction.S2C) == golden_raws("A", Direction.S2C)


def test_frames_of_interfaces_that_are_not_described() -> None:
    _, reader = read(c.section() + b"".join(c.enhanced(frame) for frame in FRAMES) * 100)
    assert len(reader.problems) == MAX_PROBLEMS
    assert reader.problems_left_out == 100 * len(FRAMES) - MAX_PROBLEMS
    assert reader.passed_over == {"frames in damaged blocks": 100 * len(FRAMES)}


def test_a_pcap_frame_that_cannot_be() -> None:
    data = pcap(FRAMES[:6]) + struct.pack("<IIII", 1, 2, MAX_FRAME + 1, 60) + bytes(100)
    log, reader = read(data)
    assert log.received == 2
    assert [(problem.fatal, problem.offset) for problem in reader.problems] == [(True, len(pcap(FRAMES[:6])))]


# --- link layers and IP


@pytest.mark.parametrize("six", [False, True], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize("link", [c.ETHERNET, c.NULL, c.RAW, c.LOOP, c.SLL, c.SLL2, 12, 14])
def test_every_link_type(link: int, six: bool) -> None:
    for make in (pcap, pcapng):
        log, reader = read(make(frames(golden_talk().segments, link, six=six), link))
        assert raws(log) == EXPECTED
        assert not reader.passed_over
        (connection,) = log.connections
        source = "[::1]:50000" if six else "10.0.0.1:50000"
        assert (connection.source, connection.transport, connection.close_reason) == (
            source,
            "tcp",
            "the client closed the connection (FIN)",
        )


@pytest.mark.parametrize(("link", "six"), [(c.IPV4, False), (c.IPV6, True)])
def test_links_of_one_ip_version(link: int, six: bool) -> None:
    assert raws(read(pcap(frames(golden_talk().segments, link, six=six), link))[0]) == EXPECTED


@pytest.mark.parametrize(
    "tags", [[b"\x81\x00\x00\x05"], [b"\x88\xa8\x00\x05", b"\x81\x00\x20\x07"], [b"\x88\x64\x11\x00\x00\x01\x00\x50\x00\x21"]]
)
def test_tags_in_front_of_ip(tags: list[bytes]) -> None:
    found = []
    for index, segment in enumerate(golden_talk().segments):
        frame = c.linked(c.packet4(segment), ETHERNET, tags=tags)
        if tags[0][:2] == b"\x88\x64":
            frame = frame[: 12 + 10] + frame[12 + 12 :]
        found.append(Frame(frame, c.START + index))
    assert raws(read(pcap(found))[0]) == EXPECTED


def test_ethernet_padding_is_no_payload() -> None:
    padded = [frame._replace(data=frame.data.ljust(60, b"\xaa")) for frame in FRAMES]
    assert raws(read(pcap(padded))[0]) == EXPECTED


def test_fragments_are_put_together_in_any_order() -> None:
    for backwards in (False, True):
        found = []
        for segment in golden_talk().segments:
            pieces = c.fragments(segment, 24)
            found += [Frame(c.linked(piece, ETHERNET)) for piece in (reversed(pieces) if backwards else pieces)]
        log, reader = read(pcap(c.retimed(found)))
        assert raws(log) == EXPECTED and not reader.passed_over


def test_fragments_that_stay_alone_are_counted() -> None:
    found = [Frame(c.linked(c.fragments(segment, 24)[0], ETHERNET)) for segment in golden_talk().segments[3:]]
    _, reader = read(pcap(found))
    assert reader.passed_over["fragmented IP packets that were never whole"] == 2, "one each way: they have the same identification"


def test_ipv6_extension_headers_and_fragments() -> None:
    found = []
    for segment in golden_talk().segments:
        whole = c.packet6(segment)
        head, tcp = whole[:40], whole[40:]
        for start, more in ((0, 1), (16, 0)):
            piece = tcp[:16] if more else tcp[16:]
            fragment = bytes([6, 0]) + struct.pack(">HI", start | more, 77) + piece
            hop = bytes([44, 0]) + bytes(6)
            body = hop + fragment
            found.append(Frame(c.linked(head[:4] + struct.pack(">H", len(body)) + b"\0" + head[7:] + body, ETHERNET)))
    assert raws(read(pcap(c.retimed(found)))[0]) == EXPECTED


def test_what_is_no_tcp_is_counted_by_name() -> None:
    def ip(protocol: int) -> bytes:
        whole = bytearray(c.packet4(golden_talk().segments[0]))
        whole[9] = protocol
        return bytes(whole)

    others = [Frame(c.linked(ip(number), ETHERNET)) for number in (17, 17, 1, 47, 200)]
    others += [Frame(bytes(12) + b"\x08\x06" + bytes(28)), Frame(bytes(12) + b"\x12\x34" + bytes(28)), Frame(bytes(5))]
    _, reader = read(pcap(others))
    assert reader.passed_over == {
        "UDP packets": 2, "ICMP packets": 1, "GRE packets": 1, "packets of other IP protocols": 1, "ARP frames": 1,
        "frames without IP": 1, "frames that end inside their link header": 1,
    }  # fmt: skip


def test_unknown_link_types_are_counted_by_name() -> None:
    assert read(pcap(FRAMES, 127))[1].passed_over == {"frames of link type 127 (IEEE 802.11 with radiotap)": len(FRAMES)}
    assert read(pcap(FRAMES, 9_999))[1].passed_over == {"frames of link type 9999": len(FRAMES)}


def test_the_capture_of_a_network_card_with_segmentation() -> None:
    found = []
    for frame in FRAMES:
        data = bytearray(frame.data)
        data[16:18] = b"\0\0"
        found.append(frame._replace(data=bytes(data)))
    assert raws(read(pcap(found))[0]) == EXPECTED
