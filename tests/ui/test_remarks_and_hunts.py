"""What a day of use showed: remarks keep their column, notes are whole, a capture opens at its beginning, hunts say when they wrap."""

from __future__ import annotations

import os
from pathlib import Path

from rich.cells import cell_len
from rich.style import Style

from mqtttui.capture.log import Log
from mqtttui.config.opening import OpenOptions
from mqtttui.config.settings import Settings
from mqtttui.export.pcapng import write_log
from mqtttui.protocol.enums import Direction, PacketType, Severity
from mqtttui.protocol.packets import Ack, Publish
from mqtttui.ui.row_text import RowText
from mqtttui.ui.widgets.escaped_input import PASTE_LIMIT, EscapedInput
from mqtttui.ui.widgets.packet_row import Columns, segments
from tests.support.screen import Feed, inspecting, running, screen_lines

_LONG_AGO = 1_600_000_000
_FINDING = "The server acknowledges message 999, but no QoS 1 message has this id."


def _row(topic: str, rest: str, remark: str, width: int = 120) -> str:
    log = Log()
    Feed(log).receive(Publish("a", b"b"))
    text = RowText("PUBLISH", "#7", "q1", topic, rest, Severity.ERROR, remark, False, "", "", True)
    made = segments(1, log.head(1), text, "12:00:00.000", Columns.fitting(width, 1), width, lambda name: Style.null())
    shown = "".join(segment.text for segment in made)
    assert cell_len(shown) == width
    return shown


def test_a_remark_takes_what_the_row_leaves() -> None:
    assert _FINDING in _row("a", "4", _FINDING, 150)
    assert "DUP is set at QoS 0." in _row("a/b", "x" * 300, "DUP is set at QoS 0.", 150)
    assert "The server acknowledges message" in _row("a/b", "x" * 300, _FINDING, 150)


def test_a_short_remark_takes_nothing_from_the_row() -> None:
    row = _row("", "ok · new session · 1.0 ms", "seen at 14:03")
    assert "1.0 ms" in row
    assert "seen at 14:03" in row


def test_a_long_remark_leaves_a_short_payload_alone() -> None:
    assert "q3  x  The server" in _row("q3", "x", _FINDING)
    assert "q3  xy  The server" in _row("q3", "xy", _FINDING)


def test_remarks_begin_in_the_same_column() -> None:
    rows = [_row(topic, "21.5", "QoS is 3.") for topic in ("a", "sensors/a", "日本/温度")]
    assert len({cell_len(row[: row.index("QoS is 3.")]) for row in rows}) == 1


async def test_wrapped_notes_are_whole_beside_a_scrollbar() -> None:
    async with inspecting(0, size=(109, 30)) as (run, feed):
        feed.raw(b"\x38\x0b\x00\x08dup0/+/#\x00", Direction.C2S)
        await run.caught_up()
        await run.shows("D02")
        box = run.main.inspector.details

        def notes() -> list[str]:
            return [strip.text for strip in map(box.line, range(box.size.height)) if "DUP is set" in strip.text]

        for width in range(110, 122):
            await run.pilot.resize_terminal(width, 30)
            await run.until(lambda width=width: run.main.size.width == width and notes(), f"{width} columns")  # type: ignore[misc]
            assert not any("…" in note for note in notes()), notes()


def _capture(folder: Path) -> Path:
    log = Log()
    feed = Feed(log)
    feed.connect()
    feed.publishes(60)
    path = folder / "night.pcapng"
    with path.open("wb") as out:
        write_log(log, range(1, log.last + 1), out)
    return path


async def test_a_settled_capture_opens_at_its_beginning(tmp_path: Path) -> None:
    path = _capture(tmp_path)
    os.utime(path, (_LONG_AGO, _LONG_AGO))
    async with running(Settings(capture=OpenOptions(str(path)))) as run:
        await run.until(lambda: run.log.received == 62, "everything is read")
        await run.shows("G to the end", "▌")
        assert run.main.inspector.packets.selected == 1
        assert " in ▼" not in screen_lines(run.app)[0]
        await run.press("G")
        await run.until(lambda: run.main.inspector.packets.selected == 62, "the end")
        await run.press("q")
        await run.until(lambda: not run.app.is_running or run.app._exit, "it quits without asking: nothing is lost")


async def test_a_capture_that_may_still_grow_is_followed(tmp_path: Path) -> None:
    async with running(Settings(capture=OpenOptions(str(_capture(tmp_path))))) as run:
        await run.until(lambda: run.main.inspector.packets.selected == 62, "the newest packet")
        await run.shows("FOLLOW")


async def test_what_came_through_a_pipe_is_asked_about(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.write(write, _capture(tmp_path).read_bytes())
    os.close(write)
    async with running(Settings(capture=OpenOptions("-", read))) as run:
        await run.until(lambda: run.log.received == 62, "everything is read")
        await run.press("q")
        await run.shows("62 recorded packets are not saved")


async def test_a_packet_that_is_read_stays() -> None:
    async with inspecting(20) as (run, feed):
        await run.press("tab")
        await run.until(lambda: run.main.inspector.details.has_focus, "the details")
        feed.publishes(5)
        await run.shows("+5 new (G)")
        assert run.main.inspector.packets.selected == 22


async def test_hunts_say_when_they_begin_again() -> None:
    async with inspecting(0) as (run, feed):
        feed.send(Publish("one", b""), Publish("two", b""), Publish("one", b""))
        await run.caught_up()
        await run.press("g", "m", "apostrophe")
        await run.shows("there is no other one")
        await run.press("j", "m", "apostrophe")
        await run.shows("from the beginning again")
        await run.press("N")
        await run.shows("from the end again, backwards")


async def test_a_paste_that_is_too_long_is_refused_aloud() -> None:
    async with inspecting(1) as (run, _):
        await run.press("slash")
        run.main.query_one("#filter-field", EscapedInput)._paste("x" * (PASTE_LIMIT + 1))
        await run.shows("not pasted: 65,537 characters are too many for one line")


async def test_an_ended_delivery_says_where_to_look() -> None:
    async with inspecting(0) as (run, feed):
        feed.receive(Publish("a", b"", 1, packet_id=7))
        feed.send(Ack(PacketType.PUBACK, 7))
        await run.caught_up()
        await run.press("full_stop")
        await run.shows("a PUBACK ends the delivery; , goes to the message")
