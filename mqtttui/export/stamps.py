"""Points in time for files: UTC, to the nanosecond."""

from __future__ import annotations

from datetime import UTC, datetime

_LATEST = 253_402_300_799
"""Second: the end of the year 9999, beyond which there is no such notation."""


def iso_utc(wall: int) -> str:
    """`2023-11-14T22:13:20.001002003Z` for nanoseconds since 1970 (RFC 3339)."""
    seconds, rest = divmod(max(0, wall), 1_000_000_000)
    return f"{datetime.fromtimestamp(min(seconds, _LATEST), UTC):%Y-%m-%dT%H:%M:%S}.{rest:09}Z"
