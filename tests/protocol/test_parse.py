"""Encode, parse, dissect: the same values come back, and nothing else does."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mqtttui.protocol import packets
from mqtttui.protocol.dissect import dissect
from mqtttui.protocol.enums import Direction, PacketType, PropertyId, Version
from mqtttui.protocol.fields import Context, Dissection, Field, Value
from mqtttui.protocol.packets import Connect, Property, Publish, Subscribe, TopicRequest, Will, encode
from mqtttui.protocol.parse import connect_level, parse
from mqtttui.protocol.properties import PROPERTIES, Kind
from tests.support import golden, strategies


@given(strategies.versioned_packets)
def test_encode_then_parse_gives_back_the_value(pair: tuple[Version, packets.Packet]) -> None:
    version, packet = pair
    raw = encode(packet, version)
    found = parse(raw, version)
    assert found == packet
    assert encode(found, version) == raw


@given(st.binary(max_size=60) | strategies.any_packet_bytes, strategies.versions)
def test_whatever_parses_encodes_to_the_same_bytes(raw: bytes, version: Version) -> None:
    found = parse(raw, version)
    if found is None:
        return
    again = encode(found, version)
    assert again[1:] == raw[1:] or version is not Version.V5
    assert len(again) <= len(raw) and parse(again, version) == found


@given(strategies.versioned_packets)
def test_cut_packets_do_not_parse(pair: tuple[Version, packets.Packet]) -> None:
    version, packet = pair
    raw = encode(packet, version)
    assert all(parse(raw[:length], version) is None for length in range(len(raw)))
    assert parse(raw + b"\0", version) is None


@given(strategies.versioned_packets)
def test_what_parses_dissects_without_undecoded_bytes(pair: tuple[Version, packets.Packet]) -> None:
    version, packet = pair
    assert not dissect(encode(packet, version), Context(version, Direction.C2S)).malformed


@given(strategies.any_properties)
def test_properties_keep_order_and_repetition(listed: packets.Properties) -> None:
    packet = Publish("t", b"x", properties=listed)
    assert parse(encode(packet, Version.V5), Version.V5) == packet


@given(st.binary(max_size=20))
def test_strings_that_are_no_text_come_back_as_bytes(raw: bytes) -> None:
    found = parse(encode(Publish(raw), Version.V311), Version.V311)
    assert isinstance(found, Publish)
    try:
        assert found.topic == raw.decode()
    except UnicodeDecodeError:
        assert found.topic == raw


@pytest.mark.parametrize(
    "packet",
    [
        Connect("c", flags=0x06, will=Will("w")),
        Connect("c", protocol_name="MQIsdp"),
        Connect("c", level=0x84),
        Connect("c", version=Version.V5, level=0x85),
        Connect("c", flags=0xFF, username="u", password=b"p", will=Will("w")),
    ],
)
def test_a_deliberately_odd_connect_survives(packet: Connect) -> None:
    raw = encode(packet, packet.version)
    found = parse(raw, packet.version)
    assert found is not None and encode(found, packet.version) == raw


@pytest.mark.parametrize("text", ["c100", "c08000", "360700027133000678", "0000", "30ffffffff7f", "f000", "", "30", "2002fe00"])
def test_malformed_packets_have_no_value(text: str) -> None:
    assert parse(bytes.fromhex(text), Version.V5 if text != "f000" else Version.V311) is None


def test_golden_packets_parse() -> None:
    for item in golden.packets():
        found = parse(item.raw, item.version, item.direction)
        assert (found is None) == (item.number == 19)
        assert found is None or encode(found, item.version) == item.raw


def test_the_level_of_a_connect_can_be_read_without_the_rest() -> None:
    assert connect_level(encode(Connect("c", level=9), Version.V311)) == (b"MQTT", 9)
    assert connect_level(b"\x10\x07\0\4MQTT\x06") == (b"MQTT", 6)
    assert connect_level(b"\x10\x02\0\4") is None
    assert connect_level(b"\x20\x02\0\0") is None
    assert connect_level(b"") is None


def test_parsing_is_fast_enough_for_a_broker() -> None:
    raws = [(item.raw, item.version) for item in golden.packets()]
    started = time.process_time()
    for _ in range(20):
        for raw, version in raws:
            parse(raw, version)
    assert (time.process_time() - started) / 20 / len(raws) < 60e-6


def every(found: Dissection, name: str) -> list[Value]:
    return [field.value for field in found.walk() if field.filter == name]


def text(value: packets.Text) -> str:
    return value if isinstance(value, str) else value.decode("utf-8", "backslashreplace")


@given(strategies.versioned_packets)
def test_encode_then_dissect_gives_back_every_value(pair: tuple[Version, packets.Packet]) -> None:
    version, packet = pair
    found = dissect(encode(packet, version), Context(version, Direction.C2S))
    assert found.type is packets.packet_type(packet) and found.version is version
    assert every(found, "mqtt.msgtype") == [found.type]
    match packet:
        case packets.Connect():
            assert_connect(found, packet)
        case packets.Connack():
            name = "mqtt.connack.reason_code" if version is Version.V5 else "mqtt.conack.val"
            assert every(found, name) == [packet.code]
            assert every(found, "mqtt.conack.flags.sp") == ([] if version is Version.V31 else [packet.session_present])
        case packets.Publish():
            assert every(found, "mqtt.topic") == [packet.topic]
            assert every(found, "mqtt.msg") == [packet.payload]
            assert every(found, "mqtt.msgid") == ([] if packet.packet_id is None else [packet.packet_id])
            assert [every(found, f"mqtt.{name}")[0] for name in ("qos", "retain", "dupflag")] == [packet.qos, packet.retain, packet.dup]
        case packets.Ack():
            assert every(found, "mqtt.msgid") == [packet.packet_id]
            assert every(found, f"mqtt.{packet.type.name.lower()}.reason_code") == codes(packet.reason_code)
        case packets.Subscribe():
            assert every(found, "mqtt.topic") == [request.filter for request in packet.requests]
            name = "mqtt.subscription_options" if version is Version.V5 else "mqtt.sub.qos"
            assert every(found, name) == [request.options(version) for request in packet.requests]
        case packets.Suback():
            assert every(found, "mqtt.suback.reason_code" if version is Version.V5 else "mqtt.suback.qos") == list(packet.codes)
        case packets.Unsubscribe():
            assert every(found, "mqtt.topic") == list(packet.filters)
        case packets.Unsuback():
            assert every(found, "mqtt.unsuback.reason_code") == list(packet.codes)
        case packets.Disconnect():
            assert every(found, "mqtt.disconnect.reason_code") == codes(packet.reason_code)
        case packets.Auth():
            assert every(found, "mqtt.auth.reason_code") == codes(packet.reason_code)
        case packets.Pingreq() | packets.Pingresp():
            assert len(found.fields) == 2
    listed = getattr(packet, "properties", None) or ()
    groups = [field for field in found.walk() if field.filter == "mqtt.properties"]
    assert [property_of(item, found.raw) for group in groups for item in group.children[1:]] == list(listed)


def codes(code: int | None) -> list[int]:
    return [] if code is None else [code]


def assert_connect(found: Dissection, packet: Connect) -> None:
    assert every(found, "mqtt.ver") == [packet.version]
    assert every(found, "mqtt.clientid") == [packet.client_id]
    assert every(found, "mqtt.kalive") == [packet.keep_alive]
    assert every(found, "mqtt.conflags") == [packets.connect_flags(packet)]
    assert every(found, "mqtt.conflag.cleansess") == [packet.clean]
    assert every(found, "mqtt.username") == ([] if packet.username is None else [text(packet.username)])
    assert every(found, "mqtt.passwd") == ([] if packet.password is None else [text(packet.password)])
    secret = [field.filter for field in found.walk() if field.secret]
    assert ("mqtt.passwd" in secret) is (packet.password is not None)
    if packet.will is None:
        assert every(found, "mqtt.willtopic") == []
        return
    assert every(found, "mqtt.willtopic") == [packet.will.topic]
    assert every(found, "mqtt.willmsg") == [packet.will.payload]
    assert every(found, "mqtt.conflag.qos") == [packet.will.qos]
    groups = [field for field in found.walk() if field.filter == "mqtt.will_properties"]
    assert [property_of(item, found.raw) for group in groups for item in group.children[1:]] == list(packet.will.properties)


def property_of(group: Field, raw: bytes) -> Property:
    """The property that a group of the tree shows."""
    identifier, *rest = group.children
    assert isinstance(identifier.value, int)
    spec = PROPERTIES[identifier.value]
    assert group.name == spec.name
    values = [field.value for field in rest if not field.filter.endswith("_len")]
    if len(values) == 2:
        assert isinstance(values[0], str) and isinstance(values[1], str)
        return Property(spec.id, (values[0], values[1]))
    (value,) = values
    if spec.kind is Kind.BINARY:
        assert rest[-1].secret is (spec.id == PropertyId.AUTHENTICATION_DATA)
        return Property(spec.id, raw[rest[-1].start : rest[-1].end])
    assert isinstance(value, int | str)
    return Property(spec.id, value)


def test_a_bad_request_reads_as_it_stands() -> None:
    packet = Subscribe(1, (TopicRequest("t", 3, no_local=True, retain_as_published=True, retain_handling=3, reserved=3),))
    assert parse(encode(packet, Version.V5), Version.V5) == packet
    assert parse(encode(Subscribe(1, (TopicRequest("t", 0xFF),)), Version.V311), Version.V311) == Subscribe(1, (TopicRequest("t", 0xFF),))


def test_flags_of_31() -> None:
    packet = packets.Ack(PacketType.PUBREL, 1)
    assert parse(encode(packet, Version.V31, header_flags=0x0A), Version.V31) == packet
    assert parse(encode(packet, Version.V311, header_flags=0x0A), Version.V311) is None
