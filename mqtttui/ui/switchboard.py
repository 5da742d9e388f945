"""Opening, closing, naming and changing the current one of several connections, and showing how they stand."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from mqtttui.capture.log import Log
from mqtttui.config.options import ConnectOptions
from mqtttui.config.settings import Settings
from mqtttui.ui.after_connecting import AfterConnecting
from mqtttui.ui.forms.connect import generated_client_id
from mqtttui.ui.forms.rows import FormError
from mqtttui.ui.peer_events import PeerEvents
from mqtttui.ui.peers import MakeSession, Peer, Peers
from mqtttui.ui.peers_shown import show_peers
from mqtttui.ui.screens.main import MainScreen

_NAME_FIELD = "mqtttui.profile"


class Switchboard:
    """Everything that changes which peers there are."""

    def __init__(self, peers: Peers, log: Log, main: MainScreen, news: PeerEvents, make_session: MakeSession) -> None:
        self._peers = peers
        self._log = log
        self._main = main
        self._news = news
        self._make_session = make_session

    async def open(self, name: str = "", options: ConnectOptions | None = None) -> Peer:
        """One more, with these settings in its form; it becomes the current one. Needs room (`Peers.full`)."""
        name = self._peers.free_name(name)
        id = self._peers.free_id(name)
        peer = Peer(id, name, self._make_session(id), AfterConnecting(id, Settings()))
        self._peers.add(peer)
        self._log.peer_names[id] = name
        peer.panes.connection.who_is_kicked = self._peers.current.panes.connection.who_is_kicked
        await self._main.add_panes(peer.panes)
        if options is not None:
            peer.panes.connection.load(options)
            peer.adopt(self._peers.current)
            peer.panes.connection.describe(*self._peers.current.panes.connection.described)
        self.select(peer)
        return peer

    def settings_for_another(self) -> ConnectOptions:
        """The settings of the current one, with another client id where it has one, for the brokers disconnect whose id comes again."""
        peer = self._peers.current
        try:
            options = peer.panes.connection.options()
        except FormError:
            options = peer.state.options or ConnectOptions()
        if not options.connect.client_id:
            return options
        return replace(options, connect=replace(options.connect, client_id=generated_client_id()))

    def select(self, peer: Peer) -> None:
        """It becomes the current one."""
        before = self._peers.current
        self._peers.select(peer)
        self._main.show_panes(peer.panes, peer.state)
        self._news.selected(before)
        show_peers(self._peers, self._main)

    def step(self, by: int) -> None:
        """To the one so many places on."""
        if self._peers.several:
            self.select(self._peers.beside(by))
        else:
            self._main.say("there is one connection; L opens another one")

    def rename(self, peer: Peer, name: str) -> None:
        """Call it something else."""
        peer.name = self._log.peer_names[peer.id] = name
        self._main.inspector.packets.forget()
        applied = self._main.parts.filtering.applied
        if applied is not None and _NAME_FIELD in applied.filter.text:
            self._main.views.apply(applied)
        show_peers(self._peers, self._main)

    async def close(self, peer: Peer) -> None:
        """End its connection, and forget its settings. Its packets stay."""
        current = self._peers.is_current(peer)
        self._peers.remove(peer)
        self._news.closed(peer)
        if current:
            now = self._peers.current
            self._main.show_panes(now.panes, now.state)
            self._news.selected(peer)
        show_peers(self._peers, self._main)
        await peer.panes.remove()
        await peer.session.close()

    async def close_all(self) -> None:
        """End all sessions."""
        await asyncio.gather(*(peer.session.close() for peer in self._peers.all))
