"""The transport in the Connection form: TCP, WebSocket with path, sub-protocol and headers, or a Unix socket."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from mqtttui import text
from mqtttui.config.errors import ConfigError
from mqtttui.config.options import ConnectOptions, WebSocketOptions
from mqtttui.config.transports import is_secret_header, parse_header, parse_protocols, parse_target, parse_unix_path
from mqtttui.ui.forms.rows import CLOSED, OPEN, FormError, Kind, Row, parse_bytes

TCP, WEBSOCKET, UNIX = "TCP", "WebSocket", "Unix socket"
_CHOICES = (TCP, WEBSOCKET, UNIX)
_HEADER = "ws.header."
_MOST_HEADERS = 50
_T = TypeVar("_T")


class TransportDraft:
    """The rows `transport`, `unix`, `ws.…` and their values, as typed."""

    def __init__(self) -> None:
        self.kind = TCP
        """One of TCP, WEBSOCKET, UNIX."""
        self._open = False
        self._headers: list[str] = []
        self._values: dict[str, str] = {}
        self.load(ConnectOptions())

    def load(self, options: ConnectOptions) -> None:
        """Show these options."""
        web = options.websocket or WebSocketOptions()
        self.kind = UNIX if options.unix_path else TCP if options.websocket is None else WEBSOCKET
        self._headers = [text.visible(f"{name}: {value}") for name, value in web.headers]
        self._values = {
            "unix": text.visible(options.unix_path),
            "ws.path": text.visible(web.path),
            "ws.protocol": text.visible(web.protocol),
        }
        self._open = replace(web, path=WebSocketOptions().path) != WebSocketOptions()

    def owns(self, row: str) -> bool:
        """Whether the row is one of these."""
        return row in ("transport", "section.ws") or row in self._values or row.startswith(_HEADER)

    def change(self, row: str, value: str) -> None:
        """A row was typed, chosen or opened."""
        if row == "transport":
            self.kind = value
        elif row == "section.ws":
            self._open = value == OPEN
        elif row.startswith(_HEADER):
            index = int(row.removeprefix(_HEADER))
            self._headers[index : index + 1] = [value]
            while self._headers and not self._headers[-1]:
                self._headers.pop()
        else:
            self._values[row] = value

    def open(self) -> None:
        """Show all rows."""
        self._open = True

    # ---------------------------------------------------------------- rows

    def choice(self) -> Row:
        """The row that chooses."""
        return Row(
            "transport",
            "Transport",
            Kind.CHOICE,
            self.kind,
            _CHOICES,
            help="TCP is for mqtt:// and mqtts://, WebSocket for ws:// and wss://",
        )

    def unix_row(self) -> Row:
        """The path of the Unix socket."""
        row = Row(
            "unix",
            "Socket",
            value=self._values["unix"],
            placeholder="/run/mosquitto.sock",
            help="Path of the socket that the broker listens on",
        )
        return checked(row, self.unix_path)

    def websocket_rows(self) -> list[Row]:
        """What a WebSocket asks for; none for other transports."""
        if self.kind != WEBSOCKET:
            return []
        path = Row(
            "ws.path", "Path", value=self._values["ws.path"], indent=1, help="Most brokers have /mqtt, some /ws or /; with its query"
        )
        rows = [checked(path, self._path)]
        count = f"{len(self._headers):,} own {'header' if len(self._headers) == 1 else 'headers'}" if self._headers else "no own headers"
        summary = f"sub-protocol {self._values['ws.protocol'] or 'none'}, {count}"
        rows.append(Row("section.ws", "Upgrade", Kind.SECTION, OPEN if self._open else CLOSED, summary=summary, indent=1))
        if self._open:
            protocol = Row("ws.protocol", "Sub-protocol", value=self._values["ws.protocol"], placeholder="none offered", indent=2,
                           help="mqtt; old brokers want mqttv3.1")  # fmt: skip
            rows.append(checked(protocol, self._protocol))
            rows += [self._header_row(index) for index in range(min(len(self._headers) + 1, _MOST_HEADERS))]
        return rows

    def _header_row(self, index: int) -> Row:
        value = self._headers[index] if index < len(self._headers) else ""
        kind = Kind.SECRET if is_secret_header(value.partition(":")[0]) else Kind.TEXT
        row = Row(f"{_HEADER}{index}", "Header", kind, value, placeholder="Name: value", indent=2, help="Sent with the upgrade")
        return checked(row, lambda: self._header(index)) if value else row

    # ---------------------------------------------------------------- values

    def websocket(self) -> WebSocketOptions | None:
        """The WebSocket, if one is chosen. Raises FormError."""
        if self.kind != WEBSOCKET:
            return None
        headers = tuple(self._header(index) for index, value in enumerate(self._headers) if value)
        return WebSocketOptions(self._path(), self._protocol(), headers)

    def unix_path(self) -> str:
        """The path of the Unix socket, empty if none is chosen. Raises FormError."""
        if self.kind != UNIX:
            return ""
        return made("unix", self._values["unix"], parse_unix_path)

    def _path(self) -> str:
        return made("ws.path", self._values["ws.path"], parse_target)

    def _protocol(self) -> str:
        return made("ws.protocol", self._values["ws.protocol"], parse_protocols)

    def _header(self, index: int) -> tuple[str, str]:
        return made(f"{_HEADER}{index}", self._headers[index], parse_header)


def made(row: str, shown: str, make: Callable[[str], _T]) -> _T:
    """What `make` makes of a row as typed; its ConfigError becomes a FormError of the row."""
    try:
        return make(parse_bytes(shown, row).decode("utf-8", "surrogateescape"))
    except ConfigError as error:
        raise FormError(row, f"{error.title}; {error.hint}" if error.hint else error.title) from None


def checked(row: Row, make: Callable[[], object]) -> Row:
    """The row with its error, if `make` raises FormError."""
    try:
        make()
    except FormError as problem:
        return replace(row, error=problem.text)
    return row
