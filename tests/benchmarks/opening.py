"""Opening and filtering a capture of PUBLISH packets, against tshark with its defaults on the same file, in turns in the same run.

Two files: raw TCP (one packet a segment, Ethernet) and exported PDUs. Ours is reading the file into a log and scanning it;
beside it stands the whole `mqtttui decode FILE -Y FILTER -T fields -e frame.number`, start of the interpreter and output
included. All must select as many packets; the best of each counts. Last, the bytes a packet in memory beyond its own.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

from mqtttui.capture.files.reader import CaptureReader
from mqtttui.capture.log import Log
from mqtttui.filters.compiler import compile_filter
from mqtttui.filters.scan import scan
from mqtttui.protocol.enums import Version
from mqtttui.protocol.packets import Connect, Publish, encode
from tests.support import captures
from tests.support.captures import C2S, S2C, Segment
from tests.support.pcapng_oracle import Sent, write

FILTERS = ("", 'mqtt.topic contains "line3"', 'mqtt.msgtype == 3 and mqtt.topic contains "line3" and mqtt.qos == 0')
AIMS = {"raw TCP": 4.0, "exported PDUs": 1.0}
PIECE = 1 << 18


def publishes(packets: int) -> Iterator[bytes]:
    """Messages of 91 topics, as devices send them."""
    for number in range(packets):
        topic = f"plant/line{number % 7}/machine{number % 13}/temperature"
        yield encode(Publish(topic, b'{"v":%d,"u":"C"}' % (number % 1_000)), Version.V311)


def written(folder: Path, packets: int) -> dict[str, Path]:
    """The two files."""
    connect, connack = encode(Connect("benchmark"), Version.V311), bytes.fromhex("20020000")
    talk = captures.Talk().opened().send(C2S, connect).send(S2C, connack)
    first = talk.segments[-1]
    at = first.ack
    segments: list[Segment] = []
    for raw in publishes(packets):
        segments.append(Segment(S2C, at, first.seq, captures.PSH | captures.ACK, raw))
        at = (at + len(raw)) & 0xFFFFFFFF
    raw_tcp, exported = folder / "raw.pcapng", folder / "exported.pcapng"
    raw_tcp.write_bytes(captures.pcapng(captures.frames([*talk.segments, *segments])))
    write(exported, [Sent(50_000, C2S, connect), Sent(50_000, S2C, connack), *(Sent(50_000, S2C, raw) for raw in publishes(packets))])
    return {"raw TCP": raw_tcp, "exported PDUs": exported}


def opened(path: Path) -> Log:
    """The log of a file."""
    log = Log(1 << 40)
    reader = CaptureReader(log)
    with path.open("rb") as file:
        while chunk := file.read(PIECE):
            reader.feed(chunk)
    reader.finish()
    return log


def ours(path: Path, text: str) -> int:
    """Opens and filters; gives how many packets are selected."""
    log = opened(path)
    return sum(1 for _ in scan(compile_filter(text), log)) if text else log.received


def whole_run(path: Path, text: str) -> int:
    """The same as a command of its own."""
    chosen = ["-Y", text] if text else []
    command = [sys.executable, "-m", "mqtttui", "decode", str(path), *chosen, "-T", "fields", "-e", "frame.number"]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.count(b"\n")


def tshark(path: Path, text: str) -> int:
    """tshark's whole run."""
    command = ["tshark", "-r", str(path), "-Y", text or "mqtt"]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.count(b"\n")


RUNS: dict[str, Callable[[Path, str], int]] = {"open": ours, "decode": whole_run, "tshark": tshark}


def compare(packets: int, rounds: int) -> None:
    """Measures in turns and prints the ratios."""
    with tempfile.TemporaryDirectory() as folder:
        for name, path in written(Path(folder), packets).items():
            print(f"{name}, {packets:,} packets: seconds of opening and filtering, of `decode`, of tshark; tshark to each")
            print(f"(aim of the first: {AIMS[name]:g} x)")
            for text in FILTERS:
                best = dict.fromkeys(RUNS, float("inf"))
                counts = set()
                for _ in range(rounds):
                    for which, action in RUNS.items():
                        begin = time.perf_counter()
                        counts.add(action(path, text))
                        best[which] = min(best[which], time.perf_counter() - begin)
                assert len(counts) == 1, (text, counts)
                times = "".join(f"{seconds:7.2f}" for seconds in best.values())
                ratios = "".join(f"{best['tshark'] / best[which]:7.1f} x" for which in ("open", "decode"))
                print(f"{times} {ratios}  {counts.pop():>7,}  {text or '(all)'}")
            memory(path)


def memory(path: Path) -> None:
    """Prints what the log holds a packet beyond its raw bytes."""
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    log = Log(1 << 40)
    reader = CaptureReader(log)
    with path.open("rb") as file:
        while chunk := file.read(PIECE):
            reader.feed(chunk)
    reader.finish()
    del chunk
    used = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    raw = sum(span.segment.ends[-1] for span in log.spans(0, log.received))
    print(f"{(used - raw) / log.received:7.1f} bytes a packet beyond raw (aim 48)")


def main() -> None:
    """Runs it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--packets", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    compare(args.packets, args.rounds)


if __name__ == "__main__":
    main()
