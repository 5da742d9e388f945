"""What the log knows of its connections beside their packets: where from and where to, versions, ends, holes, frames around them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from mqtttui.capture.records import ConnectionInfo, Origin, WebSocketEvent
from mqtttui.protocol.enums import Version

_MAX_VERSION_CHANGES = 64
_MAX_WEBSOCKET_EVENTS = 300
_MAX_LOSSES = 10_000


@dataclass(slots=True)
class State:
    """What changes about a connection while it lives."""

    info: ConnectionInfo
    versions: list[tuple[int, Version]]
    """(first No. that it holds for, version), rising."""
    last: int = 0
    """No. of its latest packet."""
    unsent_from: int | None = None
    websocket: list[WebSocketEvent] = field(default_factory=list)
    losses: list[int] = field(default_factory=list)


class Connections:
    """The connections of a log, by number."""

    def __init__(self) -> None:
        self._connections: list[State] = []
        self._releasable: list[State] = []
        """Ended connections of which packets are kept."""
        self.closings = 0
        """Connections that have ended; only the log writes it."""
        self._watchers: dict[int, Callable[[int, int], None]] = {}
        self.peer_names: dict[str, str] = {}
        """Id of a peer -> what people call it, where that is something else."""

    @property
    def last(self) -> int:
        """No. of the latest packet, 0 when there was none."""
        raise NotImplementedError

    def open_connection(
        self,
        *,
        peer: str,
        origin: Origin,
        source: str = "",
        destination: str = "",
        mono: int,
        wall: int,
        version: Version = Version.V311,
        name: str = "",
        transport: str = "",
        way: tuple[str, ...] = (),
        no_way: str = "",
    ) -> int:
        """A new connection; gives its number. `version` holds until a CONNECT says otherwise."""
        number = len(self._connections)
        info = ConnectionInfo(
            number, peer, origin, source, destination, version, mono, wall, name=name, transport=transport, way=way, no_way=no_way
        )
        self._connections.append(State(info, [(0, version)]))
        return number

    def name_of_peer(self, peer: str) -> str:
        """What people call a peer: its id unless it has a name of its own. Visible text."""
        return self.peer_names.get(peer, peer)

    def connection(self, number: int) -> ConnectionInfo:
        """Connection `number`. Raises IndexError."""
        return self._connections[number].info

    @property
    def connections(self) -> Sequence[ConnectionInfo]:
        """All connections by number."""
        return [connection.info for connection in self._connections]

    @property
    def connection_count(self) -> int:
        """How many connections there were so far."""
        return len(self._connections)

    def last_of(self, connection: int) -> int:
        """No. of the latest packet of `connection`, 0 if it has none."""
        return self._connections[connection].last

    def set_version(self, connection: int, version: Version, start: int) -> None:
        """From packet `start` on the connection speaks `version`."""
        state = self._connections[connection]
        if version is state.info.version or len(state.versions) >= _MAX_VERSION_CHANGES:
            return
        state.versions.append((start, version))
        state.info = replace(state.info, version=version)

    def version(self, connection: int, no: int) -> Version:
        """The version that the connection spoke at packet `no`."""
        versions = self._connections[connection].versions
        if len(versions) == 1:
            return versions[0][1]
        return versions[bisect_right(versions, no, key=lambda change: change[0]) - 1][1]

    def steady(self, connection: int, first: int, last: int) -> bool:
        """Whether the version of the connection is one and the same from packet `first` to packet `last`."""
        return not any(first < start <= last for start, _ in self._connections[connection].versions)

    def close_connection(self, number: int, mono: int, reason: str) -> None:
        """The connection ended at `mono`; `reason` is one line for a person. A second call changes nothing."""
        state = self._connections[number]
        if state.info.closed is None:
            state.info = replace(state.info, closed=mono, close_reason=reason)
            self.closings += 1
            self._releasable.append(state)
            self._watchers.pop(number, None)

    def watch(self, connection: int, told: Callable[[int, int], None]) -> None:
        """Until `connection` ends, `told` hears the first and the last No. of all that is appended to it, at once."""
        self._watchers[connection] = told

    def mark_loss(self, connection: int) -> None:
        """Packets of `connection` are missing behind its latest one: a capture has a hole there."""
        losses = self._connections[connection].losses
        if len(losses) < _MAX_LOSSES and (not losses or losses[-1] != self.last):
            losses.append(self.last)

    def losses(self, connection: int) -> Sequence[int]:
        """The numbers behind which packets of `connection` are missing, rising; the first ones if there are very many."""
        return self._connections[connection].losses

    def add_websocket_event(self, connection: int, event: WebSocketEvent) -> None:
        """Something about the WebSocket of `connection` that its packets do not show. The first few hundred are kept."""
        events = self._connections[connection].websocket
        if len(events) < _MAX_WEBSOCKET_EVENTS:
            events.append(event)

    def websocket_events(self, connection: int) -> Sequence[WebSocketEvent]:
        """What `add_websocket_event` was told about `connection`."""
        return self._connections[connection].websocket
