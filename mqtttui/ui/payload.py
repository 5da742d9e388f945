"""A payload as lines of text: as text, as JSON or as hex of the payload alone. Large ones are cut, and say so."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum

from rich.cells import cell_len

from mqtttui import text

LIMIT = 1024 * 1024
"""Bytes of a payload that are shown as text or JSON; hex shows all."""


class PayloadView(Enum):
    """How the pane beside the details shows the packet; `v` goes through them in this order."""

    PACKET = "packet bytes"
    TEXT = "payload as text"
    JSON = "payload as JSON"
    HEX = "payload as hex"

    @property
    def next(self) -> PayloadView:
        """The one after it."""
        order = list(PayloadView)
        return order[(order.index(self) + 1) % len(order)]


@dataclass(frozen=True, slots=True)
class PayloadText:
    """What to show."""

    lines: tuple[str, ...]
    """Visible text, one entry a line, not wrapped."""
    remark: str = ""
    """Why it is not what was asked for, or that it was cut; empty if neither."""


def as_text(payload: bytes) -> PayloadText:
    """The payload as UTF-8 text, line feeds kept."""
    if not payload:
        return PayloadText((), "empty payload")
    shown = text.visible(payload[:LIMIT], lines=True)
    return PayloadText(tuple(shown.split("\n")), _cut(payload))


def as_json(payload: bytes) -> PayloadText:
    """The payload as JSON, indented; text with the reason where it is none. Numbers stay as they were written."""
    if not payload:
        return PayloadText((), "empty payload")
    if len(payload) > LIMIT:
        shown = as_text(payload)
        return PayloadText(shown.lines, f"too large to format as JSON; {shown.remark}")
    try:
        value = json.loads(payload, parse_float=_Number, parse_int=_Number, parse_constant=_refuse)
        pretty = _pretty(value, 0)
    except (ValueError, RecursionError) as error:
        return PayloadText(as_text(payload).lines, f"not JSON: {text.visible(_reason(error))}")
    return PayloadText(tuple(text.visible(line) if "\\" not in line else _json_line(line) for line in pretty.split("\n")))


def wrapped(lines: tuple[str, ...], width: int) -> list[str]:
    """Lines cut to `width` cells, continued on the next."""
    out: list[str] = []
    for line in lines:
        if cell_len(line) <= width:
            out.append(line)
            continue
        if line.isascii():
            out.extend(line[at : at + width] for at in range(0, len(line), width))
            continue
        row: list[str] = []
        used = 0
        for char in line:
            cells = cell_len(char)
            if used + cells > width:
                out.append("".join(row))
                row, used = [], 0
            row.append(char)
            used += cells
        out.append("".join(row))
    return out


class _Number(str):
    """A number as it stands in the text: 1.10 stays 1.10, and nothing is rounded."""

    __slots__ = ()


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _reason(error: Exception) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)


def _pretty(value: object, depth: int) -> str:
    inner, outer = "  " * (depth + 1), "  " * depth
    match value:
        case _Number():
            return str(value)
        case dict() if value:
            items = (f"{inner}{_string(key)}: {_pretty(item, depth + 1)}" for key, item in value.items())
            return "{\n" + ",\n".join(items) + f"\n{outer}}}"
        case list() if value:
            if all(isinstance(item, _Number) for item in value) and len(value) <= 16:
                return "[" + ", ".join(value) + "]"
            return "[\n" + ",\n".join(f"{inner}{_pretty(item, depth + 1)}" for item in value) + f"\n{outer}]"
        case str():
            return _string(value)
        case _:
            return json.dumps(value)


def _string(value: str) -> str:
    return json.dumps(value, ensure_ascii=not value.isprintable())


def _json_line(line: str) -> str:
    # JSON's own escapes are visible already; only what is not printable passes the door again.
    return line if line.isprintable() else text.visible(line)


def _cut(payload: bytes) -> str:
    return f"first {LIMIT:,} of {len(payload):,} bytes; hex shows all" if len(payload) > LIMIT else ""
