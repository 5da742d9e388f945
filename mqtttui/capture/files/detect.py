"""What a TCP stream carries, told by its bytes: MQTT, TLS, HTTP; and where in the middle of a stream a packet begins.

The rules for MQTT: a CONNECT is certain. Elsewhere a chain of packets is plausible that have legal types and flags, the
lengths that their types allow, and topics that are text. One such packet proves little; chains that end exactly where the
segment ends, as those of nearly all senders do, prove much.
"""

from __future__ import annotations

import re
from enum import Enum

from mqtttui.protocol.dissect import dissect
from mqtttui.protocol.enums import Direction, Severity, Version
from mqtttui.protocol.fields import Context

MQTT_PORT = 1883
SERVER_PORTS = frozenset({1883, 8883, 8083, 8084, 9001, 80, 443, 8080})
"""Ports on which brokers listen, MQTT and WebSocket."""

_CONNECT = re.compile(rb"\x10[\x80-\xff]{0,3}[\x00-\x7f](?:\x00\x04MQTT|\x00\x06MQIsdp)")
_CONNECT_LENGTH = 13
"""Type, up to four length bytes, and the longer name."""
_METHODS = (b"GET ", b"POST ", b"PUT ", b"HEAD ", b"OPTIONS ", b"DELETE ", b"PATCH ", b"CONNECT ", b"TRACE ", b"HTTP/1.")
_FLAGS = {6: 2, 8: 2, 10: 2}
"""Type -> the flags that it must have; 0 for all others but PUBLISH."""
_LENGTHS = {1: 10, 2: 2, 3: 2, 4: 2, 5: 2, 6: 2, 7: 2, 8: 5, 9: 3, 10: 4, 11: 2, 12: 0, 13: 0, 14: 0, 15: 0}
"""Type -> the smallest Remaining Length."""
_CLIENT_ONLY, _SERVER_ONLY = frozenset({1, 8, 10, 12}), frozenset({2, 9, 11, 13})
_SEARCHED = 16_384
"""Bytes of a segment in which the beginning of a packet is looked for."""
_STARTS = re.compile(rb"[\x10\x20\x30-\x35\x3a-\x3d\x40\x50\x62\x70\x82\x90\xa2\xb0\xc0\xd0\xe0\xf0]")


class Guess(Enum):
    """What the beginning of a stream looks like."""

    CONNECT = "an MQTT CONNECT"
    TLS = "TLS"
    HTTP = "HTTP"
    UNDECIDED = "too short to tell"
    OTHER = "something else"


def beginning(data: bytes) -> Guess:
    """What a stream, or what is captured of it, begins with."""
    if _CONNECT.match(data):
        return Guess.CONNECT
    if is_tls(data):
        return Guess.TLS
    if data.startswith(_METHODS):
        return Guess.HTTP
    if _may_become_connect(data) or (data[:1] in (b"\x14", b"\x15", b"\x16", b"\x17") and len(data) < 5):
        return Guess.UNDECIDED
    if len(data) < 8 and any(method.startswith(data) for method in _METHODS):
        return Guess.UNDECIDED
    return Guess.OTHER


def is_tls(data: bytes) -> bool:
    """Whether a TLS record begins here (RFC 8446, section 5.1)."""
    if len(data) < 5 or not 0x14 <= data[0] <= 0x17 or data[1] != 3 or data[2] > 4:
        return False
    return 0 < (data[3] << 8 | data[4]) <= 16_384 + 2_048


def _may_become_connect(data: bytes) -> bool:
    if not data or data[0] != 0x10 or len(data) >= _CONNECT_LENGTH:
        return not data
    at = 1
    while at < len(data) and data[at] & 0x80 and at < 4:
        at += 1
    name = data[at + 1 :]
    return b"\x00\x04MQTT".startswith(name[:6]) or b"\x00\x06MQIsdp".startswith(name)


def packet_size(data: bytes, at: int) -> int:
    """Size of the packet that begins at `at` if it is plausible, -1 if not, 0 if too little of it is there to tell."""
    size = len(data)
    first = data[at]
    kind = first >> 4
    if kind == 3:
        if first & 0x06 == 0x06 or first & 0x0E == 0x08:
            return -1
    elif first & 0x0F != _FLAGS.get(kind, 0) or not kind:
        return -1
    length = shift = 0
    place = at + 1
    while True:
        if place >= size:
            return 0
        byte = data[place]
        place += 1
        length |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
        shift += 7
        if shift > 21:
            return -1
    if (shift and not byte) or length < _LENGTHS[kind] or (kind in (12, 13) and length):
        return -1
    end = place + length
    if kind == 3 and place + 2 <= size and not _topic_plausible(data, first, place, end):
        return -1
    if kind == 1 and not data[place : place + 6].startswith((b"\x00\x04MQTT", b"\x00\x06MQIs")):
        return -1
    return end - at


def _topic_plausible(data: bytes, first: int, at: int, end: int) -> bool:
    topic_end = at + 2 + (data[at] << 8 | data[at + 1])
    if topic_end + (2 if first & 6 else 0) > end:
        return False
    topic = data[at + 2 : min(topic_end, len(data), at + 402)]
    if any(byte < 0x20 or byte in b"#+" for byte in topic):
        return False
    try:
        topic.decode("utf-8", "strict" if topic_end <= min(len(data), at + 402) else "ignore")
    except UnicodeDecodeError:
        return False
    return True


def chain(data: bytes, at: int) -> tuple[int, int]:
    """How many plausible packets follow each other from `at` on, and where the last of them ends; it may reach beyond `data`."""
    count = 0
    size = len(data)
    while at < size:
        step = packet_size(data, at)
        if step < 0:
            break
        count += 1
        at = at + step if step else size
    return count, at


def boundary(data: bytes) -> int | None:
    """Where in a segment from the middle of a stream a packet begins; None if that cannot be told."""
    count, end = chain(data, 0)
    if _CONNECT.match(data) or count > 1 or (count and (end == len(data) or (end > len(data) and data[0] >> 4 == 3))):
        return 0
    # From the back: a place is good if a plausible packet there ends at the end or at a good place.
    searched = data[:_SEARCHED] if len(data) <= _SEARCHED else b""
    good = {len(searched)}
    best = None
    for match in reversed(list(_STARTS.finditer(searched))):
        at = match.start()
        step = packet_size(searched, at)
        if step > 0 and at + step in good:
            good.add(at)
            # Short acknowledgements occur by chance in payloads; a topic that is text does not.
            if (searched[at] >> 4 == 3 and step > 4) or step >= 6:
                best = at
    return best


def is_plausible(data: bytes) -> bool:
    """Whether a segment of an unknown stream is MQTT from its first byte to its last."""
    count, end = chain(data, 0)
    return count > 0 and end == len(data)


def weight(data: bytes) -> int:
    """How much a plausible segment proves: its packets, those with a topic or a name three times."""
    at = total = 0
    while at < len(data) and (step := packet_size(data, at)) > 0:
        total += 3 if data[at] >> 4 in (1, 3, 8, 10) and step > 4 else 1
        at += step
    return total


def sender(data: bytes) -> Direction | None:
    """Who sends the packets of a segment, if their types tell."""
    at = 0
    while at < len(data) and (step := packet_size(data, at)) > 0:
        kind = data[at] >> 4
        if kind in _CLIENT_ONLY:
            return Direction.C2S
        if kind in _SERVER_ONLY:
            return Direction.S2C
        at += step
    return None


class VersionGuess:
    """Tells MQTT 5 from 3.1.1 by packets, where no CONNECT was captured. 3.1 cannot be told from 3.1.1."""

    ENOUGH = 16
    """Packets that tell, after which the guess stands."""
    _MAX_SIZE = 4_096

    def __init__(self) -> None:
        self.votes = {Version.V311: 0, Version.V5: 0}

    @property
    def version(self) -> Version:
        """What most packets speak for."""
        return Version.V5 if self.votes[Version.V5] > self.votes[Version.V311] else Version.V311

    @property
    def told(self) -> int:
        """How many packets told anything."""
        return sum(self.votes.values())

    def look(self, direction: Direction, data: bytes) -> None:
        """Whole packets of a segment that begins with one."""
        at = 0
        size = len(data)
        while at < size and self.told < self.ENOUGH and (step := packet_size(data, at)) > 0 and at + step <= size:
            if 2 < step <= self._MAX_SIZE:
                self._packet(direction, data[at : at + step])
            at += step

    def _packet(self, direction: Direction, raw: bytes) -> None:
        new, old = (_readable(raw, direction, version) for version in (Version.V5, Version.V311))
        if new and (not old or raw[0] >> 4 == 3):
            # A payload that happens to be a list of legal properties is rarer than a PUBLISH of MQTT 5.
            self.votes[Version.V5] += 1
        elif old and not new:
            self.votes[Version.V311] += 1


def _readable(raw: bytes, direction: Direction, version: Version) -> bool:
    dissection = dissect(raw, Context(version, direction))
    return not dissection.malformed and not any(note.severity is Severity.ERROR for note in dissection.notes)
