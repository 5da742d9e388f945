"""Near misses: packets that are like those on which a check of one packet strikes, and are in order."""

from __future__ import annotations

import pytest

from mqtttui.protocol.checks import CHECKS
from mqtttui.protocol.dissect import dissect
from mqtttui.protocol.enums import Direction, Version
from mqtttui.protocol.enums import PacketType as P
from mqtttui.protocol.enums import PropertyId as I
from mqtttui.protocol.fields import Context
from mqtttui.protocol.packets import (
    Ack,
    Auth,
    Connack,
    Connect,
    Disconnect,
    Packet,
    Pingreq,
    Property,
    Publish,
    Suback,
    Subscribe,
    TopicRequest,
    Unsubscribe,
    Will,
    encode,
)

V31, V311, V5 = Version.V31, Version.V311, Version.V5
UP, DOWN = Direction.C2S, Direction.S2C
Near = tuple[Packet | bytes, Version, Direction]


def publish(*properties: Property, topic: str = "t", payload: bytes = b"x") -> Publish:
    return Publish(topic, payload, properties=properties)


def subscribe(filter: str, version: Version = V311, **options: int) -> Subscribe:
    return Subscribe(1, (TopicRequest(filter, **options),))  # type: ignore[arg-type]


NEAR: dict[str, Near] = {
    "A01": (b"\x10" + encode(Connect("c"), V311)[1:], V311, UP),
    "A02": (Auth(0x18, (Property(I.AUTHENTICATION_METHOD, "m"),)), V5, UP),
    "A03": (Ack(P.PUBREL, 1), V311, UP),
    "A04": (Ack(P.PUBREL, 1), V31, UP),
    "A05": (b"\x30\x80\x80\x01\0\1t" + bytes(16_381), V311, UP),
    "A06": (b"\x30\x80\x01\0\1t" + bytes(125), V5, UP),
    "A07": (b"\x30\x05\0\3abc", V311, UP),
    "A08": (Ack(P.PUBACK, 1), V311, UP),
    "A09": (Disconnect(), V311, UP),
    "A10": (Pingreq(), V311, UP),
    "A11": (Pingreq(), V311, UP),
    "B01": (publish(topic="ä\U0001f600"), V311, UP),
    "B02": (publish(topic="\x20"), V311, UP),
    "B03": (publish(topic="\xa0~"), V311, UP),
    "B04": (publish(topic="\u200b"), V311, UP),
    "B05": (Publish("", properties=(Property(I.TOPIC_ALIAS, 1),)), V5, UP),
    "B06": (publish(topic="a/*"), V311, UP),
    "B07": (Connect("c", will=Will("a/b")), V311, UP),
    "B08": (publish(Property(I.RESPONSE_TOPIC, "a/b")), V5, UP),
    "B09": (subscribe("a/#"), V311, UP),
    "B10": (subscribe("a/+/b"), V311, UP),
    "B11": (subscribe("$share/g/a"), V5, UP),
    "B12": (subscribe("$shares/g/a"), V311, UP),
    "B13": (publish(topic="$SYS/a"), V311, DOWN),
    "C03": (Connect("c"), V311, UP),
    "C04": (Connect("c", level=0x84), V311, UP),
    "C05": (Connect("c"), V311, UP),
    "C06": (Connect("c", will=Will("w", qos=2)), V311, UP),
    "C07": (Connect("c", will=Will("w", retain=True)), V311, UP),
    "C08": (Connect("c", will=Will("w", qos=2)), V311, UP),
    "C09": (Connect("c", will=Will("w")), V311, UP),
    "C10": (Connect("c", username="", password=b"p"), V311, UP),
    "C11": (Connect("c", username="u"), V311, UP),
    "C12": (Connect(""), V311, UP),
    "C14": (Connect("c", keep_alive=300), V311, UP),
    "C20": (Connack(0, True), V311, DOWN),
    "C24": (Connack(0, True), V311, DOWN),
    "C25": (Connack(5), V311, DOWN),
    "C26": (Connack(0), V311, DOWN),
    "D01": (Publish("t", qos=2, packet_id=1), V311, UP),
    "D02": (Publish("t", qos=1, packet_id=1, dup=True), V311, UP),
    "D03": (Publish("t", qos=1, packet_id=1), V311, UP),
    "D16": (Publish("t", b"", retain=True), V311, DOWN),
    "D17": (Publish("t", b"x", qos=1, packet_id=1, retain=True), V311, UP),
    "D19": (publish(Property(I.TOPIC_ALIAS, 1)), V5, UP),
    "D23": (publish(Property(I.SUBSCRIPTION_IDENTIFIER, 1)), V5, DOWN),
    "D26": (publish(Property(I.PAYLOAD_FORMAT_INDICATOR, 1), payload="ä".encode()), V5, UP),
    "E15": (Ack(P.PUBACK, 1, 0x10, ()), V5, DOWN),
    "E16": (Ack(P.PUBACK, 1, 0x10, ()), V5, DOWN),
    "E17": (Ack(P.PUBACK, 1, 0x00, ()), V5, DOWN),
    "E18": (Ack(P.PUBCOMP, 1, 0x00, ()), V5, DOWN),
    "F01": (subscribe("a"), V311, UP),
    "F02": (Unsubscribe(1, ("a",)), V311, UP),
    "F03": (subscribe("a", qos=2), V311, UP),
    "F04": (subscribe("a", qos=2, retain_handling=2, no_local=1), V5, UP),
    "F05": (subscribe("a", retain_handling=2), V5, UP),
    "F06": (subscribe("$share/g/a"), V5, UP),
    "F07": (subscribe("a"), V311, UP),
    "F08": (Subscribe(1, (TopicRequest("a"),), (Property(I.SUBSCRIPTION_IDENTIFIER, 1),)), V5, UP),
    "F12": (Suback(1, (0, 1, 2, 0x80)), V311, DOWN),
    "F24": (Subscribe(1, (TopicRequest("a"), TopicRequest("A"))), V311, UP),
    "G10": (Disconnect(0, (Property(I.SESSION_EXPIRY_INTERVAL, 1),)), V5, UP),
    "G12": (Disconnect(0x04), V5, UP),
    "G13": (Disconnect(0x00), V5, UP),
    "H01": (publish(Property(I.CONTENT_TYPE, "x")), V5, UP),
    "H02": (Connect("c", V5, properties=(Property(I.RECEIVE_MAXIMUM, 5),)), V5, UP),
    "H03": (publish(*[Property(I.USER_PROPERTY, ("k", "v"))] * 2), V5, UP),
    "H04": (publish(Property(I.PAYLOAD_FORMAT_INDICATOR, 1)), V5, UP),
    "H05": (Connect("c", V5, properties=(Property(I.MAXIMUM_PACKET_SIZE, 1),)), V5, UP),
    "H06": (publish(Property(I.MESSAGE_EXPIRY_INTERVAL, 1)), V5, UP),
    "H07": (
        Connect("c", V5, properties=(Property(I.AUTHENTICATION_METHOD, "m"), Property(I.AUTHENTICATION_DATA, b"x"))),
        V5,
        UP,
    ),
    "H09": (Connect("c", V5, properties=(Property(I.RECEIVE_MAXIMUM, 65_534),)), V5, UP),
    "H10": (Disconnect(0x8B, ()), V5, DOWN),
    "H12": (Auth(0x18, (Property(I.AUTHENTICATION_METHOD, "m"),)), V5, UP),
    "H16": (bytes.fromhex("2003000000"), V5, DOWN),
}


def test_every_check_has_a_near_miss() -> None:
    assert set(NEAR) == set(CHECKS)


@pytest.mark.parametrize("check", sorted(NEAR))
def test_a_check_is_silent_on_what_is_in_order(check: str) -> None:
    packet, version, direction = NEAR[check]
    raw = packet if isinstance(packet, bytes) else encode(packet, version)
    assert check not in [note.id for note in dissect(raw, Context(version, direction)).notes]


def test_every_check_says_what_to_check() -> None:
    assert [check.id for check in CHECKS.values() if not check.hint] == []
