"""Request and response of MQTT 5 (section 4.10): messages with a Response Topic, and those that come on it.

Theory of operation: nothing is done per packet. Requests are found by searching the bytes for the property's identifier in
front of a length, responses by searching them for the topics that are waited for; only hits are looked at. A response may
go either way: besides ours and the broker's there are observers that see both pass by.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from mqtttui.capture.log import Log, Span
from mqtttui.protocol.enums import PropertyId, Version
from mqtttui.protocol.peek import Buffer, property_offsets, publish_topic, uint16

MAX_WAITING = 1_024
"""Requests that wait for a response, over all connections; the oldest are given up."""
_MAX_ALTERNATIVES = 32
"""Topics that are searched for at once; with more, the topic of each PUBLISH is looked up."""
_RESPONSE_TOPIC = re.compile(rb"\x08[\x00-\x1f]")
"""Response topics of up to 8,191 bytes."""


class Request(NamedTuple):
    """A message that asks for a response."""

    no: int
    connection: int
    topic: bytes
    """Response Topic."""
    correlation: bytes | None


class Response(NamedTuple):
    """A message that answers one or more requests: the relayed copy of a request counts as one of its own."""

    no: int
    requests: tuple[int, ...]


class Waiting:
    """The requests without a response."""

    def __init__(self) -> None:
        self._by_topic: dict[tuple[int, bytes], list[Request]] = {}
        self._open: dict[int, Request] = {}
        self._search: re.Pattern[bytes] | None = None

    def __len__(self) -> int:
        return len(self._open)

    def add(self, request: Request) -> Request | None:
        """Waits for the response to `request`. Gives the oldest request if it is given up for that."""
        self._open[request.no] = request
        key = (request.connection, request.topic)
        if key not in self._by_topic:
            self._search = None
        self._by_topic.setdefault(key, []).append(request)
        if len(self._open) <= MAX_WAITING:
            return None
        oldest = next(iter(self._open.values()))
        self.drop(oldest.no)
        return oldest

    def drop(self, no: int) -> None:
        """Waits no more for a response to request `no`."""
        request = self._open.pop(no, None)
        if request is None:
            return
        key = (request.connection, request.topic)
        left = [other for other in self._by_topic[key] if other.no != no]
        if left:
            self._by_topic[key] = left
        else:
            del self._by_topic[key]
            self._search = None

    def responses(self, log: Log, span: Span) -> Iterator[Response]:
        """The first responses among the packets of `span`, rising. Their requests wait no more."""
        for index in sorted(self._candidates(span)) if self._open else ():
            segment = span.segment
            begin, end, no = segment.start(index), segment.ends[index], segment.first + index
            if not 0x30 <= segment.data[begin] < 0x40 or no in segment.unframed:
                continue
            where = publish_topic(segment.data, begin, end)
            if where is None:
                continue
            topic = bytes(segment.data[where[0] : where[1]]) or segment.topic(index) or b""
            waiting = self._by_topic.get((segment.connections[index], topic))
            if waiting and (found := self._answered(waiting, no, _correlation(segment.data, begin, where[1], end))):
                for request in found:
                    self.drop(request)
                yield Response(no, found)

    def _answered(self, waiting: list[Request], no: int, correlation: bytes | None) -> tuple[int, ...]:
        fitting = [request.no for request in waiting if request.correlation == correlation and request.no < no]
        # Without Correlation Data they are answered in order.
        return tuple(fitting if correlation is not None else fitting[:1])

    def _candidates(self, span: Span) -> set[int]:
        """Indexes of packets that may be on a topic that is waited for."""
        segment, start, stop = span
        topics = {topic for _, topic in self._by_topic}
        found = {index for index, topic in segment.resolved(start, stop) if topic in topics}
        if len(topics) > _MAX_ALTERNATIVES:
            firsts = segment.first_bytes
            return found | {index for index in range(start, stop) if 0x30 <= firsts[index] < 0x40}
        if self._search is None:
            self._search = re.compile(b"|".join(re.escape(len(topic).to_bytes(2, "big") + topic) for topic in topics))
        ends = segment.ends
        for match in self._search.finditer(segment.data, segment.start(start), ends[stop - 1]):
            found.add(bisect_right(ends, match.start(), start, stop))
        return found


def requests(log: Log, span: Span) -> Iterator[Request]:
    """The messages of `span` that ask for a response, rising."""
    segment, start, stop = span
    data, ends = segment.data, segment.ends
    at, last = segment.start(start), ends[stop - 1]
    while match := _RESPONSE_TOPIC.search(data, at, last):
        index = bisect_right(ends, match.start(), start, stop)
        begin, at, no = segment.start(index), ends[index], segment.first + index
        connection = segment.connections[index]
        if not 0x30 <= data[begin] < 0x40 or no in segment.unframed or log.version(connection, no) is not Version.V5:
            continue
        where = publish_topic(data, begin, at)
        if where is None:
            continue
        found = property_offsets(data, _properties(data, begin, where[1]), at, PropertyId.RESPONSE_TOPIC)
        topic = _string(data, found[0]) if found else b""
        if topic:
            yield Request(no, connection, topic, _correlation(data, begin, where[1], at))


def _properties(data: Buffer, begin: int, topic_end: int) -> int:
    return topic_end + (2 if data[begin] & 0x06 else 0)


def _correlation(data: Buffer, begin: int, topic_end: int, end: int) -> bytes | None:
    found = property_offsets(data, _properties(data, begin, topic_end), end, PropertyId.CORRELATION_DATA)
    return _string(data, found[0]) if found else None


def _string(data: Buffer, at: int) -> bytes:
    return bytes(data[at + 2 : at + 2 + uint16(data, at)])
