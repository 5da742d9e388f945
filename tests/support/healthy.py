"""Real clients and brokers in an ordinary conversation, recorded on its way, as findings."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

from mqtttui.analysis.expert.finding import Finding
from mqtttui.analysis.findings import Findings
from mqtttui.capture.log import Log, Origin
from mqtttui.capture.recorder import Recorder
from mqtttui.protocol.enums import Direction
from tests.support.proxy import Proxy
from tests.support.waiting import wait_until

NAMES = {"3.1": "mqttv31", "3.1.1": "mqttv311", "5": "mqttv5"}


class Program:
    """One of mosquitto's clients, at work."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def ended(self) -> int:
        """Waits for its end; gives its exit code."""
        return await asyncio.wait_for(self._process.wait(), 30)

    def kill(self) -> None:
        """SIGKILL: no DISCONNECT."""
        if self._process.returncode is None:
            self._process.kill()


async def start(name: str, proxy: Proxy, version: str, *words: str, login: Sequence[str] = ()) -> Program:
    """Starts `mosquitto_sub`, `mosquitto_pub` or `mosquitto_rr` on the way through `proxy`."""
    quiet = asyncio.subprocess.DEVNULL
    command = (name, "-h", proxy.host, "-p", str(proxy.port), "-V", NAMES[version], *login, *words)
    return Program(await asyncio.create_subprocess_exec(*command, stdin=quiet, stdout=quiet, stderr=quiet))


def passed(proxy: Proxy, number: int) -> tuple[Counter[int], Counter[int]]:
    """First bytes of what has passed on connection `number`, DUP and RETAIN of PUBLISH left out, by direction."""
    if number >= len(proxy.connections):
        return Counter(), Counter()
    connection = proxy.connections[number]
    up, down = (_first_bytes(bytes(stream.data)) for stream in (connection.to_server, connection.to_client))
    return up, down


async def received(proxy: Proxy, first_byte: int, count: int = 1, *, connection: int) -> None:
    """Waits until `count` packets with this first byte have passed to the client of a connection."""
    await wait_until(lambda: passed(proxy, connection)[1][first_byte] >= count, f"no {count} packets with 0x{first_byte:02x} came", 20)


async def acknowledged(proxy: Proxy, connection: int) -> None:
    """Waits until the client of a connection has finished all messages that came."""

    def finished() -> bool:
        up, down = passed(proxy, connection)
        return up[0x40] == down[0x32] and up[0x70] == down[0x34]

    await wait_until(finished, lambda: f"messages are unfinished: {passed(proxy, connection)}", 20)


def _first_bytes(data: bytes) -> Counter[int]:
    log = Log()
    recorder = Recorder(log, log.open_connection(peer="", origin=Origin.FILE, mono=0, wall=0))
    recorder.inbound(data, 0, 0)
    firsts = (log.head(no).first_byte for no in log.numbers())
    return Counter(first & 0xF6 if first >> 4 == 3 else first for first in firsts)


def recorded(proxy: Proxy) -> Log:
    """What passed the proxy, in the order of its times."""
    chunks: list[tuple[float, int, Direction, bytes]] = []
    for number, connection in enumerate(proxy.connections):
        for direction, stream in ((Direction.C2S, connection.to_server), (Direction.S2C, connection.to_client)):
            at = 0
            for time, length in stream.chunks:
                chunks.append((time, number, direction, bytes(stream.data[at : at + length])))
                at += length
    log = Log()
    recorders: dict[int, Recorder] = {}
    last: dict[int, int] = {}
    for time, number, direction, data in sorted(chunks, key=lambda chunk: chunk[0]):
        mono = int(time * 1e9)
        if number not in recorders:
            recorders[number] = Recorder(log, log.open_connection(peer="", origin=Origin.FILE, destination="b", mono=mono, wall=0))
        recorders[number].record(direction, data, mono, mono)
        last[number] = mono
    for number, recorder in recorders.items():
        recorder.closed(last[number] + 1_000_000, "the client closed the connection (FIN)")
    return log


def found(log: Log) -> list[Finding]:
    """All findings on `log`."""
    followed = Findings()
    while not followed.advance(log):
        pass
    return [finding for no in log.numbers() for finding in followed.of(no)]
