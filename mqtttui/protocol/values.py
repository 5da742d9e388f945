"""Wireshark's value strings: what a display filter accepts in quotes in place of a number (inspector.md 6.1).

They are matched whole and without regard to case. The inspector shows its own words beside the numbers.
"""

from __future__ import annotations

from mqtttui.protocol import reason_codes
from mqtttui.protocol.enums import PacketType, Version
from mqtttui.protocol.properties import PROPERTIES

MESSAGE_TYPES = {
    0: "Reserved",
    1: "Connect Command",
    2: "Connect Ack",
    3: "Publish Message",
    4: "Publish Ack",
    5: "Publish Received",
    6: "Publish Release",
    7: "Publish Complete",
    8: "Subscribe Request",
    9: "Subscribe Ack",
    10: "Unsubscribe Request",
    11: "Unsubscribe Ack",
    12: "Ping Request",
    13: "Ping Response",
    14: "Disconnect Req",
    15: "Authentication Exchange",
}
"""`mqtt.msgtype`, also the first words of the Info column."""

QOS = {
    0: "At most once delivery (Fire and Forget)",
    1: "At least once delivery (Acknowledged deliver)",
    2: "Exactly once delivery (Assured Delivery)",
    3: "Reserved",
}

BOOLEANS = {0: "Not set", 1: "Set"}

VERSIONS = {3: "MQTT v3.1", 4: "MQTT v3.1.1", 5: "MQTT v5.0"}

RETAIN_HANDLING = {
    0: "Send msgs at subscription time",
    1: "Send msgs if subscription does not exist",
    2: "Do not send msgs at subscription time",
    3: "Reserved",
}

CONNACK_RETURN_CODES = {
    0: "Connection Accepted",
    1: "Connection Refused: unacceptable protocol version",
    2: "Connection Refused: identifier rejected",
    3: "Connection Refused: server unavailable",
    4: "Connection Refused: bad user name or password",
    5: "Connection Refused: not authorized",
}

_SINGULAR = {0x9E: "Shared Subscription not supported", 0xA2: "Wildcard Subscription not supported"}
"""Wireshark's spelling where it differs from the standard's."""

_PROPERTY_NAMES = {0x02: "Publication Expiry Interval"}


def _reasons(packet: PacketType) -> dict[int, str]:
    return {found.code: _SINGULAR.get(found.code, found.name) for found in reason_codes.codes(packet, Version.V5)}


VALUE_STRINGS: dict[str, dict[int, str]] = {
    "mqtt.msgtype": MESSAGE_TYPES,
    "mqtt.qos": QOS,
    "mqtt.sub.qos": QOS,
    "mqtt.suback.qos": {**QOS, 128: "Failure"},
    "mqtt.conflag.qos": QOS,
    "mqtt.property.max_qos": QOS,
    "mqtt.subscription_options_qos": QOS,
    "mqtt.subscription_options_retain": RETAIN_HANDLING,
    "mqtt.conack.val": CONNACK_RETURN_CODES,
    "mqtt.ver": VERSIONS,
    "mqtt.property_id": {spec.id: _PROPERTY_NAMES.get(spec.id, spec.name) for spec in PROPERTIES.values()},
    "mqtt.connack.reason_code": _reasons(PacketType.CONNACK),
    "mqtt.puback.reason_code": _reasons(PacketType.PUBACK),
    "mqtt.pubrec.reason_code": _reasons(PacketType.PUBREC),
    "mqtt.pubrel.reason_code": _reasons(PacketType.PUBREL),
    "mqtt.pubcomp.reason_code": _reasons(PacketType.PUBCOMP),
    "mqtt.suback.reason_code": _reasons(PacketType.SUBACK),
    "mqtt.unsuback.reason_code": _reasons(PacketType.UNSUBACK),
    "mqtt.disconnect.reason_code": _reasons(PacketType.DISCONNECT),
    "mqtt.auth.reason_code": _reasons(PacketType.AUTH),
}
"""Filter name -> number -> value string."""
