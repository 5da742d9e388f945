r"""Packets of the log as a table for spreadsheets and scripts: CSV by RFC 4180, UTF-8, comma, one head row.

Rules:
1. Text from the wire is visible text: what is not printable or not UTF-8 stands as `\xNN`, a backslash as `\\`.
2. No cell can be taken for a formula. Where one begins with `=`, `+`, `-`, `@` (also behind a `;`, at which some spreadsheets
   split), that sign stands as `\x3d`, `\x2b`, `\x2d`, `\x40`: by rule 1 it means the same, so nothing is lost or ambiguous.
3. Several filters or codes of one packet stand in one cell, joined by `, `. Cells that do not apply are empty; flags are 1 or 0.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence

from mqtttui.capture.dissecting import dissect_packet
from mqtttui.capture.log import Log
from mqtttui.capture.records import Packet
from mqtttui.export.blocks import Writable
from mqtttui.export.info import info
from mqtttui.export.json_lines import ends
from mqtttui.export.mask import masked_dissection
from mqtttui.export.reading import Reading
from mqtttui.export.stamps import iso_utc
from mqtttui.protocol.enums import PacketType

COLUMNS = (
    "number", "time", "source", "destination", "connection", "direction", "type", "version", "length", "topic", "qos", "retain", "dup",
    "packet_id", "reason", "payload_length", "info",
)  # fmt: skip

_FORMULA = re.compile(r"(^|;)([ ]*)([=+\-@＝＋－＠])")
_ANSWERS = (PacketType.SUBACK, PacketType.UNSUBACK)


def write_log(log: Log, numbers: Iterable[int], out: Writable, *, mask: bool = True) -> int:
    """Writes the packets `numbers`, those that are still kept, and gives how many they were. With `mask`, secrets are `*`."""
    return sum(1 for _ in write_steps(log, numbers, out, mask=mask))


def write_steps(log: Log, numbers: Iterable[int], out: Writable, *, mask: bool = True) -> Iterator[None]:
    """`write_log`, one packet that is written a step."""
    out.write(_row(COLUMNS))
    for no in numbers:
        if no in log:
            out.write(_row([harmless(cell) for cell in _cells(log, log[no], mask)]))
            yield


def _row(cells: Sequence[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue().encode()


def _cells(log: Log, packet: Packet, mask: bool) -> tuple[str, ...]:
    dissection = dissect_packet(packet)
    reading = Reading(masked_dissection(dissection) if mask else dissection)
    kind = dissection.type
    payload = reading.raw("mqtt.msg") if kind is PacketType.PUBLISH else None
    levels = reading.numbers("mqtt.sub.qos") or reading.numbers("mqtt.subscription_options_qos")
    publish = kind is PacketType.PUBLISH
    return (
        str(packet.number),
        iso_utc(packet.wall),
        *ends(log, packet),
        str(packet.connection),
        packet.direction.label,
        "" if kind is None else kind.name,
        dissection.version.label,
        str(len(packet.raw)),
        ", ".join(reading.texts("mqtt.topic")),
        _flag(reading, "mqtt.qos") if publish else ", ".join(str(level & 3) for level in levels),
        _flag(reading, "mqtt.retain") if publish else "",
        _flag(reading, "mqtt.dupflag") if publish else "",
        _flag(reading, "mqtt.msgid"),
        _reason(reading, kind),
        "" if payload is None else str(len(payload)),
        info(reading.dissection),
    )


def _flag(reading: Reading, name: str) -> str:
    number = reading.number(name)
    return "" if number is None else str(number)


def _reason(reading: Reading, kind: PacketType | None) -> str:
    if kind is None:
        return ""
    codes = reading.reasons(kind) if kind in _ANSWERS else [reading.reason(kind)]
    return ", ".join(reading.label(code, kind) for code in codes if code is not None)


def harmless(cell: str) -> str:
    """Visible text that no spreadsheet takes for a formula; see rule 2."""
    return _FORMULA.sub(lambda match: match[1] + match[2] + "".join(f"\\x{byte:02x}" for byte in match[3].encode()), cell)
