"""TCP as captures have it: repeated, swapped, lost, cut, wrapped, used again. The log has what was sent, and says what is missing."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mqtttui.capture.files import tcp
from mqtttui.capture.files.reader import CaptureReader
from mqtttui.capture.log import Log
from mqtttui.capture.records import END_OF_CAPTURE
from mqtttui.protocol.enums import PropertyId, Version
from mqtttui.protocol.packets import Connect, Property, Publish, encode
from tests.support import captures as c
from tests.support.captures import C2S, S2C, Segment, Talk, frames, golden_raws, golden_talk, packets, pcap, raws, read

CONNECT = encode(Connect("dev", keep_alive=60), Version.V311)
CONNACK = bytes.fromhex("20020000")


def publish(number: int, size: int = 20) -> bytes:
    return encode(Publish(f"t/{number}", b"x" * size), Version.V311)


def log_of(segments: list[Segment]) -> tuple[Log, CaptureReader]:
    return read(pcap(frames(segments)))


def started(**ports: int) -> Talk:
    return Talk(**ports).opened().send(C2S, CONNECT).send(S2C, CONNACK)


@pytest.mark.parametrize("size", [1, 2, 3, 10, 1_000])
@pytest.mark.parametrize("connection", "ABC")
def test_segments_may_be_cut_anywhere(connection: str, size: int) -> None:
    log, reader = log_of(golden_talk(connection, size).segments)
    for direction in (C2S, S2C):
        assert raws(log, direction) == golden_raws(connection, direction)
    assert not reader.problems


def test_repetitions_count_once() -> None:
    segments = [segment for segment in golden_talk().segments for _ in range(3)]
    log, reader = log_of(segments)
    assert raws(log) == golden_raws()
    assert reader.passed_over["TCP retransmissions"] == 2 * len(golden_raws())
    assert log.connection_count == 1


def test_swapped_segments_are_put_in_order() -> None:
    talk = started()
    for number in range(20):
        talk.send(S2C, publish(number), acked=False)
    first, body = talk.segments[:7], talk.segments[7:]
    random.Random(5).shuffle(body)
    log, reader = log_of(first + body)
    assert raws(log, S2C) == [CONNACK, *(publish(number) for number in range(20))]
    assert not reader.problems


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_any_cut_repeated_overlapping_and_swapped_segments(data: st.DataObject) -> None:
    stream = b"".join(publish(number, data.draw(st.integers(0, 300))) for number in range(data.draw(st.integers(1, 12))))
    isn = data.draw(st.sampled_from([0, 1_000, 0xFFFFFFFF, 0xFFFFFF00, 0x7FFFFFF0]))
    talk = Talk(server_isn=isn).opened().send(C2S, CONNECT).send(S2C, CONNACK + stream, acked=False)
    whole = talk.segments.pop()
    pieces = []
    start = 0
    size = len(whole.payload)
    while start < size:
        end = min(size, start + data.draw(st.integers(1, 200)))
        back = data.draw(st.integers(0, min(start, 50)))
        pieces.append(c.with_payload(whole, start - back, end))
        start = end
    pieces += data.draw(st.lists(st.sampled_from(pieces), max_size=4))
    pieces = data.draw(st.permutations(pieces))
    log, reader = log_of([*talk.segments, *pieces])
    assert raws(log, S2C) == c.framed(b"", CONNACK + stream)[1]
    assert not reader.problems


def test_sequence_numbers_wrap() -> None:
    talk = Talk(client_isn=0xFFFFFFF0, server_isn=0xFFFFFFFF).opened().send(C2S, CONNECT).send(S2C, CONNACK)
    expected = [CONNACK]
    for number in range(50):
        talk.send(S2C, publish(number), 7)
        expected.append(publish(number))
    log, reader = log_of(talk.closed().segments)
    assert raws(log, S2C) == expected and not reader.problems
    assert log.connection(0).close_reason == "the client closed the connection (FIN)"


def test_keep_alive_probes_change_nothing() -> None:
    talk = started()
    last = talk.segments[-1]
    talk.segments.append(replace(last, seq=(last.seq - 1) & 0xFFFFFFFF, payload=b"\0"))
    talk.send(C2S, b"\xc0\0").send(S2C, b"\xd0\0")
    log, reader = log_of(talk.segments)
    assert raws(log) == [CONNECT, CONNACK, b"\xc0\0", b"\xd0\0"] and not reader.problems


# --- holes


def test_a_hole_in_a_long_packet_leaves_the_next_one_whole() -> None:
    """Its length is known, so the next packet begins where it ends."""
    talk = started().send(S2C, publish(1, 5_000), 1_000, acked=False)
    del talk.segments[-3]
    talk.send(S2C, publish(2))
    log, reader = log_of(talk.segments)
    assert raws(log, S2C) == [CONNACK, publish(2)]
    damaged = packets(log)[2]
    assert damaged.framing_error == "incomplete, 3,000 of 5,008 bytes: 1,000 bytes are missing from the capture"
    assert len(damaged.raw) + damaged.dropped + 1_000 == 5_008
    (problem,) = reader.problems
    assert problem.text == "connection 0: 1,000 bytes are missing in what the server sent, before packet 4"
    assert reader.passed_over["holes in TCP streams"] == 1


def test_a_hole_between_packets_is_found_over_by_content() -> None:
    talk = started()
    for number in range(6):
        talk.send(S2C, publish(number), acked=False)
    lost = talk.segments.pop(-4)
    log, reader = log_of(talk.segments)
    assert raws(log, S2C) == [CONNACK, *(publish(number) for number in (0, 1, 3, 4, 5))]
    assert f"{len(lost.payload)} bytes are missing" in reader.problems[0].text


def test_a_hole_that_swallows_a_packets_end_and_the_next_ones_beginning() -> None:
    talk = started().send(S2C, publish(1, 500) + publish(2, 500) + publish(3, 500) + publish(4), 100, acked=False)
    bodies = talk.segments[7:]
    log, reader = log_of(talk.segments[:7] + bodies[:2] + bodies[8:])
    found = packets(log)[2:]
    assert [packet.raw for packet in found if not packet.framing_error] == [publish(4)]
    assert found[0].framing_error.startswith("incomplete, 200 of 508 bytes: 600 bytes are missing")
    assert "its beginning is not in the capture" in found[1].framing_error
    stream = publish(1, 500) + publish(2, 500) + publish(3, 500)
    assert found[0].raw + stream[200:800] + found[1].raw == stream
    assert reader.problems


def test_a_hole_is_given_up_when_the_receiver_has_what_is_missing() -> None:
    """Long before the file ends: the capture lost it, nobody will send it again."""
    talk = started().send(S2C, publish(0)).send(S2C, publish(1)).send(S2C, publish(2))
    del talk.segments[-4]
    for _ in range(200):
        talk.send(C2S, b"\xc0\0").send(S2C, b"\xd0\0")
    log = Log(1 << 40)
    reader = CaptureReader(log)
    reader.feed(pcap(frames(talk.segments)))
    assert raws(log, S2C)[:3] == [CONNACK, publish(0), publish(2)]
    assert len(raws(log, S2C)) == 203


def test_a_hole_that_the_net_fills_later_is_no_hole() -> None:
    talk = started()
    for number in range(300):
        talk.send(S2C, publish(number), acked=False)
    late = talk.segments.pop(7)
    log, reader = log_of([*talk.segments, late])
    assert raws(log, S2C) == [CONNACK, *(publish(number) for number in range(300))]
    assert not reader.problems


def test_what_waits_behind_a_hole_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp, "MAX_EARLY", 10_000)
    talk = started()
    for number in range(500):
        talk.send(S2C, publish(number, 100), acked=False)
    del talk.segments[7]
    log = Log(1 << 40)
    reader = CaptureReader(log)
    reader.feed(pcap(frames(talk.segments)))
    assert raws(log, S2C)[-1] == publish(499, 100), "given up before the end of the file"
    assert len(reader.problems) == 1


def test_segments_that_the_capture_cut_are_holes_of_known_length() -> None:
    talk = started().send(S2C, publish(1, 200)).send(S2C, publish(2, 10)).send(S2C, publish(3, 200))
    cut = [frame._replace(data=frame.data[:100], original=len(frame.data)) for frame in frames(talk.segments)]
    log, reader = read(pcap(cut))
    assert raws(log, S2C) == [CONNACK, publish(2, 10)]
    assert [packet.raw[:46] for packet in packets(log) if packet.framing_error] == [publish(1, 200)[:46], publish(3, 200)[:46]]
    assert reader.passed_over["segments that are cut"] == 2


def test_cut_segments_come_in_any_order_too() -> None:
    talk = started().send(S2C, publish(1, 200), acked=False).send(S2C, publish(2, 200), acked=False).send(S2C, publish(3, 5), acked=False)
    cut = [frame._replace(data=frame.data[:100], original=len(frame.data)) for frame in frames(talk.segments)]
    cut[7], cut[8] = cut[8], cut[7]
    log, _ = read(pcap(cut))
    assert raws(log, S2C) == [CONNACK, publish(3, 5)]


# --- connections


def test_ports_that_are_used_again_are_another_connection() -> None:
    first, second = golden_talk("A"), golden_talk("C", client_isn=777, server_isn=888)
    log, _ = log_of(first.segments + second.segments)
    assert [raws(log, connection=number) for number in (0, 1)] == [golden_raws("A"), golden_raws("C")]
    assert [info.version for info in log.connections] == [Version.V311, Version.V31]


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_a_new_connection_without_an_end_before(lost: int) -> None:
    """Neither FIN nor all of the handshake need be there."""
    second = golden_talk("C", client_isn=777_000_000, server_isn=888)
    del second.segments[lost]
    log, _ = log_of(started().segments + second.segments)
    assert raws(log, connection=log.connection_count - 1)[-1] == golden_raws("C")[-1]
    assert log.connection_count == 2
    assert log.connection(0).close_reason == "its end is not in the capture: its ports were used again"


def test_a_new_connection_after_an_end_whose_handshake_was_lost() -> None:
    second = golden_talk("C", client_isn=777, server_isn=888)
    log, _ = log_of(golden_talk("A").segments + second.segments[3:])
    assert [raws(log, connection=number) for number in (0, 1)] == [golden_raws("A"), golden_raws("C")]


def test_segments_behind_the_end_are_counted() -> None:
    talk = started().reset(S2C)
    log, reader = log_of([*talk.segments, replace(talk.segments[4], seq=5_000_000, payload=b"late")])
    assert raws(log) == [CONNECT, CONNACK]
    assert reader.passed_over["segments behind the end of their connection"] == 1


def test_reasons_of_the_end() -> None:
    for talk, reason in (
        (started().closed(C2S), "the client closed the connection (FIN)"),
        (started().closed(S2C), "the server closed the connection (FIN)"),
        (started().reset(C2S), "the client reset the connection (RST)"),
        (started().reset(S2C), "the server reset the connection (RST)"),
        (started(), END_OF_CAPTURE),
    ):
        log, _ = log_of(talk.segments)
        assert log.connection(0).close_reason == reason
        assert log.connection(0).closed is not None


def test_connections_at_the_same_time_are_kept_apart() -> None:
    talks = [golden_talk("ABC"[port % 3], 11, client_port=port) for port in range(50_000, 50_030)]
    segments = []
    while any(talk.segments for talk in talks):
        segments += [talk.segments.pop(0) for talk in talks if talk.segments]
    log, _ = log_of(segments)
    for number in range(30):
        port = int(log.connection(number).source.rpartition(":")[2])
        name = "ABC"[port % 3]
        for direction in (C2S, S2C):
            assert raws(log, direction, number) == golden_raws(name, direction)


def test_the_number_of_connections_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp, "MAX_CONNECTIONS", 10)
    segments = [segment for port in range(2_000, 2_100) for segment in started(client_port=port).segments]
    log, reader = log_of(segments)
    assert log.connection_count == 100
    assert reader.passed_over["connections let go because there were too many"] == 90


def test_times_are_those_of_the_frames_and_never_run_backwards() -> None:
    found = frames(started().send(S2C, publish(1)).send(S2C, publish(2)).segments)
    found[7] = found[7]._replace(wall=c.START - 5)
    log, _ = read(pcap(found, nanoseconds=True))
    assert [packet.wall for packet in packets(log)] == [found[index].wall for index in (3, 5, 7, 9)]
    monos = [packet.mono for packet in packets(log)]
    assert monos == sorted(monos)


# --- beginnings in the middle


def test_a_stream_from_the_middle_of_a_packet() -> None:
    talk = started().send(S2C, publish(0, 3_000), 1_000, acked=False)
    for number in range(1, 5):
        talk.send(S2C, publish(number), acked=False)
    log, reader = log_of(talk.segments[8:])
    assert raws(log, S2C) == [publish(number) for number in range(1, 5)]
    skipped = packets(log)[0]
    assert "its beginning is not in the capture" in skipped.framing_error and skipped.raw == publish(0, 3_000)[1_000:]
    assert "no CONNECT" in reader.notes[0] and "3.1.1" in reader.notes[0]


@pytest.mark.parametrize("port", [1_883, 40_000])
@pytest.mark.parametrize("version", [Version.V311, Version.V5])
def test_the_version_is_guessed_from_the_packets(version: Version, port: int) -> None:
    talk = Talk(server_port=port).opened()
    properties = (Property(PropertyId.USER_PROPERTY, ("a", "b")),) if version is Version.V5 else ()
    expected = [encode(Publish(f"t/{number}", b'{"v":1}', properties=properties), version) for number in range(6)]
    for raw in expected:
        talk.send(S2C, raw)
    log, reader = log_of(talk.segments[3:])
    assert raws(log) == expected
    assert {packet.version for packet in packets(log)} == {version}
    assert f"read as {version.label}, judged by its packets" in reader.notes[0]
    assert log.connection(0).source.endswith(":50000")


def test_a_version_that_was_given_is_not_guessed() -> None:
    talk = Talk().opened().send(S2C, publish(1))
    log, reader = read(pcap(frames(talk.segments)), assume=Version.V5)
    assert packets(log)[0].version is Version.V5 and not reader.notes


def test_a_late_connect_ends_all_guessing() -> None:
    talk = Talk().opened().send(S2C, publish(1)).send(C2S, encode(Connect("x", Version.V5), Version.V5))
    log, _ = log_of(talk.segments[3:])
    assert packets(log)[1].version is Version.V5


def test_who_the_client_is_without_a_handshake() -> None:
    for server_port, first, expected in (
        (1_883, (S2C, publish(1)), ":50000"),
        (60_000, (C2S, b"\xc0\0" + publish(1)), ":50000"),
        (60_000, (S2C, bytes.fromhex("9003000101") + publish(1)), ":50000"),
        (3_000, (S2C, publish(1) + publish(2)), ":50000"),
    ):
        talk = Talk(server_port=server_port).opened().send(*first)
        log, _ = log_of(talk.segments[3:])
        assert log.connection(0).source.endswith(expected)


# --- the fast way is only faster


@pytest.mark.parametrize("version", list(Version))
def test_both_ways_give_the_same_log(monkeypatch: pytest.MonkeyPatch, version: Version) -> None:
    chance = random.Random(version)
    talk = Talk().opened().send(C2S, encode(Connect("x", version), version)).send(S2C, b"\x20\x03\0\0\0" if version == 5 else CONNACK)
    for number in range(300):
        alias = (Property(PropertyId.TOPIC_ALIAS, number % 3 + 1),) if version is Version.V5 and number % 2 else ()
        topic = "" if alias and number > 9 else f"t/{number % 5}"
        raw = encode(Publish(topic, b"p" * chance.choice([0, 5, 130, 400, 20_000]), properties=alias), version)
        direction = chance.choice([C2S, S2C])
        talk.send(direction, raw + chance.choice([b"", b"\xc0\0", raw]), chance.choice([9, 1_400, 1 << 20]))
    data = pcap(frames(talk.closed().segments))
    fast, fast_reader = read(data, cut=30_011)
    monkeypatch.setattr(tcp.Tcp, "_prepare", lambda self, half: None)
    slow, slow_reader = read(data)
    assert packets(fast) == packets(slow)
    assert [fast_reader.frame_number(no) for no in fast.numbers()] == [slow_reader.frame_number(no) for no in slow.numbers()]
    assert fast.connections == slow.connections
