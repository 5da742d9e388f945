"""Frames of Wireshark's exported PDUs (link type 252): tags, then one control packet. Always dissected as MQTT.

Format: Wireshark, epan/exported_pdu.h. All numbers are big-endian; values are padded to four bytes.
"""

from __future__ import annotations

import struct

from mqtttui.export.endpoints import Endpoints
from mqtttui.protocol.enums import Direction

_DISSECTOR, _IP4, _IP6, _PORT_TYPE, _PORTS, _DIRECTION = 12, (20, 21), (22, 23), 24, (25, 26), 35
_TCP = 2


def tags(endpoints: Endpoints, direction: Direction) -> bytes:
    """What stands in front of a packet in `direction`."""
    pair = endpoints.pair(direction)
    out = _tag(_DISSECTOR, b"mqtt")
    for side, (address, _) in enumerate(pair):
        out += _tag((_IP4 if address.version == 4 else _IP6)[side], address.packed)
    out += _tag(_PORT_TYPE, _TCP.to_bytes(4, "big"))
    for side, (_, port) in enumerate(pair):
        out += _tag(_PORTS[side], port.to_bytes(4, "big"))
    return out + _tag(_DIRECTION, (0 if direction is Direction.C2S else 1).to_bytes(4, "big")) + bytes(4)


def _tag(code: int, value: bytes) -> bytes:
    return struct.pack(">HH", code, len(value)) + value
