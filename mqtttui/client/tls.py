"""TLS as a layer of our own over `ssl.SSLObject`: plaintext above, ciphertext below.

asyncio's own TLS transport is not used: it writes whatever it is given in one go (200 MiB stop the loop for 2 s), cannot
tell how much plaintext has not left, and hides alerts that come after the handshake.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import ssl
import time
from collections import deque

from mqtttui.client import certificates
from mqtttui.client.events import TcpInfo, TlsInfo
from mqtttui.client.handshake import Handshake
from mqtttui.client.layer import Bytes, Layer, Mailbox, Receiver
from mqtttui.text import visible

_RECORD = 16_384
"""Plaintext of one TLS record at most (RFC 8446, section 5.1)."""
_HEAD = 16
_CONTENT_TYPES = range(0x14, 0x19)
"""First byte of a TLS record (RFC 8446, section 5.1; heartbeat: RFC 6520)."""


class TlsEof(Exception):
    """The peer closed the connection during the handshake; `head` is the start of what it had sent."""

    def __init__(self, head: bytes) -> None:
        super().__init__("closed during the TLS handshake")
        self.head = head


class NotTls(Exception):
    """The peer answered the handshake with something else; `head` is the start of it."""

    def __init__(self, head: bytes) -> None:
        super().__init__("the answer is not TLS")
        self.head = head


class OtherCertificate(Exception):
    """The server's certificate is not the pinned one; `seen` is its SHA-256."""

    def __init__(self, seen: str) -> None:
        super().__init__(f"SHA-256 {seen}")
        self.seen = seen


class TlsLayer:
    """TLS over another layer. `handshake` first; the Receiver is attached after it."""

    def __init__(self, lower: Layer, context: ssl.SSLContext, server_name: str, fingerprint: str = "") -> None:
        """`server_name` goes into SNI (not if it is an address) and is what the certificate is checked against.

        `fingerprint`: SHA-256 of the one certificate to accept. `context` is for this connection alone.
        Raises ValueError (also as UnicodeError) for a name that cannot be one.
        """
        self._lower = lower
        self._server_name = server_name
        self._fingerprint = fingerprint
        self._context = context
        self._seen = Handshake()
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._seen.watch(context)
        self._object = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name)
        self._mailbox = Mailbox()
        self._handshaking = True
        self._more: asyncio.Future[None] | None = None
        self._lost: tuple[Exception | None] | None = None
        self._eof = self._failed = False
        self._head = b""
        self._waiting: deque[memoryview] = deque()
        self._written = 0
        self._records: deque[tuple[int, int]] = deque()
        self.began = self.ended = 0
        """When the ClientHello was about to leave, and when the handshake was finished (monotonic ns); 0 before."""

    async def handshake(self) -> None:
        """Carry the handshake out. Cancelling is safe; there is no time-out of its own.

        Raises ssl.SSLError, OSError, TlsEof, NotTls or OtherCertificate.
        """
        self._lower.attach(self)
        try:
            await self._shake_hands()
        finally:
            self._seen.end(self._context)
        self._flush()
        self.ended = time.monotonic_ns()
        self._handshaking = False
        self._read()

    async def _shake_hands(self) -> None:
        while True:
            try:
                self._object.do_handshake()
            except ssl.SSLWantReadError:
                self.began = self.began or time.monotonic_ns()
                self._flush()
            except ssl.SSLError as error:
                self._flush()
                self._check_head(error)
                raise
            else:
                break
            await self._wait_for_bytes()
        # Before the own certificate leaves in TLS 1.3.
        seen = hashlib.sha256(self._object.getpeercert(binary_form=True) or b"").hexdigest()
        if self._fingerprint and seen != self._fingerprint:
            raise OtherCertificate(seen)

    @property
    def info(self) -> TlsInfo | None:
        """What the handshake showed so far; None before the server has chosen a cipher."""
        cipher = self._object.cipher()
        own = self._object.getpeercert(binary_form=True) if not self._handshaking else None
        chain = self._seen.chain or ((own,) if own else ())
        if cipher is None and not chain:
            return None
        return TlsInfo(
            version=self._object.version() or self._seen.version,
            cipher=cipher[0] if cipher else "",
            alpn=self._object.selected_alpn_protocol() or "",
            certificates=tuple(certificates.read(each) for each in chain),
            server_name=visible(self._server_name),
            certificate_wanted=self._seen.certificate_wanted,
            complete=not self._handshaking,
        )

    @property
    def head(self) -> bytes:
        """The first bytes that the peer sent, as they came."""
        return self._head

    async def _wait_for_bytes(self) -> None:
        self._check_head()  # OpenSSL would wait for five bytes.
        if self._lost is not None and self._lost[0] is not None:
            raise self._lost[0]
        if self._eof or self._lost is not None:
            raise TlsEof(self._head)
        if self._more is None:
            self._more = asyncio.get_running_loop().create_future()
        try:
            await self._more
        finally:
            self._more = None

    def _check_head(self, cause: Exception | None = None) -> None:
        if self._head and self._head[0] not in _CONTENT_TYPES:
            raise NotTls(self._head) from cause

    # What the lower layer calls

    def data_received(self, chunk: bytes) -> None:
        """Ciphertext."""
        if len(self._head) < _HEAD:
            self._head = (self._head + chunk)[:_HEAD]
        self._incoming.write(chunk)
        if self._handshaking:
            self._wake()
        else:
            self._read()

    def eof_received(self) -> None:
        """The peer's end, without a close_notify if it comes from here."""
        self._eof = True
        if self._handshaking:
            self._wake()
        else:
            self._mailbox.eof()

    def writable(self) -> None:
        """All ciphertext has left."""
        if self._handshaking:
            return
        self._records.clear()
        self._mailbox.writable()

    def connection_lost(self, reason: Exception | None) -> None:
        """The end."""
        if self._handshaking:
            self._lost = (reason,)
            self._wake()
        elif not self._failed:
            self._mailbox.lost(reason)

    # What the layer above calls

    def attach(self, receiver: Receiver) -> None:
        """See Layer."""
        self._mailbox.attach(receiver)

    def write(self, data: Bytes) -> None:
        """See Layer."""
        self._waiting.append(memoryview(data))
        self._encrypt()

    @property
    def ready(self) -> bool:
        """See Layer."""
        return not self._waiting and self._lower.ready

    @property
    def unsent(self) -> int:
        """See Layer. A record counts as unsent until the last byte of its ciphertext has left."""
        left = self._written - self._lower.unsent
        return sum(size for end, size in self._records if end > left) + sum(len(part) for part in self._waiting)

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
        cipher = self._object.cipher()
        return f"{self._object.version() or 'TLS'} {cipher[0] if cipher else ''}".strip()

    def pause_reading(self) -> None:
        """See Layer."""
        self._lower.pause_reading()

    def resume_reading(self) -> None:
        """See Layer."""
        self._lower.resume_reading()

    def close(self) -> None:
        """See Layer. Says goodbye with close_notify, and does not wait for the peer's."""
        if not self._handshaking:
            with contextlib.suppress(ssl.SSLError):  # It wants the peer's close_notify; ours is in the buffer by then.
                self._object.unwrap()
            self._flush()
        self._lower.close()

    def abort(self) -> None:
        """See Layer."""
        self._lower.abort()

    def _wake(self) -> None:
        if self._more is not None and not self._more.done():
            self._more.set_result(None)

    def _flush(self) -> None:
        cipher = self._outgoing.read()
        if cipher:
            self._written += len(cipher)
            self._lower.write(cipher)

    def _encrypt(self) -> None:
        while self._waiting:
            part = self._waiting[0]
            try:
                size = self._object.write(part[:_RECORD])
            except ssl.SSLWantReadError:
                break  # A renegotiation of TLS 1.2: goes on when the peer has answered.
            except ssl.SSLError as error:
                self._fail(error)
                return
            self._records.append((self._written + self._outgoing.pending, size))
            if size < len(part):
                self._waiting[0] = part[size:]
            else:
                self._waiting.popleft()
        self._flush()
        if self._lower.ready:
            self._records.clear()

    def _read(self) -> None:
        plain: list[bytes] = []
        error: ssl.SSLError | None = None
        ended = False
        while True:
            try:
                data = self._object.read(_RECORD)
            except ssl.SSLWantReadError:
                break
            except ssl.SSLZeroReturnError:
                ended = True
                break
            except ssl.SSLError as failure:
                error = failure
                break
            if not data:
                ended = True
                break
            plain.append(data)
        if plain:
            self._mailbox.data(b"".join(plain))
        if error is not None:
            self._fail(error)
            return
        if ended:
            self._mailbox.eof()
            return
        was_waiting = bool(self._waiting)
        if was_waiting:
            self._encrypt()
        else:
            self._flush()
        if was_waiting and self.ready:
            self._mailbox.writable()

    def _fail(self, error: ssl.SSLError) -> None:
        """The peer's alert, or bytes that are no TLS: the connection is over."""
        if self._failed:
            return
        self._failed = True
        self._flush()
        self._lower.abort()
        self._mailbox.lost(error)
