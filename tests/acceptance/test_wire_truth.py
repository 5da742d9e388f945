"""tshark listens on the loopback interface while we talk to mosquitto: both have the same bytes, and read them alike."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from mqtttui.client.events import Outcome
from mqtttui.protocol.enums import Direction, PacketType, PropertyId, Version
from mqtttui.protocol.packets import Connect, Property, TopicRequest, Will
from tests.support.brokers import Broker
from tests.support.capturing import capturing
from tests.support.sessions import Driver
from tests.support.waiting import wait_until_sync


def followed(path: Path) -> tuple[bytes, bytes]:
    """Both directions of the first TCP stream of a capture: client, server."""
    done = subprocess.run(
        ["tshark", "-r", str(path), "-q", "-z", "follow,tcp,raw,0"], capture_output=True, check=True, text=True, timeout=60
    )
    client, server = bytearray(), bytearray()
    for line in done.stdout.splitlines():
        text = line.strip()
        try:
            chunk = bytes.fromhex(text)
        except ValueError:
            continue
        (server if line.startswith("\t") else client).extend(chunk)
    return bytes(client), bytes(server)


@pytest.mark.parametrize("version", list(Version), ids=lambda version: version.label)
async def test_the_log_is_what_tshark_saw_on_the_wire(mosquitto_broker: Broker, tmp_path: Path, version: Version) -> None:
    client_id = f"wire{version}"
    properties = (Property(PropertyId.SESSION_EXPIRY_INTERVAL, 0),) if version is Version.V5 else ()
    connect = Connect(client_id, version, keep_alive=1, will=Will("t/will", b"\x00\xff", 1), properties=properties)
    path = tmp_path / "lo.pcapng"
    with capturing(mosquitto_broker.port, path):
        async with Driver() as driver:
            await driver.connected(mosquitto_broker.port, connect=connect)
            await driver.subscribed(TopicRequest(f"{client_id}/#", 2))
            for qos in (0, 1, 2):
                token = driver.publish(f"{client_id}/{qos}", b"x" * (300_000 if qos == 1 else 10), qos=qos)
                await driver.outcome(token, Outcome.ACKED, Outcome.SENT)
            await driver.until(lambda: driver.count(PacketType.PUBLISH, Direction.S2C) == 3, "all messages back")
            await driver.until(lambda: driver.count(PacketType.PINGRESP) >= 1, "a ping")
            await driver.disconnect()
            sent, received = driver.raw(Direction.C2S, 0), driver.raw(Direction.S2C, 0)
        wait_until_sync(lambda: followed_length(path) >= len(sent) + len(received), "tshark has not written everything", 20)
    assert followed(path) == (sent, received)


def followed_length(path: Path) -> int:
    """Bytes of TCP payload that tshark has written so far, 0 while the file cannot be read yet."""
    command = ["tshark", "-r", str(path), "-T", "fields", "-e", "tcp.len"]
    done = subprocess.run(command, capture_output=True, check=False, text=True, timeout=60)
    return sum(int(line) for line in done.stdout.split() if line.isdigit())
