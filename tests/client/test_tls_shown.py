"""What a TLS handshake shows, and what is asked of it: certificates, ALPN, versions, the pinned one, the key log."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from mqtttui.client.events import Phase
from mqtttui.config.options import TlsOptions
from mqtttui.protocol.packets import Connect
from tests.support.brokers import Broker
from tests.support.certs import Certificates, Pair
from tests.support.proxy import Proxy
from tests.support.scripted import Script, expect, reply, serve
from tests.support.sessions import Driver

NEWEST = ssl.TLSVersion.TLSv1_3
OLDER = ssl.TLSVersion.TLSv1_2
_HANDSHAKE, _ENCRYPTED = 0x16, 0x17
"""Types of records."""


def fingerprint(pair: Pair) -> str:
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pair.certificate.read_text())).hexdigest()


def context(pair: Pair, version: ssl.TLSVersion = NEWEST) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(pair.certificate, pair.key)
    made.minimum_version = made.maximum_version = version
    return made


@asynccontextmanager
async def server(made: ssl.SSLContext) -> AsyncIterator[int]:
    """A broker behind `made`."""
    async with Script(expect(Connect), reply(), serve(), tls=made) as script:
        yield script.port


@asynccontextmanager
async def silent(made: ssl.SSLContext) -> AsyncIterator[int]:
    """Shakes hands with whoever wants it, then says nothing."""

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    listening = await asyncio.start_server(served, "127.0.0.1", 0, ssl=made)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()


@pytest.mark.parametrize("version", [OLDER, NEWEST])
async def test_a_handshake_that_works(certificates: Certificates, version: ssl.TLSVersion) -> None:
    made = context(certificates.server, version)
    made.verify_mode = ssl.CERT_OPTIONAL
    made.load_verify_locations(certificates.ca)
    async with silent(made) as port, Driver() as driver:
        driver.connect(port, "localhost", tls=TlsOptions(ca_file=str(certificates.ca)))
        await driver.until(lambda: driver.state.tls, "the handshake", 20)
        info = driver.state.tls_info
        assert info is not None
        assert info.version == ("TLSv1.2" if version is OLDER else "TLSv1.3")
        assert info.cipher and driver.state.tls == f"{info.version} {info.cipher}"
        assert info.certificates[0].fingerprint == fingerprint(certificates.server)
        assert (info.server_name, info.certificate_wanted, info.complete, info.alpn) == ("localhost", True, True, "")


@pytest.mark.parametrize("version", [OLDER, NEWEST])
@pytest.mark.parametrize("which", ["untrusted", "expired", "wrong_host"])
async def test_a_handshake_that_is_refused_shows_its_certificates_too(
    certificates: Certificates, which: str, version: ssl.TLSVersion
) -> None:
    pair: Pair = getattr(certificates, which)
    async with silent(context(pair, version)) as port, Driver() as driver:
        driver.connect(port, "localhost", tls=TlsOptions(ca_file=str(certificates.ca)))
        state = await driver.failed(20)
        info = state.tls_info
        assert info is not None and state.failure is not None and state.failure.step == "tls"
        assert [each.fingerprint for each in info.certificates] == [fingerprint(pair)]
        assert info.version == ("TLSv1.2" if version is OLDER else "TLSv1.3")
        assert not info.complete
        assert info.certificates[0].names[0] == ("wrong.example" if which == "wrong_host" else "localhost")


async def test_the_next_attempt_forgets_what_the_last_one_showed(mosquitto_broker: Broker, certificates: Certificates) -> None:
    async with silent(context(certificates.untrusted)) as port, Driver() as driver:
        driver.connect(port, "localhost", tls=TlsOptions())
        assert (await driver.failed(20)).tls_info is not None
        await driver.connected(mosquitto_broker.port)
        assert driver.state.tls_info is None


async def test_a_whole_chain(certificates: Certificates, tmp_path: Path) -> None:
    both = Pair(tmp_path / "chain.pem", certificates.server.key)
    both.certificate.write_bytes(certificates.server.certificate.read_bytes() + certificates.ca.read_bytes())
    async with silent(context(both)) as port, Driver() as driver:
        driver.connect(port, "localhost", tls=TlsOptions(verify=False))
        info = await driver.until(lambda: driver.state.tls_info, "the handshake", 20)
        assert [each.authority for each in info.certificates] == [False, True]


@pytest.mark.parametrize(
    ("offered", "spoken", "chosen"),
    [(("mqtt", "other"), ["other"], "other"), (("mqtt",), None, ""), (("mqtt",), ["h2"], ""), ((), ["h2"], "")],
)
async def test_alpn(certificates: Certificates, offered: tuple[str, ...], spoken: list[str] | None, chosen: str) -> None:
    """OpenSSL goes on where the server chooses none."""
    made = context(certificates.server)
    if spoken is not None:
        made.set_alpn_protocols(spoken)
    async with server(made) as port, Driver() as driver:
        await driver.connected(port, tls=TlsOptions(ca_file=str(certificates.ca), alpn=offered))
        assert driver.state.tls_info is not None
        assert driver.state.tls_info.alpn == chosen


@pytest.mark.parametrize("verify", [True, False])
async def test_the_pinned_certificate(certificates: Certificates, verify: bool) -> None:
    """Pinned and not checked is no reason for a warning."""
    tls = TlsOptions(ca_file=str(certificates.ca), verify=verify, fingerprint=fingerprint(certificates.server))
    async with server(context(certificates.server)) as port, Driver() as driver:
        await driver.connected(port, tls=tls)
        assert driver.state.warning == ""


@pytest.mark.parametrize("version", [OLDER, NEWEST])
@pytest.mark.parametrize("verify", [True, False])
async def test_another_certificate_than_the_pinned_one(certificates: Certificates, verify: bool, version: ssl.TLSVersion) -> None:
    tls = TlsOptions(ca_file=str(certificates.ca), verify=verify, fingerprint=fingerprint(certificates.client))
    async with silent(context(certificates.server, version)) as port, Driver() as driver:
        driver.connect(port, tls=tls)
        failure = (await driver.failed(20)).failure
        assert failure is not None
        assert failure.title == "Not the pinned certificate"
        assert fingerprint(certificates.server) in failure.detail
        assert driver.state.tls_info is not None


async def test_a_pin_does_not_replace_the_check(certificates: Certificates) -> None:
    tls = TlsOptions(ca_file=str(certificates.ca), fingerprint=fingerprint(certificates.untrusted))
    async with silent(context(certificates.untrusted)) as port, Driver() as driver:
        driver.connect(port, "localhost", tls=tls)
        failure = (await driver.failed(20)).failure
        assert failure is not None
        assert failure.title == "Unknown certificate authority"


async def test_nothing_is_said_to_a_server_with_another_certificate(certificates: Certificates) -> None:
    """In TLS 1.3 the own certificate would leave with the client's last message of the handshake."""
    pair = certificates.client
    tls = TlsOptions(verify=False, certificate=str(pair.certificate), key=str(pair.key), fingerprint="00" * 32)
    async with silent(context(certificates.server)) as port, Proxy("127.0.0.1", port) as proxy, Driver() as driver:
        driver.connect(proxy.port, tls=tls)
        await driver.failed(20)
        await driver.until(lambda: proxy.connections[0].closed, "the proxy to finish", 20)
        data, kinds = bytes(proxy.connections[0].to_server.data), []
        while data:
            kinds.append(data[0])
            data = data[5 + int.from_bytes(data[3:5], "big") :]
        assert _HANDSHAKE in kinds
        assert _ENCRYPTED not in kinds


async def test_the_highest_version(certificates: Certificates, tls_mosquitto: Broker) -> None:
    async with Driver() as driver:
        await driver.connected(tls_mosquitto.port, tls=TlsOptions(ca_file=str(certificates.ca), maximum_version="1.2"))
        assert driver.state.tls.startswith("TLSv1.2 ")


@pytest.mark.parametrize(("version", "name"), [(ssl.TLSVersion.TLSv1, "1.0"), (ssl.TLSVersion.TLSv1_1, "1.1")])
async def test_an_old_version_if_one_must(certificates: Certificates, version: ssl.TLSVersion, name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        made = context(certificates.server, version)
    made.set_ciphers("DEFAULT:@SECLEVEL=0")
    tls = TlsOptions(ca_file=str(certificates.ca))
    async with silent(made) as port, Driver() as driver:
        driver.connect(port, tls=tls)
        failure = (await driver.failed(20)).failure
        assert failure is not None
        assert failure.step == "tls"
    async with server(made) as port, Driver() as driver:
        await driver.connected(port, tls=replace(tls, minimum_version=name))
        assert driver.state.warning == f"TLSv{name.removesuffix('.0')} is no longer safe"


async def test_the_key_log(certificates: Certificates, tls_mosquitto: Broker, tmp_path: Path) -> None:
    file = tmp_path / "keys"
    async with Driver() as driver:
        await driver.connected(tls_mosquitto.port, tls=TlsOptions(ca_file=str(certificates.ca), key_log=str(file)))
        assert driver.state.warning.startswith(f"TLS keys are written to {file.parent.parent.parent}")
        await driver.disconnect()
        assert driver.state.warning == ""
    assert file.stat().st_mode & 0o777 == 0o600
    lines = file.read_text().splitlines()
    assert any(line.startswith("CLIENT_TRAFFIC_SECRET_0 ") for line in lines)


async def test_the_warning_of_the_key_log_goes_with_the_attempt(certificates: Certificates, tmp_path: Path) -> None:
    async with silent(context(certificates.untrusted)) as port, Driver() as driver:
        driver.connect(port, "localhost", tls=TlsOptions(key_log=str(tmp_path / "keys")))
        await driver.failed(20)
        assert driver.state.warning == ""
        assert any(state.warning.startswith("TLS keys are written to ") for state in driver.states)


async def test_no_key_leaves_unless_asked(
    certificates: Certificates, tls_mosquitto: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    async with Driver() as driver:
        await driver.connected(tls_mosquitto.port, tls=TlsOptions(ca_file=str(certificates.ca)))
    assert not (tmp_path / "keys").exists()


@pytest.mark.parametrize("which", ["readable", "folder", "nowhere", "expired", "future"])
async def test_what_cannot_be_used_is_said_before_dialing(certificates: Certificates, tmp_path: Path, which: str) -> None:
    readable = tmp_path / "readable"
    readable.write_bytes(b"")
    readable.chmod(0o644)
    tls, title = {
        "readable": (TlsOptions(key_log=str(readable)), "Cannot use the key log file that others may read"),
        "folder": (TlsOptions(key_log=str(tmp_path)), "Cannot use the key log file"),
        "nowhere": (TlsOptions(key_log=str(tmp_path / "no" / "where")), "Cannot use the key log file"),
        "expired": (TlsOptions(certificate=str(certificates.expired.certificate), key=str(certificates.expired.key)),
                    "Own certificate expired"),
        "future": (TlsOptions(certificate=str(certificates.future.certificate), key=str(certificates.future.key)),
                   "Own certificate not yet valid"),
    }[which]  # fmt: skip
    async with Driver() as driver:
        driver.connect(1, "nowhere.invalid", tls=tls)
        failure = (await driver.failed(20)).failure
        assert failure is not None
        assert (failure.title, failure.step) == (title, "tls")
        assert failure.hint
        assert next(step for step in driver.state.steps if step.name == "resolve").started is None
        assert driver.state.phase is Phase.IDLE
