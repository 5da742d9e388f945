"""Packets made by hand, by keyboard, on a session that only listens."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual import events

from mqtttui.app import PEER
from mqtttui.client.commands import ConnectRaw, FlowStep, SendRaw, StopSending
from mqtttui.client.events import Phase, RawSent, Rejected
from mqtttui.protocol.enums import Direction, PacketType, Version
from mqtttui.protocol.packets import Ack, Connect, Disconnect, Publish, Subscribe, TopicRequest, encode
from mqtttui.ui.forms.packet_new import LETTERS
from mqtttui.ui.screens.edit_packet import EditPacket
from mqtttui.ui.screens.menu import Menu
from tests.support.screen import Running, hostile_texts, inspecting

V5 = Version.V5


def editor(run: Running) -> EditPacket:
    screen = run.app.screen
    assert isinstance(screen, EditPacket)
    return screen


async def opened(run: Running, *keys: str) -> EditPacket:
    """Open the editor with these keys."""
    await run.press(*(keys or ("e",)))
    await run.until(lambda: isinstance(run.app.screen, EditPacket) and run.app.screen.is_mounted, "the editor")
    await run.pilot.pause()
    return editor(run)


async def at_row(run: Running, label: str) -> None:
    """Down to a row of the form."""
    form = editor(run)._form
    await run.press("home")
    for _ in range(200):
        row = form._list.row(form.selected)
        if row is not None and row.label == label:
            return
        await run.press("down")
    raise AssertionError(f"no row {label}: {[row.label for row in form.rows]}")


async def fill(run: Running, label: str, text: str) -> None:
    """Type over what stands in a row."""
    await at_row(run, label)
    await run.press("enter", "end", "ctrl+u")
    await run.type(text)
    await run.press("escape")


async def fill_hex(run: Running, text: str) -> None:
    """Type over the hex."""
    editor(run)._hex.select_all()
    await run.press("delete")
    await run.type(text.replace("\n", ""))


@pytest.mark.parametrize("size", [(80, 24), pytest.param((120, 36), marks=pytest.mark.slow), (200, 50)])
async def test_a_captured_packet_is_changed_and_sent(size: tuple[int, int]) -> None:
    async with inspecting(3, size=size) as (run, _):
        fake = run.fake_session()
        await run.press("4")
        screen = await opened(run)
        await run.shows("PUBLISH from the broker", "connected, MQTT 5", "Topic Name", "sensors/a/temp", "nothing wrong with it")
        await fill(run, "Topic Name", "cmd/x")
        await run.shows("changed")
        await run.press("ctrl+s")
        await run.pilot.pause()
        raw = encode(Publish("cmd/x", b"21.5"), V5)
        assert fake.commands == [SendRaw(PEER, raw, 1, 0.0, 1)]
        assert screen.draft.raw == raw


async def test_findings_follow_the_typing_and_what_ends_the_connection_needs_the_key_twice() -> None:
    async with inspecting(1) as (run, _):
        fake = run.fake_session()
        await opened(run)
        await fill(run, "Topic Name", "a/+/b")
        await run.shows("1 error", "wildcard")
        await run.press("ctrl+s")
        await run.shows("ctrl+s again sends it: Topic Name: + at byte 2")
        assert fake.commands == []
        await fill(run, "Topic Name", "a/#")
        await run.hides("again sends it")
        await run.press("ctrl+s")
        await run.shows("again sends it")
        await run.press("ctrl+s")
        await run.pilot.pause()
        assert [command.raw for command in fake.commands if isinstance(command, SendRaw)] == [encode(Publish("a/#", b"21.5"), V5)]


async def test_fields_and_hex_are_one_key_apart_and_lose_nothing() -> None:
    async with inspecting(1) as (run, _):
        screen = await opened(run)
        before = screen.draft.raw
        await run.press("ctrl+e")
        await run.shows("as hex", before[:8].hex(" "))
        await run.press("ctrl+e")
        await run.shows("as fields")
        assert screen.draft.raw == before
        await run.press("ctrl+e")
        await fill_hex(run, "36050001 61 0001")
        await run.shows("QoS is 3")
        await run.press("ctrl+e")
        await run.shows("Packet Identifier")
        assert screen.draft.raw == bytes.fromhex("36050001610001")
        await run.press("ctrl+e")
        await fill_hex(run, "f0 ff ff ff ff ff 01")
        await run.press("ctrl+e")
        await run.shows("as fields", "as typed")
        assert screen.draft.raw == bytes.fromhex("f0ffffffffff01")
        await run.press("ctrl+r")
        assert screen.draft.raw == before


async def test_much_hex_can_be_pasted() -> None:
    async with inspecting(1) as (run, _):
        screen = await opened(run)
        await run.press("ctrl+e")
        packet = encode(Publish("a/b", bytes(30_000)), V5)
        for pasted, words in (
            (packet.hex(" "), f"{len(packet):,} bytes"),
            ("0g" * 50_000, "not pasted: line 1, column 2: g is no hex digit"),
        ):
            screen._hex.select_all()
            run.app.post_message(events.Paste(pasted))
            await run.shows(words)
            assert screen.draft.raw == packet


async def test_wrong_hex_names_its_place_and_is_not_sent() -> None:
    async with inspecting(1) as (run, _):
        fake = run.fake_session()
        screen = await opened(run)
        await run.press("ctrl+e")
        await fill_hex(run, "c0 0g")
        await run.shows("line 1, column 5: g is no hex digit")
        await run.press("ctrl+s")
        await run.press("ctrl+e")
        assert fake.commands == []
        assert screen._as_hex


async def test_a_wrong_number_is_pointed_at_and_not_sent() -> None:
    async with inspecting(1) as (run, _):
        fake = run.fake_session()
        await opened(run, "E", "s")
        await fill(run, "Packet Identifier", "70000")
        await run.shows("70,000 is not between 0 and 65,535")
        await run.press("home", "ctrl+s")
        assert fake.commands == []
        assert editor(run)._form.typing
        await run.press("ctrl+u")
        await run.type("12")
        await run.press("ctrl+s")
        await run.pilot.pause()
        assert fake.commands == [SendRaw(PEER, encode(Subscribe(12, (TopicRequest("topic"),)), V5), 1, 0.0, 1)]


async def test_a_new_packet_of_every_type_can_be_begun_with() -> None:
    async with inspecting(1) as (run, _):
        for kind in (each for each in PacketType if each is not PacketType.RESERVED):
            await run.press("E")
            await run.until(lambda: isinstance(run.app.screen, Menu), "the menu")
            assert f"{kind.name}" in run.text
            screen = await opened(run, LETTERS[kind])
            assert screen.draft.dissection.type is kind
            assert not screen.draft.dissection.malformed
            await run.press("escape")
            await run.until(lambda: not isinstance(run.app.screen, EditPacket), "the editor closed")


async def test_leaving_keeps_the_packet() -> None:
    async with inspecting(1) as (run, _):
        await opened(run)
        await fill(run, "Topic Name", "kept")
        await run.press("escape")
        await run.until(lambda: not isinstance(run.app.screen, EditPacket), "the editor closed")
        await opened(run, "E", "l")
        await run.shows("kept")


async def test_without_a_connection_the_new_one_is_offered() -> None:
    async with inspecting(1) as (run, _):
        fake = run.fake_session()
        run.tell(run.app.state.with_(phase=Phase.IDLE))
        screen = await opened(run, "E", "c")
        await run.press("ctrl+s")
        await run.shows("not connected: ctrl+o")
        await run.press("ctrl+o")
        await run.pilot.pause()
        assert fake.commands == [ConnectRaw(PEER, run.main.connection.options(), screen.draft.raw, 1)]


async def test_first_bytes_that_are_no_connect_and_a_second_connect_are_warned_of() -> None:
    async with inspecting(1) as (run, _):
        fake = run.fake_session()
        await opened(run, "E", "c")
        await run.press("ctrl+s")
        await run.shows("a second CONNECT ends the connection")
        await run.press("ctrl+o")
        await run.shows("the present connection is ended first")
        await run.press("escape")
        await opened(run, "E", "d")
        await run.press("ctrl+s")
        await run.shows("DISCONNECT ends the connection")
        assert fake.commands == []


async def test_repeating_asks_how_often_and_can_be_stopped() -> None:
    async with inspecting(1) as (run, _):
        fake = run.fake_session()
        screen = await opened(run)
        await run.press("ctrl+t")
        await run.shows("how often")
        await run.press("end", "ctrl+u")
        await run.type("25")
        await run.press("tab", "end", "ctrl+u")
        await run.type("50")
        await run.shows("25 times within 1.2 s")
        await run.press("enter")
        await run.pilot.pause()
        assert fake.commands == [SendRaw(PEER, screen.draft.raw, 25, 0.05, 1)]
        run.app._emit(RawSent(PEER, 1, 3, 25, 0, 5_000_000, False, "sent 3 of 25"))
        await run.shows("sent 3 of 25, ctrl+c stops")
        await run.press("ctrl+c")
        await run.pilot.pause()
        assert fake.commands[-1] == StopSending(PEER)


async def test_what_it_provokes_stands_below_with_times_from_the_sending() -> None:
    async with inspecting(2) as (run, feed):
        run.fake_session()
        await opened(run, "E", "p")
        await at_row(run, "QoS")
        await run.press("right")
        await run.press("ctrl+s")
        await run.pilot.pause()
        sent = feed.raw(editor(run).draft.raw, Direction.C2S)
        other = run.log.open_connection(peer="other", origin=run.log.connection(0).origin, mono=0, wall=0)
        assert other == 1
        run.app._emit(RawSent(PEER, 1, 1, 1, 0, run.log.head(sent).mono, True, "sent"))
        feed.receive(Ack(PacketType.PUBACK, 1, 0x10))
        await run.shows("+0.0 ms ▲ PUBLISH", "+1.0 ms ▼ PUBACK", "no matching subscribers")
        run.log.close_connection(0, run.log.head(sent).mono + 7_000_000, "the server closed")
        await run.shows("+7.0 ms  connection over: the server closed")
        await run.press("ctrl+n", "ctrl+n", "ctrl+n", "home", "down", "enter")
        await run.until(lambda: not isinstance(run.app.screen, EditPacket), "the editor closed")
        assert run.main.inspector.packets.selected == sent + 1


async def test_what_could_not_leave_is_no_success() -> None:
    async with inspecting(1) as (run, _):
        run.fake_session()
        await opened(run)
        await run.press("ctrl+s")
        await run.pilot.pause()
        run.app._emit(RawSent(PEER, 1, 0, 1, 0, None, True, "not sent: the connection ended"))
        await run.shows("!! not sent: the connection ended", "What follows stands here")


async def test_a_rejection_is_said_in_the_editor() -> None:
    async with inspecting(1) as (run, _):
        run.fake_session()
        await opened(run)
        await run.press("ctrl+s")
        run.app._emit(Rejected(PEER, "send: not connected"))
        await run.shows("!! send: not connected")


async def test_a_password_is_hidden_in_the_form_and_shown_as_hex_only_when_asked_twice() -> None:
    async with inspecting(1, size=(120, 50)) as (run, feed):
        feed.send(Connect("c", V5, username="u", password=b"secret"))
        await run.caught_up()
        await run.press("G")
        await opened(run)
        assert "secret" not in run.text
        await run.press("ctrl+e")
        await run.shows("would show the password")
        assert b"secret".hex(" ") not in run.text
        await run.press("ctrl+e")
        await run.shows("as hex")


@pytest.mark.parametrize("text", hostile_texts())
async def test_hostile_text_is_shown_escaped_and_sent_as_it_was(text: str) -> None:
    async with inspecting(1, size=(160, 50)) as (run, feed):
        fake = run.fake_session()
        raw = encode(Publish(text, text.encode()), V5)
        feed.raw(raw, Direction.C2S)
        await run.caught_up()
        await run.press("G")
        await opened(run)
        await at_row(run, "Topic Name")
        await run.press("enter", "end")
        await run.type("x")
        await run.press("backspace", "escape", "ctrl+s", "ctrl+s")
        await run.pilot.pause()
        assert {command.raw for command in fake.commands if isinstance(command, SendRaw)} == {raw}
        assert all(char.isprintable() or char == "\n" for char in run.text)


async def test_a_large_packet_is_held_and_its_other_fields_can_be_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EDITOR", raising=False)
    monkeypatch.delenv("VISUAL", raising=False)
    payload = b"x" * 100_000
    async with inspecting(1) as (run, feed):
        fake = run.fake_session()
        feed.raw(encode(Publish("large", payload), V5), Direction.C2S)
        await run.caught_up()
        await run.press("G")
        await opened(run)
        await run.shows("100,000 bytes, Enter opens $EDITOR")
        await fill(run, "Topic Name", "larger")
        await run.press("ctrl+e")
        await run.shows("are too many to edit here")
        await run.press("ctrl+g")
        await run.shows("no editor is set")
        await run.press("ctrl+s")
        await run.pilot.pause()
        assert [command.raw for command in fake.commands if isinstance(command, SendRaw)] == [encode(Publish("larger", payload), V5)]


async def test_open_flows_offer_their_steps() -> None:
    async with inspecting(1) as (run, feed):
        fake = run.fake_session()
        feed.send(Publish("a", b"", 2, packet_id=7))
        await run.caught_up()
        await run.press("G", "Q")
        await run.shows("Open flow of #7", "resend with DUP", "PUBREL now", "forget it")
        await run.press("r")
        await run.pilot.pause()
        assert fake.commands == [FlowStep(PEER, 7, "pubrel")]
        feed.receive(Publish("b", b"", 2, packet_id=9))
        await run.caught_up()
        await run.press("G", "Q")
        await run.shows("PUBCOMP now")
        await run.press("c")
        await run.pilot.pause()
        assert fake.commands[-1] == FlowStep(PEER, 9, "pubcomp")
        feed.send(Publish("c", b"", 1, packet_id=8))
        feed.receive(Ack(PacketType.PUBACK, 8))
        await run.caught_up()
        await run.press("G", "Q")
        await run.shows("the flow of #8 is complete")
        feed.send(Disconnect())
        await run.caught_up()
        await run.press("G", "Q")
        await run.shows("belongs to no QoS 1 or 2 flow")


async def test_the_version_it_is_read_as_can_be_chosen() -> None:
    async with inspecting(1) as (run, _):
        screen = await opened(run)
        await at_row(run, "Read as")
        await run.press("left")
        await run.shows("reads it otherwise than as 3.1.1")
        assert screen.draft.dissection.version is Version.V311


async def test_help_and_palette_know_the_keys() -> None:
    async with inspecting(1) as (run, _):
        await opened(run)
        await run.press("question_mark")
        await run.shows("Packet by hand", "Send as the first bytes of a new connection")
        await run.press("escape")
        await run.press("colon")
        await run.type("restore")
        await run.shows("Back to the packet as it was opened")
        await run.press("enter")
        await run.pilot.pause()
        assert isinstance(run.app.screen, EditPacket)
