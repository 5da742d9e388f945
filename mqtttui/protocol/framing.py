"""Chunks of a byte stream become whole control packets (fixed header, MQTT 5 section 2.1).

Theory of operation:
1. One Framer serves one direction of one connection. Any chunking of the same bytes gives the same packets and, where the
   stream is no MQTT, the same error at the same offset.
2. Cost is linear in the bytes. Whole packets in a chunk are only measured, not copied one by one; the bytes of an
   unfinished packet gather in one bytearray that is never joined again, however small the chunks.
3. A Remaining Length that does not end within four bytes, or a packet over the limit, is a FramingError: a value, not an
   exception. It poisons the framer for good, because nothing after it can be trusted to start a packet. What follows is
   kept up to `keep_rest` bytes in `pending`; `rest` counts all of it.
4. A length longer than needed (`80 00`) is legal to frame; the dissector remarks on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

MAX_PACKET = 268_435_460
"""First byte, four length bytes, 268,435,455 bytes: the largest control packet there can be."""
KEEP_REST = 65_536
"""How many bytes after a framing error are kept by default."""

Chunk = bytes | bytearray | memoryview


@dataclass(frozen=True, slots=True)
class FramingError:
    """Why a stream cannot be cut into packets any more."""

    text: str
    """One sentence for a person."""
    offset: int
    """Where the packet that could not be framed starts, in bytes since the stream began."""


class Batch:
    """The packets that one chunk completed, back to back."""

    __slots__ = ("data", "ends", "error", "firsts")

    def __init__(
        self,
        data: bytes | bytearray,
        ends: Sequence[int],
        error: FramingError | None = None,
        firsts: bytes | bytearray | None = None,
    ) -> None:
        self.data = data
        """Nothing but whole packets."""
        self.ends = ends
        """`ends[i]`: end offset of packet i in `data`; the last one is its length."""
        self.error = error
        """Set once, in the batch whose chunk showed that the stream is no MQTT."""
        self.firsts = bytes(map(data.__getitem__, [0, *ends[:-1]])) if firsts is None and ends else firsts or b""
        """The first byte of each packet."""

    def __len__(self) -> int:
        return len(self.ends)

    def packets(self) -> Iterator[bytes]:
        """The bytes of each packet."""
        start = 0
        for end in self.ends:
            yield bytes(self.data[start:end])
            start = end


class Framer:
    """Cuts one direction of a connection into control packets."""

    __slots__ = ("_buffer", "_consumed", "_keep_rest", "_max_packet", "_need", "error", "rest")

    def __init__(self, max_packet: int = MAX_PACKET, keep_rest: int = KEEP_REST) -> None:
        """`max_packet`: the largest whole packet, in bytes, that is not an error."""
        self._max_packet = max_packet
        self._keep_rest = keep_rest
        self._buffer = bytearray()
        self._need = 0
        """Length of the unfinished packet in `_buffer`, 0 while its length is not known."""
        self._consumed = 0
        self.error: FramingError | None = None
        """The error that poisoned this framer, None while it works."""
        self.rest = 0
        """Bytes since the error, whether kept or not."""

    @property
    def pending(self) -> bytes:
        """The bytes of the unfinished packet; after an error the kept part of the rest."""
        return bytes(self._buffer)

    @property
    def kept(self) -> int:
        """Length of `pending`."""
        return len(self._buffer)

    @property
    def expected(self) -> int | None:
        """Length of the unfinished packet in bytes; None without one or while its length has not arrived."""
        return self._need or None

    def feed(self, chunk: Chunk) -> Batch:
        """The packets that `chunk` completed. Total: any bytes give a batch."""
        if self.error is not None:
            self._swallow(chunk)
            return Batch(b"", ())
        buffer = self._buffer
        if not buffer:
            return self._scan(chunk if isinstance(chunk, bytes) else bytes(chunk), 0, bytearray())
        if self._need == 0:
            self._buffer = bytearray()
            return self._scan(bytes(buffer) + chunk, 0, bytearray())
        missing = self._need - len(buffer)
        if len(chunk) < missing:
            buffer += chunk
            return Batch(b"", ())
        buffer += chunk[:missing]
        self._buffer = bytearray()
        return self._scan(chunk if isinstance(chunk, bytes) else bytes(chunk), missing, buffer)

    def _scan(self, data: bytes, start: int, done: bytearray) -> Batch:
        """Measures the packets of `data` from `start` on; `done` is a packet that was completed before them, or empty."""
        self._need = 0
        size = len(data)
        shift = len(done) - start
        limit = self._max_packet
        ends = [len(done)] if done else []
        firsts = bytearray(done[:1])
        error = None
        pos = start
        while pos < size:
            at = pos + 1
            if at >= size:
                break
            length = data[at]
            if length > 0x7F:  # section 1.5.5: up to four bytes, seven bits each, the lowest first
                length &= 0x7F
                factor = 7
                while True:
                    at += 1
                    if at >= size:
                        length = -1
                        break
                    byte = data[at]
                    length |= (byte & 0x7F) << factor
                    if byte < 0x80:
                        break
                    factor += 7
                    if factor > 21:
                        error = "the Remaining Length does not end within four bytes: this is no MQTT, or bytes were lost before"
                        break
                if length < 0 or error is not None:
                    break
            end = at + 1 + length
            if end - pos > limit:
                error = f"a packet of {end - pos:,} bytes is over the limit of {limit:,}"
                break
            if end > size:
                self._need = end - pos
                break
            ends.append(end + shift)
            firsts.append(data[pos])
            pos = end
        offset = self._consumed + len(done) + pos - start
        self._consumed = offset
        whole: bytes | bytearray
        if done:
            done += data[start:pos]
            whole = done
        else:
            whole = data if pos == size else data[:pos]
        if error is None:
            if pos < size:
                self._buffer += data[pos:]
            return Batch(whole, ends, None, firsts)
        self.error = FramingError(error, offset)
        self._swallow(data[pos:])
        return Batch(whole, ends, self.error, firsts)

    def _swallow(self, chunk: Chunk) -> None:
        self.rest += len(chunk)
        room = self._keep_rest - len(self._buffer)
        if room > 0:
            self._buffer += chunk[:room]
