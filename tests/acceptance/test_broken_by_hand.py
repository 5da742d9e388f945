"""Ten broken packets, made in the editor by keys and sent to mosquitto: each is found, shown, and exported; Wireshark finds none."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from mqtttui.analysis.expert.finding import Finding
from mqtttui.analysis.expert.timeouts import Timeouts
from mqtttui.client.events import Phase
from mqtttui.config.options import ConnectOptions
from mqtttui.config.settings import Settings
from mqtttui.protocol.enums import Direction, PacketType, Severity, Version
from mqtttui.protocol.packets import Connect, Publish, Subscribe, TopicRequest, encode
from mqtttui.ui.panes.findings import GroupList
from mqtttui.ui.screens.edit_packet import EditPacket
from tests.support.brokers import Broker, mosquitto
from tests.support.pcapng_oracle import needs_tshark, tshark
from tests.support.screen import Running, running
from tests.ui.test_edit_packet_mosquitto import begin, choose, fill

V311, V5 = Version.V311, Version.V5
T = PacketType
CLIENT = "by-hand"
_NOTE = 4_194_304
"""Wireshark's number for a note; comments (ours) and chat are below."""


async def reserved_flag(run: Running, version: Version) -> bytes:
    """PINGREQ with a flag that must be 0."""
    await begin(run, T.PINGREQ)
    await fill(run, "Flags", "0001")
    return b"\xc1\x00"


async def wildcard_in_a_topic(run: Running, version: Version) -> bytes:
    """PUBLISH to a filter."""
    await begin(run, T.PUBLISH)
    await fill(run, "Topic Name", "a/+/b")
    return encode(Publish("a/+/b", b"payload"), version)


async def qos_3(run: Running, version: Version) -> bytes:
    """PUBLISH with both bits of QoS."""
    await begin(run, T.PUBLISH)
    await choose(run, "QoS", times=3)
    return encode(Publish("topic", b"payload", 3, packet_id=1), version)


async def identifier_0(run: Running, version: Version) -> bytes:
    """PUBLISH QoS 1 with the identifier 0."""
    await begin(run, T.PUBLISH)
    await choose(run, "QoS")
    await fill(run, "Packet Identifier", "0")
    return encode(Publish("topic", b"payload", 1, packet_id=0), version)


async def flags_of_subscribe(run: Running, version: Version) -> bytes:
    """SUBSCRIBE with the flags 0000."""
    await begin(run, T.SUBSCRIBE)
    await fill(run, "Flags", "0000")
    return encode(Subscribe(1, (TopicRequest("topic"),)), version, header_flags=0)


async def filter_that_goes_on_behind_a_hash(run: Running, version: Version) -> bytes:
    """SUBSCRIBE to a#/b."""
    await begin(run, T.SUBSCRIBE)
    await fill(run, "Topic Filter", "a#/b")
    return encode(Subscribe(1, (TopicRequest("a#/b"),)), version)


async def unacknowledged(run: Running, version: Version) -> bytes:
    """PUBLISH QoS 1 that the broker, which is held, does not answer."""
    await begin(run, T.PUBLISH)
    await choose(run, "QoS")
    await fill(run, "Packet Identifier", "50")
    return encode(Publish("topic", b"payload", 1, packet_id=50), version)


async def identifier_in_use(run: Running, version: Version) -> bytes:
    """Two messages QoS 2 with one identifier."""
    await begin(run, T.PUBLISH)
    await choose(run, "QoS", times=2)
    await run.press("ctrl+s")
    await run.shows("▼ PUBREC")
    await fill(run, "Payload", "another message")
    return encode(Publish("topic", b"another message", 2, packet_id=1), version)


async def bad_utf_8(run: Running, version: Version) -> bytes:
    """PUBLISH to a topic that is no UTF-8."""
    await begin(run, T.PUBLISH)
    await fill(run, "Topic Name", "a/\\xff\\xfe")
    return encode(Publish(b"a/\xff\xfe", b"payload"), version)


async def second_connect(run: Running, version: Version) -> bytes:
    """The CONNECT of this connection once more."""
    await begin(run, T.CONNECT)
    return encode(Connect(CLIENT, version), version)


@dataclass(frozen=True, slots=True)
class Case:
    """How a packet is made, the check that finds it, and the statements that it breaks in 3.1.1 and 5."""

    make: Callable[[Running, Version], Awaitable[bytes]]
    check: str
    severity: Severity
    statement311: str
    statement5: str
    blamed: str = "the client"

    def statement(self, version: Version) -> str:
        """That of a version."""
        return self.statement5 if version is V5 else self.statement311


ERROR, WARN = Severity.ERROR, Severity.WARN
CASES = (
    Case(reserved_flag, "A03", ERROR, "MQTT-2.2.2-2", "MQTT-2.1.3-1"),
    Case(wildcard_in_a_topic, "B06", ERROR, "MQTT-3.3.2-2", "MQTT-3.3.2-2"),
    Case(qos_3, "D01", ERROR, "MQTT-3.3.1-4", "MQTT-3.3.1-4"),
    Case(identifier_0, "D03", ERROR, "MQTT-2.3.1-1", "MQTT-2.2.1-3"),
    Case(flags_of_subscribe, "A03", ERROR, "MQTT-3.8.1-1", "MQTT-3.8.1-1"),
    Case(filter_that_goes_on_behind_a_hash, "B09", ERROR, "MQTT-4.7.1-2", "MQTT-4.7.1-1"),
    Case(unacknowledged, "E10", WARN, "MQTT-4.3.2-2", "MQTT-4.3.2-4", blamed="the server"),
    Case(identifier_in_use, "D04", ERROR, "MQTT-2.3.1-2", "MQTT-2.2.1-3"),
    Case(bad_utf_8, "B01", ERROR, "MQTT-1.5.3-1", "MQTT-1.5.4-1"),
    Case(second_connect, "C02", ERROR, "MQTT-3.1.0-2", "MQTT-3.1.0-2"),
)


@pytest.fixture(scope="module")
def own_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A mosquitto that can be held for a moment."""
    with mosquitto(tmp_path_factory.mktemp("by-hand")) as broker:
        yield broker


@asynccontextmanager
async def connected(broker: Broker, version: Version) -> AsyncIterator[Running]:
    """Connected, the packet list in front."""
    options = ConnectOptions(broker.host, broker.port, connect=Connect(CLIENT, version))
    settings = Settings(options=options, connect_now=True, timeouts=Timeouts(ack=0.5))
    async with running(settings, size=(100, 40)) as run:
        await run.until(lambda: run.app.state.phase is Phase.CONNECTED, "connected")
        await run.caught_up()
        await run.press("4")
        yield run


def sent(run: Running, raw: bytes) -> int:
    """No. of the latest packet to the broker with these bytes; 0 for none."""
    numbers = (no for no in run.log.numbers() if run.log.head(no).direction is Direction.C2S and run.log[no].raw == raw)
    return max(numbers, default=0)


def findings(run: Running, no: int, case: Case) -> list[Finding]:
    """What the check of `case` says of packet `no`."""
    return [finding for finding in run.app.pump.findings.of(no) if finding.id == case.check]


async def send_by_hand(run: Running, broker: Broker, version: Version, case: Case) -> int:
    """The packet made, warned of, sent and found; gives its No."""
    raw = await case.make(run, version)
    screen = run.app.screen
    assert isinstance(screen, EditPacket)
    assert screen.draft.raw == raw
    own = run.log.last
    if case.make is unacknowledged:
        broker.pause()
    try:
        await run.press("ctrl+s")
        if "ctrl+s again sends it" in run.text:
            await run.press("ctrl+s")
        await run.until(lambda: sent(run, raw) > own, "it left")
        no = sent(run, raw)
        await run.until(lambda: findings(run, no, case), f"{case.check} on packet {no}")
    finally:
        broker.resume()
    await run.until(
        lambda: run.app.state.phase is Phase.IDLE or any(run.log.head(each).direction is Direction.S2C for each in run.log.numbers(no + 1)),
        "the broker answered, or closed",
    )
    await run.press("escape")
    await run.until(lambda: run.app.screen is run.main, "the editor is left")
    return no


@pytest.mark.slow
@pytest.mark.parametrize("version", [V311, V5], ids=lambda version: version.label)
async def test_each_is_found_shown_and_exported_and_wireshark_finds_none(
    own_broker: Broker, version: Version, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs_tshark()
    monkeypatch.chdir(tmp_path)
    async with connected(own_broker, version) as run:
        numbers = {}
        for case in CASES:
            if run.app.state.phase is Phase.IDLE:
                await run.press("c")
                await run.until(lambda: run.app.state.phase is Phase.CONNECTED, "connected again")
                await run.press("4")
            numbers[case.make] = await send_by_hand(run, own_broker, version, case)
        await run.caught_up()
        for case in CASES:
            no = numbers[case.make]
            (finding,) = findings(run, no, case)
            assert case.statement(version) in finding.statement.split(", "), finding
            assert finding.severity is case.severity
            assert case.blamed in finding.text.lower(), finding.text
            assert finding.hint
            await in_the_details(run, no, case.statement(version))
        for case in CASES:
            await in_the_findings_view(run, numbers[case.make], case)
        paths = [await exported(run, tmp_path / "p.pcapng", 0), await exported(run, tmp_path / "t.pcapng", 1)]
        count = run.log.last
    for path in paths:
        frames = read(path)
        assert len(frames) == count
        for case in CASES:
            severities, comments = frames[numbers[case.make] - 1]
            assert f"{case.severity.label} {case.check}: " in comments and case.statement(version) in comments
            assert all(severity < _NOTE for severity in severities), (path.name, case.make.__name__, severities)


async def in_the_details(run: Running, no: int, statement: str) -> None:
    """The tree of a packet names the statement, all of it unfolded."""
    run.main.go_to(no)
    await run.until(lambda: run.main.inspector.packets.selected == no, f"packet {no} is selected")
    await run.press("enter", "backslash")
    await run.shows(statement)
    await run.press("backslash", "escape")


async def in_the_findings_view(run: Running, no: int, case: Case) -> None:
    """A row of the view stands for the finding, and leads to the packet, which may be one of several."""
    await run.press("9", "g")
    await run.shows("r shows notes")
    groups = run.main.views.current.query_one(GroupList)
    found = run.app.pump.findings
    for _ in range(groups.row_count):
        group = groups.current
        assert group is not None
        if group.id == case.check and no in found.numbers(group.id, group.cause):
            break
        await run.press("down")
    else:
        raise AssertionError(f"no row {case.check} for packet {no}\n{run.text}")
    await run.shows(f"{'✗' if case.severity is ERROR else '!'} {case.check}", f"#{no:,}", "check: ")


async def exported(run: Running, path: Path, form: int) -> Path:
    """All packets written by the dialog; `form` counts the kinds of file."""
    await run.press("4", "w", "ctrl+a", "ctrl+k")
    await run.type(path.name)
    await run.press("down", "down", *["right"] * form)
    await run.press("ctrl+s")
    await run.shows(f"{run.log.last:,} packets, ")
    await run.until(lambda: not run.app._outlets._exporting.running and path.exists(), "written")
    return path


def read(path: Path) -> list[tuple[list[int], str]]:
    """Of each frame the severities of tshark's expert items, and the comments."""
    command = [str(tshark()), "-r", str(path), "-T", "fields", "-e", "_ws.expert.severity", "-e", "frame.comment"]
    done = subprocess.run(command, capture_output=True, check=True, text=True, timeout=60)
    rows = [line.partition("\t") for line in done.stdout.splitlines()]
    return [([int(severity) for severity in severities.split(",") if severity], comments) for severities, _, comments in rows]
