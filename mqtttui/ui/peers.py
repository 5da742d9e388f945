"""The peers: each a configured client with its Session, its state and its panes. One of them is the current one.

People know a peer by its name, which they can change; commands, events and records know it by its id, which is never used again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from mqtttui import text
from mqtttui.client.commands import Command
from mqtttui.client.events import ConnectionState, Phase
from mqtttui.config.guard import Guard
from mqtttui.config.options import ConnectOptions
from mqtttui.config.profile_secrets import PASSWORD, secrets_of
from mqtttui.ui.after_connecting import AfterConnecting
from mqtttui.ui.content import Part
from mqtttui.ui.panes.peer_panes import PeerPanes

MAX_PEERS = 9
"""As many as there are digits to choose one by."""
_NAMES = ("second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")


if TYPE_CHECKING:
    from mqtttui.config.profiles import Profile
    from mqtttui.config.secrets import Source


_LABEL = 16
"""Characters of a label."""


class Executor(Protocol):
    """What is needed of a Session."""

    def execute(self, command: Command) -> None: ...
    async def close(self) -> None: ...


class Peer:
    """One of them."""

    def __init__(self, id: str, name: str, session: Executor, after: AfterConnecting) -> None:
        self.id = id
        self.name = name
        """What people call it; visible text."""
        self.label = ""
        """What the profile of its connection wants said of it: `PRODUCTION`; visible text."""
        self.guard = Guard.NONE
        """What the profile of its connection lets through."""
        self.profile: Profile | None = None
        """What filled the form."""
        self.fetched: dict[str, bytes] = {}
        """Secrets of that profile by place, as they were fetched."""
        self.session = session
        self.after = after
        """What waits for its next connection."""
        self.state = ConnectionState(id)
        self.panes = PeerPanes(id)

    @property
    def is_busy(self) -> bool:
        """A connection stands, or is being made."""
        return self.state.phase is not Phase.IDLE

    def adopt(self, other: Peer) -> None:
        """The same settings, and the same guard, as another one."""
        self.profile, self.fetched = other.profile, dict(other.fetched)
        self.guard, self.label = other.guard, other.label

    @property
    def in_form(self) -> tuple[Guard, str]:
        """Guard and label of the profile in the form: what a connection with it will have."""
        profile = self.profile
        if profile is None:
            return Guard.NONE, ""
        return profile.guard, text.visible(profile.label or (profile.name if profile.guard is not Guard.NONE else ""))

    def take_profile(self) -> None:
        """The profile in the form is that of the connection from now on."""
        self.guard, self.label = self.in_form

    def missing(self, options: ConnectOptions) -> dict[str, Source]:
        """The secrets that the profile keeps elsewhere and that are not in `options` yet, by place."""
        if self.profile is None:
            return {}
        known = secrets_of(options)
        given = {PASSWORD} if options.connect.password is not None else set()
        return {place: source for place, source in self.profile.contents.pending.items() if place not in known.keys() | given}


def badge(label: str, guard: Guard) -> list[Part]:
    """What stays in the status bar: the label on a colour that says how careful to be, and that in a word."""
    word = {Guard.NONE: "", Guard.ASK: " asks", Guard.READ_ONLY: " read-only"}[guard]
    style = {Guard.NONE: "bold $primary", Guard.ASK: "bold reverse $state-warn", Guard.READ_ONLY: "bold reverse $state-bad"}[guard]
    return [(f" {text.shorten(label, _LABEL)}{word} ", style)] if label else []


class Peers:
    """All peers in the order in which they came; never empty."""

    def __init__(self, first: Peer) -> None:
        self._peers = [first]
        self._current = first
        self._ids = {first.id}

    @property
    def all(self) -> tuple[Peer, ...]:
        """All of them."""
        return tuple(self._peers)

    @property
    def several(self) -> bool:
        """There are at least two, so that names need to be said."""
        return len(self._peers) > 1

    @property
    def full(self) -> bool:
        """There cannot be more."""
        return len(self._peers) >= MAX_PEERS

    @property
    def current(self) -> Peer:
        """The one that keys and forms are about."""
        return self._current

    def of(self, id: str) -> Peer | None:
        """The peer of a command, event or record; None if it is closed."""
        return next((peer for peer in self._peers if peer.id == id), None)

    def is_current(self, peer: Peer) -> bool:
        """Keys and forms are about this one."""
        return peer is self._current

    def select(self, peer: Peer) -> None:
        """Make it the current one."""
        assert peer in self._peers
        self._current = peer

    def beside(self, step: int) -> Peer:
        """The one so many places on; after the last comes the first."""
        return self._peers[(self._peers.index(self._current) + step) % len(self._peers)]

    def free_name(self, wanted: str = "") -> str:
        """A name that no peer has: `wanted`, with a number if it is taken, or else an ordinary one."""
        taken = {peer.name for peer in self._peers}
        if not wanted:
            wanted = next((name for name in _NAMES[len(self._peers) - 1 :] if name not in taken), "other")
        names = (wanted if number == 1 else f"{wanted} {number}" for number in range(1, len(taken) + 2))
        return next(name for name in names if name not in taken)

    def free_id(self, name: str) -> str:
        """An id that was never used: the name itself if possible."""
        ids = (name if number == 1 else f"{name} {number}" for number in range(1, len(self._ids) + 2))
        return next(id for id in ids if id not in self._ids)

    def add(self, peer: Peer) -> None:
        """One more; it is not the current one yet."""
        self._peers.append(peer)
        self._ids.add(peer.id)

    def remove(self, peer: Peer) -> None:
        """One less; the one before it becomes the current one if it was that."""
        at = self._peers.index(peer)
        del self._peers[at]
        if peer is self._current:
            self._current = self._peers[max(0, at - 1)]


class NoSession:
    """Stands for the Session until there is one."""

    def execute(self, command: Command) -> None:
        """Nothing can be done yet."""

    async def close(self) -> None:
        """Nothing to end."""


MakeSession = Callable[[str], Executor]
"""Makes the Session of the peer with that id."""
