"""Who speaks on a connection: addresses and ports as a capture file needs them."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from mqtttui.capture.records import ConnectionInfo
from mqtttui.protocol.enums import Direction

MQTT_PORT = 1883

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Address = tuple[IpAddress, int]

_INVENTED_CLIENT, _INVENTED_SERVER = ipaddress.ip_address("192.0.2.1"), ipaddress.ip_address("192.0.2.2")
"""TEST-NET-1 (RFC 5737)."""
_FIRST_PORT, _PORTS = 1024, 64_512


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The two ends of a connection, of the same address family."""

    client: Address
    server: Address
    invented: bool = False
    """The addresses were not known."""

    def pair(self, direction: Direction) -> tuple[Address, Address]:
        """Source and destination of a packet in `direction`."""
        return (self.client, self.server) if direction is Direction.C2S else (self.server, self.client)

    def apart_from(self, others: set[Endpoints]) -> Endpoints:
        """The same ends, or with another client port where `others` have these already."""
        found = self
        port = self.client[1]
        while found in others and len(others) < _PORTS:
            port = _FIRST_PORT + (port + 1 - _FIRST_PORT) % _PORTS
            found = replace(found, client=(self.client[0], port))
        return found


def endpoints_of(info: ConnectionInfo) -> Endpoints:
    """The addresses of a connection, made up from its number where they are not known."""
    client, server = parse_address(info.source), parse_address(info.destination)
    if client is not None and server is not None and client[0].version == server[0].version:
        return Endpoints(client, server)
    # Beyond 64 Ki connections the ports are used again, as real ones are.
    return Endpoints((_INVENTED_CLIENT, _FIRST_PORT + info.number % _PORTS), (_INVENTED_SERVER, MQTT_PORT), True)


def parse_address(text: str) -> Address | None:
    """`127.0.0.1:1883` or `[::1]:1883`; None for anything else."""
    host, _, port = text.rpartition(":")
    try:
        address = ipaddress.ip_address(host.strip("[]").partition("%")[0])
        number = int(port)
    except ValueError:
        return None
    return (address, number) if 0 < number < 65_536 else None


def host_name(info: ConnectionInfo) -> str:
    """The name under which the broker was reached; empty where that was an address, or is not known."""
    try:
        name = urlsplit(info.name).hostname if "://" in info.name else None
    except ValueError:
        return ""
    if not name:
        return ""
    try:
        ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return name
    return ""
