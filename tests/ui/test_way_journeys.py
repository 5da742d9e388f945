"""Proxies, pinned certificates and own addresses by keyboard alone, on real brokers."""

from __future__ import annotations

import hashlib
import ssl

from mqtttui.client.events import Phase
from mqtttui.config.options import ConnectOptions, ProxyOptions, TlsOptions
from mqtttui.config.settings import Settings
from tests.support.brokers import HOST, Broker
from tests.support.certs import Certificates
from tests.support.proxies import Http, Socks
from tests.support.screen import Running, running
from tests.ui.test_mosquitto_journeys import go, paste, phase

LOGIN = ("me", "hidden!")


async def put(run: Running, row: str, text: str) -> None:
    """Paste over what stands in a row of the Connection form."""
    await go(run, run.main.connection.form, row)
    if not run.main.connection.form.typing:
        await run.press("enter")
    await run.press("end", "ctrl+u")
    await paste(run, text)
    await run.until(lambda: run.main.connection.form.row_value(row) == text, f"{row} to be {text}", 20)


async def test_through_a_proxy_from_the_form(mosquitto_broker: Broker) -> None:
    async with Socks(login=LOGIN, names={"broker.example": HOST}) as proxy, running() as run:
        await put(run, "host", "broker.example")
        await put(run, "port", str(mosquitto_broker.port))
        form = run.main.connection.form
        await go(run, form, "section.route")
        await run.press("enter")
        await run.until(lambda: form.row_value("proxy") == "none", "the rows of the way")
        await go(run, form, "proxy")
        await run.press("right", "right")
        await run.until(lambda: form.row_value("proxy") == "SOCKS5", "the kind")
        for row, text in (("proxy.host", HOST), ("proxy.port", str(proxy.port)), ("proxy.username", "me"), ("bind", "127.0.0.4")):
            await put(run, row, text)
        await run.press("ctrl+s")
        await run.shows("The proxy refuses the login", "proxy failed after")
        while form.selected != "proxy.password":
            await run.press("shift+tab")
        await put(run, "proxy.password", LOGIN[1])
        await run.press("ctrl+s")
        await phase(run, Phase.CONNECTED)
        assert proxy.logins[-1] == LOGIN
        assert proxy.clients[-1].startswith("127.0.0.4:")
        assert LOGIN[1] not in run.text
        await run.press("escape", "4", "H")
        await run.shows("through", f"socks5h://{HOST}:{proxy.port}, as me, which looks the name up", "127.0.0.4")
        assert LOGIN[1] not in run.text


async def test_a_failed_login_at_the_proxy_opens_its_rows(mosquitto_broker: Broker) -> None:
    async with Http(login=LOGIN) as proxy:
        options = ConnectOptions("broker.example", mosquitto_broker.port, proxy=ProxyOptions("http", HOST, proxy.port))
        async with running(Settings(options=options, connect_now=True)) as run:
            await run.shows("The proxy wants a login", "hint: Set the proxy's user name and password.")
            form = run.main.connection.form
            await run.until(lambda: form.row_value("proxy") == "HTTP", "the rows of the way")


async def test_the_certificate_seen_can_be_pinned(tls_mosquitto: Broker, certificates: Certificates) -> None:
    seen = hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificates.server.certificate.read_text())).hexdigest()
    options = ConnectOptions("localhost", tls_mosquitto.port, TlsOptions(verify=False, fingerprint="00" * 32))
    async with running(Settings(options=options, connect_now=True)) as run:
        await run.shows("Not the pinned certificate")
        await run.press("escape", "4", "H")
        await run.shows("failed: Not the pinned certificate", ":".join(seen.upper()[at : at + 2] for at in range(0, 32, 2)))
        await run.press("q", "1")
        await put(run, "tls.fingerprint", seen)
        await run.press("ctrl+s")
        await phase(run, Phase.CONNECTED)
        await run.hides("certificate not verified")


async def test_a_pasted_command_brings_its_proxy(mosquitto_broker: Broker) -> None:
    async with Socks(login=LOGIN) as proxy, running() as run:
        await paste(
            run, f"mosquitto_sub -h {HOST} -p {mosquitto_broker.port} -t a -A 127.0.0.8 --proxy socks5h://me:hidden!@{HOST}:{proxy.port}"
        )
        await run.shows("SOCKS5 proxy")
        await run.press("ctrl+s")
        await phase(run, Phase.CONNECTED)
        assert proxy.clients[-1].startswith("127.0.0.8:")
        assert LOGIN[1] not in run.text
