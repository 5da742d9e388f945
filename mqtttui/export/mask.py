"""Secrets out of what is shown and written: equal-length filler over their bytes, so that every length and offset stays."""

from __future__ import annotations

from dataclasses import replace

from mqtttui.protocol.dissect import dissect
from mqtttui.protocol.enums import PacketType
from mqtttui.protocol.fields import Dissection, Field

FILLER = b"*"


def masked(raw: bytes, dissection: Dissection) -> bytes:
    """`raw` with filler over the spans of the secret fields of its `dissection`; the same object if it has none."""
    spans = [(field.start, field.end) for field in dissection.walk() if field.end > field.start and _hidden(field, raw)]
    if not spans:
        return raw
    out = bytearray(raw)
    for start, end in spans:
        out[start:end] = FILLER * (end - start)
    return bytes(out)


def masked_dissection(dissection: Dissection) -> Dissection:
    """The dissection of the masked packet; notes stay those of the true bytes unless they stand on a secret."""
    raw = masked(dissection.raw, dissection)
    if raw is dissection.raw:
        return dissection
    again = dissect(raw, dissection.context)
    if dissection.type is not None:
        return again
    return replace(again, type=None, malformed=True, notes=dissection.notes)


def _hidden(field: Field, raw: bytes) -> bool:
    """Secret, or bytes that could not be read of a packet that may carry a secret."""
    unread = not field.filter and not field.children and not field.mask and field.name.startswith("Undecoded")
    return field.secret or (unread and raw[0] >> 4 in (PacketType.CONNECT, PacketType.CONNACK, PacketType.AUTH))
