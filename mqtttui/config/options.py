"""What a connection is made with: plain frozen values, filled by the form, the command line or a pasted URL."""

from __future__ import annotations

from dataclasses import dataclass, field

from mqtttui.protocol.packets import Connect

DEFAULT_PORT = 1883
DEFAULT_TLS_PORT = 8883


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
    """`1.2` or `1.3`."""
    verify: bool = True
    """False accepts any certificate; the screen keeps saying so."""


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
    """Seconds for name lookup, TCP and TLS together."""
    connack_timeout: float = 10.0
    reconnect: ReconnectOptions = ReconnectOptions()

    @property
    def url(self) -> str:
        """`mqtt://host:port`, IPv6 literals in brackets, no credentials."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.tls else 'mqtt'}://{host}:{self.port}"
