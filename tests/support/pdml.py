"""What tshark sees in any capture: its MQTT packets one by one, each with the frame in which it ends, to hold ours against."""

from __future__ import annotations

import re
import subprocess
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mqtttui.capture.log import Log
from mqtttui.protocol.dissect import dissect
from mqtttui.protocol.enums import Version
from mqtttui.protocol.fields import Context
from tests.support.pcapng_oracle import BROKEN_LIST, EXPERT, NUMBERS, Row, Seen, actual, expected, intact, tshark


class Shown(NamedTuple):
    """A control packet as tshark shows it."""

    frame: int
    fields: list[Seen]


def shown_packets(path: Path, port: int | None, *options: str) -> list[Shown]:
    """Every MQTT packet of a capture; `port` is taken for MQTT. A file that ends early gives what is whole."""
    program = tshark()
    assert program is not None
    decode = ["-d", f"tcp.port=={port},mqtt"] if port else []
    done = subprocess.run([program, "-r", str(path), *decode, *options, "-T", "pdml"], capture_output=True, check=False, timeout=120)
    assert done.returncode in (0, 2), done.stderr
    found = []
    for packet in ElementTree.fromstring(done.stdout).findall("packet"):
        number = next(int(field.get("show", "0")) for field in packet.iter("field") if field.get("name") == "frame.number")
        for protocol in packet.findall("proto"):
            if protocol.get("name") == "mqtt":
                found.append(Shown(number, _fields(protocol)))
    return [shown for shown in found if shown.fields]


def _fields(protocol: ElementTree.Element) -> list[Seen]:
    base = int(protocol.get("pos", "0"))
    return [
        Seen(
            field.get("name", ""),
            int(field.get("pos", "0")) - base,
            int(field.get("size", "0")),
            field.get("value", ""),
            field.get("show", ""),
            field.get("hide") == "yes",
        )
        for field in protocol.iter("field")
        if field.get("name", "").startswith("mqtt.")
    ]


def assert_log_is_what_tshark_shows(log: Log, numbers: Sequence[int], frames: Sequence[int], shown: Sequence[Shown]) -> None:
    """Packets `numbers` of `log`, which end in `frames`, are those that tshark shows: same frame, names, order, spans, values."""
    assert list(frames) == [packet.frame for packet in shown]
    for no, packet in zip(numbers, shown, strict=True):
        row = log[no]
        dissection = dissect(row.raw, Context(row.version, row.direction, row.resolved_topic))
        ours = [field for field in dissection.walk() if field.filter]
        NUMBERS.names.update(field.filter for field in ours if isinstance(field.value, int))
        left, right = [actual(field, row.raw) for field in ours], [expected(item) for item in packet.fields]
        if left != right and dissection.version is Version.V5:
            end = min((note.start for note in dissection.notes if note.id in BROKEN_LIST), default=len(row.raw))
            left, right = intact(left, end), intact(right, end)
        assert left == right, (no, row.raw.hex())


def assert_json_is_what_tshark_shows(objects: Sequence[dict[str, Any]], shown: Sequence[Shown]) -> None:
    """Lines of `decode --format json` have the fields that tshark shows, with the same values in the same order."""
    assert [row["frame"] for row in objects] == [packet.frame for packet in shown]
    for row, packet in zip(objects, shown, strict=True):
        NUMBERS.names.update(name for name, values in row["fields"].items() if isinstance(values[0], int))
        wanted: dict[str, list[Row]] = {}
        for seen in packet.fields:
            wanted.setdefault(seen.name, []).append(expected(seen))
        assert list(row["fields"]) == list(wanted), row
        for name, values in row["fields"].items():
            for value, (_, _, _, text) in zip(values, wanted[name], strict=True):
                assert name in EXPERT or text in _forms(value), (name, value, text)


def _forms(value: Any) -> tuple[str, ...]:
    """How a value of a JSON line may stand in tshark's: a number, bytes as hex, text as the hex of its bytes."""
    if value is None:
        return ("",)
    if isinstance(value, int):
        return (str(int(value)),)
    # What is no UTF-8 stands as \xNN; Content Type is shown with the two bytes of its length.
    raw = re.sub(rb"\\x([0-9a-f]{2})", lambda match: bytes.fromhex(match[1].decode()), value.encode())
    return value, raw.hex(), (len(raw) & 0xFFFF).to_bytes(2, "big").hex() + raw.hex()
