"""`mqtttui decode` as people and scripts run it."""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mqtttui.headless import decode
from mqtttui.protocol.enums import Version
from mqtttui.protocol.packets import Connect, Property, Publish, Subscribe, TopicRequest, encode
from tests.support import golden

CONNECT = golden.packet(1).raw.hex()


def run(*words: str, stdin: str | bytes = b"") -> subprocess.CompletedProcess[bytes]:
    data = stdin.encode() if isinstance(stdin, str) else stdin
    done = subprocess.run([sys.executable, "-m", "mqtttui", "decode", *words], input=data, capture_output=True, timeout=60, check=False)
    assert b"Traceback" not in done.stderr
    return done


def objects(done: subprocess.CompletedProcess[bytes]) -> list[dict[str, Any]]:
    assert done.stdout.isascii()
    return [json.loads(line) for line in done.stdout.splitlines()]


def decoded(*words: str, stdin: str | bytes = b"", status: int = 0) -> list[dict[str, Any]]:
    done = run(*words, "--format", "json", stdin=stdin)
    assert (done.returncode, done.stderr) == (status, b"")
    return objects(done)


def golden_lines(cut: int = 0) -> str:
    lines = []
    latest = "A"
    for packet in golden.packets():
        if packet.connection != latest:
            lines.append("connection")
            latest = packet.connection
        text = packet.raw.hex()
        step = cut or len(text)
        lines += [f"{packet.direction.label} {text[at : at + step]}" for at in range(0, len(text), step)]
    return "\n".join(lines)


def test_the_golden_capture() -> None:
    rows = decoded("-", stdin=golden_lines(), status=1)
    assert [row["number"] for row in rows] == list(range(1, 44))
    for row, packet in zip(rows, golden.packets(), strict=True):
        assert row["raw"] == packet.raw.hex()
        assert row["direction"] == packet.direction.label
        assert row["version"] == packet.version.label
        assert row["connection"] == "ABC".index(packet.connection)
        assert row["length"] == len(packet.raw)
        assert row["time"] is row["source"] is row["destination"] is None
        assert set(row) == {
            "number", "time", "source", "destination", "connection", "direction", "type", "version", "length", "info", "raw", "fields",
            "notes",
        }  # fmt: skip
    assert rows[0]["type"] == "CONNECT"
    assert rows[0]["fields"]["mqtt.clientid"] == ["dev-1"]
    assert rows[32]["fields"]["mqtt.topic"] == ["a/b"], "resolved from its alias"
    assert rows[19]["notes"][0] == {
        "id": "D02", "severity": "error", "statement": "MQTT-3.3.1-2", "text": rows[19]["notes"][0]["text"], "span": [0, 1],
    }  # fmt: skip


@pytest.mark.parametrize("cut", [2, 6])
def test_chunks_may_be_cut_anywhere(cut: int) -> None:
    assert decoded("-", stdin=golden_lines(cut), status=1) == decoded("-", stdin=golden_lines(), status=1)


def test_hex_on_the_command_line_in_any_spelling() -> None:
    expected = decoded("--hex", "c000d000")
    for text in ("c0 00 d0 00", "C0:00:D0:00", "0xc0, 0x00, 0xd0, 0x00", "c0-00\nd0 00", "c 0 0 0 d 0 0 0"):
        assert decoded("--hex", text) == expected
    assert decoded("--hex", "c0", "--hex", "00d000") == expected
    assert [row["type"] for row in expected] == ["PINGREQ", "PINGRESP"]


def test_direction_of_hex_follows_the_packet_unless_given() -> None:
    assert decoded("--hex", "20020000")[0]["direction"] == "S>C"
    assert decoded("--hex", "c000")[0]["direction"] == "C>S"
    assert decoded("--hex", "20", "--hex", "020000")[0]["direction"] == "S>C"
    assert decoded("--hex", "20020000", "--direction", "C>S")[0]["direction"] == "C>S"
    (taken_over,) = decoded("--hex", "e0018e", "--protocol-version", "5")
    assert taken_over["direction"] == "S>C" and [note["id"] for note in taken_over["notes"]] == ["G12"]
    assert decoded("--hex", "e00104", "--protocol-version", "5")[0]["direction"] == "C>S"


def test_a_guessed_version_is_said_once_and_a_given_one_is_not() -> None:
    rows = decoded("-", stdin="C>S c000\nC>S c000\nconnection 5\nC>S c000\nconnection\nC>S c000")
    assert [row["version"] for row in rows] == ["3.1.1", "3.1.1", "5", "3.1.1"]
    assert [len(row["notes"]) for row in rows] == [1, 0, 0, 1]
    assert "read as 3.1.1" in rows[0]["notes"][0]["text"]
    assert decoded("--hex", "c000", "--protocol-version", "5")[0]["notes"] == []
    assert decoded("--hex", CONNECT)[0]["version"] == "3.1.1"


def test_a_connect_decides_the_version() -> None:
    connect = encode(Connect(version=Version.V5), Version.V5).hex()
    rows = decoded("-", stdin=f"connection 3.1\nC>S {connect} c000")
    assert [row["version"] for row in rows] == ["5", "5"]


def test_connections_count_from_zero_and_are_kept_apart() -> None:
    alias = (Property(0x23, 1),)
    bind = encode(Publish("t", properties=alias), Version.V5).hex()
    use = encode(Publish("", properties=alias), Version.V5).hex()
    rows = decoded("-", stdin=f"connection 5\nC>S {bind}\nS>C {use}\nC>S {use}\nconnection 5\nC>S {use}\n")
    assert [row["connection"] for row in rows] == [0, 0, 0, 1]
    assert [row["fields"].get("mqtt.topic", [None])[0] or None for row in rows] == ["t", None, "t", None]


def test_thousands_of_connections_in_one_run() -> None:
    rows = decoded("-", stdin=f"connection\nC>S {CONNECT}\nS>C 20020000\n" * 3_000)
    assert (len(rows), rows[-1]["connection"], rows[-1]["number"]) == (6_000, 2_999, 6_000)


def test_a_broken_stream_is_one_row_with_all_its_bytes() -> None:
    rows = decoded("-", stdin="C>S c000 30ffffff\nC>S ff\nS>C d000\nC>S c000\nconnection\nC>S c000", status=1)
    assert [(row["type"], row["direction"], row["raw"]) for row in rows] == [
        ("PINGREQ", "C>S", "c000"),
        ("PINGRESP", "S>C", "d000"),
        (None, "C>S", "30ffffffffc000"),
        ("PINGREQ", "C>S", "c000"),
    ]
    assert rows[2]["notes"][0]["id"] == "A05"
    assert "four bytes" in rows[2]["info"]


def test_an_incomplete_packet_is_said() -> None:
    (row,) = decoded("--hex", "3020000361", status=1)
    assert (row["type"], row["length"], row["info"]) == (None, 5, "incomplete, 5 of 34 bytes")
    assert [note["id"] for note in row["notes"] if note["id"] != "version"] == ["A11"]
    assert run("--hex", "3020000361").stdout.count(b"A11") == 1


def test_malformed_packets_set_the_status() -> None:
    assert decoded("--hex", "30050050616263", status=1)[0]["type"] == "PUBLISH"
    assert run("--hex", "30050050616263").returncode == 1


@pytest.mark.parametrize(
    ("packet", "status"),
    [
        ("c100", 1),  # reserved flags [MQTT-2.2.2-2]
        ("0000", 1),  # reserved type
        ("300b0008626164fffe75746678", 1),  # ill-formed UTF-8 [MQTT-1.5.3-1]
        ("360700027133000678", 1),  # QoS 3 [MQTT-3.3.1-4]
        ("101200044d515454041e003c0001630001770000", 1),  # will QoS 3 [MQTT-3.1.2-14]
        ("c08000", 0),  # longer than needed: MQTT 3.1.1 does not forbid it
        ("380700056475702b23", 0),  # DUP at QoS 0, wildcard in a topic: violations, but readable
    ],
)
def test_what_the_standard_calls_malformed_sets_the_status(packet: str, status: int) -> None:
    assert run("--hex", packet).returncode == status


def test_no_item_of_a_long_list_is_left_out() -> None:
    filters = [f"f/{number}" for number in range(3000)]
    raw = encode(Subscribe(1, tuple(TopicRequest(text) for text in filters)), Version.V311)
    (row,) = decoded("-", stdin=b"C>S " + raw.hex().encode())
    assert row["fields"]["mqtt.topic"] == filters


def test_the_nested_tree_on_request() -> None:
    (row,) = decoded("--hex", "c000", "--tree")
    assert [field["name"] for field in row["tree"]] == ["Packet Type and Flags", "Remaining Length"]
    assert row["tree"][0]["children"][0]["bits"] == "1100 ...."


def test_secrets_are_shown_unless_masked() -> None:
    assert decoded("--hex", CONNECT)[0]["fields"]["mqtt.passwd"] == ["pass"]
    masked = run("--hex", CONNECT, "--format", "json", "--mask")
    assert objects(masked)[0]["fields"]["mqtt.passwd"] == ["****"]
    assert b"pass".hex().encode() not in masked.stdout
    assert b": pass" in run("--hex", CONNECT).stdout
    assert b": pass" not in run("--hex", CONNECT, "--mask").stdout


def test_the_text_is_a_tree() -> None:
    text = run("--hex", CONNECT).stdout.decode()
    assert text.startswith("1  C>S  CONNECT  MQTT 3.1.1  connection 0\n")
    assert "          ..0. ....  Will Retain: not set (0)\n" in text
    assert "Packet Identifier: 2304" in run("--hex", "40020900").stdout.decode()


def test_hostile_text_is_shown_escaped() -> None:
    raw = encode(Publish("\x1b[2J\u202e[/b", b"\x9b31m"), Version.V311).hex()
    done = run("--hex", raw)
    assert b"\x1b" not in done.stdout
    assert b"\\x1b[2J\\xe2\\x80\\xae[/b" in done.stdout


def test_blank_lines_comments_case_and_line_ends_do_not_matter() -> None:
    rows = decoded("-", stdin=b"\xef\xbb\xbf# a comment\r\n\r\n   \n  c>s  C0 00\r\nCONNECTION 5.0\r\nS>C\r\ns>c d000")
    assert [(row["direction"], row["connection"]) for row in rows] == [("C>S", 0), ("S>C", 1)]


@pytest.mark.parametrize(
    ("stdin", "complaint"),
    [
        (b"hello\n", "line 1: 'hello' is not understood"),
        (b"C>S c000\nC<S c000", "line 2: 'C<S c000' is not understood"),
        (b"C>S c0zz", "line 1: 'z' is not hexadecimal"),
        (b"C>S c00", "line 1: the number of hexadecimal digits is odd"),
        (b"connection 4.2", "line 1: '4.2' is no MQTT version; use 3.1, 3.1.1 or 5"),
        (b"C>Sc000", "is not understood"),
        ("C>S ü".encode(), "'ü' is not hexadecimal"),
        (b"\x10\x2a\x00\x04MQTT\x1b[31m", "line 1: '\\x10*\\x00\\x04MQTT\\x1b[31m' is not understood"),
    ],
)
def test_unusable_input_names_place_and_remedy(stdin: bytes, complaint: str) -> None:
    done = run("-", stdin=stdin)
    assert done.returncode == 2
    said = done.stderr.decode()
    assert complaint in said
    assert "C>S" in said or "3.1.1" in said
    assert "\x1b" not in said


def test_what_came_before_an_unusable_line_is_printed() -> None:
    done = run("-", "--format", "json", stdin="C>S c000\nnonsense")
    assert (done.returncode, len(objects(done))) == (2, 1)


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--hex", "xyz"],
        ["--hex", "c"],
        ["--hex", ""],
        ["--hex", "c000", "-"],
        ["file.pcap"],
        ["-", "--direction", "C>S"],
        ["--hex", "c000", "--direction", "up"],
        ["--hex", "c000", "--protocol-version", "6"],
        ["--hex", "c000", "--tree"],
        ["--hex", "c000", "--format", "xml"],
    ],
)
def test_unusable_arguments(words: list[str]) -> None:
    done = run(*words)
    assert done.returncode == 2
    assert done.stderr.strip()
    assert done.stdout == b""


def test_empty_input_is_no_error() -> None:
    assert decoded("-", stdin=b"") == []


def test_binary_input_without_line_ends_is_refused_at_once() -> None:
    assert run("-", stdin=bytes(range(256)) * 10_000).returncode == 2


def test_one_line_of_many_pieces_is_one_stream() -> None:
    rows = decoded("-", stdin="C>S " + "c0 00  " * 60_000)
    assert len(rows) == 60_000


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "mqtttui", "decode", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.close()
    _, errors = process.communicate(b"C>S c000\n" * 20_000, timeout=60)
    assert errors == b""
    assert process.returncode not in (0, 1, 2)


@pytest.mark.parametrize("closed", ["<&-", ">&-"])
def test_closed_streams_are_no_traceback(closed: str) -> None:
    command = f'"{sys.executable}" -m mqtttui decode - {closed}'
    done = subprocess.run(["sh", "-c", command], input=b"C>S c000\n", capture_output=True, timeout=60, check=False)
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr


def test_output_that_cannot_show_a_character_escapes_it() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    raw = encode(Publish("ü", b"x" * 500), Version.V311).hex()
    command = [sys.executable, "-m", "mqtttui", "decode", "--hex", raw, "--explain"]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False, env=environment)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.isascii()


def test_it_imports_neither_textual_nor_gmqtt() -> None:
    code = (
        "import sys; from mqtttui.cli import main; main(['decode', '--hex', 'c000']); "
        "print([name for name in sys.modules if name.split('.')[0] in ('textual', 'rich', 'gmqtt', 'asyncio')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=False)
    assert done.stdout.splitlines()[-1] == b"[]"


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(st.lists(st.one_of(st.binary(max_size=40), st.binary(max_size=40).map(lambda raw: b"S>C " + raw.hex().encode())), max_size=5))
def test_any_input_ends_in_one_of_the_three_statuses(monkeypatch: pytest.MonkeyPatch, lines: list[bytes]) -> None:
    parser = argparse.ArgumentParser()
    decode.add_arguments(parser)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\n".join(lines))))
    assert decode.run(parser.parse_args(["-", "--format", "json", "--tree"])) in (0, 1, 2)
