"""Attempts to connect, present and past: when, where to, how long each phase took, and what came of it.

1. An attempt begins when a peer begins to connect. Whatever the peer's state says until its connection has ended belongs to it:
   a connection that is lost after an hour is the end of the attempt that made it.
2. Of each peer the latest `KEPT` attempts stay, of at most `PEERS` peers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from mqtttui.client.events import ConnectionState, Failure, Phase, Step, StepStatus
from mqtttui.config.options import ConnectOptions

KEPT = 100
PEERS = 50


class Result(Enum):
    """What came of an attempt."""

    RUNNING = "connecting"
    CONNECTED = "connected"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"
    """It was connected, and the connection ended unasked."""
    ENDED = "ended"
    """It was connected, and the person ended the connection."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt of a peer."""

    number: int
    """From 1, over all peers, in the order in which they began."""
    peer: str
    wall: int
    """When it began, ns since the epoch."""
    options: ConnectOptions | None
    steps: tuple[Step, ...] = ()
    result: Result = Result.RUNNING
    failure: Failure | None = None
    ended: str = ""
    """One line on how it ended."""
    connection: int | None = None
    """Number of its connection in the log, if it came so far."""
    finished: int | None = None
    """Monotonic ns at which it was known to be connected, or not to be; None while it runs."""

    @property
    def began(self) -> int | None:
        """Monotonic ns of the beginning of its first step; None before."""
        return min((step.started for step in self.steps if step.started is not None), default=None)

    @property
    def over(self) -> bool:
        """Nothing more can be said of it."""
        return self.result not in (Result.RUNNING, Result.CONNECTED)

    def took(self, now: int) -> int | None:
        """Nanoseconds from its beginning to CONNACK or to its failure, or so far; None if it never began."""
        began = self.began
        if began is None:
            return None
        if self.finished is None:
            return max(0, now - began)
        known = [step.ended for step in self.steps if step.ended is not None]
        stuck = any(step.status is StepStatus.RUNNING for step in self.steps)
        return max(0, (self.finished if stuck or not known else max(known)) - began)


class Attempts:
    """Collects the attempts of all peers from what their sessions tell."""

    def __init__(self) -> None:
        self._of: dict[str, list[Attempt]] = {}
        self._count = 0
        self.revision = 0
        """Changes with every change of an attempt."""

    def take(self, state: ConnectionState, mono: int, wall: int) -> None:
        """A peer's state is now this; the time of both clocks in ns."""
        latest = self.latest(state.peer)
        if state.phase is Phase.CONNECTING and (latest is None or latest.result is not Result.RUNNING):
            self._begin(state, wall)
        elif latest is not None and not latest.over:
            self._change(_went_on(latest, state, mono))

    def latest(self, peer: str) -> Attempt | None:
        """The present or last attempt of a peer."""
        found = self._of.get(peer)
        return found[-1] if found else None

    @property
    def all(self) -> list[Attempt]:
        """Every attempt that is kept, newest first."""
        return sorted((each for found in self._of.values() for each in found), key=lambda each: -each.number)

    def _begin(self, state: ConnectionState, wall: int) -> None:
        self._count += 1
        self.revision += 1
        found = self._of.pop(state.peer, [])
        self._of[state.peer] = [*found[-KEPT + 1 :], Attempt(self._count, state.peer, wall, state.options, state.steps)]
        while len(self._of) > PEERS:
            del self._of[next(iter(self._of))]

    def _change(self, attempt: Attempt) -> None:
        found = self._of[attempt.peer]
        if attempt != found[-1]:
            found[-1] = attempt
            self.revision += 1


def _went_on(attempt: Attempt, state: ConnectionState, mono: int) -> Attempt:
    """The attempt with what a later state says of it."""
    running = attempt.result is Result.RUNNING
    match state.phase:
        case Phase.CONNECTING:
            return replace(attempt, steps=state.steps, connection=_made(attempt, state))
        case Phase.CONNECTED | Phase.DISCONNECTING:
            changes = replace(attempt, steps=state.steps, connection=state.connection, result=Result.CONNECTED)
            return replace(changes, finished=mono) if running else changes
        case Phase.IDLE | Phase.WAITING:
            ended = state.failure.title if state.failure is not None else state.ended
            changes = replace(attempt, failure=state.failure, ended=ended)
            if not running:
                return replace(changes, result=Result.ENDED if state.failure is None else Result.LOST)
            result = Result.CANCELLED if state.failure is None else Result.FAILED
            return replace(changes, steps=state.steps, result=result, finished=mono, connection=_made(attempt, state))


def _made(attempt: Attempt, state: ConnectionState) -> int | None:
    """The connection of an attempt: it stands in the state as soon as CONNECT can be sent."""
    sending = any(step.name == "connect" and step.status is not StepStatus.WAITING for step in state.steps)
    return state.connection if sending else attempt.connection
