"""`mqtttui record` as it runs on a gateway: in a process of its own, against mosquitto."""

from __future__ import annotations

import asyncio
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from mqtttui.protocol.enums import Version
from mqtttui.protocol.packets import Connect, Disconnect, Publish
from tests.support.brokers import ACL, USERS, Broker, ejabberd, free_port, mosquitto
from tests.support.pcapng_oracle import needs_tshark, tshark
from tests.support.raw_client import connected
from tests.support.waiting import wait_until, wait_until_sync

ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("MQTTTUI_")}


def command(broker: Broker, *words: str) -> list[str]:
    return [sys.executable, "-m", "mqtttui", "record", f"mqtt://127.0.0.1:{broker.port}", *words]


@contextmanager
def running(broker: Broker, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        command(broker, *words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=20)


def ended(process: subprocess.Popen[bytes], status: int) -> str:
    """Waits for the end; gives what was said."""
    _, said = process.communicate(timeout=30)
    assert b"Traceback" not in said, said.decode()
    assert process.returncode == status, said.decode()
    return said.decode()


def seen(path: Path, *names: str) -> list[list[str]]:
    needs_tshark()
    fields = [part for name in names for part in ("-e", name)]
    done = subprocess.run(
        [str(tshark()), "-r", str(path), "-T", "fields", "-E", "separator=|", *fields],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "not a capture file" not in done.stderr
    return [row.split("|") for row in done.stdout.splitlines()]


def types(path: Path) -> list[str]:
    return [row[0] for row in seen(path, "mqtt.msgtype")]


def subscribed(path: Path) -> bool:
    """SUBACK is in the file: what is published from now on comes."""
    return path.exists() and "9" in types(path)


async def publish(broker: Broker, payloads: Sequence[str], topic: str, version: Version = Version.V5) -> None:
    async with connected(broker.port, Connect(version=version)) as client:
        client.send(*(Publish(topic, payload.encode()) for payload in payloads), Disconnect())
        await client.writer.drain()


def test_messages_are_recorded_until_the_count_is_reached(mosquitto_broker: Broker, tmp_path: Path) -> None:
    path = tmp_path / "a.pcapng"
    with running(mosquitto_broker, "-t", "record/count/#", "-o", str(path), "-C", "3", "-V", "5") as process:
        wait_until_sync(lambda: subscribed(path), "SUBACK in the file", 20)
        asyncio.run(publish(mosquitto_broker, ["one", "two", "three"], "record/count/x"))
        said = ended(process, 0)
    assert types(path) == ["1", "2", "8", "9", "3", "3", "3", "14"]
    payloads = [row[0] for row in seen(path, "mqtt.msg") if row[0]]
    assert payloads == [text.encode().hex() for text in ("one", "two", "three")]
    assert "8 packets" in said and str(path) in said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_disconnect(mosquitto_broker: Broker, tmp_path: Path, number: signal.Signals) -> None:
    path = tmp_path / "a.pcapng"
    with running(mosquitto_broker, "-t", "record/signal", "-o", str(path)) as process:
        wait_until_sync(lambda: subscribed(path), "SUBACK in the file", 20)
        process.send_signal(number)
        ended(process, 0)
    assert types(path)[-1] == "14"


def test_a_duration_ends_it(mosquitto_broker: Broker, tmp_path: Path) -> None:
    path = tmp_path / "a.pcapng"
    with running(mosquitto_broker, "-t", "record/duration", "-o", str(path), "-W", "1") as process:
        ended(process, 0)
    assert types(path) == ["1", "2", "8", "9", "14"]


def test_kill_9_loses_at_most_the_last_second(mosquitto_broker: Broker, tmp_path: Path) -> None:
    path = tmp_path / "a.pcapng"
    with running(mosquitto_broker, "-t", "record/kill/#", "-o", str(path)) as process:
        wait_until_sync(lambda: subscribed(path), "SUBACK in the file", 20)
        asyncio.run(publish(mosquitto_broker, [str(number) for number in range(5_000)], "record/kill/x"))
        sent = time.monotonic()
        wait_until_sync(lambda: len(types(path)) == 5_004, lambda: f"{len(types(path))} packets in the file", 20)
        # The packets reach a file within its flush time, whatever else is slow: that they were read meanwhile says it.
        asyncio.run(_keep_publishing_until_killed(mosquitto_broker, process))
        killed = time.time()
    assert time.monotonic() - sent < 60
    rows = seen(path, "frame.time_epoch", "mqtt.msgtype")
    assert len(rows) >= 5_004
    assert all(row[1] for row in rows), "every frame is a whole packet"
    assert killed - float(rows[-1][0]) < 1.0


async def _keep_publishing_until_killed(broker: Broker, process: subprocess.Popen[bytes]) -> None:
    """A message every few milliseconds for more than a second, and then SIGKILL in the middle of it."""
    async with connected(broker.port, Connect(version=Version.V5)) as client:
        began = time.monotonic()

        def enough() -> bool:
            client.send(Publish("record/kill/x", b"more"))
            return time.monotonic() - began > 1.5

        await wait_until(enough, "messages for more than a second")
        process.kill()
        process.wait(10)


def test_a_ring_of_files_each_of_which_can_be_read(mosquitto_broker: Broker, tmp_path: Path) -> None:
    words = ("-t", "record/ring/#", "-o", str(tmp_path / "n.pcapng"), "--ring", "3x20k")
    with running(mosquitto_broker, *words) as process:
        wait_until_sync(lambda: subscribed(tmp_path / "n-00001.pcapng"), "SUBACK in the file", 20)
        for _ in range(5):
            asyncio.run(publish(mosquitto_broker, ["x" * 1_000] * 20, "record/ring/x"))
        wait_until_sync(lambda: (tmp_path / "n-00005.pcapng").exists(), "five files", 20)
        process.send_signal(signal.SIGTERM)
        said = ended(process, 0)
    files = sorted(tmp_path.iterdir())
    assert len(files) == 3 and files[-1].name in said
    for file in files:
        assert types(file)[:3] == ["1", "2", "8"]
        assert file.stat().st_size <= 20_000


def test_it_goes_on_after_the_broker_was_away(tmp_path: Path) -> None:
    path = tmp_path / "a.pcapng"
    with (
        mosquitto(tmp_path / "broker") as broker,
        running(broker, "-t", "record/again", "-o", str(path), "--reconnect", "-C", "1") as process,
    ):
        wait_until_sync(lambda: subscribed(path), "SUBACK in the file", 20)
        broker.kill()
        broker.start()
        wait_until_sync(lambda: types(path).count("9") == 2, "the second SUBACK", 30)
        asyncio.run(publish(broker, ["back"], "record/again"))
        said = ended(process, 0)
    assert "trying again" in said
    assert {row[0] for row in seen(path, "frame.interface_name")} == {"connection 0", "connection 1"}


def test_what_cannot_be_reached_is_said(tmp_path: Path) -> None:
    broker = Broker("none", tmp_path, [], free_port())
    with running(broker, "-t", "x", "-o", str(tmp_path / "a.pcapng")) as process:
        assert "refused" in ended(process, 1).lower()


def test_refused_subscriptions_end_it(tmp_path: Path) -> None:
    with ejabberd(tmp_path / "broker", only="allowed") as broker:
        words = ("-u", "alice", "-P", "secret", "-V", "5", "-t", "t/#", "-o", str(tmp_path / "a.pcapng"))
        with running(broker, *words) as process:
            said = ended(process, 1)
    assert "SUBSCRIBE t/#: refused" in said
    assert types(tmp_path / "a.pcapng") == ["1", "2", "8", "9", "14"]


def test_a_refused_connect_ends_it(tmp_path: Path) -> None:
    with mosquitto(tmp_path / "broker", users=USERS, acl=ACL) as broker:
        words = ("-u", "alice", "-P", "wrong", "-t", "t/#", "-o", str(tmp_path / "a.pcapng"))
        with running(broker, *words) as process:
            said = ended(process, 1)
    assert "not authorized" in said.lower() or "bad user name" in said.lower()


def test_nothing_is_overwritten_without_force(mosquitto_broker: Broker, tmp_path: Path) -> None:
    path = tmp_path / "a.pcapng"
    path.write_bytes(b"precious")
    with running(mosquitto_broker, "-t", "x", "-o", str(path)) as process:
        assert "--force" in ended(process, 2)
    assert path.read_bytes() == b"precious"
    with running(mosquitto_broker, "-t", "record/force", "-o", str(path), "--force", "-W", "1") as process:
        ended(process, 0)
    assert types(path)[0] == "1"


def test_a_full_disk_is_said_and_counted(mosquitto_broker: Broker, tmp_path: Path) -> None:
    with running(mosquitto_broker, "-t", "record/full", "-o", "/dev/full", "--force", "-W", "2") as process:
        said = ended(process, 3)
    assert "No space left on device" in said
    assert "packets are missing" in said


def test_standard_output_is_a_live_capture(mosquitto_broker: Broker, tmp_path: Path) -> None:
    with running(mosquitto_broker, "-t", "record/stdout", "-o", "-", "-W", "1") as process:
        out, said = process.communicate(timeout=30)
        assert process.returncode == 0, said.decode()
    path = tmp_path / "a.pcapng"
    path.write_bytes(out)
    assert types(path) == ["1", "2", "8", "9", "14"]


def test_a_reader_of_standard_output_that_goes_away_ends_it(mosquitto_broker: Broker) -> None:
    with running(mosquitto_broker, "-t", "record/pipe", "-o", "-") as process:
        assert process.stdout is not None
        process.stdout.read(1)
        process.stdout.close()
        asyncio.run(_publish_until_ended(mosquitto_broker, process))
        assert process.returncode == 141
        assert process.stderr is not None
        assert b"Traceback" not in process.stderr.read()


async def _publish_until_ended(broker: Broker, process: subprocess.Popen[bytes]) -> None:
    async with connected(broker.port) as client:

        def over() -> bool:
            client.send(Publish("record/pipe", b"x"))
            return process.poll() is not None

        await wait_until(over, "the end", 20)


def test_on_a_terminal_it_shows_how_far_it_is(mosquitto_broker: Broker, tmp_path: Path) -> None:
    master, slave = pty.openpty()
    words = command(mosquitto_broker, "-t", "record/tty", "-o", str(tmp_path / "a.pcapng"))
    try:
        with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=slave, env=ENVIRONMENT) as process:
            said = b""

            def progress() -> bool:
                nonlocal said
                said += os.read(master, 4096)
                return b"connected  4 packets" in said

            wait_until_sync(progress, lambda: repr(said), 20)
            process.send_signal(signal.SIGINT)
            wait_until_sync(lambda: process.poll() is not None, "the end", 20)
            assert process.returncode == 0
    finally:
        os.close(master)
        os.close(slave)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["h", "-t", "x"], "no file to record to"),
        (["-t", "x", "-o", "f"], "no broker to record from"),
        (["h", "-o", "f"], "nothing to subscribe to"),
        (["h", "-t", "x", "-o", "f", "--ring", "ten"], "'ten' is no ring of files"),
        (["h", "-t", "x", "-o", "f", "--ring", "1x10M"], "fewer than 2 files"),
        (["h", "-t", "x", "-o", "f", "--ring", "2x10"], "smaller than 10,000 bytes"),
        (["h", "-t", "x", "-o", "-", "--ring", "2x1M"], "standard output is no file"),
        (["h", "-t", "x", "-o", ""], "is empty"),
        (["h", "-t", "x", "-o", "f", "-C", "0"], "--count: '0' is no number"),
        (["h", "-t", "x", "-o", "f", "-m", "hello"], "-m: mqtttui record has no such option"),
        (["h", "-t", "x", "-o", "/nowhere/f"], "'/nowhere/f' cannot be written"),
    ],
)
def test_unusable_words_are_refused(words: list[str], complaint: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mqtttui", "record", *words], capture_output=True, text=True, timeout=60, env=ENVIRONMENT, check=False
    )
    assert done.returncode == 2, done.stderr
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr


def test_it_warns_of_what_is_not_safe(tls_mosquitto: Broker, tmp_path: Path) -> None:
    words = ["-t", "#", "-o", str(tmp_path / "a.pcapng"), "--duration", "1", "--tls", "--insecure", "--tls-keylog", str(tmp_path / "keys")]
    with running(tls_mosquitto, *words) as process:
        said = ended(process, 0)
    assert "warning: TLS keys are written to" in said
    assert "certificate not verified" in said
