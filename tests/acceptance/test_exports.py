"""What the screen exports of a session with mosquitto is what tshark reads, and what we open again."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from mqtttui.capture.log import Log
from mqtttui.client.events import Outcome
from mqtttui.config.opening import OpenOptions
from mqtttui.config.settings import Settings
from mqtttui.export.saving import Format
from mqtttui.protocol.enums import Direction, PacketType, Version
from mqtttui.protocol.packets import Connect, TopicRequest
from mqtttui.ui.screens.export import ExportPrompt, Which
from tests.support import real_capture
from tests.support.brokers import Broker
from tests.support.pcapng_oracle import needs_tshark, tshark
from tests.support.pdml import assert_log_is_what_tshark_shows, shown_packets
from tests.support.screen import Running, running
from tests.support.sessions import Driver
from tests.ui.test_mosquitto_journeys import paste

FORMS = (Format.PCAPNG, Format.TCP)
COMMENT = "look: 21.5 | here"
FILTER = "mqtt.qos == 2 || mqtt.msgtype == 7"
PASSWORD = b"\0\x06secret"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory, so that short names are enough."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def showing(log: Log) -> AbstractAsyncContextManager[Running]:
    """The screen over a log that was filled before."""
    return running(size=(160, 40), log=log)


async def write(run: Running, path: Path, which: Which, form: Format, *, secrets: bool = False) -> str:
    """`w`, the dialog filled in by keys, `ctrl+s`; gives the screen when it is written."""
    await run.press("w")
    await run.until(lambda: isinstance(run.app.screen, ExportPrompt), "the dialog")
    await run.pilot.pause()
    await run.press("ctrl+a", "ctrl+k")
    await paste(run, path.name)
    await run.press("down")
    for _ in Which:
        if f"[{which.value} " in run.text:
            break
        await run.press("right")
    await run.shows(f"[{which.value} ")
    await run.press("down")
    for _ in Format:
        if f"[{form.value}]" in run.text:
            break
        await run.press("right")
    await run.shows(f"[{form.value}]")
    if secrets:
        await run.press("down", "space")
    await run.press("ctrl+s")
    exporting = run.app._outlets._exporting
    await run.until(lambda: run.app.screen is run.main and not exporting.running and path.exists(), "written")
    await run.shows(" to ")
    return run.text


def fields(path: Path, *names: str) -> list[list[str]]:
    """One row of `tshark -T fields` a frame."""
    words = [word for name in names for word in ("-e", name)]
    command = [str(tshark()), "-r", str(path), "-T", "fields", "-E", "separator=|", *words]
    done = subprocess.run(command, capture_output=True, check=True, text=True, timeout=60)
    return [line.split("|") for line in done.stdout.splitlines()]


def assert_tshark_reads(path: Path, log: Log, wanted: Sequence[int]) -> None:
    """As many MQTT packets as wanted, with the same fields; only CONNECTs that were added are more, and say so."""
    rows = fields(path, "frame.packet_id", "mqtt.msgtype", "frame.comment")
    added = [comment.startswith("not one of the exported packets") for _, _, comment in rows]
    assert all(kind == "1" for (_, kind, _), more in zip(rows, added, strict=True) if more)
    assert [int(row[0]) for row, more in zip(rows, added, strict=True) if not more] == list(wanted)
    numbers = [int(row[0]) for row in rows]
    assert_log_is_what_tshark_shows(log, numbers, range(1, len(rows) + 1), shown_packets(path, None))


def contents(log: Log) -> list[tuple[object, ...]]:
    """What must come back."""
    return [(each.direction, each.version, each.wall, each.raw, each.resolved_topic) for each in (log[no] for no in log.numbers())]


async def test_all_displayed_and_marked_are_what_tshark_reads(mosquitto_broker: Broker, tmp_path: Path) -> None:
    needs_tshark()
    log = await real_capture.record(mosquitto_broker)
    assert {log[no].version for no in log.numbers()} == set(Version)
    async with showing(log) as run:
        await run.caught_up()
        await run.press("f4", "g", "m", "down", "down", "down", "m", "G", "m")
        await run.press("slash")
        await paste(run, FILTER)
        await run.press("enter")
        await run.until(lambda: run.app.filtering.view is not None and not run.app.filtering.testing, "filtered")
        view = run.app.filtering.view
        assert view is not None
        displayed, marked = list(view.passing()), run.app.marks.numbers()
        assert 5 < len(displayed) < log.kept and len(marked) == 3
        await run.press("f4")
        wanted = {Which.ALL: list(log.numbers()), Which.DISPLAYED: displayed, Which.MARKED: marked}
        for which, numbers in wanted.items():
            for form in FORMS:
                await write(run, tmp_path / f"{which.name[0]}{form.name[0]}.pcapng", which, form, secrets=True)
                await run.shows(f"{len(numbers):,} packets, ")  # not at once: what was said of the file before may still stand there
    for which, numbers in wanted.items():
        for form in FORMS:
            assert_tshark_reads(tmp_path / f"{which.name[0]}{form.name[0]}.pcapng", log, numbers)


async def test_exported_with_secrets_and_opened_it_is_identical(mosquitto_broker: Broker, tmp_path: Path) -> None:
    log = await real_capture.record(mosquitto_broker)
    masked = tmp_path / "m.pcapng"
    async with showing(log) as run:
        await run.caught_up()
        await run.press("f4", "g", "down", "down", "m", "semicolon")
        await paste(run, COMMENT)
        await run.press("enter", "down", "semicolon")
        await paste(run, "and here")
        await run.press("enter")
        for form in FORMS:
            await write(run, tmp_path / f"{form.name}.pcapng", Which.ALL, form, secrets=True)
        await write(run, masked, Which.ALL, Format.PCAPNG)
        marks = run.app.marks
        assert (marks.numbers(), marks.commented()) == ([3], [3, 4])
        found = {no: {each.id for each in run.app.pump.findings.of(no)} for no in log.numbers()}
    assert PASSWORD not in masked.read_bytes()
    for form in FORMS:
        path = tmp_path / f"{form.name}.pcapng"
        assert PASSWORD in path.read_bytes()
        await assert_opens(path, log, found)


async def assert_opens(path: Path, log: Log, found: Mapping[int, set[str]]) -> None:
    """The file gives the same packets, times, comments, marks and findings."""
    async with running(Settings(capture=OpenOptions(str(path)))) as run:
        marks = run.app.marks
        await run.until(lambda: run.log.received == log.kept and marks.comment(4), "everything is read")
        await run.caught_up()
        assert contents(run.log) == contents(log)
        assert marks.numbers() == [3] and marks.comment(3) == COMMENT and marks.comment(4) == "and here"
        # G06 is about how a connection ended, which no capture of exported packets tells.
        again_found = {no: {each.id for each in run.app.pump.findings.of(no)} - {"G06"} for no in run.log.numbers()}
        assert again_found == {no: ids - {"G06"} for no, ids in found.items()}


async def test_a_packet_too_large_for_an_exported_pdu(mosquitto_broker: Broker, tmp_path: Path) -> None:
    needs_tshark()
    payload = bytes(range(256)) * 1_200
    async with Driver() as driver:
        await driver.connected(mosquitto_broker.port, connect=Connect("large", Version.V5))
        await driver.subscribed(TopicRequest("large/#", 1))
        await driver.outcome(driver.publish("large/one", payload, qos=1), Outcome.ACKED)
        await driver.until(lambda: driver.count(PacketType.PUBACK) == 2, "it came back")
        await driver.disconnect()
        log = driver.log
    path = tmp_path / "large.pcapng"
    async with showing(log) as run:
        await run.caught_up()
        await run.press("f4")
        said = await write(run, path, Which.ALL, Format.PCAPNG)
        assert "Written as TCP/IP: a packet of 307," in said and "does not fit an exported PDU" in said
    rows = [row for row in fields(path, "mqtt.msgtype", "mqtt.msg", "frame.protocols") if row[0]]
    assert [int(row[0]) for row in rows] == [log.head(no).first_byte >> 4 for no in log.numbers()]
    assert {row[1] for row in rows if row[0] == "3"} == {payload.hex()}
    assert all(row[2].startswith("raw:ip:tcp") for row in rows)
    async with running(Settings(capture=OpenOptions(str(path)))) as run:
        await run.until(lambda: run.log.received == log.kept, "everything is read")
        assert contents(run.log) == contents(log)
        assert [run.log.head(no).direction for no in run.log.numbers()].count(Direction.C2S) == 5
