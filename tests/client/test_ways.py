"""Whole sessions (QoS 0, 1 and 2, a ping) on every transport, by every way, with every setting of TLS, against every broker.

The default run takes a slice of it; all of it runs with `-m slow`.
"""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from mqtttui.client.events import StepStatus
from mqtttui.config.options import ConnectOptions, ProxyOptions, TlsOptions, WebSocketOptions
from mqtttui.protocol.enums import Version
from mqtttui.protocol.packets import Connect
from tests.client.test_transports import all_of_it
from tests.support.brokers import ALICE, HOST, Broker, Ways, aedes, aedes_ways, ejabberd, free_port, nats
from tests.support.certs import PASSPHRASE, Certificates
from tests.support.proxies import Http, Socks
from tests.support.sessions import Driver

LOGIN = ("me", "p:w/%")
NAME = "localhost"
TRANSPORTS = ("tcp", "tls", "mtls", "ws", "wss")
ROUTES = ("direct", "bind", "http", "http-login", "socks5", "socks5h", "socks5h-login")
TLS_SETTINGS = ("1.2", "1.3", "alpn", "pin", "pin-alone", "keys", "sni", "encrypted")
SLICE = (
    ("tls", "http", Version.V5),
    ("mtls", "socks5h-login", Version.V311),
    ("ws", "socks5", Version.V5),
    ("wss", "http-login", Version.V311),
)


@dataclass(frozen=True, slots=True)
class Place:
    """What the table needs."""

    ways: Ways
    mutual: Broker
    certificates: Certificates


@pytest.fixture
def place(mosquitto_ways: Ways, mutual_tls_mosquitto: Broker, certificates: Certificates) -> Place:
    return Place(mosquitto_ways, mutual_tls_mosquitto, certificates)


def transport_options(name: str, place: Place) -> ConnectOptions:
    """Where and what of a transport."""
    tls = TlsOptions(ca_file=str(place.certificates.ca))
    own = place.certificates.client
    match name:
        case "tcp":
            return ConnectOptions(NAME, place.ways.broker.port)
        case "tls":
            return ConnectOptions(NAME, place.ways.tls, tls)
        case "mtls":
            return ConnectOptions(NAME, place.mutual.port, replace(tls, certificate=str(own.certificate), key=str(own.key)))
        case "ws":
            return ConnectOptions(NAME, place.ways.websocket, websocket=WebSocketOptions())
        case _:
            return ConnectOptions(NAME, place.ways.secure_websocket, tls, websocket=WebSocketOptions())


@asynccontextmanager
async def route(name: str, options: ConnectOptions) -> AsyncIterator[ConnectOptions]:
    """The same options by this way, with its proxy."""
    login = LOGIN if name.endswith("-login") else None
    if name == "direct":
        yield options
    elif name == "bind":
        yield replace(options, host=HOST, bind="127.0.0.9")
    else:
        async with (Http if name.startswith("http") else Socks)(login=login, names={NAME: HOST}) as proxy:
            kind = "http" if name.startswith("http") else "socks5"
            yield replace(options, proxy=ProxyOptions(kind, HOST, proxy.port, *(login or ("", "")), name != "socks5"))
            assert proxy.asked
            assert proxy.logins == [login] * len(proxy.logins)


async def session(options: ConnectOptions, topic: str, highest: int = 2) -> None:
    """A session that works from its first to its last step."""
    fields: dict[str, Any] = {name: getattr(options, name) for name in ("tls", "websocket", "proxy", "bind", "unix_path")}
    async with Driver() as driver:
        await driver.connected(options.port, options.host, options.connect, **fields)
        await all_of_it(driver, topic, highest)
        state = driver.state
        assert {step.status for step in state.steps} <= {StepStatus.DONE, StepStatus.SKIPPED}
        assert ("proxy" in [step.name for step in state.steps]) is (options.proxy is not None)
        assert (state.tls_info is not None) is (options.tls is not None)
        assert state.tls_info is None or state.tls_info.certificates[0].names
        assert driver.log.connection(0).name == options.url
        keys = options.tls is not None and bool(options.tls.key_log)
        assert state.warning.startswith("TLS keys are written to ") if keys else not state.warning
        await driver.disconnect()
        assert driver.state.ended == "disconnected"


@pytest.mark.parametrize(
    ("transport", "way", "version"),
    [
        pytest.param(*row, marks=() if row in SLICE else pytest.mark.slow, id="-".join((*row[:2], row[2].label)))
        for row in product(TRANSPORTS, ROUTES, (Version.V31, Version.V311, Version.V5))
    ],
)
async def test_every_transport_by_every_way(place: Place, transport: str, way: str, version: Version) -> None:
    login = "alice" if transport == "mtls" else None
    options = replace(transport_options(transport, place), connect=Connect(f"way-{transport}", version, username=login))
    async with route(way, options) as made:
        await session(made, f"way/{transport}/{way}/{version.label}")


def tls_setting(name: str, tls: TlsOptions, place: Place, directory: Path) -> TlsOptions:
    der = ssl.PEM_cert_to_DER_cert(place.certificates.server.certificate.read_text())
    pin, locked = hashlib.sha256(der).hexdigest(), place.certificates.encrypted_client
    match name:
        case "1.2":
            return replace(tls, maximum_version="1.2")
        case "1.3":
            return replace(tls, minimum_version="1.3", maximum_version="1.3")
        case "alpn":
            return replace(tls, alpn=("mqtt", "x-other"))
        case "pin":
            return replace(tls, fingerprint=pin)
        case "pin-alone":
            return replace(tls, ca_file="", verify=False, fingerprint=pin)
        case "keys":
            return replace(tls, key_log=str(directory / "keys"))
        case "sni":
            return replace(tls, server_name="127.0.0.1")
        case _:
            return replace(tls, certificate=str(locked.certificate), key=str(locked.key), key_passphrase=PASSPHRASE)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["direct", "http", "socks5h-login"])
@pytest.mark.parametrize("transport", ["tls", "mtls", "wss"])
@pytest.mark.parametrize("setting", TLS_SETTINGS)
async def test_every_setting_of_tls(place: Place, tmp_path: Path, setting: str, transport: str, way: str) -> None:
    options = transport_options(transport, place)
    assert options.tls is not None
    options = replace(options, tls=tls_setting(setting, options.tls, place, tmp_path), connect=Connect("tls-way", Version.V5))
    async with route(way, options) as made:
        await session(made, f"tls/{setting}/{transport}/{way}")


@pytest.mark.slow
@pytest.mark.parametrize("version", [Version.V311, Version.V5])
async def test_the_unix_socket(place: Place, version: Version) -> None:
    await session(ConnectOptions(unix_path=place.ways.unix, connect=Connect("unix-way", version)), "way/unix")


@pytest.mark.slow
@pytest.mark.parametrize("way", ["direct", "http", "socks5h-login"])
async def test_a_broker_with_passwords_and_an_access_list(password_mosquitto: Broker, way: str) -> None:
    login = Connect("password-way", Version.V5, username=ALICE[0], password=ALICE[1].encode())
    async with route(way, ConnectOptions(NAME, password_mosquitto.port, connect=login)) as made:
        await session(made, "t/password")


@pytest.fixture(scope="module")
def other_brokers(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[dict[str, dict[str, ConnectOptions]]]:
    """The ways into the other brokers, by broker and transport."""
    login = Connect("other-way", username=ALICE[0], password=ALICE[1].encode())
    tls, web = TlsOptions(ca_file=str(certificates.ca)), WebSocketOptions()
    ports = free_port(), free_port()
    place = tmp_path_factory.mktemp("other-brokers")
    with (
        ejabberd(place / "ejabberd", websocket=ports[0]) as one,
        nats(place / "nats", websocket=ports[1]) as two,
        aedes(place / "aedes", certificates.server) as three,
    ):
        ways = aedes_ways(three)
        yield {
            "ejabberd": {
                "tcp": ConnectOptions(NAME, one.port, connect=replace(login, version=Version.V5)),
                "ws": ConnectOptions(NAME, ports[0], connect=login, websocket=web),
            },
            "nats": {
                "tcp": ConnectOptions(NAME, two.port, connect=login),
                "ws": ConnectOptions(NAME, ports[1], connect=login, websocket=web),
            },
            "aedes": {
                "tcp": ConnectOptions(NAME, three.port, connect=login),
                "tls": ConnectOptions(NAME, ways.tls, tls, login),
                "ws": ConnectOptions(NAME, ways.websocket, connect=login, websocket=web),
                "wss": ConnectOptions(NAME, ways.secure_websocket, tls, login, websocket=web),
            },
        }


OTHERS = [
    ("ejabberd", "tcp"),
    ("ejabberd", "ws"),
    ("nats", "tcp"),
    ("nats", "ws"),
    *(("aedes", name) for name in ("tcp", "tls", "ws", "wss")),
]


@pytest.mark.slow
@pytest.mark.parametrize("way", ["direct", "http-login", "socks5h"])
@pytest.mark.parametrize(("broker", "transport"), OTHERS)
async def test_other_brokers(other_brokers: dict[str, dict[str, ConnectOptions]], broker: str, transport: str, way: str) -> None:
    async with route(way, other_brokers[broker][transport]) as made:
        await session(made, f"t/{broker}/{transport}/{way}", 1 if broker == "nats" else 2)
