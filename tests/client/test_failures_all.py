"""Every place in the client that makes a Failure is walked: none is a stub, none hides what happened behind "unknown error"."""

from __future__ import annotations

import ast
import asyncio
import errno
import socket
import ssl
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType

import pytest

import mqtttui.client
from mqtttui.client import connection, errors, errors_ends, errors_proxy, errors_tls, errors_transport
from mqtttui.client.errors_ends import Before, Seen
from mqtttui.client.events import CertificateInfo, Failure, Phase, TlsInfo
from mqtttui.client.proxy import ProxyError, Trouble
from mqtttui.client.tls import NotTls, OtherCertificate, TlsEof
from mqtttui.client.tls_setup import TlsSetupError
from mqtttui.client.websocket import UpgradeError, WebSocketBroken, WebSocketClosed
from mqtttui.config.options import ConnectOptions, ProxyOptions, TlsOptions, WebSocketOptions
from mqtttui.protocol.enums import Version
from mqtttui.protocol.packets import Connack, Connect
from tests.client.test_failures import ssl_error, verify_error, whole
from tests.support.failing import written_tomorrow
from tests.support.sessions import Driver

PLAIN = ConnectOptions(host="broker.example", connect=Connect(client_id="c", version=Version.V5))
SECURE = replace(PLAIN, port=443, tls=TlsOptions(ca_file="/ca.crt", alpn=("mqtt",)))
AWS = replace(SECURE, host="x.iot.eu-west-1.amazonaws.com", tls=TlsOptions())
WITH_CERTIFICATE = replace(PLAIN, tls=TlsOptions(certificate="c.crt"))
WEB = replace(PLAIN, websocket=WebSocketOptions())
SOCKS = ProxyOptions("socks5", "p", 1080)
PROXIED = replace(PLAIN, proxy=SOCKS)
NOW = datetime.now(UTC)
CHAIN = (
    CertificateInfo("CN=a", "CN=b", ("a", "b"), NOW - timedelta(9), NOW - timedelta(2), "ab" * 32),
    CertificateInfo("CN=b", "CN=c", (), NOW - timedelta(9), NOW - timedelta(1), "cd" * 32),
)
LATER = (replace(CHAIN[0], not_before=NOW + timedelta(3), not_after=NOW + timedelta(9)),)
SHOWN = TlsInfo("TLSv1.3", "X", "", CHAIN, "a.example", certificate_wanted=True, complete=True)
TIMEOUT, RESET = TimeoutError(), ConnectionResetError(errno.ECONNRESET, "reset")


def setup(what: str, cause: Exception | None = None) -> Failure:
    return errors_tls.tls_setup(TlsSetupError(what, "/file", cause))


CALLS: list[Callable[[], Failure | None]] = [
    lambda: errors.lookup(TIMEOUT, PLAIN),
    lambda: errors.lookup(socket.gaierror(socket.EAI_NONAME, "no"), PLAIN),
    lambda: errors.lookup(UnicodeError("label"), PLAIN),
    lambda: errors.tcp(RESET, PLAIN, ""),
    lambda: errors.foreign(b"HTTP/1.1"),
    lambda: errors.refused(Connack(5), Version.V311),
    lambda: errors.malformed_connack(),
    lambda: errors.authentication_wanted(),
    lambda: errors.authentication_failed("wrong signature", "connack"),
    lambda: errors.authentication_unanswered(60),
    lambda: errors.framing("bytes"),
    lambda: errors.server_disconnect(0x8E, (), Version.V5),
    lambda: errors.keep_alive(9),
    lambda: errors.our_fault(RuntimeError("odd")),
    lambda: setup("TLS version"),
    lambda: setup("client certificate"),
    lambda: setup("expired client certificate", ValueError("valid until then")),
    lambda: setup("client certificate before its time", ValueError("valid from then")),
    lambda: setup("CA file", FileNotFoundError(errno.ENOENT, "none")),
    lambda: setup("CA file", PermissionError(errno.EACCES, "no")),
    lambda: setup("CA file", ValueError("embedded null byte")),
    lambda: errors_tls.bad_server_name(""),
    lambda: errors_tls.handshake(NotTls(b"\x20\x02"), SECURE, b"\x20\x02"),
    lambda: errors_tls.handshake(OtherCertificate("ab"), SECURE),
    lambda: errors_tls.handshake(TlsEof(b""), PLAIN, b"", SHOWN),
    lambda: errors_tls.handshake(TlsEof(b""), replace(SECURE, tls=TlsOptions()), b"", SHOWN),
    lambda: errors_tls.handshake(TlsEof(b"\x16\x03"), SECURE, b"\x16\x03"),
    lambda: errors_tls.handshake(TlsEof(b""), SECURE),
    lambda: errors_tls.handshake(ssl_error("X"), SECURE),
    lambda: errors_tls.handshake(TIMEOUT, SECURE),
    lambda: errors_tls.handshake(TIMEOUT, SECURE, b"\x16\x03"),
    lambda: errors_tls.handshake(RESET, SECURE),
    lambda: errors_tls.handshake(OSError(errno.ENETDOWN, "down"), SECURE),
    *(lambda code=code: errors_tls.handshake(verify_error(code), SECURE, b"\x16", SHOWN) for code in range(1, 100)),
    *(lambda code=code: errors_tls.handshake(verify_error(code), SECURE) for code in range(1, 100)),
    lambda: errors_tls.handshake(verify_error(9), SECURE, b"\x16", replace(SHOWN, certificates=LATER)),
    lambda: errors_tls.alert(ssl.SSLEOFError(8, "eof"), "connack"),
    lambda: errors_ends.closed_before_connack(None, SECURE, Seen(tls=SHOWN)),
    lambda: errors_ends.closed_before_connack(None, AWS, Seen(tls=SHOWN)),
    lambda: errors_ends.closed_before_connack(None, AWS, Seen(tls=replace(SHOWN, certificate_wanted=False))),
    lambda: errors_ends.closed_before_connack(None, WITH_CERTIFICATE, Seen(tls=SHOWN)),
    lambda: errors_ends.closed_before_connack(RESET, PLAIN),
    lambda: errors_ends.closed_before_connack(None, PLAIN, Seen(b"\x20")),
    lambda: errors_ends.closed_before_connack(None, PLAIN, Seen(b"\xf0")),
    lambda: errors_ends.closed_before_connack(WebSocketBroken("odd"), WEB),
    lambda: errors_ends.no_connack(PLAIN),
    lambda: errors_ends.no_connack(PLAIN, Seen(b"\x20")),
    lambda: errors_ends.no_connack(PLAIN, Seen(b"\xf0")),
    lambda: errors_ends.no_connack(PLAIN, Seen(size=9, unsent=3)),
    lambda: errors_ends.lost(RESET, Before(sent="a PUBLISH")),
    lambda: errors_ends.lost(None, Before(quiet=20, keep_alive=10)),
    lambda: errors_ends.lost(WebSocketClosed(1009, "large"), Before("c")),
    lambda: errors_ends.lost(RESET, Before()),
    lambda: errors_ends.lost(RuntimeError("odd"), Before()),
    lambda: errors_proxy.lookup(TIMEOUT, PROXIED),
    lambda: errors_proxy.tcp(RESET, PROXIED, ""),
    lambda: errors_proxy.tunnel(TIMEOUT, SOCKS, PROXIED),
    lambda: errors_proxy.tunnel(RESET, SOCKS, PROXIED),
    *(
        lambda trouble=trouble, proxy=proxy, head=head: errors_proxy.tunnel(
            ProxyError(trouble, code=4, text="no", head=head), proxy, PROXIED
        )
        for trouble in Trouble
        for proxy in (SOCKS, ProxyOptions("http", "p", 3128))
        for head in (b"HTTP/1.1 200", b"\x05\xff", b"SSH-")
    ),
    lambda: errors_proxy.bind(OSError(errno.EADDRNOTAVAIL, "no"), "192.0.2.1"),
    lambda: errors_proxy.other_family("192.0.2.1", "::1"),
    lambda: errors_transport.unix(ValueError("too long"), "/x"),
    lambda: errors_transport.unix(OSError(errno.ENOENT, "none"), "/x"),
    lambda: errors_transport.upgrade(TIMEOUT, WEB),
    lambda: errors_transport.upgrade(TIMEOUT, WEB, b"HT"),
    lambda: errors_transport.upgrade(RESET, WEB),
    lambda: errors_transport.upgrade(UpgradeError("the request cannot be written"), WEB),
    lambda: errors_transport.upgrade(UpgradeError("closed during the upgrade"), WEB),
    lambda: errors_transport.upgrade(UpgradeError("closed during the upgrade", b"HTTP/1"), WEB),
    lambda: errors_transport.upgrade(UpgradeError("the answer is not HTTP", b"\x20\x02"), WEB),
    lambda: errors_transport.upgrade(UpgradeError("sub-protocol chat", b"HTTP/1.1 101"), WEB),
    lambda: errors_transport.upgrade(UpgradeError("odd", b"HTTP/1.1 101"), WEB),
    lambda: errors_transport.upgrade(UpgradeError("", b"HTTP/1.1 404 No", 404), WEB),
]

EVASIVE = ("unknown error", "something went wrong", "error occurred", "none", "null")


def modules() -> Iterator[ModuleType]:
    """The modules of the client that make Failures."""
    for name, module in sorted(sys.modules.items()):
        if name.startswith("mqtttui.client.") and getattr(module, "Failure", None) is Failure and name != "mqtttui.client.events":
            yield module


def places() -> set[tuple[str, int]]:
    """File and line of every `Failure(…)` in the client."""
    found = set()
    for path in Path(mqtttui.client.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Failure":
                found.add((path.name, node.lineno))
    return found


def test_every_failure_is_walked_and_says_what_happened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    walked: set[tuple[str, int]] = set()
    newer = tmp_path / "ca.crt"
    newer.write_text("")
    written_tomorrow(newer)
    slow_clock = replace(SECURE, tls=TlsOptions(ca_file=str(newer)))

    def made(*parts: object, **named: object) -> Failure:
        frame = sys._getframe(1)
        walked.add((Path(frame.f_code.co_filename).name, frame.f_lineno))
        return Failure(*parts, **named)  # type: ignore[arg-type]

    for module in modules():
        monkeypatch.setattr(module, "Failure", made)
    calls: list[Callable[[], Failure | None]] = [
        *CALLS,
        lambda: errors_tls.handshake(verify_error(9), slow_clock, b"\x16", replace(SHOWN, certificates=LATER)),
    ]
    for call in calls:
        failure = call()
        assert failure is not None
        for text in (failure.title, failure.detail, failure.hint):
            assert text.isprintable()
            assert text.lower().strip(" .") not in EVASIVE
        assert failure.title
        assert failure.hint
    assert places() - walked == set(), "failures that no call above makes: add one, and a scene to the table if it can be provoked"


OF_SOCKETS = (
    errno.EACCES, errno.EPERM, errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.ECONNREFUSED, errno.ENETUNREACH,
    errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN, errno.ECONNRESET, errno.ECONNABORTED, errno.EPIPE,
    errno.ENOBUFS, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.EINVAL, errno.EPROTO, errno.ENOPROTOOPT,
)  # fmt: skip
"""connect(2), send(2), recv(2), tcp(7), ip(7)."""


@pytest.mark.parametrize("code", OF_SOCKETS)
def test_what_connect_send_and_receive_may_give_is_in_the_table(code: int) -> None:
    failure = errors.tcp(OSError(code, "words"), PLAIN, "")
    whole(failure)
    assert failure.title != "Connection failed"


def test_every_alert_that_openssl_knows_is_in_the_table() -> None:
    known: set[str] = set(ssl._ssl.err_codes_to_names.values())  # type: ignore[attr-defined]
    alerts = {name for name in known if name.startswith(("SSLV3_ALERT_", "TLSV1_", "TLSV13_ALERT_"))}
    assert alerts
    assert {name for name in alerts if errors_tls.alert(ssl_error(name), "tls").title == "TLS failed"} == set()


async def test_no_session_stays_connecting_after_what_nobody_expected(monkeypatch: pytest.MonkeyPatch) -> None:
    async def odd(*_: object) -> None:
        raise ZeroDivisionError("division \x1b by zero")

    monkeypatch.setattr(connection, "dial", odd)
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)  # It hears of it, too; here nobody wants to read it.
    async with Driver() as driver:
        driver.connect(1)
        failure = (await driver.failed()).failure
        assert failure is not None
        assert (failure.title, failure.detail) == ("A fault of this program", "ZeroDivisionError: division \\x1b by zero")
        assert driver.state.phase is Phase.IDLE
