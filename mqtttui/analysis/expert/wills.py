"""The wills of clients that left in an orderly way: for a while it is watched that nobody gets them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

MAX_WATCHED = 1_000


class Watched(NamedTuple):
    """A will that must not be published any more."""

    payload: bytes
    no: int
    """The DISCONNECT."""
    until: int
    """Monotonic ns."""


class Wills:
    """By topic."""

    def __init__(self, unsettle: Callable[[bytes], None]) -> None:
        """`unsettle(topic)` has to see to it that messages to `topic` are looked at again."""
        self._watched: dict[bytes, Watched] = {}
        self._unsettle = unsettle

    def watch(self, topic: bytes, payload: bytes, no: int, until: int) -> None:
        """A client with this will sent DISCONNECT `no`."""
        self._watched.pop(topic, None)
        self._watched[topic] = Watched(payload, no, until)
        if len(self._watched) > MAX_WATCHED:
            del self._watched[next(iter(self._watched))]
        self._unsettle(topic)

    def of(self, topic: bytes, now: int) -> Watched | None:
        """The will that is watched on `topic`."""
        watched = self._watched.get(topic)
        if watched is not None and watched.until < now:
            del self._watched[topic]
            return None
        return watched

    def __len__(self) -> int:
        return len(self._watched)
