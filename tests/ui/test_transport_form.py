"""The transport in the Connection form: what it shows and what it makes."""

from __future__ import annotations

import pytest

from mqtttui.config.options import ConnectOptions, ProxyOptions, TlsOptions, WebSocketOptions
from mqtttui.ui.forms.connect import ConnectDraft
from mqtttui.ui.forms.rows import OPEN, FormError, Kind


def ids(draft: ConnectDraft) -> list[str]:
    return [row.id for row in draft.rows()]


@pytest.mark.parametrize(
    "options",
    [
        ConnectOptions(),
        ConnectOptions(unix_path="/run/m.sock"),
        ConnectOptions("h", 80, websocket=WebSocketOptions()),
        ConnectOptions("h", 2, bind="127.0.0.1:9", proxy=ProxyOptions("socks5", "::1", 9, "me", "p\\w", remote_names=False)),
        ConnectOptions("h", 2, proxy=ProxyOptions("http", "p", 8080)),
        ConnectOptions(
            "h",
            2,
            TlsOptions(
                "ca", "c", "k", "phrase", "n", "1.3", False, maximum_version="1.3", alpn=("a", "b"), fingerprint="ab" * 32, key_log="/k"
            ),
        ),
        ConnectOptions("h", 1, TlsOptions(), websocket=WebSocketOptions("/a?b", "", (("X-A", "1"), ("Cookie", "c")))),
    ],
)
def test_what_is_loaded_comes_out(options: ConnectOptions) -> None:
    draft = ConnectDraft()
    draft.load(options)
    assert draft.options() == options


def test_the_port_follows_the_transport() -> None:
    draft = ConnectDraft()
    for row, value, url in (
        ("transport", "WebSocket", "ws://localhost:80/mqtt"),
        ("tls", "on", "wss://localhost:443/mqtt"),
        ("transport", "TCP", "mqtts://localhost:8883"),
    ):
        draft.change(row, value)
        assert draft.options().url == url
    draft.change("port", "1")
    draft.change("transport", "WebSocket")
    assert draft.options().url == "wss://localhost:1/mqtt"


def test_a_unix_socket_has_no_host_and_no_tls() -> None:
    draft = ConnectDraft()
    draft.change("tls", "on")
    draft.change("transport", "Unix socket")
    assert "unix" in ids(draft)
    assert not {"host", "port", "tls", "ws.path"} & set(ids(draft))
    with pytest.raises(FormError) as caught:
        draft.options()
    assert caught.value.field == "unix"
    draft.change("unix", "/run/m.sock")
    assert draft.options().url == "mqtt+unix:///run/m.sock"


def test_headers_are_added_and_taken_away_and_secret_ones_are_hidden() -> None:
    draft = ConnectDraft()
    draft.change("transport", "WebSocket")
    draft.change("section.ws", OPEN)
    draft.change("ws.header.0", "X-A: 1")
    draft.change("ws.header.1", "Authorization: Bearer x")
    rows = {row.id: row for row in draft.rows()}
    assert (rows["ws.header.1"].kind, rows["ws.header.2"].value) == (Kind.SECRET, "")
    assert draft.options().websocket == WebSocketOptions(headers=(("X-A", "1"), ("Authorization", "Bearer x")))
    draft.change("ws.header.1", "nonsense")
    assert {row.id: row for row in draft.rows()}["ws.header.1"].error
    draft.change("ws.header.1", "")
    assert "ws.header.2" not in ids(draft)


def test_the_port_of_a_proxy_follows_its_kind_and_secrets_are_hidden() -> None:
    draft = ConnectDraft()
    draft.change("section.route", OPEN)
    draft.change("proxy", "HTTP")
    draft.change("proxy.host", "p")
    draft.change("proxy.username", "me")
    draft.change("proxy.password", "secret")
    assert draft.options().proxy == ProxyOptions("http", "p", 3128, "me", "secret")
    draft.change("proxy", "SOCKS5")
    assert draft.options().proxy == ProxyOptions("socks5", "p", 1080, "me", "secret")
    rows = {row.id: row for row in draft.rows()}
    assert rows["proxy.password"].kind is Kind.SECRET
    assert not [row for row in rows.values() if "secret" in row.summary + row.help]
    draft.change("proxy.remote_names", "off")
    assert draft.options().proxy == ProxyOptions("socks5", "p", 1080, "me", "secret", remote_names=False)


@pytest.mark.parametrize(
    ("row", "value", "marked"),
    [
        ("proxy.host", "a b", "proxy.host"),
        ("proxy.port", "0", "proxy.port"),
        ("proxy.password", "only", "proxy.username"),
        ("bind", "eth0", "bind"),
        ("tls.fingerprint", "ab", "tls.fingerprint"),
        ("tls.alpn", "a,,b", "tls.alpn"),
        ("tls.minimum_version", "1.3", "tls.maximum_version"),
    ],
)
def test_what_is_wrong_stands_at_its_row(row: str, value: str, marked: str) -> None:
    draft = ConnectDraft()
    draft.load(ConnectOptions("h", 1, TlsOptions(maximum_version="1.2"), proxy=ProxyOptions("socks5", "p", 9)))
    draft.change(row, value)
    assert [each.id for each in draft.rows() if each.error] == [marked]
    with pytest.raises(FormError) as caught:
        draft.options()
    assert caught.value.field == marked


def test_the_form_says_what_a_fingerprint_replaces() -> None:
    def verify(tls: TlsOptions) -> tuple[str, str]:
        draft = ConnectDraft()
        draft.load(ConnectOptions("h", 1, tls))
        draft.open("tls.verify")
        return next((row.summary, row.warning) for row in draft.rows() if row.id == "tls.verify")

    pin = "ab" * 32
    assert verify(TlsOptions()) == ("check the certificate", "")
    assert verify(TlsOptions(fingerprint=pin)) == ("the certificate, and its fingerprint", "")
    assert verify(TlsOptions(verify=False, fingerprint=pin)) == ("the fingerprint alone is checked", "")
    assert "anyone may answer" in verify(TlsOptions(verify=False))[1]
