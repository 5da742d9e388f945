"""One packet as the rules see it: its columns at once, everything else when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

from mqtttui.capture.dissecting import dissect_packet
from mqtttui.capture.log import Log, Packet
from mqtttui.capture.segment import Segment
from mqtttui.protocol import packets
from mqtttui.protocol.enums import Direction, Version
from mqtttui.protocol.enums import PacketType as P
from mqtttui.protocol.fields import Dissection
from mqtttui.protocol.parse import parse
from mqtttui.protocol.peek import packet_id, publish_topic, reason_code, uint16, variable

_KINDS = tuple(P)
_DIRECTIONS = tuple(Direction)
_WITH_REASON = frozenset({P.PUBACK, P.PUBREC, P.PUBREL, P.PUBCOMP})

T = TypeVar("T")


class lazy(Generic[T]):
    """`functools.cached_property` without its lock, which is dear here: nothing of this is shared between threads."""

    def __init__(self, function: Callable[[Any], T]) -> None:
        self._function = function
        self._name = function.__name__
        self.__doc__ = function.__doc__

    @overload
    def __get__(self, instance: None, owner: type) -> lazy[T]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object, owner: type) -> lazy[T] | T:
        if instance is None:
            return self
        value = instance.__dict__[self._name] = self._function(instance)
        return value


class Seen:
    """A row of the log in front of the rules. Lives for one call; rules keep numbers and values, never a Seen."""

    def __init__(self, log: Log, segment: Segment, index: int, version: Version) -> None:
        self.log = log
        self._segment = segment
        self._index = index
        self.no = segment.first + index
        self.first_byte = segment.first_bytes[index]
        self.mono = segment.monos[index]
        """Monotonic ns at the socket."""
        self.connection = segment.connections[index]
        self.direction = _DIRECTIONS[segment.directions[index]]
        self.version = version
        self.framed = self.no not in segment.unframed
        """Whether it is a whole packet; else `raw` is what could not be framed."""
        self.kind: P | None = _KINDS[self.first_byte >> 4] if self.framed else None
        """None for what could not be framed."""

    @property
    def sender(self) -> str:
        """How a sentence names who sent it: `The client`, `The server`."""
        return "The client" if self.direction is Direction.C2S else "The server"

    @property
    def receiver(self) -> str:
        """`the server`, `the client`."""
        return "the server" if self.direction is Direction.C2S else "the client"

    @lazy
    def length(self) -> int:
        """Bytes of the whole packet."""
        return self._segment.ends[self._index] - self._segment.start(self._index)

    @lazy
    def raw(self) -> bytes:
        """The bytes of the packet."""
        return self._segment.raw(self._index)

    @lazy
    def error(self) -> str:
        """Why it is no whole packet; empty for packets."""
        odd = self._segment.unframed.get(self.no)
        return odd.text if odd else ""

    @lazy
    def packet(self) -> packets.Packet | None:
        """Its values, None if it is malformed."""
        return parse(self.raw, self.version, self.direction) if self.framed else None

    @lazy
    def row(self) -> Packet:
        """The row of the log."""
        return self.log[self.no]

    @lazy
    def dissection(self) -> Dissection:
        """The packet taken apart. Dear (about 100 microseconds): for what the header bytes and `packet` cannot tell."""
        return dissect_packet(self.row)

    # --- PUBLISH and acknowledgements, from header bytes

    @property
    def qos(self) -> int:
        """QoS of a PUBLISH, as its two bits stand there (3 is possible)."""
        return self.first_byte >> 1 & 3

    @property
    def dup(self) -> bool:
        """DUP of a PUBLISH."""
        return bool(self.first_byte & 8)

    @property
    def retain(self) -> bool:
        """RETAIN of a PUBLISH."""
        return bool(self.first_byte & 1)

    @lazy
    def _topic_span(self) -> tuple[int, int] | None:
        return publish_topic(self.raw, 0, len(self.raw)) if self.kind is P.PUBLISH else None

    @lazy
    def written_topic(self) -> bytes:
        """The topic that stands in a PUBLISH; empty if it uses an alias or cannot be read."""
        span = self._topic_span
        return self.raw[span[0] : span[1]] if span else b""

    @lazy
    def topic(self) -> bytes:
        """The topic of a PUBLISH, that of its alias if it has none of its own; empty if it is unknown."""
        return self.written_topic or (self._segment.topic(self._index) or b"" if self.kind is P.PUBLISH else b"")

    @property
    def is_plain(self) -> bool:
        """Whether it is a PUBLISH with a topic and a payload, but without properties."""
        span = self._topic_span
        if span is None or span[1] == span[0] or self.payload_start >= len(self.raw):
            return False
        return self.payload_start == span[1] + (2 if self.qos else 0) + (1 if self.version is Version.V5 else 0)

    @lazy
    def packet_id(self) -> int | None:
        """Packet Identifier of a PUBLISH with QoS 1 or 2, an acknowledgement, (UN)SUBSCRIBE or (UN)SUBACK; None if there is none."""
        if self.kind is P.PUBLISH:
            span = self._topic_span
            if span is None or not self.qos or span[1] + 2 > len(self.raw):
                return None
            return uint16(self.raw, span[1])
        if self.kind is None or not P.PUBACK <= self.kind <= P.UNSUBACK:
            return None
        return packet_id(self.raw, 0, len(self.raw))

    @lazy
    def reason(self) -> int:
        """Reason Code of PUBACK, PUBREC, PUBREL or PUBCOMP; 0 if it was left out."""
        return reason_code(self.raw, 0, len(self.raw)) if self.kind in _WITH_REASON and self.version is Version.V5 else 0

    @lazy
    def properties(self) -> packets.Properties:
        """The properties of the packet; empty if it has none or is malformed."""
        if self.version is not Version.V5 or (self.kind is P.PUBLISH and self.is_plain):
            return ()
        found = getattr(self.packet, "properties", None)
        return found if isinstance(found, tuple) else ()

    @lazy
    def payload_start(self) -> int:
        """Where the payload of a PUBLISH begins; the end of the packet if that cannot be told."""
        span = self._topic_span
        if span is None:
            return len(self.raw)
        at = span[1] + (2 if self.qos else 0)
        if self.version is Version.V5:
            length, at = variable(self.raw, at, len(self.raw))
            if length < 0:
                return len(self.raw)
            at += length
        return min(at, len(self.raw))

    @property
    def payload(self) -> bytes:
        """The payload of a PUBLISH."""
        return self.raw[self.payload_start :]

    def value_of(self, identifier: int) -> object:
        """The value of the first property `identifier`, None if there is none."""
        return next((item.value for item in self.properties if item.id == identifier), None)
