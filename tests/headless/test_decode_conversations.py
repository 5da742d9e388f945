"""What `mqtttui decode` prints of conversations, beside each packet's own notes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mqtttui.protocol.enums import Version
from mqtttui.protocol.packets import Connect, encode
from tests.support import golden
from tests.support.captures import C2S, S2C, Talk, frames, pcap
from tests.support.pcapng_oracle import Sent, write

COMMAND = [sys.executable, "-m", "mqtttui", "decode"]
CONNECT = encode(Connect("abc"), Version.V311)
CONNACK = bytes.fromhex("20020000")
PUBACK = bytes.fromhex("40020007")


def text(*words: str, stdin: str = "") -> str:
    done = subprocess.run([*COMMAND, *words], input=stdin.encode(), capture_output=True, timeout=60, check=False)
    assert done.returncode in (0, 1) and not done.stderr
    return done.stdout.decode()


def said(printed: str) -> list[tuple[int, str, str]]:
    """Number of the packet, check and words of everything that was noted."""
    number, found = 0, []
    for line in printed.splitlines():
        if title := re.match(r"(\d+)  [CS]>[CS]  ", line):
            number = int(title[1])
        elif note := re.search(r"(?:^packet (\d+))?  [·!✗] \w+ (\w+): (.*)", line):
            found.append((int(note[1] or number), note[2], note[3]))
    return found


def golden_lines() -> str:
    lines, connection = [], "A"
    for packet in golden.packets():
        if packet.connection != connection:
            lines.append("connection")
            connection = packet.connection
        lines.append(f"{packet.direction.label} {packet.raw.hex()}")
    return "\n".join(lines)


def test_lines_and_a_capture_give_the_same_findings_each_once(tmp_path: Path) -> None:
    path = tmp_path / "golden.pcapng"
    write(path, [Sent(packet.port, packet.direction, packet.raw) for packet in golden.packets()])
    found = said(text("-", stdin=golden_lines()))
    assert found == said(text(str(path)))
    assert {"C13", "F13", "E01", "C21", "D25"} <= {check for _, check, _ in found}
    assert len(found) == len(set(found))


@pytest.mark.parametrize("chunks", [[CONNECT + CONNACK + PUBACK], [CONNECT, CONNACK, PUBACK]])
def test_the_bytes_of_hex_are_a_conversation(chunks: list[bytes]) -> None:
    words = [word for chunk in chunks for word in ("--hex", chunk.hex(" "))]
    assert (3, "E01") in [(number, check) for number, check, _ in said(text(*words))]


def test_a_conversation_that_was_not_seen_from_its_start_gets_the_benefit_of_the_doubt() -> None:
    assert said(text("--hex", PUBACK.hex(), "--protocol-version", "3.1.1")) == []
    assert said(text("-", "--protocol-version", "3.1.1", stdin=f"S>C {PUBACK.hex()}\nS>C {PUBACK.hex()}")) == []


def test_another_connection_is_another_conversation() -> None:
    lines = [
        f"C>S {CONNECT.hex()}",
        f"S>C {CONNACK.hex()}",
        "connection 3.1.1",
        f"S>C {PUBACK.hex()}",
        "connection 5",
        f"S>C {PUBACK.hex()}",
    ]
    assert said(text("-", stdin="\n".join(lines))) == []


def test_json_has_the_notes_of_the_packet_alone() -> None:
    words = ("--hex", (CONNECT + PUBACK).hex(), "--protocol-version", "3.1.1", "--format", "json")
    assert [json.loads(line)["notes"] for line in text(*words).splitlines()] == [[], []]


def test_what_is_found_on_a_packet_that_was_printed_comes_after() -> None:
    subscribe = bytes.fromhex("8206000100017800")
    talk = Talk().opened().send(C2S, CONNECT).send(S2C, CONNACK).send(C2S, subscribe)
    before = frames(talk.segments)
    after = frames(talk.send(C2S, bytes.fromhex("c000")).segments)[len(before) :]
    begun = pcap(before)
    rest = pcap([*before, *(frame._replace(wall=frame.wall + 600_000_000_000) for frame in after)])[len(begun) :]
    process = subprocess.Popen([*COMMAND, "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None and process.stdout is not None
    timer = threading.Timer(60, process.kill)
    timer.start()
    try:
        process.stdin.write(begun)
        process.stdin.flush()
        printed = b""
        while b"SUBSCRIBE" not in printed:
            line = process.stdout.readline()
            assert line, "SUBSCRIBE is printed before more comes"
            printed += line
        process.stdin.write(rest)
        process.stdin.close()
        printed += process.stdout.read()
        process.wait(30)
    finally:
        timer.cancel()
    shown = printed.decode()
    assert re.search(r"^packet 3  . \w+ \w+: ", shown, re.MULTILINE), shown
    assert len(said(shown)) == len(set(said(shown)))
