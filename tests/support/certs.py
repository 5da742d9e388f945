"""Throw-away certificates from trustme.

They are valid for 30 days: the year 3000, trustme's default, crashes the timers of Erlang brokers. Files are readable
by everyone, because mosquitto gives up root before it reads them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PASSPHRASE = "secret"
"""Opens the key of `Certificates.encrypted_client`."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, both PEM files."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Certificates:
    """Where the files of `make_certificates` lie."""

    directory: Path
    ca: Path
    """Signed everything but `untrusted`, `rogue_client` and `self_signed`."""
    other_ca: Path
    """Signed `untrusted` and `rogue_client` only."""
    server: Pair
    """For localhost, 127.0.0.1 and ::1."""
    wrong_host: Pair
    """For wrong.example only."""
    expired: Pair
    future: Pair
    """Not valid for another five days."""
    untrusted: Pair
    """For localhost, from `other_ca`."""
    self_signed: Pair
    client: Pair
    """Common name alice."""
    encrypted_client: Pair
    """The same with the key under `PASSPHRASE`."""
    rogue_client: Pair
    """Common name mallory, from `other_ca`."""


def make_certificates(directory: Path) -> Certificates:
    """Writes all certificates into `directory` (made if missing); takes about a quarter of a second."""
    directory.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC)
    valid = now + timedelta(days=30)
    ca = trustme.CA(organization_name="mqtttui test CA")
    other = trustme.CA(organization_name="some other CA")
    ca.cert_pem.write_to_path(directory / "ca.crt")
    other.cert_pem.write_to_path(directory / "other-ca.crt")

    def leaf(
        name: str,
        *identities: str,
        by: trustme.CA = ca,
        common_name: str | None = None,
        after: datetime = valid,
        before: datetime | None = None,
    ) -> Pair:
        made = by.issue_cert(*identities, common_name=common_name, not_after=after, not_before=before)
        pair = Pair(directory / f"{name}.crt", directory / f"{name}.key")
        made.cert_chain_pems[0].write_to_path(pair.certificate)
        made.private_key_pem.write_to_path(pair.key)
        return pair

    local = ("localhost", "127.0.0.1", "::1")
    client = leaf("client", "alice@example.org", common_name="alice")
    certificates = Certificates(
        directory=directory,
        ca=directory / "ca.crt",
        other_ca=directory / "other-ca.crt",
        server=leaf("server", *local),
        wrong_host=leaf("wrong-host", "wrong.example"),
        expired=leaf("expired", *local, before=now - timedelta(days=10), after=now - timedelta(days=1)),
        future=leaf("future", *local, before=now + timedelta(days=5)),
        untrusted=leaf("untrusted", *local, by=other),
        self_signed=_self_signed(directory, now),
        client=client,
        encrypted_client=_encrypted(client, directory),
        rogue_client=leaf("rogue-client", "mallory@example.org", by=other, common_name="mallory"),
    )
    for path in directory.iterdir():
        path.chmod(0o644)
    directory.chmod(0o755)
    return certificates


def _self_signed(directory: Path, now: datetime) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pair = Pair(directory / "self-signed.crt", directory / "self-signed.key")
    pair.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    pair.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    return pair


def _encrypted(client: Pair, directory: Path) -> Pair:
    key = serialization.load_pem_private_key(client.key.read_bytes(), None)
    pair = Pair(client.certificate, directory / "client-encrypted.key")
    locked = serialization.BestAvailableEncryption(PASSPHRASE.encode())
    pair.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked))
    return pair


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """All certificates, made once a run."""
    return make_certificates(tmp_path_factory.mktemp("certificates"))
