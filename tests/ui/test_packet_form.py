"""The form of a packet made by hand: nothing is lost, lengths follow, and everything that the standard forbids can be typed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mqtttui.protocol.dissect import dissect
from mqtttui.protocol.enums import Direction, PacketType, PropertyId, Version
from mqtttui.protocol.fields import Context
from mqtttui.protocol.packets import (
    Ack,
    Connect,
    Disconnect,
    Packet,
    Property,
    Publish,
    Suback,
    Subscribe,
    TopicRequest,
    Unsubscribe,
    Will,
    encode,
)
from mqtttui.protocol.parse import parse
from mqtttui.ui.forms.hex_text import byte_at, from_hex, to_hex
from mqtttui.ui.forms.packet import AS_TYPED, FOLLOW, PacketDraft
from mqtttui.ui.forms.packet_parts import follow, joined, lay_out
from mqtttui.ui.forms.rows import OFF, ON, FormError, Kind
from tests.support.strategies import packets

V5 = Version.V5
CONNECT = Connect("c", V5, will=Will("w", b"x", 1), username="u", password=b"p", properties=(Property(PropertyId.RECEIVE_MAXIMUM, 3),))

PACKETS = st.sampled_from(Version).flatmap(lambda version: st.tuples(packets(version), st.just(version)))


def draft(packet: Packet, version: Version = V5) -> PacketDraft:
    return PacketDraft(encode(packet, version), version)


def row(form: PacketDraft, label: str, at: int = 0) -> str:
    return [each.id for each in form.rows() if each.label == label][at]


def type_into(form: PacketDraft, label: str, value: str, at: int = 0) -> str:
    """What is typed comes character by character, as from the keyboard; returns the row's error."""
    id = row(form, label, at)
    for length in range(1, len(value) + 1):
        form.change(id, value[:length])
    return next(each.error for each in form.rows() if each.id == id)


def value(form: PacketDraft, label: str, at: int = 0) -> str:
    return [each.value for each in form.rows() if each.label == label][at]


@given(st.binary(max_size=200), st.sampled_from(Version))
def test_any_bytes_are_kept_and_have_rows(raw: bytes, version: Version) -> None:
    parts = lay_out(dissect(raw, Context(version, Direction.C2S)))
    assert joined(parts) == raw
    form = PacketDraft(raw, version)
    assert form.raw == raw
    assert form.problem is None
    form.read_again()
    assert form.raw == raw


@given(PACKETS, st.data())
def test_a_well_formed_packet_follows_itself_and_typing_what_stands_there_changes_nothing(
    given_packet: tuple[Packet, Version], data: st.DataObject
) -> None:
    packet, version = given_packet
    raw = encode(packet, version)
    form = PacketDraft(raw, version)
    parts = lay_out(form.dissection)
    if parse(raw, version) is not None:
        assert joined(follow(parts)) == raw
    for _ in range(3):
        rows = [each for each in form.rows() if each.editable and not each.id.startswith("add")]
        chosen = data.draw(st.sampled_from(rows)) if rows else None
        if chosen is not None:
            form.change(chosen.id, chosen.value)
            assert form.problem is None
            assert form.raw == raw


@given(PACKETS, st.data())
def test_whatever_is_typed_the_lengths_hold(given_packet: tuple[Packet, Version], data: st.DataObject) -> None:
    packet, version = given_packet
    form = PacketDraft(encode(packet, version), version)
    for _ in range(4):
        rows = [each for each in form.rows() if each.selectable and each.id not in ("version", "lengths")]
        chosen = data.draw(st.sampled_from(rows))
        if chosen.kind is Kind.ACTION:
            form.press(chosen.id)
        elif chosen.kind is Kind.TOGGLE:
            form.change(chosen.id, OFF if chosen.value == ON else ON)
        elif chosen.kind is Kind.CHOICE:
            form.change(chosen.id, data.draw(st.sampled_from(chosen.choices)))
        elif chosen.id.startswith("add"):
            form.change(chosen.id, data.draw(st.sampled_from(chosen.suggestions)))
            form.press(chosen.id)
        else:
            form.change(chosen.id, data.draw(st.text(max_size=8) | st.integers(0, 70_000).map(str)))
        if form.dissection.type is None and form.raw[0] >> 4:
            raise AssertionError(f"{form.raw.hex(' ')} is no whole packet after {chosen}")


@given(PACKETS, st.data())
def test_as_typed_only_what_is_typed_changes(given_packet: tuple[Packet, Version], data: st.DataObject) -> None:
    packet, version = given_packet
    raw = encode(packet, version)
    form = PacketDraft(raw, version)
    form.change("lengths", AS_TYPED)
    assert form.raw == raw
    rows = [each for each in form.rows() if each.editable and not each.id.startswith("add")]
    chosen = data.draw(st.sampled_from(rows))
    start, end = form.span(chosen.id)
    form.change(chosen.id, data.draw(st.text(max_size=8) | st.integers(0, 70_000).map(str)))
    assert form.raw[:start] == raw[:start]
    assert form.raw[len(form.raw) - (len(raw) - end) :] == raw[end:]


def test_a_typed_topic_takes_its_lengths_along() -> None:
    form = draft(Publish("a", b"x", 1, packet_id=7))
    assert type_into(form, "Topic Name", "spBv1.0/+/#") == ""
    assert form.raw == encode(Publish("spBv1.0/+/#", b"x", 1, packet_id=7), V5)
    assert type_into(form, "Topic Name", r"a\xff") == ""
    assert form.raw == encode(Publish(b"a\xff", b"x", 1, packet_id=7), V5)
    assert value(form, "Topic Name") == r"a\xff"
    assert "column 2" in type_into(form, "Topic Name", "a\\q")
    problem = form.problem
    assert problem is not None
    assert problem.field == row(form, "Topic Name")


def test_qos_brings_and_takes_the_packet_identifier() -> None:
    form = draft(Publish("a", b"x"))
    qos = row(form, "QoS")
    for choice, identifier in (("1", 1), ("2", 1), ("3", 1), ("0", None)):
        form.change(qos, choice)
        assert form.raw == encode(Publish("a", b"x", int(choice), packet_id=identifier), V5)


def test_qos_as_typed_flips_two_bits() -> None:
    form = draft(Publish("a", b"xyz"))
    form.change("lengths", AS_TYPED)
    form.change(row(form, "QoS"), "1")
    assert form.raw == b"\x32" + encode(Publish("a", b"xyz"), V5)[1:]


@pytest.mark.parametrize("version", Version)
def test_connect_flags_bring_and_take_what_they_announce(version: Version) -> None:
    bare = Connect("c", version)
    form = draft(bare, version)
    form.change(row(form, "Will Flag"), ON)
    form.change(row(form, "Password Flag"), ON)
    form.change(row(form, "User Name Flag"), ON)
    assert form.raw == encode(Connect("c", version, will=Will("will"), username="user", password=b""), version)
    assert type_into(form, "Password", "secret") == ""
    assert next(each.kind for each in form.rows() if each.label == "Password") is Kind.SECRET
    assert form.secret
    form.change(row(form, "Connect Flags"), "0x02")
    assert form.raw == encode(bare, version)


def test_another_level_makes_a_connect_of_that_version() -> None:
    form = draft(CONNECT)
    form.change(row(form, "Protocol Version"), "4")
    wanted = Connect("c", Version.V311, will=Will("w", b"x", 1), username="u", password=b"p")
    assert form.raw == encode(wanted, Version.V311)
    form.change(row(form, "Protocol Version"), "9")
    assert form.raw[8] == 9


def test_properties_come_go_and_move() -> None:
    form = draft(Publish("a", b"x"))
    where: str | None = None
    for name in ("topic alias", "user", "0x09"):
        add = row(form, "Add property")
        form.change(add, name)
        where = form.press(add)
    assert where is not None
    form.change(where, r"\x00\x01")
    type_into(form, "User Property", "k")
    form.change(row(form, "Topic Alias"), "0")
    expected = [
        Property(PropertyId.TOPIC_ALIAS, 0),
        Property(PropertyId.USER_PROPERTY, ("k", "")),
        Property(PropertyId.CORRELATION_DATA, b"\0\1"),
    ]
    assert form.raw == encode(Publish("a", b"x", properties=tuple(expected)), V5)
    at = form.move(row(form, "Correlation Data"), -1)
    assert at is not None
    assert form.raw == encode(Publish("a", b"x", properties=(expected[0], expected[2], expected[1])), V5)
    form.remove(row(form, "Correlation Data"))
    form.remove(row(form, "Topic Alias"))
    assert form.raw == encode(Publish("a", b"x", properties=(expected[1],)), V5)
    form.change(row(form, "Add property"), "nonsense")
    assert form.press(row(form, "Add property")) is None
    assert form.problem is not None


def test_an_unknown_property_can_be_added_and_is_shown() -> None:
    form = draft(Publish("a", b"x"))
    form.change(row(form, "Add property"), "0x7f")
    form.press(row(form, "Add property"))
    assert form.raw == encode(Publish("a", b"x", properties=(Property(0x7F, b""),)), V5)
    assert value(form, "Property Identifier") == "127"


@pytest.mark.parametrize(
    ("packet", "bigger"),
    [
        (Subscribe(1, (TopicRequest("a"),)), Subscribe(1, (TopicRequest("a"), TopicRequest("topic")))),
        (Unsubscribe(1, ("a",)), Unsubscribe(1, ("a", "topic"))),
        (Suback(1, (1,)), Suback(1, (1, 0))),
        (Ack(PacketType.PUBACK, 5), Ack(PacketType.PUBACK, 5, 0)),
        (Ack(PacketType.PUBACK, 5, 0x10), Ack(PacketType.PUBACK, 5, 0x10, ())),
        (Disconnect(), Disconnect(0)),
        (Disconnect(4), Disconnect(4, ())),
    ],
)
def test_what_a_packet_may_have_more_can_be_added(packet: Packet, bigger: Packet) -> None:
    form = draft(packet)
    action = next(each for each in form.rows() if each.kind is Kind.ACTION)
    where = form.press(action.id)
    assert form.raw == encode(bigger, V5)
    if "properties" not in action.label:
        assert where is not None
    if "filter" in action.label:
        form.remove(where or "")
        assert form.raw == encode(packet, V5)


def test_bytes_with_flags_can_be_typed_digit_by_digit() -> None:
    form = draft(Publish("a", b"x"))
    assert type_into(form, "Packet Type and Flags", "0x3d") == ""
    assert form.raw == encode(Publish("a", b"x", 2, retain=True, dup=True, packet_id=1), V5)
    type_into(form, "Packet Identifier", "77")
    for choice in ("0", "1"):
        form.change(row(form, "QoS"), choice)
    assert form.raw == encode(Publish("a", b"x", 1, retain=True, dup=True, packet_id=77), V5)
    type_into(form, "Packet Type and Flags", "0x37")
    assert form.raw == encode(Publish("a", b"x", 3, retain=True, packet_id=77), V5)
    form = draft(Connect("c", V5))
    assert type_into(form, "Connect Flags", "0xc3") == ""
    wanted = Connect("c", V5, username="user", password=b"", flags=0xC3)
    assert form.raw == encode(wanted, V5)


def test_another_type_gets_its_own_flags() -> None:
    form = draft(Ack(PacketType.PUBREC, 9))
    form.change(row(form, "Control Packet Type"), "PUBREL")
    assert form.raw == encode(Ack(PacketType.PUBREL, 9), V5)
    form.change(row(form, "Flags"), "0000")
    assert form.raw == b"\x60\x02\x00\x09"


def test_lengths_as_typed_can_lie_and_follow_again() -> None:
    form = draft(Publish("abc", b"x"))
    form.change("lengths", AS_TYPED)
    type_into(form, "Topic Name Length", "200")
    assert form.raw == bytes.fromhex("30 07 00 c8 61 62 63 00 78")
    assert value(form, "Topic Name") == "abc"
    type_into(form, "Remaining Length", "bytes 87 00")
    assert form.raw[:3] == b"\x30\x87\x00"
    lying = form.raw
    assert value(PacketDraft(lying, V5), "Lengths") == AS_TYPED
    form.change("lengths", FOLLOW)
    assert form.raw[1] == len(form.raw) - 2


def test_a_string_too_long_for_its_length_is_refused_at_its_row() -> None:
    form = draft(Publish("a", b"x"))
    with pytest.raises(FormError, match="at most 65,535"):
        form.set_field_bytes(row(form, "Topic Name"), b"x" * 65_536)
    assert form.raw == encode(Publish("a", b"x"), V5)
    form.set_field_bytes(row(form, "Payload"), b"y" * 70_000)
    assert form.raw == encode(Publish("a", b"y" * 70_000), V5)


def test_a_large_packet_of_many_items_has_a_bounded_form() -> None:
    form = draft(Subscribe(1, tuple(TopicRequest(f"topic/{number}") for number in range(5_000))))
    assert len(form.rows()) < 1_500
    type_into(form, "Packet Identifier", "12")
    assert form.raw == encode(Subscribe(12, tuple(TopicRequest(f"topic/{number}") for number in range(5_000))), V5)


def test_restore_brings_back_what_it_began_with() -> None:
    form = draft(Publish("a", b"x"))
    type_into(form, "Topic Name", "b")
    assert form.changed
    form.restore()
    assert not form.changed


@given(st.binary(max_size=100), st.sampled_from([1, 8, 16]))
def test_hex_comes_back(raw: bytes, columns: int) -> None:
    assert from_hex(to_hex(raw, columns)) == raw
    assert from_hex(raw.hex()) == raw
    assert from_hex(",".join(f"0x{byte:02X}" for byte in raw)) == raw


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("30 0g", "line 1, column 5: g is no hex digit"),
        ("30 00\n 0 1", "line 2, column 2: 0 stands alone, a byte has two digits"),
        ("30\n\x1b", "line 2, column 1: \\x1b is no hex digit"),
        ("300", "line 1, column 3: 0 stands alone"),
    ],
)
def test_wrong_hex_names_the_place(typed: str, words: str) -> None:
    with pytest.raises(FormError, match="line") as caught:
        from_hex(typed)
    assert caught.value.text.startswith(words)


def test_a_place_in_the_text_is_a_byte() -> None:
    typed = "30 05  00\n01 61"
    assert [byte_at(typed, 0, column) for column in (0, 1, 3, 7, 9)] == [0, 0, 1, 2, 3]
    assert byte_at(typed, 1, 3) == 4
