"""Secrets out of what is shown and written: equal-length filler over their bytes, so that every length and offset stays."""

from __future__ import annotations

from dataclasses import replace

from mqtttui.protocol.dissectors import show
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
    """The same tree over the masked bytes. Notes stay, but for those on a secret, which may name a byte of it."""
    raw = masked(dissection.raw, dissection)
    if raw is dissection.raw:
        return dissection
    fields = tuple(_masked_field(field, dissection.raw) for field in dissection.fields)
    gone = {note for field in dissection.walk() if _named_secret(field) for note in field.notes}
    return replace(dissection, raw=raw, fields=fields, notes=tuple(note for note in dissection.notes if note not in gone))


def on_secret(dissection: Dissection, start: int, end: int) -> bool:
    """Whether the bytes `start` to `end` are those of a secret, so that words about them may name a byte of it."""
    return any(field.start <= start < end <= field.end for field in dissection.walk() if _named_secret(field))


def _masked_field(field: Field, raw: bytes) -> Field:
    if field.children:
        return replace(field, children=tuple(_masked_field(child, raw) for child in field.children))
    if field.end <= field.start or not _hidden(field, raw):
        return field
    filler = FILLER * (field.end - field.start)
    value = filler if isinstance(field.value, bytes) else filler.decode()
    return replace(field, value=value, display=show.string(filler), notes=() if _named_secret(field) else field.notes)


def _named_secret(field: Field) -> bool:
    return field.secret and bool(field.filter)


def _hidden(field: Field, raw: bytes) -> bool:
    """Secret, or bytes that could not be read of a packet that may carry a secret."""
    unread = not field.children and not field.mask and field.name.startswith("Undecoded")
    return field.secret or (unread and raw[0] >> 4 in (PacketType.CONNECT, PacketType.CONNACK, PacketType.AUTH))
