"""A payload as one types it: text, JSON, hex, base64 or a file, and the bytes that it makes."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import os
import re
import stat
from enum import Enum

from mqtttui import text
from mqtttui.protocol.packets import MAX_REMAINING_LENGTH
from mqtttui.ui.forms.rows import FormError

FIELD = "payload"
EDITABLE = 64 * 1024
"""Bytes above which a payload is held and not edited."""

_SLICE = 1024 * 1024
"""Bytes of a file that are read at a time, so that the screen stays alive."""

_NOT_HEX = re.compile(r"[^0-9a-fA-F\s:,]")
_MOST_ESCAPES = 0.1
_INDENT = 2


class PayloadKind(Enum):
    """How the payload is written; the values are the words of the form."""

    TEXT = "text"
    JSON = "JSON"
    HEX = "hex"
    BASE64 = "base64"
    FILE = "file"


KINDS = tuple(kind.value for kind in PayloadKind)


def to_bytes(kind: PayloadKind, typed: str) -> bytes:
    """The bytes of what was typed (not for a file). Raises FormError with line and column."""
    match kind:
        case PayloadKind.TEXT:
            return _text(typed)
        case PayloadKind.JSON:
            return typed.encode("utf-8", "surrogateescape")
        case PayloadKind.HEX:
            return _hex(typed)
        case PayloadKind.BASE64:
            return _base64(typed)
        case PayloadKind.FILE:
            raise ValueError("a file is read, not typed")


def to_text(kind: PayloadKind, raw: bytes) -> str:
    """How one would type these bytes (for JSON: as far as they are text)."""
    match kind:
        case PayloadKind.JSON:
            return json_visible(raw.decode("utf-8", "replace"))
        case PayloadKind.HEX:
            rows = [raw[at : at + 16].hex(" ") for at in range(0, len(raw), 16)]
            return "\n".join(rows)
        case PayloadKind.BASE64:
            plain = base64.b64encode(raw).decode()
            return "\n".join(plain[at : at + 76] for at in range(0, len(plain), 76))
        case PayloadKind.TEXT | PayloadKind.FILE:
            return text.visible(raw, lines=True)


def fitting_kind(raw: bytes) -> PayloadKind:
    """JSON for objects and lists, hex for what is hardly text, else text."""
    if raw.strip()[:1] in (b"{", b"[") and json_problem(raw.decode("utf-8", "replace")) is None:
        return PayloadKind.JSON
    shown = text.visible(raw[:EDITABLE], lines=True)
    return PayloadKind.HEX if shown.count("\\x") > max(2, len(raw[:EDITABLE]) * _MOST_ESCAPES) else PayloadKind.TEXT


def json_problem(typed: str) -> str | None:
    """Why a text is not JSON, with line and column; None if it is."""
    try:
        json.loads(typed, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        return f"line {error.lineno}, column {error.colno}: {_lower(error.msg)}"
    except RecursionError:
        return "nested too deeply to check"
    except ValueError as error:
        return str(error)
    return None


def format_json(typed: str) -> str:
    """The same JSON with one value a line; numbers and the order of names stay as they are. Raises FormError."""
    problem = json_problem(typed)
    if problem is not None:
        raise FormError(FIELD, problem)
    out: list[str] = []
    depth = 0
    tokens = re.findall(r'"(?:[^"\\]|\\.)*"|[\[\]{}:,]|[^\s\[\]{}:,"]+', typed)
    for index, token in enumerate(tokens):
        following = tokens[index + 1] if index + 1 < len(tokens) else ""
        if token in "{[":
            depth += 1
            empty = following in ("}", "]")
            out.append(token if empty else token + _line(depth))
        elif token in "}]":
            depth -= 1
            before = tokens[index - 1] if index else ""
            out.append(token if before in ("{", "[") else _line(depth) + token)
        elif token == ",":
            out.append("," + _line(depth))
        elif token == ":":
            out.append(": ")
        else:
            out.append(token)
    return "".join(out)


async def read_file(path: str) -> bytes:
    """A regular file's bytes, read in slices. Raises OSError, and FormError for what MQTT cannot carry."""
    out = bytearray()
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise FormError("file", f"{text.visible(path)} is no plain file")
        if status.st_size > MAX_REMAINING_LENGTH:
            raise FormError("file", f"{status.st_size:,} bytes; MQTT carries at most {MAX_REMAINING_LENGTH:,}")
        while part := os.read(descriptor, _SLICE):
            out += part
            await asyncio.sleep(0)
    finally:
        os.close(descriptor)
    return bytes(out)


def json_visible(raw: str) -> str:
    r"""JSON text with everything that a terminal must not see written as `\uXXXX` (the same value inside JSON strings)."""
    out: list[str] = []
    for char in raw:
        if char.isprintable() or char == "\n":
            out.append(char)
        elif char == "\t":
            out.append("  ")
        elif char != "\r":
            units = char.encode("utf-16-be", "surrogatepass")
            out.extend(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
    return "".join(out)


def _line(depth: int) -> str:
    return "\n" + " " * (_INDENT * depth)


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]


def _text(typed: str) -> bytes:
    try:
        return text.parse(typed)
    except text.EscapeError as error:
        raise FormError(FIELD, f"{_place(typed, error.position)}: {error}") from None


def _hex(typed: str) -> bytes:
    wrong = _NOT_HEX.search(typed)
    if wrong is not None:
        raise FormError(FIELD, f"{_place(typed, wrong.start())}: {text.visible(wrong.group())} is no hex digit")
    digits = re.sub(r"[\s:,]", "", typed)
    if len(digits) % 2:
        raise FormError(FIELD, f"{len(digits):,} digits: one is missing, a byte has two")
    return bytes.fromhex(digits)


def _base64(typed: str) -> bytes:
    plain = re.sub(r"\s", "", typed)
    wrong = re.search(r"[^A-Za-z0-9+/=]", plain)
    if wrong is not None:
        hint = ": that is the URL alphabet" if wrong.group() in "-_" else ""
        raise FormError(FIELD, f"{text.visible(wrong.group())} is not base64{hint}")
    try:
        return base64.b64decode(plain, validate=True)
    except binascii.Error as error:
        raise FormError(FIELD, f"base64: {_lower(str(error))}") from None


def _place(typed: str, position: int) -> str:
    line = typed.count("\n", 0, position) + 1
    column = position - (typed.rfind("\n", 0, position) + 1) + 1
    return f"line {line}, column {column}"
