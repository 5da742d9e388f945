"""The Connection pane by keyboard: what the form shows is what leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from textual import events
from textual.pilot import Pilot

from mqtttui.client.commands import Cancel, Connect
from mqtttui.client.events import CertificateInfo, ConnectionState, Failure, Fix, Phase, TlsInfo
from mqtttui.config.options import ConnectOptions, TlsOptions
from mqtttui.protocol.enums import PropertyId, Version
from mqtttui.protocol.packets import Connect as ConnectPacket
from mqtttui.protocol.packets import Property, Publish, Will, encode
from mqtttui.ui.forms.rows import FormError
from mqtttui.ui.panes.connection import ConnectionPane
from mqtttui.ui.widgets.form_rows import FormRows
from mqtttui.ui.widgets.packet_preview import PacketPreview
from mqtttui.ui.widgets.text_block import TextBlock
from tests.support.form_states import CONNECTED, CONNECTING, FULL, PEER, REFUSED
from tests.support.forms_app import FormsApp, shown, type_text

SIZES = [(80, 24), (60, 40), pytest.param((120, 36), marks=pytest.mark.slow), (200, 50)]


def _text(pane: ConnectionPane) -> str:
    return shown(pane.form.query_one(FormRows))


def _state_text(pane: ConnectionPane) -> str:
    return pane.query_one("#connect-state", TextBlock).text


async def _go(pilot: Pilot[None], pane: ConnectionPane, row: str) -> None:
    """Tab until a row is selected."""
    for _ in range(80):
        if pane.form.selected == row:
            return
        await pilot.press("tab")
    raise AssertionError(f"Tab never reached {row}: {[each.id for each in pane.form.rows]}")


async def test_a_connection_is_made_by_keyboard_alone() -> None:
    pane = ConnectionPane(PEER)
    app = FormsApp(pane)
    async with app.run_test(size=(80, 24)) as pilot:
        pane.form.focus()
        await _go(pilot, pane, "host")
        await type_text(pilot, "broker.lan")
        await _go(pilot, pane, "version")
        await pilot.press("right")
        await _go(pilot, pane, "client_id")
        await type_text(pilot, "dev-42")
        await _go(pilot, pane, "clean")
        await pilot.press("space")
        await _go(pilot, pane, "keep_alive")
        await type_text(pilot, "10")
        await _go(pilot, pane, "username.value")
        await type_text(pilot, "anna")
        await _go(pilot, pane, "password.value")
        await type_text(pilot, r"p\x00\xffw")
        await _go(pilot, pane, "will")
        await pilot.press("space")
        await type_text(pilot, "state/dev")
        await pilot.press("tab")
        await type_text(pilot, "off")
        await _go(pilot, pane, "will.qos")
        await pilot.press("right")
        await _go(pilot, pane, "will.retain")
        await pilot.press("enter", "ctrl+s")
        await pilot.pause()
    expected = ConnectPacket(
        "dev-42", Version.V5, clean=False, keep_alive=10, username="anna", password=b"p\x00\xffw", will=Will("state/dev", b"off", 1, True)
    )
    assert app.commands == [Connect(PEER, ConnectOptions(host="broker.lan", connect=expected))]


@pytest.mark.parametrize(
    "options", [ConnectOptions(), FULL, ConnectOptions(connect=ConnectPacket(flags=0x01, level=0x84, protocol_name=b"M\xff"))]
)
async def test_what_was_loaded_leaves_unchanged(options: ConnectOptions) -> None:
    pane = ConnectionPane(PEER)
    async with FormsApp(pane).run_test() as pilot:
        pane.load(options)
        await pilot.pause()
        assert pane.options() == options


@pytest.mark.parametrize("size", SIZES)
async def test_every_row_is_reached_by_tab_and_shown(size: tuple[int, int]) -> None:
    pane = ConnectionPane(PEER)
    pane.load(FULL)
    async with FormsApp(pane).run_test(size=size) as pilot:
        pane.form.focus()
        rows = [row.id for row in pane.form.rows if row.selectable]
        visited = [pane.form.selected]
        for _ in rows[1:]:
            await pilot.press("tab")
            await pilot.pause()
            visited.append(pane.form.selected)
            region = pane.form.query_one(FormRows).row_region(pane.form.selected)
            assert region is not None
            top = pane.form.scroll_offset.y
            assert top <= region.y < top + pane.form.size.height
        assert visited == rows
        await pilot.press("tab")
        assert pane.app.focused is pane.query_one("#connect-preview")
        await pilot.press("shift+tab")
        assert pane.form.has_focus_within


async def test_properties_are_added_ordered_repeated_and_removed() -> None:
    pane = ConnectionPane(PEER)
    pane.load(ConnectOptions(connect=ConnectPacket("x", Version.V5)))
    async with FormsApp(pane).run_test(size=(80, 40)) as pilot:
        pane.form.focus()
        await _go(pilot, pane, "section.properties")
        await pilot.press("enter")
        for key, value in (("tenant", "b"), ("tenant", "a")):
            await _go(pilot, pane, "properties.add")
            await type_text(pilot, "user")
            await pilot.press("enter")
            await type_text(pilot, key)
            await pilot.press("tab")
            await type_text(pilot, value)
        await _go(pilot, pane, "properties.add")
        await type_text(pilot, "session")
        await pilot.press("enter")
        await type_text(pilot, "3600")
        assert pane.options().connect.properties == (
            Property(PropertyId.USER_PROPERTY, ("tenant", "b")),
            Property(PropertyId.USER_PROPERTY, ("tenant", "a")),
            Property(PropertyId.SESSION_EXPIRY_INTERVAL, 3600),
        )
        await pilot.press("shift+up", "shift+up")
        assert [item.id for item in pane.options().connect.properties] == [0x11, 0x26, 0x26]
        await pilot.press("escape", "delete")
        await pilot.pause()
        assert [item.id for item in pane.options().connect.properties] == [0x26, 0x26]


async def test_what_the_standard_forbids_is_marked_but_leaves() -> None:
    pane = ConnectionPane(PEER)
    pane.load(
        ConnectOptions(connect=ConnectPacket("x", Version.V5, properties=(Property(0x23, 5), Property(0x7F, b"\x00"), Property(0x21, 0))))
    )
    app = FormsApp(pane)
    async with app.run_test(size=(80, 50)) as pilot:
        pane.form.focus()
        text = _text(pane)
        assert "not allowed in this packet" in text
        assert "not a property of MQTT 5" in text
        assert "0 is a protocol error" in text
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert len(app.commands) == 1


async def test_a_password_without_a_user_name_is_warned_about_and_leaves() -> None:
    pane = ConnectionPane(PEER)
    pane.load(ConnectOptions(connect=ConnectPacket("x", password=b"secret")))
    app = FormsApp(pane)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert "MQTT-3.1.2-22" in _text(pane)
        pane.form.focus()
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert app.commands == [Connect(PEER, pane.options())]


@pytest.mark.parametrize(
    ("row", "typed", "reason"),
    [
        ("host", " ", "a host name or address"),
        ("port", "70000", "not between 1 and 65,535"),
        ("keep_alive", "x", "a number from 0 to 65,535"),
        ("client_id", r"a\q", "column 2"),
    ],
)
async def test_a_problem_stands_at_its_field_and_nothing_leaves(row: str, typed: str, reason: str) -> None:
    pane = ConnectionPane(PEER)
    app = FormsApp(pane)
    async with app.run_test(size=(80, 40)) as pilot:
        pane.form.focus()
        await _go(pilot, pane, row)
        await type_text(pilot, typed)
        await pilot.press("ctrl+s")
        await pilot.pause()
        lines = _text(pane).splitlines()
        at = next(index for index, line in enumerate(lines) if line.startswith(">"))
        assert reason in lines[at + 1]
        assert pane.form.selected == row
        assert pane.form.typing
        assert app.commands == []
        with pytest.raises(FormError) as problem:
            pane.options()
        assert problem.value.field == row


@pytest.mark.parametrize(
    ("pasted", "expected"),
    [
        (
            "mqtts://anna:pw@broker.lan:9000",
            ConnectOptions("broker.lan", 9000, TlsOptions(), ConnectPacket(username="anna", password=b"pw")),
        ),
        ("mosquitto_pub -h b \\\n  -t a -m 'x y' \\\n  -k 7", ConnectOptions("b", connect=ConnectPacket(keep_alive=7))),
        ("mosquitto_sub -h b -p 1884 -V mqttv5 -i me -t 'a/#' -v", ConnectOptions("b", 1884, None, ConnectPacket("me", Version.V5))),
    ],
)
async def test_a_pasted_url_or_command_fills_the_form(pasted: str, expected: ConnectOptions) -> None:
    pane = ConnectionPane(PEER)
    app = FormsApp(pane)
    async with app.run_test(size=(80, 40)) as pilot:
        pane.action_edit_url()
        await pilot.pause()
        assert app.focused is not None
        app.focused.post_message(events.Paste(pasted))
        await pilot.pause()
        assert pane.options() == expected
        (told,) = app.told
        assert isinstance(told, ConnectionPane.Parsed)
        assert [request.filter for request in told.parsed.subscriptions] == (["a/#"] if "a/#" in pasted else [])
        assert told.parsed.publish == (Publish("a", b"x y") if "x y" in pasted else None)
        await pilot.pause()
        assert ("-v" in _text(pane)) == ("-v" in pasted)


async def test_a_paste_while_no_field_is_open_fills_the_form() -> None:
    pane = ConnectionPane(PEER)
    async with FormsApp(pane).run_test(size=(80, 40)) as pilot:
        pane.form.focus()
        await pilot.pause()
        pane.form.query_one(FormRows).post_message(events.Paste("mqtt://[::1]:1999"))
        await pilot.pause()
        assert (pane.options().host, pane.options().port) == ("::1", 1999)


async def test_the_mouse_chooses_toggles_and_places_the_editor() -> None:
    pane = ConnectionPane(PEER)
    async with FormsApp(pane).run_test(size=(80, 40)) as pilot:
        rows = pane.form.query_one(FormRows)
        for row, words in (("version", "5"), ("clean", "[x]"), ("username.value", "[ ]"), ("client_id", "empty")):
            await pilot.pause()
            lines = shown(rows).splitlines()
            region = rows.row_region(row)
            assert region is not None
            await pilot.click(rows, offset=(lines[region.y].index(words), region.y))
        await type_text(pilot, "me")
        connect = pane.options().connect
        assert (connect.version, connect.clean, connect.username, connect.client_id) == (Version.V5, False, "", "me")


async def test_a_typed_url_that_cannot_be_used_says_why_and_changes_nothing() -> None:
    pane = ConnectionPane(PEER)
    async with FormsApp(pane).run_test(size=(80, 40)) as pilot:
        pane.action_edit_url()
        await type_text(pilot, "http://nowhere")
        before = pane.options()
        await pilot.press("enter")
        await pilot.pause()
        assert "!!" in _text(pane)
        assert pane.form.selected == "url"
        assert pane.options() == before


async def test_the_packet_is_dissected_live_with_its_flags_and_the_password_hidden() -> None:
    pane = ConnectionPane(PEER)
    pane.load(FULL)
    async with FormsApp(pane).run_test(size=(160, 60)) as pilot:
        await pilot.pause()
        preview = pane.query_one(PacketPreview).text
        raw = encode(FULL.connect, Version.V5)
        assert f"CONNECT, {len(raw)} bytes" in preview
        assert "state/dev-42" in preview
        assert "s3cret" not in preview
        assert b"s3cr".hex(" ") not in preview
        assert "0xec" in pane.query_one("#connect-flags", TextBlock).text
        pane.form.focus()
        await _go(pilot, pane, "clean")
        await pilot.press("space")
        await pilot.pause()
        assert "0xee" in pane.query_one("#connect-flags", TextBlock).text
        assert "s3cret" not in _text(pane)


async def test_single_letters_and_digits_only_type_while_typing() -> None:
    pane = ConnectionPane(PEER)
    app = FormsApp(pane)
    async with app.run_test() as pilot:
        pane.form.focus()
        await _go(pilot, pane, "client_id")
        await type_text(pilot, "qcs1v")
        assert pane.options().connect.client_id == "qcs1v"
        await pilot.press("escape")
        assert not pane.form.typing
        await type_text(pilot, "xyz")
        assert pane.options().connect.client_id == "qcs1v"
        assert pane.form.selected == "client_id"
        assert app.commands == []


async def test_what_the_state_says() -> None:
    pane = ConnectionPane(PEER)
    pane.load(FULL)
    async with FormsApp(pane).run_test(size=(160, 50)) as pilot:
        pane.state = CONNECTED
        await pilot.pause()
        text = _state_text(pane)
        for words in (
            "connected to 192.0.2.7:8883",
            "old session resumed",
            "TCP 0.4 ms",
            "CONNACK 17 ms",
            "10 in flight",
            "certificate not verified",
            "will: cut, 0x04, takeover, ka 90 s; after min(delay 30, expiry 600) = 30 s",
        ):
            assert words in text
        assert "differs" not in text
        pane.action_generate_client_id()
        await pilot.pause()
        assert "differs" in _state_text(pane)
        pane.state = CONNECTING
        await pilot.pause()
        assert "TCP …" in _state_text(pane)


async def test_connecting_is_cancelled_by_a_key_only_then() -> None:
    pane = ConnectionPane(PEER)
    app = FormsApp(pane)
    async with app.run_test() as pilot:
        pane.form.focus()
        await pilot.press("ctrl+o")
        await pilot.pause()
        assert app.commands == []
        pane.state = ConnectionState(PEER, Phase.CONNECTING)
        await pilot.pause()
        await pilot.press("ctrl+o")
        await pilot.pause()
        assert app.commands == [Cancel(PEER)]


async def test_a_failure_names_the_step_and_one_key_applies_the_fix() -> None:
    pane = ConnectionPane(PEER)
    assert REFUSED.options is not None
    pane.load(REFUSED.options)
    app = FormsApp(pane)
    async with app.run_test(size=(80, 24)) as pilot:
        pane.state = REFUSED
        await pilot.pause()
        text = _state_text(pane)
        for words in ("CONNACK failed after 17 ms", "Connection refused", "unacceptable protocol version", "try 3.1.1"):
            assert words in text
        pane.query_one("#connect-fixes").focus()
        await pilot.press("down", "enter")
        await pilot.pause()
        pane.apply_fix()
        await pilot.pause()
        made = [command.options for command in app.commands if isinstance(command, Connect)]
        assert [(each.tls is not None, each.port, each.connect.version) for each in made] == [
            (True, 8883, Version.V5),
            (False, 1883, Version.V311),
        ]


async def test_in_a_small_terminal_what_can_be_done_stands_above_the_certificate() -> None:
    certificate = CertificateInfo("O=Lab " * 20, "O=Lab CA", ("broker.lan",), None, None, "cd" * 32, "2a", "EC", "ecdsa", der=b"")
    failure = Failure(
        "Certificate for another host", "asked for a, it is for b", "Connect by its name.", "tls", (Fix.SERVER_NAME,), value="b"
    )
    pane = ConnectionPane(PEER)
    pane.state = replace(
        REFUSED, failure=failure, tls_info=TlsInfo("TLSv1.3", "AES", "", (certificate,)), options=ConnectOptions("a", 8883, TlsOptions())
    )
    async with FormsApp(pane).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        box, fixes = pane.query_one("#connect-state-box"), pane.query_one("#connect-fixes")
        below = pane.query_one("#connect-certificate", TextBlock)
        assert "O=Lab CA" in below.text
        assert box.region.contains_region(fixes.region)
        assert fixes.region.bottom <= below.region.y
        pane.state = REFUSED
        await pilot.pause()
        assert not below.display


@pytest.mark.parametrize("hostile", ["\x1b]52;c;AAAA\x07[red]x[/b", "a\u202eb\x00\x9b31m", "[/b] [@click=app.quit]"])
async def test_hostile_text_is_visible_and_reversible(hostile: str) -> None:
    pane = ConnectionPane(PEER)
    options = ConnectOptions(connect=ConnectPacket(hostile, username=hostile, will=Will(hostile, hostile.encode())))
    pane.load(options)
    async with FormsApp(pane).run_test(size=(160, 50)) as pilot:
        pane.form.focus()
        await _go(pilot, pane, "client_id")
        assert pane.options() == options
        assert app_text_is_printable(pane)
        assert pane.app.focused is not None
        await pilot.press("ctrl+u")
        pane.app.focused.post_message(events.Paste(hostile))
        await pilot.pause()
        assert pane.options() == options
        assert app_text_is_printable(pane)


def app_text_is_printable(pane: ConnectionPane) -> bool:
    lines: Sequence[str] = [strip.text for strip in pane.app.screen._compositor.render_strips()]
    return all(line.isprintable() for line in lines)
