"""Hypothesis strategies for whole connections, as profiles keep them."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from mqtttui.config.options import ConnectOptions, ProxyOptions, ReconnectOptions, TlsOptions, WebSocketOptions
from mqtttui.config.profile_fields import Contents
from mqtttui.protocol.enums import PacketType, Version
from mqtttui.protocol.packets import Connect, Properties, Property, Publish, Text, TopicRequest, Will
from mqtttui.protocol.properties import PROPERTIES, WILL, Kind
from tests.support.strategies import any_bytes, property_values, qos_levels, versions

any_text: SearchStrategy[str] = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    ["${HOME}", "$$", "$SYS/#", "a${", '"""', "'''", "\n[x]\n", "#", "\r\n", "\\", "\x00\x1b\x7f"]
)
"""Whatever can stand in a string, and what TOML and our variables might trip over."""
wire_texts: SearchStrategy[Text] = any_text | any_bytes
hosts: SearchStrategy[str] = st.sampled_from(["localhost", "broker.lan", "127.0.0.1", "::1", "fe80::1%eth0", "bücher.example"])
ports: SearchStrategy[int] = st.integers(1, 0xFFFF) | st.sampled_from([1883, 8883, 80, 443])
files: SearchStrategy[str] = st.just("") | any_text.map(lambda text: f"/pki/{text}")
delays: SearchStrategy[float] = st.integers(1, 1000).map(float) | st.floats(0.001, 1000)
words: SearchStrategy[str] = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters=",;"), max_size=8)


def properties(place: int) -> SearchStrategy[Properties]:
    """Properties that may stand there, in any order, and ones that nobody knows."""
    known = [spec for spec in PROPERTIES.values() if place in spec.packets]

    def values(kind: Kind) -> SearchStrategy[int | Text | tuple[Text, Text]]:
        match kind:
            case Kind.STRING:
                return wire_texts
            case Kind.PAIR:
                return st.tuples(wire_texts, wire_texts)
            case _:
                return property_values(kind)

    each = st.sampled_from(known).flatmap(lambda spec: st.builds(Property, st.just(spec.id), values(spec.kind)))
    unknown = st.builds(Property, st.sampled_from([0, 0x7F, 300]), any_bytes)
    return st.lists(each | unknown, max_size=4).map(tuple)


tls_options: SearchStrategy[TlsOptions] = st.builds(
    TlsOptions,
    ca_file=files,
    certificate=files,
    key=files,
    key_passphrase=any_text,
    server_name=hosts | st.just(""),
    minimum_version=st.just("1.2"),
    verify=st.booleans(),
    maximum_version=st.sampled_from(["", "1.2", "1.3"]),
    alpn=st.lists(words.filter(bool), max_size=3).map(tuple),
    fingerprint=st.sampled_from(["", "ab" * 32]),
    key_log=files,
)
proxies: SearchStrategy[ProxyOptions] = st.sampled_from([("", ""), ("me", ""), ("me", "pässword$$"), ("${me}", "x y")]).flatmap(
    lambda login: st.builds(
        ProxyOptions,
        st.sampled_from(["http", "socks5"]),
        hosts,
        ports,
        st.just(login[0]),
        st.just(login[1]),
        st.booleans(),
    )
)
websockets: SearchStrategy[WebSocketOptions] = st.builds(
    WebSocketOptions,
    st.sampled_from(["/mqtt", "/", "/mqtt?token=$%7Bx%7D&y=1", "/a?", "/$$"]),
    st.sampled_from(["mqtt", "", "mqttv3.1, mqtt"]),
    st.lists(st.tuples(st.sampled_from(["Authorization", "X-Id", "X-Id", "Host"]), words), max_size=3).map(tuple),
)


def _place(kind: str) -> SearchStrategy[ConnectOptions]:
    rest = {
        "connect": versions.flatmap(_connect),
        "dial_timeout": delays,
        "connack_timeout": delays,
        "reconnect": st.builds(ReconnectOptions, st.booleans(), delays, delays, st.booleans()),
        "proxy": st.none() | proxies,
        "bind": st.sampled_from(["", "192.0.2.7", "2001:db8::7", "[2001:db8::7]:40000", "192.0.2.7:40000"]),
    }
    if kind == "unix":
        return st.builds(ConnectOptions, unix_path=any_text.filter(lambda text: "\0" not in text).map(lambda text: f"/run/{text}x"), **rest)
    tls = tls_options if kind in ("tls", "wss") else st.none()
    web = websockets if kind in ("ws", "wss") else st.none()
    return st.builds(ConnectOptions, host=hosts, port=ports, tls=tls, websocket=web, **rest)


def _connect(version: Version) -> SearchStrategy[Connect]:
    v5 = version is Version.V5
    will = st.builds(Will, wire_texts, any_bytes, st.integers(0, 3), st.booleans(), properties(WILL) if v5 else st.just(()))
    return st.builds(
        Connect,
        client_id=wire_texts,
        version=st.just(version),
        clean=st.booleans(),
        keep_alive=st.integers(0, 0xFFFF),
        username=st.none() | wire_texts,
        password=st.none() | any_bytes,
        will=st.none() | will,
        properties=properties(PacketType.CONNECT) if v5 else st.just(()),
        flags=st.none() | st.integers(0, 0xFF),
        protocol_name=st.none() | wire_texts,
        level=st.none() | st.integers(0, 0xFF),
    )


connections: SearchStrategy[ConnectOptions] = st.sampled_from(["tcp", "tls", "ws", "wss", "unix"]).flatmap(_place)
requests: SearchStrategy[TopicRequest] = st.builds(
    TopicRequest, wire_texts, st.integers(0, 3), st.booleans(), st.booleans(), st.integers(0, 3), st.integers(0, 3)
)
publishes: SearchStrategy[Publish] = st.builds(
    Publish, wire_texts, any_bytes, qos_levels, st.booleans(), properties=properties(PacketType.PUBLISH)
)
contents: SearchStrategy[Contents] = st.builds(
    Contents, connections, st.lists(requests, max_size=3).map(tuple), properties(PacketType.SUBSCRIBE), st.none() | publishes
)
