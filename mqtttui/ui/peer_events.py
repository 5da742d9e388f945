"""What the sessions tell: the state of each peer goes to its own panes, and what is to be said of it to the main screen.

Nothing that another peer tells changes what is said of the current one, but for its failures, which name it.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from textual.content import Content

from mqtttui.analysis.subscriptions import SubscriptionCounters
from mqtttui.client.commands import Command
from mqtttui.client.events import (
    ConnectionState,
    Event,
    Failure,
    Observed,
    Phase,
    PublishChanged,
    RawSent,
    Rejected,
    SessionLooked,
    StateChanged,
    TcpMeasured,
)
from mqtttui.protocol.enums import ErrorClass, Version
from mqtttui.ui import notices
from mqtttui.ui.attempts import Attempts
from mqtttui.ui.edit_dialogs import EditDialogs
from mqtttui.ui.peers import Peer, Peers
from mqtttui.ui.peers_shown import show_peers
from mqtttui.ui.screens.main import MainScreen
from mqtttui.ui.session_dialogs import SessionDialogs
from mqtttui.ui.taken_over import TakenOver
from mqtttui.ui.tcp_samples import TcpSamples

_BY_THE_BROKER = ("", "connack")
"""Steps at which a broker may refuse: after CONNECT, and later on."""


class PeerEvents:
    """Events of all peers; those of a peer that is closed are nobody's."""

    def __init__(
        self,
        peers: Peers,
        main: MainScreen,
        counters: SubscriptionCounters,
        tcp: TcpSamples,
        edits: EditDialogs,
        sessions: SessionDialogs,
        send: Callable[[Command], None],
    ) -> None:
        self._peers = peers
        self._main = main
        self._counters = counters
        self._tcp = tcp
        self._edits = edits
        self._sessions = sessions
        self._send = send
        self._taken_over = TakenOver()
        self.attempts = Attempts()
        """The attempts of all peers to connect."""
        self.listener: Callable[[Event], None] = lambda event: None
        """Is told of every event of a peer, when all else has been done."""
        self._notices: dict[str, Content] = {}
        """Id of a peer -> the latest notice about it."""
        self._failures: dict[str, Content] = {}
        """The same of failures."""
        self._offers: dict[str, Content] = {}
        """The same of those that hold only while it is connected, and the current one."""

    def came(self, event: Event) -> None:
        """Something happened."""
        peer = self._peers.of(event.peer)
        if peer is None:
            return
        match event:
            case StateChanged(state=state):
                self.state_changed(peer, state)
            case PublishChanged():
                peer.panes.publish.publish_changed(event)
            case TcpMeasured():
                self._tcp.add(event)
            case RawSent():
                self._edits.raw_sent(event)
            case Observed(text=words):
                self._notice(peer, notices.observed(words))
            case SessionLooked(report=report):
                if (found := self._sessions.looked(peer.id, report)) is not None:
                    self._notice(peer, found)
            case Rejected(text=words):
                if not self._edits.rejected(peer.id, words):
                    self._notice(peer, notices.not_done(words))
        self.listener(event)

    def state_changed(self, peer: Peer, state: ConnectionState) -> None:
        """The state of a peer is another one now."""
        before = peer.state
        state = peer.state = self._taken_over.explained(before, state, (other for other in self._peers.all if other is not peer))
        self.attempts.take(state, time.monotonic_ns(), time.time_ns())
        if before.subscriptions != state.subscriptions:
            self._counters.set_filters(peer.id, [(row.key, row.key, row.identifier) for row in state.subscriptions])
        peer.panes.show_state(state)
        if self._peers.is_current(peer):
            self._main.show_state(state)
        self._edits.show_state(state)
        self._sessions.show_state(state, current=self._peers.is_current(peer))
        show_peers(self._peers, self._main)
        if before.phase is state.phase:
            return
        if before.phase is Phase.CONNECTED:
            self._withdraw_offer(peer)
        self._main.inspector.packets.forget()
        if state.phase is Phase.CONNECTED:
            self._connected(peer)
        elif state.failure is not None and not self._main.starting:
            self._notice_failure(peer, state.failure)
        elif state.phase is Phase.CONNECTING:
            self._connecting(peer)

    def selected(self, before: Peer) -> None:
        """Another peer is the current one: keys that a notice names would be about that one."""
        self._withdraw_offer(before)
        for peer in (before, self._peers.current):
            shown = self._failures.get(peer.id)
            if shown is not None and shown is self._main.noticed and peer.state.failure is not None:
                self._notice_failure(peer, peer.state.failure)

    def closed(self, peer: Peer) -> None:
        """A peer is no more: nothing is heard of it from now on."""
        self.attempts.take(peer.state.with_(phase=Phase.IDLE, failure=None, ended="closed"), time.monotonic_ns(), time.time_ns())
        self._counters.set_filters(peer.id, ())
        self._sessions.closed(peer.id)
        for known in (self._notices, self._failures, self._offers):
            if (shown := known.pop(peer.id, None)) is not None:
                self._main.withdraw(shown)

    def _connected(self, peer: Peer) -> None:
        command, notice = peer.after.connected(subscribed=bool(peer.state.subscriptions))
        if command is not None:
            self._send(command)
        failed = any(shown is self._main.noticed for id, shown in self._failures.items() if id != peer.id)
        if notice is not None and self._peers.is_current(peer) and not failed:
            self._offers[peer.id] = self._notice(peer, notice)

    def _connecting(self, peer: Peer) -> None:
        others = [shown for id, shown in self._notices.items() if id != peer.id]
        if not self._peers.is_current(peer):
            self._main.withdraw(*([self._notices[peer.id]] if peer.id in self._notices else []))
        elif not any(shown is self._main.noticed for shown in others):
            self._main.notice(None)

    def _notice_failure(self, peer: Peer, failure: Failure) -> None:
        options = peer.state.options
        old = options is not None and options.connect.version is not Version.V5
        by_broker = failure.step in _BY_THE_BROKER and failure.cause is ErrorClass.CLOSED and not failure.fixes
        silent = old and by_broker and not self._taken_over.is_explanation(failure)
        self._failures[peer.id] = self._notice(peer, notices.failed(failure, fix=self._peers.is_current(peer), silent=silent))

    def _notice(self, peer: Peer, words: Content) -> Content:
        shown = notices.about(peer.name, words) if self._peers.several else words
        self._notices[peer.id] = shown
        self._main.notice(shown)
        return shown

    def _withdraw_offer(self, peer: Peer) -> None:
        if (shown := self._offers.pop(peer.id, None)) is not None:
            self._main.withdraw(shown)
