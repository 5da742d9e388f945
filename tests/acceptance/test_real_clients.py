"""What mosquitto's clients and brokers say to each other, recorded by a proxy, read by us and by tshark: field by field alike."""

from __future__ import annotations

import asyncio
import shlex
from pathlib import Path

import pytest

from mqtttui.capture.log import Log, Origin
from mqtttui.capture.recorder import Recorder
from mqtttui.protocol.enums import Direction, Version
from mqtttui.protocol.fields import Context
from tests.support.brokers import Broker
from tests.support.pcapng_oracle import Sent, assert_same, needs_tshark
from tests.support.proxy import Proxy
from tests.support.waiting import wait_until

VERSIONS = {Version.V31: "mqttv31", Version.V311: "mqttv311", Version.V5: "mqttv5"}
PUBLISH_V5 = shlex.split(
    "-D publish content-type application/json -D publish user-property a b -D publish user-property a c "
    "-D publish response-topic real/answer -D publish correlation-data 0102 -D publish message-expiry-interval 60 "
    "-D publish topic-alias 3 -D connect session-expiry-interval 5 -D connect receive-maximum 7"
)
WILL = shlex.split("--will-topic real/will --will-payload gone --will-qos 1 --will-retain")


async def run(*words: str) -> int:
    process = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL)
    return await asyncio.wait_for(process.wait(), 30)


@pytest.mark.parametrize("version", list(Version), ids=lambda version: version.label)
async def test_every_field_of_a_real_conversation_agrees_with_tshark(mosquitto_broker: Broker, tmp_path: Path, version: Version) -> None:
    needs_tshark()
    async with Proxy(mosquitto_broker.host, mosquitto_broker.port) as proxy:
        to = ["-h", "127.0.0.1", "-p", str(proxy.port), "-V", VERSIONS[version]]
        listening = asyncio.get_running_loop().create_task(
            run("mosquitto_sub", *to, "-i", "listener", "-t", "real/#", "-t", "other/+", "-q", "2", "-k", "5", "-C", "4", *WILL)
        )
        try:
            await _until_received(proxy, b"\x90")  # SUBACK: what follows is delivered
            extra = PUBLISH_V5 if version is Version.V5 else []
            for qos in "012":
                assert await run("mosquitto_pub", *to, "-t", "real/ünï", "-m", f'{{"qos":{qos}}}', "-q", qos, *extra) == 0
            assert await run("mosquitto_pub", *to, "-t", "real/empty", "-n", "-r") == 0
            assert await listening == 0
        finally:
            listening.cancel()
        streams = [(bytes(item.to_server.data), bytes(item.to_client.data)) for item in proxy.connections]
    assert len(streams) == 5
    sent: list[tuple[Sent, Context]] = []
    log = Log()
    for port, (up, down) in enumerate(streams, 50_000):
        number = log.open_connection(peer="real", origin=Origin.FILE, mono=0, wall=0)
        recorder = Recorder(log, number)
        first = log.last + 1
        recorder.outbound(up, 0, 0)
        recorder.inbound(down, 0, 0)
        recorder.closed(0, "end of the record")
        for packet in (log[no] for no in log.numbers(first)):
            context = Context(packet.version, packet.direction, packet.resolved_topic)
            sent.append((Sent(port, packet.direction, packet.raw), context))
            assert not log.dissect(packet.number).malformed
    assert {context.version for _, context in sent} == {version}
    assert sum(packet.direction is Direction.C2S for packet, _ in sent) > 10
    assert_same(sent, tmp_path)


async def _until_received(proxy: Proxy, start: bytes) -> None:
    await wait_until(lambda: any(start in item.to_client.data for item in proxy.connections), "no SUBACK passed the proxy")
