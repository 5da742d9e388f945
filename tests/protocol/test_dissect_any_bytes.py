"""Whatever the bytes: a tree, nothing raised, leaves that tile the packet."""

from __future__ import annotations

import random
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mqtttui.protocol import packets
from mqtttui.protocol.dissect import dissect, dissect_more
from mqtttui.protocol.dissectors.tree import MAX_NODES
from mqtttui.protocol.enums import Direction, PacketType, PropertyId, Version
from mqtttui.protocol.fields import Context, Dissection, Field
from tests.support import golden, strategies


def leaves(fields: tuple[Field, ...]) -> list[Field]:
    """Fields of whole bytes without children of whole bytes, in order."""
    found: list[Field] = []
    for field in fields:
        whole = tuple(child for child in field.children if not child.mask)
        if whole:
            found.extend(leaves(whole))
        elif not field.mask:
            found.append(field)
    return found


def assert_sound(found: Dissection) -> None:
    """What holds for every dissection."""
    position = 0
    for leaf in leaves(found.fields):
        assert leaf.start == position, leaf
        assert leaf.end >= leaf.start
        assert not leaf.generated or leaf.start == leaf.end
        position = leaf.end
    assert position == len(found.raw)
    nodes = list(found.walk())
    assert len(nodes) <= MAX_NODES
    for field in nodes:
        for child in field.children:
            assert field.start <= child.start <= child.end <= field.end
        assert all(note.start >= 0 and note.end <= len(found.raw) for note in field.notes)
        assert field.display.isprintable() and field.name.isprintable()
        assert all(note.text.isprintable() for note in field.notes)
    assert found.notes == tuple(note for field in nodes for note in field.notes)
    if any(field.name.startswith("Undecoded") for field in nodes):
        assert found.malformed


@given(st.binary(max_size=200) | strategies.any_packet_bytes, strategies.contexts)
def test_any_bytes_give_a_tree_that_tiles(raw: bytes, context: Context) -> None:
    assert_sound(dissect(raw, context))


@given(strategies.versioned_packets, strategies.directions, st.data())
def test_damaged_packets_give_a_tree_that_tiles(pair: tuple[Version, packets.Packet], direction: Direction, data: st.DataObject) -> None:
    version, packet = pair
    raw = bytearray(packets.encode(packet, version))
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    assert_sound(dissect(bytes(raw), Context(version, direction)))


@given(strategies.versioned_packets, strategies.directions)
def test_truncation_at_every_length_is_told(pair: tuple[Version, packets.Packet], direction: Direction) -> None:
    version, packet = pair
    raw = packets.encode(packet, version)
    for length in range(len(raw)):
        found = dissect(raw[:length], Context(version, direction))
        assert_sound(found)
        assert found.type is None and found.malformed
        assert not [note for note in found.notes if note.id in ("A07", "A08", "H06", "H16")]


@given(strategies.versioned_packets, st.binary(min_size=1, max_size=5))
def test_bytes_behind_the_packet_are_told(pair: tuple[Version, packets.Packet], tail: bytes) -> None:
    version, packet = pair
    found = dissect(packets.encode(packet, version) + tail, Context(version, Direction.C2S))
    assert_sound(found)
    assert found.malformed and found.notes[-1].id == "A08"
    assert leaves(found.fields)[-1].value == tail


@pytest.mark.parametrize("number", range(1, 44))
def test_golden_packets_are_whole(number: int) -> None:
    sample = golden.packet(number)
    found = dissect(sample.raw, sample.context)
    assert_sound(found)
    assert not found.malformed
    assert found.type is PacketType(sample.raw[0] >> 4)


def test_empty_bytes() -> None:
    found = dissect(b"", Context(Version.V311, Direction.C2S))
    assert (found.type, found.fields, found.malformed) == (None, (), True)


CODES = packets.encode(packets.Suback(1, (1,) * 30_000), Version.V5)
FILTERS = packets.encode(packets.Unsubscribe(1, tuple(f"t/{index}" for index in range(5_000))), Version.V5)
USER_PROPERTIES = tuple(packets.Property(PropertyId.USER_PROPERTY, (f"k{index}", "v")) for index in range(3_000))
MANY_PROPERTIES = packets.encode(packets.Publish("t", b"payload", properties=USER_PROPERTIES), Version.V5)
TWO_LISTS = packets.encode(
    packets.Connect("c", Version.V5, will=packets.Will("w", properties=USER_PROPERTIES), properties=USER_PROPERTIES), Version.V5
)


@pytest.mark.parametrize(
    ("raw", "count", "per_item"),
    [(CODES, 30_000, 1), (FILTERS, 5_000, 3), (MANY_PROPERTIES, 3_000, 6)],
    ids=["codes", "filters", "properties"],
)
def test_long_lists_end_in_one_node_that_opens_in_slices(raw: bytes, count: int, per_item: int) -> None:
    context = Context(Version.V5, Direction.S2C)
    found = dissect(raw, context)
    assert_sound(found)
    assert not found.malformed
    (more,) = [field for field in found.walk() if field.more]
    shown = count - more.more
    assert shown > 100 and more.name == f"{more.more:,} more"
    items: list[Field] = []
    start, end = more.start, more.end
    while True:
        window = dissect_more(raw, context, start, 500)
        last = window[-1]
        items.extend(window[:-1] if last.more else window)
        if not last.more:
            break
        start = last.start
    assert len(items) == more.more
    assert items[0].start == more.start and items[-1].end == end
    assert all(before.end == after.start for before, after in pairwise(items))
    assert all(len(list(item.walk())) == per_item for item in items)


def test_the_rest_of_the_packet_stands_behind_a_long_list() -> None:
    found = dissect(MANY_PROPERTIES, Context(Version.V5, Direction.C2S))
    payload = found.first("mqtt.msg")
    assert payload is not None and payload.value == b"payload"


def test_two_long_lists() -> None:
    context = Context(Version.V5, Direction.C2S)
    found = dissect(TWO_LISTS, context)
    assert_sound(found)
    nodes = [field for field in found.walk() if field.more]
    assert [node.more for node in nodes][1] == 3_000
    for node in nodes:
        assert dissect_more(TWO_LISTS, context, node.start, 10)[0].name == "User Property"


@given(st.binary(max_size=80) | strategies.any_packet_bytes, strategies.contexts, st.integers(0, 90), st.integers(0, 9))
def test_any_slice_of_any_bytes_gives_fields(raw: bytes, context: Context, start: int, count: int) -> None:
    for field in dissect_more(raw, context, start, count):
        assert start <= field.start <= field.end <= len(raw)


def test_a_list_that_breaks_behind_the_limit_is_malformed() -> None:
    raw = FILTERS[:-8] + b"\xff\xff" + FILTERS[-6:]
    found = dissect(raw, Context(Version.V5, Direction.C2S))
    assert_sound(found)
    assert found.malformed and "A07" in {note.id for note in found.notes}


def test_a_large_payload_costs_little() -> None:
    raw = packets.encode(packets.Publish("t", bytes(64 << 20)), Version.V311)
    started = time.process_time()
    found = dissect(raw, Context(Version.V311, Direction.C2S))
    assert time.process_time() - started < 1.0
    field = found.fields[-1]
    assert field.end - field.start == 64 << 20 and len(field.display) < 200


def test_random_packets_of_every_type_are_cheap_and_sound() -> None:
    generator = random.Random(5)
    for _ in range(2_000):
        body = generator.randbytes(generator.randrange(60))
        raw = bytes([generator.randrange(256), len(body)]) + body
        assert_sound(dissect(raw, Context(generator.choice(list(Version)), generator.choice(list(Direction)))))
