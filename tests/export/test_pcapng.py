"""Our capture files, read by tshark."""

from __future__ import annotations

import io
import os
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mqtttui.capture.log import Log, Origin
from mqtttui.capture.recorder import Recorder
from mqtttui.export.pcapng import MAX_EXPORTED, Encapsulation, Section, Written, write_log
from mqtttui.export.tcp_frames import MAX_SEGMENT, checksum
from mqtttui.protocol.enums import Direction, PropertyId, Version
from mqtttui.protocol.packets import Connect, Property, Publish, Subscribe, TopicRequest, encode
from tests.support import golden
from tests.support.pcapng_oracle import Seen, Sent, dissections, tshark, write

SECONDS = 1_700_000_000_000_000_000


@pytest.fixture(autouse=True)
def _needs_tshark() -> None:
    if tshark() is not None:
        return
    if os.environ.get("CI") == "true":
        pytest.fail("tshark is not installed; it is the oracle of this test")
    pytest.skip("tshark is not installed")


def recorder(log: Log, *, port: int = 0, version: Version = Version.V311, broker: str = "10.0.0.2:1883", **fields: Any) -> Recorder:
    ends: dict[str, Any] = {"source": f"{'10.0.0.1' if '[' not in broker else '[fd00::1]'}:{port}", "destination": broker} if port else {}
    return Recorder(log, log.open_connection(peer="dev", origin=Origin.OWN, mono=0, wall=SECONDS, version=version, **ends, **fields))


def golden_log() -> Log:
    log = Log()
    recorders: dict[str, Recorder] = {}
    for packet in golden.packets():
        if packet.connection not in recorders:
            recorders[packet.connection] = recorder(log, port=packet.port)
        recorders[packet.connection].record(packet.direction, packet.raw, packet.number, SECONDS + packet.number * 1_001_001)
    return log


def saved(path: Path, log: Log, **options: Any) -> Path:
    with path.open("wb") as out:
        write_log(log, log.numbers(), out, **options)
    return path


def column(path: Path, *names: str, options: Sequence[str] = ()) -> list[list[str]]:
    """`tshark -T fields`: one row a frame, one list entry a field."""
    program = tshark()
    assert program is not None
    fields = [part for name in names for part in ("-e", name)]
    command = [program, "-r", str(path), *options, "-T", "fields", "-E", "separator=|", *fields]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert "not a capture file" not in done.stderr
    return [row.split("|") for row in done.stdout.splitlines()]


def located(packet: list[Seen]) -> list[Seen]:
    """Without the places of expert items, which tshark counts from the start of the frame, where our tags differ."""
    return [replace(field, start=0) if field.name.startswith(("mqtt.illegal", "mqtt.unknown")) else field for field in packet]


@pytest.mark.parametrize("encapsulation", list(Encapsulation), ids=lambda each: each.name)
def test_tshark_sees_the_same_packets_and_fields_as_in_a_plain_capture(tmp_path: Path, encapsulation: Encapsulation) -> None:
    ours = dissections(saved(tmp_path / "ours.pcapng", golden_log(), mask=False, encapsulation=encapsulation))
    write(tmp_path / "plain.pcapng", [Sent(packet.port, packet.direction, packet.raw) for packet in golden.packets()])
    plain = dissections(tmp_path / "plain.pcapng")
    assert [located(packet) for packet in ours] == [located(packet) for packet in plain]
    assert len(ours) == 43
    assert all(ours)


@pytest.mark.parametrize("encapsulation", list(Encapsulation), ids=lambda each: each.name)
def test_times_numbers_directions_and_interfaces_arrive(tmp_path: Path, encapsulation: Encapsulation) -> None:
    path = saved(tmp_path / "a.pcapng", golden_log(), encapsulation=encapsulation)
    rows = column(path, "frame.time_epoch", "frame.packet_id", "frame.packet_flags_direction", "frame.interface_name")
    assert [row[1] for row in rows] == [str(number) for number in range(1, 44)]
    assert rows[2][0] == "1700000000.003003003"
    assert [int(row[2], 0) for row in rows[:4]] == [2, 1, 2, 1]
    assert {row[3] for row in rows} == {"connection 0", "connection 1", "connection 2"}


def test_passwords_are_overwritten_and_it_says_so(tmp_path: Path) -> None:
    log = golden_log()
    masked = column(saved(tmp_path / "a.pcapng", log), "mqtt.passwd", "frame.comment")
    assert masked[0] == ["****", "secrets are overwritten with *"]
    assert all(row[1] == "" for row in masked[1:26])
    assert column(saved(tmp_path / "b.pcapng", log, mask=False), "mqtt.passwd")[0] == ["pass"]


def test_a_packet_too_large_for_an_exported_pdu_makes_the_file_tcp_and_that_is_said(tmp_path: Path) -> None:
    log = Log()
    connection = recorder(log, port=50_001)
    connection.outbound(encode(Connect(), Version.V311), 1, SECONDS)
    large = encode(Publish("big", bytes(300_000)), Version.V311)
    connection.outbound(large + b"\xc0\x00", 2, SECONDS)
    path = tmp_path / "a.pcapng"
    with path.open("wb") as out:
        written = write_log(log, log.numbers(), out, comments=lambda no: [f"remark {no}"])
    assert (written.packets, written.encapsulation) == (3, Encapsulation.TCP)
    assert written.remarks == ("Written as TCP/IP: a packet of 300,009 bytes does not fit an exported PDU.",)
    rows = column(path, "frame.packet_id", "mqtt.msgtype", "mqtt.topic", "frame.comment", "mqtt.len")
    assert len(rows) == 2 + -(-len(large) // MAX_SEGMENT)
    assert [row[0] for row in rows] == ["1", *["2"] * 5, "3"]
    assert [row[1] for row in rows] == ["1", "", "", "", "", "3", "12"], "the last segment completes the packet"
    assert [row[3] for row in rows] == ["remark 1", "", "", "", "", "remark 2", "remark 3"]
    assert (rows[5][2], rows[5][4]) == ("big", str(300_005))


def test_the_largest_exported_pdu_is_still_one(tmp_path: Path) -> None:
    log = Log()
    connection = recorder(log, port=50_001, broker="[fd00::2]:1883")
    connection.outbound(encode(Connect(), Version.V311), 1, SECONDS)
    connection.outbound(encode(Publish("big", bytes(MAX_EXPORTED - 9)), Version.V311), 2, SECONDS)
    assert log.head(2).length == MAX_EXPORTED
    rows = column(saved(tmp_path / "a.pcapng", log), "mqtt.msgtype", "mqtt.topic")
    assert rows == [["1", ""], ["3", "big"]]


def test_a_recording_goes_on_with_exported_pdus_after_a_large_packet(tmp_path: Path) -> None:
    log = Log()
    connection = recorder(log, port=50_001, version=Version.V5, broker="10.0.0.2:18830")
    alias = (Property(PropertyId.TOPIC_ALIAS, 5),)
    connection.outbound(encode(Connect(version=Version.V5), Version.V5), 1, SECONDS)
    connection.outbound(encode(Publish("big", bytes(300_000), properties=alias), Version.V5), 2, SECONDS)
    connection.outbound(encode(Publish("small", b"x", properties=alias), Version.V5), 3, SECONDS)
    path = tmp_path / "a.pcapng"
    with path.open("wb") as out:
        section = Section(log, out)
        for no in log.numbers():
            section.write(log[no])
    rows = [row for row in column(path, "frame.packet_id", "mqtt.msgtype", "mqtt.topic", "mqtt.property.topic_alias") if row[1]]
    assert rows == [["1", "1", "", ""], ["1", "1", "", ""], ["2", "3", "big", "5"], ["3", "3", "small", "5"]]


@pytest.mark.parametrize("broker", ["10.0.0.2:18830", "[fd00::2]:8883"])
def test_tcp_frames_have_good_checksums_numbers_and_the_known_port(tmp_path: Path, broker: str) -> None:
    log = Log()
    connection = recorder(log, port=50_001, broker=broker, name="mqtts://broker.lan:8883", transport="tls")
    connection.outbound(encode(Connect(), Version.V311), 1, SECONDS)
    connection.inbound(bytes.fromhex("20020000"), 2, SECONDS)
    connection.inbound(encode(Publish("big", b"odd" * 50_000), Version.V311), 3, SECONDS)
    connection.outbound(encode(Publish("x", bytes(range(256))), Version.V311), 4, SECONDS)
    path = saved(tmp_path / "a.pcapng", log, encapsulation=Encapsulation.TCP)
    checking = ["-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"]
    names = ("tcp.checksum.status", "ip.checksum.status", "tcp.analysis.flags", "tcp.stream", "tcp.dstport", "tcp.srcport", "mqtt.msgtype")
    rows = column(path, *names, options=checking)
    assert {row[0] for row in rows} == {"1"}
    assert {row[1] for row in rows} == ({"1"} if "." in broker else {""})
    assert {row[2] for row in rows} == {""}, "no retransmissions, no gaps"
    assert {row[3] for row in rows} == {"0"}
    assert [row[4] for row in rows] == ["1883", *["50001"] * 4, "1883"]
    assert [row[6] for row in rows] == ["1", "2", "", "", "3", "3"]
    first, *others = column(path, "frame.comment", "frame.interface_description")
    port = broker.rpartition(":")[2]
    assert f"the broker's port was {port}".encode() in path.read_bytes()
    assert first[1] == f"dev, mqtts://broker.lan:8883, decrypted from TLS, port {port}, headers of TCP and IP are made up"
    assert {row[0] for row in (first, *others)} == {""}


def test_the_brokers_name_is_in_the_file(tmp_path: Path) -> None:
    log = Log()
    connection = recorder(log, port=50_001, name="mqtt://broker.lan:1883")
    connection.outbound(encode(Connect(), Version.V311), 1, SECONDS)
    for encapsulation in Encapsulation:
        path = saved(tmp_path / f"{encapsulation.name}.pcapng", log, encapsulation=encapsulation)
        assert column(path, "_ws.col.Destination", options=["-N", "n"]) == [["broker.lan"]]


def test_the_same_addresses_again_are_another_stream(tmp_path: Path) -> None:
    log = Log()
    for version in Version:
        connection = recorder(log, port=50_001)
        connection.outbound(encode(Connect("c", version=version), version) + encode(Publish("t", b"x"), version), 1, SECONDS)
        connection.closed(2, "over")
    rows = column(saved(tmp_path / "a.pcapng", log, encapsulation=Encapsulation.TCP), "tcp.stream", "mqtt.msg", "frame.comment")
    assert [row[0] for row in rows] == ["0", "0", "1", "1", "2", "2"]
    assert [row[1] for row in rows] == ["", "78"] * 3
    assert [row[2] for row in rows] == [""] * 6
    assert (tmp_path / "a.pcapng").read_bytes().count(b"as of an earlier connection") == 2


@given(st.binary(min_size=1, max_size=200).filter(any))
def test_the_checksum_is_the_ones_complement_sum(data: bytes) -> None:
    padded = data + bytes(len(data) % 2)
    total = sum(int.from_bytes(padded[at : at + 2], "big") for at in range(0, len(padded), 2))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    assert checksum(data) == 0xFFFF - total


def test_a_connection_without_its_connect_still_decodes(tmp_path: Path) -> None:
    log = Log()
    connection = recorder(log, version=Version.V5)
    alias = (Property(PropertyId.TOPIC_ALIAS, 5),)
    connection.inbound(encode(Publish("a/b", b"x", properties=alias), Version.V5), 1, SECONDS)
    rows = column(saved(tmp_path / "a.pcapng", log), "mqtt.msgtype", "mqtt.property.topic_alias", "frame.comment", "frame.packet_id")
    assert [row[0] for row in rows] == ["1", "3"]
    assert "made up" in rows[0][2]
    assert rows[0][3] == ""
    assert rows[1] == ["3", "5", "", "1"]
    assert b"addresses and ports are made up" in (tmp_path / "a.pcapng").read_bytes()


def test_connections_without_addresses_are_kept_apart(tmp_path: Path) -> None:
    log = Log()
    for version in Version:
        recorder(log).outbound(encode(Connect(version=version), version) + encode(Publish("t", b"x"), version), 1, SECONDS)
    rows = column(saved(tmp_path / "a.pcapng", log), "mqtt.ver", "mqtt.msg")
    assert [row[0] for row in rows] == ["3", "", "4", "", "5", ""]
    assert [row[1] for row in rows] == ["", "78"] * 3


def test_a_selection_begins_with_the_real_connect_while_it_is_kept(tmp_path: Path) -> None:
    log = golden_log()
    path = tmp_path / "a.pcapng"
    with path.open("wb") as out:
        written = write_log(log, [5, 31, 33], out)
    assert written == Written(
        3, Encapsulation.EXPORTED, ("2 CONNECTs were added, commented as such, so that Wireshark knows the version.",)
    )
    rows = column(path, "frame.packet_id", "mqtt.msgtype", "mqtt.clientid", "mqtt.passwd", "frame.comment")
    assert [row[0] for row in rows] == ["1", "5", "27", "31", "33"]
    assert rows[0][2:4] == ["dev-1", "****"]
    assert rows[0][4].startswith("not one of the exported packets: repeated")
    assert rows[1][4] == ""


def test_an_alias_that_was_bound_before_the_selection_is_told(tmp_path: Path) -> None:
    log = golden_log()
    path = tmp_path / "a.pcapng"
    with path.open("wb") as out:
        write_log(log, [33], out)
    assert column(path, "frame.comment")[1] == ["the topic alias was bound before: a/b"]


def test_a_section_of_a_recording_begins_with_all_that_a_connection_needs(tmp_path: Path) -> None:
    log = Log()
    connection = recorder(log, port=50_001, version=Version.V5)
    alias = (Property(PropertyId.TOPIC_ALIAS, 5),)
    connection.outbound(encode(Connect(version=Version.V5), Version.V5), 1, SECONDS)
    connection.outbound(encode(Subscribe(1, (TopicRequest("a/#"),)), Version.V5), 2, SECONDS)
    connection.inbound(encode(Publish("a/b", b"x", properties=alias), Version.V5), 3, SECONDS)
    connection.inbound(encode(Publish("", b"y", properties=alias), Version.V5), 4, SECONDS)
    path = tmp_path / "a.pcapng"
    with path.open("wb") as out:
        section = Section(log, out, whole_context=True)
        section.write(log[4])
    assert section.added == 3
    rows = column(path, "mqtt.msgtype", "mqtt.topic", "mqtt.msg", "frame.comment")
    assert [row[0] for row in rows] == ["1", "8", "3", "3"]
    assert rows[3][1:] == ["a/b", "79", ""]
    assert all(row[3].startswith("repeated from before") for row in rows[:3])


def test_remarks_of_the_caller_become_comments(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.pcapng", golden_log(), comments=lambda no: ["first | of two", "ünï"] if no == 2 else [])
    rows = column(path, "frame.comment", options=["-E", "aggregator=;"])
    assert rows[1] == ["first ", " of two;ünï"]
    assert rows[2] == [""]


def test_evicted_numbers_are_skipped_and_counted() -> None:
    log = golden_log()
    written = write_log(log, [1, 2, 999], io.BytesIO())
    assert written == Written(2, Encapsulation.EXPORTED, ("One packet is missing: it is not kept any more.",))


def test_directions_are_those_of_the_connection(tmp_path: Path) -> None:
    rows = column(saved(tmp_path / "a.pcapng", golden_log(), encapsulation=Encapsulation.TCP), "tcp.dstport")
    assert [row[0] == "1883" for row in rows] == [packet.direction is Direction.C2S for packet in golden.packets()]
