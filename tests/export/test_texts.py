"""Text tree, hexdump, JSON and masking."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from mqtttui.capture.dissecting import unframed
from mqtttui.export.hexdump import hexdump
from mqtttui.export.mask import masked, masked_dissection
from mqtttui.export.packet_json import line, packet_object
from mqtttui.export.text_tree import tree_text
from mqtttui.protocol.dissect import dissect
from mqtttui.protocol.enums import Direction, PropertyId, Severity, Version
from mqtttui.protocol.fields import Context, Note
from mqtttui.protocol.packets import Auth, Connect, Property, encode
from tests.support import golden, strategies

UP5 = Context(Version.V5, Direction.C2S)
SECRETIVE = encode(
    Connect(
        "c",
        version=Version.V5,
        username="u",
        password=b"s3cret",
        properties=(Property(PropertyId.AUTHENTICATION_METHOD, "X"), Property(PropertyId.AUTHENTICATION_DATA, b"t0ken")),
    ),
    Version.V5,
)


def test_hexdump() -> None:
    assert hexdump(bytes.fromhex("32180008636d642f74656d7000077b226f6e223a747275657d")) == (
        "0000  32 18 00 08 63 6d 64 2f  74 65 6d 70 00 07 7b 22  2...cmd/temp..{\"\n"
        "0010  6f 6e 22 3a 74 72 75 65  7d                       on\":true}"
    )  # fmt: skip
    assert hexdump(b"") == ""
    assert hexdump(b"\x7f\x80a", columns=4) == "0000  7f 80  61     ..a"
    assert hexdump(bytes(65_537)).splitlines()[-1].startswith("10000  00 ")


def test_the_tree_shows_bits_and_notes_where_they_belong() -> None:
    packet = golden.packet(20)
    text = tree_text(dissect(packet.raw, packet.context))
    lines = text.splitlines()
    assert lines[0] == "PUBLISH  C>S  MQTT 3.1.1"
    dup = next(index for index, each in enumerate(lines) if ".... 1...  DUP: set (1)" in each)
    assert "error D02" in lines[dup + 1]
    assert any(each.startswith("     4  Topic Name: dup0/+/#") for each in lines)
    assert "[MQTT-3.3.2-2" in text


def test_explanations_on_request() -> None:
    packet = golden.packet(15)
    dissection = dissect(packet.raw, packet.context)
    assert "—" not in tree_text(dissection)
    assert "—" in tree_text(dissection, explain=True)


@given(strategies.any_packet_bytes, strategies.contexts)
def test_any_bytes_give_a_printable_tree_and_ascii_json(raw: bytes, context: Context) -> None:
    dissection = dissect(raw, context)
    assert all(each.isprintable() for each in tree_text(dissection, explain=True).split("\n"))
    shown = line(packet_object(dissection, number=1, connection=0, tree=True))
    assert shown.isascii()
    assert "\n" not in shown
    assert json.loads(shown)["raw"] == raw.hex()


def test_secrets_are_masked_with_equal_length() -> None:
    dissection = dissect(SECRETIVE, UP5)
    hidden = masked(SECRETIVE, dissection)
    assert len(hidden) == len(SECRETIVE)
    assert b"s3cret" not in hidden
    assert b"t0ken" not in hidden
    assert hidden.count(b"*") == 11
    assert "s3cret" not in tree_text(dissection)
    assert "s3cret" in tree_text(dissection, mask=False)


@given(st.integers(2, len(SECRETIVE) - 1))
def test_a_cut_off_secret_is_masked_too(length: int) -> None:
    raw = SECRETIVE[:length]
    shown = masked_dissection(unframed(dissect(raw, UP5), "incomplete, some bytes"))
    assert b"s3c" not in shown.raw
    assert b"t0k" not in shown.raw
    assert shown.type is None
    assert shown.notes[0].text == "incomplete, some bytes"


def test_a_secret_behind_an_unknown_property_is_masked() -> None:
    secret = Property(PropertyId.AUTHENTICATION_DATA, b"t0ken")
    raw = encode(Auth(0x18, (secret,)), Version.V5)
    raw = raw[:1] + bytes([raw[1] + 1, raw[2], raw[3] + 1, 0x7E]) + raw[4:]
    shown = masked_dissection(dissect(raw, UP5))
    assert b"t0ken" in raw and b"t0ken" not in shown.raw
    assert "t0ken" not in str(shown)
    assert "H01" in [note.id for note in shown.notes]


def test_masking_changes_nothing_but_the_secrets() -> None:
    listed = [Property(PropertyId.USER_PROPERTY, (f"k{number}", "v")) for number in range(800)]
    packet = Connect("c", Version.V5, password=b"\xff", properties=tuple(listed))
    raw = encode(packet, Version.V5)
    whole = dissect(raw, UP5, 100_000)
    said = replace(whole, notes=(*whole.notes, Note("version", Severity.NOTE, "", "read as 5", 0, 0)))
    shown = masked_dissection(said)
    assert len(list(shown.walk())) == len(list(whole.walk()))
    assert shown.notes == said.notes
    assert shown.first("mqtt.passwd").value == "*"  # type: ignore[union-attr]


def test_a_note_does_not_name_a_byte_of_a_secret() -> None:
    raw = encode(Connect("c", Version.V31, username="u", password=b"\xff"), Version.V31)
    whole = dissect(raw, Context(Version.V31, Direction.C2S))
    assert [note.id for note in whole.notes] == ["B01"]
    assert "0xff" not in str(masked_dissection(whole))


def test_json_fields_have_wiresharks_names_and_types() -> None:
    packet = golden.packet(31)
    shown = packet_object(dissect(packet.raw, packet.context), number=31, connection=1)
    fields = shown["fields"]
    assert fields["mqtt.msgtype"] == [3]
    assert fields["mqtt.dupflag"] == [False]
    assert fields["mqtt.topic"] == ["a/b"]
    assert fields["mqtt.msg"] == [b'{"a":1}'.hex()]
    assert fields["mqtt.property_id"] == [0x23, 0x01, 0x02, 0x03, 0x08, 0x09, 0x26]
    assert fields["mqtt.properties"] == [None]
    assert (shown["length"], shown["version"], shown["direction"], shown["time"]) == (66, "5", "C>S", None)


def test_an_alias_gives_the_topic_field() -> None:
    packet = golden.packet(golden.ALIAS_ONLY)
    assert packet_object(dissect(packet.raw, packet.context), number=1, connection=0)["fields"]["mqtt.topic"] == ["a/b"]
