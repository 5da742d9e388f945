"""Ten broken packets, sent by hand to mosquitto: each is found with its statement, and Wireshark finds none."""

from __future__ import annotations

import io
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from mqtttui.analysis.expert.finding import Finding
from mqtttui.analysis.expert.timeouts import Timeouts
from mqtttui.analysis.findings import Findings
from mqtttui.client import commands
from mqtttui.client.events import RawSent
from mqtttui.export.pcapng import Encapsulation, write_log
from mqtttui.protocol.enums import Direction, PacketType, Severity, Version
from mqtttui.protocol.packets import Connect, Publish, Subscribe, TopicRequest, encode
from tests.support.brokers import Broker, mosquitto
from tests.support.pcapng_oracle import needs_tshark
from tests.support.sessions import PEER, Driver
from tests.support.waiting import wait_until

_PATIENCE = Timeouts(ack=0.3)
_ANSWERS = (PacketType.PUBACK, PacketType.PUBREC, PacketType.PINGRESP)
_NOTE = 4_194_304
"""Wireshark's number for a note; comments and chat are below."""


class Broken(NamedTuple):
    """A broken packet, the check that finds it, and the statements that it breaks in 3.1.1 and 5."""

    raw: Callable[[Version], bytes]
    check: str
    statement311: str
    statement5: str


def _twice(version: Version) -> bytes:
    return b"".join(encode(Publish("t", payload, 2, packet_id=60), version) for payload in (b"x", b"y"))


BROKEN = {
    "reserved flag": Broken(lambda _: b"\xc1\x00", "A03", "MQTT-2.2.2-2", "MQTT-2.1.3-1"),
    "wildcard in a topic": Broken(lambda version: encode(Publish("t/#", b"x"), version), "B06", "MQTT-3.3.2-2", "MQTT-3.3.2-2"),
    "QoS 3": Broken(lambda version: encode(Publish("t", b"x", 3, packet_id=7), version), "D01", "MQTT-3.3.1-4", "MQTT-3.3.1-4"),
    "identifier 0": Broken(lambda version: encode(Publish("t", b"x", 1, packet_id=0), version), "D03", "MQTT-2.3.1-1", "MQTT-2.2.1-3"),
    "flags of SUBSCRIBE": Broken(
        lambda version: encode(Subscribe(1, (TopicRequest("t"),)), version, header_flags=0), "A03", "MQTT-3.8.1-1", "MQTT-3.8.1-1"
    ),
    "filter a#/b": Broken(lambda version: encode(Subscribe(1, (TopicRequest("a#/b"),)), version), "B09", "MQTT-4.7.1-2", "MQTT-4.7.1-1"),
    "unacknowledged": Broken(lambda version: encode(Publish("t", b"x", 1, packet_id=50), version), "E10", "MQTT-4.3.2-2", "MQTT-4.3.2-4"),
    "identifier in use": Broken(_twice, "D04", "MQTT-2.3.1-2", "MQTT-2.2.1-3"),
    "bad UTF-8": Broken(lambda version: encode(Publish(b"t\xff", b"x"), version), "B01", "MQTT-1.5.3-1", "MQTT-1.5.4-1"),
    "second CONNECT": Broken(lambda version: encode(Connect("again", version), version), "C02", "MQTT-3.1.0-2", "MQTT-3.1.0-2"),
}


@pytest.fixture(scope="module")
def deaf_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A mosquitto of our own, because one test stops it for a moment."""
    with mosquitto(tmp_path_factory.mktemp("broken")) as broker:
        yield broker


@pytest.mark.parametrize("version", [Version.V311, Version.V5], ids=lambda version: version.label)
@pytest.mark.parametrize("name", BROKEN)
async def test_it_is_found(deaf_broker: Broker, name: str, version: Version, tmp_path: Path) -> None:
    make, check, *statements = BROKEN[name]
    raw, statement = make(version), statements[version is Version.V5]
    async with Driver() as driver:
        await driver.connected(deaf_broker.port, connect=Connect(f"broken {name}", version))
        own = driver.log.last
        if name == "unacknowledged":
            deaf_broker.pause()
        try:
            driver.session.execute(commands.SendRaw(PEER, raw, token=1))
            await driver.until(lambda: any(isinstance(event, RawSent) and event.done for event in driver.events), "the bytes to leave")
            followed = Findings(_PATIENCE)
            await wait_until(lambda: has(followed, driver, check, own), lambda: f"no {check}\n{driver.describe()}")
        finally:
            deaf_broker.resume()
        await driver.until(
            lambda: driver.log.connection(0).closed is not None or any(driver.count(kind) for kind in _ANSWERS),
            "the broker's answer",
        )
        assert [item.statement for item in found(followed, driver, check, own) if statement in item.statement.split(", ")]
        assert_wireshark_finds_nothing(driver, own, tmp_path / "broken.pcapng")


def found(followed: Findings, driver: Driver, check: str, after: int) -> list[Finding]:
    """The findings of `check` on packets of the client after packet `after`."""
    log = driver.log
    sent = [no for no in log.numbers(after + 1) if log.head(no).direction is Direction.C2S]
    return [item for no in sent for item in followed.of(no) if item.id == check and item.severity >= Severity.WARN]


def has(followed: Findings, driver: Driver, check: str, after: int) -> bool:
    """Reads on, with the time of this moment; whether there is such a finding."""
    while not followed.advance(driver.log):
        pass
    followed.tick(time.monotonic_ns())
    return bool(found(followed, driver, check, after))


def assert_wireshark_finds_nothing(driver: Driver, after: int, path: Path) -> None:
    """tshark has no expert item on what the client sent."""
    needs_tshark()
    out = io.BytesIO()
    numbers = [no for no in driver.log.numbers(1) if no <= after or driver.log.head(no).direction is Direction.C2S]
    write_log(driver.log, numbers, out, encapsulation=Encapsulation.TCP)
    path.write_bytes(out.getvalue())
    command = ["tshark", "-r", str(path), "-Y", "mqtt", "-T", "fields", "-e", "_ws.expert.severity"]
    done = subprocess.run(command, capture_output=True, check=True, text=True, timeout=60)
    frames = done.stdout.split("\n")[:-1]
    assert len(frames) == len(numbers)
    assert max((int(severity) for frame in frames for severity in frame.split(",") if severity), default=0) < _NOTE
