"""Packets with warnings and errors, counted and pinned so that they outlive eviction.

Theory of operation: almost every packet is clear at a glance. The screen reads header bytes and tells those that cannot
have a warning or an error; only the others are dissected. What it may clear:
1. PUBLISH: length in its shortest form, legal flags, a topic of plain characters without wildcards, a packet identifier
   that is not 0, and in MQTT 5 no properties, or a list that an earlier dissection in this direction found clean (lists
   that promise UTF-8 are always dissected, because the payload has to be looked at).
2. Acknowledgements of a QoS flow without a reason code, or with one that is no failure and without properties.
3. PINGREQ and PINGRESP from the right side.
A slice ends after so many dissections, whatever its budget.
"""

from __future__ import annotations

import re
from collections import deque

from mqtttui.analysis.follower import Follower
from mqtttui.capture.log import Log, Span
from mqtttui.protocol.enums import Direction, PropertyId, Severity, Version
from mqtttui.protocol.enums import PacketType as P
from mqtttui.protocol.fields import Dissection
from mqtttui.protocol.peek import Buffer, property_offsets

MAX_PINNED = 5_000
"""Packets; the oldest are let go first. The counts go on."""
DISSECTIONS = 40
"""How many packets of a slice are dissected: about 4 ms."""
_MAX_LISTS = 2_000
_MAX_LIST = 127
"""Bytes of a property list that is remembered; its length takes one more."""

_PLAIN_TOPIC = re.compile(rb"[ !\"$-*,-~]+").fullmatch
_PLAIN_PUBLISH = P.PUBLISH << 4
_BEHIND_CONNECT = P.CONNECT + 1 << 4
_LEGAL_PUBLISH = frozenset(0x30 | flags for flags in (0, 1, 2, 3, 4, 5, 10, 11, 12, 13))
"""First bytes: neither QoS 3 nor DUP at QoS 0."""
_ACKS = {P.PUBACK << 4: (0x00, 0x10), P.PUBREC << 4: (0x00, 0x10), P.PUBREL << 4 | 2: (0x00,), P.PUBCOMP << 4: (0x00,)}
"""First byte -> reason codes without a warning; 0x10 is the server's alone."""
_PINGS = ((P.PINGREQ << 4, Direction.C2S), (P.PINGRESP << 4, Direction.S2C))


class Findings(Follower):
    """Follows the log, counts packets by their worst finding, and pins those with a warning or an error."""

    def __init__(self) -> None:
        super().__init__()
        self.warnings = 0
        """Packets whose worst finding is a warning."""
        self.errors = 0
        """Packets with an error."""
        self.latest = 0
        """No. of the latest packet with either, 0 for none."""
        self._pinned: deque[int] = deque()
        self._clean: tuple[dict[bytes, bool], dict[bytes, bool]] = ({}, {})
        """By direction: property lists of PUBLISH known to be clean -> whether a topic alias is among them."""

    def read(self, log: Log, span: Span) -> int:
        """Screens the packets of `span`, and dissects what cannot be cleared."""
        segment, start, stop = span
        data, odd = segment.data, segment.unframed
        known, v5 = -1, False
        dissected = 0
        begin = segment.start(start)
        columns = zip(segment.ends[start:stop], segment.connections[start:stop], segment.directions[start:stop], strict=True)
        for no, (end, connection, direction) in enumerate(columns, segment.first + start):
            first = data[begin]
            if connection != known or first < _BEHIND_CONNECT:
                known, v5 = connection, log.version(connection, no) is Version.V5
            if odd and no in odd:
                clear = False
            elif first == _PLAIN_PUBLISH and (length := data[begin + 1]) < 0x80 and length > 1:
                # The bulk of most traffic, so without a call: QoS 0, no flags, a short packet.
                at = begin + 4 + (data[begin + 2] << 8 | data[begin + 3])
                clear = at < end and _PLAIN_TOPIC(data, begin + 4, at) is not None and not (v5 and data[at])
                clear = clear or self._clear_publish(data, begin, end, direction, v5)
            else:
                clear = self._clear(data, begin, end, direction, v5)
            if not clear:
                self._dissect(log, no)
                dissected += 1
                if dissected == DISSECTIONS:
                    return no + 1 - segment.first
            begin = end
        return stop

    def _clear(self, data: Buffer, start: int, end: int, direction: int, v5: bool) -> bool:
        """Whether the packet `data[start:end]` cannot have a warning or an error."""
        first = data[start]
        if first in _LEGAL_PUBLISH:
            return self._clear_publish(data, start, end, direction, v5)
        if first in _ACKS:
            length = data[start + 1]
            if end - start != length + 2 or length == 2:
                return end - start == length + 2
            if not v5 or length not in (3, 4) or (length == 4 and data[start + 5]):
                return False
            code = data[start + 4]
            return code in _ACKS[first] and (code == 0 or direction == Direction.S2C)
        return (first, direction) in _PINGS and end - start == 2

    def _clear_publish(self, data: Buffer, start: int, end: int, direction: int, v5: bool) -> bool:
        at = start + 1
        while data[at] & 0x80:
            at += 1
        if not data[at] and at > start + 1:
            return False
        topic = at + 3
        if topic > end:
            return False
        at = topic + (data[at + 1] << 8 | data[at + 2])
        if at > end or (at > topic and not _PLAIN_TOPIC(data, topic, at)):
            return False
        has_topic = at > topic
        if data[start] & 0x06:
            if at + 2 > end or not (data[at] or data[at + 1]):
                return False
            at += 2
        if not v5:
            return has_topic
        if at >= end:
            return False
        length = data[at]
        if not length:
            return has_topic
        if length > _MAX_LIST or at + 1 + length > end:
            return False
        has_alias = self._clean[direction].get(bytes(data[at : at + 1 + length]))
        return has_alias is not None and (has_topic or has_alias)

    def _dissect(self, log: Log, no: int) -> None:
        found = log.dissect(no)
        worst = found.worst
        if worst is not None and worst >= Severity.WARN:
            if worst is Severity.ERROR:
                self.errors += 1
            else:
                self.warnings += 1
            self.latest = no
            if log.pin(no):
                self._pinned.append(no)
            if len(self._pinned) > MAX_PINNED:
                log.unpin(self._pinned.popleft())
        elif found.type is P.PUBLISH and found.version is Version.V5:
            self._remember(found)

    def _remember(self, found: Dissection) -> None:
        """The property list of the clean PUBLISH `found`, if it can be trusted whatever the payload is."""
        listed = found.first("mqtt.properties")
        if listed is None or listed.end - listed.start > _MAX_LIST + 1:
            return
        raw = found.raw[listed.start : listed.end]
        if property_offsets(raw, 0, len(raw), PropertyId.PAYLOAD_FORMAT_INDICATOR):
            return
        clean = self._clean[found.context.direction]
        if len(clean) >= _MAX_LISTS:
            clean.clear()
        clean[raw] = bool(property_offsets(raw, 0, len(raw), PropertyId.TOPIC_ALIAS))

    def settle(self, log: Log, caught_up: bool) -> None:
        """Tells the log how much is remembered."""
        lists = sum(map(len, self._clean))
        log.report("findings", lists * 200 + len(self._pinned) * 40)
