"""`mqtttui --record` in a real terminal, killed while messages come: the file has all but the last second and opens in tshark."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import time
from pathlib import Path

from mqtttui.capture.files.reader import CaptureReader
from mqtttui.capture.log import Log
from mqtttui.protocol.enums import Version
from mqtttui.protocol.packets import Connect, Publish
from tests.support.brokers import Broker
from tests.support.pcapng_oracle import needs_tshark, tshark
from tests.support.raw_client import connected
from tests.support.terminal import Terminal
from tests.support.waiting import wait_until, wait_until_sync

TOPIC = "killed/x"
_SECONDS = 2.5
"""Messages come for so long before the end, which is more than what may be lost."""


def rows(path: Path, *names: str) -> list[list[str]]:
    """One row of `tshark -T fields` a frame; a file that is cut off gives what is whole."""
    words = [word for name in names for word in ("-e", name)]
    command = [str(tshark()), "-r", str(path), "-T", "fields", "-E", "separator=|", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "not a capture file" not in done.stderr and "isn't a capture file" not in done.stderr
    return [line.split("|") for line in done.stdout.splitlines()]


def subscribed(terminal: Terminal, path: Path) -> bool:
    """SUBACK is in the file; reads on, since a full pseudo-terminal would block the program."""
    terminal.drain()
    return path.exists() and ["9"] in rows(path, "mqtt.msgtype")


async def publish_until_killed(broker: Broker, terminal: Terminal) -> tuple[int, float]:
    """Message after message, and SIGKILL in the middle; gives how many were sent, and when it was killed."""
    sent = 0
    async with connected(broker.port, Connect(version=Version.V5)) as client:
        began = time.monotonic()

        def enough() -> bool:
            nonlocal sent
            terminal.drain()
            client.send(Publish(TOPIC, str(sent).encode()))
            sent += 1
            return time.monotonic() - began > _SECONDS

        await wait_until(enough, "messages for a while", 30)
        terminal.process.send_signal(signal.SIGKILL)
        killed = time.time()
        terminal.process.wait(10)
    return sent, killed


def test_kill_9_loses_at_most_the_last_second(mosquitto_broker: Broker, tmp_path: Path) -> None:
    needs_tshark()
    path = tmp_path / "night.pcapng"
    url = f"mqtt://127.0.0.1:{mosquitto_broker.port}"
    terminal = Terminal(tmp_path, url, "-t", "killed/#", "--record", str(path))
    try:
        terminal.wait_for(b"SUBACK")
        wait_until_sync(lambda: subscribed(terminal, path), "SUBACK in the file", 20)
        sent, killed = asyncio.run(publish_until_killed(mosquitto_broker, terminal))
    finally:
        terminal.close()
    found = rows(path, "frame.time_epoch", "mqtt.msgtype", "mqtt.msg")
    assert [row[1] for row in found[:4]] == ["1", "2", "8", "9"]
    assert all(kind for _, kind, _ in found), "every frame is a whole packet"
    payloads = [bytes.fromhex(payload) for _, kind, payload in found if kind == "3"]
    assert payloads == [str(number).encode() for number in range(len(payloads))], "none is missing in the middle"
    assert 0 < len(payloads) <= sent
    assert killed - float(found[-1][0]) < 1.0
    log = Log()
    reader = CaptureReader(log)
    reader.feed(path.read_bytes())
    reader.finish()
    assert log.received == len(found)
