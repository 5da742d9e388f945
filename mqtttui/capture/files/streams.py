"""The two directions of an MQTT connection that was found in a capture: holes, beginnings in the middle, guesses.

1. What lies before the first packet that can be told, and what remains of a packet with a hole, is a row or is counted in
   one; nothing vanishes.
2. Where a hole ends inside a packet whose length is known, the next packet begins where that one ends. Elsewhere the
   content must tell (detect.boundary).
3. Without a CONNECT the version is a guess, told by the packets themselves, and may change while packets tell.
"""

from __future__ import annotations

from mqtttui.capture.files.detect import Guess, VersionGuess, beginning, boundary
from mqtttui.capture.files.intake import Intake
from mqtttui.capture.log import Origin
from mqtttui.capture.recorder import Recorder
from mqtttui.protocol.enums import Direction, Version
from mqtttui.protocol.framing import KEEP_REST
from mqtttui.protocol.peek import connect_version

_UNBEGUN = "bytes from the middle of a packet: its beginning is not in the capture"


class MqttStreams:
    """One connection of the log, fed from a capture."""

    __slots__ = ("_damaged", "_guess", "_head", "_intake", "_skip", "_skipped", "_skipped_bytes", "_synced", "number", "recorder")

    def __init__(
        self,
        intake: Intake,
        client: str,
        server: str,
        transport: str,
        *,
        whole: tuple[bool, bool] = (False, False),
    ) -> None:
        """`whole`: whether the capture has the beginning of what the client and the server sent."""
        log = intake.log
        version = intake.assume or Version.V311
        self.number = log.open_connection(
            peer=intake.peer,
            origin=Origin.FILE,
            source=client,
            destination=server,
            mono=intake.mono,
            wall=intake.wall,
            version=version,
            transport=transport,
        )
        self.recorder = Recorder(log, self.number)
        self._intake = intake
        self._guess: VersionGuess | None = VersionGuess()
        self._head = b""
        """The first bytes that the client sent, while they may become a CONNECT."""
        self._synced = list(whole)
        self._skip = [0, 0]
        """Bytes that a damaged packet still has to come."""
        self._damaged = [0, 0]
        """Its row."""
        self._skipped = [0, 0]
        """The row of bytes that belong to no packet that could be told; 0 for none."""
        self._skipped_bytes = [0, 0]

    def data(self, direction: Direction, chunk: bytes) -> None:
        """The next bytes in `direction`."""
        if self._intake.made_up:
            self._take_made_up(chunk)
            return
        if self._skip[direction]:
            chunk = self._swallow(direction, chunk)
        if not self._synced[direction] and chunk:
            chunk = self._find_packet(direction, chunk)
        if chunk:
            intake = self._intake
            if self._guess is not None:
                self._judge(direction, chunk)
            self.recorder.record(direction, chunk, intake.mono, intake.wall)
            intake.rows_added()

    def lost(self, direction: Direction, count: int) -> None:
        """`count` bytes in `direction` are not in the capture; 0: it cannot be said how many."""
        intake = self._intake
        if not self._synced[direction]:
            return
        if self._skip[direction]:
            if 0 < count <= self._skip[direction]:
                self._skip[direction] -= count
            else:
                self._skip[direction] = 0
                self._synced[direction] = False
            return
        missing = self.recorder.missing(direction)
        shown = f"{count:,} {'byte is' if count == 1 else 'bytes are'}" if count else "bytes are"
        row = self.recorder.interrupted(direction, f"{shown} missing from the capture", intake.mono, intake.wall)
        intake.rows_added()
        if row and count and missing is not None and count <= missing:
            self._skip[direction] = missing - count
            self._damaged[direction] = row
        else:
            self._synced[direction] = False
            self._skipped[direction] = 0
        intake.log.mark_loss(self.number)
        side = "client" if direction is Direction.C2S else "server"
        intake.problem(f"connection {self.number}: {shown} missing in what the {side} sent, before packet {intake.log.last + 1}")

    def ready(self, direction: Direction) -> bool:
        """Whether whole packets in `direction` need nothing but to be appended."""
        return self._guess is None and self._synced[direction] and not self._skip[direction] and self.recorder.at_boundary(direction)

    @property
    def aliases_possible(self) -> bool:
        """Whether a PUBLISH may have a topic alias."""
        return self.recorder.version is Version.V5

    def ended(self, reason: str) -> None:
        """No more will come."""
        self.recorder.closed(self._intake.mono, reason)
        self._intake.rows_added()

    def _take_made_up(self, chunk: bytes) -> None:
        """A CONNECT that was never on the wire tells the version, and is no row."""
        self._synced = [True, True]
        self._guess = None
        version = connect_version(chunk, 0, len(chunk)) if beginning(chunk) is Guess.CONNECT else None
        if version is not None:
            self.recorder.assume(version)

    def _swallow(self, direction: Direction, chunk: bytes) -> bytes:
        count = min(self._skip[direction], len(chunk))
        self._skip[direction] -= count
        self._intake.log.extend_unframed(self._damaged[direction], b"", count)
        return chunk[count:]

    def _find_packet(self, direction: Direction, chunk: bytes) -> bytes:
        at = boundary(chunk)
        if at != 0:
            self._keep_skipped(direction, chunk if at is None else chunk[:at])
        if at is None:
            return b""
        self._synced[direction] = True
        return chunk[at:]

    def _keep_skipped(self, direction: Direction, chunk: bytes) -> None:
        intake = self._intake
        room = KEEP_REST
        row = self._skipped[direction]
        if not row:
            row = intake.log.append_unframed(self.number, direction, chunk[:room], _UNBEGUN, intake.mono, intake.wall)
            intake.log.extend_unframed(row, b"", max(0, len(chunk) - room))
            self._skipped[direction] = row
            self._skipped_bytes[direction] = min(room, len(chunk))
            intake.rows_added()
            return
        kept = chunk[: room - self._skipped_bytes[direction]]
        self._skipped_bytes[direction] += len(kept)
        intake.log.extend_unframed(row, kept, len(chunk) - len(kept))

    def _judge(self, direction: Direction, chunk: bytes) -> None:
        """Guesses the version before the packets of `chunk` become rows."""
        guess = self._guess
        if guess is None:
            return
        intake = self._intake
        if intake.assume is not None or (direction is Direction.C2S and self._is_connect(chunk)):
            self._guess = None
            return
        if self._head:
            return
        if self.recorder.at_boundary(direction):
            guess.look(direction, chunk)
        if guess.version is not self.recorder.version:
            self.recorder.assume(guess.version)
        reason = "judged by its packets" if guess.told else "as nothing tells otherwise"
        intake.notes[self.number] = f"The connection began before the capture (no CONNECT): read as {guess.version.label}, {reason}."
        if guess.told >= VersionGuess.ENOUGH:
            self._guess = None

    def _is_connect(self, chunk: bytes) -> bool:
        """Whether a CONNECT begins with this chunk, or began with the ones before it."""
        head = self._head + chunk[:16]
        guess = beginning(head)
        self._head = head if guess is Guess.UNDECIDED else b""
        return guess is Guess.CONNECT
