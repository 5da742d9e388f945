"""Our capture files, read by tshark."""

from __future__ import annotations

import io
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from mqtttui.capture.log import Log, Origin
from mqtttui.capture.recorder import Recorder
from mqtttui.export.pcapng import MAX_CAPTURED, write_log
from mqtttui.protocol.enums import PropertyId, Version
from mqtttui.protocol.packets import Connect, Property, Publish, encode
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


def recorder(log: Log, *, port: int = 0, version: Version = Version.V311) -> Recorder:
    source = f"10.0.0.1:{port}" if port else ""
    destination = "10.0.0.2:1883" if port else ""
    return Recorder(
        log,
        log.open_connection(peer="dev", origin=Origin.OWN, source=source, destination=destination, mono=0, wall=SECONDS, version=version),
    )


def golden_log() -> Log:
    log = Log()
    recorders: dict[str, Recorder] = {}
    for packet in golden.packets():
        if packet.connection not in recorders:
            recorders[packet.connection] = recorder(log, port=packet.port)
        recorders[packet.connection].record(packet.direction, packet.raw, packet.number, SECONDS + packet.number * 1_001_001)
    return log


def saved(path: Path, log: Log, *, mask: bool = True) -> Path:
    with path.open("wb") as out:
        write_log(log, log.numbers(), out, mask=mask)
    return path


def column(path: Path, *names: str) -> list[list[str]]:
    """`tshark -T fields`: one row a frame, one list entry a field."""
    program = tshark()
    assert program is not None
    command = [program, "-r", str(path), "-T", "fields", "-E", "separator=|", *(part for name in names for part in ("-e", name))]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert "not a capture file" not in done.stderr
    return [row.split("|") for row in done.stdout.splitlines()]


def located(packet: list[Seen]) -> list[Seen]:
    """Without the places of expert items, which tshark counts from the start of the frame, where our tags differ."""
    return [replace(field, start=0) if field.name.startswith(("mqtt.illegal", "mqtt.unknown")) else field for field in packet]


def test_tshark_sees_the_same_packets_and_fields_as_in_a_plain_capture(tmp_path: Path) -> None:
    ours = dissections(saved(tmp_path / "ours.pcapng", golden_log(), mask=False))
    write(tmp_path / "plain.pcapng", [Sent(packet.port, packet.direction, packet.raw) for packet in golden.packets()])
    plain = dissections(tmp_path / "plain.pcapng")
    assert [located(packet) for packet in ours] == [located(packet) for packet in plain]
    assert len(ours) == 43
    assert all(ours)


def test_times_numbers_directions_and_interfaces_arrive(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.pcapng", golden_log())
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


def test_a_packet_too_large_for_a_frame_is_cut_and_what_follows_stays_readable(tmp_path: Path) -> None:
    log = Log()
    connection = recorder(log, port=50_001)
    connection.outbound(encode(Connect(), Version.V311), 1, SECONDS)
    large = encode(Publish("big", bytes(300_000)), Version.V311)
    connection.outbound(large + b"\xc0\x00", 2, SECONDS)
    rows = column(saved(tmp_path / "a.pcapng", log), "frame.len", "frame.cap_len", "mqtt.topic", "frame.comment", "mqtt.msgtype")
    assert len(rows) == 3
    assert int(rows[1][0]) > len(large)
    assert rows[1][1:3] == [str(MAX_CAPTURED), "big"]
    assert rows[1][3].startswith("cut to its first")
    assert rows[2][4] == "12"


def test_a_connection_without_its_connect_still_decodes(tmp_path: Path) -> None:
    log = Log()
    connection = recorder(log, version=Version.V5)
    alias = (Property(PropertyId.TOPIC_ALIAS, 5),)
    connection.inbound(encode(Publish("a/b", b"x", properties=alias), Version.V5), 1, SECONDS)
    rows = column(saved(tmp_path / "a.pcapng", log), "mqtt.msgtype", "mqtt.property.topic_alias", "frame.comment", "frame.packet_id")
    assert [row[0] for row in rows] == ["1", "3"]
    assert "made up" in rows[0][2]
    assert rows[0][3] == ""
    assert rows[1] == ["3", "5", "addresses and ports are made up", "1"]


def test_connections_without_addresses_are_kept_apart(tmp_path: Path) -> None:
    log = Log()
    for version in Version:
        recorder(log).outbound(encode(Connect(version=version), version) + encode(Publish("t", b"x"), version), 1, SECONDS)
    rows = column(saved(tmp_path / "a.pcapng", log), "mqtt.ver", "mqtt.msg")
    assert [row[0] for row in rows] == ["3", "", "4", "", "5", ""]
    assert [row[1] for row in rows] == ["", "78"] * 3


def test_evicted_numbers_are_skipped() -> None:
    log = golden_log()
    out = io.BytesIO()
    assert write_log(log, [1, 2, 999], out) == 2
