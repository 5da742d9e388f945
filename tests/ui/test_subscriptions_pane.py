"""The Subscriptions pane by keyboard."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual.pilot import Pilot

from mqtttui.analysis.subscriptions import Count
from mqtttui.client.commands import Subscribe, Unsubscribe
from mqtttui.client.events import ConnectionState
from mqtttui.protocol.enums import PropertyId
from mqtttui.protocol.packets import Property, TopicRequest
from mqtttui.ui.panes.subscriptions import SubscriptionsPane
from mqtttui.ui.widgets.escaped_input import EscapedInput
from mqtttui.ui.widgets.form_rows import FormRows
from mqtttui.ui.widgets.text_block import TextBlock
from tests.support.form_states import CONNECTED, PEER
from tests.support.forms_app import FormsApp, shown, type_text

EMPTY = CONNECTED.with_(subscriptions=())


def _pane(state: ConnectionState = CONNECTED) -> SubscriptionsPane:
    pane = SubscriptionsPane(PEER)
    pane.state = state
    return pane


def _form_text(pane: SubscriptionsPane) -> str:
    return shown(pane.form.query_one(FormRows))


async def _go(pilot: Pilot[None], pane: SubscriptionsPane, ending: str) -> None:
    for _ in range(60):
        if pane.form.selected.endswith(ending):
            return
        await pilot.press("tab")
    raise AssertionError(f"Tab never reached {ending}: {[row.id for row in pane.form.rows]}")


async def test_an_empty_pane_tells_the_next_step_and_a_filter_is_subscribed_to() -> None:
    pane = _pane(EMPTY)
    app = FormsApp(pane)
    async with app.run_test(size=(80, 24)) as pilot:
        assert "type a filter" in pane.query_one("#subscriptions-hint", TextBlock).text
        pane.form.focus()
        await pilot.press("enter")
        await type_text(pilot, "a/+/b")
        await _go(pilot, pane, "qos")
        await pilot.press("right")
        await _go(pilot, pane, "no_local")
        await pilot.press("space")
        await _go(pilot, pane, "handling")
        await pilot.press("left")
        await pilot.press("ctrl+s")
        await pilot.pause()
    assert app.commands == [Subscribe(PEER, (TopicRequest("a/+/b", 1, no_local=True, retain_handling=2),))]


async def test_several_filters_and_an_identifier_go_in_one_packet() -> None:
    pane = _pane(EMPTY)
    app = FormsApp(pane)
    async with app.run_test(size=(60, 50)) as pilot:
        pane.form.focus()
        await pilot.press("enter")
        await type_text(pilot, "a")
        await pilot.press("ctrl+n")
        await type_text(pilot, "b")
        await _go(pilot, pane, "section.properties")
        await pilot.press("enter")
        await _go(pilot, pane, ".add")
        await type_text(pilot, "subscr")
        await pilot.press("enter")
        await pilot.press("backspace", "7")
        await _go(pilot, pane, "send")
        await pilot.press("enter")
        await pilot.pause()
    identifier = Property(PropertyId.SUBSCRIPTION_IDENTIFIER, 7)
    assert app.commands == [Subscribe(PEER, (TopicRequest("a"), TopicRequest("b")), (identifier,))]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("a/#/b", "nothing may follow"),
        ("a+", "must stand alone"),
        ("#", "every message of the broker"),
        ("$share//x", "share name"),
        (r"a\q", "column 2"),
    ],
)
async def test_a_filter_is_checked_while_typed(typed: str, words: str) -> None:
    pane = _pane(EMPTY)
    async with FormsApp(pane).run_test(size=(80, 40)) as pilot:
        pane.form.focus()
        await pilot.press("enter")
        await type_text(pilot, typed)
        await pilot.pause()
        assert words in _form_text(pane)


async def test_what_the_standard_forbids_can_be_sent_on_purpose_but_nothing_empty() -> None:
    pane = _pane(EMPTY)
    app = FormsApp(pane)
    async with app.run_test(size=(80, 40)) as pilot:
        pane.form.focus()
        await pilot.press("enter", "ctrl+s")
        await pilot.pause()
        assert app.commands == []
        assert "!! a topic filter, such as" in _form_text(pane)
        await type_text(pilot, "a/#/b")
        assert "!! a topic filter, such as" not in _form_text(pane)
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert app.commands == [Subscribe(PEER, (TopicRequest("a/#/b"),))]


async def test_typing_faster_than_the_pane_keeps_text_and_cursor() -> None:
    pane = _pane(EMPTY)
    async with FormsApp(pane).run_test(size=(80, 40)) as pilot:
        pane.form.focus()
        await pilot.press("enter")
        field = pane.app.focused
        assert isinstance(field, EscapedInput)
        for char in "a/#/b":
            field.insert_text_at_cursor(char)
        await pilot.pause()
        assert (field.value, field.cursor_position) == ("a/#/b", 5)
        assert pane.form.row_value(pane.form.selected) == "a/#/b"
        field.insert_text_at_cursor("c")
        field.action_delete_left()
        await pilot.pause()
        assert pane.form.row_value(pane.form.selected) == field.value == "a/#/b"


async def test_an_empty_filter_among_several_is_not_sent_and_can_be_taken_out() -> None:
    pane = _pane(EMPTY)
    app = FormsApp(pane)
    async with app.run_test(size=(80, 40)) as pilot:
        pane.form.focus()
        await pilot.press("enter")
        await type_text(pilot, "a")
        await pilot.press("ctrl+n", "ctrl+s")
        await pilot.pause()
        assert app.commands == []
        assert "Del removes it" in _form_text(pane)
        await pilot.press("escape", "delete", "ctrl+s")
        await pilot.pause()
        assert app.commands == [Subscribe(PEER, (TopicRequest("a"),))]


async def test_filters_whose_counts_cannot_be_told_apart_say_so() -> None:
    first, second = (replace(CONNECTED.subscriptions[0], request=TopicRequest(key.decode(), 1), key=key) for key in (b"a/+", b"a/b"))
    pane = _pane(CONNECTED.with_(subscriptions=(first, second)))
    async with FormsApp(pane).run_test(size=(80, 24)) as pilot:
        detail = pane.query_one("#subscriptions-detail", TextBlock)
        assert "overlaps B: copies for either count at both" in detail.text
        pane.state = CONNECTED.with_(subscriptions=(first, replace(second, identifier=7)))
        await pilot.pause()
        assert "overlaps" not in detail.text


async def test_a_missing_answer_stands_at_the_row() -> None:
    late = replace(CONNECTED.subscriptions[0], answer="no SUBACK for 10 s", late=True)
    pane = _pane(CONNECTED.with_(subscriptions=(late,)))
    async with FormsApp(pane).run_test(size=(80, 24)):
        assert "no SUBACK for 10 s" in shown(pane.table)


async def test_the_focus_goes_to_the_form_with_the_last_subscription_and_to_the_table_with_the_first() -> None:
    pane = _pane()
    async with FormsApp(pane).run_test(size=(80, 24)) as pilot:
        pane.table.focus()
        await pilot.pause()
        pane.state = EMPTY
        await pilot.pause()
        assert pane.form.has_focus_within
        await pilot.press("enter")
        await type_text(pilot, "a")
        await pilot.press("ctrl+s")
        pane.state = CONNECTED
        await pilot.pause()
        assert pane.table.has_focus


async def test_the_table_says_what_was_asked_granted_counted_and_refused() -> None:
    pane = _pane()
    async with FormsApp(pane).run_test(size=(60, 30)) as pilot:
        pane.counts = {b"sensors/#": Count(12_431, 1204)}
        await pilot.pause()
        lines = shown(pane.table).splitlines()
        assert "A sensors/#" in lines[1]
        assert "12,431" in lines[1]
        assert "1,204/s" in lines[1]
        assert "2>1" in lines[2]
        assert "nl rh1 #7" in lines[2]
        assert "refused: 0x87 not authorized" in lines[3]
        assert "waiting for SUBACK" in lines[4]


async def test_delete_unsubscribes_and_m_mutes() -> None:
    pane = _pane()
    app = FormsApp(pane)
    async with app.run_test(size=(80, 24)) as pilot:
        pane.table.focus()
        await pilot.press("down", "delete")
        await pilot.pause()
        assert app.commands == [Unsubscribe(PEER, ("cmd/+/set",))]
        await pilot.press("m")
        await pilot.pause()
        assert SubscriptionsPane.MuteChanged(PEER, b"cmd/+/set", True) == _last(app, SubscriptionsPane.MuteChanged)
        assert pane.muted == {b"cmd/+/set"}
        assert "muted" in shown(pane.table).splitlines()[2]
        await pilot.press("m")
        await pilot.pause()
        assert _last(app, SubscriptionsPane.MuteChanged) == SubscriptionsPane.MuteChanged(PEER, b"cmd/+/set", False)


async def test_a_subscription_is_edited_and_a_changed_filter_replaces_the_old_one() -> None:
    pane = _pane()
    app = FormsApp(pane)
    async with app.run_test(size=(80, 40)) as pilot:
        pane.table.focus()
        await pilot.press("down", "enter")
        await pilot.pause()
        assert pane.form.typing
        await pilot.press("end")
        await type_text(pilot, "/x")
        await pilot.press("ctrl+s")
        await pilot.pause()
        request = TopicRequest("cmd/+/set/x", 2, no_local=True, retain_handling=1)
        assert app.commands == [
            Subscribe(PEER, (request,), (Property(PropertyId.SUBSCRIPTION_IDENTIFIER, 7),)),
            Unsubscribe(PEER, ("cmd/+/set",)),
        ]
        assert pane.table.has_focus


async def test_escape_leaves_the_field_then_the_form_and_sends_nothing() -> None:
    pane = _pane()
    app = FormsApp(pane)
    async with app.run_test(size=(80, 40)) as pilot:
        pane.table.focus()
        await pilot.press("n")
        await type_text(pilot, "abc")
        await pilot.press("escape")
        assert pane.form.has_focus_within
        await pilot.press("escape")
        await pilot.pause()
        assert pane.table.has_focus
        assert not pane.form.display
        assert app.commands == []


async def test_letters_stay_with_their_filter() -> None:
    pane = _pane()
    app = FormsApp(pane)
    async with app.run_test() as pilot:
        pane.state = CONNECTED.with_(subscriptions=CONNECTED.subscriptions[1:])
        await pilot.pause()
        told = _last(app, SubscriptionsPane.FilterColours)
        assert isinstance(told, SubscriptionsPane.FilterColours)
        assert told.letters[b"cmd/+/set"] == "B"
        assert b"sensors/#" not in told.letters


async def test_not_connected_nothing_leaves_and_the_pane_says_why() -> None:
    pane = _pane(ConnectionState(PEER))
    app = FormsApp(pane)
    async with app.run_test() as pilot:
        assert "Not connected" in pane.query_one("#subscriptions-hint", TextBlock).text
        pane.form.focus()
        await pilot.press("enter")
        await type_text(pilot, "a")
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert app.commands == []


def _last(app: FormsApp, kind: type) -> object:
    return next(message for message in reversed(app.told) if isinstance(message, kind))
