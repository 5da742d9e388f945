"""JSON lines, CSV, and the remarks that go into files."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mqtttui import text
from mqtttui.analysis.findings import Findings
from mqtttui.capture.log import Log, Origin
from mqtttui.capture.marks import Marks
from mqtttui.capture.recorder import Recorder
from mqtttui.export import csv_file, json_lines
from mqtttui.export.remarks import remarks
from mqtttui.export.stamps import iso_utc
from mqtttui.protocol.enums import Direction, PacketType, Version
from mqtttui.protocol.packets import Ack, Connect, Publish, Suback, Subscribe, TopicRequest, encode
from tests.support import golden

WALL = 1_700_000_000_000_000_000


def golden_log() -> Log:
    log = Log()
    recorders: dict[str, Recorder] = {}
    for packet in golden.packets():
        if packet.connection not in recorders:
            number = log.open_connection(
                peer="p", origin=Origin.OWN, source=f"10.0.0.1:{packet.port}", destination="10.0.0.2:1883", mono=0, wall=WALL
            )
            recorders[packet.connection] = Recorder(log, number)
        recorders[packet.connection].record(packet.direction, packet.raw, packet.number, WALL + packet.number)
    return log


def recorded(*packets: bytes, version: Version = Version.V311, direction: Direction = Direction.C2S) -> Log:
    log = Log()
    recorder = Recorder(log, log.open_connection(peer="p", origin=Origin.OWN, mono=0, wall=WALL, version=version))
    for raw in packets:
        recorder.record(direction, raw, 1, WALL)
    return log


def objects(log: Log, **options: Any) -> list[dict[str, Any]]:
    out = io.BytesIO()
    assert json_lines.write_log(log, log.numbers(), out, **options) == log.kept
    assert out.getvalue().isascii()
    return [json.loads(line) for line in out.getvalue().splitlines()]


def table(log: Log, **options: Any) -> list[dict[str, str]]:
    out = io.BytesIO()
    assert csv_file.write_log(log, log.numbers(), out, **options) == log.kept
    return list(csv.DictReader(io.StringIO(out.getvalue().decode(), newline="")))


def test_times() -> None:
    assert iso_utc(WALL + 1_002_003) == "2023-11-14T22:13:20.001002003Z"
    assert iso_utc(0) == "1970-01-01T00:00:00.000000000Z"
    assert iso_utc(-5) == iso_utc(0)
    assert iso_utc(2**63 - 1).startswith("2262-04-11T23:47:16.")


def test_json_lines_are_what_decode_prints_with_times_and_ends() -> None:
    ours = objects(golden_log(), mask=False)
    lines = "\n".join(f"{packet.direction.label} {packet.raw.hex()}" for packet in golden.packets()[:26])
    done = subprocess.run(
        [sys.executable, "-m", "mqtttui", "decode", "-", "--format", "json"], input=lines.encode(), capture_output=True, check=False
    )
    theirs = [json.loads(line) for line in done.stdout.splitlines()]
    for own, decoded in zip(ours, theirs, strict=False):
        up = own["direction"] == "C>S"
        assert own | {"time": None, "source": None, "destination": None} == decoded
        assert own["time"] == iso_utc(WALL + own["number"])
        assert (own["source"], own["destination"]) == (("10.0.0.1:50001", "10.0.0.2:1883") if up else ("10.0.0.2:1883", "10.0.0.1:50001"))
    assert len(theirs) == 26 and len(ours) == 43


def test_json_masks_unless_told_otherwise() -> None:
    log = golden_log()
    assert objects(log)[0]["fields"]["mqtt.passwd"] == ["****"]
    assert objects(log, mask=False)[0]["fields"]["mqtt.passwd"] == ["pass"]
    assert "tree" in objects(log, tree=True)[0]


def test_unsent_packets_say_so() -> None:
    log = recorded(b"\xc0\x00", b"\xc0\x00")
    log.mark_unsent(0, 2)
    assert [row.get("unsent") for row in objects(log)] == [None, True]


def test_csv_columns() -> None:
    log = golden_log()
    rows = table(log)
    assert tuple(rows[0]) == csv_file.COLUMNS
    sent = rows[5]
    assert sent | {"info": ""} == {
        "number": "6", "time": iso_utc(WALL + 6), "source": "10.0.0.1:50001", "destination": "10.0.0.2:1883", "connection": "0",
        "direction": "C>S", "type": "PUBLISH", "version": "3.1.1", "length": "19", "topic": "sensors/hum", "qos": "1", "retain": "0",
        "dup": "0", "packet_id": "2", "reason": "", "payload_length": "2", "info": "",
    }  # fmt: skip
    assert rows[2]["topic"] == "sensors/#, cmd/+/set" and rows[2]["qos"] == "1, 2"
    assert rows[3]["reason"] == "1 granted QoS 1, 0x80 failure"
    assert rows[6]["type"] == "PUBACK" and rows[6]["qos"] == ""
    assert rows[32]["topic"] == "a/b", "resolved from its alias"
    assert "pass" not in rows[0]["info"].split()


def test_reasons_of_answers() -> None:
    log = recorded(
        encode(Ack(PacketType.PUBACK, 7, 0x87), Version.V5), encode(Suback(8, (0, 0x9E)), Version.V5), version=Version.V5,
        direction=Direction.S2C,
    )  # fmt: skip
    rows = table(log)
    assert rows[0]["reason"] == "0x87 not authorized"
    assert rows[1]["reason"].count("0x") == 2


def test_no_cell_is_a_formula_and_nothing_is_lost() -> None:
    topics = ["=1+1", "+1", "-1", "@SUM(A1)", "＝1", "  =1", "a;=1", 'x",=1', "\t=1", "a\\x3d"]
    log = recorded(*(encode(Publish(topic, b"=1"), Version.V311) for topic in topics))
    shown = [row["topic"] for row in table(log)]
    for cell in shown:
        for part in cell.split(";"):
            assert not part.strip().startswith(("=", "+", "-", "@", "＝"))
        assert cell.isprintable()
    assert [text.parse(cell) for cell in shown] == [topic.encode() for topic in topics]
    assert shown[0] == "\\x3d1+1"


@given(st.text(max_size=30).map(lambda topic: topic.encode("utf-8", "replace")))
def test_a_topic_comes_back_from_its_cell(topic: bytes) -> None:
    (row,) = table(recorded(encode(Publish(topic, b"x"), Version.V311)))
    assert text.parse(row["topic"]) == topic


def test_rows_that_are_no_packets_are_rows_too() -> None:
    log = recorded(b"\x30\xff\xff\xff\xff\xff")
    assert [(row["type"], row["length"]) for row in table(log)] == [("", "6")]
    assert objects(log)[0]["type"] is None


def test_remarks() -> None:
    log = golden_log()
    findings = Findings()
    while not findings.advance(log):
        pass
    marks = Marks(log)
    marks.toggle(5)
    marks.set_comment(5, "look here")
    marks.toggle(20)
    told = remarks(log, marks, findings)
    assert told(5) == ["look here", "marked"]
    assert told(20)[0] == "marked"
    assert any(line.startswith("error D02: ") and line.endswith("]") for line in told(20)[1:])
    assert told(15) == []
    assert told(999) == []
    assert objects(log, comments=told)[4]["comments"] == ["look here", "marked"]
    assert "comments" not in objects(log, comments=told)[14]


def test_remarks_name_no_byte_of_a_secret() -> None:
    log = recorded(encode(Connect("c", Version.V31, username="u", password=b"\xff"), Version.V31), version=Version.V31)
    findings = Findings()
    while not findings.advance(log):
        pass
    assert "0xff" not in str(remarks(log, None, findings)(1))


def test_subscribe_requests_of_both_versions() -> None:
    for version in (Version.V311, Version.V5):
        raw = encode(Subscribe(1, (TopicRequest("a", 2, no_local=version is Version.V5), TopicRequest("b"))), version)
        (row,) = table(recorded(raw, version=version))
        assert row["qos"] == "2, 0"
