"""What a connection is made with: plain frozen values, filled by the form, the command line or a pasted URL."""

from __future__ import annotations

from dataclasses import dataclass, field

from mqtttui.protocol.packets import Connect

DEFAULT_PORT = 1883
DEFAULT_TLS_PORT = 8883
DEFAULT_WS_PORT = 80
DEFAULT_WSS_PORT = 443
DEFAULT_SOCKS_PORT = 1080


@dataclass(frozen=True, slots=True)
class TlsOptions:
    """TLS of a connection. Paths are files in PEM format."""

    ca_file: str = ""
    """Certificates to trust instead of the system's."""
    certificate: str = ""
    """Own certificate (chain)."""
    key: str = ""
    """Key of the own certificate; empty: in the certificate file."""
    key_passphrase: str = field(default="", repr=False)
    server_name: str = ""
    """Name for SNI and the host check instead of the host."""
    minimum_version: str = "1.2"
    """`1.0` to `1.3`; below 1.2 the oldest ciphers are allowed too, and the screen says so where they come into use."""
    verify: bool = True
    """Check the certificate against the authorities and the host. False accepts any, or the pinned one alone (`fingerprint`)."""
    maximum_version: str = ""
    """`1.0` to `1.3`; empty: the newest there is."""
    alpn: tuple[str, ...] = ()
    """Protocols to offer by ALPN, the most wanted first."""
    fingerprint: str = ""
    """SHA-256 of the one certificate to accept, 64 hexadecimal digits: beside the check, and without `verify` instead of it."""
    key_log: str = ""
    """A file that the session's secrets are written to, for Wireshark; the screen keeps saying so."""


@dataclass(frozen=True, slots=True)
class ProxyOptions:
    """A proxy on the way to the broker; TLS and WebSocket are spoken through it, not with it."""

    kind: str = "http"
    """`http` (CONNECT) or `socks5`."""
    host: str = ""
    port: int = DEFAULT_SOCKS_PORT
    username: str = ""
    """Empty: no login."""
    password: str = field(default="", repr=False)
    remote_names: bool = True
    """The proxy looks the broker's name up. False, with SOCKS5 only: it is looked up here."""

    @property
    def url(self) -> str:
        """`http://host:port`, `socks5://host:port` or `socks5h://host:port`, without the login."""
        scheme = self.kind if self.kind == "http" or not self.remote_names else "socks5h"
        return f"{scheme}://{place_text(self.host, self.port)}"


@dataclass(frozen=True, slots=True)
class WebSocketOptions:
    """The upgrade of HTTP that a WebSocket begins with (MQTT 5, section 6)."""

    path: str = field(default="/mqtt", repr=False)
    """Path and query as they stand in the request. The query may hold secrets and is not shown."""
    protocol: str = "mqtt"
    """Sub-protocols to offer, separated by `, `; empty: none."""
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Own headers, name and value, behind those of the upgrade. A Host replaces the usual one."""


@dataclass(frozen=True, slots=True)
class ReconnectOptions:
    """Automatic reconnects; off unless the user asks."""

    enabled: bool = False
    first_delay: float = 1.0
    """Seconds before the first attempt; doubles with each one."""
    longest_delay: float = 60.0
    resubscribe: bool = False
    """Send the subscriptions again when the server has no session."""


@dataclass(frozen=True, slots=True)
class ConnectOptions:
    """Everything about one connection. `connect` is the CONNECT packet as it will leave."""

    host: str = "localhost"
    port: int = DEFAULT_PORT
    tls: TlsOptions | None = None
    connect: Connect = Connect()
    dial_timeout: float = 10.0
    """Seconds for name lookup, TCP, proxy, TLS and WebSocket together."""
    connack_timeout: float = 10.0
    reconnect: ReconnectOptions = ReconnectOptions()
    websocket: WebSocketOptions | None = None
    unix_path: str = ""
    """A Unix socket to connect to; host, port, TLS, WebSocket, proxy and own address do not count then."""
    proxy: ProxyOptions | None = None
    bind: str = ""
    """Own address to connect from, such as `192.0.2.7`, `[2001:db8::7]` or with a port `192.0.2.7:40000`; empty: any."""

    @property
    def transport(self) -> str:
        """`tcp`, `tls`, `ws`, `wss` or `unix`."""
        if self.unix_path:
            return "unix"
        if self.websocket is not None:
            return "wss" if self.tls else "ws"
        return "tls" if self.tls else "tcp"

    @property
    def place(self) -> str:
        """The broker where there is little room: its host, or the last part of its socket's path."""
        return self.unix_path.rpartition("/")[2] or self.unix_path or self.host

    @property
    def url(self) -> str:
        """`mqtt://host:port`, `wss://host:port/path` or `mqtt+unix:///path`; IPv6 literals in brackets, no credentials, no query."""
        if self.unix_path:
            return f"mqtt+unix://{self.unix_path}"
        place = place_text(self.host, self.port)
        if self.websocket is None:
            return f"{'mqtts' if self.tls else 'mqtt'}://{place}"
        path, question, _ = self.websocket.path.partition("?")
        return f"{self.transport}://{place}{path}{'?…' if question else ''}"


def place_text(host: str, port: int) -> str:
    """`host:port`, an IPv6 literal in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def default_port(*, tls: bool, websocket: bool = False) -> int:
    """The port where the URL names none."""
    if websocket:
        return DEFAULT_WSS_PORT if tls else DEFAULT_WS_PORT
    return DEFAULT_TLS_PORT if tls else DEFAULT_PORT
