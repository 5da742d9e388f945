"""A TCP connection that begins with HTTP: the upgrade to WebSocket and the frames of both sides, or nothing for us."""

from __future__ import annotations

from mqtttui.capture.files import detect
from mqtttui.capture.files.detect import Guess
from mqtttui.capture.files.websocket import MAX_HEAD, FrameReader, head_end, headers, is_upgrade, speaks_mqtt

_UNKNOWN = -1
"""An unknown number of lost bytes."""


class Web:
    """HTTP and WebSocket of one connection; its sides are 0 and 1."""

    __slots__ = (
        "_heads",
        "_out",
        "_readers",
        "_unsynced",
        "_wanted",
        "answer",
        "client",
        "dropped",
        "ignored",
        "midway",
        "mqtt",
        "name",
        "problem",
    )

    def __init__(self, client: int | None) -> None:
        """`client`: the connection is captured from the middle, and this side sends masked frames. None: from its head on."""
        self.client = client
        self.midway = client is not None
        self.mqtt = self.midway
        """There is MQTT in it."""
        self.ignored = False
        """There is none."""
        self.name = "HTTP connections"
        """What to call it then."""
        self.problem = ""
        """Why it cannot be read further."""
        self.answer: bytes | None = None
        """The sub-protocol of the server's answer, empty for none; None if the answer was not seen."""
        self.dropped = 0
        """Bytes after a hole that belong to no frame that could be told."""
        self._heads = (bytearray(), bytearray())
        self._readers: list[FrameReader | None] = [None, None]
        self._unsynced = [False, False]
        self._wanted = False
        self._out: list[tuple[int, bytes, int]] = []
        if client is not None:
            for side in (0, 1):
                self._readers[side] = reader = FrameReader(client == side)
                reader.alignment.lost()

    @staticmethod
    def plausible(chunk: bytes) -> bool:
        """Whether a segment from the middle of a stream is a WebSocket frame with MQTT in it."""
        if chunk[:1] != b"\x82" or len(chunk) < 4:
            return False
        reader = FrameReader(bool(chunk[1] & 0x80))
        if not reader.plausible(chunk):
            return False
        payload = reader.feed(chunk)
        return not reader.error and bool(payload) and detect.is_plausible(payload)

    @property
    def close_text(self) -> str:
        """What to add to the reason of the end."""
        codes = [reader.closed for reader in self._readers if reader is not None and reader.closed is not None]
        return f", after WebSocket close {codes[0]}" if codes else ""

    @property
    def text_frames(self) -> int:
        """Frames that say they are text, which MQTT never is."""
        return sum(reader.text_frames for reader in self._readers if reader is not None)

    def text_frames_of(self, side: int) -> int:
        """Those that `side` sent."""
        reader = self._readers[side]
        return 0 if reader is None else reader.text_frames

    def split(self, side: int) -> bool:
        """Whether packets and frames that `side` sent do not fall together."""
        reader = self._readers[side]
        return reader is not None and reader.alignment.split

    def data(self, side: int, chunk: bytes) -> None:
        """The next bytes that `side` sent."""
        reader = self._readers[side]
        if reader is None:
            self._head(side, chunk)
            return
        if self._unsynced[side]:
            if not reader.plausible(chunk):
                self.dropped += len(chunk)
                return
            self._unsynced[side] = False
        payload = reader.feed(chunk)
        if payload:
            self._payload(side, payload)
        self.problem = self.problem or reader.error

    def lost(self, side: int, count: int) -> None:
        """`count` bytes from `side` are not in the capture."""
        reader = self._readers[side]
        if reader is None:
            self.ignored = not self.mqtt
        elif reader.skip(count):
            self._out.append((side, b"", count))
        else:
            self._out.append((side, b"", _UNKNOWN))
            self._unsynced[side] = True

    def take(self) -> list[tuple[int, bytes, int]]:
        """Side, MQTT bytes and number of lost bytes (-1: unknown), in order, since the last call."""
        out, self._out = self._out, []
        return out

    def _head(self, side: int, chunk: bytes) -> None:
        head = self._heads[side]
        head += chunk
        guess = detect.beginning(bytes(head[:16]))
        if guess is Guess.UNDECIDED:
            return
        if guess is not Guess.HTTP:
            # The other side's head was seen, this one's was not.
            self._start_frames(side, bytes(head))
            return
        end = head_end(head)
        if end < 0:
            self.ignored = len(head) > MAX_HEAD
            return
        whole, rest = bytes(head[:end]), bytes(head[end:])
        response = whole.startswith(b"HTTP/")
        if not is_upgrade(whole) or (response and whole.split(b" ", 2)[1:2] != [b"101"]):
            self.ignored = True
            self.name = "HTTP connections"
            return
        self.client = 1 - side if response else side
        if response:
            self.answer = headers(whole).get(b"sec-websocket-protocol", b"")
        self._wanted = self._wanted or speaks_mqtt(whole)
        self.name = "WebSocket connections without MQTT"
        self.mqtt = self.mqtt or (response and self._wanted)
        self._start_frames(side, rest)

    def _start_frames(self, side: int, rest: bytes) -> None:
        self._readers[side] = FrameReader(side == self.client)
        self._heads[side].clear()
        if rest:
            self.data(side, rest)

    def _payload(self, side: int, payload: bytes) -> None:
        self._out.append((side, payload, 0))
        if self.mqtt:
            return
        first = b"".join(piece for by, piece, _ in self._out if by == side)[:64]
        guess = detect.beginning(first)
        if self._wanted or guess is Guess.CONNECT:
            self.mqtt = True
        elif guess is not Guess.UNDECIDED or len(self._out) > 64:
            self.ignored = True
