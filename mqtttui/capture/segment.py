"""A run of consecutive packets: their bytes back to back and one array a column. The unit of eviction."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from mqtttui.capture.records import Head, Unframed
from mqtttui.capture.run import Run
from mqtttui.protocol.enums import Direction

MAX_PACKETS = 65_536
MAX_BYTES = 8 * 1024 * 1024
"""A larger packet has a segment of its own."""
COLUMN_BYTES = 26
"""What the columns cost a packet."""


class Segment:
    """Packets `first` to `last`. Readers may use the columns directly; only the log writes them."""

    __slots__ = (
        "_max_bytes",
        "_max_packets",
        "_topic_at",
        "_topic_id",
        "_topic_ids",
        "_topics",
        "connections",
        "data",
        "directions",
        "ends",
        "first",
        "first_bytes",
        "monos",
        "side_bytes",
        "unframed",
        "walls",
    )

    def __init__(self, first: int, max_packets: int = MAX_PACKETS, max_bytes: int = MAX_BYTES) -> None:
        self._max_packets = max_packets
        self._max_bytes = max_bytes
        self.first = first
        """No. of the packet at index 0."""
        self.data = bytearray()
        self.ends = array("I")
        """End offset of each packet in `data`."""
        self.monos = array("q")
        self.walls = array("q")
        self.connections = array("I")
        self.directions = array("B")
        self.first_bytes = array("B")
        self.unframed: dict[int, Unframed] = {}
        """Rows that are no packets, by No."""
        self.side_bytes = 0
        """Estimated cost of the side tables in bytes."""
        self._topics: list[bytes] = []
        self._topic_ids: dict[bytes, int] = {}
        self._topic_at = array("I")
        self._topic_id = array("I")

    def __len__(self) -> int:
        return len(self.ends)

    @property
    def last(self) -> int:
        """No. of the last packet; `first - 1` while empty."""
        return self.first + len(self.ends) - 1

    @property
    def cost(self) -> int:
        """Bytes that this segment holds, side tables included."""
        return len(self.data) + COLUMN_BYTES * len(self.ends) + self.side_bytes

    def extend(
        self,
        data: bytes | bytearray | memoryview,
        ends: Sequence[int],
        firsts: bytes | bytearray | memoryview,
        connection: int,
        direction: int,
        mono: int,
        wall: int,
        shift: int = 0,
    ) -> None:
        """Appends packets that lie back to back in `data`; `shift` is added to their `ends`."""
        count = len(ends)
        shift += len(self.data)
        self.data += data
        self.ends.extend([end + shift for end in ends] if shift else ends)
        self.monos.extend(array("q", (mono,)) * count)
        self.walls.extend(array("q", (wall,)) * count)
        self.connections.extend(array("I", (connection,)) * count)
        self.directions.extend(array("B", (direction,)) * count)
        self.first_bytes.frombytes(firsts)

    def extend_run(self, run: Run, start: int, stop: int) -> None:
        """Appends the packets `start` to `stop` (exclusive) of `run`."""
        base = run.ends[start - 1] if start else 0
        shift = len(self.data) - base
        whole = start == 0 and stop == len(run)
        self.data += run.data if whole else run.data[base : run.ends[stop - 1]]
        ends = run.ends if whole else run.ends[start:stop]
        self.ends.extend([end + shift for end in ends] if shift else ends)
        self.monos.extend(run.monos if whole else run.monos[start:stop])
        self.walls.extend(run.walls if whole else run.walls[start:stop])
        self.connections.extend(run.connections if whole else run.connections[start:stop])
        self.directions.frombytes(run.directions if whole else run.directions[start:stop])
        self.first_bytes.frombytes(run.first_bytes if whole else run.first_bytes[start:stop])

    def fitting(self, ends: Sequence[int], start: int, base: int) -> int:
        """How many of the packets `ends[start:]`, the first of which begins at `base`, still belong into this segment."""
        stop = bisect_right(ends, base + self._max_bytes - len(self.data), start)
        stop = min(stop, start + self._max_packets - len(self.ends))
        if stop == start and not self.ends:
            return 1
        return stop - start

    def seal(self) -> None:
        """Gives back what the columns were allocated too much."""
        self.data = bytearray(self.data)
        self.ends = array("I", self.ends)
        self.monos = array("q", self.monos)
        self.walls = array("q", self.walls)
        self.connections = array("I", self.connections)
        self.directions = array("B", self.directions)
        self.first_bytes = array("B", self.first_bytes)

    def start(self, index: int) -> int:
        """Where the packet at `index` begins in `data`."""
        return self.ends[index - 1] if index else 0

    def raw(self, index: int) -> bytes:
        """The bytes of the row at `index`."""
        raw = bytes(self.data[self.start(index) : self.ends[index]])
        if self.unframed and (odd := self.unframed.get(self.first + index)):
            return raw + odd.growth
        return raw

    def head(self, index: int) -> Head:
        """The columns of the row at `index`."""
        length = self.ends[index] - self.start(index)
        if self.unframed and (odd := self.unframed.get(self.first + index)):
            length += len(odd.growth)
        return Head(
            self.first_bytes[index],
            length,
            self.monos[index],
            self.walls[index],
            self.connections[index],
            Direction(self.directions[index]),
        )

    def set_topic(self, index: int, topic: bytes) -> None:
        """Remembers what the alias of the PUBLISH at `index` stood for. Indexes must come in rising order."""
        known = self._topic_ids.get(topic)
        if known is None:
            known = self._topic_ids[topic] = len(self._topics)
            self._topics.append(topic)
            self.side_bytes += len(topic) + 150
        self._topic_at.append(index)
        self._topic_id.append(known)
        self.side_bytes += 8

    def topic(self, index: int) -> bytes | None:
        """What `set_topic` was told about the packet at `index`."""
        at = bisect_left(self._topic_at, index)
        if at < len(self._topic_at) and self._topic_at[at] == index:
            return self._topics[self._topic_id[at]]
        return None

    def resolved(self, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
        """Index and topic of the packets in [start, stop) that `set_topic` was told about."""
        for at in range(bisect_left(self._topic_at, start), bisect_left(self._topic_at, stop)):
            yield self._topic_at[at], self._topics[self._topic_id[at]]
