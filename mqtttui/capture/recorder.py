"""Chunks of one connection, both ways, become rows of the log.

Receiving only frames, stamps and appends. What is looked at beyond that: a CONNECT for its version, the few packets that the
connection needs to be understood (they are pinned), and in MQTT 5 the properties of a PUBLISH if it has any.
"""

from __future__ import annotations

from mqtttui.capture.log import Log
from mqtttui.capture.records import incomplete
from mqtttui.capture.tracking import Tracker
from mqtttui.protocol.enums import Direction, PacketType, Version
from mqtttui.protocol.framing import MAX_PACKET, Batch, Chunk, Framer

PINNED = (PacketType.CONNECT, PacketType.CONNACK, PacketType.SUBSCRIBE, PacketType.SUBACK, PacketType.DISCONNECT)
ORDINARY = bytes(byte for byte in range(256) if byte >> 4 not in PINNED)
"""First bytes of packets that need nothing but to be appended, as long as no topic alias is in them."""


class Recorder:
    """Records one connection of the log."""

    def __init__(self, log: Log, connection: int, max_packet: int = MAX_PACKET) -> None:
        self._log = log
        self._connection = connection
        self._max_packet = max_packet
        self._framers = {direction: Framer(max_packet) for direction in Direction}
        self._rest_rows: dict[Direction, int] = {}
        self._tracker = Tracker(log.connection(connection).version)
        self._mono = 0
        self._wall = 0
        self._closed = False

    @property
    def latest(self) -> int:
        """Monotonic ns of the latest packet in the log, of whatever connection; 0 if there is none."""
        return self._log.latest

    def inbound(self, chunk: Chunk, mono: int, wall: int) -> Batch:
        """Bytes from the server, arrived at `mono` and `wall` (ns). Gives the packets that they completed."""
        return self.record(Direction.S2C, chunk, mono, wall)

    def outbound(self, chunk: Chunk, mono: int, wall: int) -> Batch:
        """Bytes to the server, handed over at `mono` and `wall` (ns). Gives the packets that they completed."""
        return self.record(Direction.C2S, chunk, mono, wall)

    def record(self, direction: Direction, chunk: Chunk, mono: int, wall: int) -> Batch:
        """A chunk in `direction`; see `inbound` and `outbound`."""
        self._mono = mono
        self._wall = wall
        framer = self._framers[direction]
        if framer.error is not None:
            return self._more_rest(direction, framer, chunk)
        batch = framer.feed(chunk)
        first = self._log.append(self._connection, direction, batch, mono, wall)
        if first:
            if batch.firsts.translate(None, ORDINARY):
                self._note_special(direction, batch, first)
            if self._tracker.version is Version.V5:
                self._note_aliases(direction, batch, first)
        if batch.error is not None:
            rest = framer.pending
            row = self._log.append_unframed(self._connection, direction, rest, batch.error.text, mono, wall)
            self._rest_rows[direction] = row
            self._log.extend_unframed(row, b"", framer.rest - len(rest))
        return batch

    def closed(self, mono: int, reason: str, unsent_bytes: int = 0) -> None:
        """The connection ended at `mono` (ns). The last `unsent_bytes` of what was handed over never left.

        An unfinished packet becomes a row of its own that says how much of it there is.
        """
        if self._closed:
            return
        self._closed = True
        wall = self._wall + mono - self._mono if self._mono else self._log.connection(self._connection).opened_wall
        for direction, framer in self._framers.items():
            if framer.kept and framer.error is None:
                text = incomplete(framer.kept, framer.expected)
                self._log.append_unframed(self._connection, direction, framer.pending, text, mono, wall)
        self._log.mark_unsent(self._connection, unsent_bytes)
        self._log.close_connection(self._connection, mono, reason)

    def at_boundary(self, direction: Direction) -> bool:
        """Whether the next byte in `direction` begins a packet."""
        framer = self._framers[direction]
        return not framer.kept and framer.error is None

    def missing(self, direction: Direction) -> int | None:
        """Bytes that the unfinished packet in `direction` still lacks; None without one or while its length is not known."""
        framer = self._framers[direction]
        return None if framer.error is not None or framer.expected is None else framer.expected - framer.kept

    def interrupted(self, direction: Direction, remark: str, mono: int, wall: int) -> int:
        """Bytes in `direction` were lost: the next chunk begins a packet, and an unfinished one becomes a row that ends in `remark`.

        Gives the No. of that row, 0 without one.
        """
        framer = self._framers[direction]
        if framer.error is None and not framer.kept:
            return 0
        self._framers[direction] = Framer(self._max_packet)
        if framer.error is not None:
            return 0
        text = f"{incomplete(framer.kept, framer.expected)}: {remark}"
        return self._log.append_unframed(self._connection, direction, framer.pending, text, mono, wall)

    def repeated(self, direction: Direction, chunk: Chunk) -> bool:
        """Whether `chunk` has the unfinished packet in `direction` once more, whole; that beginning of it is dropped then."""
        framer = self._framers[direction]
        expected = framer.expected
        if framer.error is not None or expected is None or len(chunk) < expected or bytes(chunk[: framer.kept]) != framer.pending:
            return False
        self._framers[direction] = Framer(self._max_packet)
        return True

    def assume(self, version: Version) -> None:
        """From the next packet on the connection is taken to speak `version`, until a CONNECT says otherwise."""
        self._tracker.version = version
        self._log.set_version(self._connection, version, self._log.last + 1)

    @property
    def version(self) -> Version:
        """The version in force for the next packet."""
        return self._tracker.version

    def note_alias(self, no: int, direction: Direction, data: bytes | bytearray, start: int, end: int) -> None:
        """The v5 PUBLISH `data[start:end]`, recorded as packet `no`, may have a topic alias. Numbers must come in rising order."""
        alias = self._tracker.publish(direction, data, start, end)
        if alias is not None:
            if alias.binds:
                self._log.keep_binding(no, self._connection, direction, alias.alias)
            elif alias.topic is not None:
                self._log.set_topic(no, alias.topic)

    def _more_rest(self, direction: Direction, framer: Framer, chunk: Chunk) -> Batch:
        before = framer.kept
        batch = framer.feed(chunk)
        added = framer.kept - before
        self._log.extend_unframed(self._rest_rows[direction], bytes(chunk[:added]), len(chunk) - added)
        return batch

    def _note_special(self, direction: Direction, batch: Batch, first: int) -> None:
        for index, byte in enumerate(batch.firsts):
            kind = byte >> 4
            if kind not in PINNED:
                continue
            no = first + index
            self._log.keep_for_connection(no, self._connection)
            if kind == PacketType.CONNECT and direction is Direction.C2S:
                start = batch.ends[index - 1] if index else 0
                version = self._tracker.connect(batch.data, start, batch.ends[index])
                if version is not None:
                    self._log.set_version(self._connection, version, no)

    def _note_aliases(self, direction: Direction, batch: Batch, first: int) -> None:
        data = batch.data
        start = 0
        for index, (byte, end) in enumerate(zip(batch.firsts, batch.ends, strict=True)):
            if 0x30 <= byte < 0x40:
                self.note_alias(first + index, direction, data, start, end)
            start = end
