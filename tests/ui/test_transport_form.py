"""The transport in the Connection form: what it shows and what it makes."""

from __future__ import annotations

import pytest

from mqtttui.config.options import ConnectOptions, TlsOptions, WebSocketOptions
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
