"""Exported PDUs (link type 252): a list of tags, then what some dissector was given (Wireshark, epan/exported_pdu.h)."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

MADE_UP = "not recorded: made up, so that Wireshark knows the version"
"""Comment of our exports on a CONNECT that was never on the wire."""

_END, _NAME = 0, 12
_SOURCE4, _DESTINATION4, _SOURCE6, _DESTINATION6 = 20, 21, 22, 23
_SOURCE_PORT, _DESTINATION_PORT, _ORIGINAL_FRAME, _DIRECTION = 25, 26, 30, 35
_ADDRESSES = {_SOURCE4: 4, _DESTINATION4: 4, _SOURCE6: 16, _DESTINATION6: 16}
_COLUMN_INFO = 36
_MAX_TAGS = 64


@dataclass(frozen=True, slots=True)
class Tags:
    """What stands in front of an exported PDU."""

    end: int
    """Where the PDU begins."""
    dissector: bytes = b""
    source: bytes = b""
    """Address as it is on the wire, empty if it is not said."""
    destination: bytes = b""
    source_port: int = 0
    destination_port: int = 0
    received: bool | None = None
    """As seen from whoever recorded it; None if it is not said."""
    varying: bool = False
    """Some of it differs from frame to frame."""


def read_tags(data: bytes, start: int, end: int) -> Tags | None:
    """The tags of the frame `data[start:end]`, None if they do not end within it."""
    name = source = destination = b""
    ports = [0, 0]
    received = None
    varying = False
    at = start
    for _ in range(_MAX_TAGS):
        if at + 4 > end:
            return None
        code = data[at] << 8 | data[at + 1]
        length = data[at + 2] << 8 | data[at + 3]
        at += 4
        if code == _END:
            return Tags(at, name, source, destination, ports[0], ports[1], received, varying)
        if at + length > end:
            return None
        value = data[at : at + length]
        if code == _NAME:
            name = value.rstrip(b"\0")
        elif code in (_SOURCE4, _SOURCE6) and length == _ADDRESSES[code]:
            source = value
        elif code in (_DESTINATION4, _DESTINATION6) and length == _ADDRESSES[code]:
            destination = value
        elif code in (_SOURCE_PORT, _DESTINATION_PORT) and length == 4:
            ports[code - _SOURCE_PORT] = int.from_bytes(value, "big") & 0xFFFF
        elif code == _DIRECTION and length == 4:
            received = value[3] == 1
        varying = varying or code in (_ORIGINAL_FRAME, _COLUMN_INFO)
        at += length
    return None


def address_text(address: bytes, port: int) -> str:
    """`10.0.0.1:1883` or `[::1]:1883`; empty without an address."""
    if not address:
        return ""
    text = str(ipaddress.ip_address(address))
    return f"[{text}]:{port}" if len(address) == 16 else f"{text}:{port}"
