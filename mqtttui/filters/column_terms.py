"""Tests that need no bytes of a packet but the first: they are asked of the log's columns, once for each value that is there."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Protocol

from mqtttui.capture.log import Head, Log, Origin, Packet
from mqtttui.filters.ast import BitTest, Compare, Contains, Exists, In, Matches, TopicMatch
from mqtttui.filters.block import Block, Verdict
from mqtttui.filters.row import Facts, Row
from mqtttui.filters.types import Value
from mqtttui.protocol.enums import Direction, Version

Test = Callable[[Row], bool]
Leaf = Exists | BitTest | Compare | Contains | Matches | In | TopicMatch


class Screen(Protocol):
    """A test, or several, asked of a block."""

    cost: int
    """Cheap ones are asked first."""

    def screen(self, block: Block, mask: int) -> Verdict:
        """The verdict on the rows of `mask`; rows outside do not pass."""


class HeaderTerm:
    """A test of the first byte."""

    cost = 0

    def __init__(self, node: Leaf, test: Test, facts: Facts) -> None:
        self._tables = {version: bytes(test(sample_row(byte, version, facts)) for byte in range(256)) for version in Version}

    def screen(self, block: Block, mask: int) -> Verdict:
        """See Screen."""
        versions = block.versions
        if isinstance(versions, Version):
            passes = int.from_bytes(block.firsts.translate(self._tables[versions]), "little") & mask
        else:
            tables = self._tables
            verdicts = bytes(tables[version][first] for version, first in zip(versions, block.firsts, strict=True))
            passes = int.from_bytes(verdicts, "little") & mask
        return Verdict(passes, passes)


class ConnectionTerm:
    """A test of the connection and the direction."""

    cost = 1

    def __init__(self, node: Leaf, test: Test, facts: Facts) -> None:
        self._test = test

    def screen(self, block: Block, mask: int) -> Verdict:
        """See Screen."""
        connections, directions = block.connections, block.directions
        keys = set(connections) if connections.count(connections[0]) != block.count else {connections[0]}
        verdicts = bytearray()
        if len(keys) == 1:
            table = bytearray(256)
            for direction in Direction:
                if direction in directions:
                    table[direction] = self._test(block.row(directions.index(direction)))
            verdicts = bytearray(directions.tobytes().translate(table))
        else:
            known: dict[tuple[int, int], int] = {}
            for row, key in enumerate(zip(connections, directions, strict=True)):
                if key not in known:
                    known[key] = self._test(block.row(row))
                verdicts.append(known[key])
        passes = int.from_bytes(verdicts, "little") & mask
        return Verdict(passes, passes)


class LightTerm:
    """A test for which no packet is dissected: each row is asked."""

    cost = 7

    def __init__(self, node: Leaf, test: Test, facts: Facts) -> None:
        self._test = test

    def screen(self, block: Block, mask: int) -> Verdict:
        """See Screen."""
        verdicts = bytearray(block.count)
        for row in block.rows(mask):
            verdicts[row] = self._test(block.row(row))
        passes = int.from_bytes(verdicts, "little")
        return Verdict(passes, passes)


@cache
def _nowhere(version: Version) -> Log:
    """A log with one connection and no packets, for rows that are made up."""
    log = Log(1 << 20)
    log.open_connection(peer="", origin=Origin.FILE, mono=0, wall=0, version=version)
    return log


def sample_row(first: int, version: Version, facts: Facts, table: dict[str, list[Value]] | None = None) -> Row:
    """A packet of two bytes; with `table` it has no fields but those."""
    head = Head(first, 2, 0, 0, 0, Direction.C2S)
    return Row(_nowhere(version), 0, facts, head, Packet(0, bytes((first, 0)), 0, 0, 0, Direction.C2S, version), None, table)
