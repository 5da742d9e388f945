"""What we export is what we read again: packets, times, versions, directions, ends, comments."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from mqtttui.capture.log import Log
from mqtttui.capture.recorder import Recorder
from mqtttui.capture.records import Origin, Packet
from mqtttui.export.pcapng import Encapsulation, write_log
from mqtttui.protocol.enums import Direction, PropertyId, Version
from mqtttui.protocol.packets import Connect, Property, Publish, encode
from tests.support import golden
from tests.support.captures import packets, read

FORMS = list(Encapsulation)


def golden_log() -> Log:
    log = Log(1 << 30)
    recorders = {}
    for index, packet in enumerate(golden.packets()):
        if packet.connection not in recorders:
            source = f"10.0.0.1:{packet.port}"
            number = log.open_connection(peer="dev", origin=Origin.OWN, source=source, destination="10.0.0.2:1883", mono=0, wall=0)
            recorders[packet.connection] = Recorder(log, number)
        recorders[packet.connection].record(packet.direction, packet.raw, 1_000 + index, 1_700_000_000_123_456_789 + index)
    return log


def plain(packet: Packet) -> Packet:
    return replace(packet, mono=0)


@pytest.mark.parametrize("form", FORMS)
def test_everything_comes_back(form: Encapsulation) -> None:
    log = golden_log()
    out = io.BytesIO()
    comments = {3: ["first", "second"], 20: ["wildcards"]}
    written = write_log(log, log.numbers(), out, mask=False, encapsulation=form, comments=lambda no: comments.get(no, []))
    assert written.packets == 43
    again, reader = read(out.getvalue())
    assert [plain(packet) for packet in packets(again)] == [plain(packet) for packet in packets(log)]
    assert [info.source for info in again.connections] == [info.source for info in log.connections]
    assert {no: list(found) for no, found in reader.comments.items()} == comments
    assert not reader.problems and not reader.passed_over


@pytest.mark.parametrize("form", FORMS)
def test_a_made_up_connect_is_no_packet(form: Encapsulation) -> None:
    log = Log(1 << 30)
    number = log.open_connection(peer="x", origin=Origin.OWN, mono=0, wall=0, version=Version.V5)
    recorder = Recorder(log, number)
    raws = [encode(Publish("t", b"x", properties=(Property(PropertyId.TOPIC_ALIAS, 1),)), Version.V5), b"\xd0\0"]
    for raw in raws:
        recorder.inbound(raw, 1, 1)
    out = io.BytesIO()
    write_log(log, log.numbers(), out, encapsulation=form)
    again, reader = read(out.getvalue())
    assert [(packet.raw, packet.version, packet.direction) for packet in packets(again)] == [
        (raw, Version.V5, Direction.S2C) for raw in raws
    ]
    assert not reader.notes, "nothing was guessed"


def test_connections_without_addresses_are_kept_apart() -> None:
    log = Log(1 << 30)
    for number in range(3):
        recorder = Recorder(log, log.open_connection(peer="x", origin=Origin.OWN, mono=0, wall=0))
        recorder.outbound(encode(Connect(f"dev-{number}"), Version.V311), number, number)
        recorder.outbound(b"\xe0\0", number, number)
        recorder.outbound(encode(Connect("again"), Version.V311), number, number)
    out = io.BytesIO()
    write_log(log, log.numbers(), out)
    again, _ = read(out.getvalue())
    assert [packet.connection for packet in packets(again)] == [0, 0, 0, 1, 1, 1, 2, 2, 2]


def test_a_packet_too_large_for_exported_pdus() -> None:
    log = Log(1 << 30)
    recorder = Recorder(log, log.open_connection(peer="x", origin=Origin.OWN, mono=0, wall=0))
    big = encode(Publish("big", bytes(400_000)), Version.V311)
    for raw in (encode(Connect("x"), Version.V311), big, b"\xc0\0"):
        recorder.outbound(raw, 1, 1)
    out = io.BytesIO()
    assert write_log(log, log.numbers(), out).encapsulation is Encapsulation.TCP
    again, reader = read(out.getvalue())
    assert [packet.raw for packet in packets(again)] == [packet.raw for packet in packets(log)] and not reader.problems


def test_an_incomplete_packet_does_not_swallow_the_next() -> None:
    log = Log(1 << 30)
    recorder = Recorder(log, log.open_connection(peer="x", origin=Origin.OWN, mono=0, wall=0))
    recorder.outbound(encode(Connect("x"), Version.V311) + b"\x30\x20\0\x01t", 1, 1)
    recorder.closed(2, "gone")
    recorder = Recorder(log, log.open_connection(peer="x", origin=Origin.OWN, mono=0, wall=0))
    recorder.outbound(encode(Connect("x"), Version.V311), 3, 3)
    out = io.BytesIO()
    write_log(log, log.numbers(), out)
    again, _ = read(out.getvalue())
    assert [(packet.raw, bool(packet.framing_error)) for packet in packets(again)] == [
        (packet.raw, bool(packet.framing_error)) for packet in packets(log)
    ]
