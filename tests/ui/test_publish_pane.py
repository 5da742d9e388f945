"""The Publish pane by keyboard."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.cells import cell_len
from textual import events
from textual.pilot import Pilot

from mqtttui.client.commands import ReleaseHeld, SendPublish
from mqtttui.client.events import ConnectionState, Outcome, PublishChanged
from mqtttui.protocol.enums import PropertyId, Version
from mqtttui.protocol.packets import Property, Publish, encode
from mqtttui.ui.forms.payload import PayloadKind, format_json, json_problem, to_bytes, to_text
from mqtttui.ui.forms.publish import packet_size
from mqtttui.ui.forms.rows import FormError
from mqtttui.ui.panes.publish import PublishPane
from mqtttui.ui.widgets.form_rows import FormRows
from mqtttui.ui.widgets.read_view import wrapped
from mqtttui.ui.widgets.text_block import TextBlock
from tests.support.form_states import CONNECTED, PEER
from tests.support.forms_app import FormsApp, shown, type_text
from tests.support.waiting import wait_until

HOSTILE = "\x1b]52;c;AAAA\x07[red]x[/b\u202e\x00\\"


def _pane(state: ConnectionState = CONNECTED) -> PublishPane:
    pane = PublishPane(PEER)
    pane.state = state
    return pane


def _status(pane: PublishPane) -> str:
    return pane.query_one("#publish-status", TextBlock).text


async def _go(pilot: Pilot[None], pane: PublishPane, row: str) -> None:
    for _ in range(60):
        if pane.form.selected == row and pane.form.has_focus_within:
            return
        await pilot.press("tab")
    raise AssertionError(f"Tab never reached {row}: {[each.id for each in pane.form.rows]}")


async def test_down_and_up_move_between_the_rows_and_the_payload() -> None:
    pane = _pane()
    app = FormsApp(pane)
    async with app.run_test(size=(80, 24)) as pilot:
        pane.form.focus()
        for _ in pane.form.rows:
            await pilot.press("down")
        assert pane.editor.has_focus
        await pilot.press("o", "n", "enter", "x", "up")
        assert pane.editor.has_focus and pane.editor.text == "on\nx"
        await pilot.press("up")
        assert pane.form.has_focus_within and pane.form.selected == "kind"


async def test_a_message_is_sent_by_keyboard_alone() -> None:
    pane = _pane()
    app = FormsApp(pane)
    async with app.run_test(size=(80, 24)) as pilot:
        pane.form.focus()
        await pilot.press("enter")
        await type_text(pilot, "cmd/lamp")
        await _go(pilot, pane, "qos")
        await pilot.press("right")
        await _go(pilot, pane, "retain")
        await pilot.press("space")
        await _go(pilot, pane, "section.properties")
        await pilot.press("enter", "tab")
        for name, value in (("topic alias", "5"), ("resp", "re/1"), ("corr", r"\x00\xff")):
            await _go(pilot, pane, "properties.add")
            await type_text(pilot, name)
            await pilot.press("enter", "ctrl+u")
            await type_text(pilot, value)
        await _go(pilot, pane, "kind")
        await pilot.press("tab")
        assert pane.editor.has_focus
        await type_text(pilot, "on")
        await pilot.press("enter")
        await type_text(pilot, r"v\x01R")
        await pilot.press("ctrl+s")
        await pilot.pause()
    properties = (
        Property(PropertyId.TOPIC_ALIAS, 5),
        Property(PropertyId.RESPONSE_TOPIC, "re/1"),
        Property(PropertyId.CORRELATION_DATA, b"\x00\xff"),
    )
    packet = Publish("cmd/lamp", b"on\nv\x01R", 1, retain=True, properties=properties)
    assert app.commands == [SendPublish(PEER, 1, packet)]


async def test_send_and_verify_send_again_and_what_became_of_them() -> None:
    pane = _pane()
    pane.load(Publish("cmd/lamp", b"on", 1))
    app = FormsApp(pane)
    async with app.run_test(size=(80, 24)) as pilot:
        pane.form.focus()
        await pilot.press("v")
        await pilot.pause()
        pane.load(Publish("other"))
        await pilot.press("R")
        await pilot.pause()
        packet = Publish("cmd/lamp", b"on", 1)
        assert app.commands == [SendPublish(PEER, 1, packet, verify=True), SendPublish(PEER, 2, packet)]
        pane.publish_changed(PublishChanged(PEER, 1, Outcome.ACKED, "the broker took it, 17 ms", 7, 17.0))
        pane.publish_changed(PublishChanged(PEER, 2, Outcome.REFUSED, "refused: 0x87 not authorized", 8))
        newest, older = pane.history.splitlines()
        assert "refused: 0x87 not authorized" in newest
        assert "#8" in newest
        assert "the broker took it, 17 ms" in older
        assert "delivered" not in pane.history


async def test_what_was_watched_for_stands_beside_the_acknowledgement() -> None:
    pane = _pane()
    pane.load(Publish("cmd/lamp", b"on", 1))
    async with FormsApp(pane).run_test(size=(80, 24)) as pilot:
        pane.form.focus()
        await pilot.press("v")
        await pilot.pause()
        pane.publish_changed(PublishChanged(PEER, 1, Outcome.CAME_BACK, "came back after 3.0 ms", None, 3.0))
        pane.publish_changed(PublishChanged(PEER, 1, Outcome.LATE, "sent, no PUBACK for 10 s", 7))
        assert "sent, no PUBACK for 10 s · came back after 3.0 ms" in pane.history
        pane.publish_changed(PublishChanged(PEER, 1, Outcome.ACKED, "the broker took it, 12.0 s", 7, 12_000.0))
        assert "the broker took it, 12.0 s · came back after 3.0 ms" in pane.history


def test_a_long_line_of_the_history_is_wrapped_without_losing_anything() -> None:
    line = [("14:03:12.502 ", "dim"), ("refused: 0x87 not authorized", "error"), ("  " + "topic/" * 12, ""), ("  26 B", "dim")]
    rows = wrapped(line, 40)
    assert all(sum(cell_len(words) for words, _ in row) <= 41 for row in rows)
    assert "".join(words for row in rows for words, _ in row).replace(" ", "") == "".join(words for words, _ in line).replace(" ", "")
    assert wrapped([("\u6f22" * 30, "")], 7)[1][0] == ("   ", "")


async def test_a_held_publish_is_sent_anyway_or_forgotten() -> None:
    pane = _pane()
    pane.load(Publish("a", b"x", 1))
    app = FormsApp(pane)
    async with app.run_test(size=(80, 24)) as pilot:
        pane.form.focus()
        await pilot.press("ctrl+s", "ctrl+s")
        await pilot.pause()
        for token in (1, 2):
            pane.publish_changed(PublishChanged(PEER, token, Outcome.HELD, "held, window 20/20"))
        await pilot.press("ctrl+o")
        await pilot.pause()
        pane.publish_changed(PublishChanged(PEER, 1, Outcome.SENT, "sent"))
        await pilot.press("ctrl+n")
        await pilot.pause()
        assert app.commands[2:] == [ReleaseHeld(PEER, 1, True), ReleaseHeld(PEER, 2, False)]


@pytest.mark.parametrize(
    ("typed", "words"),
    [("a/#", "is a wildcard"), ("$SYS/x", "belong to the broker"), (r"a\x00", "NUL"), (r"\q", "column 1")],
)
async def test_the_topic_is_checked_while_typed(typed: str, words: str) -> None:
    pane = _pane()
    async with FormsApp(pane).run_test(size=(80, 40)) as pilot:
        pane.form.focus()
        await pilot.press("enter")
        await type_text(pilot, typed)
        await pilot.pause()
        assert words in shown(pane.form.query_one(FormRows))


async def test_json_is_checked_with_line_and_column_and_formatted_on_request() -> None:
    pane = _pane()
    pane.load(Publish("a", b'{"a":[1,2.50],"b":{}}'))
    app = FormsApp(pane)
    async with app.run_test(size=(80, 30)) as pilot:
        await pilot.pause()
        assert "JSON ok" in _status(pane)
        pane.editor.focus()
        await pilot.press("ctrl+t")
        await pilot.pause()
        assert pane.editor.text == '{\n  "a": [\n    1,\n    2.50\n  ],\n  "b": {}\n}'
        pane.editor.text = '{\n "a": x}'
        await pilot.pause()
        assert "line 2, column 7" in _status(pane)


async def test_the_kinds_keep_the_bytes() -> None:
    pane = _pane()
    app = FormsApp(pane)
    raw = bytes(range(256))
    pane.load(Publish("a", raw))
    async with app.run_test(size=(80, 30)) as pilot:
        pane.form.focus()
        await _go(pilot, pane, "kind")
        assert pane.form.row_value("kind") == "hex"
        for key, kind in (("right", "base64"), ("left", "hex"), ("left", "JSON"), ("left", "text")):
            await pilot.press(key)
            await pilot.pause()
            assert pane.form.row_value("kind") == kind
            await pilot.press("ctrl+s")
            await pilot.pause()
    assert app.commands == [SendPublish(PEER, token, Publish("a", raw)) for token in (1, 2, 3, 4)]


@pytest.mark.parametrize(
    ("kind", "typed", "words"),
    [
        (PayloadKind.HEX, "00 1g", "line 1, column 5"),
        (PayloadKind.HEX, "00\n1", "one is missing"),
        (PayloadKind.BASE64, "AA-_", "URL alphabet"),
        (PayloadKind.BASE64, "AAA", "base64"),
        (PayloadKind.TEXT, "ok\nno \\q", "line 2, column 4"),
    ],
)
def test_a_payload_that_makes_no_bytes_says_where(kind: PayloadKind, typed: str, words: str) -> None:
    with pytest.raises(FormError, match=words):
        to_bytes(kind, typed)


@pytest.mark.parametrize("kind", [PayloadKind.TEXT, PayloadKind.HEX, PayloadKind.BASE64])
@pytest.mark.parametrize("raw", [b"", bytes(range(256)) * 3, HOSTILE.encode(), b"\r\n\n\t\\x00"])
def test_text_hex_and_base64_give_back_the_bytes(kind: PayloadKind, raw: bytes) -> None:
    assert to_bytes(kind, to_text(kind, raw)) == raw


def test_json_is_formatted_without_touching_its_values() -> None:
    assert format_json('{"a":1.0e5,"b":"x, {\\"y\\": 1}","a":[]}') == '{\n  "a": 1.0e5,\n  "b": "x, {\\"y\\": 1}",\n  "a": []\n}'
    assert json_problem("[" * 100_000) == "nested too deeply to check"
    assert json_problem("NaN") is not None


@pytest.mark.parametrize(
    ("pasted", "payload"),
    [("one\rtwo\r", b"one\ntwo\n"), ("one\r\ntwo", b"one\r\ntwo"), ("one\ntwo", b"one\ntwo")],
)
async def test_the_line_feeds_of_a_paste_are_those_that_were_copied(pasted: str, payload: bytes) -> None:
    pane = _pane()
    app = FormsApp(pane)
    async with app.run_test(size=(80, 24)) as pilot:
        pane.load(Publish("a"))
        pane.editor.focus()
        await pilot.pause()
        pane.editor.post_message(events.Paste(pasted))
        await pilot.pause()
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert app.commands == [SendPublish(PEER, 1, Publish("a", payload))]


async def test_a_pasted_megabyte_is_held_as_bytes_and_sent() -> None:
    pane = _pane()
    app = FormsApp(pane)
    pasted = "0123456789abcde\n" * 65_536
    async with app.run_test(size=(80, 24)) as pilot:
        pane.load(Publish("big"))
        pane.editor.focus()
        await pilot.pause()
        pane.editor.post_message(events.Paste(pasted))
        await wait_until(lambda: not pane.editor.display, "the paste was not taken")
        await pilot.pause()
        assert "1,048,576 bytes held" in pane.query_one("#publish-held", TextBlock).text
        assert "packet 1,048,5" in _status(pane)
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert app.commands == [SendPublish(PEER, 1, Publish("big", pasted.encode()))]
        await pilot.press("ctrl+r")
        await pilot.pause()
        assert pane.editor.display
        assert pane.editor.text == ""


async def test_a_file_is_sent_and_a_missing_one_named(tmp_path: Path) -> None:
    file = tmp_path / "payload.bin"
    file.write_bytes(bytes(range(256)) * 8192)
    pane = _pane()
    app = FormsApp(pane)
    async with app.run_test(size=(80, 24)) as pilot:
        pane.load(Publish("a"))
        pane.form.focus()
        await _go(pilot, pane, "kind")
        await pilot.press("left")
        await _go(pilot, pane, "file")
        assert pane.app.focused is not None
        pane.app.focused.post_message(events.Paste(str(file)))
        await pilot.pause()
        await pilot.press("ctrl+s")
        await wait_until(lambda: len(app.commands), "the file was not sent")
        assert app.commands == [SendPublish(PEER, 1, Publish("a", file.read_bytes()))]
        await pilot.press("x", "ctrl+s")
        await wait_until(lambda: "No such file" in _status(pane), lambda: _status(pane))
        assert len(app.commands) == 1


async def test_hostile_text_is_visible_and_leaves_as_the_same_bytes() -> None:
    pane = _pane()
    app = FormsApp(pane)
    async with app.run_test(size=(80, 30)) as pilot:
        pane.load(Publish(HOSTILE))
        pane.editor.focus()
        await pilot.pause()
        pane.editor.post_message(events.Paste(HOSTILE))
        await pilot.pause()
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert app.commands == [SendPublish(PEER, 1, Publish(HOSTILE, HOSTILE.encode()))]
        lines = [strip.text for strip in app.screen._compositor.render_strips()]
        assert all(line.isprintable() for line in lines)


async def test_not_connected_nothing_leaves_and_the_pane_says_why() -> None:
    pane = _pane(ConnectionState(PEER))
    app = FormsApp(pane)
    async with app.run_test(size=(80, 24)) as pilot:
        pane.load(Publish("a", b"x"))
        pane.form.focus()
        await pilot.press("ctrl+s", "v", "R")
        await pilot.pause()
        assert app.commands == []
        assert "not connected" in _status(pane)


async def test_escape_leaves_the_payload() -> None:
    pane = _pane()
    async with FormsApp(pane).run_test(size=(80, 24)) as pilot:
        pane.editor.focus()
        await pilot.press("escape")
        assert pane.form.has_focus_within


@pytest.mark.parametrize("payload", [0, 1, 100, 127, 128, 20_000, 3_000_000])
@pytest.mark.parametrize("version", list(Version))
def test_the_size_is_that_of_the_packet(payload: int, version: Version) -> None:
    packet = Publish("a/b", bytes(payload), 1)
    whole = encode(Publish("a/b", bytes(payload), 1, packet_id=1), version)
    assert packet_size(packet, version) == len(whole)
