"""Details, bytes and payload of a packet: they point at each other, explain, mask, and survive what is huge."""

from __future__ import annotations

import time

from mqtttui.protocol.enums import PropertyId
from mqtttui.protocol.packets import Connect, Property, Publish, Subscribe, TopicRequest, Will
from mqtttui.ui.payload import as_json, as_text, wrapped
from mqtttui.ui.tree_lines import FieldLine
from tests.support.screen import inspecting


async def test_enter_opens_the_details_and_back_returns_to_the_row() -> None:
    async with inspecting(30) as (run, _):
        await run.press("k", "k")
        selected = run.main.inspector.packets.selected
        await run.press("enter")
        assert run.main.inspector.details.has_focus
        await run.shows(f"{selected} PUBLISH, 23 bytes, from the broker")
        await run.press("q")
        assert run.main.inspector.packets.has_focus
        assert run.main.inspector.packets.selected == selected


async def test_a_selected_field_shows_its_bytes_and_explanation() -> None:
    async with inspecting(0) as (run, feed):
        feed.send(Publish("cmd/temp", b'{"on":true}', qos=1, packet_id=7))
        await run.caught_up()
        await run.press("enter", "down", "down", "down")
        inspector = run.main.inspector
        field = inspector.details.selected
        assert field is not None
        assert field.filter == "mqtt.qos"
        assert inspector.hex_view._field == (0, 1)
        await run.shows(".... .01.", "mqtt.qos == 1", "[")
        await run.press("down", "down", "down", "down")
        field = inspector.details.selected
        assert field is not None
        assert inspector.hex_view._field == (field.start, field.end)


async def test_a_narrow_screen_explains_in_two_lines() -> None:
    async with inspecting(0, size=(80, 24)) as (run, feed):
        feed.send(Publish("cmd/temp", b"on"))
        await run.caught_up()
        await run.press("enter")
        await run.shows("mqtt.hdrflags == 48", "[2.1.1]", "flags of the")
        assert "type on the right" in " ".join(run.text.split())


async def test_a_byte_selects_its_field() -> None:
    async with inspecting(0) as (run, feed):
        feed.send(Publish("cmd/temp", b'{"on":true}', qos=1, packet_id=7))
        await run.caught_up()
        await run.press("enter", "vertical_line")
        inspector = run.main.inspector
        assert inspector.hex_view.has_focus
        await run.press("end")
        await run.until(lambda: inspector.details.selected and inspector.details.selected.filter == "mqtt.msg", "the payload is selected")
        assert inspector.hex_view.offset_selected == len(inspector.dissection.raw if inspector.dissection else b"") - 1
        await run.press("g")
        await run.until(lambda: inspector.details.selected and inspector.details.selected.start == 0, "the first byte is selected")
        await run.press("down", "right", "h", "k", "l")
        assert inspector.hex_view.offset_selected == 1


async def test_a_byte_inside_a_folded_property_unfolds_it() -> None:
    async with inspecting(0) as (run, feed):
        feed.receive(Publish("a", b"x", properties=(Property(PropertyId.CONTENT_TYPE, "text/plain"),)))
        await run.caught_up()
        inspector = run.main.inspector
        await run.press("enter")
        raw = inspector.dissection.raw if inspector.dissection else b""
        field = inspector.details.select_offset(raw.index(b"text/plain") + 3)
        assert field is not None
        assert field.display == "text/plain"


async def test_folding() -> None:
    async with inspecting(0) as (run, feed):
        feed.send(Publish("cmd/temp", b"x"))
        await run.caught_up()
        tree = run.main.inspector.details
        await run.press("enter")
        rows = tree.row_count
        await run.press("h")
        assert tree.row_count < rows
        await run.press("l")
        assert tree.row_count == rows
        await run.press("down", "h")
        assert tree.cursor == 0
        await run.press("enter", "asterisk")
        everything = tree.row_count
        assert everything >= rows
        await run.press("asterisk")
        assert tree.row_count < rows


async def test_secrets_are_masked_in_tree_and_bytes() -> None:
    async with inspecting(0) as (run, feed):
        feed.send(Connect("c", username="anna", password=b"s3cret"))
        await run.caught_up()
        await run.press("enter", "end")
        await run.shows("•••••• (6 bytes)", "anna")
        assert "s3cret" not in run.text
        assert "73 33 63" not in run.text


async def test_notes_stand_under_their_field() -> None:
    async with inspecting(0) as (run, feed):
        feed.send(Publish("sensors/#/x", b"x"))
        await run.caught_up()
        await run.shows("! ", "MQTT-3.3.2-2")


async def test_payload_as_text_json_hex() -> None:
    async with inspecting(0) as (run, feed):
        feed.receive(Publish("a", b'{"on":true,"n":1.10}'))
        await run.caught_up()
        await run.press("v")
        await run.shows("payload as text", '{"on":true,"n":1.10}')
        await run.press("v")
        await run.shows("payload as JSON", '"on": true', '"n": 1.10')
        await run.press("v")
        await run.shows("payload as hex", "7b 22 6f 6e")
        await run.press("v")
        await run.shows("packet bytes")
        feed.send(Subscribe(3, (TopicRequest("a"),)))
        await run.caught_up()
        await run.press("v")
        await run.shows("this packet has no payload")


def test_json_keeps_numbers_and_says_why_it_is_none() -> None:
    assert as_json(b'{"a":[1,2.50,-3e4],"b":{}}').lines == ("{", '  "a": [1, 2.50, -3e4],', '  "b": {}', "}")
    assert as_json(b"{nope").remark.startswith("not JSON")
    assert as_json(b"[" * 100_000).remark.startswith("not JSON")
    assert as_json(b'"\\u001b[31m"').lines == ('"\\u001b[31m"',)
    assert as_json(b"NaN").remark.startswith("not JSON")


def test_text_is_cut_loudly_and_escaped() -> None:
    assert as_text(b"a\x1b[31m\nb").lines == ("a\\x1b[31m", "b")
    assert "of 3,000,000 bytes" in as_text(b"x" * 3_000_000).remark
    assert wrapped(("x" * 25,), 10) == ["x" * 10, "x" * 10, "x" * 5]
    assert wrapped(("日本語",), 4) == ["日本", "語"]


async def test_a_huge_packet_stays_usable() -> None:
    async with inspecting(1) as (run, feed):
        feed.receive(Publish("big/one", bytes(64 * 1024 * 1024)))
        await run.caught_up()
        inspector = run.main.inspector
        await run.press("enter")
        await run.shows("big/one")
        started = time.monotonic()
        await run.press("vertical_line", "end", "g", "ctrl+d", "v", "v", "v", "v")
        assert time.monotonic() - started < 10
        assert inspector.hex_view.row_count == -(-run.log.head(run.log.last).length // inspector.hex_view.columns)


async def test_many_properties_open_in_slices() -> None:
    async with inspecting(0) as (run, feed):
        many = tuple(Property(PropertyId.USER_PROPERTY, (f"k{index}", "v")) for index in range(3_000))
        feed.receive(Publish("a", b"x", properties=many))
        await run.caught_up()
        await run.press("enter")
        tree = run.main.inspector.details
        await run.press("end")
        assert tree.row_count < 1_500
        tree.move_to(next(at for at, line in enumerate(tree._lines) if isinstance(line, FieldLine) and line.field.name == "Properties"))
        await run.press("enter")
        await run.until(lambda: tree.row_count > 100, "the properties are unfolded")
        for _ in range(60):
            index = next((at for at, line in enumerate(tree._lines) if "more" in tree.row(at, 60).text), None)
            if index is None:
                break
            tree.move_to(index)
            await run.press("enter")
        names = [line.field.display for line in tree._lines if isinstance(line, FieldLine)]
        assert any("k2999" in name for name in names), names[-5:]


async def test_will_and_hostile_client_id() -> None:
    async with inspecting(0) as (run, feed):
        feed.send(Connect("[/b]\u202ex", feed.version, will=Will("[red]", b"\x1b[2J", 1, True)))
        await run.caught_up()
        await run.press("enter", "asterisk", "end", "home", "pagedown")
        text = run.text
        assert "\u202e" not in text
        assert "\x1b" not in text
        assert "[red]" in text
