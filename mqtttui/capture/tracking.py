"""What later packets of a connection need to know of earlier ones: its version and its topic aliases.

Each direction has an alias table of its own (MQTT 5, section 3.3.2.3.4); Wireshark's common table is wrong.
"""

from __future__ import annotations

from typing import NamedTuple

from mqtttui.protocol.enums import Direction, PropertyId, Version
from mqtttui.protocol.peek import Buffer, connect_version, property_offsets, publish_topic, uint16

MAX_ALIAS_BYTES = 4 * 1024 * 1024
"""Most bytes of topics that one direction may bind; a peer that goes beyond has its further aliases left unresolved."""


class Alias(NamedTuple):
    """The topic alias of a PUBLISH."""

    alias: int
    topic: bytes | None
    """What it stands for after this packet, None if unknown."""
    binds: bool
    """The packet has a topic of its own, to which the alias is bound from now on."""


class Tracker:
    """Version and alias tables of one connection."""

    __slots__ = ("_sizes", "_tables", "version")

    def __init__(self, version: Version) -> None:
        self.version = version
        self._tables: tuple[dict[int, bytes], dict[int, bytes]] = ({}, {})
        self._sizes = [0, 0]

    def connect(self, data: Buffer, start: int, end: int) -> Version | None:
        """The version of the CONNECT `data[start:end]`, from now on that of the connection; None if its level is unknown."""
        version = connect_version(data, start, end)
        if version is not None:
            self.version = version
        return version

    def publish(self, direction: Direction, data: Buffer, start: int, end: int) -> Alias | None:
        """The alias of the v5 PUBLISH `data[start:end]`, None if it has none. Learns what it binds."""
        where = publish_topic(data, start, end)
        if where is None:
            return None
        topic_start, topic_end = where
        found = property_offsets(data, topic_end + (2 if data[start] & 0x06 else 0), end, PropertyId.TOPIC_ALIAS)
        if not found:
            return None
        number = uint16(data, found[0])
        table = self._tables[direction]
        if topic_start == topic_end:
            return Alias(number, table.get(number), False)
        topic = bytes(data[topic_start:topic_end])
        self._sizes[direction] -= len(table.pop(number, b""))
        if self._sizes[direction] + len(topic) > MAX_ALIAS_BYTES:
            return Alias(number, None, False)
        self._sizes[direction] += len(topic)
        table[number] = topic
        return Alias(number, topic, True)
