"""What mosquitto's own clients and a mosquitto broker say to each other in all versions, recorded on the way, as a log."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Sequence

from mqtttui.capture.log import Log, Origin
from mqtttui.capture.recorder import Recorder
from mqtttui.protocol.enums import Direction, Version
from tests.support.brokers import Broker
from tests.support.proxy import Connection, Proxy
from tests.support.waiting import wait_until

NAMES = {Version.V31: "mqttv31", Version.V311: "mqttv311", Version.V5: "mqttv5"}
START = 1_700_000_000_000_000_000
FIRST_PORT = 50_000

_WILL = "--will-topic real/will --will-payload gone --will-qos 1 --will-retain"
_PUBLISHES = (
    '-t real/ünï -m \'{"qos":0,"temp":21.5}\' -q 0',
    '-t real/ünï -m \'{"qos":1,"temp":22}\' -q 1',
    "-t real/ünï -m '{\"qos\":2}' -q 2",
    "-t real/empty -n -r",
    "-t real/Kept -m Kept -r -q 1 -u someone -P secret",
    "-t other/one -m 21.5 -q 2 -i other-one -k 30",
    "-t other/one -m '1\n2\nthree' -q 1",
)
_PUBLISHES_5 = (
    (
        "-t real/props -m '{\"a\":1}' -q 1 -D publish content-type application/json -D publish user-property a b "
        "-D publish user-property a c -D publish response-topic real/answer -D publish correlation-data 0102 "
        "-D publish message-expiry-interval 60 -D publish topic-alias 3 -D connect session-expiry-interval 5 "
        "-D connect receive-maximum 7 -D publish payload-format-indicator 1"
    ),
    "-t nobody/here -m x -q 1",
    "-t nobody/here -m yy -q 2 -D connect topic-alias-maximum 5 -D connect user-property k v",
)
_SUBSCRIBES_5 = "--retain-as-published -D subscribe subscription-identifier 7 -D subscribe user-property s t"
_EXPECTED = len(_PUBLISHES)
"""Messages that the listener of each version gets at least."""


async def record(broker: Broker) -> Log:
    """The log of all three conversations, packets in the order in which they passed."""
    streams: list[tuple[Version, Connection]] = []
    for version in Version:
        async with Proxy(broker.host, broker.port) as proxy:
            await _converse(proxy, version)
            streams += [(version, connection) for connection in proxy.connections]
    return as_log(streams)


async def _converse(proxy: Proxy, version: Version) -> None:
    to = ["-h", "127.0.0.1", "-p", str(proxy.port), "-V", NAMES[version]]
    extra = shlex.split(_SUBSCRIBES_5) if version is Version.V5 else []
    topics = ["-t", "real/#", "-t", "other/+", "-U", "real/none"]
    count = _EXPECTED + (1 if version is Version.V5 else 0)
    listening = asyncio.get_running_loop().create_task(
        _run("mosquitto_sub", *to, "-i", f"listener{version}", *topics, "-q", "2", "-k", "5", "-C", str(count), *extra, *shlex.split(_WILL))
    )
    try:
        await wait_until(lambda: any(b"\x90" in item.to_client.data for item in proxy.connections), "no SUBACK passed the proxy")
        for words in (*_PUBLISHES, *(_PUBLISHES_5 if version is Version.V5 else ())):
            assert await _run("mosquitto_pub", *to, *shlex.split(words)) == 0
        assert await listening == 0
    finally:
        listening.cancel()


async def _run(*words: str) -> int:
    process = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL)
    return await asyncio.wait_for(process.wait(), 30)


def as_log(streams: Sequence[tuple[Version, Connection]]) -> Log:
    """The chunks of recorded connections, in the order of their times."""
    log = Log()
    chunks: list[tuple[float, int, Direction, bytes]] = []
    for index, (_, connection) in enumerate(streams):
        for direction, recorded in ((Direction.C2S, connection.to_server), (Direction.S2C, connection.to_client)):
            at = 0
            for when, size in recorded.chunks:
                chunks.append((when, index, direction, bytes(recorded.data[at : at + size])))
                at += size
    chunks.sort(key=lambda chunk: chunk[:2])
    origin = chunks[0][0]
    recorders: dict[int, Recorder] = {}
    for when, index, direction, data in chunks:
        stamp = START + int((when - origin) * 1e9)
        if index not in recorders:
            number = log.open_connection(
                peer="real",
                origin=Origin.FILE,
                source=f"127.0.0.1:{FIRST_PORT + index}",
                destination="127.0.0.1:1883",
                mono=stamp,
                wall=stamp,
            )
            recorders[index] = Recorder(log, number)
        recorder = recorders[index]
        (recorder.outbound if direction is Direction.C2S else recorder.inbound)(data, stamp, stamp)
    for recorder in recorders.values():
        recorder.closed(log.head(log.last).mono, "end of the record")
    return log
