"""One packet as a filter sees it: everything lazy, and dissected at most once.

Rules:
1. What stands in the log's columns needs no bytes, what stands in the first byte no dissection.
2. Text is compared as it stands on the wire: the bytes of a string field, not what a screen makes of them.
3. What is not known (no facts, no address) is absent: the field does not occur.
4. Lists of a packet are read up to `MAX_NODES` fields.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from mqtttui.analysis.operation import Operation
from mqtttui.analysis.pairs import Pairs
from mqtttui.capture.dissecting import unframed
from mqtttui.capture.log import ConnectionInfo, Head, Log, Packet
from mqtttui.filters.clients import ClientIds
from mqtttui.filters.fields import FIELDS
from mqtttui.filters.types import Type, Value
from mqtttui.protocol.dissect import dissect
from mqtttui.protocol.enums import Severity
from mqtttui.protocol.fields import Context, Dissection, Field

MAX_NODES = 50_000
"""Fields of one packet that a filter looks at."""

_WITH_LENGTH = "mqtt.property.content_type"
"""The one string whose field begins with its two bytes of length."""


class FindingLike(Protocol):
    """What a filter needs of a finding: a note of the dissection has it as well."""

    @property
    def id(self) -> str:
        """Check id."""

    @property
    def severity(self) -> Severity:
        """How much it matters."""

    @property
    def text(self) -> str:
        """One sentence."""


class FindingFacts(Protocol):
    """The expert's findings."""

    def of(self, no: int, /) -> Sequence[FindingLike]:
        """Those on packet `no`."""


class MarkFacts(Protocol):
    """What the user said of packets."""

    def marked(self, no: int, /) -> bool:
        """Whether the user marked packet `no`."""

    def comment(self, no: int, /) -> str:
        """The user's comment, empty for none."""


class OperationFacts(Protocol):
    """Requests with all that followed."""

    def of(self, no: int, /) -> int | None:
        """No. of the packet that began the operation of `no`."""

    def operation(self, start: int, now: int, /) -> Operation | None:
        """The operation that packet `start` began."""


@dataclass(slots=True, eq=False)
class Facts:
    """What a filter may ask beside the log. What is None is not known: those fields do not occur."""

    pairs: Pairs | None = None
    operations: OperationFacts | None = None
    findings: FindingFacts | None = None
    """None: the findings of single packets, from their dissection."""
    marks: MarkFacts | None = None
    info: Callable[[int], str] | None = None
    """The Info column of a packet."""
    frame_number: Callable[[int], int] | None = None
    """The number of the frame in the file from which a packet comes; None or 0: its No."""
    now: Callable[[], int] | None = None
    """Monotonic ns."""
    clients: ClientIds = field(default_factory=ClientIds, repr=False)
    """Client ids by connection, found in the log itself."""


NO_FACTS = Facts()


@dataclass(slots=True, eq=False)
class Row:
    """Packet `no` of `log`. What is asked of an evicted packet raises Evicted."""

    log: Log
    no: int
    facts: Facts = NO_FACTS
    _head: Head | None = field(default=None, repr=False)
    _packet: Packet | None = field(default=None, repr=False)
    _dissection: Dissection | None = field(default=None, repr=False)
    _table: dict[str, list[Value]] | None = field(default=None, repr=False)

    @property
    def head(self) -> Head:
        """The columns of the packet."""
        if self._head is None:
            self._head = self.log.head(self.no)
        return self._head

    @property
    def packet(self) -> Packet:
        """The packet with its bytes."""
        if self._packet is None:
            self._packet = self.log[self.no]
        return self._packet

    @property
    def raw(self) -> bytes:
        """The bytes of the packet."""
        return self.packet.raw

    @property
    def connection(self) -> ConnectionInfo:
        """The connection of the packet."""
        return self.log.connection(self.head.connection)

    @property
    def dissection(self) -> Dissection:
        """The packet taken apart."""
        if self._dissection is None:
            packet = self.packet
            found = dissect(packet.raw, Context(packet.version, packet.direction, packet.resolved_topic), MAX_NODES)
            self._dissection = unframed(found, packet.framing_error) if packet.framing_error else found
        return self._dissection

    def fields(self, name: str) -> Sequence[Value]:
        """The values of dissected field `name`, in packet order."""
        if self._table is None:
            self._table = _table(self.dissection)
        return self._table.get(name, ())

    def value(self, found: Field) -> Value:
        """The value of a field of this packet's dissection, text as the bytes that stand there."""
        return _value(found, self.raw, self.dissection.context)


_MARKS = frozenset(name for name, spec in FIELDS.items() if spec.type is Type.NONE)


def _table(dissection: Dissection) -> dict[str, list[Value]]:
    """Filter name -> values. Marks have None, once for each time that they occur; what has no readable value is left out."""
    table: dict[str, list[Value]] = {}
    raw = dissection.raw
    for found in dissection.walk():
        if name := found.filter:
            value = _value(found, raw, dissection.context)
            if value is None and name not in _MARKS:
                continue
            if name in table:
                table[name].append(value)
            else:
                table[name] = [value]
    return table


def _value(found: Field, raw: bytes, context: Context) -> Value:
    value = found.value
    if not isinstance(value, str):
        return value
    if found.generated:
        return context.resolved_topic or b""
    start = found.start + 2 if found.filter == _WITH_LENGTH else found.start
    return raw[start : found.end]
