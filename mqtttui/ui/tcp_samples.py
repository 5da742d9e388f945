"""How the TCP of connections stands, and stood lately, from what the sessions tell."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mqtttui.client.events import TcpMeasured

KEPT = 240
"""Samples of a connection: about two minutes."""
_CONNECTIONS = 32
"""Connections of which samples are kept: those that were measured last."""


class TcpSamples:
    """The latest samples of the latest connections."""

    def __init__(self) -> None:
        self._samples: dict[int, deque[TcpMeasured]] = {}

    def add(self, sample: TcpMeasured) -> None:
        """One more."""
        samples = self._samples.pop(sample.connection, None)
        if samples is None:
            samples = deque(maxlen=KEPT)
        samples.append(sample)
        self._samples[sample.connection] = samples
        while len(self._samples) > _CONNECTIONS:
            del self._samples[next(iter(self._samples))]

    def of(self, connection: int) -> Sequence[TcpMeasured]:
        """Those of a connection, the oldest first; empty if there are none."""
        return self._samples.get(connection, ())

    def latest(self, connection: int) -> TcpMeasured | None:
        """The latest one."""
        samples = self._samples.get(connection)
        return samples[-1] if samples else None
