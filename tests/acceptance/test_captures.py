"""What real clients and brokers say, captured from the network: `decode FILE` and tshark read it alike, field by field.

The same for the file in other containers, cut off, cut short by the snapshot length, damaged, merged, and from the middle.
"""

from __future__ import annotations

import json
import random
import shlex
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from mqtttui.capture.files.blocks import PcapngSource
from mqtttui.capture.files.problems import Report
from mqtttui.capture.files.reader import CaptureReader
from mqtttui.capture.log import Log
from mqtttui.protocol.enums import PacketType, Version
from mqtttui.protocol.packets import Connect, Disconnect, Publish, Subscribe, TopicRequest, encode
from tests.support import captures
from tests.support.brokers import ALICE, Broker, program
from tests.support.captures import packets, raws, read_file
from tests.support.capturing import capturing
from tests.support.certs import Certificates
from tests.support.pcapng_oracle import needs_tshark
from tests.support.pdml import Shown, assert_json_is_what_tshark_shows, assert_log_is_what_tshark_shows, shown_packets
from tests.support.waiting import wait_until_sync

WORDS = {Version.V31: "mqttv31", Version.V311: "mqttv311", Version.V5: "mqttv5"}
PUBLISH_V5 = shlex.split(
    "-D publish content-type application/json -D publish user-property a b -D publish user-property a c "
    "-D publish response-topic t/answer -D publish correlation-data 0102 -D publish message-expiry-interval 60 "
    "-D connect session-expiry-interval 5 -D connect receive-maximum 7"
)
BROKERS = [
    *((name, version) for name in ("mosquitto_broker",) for version in Version),
    ("ejabberd_broker", Version.V311),
    ("ejabberd_broker", Version.V5),
    ("aedes_broker", Version.V31),
    ("aedes_broker", Version.V311),
    ("nats_broker", Version.V311),
]


class Captured(NamedTuple):
    """A capture and what it is of."""

    path: Path
    port: int
    version: Version


def so_far(path: Path) -> Log:
    """What of a running capture has been written; only FIN and RST have closed anything."""
    log = Log(1 << 30)
    CaptureReader(log).feed(path.read_bytes() if path.exists() else b"")
    return log


def converse(broker: Broker, version: Version, path: Path) -> int:
    """mosquitto's clients subscribe, publish and leave. Gives how many connections that were."""
    publish, subscribe = program("mosquitto_pub", "mosquitto-clients"), program("mosquitto_sub", "mosquitto-clients")
    to = ["-h", broker.host, "-p", str(broker.port), "-V", WORDS[version], "-u", ALICE[0], "-P", ALICE[1]]
    best = "1" if broker.name == "nats-server" else "2"
    will = ["--will-topic", "t/will", "--will-payload", "gone", "--will-qos", "1"] if broker.name == "mosquitto" else []
    command = [subscribe, *to, "-i", f"sub{version}", "-t", "t/#", "-t", "u/+", "-q", best, "-k", "5", "-C", "4", *will]
    listener = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until_sync(lambda: any(raw[0] >> 4 == PacketType.SUBACK for raw in raws(so_far(path))), "no SUBACK", 30)
        extra = PUBLISH_V5 if version is Version.V5 else []
        payloads = [("0", '{"a":1}'), ("1", "ünï"), (best, "x" * 100_000), ("0", " ")]
        for qos, payload in payloads:
            done = subprocess.run(
                [publish, *to, "-i", f"pub{version}", "-t", "t/ä", "-s", "-q", qos, *extra], input=payload.encode(), timeout=20, check=False
            )
            assert done.returncode == 0
        assert listener.wait(20) == 0
    finally:
        listener.kill()
        listener.wait(10)
    return 1 + len(payloads)


def captured(broker: Broker, version: Version, path: Path) -> Captured:
    """What passed while `converse` ran, whole."""

    def complete() -> bool:
        return sum(info.closed is not None for info in so_far(path).connections) >= connections

    with capturing(broker.port, path):
        connections = converse(broker, version, path)
        wait_until_sync(complete, "tshark has not written everything", 30)
    return Captured(path, broker.port, version)


@pytest.fixture(scope="module", params=BROKERS, ids=lambda param: f"{param[0].partition('_')[0]}-{param[1].label}")
def capture(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Captured:
    name, version = request.param
    needs_tshark()
    broker: Broker = request.getfixturevalue(name)
    return captured(broker, version, tmp_path_factory.mktemp("capture") / "lo.pcapng")


def decode(path: Path, *words: str, statuses: tuple[int, ...] = (0,)) -> list[dict[str, Any]]:
    """The lines of `decode FILE --format json`."""
    command = [sys.executable, "-m", "mqtttui", "decode", str(path), "--format", "json", *words]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert done.returncode in statuses, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def assert_same(path: Path, shown: list[Shown], words: tuple[str, ...] = (), statuses: tuple[int, ...] = (0,)) -> None:
    """Ours and tshark's, both as log and as JSON lines."""
    log, reader = read_file(path)
    whole = [packet.number for packet in packets(log) if not packet.framing_error]
    if not words:
        assert_log_is_what_tshark_shows(log, whole, [reader.frame_number(no) for no in whole], shown)
    lines = decode(path, *words, statuses=statuses)
    assert_json_is_what_tshark_shows([line for line in lines if line["type"] is not None], shown)


def tool(name: str, *words: object) -> None:
    subprocess.run([name, *map(str, words)], check=True, capture_output=True, timeout=60)


@pytest.mark.slow
def test_every_field_agrees_with_tshark(capture: Captured) -> None:
    shown = shown_packets(capture.path, capture.port)
    assert len(shown) > 20
    assert_same(capture.path, shown)
    log, reader = read_file(capture.path)
    assert not [packet for packet in packets(log) if packet.framing_error] and not reader.problems
    assert {packet.version for packet in packets(log)} == {capture.version}
    kinds = {packet.raw[0] >> 4 for packet in packets(log)}
    assert {PacketType.CONNECT, PacketType.CONNACK, PacketType.PUBLISH, PacketType.SUBACK, PacketType.PUBACK} <= kinds


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pcap", "nsecpcap", "modpcap", "gzip"])
def test_the_same_file_in_other_containers(capture: Captured, tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"x.{kind}"
    if kind == "gzip":
        path.write_bytes(captures.zipped(capture.path.read_bytes()))
    else:
        tool("editcap", "-F", kind, capture.path, path)
    if kind == "modpcap":
        _, reader = read_file(path)
        assert reader.problems[0].fatal
        return
    ours, theirs = read_file(path), read_file(capture.path)
    assert raws(ours[0]) == raws(theirs[0])
    assert [packet.direction for packet in packets(ours[0])] == [packet.direction for packet in packets(theirs[0])]
    rounding = 1_000 if kind == "pcap" else 1
    assert [packet.wall // rounding for packet in packets(ours[0])] == [packet.wall // rounding for packet in packets(theirs[0])]
    assert_same(path, shown_packets(path, capture.port))


@pytest.mark.slow
def test_a_file_that_was_cut_off(capture: Captured, tmp_path: Path) -> None:
    data = capture.path.read_bytes()
    chance = random.Random(1)
    for size in [chance.randrange(2_000, len(data)) for _ in range(4)]:
        path = tmp_path / f"{size}.pcapng"
        path.write_bytes(data[:size])
        assert_same(path, shown_packets(path, capture.port), statuses=(0, 1))


@pytest.mark.slow
def test_a_file_that_is_damaged(capture: Captured, tmp_path: Path) -> None:
    """A block length that cannot be: both read what stands before it."""
    data = bytearray(capture.path.read_bytes())
    at = data.index(b"\x06\0\0\0", len(data) // 2)
    while int.from_bytes(data[at + 4 : at + 8], "little") % 4 or data[at + 8 : at + 12] != bytes(4):
        at = data.index(b"\x06\0\0\0", at + 1)
    data[at + 4 : at + 8] = b"\x05\0\0\0"
    path = tmp_path / "damaged.pcapng"
    path.write_bytes(data)
    assert_same(path, shown_packets(path, capture.port), statuses=(2,))
    done = subprocess.run([sys.executable, "-m", "mqtttui", "decode", str(path)], capture_output=True, text=True, timeout=60, check=False)
    assert f"byte {at:,}: " in done.stderr and "damaged" in done.stderr


@pytest.mark.slow
def test_segments_that_are_cut_short(capture: Captured, tmp_path: Path) -> None:
    """Packets that are whole agree; of the others both show what stands before the cut."""
    path = tmp_path / "short.pcapng"
    tool("editcap", "-s", 150, capture.path, path)
    log, _ = read_file(path)
    whole = [packet for packet in packets(log) if not packet.framing_error]
    everything = [packet.raw for packet in packets(read_file(capture.path)[0])]
    assert 10 < len(whole) < len(everything)
    assert all(packet.raw in everything for packet in whole)
    cut = [packet for packet in packets(log) if packet.framing_error]
    assert all("missing from the capture" in packet.framing_error for packet in cut)
    assert all(any(raw.startswith(packet.raw) for raw in everything) for packet in cut)
    assert len(whole) + len(cut) == len(everything)


@pytest.mark.slow
def test_swapped_and_repeated_frames_are_mended(capture: Captured, tmp_path: Path) -> None:
    """Every fourth frame twice, and neighbours swapped behind the handshakes: the same packets come out."""
    source = read_source(capture.path)
    frames = list(source)
    for index in range(10, len(frames) - 1, 7):
        frames[index], frames[index + 1] = frames[index + 1], frames[index]
    doubled = [frame for index, frame in enumerate(frames) for frame in ([frame, frame] if index % 4 == 0 else [frame])]
    data = captures.pcapng(captures.retimed(doubled))
    log, _ = captures.read(data)
    expected = read_file(capture.path)[0]
    for number in range(expected.connection_count):
        port = expected.connection(number).source
        (ours,) = [info.number for info in log.connections if info.source == port]
        for direction in (captures.C2S, captures.S2C):
            assert raws(log, direction, ours) == raws(expected, direction, number)


def read_source(path: Path) -> Iterator[captures.Frame]:
    """The frames of a pcapng file."""
    data = path.read_bytes()
    for start, end, _, wall, _, _ in PcapngSource(Report()).frames(data, 0):
        yield captures.Frame(data[start:end], wall)


@pytest.mark.slow
def test_two_captures_in_one(capture: Captured, tmp_path: Path) -> None:
    path, other = tmp_path / "two.pcapng", tmp_path / "other.pcapng"
    other.write_bytes(captures.pcapng(captures.frames(captures.golden_talk("B").segments, captures.SLL), captures.SLL))
    tool("mergecap", "-w", path, other, capture.path)
    log, _ = read_file(path)
    alone = len(raws(read_file(capture.path)[0]))
    assert len(raws(log)) == alone + len(captures.golden_raws("B"))
    # A CONNECT of the golden capture has properties that tshark reads alike; it knows port 1883 by itself.
    assert_same(path, shown_packets(path, capture.port), statuses=(0, 1))


@pytest.mark.slow
def test_a_capture_from_the_middle(capture: Captured, tmp_path: Path) -> None:
    """tshark is told the version; ours guesses it, or is told."""
    log, reader = read_file(capture.path)
    first = next(packet.number for packet in packets(log) if packet.raw[0] >> 4 == PacketType.SUBACK)
    path = tmp_path / "middle.pcapng"
    tool("editcap", "-r", capture.path, path, f"{reader.frame_number(first) + 1}-99999")
    names = {Version.V31: "MQTT v3.1", Version.V311: "MQTT v3.1.1", Version.V5: "MQTT v5.0"}
    shown = shown_packets(path, capture.port, "-o", f"mqtt.default_version:{names[capture.version]}")
    assert_same(path, shown, ("--protocol-version", capture.version.label))
    guessed = decode(path)
    wanted = "3.1.1" if capture.version is Version.V31 else capture.version.label
    ((number, note),) = [(line["connection"], note["text"]) for line in guessed for note in line["notes"] if note["id"] == "version"]
    assert f"read as {wanted}" in note
    assert {line["version"] for line in guessed if line["connection"] == number} == {wanted}


@pytest.mark.parametrize("words", [("-T", "50001,1883"), ("-T", "50001,1883", "-6", "::1,::2"), ("-P", "mqtt")])
@pytest.mark.parametrize("container", ["pcap", "nsecpcap", "pcapng"])
def test_what_text2pcap_makes_of_a_hex_dump(tmp_path: Path, words: tuple[str, ...], container: str) -> None:
    needs_tshark()
    program("text2pcap", "apt-get install wireshark-common")
    expected = captures.golden_raws("A", captures.C2S)
    dump, path = tmp_path / "dump.txt", tmp_path / "x.pcap"
    dump.write_text("".join(f"0000 {raw.hex(' ')}\n\n" for raw in expected))
    tool("text2pcap", "-F", container, *words, dump, path)
    log, reader = read_file(path)
    assert raws(log) == expected and not reader.problems
    assert [reader.frame_number(no) for no in log.numbers()] == list(range(1, len(expected) + 1))


@pytest.mark.slow
def test_tls_is_made_readable_by_the_command_that_is_printed(tls_mosquitto: Broker, certificates: Certificates, tmp_path: Path) -> None:
    path, keys = tmp_path / "tls.pcapng", tmp_path / "keys.log"
    sent = [
        encode(Connect("tls-dev"), Version.V311),
        encode(Subscribe(1, (TopicRequest("tls/#"),)), Version.V311),
        encode(Publish("tls/big", b"y" * 40_000), Version.V311),
        encode(Publish("tls/small", b"z"), Version.V311),
        encode(Disconnect(), Version.V311),
    ]
    with capturing(tls_mosquitto.port, path):
        context = ssl.create_default_context(cafile=str(certificates.ca))
        context.check_hostname = False
        context.keylog_filename = str(keys)
        with context.wrap_socket(socket.create_connection((tls_mosquitto.host, tls_mosquitto.port), 10)) as line:
            for raw in sent[:-1]:
                line.sendall(raw)
            got = b""
            while b"tls/small" not in got:
                got += line.recv(65_536)
            line.sendall(sent[-1])
            while line.recv(65_536):
                pass
        wait_until_sync(lambda: closed_tls(path), "tshark has not written everything", 20)
    done = subprocess.run([sys.executable, "-m", "mqtttui", "decode", str(path)], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    command = "tshark " + done.stderr.partition(": tshark ")[2].splitlines()[0]
    plain = tmp_path / "plain.pcapng"
    subprocess.run(shlex.split(command.replace("KEYS", str(keys))), cwd=tmp_path, check=True, capture_output=True, timeout=60)
    log, reader = read_file(plain)
    assert raws(log, captures.C2S) == sent and not reader.problems
    assert [raw[0] >> 4 for raw in raws(log, captures.S2C)] == [2, 9, 3, 3]


def closed_tls(path: Path) -> bool:
    done = subprocess.run(["tshark", "-r", str(path), "-Y", "tcp.flags.fin==1"], capture_output=True, text=True, timeout=60, check=False)
    return len(done.stdout.splitlines()) >= 2
