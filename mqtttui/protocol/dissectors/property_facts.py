"""Facts on single properties that depend on where they stand: sections, defaults, better words (MQTT 5, section 2.2.2)."""

from __future__ import annotations

from functools import cache

from mqtttui.protocol.enums import PacketType as P
from mqtttui.protocol.enums import PropertyId as I
from mqtttui.protocol.fact import Fact
from mqtttui.protocol.facts import QOS_WORDS
from mqtttui.protocol.properties import PROPERTIES, WILL, Kind

_SECTIONS: dict[int, tuple[str, tuple[int, ...]]] = {
    P.CONNECT: (
        "3.1.2.11",
        (
            I.SESSION_EXPIRY_INTERVAL,
            I.RECEIVE_MAXIMUM,
            I.MAXIMUM_PACKET_SIZE,
            I.TOPIC_ALIAS_MAXIMUM,
            I.REQUEST_RESPONSE_INFORMATION,
            I.REQUEST_PROBLEM_INFORMATION,
            I.USER_PROPERTY,
            I.AUTHENTICATION_METHOD,
            I.AUTHENTICATION_DATA,
        ),
    ),
    WILL: (
        "3.1.3.2",
        (
            I.WILL_DELAY_INTERVAL,
            I.PAYLOAD_FORMAT_INDICATOR,
            I.MESSAGE_EXPIRY_INTERVAL,
            I.CONTENT_TYPE,
            I.RESPONSE_TOPIC,
            I.CORRELATION_DATA,
            I.USER_PROPERTY,
        ),
    ),
    P.CONNACK: (
        "3.2.2.3",
        (
            I.SESSION_EXPIRY_INTERVAL,
            I.RECEIVE_MAXIMUM,
            I.MAXIMUM_QOS,
            I.RETAIN_AVAILABLE,
            I.MAXIMUM_PACKET_SIZE,
            I.ASSIGNED_CLIENT_IDENTIFIER,
            I.TOPIC_ALIAS_MAXIMUM,
            I.REASON_STRING,
            I.USER_PROPERTY,
            I.WILDCARD_SUBSCRIPTION_AVAILABLE,
            I.SUBSCRIPTION_IDENTIFIER_AVAILABLE,
            I.SHARED_SUBSCRIPTION_AVAILABLE,
            I.SERVER_KEEP_ALIVE,
            I.RESPONSE_INFORMATION,
            I.SERVER_REFERENCE,
            I.AUTHENTICATION_METHOD,
            I.AUTHENTICATION_DATA,
        ),
    ),
    P.PUBLISH: (
        "3.3.2.3",
        (
            I.PAYLOAD_FORMAT_INDICATOR,
            I.MESSAGE_EXPIRY_INTERVAL,
            I.TOPIC_ALIAS,
            I.RESPONSE_TOPIC,
            I.CORRELATION_DATA,
            I.USER_PROPERTY,
            I.SUBSCRIPTION_IDENTIFIER,
            I.CONTENT_TYPE,
        ),
    ),
    P.PUBACK: ("3.4.2.2", (I.REASON_STRING, I.USER_PROPERTY)),
    P.PUBREC: ("3.5.2.2", (I.REASON_STRING, I.USER_PROPERTY)),
    P.PUBREL: ("3.6.2.2", (I.REASON_STRING, I.USER_PROPERTY)),
    P.PUBCOMP: ("3.7.2.2", (I.REASON_STRING, I.USER_PROPERTY)),
    P.SUBSCRIBE: ("3.8.2.1", (I.SUBSCRIPTION_IDENTIFIER, I.USER_PROPERTY)),
    P.SUBACK: ("3.9.2.1", (I.REASON_STRING, I.USER_PROPERTY)),
    P.UNSUBSCRIBE: ("3.10.2.1", (I.USER_PROPERTY,)),
    P.UNSUBACK: ("3.11.2.1", (I.REASON_STRING, I.USER_PROPERTY)),
    P.DISCONNECT: ("3.14.2.2", (I.SESSION_EXPIRY_INTERVAL, I.REASON_STRING, I.USER_PROPERTY, I.SERVER_REFERENCE)),
    P.AUTH: ("3.15.2.2", (I.AUTHENTICATION_METHOD, I.AUTHENTICATION_DATA, I.REASON_STRING, I.USER_PROPERTY)),
}
"""Where a list stands -> its section, and its properties in the order of their own sections, which count from 2."""

DEFAULTS: dict[tuple[int, int], int] = {
    (P.PUBLISH, I.PAYLOAD_FORMAT_INDICATOR): 0,
    (WILL, I.PAYLOAD_FORMAT_INDICATOR): 0,
    (WILL, I.WILL_DELAY_INTERVAL): 0,
    (P.CONNECT, I.SESSION_EXPIRY_INTERVAL): 0,
    (P.CONNECT, I.REQUEST_PROBLEM_INFORMATION): 1,
    (P.CONNECT, I.REQUEST_RESPONSE_INFORMATION): 0,
    (P.CONNECT, I.RECEIVE_MAXIMUM): 65_535,
    (P.CONNACK, I.RECEIVE_MAXIMUM): 65_535,
    (P.CONNECT, I.TOPIC_ALIAS_MAXIMUM): 0,
    (P.CONNACK, I.TOPIC_ALIAS_MAXIMUM): 0,
    (P.CONNACK, I.RETAIN_AVAILABLE): 1,
    (P.CONNACK, I.WILDCARD_SUBSCRIPTION_AVAILABLE): 1,
    (P.CONNACK, I.SUBSCRIPTION_IDENTIFIER_AVAILABLE): 1,
    (P.CONNACK, I.SHARED_SUBSCRIPTION_AVAILABLE): 1,
}
"""What an absent property means, where that is a value that could be written."""

NO_ZERO = (I.RECEIVE_MAXIMUM, I.MAXIMUM_PACKET_SIZE)
SECONDS = (I.MESSAGE_EXPIRY_INTERVAL, I.SESSION_EXPIRY_INTERVAL, I.SERVER_KEEP_ALIVE, I.WILL_DELAY_INTERVAL)
NEVER = 0xFFFFFFFF
"""Session Expiry Interval: the session does not expire."""

_FILTERS: dict[int, str] = {
    I.MAXIMUM_QOS: "mqtt.property.max_qos",
    I.TOPIC_ALIAS: "mqtt.property.topic_alias",
    I.CONTENT_TYPE: "mqtt.property.content_type",
}
_FILTER_OF_KIND = {Kind.STRING: "mqtt.prop_string", Kind.BINARY: "mqtt.prop_string"}
_NUMBER = "mqtt.prop_number"

_YES = {0: "no", 1: "yes"}
_WORDS: dict[int, dict[int, str]] = {
    I.PAYLOAD_FORMAT_INDICATOR: {0: "any bytes", 1: "UTF-8 text"},
    I.REQUEST_PROBLEM_INFORMATION: _YES,
    I.REQUEST_RESPONSE_INFORMATION: _YES,
    I.MAXIMUM_QOS: QOS_WORDS,
    I.RETAIN_AVAILABLE: _YES,
    I.WILDCARD_SUBSCRIPTION_AVAILABLE: _YES,
    I.SUBSCRIPTION_IDENTIFIER_AVAILABLE: _YES,
    I.SHARED_SUBSCRIPTION_AVAILABLE: _YES,
}
BOOLEANS = frozenset(_WORDS)
"""Properties of one byte whose value is 0 or 1."""

_MEANINGS: dict[int, dict[int, str]] = {
    I.PAYLOAD_FORMAT_INDICATOR: {0: "The payload is any bytes", 1: "The payload claims to be UTF-8 text"},
    I.REQUEST_PROBLEM_INFORMATION: {
        0: "Send no reason strings and user properties, except in PUBLISH, CONNACK and DISCONNECT",
        1: "Reason strings and user properties are welcome in every packet",
    },
    I.REQUEST_RESPONSE_INFORMATION: {0: "Response Information is not wanted", 1: "Please send Response Information in CONNACK"},
    I.MAXIMUM_QOS: {0: "Publishing is possible at QoS 0 only", 1: "Publishing is possible at QoS 0 and 1, not 2"},
    I.RETAIN_AVAILABLE: {0: "Messages with RETAIN are refused", 1: "Messages with RETAIN are stored"},
    I.WILDCARD_SUBSCRIPTION_AVAILABLE: {0: "Filters with + or # are refused", 1: "Filters may have + and #"},
    I.SUBSCRIPTION_IDENTIFIER_AVAILABLE: {0: "Subscription identifiers are refused", 1: "Subscription identifiers may be used"},
    I.SHARED_SUBSCRIPTION_AVAILABLE: {0: "$share/… filters are refused", 1: "$share/… filters may be used"},
}
"""Property -> value -> explanation."""

_HINTS: dict[tuple[int, int], str] = {
    (P.CONNECT, I.SESSION_EXPIRY_INTERVAL): "How long the session outlives the connection; 0 ends with it",
    (P.CONNACK, I.SESSION_EXPIRY_INTERVAL): "The server keeps the session this long, instead of what the client asked for",
    (P.DISCONNECT, I.SESSION_EXPIRY_INTERVAL): "Replaces the session expiry of CONNECT at the last moment",
    (P.CONNECT, I.RECEIVE_MAXIMUM): "The client takes this many unacknowledged QoS 1 and 2 messages at a time",
    (P.CONNACK, I.RECEIVE_MAXIMUM): "The server takes this many unacknowledged QoS 1 and 2 messages at a time",
    (P.CONNECT, I.TOPIC_ALIAS_MAXIMUM): "The server may use aliases up to this number; 0 = none",
    (P.CONNACK, I.TOPIC_ALIAS_MAXIMUM): "The client may use aliases up to this number; 0 = none",
    (P.CONNECT, I.MAXIMUM_PACKET_SIZE): "The client takes no packet with more bytes than this, header included",
    (P.CONNACK, I.MAXIMUM_PACKET_SIZE): "The server takes no packet with more bytes than this, header included",
    (P.SUBSCRIBE, I.SUBSCRIPTION_IDENTIFIER): "A number of the client's choice that comes back with every message of these filters",
    (P.PUBLISH, I.SUBSCRIPTION_IDENTIFIER): "The number that the client gave to the subscription which caused this message",
    (WILL, I.MESSAGE_EXPIRY_INTERVAL): "How long the will may be kept once it is published",
}
"""Better words than those of the table of properties, where the packet decides."""

PLACES = {**{int(kind): kind.name for kind in P}, WILL: "the will properties"}
"""How the place of a list is called in a sentence."""


def list_section(place: int) -> str:
    """Section of the property list at `place`."""
    return _SECTIONS[place][0]


def property_section(place: int, key: int) -> str:
    """Section of property `key` at `place`; of all properties if it does not belong there."""
    base, order = _SECTIONS[place]
    return f"{base}.{order.index(key) + 2}" if key in order else "2.2.2.2"


@cache
def property_fact(place: int, key: int) -> Fact:
    """The row for the value of property `key` at `place`."""
    spec = PROPERTIES[key]
    return Fact(
        spec.name,
        _FILTERS.get(key) or _FILTER_OF_KIND.get(spec.kind, _NUMBER),
        _HINTS.get((place, key), spec.hint),
        property_section(place, key),
        values=_MEANINGS.get(key, {}),
        words=_WORDS.get(key, {}),
        secret=key == I.AUTHENTICATION_DATA,
    )
