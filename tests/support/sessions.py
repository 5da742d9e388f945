"""A Session under test: its log, its events, and ways to wait for what they say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from mqtttui.capture.log import Log
from mqtttui.client import commands
from mqtttui.client.events import ConnectionState, Event, Outcome, Phase, PublishChanged, Rejected, StateChanged
from mqtttui.client.session import Session
from mqtttui.config.options import ConnectOptions
from mqtttui.protocol.enums import Direction, PacketType
from mqtttui.protocol.packets import Connect, Property, Publish, TopicRequest
from tests.support.waiting import wait_until

PEER = "peer"


class Driver:
    """A Session with everything it told. Use as an asynchronous context manager."""

    def __init__(self) -> None:
        self.log = Log()
        self.events: list[Event] = []
        self.session = Session(PEER, self.log, self.events.append)
        self._token = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.session.close()

    @property
    def state(self) -> ConnectionState:
        return self.session.state

    # Commands

    def connect(self, port: int, host: str = "127.0.0.1", connect: Connect | None = None, **options: Any) -> ConnectOptions:
        """Starts to connect; `options` are fields of ConnectOptions."""
        made = ConnectOptions(host=host, port=port, connect=connect or Connect(client_id="tester"), **options)
        self.session.execute(commands.Connect(PEER, made))
        return made

    async def connected(self, port: int, host: str = "127.0.0.1", connect: Connect | None = None, **options: Any) -> ConnectOptions:
        """Connects and waits until it is, or was for a moment."""
        before = len(self.events)
        made = self.connect(port, host, connect, **options)

        def was_connected() -> bool:
            return any(isinstance(event, StateChanged) and event.state.phase is Phase.CONNECTED for event in self.events[before:])

        await self.until(was_connected, "to be connected")
        return made

    def subscribe(self, *requests: TopicRequest | str, properties: tuple[Property, ...] = ()) -> None:
        made = tuple(TopicRequest(request) if isinstance(request, str) else request for request in requests)
        self.session.execute(commands.Subscribe(PEER, made, properties))

    async def subscribed(self, *requests: TopicRequest | str, properties: tuple[Property, ...] = ()) -> None:
        """Subscribes and waits for every answer."""
        self.subscribe(*requests, properties=properties)
        await self.until(lambda: all(row.answer != "waiting for SUBACK" for row in self.state.subscriptions), "SUBACK")

    def publish(self, topic: str | bytes, payload: bytes = b"", **fields: Any) -> int:
        """Publishes; `anyway` and `verify` go to the command, the rest to the packet. Returns the token."""
        self._token += 1
        flags = {name: fields.pop(name) for name in ("anyway", "verify") if name in fields}
        self.session.execute(commands.SendPublish(PEER, self._token, Publish(topic, payload, **fields), **flags))
        return self._token

    def ping(self) -> None:
        self.session.execute(commands.Ping(PEER))

    def cancel(self) -> None:
        self.session.execute(commands.Cancel(PEER))

    def cut(self) -> None:
        self.session.execute(commands.CutLink(PEER))

    async def disconnect(self, **fields: Any) -> None:
        """Disconnects and waits until it is over."""
        self.session.execute(commands.Disconnect(PEER, **fields))
        await self.phase(Phase.IDLE)

    # What was told

    async def until(self, predicate: Callable[[], Any], message: str, seconds: float = 10.0) -> Any:
        """Waits for `predicate`; the failure shows the state and the packets."""
        return await wait_until(predicate, lambda: f"{message}\n{self.describe()}", seconds)

    async def phase(self, phase: Phase, seconds: float = 10.0) -> ConnectionState:
        """Waits until the session is in `phase`."""
        await self.until(lambda: self.state.phase is phase, f"phase {phase.name}", seconds)
        return self.state

    async def failed(self, seconds: float = 10.0) -> ConnectionState:
        """Waits until the attempt or connection has ended with a failure."""
        await self.until(lambda: self.state.phase is Phase.IDLE and self.state.failure is not None, "a failure", seconds)
        return self.state

    def outcomes(self, token: int) -> list[Outcome]:
        return [event.outcome for event in self.changes(token)]

    def changes(self, token: int) -> list[PublishChanged]:
        return [event for event in self.events if isinstance(event, PublishChanged) and event.token == token]

    async def outcome(self, token: int, *outcomes: Outcome, seconds: float = 10.0) -> PublishChanged:
        """Waits until the publish has come to one of `outcomes`; returns that event."""

        def found() -> PublishChanged | None:
            return next((event for event in self.changes(token) if event.outcome in outcomes), None)

        event = await self.until(found, f"publish {token} to be {outcomes}", seconds)
        assert isinstance(event, PublishChanged)
        return event

    @property
    def rejections(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, Rejected)]

    @property
    def states(self) -> list[ConnectionState]:
        return [event.state for event in self.events if isinstance(event, StateChanged)]

    # What was recorded

    def raw(self, direction: Direction, connection: int | None = None) -> bytes:
        """All bytes of a direction in the log."""
        return b"".join(self.log[no].raw for no in self._numbers(direction, connection))

    def types(self, direction: Direction | None = None, connection: int | None = None) -> list[PacketType]:
        """Types of the packets in the log, in order."""
        return [PacketType(self.log.head(no).first_byte >> 4) for no in self._numbers(direction, connection)]

    def count(self, kind: PacketType, direction: Direction | None = None) -> int:
        return self.types(direction).count(kind)

    def _numbers(self, direction: Direction | None, connection: int | None) -> list[int]:
        heads = [(no, self.log.head(no)) for no in self.log.numbers(1)]
        return [
            no
            for no, head in heads
            if (direction is None or head.direction is direction) and (connection is None or head.connection == connection)
        ]

    def describe(self) -> str:
        """State and packets, for a failure's message."""
        state = self.state
        packets = ", ".join(f"{self.log.head(no).direction.label} {self.log[no].raw[:24].hex()}" for no in self.log.numbers(1))
        publishes = [(event.token, event.outcome.value, event.text) for event in self.events if isinstance(event, PublishChanged)]
        return (
            f"phase {state.phase}, failure {state.failure}, ended {state.ended!r}, warning {state.warning!r}\n"
            f"steps {[(step.name, step.status.value, step.detail) for step in state.steps]}\n"
            f"packets {packets}\npublishes {publishes}\nrejected {self.rejections}"
        )


def with_connect(options: ConnectOptions, **changes: Any) -> ConnectOptions:
    """The same options with a changed CONNECT."""
    return replace(options, connect=replace(options.connect, **changes))
