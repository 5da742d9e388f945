"""The tap: every byte of a connection passes here, both ways, and is recorded with its time before anybody reads it.

Outbound it is the transport that gmqtt writes to. Rules:

1. Bytes are handed to the connection in slices of at most 64 KiB, the next one when the last has left, and recorded as they
   are handed over, with that moment's time. A large publish neither stalls the loop nor shows as sent before it is.
2. After a loss the recorder is told how many of the recorded bytes had not left.
3. What comes is stamped with its arrival at this machine, where the system tells it, so that the time in which this program
   was busy elsewhere does not count as the broker's.
4. Reading pauses only while answers to what was read pile up because the peer does not take them.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from mqtttui.capture.recorder import Recorder
from mqtttui.client.layer import Bytes, Deaf, Layer
from mqtttui.protocol.enums import Direction
from mqtttui.protocol.framing import Batch

_SLICE = 65_536
_SLICES_IN_A_ROW = 16
"""So many slices go out before the loop gets a turn."""
_ANSWERS_BEFORE_PAUSE = 1_048_576

HandedOver = Callable[[int], None]
"""Called with the monotonic ns at which the last byte was handed over, once it has left."""


class Owner(Protocol):
    """Who hears what the tap reads."""

    def batch_received(self, chunk: bytes, batch: Batch, mono: int) -> None:
        """A chunk, recorded already, and the packets that it completed."""

    def eof_received(self) -> None:
        """The peer sends no more."""

    def connection_lost(self, reason: Exception | None) -> None:
        """The connection is over; None after our own close."""


class Tap:
    """Between a Layer and gmqtt."""

    def __init__(self, layer: Layer, recorder: Recorder, owner: Owner) -> None:
        self._layer = layer
        self._recorder = recorder
        self._owner = owner
        self._queue: deque[memoryview] = deque()
        self._queued = 0
        self._total = self._handed = 0
        self._waiting: deque[tuple[int, HandedOver]] = deque()
        self._handed_at: deque[tuple[int, int]] = deque()
        self._turn: asyncio.Handle | None = None
        self._closing = False
        self._lost = False
        self._unsent: int | None = None
        self._finished = False
        self._reading = False
        self._answers = 0
        self._paused_for_answers = False
        self._said_last = False
        self.last_out = time.monotonic_ns()
        """Monotonic ns of the latest slice handed over."""
        self.last_in = self.last_out
        """Monotonic ns of the latest chunk read."""

    def start(self) -> None:
        """Begin to read."""
        self._layer.attach(self)

    # The transport that gmqtt sees

    def write(self, data: Bytes) -> None:
        """Queue `data`; dropped when the connection is closing, and behind `write_last`."""
        if self._closing or self._said_last or not data:
            return
        view = memoryview(data)
        self._queue.append(view)
        self._queued += len(view)
        self._total += len(view)
        if self._reading:
            self._answers += len(view)
        if self._turn is None:
            self._pump()

    def write_last(self, data: Bytes) -> None:
        """Queue a DISCONNECT: nothing may follow it, neither acknowledgements nor pings [MQTT-3.14.4-2]."""
        self.write(data)
        self._said_last = True

    def close(self) -> None:
        """Close in order: what was handed over still leaves, what is queued is dropped."""
        if not self._closing:
            self._closing = True
            self._drop_queue()
            self._layer.close()

    def is_closing(self) -> bool:
        """Whether writes are dropped."""
        return self._closing

    def get_extra_info(self, name: str, default: object = None) -> object:
        """Nothing: gmqtt asks only whether there is an `sslcontext`."""
        return default

    def pause_reading(self) -> None:
        """Do nothing: gmqtt's own reader never gets a byte, so it has nothing to pause."""

    def resume_reading(self) -> None:
        """See pause_reading."""

    # What the link uses beside it

    def when_handed_over(self, callback: HandedOver) -> None:
        """Call `callback` once everything written so far has left; never if the connection ends before."""
        self._waiting.append((self._total, callback))
        if self._turn is None:
            self._tell()

    @property
    def queued(self) -> int:
        """Bytes written but not handed over yet."""
        return self._queued

    @property
    def idle(self) -> bool:
        """Whether everything written has left."""
        return not self._queue and self._layer.ready

    @property
    def mid_packet(self) -> bool:
        """Whether the peer's latest packet has not come whole yet."""
        return not self._recorder.at_boundary(Direction.S2C)

    def abort(self) -> None:
        """Close at once; what has not left is dropped."""
        self._closing = True
        self._note_unsent()
        self._drop_queue()
        self._layer.abort()

    def finish(self, reason: str) -> None:
        """Record the end. Nothing is recorded after it."""
        if not self._finished:
            self._finished = True
            self._note_unsent()
            self._recorder.closed(time.monotonic_ns(), reason, self._unsent or 0)
            if not self._lost:
                self._layer.attach(Deaf())

    # What the layer below calls

    def data_received(self, chunk: bytes) -> None:
        """Record, then let the owner decide."""
        if self._finished:
            return
        now = time.monotonic_ns()
        arrived = self._layer.arrived()
        # Not before what is recorded already: the times in the log never fall.
        mono = min(now, max(arrived, self._recorder.latest)) if arrived else now
        self.last_in = mono
        batch = self._recorder.inbound(chunk, mono, time.time_ns() - now + mono)
        self._reading = True
        try:
            self._owner.batch_received(chunk, batch, mono)
        finally:
            self._reading = False
        if self._answers > _ANSWERS_BEFORE_PAUSE and not self._paused_for_answers and not self._closing:
            self._paused_for_answers = True
            self._layer.pause_reading()

    def eof_received(self) -> None:
        """The peer's end."""
        self._owner.eof_received()

    def writable(self) -> None:
        """The last slice has left."""
        self._tell()
        if self._turn is None:
            self._pump()

    def connection_lost(self, reason: Exception | None) -> None:
        """The end."""
        self._closing = True
        self._lost = True
        self._note_unsent()
        self._drop_queue()
        self._owner.connection_lost(reason)

    def _pump(self) -> None:
        self._turn = None
        for _ in range(_SLICES_IN_A_ROW):
            if not self._queue or self._closing or not self._layer.ready:
                break
            part = self._next_slice()
            mono = time.monotonic_ns()
            self.last_out = mono
            self._handed += len(part)
            self._handed_at.append((self._handed, mono))
            self._recorder.outbound(part, mono, time.time_ns())
            self._layer.write(part)
            self._tell()
        if self._queue and self._layer.ready and not self._closing:
            self._turn = asyncio.get_running_loop().call_soon(self._pump)
        if not self._queue and self._layer.ready:
            self._answers = 0
            if self._paused_for_answers and not self._closing:
                self._paused_for_answers = False
                self._layer.resume_reading()

    def _next_slice(self) -> bytes:
        """Up to 64 KiB from the front of the queue, in one piece."""
        parts: list[memoryview] = []
        room = _SLICE
        while self._queue and room:
            head = self._queue[0]
            if len(head) <= room:
                parts.append(self._queue.popleft())
            else:
                parts.append(head[:room])
                self._queue[0] = head[room:]
            room -= len(parts[-1])
        part = b"".join(parts)
        self._queued -= len(part)
        return part

    def _tell(self) -> None:
        """Run the callbacks whose bytes have all left."""
        while self._waiting and self._layer.ready and self._waiting[0][0] <= self._handed:
            offset, callback = self._waiting.popleft()
            while self._handed_at and self._handed_at[0][0] < offset:
                self._handed_at.popleft()
            callback(self._handed_at[0][1] if self._handed_at else self.last_out)
        if not self._waiting:
            self._handed_at.clear()

    def _note_unsent(self) -> None:
        """How much of the recorded bytes has not left; the layer forgets it when it closes."""
        if self._unsent is None and (self._closing or self._finished):
            self._unsent = self._layer.unsent

    def _drop_queue(self) -> None:
        self._queue.clear()
        self._queued = 0
        self._waiting.clear()
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None
