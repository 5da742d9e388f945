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
from typing import Any

import pytest

from tests.support.brokers import Broker, Ways, program
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


def checked(*words: str, runs: int = RUNS) -> list[Mapping[str, Any]]:
    """What the program says of its runs."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MQTTTUI_")}
    command = [sys.executable, "-m", "mqtttui", "check", *words, "-C", str(runs), "--interval", "0.05", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    made: list[Mapping[str, Any]] = json.loads(done.stdout)["each"]
    assert len(made) == runs
    return made


def frames(path: Path, options: Sequence[str], *names: str) -> list[dict[str, str]]:
    """Every frame of a capture, with `names` beside `FIELDS`."""
    needs_tshark()
    wanted = (*FIELDS, *names)
    fields = [part for name in wanted for part in ("-e", name)]
    command = ["tshark", "-r", str(path), *options, "-T", "fields", "-E", "separator=|", "-E", "occurrence=a"]
    done = subprocess.run([*command, *fields], capture_output=True, text=True, timeout=60, check=False)
    return [dict(zip(wanted, line.split("|"), strict=True)) for line in done.stdout.splitlines()]


def by_stream(rows: Sequence[dict[str, str]], port: int) -> list[list[tuple[float, bool, dict[str, str]]]]:
    """The frames of each connection, in the order of connecting: time, whether the client sent it, fields."""
    streams: dict[str, list[tuple[float, bool, dict[str, str]]]] = defaultdict(list)
    for row in rows:
        streams[row["tcp.stream"]].append((float(row["frame.time_epoch"]), row["tcp.srcport"] != str(port), row))
    return [stream for _, stream in sorted(streams.items(), key=lambda item: int(item[0]))]


def close_to(mine: Sequence[float], wire: Sequence[float], what: str) -> None:
    """Most runs agree within 2 ms or 10 %, whichever is larger (seconds).

    Not all: between the stamp of a packet and the call that sends it, a busy machine may run something else.
    """
    assert len(mine) == len(wire) > 0, what
    pairs = list(zip(mine, wire, strict=True))
    agreeing = [abs(ours - theirs) <= max(2 * MS, 0.1 * theirs) for ours, theirs in pairs]
    said = ", ".join(f"{ours * 1e3:.3f}/{theirs * 1e3:.3f}" for ours, theirs in pairs)
    assert sum(agreeing) > len(pairs) / 2, f"{what}, ours/tshark in ms: {said}"


def tcp_time(stream: Sequence[tuple[float, bool, dict[str, str]]]) -> float:
    syn = next(time for time, ours, row in stream if ours and row["tcp.flags.syn"] in ("1", "True"))
    return next(time for time, ours, row in stream if not ours and row["tcp.flags.syn"] in ("1", "True")) - syn


def captured(path: Path, options: Sequence[str], whole: str, runs: int = RUNS) -> bool:
    """Whether tshark has written the packet of every run that `whole` selects."""
    command = ["tshark", "-r", str(path), *options, "-Y", whole, "-T", "fields", "-e", "tcp.stream"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return len(set(done.stdout.split())) >= runs


def agree(path: Path, options: Sequence[str], port: int, runs: Sequence[Mapping[str, Any]], tls: bool = False) -> None:
    """The times and sizes of every packet are those of the capture."""
    wire: dict[str, list[float]] = defaultdict(list)
    sizes: dict[str, list[int]] = defaultdict(list)
    for stream in by_stream(frames(path, options, *PACKETS), port):
        sent, received = packets_of(stream, ours=True), packets_of(stream, ours=False)
        wire["tcp"].append(tcp_time(stream))
        if tls:  # From the ClientHello to the client's Finished: with TLS 1.3 its first two segments with data.
            data = [time for time, ours, row in stream if ours and int(row["tcp.len"] or 0)]
            wire["tls"].append(data[1] - data[0])
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


@pytest.mark.parametrize("version", ["3.1.1", "5"])
def test_times_and_sizes_agree_with_a_capture(mosquitto_broker: Broker, tmp_path: Path, version: str) -> None:
    path, port = tmp_path / "lo.pcapng", mosquitto_broker.port
    options = ["-d", f"tcp.port=={port},mqtt"]
    with capturing(port, path):
        runs = checked(f"mqtt://127.0.0.1:{port}", "-V", version, "-t", f"check/times/{version}")
        wait_until_sync(lambda: captured(path, options, "mqtt.msgtype == 14"), "tshark has not written everything", 20)
    agree(path, options, port, runs)


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


def test_with_tls_too(tls_mosquitto: Broker, certificates: Certificates, tmp_path: Path) -> None:
    """The capture is read with the keys that the program writes."""
    assert ssl.HAS_TLSv1_3
    path, keys, port = tmp_path / "lo.pcapng", tmp_path / "keys", tls_mosquitto.port
    options = ["-d", f"tcp.port=={port},tls", "-d", f"tls.port=={port},mqtt", "-o", f"tls.keylog_file:{keys}"]
    words = ("--cafile", str(certificates.ca), "--tls-keylog", str(keys), "-t", "check/times/tls")
    with capturing(port, path):
        runs = checked(f"mqtts://127.0.0.1:{port}", *words)
        wait_until_sync(lambda: captured(path, options, "mqtt.msgtype == 14"), "tshark has not written everything", 20)
    agree(path, options, port, runs, tls=True)


def test_the_upgrade_to_a_websocket_too(mosquitto_ways: Ways, tmp_path: Path) -> None:
    """From the request to the answer; mosquitto takes its time for it."""
    path, port = tmp_path / "lo.pcapng", mosquitto_ways.websocket
    options = ["-d", f"tcp.port=={port},http"]
    with capturing(port, path):
        runs = checked(f"ws://127.0.0.1:{port}/mqtt", "--connect-only", runs=3)
        wait_until_sync(lambda: captured(path, options, "http.response.code == 101", 3), "tshark has not written everything", 20)
    wire = []
    for stream in by_stream(frames(path, options, "http.request.method", "http.response.code"), port):
        asked = next(time for time, ours, row in stream if ours and row["http.request.method"] == "GET")
        wire.append(next(time for time, ours, row in stream if not ours and row["http.response.code"] == "101") - asked)
    close_to([run["times_ms"]["websocket"] * MS for run in runs], wire, "websocket")


NAMESERVER = """
import socket, sys, time
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(("127.0.0.1", 53))
print("ready", flush=True)
while True:
    asked, sender = sock.recvfrom(512)
    end = asked.index(b"\\0", 12) + 1
    found = asked[end:end + 2] == b"\\0\\1"
    head = asked[:2] + b"\\x81\\x80\\0\\1" + (b"\\0\\1" if found else b"\\0\\0") + b"\\0\\0\\0\\0"
    answer = b"\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\0\\x05\\0\\4\\x7f\\0\\0\\1" if found else b""
    time.sleep(0.03)
    sock.sendto(head + asked[12:end + 4] + answer, sender)
"""
"""Says after 30 ms that every name is 127.0.0.1, and that none has an IPv6 address."""

NAMESPACE = """
set -e
ip link set lo up
echo "nameserver 127.0.0.1" > resolv.conf; echo "hosts: dns" > nsswitch.conf
mount --bind resolv.conf /etc/resolv.conf; mount --bind nsswitch.conf /etc/nsswitch.conf
"$1" nameserver.py > nameserver.out & pids=$!
mosquitto -p 1883 > mosquitto.out 2>&1 & pids="$pids $!"
tshark -i lo -s 0 -w lo.pcapng > tshark.out 2>&1 & capture=$!
trap 'kill $pids $capture' EXIT
for _ in $(seq 200); do
    grep -q ready nameserver.out && grep -q "Capture started" tshark.out && break
    sleep 0.1
done
"$1" -m mqtttui check mqtt://broker.test:1883 --connect-only -C 5 --interval 0.05 --json > check.json
for _ in $(seq 200); do
    test "$(tshark -r lo.pcapng -Y 'mqtt.msgtype == 14' 2> reading.out | wc -l)" -ge 5 && break
    sleep 0.1
done
"""
"""A network and an /etc/resolv.conf of its own, for one command; its processes end with it."""


def test_the_lookup_of_a_name_too(tmp_path: Path) -> None:
    """Of a real resolver, asked by the C library over UDP: from the first question to the last answer."""
    needs_tshark()
    program("mosquitto", "apt-get install mosquitto")
    if os.geteuid() or subprocess.run(["unshare", "-nm", "true"], capture_output=True, check=False).returncode:
        pytest.skip("no rights to make a namespace")
    (tmp_path / "nameserver.py").write_text(NAMESERVER)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MQTTTUI_")}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    command = ["unshare", "-nm", "sh", "-c", NAMESPACE, "sh", sys.executable]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    runs = json.loads((tmp_path / "check.json").read_text())["each"]
    rows = frames(tmp_path / "lo.pcapng", [], "dns.id", "dns.flags.response")
    asked = [(float(row["frame.time_epoch"]), row["dns.flags.response"] in ("1", "True")) for row in rows if row["dns.id"]]
    wire, first, open_ = [], 0.0, 0
    for time, answer in asked:
        first = time if not open_ else first
        open_ += -1 if answer else 1
        if not open_:
            wire.append(time - first)
    # The C library may ask for both families one after the other.
    each = len(wire) // len(runs)
    assert each in (1, 2) and len(wire) == each * len(runs)
    whole = [sum(wire[at : at + each]) for at in range(0, len(wire), each)]
    assert all(took >= 0.03 for took in whole)
    close_to([run["times_ms"]["dns"] * MS for run in runs], whole, "dns")
