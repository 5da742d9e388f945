"""Filtering packets that are in memory, against tshark's whole run over the same packets with the same filter.

The packets are written as pcapng (exported PDUs, or TCP/IP); `tshark -r FILE -Y FILTER` and the scan take turns, and both must select
as many packets. The median of each counts. Beside the scan stands what a view shows of it: the longest slice of the loop.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from mqtttui.capture.log import Log, Origin
from mqtttui.capture.recorder import Recorder
from mqtttui.export.pcapng import Encapsulation, write_log
from mqtttui.filters.compiler import compile_filter
from mqtttui.filters.scan import scan
from mqtttui.filters.view import FilterView
from mqtttui.protocol.enums import Direction, Version
from mqtttui.protocol.packets import Connack, Connect, Packet, encode
from tests.benchmarks.sender import CHUNK_PACKETS, messages

ONE_TERM = (
    "mqtt.msgtype == 3",
    "mqtt.qos > 0",
    'mqtt.topic == "plant/line3/machine1/temperature"',
    'mqtt.topic contains "line3"',
    'mqtt.topic matches "line1[0-5]/"',
    'mqtt.msg contains "89.5"',
    "len(mqtt.msg) > 27",
    'mqtt.msg matches "value.: 8[0-9]"',
)
THREE_TERMS = (
    'mqtt.msgtype == 3 and mqtt.topic contains "line3" and mqtt.msg contains "9.5"',
    'mqtt.qos == 0 and mqtt.topic matches "machine[0-3]" and not mqtt.msg contains "17"',
    'mqtt.topic contains "line3" or mqtt.msg contains "89.5" or mqtt.retain == 1',
    'mqtt.len > 40 and ip.dst == 127.0.0.1 and mqtt.topic[0:5] == "plant"',
)
SLICE_NS = 5_000_000


def recorded(packets: int) -> Log:
    """A connection on which `packets` messages came."""
    log = Log(1 << 40)
    number = log.open_connection(
        peer="dev", origin=Origin.OWN, source="127.0.0.1:50000", destination="127.0.0.1:1883", mono=0, wall=0, transport="tcp"
    )
    recorder = Recorder(log, number)
    login: tuple[tuple[Direction, Packet], ...] = ((Direction.C2S, Connect("benchmark")), (Direction.S2C, Connack()))
    for direction, packet in login:
        recorder.record(direction, encode(packet, Version.V311), 1, 1)
    chunk = messages(CHUNK_PACKETS)
    for index in range(packets // CHUNK_PACKETS):
        recorder.inbound(chunk, index * 1_000_000, index * 1_000_000)
    return log


def tshark(file: Path, text: str) -> int:
    """How many packets tshark selects."""
    command = ["tshark", "-n", "-r", str(file), "-Y", text]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.count(b"\n")


def scanned(log: Log, text: str) -> int:
    """How many packets the scan selects."""
    return sum(1 for _ in scan(compile_filter(text), log))


def viewed(log: Log, text: str) -> tuple[int, float]:
    """How many packets a view shows, and its longest slice in seconds."""
    view = FilterView(log)
    view.set(compile_filter(text))
    longest = 0.0
    done = False
    while not done:
        begin = time.perf_counter()
        done = view.advance(time.monotonic_ns, SLICE_NS)
        longest = max(longest, time.perf_counter() - begin)
    return view.matches, longest


def timed(action: Callable[[], int]) -> tuple[int, float]:
    """What `action` gives and the seconds that it took."""
    begin = time.perf_counter()
    return action(), time.perf_counter() - begin


def compare(packets: int, rounds: int, encapsulation: Encapsulation) -> None:
    """Measures in turns and prints the ratios."""
    log = recorded(packets)
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "packets.pcapng"
        with file.open("wb") as out:
            write_log(log, log.numbers(), out, encapsulation=encapsulation)
        print(f"{packets:,} packets as {encapsulation.value}, median of {rounds}")
        print("    mqtttui      tshark    ratio     slice  selected  filter (aim: ratio 10)")
        for text in (*ONE_TERM, *THREE_TERMS):
            count, ours, theirs, slices = 0, list[float](), list[float](), list[float]()
            for _ in range(rounds):
                count, seconds = timed(lambda text=text: scanned(log, text))  # type: ignore[misc]
                ours.append(seconds)
                shown, longest = viewed(log, text)
                slices.append(longest)
                wanted, seconds = timed(lambda text=text: tshark(file, text))  # type: ignore[misc]
                theirs.append(seconds)
                assert count == shown == wanted, (text, count, shown, wanted)
            mine, other = statistics.median(ours), statistics.median(theirs)
            ratios.append(other / mine)
            print(f"{mine * 1e3:8.0f} ms {other * 1e3:8.0f} ms {other / mine:7.1f} x {max(slices) * 1e3:6.1f} ms  {count:>7,}  {text}")
    print(f"least {min(ratios):.1f} x, median {statistics.median(ratios):.1f} x")


def main() -> None:
    """Runs it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--packets", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tcp", action="store_true", help="tshark reads TCP/IP frames instead of exported PDUs")
    args = parser.parse_args()
    compare(args.packets, args.rounds, Encapsulation.TCP if args.tcp else Encapsulation.EXPORTED)


if __name__ == "__main__":
    main()
