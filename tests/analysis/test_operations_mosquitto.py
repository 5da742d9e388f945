"""Operations of a real session with mosquitto, against what the broker's own log says of the same exchanges."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest

from mqtttui.analysis.operation import OpKind, OpState
from mqtttui.analysis.operations import Operations
from mqtttui.analysis.pairs import Pairs
from mqtttui.client.events import Outcome
from mqtttui.protocol.enums import Direction, PacketType, PropertyId, Version
from mqtttui.protocol.packets import Connect, Property, TopicRequest
from tests.support.brokers import mosquitto
from tests.support.sessions import Driver

_LINE = re.compile(r"(Received|Sending) (\w+) (?:from|to) (\S+) \((.*)\)$", re.MULTILINE)
_IDENTIFIER = re.compile(r"\b(?:m|Mid: )(\d+)")
_ORDER = ("PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP")

Exchange = tuple[Direction, int, tuple[str, ...]]
"""Who published, packet identifier, packets."""


def told_by_the_broker(log: str, client: str) -> list[Exchange]:
    """The exchanges of messages with QoS 1 and 2, in the broker's words."""
    flows: defaultdict[tuple[Direction, int], list[list[str]]] = defaultdict(list)
    for verb, kind, name, details in _LINE.findall(log):
        identifier = _IDENTIFIER.search(details)
        if name != client or kind not in _ORDER or identifier is None or (kind == "PUBLISH" and "q0" in details):
            continue
        sender = Direction.C2S if verb == "Received" else Direction.S2C
        publisher = sender if kind in ("PUBLISH", "PUBREL") else Direction(1 - sender)
        running = flows[publisher, int(identifier[1])]
        if kind == "PUBLISH":
            running.append([])
        running[-1].append(kind)
    return sorted((direction, identifier, tuple(one)) for (direction, identifier), all_ in flows.items() for one in all_)


@pytest.mark.parametrize("version", [Version.V311, Version.V5], ids=lambda version: version.label)
async def test_the_operations_are_those_that_the_broker_tells(tmp_path: Path, version: Version) -> None:
    v5 = version is Version.V5
    client = f"operations-{version.label}"
    answer = (Property(PropertyId.RESPONSE_TOPIC, "ops/answers"), Property(PropertyId.CORRELATION_DATA, b"\x01\x02"))
    with mosquitto(tmp_path) as broker:
        async with Driver() as driver:
            await driver.connected(broker.port, connect=Connect(client, version))
            await driver.subscribed(TopicRequest("ops/#", 2))
            driver.ping()
            for qos in (0, 1, 2, 1, 2):
                await driver.outcome(driver.publish(f"ops/{qos}", b"x", qos=qos), Outcome.SENT if not qos else Outcome.ACKED)
            if v5:
                await driver.outcome(driver.publish("ops/ask", b"?", qos=1, properties=answer), Outcome.ACKED)
                await driver.outcome(driver.publish("ops/answers", b"!", qos=1, properties=answer[1:]), Outcome.ACKED)
            messages = 7 if v5 else 5

            def all_settled() -> bool:
                kinds = driver.types()
                delivered = [no for no in driver.log.numbers() if driver.log.head(no).direction is Direction.S2C and kinds[no - 1] == 3]
                return len(delivered) == messages and kinds.count(PacketType.PUBCOMP) == 4 and kinds.count(PacketType.PINGRESP) == 1

            await driver.until(all_settled, "every message back and acknowledged")
            await driver.disconnect()
        broker.stop()  # It writes its log out at the end.
        told = broker.log()
    pairs = Pairs()
    operations = Operations(pairs)
    while not (pairs.advance(driver.log) and operations.advance(driver.log)):
        pass
    found = [operations.operation(start, 0) for start in sorted(operations.rows("all", 0, 1_000))]
    ours: list[Exchange] = []
    for one in found:
        assert one is not None
        if one.qos:
            raw = driver.log[one.start].raw
            topic_end = 4 + int.from_bytes(raw[2:4], "big")
            identifier = int.from_bytes(raw[topic_end : topic_end + 2], "big")
            ours.append((one.direction, identifier, tuple(leg.label for leg in one.legs if leg.label in _ORDER)))
    assert sorted(ours) == told_by_the_broker(told, client)
    others = [one.kind for one in found if one is not None and not one.qos]
    assert others == [OpKind.CONNECT, OpKind.SUBSCRIBE, OpKind.PING]
    assert all(one is not None and one.state is OpState.DONE for one in found)
    assert all(one is not None and one.total_ns is not None and 0 <= one.total_ns < 10_000_000_000 for one in found)
    asked = [one for one in found if one is not None and one.kind is OpKind.REQUEST]
    assert [one.direction for one in asked] == ([Direction.C2S, Direction.S2C] if v5 else [])
    for one in asked:
        response = operations.response_of(one.start)
        assert response is not None and operations.request_of(response) in {each.start for each in asked}
        assert b"ops/answers" in driver.log[response].raw
