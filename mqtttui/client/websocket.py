"""WebSocket as a layer: MQTT bytes above, frames of RFC 6455 below (MQTT 5, section 6).

wsproto reads and writes the frames and checks the upgrade. Rules:

1. Each write leaves as one binary frame; how packets and frames fall together means nothing [MQTT-6.0.0-2]. Whatever data
   frames bring is handed up at once, however large their message is; nothing is collected.
2. Text frames are handed up like binary ones, and told, as is the sub-protocol of the answer.
3. A ping is answered when the line is free: of many pings only the latest one gets its pong, so that a peer that pings and
   does not read costs nothing.
4. A close frame is answered, then the connection is closed; it ends with WebSocketClosed. Frames that break the protocol
   end it with WebSocketBroken.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

import h11
from wsproto import ConnectionType, WSConnection
from wsproto.connection import ConnectionState
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

from mqtttui.capture.alignment import Alignment
from mqtttui.capture.files.websocket import headers
from mqtttui.capture.records import WebSocketKind
from mqtttui.client.events import TcpInfo, Upgrade
from mqtttui.client.layer import Bytes, Layer, Mailbox, Receiver
from mqtttui.config.options import ConnectOptions, WebSocketOptions, default_port
from mqtttui.config.transports import is_secret_header
from mqtttui.protocol.enums import Direction
from mqtttui.text import shorten, visible

Tell = Callable[[WebSocketKind, Direction, bytes], None]
"""Hears what there is to say about the frames of one direction, with its detail."""

_HEAD = 16_384
"""As much of the answer is kept; a longer head is refused by wsproto."""
_BODY = 600
"""As much of the body of a refusal is kept."""
_BODY_SECONDS = 0.5
"""So long the body of a refusal is waited for."""
_HTTP = b"HTTP/"
_SHOWN_HEAD = 32
_LINES = 40
_LINE = 200
_CLOSE_WORDS = {
    1000: "normal closure",
    1001: "going away",
    1002: "protocol error",
    1003: "unsupported data",
    1005: "without a code",
    1007: "invalid data",
    1008: "policy violation",
    1009: "message too big",
    1010: "extension wanted",
    1011: "internal error",
    1012: "service restart",
    1013: "try again later",
}
"""RFC 6455, section 7.4.1, and the registry behind it."""


class WebSocketClosed(Exception):
    """The server closed with a close frame; the text has its code, and its reason as it came."""

    def __init__(self, code: int, reason: str) -> None:
        words = _CLOSE_WORDS.get(code, "")
        said = f": {reason}" if reason else ""
        super().__init__(f"WebSocket close {code}{f' ({words})' if words else ''}{said}")
        self.code = code


class WebSocketBroken(Exception):
    """The server sent frames that break the protocol; the text says how."""


class UpgradeError(Exception):
    """There is no WebSocket: the answer to the upgrade was something else, or nothing."""

    def __init__(self, text: str, head: bytes = b"", status: int | None = None, body: bytes = b"") -> None:
        super().__init__(text)
        self.head = head
        """The start of what the peer sent."""
        self.status = status
        """Of the answer, if it was one of HTTP."""
        self.body = body
        """The start of the refusal's body."""


class WebSocketLayer:
    """A WebSocket over another layer. `upgrade` first; the Receiver is attached after it."""

    def __init__(self, lower: Layer, options: ConnectOptions, web: WebSocketOptions) -> None:
        """Raises UpgradeError for a host, path or header that cannot stand in a request."""
        self._lower = lower
        self._mailbox = Mailbox()
        self._socket = WSConnection(ConnectionType.CLIENT)
        names = [name for name in web.protocol.split(", ") if name]
        try:
            host, own = _host(options, web)
            request = Request(host, web.path, extra_headers=own, subprotocols=names)
            self.request = bytes(self._socket.send(request))
            """What asks for the WebSocket."""
        except (LocalProtocolError, h11.LocalProtocolError, UnicodeError, ValueError):
            # Without their words: the value of a header is in them.
            raise UpgradeError("the request cannot be written: something in it has characters that it cannot have") from None
        self.asked = self.answered = 0
        """When the request was written, and when it was accepted (monotonic ns); 0 before."""
        self._answer = b""
        self._body = bytearray()
        self._status: int | None = None
        self._protocol = ""
        self._open = False
        self._over = False
        self._end: asyncio.Future[None] | None = None
        self._tell: Tell | None = None
        self._untold: list[tuple[WebSocketKind, Direction, bytes]] = []
        self._alignments = {direction: Alignment() for direction in Direction}
        self._in_text = False
        self._ping: Ping | None = None
        self._frames: deque[tuple[int, int]] = deque()
        """End (bytes written to the lower layer) and payload size of each frame that may not have left."""
        self._written = 0

    async def upgrade(self) -> None:
        """Ask for the WebSocket. Raises UpgradeError, or the OSError with which the connection ended."""
        loop = asyncio.get_running_loop()
        self._end = loop.create_future()
        self._lower.attach(self)
        self.asked = time.monotonic_ns()
        self._send(self.request)
        await self._end

    @property
    def head(self) -> bytes:
        """The start of what the server sent."""
        return self._answer[:_SHOWN_HEAD]

    @property
    def exchange(self) -> Upgrade:
        """Request and answer, line by line, for display."""
        return Upgrade(_shown(self.request), _shown(self._answer.partition(b"\r\n\r\n")[0]))

    @property
    def protocol(self) -> str:
        """The sub-protocol of the answer; empty for none."""
        return self._protocol

    def observe(self, tell: Tell) -> None:
        """Tell what the frames showed so far, and what they show from now on."""
        self._tell = tell
        untold, self._untold = self._untold, []
        for kind, direction, detail in untold:
            tell(kind, direction, detail)

    # What the lower layer calls

    def data_received(self, chunk: bytes) -> None:
        """Bytes of the answer, then frames."""
        if self._over:
            return
        if not self._open:
            self._answer += chunk[: _HEAD - len(self._answer)]
            if self._answer[: len(_HTTP)] != _HTTP[: len(self._answer)]:
                self._refuse("the answer is not HTTP")
                return
        try:
            self._socket.receive_data(chunk)
            for event in self._socket.events():
                self._take(event)
        except (RemoteProtocolError, UnicodeError) as error:
            self._refuse(_upgrade_problem(str(error), self._answer))

    def eof_received(self) -> None:
        """The peer's end, without a close frame."""
        if self._open:
            if not self._over:
                self._mailbox.eof()
        elif self._status is not None:
            self._refuse("")
        else:
            self._refuse("closed during the upgrade")

    def writable(self) -> None:
        """All frames have left."""
        self._frames.clear()
        self._pong()
        if self._open and not self._over and self.ready:
            self._mailbox.writable()

    def connection_lost(self, reason: Exception | None) -> None:
        """The end."""
        if self._open:
            if not self._over:
                self._over = True
                self._mailbox.lost(reason)
        elif self._status is not None or reason is None:
            self.eof_received()
        elif self._end is not None and not self._end.done():
            self._over = True
            self._end.set_exception(reason)

    # What the layer above calls

    def attach(self, receiver: Receiver) -> None:
        """See Layer."""
        self._mailbox.attach(receiver)

    def write(self, data: Bytes) -> None:
        """See Layer. One frame."""
        if self._over or self._socket.state is not ConnectionState.OPEN:
            return
        frame = bytes(self._socket.send(BytesMessage(data=bytes(data))))
        self._frames.append((self._written + len(frame), len(data)))
        self._send(frame)
        self._align(Direction.C2S, bytes(data), ended=True)
        if self._lower.ready:
            self._frames.clear()

    @property
    def ready(self) -> bool:
        """See Layer."""
        return self._lower.ready

    @property
    def unsent(self) -> int:
        """See Layer. The payload is the end of its frame, so what is left of a frame is payload first."""
        left = self._written - self._lower.unsent
        return sum(min(size, end - left) for end, size in self._frames if end > left)

    @property
    def local(self) -> str:
        """See Layer."""
        return self._lower.local

    @property
    def remote(self) -> str:
        """See Layer."""
        return self._lower.remote

    def tcp_info(self) -> TcpInfo | None:
        """See Layer."""
        return self._lower.tcp_info()

    def arrived(self) -> int:
        """See Layer."""
        return self._lower.arrived()

    @property
    def security(self) -> str:
        """See Layer."""
        return self._lower.security

    def pause_reading(self) -> None:
        """See Layer."""
        self._lower.pause_reading()

    def resume_reading(self) -> None:
        """See Layer."""
        self._lower.resume_reading()

    def close(self) -> None:
        """See Layer. Says goodbye with a close frame, and does not wait for the peer's."""
        self._say_close(1000)
        self._lower.close()

    def abort(self) -> None:
        """See Layer."""
        self._lower.abort()

    def _send(self, raw: bytes) -> None:
        self._written += len(raw)
        self._lower.write(raw)

    def _take(self, event: Event) -> None:
        if self._over:
            return
        match event:
            case BytesMessage():
                self._mailbox.data(bytes(event.data))
                self._align(Direction.S2C, bytes(event.data), ended=event.frame_finished)
            case TextMessage():
                if not self._in_text:
                    self._note(WebSocketKind.TEXT_FRAME)
                self._in_text = not event.message_finished
                if event.data:
                    self._mailbox.data(event.data.encode())
                self._align(Direction.S2C, event.data.encode(), ended=event.frame_finished)
            case Ping():
                self._ping = event
                self._pong()
            case CloseConnection():
                self._closed(event)
            case AcceptConnection():
                self.answered = time.monotonic_ns()
                self._protocol = event.subprotocol or ""
                self._note(WebSocketKind.SUB_PROTOCOL, self._protocol.encode())
                self._open = True
                if self._end is not None and not self._end.done():
                    self._end.set_result(None)
            case RejectConnection():
                self._status = event.status_code
                if event.has_body:
                    asyncio.get_running_loop().call_later(_BODY_SECONDS, self._refuse, "")
                else:
                    self._refuse("")
            case RejectData():
                self._body += event.data[: _BODY - len(self._body)]
                if event.body_finished or len(self._body) >= _BODY:
                    self._refuse("")
            case _:
                pass  # A pong nobody asked for.

    def _refuse(self, text: str) -> None:
        """There is no WebSocket."""
        if self._open or self._over:
            return
        self._over = True
        if self._end is not None and not self._end.done():
            self._end.set_exception(UpgradeError(text, self._answer, self._status, bytes(self._body)))

    def _closed(self, event: CloseConnection) -> None:
        """The peer's close frame, or what wsproto says of frames that it could not read."""
        by_peer = self._socket.state is not ConnectionState.OPEN
        if not by_peer and event.code == 1007:
            self._note(WebSocketKind.TEXT_FRAME)  # The only data frames that can be invalid.
        self._say_close(event.code)
        self._over = True
        self._lower.close()
        reason = event.reason or ""
        self._mailbox.lost(WebSocketClosed(event.code, reason) if by_peer else WebSocketBroken(reason or "unreadable frame"))

    def _say_close(self, code: int) -> None:
        if not self._over and self._socket.state in (ConnectionState.OPEN, ConnectionState.REMOTE_CLOSING):
            with suppress(LocalProtocolError):
                self._send(bytes(self._socket.send(CloseConnection(code))))

    def _pong(self) -> None:
        if self._ping is not None and not self._over and self._lower.ready and self._socket.state is ConnectionState.OPEN:
            ping, self._ping = self._ping, None
            self._send(bytes(self._socket.send(ping.response())))

    def _align(self, direction: Direction, payload: bytes, *, ended: bool) -> None:
        """Tell it once if packets and frames do not fall together; the packet that shows it is recorded by now."""
        alignment = self._alignments[direction]
        if alignment.over:
            return
        alignment.payload(payload)
        if ended:
            alignment.frame_ended()
        if alignment.split:
            self._note(WebSocketKind.SPLIT, b"", direction)

    def _note(self, kind: WebSocketKind, detail: bytes = b"", direction: Direction = Direction.S2C) -> None:
        if self._tell is not None:
            self._tell(kind, direction, detail)
        else:
            self._untold.append((kind, direction, detail))


def _host(options: ConnectOptions, web: WebSocketOptions) -> tuple[str, list[tuple[bytes, bytes]]]:
    """The value of Host, and the own headers."""
    host = options.host.partition("%")[0]
    host = f"[{host}]" if ":" in host else host
    if options.port != default_port(tls=options.tls is not None, websocket=True):
        host = f"{host}:{options.port}"
    own = []
    for name, value in web.headers:
        if name.lower() == "host":
            host = value
        else:
            own.append((name.encode("ascii"), value.encode("ascii")))
    return host, own


def _upgrade_problem(text: str, head: bytes) -> str:
    """What is wrong with an answer, from wsproto's words for it."""
    if text.startswith("unrecognized subprotocol"):
        return f"sub-protocol {shorten(visible(headers(head).get(b'sec-websocket-protocol', b'')), 60)}"
    return shorten(visible(text), 120)


def _shown(head: bytes) -> tuple[str, ...]:
    """The lines of a request or answer as visible text, without the values that are secret."""
    lines = head.rstrip(b"\r\n").split(b"\r\n") if head else []
    shown = [_masked(line) if index else _without_query(line) for index, line in enumerate(lines[:_LINES])]
    return (*shown, *([f"and {len(lines) - _LINES} more"] if len(lines) > _LINES else []))


def _masked(line: bytes) -> str:
    name, colon, _ = line.partition(b":")
    text = visible(name)
    if colon and is_secret_header(text):
        return f"{shorten(text, _LINE)}: ***"
    return shorten(visible(line), _LINE)


def _without_query(line: bytes) -> str:
    return shorten(re.sub(r"\?\S*", "?…", visible(line), count=1), _LINE)
