"""Reason codes and return codes: names, hints, and where each may stand."""

from __future__ import annotations

import pytest

from mqtttui.protocol.enums import Direction, PacketType, Version
from mqtttui.protocol.reason_codes import allowed, codes, label, reason
from mqtttui.protocol.values import VALUE_STRINGS

WITH_CODES = [
    PacketType.CONNACK,
    PacketType.PUBACK,
    PacketType.PUBREC,
    PacketType.PUBREL,
    PacketType.PUBCOMP,
    PacketType.SUBACK,
    PacketType.UNSUBACK,
    PacketType.DISCONNECT,
    PacketType.AUTH,
]

# MQTT 5, section 2.4: which codes stand in which packet.
TABLE = {
    PacketType.CONNACK: [0, *range(0x80, 0x8B), 0x8C, 0x90, 0x95, 0x97, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9F],
    PacketType.PUBACK: [0, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99],
    PacketType.PUBREC: [0, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99],
    PacketType.PUBREL: [0, 0x92],
    PacketType.PUBCOMP: [0, 0x92],
    PacketType.SUBACK: [0, 1, 2, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2],
    PacketType.UNSUBACK: [0, 0x11, 0x80, 0x83, 0x87, 0x8F, 0x91],
    PacketType.AUTH: [0, 0x18, 0x19],
}


@pytest.mark.parametrize("kind", TABLE)
def test_codes_of_a_packet(kind: PacketType) -> None:
    assert [found.code for found in codes(kind, Version.V5)] == TABLE[kind]


@pytest.mark.parametrize("kind", WITH_CODES)
def test_every_code_has_a_name_and_a_hint(kind: PacketType) -> None:
    for version in Version:
        for found in codes(kind, version):
            assert found.name[0].isupper() and found.hint and not found.hint.endswith(".")
            assert reason(found.code, kind, version) == found
            assert len(found.hint) < 160


@pytest.mark.parametrize(
    ("code", "kind", "version", "expected"),
    [
        (0x87, PacketType.CONNACK, Version.V5, "0x87 not authorized"),
        (5, PacketType.CONNACK, Version.V311, "5 not authorized"),
        (0, PacketType.CONNACK, Version.V31, "0 connection accepted"),
        (0x80, PacketType.SUBACK, Version.V311, "0x80 failure"),
        (1, PacketType.SUBACK, Version.V5, "0x01 granted QoS 1"),
        (0, PacketType.DISCONNECT, Version.V5, "0x00 normal disconnection"),
        (0, PacketType.PUBACK, Version.V5, "0x00 success"),
        (0x9B, PacketType.DISCONNECT, Version.V5, "0x9b QoS not supported"),
        (0x55, PacketType.PUBACK, Version.V5, "unknown code 0x55"),
        (9, PacketType.CONNACK, Version.V311, "unknown code 0x09"),
        (0x8E, PacketType.PUBACK, Version.V5, "unknown code 0x8e"),
        (1, PacketType.CONNACK, Version.V5, "unknown code 0x01"),
        (0x87, PacketType.SUBACK, Version.V311, "unknown code 0x87"),
        (0x8E, PacketType.DISCONNECT, Version.V5, "0x8e session taken over"),
    ],
)
def test_label(code: int, kind: PacketType, version: Version, expected: str) -> None:
    assert label(code, kind, version) == expected


def test_a_code_has_a_name_exactly_where_it_is_allowed() -> None:
    for kind in PacketType:
        for version in Version:
            for code in range(256):
                known = code in [found.code for found in codes(kind, version)]
                assert label(code, kind, version).startswith("unknown code") is not known
                assert reason(code, kind, version).hint


def test_a_code_from_elsewhere_says_what_it_means_there() -> None:
    assert "unacceptable protocol version" in reason(1, PacketType.CONNACK, Version.V5).hint
    assert "session taken over" in reason(0x8E, PacketType.PUBACK, Version.V5).hint
    assert "granted" not in reason(1, PacketType.PUBACK, Version.V5).hint


@pytest.mark.parametrize(
    ("code", "kind", "version", "direction", "expected"),
    [
        (0x04, PacketType.DISCONNECT, Version.V5, Direction.C2S, True),
        (0x04, PacketType.DISCONNECT, Version.V5, Direction.S2C, False),
        (0x8E, PacketType.DISCONNECT, Version.V5, Direction.C2S, False),
        (0x19, PacketType.AUTH, Version.V5, Direction.S2C, False),
        (0x18, PacketType.AUTH, Version.V5, Direction.S2C, True),
        (0x00, PacketType.AUTH, Version.V5, Direction.C2S, False),
        (0x80, PacketType.SUBACK, Version.V311, Direction.S2C, True),
        (0x80, PacketType.SUBACK, Version.V31, Direction.S2C, False),
        (3, PacketType.SUBACK, Version.V311, Direction.S2C, False),
        (6, PacketType.CONNACK, Version.V311, Direction.S2C, False),
        (0x11, PacketType.PUBACK, Version.V5, Direction.S2C, False),
    ],
)
def test_allowed(code: int, kind: PacketType, version: Version, direction: Direction, *, expected: bool) -> None:
    assert allowed(code, kind, version, direction) is expected


def test_failure_starts_at_0x80() -> None:
    assert reason(0x80, PacketType.SUBACK, Version.V311).failure
    assert not reason(0x19, PacketType.AUTH, Version.V5).failure


def test_value_strings_are_wiresharks() -> None:
    assert VALUE_STRINGS["mqtt.msgtype"][3] == "Publish Message"
    assert VALUE_STRINGS["mqtt.property_id"][2] == "Publication Expiry Interval"
    assert VALUE_STRINGS["mqtt.suback.reason_code"][0x9E] == "Shared Subscription not supported"
    assert VALUE_STRINGS["mqtt.suback.reason_code"][0] == "Granted QoS 0"
    assert VALUE_STRINGS["mqtt.disconnect.reason_code"][0] == "Normal disconnection"
