"""What a profile lets through: everything, sending only after a question, or no sending at all."""

from __future__ import annotations

from enum import Enum


class Guard(Enum):
    """The guard of a profile, as its file names it. What each one means for a command stands in `ui/guard.py`."""

    NONE = "none"
    ASK = "ask"
    """Publishing, clearing retained messages, bytes made by hand, `#` and `$share` are asked about."""
    READ_ONLY = "read-only"
    """Nothing is sent beyond connecting, subscribing, pings and the end of the connection."""
