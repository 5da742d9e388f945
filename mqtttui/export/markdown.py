"""A finding or an operation as Markdown, for an issue or a message: what, when, the bytes, and how to see it again.

Secrets are masked. Text from the wire is visible text, and none of it is taken for Markdown: it stands in code, or escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from mqtttui.analysis.expert.finding import Finding
from mqtttui.analysis.operation import Operation, OpState
from mqtttui.capture.dissecting import dissect_packet
from mqtttui.capture.log import Log
from mqtttui.export.hexdump import hexdump
from mqtttui.export.mask import masked, on_secret
from mqtttui.export.reading import Reading
from mqtttui.export.stamps import iso_utc
from mqtttui.export.units import count_bytes, duration
from mqtttui.text import shorten, visible

MAX_DUMPED = 1_024
"""Bytes of a packet that the hex dump shows."""
MAX_COMMAND = 8_192
"""Bytes of packets up to which the command is given."""
_MAX_PACKETS = 12
_TOPIC_CELLS = 200
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|~#&@$])")
_TICKS = re.compile(r"`+")


def finding_markdown(finding: Finding, log: Log) -> str:
    """`finding` on a packet of `log`: sentence, statement, what to check, packets with their times, bytes, command."""
    statement = f" [{finding.statement}]" if finding.statement else ""
    hidden = finding.no in log and on_secret(log.dissect(finding.no), finding.start, finding.end)
    text = "(about a secret; the sentence may name a byte of it)" if hidden else plain(finding.text)
    parts = [f"**{finding.severity.label} {finding.id}**{plain(statement)}: {text}"]
    if finding.hint:
        parts.append(f"What to check: {plain(finding.hint)}")
    numbers = sorted({finding.no, *finding.related})
    lines = [_packet_line(log, no) for no in numbers[:_MAX_PACKETS]] + _more(numbers)
    if finding.end > finding.start:
        lines.append(f"- it is about bytes {finding.start} to {finding.end - 1} of packet {finding.no}")
    parts.append("\n".join(lines))
    return "\n\n".join([*parts, *_shown(log, numbers[:_MAX_PACKETS], [finding.no])]) + "\n"


def operation_markdown(operation: Operation, log: Log) -> str:
    """`operation` of `log`: what was asked, what came of it, each step with its time, bytes, command."""
    kind = operation.kind.value.upper()
    topic = f" {code(shorten(visible(operation.topic), _TOPIC_CELLS))}" if operation.topic else ""
    total = f", {duration(operation.total_ns)}" if operation.total_ns is not None else ""
    age = f" for {duration(operation.age_ns)}" if operation.state is OpState.OPEN and operation.age_ns is not None else ""
    parts = [f"**{kind}**{topic}: {operation.state.value}{age}{_reason(operation, log)}{total}"]
    numbers = [leg.no for leg in operation.legs]
    lines = []
    for leg in operation.legs[:_MAX_PACKETS]:
        after = f", after {duration(leg.ns)}" if leg.ns else ""
        lines.append(f"{_packet_line(log, leg.no)} ({plain(leg.label)}{after})")
    parts.append("\n".join(lines + _more(numbers)))
    return "\n\n".join([*parts, *_shown(log, numbers[:_MAX_PACKETS], numbers[:_MAX_PACKETS])]) + "\n"


def decode_command(log: Log, numbers: Iterable[int]) -> str:
    """The command that shows packets of one connection again, secrets masked; empty if none is kept or they are too large."""
    packets = [log[no] for no in numbers if no in log]
    if not packets or sum(len(packet.raw) for packet in packets) > MAX_COMMAND:
        return ""
    raws = [masked(packet.raw, dissect_packet(packet)).hex() for packet in packets]
    version = packets[0].version.label
    if len(packets) == 1:
        return f"mqtttui decode --direction '{packets[0].direction.label}' --protocol-version {version} --hex {raws[0]}"
    lines = [f"connection {version}", *(f"{packet.direction.label} {raw}" for packet, raw in zip(packets, raws, strict=True))]
    quoted = "' '".join(lines)
    return f"printf '%s\\n' '{quoted}' | mqtttui decode -"


def _packet_line(log: Log, no: int) -> str:
    if no not in log:
        return f"- packet {no}: evicted"
    packet = log[no]
    kind = dissect_packet(packet).type
    what = f"{kind.name if kind is not None else 'not a packet'} {code(packet.direction.label)}"
    place = f"MQTT {packet.version.label}, connection {packet.connection}"
    return f"- packet {no}: {what}, {count_bytes(len(packet.raw))}, {place}, {iso_utc(packet.wall)}"


def _more(numbers: Sequence[int]) -> list[str]:
    left = len(numbers) - _MAX_PACKETS
    return [f"- and {left:,} more"] if left > 0 else []


def _shown(log: Log, numbers: Sequence[int], dumped: Sequence[int]) -> Iterable[str]:
    """Hex dumps of the packets `dumped`, and the command that shows all of `numbers`."""
    for no in dumped:
        if no in log:
            raw = masked(log[no].raw, log.dissect(no))
            left = len(raw) - MAX_DUMPED
            more = f"\n… {left:,} bytes more" if left > 0 else ""
            head = f"packet {no}\n" if len(dumped) > 1 else ""
            yield _fenced(f"{head}{hexdump(raw[:MAX_DUMPED])}{more}", "text")
    if command := decode_command(log, numbers):
        yield _fenced(command, "sh")


def _reason(operation: Operation, log: Log) -> str:
    """The reason code in words, if there is one that says more than success."""
    if not operation.reason:
        return ""
    for leg in reversed(operation.legs):
        if leg.no in log:
            dissection = log.dissect(leg.no)
            if dissection.type is not None:
                reading = Reading(dissection)
                if operation.reason in (reading.reason(dissection.type), *reading.reasons(dissection.type)):
                    return f", {plain(reading.label(operation.reason, dissection.type))}"
    return f", 0x{operation.reason:02x}"


def plain(shown: str) -> str:
    """Visible text in a paragraph."""
    return _SPECIAL.sub(r"\\\1", shown)


def code(shown: str) -> str:
    """Visible text as a code span."""
    ticks = _fence(shown, 1)
    space = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{ticks}{space}{shown}{space}{ticks}"


def _fenced(text: str, language: str) -> str:
    fence = _fence(text, 3)
    return f"{fence}{language}\n{text}\n{fence}"


def _fence(text: str, least: int) -> str:
    longest = max((len(run) for run in _TICKS.findall(text)), default=0)
    return "`" * max(least, longest + 1)
