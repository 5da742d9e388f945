"""Exported PDUs: each connection is one pair of ends on one interface, each frame a chunk of what one end sent.

Exports of ours have one control packet a frame and say who sent it. Those of tshark have what a dissector was given: of TLS a
record, and where a packet did not end in it that packet once more, whole.
"""

from __future__ import annotations

from mqtttui.capture.files.blocks import Interface
from mqtttui.capture.files.content import End
from mqtttui.capture.files.detect import SERVER_PORTS, Guess, beginning, sender
from mqtttui.capture.files.intake import Intake
from mqtttui.capture.files.pdu import Tags, address_text, read_tags
from mqtttui.capture.files.streams import MqttStreams
from mqtttui.capture.recorder import Recorder
from mqtttui.capture.records import END_OF_CAPTURE
from mqtttui.protocol.enums import Direction

OWN_APPLICATION = b"mqtttui "
_CUT = "so it was exported"
_MAX_CONNECTIONS = 100_000
_MAX_PREFIXES = 4_096


class Flow:
    """One direction of a connection: what the fast path needs."""

    __slots__ = ("alias_free", "direction", "fast", "number", "recorder")

    def __init__(self, streams: MqttStreams, direction: Direction) -> None:
        self.number = streams.number
        self.direction = int(direction)
        self.recorder: Recorder = streams.recorder
        self.fast = False
        """A frame of whole packets needs no more than that they are appended."""
        self.alias_free = True


class _Connection:
    __slots__ = ("client", "disconnected", "flows", "streams")

    def __init__(self, streams: MqttStreams, client: End | None) -> None:
        self.streams = streams
        self.client = client
        self.disconnected = False
        self.flows = tuple(Flow(streams, direction) for direction in Direction)

    def rest(self) -> None:
        """It is over: the fast path has nothing to append any more."""
        for flow in self.flows:
            flow.fast = False


class Prefixes:
    """The tags that frames of an interface began with lately."""

    __slots__ = ("flows", "length")

    def __init__(self) -> None:
        self.flows: dict[bytes, Flow] = {}
        """Tags -> whose frame it is, as long as the fast path may take it."""
        self.length = 0


class ExportedPdus:
    """All connections of exported PDUs in a capture."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._connections: dict[tuple[int, frozenset[End]], _Connection] = {}

    def frame(self, data: bytes, start: int, end: int, missing: int, interface: Interface, prefixes: Prefixes) -> None:
        """The frame `data[start:end]`; `missing` bytes behind it are not in the file."""
        tags = read_tags(data, start, end)
        if tags is None:
            self._intake.report.count("exported PDUs that end inside their tags")
            return
        if tags.dissector.lower() != b"mqtt":
            self._intake.report.count("exported PDUs of other protocols")
            return
        own = interface.application.startswith(OWN_APPLICATION)
        payload = data[tags.end : end]
        source = End(address_text(tags.source, tags.source_port), tags.source_port)
        destination = End(address_text(tags.destination, tags.destination_port), tags.destination_port)
        connection = self._connection(interface, source, destination, tags, payload, own)
        direction = self._direction(connection, source, tags, payload)
        self._data(connection, direction, payload, missing, own)
        for each in Direction:
            flow = connection.flows[each]
            flow.fast = connection.streams.ready(each)
            flow.alias_free = not connection.streams.aliases_possible
        # Without ends and direction the packets themselves say who sent them.
        if not tags.varying and (tags.source or tags.received is not None):
            prefixes.length = tags.end - start
            if len(prefixes.flows) >= _MAX_PREFIXES:
                prefixes.flows.clear()
            prefixes.flows[data[start : tags.end]] = connection.flows[direction]

    def finish(self) -> None:
        """The capture ends."""
        for connection in self._connections.values():
            connection.streams.ended(END_OF_CAPTURE)
        self._connections.clear()

    def _connection(self, interface: Interface, source: End, destination: End, tags: Tags, payload: bytes, own: bool) -> _Connection:
        # Exports of ours have an interface for each connection; elsewhere an interface is a network card.
        key = interface.number if own else -1, frozenset((source, destination))
        found = self._connections.get(key)
        begins = beginning(payload) is Guess.CONNECT
        if found is not None and not (begins and found.disconnected and not own):
            return found
        if found is not None:
            found.rest()
            found.streams.ended("its end is not in the capture: its ports were used again")
        elif len(self._connections) >= _MAX_CONNECTIONS:
            oldest = self._connections.pop(next(iter(self._connections)))
            oldest.rest()
            oldest.streams.ended("let go: there were too many connections")
            self._intake.report.count("connections let go because there were too many")
        client = source if self._sent_by_client(source, destination, tags, payload, own) else destination
        server = destination if client is source else source
        streams = MqttStreams(self._intake, client.address, server.address, "exported", whole=(True, True))
        self._connections[key] = found = _Connection(streams, client if source.address else None)
        return found

    @staticmethod
    def _sent_by_client(source: End, destination: End, tags: Tags, payload: bytes, own: bool) -> bool:
        if own and tags.received is not None:
            return not tags.received
        direction = Direction.C2S if beginning(payload) is Guess.CONNECT else sender(payload)
        if direction is not None:
            return direction is Direction.C2S
        known = [end.port in SERVER_PORTS for end in (source, destination)]
        return known[1] if known[0] is not known[1] else source.port >= destination.port

    @staticmethod
    def _direction(connection: _Connection, source: End, tags: Tags, payload: bytes) -> Direction:
        if connection.client is not None and connection.flows:
            return Direction.C2S if source == connection.client else Direction.S2C
        if tags.received is not None:
            return Direction.S2C if tags.received else Direction.C2S
        return sender(payload) or Direction.C2S

    def _data(self, connection: _Connection, direction: Direction, payload: bytes, missing: int, own: bool) -> None:
        streams = connection.streams
        recorder = streams.recorder
        recorder.repeated(direction, payload)
        streams.data(direction, payload)
        if missing:
            self._intake.report.count("exported PDUs that are cut")
            streams.lost(direction, missing)
        elif own and not recorder.at_boundary(direction):
            recorder.interrupted(direction, _CUT, self._intake.mono, self._intake.wall)
            self._intake.rows_added()
        if payload[:1] and (payload[0] >> 4 == 14 or payload.endswith(b"\xe0\x00")):
            connection.disconnected = True
