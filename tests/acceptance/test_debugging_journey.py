"""What a person does who is handed a capture: open, filter, next finding, its conversation, copy, export, compare with tshark."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from mqtttui.capture.log import Log
from mqtttui.client import commands
from mqtttui.client.events import Outcome, RawSent
from mqtttui.config.opening import OpenOptions
from mqtttui.config.settings import Settings
from mqtttui.export.pcapng import Encapsulation, write_log
from mqtttui.protocol.enums import PacketType, Version
from mqtttui.protocol.packets import Ack, Connect, Publish, TopicRequest, encode
from mqtttui.ui.panes.findings import GroupList
from tests.support.brokers import Broker
from tests.support.pcapng_oracle import needs_tshark, tshark
from tests.support.screen import Running, running
from tests.support.sessions import PEER, Driver
from tests.ui.test_mosquitto_journeys import paste

IDENTIFIER = 600
COLUMNS = ("frame.number", "mqtt.msgtype", "mqtt.msgid", "mqtt.topic", "mqtt.qos", "mqtt.msg", "mqtt.len", "frame.time_epoch")
LINES = [
    [],
    ["-Y", "mqtt.msgtype == 3"],
    ["-Y", 'mqtt.topic matches "^house/[dl]" && mqtt.qos > 0'],
    ["-Y", f"mqtt.msgid == {IDENTIFIER} || !mqtt.topic"],
    ["-Y", 'mqtt.msgtype in {1, 2, 4..7} and not mqtt.msg contains "open"'],
]
"""Command lines for `mqtttui decode` and for tshark."""


def answered(driver: Driver, kind: PacketType, count: int) -> bool:
    """So many packets of a type are there."""
    return driver.count(kind) >= count


async def a_bad_day(broker: Broker) -> Log:
    """A device that forgets which identifiers it has in use."""
    async with Driver() as driver:
        await driver.connected(broker.port, connect=Connect("door-17", Version.V311))
        await driver.subscribed(TopicRequest("house/#", 1))
        for number in range(20):
            await driver.outcome(driver.publish(f"house/light/{number % 3}", b"%d" % number, qos=number % 2), Outcome.ACKED, Outcome.SENT)
        raws = [encode(Publish("house/door", payload, 2, packet_id=IDENTIFIER), Version.V311) for payload in (b"open", b"closed")]
        raws.append(encode(Ack(PacketType.PUBREL, IDENTIFIER), Version.V311))
        answers = ((PacketType.PUBREC, 1), (PacketType.PUBREC, 2), (PacketType.PUBCOMP, 1))
        for token, (raw, answer) in enumerate(zip(raws, answers, strict=True)):
            driver.session.execute(commands.SendRaw(PEER, raw, token=token))
            await driver.until(partial(answered, driver, *answer), f"the answer to packet {token} by hand")
        assert sum(isinstance(event, RawSent) and event.done for event in driver.events) == len(raws)
        await driver.outcome(driver.publish("house/light/0", b"last", qos=1), Outcome.ACKED)
        await driver.disconnect()
        return driver.log


def captured(log: Log, path: Path) -> None:
    """The capture that somebody hands on."""
    with path.open("wb") as out:
        write_log(log, log.numbers(), out, encapsulation=Encapsulation.TCP)


def decoded(program: list[str], path: Path, words: list[str]) -> list[str]:
    """What a program prints of the columns."""
    fields = [word for name in COLUMNS for word in ("-e", name)]
    where = ["-r", str(path)] if program[0] == str(tshark()) else ["decode", str(path)]
    done = subprocess.run([*program, *where, *words, "-T", "fields", *fields], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def assert_command_works(report: str) -> None:
    """The command in a report shows the packet that it is about."""
    command = re.search(r"```sh\n(.*?)\n```", report, re.DOTALL)
    assert command is not None
    line = command[1].replace("mqtttui decode", f"{shlex.quote(sys.executable)} -m mqtttui decode")
    done = subprocess.run(line, shell=True, capture_output=True, text=True, timeout=60, check=False)
    assert "house/door" in done.stdout and "closed" in done.stdout, done


async def filtered(run: Running, text: str) -> int:
    """A filter typed and applied; how many packets it selects."""
    await run.press("slash", "ctrl+u")
    await paste(run, text)
    await run.press("enter")
    await run.until(lambda: run.app.filtering.active and not run.app.filtering.testing, "filtered")
    view = run.app.filtering.view
    assert view is not None
    return view.matches


async def test_from_the_capture_to_the_report(mosquitto_broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needs_tshark()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TMUX", raising=False)
    path, cut = tmp_path / "day.pcapng", tmp_path / "d.pcapng"
    log = await a_bad_day(mosquitto_broker)
    total = log.received
    captured(log, path)
    async with running(Settings(capture=OpenOptions(str(path))), size=(120, 36)) as run:
        await run.until(lambda: run.log.received == total, "everything is read")
        await run.caught_up()
        # The door is what people complained about.
        assert await filtered(run, "door") == 3
        await run.shows('mqtt.topic matches "door"', f"3 of {total}")
        await run.press("4", "g", "exclamation_mark")
        packets = run.main.inspector.packets
        await run.until(lambda: packets.selected and run.log[packets.selected].raw.endswith(b"closed"), "the packet with the finding")
        no = packets.selected
        assert no is not None
        # Its conversation, and only that.
        await run.press("f")
        await run.shows("mqtttui.op.start == ")
        await run.until(lambda: not run.app.filtering.testing, "filtered")
        view = run.app.filtering.view
        assert view is not None
        displayed = list(view.passing())
        assert no in displayed
        assert {run.log.head(each).first_byte >> 4 for each in displayed} >= {PacketType.PUBLISH, PacketType.PUBREC}
        # The finding as text for a report.
        await run.press("9")
        groups = run.main.views.current.query_one(GroupList)
        await run.until(lambda: groups.current is not None and groups.current.id == "D04", "the finding is listed")
        await run.press("y")
        await run.shows("to the terminal's clipboard")
        report = run.app.clipboard
        assert "D04" in report and "MQTT-2.3.1-2" in report and f"packet {no}" in report
        # What the door said, as a file for a colleague.
        count = await filtered(run, 'mqtttui.topic == "house/door"')
        await run.press("4", "w", "ctrl+a", "ctrl+k")
        await run.type(cut.name)
        await run.shows(f"[displayed {count}]")
        await run.press("ctrl+s")
        await run.shows(f"{count} packets, ")
    assert_command_works(report)
    for words in LINES:
        for file in (path, cut):
            ours = decoded([sys.executable, "-m", "mqtttui"], file, words)
            theirs = decoded([str(tshark())], file, words)
            assert ours == theirs, (file.name, words)
            assert ours or file is cut
