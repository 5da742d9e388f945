"""How much memory a log may take unless it is told."""

from __future__ import annotations

import os

DEFAULT_LIMIT = 512 * 1024 * 1024


def default_limit() -> int:
    """The smaller of 512 MiB and a quarter of the memory that is free now, in bytes."""
    try:
        with open("/proc/meminfo", "rb") as lines:
            for line in lines:
                if line.startswith(b"MemAvailable:"):
                    return min(DEFAULT_LIMIT, int(line.split()[1]) * 1024 // 4)
    except (OSError, ValueError, IndexError):
        pass
    try:
        return min(DEFAULT_LIMIT, os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 4)
    except (AttributeError, OSError, ValueError):
        return DEFAULT_LIMIT
