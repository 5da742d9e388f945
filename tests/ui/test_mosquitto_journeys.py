"""The Connection, Subscriptions and Publish panes by keyboard alone, on real mosquittos."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from textual import events

from mqtttui.client.events import Phase
from mqtttui.config.options import ConnectOptions, ReconnectOptions, TlsOptions
from mqtttui.config.settings import Settings
from mqtttui.protocol import packets
from mqtttui.protocol.enums import PacketType, PropertyId, Version
from mqtttui.protocol.packets import Connect, TopicRequest, Will, encode
from mqtttui.ui.forms.rows import FormError, Kind
from mqtttui.ui.widgets.form import Form
from tests.support.brokers import HOST, Broker, mosquitto
from tests.support.certs import Certificates
from tests.support.raw_client import connected as raw_connected
from tests.support.screen import Running, running


def types(run: Running) -> list[str]:
    """Types of all recorded packets."""
    return [(run.log.dissect(number).type or PacketType.RESERVED).name for number in run.log.numbers()]


def latest(run: Running, kind: PacketType) -> bytes:
    """The bytes of the latest packet of a type."""
    return next(run.log[number].raw for number in reversed(list(run.log.numbers())) if run.log.dissect(number).type is kind)


async def phase(run: Running, wanted: Phase) -> None:
    """Wait for it."""
    await run.until(lambda: run.app.state.phase is wanted, f"the connection is {wanted.value}")


async def paste(run: Running, text: str) -> None:
    """Into whatever has the focus."""
    assert run.app.focused is not None
    run.app.focused.post_message(events.Paste(text))
    await run.pilot.pause()


async def go(run: Running, form: Form, row: str) -> None:
    """Tab to a row."""
    for _ in range(80):
        if form.selected == row and form.has_focus_within:
            return
        await run.press("tab")
    raise AssertionError(f"Tab never reached {row}: {[each.id for each in form.rows]}")


async def fill(run: Running, row: str, text: str) -> None:
    """Tab to a text of the Connection form and type over what stands there."""
    form = run.main.connection.form
    await go(run, form, row)
    if not form.typing:
        await run.press("enter")
    await run.press("end", "ctrl+u")
    await run.type(text)


async def test_a_pasted_command_connects_subscribes_and_says_what_it_will_do(password_mosquitto: Broker) -> None:
    async with running() as run:
        port = password_mosquitto.port
        options = f"-h {HOST} -p {port} -V 5 -u alice -P secret -D connect session-expiry-interval 60"
        await paste(run, f"mosquitto_sub {options} -t 't/#' -q 1")
        await run.shows("Then subscribe     [x] t/# at QoS 1", "Session expiry")
        assert "secret" not in run.text
        await run.press("ctrl+s")
        await run.until(lambda: types(run)[-1:] == ["SUBACK"], "subscribed")
        expected = Connect(
            version=Version.V5,
            username="alice",
            password=b"secret",
            properties=(packets.Property(PropertyId.SESSION_EXPIRY_INTERVAL, 60),),
        )
        assert latest(run, PacketType.CONNECT) == encode(expected, Version.V5)
        await run.shows("auto-", "new session", "ka 60 s")
        await run.press("1")
        await run.shows("granted: 10 topic aliases")
        await run.hides("Then subscribe")


async def test_a_pasted_subscription_can_be_switched_off_before_connecting(mosquitto_broker: Broker) -> None:
    async with running() as run:
        await paste(run, f"mosquitto_sub -h {HOST} -p {mosquitto_broker.port} -t 'journey/#'")
        await go(run, run.main.connection.form, "then")
        await run.press("space", "ctrl+s")
        await run.shows("nothing is subscribed")
        assert types(run) == ["CONNECT", "CONNACK"]


async def test_a_pasted_publish_waits_in_its_pane(mosquitto_broker: Broker) -> None:
    async with running() as run:
        await paste(run, f"mosquitto_pub -h {HOST} -p {mosquitto_broker.port} -t journey/a -q 1 -m 'x y'")
        await run.shows("the message waits in its pane")
        await run.press("ctrl+s")
        await run.shows("The message waits in Publish")
        assert types(run) == ["CONNECT", "CONNACK"], "nothing is published unasked"
        await run.press("3", "ctrl+s")
        await run.shows("the broker took it")
        assert latest(run, PacketType.PUBLISH) == encode(packets.Publish("journey/a", b"x y", qos=1, packet_id=1), Version.V311)


async def test_a_typed_connection_with_a_will_that_fires_when_the_link_is_cut(mosquitto_broker: Broker) -> None:
    async with running() as run, raw_connected(mosquitto_broker.port) as watcher:
        await watcher.subscribe(TopicRequest("journey/will", 1))
        form = run.main.connection.form
        await fill(run, "host", HOST)
        await fill(run, "port", str(mosquitto_broker.port))
        await go(run, form, "version")
        await run.press("right")
        await fill(run, "client_id", "journey-will")
        await fill(run, "keep_alive", "10")
        await go(run, form, "will")
        await run.press("space")
        await fill(run, "will.topic", "journey/will")
        await fill(run, "will.payload", "gone")
        await go(run, form, "will.qos")
        await run.press("right", "ctrl+s")
        await phase(run, Phase.CONNECTED)
        will = Will("journey/will", b"gone", 1)
        expected = Connect("journey-will", Version.V5, keep_alive=10, will=will)
        assert latest(run, PacketType.CONNECT) == encode(expected, Version.V5)
        await run.shows("v5 · journey-will · new session · will set · ka 10 s")
        await run.press("1")
        await run.shows("will: cut, 0x04, takeover, ka 15 s;", "= 0 s")
        await run.press("c", "x")
        await run.shows("cut without DISCONNECT, so that the will fires")
        message = await watcher.expect(packets.Publish)
        assert (message.topic, message.payload) == ("journey/will", b"gone")
        assert "DISCONNECT" not in types(run)


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))])
async def test_what_the_form_shows_is_what_leaves(mosquitto_broker: Broker, seed: int) -> None:
    chance = random.Random(seed)
    async with running(Settings(options=ConnectOptions(HOST, mosquitto_broker.port))) as run:
        pane = run.main.connection
        pane.form.go("version", edit=False)
        for _ in range(3):
            fixed = ("url", "transport", "host", "port", "tls", "tls.verify", "reconnect", "section.times", "section.unusual")
            rows = [row for row in pane.form.rows if row.selectable and row.id not in fixed and row.kind is not Kind.ACTION]
            for row in chance.sample(rows, 6):
                if pane.form.row_value(row.id) == "" and row.id not in [each.id for each in pane.form.rows]:
                    continue  # Gone with what was switched off.
                pane.form.go(row.id)
                if row.editable and not row.id.endswith(".add"):
                    await run.press("end", "ctrl+u")
                    await run.type(str(chance.randrange(60_000)))
                    await run.press("escape")
                elif not row.editable:
                    await run.press(chance.choice(["space", "right", "left"]))
            try:
                shown = pane.options().connect
            except FormError:
                continue
            pane.form.go("version", edit=False)
            connections = run.log.connection_count
            await run.press("ctrl+s")
            await run.until(lambda before=connections: run.log.connection_count > before and types(run)[-1] != "DISCONNECT", "dialled")  # type: ignore[misc]
            await run.until(lambda wanted=shown: latest(run, PacketType.CONNECT) == encode(wanted, wanted.version), "CONNECT left")  # type: ignore[misc]


async def test_a_lost_broker_shows_why_and_counts_down_to_the_next_attempt(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as broker:
        options = ConnectOptions(
            HOST,
            broker.port,
            connect=Connect("journey-lost", Version.V5),
            reconnect=ReconnectOptions(True, first_delay=0.5, longest_delay=2.0),
        )
        async with running(Settings(options=options, connect_now=True)) as run:
            await phase(run, Phase.CONNECTED)
            await run.press("1")
            broker.kill()
            await run.shows("waiting to reconnect, retry 2 in 1 s", "lost: ", "TCP failed")
            await run.shows("retry 3 in 2 s")
            await run.shows("retry 3 in 1 s")
            assert run.text.split("\n")[0].count("retry 3 in") == 1, "the status bar counts too"
            broker.start()
            await phase(run, Phase.CONNECTED)
            await run.hides("retry")


async def test_the_warning_about_an_unchecked_certificate_stays(tls_mosquitto: Broker) -> None:
    options = ConnectOptions("localhost", tls_mosquitto.port, TlsOptions(verify=False), Connect("journey-unchecked", Version.V5))
    async with running(Settings(options=options, connect_now=True)) as run:
        await phase(run, Phase.CONNECTED)
        await run.press("1", "4")
        await run.shows("! certificate not verified")


async def test_the_likely_fix_for_a_tls_port_is_one_key(tls_mosquitto: Broker, certificates: Certificates) -> None:
    async with running(Settings(options=ConnectOptions("localhost", tls_mosquitto.port), connect_now=True)) as run:
        await run.shows("failed after", "use TLS ]  F8")
        await run.press("f8")
        await run.shows("TLS failed", "Unknown certificate authority", "CA file")
        await fill(run, "tls.ca_file", str(certificates.other_ca))
        await run.press("ctrl+s")
        await run.shows("Unknown certificate authority", "hint: Nothing in")
        await fill(run, "tls.ca_file", str(certificates.ca))
        await run.press("ctrl+s")
        await phase(run, Phase.CONNECTED)


async def test_a_refusal_names_the_step_and_stays_until_the_form_is_right(password_mosquitto: Broker) -> None:
    connect = Connect("journey-login", username="alice", password=b"wrong")
    async with running(Settings(options=ConnectOptions(HOST, password_mosquitto.port, connect=connect), connect_now=True)) as run:
        await run.shows("CONNACK failed after", "Refused: 5 not authorized")
        await fill(run, "password.value", "secret")
        await run.press("ctrl+s")
        await phase(run, Phase.CONNECTED)


async def test_subscribe_publish_watch_unsubscribe(mosquitto_broker: Broker) -> None:
    options = ConnectOptions(HOST, mosquitto_broker.port, connect=Connect("journey-panes", Version.V5))
    async with running(Settings(options=options, connect_now=True)) as run:
        await phase(run, Phase.CONNECTED)
        await run.press("2")
        await run.shows("No subscriptions yet")
        await run.press("enter")
        await run.type("journey/panes/#")
        await run.press("tab", "right", "ctrl+s")
        await run.until(lambda: types(run)[-1] == "SUBACK", "subscribed")
        await run.shows("journey/panes/#")
        assert [row.granted for row in run.app.state.subscriptions] == [1]
        await run.press("3")
        await go(run, run.main.publish.form, "topic")
        if not run.main.publish.form.typing:
            await run.press("enter")
        await run.type("journey/panes/a")
        await run.press("tab", "right", "ctrl+s")
        await run.shows("the broker took it")
        await run.until(lambda: types(run).count("PUBLISH") == 2, "it came back")
        await run.press("escape", "2")
        await run.until(
            lambda: run.main.subscriptions.counts and next(iter(run.main.subscriptions.counts.values())).total == 1, "it is counted"
        )
        await run.press("delete")
        await run.until(lambda: "UNSUBACK" in types(run), "unsubscribed")
