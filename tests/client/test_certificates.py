"""Certificates as people read them, and the message that brings them."""

from __future__ import annotations

import hashlib
import ssl

import trustme
from hypothesis import given
from hypothesis import strategies as st

from mqtttui.client.certificates import read, read_first
from mqtttui.client.handshake import chain_of
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
