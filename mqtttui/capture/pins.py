"""Which packets outlive their segment, and those that already do.

Two kinds of pins: those that readers set (a selection, a finding), and the log's own, on what a connection needs to be
understood. Both are counted per packet. Where all that outlived takes too much room, the log's own go first, oldest first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from mqtttui.capture.records import Packet
from mqtttui.protocol.enums import Direction

MAX_PINS = 100_000
MAX_AUTOMATIC_PINS = 1_024
"""Per connection; the oldest go first, CONNECT and CONNACK last."""
_PIN_COST = 500


@dataclass(slots=True)
class _Needed:
    """What the log pinned for one connection."""

    packets: deque[int] = field(default_factory=deque)
    bindings: dict[tuple[int, int], int] = field(default_factory=dict)
    """(direction, alias) -> No. of the PUBLISH that bound it last."""


class Pins:
    """The pins of a log, and the packets of evicted segments that have one."""

    def __init__(self) -> None:
        self._by_readers: dict[int, int] = {}
        """No. -> how many pins it has."""
        self._automatic: dict[int, int] = {}
        self._needed: dict[int, _Needed] = {}
        """Number of a connection -> what it needs."""
        self._kept: dict[int, Packet] = {}
        """Pinned packets of evicted segments; numbers rise in insertion order."""
        self._kept_bytes = 0

    def __contains__(self, no: object) -> bool:
        return no in self._by_readers or no in self._automatic

    @property
    def cost(self) -> int:
        """Bytes that the pins and what they keep take."""
        return self._kept_bytes + (len(self._by_readers) + len(self._automatic)) * 100

    # --- what outlived its segment

    def kept(self, no: int) -> Packet | None:
        """Packet `no` if it outlived its segment."""
        return self._kept.get(no)

    @property
    def kept_count(self) -> int:
        """How many packets outlived their segment."""
        return len(self._kept)

    def kept_numbers(self) -> list[int]:
        """Their numbers, rising."""
        return list(self._kept)

    def keep(self, first: int, last: int, packet: Callable[[int], Packet], most: int) -> None:
        """The segment with packets `first` to `last` goes: its pinned ones stay. All that is kept may take `most` bytes."""
        for no in sorted([no for pins in (self._by_readers, self._automatic) for no in pins if first <= no <= last]):
            if no not in self._kept:
                self._kept[no] = packet(no)
                self._kept_bytes += len(self._kept[no].raw) + _PIN_COST
        if self._kept_bytes <= most:
            return
        for no in sorted(self._kept, key=lambda no: (no in self._by_readers, no)):
            if self._kept_bytes <= most:
                return
            self._by_readers.pop(no, None)
            self._automatic.pop(no, None)
            self._drop_if_free(no)

    def _drop_if_free(self, no: int) -> None:
        if no not in self and (packet := self._kept.pop(no, None)):
            self._kept_bytes -= len(packet.raw) + _PIN_COST

    # --- pins of readers

    def pin(self, no: int) -> bool:
        """One pin more on `no`. False if there are 100,000."""
        if no not in self._by_readers and len(self._by_readers) >= MAX_PINS:
            return False
        self._by_readers[no] = self._by_readers.get(no, 0) + 1
        return True

    def unpin(self, no: int) -> None:
        """One pin of a reader less; nothing if it has none."""
        self._take(self._by_readers, no)

    def _take(self, pins: dict[int, int], no: int) -> None:
        count = pins.get(no, 0)
        if count > 1:
            pins[no] = count - 1
        elif count:
            del pins[no]
            self._drop_if_free(no)

    # --- pins of the log

    def need(self, no: int, connection: int) -> None:
        """`connection` needs packet `no` to be understood."""
        packets = self._needed.setdefault(connection, _Needed()).packets
        if len(packets) >= MAX_AUTOMATIC_PINS:
            first_two = [packets.popleft(), packets.popleft()]
            self._take(self._automatic, packets.popleft())
            packets.extendleft(reversed(first_two))
        packets.append(no)
        self._automatic[no] = self._automatic.get(no, 0) + 1

    def need_binding(self, no: int, connection: int, direction: Direction, alias: int) -> None:
        """`connection` needs PUBLISH `no`, which bound `alias`, and the one that bound it before no more."""
        bindings = self._needed.setdefault(connection, _Needed()).bindings
        before = bindings.pop((direction, alias), None)
        if before is None and len(bindings) >= MAX_AUTOMATIC_PINS:
            before = bindings.pop(next(iter(bindings)))
        if before is not None:
            self._take(self._automatic, before)
        bindings[direction, alias] = no
        self._automatic[no] = self._automatic.get(no, 0) + 1

    def needed(self, connection: int) -> list[int]:
        """What the log pinned for `connection`, rising."""
        needed = self._needed.get(connection)
        return [] if needed is None else sorted({*needed.packets, *needed.bindings.values()})

    def bound_aliases(self, connection: int) -> tuple[int, int]:
        """How many alias bindings of `connection` are pinned, by direction."""
        needed = self._needed.get(connection)
        own = 0 if needed is None else sum(direction == Direction.C2S for direction, _ in needed.bindings)
        return own, 0 if needed is None else len(needed.bindings) - own

    def release(self, connection: int) -> None:
        """Nothing of `connection` is left that could need anything."""
        needed = self._needed.pop(connection, None)
        if needed is not None:
            for no in (*needed.packets, *needed.bindings.values()):
                self._take(self._automatic, no)
