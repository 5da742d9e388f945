"""Payloads: text or not."""

from __future__ import annotations

import codecs

from mqtttui.protocol.dissectors.tree import Draft, Tree

_CHUNK = 1 << 20


def check_text_payload(tree: Tree, draft: Draft, statement: str) -> None:
    """Note D26 if the bytes of `draft` are not the UTF-8 that Payload Format Indicator 1 promises."""
    position = first_bad_byte(tree.raw, draft.start, draft.end)
    if position is not None:
        at = f"byte {position - draft.start:,} (0x{tree.raw[position]:02x})"
        text = f"Payload Format Indicator promises UTF-8 text, but {at} of the payload is not UTF-8."
        tree.note("D26", draft, text, span=(position, position + 1), statement=statement)


def first_bad_byte(raw: bytes, start: int, end: int) -> int | None:
    """Offset of the first byte of `raw[start:end]` that is not UTF-8, or None. Needs no copy of the whole."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    for position in range(start, end, _CHUNK):
        stop = min(end, position + _CHUNK)
        held = len(decoder.getstate()[0])
        try:
            decoder.decode(raw[position:stop], final=stop == end)
        except UnicodeDecodeError as error:
            return position - held + error.start
    return None
