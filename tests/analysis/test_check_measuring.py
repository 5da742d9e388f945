"""Times and sizes of a test run from its packets."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mqtttui.analysis.check_measuring import Seen, Trace, is_probe, probe
from mqtttui.protocol.enums import Direction, PacketType
from mqtttui.protocol.packets import (
    Ack,
    Connack,
    Connect,
    Disconnect,
    Packet,
    Pingreq,
    Pingresp,
    Publish,
    Suback,
    Subscribe,
    TopicRequest,
    Unsuback,
    Unsubscribe,
)

OUT, IN = Direction.C2S, Direction.S2C
RETAINED = Publish("t", b"old", retain=True)


def out(qos: int, mid: int | None = None) -> Publish:
    return replace(probe(b"t", "n", qos, v5=False), packet_id=mid)


def trace(*packets: tuple[int, Direction, Packet]) -> Trace:
    made = Trace("n")
    for mono, direction, packet in packets:
        made.add(Seen(mono, direction, 100 + mono, packet))
    return made


WHOLE = (
    (10, OUT, Connect()),
    (13, IN, Connack()),
    (20, OUT, Subscribe(1, (TopicRequest("t", 2),))),
    (22, IN, RETAINED),
    (24, IN, Suback(1, (2,))),
    (30, OUT, out(0)),
    (37, IN, out(0)),
    (40, OUT, out(1, 2)),
    (44, IN, Ack(PacketType.PUBACK, 2)),
    (45, IN, out(1, 1)),
    (46, OUT, Ack(PacketType.PUBACK, 1)),
    (50, OUT, out(2, 2)),
    (53, IN, Ack(PacketType.PUBREC, 2)),
    (54, OUT, Ack(PacketType.PUBREL, 2)),
    (55, IN, out(2, 2)),
    (56, OUT, Ack(PacketType.PUBREC, 2)),
    (57, IN, Ack(PacketType.PUBREL, 2)),
    (58, OUT, Ack(PacketType.PUBCOMP, 2)),
    (59, IN, Ack(PacketType.PUBCOMP, 2)),
    (60, OUT, Unsubscribe(3, ("t",))),
    (65, IN, Unsuback(3)),
    (70, OUT, Pingreq()),
    (71, IN, Pingresp()),
    (80, OUT, Disconnect()),
)


def test_a_whole_run() -> None:
    assert trace(*WHOLE).times(5, {0: 28, 1: 39, 2: 49}) == {
        "connack": 3,
        "connected": 8,
        "subscribe": 4,
        "first-message": 2,
        "publish-qos0": 2,
        "publish-qos1": 4,
        "publish-qos2": 9,
        "publish-qos2-pubrec": 3,
        "publish-qos2-pubcomp": 5,
        "latency-qos0": 7,
        "latency-qos1": 5,
        "latency-qos2": 5,
        "unsubscribe": 5,
        "ping": 1,
        "total": 75,
    }
    assert trace(*WHOLE).sizes() == {
        "publish-size-qos0": 130,
        "publish-size-qos1": 140,
        "publish-size-qos2": 150,
        "publish-payload": len("mqtttui-probe=n-0"),
        "subscribe-size": 122,
        "subscribe-payload": 3,
        "subscribe-total": 122 + 137 + 145 + 155,
    }


@pytest.mark.parametrize("length", range(len(WHOLE)))
def test_a_run_that_breaks_off_has_the_times_that_it_reached(length: int) -> None:
    whole, part = trace(*WHOLE).times(5, {0: 28}), trace(*WHOLE[:length]).times(5, {0: 28})
    assert part.items() <= whole.items()
    assert "total" not in part


def test_copies_and_probes_of_others_do_not_count() -> None:
    other = replace(out(0), payload=b"mqtttui-probe=m-0")
    times = trace((1, OUT, out(0)), (2, IN, other), (3, IN, out(0)), (9, IN, replace(out(0), dup=True))).times(0, {})
    assert times == {"latency-qos0": 2}


@pytest.mark.parametrize("v5", [False, True])
def test_a_probe_is_known_again(v5: bool) -> None:
    made = probe(b"t", "n", 1, v5=v5)
    assert is_probe(made, "n", 1)
    assert not is_probe(made, "n", 0)
    assert not is_probe(made, "o", 1)
    assert is_probe(replace(made, payload=b"changed"), "n", 1) is v5
