"""`a`, `-` and `A`: the filter made of a field or a packet selects that packet, joined to the one in force as the words say."""

from __future__ import annotations

import pytest

from mqtttui.capture.log import Log
from mqtttui.filters.compiler import compile_filter
from mqtttui.filters.row import Facts, Row
from mqtttui.protocol.enums import PacketType, PropertyId, Version
from mqtttui.protocol.packets import Ack, Connack, Connect, Disconnect, Property, Publish, Suback, Subscribe, TopicRequest, Will
from mqtttui.ui.field_filters import Join, equals, hint, joined, of_packet
from tests.support.screen import Feed, Running, hostile_texts
from tests.ui.test_filter_bar import apply, filled, own_file, shown
from tests.ui.test_filtered_list import settled

__all__ = ["own_file"]


def log_of(text: str) -> Log:
    """Packets with `text` wherever a string can stand."""
    log = Log()
    feed = Feed(log)
    user = (Property(PropertyId.USER_PROPERTY, (text, text)), Property(PropertyId.USER_PROPERTY, ("k", text)))
    more = (
        Property(PropertyId.CONTENT_TYPE, text),
        Property(PropertyId.CORRELATION_DATA, text.encode()),
        Property(PropertyId.RESPONSE_TOPIC, text),
    )
    feed.send(Connect(text, Version.V5, username=text, password=b"secret", will=Will(text, text.encode(), 1, True, user), properties=user))
    feed.receive(Connack(properties=(Property(PropertyId.RECEIVE_MAXIMUM, 10), Property(PropertyId.REASON_STRING, text), *user)))
    feed.send(Subscribe(1, (TopicRequest(text), TopicRequest("second/#", 2)), user))
    feed.receive(Suback(1, (0x87, 1), user))
    feed.send(Publish(text, text.encode(), qos=1, packet_id=2, properties=(Property(PropertyId.TOPIC_ALIAS, 3), *more)))
    feed.receive(Ack(PacketType.PUBACK, 2, 0x87, user))
    feed.receive(Publish(text, bytes(range(256)) * 8, qos=2, packet_id=9, retain=True))
    feed.receive(Publish("", b""))
    feed.raw(b"\x30\x07\x00\x03\xff\xfe\x61\x00\x01")
    feed.receive(Disconnect(0x8E, user))
    return log


@pytest.mark.parametrize("text", ["plain/topic", 'quo"te\\and', *hostile_texts()])
def test_the_filter_of_every_field_selects_its_packet(text: str) -> None:
    log = log_of(text)
    tested = 0
    for no in log.numbers():
        for field in log.dissect(no).walk():
            made = equals(field, log, no)
            if made:
                assert made.isprintable()
                assert compile_filter(made).matches(Row(log, no)), made
                tested += 1
    assert tested > 80


def test_secrets_are_not_written_into_filters() -> None:
    log = log_of("x")
    password = next(field for field in log.dissect(1).walk() if field.filter == "mqtt.passwd")
    assert equals(password, log, 1) == hint(password) == "mqtt.passwd"


def test_a_long_value_is_compared_at_its_beginning() -> None:
    log = log_of("x")
    payload = log.dissect(7).first("mqtt.msg")
    assert payload is not None
    assert equals(payload, log, 7).startswith("mqtt.msg[0:64] == ")


@pytest.mark.parametrize(
    ("before", "expression", "join", "result"),
    [
        ("", "mqtt.qos == 1", Join.AND, "mqtt.qos == 1"),
        ("", "mqtt.qos == 1", Join.AND_NOT, "not mqtt.qos == 1"),
        ("mqtt.len > 5", "mqtt.qos == 1", Join.ALONE, "mqtt.qos == 1"),
        ("mqtt.len > 5", "mqtt.qos == 1", Join.NOT, "not mqtt.qos == 1"),
        ("mqtt.len > 5", "mqtt.qos == 1", Join.AND, "mqtt.len > 5 and mqtt.qos == 1"),
        ("mqtt.len > 5 or mqtt", "mqtt.qos == 1", Join.AND_NOT, "(mqtt.len > 5 or mqtt) and not mqtt.qos == 1"),
        ("mqtt.len > 5 and mqtt", "mqtt.qos == 1", Join.OR, "(mqtt.len > 5 and mqtt) or mqtt.qos == 1"),
        ("mqtt.len > 5 and mqtt", "mqtt.qos == 1", Join.AND, "mqtt.len > 5 and mqtt and mqtt.qos == 1"),
        ("mqtt", "mqtt.qos == 1", Join.OR_NOT, "mqtt or not mqtt.qos == 1"),
    ],
)
def test_joining(before: str, expression: str, join: Join, result: str) -> None:
    assert joined(before, expression, join) == result
    compile_filter(result)


async def to_field(run: Running, name: str) -> None:
    """The cursor of the details on that field."""
    details = run.main.inspector.details
    for _ in range(details.row_count):
        if details.selected is not None and details.selected.filter == name:
            return
        await run.press("down")
    raise AssertionError(f"{name} is not there\n{run.text}")


async def test_a_on_a_row_keeps_the_topic_and_its_acks() -> None:
    async with filled() as (run, _):
        run.main.inspector.packets.go_to(7)
        await run.press("a")
        await settled(run)
        await run.shows('mqtttui.topic == "house/temp"', "20 of 32")
        assert run.main.inspector.packets.selected == 7
        await run.press("backspace")
        run.main.inspector.packets.go_to(1)
        await run.press("a")
        await settled(run)
        await run.shows("mqtt.msgtype == 1", "1 of 32")


async def test_the_filter_of_every_packet_selects_it() -> None:
    log = log_of("plain/topic")
    async with filled() as (run, _):
        pairs = run.app.pump.pairs
        for no in run.log.numbers():
            assert compile_filter(of_packet(run.log, pairs, no)).matches(Row(run.log, no, Facts(pairs=pairs)))
        for no in log.numbers():
            compile_filter(of_packet(log, pairs, no))


async def test_a_field_is_applied_excluded_and_combined() -> None:
    async with filled() as (run, _):
        run.main.inspector.packets.go_to(7)
        await run.press("enter")
        details = run.main.inspector.details
        await run.until(lambda: details.has_focus, "in the details")
        await to_field(run, "mqtt.qos")
        await run.press("a")
        await settled(run)
        await run.shows("mqtt.qos == 1  ✓", "10 of 32")
        assert details.has_focus
        await to_field(run, "mqtt.msgid")
        await run.press("minus")
        await settled(run)
        await run.shows("mqtt.qos == 1 and not mqtt.msgid == 3", "9 of 32")
        await run.press("A")
        await run.shows("only this", "… or not this")
        await run.press("o")
        await settled(run)
        assert run.app.filtering.applied is not None
        before = run.app.filtering.applied.filter.text
        assert before.startswith("(mqtt.qos == 1 and not mqtt.msgid == 3) or mqtt.msgid == ")
        await run.press("A", "escape")
        assert run.app.filtering.applied.filter.text == before


async def test_a_field_without_a_name_says_so() -> None:
    async with filled() as (run, _):
        run.main.inspector.packets.go_to(7)
        await run.press("enter")
        details = run.main.inspector.details
        await run.until(lambda: details.has_focus, "in the details")
        for _ in range(details.row_count):
            if details.selected is not None and not details.selected.filter:
                await run.press("a")
                await run.shows("no name in filters")
                return
            await run.press("down")
        pytest.fail("every field has a name: choose another packet for this test")


async def test_minus_on_a_row_hides_its_topic_step_by_step() -> None:
    async with filled() as (run, _):
        run.main.inspector.packets.go_to(6)
        await run.press("minus")
        await settled(run)
        await run.shows('not mqtttui.topic == "house/light"', "22 of 32")
        run.main.inspector.packets.go_to(7)
        await run.press("minus")
        await settled(run)
        assert shown(run) == [1, 2]
        await apply(run, "")
        assert len(shown(run)) == 32
