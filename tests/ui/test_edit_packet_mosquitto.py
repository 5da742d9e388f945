"""Broken packets made by hand in the editor, sent to a real mosquitto through a recording proxy: what leaves, and what it provokes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from mqtttui.client.events import Phase
from mqtttui.config.options import ConnectOptions
from mqtttui.config.settings import Settings
from mqtttui.protocol.enums import Direction, PacketType, Version
from mqtttui.protocol.packets import Connect, Publish, Subscribe, TopicRequest, encode
from mqtttui.ui.forms.packet_new import LETTERS
from mqtttui.ui.screens.edit_packet import EditPacket
from tests.support.brokers import Broker
from tests.support.proxy import Proxy
from tests.support.screen import Running, running

V5, V311 = Version.V5, Version.V311


@asynccontextmanager
async def connected(broker: Broker, version: Version, size: tuple[int, int] = (120, 36)) -> AsyncIterator[tuple[Running, Proxy]]:
    """Connected through a proxy, the packet list in front."""
    async with Proxy(broker.host, broker.port) as proxy:
        options = ConnectOptions(proxy.host, proxy.port, connect=Connect(f"by-hand-{version.label}", version))
        async with running(Settings(options=options, connect_now=True), size=size) as run:
            await run.until(lambda: run.app.state.phase is Phase.CONNECTED, "connected")
            await run.caught_up()
            await run.press("4")
            yield run, proxy


async def begin(run: Running, kind: PacketType) -> EditPacket:
    """A new packet of a type in the editor."""
    await run.press("E", LETTERS[kind])
    await run.until(lambda: isinstance(run.app.screen, EditPacket) and run.app.screen.is_mounted, "the editor")
    await run.pilot.pause()
    screen = run.app.screen
    assert isinstance(screen, EditPacket)
    return screen


async def at_row(run: Running, label: str) -> None:
    """Down to a row of the form."""
    assert isinstance(run.app.screen, EditPacket)
    form = run.app.screen._form
    await run.press("home")
    for _ in range(100):
        row = form._list.row(form.selected)
        if row is not None and row.label == label:
            return
        await run.press("down")
    raise AssertionError(f"no row {label}")


async def choose(run: Running, label: str, key: str = "right", times: int = 1) -> None:
    await at_row(run, label)
    await run.press(*[key] * times)


async def fill(run: Running, label: str, text: str) -> None:
    await at_row(run, label)
    await run.press("enter", "end", "ctrl+u")
    await run.type(text)
    await run.press("escape")


async def reserved_flag(run: Running) -> bytes:
    """PINGREQ with a flag that must be 0."""
    await begin(run, PacketType.PINGREQ)
    await fill(run, "Flags", "0001")
    return b"\xc1\x00"


async def wildcard_in_topic(run: Running) -> bytes:
    """PUBLISH to a filter."""
    await begin(run, PacketType.PUBLISH)
    await fill(run, "Topic Name", "a/+/b")
    return encode(Publish("a/+/b", b"payload"), V311)


async def qos_3(run: Running) -> bytes:
    """PUBLISH with both bits of QoS."""
    await begin(run, PacketType.PUBLISH)
    await choose(run, "QoS", times=3)
    return encode(Publish("topic", b"payload", 3, packet_id=1), V311)


async def identifier_0(run: Running) -> bytes:
    """PUBLISH QoS 1 with the identifier 0."""
    await begin(run, PacketType.PUBLISH)
    await choose(run, "QoS")
    await fill(run, "Packet Identifier", "0")
    return encode(Publish("topic", b"payload", 1, packet_id=0), V311)


async def subscribe_flags(run: Running) -> bytes:
    """SUBSCRIBE with the flags 0000."""
    await begin(run, PacketType.SUBSCRIBE)
    await fill(run, "Flags", "0000")
    return encode(Subscribe(1, (TopicRequest("topic"),)), V311, header_flags=0)


async def bad_filter(run: Running) -> bytes:
    """SUBSCRIBE to a/#/b."""
    await begin(run, PacketType.SUBSCRIBE)
    await fill(run, "Topic Filter", "a#/b")
    return encode(Subscribe(1, (TopicRequest("a#/b"),)), V311)


async def bad_utf_8(run: Running) -> bytes:
    """PUBLISH to a topic that is no UTF-8."""
    await begin(run, PacketType.PUBLISH)
    await fill(run, "Topic Name", "a/\\xff\\xfe")
    return encode(Publish(b"a/\xff\xfe", b"payload"), V311)


async def second_connect(run: Running) -> bytes:
    """The CONNECT of this connection once more."""
    await begin(run, PacketType.CONNECT)
    return encode(Connect("by-hand-3.1.1", V311), V311)


BROKEN = [reserved_flag, wildcard_in_topic, qos_3, identifier_0, subscribe_flags, bad_filter, bad_utf_8, second_connect]


@pytest.mark.parametrize("make", BROKEN, ids=lambda make: make.__name__)
async def test_a_broken_packet_is_warned_of_leaves_as_it_is_and_what_it_provokes_is_seen(
    mosquitto_broker: Broker, make: Callable[[Running], Awaitable[bytes]]
) -> None:
    async with connected(mosquitto_broker, V311) as (run, proxy):
        wanted = await make(run)
        screen = run.app.screen
        assert isinstance(screen, EditPacket)
        assert screen.draft.raw == wanted
        await run.press("ctrl+s")
        await run.shows("ctrl+s again sends it")
        before = bytes(proxy.connections[0].to_server.data)
        await run.press("ctrl+s")
        if make is reserved_flag:
            await run.shows("+0.0 ms ▲ PINGREQ", "▼ PINGRESP")  # mosquitto 2.0 does not look at these bits
        else:
            await run.shows("+0.0 ms ▲", "connection over")
            assert run.app.state.phase is Phase.IDLE
        assert bytes(proxy.connections[0].to_server.data) == before + wanted
        recorded = b"".join(run.log[no].raw for no in run.log.numbers() if run.log.head(no).direction is Direction.C2S)
        assert recorded == bytes(proxy.connections[0].to_server.data)


async def test_a_publish_that_is_never_acknowledged_by_us_is_answered_and_stays_open(mosquitto_broker: Broker) -> None:
    """QoS 2 without the PUBREL: mosquitto answers PUBREC and waits; then the flow is completed by hand."""
    async with connected(mosquitto_broker, V5) as (run, proxy):
        await begin(run, PacketType.PUBLISH)
        await choose(run, "QoS", times=2)
        await fill(run, "Packet Identifier", "77")
        before = bytes(proxy.connections[0].to_server.data)
        await run.press("ctrl+s")
        await run.shows("▼ PUBREC", "#77", "a PUBREC for it gets no PUBREL by itself")
        publish = encode(Publish("topic", b"payload", 2, packet_id=77), V5)
        assert bytes(proxy.connections[0].to_server.data) == before + publish
        await choose(run, "Control Packet Type", times=3)
        screen = run.app.screen
        assert isinstance(screen, EditPacket)
        assert screen.draft.dissection.type is PacketType.PUBREL
        await run.press("ctrl+e")
        screen._hex.select_all()
        await run.press("delete")
        await run.type("6202 004d")
        await run.press("ctrl+s")
        await run.shows("▲ PUBREL", "▼ PUBCOMP")
        assert bytes(proxy.connections[0].to_server.data) == before + publish + b"\x62\x02\x00\x4d"
        assert run.app.state.phase is Phase.CONNECTED


async def test_an_identifier_in_use_is_sent_all_the_same(mosquitto_broker: Broker) -> None:
    async with connected(mosquitto_broker, V5) as (run, proxy):
        await begin(run, PacketType.PUBLISH)
        await choose(run, "QoS", times=2)
        before = bytes(proxy.connections[0].to_server.data)
        await run.press("ctrl+s")
        await run.shows("▼ PUBREC")
        await fill(run, "Payload", "another message")
        await run.press("ctrl+s")
        await run.until(lambda: bytes(proxy.connections[0].to_server.data).count(b"topic") == 2, "both have left")
        await run.until(
            lambda: sum(run.log.head(no).first_byte == 0x50 for no in run.log.numbers()) == 2 or run.app.state.phase is Phase.IDLE,
            "mosquitto answered both, or closed",
        )
        both = encode(Publish("topic", b"payload", 2, packet_id=1), V5) + encode(Publish("topic", b"another message", 2, packet_id=1), V5)
        assert bytes(proxy.connections[0].to_server.data) == before + both


async def test_a_connect_made_by_hand_opens_a_connection(mosquitto_broker: Broker) -> None:
    async with connected(mosquitto_broker, V5) as (run, proxy):
        await begin(run, PacketType.CONNECT)
        await fill(run, "Client Identifier", "another-one")
        await fill(run, "Keep Alive", "7")
        wanted = encode(Connect("another-one", V5, keep_alive=7), V5)
        await run.press("ctrl+o")
        await run.shows("the present connection is ended first")
        await run.press("ctrl+o")
        await run.until(lambda: run.app.state.client_id == "another-one" and run.app.state.phase is Phase.CONNECTED, "connected again")
        await run.shows("▲ CONNECT", "▼ CONNACK")
        assert bytes(proxy.connections[1].to_server.data) == wanted
        assert run.app.state.keep_alive == 7


async def test_publish_as_the_first_packet_is_refused(mosquitto_broker: Broker) -> None:
    async with connected(mosquitto_broker, V5) as (run, proxy):
        screen = await begin(run, PacketType.PUBLISH)
        await run.press("ctrl+o", "ctrl+o")
        await run.shows("connection over")
        assert bytes(proxy.connections[1].to_server.data) == screen.draft.raw
        assert run.log.connection(1).closed is not None


async def test_a_captured_packet_is_repeated(mosquitto_broker: Broker) -> None:
    async with connected(mosquitto_broker, V5, size=(80, 24)) as (run, proxy):
        screen = await begin(run, PacketType.PUBLISH)
        await run.press("ctrl+t")
        await run.press("end", "ctrl+u")
        await run.type("50")
        await run.press("tab", "end", "ctrl+u", "0", "enter")
        await run.shows("sent 50 times")
        await run.until(lambda: bytes(proxy.connections[0].to_server.data).endswith(screen.draft.raw * 50), "all have arrived")
