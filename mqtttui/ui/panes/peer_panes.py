"""Panes 1 to 3 of one peer: its drafts, subscriptions and publishes stay with it while another peer is the current one."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical

from mqtttui.client.events import ConnectionState
from mqtttui.ui.panes.connection import ConnectionPane
from mqtttui.ui.panes.publish import PublishPane
from mqtttui.ui.panes.subscriptions import SubscriptionsPane


class PeerPanes(Vertical):
    """Only those of the current peer are shown (`-current`)."""

    def __init__(self, peer: str) -> None:
        super().__init__()
        self.connection = ConnectionPane(peer, id="connection")
        self.subscriptions = SubscriptionsPane(peer, id="subscriptions")
        self.publish = PublishPane(peer, id="publish")

    def compose(self) -> ComposeResult:
        yield self.connection

    async def mount_rest(self) -> None:
        """What the first paint does without."""
        await self.mount(self.subscriptions, self.publish)

    @property
    def all(self) -> tuple[ConnectionPane, SubscriptionsPane, PublishPane]:
        """The panes in their order."""
        return self.connection, self.subscriptions, self.publish

    def show_name(self, name: str) -> None:
        """What the peer is called where there are several; visible text."""
        for pane in self.all:
            pane.peer_name = name

    def show_state(self, state: ConnectionState) -> None:
        """The state of the peer."""
        for pane in self.all:
            pane.state = state
