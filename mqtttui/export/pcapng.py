"""Capture files that Wireshark opens as MQTT, whatever the ports were: pcapng with exported PDUs (link type 252).

One control packet is one frame. Each connection is an interface of its own. Wireshark keeps version and topic aliases by
addresses and ports, so a connection without known addresses gets invented ones, and says so in a comment.
Formats: pcapng (draft-ietf-opsawg-pcapng), exported PDU tags (Wireshark, epan/exported_pdu.h).
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from mqtttui.capture.log import ConnectionInfo, Log, Packet
from mqtttui.export.mask import masked
from mqtttui.protocol.enums import Direction, PacketType, Version
from mqtttui.protocol.packets import Connect, encode

LINKTYPE_WIRESHARK_UPPER_PDU = 252
MAX_CAPTURED = 262_144
"""Wireshark refuses a file with a larger frame."""

_SECTION, _INTERFACE, _ENHANCED = 0x0A0D0D0A, 1, 6
_BYTE_ORDER = 0x1A2B3C4D
_OPT_COMMENT, _SHB_APPLICATION, _IF_NAME, _IF_DESCRIPTION, _IF_RESOLUTION, _EPB_FLAGS, _EPB_PACKET_ID = 1, 4, 2, 3, 9, 2, 5
_INBOUND, _OUTBOUND = 1, 2
_TAG_DISSECTOR, _TAG_IP4, _TAG_IP6, _TAG_PORT_TYPE, _TAG_PORTS, _TAG_DIRECTION = 12, (20, 21), (22, 23), 24, (25, 26), 35
_PORT_TYPE_TCP = 2
_INVENTED_CLIENT, _INVENTED_SERVER = ipaddress.ip_address("192.0.2.1"), ipaddress.ip_address("192.0.2.2")
"""TEST-NET-1 (RFC 5737)."""
_MQTT_PORT = 1883

_Address = tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, int]


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Who speaks on a connection."""

    client: _Address
    server: _Address
    invented: bool = False
    """The addresses were not known."""

    def tags(self, direction: Direction) -> bytes:
        """The tags in front of a packet in `direction`."""
        pair = (self.client, self.server) if direction is Direction.C2S else (self.server, self.client)
        out = _tag(_TAG_DISSECTOR, b"mqtt")
        for side, (address, _) in enumerate(pair):
            out += _tag((_TAG_IP4 if address.version == 4 else _TAG_IP6)[side], address.packed)
        out += _tag(_TAG_PORT_TYPE, _PORT_TYPE_TCP.to_bytes(4, "big"))
        for side, (_, port) in enumerate(pair):
            out += _tag(_TAG_PORTS[side], port.to_bytes(4, "big"))
        return out + _tag(_TAG_DIRECTION, (0 if direction is Direction.C2S else 1).to_bytes(4, "big")) + bytes(4)


class PcapngWriter:
    """Writes blocks to a binary stream. The stream is the caller's to close."""

    def __init__(self, out: BinaryIO, *, application: str = "mqtttui", comment: str = "") -> None:
        self._out = out
        self._interfaces = 0
        options = [(_SHB_APPLICATION, application.encode())]
        if comment:
            options.insert(0, (_OPT_COMMENT, comment.encode()))
        self._block(_SECTION, struct.pack("<IHHq", _BYTE_ORDER, 1, 0, -1), options)

    def interface(self, name: str, description: str = "") -> int:
        """Another interface; gives its number, which the frames name. Times are in nanoseconds."""
        options = [(_IF_NAME, name.encode()), (_IF_DESCRIPTION, description.encode()), (_IF_RESOLUTION, b"\x09")]
        body = struct.pack("<HHI", LINKTYPE_WIRESHARK_UPPER_PDU, 0, MAX_CAPTURED)
        self._block(_INTERFACE, body, [option for option in options if option[1]])
        self._interfaces += 1
        return self._interfaces - 1

    def frame(
        self,
        interface: int,
        endpoints: Endpoints,
        direction: Direction,
        raw: bytes,
        wall: int,
        *,
        number: int | None = None,
        comments: Sequence[str] = (),
    ) -> None:
        """One packet. `wall` in ns since 1970; `number` becomes frame.packet_id. A packet too large for a frame is cut, and says so."""
        tags = endpoints.tags(direction)
        data = tags + raw
        captured = data[:MAX_CAPTURED]
        if len(captured) < len(data):
            kept = len(captured) - len(tags)
            comments = (*comments, f"cut to its first {kept:,} of {len(raw):,} bytes: a frame cannot be larger")
        options = [(_OPT_COMMENT, comment.encode()) for comment in comments]
        options.append((_EPB_FLAGS, struct.pack("<I", _OUTBOUND if direction is Direction.C2S else _INBOUND)))
        if number is not None:
            options.append((_EPB_PACKET_ID, struct.pack("<Q", number)))
        wall = max(0, wall)
        head = struct.pack("<IIIII", interface, wall >> 32 & 0xFFFFFFFF, wall & 0xFFFFFFFF, len(captured), len(data))
        self._block(_ENHANCED, head + captured + _padding(len(captured)), options)

    def _block(self, kind: int, body: bytes, options: Iterable[tuple[int, bytes]]) -> None:
        tail = b"".join(struct.pack("<HH", code, len(value)) + value + _padding(len(value)) for code, value in _short(options))
        tail += bytes(4)
        length = 12 + len(body) + len(tail)
        self._out.write(struct.pack("<II", kind, length) + body + tail + struct.pack("<I", length))


def write_log(log: Log, numbers: Iterable[int], out: BinaryIO, *, mask: bool = True, application: str = "mqtttui") -> int:
    """Writes the packets `numbers` of `log`, those that are still kept, and gives how many they were.

    With `mask`, secrets are overwritten by filler of equal length, which is said in a comment on their packet. A connection
    whose CONNECT is not among them begins with a made-up one, commented as such, so that Wireshark knows the version.
    """
    writer = PcapngWriter(out, application=application)
    open_interfaces: dict[int, tuple[int, Endpoints]] = {}
    written = 0
    for no in numbers:
        if no not in log:
            continue
        packet = log[no]
        comments: list[str] = []
        if packet.connection not in open_interfaces:
            info = log.connection(packet.connection)
            endpoints = endpoints_of(info)
            interface = writer.interface(f"connection {info.number}", " ".join(part for part in (info.peer, info.destination) if part))
            open_interfaces[packet.connection] = interface, endpoints
            if packet.raw[:1] and packet.raw[0] >> 4 != PacketType.CONNECT:
                hint = "not recorded: made up, so that Wireshark knows the version"
                writer.frame(interface, endpoints, Direction.C2S, made_up_connect(packet.version), packet.wall, comments=[hint])
            if endpoints.invented:
                comments.append("addresses and ports are made up")
        interface, endpoints = open_interfaces[packet.connection]
        raw, remarks = _content(log, packet, mask)
        writer.frame(interface, endpoints, packet.direction, raw, packet.wall, number=no, comments=comments + remarks)
        written += 1
    return written


def _content(log: Log, packet: Packet, mask: bool) -> tuple[bytes, list[str]]:
    remarks = []
    raw = packet.raw
    if mask and raw[:1] and raw[0] >> 4 in (PacketType.CONNECT, PacketType.CONNACK, PacketType.AUTH):
        raw = masked(raw, log.dissect(packet.number))
        if raw is not packet.raw:
            remarks.append("secrets are overwritten with *")
    if packet.framing_error:
        remarks.append(packet.framing_error)
    if packet.dropped:
        remarks.append(f"{packet.dropped:,} further bytes were not kept")
    if packet.unsent:
        remarks.append("the connection ended before this had left whole")
    return raw, remarks


def made_up_connect(version: Version) -> bytes:
    """A CONNECT that says nothing but `version`."""
    return encode(Connect(version=version, keep_alive=0), version)


def endpoints_of(info: ConnectionInfo) -> Endpoints:
    """The addresses of a connection, made up from its number where they are not known."""
    client, server = _address(info.source), _address(info.destination)
    if client is not None and server is not None and client[0].version == server[0].version:
        return Endpoints(client, server)
    # Beyond 64 Ki connections the ports are used again, as real ones are.
    return Endpoints((_INVENTED_CLIENT, 1024 + info.number % 64_512), (_INVENTED_SERVER, _MQTT_PORT), True)


def _address(text: str) -> _Address | None:
    """`127.0.0.1:1883` or `[::1]:1883`."""
    host, _, port = text.rpartition(":")
    try:
        address = ipaddress.ip_address(host.strip("[]").partition("%")[0])
        number = int(port)
    except ValueError:
        return None
    return (address, number) if 0 < number < 65_536 else None


def _tag(code: int, value: bytes) -> bytes:
    return struct.pack(">HH", code, len(value)) + value


def _short(options: Iterable[tuple[int, bytes]]) -> Iterable[tuple[int, bytes]]:
    """Options cut to what their two-byte length can say."""
    return ((code, value[:0xFFF0]) for code, value in options)


def _padding(length: int) -> bytes:
    return bytes(-length % 4)
