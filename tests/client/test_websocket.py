"""WebSocket against a peer that does what the test says: frames of every shape, refusals, and broken ones."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mqtttui.analysis.findings import Findings
from mqtttui.capture.records import WebSocketKind
from mqtttui.client.events import Failure, Fix, Phase
from mqtttui.client.layer import Bytes, Receiver
from mqtttui.client.websocket import UpgradeError, WebSocketBroken, WebSocketClosed, WebSocketLayer
from mqtttui.config.options import ConnectOptions, WebSocketOptions
from mqtttui.protocol.enums import Direction
from mqtttui.protocol.packets import Connect
from tests.support.scripted import Script, expect, send_raw
from tests.support.sessions import Driver
from tests.support.websocket_peer import BINARY, CLOSE, PING, PONG, TEXT, Part, Peer, answer, frame

WEB = WebSocketOptions()
CONNACK = b"\x20\x02\x00\x00"
CONTINUATION = 0


async def failure_of(driver: Driver) -> Failure:
    failure = (await driver.failed()).failure
    assert failure is not None
    assert failure.title
    assert failure.detail
    assert failure.hint
    return failure


@pytest.mark.parametrize(
    "frames",
    [
        [frame(BINARY, CONNACK)],
        [frame(BINARY, CONNACK[:1], end=False), frame(CONTINUATION, CONNACK[1:])],
        [frame(BINARY, CONNACK[:2], end=False), frame(PING, b"x"), frame(CONTINUATION, CONNACK[2:])],
        [frame(BINARY), frame(PONG, b"unasked"), *(frame(BINARY, CONNACK[at : at + 1]) for at in range(4))],
    ],
)
async def test_any_frames_make_the_packet(frames: list[bytes]) -> None:
    async with Peer(answer(), *frames) as peer, Driver() as driver:
        await driver.connected(peer.port, websocket=WEB)
        assert driver.raw(Direction.S2C) == CONNACK
        await driver.disconnect()
        await driver.until(lambda: peer.ended, "the end")
        assert bytes(peer.plain) == driver.raw(Direction.C2S)
        assert peer.frames.closed == 1000


async def test_a_ping_is_answered() -> None:
    async with Peer(answer(), frame(BINARY, CONNACK), frame(PING, b"are you there")) as peer, Driver() as driver:
        await driver.connected(peer.port, websocket=WEB)
        await driver.until(lambda: peer.frames.control_frames == 1, "a pong")
        assert driver.state.phase is Phase.CONNECTED


def found(driver: Driver) -> set[str]:
    """The checks that fire on what was recorded."""
    findings = Findings()
    findings.advance(driver.log)
    return {finding.id for no in driver.log.numbers(1) for finding in findings.of(no)}


async def test_text_frames_and_a_missing_sub_protocol_are_told() -> None:
    async with Peer(answer(None), frame(TEXT, CONNACK[:1], end=False), frame(CONTINUATION, CONNACK[1:])) as peer, Driver() as driver:
        await driver.connected(peer.port, websocket=WEB)
        kinds = [event.kind for event in driver.log.websocket_events(0) if event.direction is Direction.S2C]
        assert kinds == [WebSocketKind.SUB_PROTOCOL, WebSocketKind.TEXT_FRAME, WebSocketKind.SPLIT]
        assert {"A14", "A15"} <= found(driver)


@pytest.mark.parametrize(
    ("frames", "split"),
    [
        ([frame(BINARY, CONNACK), frame(PING, b"x"), frame(BINARY, b"\xd0\0")], False),
        ([frame(BINARY, CONNACK + b"\xd0\0")], True),
        ([frame(BINARY, CONNACK[:3]), frame(BINARY, CONNACK[3:])], True),
        ([frame(BINARY, CONNACK), frame(BINARY, b"\xd0"), frame(BINARY, b"\0")], True),
    ],
)
async def test_packets_that_do_not_fall_together_with_frames_are_found(frames: list[bytes], split: bool) -> None:
    async with Peer(answer(), *frames) as peer, Driver() as driver:
        await driver.connected(peer.port, websocket=WEB)
        sent = b"".join(frames)
        expected = CONNACK + (b"\xd0\0" if b"\xd0" in sent else b"")
        await driver.until(lambda: driver.raw(Direction.S2C) == expected, "all packets")
        told = [event for event in driver.log.websocket_events(0) if event.kind is WebSocketKind.SPLIT]
        assert [event.direction for event in told] == [Direction.S2C] * split
        assert ("A16" in found(driver)) is split


async def test_a_packet_of_ours_that_needs_several_frames_is_told() -> None:
    async with Peer(answer(), frame(BINARY, CONNACK)) as peer, Driver() as driver:
        await driver.connected(peer.port, websocket=WEB)
        assert "A16" not in found(driver)
        driver.publish("large", bytes(200_000))
        await driver.until(lambda: len(peer.plain) > 200_000, "the message")
        assert [event.direction for event in driver.log.websocket_events(0)][-1] is Direction.C2S
        assert "A16" in found(driver)


async def test_another_sub_protocol_that_was_asked_for() -> None:
    async with Peer(answer("mqttv3.1"), frame(BINARY, CONNACK)) as peer, Driver() as driver:
        await driver.connected(peer.port, websocket=WebSocketOptions("/ws", "mqtt, mqttv3.1", (("Host", "front.example"),)))
        assert peer.head.startswith(b"GET /ws HTTP/1.1\r\nHost: front.example\r\n")
        assert b"Sec-WebSocket-Protocol: mqtt, mqttv3.1\r\n" in peer.head


def refusal(status: str, body: bytes, *lines: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *lines, "", ""]).encode() + body


@pytest.mark.parametrize(
    ("parts", "title", "detail"),
    [
        ([refusal("404 Not Found", b"<h1>no \x1b[31m page</h1>")], "WebSocket refused: 404 Not Found", r"<h1>no \x1b[31m page</h1>"),
        ([refusal("401 Unauthorized", b"")], "WebSocket refused: 401 Unauthorized", "no text came with it"),
        ([refusal("302 Found", b"", "Location: /other")], "WebSocket refused: 302 Found", "no text"),
        ([refusal("200 OK", b"x" * 5_000)], "WebSocket refused: 200 OK", "xxx"),
        ([b"HTTP/1.1 503\r\nContent-Length: 9\r\n\r\nhalf"], "WebSocket refused: 503 Service Unavailable", "half"),
        ([b"HTTP/1.1 103 Early Hints\r\n\r\n"], "WebSocket refused: 103 Early Hints", "no text"),
        ([answer("soap")], "Wrong WebSocket sub-protocol", "the server answers with sub-protocol soap, asked for was mqtt"),
        ([answer(accept="AAAA")], "The WebSocket upgrade is not valid", "Bad accept token"),
        ([answer("mqtt", "Sec-WebSocket-Extensions: permessage-deflate")], "The WebSocket upgrade is not valid", "ext"),
        ([answer("m\xfctt")], "The WebSocket upgrade is not valid", "ascii"),
        ([b"HTTP/1.1 101 Switching Protocols\r\n\r\n"], "The WebSocket upgrade is not valid", "Upgrade"),
        ([b"HTTP/1.1 nonsense\r\n\r\n"], "The WebSocket upgrade is not valid", "Bad HTTP message"),
        ([b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 10_000], "The WebSocket upgrade is not valid", "Bad HTTP message"),
        ([b"\x15\x03\x01\x00\x02\x02\x16"], "This port wants TLS", "it sent"),
        ([b"SSH-2.0-OpenSSH_9.2\r\n"], "An SSH server answers here", "SSH-"),
        ([CONNACK], "No WebSocket on this port", "it sent"),
    ],
)
async def test_what_is_no_websocket(parts: list[Part], title: str, detail: str) -> None:
    async with Peer(*parts) as peer, Driver() as driver:
        driver.connect(peer.port, websocket=WEB)
        failure = await failure_of(driver)
        assert (failure.title, failure.step) == (title, "websocket")
        assert detail in failure.detail
        upgrade = driver.state.upgrade
        assert upgrade is not None
        assert upgrade.request[0] == "GET /mqtt HTTP/1.1"
        assert "\x1b" not in repr(upgrade)
        await driver.until(lambda: peer.ended, "the connection to end")


async def test_closed_without_an_answer() -> None:
    async with Peer(close=True) as peer, Driver() as driver:
        driver.connect(peer.port, websocket=WEB)
        failure = await failure_of(driver)
        assert failure.title == "Closed during the WebSocket upgrade"
        assert failure.fixes == (Fix.NO_WEBSOCKET, Fix.USE_TLS)


async def test_no_answer() -> None:
    async with Peer() as peer, Driver() as driver:
        driver.connect(peer.port, websocket=WEB, dial_timeout=0.2)
        failure = await failure_of(driver)
        assert (failure.title, failure.detail) == ("No answer to the WebSocket upgrade", "nothing within 0.2 s")
        driver.connect(peer.port, websocket=WEB)
        await driver.until(lambda: driver.state.steps[3].name == "websocket" and driver.state.steps[3].started, "the upgrade")
        driver.cancel()
        await driver.phase(Phase.IDLE)


async def test_http_where_mqtt_was_expected_offers_websocket() -> None:
    async with Script(expect(Connect), send_raw(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as broker, Driver() as driver:
        driver.connect(broker.port)
        assert Fix.USE_WEBSOCKET in (await failure_of(driver)).fixes


@pytest.mark.parametrize(
    ("frames", "title", "detail"),
    [
        (
            [frame(CLOSE, b"\x03\xf0" + b"not \x1b allowed")],
            "Closed without answering CONNECT",
            r"1008 (policy violation): not \x1b allowed",
        ),
        ([frame(CLOSE)], "Closed without answering CONNECT", "WebSocket close 1005 (without a code)"),
        ([frame(BINARY, CONNACK, reserved=4)], "Unreadable WebSocket frames from the server", "reserved bit"),
        ([frame(3, b"x")], "Unreadable WebSocket frames from the server", "Invalid opcode 0x3"),
        ([frame(PING, b"x" * 126)], "Unreadable WebSocket frames from the server", "control"),
        ([frame(CONTINUATION, b"x")], "Unreadable WebSocket frames from the server", "CONTINUATION"),
        ([b"\x82\x84\0\0\0\0" + CONNACK], "Unreadable WebSocket frames from the server", "mask"),
        ([frame(TEXT, b"\x90\x03\xff\xff\xff")], "Unreadable WebSocket frames from the server", "decode"),
    ],
)
async def test_how_a_websocket_ends(frames: list[bytes], title: str, detail: str) -> None:
    async with Peer(answer(), *frames) as peer, Driver() as driver:
        driver.connect(peer.port, websocket=WEB)
        failure = await failure_of(driver)
        assert failure.title == title
        assert detail.lower() in failure.detail.lower()
        await driver.until(lambda: peer.ended, "the connection to end")
        assert peer.frames.closed is not None
        told = [event.kind for event in driver.log.websocket_events(0)]
        assert (WebSocketKind.TEXT_FRAME in told) is (frames[0][0] & 0x0F == TEXT)


async def test_a_close_later_on_says_its_code() -> None:
    async with Peer(answer(), frame(BINARY, CONNACK) + frame(CLOSE, b"\x03\xe9")) as peer, Driver() as driver:
        driver.connect(peer.port, websocket=WEB)
        failure = await failure_of(driver)
        assert "WebSocket close 1001 (going away)" in failure.detail


# --- the layer alone


class Wire:
    """A lower layer that keeps what is written."""

    local = remote = security = ""

    def __init__(self) -> None:
        self.written = bytearray()
        self.ready = True
        self.unsent = 0
        self.closed = False

    def attach(self, receiver: Receiver) -> None: ...

    def tcp_info(self) -> None: ...

    def arrived(self) -> int:
        return 0

    def write(self, data: Bytes) -> None:
        self.written += data

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def close(self) -> None:
        self.closed = True

    abort = close


class Heard:
    """A Receiver that keeps what it hears."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.ends: list[Exception | None] = []

    def data_received(self, chunk: bytes) -> None:
        assert not self.ends
        self.data += chunk

    def eof_received(self) -> None: ...

    def writable(self) -> None: ...

    def connection_lost(self, reason: Exception | None) -> None:
        self.ends.append(reason)


def opened(wire: Wire) -> tuple[WebSocketLayer, Heard]:
    """A WebSocket that stands already."""
    layer = WebSocketLayer(wire, ConnectOptions(), WEB)
    made = answer()
    assert callable(made)
    layer.data_received(made(layer.request))
    heard = Heard()
    layer.attach(heard)
    return layer, heard


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in pairwise(places)]


@given(st.lists(st.binary(max_size=300)), st.lists(st.integers(0, 10_000), max_size=40), st.data())
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_any_chunking_and_fragmentation_gives_the_same_bytes(messages: list[bytes], cuts: list[int], data: st.DataObject) -> None:
    stream = bytearray()
    for message in messages:
        parts = pieces(message, data.draw(st.lists(st.integers(0, 300), max_size=4))) or [b""]
        for index, part in enumerate(parts):
            stream += frame(CONTINUATION if index else BINARY, part, end=index == len(parts) - 1)
            if data.draw(st.booleans()):
                stream += frame(data.draw(st.sampled_from([PING, PONG])), b"p")
    layer, heard = opened(Wire())
    for chunk in pieces(bytes(stream), cuts):
        layer.data_received(chunk)
    assert bytes(heard.data) == b"".join(messages)
    assert heard.ends == []


@given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=20))
@settings(deadline=None)
def test_any_bytes_give_data_or_one_end(stream: bytes, cuts: list[int]) -> None:
    wire = Wire()
    layer, heard = opened(wire)
    for chunk in pieces(stream, cuts):
        layer.data_received(chunk)
    assert len(heard.ends) <= 1
    if heard.ends:
        assert isinstance(heard.ends[0], WebSocketClosed | WebSocketBroken)
        assert wire.closed
    layer.connection_lost(None)
    assert len(heard.ends) == 1


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=20))
@settings(deadline=None)
def test_any_answer_to_the_upgrade_is_taken(answered: bytes, cuts: list[int]) -> None:
    wire = Wire()
    layer = WebSocketLayer(wire, ConnectOptions(), WEB)
    for chunk in pieces(b"HTTP/1.1 101 X\r\n" + answered + b"\r\n\r\n", cuts):
        layer.data_received(chunk)
    assert layer.exchange.request


def test_pings_that_cannot_be_answered_cost_one_pong() -> None:
    wire = Wire()
    layer, _ = opened(wire)
    wire.written.clear()
    wire.ready = False
    for number in range(1000):
        layer.data_received(frame(PING, str(number).encode()))
    assert not wire.written
    wire.ready = True
    layer.writable()
    assert len(wire.written) == 2 + 4 + len("999")


def test_unsent_counts_the_payload_that_has_not_left() -> None:
    wire = Wire()
    layer, _ = opened(wire)
    wire.ready = False
    layer.write(b"x" * 100)
    layer.write(b"y" * 50)
    wire.unsent = 70  # of 106 and 56 bytes
    assert layer.unsent == 50 + 14
    wire.ready, wire.unsent = True, 0
    layer.writable()
    assert layer.unsent == 0


def test_a_host_that_cannot_stand_in_a_request() -> None:
    with pytest.raises(UpgradeError, match="cannot be written"):
        WebSocketLayer(Wire(), ConnectOptions(host="a..é"), WEB)


@pytest.mark.parametrize("value", ["s3cr\u00e9t", "s3cr3t\r\nX: y", "s3cr3t\0"])
def test_a_header_that_cannot_stand_in_a_request_is_not_repeated(value: str) -> None:
    web = WebSocketOptions(headers=(("Authorization", value),))
    with pytest.raises(UpgradeError, match="cannot be written") as caught:
        WebSocketLayer(Wire(), ConnectOptions("h", websocket=web), web)
    assert "s3cr" not in str(caught.value)
