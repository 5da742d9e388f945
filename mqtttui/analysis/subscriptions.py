"""How much each subscription brings: deliveries counted by Subscription Identifier if the message names any, else by topic."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from mqtttui.analysis.follower import Follower
from mqtttui.analysis.traffic import Window
from mqtttui.capture.log import Log, Span
from mqtttui.protocol.enums import Direction, PropertyId, Version
from mqtttui.protocol.peek import Buffer, property_offsets, publish_topic, variable
from mqtttui.protocol.topics import matches

MAX_CACHED_TOPICS = 10_000
"""Topics a peer whose matching filters are remembered; beyond that the memory starts anew."""


class Count(NamedTuple):
    """What a subscription brought."""

    total: int
    per_second: int


@dataclass(slots=True)
class _Filter:
    """One filter of a peer."""

    key: Hashable
    filter: bytes
    identifier: int | None
    window: Window


@dataclass(slots=True)
class _Peer:
    """The filters of a peer."""

    filters: list[_Filter] = field(default_factory=list)
    by_topic: dict[bytes, tuple[Window, ...]] = field(default_factory=dict)
    by_identifier: dict[int, tuple[Window, ...]] = field(default_factory=dict)


class SubscriptionCounters(Follower):
    """Follows the PUBLISH packets from the server and counts them for the filters that they match."""

    def __init__(self) -> None:
        super().__init__()
        self._peers: dict[str, _Peer] = {}
        self._of_connection: dict[int, _Peer | None] = {}

    def set_filters(self, peer: str, filters: Iterable[tuple[Hashable, bytes, int | None]]) -> None:
        """The filters of `peer` as (key, filter, Subscription Identifier or None). Known keys keep their counts."""
        state = self._peers.setdefault(peer, _Peer())
        windows = {item.key: item.window for item in state.filters}
        state.filters = [_Filter(key, text, identifier, windows.get(key) or Window()) for key, text, identifier in filters]
        state.by_topic.clear()
        state.by_identifier.clear()
        for item in state.filters:
            if item.identifier is not None:
                state.by_identifier[item.identifier] = (*state.by_identifier.get(item.identifier, ()), item.window)
        self._of_connection.clear()

    def of(self, peer: str, key: Hashable, now: int | None = None) -> Count:
        """What the filter `key` of `peer` brought; `now` in monotonic ns, None: the time of its latest delivery."""
        for item in self._peers.get(peer, _NOBODY).filters:
            if item.key == key:
                return Count(item.window.total, item.window.per_second(0 if now is None else now))
        return Count(0, 0)

    def read(self, log: Log, span: Span) -> None:
        """Counts the deliveries of `span`, those of one chunk (one time, one connection) at once."""
        segment, start, stop = span
        if not self._peers:
            return
        monos, connections = segment.monos, segment.connections
        while start < stop:
            mono, connection = monos[start], connections[start]
            run = stop if monos[stop - 1] == mono else bisect_right(monos, mono, start, stop)
            if connections[start:run].count(connection) != run - start:
                run = next(index for index in range(start, run) if connections[index] != connection)
            peer = self._peer(log, connection)
            if peer is not None and peer.filters:
                self._read_run(log, Span(segment, start, run), peer, mono)
            start = run

    def _read_run(self, log: Log, span: Span, peer: _Peer, mono: int) -> None:
        segment, start, stop = span
        data, ends, directions = segment.data, segment.ends, segment.directions
        version5 = log.version(segment.connections[start], segment.first + stop - 1) is Version.V5
        identified = bool(peer.by_identifier) and version5
        topics: dict[bytes, int] = {}
        begin = segment.start(start)
        for index in range(start, stop):
            end = ends[index]
            if 0x30 <= data[begin] < 0x40 and directions[index] == Direction.S2C:
                where = publish_topic(data, begin, end)
                if where is not None and segment.first + index not in segment.unframed:
                    topic = bytes(data[where[0] : where[1]]) or segment.topic(index) or b""
                    named = _identifiers(data, where[1] + (2 if data[begin] & 0x06 else 0), end) if identified else ()
                    if named:
                        for window in _windows(peer, topic, named):
                            window.add(mono, 1)
                    else:
                        topics[topic] = topics.get(topic, 0) + 1
            begin = end
        for topic, count in topics.items():
            for window in _windows(peer, topic, ()):
                window.add(mono, count)

    def settle(self, log: Log, caught_up: bool) -> None:
        """Tells the log how much is remembered."""
        log.report("subscriptions", sum(len(peer.by_topic) * 250 for peer in self._peers.values()))

    def _peer(self, log: Log, connection: int) -> _Peer | None:
        try:
            return self._of_connection[connection]
        except KeyError:
            peer = self._of_connection[connection] = self._peers.get(log.connection(connection).peer)
            return peer


_NOBODY = _Peer()


def _windows(peer: _Peer, topic: bytes, named: tuple[int, ...]) -> tuple[Window, ...]:
    if named:
        # [MQTT-3.3.4-3] to [MQTT-3.3.4-5]: a message names the identifiers of all subscriptions that caused it and have one.
        found = tuple(window for identifier in named for window in peer.by_identifier.get(identifier, ()))
        if found:
            return found + tuple(item.window for item in peer.filters if item.identifier is None and matches(item.filter, topic))
    known = peer.by_topic.get(topic)
    if known is None:
        if len(peer.by_topic) >= MAX_CACHED_TOPICS:
            peer.by_topic.clear()
        known = peer.by_topic[topic] = tuple(item.window for item in peer.filters if matches(item.filter, topic))
    return known


def _identifiers(data: Buffer, at: int, end: int) -> tuple[int, ...]:
    """The Subscription Identifiers among the properties whose length field is at `at`."""
    offsets = property_offsets(data, at, end, PropertyId.SUBSCRIPTION_IDENTIFIER)
    return tuple(variable(data, offset, end)[0] for offset in offsets)
