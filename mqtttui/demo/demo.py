"""The demo: the embedded broker with its simulated devices, ready to connect to."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from mqtttui.config.options import ConnectOptions
from mqtttui.demo.broker import DemoBroker
from mqtttui.demo.core import Core
from mqtttui.demo.devices import run_devices
from mqtttui.protocol.enums import PropertyId, Version
from mqtttui.protocol.packets import Connect, Property, TopicRequest

SEED = 42
TOPICS = TopicRequest("demo/#", 2)
"""What to subscribe to: all devices, each at its own QoS."""


class Demo:
    """Start it, connect with `options()`, subscribe to `TOPICS`, stop it; also a context manager."""

    def __init__(self, *, seed: int = SEED, pace: float = 1.0) -> None:
        async def devices(core: Core) -> None:
            await run_devices(core, seed, pace)

        self.broker = DemoBroker(companions=[devices])

    def start(self) -> tuple[str, int]:
        """Runs the broker and the devices in a thread; host and port. Raises OSError if there is no port."""
        return self.broker.host, self.broker.start()

    def stop(self) -> None:
        """Ends them; no thread and no socket is left. Harmless if they do not run."""
        self.broker.stop()

    def options(self) -> ConnectOptions:
        """How to connect: MQTT 5, with topic aliases, so that there is something to see."""
        properties = (Property(PropertyId.SESSION_EXPIRY_INTERVAL, 0), Property(PropertyId.TOPIC_ALIAS_MAXIMUM, 5))
        connect = Connect("mqtttui-demo", Version.V5, keep_alive=30, properties=properties)
        return ConnectOptions(self.broker.host, self.broker.port, connect=connect)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
