"""Everything of a packet that can be copied, and the text of each. Secrets are masked everywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mqtttui.capture.log import Log
from mqtttui.export.commands import MAX_INLINE, PAYLOAD_FILE, mosquitto_command, python_snippet, why_not
from mqtttui.export.hexdump import hexdump
from mqtttui.export.json_lines import log_object
from mqtttui.export.mask import masked
from mqtttui.export.packet_json import line
from mqtttui.export.text_tree import tree_text
from mqtttui.export.units import count_bytes
from mqtttui.protocol.enums import Direction, PacketType
from mqtttui.protocol.fields import Dissection, Field
from mqtttui.text import visible


@dataclass(frozen=True, slots=True)
class Copied:
    """What goes to the clipboard or into a file."""

    data: str | bytes
    """Bytes are for a file only."""
    remark: str = ""
    """What a person should know of it: `secrets masked`, `escaped`."""


@dataclass(frozen=True, slots=True)
class Copy:
    """One thing that can be copied. `make` may take a moment for a large packet."""

    id: str
    label: str
    detail: str
    make: Callable[[], Copied]


def copies(log: Log, no: int, dissection: Dissection, field: Field | None = None, *, filter_text: str = "") -> list[Copy]:
    """All there is to copy of packet `no` and of its selected `field`, which `filter_text` selects."""
    found = [*field_copies(dissection, field, filter_text), *packet_copies(dissection)]
    return [*found, *log_copies(log, no, dissection)] if no in log else found


def field_copies(dissection: Dissection, field: Field | None, filter_text: str = "") -> list[Copy]:
    """What there is of one field."""
    if field is None:
        return []
    found = [Copy("value", "field value", field.name, lambda: _value(field))]
    if field.end > field.start:
        size = count_bytes(field.end - field.start)
        found.append(Copy("bytes", "field bytes as hex", size, lambda: _field_bytes(dissection, field)))
    if filter_text:
        found.append(Copy("filter", "filter that selects it", filter_text, lambda: Copied(filter_text)))
    return found


def packet_copies(dissection: Dissection) -> list[Copy]:
    """What there is of the packet by itself."""
    raw = masked(dissection.raw, dissection)
    remark = "secrets masked" if raw is not dissection.raw else ""
    size = count_bytes(len(raw))
    found = [
        Copy("hex", "packet as hex", size, lambda: Copied(raw.hex(), remark)),
        Copy("dump", "packet as hex dump", size, lambda: Copied(hexdump(raw), remark)),
        Copy("tree", "packet as text tree", "fields, values, notes", lambda: Copied(tree_text(dissection, mask=True), remark)),
    ]
    payload = payload_of(dissection)
    if payload:
        size = count_bytes(len(payload))
        found += [
            Copy("payload", "payload as text", size, lambda: _payload(payload)),
            Copy("payload-hex", "payload as hex", size, lambda: Copied(payload.hex())),
            Copy("payload-file", "payload as it is, to a file", size, lambda: Copied(payload)),
        ]
    return found


def log_copies(log: Log, no: int, dissection: Dissection) -> Iterator[Copy]:
    """What there is of a packet that is kept, in its connection."""
    packet = log[no]
    info = log.connection(packet.connection)
    yield Copy("json", "packet as JSON", "as decode prints it", lambda: Copied(line(log_object(log, packet)), _mask_remark(dissection)))
    connect = connect_of(log, no)
    remark = f"{PAYLOAD_FILE} must hold the payload" if len(payload_of(dissection)) > MAX_INLINE else ""
    command = mosquitto_command(dissection, info, connect)
    if command is not None:
        yield Copy("command", "command that does the same", command.partition(" ")[0], lambda: Copied(command, remark))
    elif why := why_not(dissection, info):
        yield Copy("command", "command that does the same", f"none: {why}", lambda: Copied(f"# {why}", "there is no command"))
    snippet = python_snippet(dissection, info, connect)
    if snippet is not None:
        yield Copy("snippet", "Python that does the same", "paho-mqtt", lambda: Copied(snippet, remark))


def connect_of(log: Log, no: int) -> Dissection | None:
    """The CONNECT that held for packet `no`, if it is kept."""
    for each in reversed(log.needed(log[no].connection)):
        head = log.head(each)
        if each <= no and head.first_byte >> 4 == PacketType.CONNECT and head.direction is Direction.C2S:
            return log.dissect(each)
    return None


def payload_of(dissection: Dissection) -> bytes:
    """The payload of a PUBLISH; empty for all else."""
    field = dissection.first("mqtt.msg") if dissection.type is PacketType.PUBLISH else None
    return dissection.raw[field.start : field.end] if field is not None else b""


def pasteable(raw: bytes) -> tuple[str, bool]:
    """Bytes as text that can be pasted without surprises, and whether it had to be escaped for that."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return visible(raw), True
    if all(char.isprintable() or char in "\n\t" for char in text):
        return text, False
    return visible(raw, lines=True), True


def _value(field: Field) -> Copied:
    if field.secret:
        return Copied("*" * (field.end - field.start), "secret masked")
    value = field.value
    if isinstance(value, bytes):
        return Copied(value.hex(), "as hex")
    if isinstance(value, bool):
        return Copied(str(int(value)))
    if isinstance(value, str):
        text, escaped = pasteable(value.encode("utf-8", "surrogateescape"))
        return Copied(text, "escaped" if escaped else "")
    return Copied(field.display if value is None else str(value))


def _field_bytes(dissection: Dissection, field: Field) -> Copied:
    part = masked(dissection.raw, dissection)[field.start : field.end]
    hidden = part != dissection.raw[field.start : field.end]
    return Copied(part.hex(), "secrets masked" if hidden else "")


def _payload(payload: bytes) -> Copied:
    text, escaped = pasteable(payload)
    return Copied(text, "escaped: not plain text" if escaped else "")


def _mask_remark(dissection: Dissection) -> str:
    return "secrets masked" if masked(dissection.raw, dissection) is not dissection.raw else ""
