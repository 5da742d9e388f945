"""Commands and snippets that do the same as a packet: really run, against mosquitto, and compared byte by byte."""

from __future__ import annotations

import ast
import asyncio
import importlib.util
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mqtttui.capture.records import ConnectionInfo, Origin
from mqtttui.config.mosquitto import parse_command
from mqtttui.config.mosquitto_way import mosquitto_way
from mqtttui.config.options import ConnectOptions, ProxyOptions, TlsOptions, WebSocketOptions
from mqtttui.config.shell import split
from mqtttui.export.commands import MAX_INLINE, PAYLOAD_FILE, mosquitto_command, python_snippet, why_not
from mqtttui.export.shell_words import printf_word, shell_word
from mqtttui.protocol.dissect import dissect
from mqtttui.protocol.enums import Direction, PacketType, PropertyId, Version
from mqtttui.protocol.fields import Context, Dissection
from mqtttui.protocol.framing import Framer
from mqtttui.protocol.packets import (
    Ack,
    Connect,
    Packet,
    Pingreq,
    Property,
    Publish,
    Subscribe,
    TopicRequest,
    encode,
)
from mqtttui.protocol.parse import parse
from tests.support.brokers import Broker, program
from tests.support.proxy import Proxy
from tests.support.waiting import wait_until

USER = Property(PropertyId.USER_PROPERTY, ("k;", "it's $HOME"))
PROPERTIES = (
    Property(PropertyId.PAYLOAD_FORMAT_INDICATOR, 0),
    Property(PropertyId.MESSAGE_EXPIRY_INTERVAL, 60),
    Property(PropertyId.CONTENT_TYPE, "text/plain"),
    Property(PropertyId.RESPONSE_TOPIC, "re/ply"),
    Property(PropertyId.CORRELATION_DATA, b"-1 \xff\x01'"),
    USER,
    USER,
)
PUBLISHES = [
    (Version.V311, Publish("cmd/temp", b"21.5")),
    (Version.V311, Publish("cmd/q1", b"-m", qos=1)),
    (Version.V31, Publish("cmd/q2", b"x", qos=2)),
    (Version.V311, Publish("cmd/it's $HOME; `ls`/ünï 😀", "ünï \"quoted\" 'and' $(more) \\ !! %s %d".encode())),
    (Version.V311, Publish("cmd/lines", b"a\nb\r\n\ttab\n\n")),
    (Version.V311, Publish("cmd/bytes", bytes(range(1, 256)))),
    (Version.V311, Publish("cmd/nul", bytes(range(256)) * 3 + b"%d\\n'\n\n")),
    (Version.V311, Publish("cmd/gone", b"", retain=True)),
    (Version.V311, Publish("cmd/large", bytes(MAX_INLINE + 1), qos=1)),
    (Version.V5, Publish("cmd/v5", b'{"a": 1}', qos=1, properties=PROPERTIES)),
    (Version.V5, Publish("cmd/plain5", b"x")),
]


def info(port: int = 1883, name: str = "", transport: str = "") -> ConnectionInfo:
    source, destination = "127.0.0.1:50001", f"127.0.0.1:{port}"
    return ConnectionInfo(0, "p", Origin.OWN, source, destination, Version.V311, 0, 0, name=name, transport=transport)


def dissected(
    packet: Packet, version: Version = Version.V311, direction: Direction = Direction.C2S, topic: bytes | None = None
) -> Dissection:
    return dissect(encode(packet, version), Context(version, direction, topic))


def sent(packet: Publish) -> Publish:
    """As it would leave, with a packet identifier."""
    return replace(packet, packet_id=7) if packet.qos else packet


async def leaves(words: list[str], proxy: Proxy, kind: type, version: Version, folder: Path, **environ: str) -> list[Packet]:
    """What the client that `words` start sends of one kind, without packet identifiers; waits for the first one."""
    process = await asyncio.create_subprocess_exec(
        *words, cwd=folder, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE, env={**os.environ, **environ}
    )

    def found() -> list[Packet]:
        packets: list[Packet] = []
        for connection in proxy.connections:
            for raw in Framer().feed(bytes(connection.to_server.data)).packets():
                packet = parse(raw, version)
                if packet is not None and isinstance(packet, kind):
                    packets.append(packet)
        return packets

    try:
        return await wait_until(found, "the packet passes the proxy", 20)
    finally:
        if process.returncode is None:
            process.terminate()
        _, errors = await asyncio.wait_for(process.communicate(), 20)
        assert b"rror" not in errors, errors


@pytest.mark.parametrize(("version", "packet"), PUBLISHES, ids=[str(packet.topic)[:12] for _, packet in PUBLISHES])
async def test_the_mosquitto_command_sends_the_same_bytes(
    mosquitto_broker: Broker, tmp_path: Path, version: Version, packet: Publish
) -> None:
    program("mosquitto_pub", "apt-get install mosquitto-clients")
    async with Proxy(mosquitto_broker.host, mosquitto_broker.port) as proxy:
        command = mosquitto_command(dissected(sent(packet), version), info(proxy.port))
        assert command is not None
        if PAYLOAD_FILE in command:
            (tmp_path / PAYLOAD_FILE).write_bytes(packet.payload)
        found = await leaves(["bash", "-c", command], proxy, Publish, version, tmp_path)
    assert len(found) == 1
    (seen,) = found
    assert isinstance(seen, Publish)
    assert encode(replace(seen, packet_id=None), version) == encode(packet, version)


async def test_the_mosquitto_command_subscribes_alike(mosquitto_broker: Broker, tmp_path: Path) -> None:
    program("mosquitto_sub", "apt-get install mosquitto-clients")
    requests = (TopicRequest("a/+/it's #1", 1, retain_as_published=True, retain_handling=2), TopicRequest("$SYS/#", 1, False, True, 2))
    properties = (Property(PropertyId.SUBSCRIPTION_IDENTIFIER, 300), USER)
    packet = Subscribe(9, (replace(requests[0], filter="a/+/it's 1"), requests[1]), properties)
    async with Proxy(mosquitto_broker.host, mosquitto_broker.port) as proxy:
        command = mosquitto_command(dissected(packet, Version.V5), info(proxy.port))
        assert command is not None
        (seen,) = await leaves(["bash", "-c", f"exec {command}"], proxy, Subscribe, Version.V5, tmp_path)
    assert isinstance(seen, Subscribe)
    assert replace(seen, packet_id=9) == packet


def test_filters_with_different_options_are_several_commands() -> None:
    packet = Subscribe(9, (TopicRequest("a", 0), TopicRequest("b", 2), TopicRequest("c", 0)))
    command = mosquitto_command(dissected(packet), info())
    assert command is not None
    assert command.splitlines() == [
        "mosquitto_sub -h 127.0.0.1 -p 1883 -t a -t c -v",
        "mosquitto_sub -h 127.0.0.1 -p 1883 -t b -q 2 -v",
    ]


def test_who_and_where_come_from_the_connection_and_the_password_is_a_variable() -> None:
    connect = dissected(Connect("my-id", username="an na", password=b"s3cret"))
    publish = dissected(Publish("a", b"x"))
    there = info(name="mqtts://broker.lan:8884", transport="tls")
    command = mosquitto_command(publish, there, connect)
    assert command == ("mosquitto_pub -h broker.lan -p 8884 --tls-use-os-certs -u 'an na' -P \"$MQTT_PASSWORD\" -t a -m x")
    snippet = python_snippet(publish, there, connect)
    assert snippet is not None
    assert "client.username_pw_set('an na', os.environ[\"MQTT_PASSWORD\"])" in snippet
    assert "client.tls_set()" in snippet
    for shown in (command, snippet):
        assert "s3cret" not in shown and "my-id" not in shown


def test_a_received_message_is_sent_as_ones_own() -> None:
    properties = (Property(PropertyId.SUBSCRIPTION_IDENTIFIER, 3), Property(PropertyId.TOPIC_ALIAS, 2), USER)
    received = dissected(Publish("", b"x", properties=properties), Version.V5, Direction.S2C, b"real/topic")
    command = mosquitto_command(received, info())
    assert command is not None
    assert "-t real/topic" in command and "user-property" in command
    assert "alias" not in command and "identifier" not in command
    assert "alias" not in str(python_snippet(received, info())).lower()


@pytest.mark.parametrize(
    ("packet", "version", "transport"),
    [
        (Pingreq(), Version.V311, ""),
        (Ack(PacketType.PUBACK, 1), Version.V311, ""),
        (Connect("c"), Version.V311, ""),
        (Publish("a/+", b"x"), Version.V311, ""),
        (Publish("a\0b", b"x"), Version.V311, ""),
        (Publish("a\x1bb", b"x"), Version.V311, ""),
        (Publish(b"\xff", b"x"), Version.V311, ""),
        (Publish("", b"x"), Version.V5, ""),
        (Publish("a", b"x"), Version.V311, "ws"),
        (Publish("a", properties=(Property(PropertyId.CORRELATION_DATA, b"\0"),)), Version.V5, ""),
        (Subscribe(1, (TopicRequest("a", no_local=True),)), Version.V5, ""),
        (Subscribe(1, ()), Version.V311, ""),
    ],
)
def test_what_mosquitto_cannot_be_told_has_no_command(packet: Packet, version: Version, transport: str) -> None:
    assert mosquitto_command(dissected(packet, version), info(transport=transport)) is None


def test_malformed_packets_have_neither() -> None:
    broken = dissect(bytes.fromhex("360700027133000678"), Context(Version.V311, Direction.C2S))
    assert mosquitto_command(broken, info()) is None
    assert python_snippet(broken, info()) is None


@pytest.mark.parametrize(("version", "packet"), PUBLISHES)
def test_the_snippet_is_python(version: Version, packet: Publish) -> None:
    snippet = python_snippet(dissected(sent(packet), version), info())
    assert snippet is not None and snippet.isascii()
    compile(snippet, "snippet", "exec")
    calls = [node for node in ast.walk(ast.parse(snippet)) if isinstance(node, ast.Call) and "publish(" in ast.unparse(node)[:15]]
    assert ast.literal_eval(calls[0].args[0]) == packet.topic
    if len(packet.payload) <= MAX_INLINE:
        assert ast.literal_eval(calls[0].args[1]) == packet.payload


@pytest.mark.skipif(importlib.util.find_spec("paho") is None, reason="paho-mqtt is not installed")
@pytest.mark.parametrize(("version", "packet"), [row for row in PUBLISHES if len(row[1].payload) <= MAX_INLINE])
async def test_the_snippet_sends_the_same(mosquitto_broker: Broker, tmp_path: Path, version: Version, packet: Publish) -> None:
    async with Proxy(mosquitto_broker.host, mosquitto_broker.port) as proxy:
        snippet = python_snippet(dissected(sent(packet), version), info(proxy.port))
        assert snippet is not None
        (seen,) = await leaves([sys.executable, "-c", snippet], proxy, Publish, version, tmp_path)
    assert isinstance(seen, Publish)
    expected = replace(packet, properties=tuple(sorted(packet.properties, key=lambda item: item.id)))
    assert replace(seen, packet_id=None, properties=tuple(sorted(seen.properties, key=lambda item: item.id))) == expected


@pytest.mark.skipif(importlib.util.find_spec("paho") is None, reason="paho-mqtt is not installed")
@pytest.mark.parametrize("version", [Version.V311, Version.V5])
async def test_the_snippet_subscribes_alike(mosquitto_broker: Broker, tmp_path: Path, version: Version) -> None:
    v5 = version is Version.V5
    packet = Subscribe(
        1, (TopicRequest("a/#", 1, no_local=v5), TopicRequest("b", 2, retain_handling=1 if v5 else 0)), (USER,) if v5 else ()
    )
    async with Proxy(mosquitto_broker.host, mosquitto_broker.port) as proxy:
        snippet = python_snippet(dissected(packet, version), info(proxy.port))
        assert snippet is not None
        (seen,) = await leaves([sys.executable, "-c", snippet], proxy, Subscribe, version, tmp_path)
    assert isinstance(seen, Subscribe)
    assert replace(seen, packet_id=1) == packet


WITHOUT_NUL = st.one_of(
    st.binary(max_size=30).map(lambda raw: raw.replace(b"\0", b"")),
    st.text(max_size=20).map(lambda text: text.encode("utf-8", "replace").replace(b"\0", b"")),
)


@settings(deadline=None, max_examples=30)
@given(st.lists(WITHOUT_NUL, min_size=1, max_size=30))
def test_words_mean_the_same_bytes_to_bash_and_to_our_own_reader(parts: list[bytes]) -> None:
    words = [shell_word(part) for part in parts]
    line = " ".join(str(word) for word in words)
    done = subprocess.run(["bash", "-c", f"printf '%s\\0' {line}"], capture_output=True, check=True, timeout=20)
    assert done.stdout.split(b"\0")[:-1] == parts
    if "\n" not in line:
        read, rest = split(line)
        assert [word.text.encode("utf-8", "surrogateescape") for word in read] == parts
        assert rest == ""


@settings(deadline=None, max_examples=30)
@given(st.lists(st.binary(max_size=40), min_size=1, max_size=20))
def test_printf_gives_any_bytes_in_sh(parts: list[bytes]) -> None:
    script = "; ".join(f"printf {printf_word(part)}" for part in parts)
    assert subprocess.run(["sh", "-c", script], capture_output=True, check=True, timeout=20).stdout == b"".join(parts)


def test_a_word_with_nul_is_none() -> None:
    assert shell_word(b"a\0b") is None
    assert shell_word(b"") == "''"


WAYS = [
    (ConnectOptions(unix_path="/run/my broker.sock"), "--unix '/run/my broker.sock'"),
    (ConnectOptions("h", 9, bind="127.0.0.1:7"), "-h h -p 9 -A 127.0.0.1"),
    (ConnectOptions("h", 9, TlsOptions()), "-h h -p 9 --tls-use-os-certs"),
    (
        ConnectOptions("h", 9, TlsOptions("ca", "c", "k", minimum_version="1.3", alpn=("mqtt",), fingerprint="ab" * 32, key_log="l")),
        "-h h -p 9 --cafile ca --cert c --key k --tls-version tlsv1.3 --tls-alpn mqtt",
    ),
    (ConnectOptions("h", 9, proxy=ProxyOptions("socks5", "p", 1080)), "-h h -p 9 --proxy socks5h://p:1080"),
    (
        ConnectOptions("h", 9, proxy=ProxyOptions("socks5", "::1", 1080, "m$e", "secret")),
        "-h h -p 9 --proxy socks5h://m%24e:\"$MQTT_PROXY_PASSWORD\"'@[::1]:1080'",
    ),
    (  # Nothing but the password is for the shell to put in.
        ConnectOptions("h", 9, TlsOptions("$(id)$MQTT_PROXY_PASSWORD@"), proxy=ProxyOptions("socks5", "p$(id)", 1080, "u", "secret")),
        "-h h -p 9 --cafile '$(id)$MQTT_PROXY_PASSWORD@' --proxy socks5h://u:\"$MQTT_PROXY_PASSWORD\"'@p$(id):1080'",
    ),
]
NO_WAYS = [
    (ConnectOptions("h", 9, websocket=WebSocketOptions()), "no WebSocket"),
    (ConnectOptions("h", 9, TlsOptions(), websocket=WebSocketOptions()), "no WebSocket"),
    (ConnectOptions("h", 9, TlsOptions(verify=False)), "always check"),
    (ConnectOptions("h", 9, TlsOptions(server_name="n")), "own name"),
    (ConnectOptions("h", 9, TlsOptions(alpn=("a", "b"))), "one protocol"),
    (ConnectOptions("h", 9, proxy=ProxyOptions("http", "p", 1)), "no HTTP proxy"),
]


def on_way(options: ConnectOptions) -> ConnectionInfo:
    way, no_way = mosquitto_way(options)
    return replace(info(9, options.url, options.transport), way=way, no_way=no_way)


@pytest.mark.parametrize(("options", "words"), WAYS)
def test_the_way_to_the_broker_is_that_of_the_connection(options: ConnectOptions, words: str) -> None:
    command = mosquitto_command(dissected(Publish("a", b"x")), on_way(options))
    assert command == f"mosquitto_pub {words} -t a -m x"
    assert why_not(dissected(Publish("a", b"x")), on_way(options)) == ""
    if "$" not in words:
        pasted = parse_command(command).options
        assert mosquitto_way(pasted)[0] == mosquitto_way(options)[0]


@pytest.mark.parametrize(("options", "why"), NO_WAYS)
def test_a_way_that_mosquitto_does_not_have_is_said(options: ConnectOptions, why: str) -> None:
    assert mosquitto_command(dissected(Publish("a", b"x")), on_way(options)) is None
    assert why in why_not(dissected(Publish("a", b"x")), on_way(options))
    assert why_not(dissected(Pingreq()), on_way(options)) == ""
