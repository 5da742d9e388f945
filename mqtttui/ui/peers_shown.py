"""What the main screen shows of all connections: their names, how each stands, which is the current one."""

from __future__ import annotations

from mqtttui.ui.content import join
from mqtttui.ui.peers import Peers, badge
from mqtttui.ui.screens.main import MainScreen
from mqtttui.ui.widgets.peers_line import PeerMark, mark_of


def show_peers(peers: Peers, main: MainScreen) -> None:
    """Show them. A single one needs no name."""
    several, current = peers.several, peers.current
    for peer in peers.all:
        peer.panes.show_name(peer.name if several else "")
    status = main.status
    status.peer_name = current.name if several else ""
    status.label = join(*badge(current.label, current.guard))
    status.elsewhere = any(peer.state.options is not None for peer in peers.all if peer is not current)
    main.peers_line.marks = tuple(PeerMark(peer.id, peer.name, *mark_of(peer.state), peer is current) for peer in peers.all)
