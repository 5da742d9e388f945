"""The list of connections, and what can be done with them: another one, another name, closing one."""

from __future__ import annotations

from textual.content import Content

from mqtttui.client.events import Phase
from mqtttui.text import shorten, visible
from mqtttui.ui.peers import MAX_PEERS, Peer, Peers
from mqtttui.ui.screens.line_prompt import LinePrompt
from mqtttui.ui.screens.main import MainScreen
from mqtttui.ui.screens.menu import Choice, Menu
from mqtttui.ui.switchboard import Switchboard

_NAME = 24
"""Most characters of a name."""


class PeerDialogs:
    """Opens dialogs about all connections."""

    def __init__(self, peers: Peers, main: MainScreen, board: Switchboard) -> None:
        self._peers = peers
        self._main = main
        self._board = board

    def ask(self) -> None:
        """Which one shall be the current one, or what shall be done."""
        peers = self._peers
        choices = [Choice(str(at), _name(peer), f"peer {peer.id}", _how(peer)) for at, peer in enumerate(peers.all, 1)]
        if not peers.full:
            choices.append(Choice("n", "another connection", "new", "same settings, another client id"))
        choices.append(Choice("r", "rename", "rename", peers.current.name))
        if peers.several:
            choices.append(Choice("x", "close", "close", f"{peers.current.name}: {_what_closing_does(peers.current)}"))

        async def run(choice: str | None) -> None:
            match choice:
                case None:
                    return
                case "new":
                    self.ask_another()
                case "rename":
                    self._ask_rename()
                case "close":
                    self._main.run_worker(self._board.close(peers.current), group="close connection")
                case _:
                    peer = peers.of(choice.removeprefix("peer "))
                    if peer is not None:
                        self._board.select(peer)

        self._main.app.push_screen(Menu(Content("Connections"), choices), run)

    def ask_another(self) -> None:
        """Ask for a name, and open another connection beside the others."""
        if self._peers.full:
            self._main.say(f"{MAX_PEERS} connections are as many as there can be; L closes one")
            return

        async def run(name: str | None) -> None:
            if name is not None:
                await self._board.open(_said(name), self._board.settings_for_another())
                self._main.show_pane("connection")
                self._main.say(f"{self._peers.current.name} has the same settings, but its own client id; ctrl+s connects")

        hint = "Enter opens its form, nothing is sent yet, Esc leaves"
        self._main.app.push_screen(LinePrompt(Content("Name of the new connection"), hint, self._peers.free_name(), check=self._free), run)

    def _ask_rename(self) -> None:
        peer = self._peers.current

        def run(name: str | None) -> None:
            if name is not None:
                self._board.rename(peer, _said(name))

        def check(name: str) -> str:
            return "" if _said(name) == peer.name else self._free(name)

        self._main.app.push_screen(
            LinePrompt(Content(f"Another name for {peer.name}"), "Enter keeps it, Esc leaves", peer.name, check=check), run
        )

    def _free(self, name: str) -> str:
        if not _said(name):
            return "a name is needed"
        if len(name) > _NAME:
            return f"at most {_NAME} characters"
        return "another connection has this name" if any(peer.name == _said(name) for peer in self._peers.all) else ""


def _said(name: str) -> str:
    return visible(name.strip())


def _name(peer: Peer) -> str:
    return shorten(peer.name, _NAME)


def _how(peer: Peer) -> str:
    """`connected, mqtt://broker.lan:1883, dev-42`."""
    state = peer.state
    failed = state.phase is Phase.IDLE and state.failure is not None
    words = [state.failure.title if failed and state.failure is not None else state.phase.value]
    if state.options is not None:
        words += [visible(state.options.url), state.client_id]
    return ", ".join(word for word in words if word)


def _what_closing_does(peer: Peer) -> str:
    return "disconnects, forgets its form" if peer.state.phase is not Phase.IDLE else "forgets its form; packets stay"
