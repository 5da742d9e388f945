"""The times and sizes of `mqtttui check` are those that tshark sees on the wire during the same runs."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from tests.support.brokers import Broker
from tests.support.capturing import capturing
from tests.support.certs import Certificates
from tests.support.pcapng_oracle import needs_tshark
from tests.support.waiting import wait_until_sync

RUNS = 11
MS = 0.001
FIELDS = ("frame.time_epoch", "tcp.stream", "tcp.srcport", "tcp.flags.syn", "tcp.flags.ack", "tcp.len")
"""Of every frame; one value each."""
PACKETS = ("mqtt.msgtype", "mqtt.qos", "mqtt.len")
"""Of the control packets; as many as the frame has packets (`mqtt.qos` only of PUBLISH)."""


def checked(*words: str) -> list[Mapping[str, Any]]:
    """What the program says of its runs."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MQTTTUI_")}
    command = [sys.executable, "-m", "mqtttui", "check", *words, "-C", str(RUNS), "--interval", "0.05", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    runs: list[Mapping[str, Any]] = json.loads(done.stdout)["each"]
    assert len(runs) == RUNS
    return runs


def frames(path: Path, port: int, *names: str) -> list[dict[str, str]]:
    needs_tshark()
    wanted = (*FIELDS, *names)
    options = [part for name in wanted for part in ("-e", name)]
    kind = "mqtt" if "mqtt.msgtype" in names else "tls"
    command = ["tshark", "-r", str(path), "-d", f"tcp.port=={port},{kind}", "-T", "fields", "-E", "separator=|", "-E", "occurrence=a"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=60, check=False)
    return [dict(zip(wanted, line.split("|"), strict=True)) for line in done.stdout.splitlines()]


def by_stream(rows: Sequence[dict[str, str]], port: int) -> list[list[tuple[float, bool, dict[str, str]]]]:
    """The frames of each connection, in the order of connecting: time, whether the client sent it, fields."""
    streams: dict[str, list[tuple[float, bool, dict[str, str]]]] = defaultdict(list)
    for row in rows:
        streams[row["tcp.stream"]].append((float(row["frame.time_epoch"]), row["tcp.srcport"] != str(port), row))
    return [stream for _, stream in sorted(streams.items(), key=lambda item: int(item[0]))]


def close_to(mine: Sequence[float], wire: Sequence[float], what: str) -> None:
    """The medians (seconds) agree within 2 ms or 10 %, whichever is larger."""
    assert len(mine) == len(wire) == RUNS, what
    difference = abs(median(mine) - median(wire))
    assert difference <= max(2 * MS, 0.1 * median(wire)), f"{what}: {median(mine) * 1e3:.3f} ms, tshark {median(wire) * 1e3:.3f} ms"


def tcp_time(stream: Sequence[tuple[float, bool, dict[str, str]]]) -> float:
    syn = next(time for time, ours, row in stream if ours and row["tcp.flags.syn"] in ("1", "True"))
    return next(time for time, ours, row in stream if not ours and row["tcp.flags.syn"] in ("1", "True")) - syn


def captured(path: Path, port: int, whole: str, runs: int) -> bool:
    """Whether tshark has written the last packet of every run."""
    command = ["tshark", "-r", str(path), "-d", f"tcp.port=={port},mqtt", "-Y", whole, "-T", "fields", "-e", "tcp.stream"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return len(set(done.stdout.split())) >= runs


@pytest.mark.parametrize("version", ["3.1.1", "5"])
def test_times_and_sizes_agree_with_a_capture(mosquitto_broker: Broker, tmp_path: Path, version: str) -> None:
    path, port = tmp_path / "lo.pcapng", mosquitto_broker.port
    with capturing(port, path):
        runs = checked(f"mqtt://127.0.0.1:{port}", "-V", version, "-t", f"check/times/{version}")
        wait_until_sync(lambda: captured(path, port, "mqtt.msgtype == 14", RUNS), "tshark has not written everything", 20)
    streams = by_stream(frames(path, port, *PACKETS), port)
    wire: dict[str, list[float]] = defaultdict(list)
    sizes: dict[str, list[int]] = defaultdict(list)
    for stream in streams:
        sent, received = packets_of(stream, ours=True), packets_of(stream, ours=False)
        wire["tcp"].append(tcp_time(stream))
        for key, asked, answered in (
            ("connack", "1", "2"),
            ("subscribe", "8", "9"),
            ("publish-qos1", "3 QoS 1", "4"),
            ("publish-qos2-pubrec", "3 QoS 2", "5"),
            ("publish-qos2", "3 QoS 2", "7"),
            ("latency-qos0", "3 QoS 0", "3 QoS 0"),
            ("latency-qos1", "3 QoS 1", "3 QoS 1"),
            ("latency-qos2", "3 QoS 2", "3 QoS 2"),
            ("unsubscribe", "10", "11"),
            ("ping", "12", "13"),
        ):
            wire[key].append(received[answered][0] - sent[asked][0])
        for qos in (0, 1, 2):
            sizes[f"publish-size-qos{qos}"].append(sent[f"3 QoS {qos}"][1])
        sizes["subscribe-size"].append(received["3 QoS 0"][1])
        sizes["subscribe-total"].append(sum(received[f"3 QoS {qos}"][1] for qos in (0, 1, 2)))
    for key, times in wire.items():
        close_to([run["times_ms"][key] * MS for run in runs], times, key)
    for key, values in sizes.items():
        assert [run["sizes"][key] for run in runs] == values, key


def packets_of(stream: Sequence[tuple[float, bool, dict[str, str]]], *, ours: bool) -> dict[str, tuple[float, int]]:
    """Type (with QoS for PUBLISH) -> time and size of the first such packet of one side."""
    found: dict[str, tuple[float, int]] = {}
    for time, mine, row in stream:
        if mine is not ours or not row["mqtt.msgtype"]:
            continue
        qos = iter(row["mqtt.qos"].split(","))
        for kind, length in zip(row["mqtt.msgtype"].split(","), row["mqtt.len"].split(","), strict=True):
            size = int(length)
            head = 2 if size < 128 else 3
            found.setdefault(f"3 QoS {next(qos)}" if kind == "3" else kind, (time, head + size))
    return found


def test_tls_times_agree_with_a_capture(tls_mosquitto: Broker, certificates: Certificates, tmp_path: Path) -> None:
    """From the ClientHello to the client's Finished: with TLS 1.3 its first two segments with data."""
    assert ssl.HAS_TLSv1_3
    path, port = tmp_path / "lo.pcapng", tls_mosquitto.port
    with capturing(port, path):
        runs = checked(f"mqtts://127.0.0.1:{port}", "--cafile", str(certificates.ca), "-t", "check/times/tls")
        wait_until_sync(lambda: len(opened(path, port)) >= RUNS, "tshark has not written everything", 20)
    hello, finished, tcp = [], [], []
    for stream in by_stream(frames(path, port), port):
        tcp.append(tcp_time(stream))
        data = [time for time, ours, row in stream if ours and int(row["tcp.len"] or 0)]
        hello.append(data[0])
        finished.append(data[1])
    close_to([run["times_ms"]["tcp"] * MS for run in runs], tcp, "tcp")
    close_to([run["times_ms"]["tls"] * MS for run in runs], [end - start for start, end in zip(hello, finished, strict=True)], "tls")


def opened(path: Path, port: int) -> set[str]:
    """The connections of which application data of the broker is in the capture."""
    command = ["tshark", "-r", str(path), "-Y", f"tcp.srcport == {port} && tcp.len > 0", "-T", "fields", "-e", "tcp.stream"]
    return set(subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stdout.split())
