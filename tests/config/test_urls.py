"""URLs and bare addresses as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mqtttui.config.errors import ConfigError
from mqtttui.config.options import ConnectOptions, WebSocketOptions
from mqtttui.config.urls import parse_host, parse_url, split_url


@pytest.mark.parametrize(
    ("text", "host", "port", "tls"),
    [
        ("broker", "broker", 1883, False),
        ("broker:1884", "broker", 1884, False),
        ("broker:8883", "broker", 8883, True),
        ("mqtt://broker:8883", "broker", 8883, False),
        ("mqtt://broker", "broker", 1883, False),
        ("tcp://broker", "broker", 1883, False),
        ("MQTT://broker/", "broker", 1883, False),
        ("mqtts://broker", "broker", 8883, True),
        ("ssl://broker:1883", "broker", 1883, True),
        ("tls://broker", "broker", 8883, True),
        ("mqtt+ssl://broker", "broker", 8883, True),
        ("  mqtt://192.0.2.1:99 \n", "192.0.2.1", 99, False),
        ("[::1]", "::1", 1883, False),
        ("::1", "::1", 1883, False),
        ("mqtts://[2001:db8::1]:1", "2001:db8::1", 1, True),
        ("mqtt://[fe80::1%25eth0]:1883", "fe80::1%eth0", 1883, False),
        ("mqtt://broker:", "broker", 1883, False),
        ("mqtt:1884", "mqtt", 1884, False),
    ],
)
def test_place(text: str, host: str, port: int, tls: bool) -> None:
    options = parse_url(text)
    assert (options.host, options.port, options.tls is not None) == (host, port, tls)


@pytest.mark.parametrize(
    ("text", "username", "password"),
    [
        ("mqtt://broker", None, None),
        ("mqtt://@broker", None, None),
        ("mqtt://me@broker", "me", None),
        ("mqtt://me:@broker", "me", b""),
        ("mqtt://:pw@broker", "", b"pw"),
        ("mqtt://m%40e:p%3Aw%2F@broker", "m@e", b"p:w/"),
        ("mqtt://me:a@b@broker", "me", b"a@b"),
        ("mqtt://me:%ff%00@broker", "me", b"\xff\x00"),
        ("mqtt://%ff@broker", b"\xff", None),
        ("me:pw@broker:1883", "me", b"pw"),
    ],
)
def test_credentials(text: str, username: str | bytes | None, password: bytes | None) -> None:
    connect = parse_url(text).connect
    assert (connect.username, connect.password) == (username, password)


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("mqtt://broker", None),
        ("mqtt://broker/", None),
        ("mqtt://broker/a/b", "a/b"),
        ("mqtt://broker//a", "/a"),
        ("mqtt://broker/sensors/#", "sensors/#"),
        ("mqtt://broker/$share/g/%2B/a%20b?x", "$share/g/+/a b?x"),
        ("mqtt://broker/you@home", "you@home"),
        ("broker/a", "a"),
    ],
)
def test_topic(text: str, topic: str | None) -> None:
    assert split_url(text).topic == topic
    assert split_url(text).host == "broker"


def test_percent_can_stand_for_itself() -> None:
    url = split_url("mqtt://u%20:p%@broker/a%zz", percent=False)
    assert (url.username, url.password, url.topic) == ("u%20", b"p%", "a%zz")


@pytest.mark.parametrize(
    ("text", "position", "said"),
    [
        ("", 0, "empty"),
        ("  ", 0, "empty"),
        ("mqtt://", 7, "host is missing"),
        ("mqtt://:1883", 7, "host is missing"),
        ("mqtt:broker", 4, "two slashes"),
        ("mqt://broker", 0, "did you mean mqtt://"),
        ("mqtss://broker", 0, "did you mean mqtts://"),
        (" gopher://broker", 1, "use mqtt://"),
        ("http://broker:9001/mqtt", 0, "write ws://"),
        ("https://broker", 0, "write wss://"),
        ("quic://broker", 0, "not supported in this version"),
        ("ws://broker/mqtt#x", 16, "%23"),
        ("ws:broker", 2, "two slashes"),
        ("ws://", 5, "host is missing"),
        ("wsss://broker", 0, "did you mean wss://"),
        ("mqtt+unix://host/run/x.sock", 12, "has no host"),
        ("unix://", 7, "is missing"),
        ("unix:///run/", 7, "is missing"),
        ("unix:///run/%00", 7, "no NUL"),
        ("unix:///" + "x" * 200, 7, "at most 107 bytes, this one 201"),
        ("mqtt://broker:abc", 14, "'abc' is no port"),
        ("mqtt://broker:0", 14, "1 to 65535"),
        ("mqtt://broker:65536", 14, "1 to 65535"),
        ("mqtt://broker:١", 14, "no port"),
        ("mqtt://broker:" + "9" * 5000, 14, "no port"),
        ("mqtt://[::1", 7, "not closed"),
        ("mqtt://[::1]1883", 12, "cannot follow"),
        ("mqtt://[::g]", 8, "no IPv6 address"),
        ("1:2:3", 0, "in brackets"),
        ("mqtt://my broker", 9, "cannot stand in a host name"),
        ("mqtt://brok\x1ber", 11, r"\x1b"),
        ("mqtt://broker?x=1", 13, "cannot stand"),
        ("mqtt://" + "a" * 254, 260, "at most 253"),
        ("mqtt://me%zz@broker", 9, "write %25"),
        ("mqtt://broker/a%", 15, "write %25"),
    ],
)
def test_what_is_wrong_where_and_what_to_write(text: str, position: int, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_url(text)
    assert caught.value.position == position
    assert said in str(caught.value)
    assert str(caught.value).isprintable()


def test_half_a_password_is_not_shown() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_url("mqtt://me:secret/word@broker")
    assert "secret" not in str(caught.value)
    assert "%2F" in caught.value.hint


@pytest.mark.parametrize(("text", "host"), [("a", "a"), ("::1", "::1"), ("[::1]", "::1"), ("192.0.2.1", "192.0.2.1")])
def test_host_alone(text: str, host: str) -> None:
    assert parse_host(text) == host


@pytest.mark.parametrize("text", ["", "a:1883", "mqtt://a", "a b", "[::1", "a/b"])
def test_no_host(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_host(text)


@given(st.text(max_size=60) | st.text(alphabet="mqts:/@[]%a1.#", max_size=30))
def test_any_text_gives_options_or_a_config_error(text: str) -> None:
    try:
        options = parse_url(text)
    except ConfigError as error:
        assert error.title
        assert str(error).isprintable()
        assert error.position is None or 0 <= error.position <= len(text)
    else:
        assert 1 <= options.port <= 65535
        assert options.host


@given(
    st.from_regex(r"[a-z0-9][a-z0-9.-]{0,20}", fullmatch=True) | st.ip_addresses().map(str),
    st.integers(1, 65535),
    st.booleans(),
)
def test_the_url_of_options_names_the_same_place(host: str, port: int, tls: bool) -> None:
    options = parse_url(f"{'mqtts' if tls else 'mqtt'}://{f'[{host}]' if ':' in host else host}:{port}")
    assert isinstance(options, ConnectOptions)
    assert parse_url(options.url) == options


@pytest.mark.parametrize(
    ("text", "url", "transport"),
    [
        ("ws://broker", "ws://broker:80/mqtt", "ws"),
        ("ws://broker/", "ws://broker:80/", "ws"),
        ("WS://broker:9001/a/b", "ws://broker:9001/a/b", "ws"),
        ("mqtt+ws://broker", "ws://broker:80/mqtt", "ws"),
        ("wss://broker", "wss://broker:443/mqtt", "wss"),
        ("wss://[::1]:8084/mqtt?X-Amz-Signature=hidden", "wss://[::1]:8084/mqtt?…", "wss"),
        ("mqtt+wss://u:p@broker:1/", "wss://broker:1/", "wss"),
        ("mqtt+unix:///run/mosquitto.sock", "mqtt+unix:///run/mosquitto.sock", "unix"),
        ("unix:///a%20b", "mqtt+unix:///a b", "unix"),
        ("mqtts://broker", "mqtts://broker:8883", "tls"),
        ("broker", "mqtt://broker:1883", "tcp"),
    ],
)
def test_transports(text: str, url: str, transport: str) -> None:
    options = parse_url(text)
    assert (options.url, options.transport) == (url, transport)
    assert (options.tls is not None) is (transport in ("tls", "wss"))


def test_the_path_of_a_websocket_stays_as_it_is_and_is_no_topic() -> None:
    options = parse_url("ws://broker/a%2Fb/ü?q=%20&x=/")
    assert options.websocket == WebSocketOptions("/a%2Fb/%C3%BC?q=%20&x=/")
    assert split_url("ws://broker/a").topic is None
    assert "hidden" not in parse_url("ws://broker/a?hidden").url


def test_credentials_of_a_unix_socket_stand_before_its_path() -> None:
    options = parse_url("mqtt+unix://al%40ice:se:cret@/run/mosquitto.sock")
    assert options.unix_path == "/run/mosquitto.sock"
    assert (options.connect.username, options.connect.password) == ("al@ice", b"se:cret")
    assert "cret" not in options.url


def test_where_there_is_little_room_a_socket_has_the_last_part_of_its_path() -> None:
    assert parse_url("mqtt+unix:///run/mosquitto.sock").place == "mosquitto.sock"
    assert parse_url("mqtts://broker.lan").place == "broker.lan"
