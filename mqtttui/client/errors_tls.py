"""Failures of TLS and of certificates as title, detail and hint for people, from what the handshake showed. See `errors`."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from mqtttui.client import clock, errors
from mqtttui.client.events import CertificateInfo, Failure, Fix, TlsInfo
from mqtttui.client.tls import NotTls, OtherCertificate, TlsEof
from mqtttui.client.tls_setup import TlsSetupError
from mqtttui.config.options import DEFAULT_WSS_PORT, ConnectOptions
from mqtttui.protocol.enums import ErrorClass
from mqtttui.text import shorten, visible

_VERIFY_TABLE: dict[int, tuple[str, str]] = {
    9: ("Certificate not yet valid", "Check this machine's clock, then the broker's certificate."),
    10: ("Certificate expired", "The broker needs a new certificate; also check this machine's clock."),
    18: ("Self-signed certificate", "Give that certificate as the CA file if you trust it, or switch verification off."),
    19: ("Unknown certificate authority", "Give the CA file of whoever signed it; the chain ends in a root that is not trusted here."),
    20: ("Unknown certificate authority", "Give the CA file of whoever signed it; perhaps the broker does not send its intermediate."),
    21: ("Unknown certificate authority", "The broker sends one certificate, signed by nothing trusted here: give its CA file."),
    22: ("Certificate chain too long", "The broker sends more intermediate certificates than OpenSSL takes."),
    23: ("Certificate revoked", "The broker needs a new certificate."),
    24: ("Signed by what is no authority", "The CA file or the chain has a certificate that may not sign others."),
    25: ("Certificate chain too long", "One of its authorities may not sign other authorities."),
    26: ("Certificate for another purpose", "It is not made for servers (Extended Key Usage): the broker needs another one."),
    66: ("TLS too weak", "The broker's key is too small for this machine's OpenSSL."),
    67: ("TLS too weak", "The key of the certificate's authority is too small for this machine's OpenSSL."),
    68: ("TLS too weak", "The certificate is signed in a way too weak for this machine's OpenSSL."),
    62: ("Certificate for another host", "Connect by the name in the certificate, or set the server name to it."),
    64: ("Certificate for another host", "The certificate does not name this address: connect by name, or set the server name."),
}
"""OpenSSL's X509 verify codes."""

_UNKNOWN_AUTHORITY = frozenset({19, 20, 21})

_PLAIN_FIXES = (Fix.NO_TLS, Fix.OTHER_PORT)
_CERTIFICATE_WANTED = ("Client certificate wanted", "This broker takes clients with a certificate only: set certificate and key.")
_CERTIFICATE_REFUSED = ("Client certificate refused", "The broker does not accept this certificate: who signed it, is it still valid?")
_DISAGREE = ("TLS handshake refused", "The two sides' TLS settings do not fit together: try other TLS versions.")
_SPOILED = ("TLS was spoiled", "One side finds the other's bytes wrong: something between changes them, or one has a fault.")
_VERSION_HINT = "The broker and this client share no TLS version: lower the lowest version if you must."

_TLS_TABLE: dict[str, tuple[str, str, tuple[Fix, ...]]] = {
    "WRONG_VERSION_NUMBER": ("No TLS on this port", "The answer is not TLS: this port may speak plain MQTT.", _PLAIN_FIXES),
    "RECORD_LAYER_FAILURE": ("No TLS on this port", "The answer is not TLS: this port may speak plain MQTT.", _PLAIN_FIXES),
    "HTTP_REQUEST": ("No TLS on this port", "The other side speaks HTTP.", (Fix.OTHER_PORT,)),
    "UNSUPPORTED_PROTOCOL": ("TLS version not supported", _VERSION_HINT, ()),
    "NO_PROTOCOLS_AVAILABLE": ("TLS version not supported", "This machine's OpenSSL has the chosen TLS versions switched off.", ()),
    "TLSV1_ALERT_PROTOCOL_VERSION": ("TLS version not supported", _VERSION_HINT, ()),
    "SSLV3_ALERT_HANDSHAKE_FAILURE": ("TLS handshake refused", "No common cipher, or the broker wants a client certificate.", ()),
    "TLSV1_ALERT_INSUFFICIENT_SECURITY": ("TLS handshake refused", "The broker wants stronger ciphers than were offered.", ()),
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": (*_CERTIFICATE_WANTED, ()),
    "SSLV3_ALERT_NO_CERTIFICATE": (*_CERTIFICATE_WANTED, ()),
    "SSLV3_ALERT_BAD_CERTIFICATE": (*_CERTIFICATE_REFUSED, ()),
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE": (*_CERTIFICATE_REFUSED, ()),
    "SSLV3_ALERT_CERTIFICATE_REVOKED": (*_CERTIFICATE_REFUSED, ()),
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": (*_CERTIFICATE_REFUSED, ()),
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": (*_CERTIFICATE_REFUSED, ()),
    "TLSV1_ALERT_UNKNOWN_CA": ("Client certificate refused", "The broker does not know the authority that signed it.", ()),
    "TLSV1_ALERT_ACCESS_DENIED": ("Access denied", "The broker knows the certificate but does not let it in.", ()),
    "TLSV1_ALERT_DECRYPT_ERROR": (*_CERTIFICATE_REFUSED, ()),
    "TLSV1_UNRECOGNIZED_NAME": ("Server name not known", "The broker has no certificate for this name: check the server name.", ()),
    "TLSV1_ALERT_NO_RENEGOTIATION": ("TLS renegotiation refused", "The two sides disagree about renegotiation.", ()),
    "TLSV1_ALERT_INTERNAL_ERROR": ("TLS error of the broker", "The broker failed inside its TLS: see its log.", ()),
    "TLSV1_ALERT_NO_APPLICATION_PROTOCOL": ("ALPN refused", "The server takes none of the protocols that were offered by ALPN.", ()),
    "TLSV1_UNSUPPORTED_EXTENSION": (*_DISAGREE, ()),
    "TLSV13_ALERT_MISSING_EXTENSION": (*_DISAGREE, ()),
    "TLSV1_ALERT_EXPORT_RESTRICTION": (*_DISAGREE, ()),
    "TLSV1_ALERT_INAPPROPRIATE_FALLBACK": (*_DISAGREE, ()),
    "TLSV1_ALERT_USER_CANCELLED": ("TLS handshake refused", "The broker broke the handshake off: see its log.", ()),
    "TLSV1_CERTIFICATE_UNOBTAINABLE": (*_CERTIFICATE_REFUSED, ()),
    "TLSV1_BAD_CERTIFICATE_STATUS_RESPONSE": (*_CERTIFICATE_REFUSED, ()),
    "TLSV1_BAD_CERTIFICATE_HASH_VALUE": (*_CERTIFICATE_REFUSED, ()),
    "SSLV3_ALERT_BAD_RECORD_MAC": (*_SPOILED, ()),
    "SSLV3_ALERT_DECOMPRESSION_FAILURE": (*_SPOILED, ()),
    "SSLV3_ALERT_ILLEGAL_PARAMETER": (*_SPOILED, ()),
    "SSLV3_ALERT_UNEXPECTED_MESSAGE": (*_SPOILED, ()),
    "TLSV1_ALERT_DECODE_ERROR": (*_SPOILED, ()),
    "TLSV1_ALERT_DECRYPTION_FAILED": (*_SPOILED, ()),
    "TLSV1_ALERT_RECORD_OVERFLOW": (*_SPOILED, ()),
    "DECRYPTION_FAILED_OR_BAD_RECORD_MAC": (*_SPOILED, ()),
    "UNEXPECTED_MESSAGE": (*_SPOILED, ()),
    "DH_KEY_TOO_SMALL": ("TLS too weak", "The broker's key exchange is too weak for this machine's OpenSSL.", ()),
    "EE_KEY_TOO_SMALL": ("TLS too weak", "The broker's key is too small for this machine's OpenSSL.", ()),
    "CA_MD_TOO_WEAK": ("TLS too weak", "The certificate is signed in a way too weak for this machine's OpenSSL.", ()),
}
"""OpenSSL's reason names -> title, hint, fixes."""

_SETUP_HINTS = {
    "key passphrase": "The passphrase does not open this key: type it again.",
    "key without its passphrase": "This key is encrypted: give its passphrase.",
    "certificate and key": "The key does not belong to the certificate.",
    "key log file": "Name a file that can be written.",
    "key log file that others may read": "Its keys open the connection: chmod 600, or name another file.",
    "key log, which is no plain file": "Name a plain file.",
}
_SETUP_TITLES = {
    "key passphrase": "Wrong key passphrase",
    "key without its passphrase": "Key passphrase missing",
    "certificate and key": "Key of another certificate",
    "expired client certificate": "Own certificate expired",
    "client certificate before its time": "Own certificate not yet valid",
}
_SELF_EXPLAINING = frozenset({"key passphrase", "key without its passphrase", "certificate and key"})
"""OpenSSL's words for these say nothing."""
_NOT_YET, _EXPIRED, _SELF_SIGNED = 9, 10, 18
_OTHER_HOST = frozenset({62, 64})
_SHOWN_NAMES = 6
_LONGEST = 120
_PATH = 200
_REFUSALS = frozenset({"SSLV3_ALERT_HANDSHAKE_FAILURE", "SSLV3_ALERT_BAD_CERTIFICATE"})
"""What servers of TLS 1.2 say to a client without a certificate."""
_TLS_HANDSHAKE = 0x16
_AWS = ".amazonaws.com"


def tls_setup(error: TlsSetupError) -> Failure:
    """A file or setting for TLS that cannot be used."""
    path = visible(error.path)
    cause = errors.words(error.cause) if error.cause is not None else ""
    if error.what == "TLS version":
        return Failure("TLS version not known", path, "The versions are 1.0 to 1.3.", "tls")
    if error.what == "client certificate" and error.cause is None:
        return Failure("Key without certificate", path, "A key needs its certificate: set both.", "tls")
    now = datetime.now(UTC)
    if isinstance(error.cause, FileNotFoundError):
        hint = "There is no such file."
    elif isinstance(error.cause, PermissionError):
        hint = "This user may not read the file."
    elif isinstance(error.cause, IsADirectoryError):
        hint = "This is a folder."
    elif error.what == "expired client certificate":
        hint = f"Renew it; or is this clock fast? ({clock.says(now)})"
    elif error.what == "client certificate before its time":
        hint = clock.behind(now, [error.path]) or f"Is this clock slow? ({clock.says(now)})"
    else:
        hint = _SETUP_HINTS.get(error.what, "The file must hold PEM text (-----BEGIN …).")
    detail = f"{path}: {cause}" if cause and error.what not in _SELF_EXPLAINING else path
    return Failure(_SETUP_TITLES.get(error.what, f"Cannot use the {error.what}"), detail, hint, "tls")


def bad_server_name(name: str) -> Failure:
    """A name that cannot stand in SNI."""
    return Failure("Not a server name", visible(name) or "empty", "Give the broker's name as it stands in its certificate.", "tls")


def handshake(
    error: OSError | TlsEof | NotTls | OtherCertificate, options: ConnectOptions, head: bytes = b"", info: TlsInfo | None = None
) -> Failure:
    """The handshake failed; `head` is what the peer sent first, `info` what the handshake showed."""
    if isinstance(error, NotTls):
        hint = "The answer is not TLS: this port may speak plain MQTT."
        return errors.foreign(head, "tls") or Failure("No TLS on this port", errors.sent(head), hint, "tls", _PLAIN_FIXES)
    if isinstance(error, OtherCertificate):
        hint = "A new certificate, or somebody between: if you trust it, set the fingerprint to the one seen."
        return Failure("Not the pinned certificate", f"the server's has SHA-256 {error.seen}", hint, "tls")
    if isinstance(error, ssl.SSLCertVerificationError):
        return _not_verified(error, options, info or TlsInfo())
    if _wants_certificate(options, info) and not isinstance(error, TimeoutError):
        refused = not isinstance(error, ssl.SSLError) or isinstance(error, ssl.SSLEOFError) or errors.ssl_reason(error) in _REFUSALS
        if refused:
            title, hint = _CERTIFICATE_WANTED
            return Failure(title, f"the broker asked for one, then: {_end_words(error)}", hint, "tls")
    begun = bool(head) and head[0] == _TLS_HANDSHAKE
    if isinstance(error, TlsEof | ssl.SSLEOFError):
        if begun:
            hint = "It speaks TLS and gave up in the middle: settings that it does not share, or a crash. See its log."
            return Failure("Closed during the TLS handshake", errors.sent(head), hint, "tls")
        hint = "Brokers do this on a port for plain MQTT, or for TLS settings that they do not share."
        return Failure("Closed during the TLS handshake", errors.sent(head), hint, "tls", _PLAIN_FIXES)
    if isinstance(error, ssl.SSLError):
        return alert(error, "tls")
    if isinstance(error, TimeoutError) and error.errno is None:
        return _too_slow(options, head)
    if isinstance(error, ConnectionResetError):
        hint = "A port for plain MQTT does this too; so do firewalls that look into TLS."
        detail = f"{errors.words(error)}; {errors.sent(head)}"
        return Failure("Reset during the TLS handshake", detail, hint, "tls", () if begun else _PLAIN_FIXES)
    title, hint = errors.of_system(error)
    return Failure(title, errors.words(error), hint, "tls")


def _too_slow(options: ConnectOptions, head: bytes) -> Failure:
    limit = f"within {options.dial_timeout:g} s"
    if head:
        hint = "The broker hangs, or large packets are lost on the way (a VPN, a tunnel): the first ones come, the certificate does not."
        return Failure("The TLS handshake did not finish", f"{errors.sent(head)}, but it was not complete {limit}", hint, "tls")
    hint = "A port for plain MQTT may wait for more bytes; or the broker hangs."
    return Failure("No answer to the TLS handshake", f"nothing {limit}", hint, "tls", _PLAIN_FIXES)


def _not_verified(error: ssl.SSLCertVerificationError, options: ConnectOptions, info: TlsInfo) -> Failure:
    """The certificate does not hold; what the server's certificates say stands in the detail."""
    code, tls = error.verify_code, options.tls
    title, hint = _VERIFY_TABLE.get(code, ("Certificate not accepted", "OpenSSL finds a fault in the certificate or its chain."))
    chain = info.certificates
    own = chain[0] if chain else CertificateInfo()
    detail = errors.words(error)
    now = datetime.now(UTC)
    files = [path for path in (tls.ca_file, tls.certificate) if path] if tls is not None else []
    if code == _EXPIRED and (ended := _first(chain, lambda each: each.not_after is not None and each.not_after < now)):
        assert ended.not_after is not None
        detail = f"{_subject(ended)} ended at {clock.stamp(ended.not_after)}, {clock.span(now - ended.not_after)} ago"
        hint = clock.all_past(now, chain) or f"The broker needs a new certificate. Or is this clock fast? ({clock.says(now)})"
    elif code == _NOT_YET and (later := _first(chain, lambda each: each.not_before is not None and each.not_before > now)):
        assert later.not_before is not None
        detail = f"{_subject(later)} begins at {clock.stamp(later.not_before)}, in {clock.span(later.not_before - now)}"
        if slow := clock.behind(now, files):
            return Failure("This machine's clock is wrong", f"{title.lower()}: {detail}", slow, "tls")
        hint = clock.not_yet(now, later) or f"Is this clock slow? ({clock.says(now)}) If not, the broker's certificate is from the future."
    elif code in _OTHER_HOST and chain:
        shown = ", ".join(own.names[:_SHOWN_NAMES]) or "no host at all"
        more = f" and {len(own.names) - _SHOWN_NAMES:,} more" if len(own.names) > _SHOWN_NAMES else ""
        detail = f"asked for {visible(info.server_name or options.host)}, it is for {shown}{more}"
        hint = "Connect by one of its names, or set the server name to it." if own.names else hint
        name = next((each for each in own.names if "*" not in each), "")
        return Failure(title, detail, hint, "tls", (Fix.SERVER_NAME,) if name else (), value=name)
    elif code == _SELF_SIGNED and chain:
        detail = f"{_subject(own)} has signed itself, SHA-256 {own.fingerprint}"
        hint = "If you trust it: give it as the CA file, or pin its fingerprint."
        return Failure(title, detail, hint, "tls", (Fix.PIN,), value=own.fingerprint)
    elif code in _UNKNOWN_AUTHORITY:
        if chain:
            sent = "1 certificate" if len(chain) == 1 else f"{len(chain)} certificates"
            detail = f"signed by {shorten(chain[-1].issuer, _LONGEST) or 'nobody'}, which is not known here; the broker sent {sent}"
        if tls is not None and tls.ca_file:
            hint = f"Nothing in {shorten(visible(tls.ca_file), _PATH)} signed it: is that this broker's CA file?"
    return Failure(title, detail, hint, "tls")


def _first(chain: Sequence[CertificateInfo], holds: Callable[[CertificateInfo], bool]) -> CertificateInfo | None:
    return next((each for each in chain if holds(each)), None)


def _subject(certificate: CertificateInfo) -> str:
    return shorten(certificate.subject, _LONGEST) or "the certificate"


def _wants_certificate(options: ConnectOptions, info: TlsInfo | None) -> bool:
    """The server asked for a certificate, and none was given."""
    return info is not None and info.certificate_wanted and options.tls is not None and not options.tls.certificate


def _end_words(error: Exception) -> str:
    return "closed" if isinstance(error, TlsEof | ssl.SSLEOFError) else errors.words(error)


def alert(error: ssl.SSLError, step: str) -> Failure:
    """TLS ended a connection that stood already."""
    if isinstance(error, ssl.SSLEOFError):
        return Failure("Connection cut", errors.words(error), "TLS ended without its goodbye: see the broker's log.", step)
    title, hint, fixes = _TLS_TABLE.get(errors.ssl_reason(error), ("TLS failed", "See the broker's log for its side of it.", ()))
    return Failure(title, errors.words(error), hint, step, fixes, ErrorClass.TLS)


def closed_after(reason: Exception | None, options: ConnectOptions, info: TlsInfo | None) -> Failure | None:
    """Why a connection ended after a handshake that worked and before CONNACK, where the handshake tells; else None."""
    tls = options.tls
    if tls is None or info is None or not info.complete:
        return None
    how = "no answer came" if reason is None else errors.words(reason)
    if tls.alpn and not info.alpn:
        offered = shorten(visible(", ".join(tls.alpn)), _LONGEST)
        hint = "Where several protocols share a port the name decides (AWS IoT on 443: x-amzn-mqtt-ca, or mqtt): check the ALPN names."
        return Failure(
            "Closed after TLS: no ALPN protocol chosen", f"offered were {offered}, the server chose none; {how}", hint, "connack"
        )
    if _wants_certificate(options, info):
        detail = f"the broker asked for one in the handshake, none was given; {how}"
        return Failure(_CERTIFICATE_WANTED[0], detail, _CERTIFICATE_WANTED[1], "connack")
    if info.certificate_wanted:
        hint = "Is its authority known to the broker, is it still valid there? Otherwise: MQTT version or login. See the broker's log."
        return Failure("Closed after TLS: client certificate not taken?", f"the broker asked for one and got it; {how}", hint, "connack")
    if options.host.lower().endswith(_AWS) and not tls.alpn and options.port == DEFAULT_WSS_PORT:
        hint = "AWS IoT takes MQTT on 443 only with the ALPN name x-amzn-mqtt-ca; or use port 8883."
        return Failure("Closed after TLS: ALPN wanted?", how, hint, "connack")
    return None
