"""What the server's messages of a TLS handshake show, whether it works or not.

OpenSSL forgets the certificates of a handshake that it refuses, so they are read from the message that brings them. Python
hands messages out by `SSLContext._msg_callback`; where that is missing, only what OpenSSL keeps is known.
"""

from __future__ import annotations

import ssl
from typing import Any

_HANDSHAKE = 22
_CERTIFICATE, _CERTIFICATE_REQUEST = 11, 13
_TLS_1_3 = 0x0304
_HEADER = 4
_VERSIONS = {0x0301: "TLSv1", 0x0302: "TLSv1.1", 0x0303: "TLSv1.2", 0x0304: "TLSv1.3"}
_MOST = 16
"""So many certificates of a chain are kept."""
_CALLBACK = "_msg_callback"


class Handshake:
    """The messages of one handshake."""

    def __init__(self) -> None:
        self.chain: tuple[bytes, ...] = ()
        """The server's certificates as it sent them, DER, its own first."""
        self.version = ""
        """`TLSv1.3`, from its messages; empty before its certificate."""
        self.certificate_wanted = False
        """It asked for a certificate of the client."""

    def watch(self, context: ssl.SSLContext) -> None:
        """Look at the messages of the connection that is made with `context` next."""
        if hasattr(ssl.SSLContext, _CALLBACK):
            setattr(context, _CALLBACK, self._message)

    def end(self, context: ssl.SSLContext) -> None:
        """Look no more."""
        if hasattr(ssl.SSLContext, _CALLBACK):
            setattr(context, _CALLBACK, None)

    def _message(self, _connection: object, direction: str, version: Any, content_type: Any, kind: Any, data: bytes) -> None:
        if direction != "read" or content_type != _HANDSHAKE:
            return
        if kind == _CERTIFICATE and not self.chain:
            self.version = _VERSIONS.get(int(version), "")
            self.chain = chain_of(data, tls_1_3=version == _TLS_1_3)
        elif kind == _CERTIFICATE_REQUEST:
            self.certificate_wanted = True


def chain_of(message: bytes, *, tls_1_3: bool) -> tuple[bytes, ...]:
    """The certificates in a Certificate message (RFC 5246, section 7.4.2; RFC 8446, section 4.4.2), as far as it is whole."""
    position = _HEADER
    if tls_1_3:
        position += 1 + message[position] if len(message) > position else 0  # The request's context.
    end = position + 3 + int.from_bytes(message[position : position + 3], "big")
    position += 3
    chain: list[bytes] = []
    while position + 3 <= min(end, len(message)) and len(chain) < _MOST:
        size = int.from_bytes(message[position : position + 3], "big")
        der = message[position + 3 : position + 3 + size]
        if not der or len(der) < size:
            break
        chain.append(der)
        position += 3 + size
        if tls_1_3:
            position += 2 + int.from_bytes(message[position : position + 2], "big")  # Extensions of this one.
    return tuple(chain)
