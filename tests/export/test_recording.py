"""Live recordings: what is in the file when, rings of files, and disks that do not want."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mqtttui.capture.log import Log, Origin
from mqtttui.capture.recorder import Recorder
from mqtttui.export import appending
from mqtttui.export.recording import Recording, Ring
from mqtttui.protocol.enums import PropertyId, Version
from mqtttui.protocol.packets import Connect, Property, Publish, Subscribe, TopicRequest, encode
from tests.support.pcapng_oracle import needs_tshark, tshark
from tests.support.waiting import wait_until_sync


class Source:
    """A log with one connection that messages come in on."""

    def __init__(self, limit: int | None = None) -> None:
        self.log = Log(limit)
        number = self.log.open_connection(
            peer="p", origin=Origin.OWN, source="10.0.0.1:50001", destination="10.0.0.2:1883", mono=0, wall=10**18, version=Version.V5
        )
        self.recorder = Recorder(self.log, number)
        self.count = 0

    def begin(self) -> None:
        """CONNECT, SUBSCRIBE, and a message that binds topic alias 7 to `some/topic`."""
        alias = (Property(PropertyId.TOPIC_ALIAS, 7),)
        connect = Connect("me", Version.V5, username="u", password=b"s3cret")
        for packet in (connect, Subscribe(1, (TopicRequest("#"),))):
            self.recorder.outbound(encode(packet, Version.V5), 1, 10**18)
        self.recorder.inbound(encode(Publish("some/topic", b"first", properties=alias), Version.V5), 1, 10**18)

    def messages(self, count: int, size: int = 100) -> None:
        alias = (Property(PropertyId.TOPIC_ALIAS, 7),)
        for _ in range(count):
            self.count += 1
            payload = str(self.count).encode().ljust(size, b".")
            raw = encode(Publish("", payload, properties=alias), Version.V5)
            self.recorder.inbound(raw, 1 + self.count, 10**18 + self.count)


@contextmanager
def recording(source: Source, path: Path, **options: Any) -> Iterator[Recording]:
    made = Recording(source.log, str(path), **options)
    try:
        yield made
    finally:
        made.close()


def caught_up(made: Recording, source: Source) -> None:
    """Everything is in the file, written by the thread."""

    def done() -> bool:
        made.advance(source.log)
        return made.unwritten == made.missed

    wait_until_sync(done, lambda: f"{made.unwritten} are not written, {made.problem!r}")


def rows(path: Path, *names: str) -> list[list[str]]:
    needs_tshark()
    fields = [part for name in names for part in ("-e", name)]
    command = [str(tshark()), "-r", str(path), "-T", "fields", "-E", "separator=|", *fields]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "cut short" not in done.stderr
    return [row.split("|") for row in done.stdout.splitlines()]


def test_packets_are_in_the_file_while_it_runs(tmp_path: Path) -> None:
    source = Source()
    source.begin()
    path = tmp_path / "a.pcapng"
    with recording(source, path) as made:
        caught_up(made, source)
        assert [row[0] for row in rows(path, "mqtt.msgtype")] == ["1", "8", "3"]
        source.messages(5_000)
        caught_up(made, source)
        assert (made.packets, made.unwritten, made.problem) == (5_003, 0, "")
        assert made.bytes == path.stat().st_size
        found = rows(path, "frame.packet_id", "mqtt.topic")
        assert [row[0] for row in found] == [str(no) for no in range(1, 5_004)]
        assert {row[1] for row in found[2:]} == {"some/topic"}
    assert b"s3cret" not in path.read_bytes()


def test_the_file_is_one_from_the_first_moment_on(tmp_path: Path) -> None:
    path = tmp_path / "a.pcapng"
    source = Source()
    with recording(source, path) as made:
        made.advance(source.log)
        wait_until_sync(lambda: path.stat().st_size, "the head of the file")
        assert rows(path, "frame.number") == []


def test_closing_writes_what_is_left(tmp_path: Path) -> None:
    source = Source()
    source.begin()
    source.messages(20_000)
    made = Recording(source.log, str(tmp_path / "a.pcapng"))
    assert made.close(20)
    assert len(rows(tmp_path / "a.pcapng", "frame.number")) == 20_003


def test_a_recording_that_begins_later_repeats_what_is_needed(tmp_path: Path) -> None:
    source = Source()
    source.begin()
    source.messages(10)
    path = tmp_path / "a.pcapng"
    with recording(source, path, after=source.log.last) as made:
        source.messages(2)
        caught_up(made, source)
        assert made.packets == 2
    found = rows(path, "mqtt.msgtype", "mqtt.topic", "frame.comment", "frame.packet_id")
    assert [row[0] for row in found] == ["1", "8", "3", "3", "3"]
    assert [row[1] for row in found[2:]] == ["some/topic"] * 3
    assert all("repeated from before" in row[2] for row in found[:3])
    assert [row[3] for row in found[3:]] == ["14", "15"]


def test_secrets_are_written_only_when_asked_for(tmp_path: Path) -> None:
    source = Source()
    source.begin()
    with recording(source, tmp_path / "a.pcapng", mask=False) as made:
        caught_up(made, source)
    assert b"s3cret" in (tmp_path / "a.pcapng").read_bytes()


def test_a_ring_keeps_the_latest_files_and_each_can_be_read_alone(tmp_path: Path) -> None:
    source = Source()
    source.begin()
    with recording(source, tmp_path / "night.pcapng", ring=Ring(3, 20_000)) as made:
        for _ in range(20):
            source.messages(25, 200)
            caught_up(made, source)
        assert made.files == 3
        assert made.packets == 503
    files = sorted(tmp_path.iterdir())
    assert len(files) == 3
    assert files[-1].name == f"night-{int(files[-1].stem[-5:]):05}.pcapng"
    numbers: list[int] = []
    for file in files:
        assert file.stat().st_size <= 20_000
        found = rows(file, "mqtt.msgtype", "mqtt.topic", "frame.packet_id", "frame.comment")
        assert [row[0] for row in found[:4]] == ["1", "8", "3", "3"]
        assert {row[1] for row in found[2:]} == {"some/topic"}
        numbers += [int(row[2]) for row in found if not row[3]]
    assert numbers == list(range(numbers[0], 504)), "without a gap from file to file"


def test_a_packet_larger_than_a_file_of_the_ring_has_its_own(tmp_path: Path) -> None:
    source = Source()
    source.begin()
    source.messages(1, 100)
    source.messages(2, 50_000)
    source.messages(1, 100)
    with recording(source, tmp_path / "n.pcapng", ring=Ring(9, 20_000)) as made:
        caught_up(made, source)
    sizes = [file.stat().st_size for file in sorted(tmp_path.iterdir())]
    assert len(sizes) == 4
    assert [size > 50_000 for size in sizes] == [False, True, True, False]


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a.pcapng"
    path.write_bytes(b"precious")
    source = Source()
    with pytest.raises(FileExistsError):
        Recording(source.log, str(path))
    assert path.read_bytes() == b"precious"
    (tmp_path / "r-00007.pcapng").write_bytes(b"precious")
    with pytest.raises(FileExistsError):
        Recording(source.log, str(tmp_path / "r.pcapng"), ring=Ring(2, 100_000))
    with recording(source, path, force=True) as made:
        made.advance(source.log)
    assert not path.read_bytes().startswith(b"precious")
    with recording(source, tmp_path / "r.pcapng", ring=Ring(2, 100_000), force=True) as made:
        assert made.name.endswith("r-00008.pcapng")
        assert made.files == 2
    assert (tmp_path / "r-00007.pcapng").read_bytes() == b"precious", "still one of the ring"


@pytest.mark.parametrize("name", ["missing/a.pcapng", "."])
def test_a_file_that_cannot_be_made_is_said_at_once(tmp_path: Path, name: str) -> None:
    with pytest.raises(OSError):  # noqa: PT011 (which one depends on the system)
        Recording(Source().log, str(tmp_path / name))


def test_a_full_disk_is_a_problem_and_the_log_goes_on() -> None:
    source = Source()
    source.begin()
    made = Recording(source.log, "/dev/full", force=True)
    made.advance(source.log)
    wait_until_sync(lambda: made.problem, "the problem")
    assert made.problem == "/dev/full cannot be written: No space left on device"
    source.messages(1_000)
    assert made.advance(source.log), "the pump does not spin on it"
    assert (made.packets, made.unwritten) == (0, 1_003)
    assert not made.close()


def test_what_was_half_written_is_taken_back_and_written_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appending, "RETRY_SECONDS", 0.0)
    source = Source()
    source.begin()
    path = tmp_path / "a.pcapng"
    real = os.write
    broken = False

    def write(descriptor: int, data: Any) -> int:
        if broken and len(data) > 10:
            return real(descriptor, data[:10])
        if broken:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(descriptor, data)

    with recording(source, path) as made:
        caught_up(made, source)
        whole = path.stat().st_size
        monkeypatch.setattr(os, "write", write)
        broken = True
        source.messages(50)
        made.advance(source.log)
        wait_until_sync(lambda: made.problem, "the problem")
        assert "No space left" in made.problem
        wait_until_sync(lambda: path.stat().st_size == whole, "the half chunk to be cut off")
        broken = False
        source.messages(50)
        caught_up(made, source)
        assert made.problem == ""
        assert (made.packets, made.missed) == (103, 0)
    found = rows(path, "frame.packet_id", "frame.comment", "mqtt.topic")
    assert [int(row[0]) for row in found if not row[1].startswith("repeated")] == list(range(1, 104))
    assert found[-1][2] == "some/topic", "the second section repeats what is needed"


def test_a_directory_that_vanishes_and_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appending, "RETRY_SECONDS", 0.0)
    monkeypatch.setattr(appending, "FLUSH_SECONDS", 0.02)
    source = Source()
    source.begin()
    folder = tmp_path / "usb"
    folder.mkdir()
    path = folder / "a.pcapng"
    with recording(source, path) as made:
        caught_up(made, source)
        path.unlink()
        folder.rmdir()
        wait_until_sync(lambda: made.problem, "the problem")
        assert made.problem.endswith("a.pcapng cannot be written: the file was deleted")
        source.messages(5)
        made.advance(source.log)
        wait_until_sync(lambda: "No such file" in made.problem, "the second problem")
        folder.mkdir()
        caught_up(made, source)
        assert made.problem == ""
    assert [row[0] for row in rows(path, "frame.packet_id")][-5:] == ["4", "5", "6", "7", "8"]


def test_a_slow_disk_holds_up_nothing_and_what_is_evicted_meanwhile_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appending, "MAX_QUEUED", 100_000)
    held = os.pipe()
    real = os.write

    def write(descriptor: int, data: Any) -> int:
        os.read(held[0], 1)
        return real(descriptor, data)

    source = Source(1_000_000)
    source.begin()
    with recording(source, tmp_path / "a.pcapng") as made:
        monkeypatch.setattr(os, "write", write)
        for _ in range(50):
            source.messages(100, 1_000)
            made.advance(source.log, 1_000)
        assert made.advance(source.log)
        assert source.log.evicted > 1_000
        os.close(held[1])
        monkeypatch.setattr(os, "write", real)
        caught_up(made, source)
        assert made.missed > 0
        assert made.packets + made.missed == source.log.received
    os.close(held[0])
    assert len({row[0] for row in rows(tmp_path / "a.pcapng", "frame.packet_id")}) >= made.packets
