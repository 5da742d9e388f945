"""Many times in little room: counts in buckets whose width grows with the value.

Rules:
1. Least, greatest and number are exact. A quantile is the middle of its bucket, so it is wrong by at most `ERROR` of itself.
2. The size is fixed, whatever is added. Values above `LARGEST` count as that, in quantiles only.
"""

from __future__ import annotations

import math
from array import array

from mqtttui.analysis.check_statistics import Summary

_BITS = 5
_STEPS = 1 << _BITS
"""Buckets from one power of two to the next."""
ERROR = 1 / (2 * _STEPS)
"""By so much of itself a quantile may be wrong: 1.6 %."""
LARGEST = (1 << 44) - 1
"""About five hours, in ns."""
_BUCKETS = (44 - _BITS) * _STEPS + _STEPS
SIZE = _BUCKETS * 8 + 200
"""Bytes of a histogram."""


class Histogram:
    """Values of 0 and more."""

    __slots__ = ("_counts", "count", "maximum", "minimum")

    def __init__(self) -> None:
        self._counts = array("Q", bytes(_BUCKETS * 8))
        self.count = 0
        self.minimum = 0
        self.maximum = 0

    def add(self, value: int) -> None:
        """One value more; one below 0 counts as 0."""
        value = max(value, 0)
        if not self.count or value < self.minimum:
            self.minimum = value
        if value > self.maximum:
            self.maximum = value
        self.count += 1
        self._counts[_bucket(value)] += 1

    def quantile(self, share: float) -> int:
        """The smallest value that at least `share` of all do not exceed (nearest rank), as exact as `ERROR` says. 0 without any."""
        rank = max(1, math.ceil(share * self.count))
        if rank == self.count:
            return self.maximum
        seen = 0
        for bucket, count in enumerate(self._counts):
            seen += count
            if seen >= rank:
                return min(self.maximum, max(self.minimum, _middle(bucket)))
        return 0

    def summary(self) -> Summary | None:
        """What there is to say; None without any value."""
        if not self.count:
            return None
        return Summary(self.count, self.minimum, self.quantile(0.5), self.quantile(0.95), self.maximum)


def _bucket(value: int) -> int:
    """Values below 64 have a bucket of their own."""
    value = min(value, LARGEST)
    above = value.bit_length() - _BITS - 1
    return value if above <= 0 else (above << _BITS) + (value >> above)


def _middle(bucket: int) -> int:
    if bucket < 2 * _STEPS:
        return bucket
    above = (bucket >> _BITS) - 1
    low = (bucket - (above << _BITS)) << above
    return low + (1 << above >> 1)
