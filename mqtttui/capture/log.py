"""The capture log: every control packet of every connection, in the order in which it was seen.

Rules:
1. Packets are numbered from 1; a number is never used again. Bytes and columns lie in segments; no object per packet stays.
2. The limit in bytes covers raw bytes, columns, side tables, pins and what followers report. Beyond it the oldest segment
   goes as a whole; pinned packets of it stay.
3. Pins are counted per packet. Besides those that readers set, the log pins what a connection needs to be understood
   (CONNECT, CONNACK, SUBSCRIBE, SUBACK, DISCONNECT, alias bindings) for as long as any packet of the connection is kept.
4. `received` = `kept` + `evicted`, always.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from mqtttui.capture.connections import Connections
from mqtttui.capture.dissecting import dissect_packet
from mqtttui.capture.limits import default_limit
from mqtttui.capture.pins import Pins
from mqtttui.capture.records import ConnectionInfo, Evicted, Head, Origin, Packet, Unframed
from mqtttui.capture.run import Run
from mqtttui.capture.segment import MAX_BYTES, MAX_PACKETS, Segment
from mqtttui.protocol.enums import Direction
from mqtttui.protocol.fields import Dissection
from mqtttui.protocol.framing import Batch

__all__ = ["ConnectionInfo", "Evicted", "Head", "Log", "Origin", "Packet", "Span", "default_limit"]

_CONNECTION_COST = 1_500


class Span(NamedTuple):
    """Indexes `start` to `stop` (exclusive) of a segment."""

    segment: Segment
    start: int
    stop: int


class Log(Connections):
    """The recorded packets. Not thread-safe: one loop writes and reads."""

    def __init__(self, limit: int | None = None) -> None:
        """`limit` in bytes; None: the smaller of 512 MiB and a quarter of the free memory."""
        super().__init__()
        self.limit = default_limit() if limit is None else limit
        # Small limits get small segments, so that eviction never takes more than about a sixteenth at once.
        self._segment_bytes = max(16_384, min(MAX_BYTES, self.limit // 16))
        self._segment_packets = max(64, min(MAX_PACKETS, self._segment_bytes // 64))
        self._segments: list[Segment] = [self._segment(1)]
        self._firsts: list[int] = [1]
        self._sealed_cost = 0
        self._pins = Pins()
        self._reported: dict[str, int] = {}

    def mark_unsent(self, connection: int, unsent_bytes: int, direction: Direction = Direction.C2S) -> None:
        """The last `unsent_bytes` handed over in `direction` never left: the packets that they touch count as unsent."""
        if unsent_bytes <= 0:
            return
        for segment in reversed(self._segments):
            for index in range(len(segment) - 1, -1, -1):
                if segment.connections[index] != connection or segment.directions[index] != direction:
                    continue
                self._connections[connection].unsent_from = segment.first + index
                unsent_bytes -= segment.ends[index] - segment.start(index)
                if unsent_bytes <= 0:
                    return

    # --- recording

    def append(self, connection: int, direction: Direction, batch: Batch, mono: int, wall: int) -> int:
        """Appends the packets of a batch, all stamped `mono` and `wall` (ns). Gives the No. of the first, 0 for none."""
        ends = batch.ends
        total = len(ends)
        if not total:
            return 0
        first = self.last + 1
        segment = self._segments[-1]
        if segment.fitting(ends, 0, 0) >= total:
            segment.extend(batch.data, ends, batch.firsts, connection, direction, mono, wall)
        else:
            self._append_split(connection, direction, batch, mono, wall)
        self._connections[connection].last = first + total - 1
        if self._watchers and (told := self._watchers.get(connection)):
            told(first, first + total - 1)
        if self.bytes_kept > self.limit:
            self._evict()
        return first

    def _append_split(self, connection: int, direction: Direction, batch: Batch, mono: int, wall: int) -> None:
        data = memoryview(batch.data)
        firsts = memoryview(batch.firsts)
        done = 0
        base = 0
        while done < len(batch.ends):
            segment = self._segments[-1]
            count = segment.fitting(batch.ends, done, base)
            if not count:
                self._roll()
                continue
            ends = batch.ends[done : done + count]
            stop = ends[-1]
            segment.extend(data[base:stop], ends, firsts[done : done + count], connection, direction, mono, wall, -base)
            done += count
            base = stop

    def append_run(self, run: Run) -> int:
        """Appends packets of any connections. Gives the No. of the first, 0 for none."""
        total = len(run)
        if not total:
            return 0
        first = self.last + 1
        done = 0
        while done < total:
            segment = self._segments[-1]
            count = segment.fitting(run.ends, done, run.ends[done - 1] if done else 0)
            if not count:
                self._roll()
                continue
            segment.extend_run(run, done, done + count)
            done += count
        for connection, last in dict(zip(run.connections, range(first, first + total), strict=True)).items():
            self._connections[connection].last = last
        if self.bytes_kept > self.limit:
            self._evict()
        return first

    def _roll(self) -> None:
        full = self._segments[-1]
        full.seal()
        self._sealed_cost += full.cost
        self._segments.append(self._segment(full.last + 1))
        self._firsts.append(full.last + 1)

    def _segment(self, first: int) -> Segment:
        return Segment(first, self._segment_packets, self._segment_bytes)

    def append_unframed(self, connection: int, direction: Direction, raw: bytes, error_text: str, mono: int, wall: int) -> int:
        """One row for bytes that are no whole packet; `error_text` says why. Gives its No."""
        no = self.append(connection, direction, Batch(raw, (len(raw),), None, raw[:1] or b"\0"), mono, wall)
        at = self._find(no)
        if at is not None:
            at[0].unframed[no] = Unframed(error_text, bytearray())
            self._charge(at[0], 300)
        return no

    def extend_unframed(self, no: int, chunk: bytes, dropped: int) -> None:
        """More bytes for row `no`: `chunk` is kept with it, `dropped` further ones are only counted."""
        at = self._find(no)
        if at is not None and (odd := at[0].unframed.get(no)):
            odd.growth += chunk
            odd.dropped += dropped
            self._charge(at[0], len(chunk))

    def set_topic(self, no: int, topic: bytes) -> None:
        """PUBLISH `no` has an alias and no topic: the alias stood for `topic`. Numbers must come in rising order."""
        at = self._find(no)
        if at is not None:
            before = at[0].side_bytes
            at[0].set_topic(at[1], topic)
            self._charge(at[0], at[0].side_bytes - before, counted=True)

    def _charge(self, segment: Segment, cost: int, *, counted: bool = False) -> None:
        if not counted:
            segment.side_bytes += cost
        if segment is not self._segments[-1]:
            self._sealed_cost += cost

    # --- reading

    @property
    def first(self) -> int:
        """No. from which on every packet is kept; `last + 1` when empty."""
        return self._firsts[0]

    @property
    def last(self) -> int:
        """No. of the latest packet, 0 when there was none."""
        return self._segments[-1].last

    @property
    def latest(self) -> int:
        """Monotonic ns of the latest packet; 0 if none is kept."""
        for segment in reversed(self._segments):
            if segment.monos:
                return segment.monos[-1]
        return 0

    @property
    def received(self) -> int:
        """Packets recorded so far."""
        return self.last

    @property
    def kept(self) -> int:
        """Packets that can still be read, pinned ones included."""
        return self.last - self.first + 1 + self._pins.kept_count

    @property
    def evicted(self) -> int:
        """Packets that are gone."""
        return self.received - self.kept

    @property
    def bytes_kept(self) -> int:
        """What the log holds, in bytes: raw bytes, columns, side tables, pins, connections and followers' reports."""
        return self._sealed_cost + self._segments[-1].cost + self._side_cost

    @property
    def _side_cost(self) -> int:
        return self._pins.cost + len(self._connections) * _CONNECTION_COST + sum(self._reported.values())

    def __len__(self) -> int:
        return self.kept

    def __contains__(self, no: object) -> bool:
        return isinstance(no, int) and (self.first <= no <= self.last or self._pins.kept(no) is not None)

    def __getitem__(self, no: int) -> Packet:
        """Packet `no`. Raises Evicted (a KeyError) if it is gone, KeyError if it never was."""
        at = self._find(no)
        if at is None:
            return self._kept_old(no)
        return self._build(*at)

    def head(self, no: int) -> Head:
        """The columns of packet `no`, without its bytes. Raises as `log[no]` does."""
        at = self._find(no)
        if at is None:
            old = self._kept_old(no)
            return Head(old.raw[0] if old.raw else 0, len(old.raw), old.mono, old.wall, old.connection, old.direction)
        return at[0].head(at[1])

    def dissect(self, no: int) -> Dissection:
        """Packet `no` taken apart with the version and topic that held for it. Raises as `log[no]` does."""
        return dissect_packet(self[no])

    def numbers(self, start: int = 1, stop: int | None = None) -> Iterator[int]:
        """The numbers of the kept packets from `start` up to, not including, `stop`; pinned ones below `first` too."""
        end = self.last + 1 if stop is None else min(stop, self.last + 1)
        if start < self.first:
            for no in self._pins.kept_numbers():
                if start <= no < end:
                    yield no
        yield from range(max(start, self.first), end)

    def old_numbers(self) -> list[int]:
        """The numbers of the pinned packets below `first`, rising."""
        return self._pins.kept_numbers()

    def spans(self, after: int, budget: int) -> Iterator[Span]:
        """At most `budget` packets with numbers above `after`, as parts of segments, for readers of columns."""
        no = max(after + 1, self.first)
        at = bisect_right(self._firsts, no) - 1
        while budget > 0 and at < len(self._segments):
            segment = self._segments[at]
            start = no - segment.first
            stop = min(len(segment), start + budget)
            if stop > start:
                yield Span(segment, start, stop)
                budget -= stop - start
                no = segment.first + stop
            at += 1

    def _find(self, no: int) -> tuple[Segment, int] | None:
        if not self.first <= no <= self.last:
            return None
        segment = self._segments[-1]
        if no < segment.first:
            segment = self._segments[bisect_right(self._firsts, no) - 1]
        return segment, no - segment.first

    def _kept_old(self, no: int) -> Packet:
        packet = self._pins.kept(no)
        if packet is None:
            raise Evicted(no) if 1 <= no <= self.last else KeyError(no)
        return packet

    def _build(self, segment: Segment, index: int) -> Packet:
        no = segment.first + index
        connection = segment.connections[index]
        direction = Direction(segment.directions[index])
        state = self._connections[connection]
        unsent = state.unsent_from is not None and direction is Direction.C2S and no >= state.unsent_from
        odd = segment.unframed.get(no)
        return Packet(
            no,
            segment.raw(index),
            segment.monos[index],
            segment.walls[index],
            connection,
            direction,
            self.version(connection, no),
            segment.topic(index),
            unsent,
            odd.text if odd else "",
            odd.dropped if odd else 0,
        )

    # --- pins and eviction

    def pin(self, no: int) -> bool:
        """Keeps packet `no` past eviction, once for each call. False if it is gone already or there are 100,000 pins."""
        return no in self and self._pins.pin(no)

    def unpin(self, no: int) -> None:
        """Takes back one `pin`."""
        self._pins.unpin(no)

    def pinned(self, no: int) -> bool:
        """Whether packet `no` outlives its segment."""
        return no in self._pins

    def keep_for_connection(self, no: int, connection: int) -> None:
        """Pins a packet that the connection needs to be understood."""
        self._pins.need(no, connection)

    def needed(self, connection: int) -> list[int]:
        """The kept packets that `connection` needs to be understood, rising: CONNECT, SUBSCRIBE, their answers, alias bindings."""
        return [no for no in self._pins.needed(connection) if no in self]

    def keep_binding(self, no: int, connection: int, direction: Direction, alias: int) -> None:
        """Pins the PUBLISH that bound a topic alias; the one that bound it before is let go."""
        self._pins.need_binding(no, connection, direction, alias)

    def bound_aliases(self, connection: int) -> tuple[int, int]:
        """How many topic aliases the client and the server have bound on `connection`, as far as they are kept."""
        return self._pins.bound_aliases(connection)

    def report(self, owner: str, size: int) -> None:
        """A follower's state takes `size` bytes; counts against the limit."""
        self._reported[owner] = size

    def _evict(self) -> None:
        """Drops whole segments, oldest first, until the limit holds; the one being written goes last."""
        while self.bytes_kept > self.limit:
            if len(self._segments) == 1:
                if not len(self._segments[0]):
                    break
                self._roll()
            self._evict_first()

    def forget(self, no: int) -> None:
        """Whole segments with nothing beyond packet `no` may go, as if the limit had been reached; the last one stays."""
        while len(self._segments) > 1 and self._segments[0].last <= no:
            self._evict_first()

    def _evict_first(self) -> None:
        segment = self._segments[0]
        self._pins.keep(segment.first, segment.last, lambda no: self._build(segment, no - segment.first), self.limit // 4)
        self._sealed_cost -= segment.cost
        del self._segments[0], self._firsts[0]
        for state in self._releasable:
            if state.last <= segment.last:
                self._pins.release(state.info.number)
        self._releasable = [state for state in self._releasable if state.last > segment.last]
