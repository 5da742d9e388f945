"""Certificates as people read them, from DER or PEM. Any bytes give a CertificateInfo; what cannot be read is said in it.

The library that reads them takes 50 ms to import: `load` does it in a thread, before anything is timed.
"""

from __future__ import annotations

import hashlib
import importlib
import re
import sys
import warnings
from typing import TYPE_CHECKING

from mqtttui.client.events import CertificateInfo
from mqtttui.client.threads import in_thread
from mqtttui.text import shorten, visible

if TYPE_CHECKING:
    from cryptography import x509

_NAMES = 100
"""So many names of a certificate are kept."""
_CHARACTERS = 300
_ASYMMETRIC = "cryptography.hazmat.primitives.asymmetric"
_LIBRARY = {"cryptography.x509", f"{_ASYMMETRIC}.dsa", f"{_ASYMMETRIC}.ec", f"{_ASYMMETRIC}.rsa"}
_PEM = re.compile(rb"-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----.*?-----END (?:TRUSTED |X509 )?CERTIFICATE-----", re.DOTALL)


async def load() -> None:
    """Make `read` fast."""
    if not sys.modules.keys() >= _LIBRARY:
        await in_thread(_import, "certificates")


def read(der: bytes) -> CertificateInfo:
    """What a certificate says."""
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm

    fingerprint = hashlib.sha256(der).hexdigest()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # About certificates that are not quite right; they would go to the terminal.
            certificate = x509.load_der_x509_certificate(der)
            return CertificateInfo(
                subject=_name(certificate.subject),
                issuer=_name(certificate.issuer),
                names=_names(certificate),
                not_before=certificate.not_valid_before_utc,
                not_after=certificate.not_valid_after_utc,
                fingerprint=fingerprint,
                serial=f"{certificate.serial_number:x}",
                key=_key(certificate),
                signature=_signature(certificate),
                authority=_is_authority(certificate),
                der=der,
            )
    except (ValueError, TypeError, OverflowError, UnsupportedAlgorithm, x509.InvalidVersion, x509.DuplicateExtension) as error:
        return CertificateInfo(fingerprint=fingerprint, der=der, problem=shorten(visible(str(error)), _CHARACTERS) or "it cannot be read")


def read_first(pem: bytes) -> CertificateInfo | None:
    """The first certificate of a PEM file, which is the own one; None if there is none."""
    from ssl import PEM_cert_to_DER_cert

    match = _PEM.search(pem)
    if match is None:
        return None
    text = match.group().decode("ascii", "replace").replace("TRUSTED ", "").replace("X509 ", "")
    try:
        return read(PEM_cert_to_DER_cert(text))
    except ValueError:
        return None


def _import() -> None:
    for name in _LIBRARY:
        importlib.import_module(name)


def _name(name: x509.Name) -> str:
    """`CN=broker, O=Lab`, the most particular part first."""
    return shorten(visible(", ".join(part.rfc4514_string() for part in reversed(name.rdns))), _CHARACTERS)


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    from cryptography import x509

    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, x509.UnsupportedGeneralNameType):
        return ()
    named = list(found)
    names = [shorten(visible(_general_name(each)), _CHARACTERS) for each in named[:_NAMES]]
    return (*names, *([f"and {len(named) - _NAMES:,} more"] if len(named) > _NAMES else []))


def _general_name(name: x509.GeneralName) -> str:
    from cryptography import x509

    if isinstance(name, x509.DNSName | x509.RFC822Name | x509.UniformResourceIdentifier):
        return name.value
    if isinstance(name, x509.IPAddress):
        return str(name.value)
    if isinstance(name, x509.DirectoryName):
        return _name(name.value)
    return type(name).__name__


def _key(certificate: x509.Certificate) -> str:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa

    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return "of an unknown kind"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC {key.curve.name}"
    if isinstance(key, rsa.RSAPublicKey | dsa.DSAPublicKey):
        return f"{'RSA' if isinstance(key, rsa.RSAPublicKey) else 'DSA'} {key.key_size:,} bits"
    return type(key).__name__.removesuffix("PublicKey").lstrip("_")


def _signature(certificate: x509.Certificate) -> str:
    from cryptography import x509

    oid = certificate.signature_algorithm_oid
    names = {value: name for name, value in vars(x509.SignatureAlgorithmOID).items() if isinstance(value, x509.ObjectIdentifier)}
    return names.get(oid, oid.dotted_string).lower().replace("_", " ")


def _is_authority(certificate: x509.Certificate) -> bool:
    from cryptography import x509

    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, x509.UnsupportedGeneralNameType):
        return False
