"""Captures from files, growing files and pipes, beside everything else on the loop."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path

from mqtttui.capture.log import Log, Origin
from mqtttui.client.reading import FeedState, FileFeed
from mqtttui.export.pcapng import write_log
from mqtttui.protocol.enums import Version
from mqtttui.protocol.packets import Connect, Publish
from tests.support.screen import Feed
from tests.support.waiting import wait_until

PACKETS = 500


def _capture(tmp_path: Path) -> Path:
    log = Log()
    feed = Feed(log, Version.V311)
    feed.send(Connect(client_id="dev"))
    feed.receive(*(Publish(f"t/{n}", b"x" * 40) for n in range(PACKETS - 1)))
    path = tmp_path / "in.pcapng"
    with path.open("wb") as out:
        write_log(log, log.numbers(), out)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    return path


async def test_a_file_is_read_to_its_end(tmp_path: Path) -> None:
    log = Log()
    states: list[FeedState] = []
    feed = FileFeed(str(_capture(tmp_path)), log, changed=lambda: states.append(feed.state))
    await feed.run()
    assert (feed.state, feed.problem, feed.bytes_read) == (FeedState.ENDED, "", feed.size)
    assert log.received == PACKETS and log.connection(0).origin is Origin.FILE
    assert states == [FeedState.ENDED]


async def test_a_file_that_grows_is_followed(tmp_path: Path) -> None:
    whole = _capture(tmp_path).read_bytes()
    path = tmp_path / "growing.pcapng"
    path.write_bytes(whole[:10_001])
    log = Log()
    feed = FileFeed(str(path), log)
    task = asyncio.get_running_loop().create_task(feed.run())
    await wait_until(lambda: feed.state is FeedState.FOLLOWING, "the beginning is read")
    before = log.received
    assert 0 < before < PACKETS
    await wait_until(lambda: feed.words == f"cut in the middle of a frame behind packet {before:,}; following for more", "it says so", 30)
    with path.open("ab") as out:
        out.write(whole[10_001:])
    await wait_until(lambda: log.received == PACKETS, "the rest is read")
    await wait_until(lambda: feed.words == "following", "nothing is missing", 30)
    feed.stop()
    await task
    assert feed.state is FeedState.STOPPED and feed.over


async def test_a_fifo_is_followed_from_before_its_writer_comes(tmp_path: Path) -> None:
    whole = _capture(tmp_path).read_bytes()
    path = tmp_path / "fifo"
    os.mkfifo(path)
    log = Log()
    feed = FileFeed(str(path), log)
    task = asyncio.get_running_loop().create_task(feed.run())
    await wait_until(lambda: feed.state is FeedState.FOLLOWING, "it waits for a writer")
    more = threading.Event()

    def write() -> None:
        with path.open("wb") as out:
            out.write(whole[:20_000])
            out.flush()
            more.wait(10)
            out.write(whole[20_000:])

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    await wait_until(lambda: log.received > 0, "what is complete is there at once")
    assert log.received < PACKETS
    more.set()
    await task
    writer.join(10)
    assert (feed.state, log.received) == (FeedState.ENDED, PACKETS)


async def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    for path, words in ((tmp_path / "nowhere", "No such file"), (tmp_path, "folder")):
        feed = FileFeed(str(path), Log())
        await feed.run()
        assert feed.state is FeedState.FAILED and words in feed.problem


async def test_a_descriptor_is_read_and_closed(tmp_path: Path) -> None:
    read, write = os.pipe()
    data = _capture(tmp_path).read_bytes()
    writer = threading.Thread(target=_write_and_close, args=(write, data[:60_000]), daemon=True)
    writer.start()
    log = Log()
    feed = FileFeed("-", log, descriptor=read)
    await feed.run()
    writer.join(10)
    assert feed.state is FeedState.ENDED and log.received > 0
    assert feed.reader.problems or log.received == PACKETS


def _write_and_close(descriptor: int, data: bytes) -> None:
    os.write(descriptor, data)
    os.close(descriptor)
