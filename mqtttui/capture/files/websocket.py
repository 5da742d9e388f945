"""MQTT within WebSocket (RFC 6455; MQTT 5, section 6): the upgrade, then the payload of data frames, unmasked.

Frames are not gathered: their payload is handed on as it comes, so that memory does not depend on what they claim.
"""

from __future__ import annotations

import struct

from mqtttui.capture.alignment import Alignment

MAX_HEAD = 16_384
"""Most bytes of a request or response that are waited for."""
_CONTINUATION, _TEXT, _BINARY, _CLOSE, _PING, _PONG = 0, 1, 2, 8, 9, 10
_DATA = frozenset({_CONTINUATION, _TEXT, _BINARY})
_KNOWN = _DATA | {_CLOSE, _PING, _PONG}
_MAX_CONTROL = 125


def head_end(data: bytes | bytearray) -> int:
    """Where the head of an HTTP message ends, -1 if it does not yet."""
    at = data.find(b"\r\n\r\n")
    return at + 4 if at >= 0 else -1


def headers(head: bytes) -> dict[bytes, bytes]:
    """The header fields by lower-case name; repeated ones joined by commas."""
    found: dict[bytes, bytes] = {}
    for line in head.split(b"\r\n")[1:]:
        name, colon, value = line.partition(b":")
        if colon:
            name = name.strip().lower()
            found[name] = found[name] + b"," + value.strip() if name in found else value.strip()
    return found


def is_upgrade(head: bytes) -> bool:
    """Whether a request or response is about WebSocket."""
    return b"websocket" in headers(head).get(b"upgrade", b"").lower()


def speaks_mqtt(head: bytes) -> bool:
    """Whether MQTT is among the subprotocols (`mqtt`, and `mqttv3.1` of old clients)."""
    return b"mqtt" in headers(head).get(b"sec-websocket-protocol", b"").lower()


class FrameReader:
    """The frames of one direction."""

    def __init__(self, masked: bool) -> None:
        """`masked`: frames of a client are."""
        self._masked = masked
        self._head = bytearray()
        self._left = 0
        """Payload bytes of the present frame that are still to come."""
        self._mask = b""
        self._phase = 0
        self._opcode = 0
        self._control = bytearray()
        self.alignment = Alignment()
        """How frames and packets fall together."""
        self.closed: int | None = None
        """The code of the Close frame, 1005 if it had none."""
        self.control_frames = 0
        self.text_frames = 0
        self.error = ""
        """Why the stream cannot be read any further."""

    def feed(self, chunk: bytes) -> bytes:
        """The payload of the data frames in `chunk`."""
        out = bytearray()
        at = 0
        while at < len(chunk) and not self.error:
            if not self._left:
                at = self._read_head(chunk, at)
                continue
            piece = chunk[at : at + self._left]
            at += len(piece)
            self._left -= len(piece)
            plain = self._unmasked(piece)
            if self._opcode in _DATA:
                out += plain
                self.alignment.payload(plain)
                if not self._left:
                    self.alignment.frame_ended()
            else:
                self._control += plain
                if not self._left:
                    self._end_control()
        return bytes(out)

    def skip(self, count: int) -> bool:
        """`count` bytes are lost: True if they lay within the payload of one data frame. Otherwise starts anew."""
        self.alignment.lost()
        if self._left >= count and self._opcode in _DATA:
            self._left -= count
            self._phase += count
            return True
        self._head.clear()
        self._control.clear()
        self._left = 0
        return False

    def plausible(self, chunk: bytes) -> bool:
        """Whether a frame may begin with `chunk`."""
        head = chunk[:2]
        if len(head) < 2 or head[0] & 0x70 or head[0] & 0x0F not in _KNOWN:
            return False
        return bool(head[1] & 0x80) is self._masked

    def _read_head(self, chunk: bytes, at: int) -> int:
        head = self._head
        wanted = 2
        while True:
            if len(head) >= 2:
                short = head[1] & 0x7F
                wanted = 2 + (2 if short == 126 else 8 if short == 127 else 0) + (4 if head[1] & 0x80 else 0)
            if len(head) >= wanted and len(head) >= 2:
                break
            if at >= len(chunk):
                return at
            step = chunk[at : at + wanted - len(head)]
            head += step
            at += len(step)
        self._begin(bytes(head))
        head.clear()
        return at

    def _begin(self, head: bytes) -> None:
        self._opcode = head[0] & 0x0F
        if head[0] & 0x70:
            self.error = "its WebSocket frames are compressed or extended, which is not read"
        elif self._opcode not in _KNOWN:
            self.error = f"a WebSocket frame has the unknown opcode {self._opcode}"
        short = head[1] & 0x7F
        size = short
        if short == 126:
            size = head[2] << 8 | head[3]
        elif short == 127:
            (size,) = struct.unpack_from(">Q", head, 2)
        if self._opcode not in _DATA and size > _MAX_CONTROL:
            self.error = self.error or "a WebSocket control frame is longer than 125 bytes"
        self._left = size
        self._mask = head[-4:] if head[1] & 0x80 else b""
        self._phase = 0
        self.text_frames += self._opcode == _TEXT
        self._control.clear()
        if self._opcode in _DATA:
            if not size:
                self.alignment.frame_ended()
        elif not size:
            self._end_control()

    def _end_control(self) -> None:
        self.control_frames += 1
        if self._opcode == _CLOSE and self.closed is None:
            self.closed = self._control[0] << 8 | self._control[1] if len(self._control) >= 2 else 1005

    def _unmasked(self, piece: bytes) -> bytes:
        if not self._mask:
            return piece
        size = len(piece)
        phase = self._phase & 3
        self._phase += size
        keys = (self._mask[phase:] + self._mask[:phase]) * (size // 4 + 1)
        return (int.from_bytes(piece, "big") ^ int.from_bytes(keys[:size], "big")).to_bytes(size, "big")
