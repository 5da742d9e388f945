"""A filter's tests, each asked of a whole block of rows at once: no, yes, or "has to be dissected".

Theory of operation: a test is a function of the fields that it names. Where these depend on something that many packets
share (the first byte, the connection, a topic, a list of properties), the real test is asked once for each such thing, and
its answer is used for all of them. Where they can be cut out of the packet (its payload, its identifier), the real test is
asked of a row that has nothing but that. And a test for a text can only pass where the bytes have that text somewhere.
No test is written a second time here, so that a block says what the filter would have said of each row.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import TypeVar, cast

from mqtttui.analysis.pairs import request_topic
from mqtttui.filters.ast import (
    Call,
    Compare,
    Contains,
    FieldRef,
    Function,
    In,
    Literal,
    Matches,
    Relation,
    operands,
)
from mqtttui.filters.block import NO, TEST, Block, Verdict
from mqtttui.filters.column_terms import ConnectionTerm, HeaderTerm, Leaf, LightTerm, Screen, Test, sample_row
from mqtttui.filters.dependence import (
    ANY_TYPE,
    BEHIND_IDENTIFIER,
    CONNECTION,
    HEADER,
    LIGHT,
    LIST_ITSELF,
    PAYLOAD,
    WITH_PROPERTIES,
    types_of,
)
from mqtttui.filters.patterns import Pattern, is_fixed
from mqtttui.filters.row import Facts, Row
from mqtttui.filters.types import TEXTUAL, Value
from mqtttui.protocol.enums import PacketType as P
from mqtttui.protocol.enums import Version

Key = TypeVar("Key", bound=Hashable)

MAX_REMEMBERED = 10_000
"""Topics, property lists and the like whose verdict is remembered; then the memory starts anew."""
_LONGEST_REMEMBERED = 1_024
_FEW = 4
"""A part of a block below one fourth is few rows: they are looked at one by one."""
_SHORTEST_SEARCHED = 2
"""Bytes of a text for which a block is searched."""


class Memo(dict[Key | None, int]):
    """What `ask` said of each key. None is what could not be cut out: TEST."""

    def __init__(self, ask: Callable[[Key], bool]) -> None:
        super().__init__()
        self._ask = ask
        self[None] = TEST

    def __missing__(self, key: Key) -> int:
        if len(self) > MAX_REMEMBERED:
            self.clear()
            self[None] = TEST
        verdict = int(self._ask(key))
        if not isinstance(key, bytes) or len(key) <= _LONGEST_REMEMBERED:
            self[key] = verdict
        return verdict


class Term:
    """A single test. This one asks every row of a type that can have the field to be dissected; others are below."""

    cost = 9

    def __init__(self, node: Leaf, test: Test, facts: Facts) -> None:
        self._test = test
        self._facts = facts
        names = {ref.spec.name for ref in operands(node)}
        types = frozenset().union(*(types_of(name) for name in names))
        absent = NO if types == ANY_TYPE else int(test(self._sample({})))
        self._by_type = bytes(TEST if byte >> 4 in types else absent for byte in range(256))
        self._not_in_short_acks = all(name.startswith(BEHIND_IDENTIFIER) for name in names)
        self._absent = absent
        self._literal = _literal(node)
        self._pattern = _fixed_pattern(node)
        self._may_be_resolved = "mqtt.topic" in names

    def screen(self, block: Block, mask: int) -> Verdict:
        """See Screen."""
        verdicts = bytearray(block.firsts.translate(self._by_type))
        wanted = self._candidates(block, mask, verdicts)
        if self._not_in_short_acks:
            for row in block.of_types(wanted, _FOUR_ACKS):
                if block.ends[row] - block.starts[row] == _SHORT_ACK:
                    verdicts[row] = self._absent
        self._decide(block, wanted, verdicts)
        found = block.verdict(verdicts)
        return Verdict(found.passes & mask, found.may_pass & mask)

    def _candidates(self, block: Block, mask: int, verdicts: bytearray) -> Sequence[int]:
        """The rows that are worth a look; of the others `verdicts` gets the verdict."""
        if self._literal or self._pattern:
            hits = self._hits(block, block.count // _FEW)
            if hits is not None:
                verdicts[:] = bytes(block.count)
                if self._may_be_resolved and block.resolved:
                    hits |= block.resolved.keys()
                wanted = mask.to_bytes(block.count, "little")
                rows = sorted(row for row in hits if wanted[row])
                for row in rows:
                    verdicts[row] = self._by_type[block.firsts[row]]
                return rows
        return block.rows(mask)

    def _hits(self, block: Block, most: int) -> set[int] | None:
        if self._literal:
            return block.containing(self._literal, most)
        # Only where it spares dissections: topics are remembered, and payloads have their own way.
        found = block.finding(self._pattern, most) if self._pattern and type(self) is Term else None
        return None if found is None else set(found)

    def _decide(self, block: Block, rows: Sequence[int], verdicts: bytearray) -> None:
        """Verdicts for `rows`, where something better than TEST is known."""

    def _sample(self, table: dict[str, list[Value]]) -> Row:
        """A row that has nothing but the fields of `table`."""
        return sample_row(0x30, Version.V311, self._facts, table)


class PublishTerm(Term):
    """A test of something that can be cut out of a PUBLISH."""

    cost = 4

    def __init__(self, node: Leaf, test: Test, facts: Facts, name: str) -> None:
        super().__init__(node, test, facts)
        self._name = name
        self._cut = _CUT[name]
        self._memo: Memo[Hashable] = Memo(self._ask)

    def _ask(self, value: Hashable) -> bool:
        assert isinstance(value, bytes | int)
        return self._test(self._sample({} if value == -1 else {self._name: [value]}))

    def _decide(self, block: Block, rows: Sequence[int], verdicts: bytearray) -> None:
        rows = self._rows(block, rows)
        _set(verdicts, rows, map(self._memo.__getitem__, self._cut(block, rows)))

    def _rows(self, block: Block, rows: Sequence[int]) -> Sequence[int]:
        """Those from which it can be cut out."""
        return block.publishes(rows)


class IdentifierTerm(PublishTerm):
    """A test of the Packet Identifier, which the four acknowledgements begin with."""

    def _rows(self, block: Block, rows: Sequence[int]) -> Sequence[int]:
        return block.of_types(rows, _FLOW)


class PayloadLengthTerm(PublishTerm):
    """A test of the length of the payload."""

    def _ask(self, value: Hashable) -> bool:
        assert isinstance(value, int)
        return self._test(self._sample({self._name: [bytes(value)]}))


class TopicTerm(PublishTerm):
    """A test of the topic that a packet has, or of the one of the message that it acknowledges."""

    def _decide(self, block: Block, rows: Sequence[int], verdicts: bytearray) -> None:
        super()._decide(block, rows, verdicts)
        acknowledging = block.firsts.translate(_ACKNOWLEDGEMENTS)
        pairs, log = self._facts.pairs, block.log
        for row in rows if any(acknowledging) else ():
            if acknowledging[row]:
                no = block.first + row
                start = no if pairs is None else pairs.start_of(no)
                if start == no or start not in log:
                    verdicts[row] = self._memo[-1]
                elif log.head(start).first_byte >> 4 == P.PUBLISH:
                    verdicts[row] = self._memo[request_topic(log[start]) or None]


class PayloadTerm(PublishTerm):
    """A test of the payload: each is another, nothing is remembered."""

    cost = 5

    def _decide(self, block: Block, rows: Sequence[int], verdicts: bytearray) -> None:
        if self._pattern and len(rows) > block.count // _FEW and (found := block.finding(self._pattern)) is not None:
            verdicts[:] = bytes(block.count)
            rows = block.publishes(sorted(found if len(rows) == block.count else found.keys() & set(rows)))
            for row, at in zip(rows, block.payload_starts(rows), strict=True):
                verdicts[row] = TEST if at > block.ends[row] else found[row] >= at
            return
        test, values = self._test, [b""]
        # One row for all: what changes is the only value that it has.
        sample = self._sample({self._name: cast("list[Value]", values)})
        rows = block.publishes(rows)
        raw, ends, text = block.raw, block.ends, self._literal or b""
        for row, at in zip(rows, block.payload_starts(rows), strict=True):
            end = ends[row]
            if at > end:
                continue
            if raw.find(text, at, end) < 0:
                verdicts[row] = NO
            else:
                values[0] = raw[at:end]
                verdicts[row] = test(sample)


class PropertyTerm(Term):
    """A test of properties: of a PUBLISH with the same list it says the same."""

    cost = 6

    def __init__(self, node: Leaf, test: Test, facts: Facts) -> None:
        super().__init__(node, test, facts)
        self._without = int(test(self._sample({})))
        self._known: dict[bytes, int] = {}

    def _decide(self, block: Block, rows: Sequence[int], verdicts: bytearray) -> None:
        rows = block.publishes(rows)
        for row, found in zip(rows, block.property_lists(rows), strict=True):
            if found is None:
                continue
            if not found:
                verdicts[row] = self._without
                continue
            verdict = self._known.get(found)
            if verdict is None:
                verdict = int(self._test(block.row(row)))
                if len(self._known) >= MAX_REMEMBERED:
                    self._known.clear()
                if len(found) <= _LONGEST_REMEMBERED:
                    self._known[found] = verdict
            verdicts[row] = verdict


class LengthTerm(Term):
    """A test of Remaining Length."""

    cost = 3

    def __init__(self, node: Leaf, test: Test, facts: Facts) -> None:
        super().__init__(node, test, facts)
        self._memo: Memo[int] = Memo(lambda length: test(self._sample({"mqtt.len": [length]})))

    def _decide(self, block: Block, rows: Sequence[int], verdicts: bytearray) -> None:
        _set(verdicts, rows, map(self._memo.__getitem__, block.remaining_lengths(rows)))


_ACKNOWLEDGEMENTS = bytes(byte >> 4 in (4, 5, 6, 7, 9, 11) for byte in range(256))
_FOUR_ACKS = bytes(4 <= byte >> 4 <= 7 for byte in range(256))
_FLOW = bytes(3 <= byte >> 4 <= 7 for byte in range(256))
_SHORT_ACK = 4
"""Bytes of an acknowledgement that has an identifier and nothing else."""
_CUT: dict[str, Callable[[Block, Sequence[int]], Sequence[Hashable]]] = {
    "mqtt.topic": Block.topics,
    "mqtt.topic_len": Block.topic_lengths,
    "mqtt.msgid": Block.packet_ids,
    "mqtt.msg": Block.payload_lengths,
}


def term(node: Leaf, test: Test, facts: Facts) -> Screen:
    """The way to ask `test`, which is what `node` means, of a block."""
    names = {ref.spec.name for ref in operands(node)}
    if names <= HEADER:
        return HeaderTerm(node, test, facts)
    if names <= CONNECTION:
        return ConnectionTerm(node, test, facts)
    if names <= LIGHT | CONNECTION:
        return LightTerm(node, test, facts)
    if names == {"mqtt.len"}:
        return LengthTerm(node, test, facts)
    if names <= PAYLOAD:
        length = isinstance(node, Compare | In) and isinstance(node.left, Call) and node.left.function is Function.LEN
        alone = not isinstance(node, Compare) or isinstance(node.right, Literal)
        kind = PayloadLengthTerm if length and alone and names == {"mqtt.msg"} else PayloadTerm
        return kind(node, test, facts, "mqtt.msg")
    if len(names) == 1 and (name := next(iter(names))) in _CUT:
        return (IdentifierTerm if name == "mqtt.msgid" else PublishTerm)(node, test, facts, name)
    if names == {"mqtttui.topic"}:
        return TopicTerm(node, test, facts, "mqtt.topic")
    if all(types_of(name) is WITH_PROPERTIES for name in names) and not names & LIST_ITSELF:
        return PropertyTerm(node, test, facts)
    return Term(node, test, facts)


def _set(verdicts: bytearray, rows: Sequence[int], found: Iterator[int]) -> None:
    """What was `found` of `rows`, in their order."""
    if len(rows) == len(verdicts):
        verdicts[:] = bytes(found)
    else:
        for row, verdict in zip(rows, found, strict=True):
            verdicts[row] = verdict


def _fixed_pattern(node: Leaf) -> Pattern | None:
    """A pattern that finds something in the bytes of every packet that passes, and always as many bytes as it has signs."""
    match node:
        case Matches(FieldRef() as field, Pattern() as pattern) if field.spec.dissected:
            return pattern if is_fixed(pattern.source) else None
        case _:
            return None


def _literal(node: Leaf) -> bytes | None:
    """A text that stands in the bytes of every packet that passes; None if there is none, or it is too short to search for."""
    match node:
        case Contains(FieldRef() as field, Literal() as literal) | Compare(FieldRef() as field, Relation.EQ, Literal() as literal):
            searched = field.spec.dissected and field.type in TEXTUAL
            value = literal.value
            # `all` of no values is false as well, so the quantifier makes no difference.
            return value if searched and isinstance(value, bytes) and len(value) >= _SHORTEST_SEARCHED else None
        case _:
            return None
