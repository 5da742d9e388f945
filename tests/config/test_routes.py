"""Proxies and own addresses as people write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from mqtttui.cli.start import settings_from
from mqtttui.config.errors import ConfigError
from mqtttui.config.mosquitto import parse_command
from mqtttui.config.options import ConnectOptions, ProxyOptions
from mqtttui.config.routes import bind_address, parse_bind, parse_proxy


def options(*words: str, **environ: str) -> ConnectOptions:
    found = settings_from(words, environ)[0].options
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "proxy", "url"),
    [
        ("http://p:3128", ProxyOptions("http", "p", 3128), "http://p:3128"),
        ("HTTP://p:3128/", ProxyOptions("http", "p", 3128), "http://p:3128"),
        ("socks5h://p", ProxyOptions("socks5", "p", 1080), "socks5h://p:1080"),
        ("socks5://[::1]:9", ProxyOptions("socks5", "::1", 9, remote_names=False), "socks5://[::1]:9"),
        ("socks5h://me:a%40b%3Ac@p:1", ProxyOptions("socks5", "p", 1, "me", "a@b:c"), "socks5h://p:1"),
        ("http://me:a@b@p:1", ProxyOptions("http", "p", 1, "me", "a@b"), "http://p:1"),
        ("socks5h://me@p", ProxyOptions("socks5", "p", 1080, "me"), "socks5h://p:1080"),
    ],
)
def test_proxies(text: str, proxy: ProxyOptions, url: str) -> None:
    assert parse_proxy(text) == proxy
    assert proxy.url == url
    assert parse_proxy(url) == ProxyOptions(proxy.kind, proxy.host, proxy.port, remote_names=proxy.remote_names)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("p:3128", "write http://host:port"),
        ("https://p:1", "TLS to the proxy itself is not supported"),
        ("socks4://p", "SOCKS 4 is not supported"),
        ("http://p", "3128"),
        ("http://p:1/path", "no path"),
        ("http://p:0", "1 to 65535"),
        ("socks5h://[::1", "IPv6|host name"),
        ("socks5h://", "host is missing"),
        ("socks5h://:secret@p", "needs a user name"),
        ("socks5h://me:100%secret@p", "%25"),
        ("socks5h://me:sec/ret@p", "%2F"),
        ("http://a%3Ab:secret@p:1", "colon"),
        (f"socks5h://me:{'secret' * 60}@p", "at most 255 bytes"),
        ("socks5h://me:secret%0A@p", "control characters"),
    ],
)
def test_what_is_no_proxy_is_said_without_its_password(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        parse_proxy(text)
    assert "sec" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "form", "address"),
    [
        ("127.0.0.1", "127.0.0.1", ("127.0.0.1", 0)),
        ("127.0.0.1:40000", "127.0.0.1:40000", ("127.0.0.1", 40000)),
        ("[::1]", "::1", ("::1", 0)),
        ("::1", "::1", ("::1", 0)),
        ("[::1]:40000", "[::1]:40000", ("::1", 40000)),
        ("fe80::1%eth0", "fe80::1%eth0", ("fe80::1%eth0", 0)),
    ],
)
def test_own_addresses(text: str, form: str, address: tuple[str, int]) -> None:
    assert parse_bind(text) == form
    assert bind_address(form) == address
    assert parse_bind(form) == form


@pytest.mark.parametrize("text", ["eth0", "localhost", "127.0.0.1:", "1.2.3", "[::1]x", "127.0.0.1:70000", "::1:"])
def test_what_is_no_own_address(text: str) -> None:
    if text == "127.0.0.1:":
        assert parse_bind(text) == "127.0.0.1"
        return
    with pytest.raises(ConfigError):
        parse_bind(text)


def test_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "pw").write_bytes(b"secret\n")
    file = str(tmp_path / "pw")
    found = options("h", "--proxy", "socks5h://me@p", "--proxy-password-file", file, "-A", "127.0.0.2")
    assert found.proxy == ProxyOptions("socks5", "p", 1080, "me", "secret")
    assert found.bind == "127.0.0.2"
    assert "secret" not in repr(found)
    with pytest.raises(ConfigError, match="no effect: --proxy-password-file"):
        options("h", "--proxy-password-file", file)
    with pytest.raises(ConfigError, match="needs a user name"):
        options("h", "--proxy", "socks5h://p", "--proxy-password-file", file)
    for words in (("--proxy", "socks5h://p"), ("-A", "127.0.0.2")):
        with pytest.raises(ConfigError, match=r"no effect.*Unix socket"):
            options("mqtt+unix:///run/m.sock", *words)


def test_the_environment(tmp_path: Path) -> None:
    environ = {"MQTTTUI_PROXY": "socks5h://me:secret@p", "MQTTTUI_BIND": "127.0.0.2"}
    assert options("h", **environ).proxy == ProxyOptions("socks5", "p", 1080, "me", "secret")
    assert options("h", "--proxy", "", "-A", "", **environ) == options("h")
    assert options("mqtt+unix:///run/m.sock", **environ).proxy is None
    (tmp_path / "pw").write_bytes(b"other")
    file = str(tmp_path / "pw")
    assert options("h", "--proxy-password-file", file, **environ).proxy == ProxyOptions("socks5", "p", 1080, "me", "other")
    inherited = options("h", "--proxy", "http://q:1", MQTTTUI_PROXY_PASSWORD_FILE=file, **environ)
    assert inherited.proxy == ProxyOptions("http", "q", 1)


def test_pasted_commands() -> None:
    parsed = parse_command("mosquitto_sub -h h -t a -A 127.0.0.2 --proxy socks5h://me:pw@p:9")
    assert parsed.options == ConnectOptions(
        "h", proxy=ProxyOptions("socks5", "p", 9, "me", "pw"), bind="127.0.0.2", connect=parsed.options.connect
    )
    assert parsed.ignored == ()
    unix = parse_command("mosquitto_sub --unix /run/m.sock -t a -A 127.0.0.2")
    assert unix.options.bind == ""
    assert unix.ignored == ("-A (needs TCP; a Unix socket is on this machine)",)
