"""Field by field against `tshark -T pdml`: names, order, spans and values."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings

from mqtttui.protocol import packets
from mqtttui.protocol.enums import Direction, PacketType, Version
from mqtttui.protocol.fields import Context
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
    Unsuback,
    Unsubscribe,
    Will,
)
from mqtttui.protocol.parse import connect_level
from mqtttui.protocol.properties import PROPERTIES, WILL, Kind
from tests.support import golden, strategies
from tests.support.pcapng_oracle import Sent, assert_same, needs_tshark


@pytest.fixture(autouse=True)
def _needs_tshark() -> None:
    needs_tshark()


def test_golden_packets(tmp_path: Path) -> None:
    assert_same([(Sent(item.port, item.direction, item.raw), item.context) for item in golden.packets()], tmp_path)


def conversation(port: int, version: Version, sent: list[tuple[Direction, packets.Packet]]) -> list[tuple[Sent, Context]]:
    """A CONNECT of `version`, so that tshark knows it, and the packets behind it."""
    first = packets.encode(Connect("oracle", version), version)
    rows = [(Sent(port, Direction.C2S, first), Context(version, Direction.C2S))]
    rows += [(Sent(port, way, packets.encode(packet, version)), Context(version, way)) for way, packet in sent]
    return rows


def values_of(kind: Kind, generator: random.Random) -> list[int | str | bytes | tuple[str, str]]:
    match kind:
        case Kind.BYTE:
            return [0, 1]
        case Kind.UINT16:
            return [1, 0xFFFF]
        case Kind.UINT32:
            return [0, 1, 0xFFFFFFFF]
        case Kind.VARIABLE:
            return [1, 127, 128, 16_383, 16_384, 2_097_152, 268_435_455]
        case Kind.STRING:
            return ["", "text", "ünï ☃ 🐟"]
        case Kind.BINARY:
            return [b"", b"\x01\xff" + generator.randbytes(5)]
        case Kind.PAIR:
            return [("", ""), ("key", "välue")]


def carrier(place: int, listed: packets.Properties) -> tuple[Direction, packets.Packet]:
    """A packet with properties at `place`."""
    up, down = Direction.C2S, Direction.S2C
    match place:
        case PacketType.CONNECT:
            return up, Connect("c", Version.V5, properties=listed)
        case 16:
            return up, Connect("c", Version.V5, will=Will("w", b"p", properties=listed))
        case PacketType.CONNACK:
            return down, Connack(properties=listed)
        case PacketType.PUBLISH:
            return down, Publish("t", b"payload", properties=listed)
        case PacketType.SUBSCRIBE:
            return up, Subscribe(1, (TopicRequest("f/#", 1),), listed)
        case PacketType.SUBACK:
            return down, Suback(1, (0, 1, 2), listed)
        case PacketType.UNSUBSCRIBE:
            return up, Unsubscribe(1, ("f/#",), listed)
        case PacketType.UNSUBACK:
            return down, Unsuback(1, (0, 0x11), listed)
        case PacketType.DISCONNECT:
            return up, Disconnect(0x04, listed)
        case PacketType.AUTH:
            return up, Auth(0x18, listed)
        case _:
            return up, Ack(PacketType(place), 1, 0x10, listed)


def test_every_property_in_every_place(tmp_path: Path) -> None:
    generator = random.Random(1)
    sent = [
        carrier(place, (Property(spec.id, value),))
        for spec in PROPERTIES.values()
        for place in sorted(spec.packets)
        for value in values_of(spec.kind, generator)
    ]
    assert {place for spec in PROPERTIES.values() for place in spec.packets} >= {WILL, PacketType.AUTH}
    assert_same(conversation(40_000, Version.V5, sent), tmp_path)


def test_short_and_empty_forms(tmp_path: Path) -> None:
    up, down = Direction.C2S, Direction.S2C
    sent: list[tuple[Sent, Context]] = []
    plain: list[tuple[Direction, packets.Packet]] = [
        (up, Subscribe(1, ())),
        (up, Subscribe(1, (TopicRequest("", 1), TopicRequest("a", 2)))),
        (up, Unsubscribe(2, ("", "b"))),
        (down, Suback(1, (0, 1, 2, 0x80))),
        (down, Publish("t", retain=True, dup=True, qos=2, packet_id=7)),
        (up, Ack(PacketType.PUBREL, 7)),
        (up, packets.Pingreq()),
        (down, packets.Pingresp()),
        (up, Disconnect()),
    ]
    for port, version in enumerate(Version, 41_000):
        sent += conversation(port, version, plain)
    connects = [
        Connect("", version, username=username, password=password, will=will)
        for version in Version
        for username, password in ((None, None), ("", b""), ("u", None), ("u", b"p"))
        for will in (None, Will("", b""), Will("w", b"\0\xff", 2, retain=True))
    ]
    for port, connect in enumerate(connects, 42_000):
        raw = packets.encode(connect, connect.version)
        sent.append((Sent(port, up, raw), Context(connect.version, up)))
    aliases: list[tuple[Direction, packets.Packet]] = [
        (down, Publish("", b"x", properties=(Property(0x23, 9),))),
        (up, Ack(PacketType.PUBACK, 1, 0x10)),
        (up, Ack(PacketType.PUBACK, 1, 0x10, ())),
        (down, Disconnect(0x8E)),
        (up, Auth()),
    ]
    sent += conversation(43_000, Version.V5, aliases)
    assert_same(sent, tmp_path)


ODD = {
    "flags of PUBREL in 3.1": (Version.V31, Direction.C2S, "6a020001"),
    "flags of SUBSCRIBE in 3.1": (Version.V31, Direction.C2S, "8b06000100016101"),
    "flags of PUBACK": (Version.V31, Direction.C2S, "4a020001"),
    "acknowledge byte of 3.1": (Version.V31, Direction.S2C, "20020100"),
    "acknowledge flags": (Version.V311, Direction.S2C, "2002fe09"),
    "QoS 3": (Version.V311, Direction.C2S, "360700027133000678"),
    "no body in type 0": (Version.V311, Direction.C2S, "0000"),
    "non-minimal length": (Version.V311, Direction.C2S, "c08000"),
    "options with every bit": (Version.V5, Direction.C2S, "8207000100000161ff"),
    "requested QoS with every bit": (Version.V311, Direction.C2S, "82060001000161ff"),
    "NUL in a topic": (Version.V311, Direction.C2S, "300b00086e756c006865726578"),
    "bad UTF-8 in a topic": (Version.V311, Direction.C2S, "300b0008626164fffe75746678"),
    "unknown property": (Version.V5, Direction.C2S, "300a0003756e6b037f010278"),
    "bytes behind PUBACK": (Version.V311, Direction.C2S, "4003000700"),
    "body of PINGREQ": (Version.V311, Direction.C2S, "c003616263"),
    "body of DISCONNECT": (Version.V311, Direction.C2S, "e00100"),
    "AUTH before 5": (Version.V311, Direction.C2S, "f00118"),
    "property length past the end": (Version.V5, Direction.C2S, "300800036c656e200101"),
    "long subscription identifier": (Version.V5, Direction.S2C, "300d0003737562050b808080007878"),
}


def test_odd_packets(tmp_path: Path) -> None:
    sent: list[tuple[Sent, Context]] = []
    for port, (version, way, text) in enumerate(ODD.values(), 44_000):
        sent += conversation(port, version, [])
        sent.append((Sent(port, way, bytes.fromhex(text)), Context(version, way)))
    assert_same(sent, tmp_path)


def generated(count: int) -> list[tuple[Version, packets.Packet]]:
    """The same `count` packets every time."""
    found: list[tuple[Version, packets.Packet]] = []

    @settings(max_examples=count, deadline=None, derandomize=True, database=None, phases=[Phase.generate])
    @given(strategies.versioned_packets)
    def collect(pair: tuple[Version, packets.Packet]) -> None:
        found.append(pair)

    collect()
    return found


def test_generated_packets(tmp_path: Path) -> None:
    sent: list[tuple[Sent, Context]] = []
    for port, (version, packet) in enumerate(generated(400), 45_000):
        if isinstance(packet, Connect):
            sent.append((Sent(port, Direction.C2S, packets.encode(packet, version)), Context(version, Direction.C2S)))
        else:
            sent += conversation(port, version, [(Direction.C2S, packet)])
    assert_same(sent, tmp_path)


def test_damaged_packets(tmp_path: Path) -> None:
    """Bits flipped behind the fixed header: whatever is left of a packet, both read the same out of it."""
    generator = random.Random(7)
    sent: list[tuple[Sent, Context]] = []
    for version, packet in generated(400):
        whole = packets.encode(packet, version)
        body = 3 if len(whole) > 129 else 2
        for _ in range(3 if len(whole) > body else 0):
            raw = bytearray(whole)
            for _ in range(generator.randint(1, 3)):
                raw[generator.randrange(body, min(len(raw), body + 40))] ^= 1 << generator.randrange(8)
            if isinstance(packet, Connect):
                level = connect_level(bytes(raw))
                if level is not None and level[1] not in (3, 4, 5):
                    continue  # DIFFERENCES["levels"]
            port = 1_024 + len(sent)
            sent += conversation(port, version, [] if isinstance(packet, Connect) else [(Direction.C2S, packets.Pingreq())])
            sent.append((Sent(port, Direction.C2S, bytes(raw)), Context(version, Direction.C2S)))
    assert len(sent) > 3_000
    assert_same(sent, tmp_path)
