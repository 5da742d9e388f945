"""What is to happen as soon as a connection stands: a SUBSCRIBE that was asked for, a message that waits, or an offer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from mqtttui.client.commands import Subscribe
from mqtttui.config.settings import Settings
from mqtttui.protocol.packets import Properties, TopicRequest
from mqtttui.ui import notices

if TYPE_CHECKING:
    from mqtttui.config.draft import Parsed


class AfterConnecting:
    """What waits for the next connection of one peer."""

    def __init__(self, peer: str, settings: Settings) -> None:
        self._peer = peer
        self._requests: tuple[TopicRequest, ...] = settings.subscriptions
        self._properties: Properties = settings.subscribe_properties
        self.wanted = True
        """Switched off in the Connection pane, the subscriptions are dropped instead of sent."""
        self._message = settings.publish is not None
        """A command filled the Publish pane; that is said when it can be sent."""
        self._notice: Content | None = None
        self._offered = False

    def expect(self, parsed: Parsed) -> None:
        """What a pasted URL or command asks for."""
        self.subscribe(parsed.subscriptions, parsed.subscribe_properties)
        self._message = parsed.publish is not None

    def subscribe(self, requests: Sequence[TopicRequest], properties: Properties = (), notice: Content | None = None) -> None:
        """These subscriptions; `notice` is shown with them."""
        self._requests, self._properties, self.wanted, self._notice = tuple(requests), properties, True, notice

    def offer_nothing(self) -> None:
        """What it is for is known."""
        self._offered = True

    def connected(self, *, subscribed: bool) -> tuple[Subscribe | None, Content | None]:
        """The connection stands: the command to send, and the notice to show."""
        requests, properties, wanted, message = self._requests, self._properties, self.wanted, self._message
        self._requests, self._properties, self.wanted, self._message = (), (), True, False
        if requests and wanted:
            return Subscribe(self._peer, requests, properties), self._notice
        if message:
            return None, notices.MESSAGE_WAITS
        if not subscribed and not self._offered:
            self._offered = True
            return None, notices.OFFER
        return None, None
