"""Whether this machine's clock is right, as far as there is evidence: certificates, files of one's own, a server's word.

The core of it is plain: what is known is compared with the clock, and a doubt is one sentence, or empty.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import mqtttui
from mqtttui.client.events import CertificateInfo
from mqtttui.text import shorten, visible

_SLACK = timedelta(minutes=5)
"""Clocks that differ by less are taken for equal."""
_FILES_SLACK = timedelta(days=1)
"""Files that are newer by less than this prove nothing: other time zones, copies from other machines."""
_PATH = 200
_ZONES = timedelta(hours=26)
"""The time zones of the world lie within these."""


def says(now: datetime) -> str:
    """`this machine's clock says 2026-11-23 00:08 UTC`."""
    return f"this machine's clock says {stamp(now)}"


def stamp(time: datetime) -> str:
    """`2026-11-23 00:08 UTC`."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def span(time: timedelta) -> str:
    """`40 s`, `12 min`, `3 h 2 min`, `5 days`: how long, whatever the sign."""
    seconds = round(abs(time.total_seconds()))
    minutes, hours = seconds // 60, seconds // 3600
    if hours >= 48:
        return f"{round(hours / 24):,} days"
    if hours:
        return f"{hours} h {minutes % 60} min"
    return f"{minutes} min" if minutes else f"{seconds} s"


def behind(now: datetime, files: Sequence[str]) -> str:
    """Why the clock must be slow: one of these files, or the program itself, was written later than now; else empty."""
    for path in (*files, mqtttui.__file__):
        try:
            written = datetime.fromtimestamp(os.stat(path).st_mtime, UTC)
        except (OSError, ValueError, OverflowError):
            continue
        if written - now > _FILES_SLACK:
            return f"{says(now)}, but {shorten(visible(path), _PATH)} was written at {stamp(written)}."
    return ""


def not_yet(now: datetime, certificate: CertificateInfo) -> str:
    """What a certificate that begins later says about the clock; empty if nothing."""
    if certificate.not_before is None:
        return ""
    left = certificate.not_before - now
    if timedelta(0) < left < _ZONES:
        return f"Only {span(left)} are missing: is a clock or its time zone wrong, here or where it was made? ({says(now)})"
    return ""


def all_past(now: datetime, chain: Sequence[CertificateInfo]) -> str:
    """What a chain that has ended as a whole says about the clock; empty if nothing."""
    ended = [certificate for certificate in chain if certificate.not_after is not None and certificate.not_after < now]
    if len(chain) > 1 and len(ended) == len(chain):
        return f"All {len(chain)} certificates of the chain have ended: more likely this clock is fast ({says(now)})."
    return ""


def of_answer(now: datetime, date: str) -> str:
    """How far the clock is from the Date of a server's answer; empty if they agree, or if it is no date."""
    try:
        there = parsedate_to_datetime(date)
    except (TypeError, ValueError):
        return ""
    there = there if there.tzinfo is not None else there.replace(tzinfo=UTC)
    if abs(now - there) < _SLACK:
        return ""
    side = "behind" if now < there else "ahead of"
    return f"This machine's clock is {span(now - there)} {side} the server's: signed addresses and tokens fail then."
