"""What a TCP connection carries: MQTT, MQTT within WebSocket, or something that is passed over and counted.

The first bytes decide; until they do, they wait here with their times. Port 1883 is taken for MQTT unless the bytes are TLS
or HTTP; on any other port the bytes must show it.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple

from mqtttui.capture.files import detect
from mqtttui.capture.files.detect import Guess
from mqtttui.capture.files.intake import Intake
from mqtttui.capture.files.streams import MqttStreams
from mqtttui.capture.files.web import Web
from mqtttui.capture.records import WebSocketEvent, WebSocketKind
from mqtttui.protocol.enums import Direction

MAX_WAITING = 65_536
"""Bytes of a connection that wait for a decision."""
MAX_ALL_WAITING = 32 * 1024 * 1024
_MAX_CHUNKS = 256
_ENOUGH = 3
"""What the segments of a stream from the middle must weigh together to be taken for MQTT."""
_MAX_STRIKES = 3

TLS, HTTP, OTHER = "TLS connections", "HTTP connections", "TCP connections without MQTT"


class End(NamedTuple):
    """One end of a TCP connection."""

    address: str
    port: int


class _State(Enum):
    UNDECIDED = auto()
    MQTT = auto()
    WEB = auto()
    IGNORED = auto()


class _Waiting(NamedTuple):
    side: int
    chunk: bytes
    lost: int
    mono: int
    wall: int
    frame: int
    offset: int


class Budget:
    """Bytes that wait in all connections together."""

    __slots__ = ("used",)

    def __init__(self) -> None:
        self.used = 0


class Content:
    """One TCP connection; its sides are 0 and 1."""

    __slots__ = ("_budget", "_ends", "_intake", "_opener", "_split", "_state", "_strikes", "_text_frames", "_waiting", "_waiting_bytes",
                 "_web", "_weight", "client", "fresh", "mqtt")  # fmt: skip

    def __init__(self, intake: Intake, budget: Budget, ends: tuple[End, End]) -> None:
        self._intake = intake
        self._budget = budget
        self._ends = ends
        self._state = _State.UNDECIDED
        self._waiting: list[_Waiting] = []
        self._waiting_bytes = 0
        self._weight = self._strikes = 0
        self._web: Web | None = None
        self._text_frames = [0, 0]
        self._split = [False, False]
        """It was told that packets and frames of a side do not fall together."""
        self._opener: int | None = None
        self.mqtt: MqttStreams | None = None
        self.client = 0
        """The side of the MQTT client, once there is MQTT."""
        self.fresh = [False, False]
        """Whether the capture has the beginning of what a side sent."""

    @property
    def ignored(self) -> bool:
        """Whether nothing of it is read any more."""
        return self._state is _State.IGNORED

    def opened(self, side: int, *, first: bool) -> None:
        """The beginning of a side's stream is in the capture; `first`: that side opened the connection."""
        self.fresh[side] = True
        if first:
            self._opener = side

    def direction(self, side: int) -> Direction:
        """In which direction `side` sends."""
        return Direction.C2S if side == self.client else Direction.S2C

    def ready(self, side: int) -> bool:
        """Whether whole MQTT packets from `side` need nothing but to be appended."""
        return self._state is _State.MQTT and self.mqtt is not None and self.mqtt.ready(self.direction(side))

    def data(self, side: int, chunk: bytes) -> None:
        """The next bytes that `side` sent."""
        if self._state is _State.MQTT and self.mqtt is not None:
            self.mqtt.data(self.direction(side), chunk)
        elif self._web is not None and self._state is _State.WEB:
            self._web.data(side, chunk)
            self._follow_web()
        elif self._state is _State.UNDECIDED:
            self._wait(side, chunk, 0)
            self._decide(side, chunk)

    def lost(self, side: int, count: int) -> None:
        """`count` bytes from `side` are not in the capture."""
        if self._state is _State.MQTT and self.mqtt is not None:
            self.mqtt.lost(self.direction(side), count)
        elif self._web is not None and self._state is _State.WEB:
            self._web.lost(side, count)
        elif self._state is _State.UNDECIDED:
            self._wait(side, b"", count)

    def ended(self, reason: str, side: int | None) -> None:
        """The connection is over; `reason` has `{}` for the side that ended it."""
        if self._state is _State.UNDECIDED and self._waiting:
            self._decide_at_end()
        self._release()
        if self._web is not None and self._state is _State.WEB and not self._web.mqtt:
            self._ignore(self._web.name)
        if self._web is not None:
            self._intake.report.count("bytes of WebSocket streams behind a hole", self._web.dropped)
            if self.mqtt is not None and self._web.text_frames:
                self._intake.problem(f"connection {self.mqtt.number}: MQTT in WebSocket text frames; they must be binary [MQTT-6.0.0-1]")
        if self.mqtt is not None:
            who = "client" if side == self.client else "server"
            close = self._web.close_text if self._web is not None else ""
            self.mqtt.ended(reason.format(who) + close)
        self._state = _State.IGNORED

    # --- deciding

    def _wait(self, side: int, chunk: bytes, lost: int) -> None:
        intake = self._intake
        self._waiting.append(_Waiting(side, chunk, lost, intake.mono, intake.wall, intake.frame, intake.offset))
        self._waiting_bytes += len(chunk)
        self._budget.used += len(chunk)

    def _decide(self, side: int, chunk: bytes) -> None:
        guess = detect.beginning(self._head(side))
        if guess is Guess.CONNECT:
            # Where a CONNECT is, the connection begins, on both sides.
            self.fresh = [True, True]
            self._take_mqtt(side)
        elif guess is Guess.TLS:
            self._tls()
        elif guess is Guess.HTTP:
            self._take_web()
        elif guess is Guess.OTHER:
            if detect.MQTT_PORT in (self._ends[0].port, self._ends[1].port):
                self._take_mqtt(self._client_of(side, chunk))
            elif self.fresh[side] and side == self._opener:
                self._ignore(OTHER)
            else:
                self._weigh(side, chunk)
        if self._state is _State.UNDECIDED and (
            self._waiting_bytes > MAX_WAITING or len(self._waiting) > _MAX_CHUNKS or self._budget.used > MAX_ALL_WAITING
        ):
            self._ignore(OTHER)

    def _head(self, side: int) -> bytes:
        """The first bytes that `side` sent."""
        head = b""
        for waiting in self._waiting:
            if waiting.side == side:
                head += waiting.chunk[:64]
                if len(head) >= 64:
                    break
        return head

    def _weigh(self, side: int, chunk: bytes) -> None:
        """A stream whose beginning is not known, or of a server: do its segments look like MQTT?"""
        if Web.plausible(chunk):
            self._take_web(client=side if chunk[1] & 0x80 else 1 - side)
            return
        if detect.is_plausible(chunk):
            self._weight += detect.weight(chunk)
        else:
            self._strikes += 1
        if self._weight >= _ENOUGH and self._weight > self._strikes * _ENOUGH:
            self._take_mqtt(self._client_of(side, chunk))
        elif self._strikes >= _MAX_STRIKES:
            self._ignore(OTHER)

    def _decide_at_end(self) -> None:
        side = self._waiting[-1].side
        if detect.MQTT_PORT in (self._ends[0].port, self._ends[1].port) or (self._weight >= 2 and not self._strikes):
            self._take_mqtt(self._client_of(side, self._waiting[-1].chunk))
        elif self._waiting_bytes:
            self._ignore(OTHER)

    def _client_of(self, side: int, data: bytes) -> int:
        """Which side is the client: who opened the connection, else whose packets or ports tell."""
        if self._opener is not None:
            return self._opener
        direction = detect.sender(data)
        if direction is not None:
            return side if direction is Direction.C2S else 1 - side
        known = [end.port in detect.SERVER_PORTS for end in self._ends]
        if known[0] is not known[1]:
            return 1 if known[0] else 0
        # Ports for the moment are taken from the upper end.
        return 0 if self._ends[0].port >= self._ends[1].port else 1

    def _take_mqtt(self, client: int) -> None:
        self.client = client
        self._state = _State.MQTT
        self.mqtt = self._streams(client, "tcp", (self.fresh[client], self.fresh[1 - client]))
        self._release()

    def _streams(self, client: int, transport: str, whole: tuple[bool, bool]) -> MqttStreams:
        intake = self._intake
        waiting = self._waiting[0] if self._waiting else None
        now = intake.mono, intake.wall
        if waiting is not None:
            intake.mono, intake.wall = waiting.mono, waiting.wall
        streams = MqttStreams(intake, self._ends[client].address, self._ends[1 - client].address, transport, whole=whole)
        intake.mono, intake.wall = now
        return streams

    def _take_web(self, client: int | None = None) -> None:
        self._web = Web(client)
        self._state = _State.WEB
        self._release()

    def _follow_web(self) -> None:
        """Hands on what the WebSocket frames held."""
        web = self._web
        if web is None:
            return
        if web.ignored:
            self._ignore(web.name)
            return
        if web.mqtt and self.mqtt is None and web.client is not None:
            self.client = web.client
            self.mqtt = self._streams(web.client, "ws", (not web.midway, not web.midway))
            if web.answer is not None:
                self._tell(self.mqtt.number, WebSocketKind.SUB_PROTOCOL, Direction.S2C, web.answer)
        if self.mqtt is not None:
            for side in (0, 1):
                if web.text_frames_of(side) > self._text_frames[side]:
                    self._text_frames[side] = web.text_frames_of(side)
                    self._tell(self.mqtt.number, WebSocketKind.TEXT_FRAME, self.direction(side))
            for side, piece, lost in web.take():
                if lost:
                    self.mqtt.lost(self.direction(side), lost if lost > 0 else 0)
                else:
                    self.mqtt.data(self.direction(side), piece)
            self._tell_split(web)
            if web.problem:
                self._intake.problem(f"connection {self.mqtt.number}: {web.problem}")
                self.mqtt.ended(web.problem)
                self._state = _State.IGNORED

    def _tell_split(self, web: Web) -> None:
        """Behind the packets, so that the one that shows it is there."""
        for side in (0, 1):
            if self.mqtt is not None and not self._split[side] and web.split(side):
                self._split[side] = True
                self._tell(self.mqtt.number, WebSocketKind.SPLIT, self.direction(side))

    def _tell(self, connection: int, kind: WebSocketKind, direction: Direction, detail: bytes = b"") -> None:
        """Something about the WebSocket that the packets do not show."""
        log = self._intake.log
        log.add_websocket_event(connection, WebSocketEvent(kind, direction, log.last_of(connection), detail))

    def _release(self) -> None:
        """What waited goes its way, with the times that it came at."""
        waiting, self._waiting = self._waiting, []
        self._budget.used -= self._waiting_bytes
        self._waiting_bytes = 0
        intake = self._intake
        now = intake.wall, intake.frame, intake.offset
        for one in waiting:
            # Not the monotonic time: rows that were added meanwhile keep it from running backwards.
            intake.wall, intake.frame, intake.offset = one.wall, one.frame, one.offset
            if one.lost:
                self.lost(one.side, one.lost)
            else:
                self.data(one.side, one.chunk)
        intake.wall, intake.frame, intake.offset = now

    def _ignore(self, name: str) -> None:
        self._state = _State.IGNORED
        self._budget.used -= self._waiting_bytes
        self._waiting_bytes = 0
        self._waiting = []
        self._web = None
        self._intake.report.count(name)

    def _tls(self) -> None:
        server = self._ends[1 - self._client_of(0, b"")]
        self._intake.tls_ports.add(server.port)
        self._ignore(TLS)
