"""A recording from the command line: what the application writes while it runs, and what it says when it cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from mqtttui.client.events import Phase
from mqtttui.config.options import ConnectOptions
from mqtttui.config.recording import RecordOptions
from mqtttui.config.settings import Settings
from mqtttui.protocol import packets
from mqtttui.protocol.enums import Version
from tests.export.test_recording import rows
from tests.support.brokers import Broker
from tests.support.screen import running


async def test_everything_is_in_the_file_when_the_application_has_ended(mosquitto_broker: Broker, tmp_path: Path) -> None:
    path = tmp_path / "a.pcapng"
    options = ConnectOptions("127.0.0.1", mosquitto_broker.port, connect=packets.Connect("recorded", Version.V5))
    settings = Settings(options=options, connect_now=True, subscriptions=(packets.TopicRequest("rec/#"),), record=RecordOptions(str(path)))
    async with running(settings) as run:
        await run.until(lambda: len(rows(path, "mqtt.msgtype")) >= 4, "the first packets are in the file")
        await run.until(lambda: run.app.state.phase is Phase.CONNECTED, "connected")
    assert [row[0] for row in rows(path, "mqtt.msgtype")] == ["1", "2", "8", "9", "14"]
    assert "mqtt://127.0.0.1" in rows(path, "frame.interface_description")[0][0]


async def test_a_file_that_cannot_be_written_is_said_and_the_rest_works(tmp_path: Path) -> None:
    (tmp_path / "a.pcapng").write_bytes(b"precious")
    async with running(Settings(record=RecordOptions(str(tmp_path / "a.pcapng")))) as run:
        await run.shows("recording:", "cannot be written: File", "exists")
    assert (tmp_path / "a.pcapng").read_bytes() == b"precious"


async def test_a_full_disk_is_said() -> None:
    async with running(Settings(record=RecordOptions("/dev/full", force=True))) as run:
        await run.shows("/dev/full cannot be written: No space left on device")


@pytest.mark.parametrize("ring", [None, (3, 100_000)])
async def test_what_is_in_a_file_is_not_unsaved(tmp_path: Path, ring: tuple[int, int] | None) -> None:
    async with running(Settings(record=RecordOptions(str(tmp_path / "a.pcapng"), ring))) as run:
        live = run.app.live_recording
        assert live.recording is not None
        assert live.unsaved(5) == 0
        assert "0 packets" in live.stop()
        assert live.unsaved(5) == 5
        assert live.stop() == ""
