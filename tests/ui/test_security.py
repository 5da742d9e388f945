"""How a connection is made and secured, as a person reads it: in the Connection pane in short, on its own screen in full."""

from __future__ import annotations

import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from mqtttui.client.certificates import read
from mqtttui.client.events import CertificateInfo, ConnectionState, Failure, Phase, TlsInfo, Upgrade
from mqtttui.config.options import ConnectOptions, ProxyOptions, TlsOptions, WebSocketOptions
from mqtttui.ui.forms.state_lines import certificate_content, state_content
from mqtttui.ui.screens.report import ReportScreen
from mqtttui.ui.security_words import colons, pem, security_lines, security_text
from mqtttui.ui.widgets.read_view import ReadView
from tests.support.certs import Certificates
from tests.support.screen import inspecting

NOW = datetime(2026, 7, 1, tzinfo=UTC)
PIN = "ab" * 32
CERTIFICATE = CertificateInfo(
    "CN=broker", "CN=Lab CA", ("broker.lan", "192.0.2.7"), NOW - timedelta(days=100), NOW + timedelta(days=100),
    "cd" * 32, "2a", "EC secp256r1",
    "ecdsa with sha256", der=b"der",
)  # fmt: skip
INFO = TlsInfo("TLSv1.3", "TLS_AES_256_GCM_SHA384", "", (CERTIFICATE,), "broker.lan", complete=True)
OPTIONS = ConnectOptions("broker.lan", 8883, TlsOptions())
STATE = ConnectionState("peer", Phase.CONNECTED, options=OPTIONS, address="192.0.2.7:8883", tls="TLSv1.3 X", tls_info=INFO)


def lines(state: ConnectionState, now: datetime = NOW) -> dict[str, tuple[str, str]]:
    """What stands behind each label, and its kind; of repeated labels the first."""
    found: dict[str, tuple[str, str]] = {}
    for line in security_lines(state, now):
        if len(line) == 2:
            found.setdefault(line[0][0].strip(), line[1])
    return found


def test_everything_about_tls() -> None:
    found = lines(STATE)
    assert found["version"][0] == "TLSv1.3"
    assert found["handshake"] == ("worked", "")
    assert found["checked"][0] == "against the authorities that this system trusts and the server name"
    assert found["own certificate"][0] == "not asked for"
    assert found["names"][0] == "broker.lan, 192.0.2.7"
    assert found["valid until"] == ("2026-10-09 00:00 UTC, ends in 100 days", "")
    assert found["SHA-256"][0] == colons("cd" * 16)


def test_what_deserves_a_warning() -> None:
    def kind(label: str, tls: TlsOptions, **changes: object) -> str:
        state = replace(STATE, options=replace(OPTIONS, tls=tls), tls_info=replace(INFO, **changes))  # type: ignore[arg-type]
        return lines(state)[label][1]

    assert kind("checked", TlsOptions(verify=False)) == "warning"
    assert kind("checked", TlsOptions(verify=False, fingerprint=PIN)) == ""
    assert kind("ALPN", TlsOptions(alpn=("mqtt",))) == "warning"
    assert kind("ALPN", TlsOptions(alpn=("mqtt",)), alpn="mqtt") == ""
    assert kind("own certificate", TlsOptions(), certificate_wanted=True) == "warning"
    assert kind("own certificate", TlsOptions(certificate="c.pem"), certificate_wanted=True) == ""
    assert kind("keys", TlsOptions(key_log="/k")) == "warning"
    assert kind("handshake", TlsOptions(), complete=False) == "error"
    for days, wanted in ((101, "error"), (90, "warning"), (80, "")):
        assert lines(STATE, NOW + timedelta(days=days))["valid until"][1] == wanted
    assert lines(STATE, NOW - timedelta(days=101))["valid from"][1] == "error"
    assert any(kind == "warning" for line in security_lines(replace(STATE, options=ConnectOptions()), NOW) for _, kind in line)


def test_the_way_names_the_proxy_without_its_password() -> None:
    proxy = ProxyOptions("socks5", "proxy.lan", 1080, "me", "secret")
    state = replace(STATE, options=replace(OPTIONS, proxy=proxy, bind="192.0.2.1"))
    assert lines(state)["through"][0] == "socks5h://proxy.lan:1080, as me, which looks the name up"
    assert lines(state)["from"][0] == "192.0.2.1"
    assert "secret" not in security_text(state, NOW) + str(state_content(state, 0))
    assert "mqtts://broker.lan:8883 through socks5h://proxy.lan:1080" in str(state_content(state, 0))


def test_the_certificates_are_copied_as_files_have_them(certificates: Certificates) -> None:
    text = certificates.server.certificate.read_text()
    certificate = read(ssl.PEM_cert_to_DER_cert(text))
    assert pem(certificate) == text.strip()
    assert text.strip() in security_text(replace(STATE, tls_info=replace(INFO, certificates=(certificate,))), NOW)


def test_a_certificate_that_cannot_be_read_still_has_its_fingerprint() -> None:
    state = replace(STATE, tls_info=replace(INFO, certificates=(read(b"\x30\x03abc"),)))
    assert lines(state)["unreadable"][1] == "error"
    assert lines(state)["SHA-256"][0]


def test_headers_of_a_websocket() -> None:
    upgrade = Upgrade(("GET /mqtt HTTP/1.1", "Host: h"), ("HTTP/1.1 101 Switching Protocols", "Upgrade: websocket"))
    state = replace(STATE, options=ConnectOptions("h", 80, websocket=WebSocketOptions()), upgrade=upgrade)
    shown = ["".join(text for text, _ in line) for line in security_lines(state, NOW)]
    assert "> Host: h" in shown
    assert "< Upgrade: websocket" in shown
    assert "WebSocket: HTTP/1.1 101 Switching Protocols  H shows all" in str(state_content(state, 0))


def test_a_failed_handshake_names_the_certificate_in_the_pane() -> None:
    failure = Failure("Certificate for another host", "Hostname mismatch", "Connect by the name.", "tls")
    state = replace(STATE, phase=Phase.IDLE, failure=failure, tls_info=replace(INFO, complete=False))
    assert "CN=broker · for broker.lan, 192.0.2.7 · from CN=Lab CA · valid 2026-03-23 to 2026-10-09" in str(certificate_content(state))
    assert not certificate_content(replace(state, failure=None))
    assert lines(state)["handshake"] == ("failed: Certificate for another host", "error")


def test_nothing_to_say() -> None:
    assert len(security_lines(ConnectionState("peer"), NOW)) == 1
    assert "stays on this machine" in security_text(replace(STATE, options=ConnectOptions(unix_path="/run/m.sock")), NOW)


async def test_the_screen_opens_and_copies_with_its_key() -> None:
    async with inspecting(1, size=(120, 36)) as (run, _):
        await run.press("H")
        await run.until(lambda: isinstance(run.app.screen, ReportScreen) and run.app.screen.is_mounted, "the screen")
        assert run.app.screen.query_one(ReadView).text
        await run.press("q")
        await run.until(lambda: run.app.screen is run.main, "the main screen")
