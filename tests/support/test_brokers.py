"""The broker fixtures serve."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

import pytest

from tests.support.brokers import Broker, free_port, mosquitto, program
from tests.support.certs import Certificates
from tests.support.waiting import wait_until, wait_until_sync

CONNECT = bytes.fromhex("10 0d 00 04 4d 51 54 54 04 02 00 3c 00 01 61")
LOGIN = bytes.fromhex("10 1c 00 04 4d 51 54 54 04 c2 00 3c 00 01 61") + b"\x00\x05alice\x00\x06secret"


def greet(sock: socket.socket, packet: bytes) -> bytes:
    """The four bytes with which a 3.1.1 broker answers."""
    sock.settimeout(5)
    sock.sendall(packet)
    return sock.recv(4)


@pytest.mark.parametrize("name", ["mosquitto_broker", "nats_broker", "aedes_broker"])
def test_lets_in_without_a_login(name: str, request: pytest.FixtureRequest) -> None:
    broker: Broker = request.getfixturevalue(name)
    with socket.create_connection((broker.host, broker.port)) as sock:
        assert greet(sock, CONNECT) == b"\x20\x02\x00\x00"


@pytest.mark.parametrize("name", ["password_mosquitto", "ejabberd_broker"])
def test_wants_a_login(name: str, request: pytest.FixtureRequest) -> None:
    broker: Broker = request.getfixturevalue(name)
    with socket.create_connection((broker.host, broker.port)) as sock:
        assert greet(sock, CONNECT)[3] != 0
    with socket.create_connection((broker.host, broker.port)) as sock:
        assert greet(sock, LOGIN) == b"\x20\x02\x00\x00"


def test_tls(tls_mosquitto: Broker, certificates: Certificates) -> None:
    context = ssl.create_default_context(cafile=str(certificates.ca))
    raw = socket.create_connection((tls_mosquitto.host, tls_mosquitto.port))
    with context.wrap_socket(raw, server_hostname="localhost") as sock:
        assert greet(sock, CONNECT) == b"\x20\x02\x00\x00"


def test_client_certificate(mutual_tls_mosquitto: Broker, certificates: Certificates) -> None:
    context = ssl.create_default_context(cafile=str(certificates.ca))
    pair = certificates.encrypted_client
    context.load_cert_chain(pair.certificate, pair.key, password="secret")
    raw = socket.create_connection((mutual_tls_mosquitto.host, mutual_tls_mosquitto.port))
    with context.wrap_socket(raw, server_hostname="127.0.0.1") as sock:
        assert greet(sock, CONNECT) == b"\x20\x02\x00\x00"


@pytest.mark.parametrize(
    ("served", "code"), [("wrong_host", {62, 64}), ("expired", {10}), ("future", {9}), ("untrusted", {20, 21}), ("self_signed", {18})]
)
def test_bad_certificates_are_bad(served: str, code: set[int], certificates: Certificates, tmp_path: Path) -> None:
    with mosquitto(tmp_path, tls=getattr(certificates, served)) as broker:
        context = ssl.create_default_context(cafile=str(certificates.ca))
        with socket.create_connection((broker.host, broker.port)) as raw, pytest.raises(ssl.SSLCertVerificationError) as caught:
            context.wrap_socket(raw, server_hostname="localhost")
        assert caught.value.verify_code in code


def test_stop_kill_and_start_again(tmp_path: Path) -> None:
    with mosquitto(tmp_path, persistence=True, options=["max_inflight_messages 3"]) as broker:
        port, pid = broker.port, broker.pid
        broker.stop()
        assert not broker.running
        broker.start()
        assert (broker.port, broker.running) == (port, True)
        assert broker.pid != pid
        broker.pause()
        broker.resume()
        broker.kill()
        assert not broker.running
        broker.start()
        process = broker.process
    assert process is not None
    assert process.poll() is not None


def test_missing_program_is_skipped_here_and_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no-such-broker is not installed"):
        program("no-such-broker", "nowhere")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="CI needs it"):
        program("no-such-broker", "nowhere")


async def test_waiting_says_what_it_waited_for() -> None:
    with pytest.raises(AssertionError, match="the port"):
        await wait_until(lambda: False, "the port", 0.02)
    with pytest.raises(AssertionError, match="still 7"):
        wait_until_sync(lambda: False, lambda: f"still {7}", 0.02)
    assert await wait_until(free_port, "a port") > 0
