"""Recorder: chunks both ways become rows; versions, aliases, framing errors, unfinished packets."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mqtttui.capture.log import Log, Origin
from mqtttui.capture.recorder import Recorder
from mqtttui.protocol.enums import Direction, PropertyId, Version
from mqtttui.protocol.framing import KEEP_REST
from mqtttui.protocol.packets import Connack, Connect, Property, Publish, Suback, Subscribe, TopicRequest, encode
from tests.support import golden


def started(log: Log | None = None, version: Version = Version.V311) -> tuple[Log, Recorder]:
    log = Log() if log is None else log
    return log, Recorder(log, log.open_connection(peer="dev", origin=Origin.OWN, mono=1, wall=1_000, version=version))


def aliased(alias: int, topic: str = "", payload: bytes = b"x") -> bytes:
    return encode(Publish(topic, payload, properties=(Property(PropertyId.TOPIC_ALIAS, alias),)), Version.V5)


CONNECT5 = encode(Connect("dev", version=Version.V5), Version.V5)


def test_the_golden_connections_dissect_as_they_should() -> None:
    log = Log()
    recorders: dict[str, Recorder] = {}
    for packet in golden.packets():
        if packet.connection not in recorders:
            recorders[packet.connection] = started(log)[1]
        recorders[packet.connection].record(packet.direction, packet.raw, packet.number, packet.number)
    assert log.last == 43
    for packet in golden.packets():
        kept = log[packet.number]
        assert (kept.raw, kept.version, kept.direction) == (packet.raw, packet.version, packet.direction)
        assert kept.resolved_topic == packet.context.resolved_topic
        assert log.dissect(packet.number).version is packet.version


def test_aliases_are_kept_apart_by_direction() -> None:
    log, recorder = started()
    recorder.outbound(CONNECT5 + aliased(1, "up"), 1, 1)
    recorder.inbound(aliased(1, "down") + aliased(1) + aliased(2), 2, 2)
    recorder.outbound(aliased(1), 3, 3)
    assert [log[no].resolved_topic for no in range(1, 7)] == [None, None, None, b"down", None, b"up"]


def test_a_rebound_alias_changes_only_what_follows() -> None:
    log, recorder = started(version=Version.V5)
    recorder.inbound(aliased(1, "a") + aliased(1) + aliased(1, "b") + aliased(1), 2, 2)
    assert [log[no].resolved_topic for no in range(1, 5)] == [None, b"a", None, b"b"]


def test_aliases_exist_in_version_5_only() -> None:
    log, recorder = started()
    recorder.inbound(aliased(1, "a") + aliased(1), 2, 2)
    assert log[2].resolved_topic is None


def test_what_a_connection_needs_outlives_eviction() -> None:
    log, recorder = started(Log(200_000))
    subscribe = encode(Subscribe(1, (TopicRequest("#"),)), Version.V5)
    suback = encode(Suback(1, (0,)), Version.V5)
    recorder.outbound(CONNECT5, 1, 1)
    recorder.inbound(encode(Connack(), Version.V5), 2, 2)
    recorder.outbound(subscribe, 3, 3)
    recorder.inbound(suback + aliased(1, "old") + aliased(1, "new"), 4, 4)
    for index in range(300):
        recorder.inbound(aliased(1, payload=bytes(50)) * 50, index + 5, 5)
    assert log.first > 7
    assert log.old_numbers() == [1, 2, 3, 4, 6]
    assert log[log.last].resolved_topic == b"new"
    assert log.dissect(log.last).first("mqtt.topic") is not None
    assert log.bytes_kept <= log.limit
    last = log.last
    recorder.closed(1_000, "gone")
    assert log.old_numbers() == [1, 2, 3, 4, 6], "while packets of the connection are kept, they stay"
    other = started(log)[1]
    while log.first <= last:
        other.inbound(b"\xd0\x00" * 500, 2_000, 6)
    assert log.old_numbers() == []


def test_a_connection_that_subscribes_for_ever_keeps_a_bounded_number_of_pins() -> None:
    log, recorder = started(Log(1_000_000))
    recorder.outbound(CONNECT5, 1, 1)
    for index in range(30_000):
        recorder.outbound(encode(Subscribe(index % 65_535 + 1, (TopicRequest(f"a/{index}"),)), Version.V5), 2, 2)
    assert 1 in log
    assert len(log.old_numbers()) <= 1_024
    assert log.bytes_kept <= log.limit


def test_a_framing_error_is_one_row_that_grows() -> None:
    log, recorder = started()
    recorder.inbound(b"\xd0\x00\x30\xff\xff", 1, 1)
    batch = recorder.inbound(b"\xff\xff\x01", 2, 2)
    assert batch.error is not None
    recorder.inbound(b"more", 3, 3)
    recorder.outbound(b"\xc0\x00", 4, 4)
    assert log.last == 3
    row = log[2]
    assert row.raw == b"\x30\xff\xff\xff\xff\x01more"
    assert "four bytes" in row.framing_error
    dissection = log.dissect(2)
    assert dissection.type is None
    assert dissection.malformed
    assert [note.id for note in dissection.notes] == ["A05"]
    assert log.head(2).length == len(row.raw)


@given(st.lists(st.integers(0, 40), max_size=6))
def test_any_chunking_gives_the_same_rows(cuts: list[int]) -> None:
    stream = aliased(1, "a") + b"\xd0\x00" + aliased(1) + b"\x30\xff\xff\xff\xff and the rest"
    places = sorted(min(cut, len(stream)) for cut in cuts)
    log, recorder = started(version=Version.V5)
    for start, stop in zip([0, *places], [*places, len(stream)], strict=True):
        recorder.inbound(stream[start:stop], 1, 1)
    recorder.closed(2, "end")
    reference, whole = started(version=Version.V5)
    whole.inbound(stream, 1, 1)
    whole.closed(2, "end")
    assert [log[no] for no in log.numbers()] == [reference[no] for no in reference.numbers()]


def test_the_rest_after_an_error_is_bounded_and_counted() -> None:
    log, recorder = started()
    recorder.inbound(b"\x30\xff\xff\xff\xff", 1, 1)
    for _ in range(3):
        recorder.inbound(bytes(KEEP_REST), 2, 2)
    assert len(log[1].raw) == KEEP_REST
    assert log[1].dropped == 2 * KEEP_REST + 5


def test_an_unfinished_packet_becomes_a_row_at_the_end() -> None:
    log, recorder = started()
    recorder.inbound(b"\x30\x20\x00\x03abc", 10, 1_010)
    recorder.outbound(b"\x30", 11, 1_011)
    recorder.closed(20, "reset")
    assert [(log[no].direction, log[no].framing_error) for no in (1, 2)] == [
        (Direction.C2S, "incomplete, 1 byte, its length had not arrived"),
        (Direction.S2C, "incomplete, 7 of 34 bytes"),
    ]
    assert (log[1].mono, log[1].wall) == (20, 1_020)
    assert log.connection(0).close_reason == "reset"
    dissection = log.dissect(2)
    assert (dissection.type, dissection.notes[0].id) == (None, "A11")
    recorder.closed(30, "again")
    assert log.last == 2


def test_what_never_left_is_marked() -> None:
    log, recorder = started()
    recorder.outbound(b"\xc0\x00" * 3, 1, 1)
    recorder.closed(2, "reset", unsent_bytes=3)
    assert [log[no].unsent for no in (1, 2, 3)] == [False, True, True]


def test_a_peer_cannot_fill_the_memory_with_aliases() -> None:
    log, recorder = started(version=Version.V5)
    topic = "t" * 65_000
    for alias in range(1, 101):
        recorder.inbound(aliased(alias, topic), 1, 1)
    recorder.inbound(aliased(1) + aliased(100), 2, 2)
    assert log[101].resolved_topic == topic.encode()
    assert log[102].resolved_topic is None
