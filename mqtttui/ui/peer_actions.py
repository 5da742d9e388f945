"""What keys do with connections: the menu of the current one, the list of all, other ways to look at what they do."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from mqtttui.ui.main_actions import MainActions

if TYPE_CHECKING:
    from mqtttui.client.events import ConnectionState
    from mqtttui.ui.panes.connection import ConnectionPane
    from mqtttui.ui.peer_dialogs import PeerDialogs
    from mqtttui.ui.peer_events import PeerEvents
    from mqtttui.ui.peers import Peers
    from mqtttui.ui.profile_dialogs import ProfileDialogs
    from mqtttui.ui.session_dialogs import SessionDialogs
    from mqtttui.ui.switchboard import Switchboard
    from mqtttui.ui.try_v5 import TryV5
    from mqtttui.ui.widgets.peers_line import PeersLine


class PeerActions(MainActions):
    """A layer of the application, which makes what is only declared here."""

    peers: Peers
    peer_events: PeerEvents
    _board: Switchboard
    _peer_dialogs: PeerDialogs
    _profiles: ProfileDialogs
    _sessions: SessionDialogs
    _try_v5: TryV5

    @property
    def state(self) -> ConnectionState:
        """The state of the current peer."""
        return self.peers.current.state

    def action_profiles(self) -> None:
        """Choose, save and change profiles."""
        self._profiles.ask()

    def action_connect_menu(self) -> None:
        """Connect; when connected, what can be done with the connection."""
        self._dialogs.connection(self.state, self._open_other)

    def _open_other(self, choice: str) -> None:
        """A choice of the connect menu that opens something else."""
        others: dict[str, Callable[[], None]] = {
            "another": self._peer_dialogs.ask_another,
            "try_v5": self.action_try_v5,
            "auth": lambda: self._sessions.answer_auth(self.state),
            "again": lambda: self._sessions.authenticate_again(self.state),
            "limits": self.action_limits,
            "session": self.action_session,
            "misbehave": self.action_misbehave,
        }
        if choice in others:
            others[choice]()

    def action_limits(self) -> None:
        """Granted, asked, in use."""
        self._sessions.limits(lambda: self.state)

    def action_session(self) -> None:
        """Look into the session of a device."""
        self._sessions.session(self.state)

    def action_misbehave(self) -> None:
        """Do something wrong on purpose."""
        self._sessions.misbehave(self.state)

    def action_try_v5(self) -> None:
        """Try the same with MQTT 5."""
        self._try_v5.ask()

    def on_publish_pane_try_v5_wanted(self) -> None:
        self._try_v5.ask()

    def action_peers(self) -> None:
        """All connections; another one, rename, close."""
        self._peer_dialogs.ask()

    def action_step_peer(self, by: int) -> None:
        """Another connection becomes the current one."""
        self._board.step(by)

    def on_peers_line_chosen(self, event: PeersLine.Chosen) -> None:
        if (peer := self.peers.of(event.id)) is not None:
            self._board.select(peer)

    def action_why(self) -> None:
        """Why it failed, how long connecting took."""

        def name_of(id: str) -> str:
            peer = self.peers.of(id)
            return peer.name if peer is not None else "(closed)"

        self._dialogs.why(self.peer_events.attempts, name_of, self._outlets.give_out, self.action_apply_fix)

    def action_security(self) -> None:
        """TLS and its certificates, headers of WebSocket, proxy."""
        self._dialogs.security(self._outlets.give_out)

    def action_subscribe_prompt(self) -> None:
        """Ask for a filter and subscribe."""
        self._dialogs.subscribe(self.state)

    def on_connection_pane_parsed(self, event: ConnectionPane.Parsed) -> None:
        peer = self.peers.of(event.peer)
        if peer is not None:
            self._profiles.clear(peer)
            peer.after.expect(event.parsed)
            if event.parsed.publish is not None:
                peer.panes.publish.load(event.parsed.publish)

    def on_connection_pane_subscribe_after(self, event: ConnectionPane.SubscribeAfter) -> None:
        peer = self.peers.of(event.peer)
        if peer is not None:
            peer.after.wanted = event.wanted
