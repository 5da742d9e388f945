"""`mqtttui decode FILE` as people and scripts run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from mqtttui.filters.fields import FIELDS
from mqtttui.headless.printing import iso_time
from mqtttui.protocol.enums import Direction, Version
from mqtttui.protocol.packets import Connect, Publish, encode
from tests.support import captures, golden
from tests.support.captures import C2S, S2C, Talk, frames, golden_talk, pcap, pcapng
from tests.support.pcapng_oracle import Sent, needs_tshark, tshark, write


@pytest.fixture(scope="module")
def golden_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("golden") / "golden.pcapng"
    write(path, [Sent(packet.port, packet.direction, packet.raw) for packet in golden.packets()])
    return path


def run(*words: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "mqtttui", "decode", *map(str, words)]
    done = subprocess.run(command, input=stdin, capture_output=True, timeout=60, check=False)
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return done


def decoded(*words: str | Path, stdin: bytes = b"", status: int = 0) -> list[dict[str, Any]]:
    done = run(*words, "-T", "json", stdin=stdin)
    assert done.returncode == status, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_json_has_time_ends_and_frame(golden_file: Path) -> None:
    rows = decoded(golden_file, status=1)
    assert [row["raw"] for row in rows] == [packet.raw.hex() for packet in golden.packets()]
    assert [row["connection"] for row in rows] == ["ABC".index(packet.connection) for packet in golden.packets()]
    assert [(row["number"], row["frame"]) for row in rows] == [(number, number) for number in range(1, 44)]
    assert rows[1]["time"] == "2023-11-14T22:13:20.001000000Z"
    assert (rows[0]["source"], rows[0]["destination"]) == ("10.0.0.1:50001", "10.0.0.2:1883")
    assert (rows[1]["source"], rows[1]["destination"]) == ("10.0.0.2:1883", "10.0.0.1:50001"), "the sender is the source"
    assert decoded(golden_file, "--format", "json", status=1) == rows


def test_a_capture_on_standard_input_is_known_by_its_first_bytes(golden_file: Path) -> None:
    data = golden_file.read_bytes()
    rows = decoded(golden_file, status=1)
    for piped in (data, captures.zipped(data)):
        assert decoded("-", stdin=piped, status=1) == rows
    old = pcap(frames(golden_talk().segments))
    assert [row["raw"] for row in decoded("-", stdin=old, status=1)] == [raw.hex() for raw in captures.golden_raws()]
    assert [row["type"] for row in decoded("-", stdin=b"\nC>S c000\n")] == ["PINGREQ"]


def test_the_text_says_when_and_between_whom(golden_file: Path) -> None:
    first = run(golden_file).stdout.decode().splitlines()[0]
    assert first == "1  C>S  CONNECT  MQTT 3.1.1  connection 0  2023-11-14T22:13:20.000000000Z  10.0.0.1:50001 > 10.0.0.2:1883  frame 1"


def test_a_filter_selects(golden_file: Path) -> None:
    assert [row["number"] for row in decoded(golden_file, "-Y", "mqtt.msgtype in {1, 2, 14, 15}")] == [
        1,
        2,
        26,
        27,
        28,
        37,
        38,
        41,
        42,
        43,
    ]
    assert decoded(golden_file, "-Y", 'mqtt.topic == "no/such"') == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('mqtttui.topic == "sensors/hum"', [6, 7]),
        ("mqtttui.response_in == 7", [6]),
        ("mqtttui.request_in == 3", [4]),
        ("frame.number == 5 or mqtttui.rtt > 0 and mqtt.msgtype == 16", [5]),
        ('mqtttui.expert.id == "D02"', [20]),
        ('frame.comment contains "look"', []),
    ],
)
def test_filters_that_ask_for_more_than_the_packet(golden_file: Path, text: str, expected: list[int]) -> None:
    done = run(golden_file, "-Y", text, "-T", "json")
    assert [json.loads(line)["number"] for line in done.stdout.splitlines()] == expected


def test_a_wrong_filter_shows_the_place(golden_file: Path) -> None:
    done = run(golden_file, "-Y", "mqtt.topic = 3")
    assert (done.returncode, done.stdout) == (2, b"")
    lines = done.stderr.decode().splitlines()
    assert "==" in lines[0] and lines[1:] == ["mqtt.topic = 3", "           ^"]
    assert run(golden_file, "-Y", "temp").returncode == 2, "no quick search on the command line"


# --- fields


def test_fields_are_printed_like_tshark(golden_file: Path) -> None:
    needs_tshark()
    program = tshark()
    assert program is not None
    names = [
        name
        for name, spec in FIELDS.items()
        if spec.dissected and name not in ("mqtt.prop_string", "mqtt.prop_string_len", "mqtt.property_len", "mqtt.unknown_topic_alias")
    ]
    names += ["frame.number", "frame.time_epoch", "frame.time_relative", "frame.time_delta", "ip.src", "ip.dst", "ip.addr"]
    options = [word for name in names for word in ("-e", name)]
    for more in (
        [],
        ["-E", "header=y", "-E", "separator=;", "-E", "occurrence=f", "-E", "quote=d"],
        ["-E", "occurrence=l", "-E", "aggregator=/s"],
    ):
        theirs = subprocess.run(
            [program, "-r", str(golden_file), "-T", "fields", *more, *options], capture_output=True, check=True, timeout=60
        )
        ours = run(golden_file, "-T", "fields", *more, *options)
        # Content Type begins with its length there.
        assert ours.stdout.decode().splitlines() == [line.replace("\\000\\020", "") for line in theirs.stdout.decode().splitlines()]


def test_own_fields_and_times(golden_file: Path) -> None:
    done = run(
        golden_file,
        "-Y",
        "frame.number in {6, 7}",
        "-T",
        "fields",
        "-e",
        "frame.number",
        "-e",
        "mqtttui.topic",
        "-e",
        "mqtttui.response_in",
        "-e",
        "frame.time",
    )
    assert [line.split("\t")[:3] for line in done.stdout.decode().splitlines()] == [["6", "sensors/hum", "7"], ["7", "sensors/hum", ""]]
    assert b"Nov 14, 2023" in done.stdout or b"Nov 15, 2023" in done.stdout


def test_wire_text_in_fields_is_visible(tmp_path: Path) -> None:
    path = tmp_path / "x.pcapng"
    write(path, [Sent(5, C2S, encode(Connect("\x1b[2J\t"), Version.V311)), Sent(5, C2S, encode(Publish("a\nb", b""), Version.V311))])
    done = run(path, "-T", "fields", "-e", "mqtt.clientid", "-e", "mqtt.topic", "-e", "mqtt.msg")
    assert done.stdout.decode().splitlines() == ["\\x1b[2J\\x09\t\t", "\ta\\x0ab\t<MISSING>"]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["-T", "fields"], "name the fields"),
        (["-T", "fields", "-e", "mqtt.topik"], "did you mean mqtt.topic?"),
        (["-T", "fields", "-e", "tcp.flags.syn"], "Only the MQTT packets are recorded"),
        (["-T", "fields", "-e", "mqtt.topic", "-E", "header=maybe"], "no option"),
        (["-e", "mqtt.topic"], "go with -T fields"),
        (["-T", "fields", "-e", "mqtt.passwd", "--mask"], "--mask goes with text and json"),
        (["--direction", "C>S"], "--direction goes with --hex"),
    ],
)
def test_unusable_arguments(golden_file: Path, words: list[str], complaint: str) -> None:
    done = run(golden_file, *words)
    assert (done.returncode, done.stdout) == (2, b"") and complaint in done.stderr.decode()


def test_filters_and_fields_do_not_go_with_hexadecimal() -> None:
    for words in (["--hex", "c000", "-Y", "mqtt"], ["--hex", "c000", "-T", "fields", "-e", "mqtt.len"]):
        done = run(*words)
        assert (done.returncode, done.stdout) == (2, b"") and b"goes with a capture" in done.stderr
    assert run("-", "-Y", "mqtt", stdin=b"C>S c000").returncode == 2


# --- what is wrong with a file


@pytest.mark.parametrize(
    ("data", "status", "complaint"),
    [
        (b"", 2, "the file is empty"),
        (b"hello, this is text", 2, "no capture file"),
        (b"\x28\xb5\x2f\xfd" + bytes(20), 2, "zstd -d"),
        (pcapng(frames(golden_talk().segments))[:-7], 1, "cut off"),
        (pcapng(frames(golden_talk().segments)) + b"\x06\0\0\0\x05\0\0\0" + bytes(40), 2, "damaged"),
        (pcap([]), 0, "no MQTT in 0 frames"),
    ],
)
def test_problems_go_to_standard_error_with_their_place(tmp_path: Path, data: bytes, status: int, complaint: str) -> None:
    path = tmp_path / "x.pcapng"
    path.write_bytes(data)
    done = run(path)
    assert done.returncode == status and complaint in done.stderr.decode()
    assert "byte" in done.stderr.decode() or status == 0
    if len(data) > 1_000:
        assert done.stdout.count(b"connection 0") == len(captures.golden_raws()), "what could be read is printed"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    done = run(tmp_path / "missing.pcapng")
    assert done.returncode == 2 and b"No such file" in done.stderr
    assert run(tmp_path).returncode == 2, "a folder"


def test_what_else_is_in_a_file_without_mqtt_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.pcap"
    path.write_bytes(pcap([captures.Frame(bytes(12) + b"\x08\x06" + bytes(28))]))
    done = run(path)
    assert done.returncode == 0 and done.stderr.decode().endswith("no MQTT in 1 frame (1 ARP frames)\n")


def test_tls_alone_is_unusable_and_names_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "my tls.pcap"
    hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(505)
    path.write_bytes(pcap(frames(Talk(server_port=8883).opened().send(C2S, hello).segments)))
    done = run(path)
    assert done.returncode == 2
    assert f"tshark -r '{path}' -o tls.keylog_file:KEYS -d tls.port==8883,mqtt" in done.stderr.decode()


def test_a_hole_is_said_and_sets_the_status(tmp_path: Path) -> None:
    raw = encode(Publish("t", bytes(3_000)), Version.V311)
    talk = Talk().opened().send(C2S, encode(Connect("x"), Version.V311)).send(C2S, raw, 1_000, acked=False)
    del talk.segments[-2]
    path = tmp_path / "x.pcap"
    path.write_bytes(pcap(frames(talk.send(C2S, b"\xc0\0").segments)))
    done = run(path, "-T", "json")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1 and b"1,000 bytes are missing" in done.stderr
    assert sorted((row["number"], row["type"]) for row in rows if row["type"]) == [(1, "CONNECT"), (3, "PINGREQ")]
    (damaged,) = [row for row in rows if not row["type"]]
    assert "missing from the capture" in damaged["info"] and damaged["fields"]["mqtt.topic"] == ["t"]


def test_a_guessed_version_is_a_note_on_the_first_packet(tmp_path: Path) -> None:
    path = tmp_path / "x.pcap"
    path.write_bytes(pcap(frames(golden_talk("B").segments[8:])))
    rows = decoded(path)
    notes = [[note["text"] for note in row["notes"] if note["id"] == "version"] for row in rows]
    assert notes[0] and not any(notes[1:]) and "read as 5" in notes[0][0]
    assert {row["version"] for row in rows} == {"5"}
    given = decoded(path, "--protocol-version", "5")
    assert not any(note["id"] == "version" for row in given for note in row["notes"])


def test_comments_are_shown(tmp_path: Path) -> None:
    path = tmp_path / "x.pcapng"
    path.write_bytes(pcapng([frame._replace(comments=("look \x1b[31mhere",)) for frame in frames(golden_talk("C").segments)]))
    assert b"comment: look \\x1b[31mhere" in run(path).stdout
    assert decoded(path)[0]["comments"] == ["look \x1b[31mhere"]
    assert len(decoded(path, "-Y", 'frame.comment contains "look"')) == 2


def test_secrets_are_masked_on_request(golden_file: Path) -> None:
    assert b": pass\n" in run(golden_file, "-Y", "frame.number == 1").stdout
    assert b": pass\n" not in run(golden_file, "-Y", "frame.number == 1", "--mask").stdout


# --- while it grows


def test_packets_of_a_pipe_are_printed_as_they_come() -> None:
    data = pcap(frames(golden_talk("C").segments))
    process = subprocess.Popen(
        [sys.executable, "-m", "mqtttui", "decode", "-", "-T", "json"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None and process.stdout is not None
    timer = threading.Timer(60, process.kill)
    timer.start()
    try:
        process.stdin.write(data[:-100])
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["type"] == "CONNECT"
        process.stdin.close()
        process.stdout.read()
        process.wait(30)
    finally:
        timer.cancel()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc")
def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    talk = Talk().opened().send(C2S, encode(Connect("x"), Version.V311)).send(S2C, bytes.fromhex("20020000"))
    for number in range(3_000):
        talk.send(S2C, encode(Publish(f"t/{number}", bytes(20_000)), Version.V311), acked=False)
    path = tmp_path / "x.pcap"
    path.write_bytes(pcap(frames(talk.segments)))
    code = (
        "from pathlib import Path; from mqtttui.cli import main; "
        f"main(['decode', {str(path)!r}, '-Y', 'mqtt.msgtype == 1', '-T', 'fields', '-e', 'mqtt.clientid']); "
        "print(Path('/proc/self/status').read_text().partition('VmHWM:')[2].split()[0])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=True, env=os.environ)
    client, kilobytes = done.stdout.split()
    assert client == b"x" and int(kilobytes) < 110_000, "the file has 60 MB"


def test_what_does_not_fit_the_memory_is_said(golden_file: Path, tmp_path: Path) -> None:
    talk = Talk().opened().send(C2S, encode(Connect("x"), Version.V311)).send(S2C, bytes.fromhex("20020000"))
    for number in range(100):
        talk.send(S2C, encode(Publish(f"t/{number}", bytes(5_000)), Version.V311), acked=False)
    path = tmp_path / "x.pcap"
    path.write_bytes(pcap(frames(talk.segments)))
    code = (
        "import sys; from mqtttui.cli import main; from mqtttui.capture import log; "
        "log.default_limit = lambda: 100_000; "
        f"sys.exit(main(['decode', {str(path)!r}, '-Y', 'mqtttui.unacked', '-T', 'fields', '-e', 'mqtt.clientid']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=False)
    assert done.returncode == 2 and b"packets are not shown" in done.stderr


def test_times() -> None:
    assert iso_time(0) == "1970-01-01T00:00:00.000000000Z"
    assert iso_time(1_700_000_000_123_456_789) == "2023-11-14T22:13:20.123456789Z"
    assert iso_time(2**63 - 1).startswith("2262-")
    assert Direction.C2S is C2S
