"""What of a packet can be copied, and the text of each. Secrets are masked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mqtttui.export.hexdump import hexdump
from mqtttui.export.mask import masked
from mqtttui.export.text_tree import tree_text
from mqtttui.protocol.enums import PacketType
from mqtttui.protocol.fields import Dissection, Field
from mqtttui.ui.clipboard import pasteable
from mqtttui.ui.content import count_bytes


@dataclass(frozen=True, slots=True)
class Copyable:
    """One thing that can be copied."""

    key: str
    label: str
    detail: str
    text: Callable[[], tuple[str, str]]
    """Gives the text, and a remark (`masked`, `escaped`) or nothing."""


def copyables(dissection: Dissection, field: Field | None) -> list[Copyable]:
    """What there is to copy of a packet, and of the selected field."""
    raw = masked(dissection.raw, dissection)
    remark = "secrets masked" if raw is not dissection.raw else ""
    size = count_bytes(len(raw))
    out: list[Copyable] = []
    if field is not None:
        out.append(Copyable("f", "field value", field.name, lambda: _field_value(field)))
        if field.end > field.start:
            part = raw[field.start : field.end]
            out.append(Copyable("b", "field bytes as hex", count_bytes(len(part)), lambda: (part.hex(), remark)))
    out += [
        Copyable("h", "packet as hex", size, lambda: (raw.hex(), remark)),
        Copyable("d", "packet as hex dump", size, lambda: (hexdump(raw), remark)),
        Copyable("t", "packet as text tree", "fields, values, notes", lambda: (tree_text(dissection, mask=True), remark)),
    ]
    payload = dissection.first("mqtt.msg") if dissection.type is PacketType.PUBLISH else None
    if payload is not None and payload.end > payload.start:
        body = dissection.raw[payload.start : payload.end]
        out.append(Copyable("p", "payload as text", count_bytes(len(body)), lambda: _payload_text(body)))
        out.append(Copyable("x", "payload as hex", count_bytes(len(body)), lambda: (body.hex(), "")))
    return out


def _field_value(field: Field) -> tuple[str, str]:
    if field.secret:
        return "*" * (field.end - field.start), "secret masked"
    value = field.value
    if isinstance(value, bytes):
        return value.hex(), "as hex"
    if isinstance(value, bool):
        return str(int(value)), ""
    if isinstance(value, str):
        text, escaped = pasteable(value.encode("utf-8", "surrogateescape"))
        return text, "escaped" if escaped else ""
    return field.display if value is None else str(value), ""


def _payload_text(body: bytes) -> tuple[str, str]:
    text, escaped = pasteable(body)
    return text, "escaped: not plain text" if escaped else ""
