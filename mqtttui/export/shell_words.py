"""Bytes as words of a shell command that give exactly these bytes again. Without NUL: no program can be given one."""

from __future__ import annotations

import re
import shlex

_PLAIN = re.compile(rb"[A-Za-z0-9_@%+=:,./-]+")


def shell_word(raw: bytes) -> str | None:
    """`raw` as one word for bash, zsh, ksh and (if it is printable) every other POSIX shell; None if it has a NUL."""
    if b"\0" in raw:
        return None
    if _PLAIN.fullmatch(raw):
        return raw.decode()
    text = raw.decode("utf-8", "surrogateescape")
    return shlex.quote(text) if text.isprintable() else "$'" + "".join(map(_escaped, text)) + "'"


def printf_word(raw: bytes) -> str:
    """`raw` as the format of `printf`, for any bytes and every POSIX shell."""
    out = "".join(chr(byte) if 0x20 <= byte < 0x7F and byte not in b"'\\%" else f"\\{byte:03o}" for byte in raw)
    return f"'\\055{out[1:]}'" if out.startswith("-") else f"'{out}'"


def _escaped(char: str) -> str:
    if char in "'\\":
        return f"\\{char}"
    # Three octal digits mean the same everywhere; how many digits \x takes differs from shell to shell.
    return char if char.isprintable() else "".join(f"\\{byte:03o}" for byte in char.encode("utf-8", "surrogateescape"))
