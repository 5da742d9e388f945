"""What TCP carries: MQTT on any port and within WebSocket; TLS, HTTP and all else named and counted. Exported PDUs."""

from __future__ import annotations

import os
import random
import struct
from itertools import accumulate, pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mqtttui.analysis.findings import Findings
from mqtttui.capture.alignment import Alignment
from mqtttui.capture.files import content
from mqtttui.capture.files.detect import is_plausible
from mqtttui.capture.records import END_OF_CAPTURE, WebSocketKind
from mqtttui.protocol.enums import Direction, Version
from mqtttui.protocol.packets import Connect, Publish, encode
from tests.support import captures as c
from tests.support import golden
from tests.support.captures import C2S, S2C, Frame, Talk, frames, golden_raws, golden_talk, packets, pcap, pcapng, raws, read
from tests.support.pcapng_oracle import Sent, write

CONNECT = encode(Connect("dev", keep_alive=60), Version.V311)
CONNACK = bytes.fromhex("20020000")
REQUEST = (
    b"GET /mqtt HTTP/1.1\r\nHost: broker\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: eA==\r\n"
    b"Sec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
RESPONSE = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"


def ws(payload: bytes, *, masked: bool = False, opcode: int = 2, final: bool = True, reserved: int = 0) -> bytes:
    """A WebSocket frame."""
    size = len(payload)
    short = size if size < 126 else 126 if size < 65_536 else 127
    head = bytes([final << 7 | reserved << 4 | opcode, masked << 7 | short])
    head += struct.pack(">H", size) if short == 126 else struct.pack(">Q", size) if short == 127 else b""
    if not masked:
        return head + payload
    mask = b"\x12\x34\x56\x78"
    return head + mask + bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))


# --- any port


@pytest.mark.parametrize("port", [1883, 8883, 18830, 5_555])
@pytest.mark.parametrize("size", [1, 5, 1_000])
def test_a_connect_is_known_on_any_port(port: int, size: int) -> None:
    log, reader = read(pcap(frames(golden_talk("B", size, server_port=port).segments)))
    assert raws(log, C2S) == golden_raws("B", C2S)
    assert (log.connection(0).destination, log.connection(0).version) == (f"10.0.0.2:{port}", Version.V5)
    assert not reader.notes and not reader.passed_over


def test_port_1883_needs_no_connect() -> None:
    log, _ = read(pcap(frames(Talk().opened().send(C2S, b"\xc0\0").segments)))
    assert raws(log) == [b"\xc0\0"]


def test_other_protocols_are_counted() -> None:
    segments = []
    for port, (first, data) in enumerate(
        [(S2C, b"SSH-2.0-OpenSSH_9\r\n"), (C2S, b"SSH-2.0-x\r\n"), (C2S, bytes(50)), (S2C, b"220 mail ESMTP\r\n"), (C2S, b"\x10\x20hello")],
        2_000,
    ):
        segments += Talk(client_port=port, server_port=22).opened().send(first, data).send(C2S, os.urandom(300)).closed().segments
    log, reader = read(pcap(frames(segments)))
    assert log.connection_count == 0
    assert reader.passed_over == {"TCP connections without MQTT": 5}
    assert not reader.problems


def test_noise_on_other_ports_is_not_taken_for_mqtt() -> None:
    chance = random.Random(7)
    segments = []
    for port in range(2_000, 2_200):
        talk = Talk(client_port=port, server_port=9_999).opened()
        for _ in range(20):
            talk.send(chance.choice([C2S, S2C]), chance.randbytes(chance.randrange(1, 60)))
        segments += talk.segments[3:]
    log, _ = read(pcap(frames(segments)))
    assert log.connection_count == 0


def test_a_quiet_stream_from_the_middle_is_decided_at_the_end() -> None:
    talk = Talk(server_port=4_000).opened().send(C2S, b"\xc0\0").send(S2C, b"\xd0\0")
    log, _ = read(pcap(frames(talk.segments[3:])))
    assert [(packet.raw, packet.direction) for packet in packets(log)] == [(b"\xc0\0", C2S), (b"\xd0\0", S2C)]


def test_undecided_beginnings_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "MAX_ALL_WAITING", 1_000)
    segments = [
        segment
        for port in range(2_000, 2_050)
        for segment in Talk(client_port=port, server_port=4_000).opened().send(S2C, b"\x30" + bytes(99)).segments
    ]
    _, reader = read(pcap(frames(segments)))
    assert reader.passed_over["TCP connections without MQTT"] == 50


# --- TLS and HTTP

HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(505)


@pytest.mark.parametrize("port", [1883, 8883])
@pytest.mark.parametrize("size", [1, 600])
def test_tls_is_known_and_the_remedy_is_said(port: int, size: int) -> None:
    talk = Talk(server_port=port).opened().send(C2S, HELLO, size).send(S2C, b"\x16\x03\x03\x00\x50" + bytes(80))
    log, reader = read(pcap(frames(talk.segments)))
    (problem,) = reader.problems
    assert f"tshark -r FILE -o tls.keylog_file:KEYS -d tls.port=={port},mqtt" in problem.text
    assert log.received == 0 and not reader.usable and reader.passed_over == {"TLS connections": 1}


def test_tls_from_the_middle() -> None:
    talk = Talk(server_port=8883).opened().send(S2C, b"\x17\x03\x03\x00\x20" + os.urandom(32))
    assert read(pcap(frames(talk.segments[3:])))[1].passed_over == {"TLS connections": 1}


def test_tls_keys_in_the_file_make_the_remedy_shorter() -> None:
    talk = Talk(server_port=8883).opened().send(C2S, HELLO)
    data = c.section() + c.block(10, struct.pack("<II", 0x544C534B, 0)) + c.interface(c.ETHERNET)
    _, reader = read(data + b"".join(c.enhanced(frame) for frame in frames(talk.segments)))
    assert "keylog_file" not in reader.problems[0].text and "keys are in the file" in reader.problems[0].text


def test_mqtt_beside_tls_is_usable() -> None:
    segments = Talk(server_port=8883).opened().send(C2S, HELLO).segments + golden_talk().segments
    log, reader = read(pcap(frames(segments)))
    assert raws(log) == golden_raws() and reader.usable and len(reader.problems) == 1


def test_http_is_counted() -> None:
    talk = (
        Talk(server_port=80)
        .opened()
        .send(C2S, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 5)
        .send(S2C, b"HTTP/1.1 200 OK\r\n\r\n" + bytes(5_000))
    )
    refused = Talk(client_port=7_000, server_port=80).opened().send(C2S, REQUEST).send(S2C, b"HTTP/1.1 403 Forbidden\r\n\r\n")
    endless = Talk(client_port=7_001, server_port=80).opened().send(C2S, b"GET /" + b"x" * 40_000, 1_000)
    _, reader = read(pcap(frames(talk.closed().segments + refused.segments + endless.segments)))
    assert reader.passed_over == {"HTTP connections": 3}


# --- WebSocket


def web_talk(size: int = 1 << 30) -> Talk:
    return Talk(server_port=8080).opened().send(C2S, REQUEST, size).send(S2C, RESPONSE, size)


@pytest.mark.parametrize("size", [1, 3, 1 << 30])
def test_mqtt_within_websocket(size: int) -> None:
    talk = web_talk(size)
    for packet in golden.packets():
        if packet.connection == "B":
            talk.send(packet.direction, ws(packet.raw, masked=packet.direction is C2S), size)
    talk.send(S2C, ws(struct.pack(">H", 1000), opcode=8))
    log, reader = read(pcap(frames(talk.closed().segments)))
    for direction in (C2S, S2C):
        assert raws(log, direction) == golden_raws("B", direction)
    (info,) = log.connections
    assert (info.transport, info.version) == ("ws", Version.V5)
    assert info.close_reason == "the client closed the connection (FIN), after WebSocket close 1000"
    assert not reader.problems and not reader.passed_over


def test_frames_and_packets_have_no_common_boundaries() -> None:
    """[MQTT-6.0.0-2]"""
    up, down = b"".join(golden_raws("A", C2S)), b"".join(golden_raws("A", S2C))
    talk = web_talk()
    for data, direction in ((up, C2S), (down, S2C)):
        for start in range(0, len(data), 9):
            masked = direction is C2S
            piece = data[start : start + 9]
            # Fragmented messages with control frames between the fragments.
            talk.send(direction, ws(piece[:4], masked=masked, final=False) + ws(b"ping", masked=masked, opcode=9))
            talk.send(direction, ws(piece[4:], masked=masked, opcode=0))
    log, _ = read(pcap(frames(talk.segments)))
    assert raws(log, C2S) == golden_raws("A", C2S) and raws(log, S2C) == golden_raws("A", S2C)


@pytest.mark.parametrize("size", [125, 126, 65_535, 65_536, 200_000])
def test_lengths_of_websocket_frames(size: int) -> None:
    raw = encode(Publish("t", bytes(size)), Version.V311)
    talk = web_talk().send(C2S, ws(CONNECT, masked=True)).send(C2S, ws(raw, masked=True), 1_400)
    assert raws(read(pcap(frames(talk.segments)))[0]) == [CONNECT, raw]


def test_websocket_without_mqtt_is_counted() -> None:
    request, response = (head.replace(b"Sec-WebSocket-Protocol: mqtt\r\n", b"") for head in (REQUEST, RESPONSE))
    talk = Talk(server_port=80).opened().send(C2S, request).send(S2C, response).send(C2S, ws(b"hello", masked=True, opcode=1))
    assert read(pcap(frames(talk.segments)))[1].passed_over == {"WebSocket connections without MQTT": 1}
    silent = Talk(client_port=3, server_port=80).opened().send(C2S, request).send(S2C, response).send(C2S, ws(CONNECT, masked=True))
    assert raws(read(pcap(frames(silent.segments)))[0]) == [CONNECT], "a client that names no subprotocol"


def test_compressed_websocket_frames_are_said() -> None:
    talk = web_talk().send(C2S, ws(CONNECT, masked=True, reserved=4)).send(S2C, ws(CONNACK))
    log, reader = read(pcap(frames(talk.segments)))
    assert log.connection_count == 1 and "compressed" in reader.problems[0].text


def test_text_frames_are_read_and_said() -> None:
    talk = web_talk().send(C2S, ws(CONNECT, masked=True, opcode=1))
    log, reader = read(pcap(frames(talk.segments)))
    assert raws(log) == [CONNECT] and "MQTT-6.0.0-1" in reader.problems[0].text


def test_websocket_from_the_middle() -> None:
    talk = web_talk()
    expected = [encode(Publish(f"t/{number}", b"x"), Version.V311) for number in range(5)]
    for raw in expected:
        talk.send(S2C, ws(raw))
    talk.send(C2S, ws(b"\xc0\0", masked=True))
    log, _ = read(pcap(frames(talk.segments[7:])))
    assert raws(log) == [*expected, b"\xc0\0"] and log.connection(0).transport == "ws"
    assert packets(log)[-1].direction is C2S


def test_a_hole_in_websocket() -> None:
    big = encode(Publish("big", bytes(3_000)), Version.V311)
    talk = web_talk().send(C2S, ws(CONNECT, masked=True)).send(S2C, ws(CONNACK)).send(S2C, ws(big), 1_000, acked=False)
    del talk.segments[-2]
    talk.send(S2C, ws(b"\xd0\0"))
    log, reader = read(pcap(frames(talk.segments)))
    assert raws(log) == [CONNECT, CONNACK, b"\xd0\0"]
    assert any("missing from the capture" in packet.framing_error for packet in packets(log)) and reader.problems


# --- exported PDUs


def exported(tmp_path: Path, sent: list[Sent]) -> bytes:
    write(tmp_path / "x.pcapng", sent)
    return (tmp_path / "x.pcapng").read_bytes()


def test_exported_pdus(tmp_path: Path) -> None:
    data = exported(tmp_path, [Sent(packet.port, packet.direction, packet.raw) for packet in golden.packets()])
    log, reader = read(data)
    assert raws(log) == [packet.raw for packet in golden.packets()]
    assert [packet.direction for packet in packets(log)] == [packet.direction for packet in golden.packets()]
    assert [packet.version for packet in packets(log)] == [packet.version for packet in golden.packets()]
    assert [reader.frame_number(no) for no in log.numbers()] == list(range(1, 44))
    assert {(info.transport, info.close_reason) for info in log.connections} == {("exported", END_OF_CAPTURE)}
    assert [info.source for info in log.connections] == ["10.0.0.1:50001", "10.0.0.1:50002", "10.0.0.1:50003"]


def test_exported_pdus_of_other_protocols_and_broken_ones_are_counted() -> None:
    other = struct.pack(">HH", 12, 4) + b"http" + bytes(4) + b"GET /"
    found = [Frame(other), Frame(b"\0\x0c\0\xff"), Frame(b"")]
    _, reader = read(pcapng(found, c.EXPORTED))
    assert reader.passed_over == {"exported PDUs of other protocols": 1, "exported PDUs that end inside their tags": 2}


def test_exported_pdus_without_addresses() -> None:
    head = struct.pack(">HH", 12, 4) + b"mqtt" + bytes(4)
    found = [Frame(head + raw) for raw in (CONNECT, CONNACK, b"\xc0\0", b"\xd0\0")]
    log, _ = read(pcapng(found, c.EXPORTED))
    assert [packet.direction for packet in packets(log)] == [C2S, S2C, C2S, S2C]
    assert log.connection(0).source == ""


def test_an_exported_packet_that_is_there_twice_counts_once(tmp_path: Path) -> None:
    """tshark exports of TLS a record with what it holds of a packet, and then that packet whole."""
    raw = encode(Publish("t", bytes(100)), Version.V311)
    sent = [Sent(5, C2S, CONNECT), Sent(5, S2C, CONNACK), Sent(5, C2S, b"\xc0\0" + raw[:50]), Sent(5, C2S, raw), Sent(5, C2S, b"\xc0\0")]
    log, reader = read(exported(tmp_path, sent))
    assert raws(log) == [CONNECT, CONNACK, b"\xc0\0", raw, b"\xc0\0"] and not reader.problems


def test_exported_pdus_that_are_pieces_of_a_stream(tmp_path: Path) -> None:
    stream = b"".join(golden_raws("A", C2S))
    sent = [Sent(5, C2S, stream[start : start + 7]) for start in range(0, len(stream), 7)]
    assert raws(read(exported(tmp_path, sent))[0]) == golden_raws("A", C2S)


def test_a_connect_after_a_disconnect_is_another_connection(tmp_path: Path) -> None:
    sent = [
        Sent(5, C2S, CONNECT),
        Sent(5, C2S, b"\xe0\0"),
        Sent(5, C2S, CONNECT),
        Sent(5, S2C, CONNACK),
        Sent(5, S2C, b"\xd0\0"),
        Sent(5, S2C, b"\xd0\0"),
    ]
    log, _ = read(exported(tmp_path, sent))
    assert [packet.connection for packet in packets(log)] == [0, 0, 1, 1, 1, 1]


def test_cut_exported_pdus() -> None:
    raw = encode(Publish("t", bytes(400)), Version.V311)
    head = struct.pack(">HH4s", 12, 4, b"mqtt") + struct.pack(">HHI", 35, 4, 0) + bytes(4)
    found = [Frame(head + CONNECT), Frame(head + raw[:106], original=len(head + raw)), Frame(head + b"\xc0\0")]
    log, reader = read(pcapng(found, c.EXPORTED))
    assert raws(log) == [CONNECT, b"\xc0\0"] and "300 bytes are missing" in reader.problems[0].text


def test_plausible_is_what_our_own_packets_are() -> None:
    for packet in golden.packets():
        if packet.number not in (19, 20, 36) and b"+" not in packet.raw[:20]:
            assert is_plausible(packet.raw), packet
    assert not is_plausible(b"hello world")
    assert Direction.C2S is C2S


def test_what_the_packets_do_not_show_of_websocket_is_told() -> None:
    up = golden_raws("A", C2S)
    talk = Talk(server_port=8080).opened().send(C2S, REQUEST).send(S2C, RESPONSE.replace(b"col: mqtt", b"col: chat"))
    talk.send(C2S, ws(up[0], masked=True)).send(C2S, ws(up[1], masked=True, opcode=1))
    log, _ = read(pcap(frames(talk.closed().segments)))
    events = [(event.kind, event.direction, event.no, event.detail) for event in log.websocket_events(0)]
    assert events == [(WebSocketKind.SUB_PROTOCOL, S2C, 0, b"chat"), (WebSocketKind.TEXT_FRAME, C2S, 1, b"")]


@pytest.mark.parametrize(("cuts", "split"), [((), False), ((1,), True), ((15,), True), ((None,), True)])
def test_packets_and_frames_that_do_not_fall_together_are_told(cuts: tuple[int | None, ...], split: bool) -> None:
    up = golden_raws("A", C2S)[:3]
    talk = Talk(server_port=8080).opened().send(C2S, REQUEST).send(S2C, RESPONSE)
    payloads = list(up)
    for cut in cuts:
        # None: two packets in one frame; else the second packet goes in two frames.
        payloads[1:3] = [up[1] + up[2]] if cut is None else [up[1][:cut], up[1][cut:], up[2]]
    for payload in payloads:
        if payload:
            talk.send(C2S, ws(payload, masked=True))
    log, _ = read(pcap(frames(talk.closed().segments)))
    assert raws(log) == up
    told = [(event.kind, event.direction, event.no) for event in log.websocket_events(0)][1:]
    assert told == [(WebSocketKind.SPLIT, C2S, 3 if cuts == (None,) else 2)] * split
    findings = Findings()
    findings.advance(log, log.last)
    assert ("A16" in {finding.id for no in log.numbers() for finding in findings.of(no)}) is split


@given(st.lists(st.binary(max_size=300), max_size=8), st.lists(st.integers(1, 40), max_size=30))
def test_alignment_is_what_counting_says(payloads: list[bytes], sizes: list[int]) -> None:
    stream = [encode(Publish("t", payload), Version.V311) for payload in payloads]
    ends = list(accumulate(map(len, stream)))
    cuts = sorted({*(cut for cut in accumulate(sizes) if cut < sum(map(len, stream))), *ends[-1:]})
    data = b"".join(stream)
    alignment = Alignment()
    for start, end in pairwise([0, *cuts]):
        for at in range(start, end):
            alignment.payload(data[at : at + 1])
        alignment.frame_ended()
    assert alignment.split is (bool(ends) and cuts != ends)
