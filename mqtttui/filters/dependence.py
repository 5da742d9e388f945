"""On what of a packet each field depends: its first byte, its connection, its type, its payload."""

from __future__ import annotations

HEADER = frozenset(
    {"mqtt.msgtype", "mqtt.hdrflags", "mqtt.hdr_reserved", "mqtt.retain_reserved", "mqtt.dupflag", "mqtt.qos", "mqtt.retain"}
)
"""What the first byte says, together with the version."""
CONNECTION = frozenset(
    {
        "frame.interface_name", "frame.packet_flags_direction", "frame.protocols", "ip", "ip.src", "ip.dst", "ip.addr", "ipv6", "ipv6.src",
        "ipv6.dst", "ipv6.addr", "tcp", "tcp.srcport", "tcp.dstport", "tcp.port", "tcp.stream", "tls", "websocket", "mqtt.unknown_version",
        "mqtttui.conn", "mqtttui.conn.clientid", "mqtttui.profile", "mqtttui.dir", "_ws.col.protocol",
    }
)  # fmt: skip
"""What the connection and the direction say."""
LIGHT = frozenset(
    {
        "frame", "frame.number", "frame.time", "frame.time_epoch", "frame.time_relative", "frame.time_delta", "frame.len", "frame.cap_len",
        "frame.comment", "frame.marked", "frame.ignored", "frame.packet_id", "tcp.len", "tcp.payload", "mqtt", "mqtttui.rtt",
        "mqtttui.request_in", "mqtttui.response_in", "mqtttui.unacked", "mqtttui.op.kind", "mqtttui.op.state", "mqtttui.op.reason",
        "mqtttui.op.total", "mqtttui.op.age", "mqtttui.op.start", "mqtttui.bookmark",
        "mqtttui.comment", "mqtttui.conn.ver",
    }
)  # fmt: skip
"""What no packet has to be dissected for."""
PAYLOAD = frozenset({"mqtt.msg", "mqtt.msg_text", "mqtttui.json"})
"""What the payload of a PUBLISH says."""
BEHIND_IDENTIFIER = ("mqtt.prop", "mqtttui.prop.", "mqtt.puback.", "mqtt.pubrec.", "mqtt.pubrel.", "mqtt.pubcomp.")
"""Beginnings of names of what the shortest acknowledgements cannot have."""
LIST_ITSELF = frozenset({"mqtt.properties", "mqtt.property_len"})
"""What an empty property list has too."""
ANY_TYPE = frozenset(range(16))
WITH_PROPERTIES = ANY_TYPE - {0, 12, 13}
_BY_PREFIX = (
    ("mqtt.prop", WITH_PROPERTIES),
    ("mqtttui.prop.", WITH_PROPERTIES),
    ("mqtt.topic", frozenset({3, 8, 10})),
    ("mqtt.msgid", frozenset(range(3, 12))),
    ("mqtt.msg_text", frozenset({3})),
    ("mqtt.unknown_topic_alias", frozenset({3})),
    ("mqtt.conack", frozenset({2})),
    ("mqtt.connack", frozenset({2})),
    ("mqtt.conflag", frozenset({1})),
    ("mqtt.will", frozenset({1})),
    ("mqtt.username", frozenset({1})),
    ("mqtt.passwd", frozenset({1})),
    ("mqtt.clientid", frozenset({1})),
    ("mqtt.kalive", frozenset({1})),
    ("mqtt.ver", frozenset({1})),
    ("mqtt.puback", frozenset({4})),
    ("mqtt.pubrec", frozenset({5})),
    ("mqtt.pubrel", frozenset({6})),
    ("mqtt.pubcomp", frozenset({7})),
    ("mqtt.sub.", frozenset({8})),
    ("mqtt.subscription", frozenset({8})),
    ("mqtt.suback", frozenset({9})),
    ("mqtt.unsuback", frozenset({11})),
    ("mqtt.disconnect", frozenset({14})),
    ("mqtt.auth", frozenset({15})),
)
"""Beginnings of names -> types of packets that alone can have such a field."""
_TYPES = {
    "mqtt.msg": frozenset({3}),
    "mqtt.protoname": frozenset({1}),
    "mqtt.proto_len": frozenset({1}),
    "mqtttui.json": frozenset({3}),
    "mqtttui.topic": frozenset(range(3, 12)),
}


def types_of(name: str) -> frozenset[int]:
    """Types of packets that alone can have field `name`."""
    if name in _TYPES:
        return _TYPES[name]
    return next((types for prefix, types in _BY_PREFIX if name.startswith(prefix)), ANY_TYPE)
