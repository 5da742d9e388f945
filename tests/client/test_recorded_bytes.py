"""What is in the log equals, byte for byte and in both directions, what a proxy on the way saw."""

from __future__ import annotations

from pathlib import Path

import pytest

from mqtttui.client.events import Outcome, Phase
from mqtttui.config.options import ReconnectOptions
from mqtttui.protocol.enums import Direction, PacketType, PropertyId, Version
from mqtttui.protocol.packets import Connect, Property, TopicRequest
from tests.support.brokers import mosquitto
from tests.support.proxy import Proxy
from tests.support.sessions import Driver

LARGE = bytes(range(256)) * 1200


@pytest.mark.parametrize("segment", [0, 997])
@pytest.mark.parametrize("version", list(Version))
async def test_both_directions(tmp_path: Path, version: Version, segment: int) -> None:
    properties = (Property(PropertyId.SESSION_EXPIRY_INTERVAL, 600),) if version is Version.V5 else ()
    connect = Connect(client_id="recorded", version=version, clean=False, keep_alive=2, properties=properties)
    again = ReconnectOptions(enabled=True, first_delay=0.05, longest_delay=0.1)
    with mosquitto(tmp_path) as broker:
        async with Proxy(broker.host, broker.port) as proxy, Driver() as driver:
            proxy.to_client.segment = proxy.to_server.segment = segment
            await driver.connected(proxy.port, connect=connect, reconnect=again)
            await driver.subscribed(TopicRequest("rec/#", 2))
            for qos in (0, 1, 2):
                token = driver.publish(f"rec/{qos}", LARGE if qos == 1 else b"small", qos=qos)
                await driver.outcome(token, Outcome.ACKED, Outcome.SENT)
            await driver.until(lambda: driver.count(PacketType.PUBLISH, Direction.S2C) == 3, "all messages back")
            await driver.until(lambda: driver.count(PacketType.PINGRESP) >= 1, "a ping")
            proxy.to_client.black_hole = True
            tokens = [driver.publish("rec/again", f"again {qos}".encode(), qos=qos) for qos in (1, 2)]
            await driver.until(lambda: proxy.connections[0].to_server.data.endswith(b"again 2"), "the publishes to pass")
            proxy.refuse()
            proxy.connections[0].reset()
            await driver.until(lambda: proxy.connections[0].closed, "the proxy to let go")
            proxy.to_client.black_hole = False
            await proxy.listen()
            for token in tokens:
                await driver.outcome(token, Outcome.ACKED)
            await driver.until(lambda: driver.state.phase is Phase.CONNECTED, "the reconnect")
            await driver.disconnect()
            await driver.until(lambda: all(connection.closed for connection in proxy.connections), "the proxy to finish")
            assert len(proxy.connections) == 2
            for number, connection in enumerate(proxy.connections):
                assert driver.raw(Direction.C2S, number) == bytes(connection.to_server.data)
                assert driver.raw(Direction.S2C, number) == bytes(connection.to_client.data)
            replayed = [driver.log[no].raw for no in driver.log.numbers(1) if b"again " in driver.log[no].raw]
            assert {raw[0] for raw in replayed} >= {0x32, 0x34, 0x3A}
