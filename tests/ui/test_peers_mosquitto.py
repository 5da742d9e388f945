"""Several connections at once on real brokers, by keyboard: publisher and subscriber, takeover, a bridge, another try in MQTT 5."""

from __future__ import annotations

from pathlib import Path

import pytest

from mqtttui.client.events import Phase
from mqtttui.config.options import ConnectOptions
from mqtttui.config.settings import Settings
from mqtttui.protocol.enums import Direction, PacketType, Version
from mqtttui.protocol.packets import Connect, TopicRequest
from mqtttui.ui.peers import Peer
from tests.support.brokers import HOST, Broker, mosquitto
from tests.support.screen import Running, running
from tests.ui.test_peers import BEFORE, NEXT, another, type_topic

LONG = 30.0
"""Seconds that a broker and a busy machine may take."""


async def phase(run: Running, peer: Peer, wanted: Phase) -> None:
    """Wait for it."""
    await run.until(lambda: peer.state.phase is wanted, f"{peer.name} is {wanted.value}", LONG)


async def connected(run: Running, peer: Peer) -> Peer:
    """Connect the current one with what its form shows."""
    assert run.app.peers.current is peer
    await run.press("escape", "c")
    await phase(run, peer, Phase.CONNECTED)
    return peer


async def fill(run: Running, row: str, text: str) -> None:
    """Type over a text of the Connection form."""
    form = run.main.connection.form
    form.go(row)
    await run.until(lambda: form.typing and form.selected == row, "the row takes keys")
    await run.press("end", "ctrl+u")
    await run.type(text)
    await run.press("escape")


def packets_of(run: Running, peer: str, kind: PacketType, direction: Direction) -> list[int]:
    """Numbers of its packets of a type."""
    heads = ((no, run.log.head(no)) for no in run.log.numbers())
    return [
        no
        for no, head in heads
        if head.direction is direction and head.first_byte >> 4 == kind and run.log.connection(head.connection).peer == peer
    ]


def main_options(broker: Broker, version: Version = Version.V311, client_id: str = "") -> ConnectOptions:
    """Of the first connection."""
    return ConnectOptions(HOST, broker.port, connect=Connect(client_id, version))


async def test_four_connections_of_one_broker_on_one_clock(mosquitto_broker: Broker) -> None:
    settings = Settings(
        options=main_options(mosquitto_broker, Version.V5, "peers-main"), connect_now=True, subscriptions=(TopicRequest("peers/#", 1),)
    )
    async with running(settings) as run:
        first = run.app.peers.current
        await phase(run, first, Phase.CONNECTED)
        peers = [first]
        for name in ("second", "third", "fourth"):
            peers.append(await connected(run, await another(run)))
            assert peers[-1].name == name
        await run.shows("● main   ● second   ● third   ● fourth")
        await type_topic(run, "peers/x")
        await run.press("ctrl+s")
        await run.until(lambda: packets_of(run, "main", PacketType.PUBLISH, Direction.S2C), "the subscriber has it", LONG)
        sent = packets_of(run, "fourth", PacketType.PUBLISH, Direction.C2S)[0]
        came = packets_of(run, "main", PacketType.PUBLISH, Direction.S2C)[0]
        assert run.log.head(sent).mono < run.log.head(came).mono
        await run.press("4")
        await run.shows("fourth ▲ PUBLISH", "main   ▼ PUBLISH")
        await run.press(NEXT, "2")
        await run.until(lambda: run.app.peers.current is first, "after the last one comes the first")
        await run.until(lambda: [count.total for count in run.main.subscriptions.counts.values()] == [1], "counted at its filter", LONG)
        assert not peers[3].panes.subscriptions.counts
        await run.press("ctrl+q")
        await run.shows("Quit?", *(f"{peer.name}: connected to" for peer in peers))
        await run.press("y")
        await run.until(lambda: run.app._exit, "it quits", LONG)
    assert all(info.closed is not None for info in run.log.connections)
    goodbyes = [packets_of(run, peer.id, PacketType.DISCONNECT, Direction.C2S) for peer in peers]
    assert [len(found) for found in goodbyes] == [1, 1, 1, 1]


@pytest.mark.parametrize("version", [Version.V311, Version.V5])
async def test_the_loser_of_a_takeover_says_who_has_it(mosquitto_broker: Broker, version: Version) -> None:
    client_id = f"peers-takeover-{version.label}"
    options = main_options(mosquitto_broker, version, client_id)
    async with running(Settings(options=options, connect_now=True), size=(80, 24)) as run:
        first = run.app.peers.current
        await phase(run, first, Phase.CONNECTED)
        second = await another(run)
        await fill(run, "client_id", client_id)
        await connected(run, second)
        await phase(run, first, Phase.IDLE)
        await run.shows("main: Taken over by second", "✗ main", "● second")
        assert second.state.phase is Phase.CONNECTED
        await run.press(BEFORE, "1")
        await run.shows("Taken over by second", "same client id")


@pytest.mark.slow
async def test_two_brokers_across_a_bridge(tmp_path: Path) -> None:
    with mosquitto(tmp_path / "main") as main:
        bridge = ["connection up", f"address {HOST}:{main.port}", "topic out/# out 1", "restart_timeout 1", "try_private false"]
        with mosquitto(tmp_path / "site", options=[*bridge, "notifications false"]) as site:
            settings = Settings(options=main_options(main, client_id="peers-hub"), connect_now=True, subscriptions=(TopicRequest("out/#"),))
            async with running(settings) as run:
                first = run.app.peers.current
                await run.until(lambda: first.state.subscriptions and first.state.subscriptions[0].active, "subscribed", LONG)
                second = await another(run, "site")
                await fill(run, "port", str(site.port))
                await connected(run, second)
                await type_topic(run, "out/temp")
                for _ in range(20):
                    # What is published before the bridge stands does not cross it.
                    await run.press("ctrl+s")
                    await run.pilot.pause(0.2)
                    if packets_of(run, "main", PacketType.PUBLISH, Direction.S2C):
                        break
                await run.until(lambda: packets_of(run, "main", PacketType.PUBLISH, Direction.S2C), "it came across", LONG)
                assert first.state.options is not None and second.state.options is not None
                assert first.state.options.port != second.state.options.port
                await run.press("4")
                await run.shows("site ▲ PUBLISH", "main ▼ PUBLISH")


ACL = "topic readwrite free/#\ntopic read closed/#\n"


async def test_what_3_1_1_swallows_mqtt_5_refuses_with_a_code(tmp_path: Path) -> None:
    with mosquitto(tmp_path, acl=ACL) as broker:
        async with running(Settings(options=main_options(broker, client_id="peers-old"), connect_now=True), size=(80, 24)) as run:
            first = run.app.peers.current
            await phase(run, first, Phase.CONNECTED)
            await type_topic(run, "closed/a")
            run.main.publish.form.go("qos", edit=False)
            await run.press("right", "ctrl+s")
            await run.until(lambda: "the broker took it" in run.main.publish.history, "silently taken", LONG)
            await run.press("V")
            await run.shows("Try the same with MQTT 5", "once more: closed/a")
            await run.press("p")
            await run.shows("main v5: CONNECT: accepted", "closed/a: refused: 0x87 not authorized")
            second = run.app.peers.current
            assert second.name == "main v5"
            assert second.state.options is not None and second.state.options.connect.version is Version.V5
            assert second.state.client_id not in ("", "peers-old")
            assert first.state.phase is Phase.CONNECTED, "it was not taken over"
            await run.press("V")
            await run.shows("speaks MQTT 5")
            await run.press("escape", BEFORE, "c", "v")
            await run.shows("Try the same with MQTT 5")
            await run.press("c")
            await run.shows("main v5: CONNECT: accepted")
            assert len(run.app.peers.all) == 2, "the second connection is used again"


@pytest.mark.slow
async def test_the_demo_runs_beside_a_connection(mosquitto_broker: Broker) -> None:
    async with running(Settings(options=main_options(mosquitto_broker, client_id="peers-beside"), connect_now=True)) as run:
        first = run.app.peers.current
        await phase(run, first, Phase.CONNECTED)
        await run.press("f9")
        await run.until(lambda: run.app.peers.current.name == "demo", "a connection of its own")
        await phase(run, run.app.peers.current, Phase.CONNECTED)
        assert first.state.phase is Phase.CONNECTED
        await run.press("4", "q")
        await run.shows("Quit?", "main: connected to")
        assert "demo: connected" not in run.text
