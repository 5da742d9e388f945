"""The words of the MQTT standards as enumerations."""

from __future__ import annotations

from enum import Enum, IntEnum


class PacketType(IntEnum):
    """Control Packet type, bits 7-4 of the first byte (MQTT 5, section 2.1.2)."""

    RESERVED = 0
    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    PUBREC = 5
    PUBREL = 6
    PUBCOMP = 7
    SUBSCRIBE = 8
    SUBACK = 9
    UNSUBSCRIBE = 10
    UNSUBACK = 11
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14
    AUTH = 15


class Version(IntEnum):
    """Protocol Level as it stands in CONNECT."""

    V31 = 3
    V311 = 4
    V5 = 5

    @property
    def label(self) -> str:
        """`3.1`, `3.1.1` or `5`: how people and the command line name it."""
        return _VERSION_LABELS[self]

    @classmethod
    def from_label(cls, label: str) -> Version:
        """The version called `label` (`3.1`, `3.1.1`, `5`; also `5.0`, `mqttv31`, `mqttv311`, `mqttv5`). Raises ValueError."""
        try:
            return _VERSION_NAMES[label.strip().lower()]
        except KeyError:
            raise ValueError(f"{label!r} is no MQTT version: use 3.1, 3.1.1 or 5") from None

    @classmethod
    def from_level(cls, level: int) -> Version | None:
        """The version that a Protocol Level stands for, with or without the top bit that some bridges set; None if unknown."""
        return _LEVELS.get(level & ~_BRIDGE_BIT)


_BRIDGE_BIT = 0x80
_LEVELS = {int(version): version for version in Version}
_VERSION_LABELS = {Version.V31: "3.1", Version.V311: "3.1.1", Version.V5: "5"}
_VERSION_NAMES = {
    "3.1": Version.V31,
    "31": Version.V31,
    "mqttv31": Version.V31,
    "3.1.1": Version.V311,
    "311": Version.V311,
    "mqttv311": Version.V311,
    "5": Version.V5,
    "5.0": Version.V5,
    "mqttv5": Version.V5,
}


class Direction(IntEnum):
    """Who sent a packet."""

    C2S = 0
    S2C = 1

    @property
    def label(self) -> str:
        """`C>S` or `S>C`."""
        return "C>S" if self is Direction.C2S else "S>C"


class Severity(IntEnum):
    """How much a finding matters; names and order are Wireshark's."""

    CHAT = 1
    NOTE = 2
    WARN = 3
    ERROR = 4

    @property
    def label(self) -> str:
        """Lower-case name: `chat`, `note`, `warn`, `error`."""
        return self.name.lower()


class PropertyId(IntEnum):
    """Property identifiers of MQTT 5 (section 2.2.2.2)."""

    PAYLOAD_FORMAT_INDICATOR = 0x01
    MESSAGE_EXPIRY_INTERVAL = 0x02
    CONTENT_TYPE = 0x03
    RESPONSE_TOPIC = 0x08
    CORRELATION_DATA = 0x09
    SUBSCRIPTION_IDENTIFIER = 0x0B
    SESSION_EXPIRY_INTERVAL = 0x11
    ASSIGNED_CLIENT_IDENTIFIER = 0x12
    SERVER_KEEP_ALIVE = 0x13
    AUTHENTICATION_METHOD = 0x15
    AUTHENTICATION_DATA = 0x16
    REQUEST_PROBLEM_INFORMATION = 0x17
    WILL_DELAY_INTERVAL = 0x18
    REQUEST_RESPONSE_INFORMATION = 0x19
    RESPONSE_INFORMATION = 0x1A
    SERVER_REFERENCE = 0x1C
    REASON_STRING = 0x1F
    RECEIVE_MAXIMUM = 0x21
    TOPIC_ALIAS_MAXIMUM = 0x22
    TOPIC_ALIAS = 0x23
    MAXIMUM_QOS = 0x24
    RETAIN_AVAILABLE = 0x25
    USER_PROPERTY = 0x26
    MAXIMUM_PACKET_SIZE = 0x27
    WILDCARD_SUBSCRIPTION_AVAILABLE = 0x28
    SUBSCRIPTION_IDENTIFIER_AVAILABLE = 0x29
    SHARED_SUBSCRIPTION_AVAILABLE = 0x2A


class ErrorClass(Enum):
    """How connecting, or a test run of a broker, failed."""

    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    REFUSED = "refused"
    """The broker said no: a CONNACK, SUBACK, PUBACK, PUBREC or UNSUBACK with a code of refusal, or it wants AUTH."""
    TIMEOUT = "timeout"
    """Connected, and no answer."""
    PROTOCOL = "protocol"
    """What came is not MQTT, or no well-formed packet."""
    CLOSED = "closed"
    """The connection ended, with or without a DISCONNECT of the broker."""
