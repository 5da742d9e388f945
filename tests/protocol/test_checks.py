"""Every finding that one packet can give: a packet that has it, and where it stands."""

from __future__ import annotations

import pytest

from mqtttui.protocol import packets
from mqtttui.protocol.checks import CHECKS
from mqtttui.protocol.dissect import dissect
from mqtttui.protocol.enums import Direction, PacketType, PropertyId, Severity, Version
from mqtttui.protocol.fields import Context, Dissection, Note
from mqtttui.protocol.packets import (
    Ack,
    Auth,
    Connack,
    Connect,
    Disconnect,
    Property,
    Publish,
    Suback,
    Subscribe,
    TopicRequest,
    Unsubscribe,
    Will,
)
from tests.support import golden

V31, V311, V5 = Version.V31, Version.V311, Version.V5
UP, DOWN = Direction.C2S, Direction.S2C


def found(raw: bytes, version: Version, direction: Direction) -> Dissection:
    return dissect(raw, Context(version, direction))


def ids(raw: bytes, version: Version, direction: Direction = UP) -> list[str]:
    return [note.id for note in found(raw, version, direction).notes]


def encoded(packet: packets.Packet, version: Version, *, flags: int | None = None) -> bytes:
    return packets.encode(packet, version, header_flags=flags)


def publish(*properties: Property, topic: str | bytes = "t", payload: bytes = b"x", **more: int | None) -> bytes:
    return encoded(Publish(topic, payload, properties=properties, **more), V5)  # type: ignore[arg-type]


def connect(*properties: Property, **more: object) -> bytes:
    return encoded(Connect("c", properties=properties, **more), V5)  # type: ignore[arg-type]


def subscribe(*filters: str | bytes, version: Version = V311, **more: int) -> bytes:
    return encoded(Subscribe(1, tuple(TopicRequest(text, **more) for text in filters)), version)  # type: ignore[arg-type]


# Malformed samples of inspector.md, appendix.
APPENDIX = [
    ("c08000", V311, ["A06"]),
    ("f000", V311, ["A02"]),
    ("0000", V311, ["A01"]),
    ("320400027131", V311, ["A07"]),
    ("30050050616263", V311, ["A07"]),
    ("30ffffffff7f616263", V311, ["A05"]),
    ("c100", V311, ["A03"]),
    ("300b0008626164fffe75746678", V311, ["B01"]),
    ("300b00086e756c006865726578", V311, ["B02"]),
    ("300b0003647570040101010078", V5, ["H03"]),
    ("300a0003756e6b037f010278", V5, ["H01"]),
    ("3011000a6e6f74616c6c6f7765640321000578", V5, ["H02"]),
    ("300800036c656e200101", V5, ["A07", "H06"]),
    ("300a0003616c300323000078", V5, ["D19"]),
]


@pytest.mark.parametrize(("text", "version", "expected"), APPENDIX, ids=[row[0] for row in APPENDIX])
def test_malformed_samples(text: str, version: Version, expected: list[str]) -> None:
    given = ids(bytes.fromhex(text), version)
    assert [check for check in given if check != "H09"] == expected


# Check -> packet, version, direction, filter name of the field that it stands on, statement.
SAMPLES: dict[str, tuple[bytes, Version, Direction, str, str]] = {
    "A01": (bytes.fromhex("0000"), V5, UP, "mqtt.hdrflags", "§2.1.2, MQTT-4.13.1-1"),
    "A02": (bytes.fromhex("f000"), V311, UP, "mqtt.hdrflags", "§2.2.1, MQTT-4.8.0-1"),
    "A03": (bytes.fromhex("60020001"), V311, UP, "mqtt.hdr_reserved", "MQTT-2.2.2-1, MQTT-2.2.2-2, MQTT-3.6.1-1"),
    "A04": (bytes.fromhex("60020001"), V31, UP, "mqtt.qos", "§2.1"),
    "A05": (bytes.fromhex("30ffffffff7f"), V5, UP, "mqtt.len", "§1.5.5"),
    "A06": (bytes.fromhex("c08000"), V5, UP, "mqtt.len", "MQTT-1.5.5-1"),
    "A07": (bytes.fromhex("30050050616263"), V311, UP, "mqtt.topic_len", "MQTT-4.8.0-1"),
    "A08": (bytes.fromhex("4003000100"), V311, DOWN, "", "MQTT-4.8.0-1"),
    "A09": (bytes.fromhex("e00100"), V311, UP, "mqtt.len", "§3.12, §3.13, §3.14, MQTT-4.8.0-1"),
    "A10": (encoded(packets.Pingreq(), V5), V5, DOWN, "mqtt.msgtype", "§2.1.2, MQTT-4.13.1-1"),
    "A11": (bytes.fromhex("300a000174"), V5, UP, "mqtt.len", ""),
    "B01": (publish(topic=b"a\xed\xa0\x80"), V5, UP, "mqtt.topic", "MQTT-1.5.4-1"),
    "B02": (publish(topic="a\0b"), V5, UP, "mqtt.topic", "MQTT-1.5.4-2, MQTT-4.7.3-2"),
    "B03": (publish(topic="a\x1bb"), V5, UP, "mqtt.topic", "§1.5.4"),
    "B04": (publish(topic="\ufeffa"), V5, UP, "mqtt.topic", "MQTT-1.5.4-3"),
    "B05": (publish(topic=""), V5, UP, "mqtt.topic_len", "MQTT-4.7.3-1"),
    "B06": (publish(topic="a/+"), V5, UP, "mqtt.topic", "MQTT-3.3.2-2, MQTT-4.7.0-1"),
    "B07": (encoded(Connect("c", will=Will("w/#")), V311), V311, UP, "mqtt.willtopic", "MQTT-4.7.1-1"),
    "B08": (publish(Property(PropertyId.RESPONSE_TOPIC, "r/#")), V5, UP, "mqtt.prop_string", "MQTT-3.3.2-14"),
    "B09": (subscribe("a/#/b"), V311, UP, "mqtt.topic", "MQTT-4.7.1-2"),
    "B10": (subscribe("a+/b"), V311, UP, "mqtt.topic", "MQTT-4.7.1-3"),
    "B11": (subscribe("$share/g", version=V5), V5, UP, "mqtt.topic", "MQTT-4.8.2-1, MQTT-4.8.2-2"),
    "B12": (subscribe("$share/g/t"), V311, UP, "mqtt.topic", ""),
    "B13": (publish(topic="$SYS/x"), V5, UP, "mqtt.topic", "§4.7.2"),
    "C03": (encoded(Connect("c", protocol_name="MQIsdp"), V311), V311, UP, "mqtt.protoname", "MQTT-3.1.2-1"),
    "C04": (encoded(Connect("c", level=6), V311), V311, UP, "mqtt.ver", "MQTT-3.1.2-2"),
    "C05": (encoded(Connect("c", flags=0x03), V311), V311, UP, "mqtt.conflag.reserved", "MQTT-3.1.2-3"),
    "C06": (encoded(Connect("c", flags=0x0A), V311), V311, UP, "mqtt.conflag.qos", "MQTT-3.1.2-11, MQTT-3.1.2-13"),
    "C07": (encoded(Connect("c", flags=0x22), V311), V311, UP, "mqtt.conflag.retain", "MQTT-3.1.2-11, MQTT-3.1.2-15"),
    "C08": (encoded(Connect("c", will=Will("w"), flags=0x1E), V311), V311, UP, "mqtt.conflag.qos", "MQTT-3.1.2-14"),
    "C09": (encoded(Connect("c", flags=0x06), V311), V311, UP, "mqtt.conflag.willflag", "MQTT-3.1.2-9, MQTT-3.1.2-11"),
    "C10": (encoded(Connect("c", password=b"p"), V311), V311, UP, "mqtt.conflag.passwd", "MQTT-3.1.2-22"),
    "C11": (
        encoded(Connect("c", flags=0x82), V311),
        V311,
        UP,
        "mqtt.conflag.uname",
        "MQTT-3.1.2-18, MQTT-3.1.2-19, MQTT-3.1.2-20, MQTT-3.1.2-21",
    ),
    "C12": (encoded(Connect("", clean=False), V311), V311, UP, "mqtt.clientid", "MQTT-3.1.3-7"),
    "C14": (encoded(Connect("c", keep_alive=301), V311), V311, UP, "mqtt.kalive", "§3.1.2.10"),
    "C20": (bytes.fromhex("20020200"), V311, DOWN, "mqtt.conack.flags.reserved", "§3.2.2.1, MQTT-2.2.2-1"),
    "C24": (encoded(Connack(0x87, session_present=True), V5), V5, DOWN, "mqtt.conack.flags.sp", "MQTT-3.2.2-6"),
    "C25": (encoded(Connack(0x04), V5), V5, DOWN, "mqtt.connack.reason_code", "MQTT-3.2.2-8"),
    "C26": (encoded(Connack(5), V311), V311, DOWN, "mqtt.conack.val", ""),
    "D01": (bytes.fromhex("36050001740001"), V311, UP, "mqtt.qos", "MQTT-3.3.1-4"),
    "D02": (encoded(Publish("t", dup=True), V311), V311, UP, "mqtt.dupflag", "MQTT-3.3.1-2"),
    "D03": (encoded(Publish("t", qos=1, packet_id=0), V5), V5, DOWN, "mqtt.msgid", "MQTT-2.2.1-4"),
    "D16": (encoded(Publish("t", retain=True), V5), V5, UP, "mqtt.msg", "MQTT-3.3.1-6, MQTT-3.3.1-7"),
    "D17": (encoded(Publish("t", b"x", retain=True), V311), V311, UP, "mqtt.msg", "MQTT-3.3.1-7"),
    "D19": (publish(Property(PropertyId.TOPIC_ALIAS, 0)), V5, UP, "mqtt.property.topic_alias", "MQTT-3.3.2-8"),
    "D23": (publish(Property(PropertyId.SUBSCRIPTION_IDENTIFIER, 1)), V5, UP, "mqtt.property_id", "MQTT-3.3.4-6"),
    "D26": (publish(Property(PropertyId.PAYLOAD_FORMAT_INDICATOR, 1), payload=b"ab\xff"), V5, UP, "mqtt.msg", "§3.3.2.3.2"),
    "E15": (encoded(Ack(PacketType.PUBREL, 1, 0x10), V5), V5, UP, "mqtt.pubrel.reason_code", "MQTT-3.6.2-1"),
    "E16": (encoded(Ack(PacketType.PUBACK, 1, 0x87), V5), V5, DOWN, "mqtt.puback.reason_code", "MQTT-4.4.0-2"),
    "E17": (encoded(Ack(PacketType.PUBREC, 1, 0x10), V5), V5, DOWN, "mqtt.pubrec.reason_code", "§3.5.2.1"),
    "E18": (encoded(Ack(PacketType.PUBCOMP, 1, 0x92), V5), V5, DOWN, "mqtt.pubcomp.reason_code", "§3.7.2.1"),
    "F01": (encoded(Subscribe(1, ()), V5), V5, UP, "mqtt.properties", "MQTT-3.8.3-2"),
    "F02": (encoded(Unsubscribe(1, ()), V311), V311, UP, "mqtt.msgid", "MQTT-3.10.3-2"),
    "F03": (subscribe("t", qos=3), V311, UP, "mqtt.sub.qos", "MQTT-3-8.3-4"),
    "F04": (subscribe("t", version=V5, reserved=1), V5, UP, "mqtt.subscription_options_reserved", "MQTT-3.8.3-5"),
    "F05": (subscribe("t", version=V5, retain_handling=3), V5, UP, "mqtt.subscription_options_retain", "§3.8.3.1"),
    "F06": (subscribe("$share/g/t", version=V5, no_local=True), V5, UP, "mqtt.subscription_options_nl", "MQTT-3.8.3-4"),
    "F07": (encoded(Unsubscribe(0, ("t",)), V5), V5, UP, "mqtt.msgid", "MQTT-2.2.1-3"),
    "F08": (
        encoded(Subscribe(1, (TopicRequest("t"),), (Property(PropertyId.SUBSCRIPTION_IDENTIFIER, 0),)), V5),
        V5,
        UP,
        "mqtt.prop_number",
        "§3.8.2.1.2",
    ),
    "F12": (encoded(Suback(1, (3,)), V311), V311, DOWN, "mqtt.suback.qos", "MQTT-3.9.3-2"),
    "F24": (subscribe("t", "u", "t"), V311, UP, "mqtt.topic", "MQTT-3.8.4-4"),
    "G10": (
        encoded(Disconnect(0x8B, (Property(PropertyId.SESSION_EXPIRY_INTERVAL, 1),)), V5),
        V5,
        DOWN,
        "mqtt.property_id",
        "MQTT-3.14.2-2",
    ),
    "G12": (encoded(Disconnect(0x8E), V5), V5, DOWN, "mqtt.disconnect.reason_code", "MQTT-4.13.2-1"),
    "G13": (encoded(Disconnect(0x04), V5), V5, UP, "mqtt.disconnect.reason_code", "§3.14.2.1"),
    "H01": (bytes.fromhex("300a0003756e6b037f010278"), V5, UP, "mqtt.property_id", "§2.2.2.2"),
    "H02": (publish(Property(PropertyId.RECEIVE_MAXIMUM, 5)), V5, UP, "mqtt.property_id", "§2.2.2.2"),
    "H03": (connect(*[Property(PropertyId.RECEIVE_MAXIMUM, 5)] * 2, version=V5), V5, UP, "mqtt.property_id", "§3.1.2.11.3"),
    "H04": (encoded(Connack(properties=(Property(PropertyId.MAXIMUM_QOS, 2),)), V5), V5, DOWN, "mqtt.property.max_qos", "§3.2.2.3.4"),
    "H05": (connect(Property(PropertyId.MAXIMUM_PACKET_SIZE, 0), version=V5), V5, UP, "mqtt.prop_number", "§3.1.2.11.4"),
    "H06": (bytes.fromhex("300800036c656e0202ffff"), V5, UP, "", "MQTT-4.13.1-1"),
    "H07": (connect(Property(PropertyId.AUTHENTICATION_DATA, b"x"), version=V5), V5, UP, "mqtt.prop_string", "§3.1.2.11.10"),
    "H09": (connect(Property(PropertyId.RECEIVE_MAXIMUM, 65_535), version=V5), V5, UP, "mqtt.prop_number", ""),
    "H10": (encoded(Disconnect(0x8B, (Property(PropertyId.REASON_STRING, "bye"),)), V5), V5, DOWN, "mqtt.prop_string", ""),
    "H12": (encoded(Auth(), V5), V5, UP, "mqtt.len", "§3.15.2.2.2"),
    "H16": (bytes.fromhex("20020000"), V5, DOWN, "mqtt.len", "MQTT-2.2.2-1"),
}


def test_every_check_has_a_sample() -> None:
    assert set(SAMPLES) == set(CHECKS)


@pytest.mark.parametrize("check", sorted(SAMPLES))
def test_a_check_strikes_on_its_field(check: str) -> None:
    raw, version, direction, name, statement = SAMPLES[check]
    dissection = found(raw, version, direction)
    standing = [(field, note) for field in dissection.walk() for note in field.notes if note.id == check]
    assert standing, [note.id for note in dissection.notes]
    field, note = standing[0]
    assert field.filter == name
    assert note.statement == statement
    assert note.severity is CHECKS[check].severity_in(dissection.version)
    assert note.text.endswith((".", "bye"))
    assert note.text[0].isupper() or note.text[0] in "$01"
    assert field.start <= note.start <= note.end <= field.end


@pytest.mark.parametrize("check", sorted(SAMPLES))
def test_a_check_is_silent_in_versions_that_do_not_have_it(check: str) -> None:
    raw, _, direction, *_ = SAMPLES[check]
    for version in Version:
        dissection = found(raw, version, direction)
        if dissection.version not in CHECKS[check].versions:
            assert check not in [note.id for note in dissection.notes]


GOLDEN = {
    18: ["B05"],
    19: ["D01"],
    20: ["D02", "B06"],
    21: ["D16", "D17"],
    27: ["H09"],
    28: ["H10", "H09", "H09"],
    30: ["H10"],
    32: ["E17", "H10"],
    41: ["G12", "H10"],
    43: ["C26"],
}


@pytest.mark.parametrize("number", range(1, 44))
def test_findings_on_the_golden_packets(number: int) -> None:
    sample = golden.packet(number)
    assert [note.id for note in dissect(sample.raw, sample.context).notes] == GOLDEN.get(number, [])


def note_of(check: str, raw: bytes, version: Version, direction: Direction = UP) -> Note:
    (note,) = [note for note in found(raw, version, direction).notes if note.id == check]
    return note


def test_severity_depends_on_the_version() -> None:
    assert note_of("A06", bytes.fromhex("c08000"), V311).severity is Severity.NOTE
    assert note_of("A06", bytes.fromhex("c08000"), V5).severity is Severity.ERROR
    assert note_of("C10", encoded(Connect("c", password=b"p"), V311), V311).severity is Severity.ERROR
    assert note_of("C10", connect(password=b"p", version=V5), V5).severity is Severity.NOTE


def test_long_numbers_in_properties_are_found() -> None:
    identifier = bytes.fromhex("300b000174050b808080017878")
    assert ids(identifier, V5, DOWN) == []
    assert "A06" in ids(identifier.replace(bytes.fromhex("80808001"), bytes.fromhex("81808000")), V5, DOWN)
    length = bytes.fromhex("3006000174800078")
    assert ids(length, V5) == ["A06"]


def test_notes_name_the_offending_bytes() -> None:
    raw = publish(topic="ä\x1b+")
    spans = {note.id: raw[note.start : note.end] for note in found(raw, V5, UP).notes}
    assert spans == {"B03": b"\x1b", "B06": b"+"}


@pytest.mark.parametrize(
    ("kind", "direction", "version", "wrong"),
    [
        (packets.Pingreq(), DOWN, V311, True),
        (packets.Pingreq(), UP, V311, False),
        (packets.Pingresp(), UP, V5, True),
        (Connack(), UP, V5, True),
        (Disconnect(), DOWN, V311, True),
        (Disconnect(), DOWN, V5, False),
        (Publish("t"), DOWN, V311, False),
        (Auth(0x18, (Property(PropertyId.AUTHENTICATION_METHOD, "m"),)), DOWN, V5, False),
        (Connect("c"), DOWN, V311, True),
        (Suback(1, (0,)), UP, V311, True),
        (packets.Unsuback(1), UP, V311, True),
        (Subscribe(1, (TopicRequest("t"),)), DOWN, V311, True),
    ],
)
def test_direction(kind: packets.Packet, direction: Direction, version: Version, *, wrong: bool) -> None:
    assert ("A10" in ids(encoded(kind, version), version, direction)) is wrong


def test_codes_of_one_sender_only() -> None:
    assert "E15" in ids(encoded(Disconnect(0x04), V5), V5, DOWN)
    assert "E15" not in ids(encoded(Disconnect(0x04), V5), V5, UP)
    assert "E15" in ids(encoded(Disconnect(0x8E), V5), V5, UP)


def test_leftover_fields_of_connect_are_explained() -> None:
    whole = Connect("c", username="u", password=b"p", will=Will("w"))
    without_will = encoded(Connect("c", username="u", password=b"p", will=Will("w"), flags=0xC2), V311)
    assert {"A08", "C09"} <= set(ids(without_will, V311))
    without_password = encoded(Connect("c", username="u", password=b"p", flags=0x82), V311)
    assert set(ids(without_password, V311)) == {"A08", "C11"}
    assert ids(encoded(whole, V311), V311) == []


@pytest.mark.parametrize("filter", ["a/#", "#", "+", "+/+/#", "$share/g/a/#", "/", "a//b"])
def test_good_filters_have_no_findings(filter: str) -> None:
    assert ids(subscribe(filter, version=V5), V5) == []


@pytest.mark.parametrize("text", ["a#", "a/b#", "#/a", "##"])
def test_misplaced_multi_level_wildcards(text: str) -> None:
    assert ids(subscribe(text), V311) == ["B09"]


@pytest.mark.parametrize("text", ["$share//t", "$share/+/t", "$share/a#/t", "$share/a/", "$share", "$share/a"])
def test_ill_formed_shared_subscriptions(text: str) -> None:
    assert "B11" in ids(subscribe(text, version=V5), V5)
    assert "B12" in ids(subscribe(text), V311)


@pytest.mark.parametrize("number", [1, 2, 3, 5, 24, 31, 34])
def test_payload_format_is_checked_over_chunk_borders(number: int) -> None:
    indicator = Property(PropertyId.PAYLOAD_FORMAT_INDICATOR, 1)
    text = "é".encode() * ((1 << 19) + 1)
    good = publish(indicator, payload=b"x" * (number % 2) + text)
    assert ids(good, V5) == []
    bad = publish(indicator, payload=b"x" * (number % 2) + text[:-1])
    note = note_of("D26", bad, V5)
    assert bad[note.start : note.end] == b"\xc3" and note.end == len(bad)


def test_a_user_property_that_is_not_utf8_breaks_two_statements() -> None:
    raw = publish(Property(PropertyId.USER_PROPERTY, (b"k\xff", "v")))
    assert note_of("B01", raw, V5).statement == "MQTT-1.5.4-1, MQTT-1.5.7-1"


def test_will_payload_format_is_checked() -> None:
    will = Will("w", b"\xff", properties=(Property(PropertyId.PAYLOAD_FORMAT_INDICATOR, 1),))
    assert note_of("D26", connect(will=will, version=V5), V5).statement == "§3.1.3.2.3"


def test_a_property_that_overruns_the_list_does_not_hide_the_payload() -> None:
    dissection = found(bytes.fromhex("300a00036c656e020201") + b"xy", V5, UP)
    assert dissection.malformed and [note.id for note in dissection.notes] == ["H06"]
    payload = dissection.first("mqtt.msg")
    assert payload is not None and payload.value == b"xy"


def test_text_of_the_wire_is_visible_in_notes() -> None:
    raw = encoded(Disconnect(0x8B, (Property(PropertyId.REASON_STRING, "\x1b]0;x\x07\u202e"),)), V5)
    text = note_of("H10", raw, V5, DOWN).text
    assert text.isprintable() and r"\x1b]0;x\x07" in text


def test_bytes_that_may_hold_the_password_are_secret() -> None:
    cut = encoded(Connect("c", username="user", password=b"hunter2"), V311)[:-2]
    raw = cut[:1] + bytes([cut[1] - 2]) + cut[2:]
    secret = [raw[field.start : field.end] for field in found(raw, V311, UP).walk() if field.secret]
    assert secret == [b"hunte"]
    listed = encoded(Auth(0x18, (Property(PropertyId.AUTHENTICATION_DATA, b"token"),)), V5)
    broken = listed.replace(b"\0\5token", b"\0\6token")
    assert [broken[field.start : field.end] for field in found(broken, V5, UP).walk() if field.secret] == [b"token"]
    plain = encoded(Connect("c", username="user"), V311) + b"x"
    assert not [field for field in found(plain, V311, UP).walk() if field.secret]
