"""The demo broker's enhanced authentication, as the application goes through it."""

from __future__ import annotations

from typing import Any

import pytest

from mqtttui.client.commands import Authenticate, TakeOver
from mqtttui.client.events import Phase
from mqtttui.demo.authentication import RIDDLE, SCRAM
from mqtttui.demo.broker import DemoBroker
from mqtttui.protocol.enums import Direction, PacketType, PropertyId, Version
from mqtttui.protocol.packets import Auth, Connack, Connect, Disconnect, Property, Publish
from tests.support.raw_client import RawClient
from tests.support.sessions import PEER, Driver


def asking(method: str, **fields: Any) -> Connect:
    return Connect("tester", Version.V5, properties=(Property(PropertyId.AUTHENTICATION_METHOD, method),), **fields)


async def test_a_riddle_by_hand_and_again(broker: DemoBroker) -> None:
    async with Driver() as driver:
        driver.connect(broker.port, connect=asking(RIDDLE))
        challenge = await driver.until(lambda: driver.state.challenge, "the riddle")
        assert challenge.data == b"What is 6 times 7? Answer in digits."
        driver.session.execute(Authenticate(PEER, b"42"))
        await driver.phase(Phase.CONNECTED)
        driver.session.execute(Authenticate(PEER, None, again=True))
        challenge = await driver.until(lambda: driver.state.challenge, "the riddle once more")
        assert challenge.again
        driver.session.execute(Authenticate(PEER, b"42"))
        await driver.until(lambda: driver.state.observed, "authenticated again")
        assert driver.count(PacketType.AUTH, Direction.S2C) == 3


async def test_a_wrong_answer_is_refused(broker: DemoBroker) -> None:
    async with Driver() as driver:
        driver.connect(broker.port, connect=asking(RIDDLE))
        await driver.until(lambda: driver.state.challenge, "the riddle")
        driver.session.execute(Authenticate(PEER, b"41"))
        failure = (await driver.failed()).failure
        assert failure is not None
        assert failure.title == "Refused: 0x87 not authorized"
        assert "that is not the answer" in failure.detail


async def test_a_wrong_answer_later_ends_the_connection(broker: DemoBroker) -> None:
    async with Driver() as driver:
        driver.connect(broker.port, connect=asking(RIDDLE))
        await driver.until(lambda: driver.state.challenge, "the riddle")
        driver.session.execute(Authenticate(PEER, b"42"))
        await driver.phase(Phase.CONNECTED)
        driver.session.execute(Authenticate(PEER, None, again=True))
        await driver.until(lambda: driver.state.challenge, "the riddle once more")
        driver.session.execute(Authenticate(PEER, b"?"))
        failure = (await driver.failed()).failure
        assert failure is not None
        assert failure.title == "The server disconnected: 0x87 not authorized"


@pytest.mark.parametrize(("password", "title"), [(b"demo", ""), (b"wrong", "Refused: 0x87 not authorized")])
async def test_scram(broker: DemoBroker, password: bytes, title: str) -> None:
    async with Driver() as driver:
        driver.connect(broker.port, connect=asking(SCRAM, username="demo", password=password))
        if title:
            failure = (await driver.failed()).failure
            assert failure is not None
            assert failure.title == title
            return
        await driver.phase(Phase.CONNECTED)
        driver.session.execute(Authenticate(PEER, None, again=True))
        await driver.until(lambda: driver.state.observed, "authenticated again")


async def test_a_connection_beside_cannot_ask(broker: DemoBroker) -> None:
    async with Driver() as driver:
        driver.connect(broker.port, connect=asking(RIDDLE))
        await driver.until(lambda: driver.state.challenge, "the riddle")
        driver.session.execute(Authenticate(PEER, b"42"))
        await driver.phase(Phase.CONNECTED)
        driver.session.execute(TakeOver(PEER))
        await driver.until(lambda: driver.state.observed, "what came of it")
        assert driver.state.observed == ("not taken over: the second connection failed: Authentication failed",)
        assert driver.state.phase is Phase.CONNECTED


@pytest.mark.parametrize("packet", [Publish("a"), Auth(0x19), Auth(0x18, (Property(PropertyId.AUTHENTICATION_METHOD, "other"),))])
async def test_nothing_but_the_next_auth_goes_on(broker: DemoBroker, packet: Publish | Auth) -> None:
    client = await RawClient.dial(broker.port)
    client.send(asking(RIDDLE))
    await client.expect(Auth)
    client.send(packet)
    assert (await client.expect(Connack)).code == 0x82
    client.writer.close()


async def test_auth_without_a_method_in_connect(broker: DemoBroker) -> None:
    client = await RawClient.dial(broker.port)
    client.send(Connect("c", Version.V5))
    await client.expect(Connack)
    client.send(Auth(0x19, (Property(PropertyId.AUTHENTICATION_METHOD, RIDDLE),)))
    assert (await client.expect(Disconnect)).reason_code == 0x82
    client.writer.close()
