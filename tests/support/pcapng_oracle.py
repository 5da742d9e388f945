"""Ask tshark what it sees: a small pcapng writer (link type 252, exported PDUs) and a reader of `tshark -T pdml`.

`assert_same` holds our dissection against it, field by field: names, order, spans and values. Where tshark 4.0 is known to
be wrong, or draws a line elsewhere, `DIFFERENCES` says so and the comparison follows it: nothing else may differ.
"""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from mqtttui.protocol.dissect import dissect
from mqtttui.protocol.enums import Direction, Version
from mqtttui.protocol.fields import Context, Field
from mqtttui.protocol.wire import read_vbi

TAG_DISSECTOR, TAG_SOURCE, TAG_DESTINATION, TAG_PORT_TYPE, TAG_SOURCE_PORT, TAG_DESTINATION_PORT = 12, 20, 21, 24, 25, 26
BROKER_PORT = 1883


DIFFERENCES = {
    "text": "tshark cuts strings at NUL and mangles bytes that are not UTF-8: their bytes are compared, not its text",
    "property length": "tshark shows a property length of two bytes or more as if it were big-endian: its bytes are read again",
    "framing": "tshark reads a remaining length of five bytes and more: such packets are not compared",
    "levels": "tshark reads a CONNECT of an unknown level as 3.x, also 0x85 (a bridge's 5): such packets are not compared",
    "aliases": "tshark has one alias table for both directions: only aliases that it does not know are compared, and golden packet 33",
    "property lists": "tshark reads on behind the end of a broken property list, and takes identifiers for one byte: what stands "
    "in front of the first such fault is compared",
    "expert": "the span of its expert items counts from elsewhere: only their presence is compared",
}
"""Kind of difference -> what tshark does (inspector.md 1.10)."""

EXPERT = frozenset({"mqtt.illegal_topic_length", "mqtt.unknown_topic_alias"})


@dataclass(frozen=True, slots=True)
class Sent:
    """One control packet on the connection from client port `port`."""

    port: int
    direction: Direction
    raw: bytes


@dataclass(frozen=True, slots=True)
class Seen:
    """One field as tshark shows it; `start` counts from the beginning of the control packet."""

    name: str
    start: int
    size: int
    value: str
    """Hex of the bytes that it covers, empty for generated fields."""
    show: str
    hidden: bool


def write(path: Path, packets: Iterable[Sent]) -> None:
    """A pcapng file with one exported PDU per control packet."""
    with path.open("wb") as file:
        file.write(_block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)))
        file.write(_block(1, struct.pack("<HHI", 252, 0, 0)))
        for index, packet in enumerate(packets):
            data = _exported(packet)
            stamp = 1_700_000_000_000_000 + index * 1000
            head = struct.pack("<IIIII", 0, stamp >> 32, stamp & 0xFFFFFFFF, len(data), len(data))
            file.write(_block(6, head + data + bytes(-len(data) % 4)))


def tshark() -> str | None:
    """Path of tshark, or None."""
    return shutil.which("tshark")


def needs_tshark() -> None:
    """Skips the test without tshark; in CI it fails."""
    if tshark() is not None:
        return
    if os.environ.get("CI"):
        pytest.fail("tshark is not installed; it is the oracle of this test")
    pytest.skip("tshark is not installed")


def dissections(path: Path) -> list[list[Seen]]:
    """What `tshark -T pdml` shows of each packet: every field below the `mqtt` protocol, in tree order."""
    program = tshark()
    assert program is not None
    done = subprocess.run([program, "-r", str(path), "-T", "pdml"], capture_output=True, check=True, timeout=120)
    root = ElementTree.fromstring(done.stdout)
    return [_packet(packet) for packet in root.findall("packet")]


def _packet(packet: ElementTree.Element) -> list[Seen]:
    protocols = [proto for proto in packet.findall("proto") if proto.get("name") == "mqtt"]
    if not protocols:
        return []
    base = int(protocols[0].get("pos", "0"))
    found: list[Seen] = []
    for protocol in protocols:
        for field in protocol.iter("field"):
            name = field.get("name", "")
            if name.startswith("mqtt."):
                found.append(
                    Seen(
                        name,
                        int(field.get("pos", "0")) - base,
                        int(field.get("size", "0")),
                        field.get("value", ""),
                        field.get("show", ""),
                        field.get("hide") == "yes",
                    )
                )
    return found


def _exported(packet: Sent) -> bytes:
    client, broker = (bytes([10, 0, 0, 1]), packet.port), (bytes([10, 0, 0, 2]), BROKER_PORT)
    source, destination = (client, broker) if packet.direction is Direction.C2S else (broker, client)
    tags: Sequence[tuple[int, bytes]] = (
        (TAG_DISSECTOR, b"mqtt"),
        (TAG_SOURCE, source[0]),
        (TAG_DESTINATION, destination[0]),
        (TAG_PORT_TYPE, struct.pack(">I", 2)),
        (TAG_SOURCE_PORT, struct.pack(">I", source[1])),
        (TAG_DESTINATION_PORT, struct.pack(">I", destination[1])),
    )
    head = b"".join(struct.pack(">HH", tag, len(value)) + value for tag, value in tags)
    return head + bytes(4) + packet.raw


def _block(kind: int, body: bytes) -> bytes:
    size = len(body) + 12
    return struct.pack("<II", kind, size) + body + struct.pack("<I", size)


Row = tuple[str, int, int, str]
"""Name, start, size, and value: a number, or the hex of the bytes."""


def expected(seen: Seen) -> Row:
    if seen.name in EXPERT:
        return seen.name, 0, 0, ""
    shown = seen.show
    if seen.name == "mqtt.property_len" and seen.size > 1:
        return seen.name, seen.start, seen.size, str(read_vbi(bytes.fromhex(seen.value), 0, seen.size).value)
    if seen.name in NUMBERS:
        return seen.name, seen.start, seen.size, str(int(shown, 0))
    return seen.name, seen.start, seen.size, seen.value or (shown.encode().hex() if not seen.size else "")


def actual(field: Field, raw: bytes) -> Row:
    if field.filter in EXPERT:
        return field.filter, 0, 0, ""
    size = field.end - field.start
    if isinstance(field.value, int):
        return field.filter, field.start, size, str(int(field.value))
    if field.generated:
        return field.filter, field.start, size, str(field.value).encode().hex()
    if field.value is None:
        return field.filter, field.start, size, ""
    return field.filter, field.start, size, raw[field.start : field.end].hex()


class _Numbers:
    """Filter names whose values are numbers or booleans, collected from our side."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return name in self.names


NUMBERS = _Numbers()


BROKEN_LIST = frozenset({"A05", "A06", "A07", "H01", "H06"})
"""Findings on a property list that tshark and we read on from in different ways."""


def intact(rows: Iterable[Row], end: int) -> list[Row]:
    """The rows that lie in front of `end`."""
    return [row for row in rows if row[1] < end and row[1] + row[2] <= end]


def assert_same(sent: list[tuple[Sent, Context]], folder: Path) -> None:
    """tshark sees in each packet what we see."""
    path = folder / "oracle.pcapng"
    write(path, [packet for packet, _ in sent])
    all_seen = dissections(path)
    assert len(all_seen) == len(sent)
    for (packet, context), seen in zip(sent, all_seen, strict=True):
        dissection = dissect(packet.raw, context)
        ours = [field for field in dissection.walk() if field.filter]
        NUMBERS.names.update(field.filter for field in ours if isinstance(field.value, int))
        left, right = [actual(field, packet.raw) for field in ours], [expected(item) for item in seen]
        if left != right and dissection.version is Version.V5:
            end = min((note.start for note in dissection.notes if note.id in BROKEN_LIST), default=len(packet.raw))
            left, right = intact(left, end), intact(right, end)
        assert left == right, (packet.raw.hex(), context)
