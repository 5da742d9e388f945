"""A client inside the broker's process: what a simulated device speaks through instead of a socket."""

from __future__ import annotations

from collections.abc import Callable

from mqtttui.demo.core import Core
from mqtttui.demo.messages import Message
from mqtttui.demo.subscriptions import Subscription
from mqtttui.protocol.packets import Properties, Will


class LocalClient:
    """Publishes and subscribes like a connected client; `die` makes its will fire."""

    online = True

    def __init__(self, core: Core, client_id: str) -> None:
        self.core = core
        self.client_id = client_id
        self._will: Will | None = None
        self._receive: Callable[[Message], None] | None = None

    def connect(self, will: Will | None = None) -> None:
        """Counts as a connected client from now on."""
        self._will = will
        self.core.local_clients.add(self)

    def die(self) -> None:
        """Is gone without a word: the broker publishes the will."""
        self.core.local_clients.discard(self)
        self.core.subscriptions.remove_all(self)
        will, self._will = self._will, None
        if will is not None:
            self.core.publish_will(will, self.client_id)

    def publish(self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False, properties: Properties = ()) -> None:
        """Publishes a message."""
        now = self.core.loop.time()
        message = Message.of(topic.encode(), payload, qos, now, retain=retain, properties=properties, publisher=self.client_id)
        self.core.totals.publishes_received += 1
        self.core.publish(message)

    def subscribe(self, filter: str, receive: Callable[[Message], None]) -> None:
        """Calls `receive` for each message to `filter`; it must not publish before it has returned."""
        self._receive = receive
        self.core.subscriptions.add(self, Subscription(filter.encode(), 2))

    def receive(self, message: Message) -> None:
        """A message has come."""
        if self._receive is not None:
            self._receive(message)
