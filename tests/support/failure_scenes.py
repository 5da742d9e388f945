"""The scenes of the failure table, by name. See `failing`."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from mqtttui.client import commands, connection, keepalive
from mqtttui.client.events import Phase
from mqtttui.config.options import ProxyOptions, TlsOptions, WebSocketOptions
from mqtttui.protocol.enums import PropertyId, Version
from mqtttui.protocol.packets import Auth, Connect, Disconnect, Property, Publish, Subscribe
from tests.support.brokers import HOST, free_port
from tests.support.certs import PASSPHRASE, Pair
from tests.support.failing import (
    Provoke,
    Scene,
    black_hole,
    blocking_tls,
    deaf,
    ends_in,
    own_client,
    server_context,
    talker,
    written_tomorrow,
)
from tests.support.proxies import Http, Socks, Tunnel
from tests.support.proxy import Ending, Proxy
from tests.support.scripted import Script, Step, close, expect, reply, reset, send, send_raw, serve, wait_for
from tests.support.sessions import PEER
from tests.support.websocket_peer import BINARY, CLOSE, Peer, answer, frame

V5 = Connect(client_id="five", version=Version.V5)
V311 = Connect(client_id="dev-42", version=Version.V311)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
SCENES: dict[str, Provoke] = {}


def scene(name: str) -> Callable[[Provoke], Provoke]:
    """Enter a function into the table of scenes."""

    def enter(function: Provoke) -> Provoke:
        assert name not in SCENES
        SCENES[name] = function
        return function

    return enter


# Names and TCP


@scene("name not found")
async def _(s: Scene) -> None:
    s.lookup(socket.gaierror(socket.EAI_NONAME, "Name or service not known"))
    s.driver.connect(1883, "no.such.example")


@scene("name server silent")
async def _(s: Scene) -> None:
    s.lookup(socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"))
    s.driver.connect(1883, "broker.example")


@scene("not a host name")
async def _(s: Scene) -> None:
    s.driver.connect(1883, "a..b")


@scene("refused")
async def _(s: Scene) -> None:
    s.driver.connect(free_port())


@scene("no answer")
async def _(s: Scene) -> None:
    s.driver.connect(await s.enter(black_hole()), dial_timeout=0.3)


@scene("one address refuses, one is silent")
async def _(s: Scene) -> None:
    s.lookup([("127.0.0.1", await s.enter(black_hole())), ("127.0.0.1", free_port()), ("127.0.0.1", await s.enter(black_hole()))])
    s.driver.connect(1883, "three.example", dial_timeout=3.0)


@scene("no Unix socket")
async def _(s: Scene) -> None:
    s.driver.connect(1, unix_path=str(s.folder / "none.sock"))


@scene("no socket at that path")
async def _(s: Scene) -> None:
    (s.folder / "file").write_text("")
    s.driver.connect(1, unix_path=str(s.folder / "file"))


# TLS


@scene("TLS to a port that closes on it")
async def _(s: Scene) -> None:
    s.driver.connect(await s.enter(talker(close=True)), tls=s.tls())


@scene("TLS to a port that answers MQTT")
async def _(s: Scene) -> None:
    s.driver.connect(await s.enter(talker(b"\x20\x02\x00\x01", close=True)), tls=s.tls())


@scene("TLS to a web server")
async def _(s: Scene) -> None:
    s.driver.connect(await s.enter(talker(b"HTTP/1.1 400 Bad Request\r\n\r\n")), tls=s.tls())


@scene("TLS to an SSH server")
async def _(s: Scene) -> None:
    s.driver.connect(await s.enter(talker(b"SSH-2.0-OpenSSH_9.2\r\n", wait=False)), tls=s.tls())


@scene("TLS to a silent port")
async def _(s: Scene) -> None:
    s.driver.connect(await s.enter(talker()), tls=s.tls(), dial_timeout=1.0)


@scene("TLS reset")
async def _(s: Scene) -> None:
    s.driver.connect(await s.enter(talker(reset=True)), tls=s.tls())


@scene("TLS stops in the middle")
async def _(s: Scene) -> None:
    s.driver.connect(await _cut(s, 90, Ending.BLACK_HOLE), tls=s.tls(), dial_timeout=2.0)


@scene("TLS closed in the middle")
async def _(s: Scene) -> None:
    s.driver.connect(await _cut(s, 90, Ending.FIN), tls=s.tls())


async def _cut(s: Scene, after: int, ending: Ending) -> int:
    """A TLS broker whose answer ends after so many bytes."""
    broker = await s.enter(Script(tls=server_context(s.certificates.server)))
    proxy = await s.enter(Proxy(broker.host, broker.port))
    proxy.to_client.truncate_after, proxy.to_client.ending = after, ending
    return proxy.port


async def _served(s: Scene, pair: Pair, host: str = "localhost", **tls: Any) -> None:
    broker = await s.enter(Script(tls=server_context(pair)))
    s.driver.connect(broker.port, host, tls=s.tls(**tls))


@scene("certificate expired")
async def _(s: Scene) -> None:
    await _served(s, s.certificates.expired)


@scene("certificate not yet valid")
async def _(s: Scene) -> None:
    await _served(s, s.certificates.future)


@scene("certificate not yet valid for some hours")
async def _(s: Scene) -> None:
    await _served(s, ends_in(s.folder, 3 * HOUR, 30 * DAY), ca_file=str(s.folder / "made-ca.crt"))


@scene("clock slow: the CA file is newer than now")
async def _(s: Scene) -> None:
    pair = ends_in(s.folder, 5 * DAY, 30 * DAY)
    written_tomorrow(s.folder / "made-ca.crt")
    await _served(s, pair, ca_file=str(s.folder / "made-ca.crt"))


@scene("clock fast: the whole chain has ended")
async def _(s: Scene) -> None:
    await _served(s, ends_in(s.folder, -9 * DAY, -3 * DAY, ca_ends=-2 * DAY), ca_file=str(s.folder / "made-ca.crt"))


@scene("certificate for another host")
async def _(s: Scene) -> None:
    await _served(s, s.certificates.wrong_host)


@scene("certificate without this address")
async def _(s: Scene) -> None:
    await _served(s, s.certificates.wrong_host, "127.0.0.1")


@scene("unknown issuer")
async def _(s: Scene) -> None:
    await _served(s, s.certificates.untrusted, ca_file="")


@scene("unknown issuer with a CA file")
async def _(s: Scene) -> None:
    await _served(s, s.certificates.untrusted)


@scene("self-signed")
async def _(s: Scene) -> None:
    await _served(s, s.certificates.self_signed)


@scene("certificate for another purpose")
async def _(s: Scene) -> None:
    await _served(s, ends_in(s.folder, -DAY, 30 * DAY, for_clients=True), ca_file=str(s.folder / "made-ca.crt"))


@scene("not the pinned certificate")
async def _(s: Scene) -> None:
    await _served(s, s.certificates.server, fingerprint="ab" * 32)


@scene("client certificate wanted, TLS 1.3, alert after the handshake")
async def _(s: Scene) -> None:
    _mutual(s, s.tls())


@scene("client certificate wanted, TLS 1.2")
async def _(s: Scene) -> None:
    _mutual(s, s.tls(), ssl.TLSVersion.TLSv1_2)


def _mutual(s: Scene, tls: TlsOptions, newest: ssl.TLSVersion | None = None) -> None:
    context = server_context(s.certificates.server, newest=newest, clients_of=s.certificates.ca)
    s.driver.connect(s.stack.enter_context(blocking_tls(context)), tls=tls)


@scene("client certificate wanted, closed without an alert")
async def _(s: Scene) -> None:
    await _asked_and_closed(s, s.tls())


@scene("client certificate given, closed without an alert")
async def _(s: Scene) -> None:
    pair = s.certificates.client
    await _asked_and_closed(s, s.tls(certificate=str(pair.certificate), key=str(pair.key)))


async def _asked_and_closed(s: Scene, tls: TlsOptions) -> None:
    context = server_context(s.certificates.server)
    context.verify_mode = ssl.CERT_OPTIONAL
    context.load_verify_locations(s.certificates.ca)
    broker = await s.enter(Script(expect(Connect), close(), tls=context))
    s.driver.connect(broker.port, tls=tls)


@scene("client certificate refused after a TLS 1.3 handshake")
async def _(s: Scene) -> None:
    pair = s.certificates.rogue_client
    _mutual(s, s.tls(certificate=str(pair.certificate), key=str(pair.key)))


@scene("TLS version")
async def _(s: Scene) -> None:
    context = server_context(s.certificates.server, newest=ssl.TLSVersion.TLSv1_2)
    s.driver.connect(s.stack.enter_context(blocking_tls(context)), tls=s.tls(minimum_version="1.3"))


@scene("ALPN: none chosen, closed later")
async def _(s: Scene) -> None:
    context = server_context(s.certificates.server)
    context.set_alpn_protocols(["x-amzn-mqtt-ca"])
    broker = await s.enter(Script(expect(Connect), close(), tls=context))
    s.driver.connect(broker.port, tls=s.tls(alpn=("mqtt",)))


@scene("ALPN refused")
async def _(s: Scene) -> None:
    s.driver.connect(await s.enter(talker(b"\x15\x03\x03\x00\x02\x02\x78", close=True)), tls=s.tls(alpn=("mqtt",)))


@scene("server name not known")
async def _(s: Scene) -> None:
    s.driver.connect(await s.enter(talker(b"\x15\x03\x03\x00\x02\x02\x70", close=True)), tls=s.tls())


@scene("not a server name")
async def _(s: Scene) -> None:
    s.driver.connect(await s.enter(talker()), tls=s.tls(server_name=".bad"))


@scene("own certificate expired")
async def _(s: Scene) -> None:
    _own(s, own_client(s.folder, -9 * DAY, -2 * DAY))


@scene("own certificate not yet valid")
async def _(s: Scene) -> None:
    _own(s, own_client(s.folder, 2 * DAY, 9 * DAY))


@scene("key of another certificate")
async def _(s: Scene) -> None:
    _own(s, Pair(s.certificates.client.certificate, s.certificates.server.key))


@scene("wrong passphrase")
async def _(s: Scene) -> None:
    _own(s, s.certificates.encrypted_client, key_passphrase=PASSPHRASE + "!")


@scene("no passphrase")
async def _(s: Scene) -> None:
    _own(s, s.certificates.encrypted_client)


def _own(s: Scene, pair: Pair, **changes: Any) -> None:
    """Nothing listens at port 1: what is found before dialing is found without it."""
    s.driver.connect(1, tls=s.tls(certificate=str(pair.certificate), key=str(pair.key), **changes))


@scene("no CA file")
async def _(s: Scene) -> None:
    s.driver.connect(1, tls=s.tls(ca_file=str(s.folder / "none.crt")))


@scene("CA file is none")
async def _(s: Scene) -> None:
    (s.folder / "ca.crt").write_text("not PEM\n")
    s.driver.connect(1, tls=s.tls(ca_file=str(s.folder / "ca.crt")))


@scene("certificate file is a folder")
async def _(s: Scene) -> None:
    s.driver.connect(1, tls=s.tls(certificate=str(s.folder)))


@scene("CA file with a NUL")
async def _(s: Scene) -> None:
    s.driver.connect(1, tls=s.tls(ca_file="a\0b"))


# Proxies and the own address

THROUGH = "broker.example"


async def _through(s: Scene, proxy: Tunnel, login: str = "", **options: Any) -> None:
    kind = "http" if isinstance(proxy, Http) else "socks5"
    await s.enter(proxy)
    s.driver.connect(1883, THROUGH, proxy=ProxyOptions(kind, HOST, proxy.port, login, login), **options)


@scene("proxy not there")
async def _(s: Scene) -> None:
    s.driver.connect(1883, THROUGH, proxy=ProxyOptions("http", HOST, free_port()))


@scene("proxy wants a login")
async def _(s: Scene) -> None:
    await _through(s, Http(login=("me", "pw")))


@scene("proxy refuses the login")
async def _(s: Scene) -> None:
    await _through(s, Socks(login=("me", "pw")), "other")


@scene("proxy forbids the broker")
async def _(s: Scene) -> None:
    await _through(s, Http(refuses=403))


@scene("proxy does not reach the broker")
async def _(s: Scene) -> None:
    await _through(s, Socks(refuses=4))


@scene("SOCKS5 to an HTTP proxy")
async def _(s: Scene) -> None:
    await _through(s, Socks(says=b"HTTP/1.1 400 Bad Request\r\n\r\n"))


@scene("no proxy at that port")
async def _(s: Scene) -> None:
    await _through(s, Http(says=b"SSH-2.0-OpenSSH_9.2\r\n"))


@scene("proxy closes")
async def _(s: Scene) -> None:
    await _through(s, Http(stops_before=0, ending="close"))


@scene("proxy resets")
async def _(s: Scene) -> None:
    await _through(s, Socks(stops_before=1, ending="reset"))


@scene("silent proxy")
async def _(s: Scene) -> None:
    await _through(s, Http(stops_before=0), dial_timeout=1.0)


@scene("an own address that is none")
async def _(s: Scene) -> None:
    s.driver.connect(free_port(), bind="192.0.2.1")


# WebSocket

WEB = WebSocketOptions()


@scene("WebSocket refused with a body")
async def _(s: Scene) -> None:
    body = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 18\r\n\r\n<h1>Go away</h1>\r\n"
    s.driver.connect(await s.enter(talker(body)), websocket=WEB)


@scene("WebSocket at no path")
async def _(s: Scene) -> None:
    s.driver.connect(await s.enter(talker(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")), websocket=WEB)


@scene("WebSocket refused, clock slow")
async def _(s: Scene) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(hours=3, minutes=2), usegmt=True)
    head = f"HTTP/1.1 403 Forbidden\r\nDate: {date}\r\nContent-Length: 0\r\n\r\n".encode()
    s.driver.connect(await s.enter(talker(head)), websocket=WEB)


@scene("WebSocket to a plain broker")
async def _(s: Scene) -> None:
    s.driver.connect(await s.enter(talker(b"\x20\x02\x00\x01")), websocket=WEB)


@scene("WebSocket to a port that closes on it")
async def _(s: Scene) -> None:
    s.driver.connect(await s.enter(talker(close=True)), websocket=WEB)


@scene("WebSocket to a silent port")
async def _(s: Scene) -> None:
    s.driver.connect(await s.enter(talker()), websocket=WEB, dial_timeout=1.0)


@scene("WebSocket upgrade stops in the middle")
async def _(s: Scene) -> None:
    s.driver.connect(await s.enter(talker(b"HTTP/1.1 101 Switching")), websocket=WEB, dial_timeout=2.0)


@scene("WebSocket upgrade closed in the middle")
async def _(s: Scene) -> None:
    s.driver.connect(await s.enter(talker(b"HTTP/1.1 101 Switching", close=True)), websocket=WEB)


@scene("client certificate wanted, WebSocket closed without an alert")
async def _(s: Scene) -> None:
    context = server_context(s.certificates.server)
    context.verify_mode = ssl.CERT_OPTIONAL
    context.load_verify_locations(s.certificates.ca)
    s.driver.connect(await s.enter(talker(close=True, context=context)), tls=s.tls(), websocket=WEB)


@scene("wrong sub-protocol")
async def _(s: Scene) -> None:
    s.driver.connect((await s.enter(Peer(answer("chat")))).port, websocket=WEB)


@scene("WebSocket closed with a code")
async def _(s: Scene) -> None:
    peer = await s.enter(Peer(answer(), frame(BINARY, b"\x20\x02\x00\x00"), frame(CLOSE, b"\x03\xf0slow down")))
    s.driver.connect(peer.port, websocket=WEB)


@scene("unreadable WebSocket frames")
async def _(s: Scene) -> None:
    peer = await s.enter(Peer(answer(), frame(BINARY, b"\x20\x02\x00\x00"), frame(BINARY, b"x", reserved=7)))
    s.driver.connect(peer.port, websocket=WEB)


# What is no broker, or not of this version


@scene("plain to a TLS port")
async def _(s: Scene) -> None:
    s.driver.connect(s.stack.enter_context(blocking_tls(server_context(s.certificates.server))))


@scene("plain to a TLS port that says so")
async def _(s: Scene) -> None:
    await _says(s, b"\x15\x03\x01\x00\x02\x02\x46")


async def _says(s: Scene, words: bytes, connect: Connect = V311) -> None:
    s.driver.connect(await s.enter(talker(words)), connect=connect)


@scene("plain to a web server")
async def _(s: Scene) -> None:
    await _says(s, b"HTTP/1.1 400 Bad Request\r\n\r\n")


@scene("plain to an SSH server")
async def _(s: Scene) -> None:
    await _says(s, b"SSH-2.0-OpenSSH_9.2\r\n")


@scene("bytes that are no MQTT")
async def _(s: Scene) -> None:
    await _says(s, b"\x20\xff\xff\xff\xff\xff")


@scene("malformed CONNACK")
async def _(s: Scene) -> None:
    await _says(s, b"\x20\x01\x00")


async def _script(s: Scene, *steps: Step, connect: Connect = V311, **options: Any) -> None:
    broker = await s.enter(Script(expect(Connect), *steps))
    s.driver.connect(broker.port, connect=connect, **options)


@scene("MQTT 5 refused")
async def _(s: Scene) -> None:
    await _script(s, send_raw(b"\x20\x02\x00\x01"), close(), connect=V5)


@scene("MQTT 5 refused in its own words")
async def _(s: Scene) -> None:
    await _script(s, reply(code=0x84), close(), connect=V5)


@scene("MQTT 3.1.1 refused")
async def _(s: Scene) -> None:
    await _script(s, reply(code=1), close())


@scene("client id refused")
async def _(s: Scene) -> None:
    await _script(s, reply(code=2), close())


@scene("server unavailable")
async def _(s: Scene) -> None:
    await _script(s, reply(code=3), close())


@scene("bad password")
async def _(s: Scene) -> None:
    await _script(s, reply(code=4), close())


@scene("not authorized")
async def _(s: Scene) -> None:
    await _script(s, reply(code=5), close())


@scene("not authorized, with a reason")
async def _(s: Scene) -> None:
    await _script(s, reply(code=0x87, properties=(Property(PropertyId.REASON_STRING, "no such tenant"),)), close(), connect=V5)


@scene("use another server")
async def _(s: Scene) -> None:
    await _script(s, reply(code=0x9C, properties=(Property(PropertyId.SERVER_REFERENCE, "b2.example:1883"),)), close(), connect=V5)


@scene("AUTH wanted")
async def _(s: Scene) -> None:
    await _script(s, send(Auth(0x18, (Property(PropertyId.AUTHENTICATION_METHOD, "SCRAM-SHA-256"),))), serve(), connect=V5)


@scene("closed without CONNACK")
async def _(s: Scene) -> None:
    await _script(s, close())


@scene("closed without CONNACK, MQTT 5")
async def _(s: Scene) -> None:
    await _script(s, close(), connect=V5)


@scene("reset without CONNACK")
async def _(s: Scene) -> None:
    await _script(s, reset())


@scene("closed without CONNACK over TLS")
async def _(s: Scene) -> None:
    broker = await s.enter(Script(expect(Connect), close(), tls=server_context(s.certificates.server)))
    s.driver.connect(broker.port, tls=s.tls())


@scene("silent broker")
async def _(s: Scene) -> None:
    s.driver.connect(await s.enter(talker()), connack_timeout=0.3)


@scene("CONNACK cut off")
async def _(s: Scene) -> None:
    await _script(s, send_raw(b"\x20\x03\x00"), close(), connect=V5)


@scene("CONNACK that does not come whole")
async def _(s: Scene) -> None:
    await _script(s, send_raw(b"\x20\x03\x00"), serve(), connect=V5, connack_timeout=2.0)


LARGE = Connect(client_id="large", version=Version.V5, properties=(Property(PropertyId.USER_PROPERTY, ("a" * 60_000, "b" * 60_000)),) * 100)


@scene("CONNECT that cannot leave")
async def _(s: Scene) -> None:
    s.driver.connect(await s.enter(deaf()), connect=LARGE, connack_timeout=0.3)


# After CONNACK


@scene("taken over, said")
async def _(s: Scene) -> None:
    await _script(s, reply(), send(Disconnect(0x8E)), close(), connect=V5)


@scene("taken over, not said")
async def _(s: Scene) -> None:
    await _script(s, reply(), close())


@scene("server shuts down")
async def _(s: Scene) -> None:
    words = (Property(PropertyId.REASON_STRING, "maintenance until 6"),)
    await _script(s, reply(), send(Disconnect(0x8B, words)), close(), connect=V5)


@scene("keep-alive, said by the server")
async def _(s: Scene) -> None:
    await _script(s, reply(), send(Disconnect(0x8D)), close(), connect=V5)


@scene("reset")
async def _(s: Scene) -> None:
    await _script(s, reply(), reset())


@scene("no answer to pings")
async def _(s: Scene) -> None:
    s.patch.setattr(keepalive, "_LATE_AT_LEAST", 0.2)
    s.patch.setattr(keepalive.KeepAlive, "_give_up", 0.3)
    await _script(s, reply(), serve(lambda packet, version: None), connect=Connect(client_id="dev-42", keep_alive=1))


@scene("pings held back")
async def _(s: Scene) -> None:
    enough = asyncio.Event()
    await _script(s, reply(), wait_for(enough), close(), connect=Connect(client_id="dev-42", keep_alive=1))
    await s.driver.phase(Phase.CONNECTED)
    s.driver.session.execute(commands.Misbehave(PEER, "silence"))
    left = time.monotonic()
    await s.driver.until(lambda: time.monotonic() - left > 2, "two keep-alives without a packet")
    enough.set()


@scene("kicked after a PUBLISH")
async def _(s: Scene) -> None:
    s.patch.setattr(connection, "_JUST_SENT_NS", 30 * 10**9)
    await _script(s, reply(), expect(Publish), close())
    await s.driver.phase(Phase.CONNECTED)
    s.driver.publish("cmd/lamp", b"on")


@scene("kicked after a SUBSCRIBE")
async def _(s: Scene) -> None:
    s.patch.setattr(connection, "_JUST_SENT_NS", 30 * 10**9)
    await _script(s, reply(), expect(Subscribe), close())
    await s.driver.phase(Phase.CONNECTED)
    s.driver.subscribe("$SYS/#")
