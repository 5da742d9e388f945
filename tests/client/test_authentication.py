"""Enhanced authentication: challenges by hand, SCRAM by itself, and servers that cannot prove what they should."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

import pytest
import scramp

from mqtttui.client import authentication
from mqtttui.client.authentication import Authentication, AuthenticationError
from mqtttui.client.commands import Authenticate, SendRaw
from mqtttui.client.events import Challenge, Phase
from mqtttui.client.scram import MOST_ITERATIONS, Scram, ScramError
from mqtttui.config.scram import as_it_leaves, scram_method
from mqtttui.protocol.enums import Direction, PacketType, PropertyId, Version
from mqtttui.protocol.packets import Auth, Connack, Connect, Disconnect, Packet, Properties, Property, encode
from tests.support.scripted import Script, Step, close, expect, expect_close, reply, send, wait_for
from tests.support.sessions import PEER, Driver

METHOD = Property(PropertyId.AUTHENTICATION_METHOD, "MY-METHOD")


def data(value: bytes) -> Property:
    return Property(PropertyId.AUTHENTICATION_DATA, value)


def asking(*properties: Property, method: str = "MY-METHOD", **fields: Any) -> Connect:
    named = Property(PropertyId.AUTHENTICATION_METHOD, method)
    return Connect("tester", Version.V5, properties=(named, *properties), **fields)


def scram_connect(method: str = "SCRAM-SHA-256") -> Connect:
    return asking(method=method, username="user", password=b"pencil")


def data_of(packet: Packet) -> bytes:
    properties: Properties = getattr(packet, "properties", None) or ()
    (value,) = [item.value for item in properties if item.id == PropertyId.AUTHENTICATION_DATA]
    assert isinstance(value, bytes)
    return value


class Server:
    """The other side of SCRAM, as steps of a script."""

    def __init__(self, password: str = "pencil", method: str = "SCRAM-SHA-256") -> None:
        self.method = method
        make: Any = scramp.ScramMechanism
        mechanism = make(method)
        secrets = mechanism.make_auth_info(password, iteration_count=4096)
        self._make: Callable[[], Any] = lambda: mechanism.make_server(lambda name: secrets)
        self.server: Any = None
        self.connects: list[Connect] = []

    def auth(self, code: int, value: bytes) -> Auth:
        return Auth(code, (Property(PropertyId.AUTHENTICATION_METHOD, self.method), data(value)))

    def first(self, packet: Packet) -> Packet:
        if isinstance(packet, Connect):
            self.connects.append(packet)
        self.server = self._make()
        self.server.set_client_first(data_of(packet).decode())
        return self.auth(0x18, self.server.get_server_first().encode())

    def final(self, packet: Packet) -> Packet:
        return Connack(properties=(data(self._final(packet)),))

    def again(self, packet: Packet) -> Packet:
        return self.auth(0, self._final(packet))

    def _final(self, packet: Packet) -> bytes:
        self.server.set_client_final(data_of(packet).decode())
        return str(self.server.get_server_final()).encode()


def auth(code: int) -> Callable[[Any], bool]:
    return lambda packet: packet.reason_code == code


async def test_a_login_in_three_steps_by_hand() -> None:
    steps = (
        expect(Connect),
        send(Auth(0x18, (METHOD, data(b"\x00one"), Property(PropertyId.REASON_STRING, "more")))),
        expect(Auth(0x18, (METHOD, data(b"\xff1")))),
        send(Auth(0x18, (METHOD,))),
        expect(Auth(0x18, (METHOD, data(b"")))),
        send(Connack()),
    )
    async with Script(*steps, version=Version.V5) as broker, Driver() as driver:
        driver.connect(broker.port, connect=asking(data(b"hello")), connack_timeout=30)
        first = await driver.until(lambda: driver.state.challenge, "the first challenge")
        assert (first.number, first.method, first.data, first.reason, first.again) == (1, "MY-METHOD", b"\x00one", "more", False)
        assert "one" not in repr(first), "it may be as secret as a password"
        driver.session.execute(Authenticate(PEER, b"\xff1"))
        second = await driver.until(
            lambda: driver.state.challenge and driver.state.challenge.number == 2 and driver.state.challenge, "next"
        )
        assert second.data is None
        driver.session.execute(Authenticate(PEER, b""))
        await driver.phase(Phase.CONNECTED)
        assert driver.state.challenge is None
        assert driver.types(Direction.C2S) == [PacketType.CONNECT, PacketType.AUTH, PacketType.AUTH]
        driver.session.execute(Authenticate(PEER, b"more"))
        assert driver.rejections == ["AUTH: the server waits for no AUTH"]


async def test_while_the_user_types_the_connack_is_not_late(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = (expect(Connect), send(Auth(0x18, (METHOD,))), expect_close())
    monkeypatch.setattr("mqtttui.client.authentication.ANSWER_SECONDS", 6.0)
    async with Script(*steps, version=Version.V5, timeout=20) as broker, Driver() as driver:
        driver.connect(broker.port, connect=asking(), connack_timeout=5)
        failure = (await driver.failed(20)).failure
        assert failure is not None
        assert failure.title == "No answer to AUTH was given"
        assert driver.state.challenge is None


async def test_a_login_can_be_cancelled_at_a_challenge() -> None:
    steps = (expect(Connect), send(Auth(0x18, (METHOD,))), expect_close())
    async with Script(*steps, version=Version.V5, timeout=20) as broker, Driver() as driver:
        driver.connect(broker.port, connect=asking())
        await driver.until(lambda: driver.state.challenge, "the challenge")
        driver.cancel()
        await driver.phase(Phase.IDLE)
        assert driver.state.challenge is None


async def test_an_auth_made_by_hand_answers_too() -> None:
    answer = Auth(0x18, (METHOD, data(b"x")))
    steps = (expect(Connect), send(Auth(0x18, (METHOD,))), expect(answer), send(Connack()))
    async with Script(*steps, version=Version.V5) as broker, Driver() as driver:
        driver.connect(broker.port, connect=asking())
        await driver.until(lambda: driver.state.challenge, "the challenge")
        driver.session.execute(SendRaw(PEER, encode(answer, Version.V5)))
        await driver.phase(Phase.CONNECTED)
        assert driver.state.challenge is None


async def test_authenticating_again_on_a_live_connection() -> None:
    steps = (
        expect(Connect),
        reply(),
        expect(Auth(0x19, (METHOD, data(b"again")))),
        send(Auth(0x18, (METHOD, data(b"?")))),
        expect(Auth(0x18, (METHOD, data(b"!")))),
        send(Auth(0, (METHOD,))),
    )
    async with Script(*steps, version=Version.V5) as broker, Driver() as driver:
        await driver.connected(broker.port, connect=asking())
        driver.session.execute(Authenticate(PEER, b"again", again=True))
        driver.session.execute(Authenticate(PEER, b"twice", again=True))
        assert driver.rejections == ["AUTH: a re-authentication is under way"]
        challenge = await driver.until(lambda: driver.state.challenge, "the challenge")
        assert challenge.again
        driver.session.execute(Authenticate(PEER, b"!"))
        await driver.until(lambda: driver.state.observed, "what came of it")
        assert re.fullmatch(r"authenticated again after [\d.]+ m?s", driver.state.observed[0])
        assert driver.state.phase is Phase.CONNECTED


async def test_a_server_that_is_silent_to_a_re_authentication_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authentication, "AGAIN_SECONDS", 0.2)
    steps = (expect(Connect), reply(), expect(Auth), send(Auth(0x18, (METHOD,))), expect(Auth), expect(Disconnect))
    async with Script(*steps, version=Version.V5, timeout=60) as broker, Driver() as driver:
        await driver.connected(broker.port, connect=asking())
        driver.session.execute(Authenticate(PEER, b"again", again=True))
        await driver.until(lambda: driver.state.challenge, "the challenge")
        driver.session.execute(Authenticate(PEER, b"!"))
        await driver.until(lambda: driver.state.observed, "that nothing comes")
        assert driver.state.observed[-1] == "no answer to the re-authentication for 0.2 s: the connection stays as it was"
        assert driver.state.phase is Phase.CONNECTED
        await driver.disconnect()


async def test_without_a_method_there_is_nothing_to_do_again() -> None:
    async with Script(expect(Connect), reply(), version=Version.V5) as broker, Driver() as driver:
        await driver.connected(broker.port, connect=Connect("tester", Version.V5))
        driver.session.execute(Authenticate(PEER, b"x", again=True))
        assert "no authentication method" in driver.rejections[0]


@pytest.mark.parametrize("method", ["SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"])
async def test_scram_by_itself_and_again(method: str) -> None:
    server = Server(method=method)
    proven = asyncio.Event()
    steps: tuple[Step, ...] = (
        expect(Connect),
        send(server.first),
        expect(Auth, auth(0x18)),
        send(server.final),
        wait_for(proven),
        expect(Auth, auth(0x19)),
        send(server.first),
        expect(Auth, auth(0x18)),
        send(server.again),
    )
    async with Script(*steps, version=Version.V5) as broker, Driver() as driver:
        await driver.connected(broker.port, connect=scram_connect(method))
        assert server.connects[0].username == "user"
        assert server.connects[0].password is None, "SCRAM is there so that the password does not travel"
        assert b"pencil" not in driver.raw(Direction.C2S)
        assert not any(state.challenge for state in driver.states), "nobody is asked"
        proven.set()
        driver.session.execute(Authenticate(PEER, None, again=True))
        await driver.until(lambda: driver.state.observed, "authenticated again")
        assert driver.state.phase is Phase.CONNECTED


async def test_a_server_that_does_not_know_the_password_is_left() -> None:
    async def lying(server: Server) -> str:
        steps = (expect(Connect), send(server.first), expect(Auth), send(Connack(properties=(data(b"v=AAAA"),))), expect_close())
        async with Script(*steps, version=Version.V5) as broker, Driver() as driver:
            driver.connect(broker.port, connect=scram_connect())
            failure = (await driver.failed()).failure
            assert failure is not None
            assert failure.title == "Authentication failed"
            assert not any(state.phase is Phase.CONNECTED for state in driver.states)
            return failure.detail

    assert "the server's signature is wrong" in await lying(Server())


async def test_a_server_that_proves_nothing_is_left() -> None:
    steps = (expect(Connect), send(Connack()), expect_close())
    async with Script(*steps, version=Version.V5) as broker, Driver() as driver:
        driver.connect(broker.port, connect=scram_connect())
        failure = (await driver.failed()).failure
        assert failure is not None
        assert "has not proven that it knows the password" in failure.detail


async def test_a_refusal_is_a_refusal() -> None:
    server = Server("another")
    steps = (expect(Connect), send(server.first), expect(Auth), send(Connack(0x87)), close())
    async with Script(*steps, version=Version.V5) as broker, Driver() as driver:
        driver.connect(broker.port, connect=scram_connect())
        failure = (await driver.failed()).failure
        assert failure is not None
        assert failure.title == "Refused: 0x87 not authorized"


def test_scram_refuses_to_compute_for_ever() -> None:
    scram = Scram("SCRAM-SHA-256", "user", "pencil")
    nonce = scram.first().decode().partition("r=")[2]
    with pytest.raises(ScramError, match="iterations"):
        scram.final(f"r={nonce}x,s=c2FsdHNhbHRzYWx0c2FsdA==,i={MOST_ITERATIONS + 1}".encode())


def test_scram_answers_nothing_that_would_not_fit_into_an_auth() -> None:
    scram = Scram("SCRAM-SHA-256", "user", "pencil")
    nonce = scram.first().decode().partition("r=")[2]
    with pytest.raises(ScramError, match="bytes"):
        scram.final(f"r={nonce}{'x' * 65_440},s=c2FsdHNhbHRzYWx0c2FsdA==,i=4096".encode())


@pytest.mark.parametrize("answer", [b"", b"\xff", b"r=other,s=c2FsdHNhbHRzYWx0c2FsdA==,i=4096", b"e=no", b"r=\x1b[2J"])
def test_scram_says_what_is_wrong_with_any_answer(answer: bytes) -> None:
    scram = Scram("SCRAM-SHA-256", "user", "pencil")
    scram.first()
    with pytest.raises(ScramError) as caught:
        scram.final(answer)
    assert "\x1b" not in str(caught.value)
    assert "pencil" not in str(caught.value)


@pytest.mark.parametrize(
    ("connect", "method"),
    [
        (scram_connect(), "SCRAM-SHA-256"),
        (asking(method="SCRAM-SHA-256-PLUS", username="u", password=b"p"), ""),
        (asking(method="SCRAM-SHA-256", username="u"), ""),
        (asking(data(b"own"), method="SCRAM-SHA-256", username="u", password=b"p"), ""),
        (asking(METHOD, method="SCRAM-SHA-256", username="u", password=b"p"), ""),
        (asking(method="SCRAM-SHA-256", username="u", password=b"p", flags=0xC2), ""),
        (Connect("c", Version.V311, username="u", password=b"p", properties=scram_connect().properties), ""),
    ],
)
def test_when_scram_is_carried_out(connect: Connect, method: str) -> None:
    assert scram_method(connect) == method
    assert as_it_leaves(connect) == connect or connect == scram_connect()
    assert (as_it_leaves(connect).password is None) == (bool(method) or connect.password is None)


def test_bytes_made_by_hand_begin_no_scram() -> None:
    told: list[Challenge | None] = []
    by_hand = Authentication(scram_connect(), lambda packet: None, told.append, automatic=False)
    assert by_hand.connect() == scram_connect()
    by_hand.received(Auth(authentication.CONTINUE, (METHOD,)))
    assert told[0] is not None
    with pytest.raises(AuthenticationError):
        Authentication(Connect(version=Version.V5), lambda packet: None, told.append, automatic=True).begin_again(None)


def test_a_server_that_never_answers_may_be_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Auth] = []
    exchange = Authentication(asking(), sent.append, lambda challenge: None, automatic=True)
    exchange.begin_again(b"1")
    with pytest.raises(AuthenticationError, match="under way"):
        exchange.begin_again(b"2")
    monkeypatch.setattr(authentication, "AGAIN_SECONDS", 0.0)
    exchange.begin_again(b"3")
    assert [data_of(packet) for packet in sent] == [b"1", b"3"]
    exchange.received(Auth(authentication.CONTINUE, (METHOD,)))
    with pytest.raises(AuthenticationError, match="under way"):
        exchange.begin_again(b"4")
