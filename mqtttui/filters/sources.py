"""Where the values of each name come from. A source gives all values of a field in a packet, none if it does not occur."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from functools import lru_cache

from mqtttui.filters import own
from mqtttui.filters.fields import EXPERT_GROUPS, PROPERTY_NAMES, FieldSpec
from mqtttui.filters.row import Row
from mqtttui.filters.types import Value
from mqtttui.protocol.enums import Direction, Severity, Version
from mqtttui.protocol.enums import PacketType as P

Source = Callable[[Row], Sequence[Value]]

_IPV4_HEADERS, _IPV6_HEADERS = 40, 60
_INBOUND, _OUTBOUND = 1, 2
_ONCE: Sequence[Value] = (None,)
_NEVER: Sequence[Value] = ()
_FLAGS_OF_31 = frozenset({P.PUBREL, P.SUBSCRIBE, P.UNSUBSCRIBE})
_SEVERITIES = {Severity.CHAT: 0x200000, Severity.NOTE: 0x400000, Severity.WARN: 0x600000, Severity.ERROR: 0x800000}
_GROUP_NUMBERS = {name: number for number, name in EXPERT_GROUPS.items()}
_GROUPS = {"A": "Malformed", "E": "Sequence", "G": "Sequence", "H": "Protocol"}
"""Letter of a check -> Wireshark's group; Protocol for all others."""


def source_of(spec: FieldSpec) -> Source:
    """The source of a field."""
    if found := _SOURCES.get(spec.name) or own.SOURCES.get(spec.name):
        return found
    name = spec.name
    if name in PROPERTY_NAMES:
        return own.property_source(PROPERTY_NAMES[name])
    return lambda row: row.fields(name)


# --- the first byte: no dissection


def _first_byte(row: Row) -> Sequence[Value]:
    return (row.head.first_byte,) if row.head.length else _NEVER


def _type(row: Row) -> Sequence[Value]:
    return (row.head.first_byte >> 4,) if row.head.length else _NEVER


def _flag_source(name: str, shift: int, mask: int) -> Source:
    """DUP, QoS or RETAIN, which stand in the first byte of PUBLISH, and in 3.1 of some others."""

    def source(row: Row) -> Sequence[Value]:
        head = row.head
        kind = head.first_byte >> 4
        if kind == P.PUBLISH and head.length:
            value = head.first_byte >> shift & mask
            return (value,) if mask > 1 else (bool(value),)
        if kind in _FLAGS_OF_31 and row.log.version(head.connection, row.no) is Version.V31:
            return row.fields(name)
        return _NEVER

    return source


# --- frames


def _number(row: Row) -> Sequence[Value]:
    frame = row.facts.frame_number(row.no) if row.facts.frame_number is not None else 0
    return (frame or row.no,)


def _comments(row: Row) -> Sequence[Value]:
    text = row.facts.marks.comment(row.no) if row.facts.marks is not None else ""
    return (text.encode("utf-8", "surrogateescape"),) if text else _NEVER


def _marked(row: Row) -> Sequence[Value]:
    return (row.facts.marks is not None and row.facts.marks.marked(row.no),)


def _relative(row: Row) -> Sequence[Value]:
    log = row.log
    return (row.head.wall - log.head(1 if 1 in log else log.first).wall,)


def _delta(row: Row) -> Sequence[Value]:
    before = row.no - 1
    return (row.head.wall - row.log.head(before).wall if before in row.log else 0,)


def _frame_length(row: Row) -> Sequence[Value]:
    return (row.head.length + (_IPV6_HEADERS if _addresses(row, 6) else _IPV4_HEADERS),)


def _interface(row: Row) -> Sequence[Value]:
    return (b"connection %d" % row.head.connection,)


def _direction(row: Row) -> Sequence[Value]:
    return (_OUTBOUND if row.head.direction is Direction.C2S else _INBOUND,)


def _protocols(row: Row) -> Sequence[Value]:
    return (b"raw:%s:tcp:mqtt" % (b"ipv6" if _addresses(row, 6) else b"ip"),)


# --- addresses


@lru_cache(4_096)
def _endpoint(text: str) -> tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, int] | None:
    """`127.0.0.1:1883` or `[::1]:1883`; None for what is no address and port."""
    host, _, port = text.rpartition(":")
    try:
        return ipaddress.ip_address(host.strip("[]").partition("%")[0]), int(port)
    except ValueError:
        return None


def _ends(row: Row) -> tuple[str, str]:
    """Addresses of sender and receiver."""
    info = row.connection
    return (info.source, info.destination) if row.head.direction is Direction.C2S else (info.destination, info.source)


def _addresses(row: Row, version: int) -> list[int]:
    """Sender and receiver as numbers, if both are addresses of `version`."""
    found = [_endpoint(text) for text in _ends(row)]
    return [int(end[0]) for end in found if end is not None and end[0].version == version]


def _ports(row: Row) -> list[int]:
    found = [_endpoint(text) for text in _ends(row)]
    return [end[1] for end in found if end is not None]


def _address_source(version: int, side: int | None) -> Source:
    def source(row: Row) -> Sequence[Value]:
        found = _addresses(row, version)
        if side is None:
            return found
        return found[side : side + 1] if len(found) == 2 else _NEVER

    return source


def _port_source(side: int | None) -> Source:
    def source(row: Row) -> Sequence[Value]:
        found = _ports(row)
        if side is None:
            return found
        return found[side : side + 1] if len(found) == 2 else _NEVER

    return source


def _presence(test: Callable[[Row], object]) -> Source:
    return lambda row: _ONCE if test(row) else _NEVER


def _over(*transports: str) -> Source:
    return lambda row: _ONCE if row.connection.transport in transports else _NEVER


# --- findings


def _group_numbers(row: Row) -> Sequence[Value]:
    return [_GROUP_NUMBERS[_GROUPS.get(finding.id[:1], "Protocol")] for finding in own.findings(row)]


def _severities(row: Row) -> Sequence[Value]:
    return [_SEVERITIES[finding.severity] for finding in own.findings(row)]


def _info(row: Row) -> Sequence[Value]:
    return (row.facts.info(row.no).encode("utf-8", "surrogateescape"),) if row.facts.info is not None else _NEVER


_SOURCES: dict[str, Source] = {
    "mqtt": lambda row: (row.raw,),
    "mqtt.msgtype": _type,
    "mqtt.hdrflags": _first_byte,
    "mqtt.dupflag": _flag_source("mqtt.dupflag", 3, 1),
    "mqtt.qos": _flag_source("mqtt.qos", 1, 3),
    "mqtt.retain": _flag_source("mqtt.retain", 0, 1),
    "mqtt.msg_text": lambda row: row.fields("mqtt.msg"),
    "mqtt.willmsg_text": lambda row: row.fields("mqtt.willmsg"),
    "mqtt.unknown_version": lambda row: _NEVER,
    "frame": lambda row: (row.raw,),
    "frame.number": _number,
    "frame.time": lambda row: (row.head.wall,),
    "frame.time_epoch": lambda row: (row.head.wall,),
    "frame.time_relative": _relative,
    "frame.time_delta": _delta,
    "frame.len": _frame_length,
    "frame.cap_len": _frame_length,
    "frame.comment": _comments,
    "frame.marked": _marked,
    "frame.ignored": lambda row: (False,),
    "frame.interface_name": _interface,
    "frame.packet_flags_direction": _direction,
    "frame.packet_id": lambda row: (row.no,),
    "frame.protocols": _protocols,
    "ip": _presence(lambda row: _addresses(row, 4)),
    "ip.src": _address_source(4, 0),
    "ip.dst": _address_source(4, 1),
    "ip.addr": _address_source(4, None),
    "ipv6": _presence(lambda row: _addresses(row, 6)),
    "ipv6.src": _address_source(6, 0),
    "ipv6.dst": _address_source(6, 1),
    "ipv6.addr": _address_source(6, None),
    "tcp": _presence(lambda row: row.connection.transport != "unix"),
    "tcp.srcport": _port_source(0),
    "tcp.dstport": _port_source(1),
    "tcp.port": _port_source(None),
    "tcp.stream": lambda row: (row.head.connection,),
    "tcp.len": lambda row: (row.head.length,),
    "tcp.payload": lambda row: (row.raw,),
    "tls": _over("tls", "wss"),
    "websocket": _over("ws", "wss"),
    "_ws.expert": _presence(own.findings),
    "_ws.expert.severity": _severities,
    "_ws.expert.group": _group_numbers,
    "_ws.expert.message": own.finding_texts,
    "_ws.malformed": _presence(lambda row: row.dissection.malformed),
    "_ws.col.info": _info,
    "_ws.col.protocol": lambda row: (b"MQTT",),
}
