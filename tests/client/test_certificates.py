"""Certificates as people read them, and the message that brings them."""

from __future__ import annotations

import hashlib
import ssl
from datetime import UTC, datetime, timedelta

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtensionOID, NameOID
from hypothesis import given
from hypothesis import strategies as st

from mqtttui.client.certificates import read, read_first
from mqtttui.client.events import ConnectionState, TlsInfo
from mqtttui.client.handshake import chain_of
from mqtttui.config.options import ConnectOptions, TlsOptions
from mqtttui.ui.security_words import security_text
from tests.support.certs import Certificates, Pair

DER = ssl.PEM_cert_to_DER_cert(trustme.CA().issue_cert("localhost", "127.0.0.1").cert_chain_pems[0].bytes().decode())


def der_of(pair: Pair) -> bytes:
    return ssl.PEM_cert_to_DER_cert(pair.certificate.read_text())


def test_what_a_certificate_says(certificates: Certificates) -> None:
    der = der_of(certificates.server)
    info = read(der)
    assert info.names == ("localhost", "127.0.0.1", "::1")
    assert "mqtttui test CA" in info.issuer
    assert info.key.startswith("EC secp256r1")
    assert info.signature == "ecdsa with sha256"
    assert info.fingerprint == hashlib.sha256(der).hexdigest()
    assert info.not_before is not None and info.not_after is not None and info.not_before < info.not_after
    assert (info.authority, info.problem, info.der) == (False, "", der)
    assert read(ssl.PEM_cert_to_DER_cert(certificates.ca.read_text())).authority
    assert read(der_of(certificates.self_signed)).subject == "CN=localhost"


def test_the_own_certificate_is_the_first_of_its_file(certificates: Certificates) -> None:
    text = b"some words\n" + certificates.client.certificate.read_bytes() + certificates.ca.read_bytes()
    assert read_first(text) == read(der_of(certificates.client))
    assert read_first(b"no certificate") is None
    broken = read_first(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----")
    assert broken is not None and broken.problem
    assert read_first(b"-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----") is None


def test_names_that_would_paint_the_terminal_are_harmless() -> None:
    evil = "\x1b[31mred\x07 \u202egnirts [/b]\n"
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, evil), x509.NameAttribute(NameOID.ORGANIZATION_NAME, evil)])
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("a\x1b[2Jb"), x509.DirectoryName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    info = read(made.public_bytes(serialization.Encoding.DER))
    assert "gnirts" in info.subject
    assert all(text.isprintable() for text in (info.subject, info.issuer, *info.names))
    state = ConnectionState("p", options=ConnectOptions(tls=TlsOptions()), tls_info=TlsInfo("TLSv1.3", "X", certificates=(info,)))
    assert all(line.isprintable() for line in security_text(state, now).split("\n"))


def test_a_kind_of_name_that_the_library_does_not_know() -> None:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker")])
    x400_address = x509.UnrecognizedExtension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, bytes.fromhex("3002a300"))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x400_address, critical=False)
        .sign(key, hashes.SHA256())
    )
    info = read(made.public_bytes(serialization.Encoding.DER))
    assert (info.subject, info.names, info.problem) == ("CN=broker", (), "")


@given(st.binary(max_size=200), st.integers(0, 2000), st.integers(0, 255))
def test_any_bytes_give_something(noise: bytes, place: int, value: int) -> None:
    assert read(noise).problem
    changed = bytearray(DER)
    changed[place % len(changed)] = value
    assert read(bytes(changed)).fingerprint == hashlib.sha256(changed).hexdigest()


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=5), st.booleans(), st.integers(0, 2000))
def test_the_chain_of_a_message_and_of_its_beginning(chain: list[bytes], tls_1_3: bool, length: int) -> None:
    entries = b"".join(len(each).to_bytes(3, "big") + each + (b"\x00\x03abc" if tls_1_3 else b"") for each in chain)
    message = b"\x0b\x00\x00\x00" + (b"\x00" if tls_1_3 else b"") + len(entries).to_bytes(3, "big") + entries
    assert list(chain_of(message, tls_1_3=tls_1_3)) == chain
    begun = list(chain_of(message[:length], tls_1_3=tls_1_3))
    assert begun == chain[: len(begun)]


@given(st.binary(max_size=100), st.booleans())
def test_any_message_gives_a_chain(message: bytes, tls_1_3: bool) -> None:
    assert all(chain_of(message, tls_1_3=tls_1_3))
