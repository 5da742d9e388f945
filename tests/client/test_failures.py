"""Every lower-level error has a title, a detail and a hint for people, and nothing of the wire gets through unescaped."""

from __future__ import annotations

import errno
import socket
import ssl
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mqtttui.client import errors, errors_ends, errors_tls
from mqtttui.client.errors_ends import Before, Seen
from mqtttui.client.events import Failure, Fix
from mqtttui.client.tls import NotTls, TlsEof
from mqtttui.config.options import ConnectOptions, TlsOptions
from mqtttui.protocol.enums import Version
from mqtttui.protocol.packets import Connack, Connect, Property

PLAIN = ConnectOptions(host="broker.example", connect=Connect(client_id="c"))
SECURE = ConnectOptions(host="broker.example", port=8883, tls=TlsOptions(), connect=Connect(client_id="c"))

BEFORE = Before("c")


def whole(failure: Failure) -> None:
    """All parts are there and can be shown as they stand."""
    for text in (failure.title, failure.detail, failure.hint):
        assert text, failure
        assert text.isprintable(), failure
    assert failure.step in ("resolve", "tcp", "tls", "connect", "connack", "")


def ssl_error(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, f"[SSL: {reason}] words (_ssl.c:1000)")
    error.reason = reason
    return error


def verify_error(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.reason = "CERTIFICATE_VERIFY_FAILED"
    error.verify_code = code
    error.verify_message = f"message {code}"
    return error


@pytest.mark.parametrize("code", sorted(errors._OS_TABLE))
def test_every_errno(code: int) -> None:
    error = OSError(code, "words")
    dialing = errors.tcp(error, PLAIN, "127.0.0.1:1883 failed")
    whole(dialing)
    assert dialing.title == errors._OS_TABLE[code][0]
    assert dialing.step == "tcp"
    assert errors.short_reason(error) == errors._OS_TABLE[code][1]
    whole(errors_ends.lost(error, BEFORE))
    whole(errors_tls.handshake(error, SECURE))
    whole(errors_ends.closed_before_connack(error, PLAIN))


def test_an_unknown_errno_keeps_its_words() -> None:
    failure = errors.tcp(OSError(errno.EXDEV, "odd thing"), PLAIN, "")
    whole(failure)
    assert failure.detail == "odd thing"


@pytest.mark.parametrize(("port", "fixes"), [(1883, (Fix.OTHER_PORT,)), (8883, (Fix.OTHER_PORT,)), (9999, ())])
def test_the_other_port_is_offered_where_there_is_one(port: int, fixes: tuple[Fix, ...]) -> None:
    assert errors.tcp(ConnectionRefusedError(errno.ECONNREFUSED, "no"), ConnectOptions(port=port), "x").fixes == fixes


@pytest.mark.parametrize("code", sorted(errors._LOOKUP_TABLE))
def test_every_lookup_error(code: int) -> None:
    failure = errors.lookup(socket.gaierror(code, "words"), PLAIN)
    whole(failure)
    assert failure.title == errors._LOOKUP_TABLE[code][0]


@pytest.mark.parametrize("error", [TimeoutError(), UnicodeError("label too long"), ValueError("embedded null"), OSError(5, "x")])
def test_other_lookup_errors(error: Exception) -> None:
    whole(errors.lookup(error, PLAIN))


@pytest.mark.parametrize("code", sorted(errors_tls._VERIFY_TABLE))
def test_every_certificate_error(code: int) -> None:
    failure = errors_tls.handshake(verify_error(code), SECURE)
    whole(failure)
    assert failure.title == errors_tls._VERIFY_TABLE[code][0]


@pytest.mark.parametrize("reason", sorted(errors_tls._TLS_TABLE))
def test_every_tls_error(reason: str) -> None:
    for failure in (
        errors_tls.handshake(ssl_error(reason), SECURE),
        errors_ends.closed_before_connack(ssl_error(reason), SECURE),
        errors_ends.lost(ssl_error(reason), BEFORE),
    ):
        whole(failure)
        assert failure.title == errors_tls._TLS_TABLE[reason][0]


@pytest.mark.parametrize(
    ("error", "title"),
    [
        (ssl_error("SOMETHING_NEW"), "TLS failed"),
        (ssl.SSLEOFError(8, "EOF occurred in violation of protocol"), "Closed during the TLS handshake"),
        (TlsEof(b""), "Closed during the TLS handshake"),
        (TlsEof(b"\x16\x03"), "Closed during the TLS handshake"),
        (NotTls(b"\x20\x02\x00\x00"), "No TLS on this port"),
        (NotTls(b"HTTP/1.1 400"), "A web server answers here"),
        (TimeoutError(), "No answer to the TLS handshake"),
        (ConnectionResetError(errno.ECONNRESET, "reset"), "Reset during the TLS handshake"),
        (verify_error(999), "Certificate not accepted"),
    ],
)
def test_other_tls_errors(error: OSError | TlsEof | NotTls, title: str) -> None:
    head = error.head if isinstance(error, TlsEof | NotTls) else b""
    failure = errors_tls.handshake(error, SECURE, head)
    whole(failure)
    assert failure.title == title


def test_the_names_of_openssl_are_real() -> None:
    """A reason that OpenSSL does not have would never be found."""
    known = {name for names in (ssl._ssl.err_codes_to_names,) for name in names.values()}  # type: ignore[attr-defined]
    assert set(errors_tls._TLS_TABLE) - known <= {
        "TLSV13_ALERT_CERTIFICATE_REQUIRED",
        "RECORD_LAYER_FAILURE",
        "TLSV1_ALERT_NO_RENEGOTIATION",
        "TLSV1_ALERT_NO_APPLICATION_PROTOCOL",
    }


@pytest.mark.parametrize("version", list(Version))
def test_every_refusal_has_words(version: Version) -> None:
    for code in range(1, 256):
        failure = errors.refused(Connack(code), version)
        assert failure.title.startswith("Refused: ")
        assert failure.hint
        assert errors.server_disconnect(code, (), version).hint


@pytest.mark.parametrize("start", [row[0] for row in errors._FOREIGN])
def test_every_foreign_protocol(start: bytes) -> None:
    failure = errors.foreign(start + b"\x1b[31m rest")
    assert failure is not None
    whole(failure)


@pytest.mark.parametrize(
    "reason", [None, ConnectionResetError(104, "reset"), ssl_error("X"), ssl.SSLEOFError(8, "eof"), RuntimeError("odd")]
)
def test_ends_before_and_after_connack(reason: Exception | None) -> None:
    for options in (PLAIN, SECURE):
        whole(errors_ends.closed_before_connack(reason, options))
        for sent in ("", "a PUBLISH to x", "a SUBSCRIBE", "a packet made by hand"):
            whole(errors_ends.lost(reason, replace(BEFORE, sent=sent)))
        whole(errors_ends.lost(reason, Before(quiet=20, keep_alive=10)))
        for seen in (Seen(b"\x20\x03"), Seen(size=10, unsent=3)):
            whole(errors_ends.closed_before_connack(reason, options, seen))
            whole(errors_ends.no_connack(options, seen))


def test_an_end_during_the_authentication_is_no_answer_cut_off() -> None:
    seen = Seen(b"\xf0\x0d\x18\x0b")
    closed, late = errors_ends.closed_before_connack(None, PLAIN, seen), errors_ends.no_connack(PLAIN, seen)
    assert (closed.title, closed.detail) == ("Closed during the authentication", "AUTH came, no CONNACK, then: closed")
    assert late.title == "The authentication did not end"
    whole(closed)
    whole(late)


def test_the_others() -> None:
    for failure in (
        errors_ends.no_connack(PLAIN),
        errors_ends.no_connack(SECURE),
        errors.malformed_connack(),
        errors.authentication_wanted(),
        errors.framing("the bytes \x1b are odd"),
        errors.keep_alive(12.3),
        errors_tls.bad_server_name("x\x1b"),
        errors_tls.bad_server_name(""),
    ):
        whole(failure)


@given(st.binary(max_size=20))
def test_any_head_is_judged(head: bytes) -> None:
    failure = errors.foreign(head)
    if failure is not None:
        whole(failure)
    whole(errors_tls.handshake(NotTls(head), SECURE, head))


@given(st.text(max_size=30) | st.binary(max_size=30))
def test_what_the_server_says_is_made_visible(text: str | bytes) -> None:
    properties = (Property(0x1F, text), Property(0x1C, text))
    for failure in (
        errors.refused(Connack(0x87, properties=properties), Version.V5),
        errors.server_disconnect(0x8B, properties, Version.V5),
    ):
        assert failure.detail.isprintable()


def test_nobody_takes_over_a_connection_without_a_client_id() -> None:
    assert "Taken over by another client with the id c?" in errors_ends.lost(None, BEFORE).hint
    assert errors_ends.lost(None, Before()).hint == "The broker stopped, or kicked this client: see its log."
