"""Captures that are compressed with gzip (RFC 1952), in pieces of bounded size."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

MAGIC = b"\x1f\x8b"
PIECE = 1 << 20
"""Most bytes that are given at once, however well they were compressed."""
_GZIP = 31
"""zlib's number for a gzip header."""

OTHERS = {
    b"\x28\xb5\x2f\xfd": ("Zstandard", "zstd -d"),
    b"\x04\x22\x4d\x18": ("LZ4", "lz4 -d"),
    b"\xfd7zX": ("xz", "xz -d"),
    b"BZh": ("bzip2", "bzip2 -d"),
    b"PK\x03\x04": ("zip", "unzip"),
}
"""First bytes -> name of a compression that is not read, and what undoes it."""


class Inflater:
    """Undoes the compression."""

    def __init__(self) -> None:
        self._engine = zlib.decompressobj(_GZIP)
        self.error = ""
        """Why it cannot go on."""

    @property
    def whole(self) -> bool:
        """Whether the end of the compressed data was seen."""
        return self._engine.eof

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """What `chunk` holds."""
        while chunk and not self.error:
            if self._engine.eof:
                # Another member, or padding.
                chunk = chunk.lstrip(b"\0")
                if not chunk:
                    return
                self._engine = zlib.decompressobj(_GZIP)
            before = self._engine.copy()
            try:
                piece = self._engine.decompress(chunk, PIECE)
            except zlib.error:
                self.error = "the gzip compression is damaged"
                yield from _up_to_the_fault(before, chunk)
                return
            if piece:
                yield piece
            chunk = self._engine.unused_data if self._engine.eof else self._engine.unconsumed_tail


def _up_to_the_fault(engine: zlib._Decompress, chunk: bytes) -> Iterator[bytes]:
    """What stands before the fault: the call that met it kept that for itself."""
    for at in range(len(chunk)):
        try:
            piece = engine.decompress(chunk[at : at + 1])
        except zlib.error:
            return
        if piece:
            yield piece
