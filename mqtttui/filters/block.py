"""A run of rows as a filter's terms see it: columns, bytes, and what can be cut out of a PUBLISH without a dissection.

Rules:
1. Rows are indexes from 0. What a function here gives for a row is what the dissector would give; where that is not
   certain (a broken length, an unknown property, a row that is no packet) it gives None, and the row has to be dissected.
2. A verdict of many rows is two integers with one byte a row, 0 or 1: rows that pass for sure, and rows that may pass.
   `and`, `or` and `not` of whole blocks are then one operation each.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import compress
from typing import NamedTuple

from mqtttui.capture.log import Log, Span
from mqtttui.filters.patterns import Pattern, texts_in
from mqtttui.filters.row import Facts, Row
from mqtttui.protocol.enums import Version
from mqtttui.protocol.peek import body_start, properties_hold, variable

NO, YES, TEST = 0, 1, 2
"""The verdict on one row: does not pass, passes, has to be dissected."""

_PASSES = bytes((0, 1)) + bytes(254)
_MAY_PASS = bytes((0, 1, 1)) + bytes(253)
_PUBLISH_BYTES = bytes(range(0x30, 0x40))
_QOS_0 = bytes(byte for byte in range(256) if not byte & 6)
_PUBLISH = bytes(byte >> 4 == 3 for byte in range(256))
_SECONDS = 0.5
"""Time for one pattern in a block."""
_SELDOM = 2
"""A text is seldom if there are fewer of it than one in so many rows."""
_PADDING = 4
_FIRST_ACK = 0x40
_MAX_LIST = 65_535
"""Bytes of a property list that is stepped over without a dissection."""


class Verdict(NamedTuple):
    """Of all rows of a block, one byte a row."""

    passes: int
    may_pass: int


class Block:
    """Rows `first` to `last` of the log: a part of one segment."""

    def __init__(self, log: Log, facts: Facts, span: Span) -> None:
        segment, start, stop = span
        self.log = log
        self.facts = facts
        self.segment = segment
        self.first = segment.first + start
        self.count = stop - start
        self.firsts = segment.first_bytes[start:stop].tobytes()
        self.connections = segment.connections[start:stop]
        self.directions = segment.directions[start:stop]
        self.odd = [no - self.first for no in segment.unframed if 0 <= no - self.first < self.count]
        """Rows that are no packets."""
        self._span = span
        self._bounds: tuple[list[int], list[int]] | None = None
        """Of the topics of all rows, if all are PUBLISH."""
        self.everything = int.from_bytes(b"\1" * self.count, "little")

    # --- rows

    @cached_property
    def raw(self) -> bytes:
        """The bytes of all rows back to back, and a few zeros, so that a look at a broken last row stays inside."""
        segment, start, stop = self._span
        return b"".join((memoryview(segment.data)[segment.start(start) : segment.ends[stop - 1]], bytes(_PADDING)))

    @cached_property
    def ends(self) -> list[int]:
        """Where each row ends in `raw`."""
        segment, start, stop = self._span
        base = segment.start(start)
        return [end - base for end in segment.ends[start:stop]]

    @cached_property
    def starts(self) -> list[int]:
        """Where each row starts in `raw`."""
        return [0, *self.ends[:-1]]

    def row(self, index: int) -> Row:
        """The row at `index`, for a test of its own."""
        return Row(self.log, self.first + index, self.facts)

    def verdict(self, verdicts: bytes | bytearray) -> Verdict:
        """One byte a row, NO, YES or TEST, as a verdict."""
        return Verdict(
            int.from_bytes(verdicts.translate(_PASSES), "little"),
            int.from_bytes(verdicts.translate(_MAY_PASS), "little"),
        )

    def rows(self, mask: int) -> Sequence[int]:
        """The rows that are 1 in `mask`."""
        if mask == self.everything:
            return range(self.count)
        return list(compress(range(self.count), mask.to_bytes(self.count, "little"))) if mask else ()

    def numbers(self, mask: int) -> Iterable[int]:
        """The numbers of the packets that are 1 in `mask`."""
        numbers = range(self.first, self.first + self.count)
        return numbers if mask == self.everything else compress(numbers, mask.to_bytes(self.count, "little")) if mask else ()

    def of_types(self, rows: Sequence[int], types: bytes) -> Sequence[int]:
        """Those of `rows` whose first byte is marked in the table `types`."""
        kinds = self.firsts.translate(types)
        return [row for row in rows if kinds[row]] if any(kinds) else ()

    def publishes(self, rows: Sequence[int]) -> Sequence[int]:
        """Those of `rows` that are PUBLISH."""
        if len(rows) == self.count and not self.firsts.translate(None, _PUBLISH_BYTES):
            return rows
        return self.of_types(rows, _PUBLISH)

    @cached_property
    def versions(self) -> list[Version] | Version:
        """The version of each row, or the one of all."""
        first, last = self.first, self.first + self.count - 1
        numbers = set(self.connections)
        ends = {self.log.version(number, no) for number in numbers for no in (first, last)}
        if len(ends) == 1 and all(self.log.steady(number, first, last) for number in numbers):
            return ends.pop()
        return [self.log.version(number, self.first + row) for row, number in enumerate(self.connections)]

    def is_v5(self, rows: Sequence[int]) -> list[bool]:
        """Whether each of `rows` is of a connection that speaks MQTT 5."""
        versions = self.versions
        if isinstance(versions, Version):
            return [versions is Version.V5] * len(rows)
        return [versions[row] is Version.V5 for row in rows]

    @cached_property
    def resolved(self) -> dict[int, bytes]:
        """Rows whose topic comes from an alias -> that topic."""
        segment, start, stop = self._span
        return {index - start: topic for index, topic in segment.resolved(start, stop)}

    def containing(self, literal: bytes, most: int) -> set[int] | None:
        """The rows in whose bytes `literal` stands; None if there are more than `most`."""
        found: set[int] = set()
        raw, ends = self.raw, self.ends
        last = ends[-1]
        at = raw.find(literal, 0, last)
        while at >= 0:
            row = bisect_right(ends, at)
            if at + len(literal) <= ends[row]:
                found.add(row)
                if len(found) > most:
                    return None
                at = raw.find(literal, ends[row], last)
            else:
                at = raw.find(literal, at + 1, last)
        return found

    def finding(self, pattern: Pattern, most: int | None = None) -> dict[int, int] | None:
        """The rows in whose bytes a pattern of fixed length finds something -> where it does last, counted in `raw`.

        None if there are more than `most`, or if it takes too long.
        """
        found: dict[int, int] = {}
        ends, row = self.ends, 0
        try:
            for at, end in self._places(pattern):
                if at >= ends[row]:
                    row = bisect_right(ends, at, row)
                if end <= ends[row]:
                    found[row] = at
                    if most is not None and len(found) > most:
                        return None
        except TimeoutError:
            return None
        return found

    def _places(self, pattern: Pattern) -> Iterator[tuple[int, int]]:
        """Where a pattern of fixed length finds something, rising. Raises TimeoutError."""
        raw, last = self.raw, self.ends[-1]
        low = self._low
        # The text in it that is seldom there shows where it is worth a try.
        count, offset, text = min(((low.count(text), offset, text) for offset, text in texts_in(pattern.source)), default=(last, 0, b""))
        if count > self.count // _SELDOM:
            yield from (match.span() for match in pattern.compiled.finditer(raw, 0, last, overlapped=True, timeout=_SECONDS))
            return
        at = low.find(text, offset)
        while at >= 0:
            # It takes as many steps as it has signs: no need for a time-out, which costs more.
            match = pattern.compiled.match(raw, at - offset, last)
            if match:
                yield match.span()
            at = low.find(text, at + 1)

    @cached_property
    def _low(self) -> bytes:
        """`raw` in lower case: patterns do not tell cases apart."""
        return self.raw.lower()

    # --- what can be cut out of packets

    def _of(self, column: Sequence[int], rows: Sequence[int]) -> Sequence[int]:
        return column if len(rows) == self.count else [column[row] for row in rows]

    def remaining_lengths(self, rows: Sequence[int]) -> list[int]:
        """Remaining Length of framed `rows`."""
        raw = self.raw
        return [raw[at + 1] if raw[at + 1] < 0x80 else variable(raw, at + 1, len(raw))[0] for at in self._of(self.starts, rows)]

    def _heads(self, rows: Sequence[int]) -> list[int]:
        """Where a packet goes on behind its fixed header."""
        raw = self.raw
        return [at + 2 if raw[at + 1] < 0x80 else body_start(raw, at) for at in self._of(self.starts, rows)]

    def _topic_bounds(self, rows: Sequence[int]) -> tuple[list[int], list[int]]:
        """Where the topic begins and ends; the end is behind the packet if it does not fit."""
        if self._bounds is not None and len(rows) == self.count:
            return self._bounds
        raw, starts = self.raw, self._of(self.starts, rows)
        # Nearly always Remaining Length is one byte in all of them.
        ends = [at + 4 + (raw[at + 2] << 8 | raw[at + 3]) if raw[at + 1] < 0x80 else 0 for at in starts]
        if 0 in ends:
            begins = [head + 2 for head in self._heads(rows)]
            found = begins, [begin + (raw[begin - 2] << 8 | raw[begin - 1]) for begin in begins]
        else:
            found = [at + 4 for at in starts], ends
        if len(rows) == self.count:
            self._bounds = found
        return found

    def topics(self, rows: Sequence[int]) -> list[bytes | None]:
        """Topics of PUBLISH packets; None too for an empty one that no alias gives a name."""
        raw = self.raw
        bounds = zip(*self._topic_bounds(rows), self._of(self.ends, rows), strict=True)
        found = [raw[begin:stop] or None if stop <= end else None for begin, stop, end in bounds]
        if self.resolved:
            for position, row in enumerate(rows):
                if found[position] is None:
                    found[position] = self.resolved.get(row)
        return found

    def topic_lengths(self, rows: Sequence[int]) -> list[int | None]:
        """Lengths of the topics of PUBLISH packets on the wire."""
        bounds = zip(*self._topic_bounds(rows), self._of(self.ends, rows), strict=True)
        return [stop - begin if stop <= end else None for begin, stop, end in bounds]

    def packet_ids(self, rows: Sequence[int]) -> list[int | None]:
        """Packet Identifiers of PUBLISH and of the four acknowledgements; -1 for QoS 0."""
        raw, firsts = self.raw, self.firsts
        found: list[int | None] = []
        for row, head, end in zip(rows, self._heads(rows), self._of(self.ends, rows), strict=True):
            first, at = firsts[row], head
            if first < _FIRST_ACK:
                at += 2 + (raw[head] << 8 | raw[head + 1])
                if not first & 6:
                    found.append(-1 if at <= end else None)
                    continue
            found.append(raw[at] << 8 | raw[at + 1] if at + 2 <= end else None)
        return found

    def property_lists(self, rows: Sequence[int]) -> list[bytes | None]:
        """Property lists of PUBLISH packets of MQTT 5, without their length; empty in other versions."""
        found: list[bytes | None] = []
        for row, v5, at in zip(rows, self.is_v5(rows), self._topic_bounds(rows)[1], strict=True):
            where = self._properties(row, at) if v5 else (0, 0)
            found.append(None if where is None else self.raw[where[0] : where[1]])
        return found

    def payloads(self, rows: Sequence[int]) -> list[bytes | None]:
        """Payloads of PUBLISH packets."""
        raw, ends = self.raw, self._of(self.ends, rows)
        return [raw[at:end] if at <= end else None for at, end in zip(self.payload_starts(rows), ends, strict=True)]

    def payload_lengths(self, rows: Sequence[int]) -> list[int | None]:
        """Lengths of the payloads of PUBLISH packets."""
        ends = self._of(self.ends, rows)
        return [end - at if at <= end else None for at, end in zip(self.payload_starts(rows), ends, strict=True)]

    def payload_starts(self, rows: Sequence[int]) -> list[int]:
        """Where the payloads of PUBLISH packets begin; behind the packet if that is not certain."""
        raw, firsts = self.raw, self.firsts
        found = self._topic_bounds(rows)[1]
        if firsts.translate(None, _QOS_0):
            found = [at + 2 if firsts[row] & 6 else at for row, at in zip(rows, found, strict=True)]
        if self.versions not in (Version.V31, Version.V311):
            for position, (row, v5) in enumerate(zip(rows, self.is_v5(rows), strict=True)):
                at, end = found[position], self.ends[row]
                if v5 and at < end and not raw[at]:
                    found[position] = at + 1
                elif v5:
                    where = self._properties(row, at - 2 if firsts[row] & 6 else at)
                    found[position] = end + 1 if where is None else where[1]
        return found

    def _properties(self, row: int, topic_end: int) -> tuple[int, int] | None:
        """Where the properties lie behind a topic, without their length."""
        end = self.ends[row]
        length, at = variable(self.raw, topic_end + (2 if self.firsts[row] & 6 else 0), end)
        if length < 0 or at + length > end or length > _MAX_LIST or not properties_hold(self.raw, at, at + length):
            return None
        return at, at + length
