"""Servers that fail in every way there is, on loopback: each scene provokes one failure for real.

A scene is a function that gets a `Scene`, opens what it needs and begins to connect; the test waits for the failure.
`shown` is the failure as a person reads it, without what differs from run to run.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import socket
import ssl
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from mqtttui.client import tcp
from mqtttui.client.events import ConnectionState
from mqtttui.config.options import TlsOptions
from mqtttui.ui.forms.fixes import fix_label
from tests.support.certs import Certificates, Pair
from tests.support.sessions import Driver

T = TypeVar("T")


@dataclass
class Scene:
    """What scenes work with."""

    driver: Driver
    certificates: Certificates
    folder: Path
    patch: pytest.MonkeyPatch
    stack: AsyncExitStack

    async def enter(self, manager: AbstractAsyncContextManager[T]) -> T:
        """Open something that lasts until the end of the scene."""
        return await self.stack.enter_async_context(manager)

    def tls(self, **changes: Any) -> TlsOptions:
        """TLS that trusts the authority of the test."""
        return TlsOptions(**{"ca_file": str(self.certificates.ca), **changes})

    def lookup(self, found: list[tuple[str, int]] | Exception) -> None:
        """What names are looked up as from now on."""

        def answer(host: str, port: int, flags: int = 0) -> list[Any]:
            if flags:
                raise socket.gaierror(socket.EAI_NONAME, "not an address")
            if isinstance(found, Exception):
                raise found
            return [(socket.AF_INET, address) for address in found]

        self.patch.setattr(tcp, "_getaddrinfo", answer)


Provoke = Callable[[Scene], Awaitable[None]]


def shown(state: ConnectionState, scene: Scene) -> str:
    """Title, detail, what to check and what keys would do about it, a line each; what differs from run to run is in capitals."""
    failure, options = state.failure, state.options
    assert failure is not None
    assert options is not None
    labels = [fix_label(options, fix, failure.value) for fix in failure.fixes]
    lines = [failure.title]
    lines += [failure.detail] if failure.detail else []
    lines += [f"check: {failure.hint}"] if failure.hint else []
    lines += [f"F8: {', or '.join(labels)}"] if labels else []
    line = "\n".join(lines)
    for known, name in ((str(scene.folder), "FOLDER"), (str(scene.certificates.directory), "CERTIFICATES")):
        line = line.replace(known, name)
    for pattern, name in _CHANGING:
        line = re.sub(pattern, name, line)
    return line


_CHANGING = (
    (r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "DATE"),
    (r"\b[0-9a-f]{64}\b", "SHA256"),
    (r"(?<=127\.0\.0\.1:)\d+", "PORT"),
    (r"\d+ ms after", "N ms after"),
    (r"(else|left) for \d+ s", r"\1 for N s"),
    (r"it sent 16 03[0-9a-f ]+", "it sent 16 03 …"),
    (r"[\d,]+ of [\d,]+ bytes", "N of M bytes"),
    (r"\d+ h \d+ min", "H h M min"),
    (r"OU=Testing (cert|CA) #[^,;]+", "OU=…"),
    (r"O=trustme v[^ ]+", "O=trustme"),
)


# Servers below MQTT


@asynccontextmanager
async def talker(
    words: bytes = b"", *, wait: bool = True, close: bool = False, reset: bool = False, context: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """Says `words` after the client's first bytes (`wait`) or at once, then closes, resets or stays silent; gives its port."""
    writers: list[asyncio.StreamWriter] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        if wait:
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                await reader.read(65_536)
        writer.write(words)
        if reset:
            hard_end(writer.transport.get_extra_info("socket"))
            writer.transport.abort()
        elif close:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()


def hard_end(sock: socket.socket) -> None:
    """Let the next close be an RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


@asynccontextmanager
async def black_hole() -> AsyncIterator[int]:
    """A port at which a SYN gets no answer: the one place in the queue of its listener is taken. Gives the port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        with socket.create_connection(listener.getsockname(), 5):
            yield listener.getsockname()[1]


@asynccontextmanager
async def deaf() -> AsyncIterator[int]:
    """Accepts and never reads, with small buffers; gives its port."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    listener.bind(("127.0.0.1", 0))
    listener.listen(8)
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()


@contextmanager
def blocking_tls(context: ssl.SSLContext, count: int = 1) -> Iterator[int]:
    """A TLS server in a thread: unlike asyncio's, it sends the alert when a handshake fails. Gives its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for _ in range(count):
            with contextlib.suppress(OSError):
                sock, _ = listener.accept()
                sock.settimeout(5)
                with context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False) as secure:
                    with contextlib.suppress(ssl.SSLError):
                        secure.do_handshake()
                    # Closing with bytes unread would be a reset, which may overtake the alert.
                    secure.shutdown(socket.SHUT_WR)
                    while secure.recv(4096):
                        pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        # A thread that still waits for a client is freed by one.
        with contextlib.suppress(OSError), socket.create_connection(listener.getsockname(), 1):
            pass
        listener.close()
        thread.join(6)


def server_context(pair: Pair, *, newest: ssl.TLSVersion | None = None, clients_of: Path | None = None) -> ssl.SSLContext:
    """The server's side of TLS; `clients_of`: the authority whose clients it takes alone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    if newest is not None:
        context.maximum_version = newest
    if clients_of is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(clients_of)
    return context


# Certificates that `certs` does not have


def ends_in(folder: Path, begins: timedelta, ends: timedelta, *, ca_ends: timedelta | None = None, for_clients: bool = False) -> Pair:
    """A certificate for localhost that is valid within these from now, with its authority behind it as `FOLDER/made-ca.crt`."""
    now = datetime.now(UTC)
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name, name = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, each)]) for each in ("made authority", "made broker"))
    ca_begins = min(begins, timedelta(days=-1)) - timedelta(days=1)
    ca = _signed(ca_name, ca_name, ca_key, ca_key, now + ca_begins, now + (ca_ends or max(ends, timedelta(days=30))), authority=True)
    usage = ExtendedKeyUsageOID.CLIENT_AUTH if for_clients else ExtendedKeyUsageOID.SERVER_AUTH
    leaf = _signed(name, ca_name, key, ca_key, now + begins, now + ends, usage=usage)
    (folder / "made-ca.crt").write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    pair = Pair(folder / "made.crt", folder / "made.key")
    pair.certificate.write_bytes(b"".join(each.public_bytes(serialization.Encoding.PEM) for each in (leaf, ca)))
    plain = serialization.NoEncryption()
    pair.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    return pair


def _signed(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    by: ec.EllipticCurvePrivateKey,
    begins: datetime,
    ends: datetime,
    *,
    authority: bool = False,
    usage: x509.ObjectIdentifier | None = None,
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if usage is not None:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    return builder.sign(by, hashes.SHA256())


def own_client(folder: Path, begins: timedelta, ends: timedelta) -> Pair:
    """A client's certificate with such a time."""
    now = datetime.now(UTC)
    made = trustme.CA().issue_cert("me@example.org", not_before=now + begins, not_after=now + ends)
    pair = Pair(folder / "own.crt", folder / "own.key")
    made.cert_chain_pems[0].write_to_path(pair.certificate)
    made.private_key_pem.write_to_path(pair.key)
    return pair


def written_tomorrow(path: Path) -> None:
    """Make a file look as if it had been written in three days, as files do where the clock has fallen back."""
    later = time.time() + 3 * 86_400
    os.utime(path, (later, later))
