"""The way to the broker in the Connection form: a proxy, and the own address."""

from __future__ import annotations

from dataclasses import replace

from mqtttui import text
from mqtttui.config.errors import ConfigError
from mqtttui.config.options import DEFAULT_SOCKS_PORT, ConnectOptions, ProxyOptions
from mqtttui.config.routes import check_login, parse_bind
from mqtttui.config.urls import parse_host
from mqtttui.ui.forms.rows import CLOSED, ON, OPEN, FormError, Kind, Row, parse_bytes, parse_number, toggle
from mqtttui.ui.forms.transport import checked, made

NONE, HTTP, SOCKS = "none", "HTTP", "SOCKS5"
_CHOICES = (NONE, HTTP, SOCKS)
_HTTP_PORT = "3128"
_SOCKS_PORT = str(DEFAULT_SOCKS_PORT)
_NUMBER_WIDTH = 10


class RouteDraft:
    """The rows `section.route`, `proxy…`, `bind` and their values, as typed."""

    def __init__(self) -> None:
        self._open = False
        self._values: dict[str, str] = {}
        self.load(ConnectOptions())

    def load(self, options: ConnectOptions) -> None:
        """Show these options."""
        proxy = options.proxy or ProxyOptions()
        self._values = {
            "proxy": NONE if options.proxy is None else HTTP if proxy.kind == "http" else SOCKS,
            "proxy.host": text.visible(proxy.host),
            "proxy.port": str(proxy.port),
            "proxy.username": text.visible(proxy.username),
            "proxy.password": text.visible(proxy.password),
            "proxy.remote_names": toggle(proxy.remote_names),
            "bind": text.visible(options.bind),
        }
        self._open = options.proxy is not None or bool(options.bind)

    def owns(self, row: str) -> bool:
        """Whether the row is one of these."""
        return row == "section.route" or row in self._values

    def change(self, row: str, value: str) -> None:
        """A row was typed, chosen, toggled or opened."""
        if row == "section.route":
            self._open = value == OPEN
            return
        self._values[row] = value
        if row == "proxy" and self._values["proxy.port"] in (_HTTP_PORT, _SOCKS_PORT):
            self._values["proxy.port"] = _HTTP_PORT if value == HTTP else _SOCKS_PORT

    def open(self) -> None:
        """Show all rows."""
        self._open = True

    # ---------------------------------------------------------------- rows

    def rows(self) -> list[Row]:
        """A headline, and what is below it if it is open."""
        rows = [Row("section.route", "Way", Kind.SECTION, OPEN if self._open else CLOSED, summary=self._summary())]
        if not self._open:
            return rows
        rows.append(Row("proxy", "Proxy", Kind.CHOICE, self._values["proxy"], _CHOICES, indent=1,
                        help="HTTP is for a proxy that takes CONNECT; TLS to the broker goes through either"))  # fmt: skip
        if self._values["proxy"] != NONE:
            rows += self._proxy_rows()
        bind = Row("bind", "From address", value=self._values["bind"], placeholder="any of this machine", indent=1,
                   help="An address of this machine, such as 192.0.2.7; with a port 192.0.2.7:40000")  # fmt: skip
        return [*rows, checked(bind, self.bind)]

    def _proxy_rows(self) -> list[Row]:
        rows = [
            checked(self._text("proxy.host", "Host", help="Name or address of the proxy"), self._host),
            checked(replace(self._text("proxy.port", "Port", help="Usual are 1080 for SOCKS5, 3128 and 8080 for HTTP"),
                            width=_NUMBER_WIDTH), self._port),
            checked(self._text("proxy.username", "User name", placeholder="no login"), self._login),
            Row("proxy.password", "Password", Kind.SECRET, self._values["proxy.password"], placeholder="empty", indent=2),
        ]  # fmt: skip
        if self._values["proxy"] == SOCKS:
            rows.append(Row("proxy.remote_names", "Names", Kind.TOGGLE, self._values["proxy.remote_names"], indent=2,
                            summary="the proxy looks the broker's name up"))  # fmt: skip
        return rows

    def _text(self, id: str, label: str, *, placeholder: str = "", help: str = "") -> Row:
        return Row(id, label, value=self._values[id], placeholder=placeholder, help=help, indent=2)

    def _summary(self) -> str:
        parts = ["direct"]
        if self._values["proxy"] != NONE:
            parts = [f"{self._values['proxy']} proxy {self._values['proxy.host'] or '?'}:{self._values['proxy.port']}"]
        parts += [f"from {self._values['bind']}"] if self._values["bind"] else []
        return ", ".join(parts)

    # ---------------------------------------------------------------- values

    def proxy(self) -> ProxyOptions | None:
        """The proxy, if one is chosen. Raises FormError."""
        kind = self._values["proxy"]
        if kind == NONE:
            return None
        username, password = self._login()
        remote = kind == HTTP or self._values["proxy.remote_names"] == ON
        return ProxyOptions("http" if kind == HTTP else "socks5", self._host(), self._port(), username, password, remote)

    def bind(self) -> str:
        """The own address, empty for any. Raises FormError."""
        value = self._values["bind"]
        return made("bind", value, parse_bind) if value.strip() else ""

    def _host(self) -> str:
        return made("proxy.host", self._values["proxy.host"], parse_host)

    def _port(self) -> int:
        return parse_number(self._values["proxy.port"], "proxy.port", 1, 65535)

    def _login(self) -> tuple[str, str]:
        names = ("proxy.username", "proxy.password")
        username, password = (parse_bytes(self._values[row], row).decode("utf-8", "surrogateescape") for row in names)
        kind = "http" if self._values["proxy"] == HTTP else "socks5"
        try:
            check_login(kind, username, password)
        except ConfigError as error:
            raise FormError("proxy.username", error.title) from None
        return username, password
