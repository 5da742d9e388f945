"""Driving the whole application in tests: keys, the screen as plain text, a feed of packets, a session that is a fake."""

from __future__ import annotations

import itertools
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from textual.app import App
from textual.pilot import Pilot

from mqtttui.app import PEER, MqttTui
from mqtttui.capture.log import Log, Origin
from mqtttui.capture.recorder import Recorder
from mqtttui.client.commands import Command
from mqtttui.client.events import ConnectionState, Phase
from mqtttui.config.options import ConnectOptions
from mqtttui.config.settings import Settings
from mqtttui.protocol.enums import Direction, Version
from mqtttui.protocol.packets import Connack, Connect, Packet, Publish, encode
from mqtttui.ui.screens.main import MainScreen
from tests.support.waiting import wait_until

_MS = 1_000_000
_WALL = 1_700_000_000_000_000_000


def screen_text(app: App[None]) -> str:
    """What the terminal shows, one line a row, without trailing spaces."""
    lines = app.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in lines)


def screen_lines(app: App[None]) -> list[str]:
    """The rows of `screen_text`."""
    return screen_text(app).split("\n")


class Feed:
    """Writes packets into a log as a connection would; every packet one millisecond after the one before."""

    def __init__(self, log: Log, version: Version = Version.V5, peer: str = PEER) -> None:
        self.log = log
        self.version = version
        self._ticks = itertools.count(1)
        self._start = time.monotonic_ns()
        self.connection = log.open_connection(peer=peer, origin=Origin.OWN, mono=self._start, wall=_WALL, version=version)
        self._recorder = Recorder(log, self.connection)

    def raw(self, chunk: bytes, direction: Direction = Direction.S2C) -> int:
        """Bytes in one chunk; gives the No. of the latest packet."""
        tick = next(self._ticks) * _MS
        write = self._recorder.inbound if direction is Direction.S2C else self._recorder.outbound
        write(chunk, self._start + tick, _WALL + tick)
        return self.log.last

    def send(self, *packets: Packet) -> int:
        """Packets to the broker."""
        for packet in packets:
            self.raw(encode(packet, self.version), Direction.C2S)
        return self.log.last

    def receive(self, *packets: Packet) -> int:
        """Packets from the broker."""
        for packet in packets:
            self.raw(encode(packet, self.version), Direction.S2C)
        return self.log.last

    def connect(self) -> int:
        """CONNECT and CONNACK."""
        self.send(Connect("dev-42", self.version, keep_alive=0))
        return self.receive(Connack())

    def publishes(self, count: int, topic: str = "sensors/a/temp", payload: bytes = b"21.5") -> int:
        """So many received QoS 0 messages."""
        return self.receive(*[Publish(topic, payload)] * count)


class FakeSession:
    """Takes commands, keeps them, and tells what the test says."""

    def __init__(self) -> None:
        self.commands: list[Command] = []

    def execute(self, command: Command) -> None:
        """Keep the command."""
        self.commands.append(command)

    async def close(self) -> None:
        """Nothing to end."""


class Running:
    """A running application."""

    def __init__(self, app: MqttTui, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def main(self) -> MainScreen:
        """The main screen."""
        return self.app._main

    @property
    def log(self) -> Log:
        """The recorded packets."""
        return self.app.log_of_packets

    @property
    def text(self) -> str:
        """The screen."""
        return screen_text(self.app)

    async def press(self, *keys: str) -> None:
        """Keys, one after the other."""
        await self.pilot.press(*keys)

    async def type(self, text: str) -> None:
        """Characters as a person types them."""
        await self.pilot.press(*(_KEYS.get(char, char) for char in text))

    async def until(self, condition: Callable[[], object], what: str, timeout: float = 10.0) -> None:
        """Wait for a condition; the failure shows the screen."""
        await wait_until(condition, lambda: f"{what}\n{self.text}", timeout)

    async def shows(self, *words: str) -> None:
        """Wait until the screen shows all of these."""
        await self.until(lambda: all(word in self.text for word in words), f"the screen shows {words}")

    async def hides(self, *words: str) -> None:
        """Wait until the screen shows none of these."""
        await self.until(lambda: not any(word in self.text for word in words), f"the screen does not show {words}")

    async def caught_up(self) -> None:
        """Wait until everything recorded is on the screen and followed."""
        packets = self.main.inspector.packets
        await self.until(
            lambda: self.app.pump.caught_up and not (packets.following and packets.unseen),
            "the screen caught up",
        )
        await self.pilot.pause()

    def tell(self, state: ConnectionState) -> None:
        """The state of the peer, as a session would tell it."""
        peer = self.app.peers.of(state.peer)
        assert peer is not None
        self.app.peer_events.state_changed(peer, state)

    def tell_connected(self, options: ConnectOptions | None = None, **changes: object) -> None:
        """Connected."""
        options = options or ConnectOptions(connect=Connect("dev-42", Version.V5))
        state = ConnectionState(PEER, Phase.CONNECTED, 0, options, connack=Connack(), client_id="dev-42", keep_alive=60)
        self.tell(state.with_(**changes))

    def fake_session(self) -> FakeSession:
        """Replace the session by one that only listens."""
        fake = FakeSession()
        self.app.peers.current.session = fake
        return fake


@asynccontextmanager
async def running(settings: Settings = Settings(), size: tuple[int, int] = (120, 36), log: Log | None = None) -> AsyncIterator[Running]:
    """The application under a pilot, at its first screen."""
    app = MqttTui(settings, log)
    async with app.run_test(size=size) as pilot:
        await wait_until(lambda: app.ready, "the application is ready")
        await pilot.pause()
        yield Running(app, pilot)


@asynccontextmanager
async def inspecting(count: int = 40, size: tuple[int, int] = (120, 36), log: Log | None = None) -> AsyncIterator[tuple[Running, Feed]]:
    """Connected, with `count` packets received, the list focused."""
    async with running(size=size, log=log) as run:
        run.fake_session()
        # What the feed sends was never subscribed to.
        run.app.pump.findings.mute("B16")
        feed = Feed(run.log)
        feed.connect()
        run.tell_connected()
        feed.publishes(count)
        await run.caught_up()
        yield run, feed


def hostile_texts() -> Sequence[str]:
    """Strings that break screens: escapes, markup, bidi, NUL, combining marks."""
    return (
        "\x1b[31mred\x1b]0;title\x07\x1b[2J",
        "[/b][red]x[/red][@click=app.quit]q[/]",
        "\u202eabc\u2066def\u200b",
        "nul\x00tab\tline\nfeed\r",
        "\x9b31m\x90dcs\x9c",
        "e" + "\u0301" * 40,
        "\\x1b plain backslash",
    )


_KEYS = {" ": "space", "#": "number_sign", "/": "slash", "+": "plus", ":": "colon", ".": "full_stop", "?": "question_mark"}
