"""Packets a second: recorded with all followers caught up, against gmqtt alone with an empty handler; and bytes a packet.

All read the same bytes from the same sender over loopback TCP, in turns, in the same run; the best of each counts.
`RECORDERS` maps a name to a coroutine that receives `packets` from `port` and gives the seconds that it took.
"""

from __future__ import annotations

import argparse
import asyncio
import time
import tracemalloc
from collections.abc import Awaitable, Callable

import gmqtt

from mqtttui.analysis.findings import Findings
from mqtttui.analysis.follower import Follower, advance_all
from mqtttui.analysis.operations import Operations
from mqtttui.analysis.pairs import Pairs
from mqtttui.analysis.subscriptions import SubscriptionCounters
from mqtttui.analysis.traffic import Traffic
from mqtttui.capture.log import Log, Origin
from mqtttui.capture.recorder import Recorder
from mqtttui.protocol.enums import Version
from mqtttui.protocol.packets import Connack, Connect, Suback, Subscribe, TopicRequest, encode
from tests.benchmarks.screen import screen_on
from tests.benchmarks.sender import CHUNK_PACKETS, messages, raw_sender

BEFORE = 4
"""CONNECT, CONNACK, SUBSCRIBE and SUBACK."""

Measured = Callable[[int, int], Awaitable[float]]
"""(port, packets) -> seconds from the first message to the last one handled."""


async def gmqtt_alone(port: int, packets: int) -> float:
    """gmqtt with a handler that only counts."""
    client = gmqtt.Client("benchmark")
    seen = 0
    begin = 0.0
    done = asyncio.Event()

    def on_message(*_: object) -> int:
        nonlocal seen, begin
        if not seen:
            begin = time.perf_counter()
        seen += 1
        if seen == packets:
            done.set()
        return 0

    client.on_message = on_message
    await client.connect("127.0.0.1", port, version=gmqtt.constants.MQTTv311)
    client.subscribe("#")
    await asyncio.wait_for(done.wait(), 120)
    took = time.perf_counter() - begin
    await client.disconnect()
    return took


class _Tap(asyncio.Protocol):
    """Hands every chunk to the recorder, and nothing else."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        for packet in (Connect("benchmark"), Subscribe(1, (TopicRequest("#"),))):
            raw = encode(packet, Version.V311)
            transport.write(raw)
            self._recorder.outbound(raw, time.monotonic_ns(), time.time_ns())

    def data_received(self, data: bytes) -> None:
        self._recorder.inbound(data, time.monotonic_ns(), time.time_ns())


async def recorded(port: int, packets: int) -> float:
    """Recorder and log, with pairs, operations, traffic and three subscriptions following as the application's pump does."""
    log = Log()
    counters = SubscriptionCounters()
    counters.set_filters("dev", [("all", b"#", None), ("line", b"plant/line3/#", None), ("one", b"plant/+/machine1/temperature", None)])
    pairs = Pairs()
    followers: list[Follower] = [pairs, Operations(pairs), Traffic(), counters, Findings()]
    recorder = Recorder(log, log.open_connection(peer="dev", origin=Origin.OWN, mono=0, wall=0))
    transport, _ = await asyncio.get_running_loop().create_connection(lambda: _Tap(recorder), "127.0.0.1", port)
    begin = 0.0
    while not advance_all(followers, log) or log.last < packets + BEFORE:
        if not begin and log.last > BEFORE:
            begin = time.perf_counter()
        await asyncio.sleep(0)
    took = time.perf_counter() - begin
    transport.close()
    assert not any(follower.missed for follower in followers)
    return took


RECORDERS: dict[str, Measured] = {"recorded, followers caught up": recorded, "the same with the screen on": screen_on}


async def compare(packets: int, rounds: int) -> None:
    """Measures in turns and prints packets a second and the ratio to gmqtt."""
    best: dict[str, float] = {}
    with raw_sender(packets) as port:
        for _ in range(rounds):
            for name, measured in {"gmqtt, empty handler": gmqtt_alone, **RECORDERS}.items():
                best[name] = min(best.get(name, float("inf")), await measured(port, packets))
    reference = best["gmqtt, empty handler"]
    for name, seconds in best.items():
        print(f"{name:32} {packets / seconds:>12,.0f} packets/s   {reference / seconds:5.2f} x gmqtt")


def memory(packets: int) -> None:
    """Prints what the log and the followers hold a packet beyond its raw bytes."""
    chunk = messages(CHUNK_PACKETS)
    tracemalloc.start()
    log = Log(1 << 40)
    recorder = Recorder(log, log.open_connection(peer="dev", origin=Origin.OWN, mono=0, wall=0))
    for packet in (Connect("benchmark"), Subscribe(1, (TopicRequest("#"),))):
        recorder.outbound(encode(packet, Version.V311), 0, 0)
    recorder.inbound(encode(Connack(), Version.V311) + encode(Suback(1, (0,)), Version.V311), 0, 0)
    before = tracemalloc.get_traced_memory()[0]
    for index in range(packets // CHUNK_PACKETS):
        recorder.inbound(chunk, index, index)
    log_only = tracemalloc.get_traced_memory()[0] - before
    pairs = Pairs()
    followers: list[Follower] = [pairs, Operations(pairs), Traffic(), SubscriptionCounters(), Findings()]
    while not advance_all(followers, log):
        pass
    everything = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    raw = len(chunk) * (packets // CHUNK_PACKETS)
    name, beyond, with_followers = "bytes a packet beyond raw", (log_only - raw) / packets, (everything - raw) / packets
    print(f"{name:32} {beyond:>12.1f} log   {with_followers:5.1f} with followers (aim 48)")


def main() -> None:
    """Runs both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--packets", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    asyncio.run(compare(args.packets, args.rounds))
    memory(args.packets)


if __name__ == "__main__":
    main()
