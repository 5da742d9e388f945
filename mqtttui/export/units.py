"""Times and sizes in words, short enough for a table."""

from __future__ import annotations


def duration(nanoseconds: int) -> str:
    """`0.42 ms`, `17 ms`, `1.3 s`, `2 min 5 s`, `3 h 12 min`."""
    milliseconds = nanoseconds / 1e6
    if milliseconds < 0.995:
        return f"{milliseconds:.2f} ms"
    if milliseconds < 9.95:
        return f"{milliseconds:.1f} ms"
    if milliseconds < 999.5:
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / 1e3
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, rest = divmod(round(seconds / 60), 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def size(count: int) -> str:
    """`0 B`, `812 B`, `1.2 kB`, `98 kB`, `3.4 MB`: decimal units, at most three digits."""
    if count < 1000:
        return f"{count} B"
    value = float(count)
    for unit in ("kB", "MB", "GB"):
        value /= 1000
        if value < 9.95:
            return f"{value:.1f} {unit}"
        if value < 999.5:
            return f"{value:.0f} {unit}"
    return f"{value / 1000:.1f} TB"


def count_bytes(count: int) -> str:
    """`1 byte`, `1,204 bytes`."""
    return f"{count:,} {'byte' if count == 1 else 'bytes'}"
