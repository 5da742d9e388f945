"""TLS against mosquitto: trust, client certificates, versions, and every way in which it fails."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mqtttui.client.events import Failure, Fix, Outcome, Phase, StepStatus
from mqtttui.client.layer import TcpLayer
from mqtttui.client.tls import TlsLayer
from mqtttui.client.tls_setup import make_context
from mqtttui.config.options import TlsOptions
from mqtttui.protocol.enums import Direction, PacketType
from mqtttui.protocol.packets import Connect
from tests.support.brokers import Broker
from tests.support.certs import PASSPHRASE, Certificates, Pair
from tests.support.scripted import Script, expect, reply, serve
from tests.support.sessions import Driver
from tests.support.waiting import wait_until


async def failure_of(driver: Driver) -> Failure:
    failure = (await driver.failed()).failure
    assert failure is not None
    return failure


def server_context(pair: Pair, maximum: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    if maximum is not None:
        context.maximum_version = maximum
    return context


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_a_session_over_tls(tls_mosquitto: Broker, certificates: Certificates, host: str) -> None:
    async with Driver() as driver:
        await driver.connected(tls_mosquitto.port, host, tls=TlsOptions(ca_file=str(certificates.ca)))
        assert driver.state.tls.startswith("TLSv1.3 TLS_")
        step = next(step for step in driver.state.steps if step.name == "tls")
        assert (step.status, step.detail) == (StepStatus.DONE, driver.state.tls)
        assert driver.state.warning == ""
        await driver.subscribed("tls/x")
        payload = bytes(range(256)) * 4096
        await driver.outcome(driver.publish("tls/x", payload, qos=1), Outcome.ACKED)
        await driver.until(lambda: driver.count(PacketType.PUBLISH, Direction.S2C) == 1, "the copy")
        assert driver.raw(Direction.C2S).count(payload) == 1
        await driver.disconnect()
        assert driver.state.ended == "disconnected"


async def test_tls_1_2(certificates: Certificates) -> None:
    context = server_context(certificates.server, ssl.TLSVersion.TLSv1_2)
    async with Script(expect(Connect), reply(), serve(), tls=context) as broker, Driver() as driver:
        await driver.connected(broker.port, tls=TlsOptions(ca_file=str(certificates.ca)))
        assert driver.state.tls.startswith("TLSv1.2 ")


async def test_the_lowest_version_is_kept(certificates: Certificates) -> None:
    context = server_context(certificates.server, ssl.TLSVersion.TLSv1_2)
    with _blocking_server(context) as port:
        async with Driver() as driver:
            driver.connect(port, tls=TlsOptions(ca_file=str(certificates.ca), minimum_version="1.3"))
            failure = await failure_of(driver)
            assert failure.title == "TLS version not supported"
            assert failure.step == "tls"


async def test_without_verification_a_warning_stays(certificates: Certificates) -> None:
    context = server_context(certificates.expired)
    async with Script(expect(Connect), reply(), serve(), tls=context) as broker, Driver() as driver:
        await driver.connected(broker.port, tls=TlsOptions(verify=False))
        assert driver.state.warning == "certificate not verified"
        driver.ping()
        await driver.until(lambda: driver.state.ping_ms is not None, "a ping")
        assert driver.state.warning == "certificate not verified"


@pytest.mark.parametrize(
    ("served", "title"),
    [
        ("wrong_host", "Certificate for another host"),
        ("expired", "Certificate expired"),
        ("future", "Certificate not yet valid"),
        ("untrusted", "Unknown certificate authority"),
        ("self_signed", "Self-signed certificate"),
    ],
)
async def test_certificates_that_do_not_hold(certificates: Certificates, served: str, title: str) -> None:
    context = server_context(getattr(certificates, served))
    async with Script(tls=context) as broker, Driver() as driver:
        driver.connect(broker.port, "localhost", tls=TlsOptions(ca_file=str(certificates.ca)))
        failure = await failure_of(driver)
        assert failure.title == title
        assert failure.detail
        assert failure.step == "tls"
        assert driver.log.connection_count == 0


async def test_the_server_name_can_be_another(certificates: Certificates) -> None:
    names: list[str | None] = []
    context = server_context(certificates.wrong_host)
    context.sni_callback = lambda sock, name, server: names.append(name)
    async with Script(expect(Connect), reply(), serve(), tls=context) as broker, Driver() as driver:
        await driver.connected(broker.port, tls=TlsOptions(ca_file=str(certificates.ca), server_name="wrong.example"))
        assert names == ["wrong.example"]


@pytest.mark.parametrize("which", ["client", "encrypted_client"])
async def test_a_client_certificate(mutual_tls_mosquitto: Broker, certificates: Certificates, which: str) -> None:
    pair: Pair = getattr(certificates, which)
    tls = TlsOptions(ca_file=str(certificates.ca), certificate=str(pair.certificate), key=str(pair.key), key_passphrase=PASSPHRASE)
    async with Driver() as driver:
        await driver.connected(mutual_tls_mosquitto.port, connect=Connect(client_id=which), tls=tls)


async def test_a_client_certificate_is_wanted(mutual_tls_mosquitto: Broker, certificates: Certificates) -> None:
    async with Driver() as driver:
        driver.connect(mutual_tls_mosquitto.port, tls=TlsOptions(ca_file=str(certificates.ca)))
        failure = await failure_of(driver)
        assert "certificate" in f"{failure.title} {failure.hint}"


async def test_a_client_certificate_is_wanted_and_said_so(certificates: Certificates) -> None:
    context = server_context(certificates.server)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(certificates.ca)
    with _blocking_server(context) as port:
        async with Driver() as driver:
            driver.connect(port, tls=TlsOptions(ca_file=str(certificates.ca)))
            failure = await failure_of(driver)
            assert failure.title == "Client certificate wanted", failure
            assert failure.step == "connack"


async def test_a_client_certificate_is_refused(certificates: Certificates) -> None:
    context = server_context(certificates.server)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(certificates.ca)
    pair = certificates.rogue_client
    tls = TlsOptions(ca_file=str(certificates.ca), certificate=str(pair.certificate), key=str(pair.key))
    with _blocking_server(context) as port:
        async with Driver() as driver:
            driver.connect(port, tls=tls)
            assert (await failure_of(driver)).title == "Client certificate refused"


@pytest.mark.parametrize(
    ("make", "title"),
    [
        (lambda c, d: TlsOptions(ca_file=str(d / "none.pem")), "Cannot use the CA file"),
        (lambda c, d: TlsOptions(ca_file=str(c.client.key)), "Cannot use the CA file"),
        (lambda c, d: TlsOptions(certificate=str(d / "none.pem")), "Cannot use the client certificate"),
        (lambda c, d: TlsOptions(certificate=str(c.client.certificate), key=str(d / "none")), "Cannot use the key"),
        (lambda c, d: TlsOptions(certificate=str(c.client.certificate)), "Cannot use the client certificate or key"),
        (lambda c, d: TlsOptions(certificate=str(c.client.certificate), key=str(c.server.key)), "Key of another certificate"),
        (lambda c, d: TlsOptions(certificate=str(c.ca), key=str(c.ca)), "Cannot use the client certificate or key"),
        (lambda c, d: TlsOptions(key=str(c.client.key)), "Key without certificate"),
        (
            lambda c, d: TlsOptions(
                certificate=str(c.encrypted_client.certificate), key=str(c.encrypted_client.key), key_passphrase="wrong"
            ),
            "Wrong key passphrase",
        ),
        (
            lambda c, d: TlsOptions(certificate=str(c.encrypted_client.certificate), key=str(c.encrypted_client.key)),
            "Key passphrase missing",
        ),
        (lambda c, d: TlsOptions(minimum_version="0.9"), "TLS version not known"),
    ],
)
async def test_files_that_cannot_be_used(
    certificates: Certificates, tmp_path: Path, make: Callable[[Certificates, Path], TlsOptions], title: str
) -> None:
    async with Driver() as driver:
        driver.connect(1, tls=make(certificates, tmp_path))
        failure = await failure_of(driver)
        assert failure.title == title
        assert failure.step == "tls"
        assert failure.detail
        assert failure.hint
        assert "wrong" not in failure.detail


async def test_tls_to_a_plain_port(mosquitto_broker: Broker) -> None:
    async with Driver() as driver:
        driver.connect(mosquitto_broker.port, tls=TlsOptions(verify=False), dial_timeout=3.0)
        failure = await failure_of(driver)
        assert failure.step == "tls"
        assert Fix.NO_TLS in failure.fixes


async def test_tls_to_a_server_that_speaks_first_and_otherwise() -> None:
    async with _talker(b"SSH-2.0-OpenSSH_9.2\r\n") as port, Driver() as driver:
        driver.connect(port, tls=TlsOptions(verify=False))
        assert (await failure_of(driver)).title == "An SSH server answers here"
    async with _talker(b"\x20\x02\x00\x00") as port, Driver() as driver:
        driver.connect(port, tls=TlsOptions(verify=False))
        failure = await failure_of(driver)
        assert failure.title == "No TLS on this port"
        assert Fix.NO_TLS in failure.fixes


async def test_plain_to_a_tls_port(tls_mosquitto: Broker) -> None:
    async with Driver() as driver:
        driver.connect(tls_mosquitto.port)
        failure = await failure_of(driver)
        assert failure.step == "connack"
        assert Fix.USE_TLS in failure.fixes


async def test_a_handshake_that_hangs_times_out_and_can_be_cancelled() -> None:
    async with _talker(b"") as port, Driver() as driver:
        driver.connect(port, tls=TlsOptions(verify=False), dial_timeout=0.2)
        assert (await failure_of(driver)).title == "No answer to the TLS handshake"
        driver.connect(port, tls=TlsOptions(verify=False))
        await driver.until(lambda: any(step.name == "tls" and step.status is StepStatus.RUNNING for step in driver.state.steps), "TLS")
        before = time.monotonic()
        driver.cancel()
        await driver.phase(Phase.IDLE)
        assert time.monotonic() - before < 0.2
        assert driver.state.ended == "cancelled"


@pytest.mark.parametrize("name", ["", ".bad", "x" * 300])
async def test_what_is_no_server_name(name: str, certificates: Certificates) -> None:
    async with _talker(b"") as port, Driver() as driver:
        driver.connect(port, tls=TlsOptions(verify=False, server_name=name), dial_timeout=0.2)
        failure = await failure_of(driver)
        assert failure.step == "tls"
        assert failure.title == ("Not a server name" if name else "No answer to the TLS handshake")


async def test_system_trust_knows_no_test_authority(tls_mosquitto: Broker) -> None:
    async with Driver() as driver:
        driver.connect(tls_mosquitto.port, "localhost", tls=TlsOptions())
        assert (await failure_of(driver)).title == "Unknown certificate authority"


async def test_the_goodbye_of_tls_is_the_end(certificates: Certificates) -> None:
    """close_notify, a bare FIN and a reset all end in one `connection_lost` or EOF."""
    context = server_context(certificates.server)
    accepted: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()
    server = await asyncio.start_server(lambda reader, writer: accepted.put_nowait(writer), "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    loop = asyncio.get_running_loop()
    try:
        _, tcp = await loop.create_connection(TcpLayer, "127.0.0.1", port)
        layer = TlsLayer(tcp, make_context(TlsOptions(ca_file=str(certificates.ca))), "localhost")
        await layer.handshake()
        told = _Told()
        layer.attach(told)
        writer = await accepted.get()
        writer.write(b"abc" * 20_000)
        writer.close()
        await wait_until(lambda: "eof" in told.heard, "the end of TLS")
        assert bytes(told.data) == b"abc" * 20_000
        layer.close()
        await wait_until(lambda: "lost None" in told.heard, "our own close")
    finally:
        server.close()


async def test_unsent_plaintext_is_counted(certificates: Certificates) -> None:
    context = server_context(certificates.server)
    accepted: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        accepted.put_nowait(writer)

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    try:
        _, tcp = await asyncio.get_running_loop().create_connection(TcpLayer, "127.0.0.1", port)
        layer = TlsLayer(tcp, make_context(TlsOptions(ca_file=str(certificates.ca))), "localhost")
        await layer.handshake()
        layer.attach(_Told())
        await accepted.get()
        written = 0
        while layer.ready:
            layer.write(bytes(65_536))
            written += 65_536
            assert written < 100_000_000
        assert 0 < layer.unsent <= 65_536
        assert tcp.unsent > 0
        layer.abort()
        assert 0 < layer.unsent <= 65_536
    finally:
        server.close()


class _Told:
    """A Receiver that notes what it hears."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.heard: list[str] = []

    def data_received(self, chunk: bytes) -> None:
        self.data += chunk

    def eof_received(self) -> None:
        self.heard.append("eof")

    def writable(self) -> None:
        self.heard.append("writable")

    def connection_lost(self, reason: Exception | None) -> None:
        self.heard.append(f"lost {reason}")


class _talker:
    """A server that says one thing and then listens; gives its port."""

    def __init__(self, words: bytes) -> None:
        self._words = words
        self._writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> int:
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        writer.write(self._words)

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()


@contextlib.contextmanager
def _blocking_server(context: ssl.SSLContext) -> Iterator[int]:
    """A TLS server in a thread that handles one connection: unlike asyncio's, it sends the alert when a handshake fails."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            sock, _ = listener.accept()
            sock.settimeout(5)
            with sock, contextlib.suppress(OSError), context.wrap_socket(sock, server_side=True) as secure:
                secure.recv(100)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()
        thread.join(6)
