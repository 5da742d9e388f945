"""The log: numbers, columns, eviction, pins, versions and aliases."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mqtttui.capture.log import Evicted, Log, Origin, default_limit
from mqtttui.capture.recorder import Recorder
from mqtttui.protocol.enums import Direction, Version
from mqtttui.protocol.framing import Batch

PING = b"\xc0\x00"


def opened(log: Log, version: Version = Version.V311) -> int:
    return log.open_connection(peer="dev", origin=Origin.OWN, mono=5, wall=6, version=version)


def batch(*packets: bytes) -> Batch:
    ends: list[int] = []
    for packet in packets:
        ends.append((ends[-1] if ends else 0) + len(packet))
    return Batch(b"".join(packets), ends)


def publish(size: int, topic: bytes = b"t") -> bytes:
    body = len(topic).to_bytes(2, "big") + topic + bytes(size)
    assert len(body) < 128
    return bytes([0x30, len(body)]) + body


def test_an_empty_log() -> None:
    log = Log()
    assert (log.first, log.last, log.received, log.kept, log.evicted) == (1, 0, 0, 0, 0)
    assert list(log.numbers()) == []
    with pytest.raises(KeyError):
        log[1]
    assert 1 not in log


def test_packets_come_back_as_they_were_appended() -> None:
    log = Log()
    connection = opened(log)
    assert log.append(connection, Direction.C2S, batch(PING, publish(3)), 100, 200) == 1
    assert log.append(connection, Direction.S2C, batch(b"\xd0\x00"), 110, 210) == 3
    assert log.append(connection, Direction.S2C, batch(), 110, 210) == 0
    packet = log[2]
    assert (packet.number, packet.raw, packet.mono, packet.wall) == (2, publish(3), 100, 200)
    assert (packet.connection, packet.direction, packet.version) == (connection, Direction.C2S, Version.V311)
    head = log.head(3)
    assert (head.first_byte, head.length, head.mono, head.direction) == (0xD0, 2, 110, Direction.S2C)
    assert (log.received, log.kept, log.evicted) == (3, 3, 0)
    assert list(log.numbers(2, 4)) == [2, 3]
    with pytest.raises(KeyError) as caught:
        log[4]
    assert not isinstance(caught.value, Evicted)


def test_the_oldest_packets_go_and_their_numbers_stay_known() -> None:
    log = Log(200_000)
    connection = opened(log)
    for index in range(200):
        log.append(connection, Direction.S2C, batch(*[publish(50)] * 100), index, index)
    assert log.received == 20_000
    assert log.first > 1
    assert log.bytes_kept <= log.limit
    assert log.bytes_kept > log.limit // 2
    assert (log.kept, log.evicted) == (20_000 - log.first + 1, log.first - 1)
    with pytest.raises(Evicted, match="packet 1 was evicted"):
        log[1]
    with pytest.raises(Evicted):
        log.head(1)
    assert log[log.first].raw == publish(50)
    assert next(log.numbers()) == log.first


def test_pinned_packets_outlive_their_segment_until_unpinned() -> None:
    log = Log(200_000)
    connection = opened(log)
    log.append(connection, Direction.S2C, batch(publish(1), publish(2), publish(3)), 1, 2)
    assert log.pin(2)
    assert log.pin(2)
    for index in range(200):
        log.append(connection, Direction.S2C, batch(*[publish(50)] * 100), index, index)
    assert log[2].raw == publish(2)
    assert log.head(2).length == len(publish(2))
    assert 2 in log
    assert log.old_numbers() == [2]
    assert list(log.numbers(1, log.first + 2)) == [2, log.first, log.first + 1]
    assert log.received == log.kept + log.evicted
    log.unpin(2)
    assert 2 in log
    log.unpin(2)
    assert 2 not in log
    assert log.received == log.kept + log.evicted
    assert not log.pin(2)


def test_a_packet_larger_than_a_segment_has_its_own() -> None:
    log = Log(64 * 1024 * 1024)
    connection = opened(log)
    large = b"\x30\xff\xff\xff\x04" + bytes(0x9FFFFF)
    log.append(connection, Direction.S2C, Batch(PING + large + PING, [2, 2 + len(large), 4 + len(large)]), 1, 2)
    assert [log.head(no).length for no in (1, 2, 3)] == [2, len(large), 2]
    assert log[2].raw == large
    assert log[3].raw == PING


def test_one_packet_over_the_limit_does_not_stay() -> None:
    log = Log(100_000)
    connection = opened(log)
    log.append(connection, Direction.S2C, batch(PING), 1, 2)
    large = b"\x30\xff\xff\x7f" + bytes(0x1FFFFF)
    log.append(connection, Direction.S2C, Batch(large, [len(large)]), 1, 2)
    assert log.bytes_kept <= log.limit
    assert (log.received, log.kept, log.evicted) == (2, 0, 2)
    assert log.append(connection, Direction.S2C, batch(PING), 1, 2) == 3
    assert log[3].raw == PING


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 400), st.integers(0, 90), st.booleans()), min_size=1, max_size=60))
def test_the_books_balance_and_the_limit_holds(steps: list[tuple[int, int, bool]]) -> None:
    log = Log(60_000)
    connection = opened(log)
    sizes: dict[int, int] = {}
    for count, size, pin in steps:
        first = log.append(connection, Direction.S2C, batch(*[publish(size)] * count), 1, 2)
        sizes.update(dict.fromkeys(range(first, first + count), size))
        assert log.bytes_kept <= log.limit
        if pin:
            log.pin(log.last)
        assert log.received == log.kept + log.evicted == len(sizes)
        numbers = list(log.numbers())
        assert len(numbers) == log.kept
        assert numbers == sorted(numbers)
        for no in numbers[::50]:
            assert log[no].raw == publish(sizes[no])


def test_connections_are_numbered_and_close_once() -> None:
    log = Log()
    assert (opened(log), opened(log)) == (0, 1)
    log.close_connection(1, 99, "cut")
    log.close_connection(1, 100, "again")
    info = log.connection(1)
    assert (info.closed, info.close_reason, log.connection(0).closed) == (99, "cut", None)
    assert [each.number for each in log.connections] == [0, 1]


def test_the_version_holds_from_its_packet_on() -> None:
    log = Log()
    connection = opened(log, Version.V31)
    log.append(connection, Direction.C2S, batch(PING, PING, PING), 1, 2)
    log.set_version(connection, Version.V5, 2)
    assert [log[no].version for no in (1, 2, 3)] == [Version.V31, Version.V5, Version.V5]
    assert log.connection(connection).version is Version.V5


def test_the_last_outbound_packets_are_marked_unsent() -> None:
    log = Log()
    connection, other = opened(log), opened(log)
    log.append(connection, Direction.C2S, batch(PING, publish(20), PING), 1, 2)
    log.append(connection, Direction.S2C, batch(b"\xd0\x00"), 1, 2)
    log.append(other, Direction.C2S, batch(PING), 1, 2)
    log.mark_unsent(connection, 5)
    assert [log[no].unsent for no in range(1, 6)] == [False, True, True, False, False]


def test_followers_state_counts_against_the_limit() -> None:
    log = Log(100_000)
    connection = opened(log)
    for _ in range(100):
        log.append(connection, Direction.S2C, batch(*[publish(50)] * 10), 1, 2)
    kept = log.kept
    log.report("pairs", 60_000)
    log.append(connection, Direction.S2C, batch(PING), 1, 2)
    assert log.bytes_kept <= log.limit
    assert log.kept < kept // 2


def test_spans_cover_all_kept_packets_in_order() -> None:
    log = Log(200_000)
    connection = opened(log)
    for _ in range(50):
        log.append(connection, Direction.S2C, batch(*[publish(9)] * 30), 1, 2)
    seen: list[int] = []
    position = 0
    while position < log.last:
        for segment, start, stop in log.spans(position, 77):
            seen += range(segment.first + start, segment.first + stop)
        position = seen[-1]
    assert seen == list(log.numbers())


def test_memory_beyond_the_raw_bytes_stays_small() -> None:
    import tracemalloc

    packet = publish(20)
    chunk = batch(*[packet] * 2_000)
    log = Log(1 << 30)
    connection = opened(log)
    tracemalloc.start()
    try:
        for _ in range(100):
            log.append(connection, Direction.S2C, chunk, 1, 2)
        used = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert used / log.last - len(packet) < 48


def test_the_default_limit_is_a_share_of_the_free_memory() -> None:
    assert 0 < default_limit() <= 512 * 1024 * 1024


def test_a_watcher_hears_of_its_connection_alone_until_it_ends() -> None:
    log = Log()
    numbers = [log.open_connection(peer="p", origin=Origin.OWN, mono=0, wall=0, version=Version.V311) for _ in range(2)]
    recorders = [Recorder(log, number) for number in numbers]
    heard: list[tuple[int, int]] = []
    log.watch(numbers[0], lambda first, last: heard.append((first, last)))
    recorders[0].inbound(b"\xd0\x00" * 3, 1, 0)
    recorders[1].inbound(b"\xd0\x00", 2, 0)
    recorders[0].outbound(b"\xc0\x00", 3, 0)
    recorders[0].inbound(b"\xd0", 4, 0)
    assert heard == [(1, 3), (5, 5)]
    recorders[0].inbound(b"\xff\xff\xff\xff\xff\x01", 5, 0)
    assert heard[-1][1] == log.last, "bytes that are no packet are told as well"
    recorders[0].closed(6, "over")
    recorders[1].inbound(b"\xd0\x00", 7, 0)
    assert heard[-1][1] == log.last - 1


def test_the_latest_time_outlives_full_segments() -> None:
    log = Log(1_000_000)
    assert log.latest == 0
    recorder = Recorder(log, log.open_connection(peer="p", origin=Origin.OWN, mono=0, wall=0, version=Version.V311))
    for mono in range(1, 3_000):
        recorder.inbound(b"\xd0\x00", mono, 0)
        assert log.latest == mono
