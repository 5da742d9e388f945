"""Exports in slices, to files."""

from __future__ import annotations

import io
import os
import resource
import time
from pathlib import Path

import pytest

from mqtttui.capture.log import Log, Origin
from mqtttui.capture.recorder import Recorder
from mqtttui.export import csv_file, json_lines, pcapng
from mqtttui.export.blocks import Writable
from mqtttui.export.saving import Format, Saving
from mqtttui.protocol.enums import Version
from mqtttui.protocol.packets import Connect, Publish, encode
from tests.support.waiting import wait_until_sync


def filled(count: int, limit: int | None = None, size: int = 50) -> tuple[Log, Recorder]:
    log = Log(limit)
    recorder = Recorder(log, log.open_connection(peer="p", origin=Origin.OWN, mono=0, wall=10**18))
    recorder.outbound(encode(Connect("c", username="u", password=b"s3cret"), Version.V311), 1, 10**18)
    for number in range(count):
        recorder.inbound(encode(Publish("t", str(number).encode().ljust(size, b".")), Version.V311), number, 10**18 + number)
    return log, recorder


def whole(log: Log, form: Format) -> bytes:
    """The same at once."""
    out: io.BytesIO = io.BytesIO()
    to: Writable = out
    match form:
        case Format.JSON:
            json_lines.write_log(log, log.numbers(), to)
        case Format.CSV:
            csv_file.write_log(log, log.numbers(), to)
        case Format.TCP:
            pcapng.write_log(log, log.numbers(), to, encapsulation=pcapng.Encapsulation.TCP)
        case Format.PCAPNG:
            pcapng.write_log(log, log.numbers(), to)
    return out.getvalue()


def finished(saving: Saving) -> None:
    wait_until_sync(lambda: saving.advance(time.monotonic_ns, 5_000_000), lambda: f"{saving.done} of {saving.total}", 30)


@pytest.mark.parametrize("form", list(Format))
def test_slices_give_the_same_file(tmp_path: Path, form: Format) -> None:
    log, _ = filled(3_000)
    path = tmp_path / f"a{form.suffix}"
    saving = Saving(log, list(log.numbers()), str(path), form)
    assert not saving.advance(time.monotonic_ns, 0)
    finished(saving)
    assert (saving.written, saving.done, saving.total, saving.problem, saving.remarks) == (3_001, 3_001, 3_001, "", ())
    assert path.read_bytes() == whole(log, form)
    assert saving.bytes == path.stat().st_size
    assert b"s3cret" not in path.read_bytes()


@pytest.mark.parametrize("form", list(Format))
def test_what_is_evicted_meanwhile_is_missing_and_said(tmp_path: Path, form: Format) -> None:
    log, recorder = filled(500, 200_000)
    saving = Saving(log, list(range(1, 502)), str(tmp_path / "a"), form)
    saving.advance(iter((0, 0, 10)).__next__, 5)
    while log.first < 400:
        recorder.inbound(encode(Publish("t", bytes(1_000)), Version.V311), 9, 10**18)
    finished(saving)
    assert 50 <= saving.written < 501
    assert saving.remarks[0].endswith("not kept any more.")


def test_cancelled_there_is_no_file(tmp_path: Path) -> None:
    log, _ = filled(3_000)
    saving = Saving(log, list(log.numbers()), str(tmp_path / "a"), Format.JSON)
    saving.advance(time.monotonic_ns, 1)
    saving.cancel()
    finished(saving)
    assert list(tmp_path.iterdir()) == []


def test_an_overwritten_file_keeps_its_mode_and_links_to_it(tmp_path: Path) -> None:
    log, _ = filled(5)
    old = tmp_path / "old.csv"
    old.write_bytes(b"old")
    old.chmod(0o600)
    (tmp_path / "link.csv").symlink_to(old)
    saving = Saving(log, list(log.numbers()), str(tmp_path / "link.csv"), Format.CSV, force=True)
    assert old.read_bytes() == b"old"
    assert (tmp_path / "old.csv.part").stat().st_mode & 0o777 == 0o600, "it may have secrets"
    finished(saving)
    assert (saving.problem, saving.written) == ("", 6)
    assert old.read_bytes() == whole(log, Format.CSV)
    assert old.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.csv", "old.csv"]


def test_a_full_disk_is_said() -> None:
    log, _ = filled(100)
    saving = Saving(log, list(log.numbers()), "/dev/full", Format.CSV, force=True)
    finished(saving)
    assert saving.problem == "/dev/full cannot be written: No space left on device"


def test_what_could_not_be_completed_is_taken_away(tmp_path: Path) -> None:
    log, _ = filled(3_000)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        saving = Saving(log, list(log.numbers()), str(tmp_path / "a"), Format.CSV)
        finished(saving)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert saving.problem.endswith("cannot be written: File too large")
    assert list(tmp_path.iterdir()) == []


def test_a_pipe_is_not_taken_away(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    log, _ = filled(3_000)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        saving = Saving(log, list(log.numbers()), str(pipe), Format.CSV, force=True)
        saving.advance(time.monotonic_ns, 1)
        saving.cancel()
        finished(saving)
    finally:
        os.close(reader)
    assert pipe.is_fifo()


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"precious")
    with pytest.raises(FileExistsError):
        Saving(Log(), [], str(tmp_path / "a"), Format.JSON)
    assert (tmp_path / "a").read_bytes() == b"precious"


def test_no_packets_give_an_empty_table(tmp_path: Path) -> None:
    saving = Saving(Log(), [], str(tmp_path / "a.csv"), Format.of("a.csv"))
    finished(saving)
    assert (tmp_path / "a.csv").read_bytes().startswith(b"number,time,")


@pytest.mark.parametrize(
    ("name", "form"),
    [("a.pcapng", Format.PCAPNG), ("a", Format.PCAPNG), ("A.JSON", Format.JSON), ("a.jsonl", Format.JSON), ("x/a.csv", Format.CSV)],
)
def test_the_name_suggests_the_format(name: str, form: Format) -> None:
    assert Format.of(name) is form
